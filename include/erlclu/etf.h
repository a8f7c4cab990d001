/* SPDX-License-Identifier: Apache-2.0
 *
 * The External Term Format (OTP: erts, "External Term Format"): reading, writing, checking,
 * printing and parsing terms.
 *
 * Errors stick: after the first failure a reader or writer does nothing more and keeps the error;
 * the caller asks once, at the end. A reader views its input in place and never allocates; what a
 * get function returns borrows the input. After an error a get function returns zeros.
 *
 * Nothing here keeps state of its own: a reader, a writer or an atom may be used from any thread,
 * by one at a time; atoms and inputs that nobody changes by several.
 */
#ifndef ERLCLU_ETF_H
#define ERLCLU_ETF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <erlclu/error.h>

/* The small readers and writers are inline (etf_inline*.h) and exported all the same, for callers
 * through an FFI: one file of the library defines CLU_INLINE as `extern inline`. */
#ifndef CLU_INLINE
#define CLU_INLINE inline
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Tags of the format. */
enum clu_tag {
    ETF_VERSION = 131,
    ETF_NATIVE_RECORD = 67, /* OTP 29, DFLAG_NATIVE_RECORDS */
    ETF_NEW_FLOAT = 70,
    ETF_BIT_BINARY = 77,
    ETF_COMPRESSED = 80,
    ETF_ATOM_CACHE_REF = 82,
    ETF_NEW_PID = 88,
    ETF_NEW_PORT = 89,
    ETF_NEWER_REFERENCE = 90,
    ETF_SMALL_INTEGER = 97,
    ETF_INTEGER = 98,
    ETF_FLOAT = 99, /* 31 bytes of text */
    ETF_ATOM = 100, /* Latin-1 */
    ETF_REFERENCE = 101,
    ETF_PORT = 102,
    ETF_PID = 103,
    ETF_SMALL_TUPLE = 104,
    ETF_LARGE_TUPLE = 105,
    ETF_NIL = 106,
    ETF_STRING = 107,
    ETF_LIST = 108,
    ETF_BINARY = 109,
    ETF_SMALL_BIG = 110,
    ETF_LARGE_BIG = 111,
    ETF_NEW_FUN = 112,
    ETF_EXPORT = 113,
    ETF_NEW_REFERENCE = 114,
    ETF_SMALL_ATOM = 115, /* Latin-1 */
    ETF_MAP = 116,
    ETF_FUN = 117,
    ETF_ATOM_UTF8 = 118,
    ETF_SMALL_ATOM_UTF8 = 119,
    ETF_V4_PORT = 120,
    ETF_LOCAL = 121, /* node-local: refused */
};

/* An atom has at most 255 characters (erl_ext_dist), so at most this many bytes of UTF-8. */
#define CLU_ATOM_CHARS_MAX 255
#define CLU_ATOM_BYTES_MAX (4 * CLU_ATOM_CHARS_MAX)
/* Words of a reference (V4_NC). */
#define CLU_REF_WORDS_MAX 5
/* How deep terms may nest that are printed or parsed: what BEAMs send in practice is below 100, and
 * both keep a small frame a level on the stack. A term that has come, or that is checked, skipped
 * or copied, may be as deep as its bytes suffice for, as in a BEAM: so no program should walk one
 * by recursion without a limit of its own. */
#define CLU_DEPTH_MAX 1024

/* From this size on clu_lend_binary does not copy: what is lent has to be in a message in
 * fragments. */
#define CLU_LEND_MIN (128u << 10)

/* A view of bytes that somebody else owns. */
typedef struct clu_slice {
    const uint8_t *data;
    size_t len;
} clu_slice;

/* The atoms of a distribution header, in the order of its references: what tag 82 points to. */
typedef struct clu_refs {
    const clu_slice *atoms; /* UTF-8 text */
    size_t n;
} clu_refs;

typedef struct clu_reader {
    const uint8_t *pos, *end; /* after an error the same: so nothing more is read */
    const clu_refs *refs;     /* for tag 82; NULL without a header */
    clu_error err;            /* the first error; sticks */
} clu_reader;

