/* SPDX-License-Identifier: Apache-2.0
 *
 * How a C value becomes a clu_arg. Included by format.h; not to be included by itself.
 *
 * CLU_IN_(value) and CLU_OUT_(pointer), in C++ clu_in and clu_out: a type that is not in their
 * lists is an error of the compiler.
 */
#ifndef ERLCLU_FORMAT_ARGS_H
#define ERLCLU_FORMAT_ARGS_H

#include <string.h>

/* clu_in_KIND, clu_out_KIND: one kind of argument each. */

static inline clu_arg clu_arg_of(clu_arg_kind kind, size_t size)
{
    clu_arg arg;

    arg.kind = (uint32_t)kind;
    arg.size = (uint32_t)size;
    return arg;
}

static inline clu_arg clu_arg_none(void)
{
    return clu_arg_of(CLU_ARG_NONE, 0);
}

#define CLU_DEFINE_IN_(name, type, kind, member)                                                   \
    static inline clu_arg clu_in_##name(type value)                                                \
    {                                                                                              \
        clu_arg arg = clu_arg_of(kind, 0);                                                         \
                                                                                                   \
        arg.as.member = value;                                                                     \
        return arg;                                                                                \
    }
CLU_DEFINE_IN_(int, int64_t, CLU_ARG_INT, i)
CLU_DEFINE_IN_(uint, uint64_t, CLU_ARG_UINT, u)
CLU_DEFINE_IN_(float, double, CLU_ARG_FLOAT, f)
CLU_DEFINE_IN_(bool, bool, CLU_ARG_BOOL, b)
CLU_DEFINE_IN_(slice, clu_slice, CLU_ARG_SLICE, slice)
CLU_DEFINE_IN_(atom, const clu_atom *, CLU_ARG_ATOM, atom)
CLU_DEFINE_IN_(pid, clu_pid, CLU_ARG_PID, pid)
CLU_DEFINE_IN_(ref, clu_ref, CLU_ARG_REF, ref)
CLU_DEFINE_IN_(term, clu_reader, CLU_ARG_TERM, term)
#undef CLU_DEFINE_IN_

/* The same behind a pointer; NULL fits no directive. */
#define CLU_DEFINE_IN_AT_(name, type)                                                              \
    static inline clu_arg clu_in_##name##_at(const type *value)                                    \
    {                                                                                              \
        return value == NULL ? clu_arg_none() : clu_in_##name(*value);                             \
    }
CLU_DEFINE_IN_AT_(pid, clu_pid)
CLU_DEFINE_IN_AT_(ref, clu_ref)
CLU_DEFINE_IN_AT_(term, clu_reader)
#undef CLU_DEFINE_IN_AT_

static inline clu_arg clu_in_text(const char *text)
{
    clu_arg arg = clu_arg_of(text == NULL ? CLU_ARG_NONE : CLU_ARG_TEXT, 0);

    arg.as.slice.data = (const uint8_t *)text;
    arg.as.slice.len = text == NULL ? 0 : strlen(text);
    return arg;
}

/* A writer that holds one term; one that has failed fits no directive. */
static inline clu_arg clu_in_writer(const clu_writer *w)
{
    clu_slice term;

    if (w == NULL || w->err != CLU_OK)
        return clu_arg_none();
    term.data = w->data;
    term.len = w->len;
    return clu_in_slice(term);
}

#define CLU_DEFINE_OUT_(name, type, kind)                                                          \
    static inline clu_arg clu_out_##name(type *out)                                                \
    {                                                                                              \
        clu_arg arg = clu_arg_of(kind, sizeof *out);                                               \
                                                                                                   \
        arg.as.out = out;                                                                          \
        return arg;                                                                                \
    }
CLU_DEFINE_OUT_(schar, signed char, CLU_ARG_INT)
CLU_DEFINE_OUT_(short, short, CLU_ARG_INT)
CLU_DEFINE_OUT_(int, int, CLU_ARG_INT)
CLU_DEFINE_OUT_(long, long, CLU_ARG_INT)
CLU_DEFINE_OUT_(llong, long long, CLU_ARG_INT)
CLU_DEFINE_OUT_(uchar, unsigned char, CLU_ARG_UINT)
CLU_DEFINE_OUT_(ushort, unsigned short, CLU_ARG_UINT)
CLU_DEFINE_OUT_(uint, unsigned, CLU_ARG_UINT)
CLU_DEFINE_OUT_(ulong, unsigned long, CLU_ARG_UINT)
CLU_DEFINE_OUT_(ullong, unsigned long long, CLU_ARG_UINT)
CLU_DEFINE_OUT_(float, double, CLU_ARG_FLOAT)
CLU_DEFINE_OUT_(bool, bool, CLU_ARG_BOOL)
CLU_DEFINE_OUT_(slice, clu_slice, CLU_ARG_SLICE)
CLU_DEFINE_OUT_(pid, clu_pid, CLU_ARG_PID)
CLU_DEFINE_OUT_(ref, clu_ref, CLU_ARG_REF)
CLU_DEFINE_OUT_(term, clu_reader, CLU_ARG_TERM)
CLU_DEFINE_OUT_(list, clu_list, CLU_ARG_LIST)
#undef CLU_DEFINE_OUT_

