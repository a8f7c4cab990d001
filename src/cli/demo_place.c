/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/socket.h"
#include "net/system.h"

#define DIR_NAME "/erlclu-demo-XXXXXX"
/* Ports tried before we give up. */
#define TRIES 64
/* Where they are looked for: below those that the system gives to connections, or a program beside
 * us would have one of them before our children do. */
#define PORT_MIN 10000
#define N_PORTS  2000
/* What a page has by habit. */
#define HTTP_PORT 8080
#define LOOPBACK  0x7f000001

struct addr demo_address(size_t node, uint16_t port)
{
    return addr_v4(LOOPBACK + (uint32_t)node, port);
}

/* ---- ports ---- */

static bool is_free(struct addr at)
{
    int fd = socket_listen(&at);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static bool is_free_udp(struct addr at)
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_system(&at, &ss);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_it = fd >= 0 && bind(fd, (struct sockaddr *)&ss, len) == 0;

    if (fd >= 0)
        close(fd);
    return is_it;
}

static bool is_free_everywhere(uint16_t port)
{
    for (size_t i = 0; i < DEMO_NODES; i++)
        if (!is_free(demo_address(i, port)))
            return false;
    return is_free_udp(demo_address(0, port));
}

/* 0 where the system has no random numbers. */
static uint16_t any_port(void)
{
    uint16_t n;

    return system_random(&n, sizeof n) ? (uint16_t)(PORT_MIN + n % N_PORTS) : 0;
}

/* A port that is free on the addresses of all nodes; 0 when none was found. */
static uint16_t free_port(uint16_t preferred)
{
    uint16_t port = preferred;

    for (int i = 0; i < TRIES; i++) {
        if (port != 0 && is_free_everywhere(port))
            return port;
        port = any_port();
    }
    return 0;
}

/* Demos that begin together would all find HTTP_PORT free. This name is had by one of them, until
 * its end; 0: another has it. */
static int claim_page(void)
{
    static const char claim[] = "\0erlclu-demo";
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(name.sun_path, claim, sizeof claim);
    if (fd < 0)
        return 0;
    if (bind(fd, (struct sockaddr *)&name, offsetof(struct sockaddr_un, sun_path) + sizeof claim) ==
        0)
        return fd;
    close(fd);
    return 0;
}

static bool choose_ports(struct demo_place *p)
{
    p->claim = claim_page();
    p->dns_port = free_port(0);
    p->http_port = free_port(p->claim > 0 ? HTTP_PORT : 0);
    do
        p->dist_port = free_port(0);
    while (p->dist_port != 0 && (p->dist_port == p->dns_port || p->dist_port == p->http_port));
    return p->dns_port != 0 && p->http_port != 0 && p->dist_port != 0;
}

/* ---- files ---- */

static bool write_file(const char *path, const struct buf *text)
{
    /* erl refuses a cookie that others may read. */
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    bool done = fd >= 0 && system_write(fd, text);

    if (fd >= 0)
        close(fd);
    return done;
}

static void put_hosts(const struct demo_place *p, struct buf *out)
{
    char ip[ADDR_TEXT_MAX];

    (void)p;
    for (size_t i = 0; i < DEMO_NODES; i++) {
        struct addr a = demo_address(i, 0);

        buf_printf(out, "%s %s\n", addr_ip_text(&a, ip), DEMO_SERVICE);
    }
}

static void put_cookie(const struct demo_place *p, struct buf *out)
{
    uint8_t random[16];

    (void)p;
    if (!system_random(random, sizeof random))
        out->err = CLU_ENOMEM;
    for (size_t i = 0; i < sizeof random; i++)
        buf_printf(out, "%02x", random[i]);
}

/* Neither this machine's resolv.conf nor its hosts file has a say. */
static void put_inetrc(const struct demo_place *p, struct buf *out)
{
    buf_printf(out,
               "{resolv_conf, \"\"}.\n"
               "{hosts_file, \"\"}.\n"
               "clear_ns.\n"
               "{nameserver, {127,0,0,1}, %u}.\n"
               "{lookup, [dns]}.\n",
               (unsigned)p->dns_port);
}

static const struct {
    const char *name;
    size_t path; /* where it lies in struct demo_place */
    void (*put)(const struct demo_place *p, struct buf *out);
} files[] = {
    {"hosts", offsetof(struct demo_place, hosts), put_hosts},
    {".erlang.cookie", offsetof(struct demo_place, cookie), put_cookie},
    {"inetrc", offsetof(struct demo_place, inetrc), put_inetrc},
};

static bool write_files(struct demo_place *p)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        char *path = (char *)p + files[i].path;
        struct buf text = {0};

        snprintf(path, sizeof p->hosts, "%s/%s", p->dir, files[i].name);
        files[i].put(p, &text);
        bool done = text.err == CLU_OK && write_file(path, &text);

        buf_free(&text);
        if (!done)
            return false;
    }
    return true;
}

/* TMPDIR, where its path has room here and nothing that erl or dnsmasq would read as more than a
 * path. */
static void choose_dir(char dir[DEMO_DIR_SIZE])
{
    const char *tmp = getenv("TMPDIR");
    bool is_good = tmp != NULL && tmp[0] == '/' && tmp[strcspn(tmp, "\"\\,")] == '\0' &&
                   strlen(tmp) + sizeof DIR_NAME < DEMO_DIR_SIZE;

    snprintf(dir, DEMO_DIR_SIZE, "%.*s%s", DEMO_DIR_SIZE - (int)sizeof DIR_NAME,
             is_good ? tmp : "/tmp", DIR_NAME);
}

bool demo_place_open(struct demo_place *p, char why[256])
{
    *p = (struct demo_place){0};
    choose_dir(p->dir);
    if (!choose_ports(p)) {
        p->dir[0] = '\0';
        snprintf(why, 256, "no port is free on 127.0.0.1 to 127.0.0.%d", DEMO_NODES);
        return false;
    }
    if (mkdtemp(p->dir) == NULL) {
        snprintf(why, 256, "cannot make the directory %s: %s", p->dir, strerror(errno));
        p->dir[0] = '\0';
        return false;
    }
    if (write_files(p))
        return true;
    snprintf(why, 256, "cannot write into %s: %s", p->dir, strerror(errno));
    return false;
}

void demo_place_close(struct demo_place *p)
{
    if (p->claim > 0)
        close(p->claim);
    p->claim = 0;
    if (p->dir[0] == '\0')
        return;
    for (size_t i = 0; i < COUNT(files); i++) {
        const char *path = (const char *)p + files[i].path;

        if (path[0] != '\0')
            unlink(path);
    }
    rmdir(p->dir);
    p->dir[0] = '\0';
}