struct clu_writer;

/* What keeps atoms apart from the terms that name them: the header of a message to another node. */
typedef struct clu_atoms {
    /* The number by which tag 82 names the atom; -1: it is to be written as text. */
    int (*find)(struct clu_atoms *atoms, clu_slice text);
} clu_atoms;

/* Called when bytes that were lent are not read any more. */
typedef void clu_release_fn(void *arg);

/* Of the library alone: what takes large binaries where they lie. */
typedef struct clu_lender {
    /* Whether it has taken them, for the place that the writer has reached; then it calls release,
     * unless that is NULL. */
    bool (*lend)(struct clu_lender *lender, const struct clu_writer *w, clu_slice bytes,
                 clu_release_fn *release, void *arg);
} clu_lender;

typedef struct clu_writer {
    uint8_t *data; /* owned by the writer unless `fixed` */
    size_t len, cap;
    bool fixed; /* the caller's memory: never grown, CLU_ESIZE when full */
    clu_error err;
    clu_atoms *atoms;   /* asked for every atom; NULL: all are text. Set by the library only */
    clu_lender *lender; /* asked for every binary that is lent; NULL: it is copied. As `atoms` */
} clu_writer;

/* node borrows the input of the reader, or the caller's memory when writing; it is UTF-8. */
typedef struct clu_pid {
    clu_slice node;
    uint32_t id, serial, creation;
} clu_pid;

typedef struct clu_ref {
    clu_slice node;
    uint32_t creation;
    uint32_t n; /* words, 1 to CLU_REF_WORDS_MAX */
    uint32_t words[CLU_REF_WORDS_MAX];
} clu_ref;

/* An atom that a program uses again and again, as it stands on the wire. */
typedef struct clu_atom {
    uint8_t *term; /* owned; NULL after an error */
    clu_error err; /* of clu_atom_new; clu_put_atom_of repeats it */
    uint32_t hash; /* clu_atom_hash of its text */
    uint16_t len;  /* bytes of the term */
    uint8_t head;  /* of these, in front of the text */
} clu_atom;

typedef struct clu_port {
    clu_slice node;
    uint64_t id;
    uint32_t creation;
} clu_port;

/* What stands at the reader's place, whatever its tag: several tags make one type. */
typedef enum clu_type {
    CLU_TYPE_NONE,    /* end of input, error or unknown tag */
    CLU_TYPE_INTEGER, /* any size */
    CLU_TYPE_FLOAT,
    CLU_TYPE_ATOM,
    CLU_TYPE_TUPLE,
    CLU_TYPE_LIST, /* NIL and STRING too */
    CLU_TYPE_MAP,
    CLU_TYPE_BINARY, /* whole bytes */
    CLU_TYPE_BITSTRING,
    CLU_TYPE_PID,
    CLU_TYPE_PORT,
    CLU_TYPE_REF,
    CLU_TYPE_FUN,
    CLU_TYPE_EXPORT,
    CLU_TYPE_RECORD,
    /* clu_get_any only: */
    CLU_TYPE_STRING, /* a list of bytes in one piece */
    CLU_TYPE_BIG,    /* an integer that an int64_t does not hold */
} clu_type;

/* What clu_get_any has found. */
typedef struct clu_value {
    clu_type type;
    union {
        int64_t integer;
        double real;
        clu_slice bytes; /* ATOM, BINARY, STRING: borrowed from the reader */
        size_t n;        /* TUPLE, LIST: elements; MAP: pairs */
    } as;
} clu_value;

/* ---- slices ---- */

/* clu_slice_of: the view of a zero-terminated text, without its zero. */
CLU_API clu_slice clu_slice_of(const char *text);
/* clu_slice_is: whether the slice holds exactly the bytes of text. */
CLU_API bool clu_slice_is(clu_slice s, const char *text);
/* clu_slice_equal: whether both hold the same bytes; all empty ones are equal. */
CLU_API bool clu_slice_equal(clu_slice a, clu_slice b);

/* ---- atoms made once ---- */

