/* SPDX-License-Identifier: Apache-2.0
 *
 * Terms by their looks: clu_match takes one apart, clu_format makes one, both by a text in Erlang's
 * syntax in which directives stand for arguments.
 *
 *     int64_t a, b;
 *     if (clu_match(args, "[~i,~i]", &a, &b) == CLU_OK)
 *         clu_format(w, "{ok,~i}", a + b);
 *
 * Everything else in the text stands for itself: atoms, numbers, $c, "strings", <<"binaries">>,
 * tuples (of up to 255 elements), lists, [H|T], maps (#{key => ~i} in clu_format, #{key := ~i} in
 * clu_match, as in Erlang). White space and comments are as in Erlang.
 *
 *     directive          clu_format takes                   clu_match takes a pointer to
 *     ~i  integer        any integer type                   any; CLU_ERANGE when it does not fit
 *     ~u  integer >= 0   the same; CLU_ERANGE below 0       the same
 *     ~f  float          float, double                      double
 *     ~o  true or false  bool, int                          bool
 *     ~a  atom           const char *, clu_slice,           clu_slice
 *                        const clu_atom *
 *     ~b  binary         clu_slice, const char *            clu_slice
 *     ~s  string: list   const char *, clu_slice (UTF-8)    clu_slice; takes a binary as well
 *         of characters
 *     ~p  pid            clu_pid, const clu_pid *           clu_pid
 *     ~r  reference      clu_ref, const clu_ref *           clu_ref
 *     ~t  any term       clu_reader, clu_slice (encoded),   clu_reader: stands at the term
 *                        const clu_writer * (one term)
 *     ~l  list, or its   -                                  clu_list
 *         rest: [~i|~l]
 *     ~_  any term       -                                  nothing: it is passed
 *
 * The rest of a list is no term that a directive other than ~l and ~_ could stand for. What is
 * stored borrows the reader's input, or is static. The type of every argument is known
 * (_Generic, in C++ overloads): one that no directive takes does not compile, one that does not fit
 * its directive is CLU_EBADARG, and so is a wrong number of arguments or a text that makes no
 * sense.
 */
#ifndef ERLCLU_FORMAT_H
#define ERLCLU_FORMAT_H

#include <erlclu/etf.h>

/* Most directives with an argument that a text may have. */
#define CLU_ARGS_MAX 16
/* How deep a text may nest, and how many bytes a string, atom, number or binary that it holds may
 * take as a term: clu_match keeps it on the stack. Over either is CLU_EBADARG. */
#define CLU_FORMAT_DEPTH_MAX 32
#define CLU_LITERAL_MAX      2048