/* The arguments in parentheses without these. */
#define CLU_ARGS_HEAD_(...) __VA_ARGS__

#ifdef __cplusplus

#define CLU_OVERLOAD_(type, face, function)                                                        \
    inline clu_arg face(type value)                                                                \
    {                                                                                              \
        return function(value);                                                                    \
    }

CLU_OVERLOAD_(bool, clu_in, clu_in_bool)
CLU_OVERLOAD_(char, clu_in, clu_in_int)
CLU_OVERLOAD_(signed char, clu_in, clu_in_int)
CLU_OVERLOAD_(short, clu_in, clu_in_int)
CLU_OVERLOAD_(int, clu_in, clu_in_int)
CLU_OVERLOAD_(long, clu_in, clu_in_int)
CLU_OVERLOAD_(long long, clu_in, clu_in_int)
CLU_OVERLOAD_(unsigned char, clu_in, clu_in_uint)
CLU_OVERLOAD_(unsigned short, clu_in, clu_in_uint)
CLU_OVERLOAD_(unsigned, clu_in, clu_in_uint)
CLU_OVERLOAD_(unsigned long, clu_in, clu_in_uint)
CLU_OVERLOAD_(unsigned long long, clu_in, clu_in_uint)
CLU_OVERLOAD_(float, clu_in, clu_in_float)
CLU_OVERLOAD_(double, clu_in, clu_in_float)
CLU_OVERLOAD_(const char *, clu_in, clu_in_text)
CLU_OVERLOAD_(clu_slice, clu_in, clu_in_slice)
CLU_OVERLOAD_(const clu_atom *, clu_in, clu_in_atom)
CLU_OVERLOAD_(const clu_pid &, clu_in, clu_in_pid)
CLU_OVERLOAD_(const clu_pid *, clu_in, clu_in_pid_at)
CLU_OVERLOAD_(const clu_ref &, clu_in, clu_in_ref)
CLU_OVERLOAD_(const clu_ref *, clu_in, clu_in_ref_at)
CLU_OVERLOAD_(const clu_reader &, clu_in, clu_in_term)
CLU_OVERLOAD_(const clu_reader *, clu_in, clu_in_term_at)
CLU_OVERLOAD_(const clu_writer *, clu_in, clu_in_writer)
/* Every other pointer would be a bool. */
inline clu_arg clu_in(const void *) = delete;

CLU_OVERLOAD_(signed char *, clu_out, clu_out_schar)
CLU_OVERLOAD_(short *, clu_out, clu_out_short)
CLU_OVERLOAD_(int *, clu_out, clu_out_int)
CLU_OVERLOAD_(long *, clu_out, clu_out_long)
CLU_OVERLOAD_(long long *, clu_out, clu_out_llong)
CLU_OVERLOAD_(unsigned char *, clu_out, clu_out_uchar)
CLU_OVERLOAD_(unsigned short *, clu_out, clu_out_ushort)
CLU_OVERLOAD_(unsigned *, clu_out, clu_out_uint)
CLU_OVERLOAD_(unsigned long *, clu_out, clu_out_ulong)
CLU_OVERLOAD_(unsigned long long *, clu_out, clu_out_ullong)
CLU_OVERLOAD_(double *, clu_out, clu_out_float)
CLU_OVERLOAD_(bool *, clu_out, clu_out_bool)
CLU_OVERLOAD_(clu_slice *, clu_out, clu_out_slice)
CLU_OVERLOAD_(clu_pid *, clu_out, clu_out_pid)
CLU_OVERLOAD_(clu_ref *, clu_out, clu_out_ref)
CLU_OVERLOAD_(clu_reader *, clu_out, clu_out_term)
CLU_OVERLOAD_(clu_list *, clu_out, clu_out_list)
#undef CLU_OVERLOAD_

#else