/* clu_atom_new: of a UTF-8 text, which is copied; end it with clu_atom_free. What went wrong
 * (CLU_EATOM, CLU_ENOMEM) is told by the writer that it is put into. Threads may share it. */
CLU_API clu_atom clu_atom_new(const char *text);
/* clu_atom_free: takes what has failed, and what was freed, as well. */
CLU_API void clu_atom_free(clu_atom *atom);
/* clu_atom_text: borrows the atom; empty after an error. */
CLU_API CLU_INLINE clu_slice clu_atom_text(const clu_atom *atom);
/* clu_atom_is: whether this is its text; compares the bytes only where the lengths agree. */
CLU_API CLU_INLINE bool clu_atom_is(const clu_atom *atom, clu_slice text);
/* clu_atom_hash: of an atom's text; the same in all releases of this library with one soname. */
CLU_API uint32_t clu_atom_hash(clu_slice text);

/* ---- reading ---- */

/* clu_reader_init: a reader over len bytes at data, which must outlive it. */
CLU_API CLU_INLINE void clu_reader_init(clu_reader *r, const void *data, size_t len);
/* clu_reader_fail: sets the error unless there is one already; the reader's end is where it stands
 * then. */
CLU_API void clu_reader_fail(clu_reader *r, clu_error err);
/* clu_reader_has: whether n bytes stand before the end and no error has come. */
CLU_API CLU_INLINE bool clu_reader_has(const clu_reader *r, size_t n);
/* clu_reader_take: passes n bytes, whatever they are, and returns where they begin; NULL with
 * CLU_ETRUNC when there are fewer, NULL after an error. */
CLU_API CLU_INLINE const uint8_t *clu_reader_take(clu_reader *r, size_t n);
/* clu_get_version: expects the byte 131. */
CLU_API CLU_INLINE void clu_get_version(clu_reader *r);
/* clu_peek_type: the type of the term at the reader's place; moves nothing, sets no error. */
CLU_API CLU_INLINE clu_type clu_peek_type(const clu_reader *r);
/* clu_get_int: an integer of any tag that fits; else CLU_ERANGE (a copy made before stands on it,
 * for clu_get_uint or clu_get_big). */
CLU_API CLU_INLINE int64_t clu_get_int(clu_reader *r);
/* clu_get_uint: the same for what is not negative; else CLU_ERANGE. */
CLU_API uint64_t clu_get_uint(clu_reader *r);
/* clu_get_big: an integer of any size as magnitude bytes, little endian, with its sign; the
 * magnitude of a big tag borrows the input, of a small integer it is put into `small`. */
CLU_API clu_slice clu_get_big(clu_reader *r, bool *negative, uint8_t small[8]);
/* clu_get_float: both float tags; an integer is CLU_ETYPE. */
CLU_API CLU_INLINE double clu_get_float(clu_reader *r);
/* clu_get_atom: the atom's text in UTF-8. A Latin-1 atom (tags 100, 115) with bytes above 127 is
 * converted into the reader's view only by clu_get_atom_utf8; here it is CLU_EATOM. */
CLU_API CLU_INLINE clu_slice clu_get_atom(clu_reader *r);
/* clu_get_atom_utf8: as clu_get_atom for every atom tag; buf is used when conversion is needed. */
CLU_API clu_slice clu_get_atom_utf8(clu_reader *r, uint8_t buf[CLU_ATOM_BYTES_MAX]);
/* clu_get_tuple: enters a tuple; the arity, its elements follow. */
CLU_API CLU_INLINE size_t clu_get_tuple(clu_reader *r);
/* clu_get_list: enters a list of n elements; after them the tail follows (clu_get_nil for a proper
 * list). NIL gives 0 and no tail follows. A STRING is CLU_ETYPE: see clu_get_string. The numbers
 * that this and the other containers give are never more than the input has bytes for. */
CLU_API CLU_INLINE size_t clu_get_list(clu_reader *r);
/* clu_get_nil: expects the empty list: a value of its own, and the end of a proper list. */
CLU_API CLU_INLINE void clu_get_nil(clu_reader *r);
/* clu_get_string: the bytes of a STRING_EXT (a list of small integers); NIL gives 0 bytes. */
CLU_API clu_slice clu_get_string(clu_reader *r);
/* clu_get_map: enters a map; the number of pairs, key and value by turns follow. */
CLU_API CLU_INLINE size_t clu_get_map(clu_reader *r);
/* clu_get_record: enters a native record of OTP 29; the number n of its fields. n atoms follow, the
 * names of the fields, then n terms, their values. */