#ifdef __cplusplus
extern "C" {
#endif

/* ---- any list, element by element ---- */

/* A place in a list of any form: LIST, STRING or NIL. Borrows what its reader borrowed. */
typedef struct clu_list {
    clu_reader at;   /* the next element, or the tail */
    clu_reader byte; /* an element of a STRING: a term that is not in the input */
    size_t left;     /* elements until a tail follows */
    bool in_string;
    bool closed; /* no tail follows */
} clu_list;

/* clu_get_elements: the list at the reader's place, which moves past all of it. CLU_ETYPE. */
CLU_API clu_list clu_get_elements(clu_reader *r);
/* clu_list_next: a reader at the next element, of which exactly one term is to be read before the
 * next call; NULL after the last one, after an error of that reader, and before a tail that is no
 * list. */
CLU_API clu_reader *clu_list_next(clu_list *list);
/* clu_list_end: whether nothing is left; else CLU_ETYPE (elements, or an improper tail), or the
 * error that was met. */
CLU_API CLU_MUST_USE clu_error clu_list_end(clu_list *list);

/* ---- arguments ---- */

/* What an argument is. The numbers are part of the ABI: append, never renumber. */
typedef enum clu_arg_kind {
    CLU_ARG_NONE, /* fits no directive */
    CLU_ARG_INT,  /* signed; out: of 1, 2, 4 or 8 bytes */
    CLU_ARG_UINT,
    CLU_ARG_FLOAT,
    CLU_ARG_BOOL,
    CLU_ARG_TEXT, /* in only: UTF-8 */
    CLU_ARG_SLICE,
    CLU_ARG_ATOM, /* in only */
    CLU_ARG_PID,
    CLU_ARG_REF,
    CLU_ARG_TERM,
    CLU_ARG_LIST, /* out only */
} clu_arg_kind;

/* One argument, as the macros below make it of a C value; callers through an FFI fill it in. */
typedef struct clu_arg {
    uint32_t kind; /* a clu_arg_kind */
    uint32_t size; /* out: of what `out` points to; in: 0 */
    union {
        int64_t i;
        uint64_t u;
        double f;
        bool b;
        clu_slice slice; /* CLU_ARG_TEXT and CLU_ARG_SLICE */
        const clu_atom *atom;
        clu_pid pid;
        clu_ref ref;
        clu_reader term;
        void *out; /* clu_match_args: where the value goes */
    } as;
} clu_arg;

/* clu_match_args: matches the term at the reader's place with format (zero-terminated) and stores
 * into the n arguments; the reader moves past the term. On failure the reader, its error, and all
 * that the arguments point to are as before: CLU_ETYPE when the term does not look like that,
 * CLU_ERANGE when a number does not fit, CLU_EBADARG for a mistake of the caller, else what is
 * wrong with the term, or the error that the reader had. An Erlang string "abc" matches lists of
 * characters of any form; a map holds the keys that are named, and maybe others. ~s takes a list
 * of ASCII characters, since others have no UTF-8 to point to; a name in Latin-1 beyond ASCII is
 * CLU_EATOM, as in clu_get_atom. No memory is allocated unless format holds a <<...>>. */
CLU_API CLU_MUST_USE clu_error clu_match_args(clu_reader *r, const char *format,
                                              const clu_arg *args, size_t n);
/* clu_format_args: appends the term to the writer. Errors stick to the writer, which then holds
 * what it held before, and are returned: CLU_EBADARG for a mistake of the caller, CLU_ERANGE,
 * CLU_EATOM, CLU_ESIZE, CLU_ENOMEM, or the error that the writer had. An encoded term goes in as
 * it is; a reader's is copied (clu_put_term), the reader not moved. The keys of a map must
 * differ. */
CLU_API clu_error clu_format_args(clu_writer *w, const char *format, const clu_arg *args, size_t n);

#ifdef __cplusplus
}
#endif

/* clu_match, clu_format: the same of C values: clu_match(reader, format, pointers...) and
 * clu_format(writer, format, values...). */

#include <erlclu/format_args.h>

#ifdef __cplusplus

template <typename... Pointers>
CLU_MUST_USE inline clu_error clu_match(clu_reader *r, const char *format, Pointers... pointers)
{
    const clu_arg args[] = {clu_arg_none(), clu_out(pointers)...};

    static_assert(sizeof...(pointers) <= CLU_ARGS_MAX, "more than CLU_ARGS_MAX arguments");
    return clu_match_args(r, format, args + 1, sizeof...(pointers));
}

template <typename... Values>
inline clu_error clu_format(clu_writer *w, const char *format, const Values &...values)
{
    const clu_arg args[] = {clu_arg_none(), clu_in(values)...};

    static_assert(sizeof...(values) <= CLU_ARGS_MAX, "more than CLU_ARGS_MAX arguments");
    return clu_format_args(w, format, args + 1, sizeof...(values));
}

#else

#define clu_match(reader, ...)  CLU_ARGS_CALL_(clu_match_args, (reader), CLU_OUT_, __VA_ARGS__)
#define clu_format(writer, ...) CLU_ARGS_CALL_(clu_format_args, (writer), CLU_IN_, __VA_ARGS__)

#endif

#endif