#define CLU_IN_(value)                                                                             \
    _Generic((value),                                                                              \
        bool: clu_in_bool,                                                                         \
        char: clu_in_int,                                                                          \
        signed char: clu_in_int,                                                                   \
        short: clu_in_int,                                                                         \
        int: clu_in_int,                                                                           \
        long: clu_in_int,                                                                          \
        long long: clu_in_int,                                                                     \
        unsigned char: clu_in_uint,                                                                \
        unsigned short: clu_in_uint,                                                               \
        unsigned: clu_in_uint,                                                                     \
        unsigned long: clu_in_uint,                                                                \
        unsigned long long: clu_in_uint,                                                           \
        float: clu_in_float,                                                                       \
        double: clu_in_float,                                                                      \
        char *: clu_in_text,                                                                       \
        const char *: clu_in_text,                                                                 \
        clu_slice: clu_in_slice,                                                                   \
        clu_atom *: clu_in_atom,                                                                   \
        const clu_atom *: clu_in_atom,                                                             \
        clu_pid: clu_in_pid,                                                                       \
        clu_pid *: clu_in_pid_at,                                                                  \
        const clu_pid *: clu_in_pid_at,                                                            \
        clu_ref: clu_in_ref,                                                                       \
        clu_ref *: clu_in_ref_at,                                                                  \
        const clu_ref *: clu_in_ref_at,                                                            \
        clu_reader: clu_in_term,                                                                   \
        clu_reader *: clu_in_term_at,                                                              \
        const clu_reader *: clu_in_term_at,                                                        \
        clu_writer *: clu_in_writer,                                                               \
        const clu_writer *: clu_in_writer)(value)

#define CLU_OUT_(pointer)                                                                          \
    _Generic((pointer),                                                                            \
        signed char *: clu_out_schar,                                                              \
        short *: clu_out_short,                                                                    \
        int *: clu_out_int,                                                                        \
        long *: clu_out_long,                                                                      \
        long long *: clu_out_llong,                                                                \
        unsigned char *: clu_out_uchar,                                                            \
        unsigned short *: clu_out_ushort,                                                          \
        unsigned *: clu_out_uint,                                                                  \
        unsigned long *: clu_out_ulong,                                                            \
        unsigned long long *: clu_out_ullong,                                                      \
        double *: clu_out_float,                                                                   \
        bool *: clu_out_bool,                                                                      \
        clu_slice *: clu_out_slice,                                                                \
        clu_pid *: clu_out_pid,                                                                    \
        clu_ref *: clu_out_ref,                                                                    \
        clu_reader *: clu_out_term,                                                                \
        clu_list *: clu_out_list)(pointer)

/* CLU_ARGS_CALL_(function, (head...), CLU_IN_ or CLU_OUT_, format, values...): calls
 * function(head..., format, array, n). The format goes with the values, and the array begins with
 * an argument for nobody, since neither may be empty in C11. */
#define CLU_ARGS_CALL_(fn, head, A, ...)                                                           \
    fn(CLU_ARGS_HEAD_ head, CLU_ARGS_FIRST_(__VA_ARGS__, 0),                                       \
       (const clu_arg[]){clu_arg_none() CLU_ARGS_LIST_(A, __VA_ARGS__)} + 1,                       \
       CLU_ARGS_COUNT_(__VA_ARGS__))

#define CLU_ARGS_FIRST_(f, ...) f
#define CLU_ARGS_LIST_(A, ...)                                                                     \
    CLU_ARGS_JOIN_(CLU_ARGS_LIST, CLU_ARGS_COUNT_(__VA_ARGS__))(A, __VA_ARGS__)
#define CLU_ARGS_JOIN_(a, b)  CLU_ARGS_JOIN2_(a, b)
#define CLU_ARGS_JOIN2_(a, b) a##b
#define CLU_ARGS_COUNT_(...)                                                                       \
    CLU_ARGS_PICK_(__VA_ARGS__, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0)
#define CLU_ARGS_PICK_(f, a, b, c, d, e, g, h, i, j, k, l, m, o, p, q, r, n, ...) n
#define CLU_ARGS_LIST0(A, f)
#define CLU_ARGS_LIST1(A, f, x)       , A(x)
#define CLU_ARGS_LIST2(A, f, x, ...)  , A(x) CLU_ARGS_LIST1(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST3(A, f, x, ...)  , A(x) CLU_ARGS_LIST2(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST4(A, f, x, ...)  , A(x) CLU_ARGS_LIST3(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST5(A, f, x, ...)  , A(x) CLU_ARGS_LIST4(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST6(A, f, x, ...)  , A(x) CLU_ARGS_LIST5(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST7(A, f, x, ...)  , A(x) CLU_ARGS_LIST6(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST8(A, f, x, ...)  , A(x) CLU_ARGS_LIST7(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST9(A, f, x, ...)  , A(x) CLU_ARGS_LIST8(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST10(A, f, x, ...) , A(x) CLU_ARGS_LIST9(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST11(A, f, x, ...) , A(x) CLU_ARGS_LIST10(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST12(A, f, x, ...) , A(x) CLU_ARGS_LIST11(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST13(A, f, x, ...) , A(x) CLU_ARGS_LIST12(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST14(A, f, x, ...) , A(x) CLU_ARGS_LIST13(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST15(A, f, x, ...) , A(x) CLU_ARGS_LIST14(A, f, __VA_ARGS__)
#define CLU_ARGS_LIST16(A, f, x, ...) , A(x) CLU_ARGS_LIST15(A, f, __VA_ARGS__)

#endif

#endif