CLU_API size_t clu_get_record(clu_reader *r, clu_slice *module, clu_slice *name, bool *exported);
/* clu_get_binary: the bytes of a binary; a bit string that ends within a byte is CLU_ETYPE. */
CLU_API CLU_INLINE clu_slice clu_get_binary(clu_reader *r);
/* clu_get_bitstring: bytes and the bits used of the last one (8 for a whole binary or none). */
CLU_API clu_slice clu_get_bitstring(clu_reader *r, uint8_t *last_bits);
/* clu_get_pid, clu_get_ref, clu_get_port: of all tags that there have been; node borrows the input,
 * or the header. A name in Latin-1 that is not ASCII is CLU_EATOM. */
CLU_API CLU_INLINE clu_pid clu_get_pid(clu_reader *r);
CLU_API CLU_INLINE clu_ref clu_get_ref(clu_reader *r);
/* clu_read_pid, clu_read_ref: the same into the caller's memory; undefined after an error. */
CLU_API void clu_read_pid(clu_reader *r, clu_pid *pid);
CLU_API void clu_read_ref(clu_reader *r, clu_ref *ref);
CLU_API clu_port clu_get_port(clu_reader *r);
/* clu_get_export: fun Module:Function/Arity. As in clu_get_atom, a name in Latin-1 that is not
 * ASCII is CLU_EATOM here and in pids, ports, references and records. */
CLU_API void clu_get_export(clu_reader *r, clu_slice *module, clu_slice *function, uint8_t *arity);
/* clu_get_fun: a fun as opaque bytes, tag included: fit for clu_put_raw. */
CLU_API clu_slice clu_get_fun(clu_reader *r);
/* clu_get_raw: the bytes of the next term, whatever it is: fit for clu_put_raw when the reader has
 * no refs (an opaque From tag, a reason). */
CLU_API clu_slice clu_get_raw(clu_reader *r);
/* clu_skip_term: passes one term without recursion. */
CLU_API void clu_skip_term(clu_reader *r);

/* clu_get_any: takes the integer, float, atom, binary or string at the reader's place, or enters
 * the tuple, list (n = 0: NIL; else a tail follows the elements) or map: one call a term for those
 * who read what they do not know. What else it may be stays where it is, for its own function; its
 * type is in value->type, which is returned as well. CLU_TYPE_NONE after an error. */
CLU_API CLU_INLINE clu_type clu_get_any(clu_reader *r, clu_value *value);

/* clu_check: whether exactly one well-formed term stands at data: tags, lengths, atoms (UTF-8,
 * length), cache references in range, map keys counted, no byte left over unless used is given
 * (then it is set to the bytes of the term). It may be as deep as it likes; CLU_ENOMEM: funs within
 * more than 16 others take memory, less than they have bytes. The term has no version byte. refs as
 * in clu_reader. */
CLU_API CLU_MUST_USE clu_error clu_check(const void *data, size_t len, const clu_refs *refs,
                                         size_t *used);

/* ---- writing ---- */

/* clu_writer_init: a growing writer; end it with clu_writer_free. */
CLU_API void clu_writer_init(clu_writer *w);
/* clu_writer_fixed: a writer into the caller's memory. */
CLU_API void clu_writer_fixed(clu_writer *w, void *data, size_t cap);
/* clu_writer_free: frees what the writer owns; it is empty then, and may be used again. */
CLU_API void clu_writer_free(clu_writer *w);
/* clu_writer_reset: empties it, keeps the memory, forgets the error. */
CLU_API void clu_writer_reset(clu_writer *w);
/* clu_writer_fail: sets the error unless there is one already. */
CLU_API void clu_writer_fail(clu_writer *w, clu_error err);
/* clu_writer_add: n more bytes for the caller to fill; NULL when they cannot be had (CLU_ENOMEM,
 * CLU_ESIZE) or after an error. */
