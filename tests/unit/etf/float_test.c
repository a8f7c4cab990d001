/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "etf/float.h"

/* The bits of a float, and the shortest text that means it. */
static const struct {
    uint64_t bits;
    const char *text;
} shortest[] = {
    {0, "0.0"},
    {UINT64_C(0x8000000000000000), "-0.0"},
    {UINT64_C(0x3ff0000000000000), "1.0"},
    {UINT64_C(0xbff8000000000000), "-1.5"},
    {UINT64_C(0x3fb999999999999a), "0.1"},
    {UINT64_C(0x3fd5555555555555), "0.3333333333333333"},
    {UINT64_C(0x3f1a36e2eb1c432d), "0.0001"}, /* as long as 1.0e-4 */
    {UINT64_C(0x3ee4f8b588e368f1), "1.0e-5"},
    {UINT64_C(0x408f400000000000), "1.0e3"},
    {UINT64_C(0x40fe240000000000), "123456.0"},
    {UINT64_C(0x433fffffffffffff), "9007199254740991.0"},
    {UINT64_C(0x4340000000000000), "9.007199254740992e15"}, /* 2^53 */
    {UINT64_C(0x4480f0cf064dd592), "1.0e22"},
    {UINT64_C(0x44b52d02c7e14af6), "1.0e23"}, /* a hard one: between two doubles */
    {UINT64_C(0x0000000000000001), "5.0e-324"},
    {UINT64_C(0x0000000000000002), "1.0e-323"},
    {UINT64_C(0x000fffffffffffff), "2.225073858507201e-308"},
    {UINT64_C(0x0010000000000000), "2.2250738585072014e-308"},
    {UINT64_C(0x7fefffffffffffff), "1.7976931348623157e308"},
    {UINT64_C(0xc000000000000001), "-2.0000000000000004"},
    {UINT64_C(0x47efffffe0000000), "3.4028234663852886e38"},
};

/* Longer texts, up to what decides between two neighbours. */
static const struct {
    const char *text;
    uint64_t bits;
} longer[] = {
    {"+1.0", UINT64_C(0x3ff0000000000000)},
    {"000123.4560E+2", UINT64_C(0x40c81ccccccccccd)},
    {"9007199254740993.0", UINT64_C(0x4340000000000000)}, /* halfway: to the even one */
    {"9007199254740993.0000000000000000000000000000001", UINT64_C(0x4340000000000001)},
    {"9007199254740995.0", UINT64_C(0x4340000000000002)},
    {"2.4703282292062327208e-324", 0}, /* just below half of the smallest */
    {"2.4703282292062328e-324", 1},
    {"2.2250738585072012e-308", UINT64_C(0x0010000000000000)},
    {"0.0e99999999999999999999", 0},
    {"-0.000e5", UINT64_C(0x8000000000000000)},
    {"1.0e-400", 0},
    {"1.0e-99999999999999999999", 0},
    {"0.00000000000000000000000000000000000001e38", UINT64_C(0x3ff0000000000000)},
    {"1.7976931348623158e308", UINT64_C(0x7fefffffffffffff)},
};

static const struct {
    const char *text;
    clu_error err;
} bad[] = {
    {"", CLU_ESYNTAX},
    {"1", CLU_ESYNTAX},
    {"1.", CLU_ESYNTAX},
    {".5", CLU_ESYNTAX},
    {"1.5e", CLU_ESYNTAX},
    {"1.5e+", CLU_ESYNTAX},
    {"1.5x", CLU_ESYNTAX},
    {"--1.5", CLU_ESYNTAX},
    {" 1.5", CLU_ESYNTAX},
    {"1_0.5", CLU_ESYNTAX},
    {"inf", CLU_ESYNTAX},
    {"1.0e309", CLU_ERANGE},
    {"1.0e400", CLU_ERANGE},
    {"-1.0e400", CLU_ERANGE},
    {"1.7976931348623159e308", CLU_ERANGE},
    {"1.0e9999999999", CLU_ERANGE},
};

static uint64_t to_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static void expect_read(const char *text, size_t len, uint64_t bits)
{
    double value = -1;
    clu_error err = float_read((clu_slice){(const uint8_t *)text, len}, &value);

    if (err != CLU_OK || to_bits(value) != bits)
        fail_msg("%.40s: %s, %llx", text, clu_strerror(err), (unsigned long long)to_bits(value));
}

static void test_shortest(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof shortest / sizeof *shortest; i++) {
        char text[FLOAT_PRINT_MAX + 1];
        size_t len = float_print(text, from_bits(shortest[i].bits));

        text[len] = '\0';
        assert_string_equal(text, shortest[i].text);
        expect_read(text, len, shortest[i].bits);
    }
}

static void test_longer(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++)
        expect_read(longer[i].text, strlen(longer[i].text), longer[i].bits);
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double value;
        clu_error err = float_read(slice_of(bad[i].text), &value);

        if (err != bad[i].err)
            fail_msg("%s: %s", bad[i].text, clu_strerror(err));
    }
}

/* 1.5 and a thousand digits more, of which only the last one is not 0. */
static void test_thousand_digits(void **state)
{
    char text[1024];

    (void)state;
    memset(text, '0', sizeof text);
    memcpy(text, "9007199254740993.", 17);
    expect_read(text, sizeof text, UINT64_C(0x4340000000000000));
    text[sizeof text - 1] = '1';
    expect_read(text, sizeof text, UINT64_C(0x4340000000000001));
}

/* Every power of two, and the numbers beside it, where the distance to the neighbours changes. */
static void test_round_trip(void **state)
{
    (void)state;
    for (uint64_t exponent = 0; exponent < 0x7ff; exponent++)
        for (uint64_t step = 0; step < 5; step++) {
            uint64_t bits = (exponent << 52) + step - 2;
            char text[FLOAT_PRINT_MAX];

            if ((exponent == 0 && step < 2))
                continue;
            expect_read(text, float_print(text, from_bits(bits)), bits);
        }
}

static void test_narrow(void **state)
{
    static const struct {
        double value;
        uint64_t half, single;
    } rows[] = {
        {0.0, 0, 0},
        {1.0, 0x3c00, 0x3f800000},
        {-1.5, 0xbe00, 0xbfc00000},
        {0.1, 0x2e66, 0x3dcccccd},
        {65504.0, 0x7bff, 0x477fe000},
        {65519.0, 0x7bff, 0x477fef00},
        {65520.0, 0x7c00, 0x477ff000},
        {1.0e300, 0x7c00, 0x7f800000},
        {5.960464477539063e-8, 1, 0x33800000},
        {2.9802322387695312e-8, 0, 0x33000000}, /* half of the smallest: to the even one */
        {1.0e-300, 0, 0},
        {5.0e-324, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(float_narrow(rows[i].value, 16), rows[i].half);
        assert_int_equal(float_narrow(rows[i].value, 32), rows[i].single);
        assert_int_equal(float_narrow(rows[i].value, 64), to_bits(rows[i].value));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shortest),   cmocka_unit_test(test_longer),
        cmocka_unit_test(test_bad),        cmocka_unit_test(test_thousand_digits),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
