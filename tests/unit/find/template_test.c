/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "find/template.h"
#include "find/words.h"

#define ALL   (PART_BIT(PARTS) - 1)
#define L64   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG  L64 L64 L64 L64
#define ZONES "svc.cluster.local"

static const struct name_parts pod = {{
    [PART_BASE] = "app",
    [PART_IP] = "fd00::",
    [PART_DASHED] = "fd00--0",
    [PART_HOSTNAME] = "app-0",
    [PART_SERVICE] = "headless",
    [PART_NS] = "prod",
    [PART_ZONE] = "cluster.test",
}};

/* What a template makes of the pod above: "" when a part is not known. */
static const struct {
    const char *template, *name;
} names[] = {
    {"{base}@{ip}", "app@fd00::"},
    {"{base}@{dashed}.{ns}.pod.{zone}", "app@fd00--0.prod.pod.cluster.test"},
    {"{base}@{hostname}.{service}.{ns}.svc.{zone}", "app@app-0.headless.prod.svc.cluster.test"},
    {"x-{base}-y@{hostname}", "x-app-y@app-0"},
    {"{base}@fixed.example", "app@fixed.example"},
    {"{base}@{target}", ""},
    {"{base}@" LONG, ""},
};

static void makes_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++) {
        char name[NODE_NAME_SIZE];
        bool made = template_name(names[i].template, &pod, name);

        if (strcmp(name, names[i].name) != 0 || made != (name[0] != '\0'))
            fail_msg("%s: %s", names[i].template, name);
    }
}

/* What is said of a template where only these parts are known; NULL: it is fine. */
static const struct {
    const char *template;
    unsigned can;
    const char *why;
} checks[] = {
    {"{base}@{ip}", ALL, NULL},
    {"{base}@{hostname}.{service}.{ns}.svc.{zone}", ALL, NULL},
    {"{base}@{target}", ALL, NULL},
    {"my_app-1@{dashed}.{ns}.pod.{zone}", ALL, NULL},
    {"{base}@{podname}", PART_BIT(PART_BASE) | PART_BIT(PART_IP),
     "has \"{podname}\", which is not known here: the parts are {base}, {ip}"},
    {"{base}@{target}", PART_BIT(PART_BASE) | PART_BIT(PART_IP) | PART_BIT(PART_DASHED),
     "has \"{target}\", which is not known here: the parts are {base}, {ip}, {dashed}"},
    {"{base}@{ip", PART_BIT(PART_IP) | PART_BIT(PART_BASE),
     "has \"{ip\", which is not known here: the parts are {base}, {ip}"},
    {"{base}@{}", PART_BIT(PART_BASE), "has \"{}\", which is not known here: the parts are {base}"},
    {"{base}", ALL, "has no @: write {base}@{ip}, or * to learn the names"},
    {"", ALL, "has no @: write {base}@{ip}, or * to learn the names"},
    {"@{ip}", ALL, "makes names whose part before the @ is empty"},
    {"{base}@", ALL, "makes names whose part behind the @ is empty"},
    {"{ip}@{base}", ALL,
     "makes names whose part before the @ holds a byte that node names do not have (letters, "
     "digits, '-' and '_' only)"},
    {"{base}@{ip}@{zone}", ALL,
     "makes names whose part behind the @ holds a byte that DNS names do not have (letters, "
     "digits, '-' and '_' only)"},
    {"{base}@" LONG, ALL, "makes no name, or one longer than 255 bytes"},
};

static void checks_templates(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(checks); i++) {
        char why[REASON_SIZE] = "";
        clu_error err = template_check(checks[i].template, checks[i].can, why);

        if (err != (checks[i].why == NULL ? CLU_OK : CLU_EBADARG) ||
            strcmp(why, checks[i].why == NULL ? "" : checks[i].why) != 0)
            fail_msg("%s: %s", checks[i].template, why);
    }
    assert_int_equal(template_uses("{base}@x{zone}y{ip"),
                     PART_BIT(PART_BASE) | PART_BIT(PART_ZONE));
}

/* As CoreDNS spells them. */
static const struct {
    const char *ip, *dashed;
} addresses[] = {
    {"10.244.1.23", "10-244-1-23"},
    {"fd00::1:2", "fd00--1-2"},
    {"fd00::", "fd00--0"},
    {"::1", "--1"},
};

static void dashes_addresses(void **state)
{
    char out[ADDR_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(addresses); i++) {
        struct addr a;

        assert_true(addr_parse_ip(&a, slice_of(addresses[i].ip)));
        assert_string_equal(address_dashed(&a, out), addresses[i].dashed);
    }
    assert_string_equal(address_dashed(&(struct addr){0}, out), "");
}

static const struct {
    const char *text, *name, *ns, *zone;
} services[] = {
    {"a.b." ZONES, "a", "b", "cluster.local"},
    {"_dist._tcp.a.b." ZONES, "a", "b", "cluster.local"},
    {"a.b.svc.x", "a", "b", "x"},
    {"a.b.svc", "", "", ""},
    {"a.b.svc.", "", "", ""},
    {"a.b.example", "", "", ""},
    {"a", "", "", ""},
    {"_dist._tcp", "", "", ""},
    {L64 ".b." ZONES, "", "", ""},
};

static void parses_services(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(services); i++) {
        struct service_name s;
        bool is_one = service_name_parse(services[i].text, &s);

        if (is_one != (services[i].name[0] != '\0') || strcmp(s.name, services[i].name) != 0 ||
            strcmp(s.ns, services[i].ns) != 0 || strcmp(s.zone, services[i].zone) != 0)
            fail_msg("%s: %s, %s, %s", services[i].text, s.name, s.ns, s.zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_names),
        cmocka_unit_test(checks_templates),
        cmocka_unit_test(dashes_addresses),
        cmocka_unit_test(parses_services),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