CLU_API CLU_INLINE uint8_t *clu_writer_add(clu_writer *w, size_t n);
/* clu_put_bytes: n bytes as they are: no tag. */
CLU_API CLU_INLINE void clu_put_bytes(clu_writer *w, const void *data, size_t n);

/* The put functions append; what they are given is copied (but see clu_lend_binary). CLU_ENOMEM, in
 * fixed memory CLU_ESIZE, and what each of them says stick to the writer. Heads and what follows
 * are not checked against each other: clu_check does that. */

/* clu_put_version: the byte 131, in front of a term that stands by itself (term_to_binary). */
CLU_API CLU_INLINE void clu_put_version(clu_writer *w);
/* clu_put_int, clu_put_uint: an integer in the smallest tag that holds it. */
CLU_API CLU_INLINE void clu_put_int(clu_writer *w, int64_t value);
CLU_API void clu_put_uint(clu_writer *w, uint64_t value);
/* clu_put_big: magnitude little endian; leading zero bytes are dropped, small values take the
 * small tags (term_to_binary's choice). */
CLU_API void clu_put_big(clu_writer *w, clu_slice magnitude, bool negative);
/* clu_put_float: NEW_FLOAT; not a number and infinities are CLU_ERANGE. */
CLU_API void clu_put_float(clu_writer *w, double value);
/* clu_put_atom: UTF-8 text as tag 119, above 255 bytes 118; over 255 characters CLU_EATOM. In a
 * message to another node that has agreed to it, as a reference to the message's header. */
CLU_API void clu_put_atom(clu_writer *w, clu_slice text);
/* clu_put_atom_text: the same of a zero-terminated text. */
CLU_API void clu_put_atom_text(clu_writer *w, const char *text);
/* clu_put_atom_of: the same of an atom made once: nothing is measured or checked. */
CLU_API void clu_put_atom_of(clu_writer *w, const clu_atom *atom);
/* clu_put_tuple: the head of a tuple; arity terms follow. CLU_ESIZE from 2^32 on, as of all lengths
 * and numbers of the format. */
CLU_API CLU_INLINE void clu_put_tuple(clu_writer *w, size_t arity);
/* clu_put_list: the head of a list of n elements; end it with clu_put_nil (or another tail).
 * n = 0 writes nothing: clu_put_nil alone is the empty list. */
CLU_API CLU_INLINE void clu_put_list(clu_writer *w, size_t n);
/* clu_put_nil: the empty list, or the tail of a proper one. */
CLU_API CLU_INLINE void clu_put_nil(clu_writer *w);
/* clu_put_string: a list of bytes: STRING_EXT up to 65535, a list of integers above. */
CLU_API void clu_put_string(clu_writer *w, clu_slice bytes);
/* clu_put_map: the head of a map; key and value by turns follow. Two equal keys make a term that a
 * BEAM refuses, and with it the link. */
CLU_API CLU_INLINE void clu_put_map(clu_writer *w, size_t pairs);
/* clu_put_binary: data may be NULL when len is 0. */
CLU_API CLU_INLINE void clu_put_binary(clu_writer *w, const void *data, size_t len);
/* clu_lend_binary: as clu_put_binary, but a binary of CLU_LEND_MIN bytes or more is not copied
 * where it is part of a message, cast or call to a node that is linked and takes fragments (all
 * since OTP 22): it goes to the socket from where it lies. It is copied if the node is not linked
 * yet or takes no fragments, in messages to processes of this node, in answers to calls, in
 * clu_multicall_begin. The bytes must stay as they are until release(arg) is called, once for each
 * call of this function: (a) before it returns, if they were copied; (b) if the message is not
 * sent, within clu_send_end, clu_call_end or clu_send_cancel, or when what was begun is dropped:
 * CLU_EBUSY is such a case, so who wants to send again must keep the bytes, or ask clu_send_room
 * before; (c) else when the last byte is with the kernel, or the link has ended, which tells
 * nothing of whether they have arrived. That takes as long as the peer does not read; it may be
 * after the process has ended, and within clu_node_free. release is called by the thread of the
 * node and must call nothing of the library but clu_post. NULL: nobody is told; the bytes stay
 * until clu_node_free has returned, or an answer shows that they have arrived. The writer's len
 * does not count what is lent. */
CLU_API void clu_lend_binary(clu_writer *w, const void *data, size_t len, clu_release_fn *release,
                             void *arg);
/* clu_put_bitstring: as clu_get_bitstring gives it; the unused bits are written as zeros. */
CLU_API void clu_put_bitstring(clu_writer *w, const void *data, size_t len, uint8_t last_bits);
/* clu_put_pid, clu_put_ref, clu_put_port, clu_put_export: in the tags of OTP 25 and later (a small
 * port's is older). Names as in clu_put_atom; CLU_EBADARG for a reference of no or too many words.
 */
CLU_API void clu_put_pid(clu_writer *w, const clu_pid *pid);
CLU_API void clu_put_ref(clu_writer *w, const clu_ref *ref);
CLU_API void clu_put_port(clu_writer *w, const clu_port *port);
CLU_API void clu_put_export(clu_writer *w, clu_slice module, clu_slice function, uint8_t arity);
/* clu_put_record: the head of a native record (peers of OTP 29 that offered it); n atoms, the names
 * of its fields, then n values follow. */
CLU_API void clu_put_record(clu_writer *w, clu_slice module, clu_slice name, bool exported,
                            size_t n);
/* clu_put_raw: the bytes of a whole term, as clu_get_raw gave them. */
CLU_API void clu_put_raw(clu_writer *w, clu_slice term);
/* clu_put_term: copies the term at the reader's place, which moves past it, and spells out the
 * atoms that are references to the reader's header: fit to be kept when the header is gone. After
 * an error of the reader nothing has been written. CLU_ENOMEM sticks to the writer, for funs deep
 * within others, too. */
CLU_API void clu_put_term(clu_writer *w, clu_reader *r);

/* ---- text ---- */

/* clu_print: appends the term at the reader's place to out as io_lib:format("~0tp") shows it: text
 * as text, beyond ASCII too (UTF-8), and no line breaks, since a term is one line of a log; maps in
 * the order of their bytes; moves the reader past it. What text cannot name is shown with its
 * node's name where the shell would put a number of its own: <a@10.0.0.1.85.0>,
 * #Ref<a@10.0.0.1.3.2.1>, #Port<a@10.0.0.1.6>, #Fun<m.2.1234>. Integers above 4 KiB are shown in
 * base 16, in which they take a time that grows with their length only; the atoms maybe and else in
 * quotes, which OTP 27 needs; binaries that are text in Latin-1 as text, which OTP 29 no longer
 * does. After an error out holds a part of the text. */
CLU_API CLU_MUST_USE clu_error clu_print(clu_reader *r, clu_writer *out);

/* clu_parse: reads one term in Erlang's syntax from text (UTF-8) and appends it to out, without the
 * version byte: what io:read takes, but pids, references, ports and funs (save `fun M:F/A`),
 * binaries inside binaries, and what came with OTP 27 and 28: sigils, triple quotes, floats of
 * other bases. The bytes are those of term_to_binary; maps are sorted by the bytes of their keys.
 * used, when not NULL, is set to the bytes read, a full stop with them; when it is NULL only white
 * space, a full stop and comments may follow. *at is where the text stopped making sense:
 * CLU_ESYNTAX; CLU_EATOM for one that is too long; CLU_ERANGE for a float, CLU_ESIZE for what is
 * over a limit (integers of 9865 digits unless the base is a power of two, floats of 1024, 1 MiB
 * by way of sizes in binaries); CLU_EDEPTH, CLU_ENOMEM. After an error out holds what it held
 * before. */
CLU_API CLU_MUST_USE clu_error clu_parse(const char *text, size_t len, clu_writer *out, size_t *at,
                                         size_t *used);

#include <erlclu/etf_inline.h>
#include <erlclu/etf_inline_put.h>

#ifdef __cplusplus
}
#endif

#endif
