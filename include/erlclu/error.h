/* SPDX-License-Identifier: Apache-2.0
 *
 * The one list of errors: enum and text come from it. Fallible functions return clu_error; 0 is
 * success, CLU_PENDING no error, everything else is negative. The numbers are part of the ABI:
 * append, never renumber.
 */
#ifndef ERLCLU_ERROR_H
#define ERLCLU_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

#define CLU_ERROR_MAP(X)                                                                           \
    X(CLU_OK, 0, "success")                                                                        \
    X(CLU_ETRUNC, -1, "the term ends before its last byte")                                        \
    X(CLU_ETYPE, -2, "the term has another type")                                                  \
    X(CLU_ERANGE, -3, "the number does not fit")                                                   \
    X(CLU_EDEPTH, -4, "the term is nested too deeply")                                             \
    X(CLU_ENOMEM, -5, "out of memory")                                                             \
    X(CLU_ETAG, -6, "unknown tag in the external term format")                                     \
    X(CLU_ECOMPRESSED, -7, "compressed terms are not accepted here")                               \
    X(CLU_EATOM, -8, "bad atom: length, encoding or cache index")                                  \
    X(CLU_ETERM, -9, "the term breaks a rule of its own tag")                                      \
    X(CLU_ESIZE, -10, "over a size limit")                                                         \
    X(CLU_ESYNTAX, -11, "syntax error")                                                            \
    X(CLU_EPROTO, -12, "the peer broke the protocol")                                              \
    X(CLU_EBADARG, -13, "bad argument")                                                            \
    X(CLU_EEXIST, -14, "it exists already")                                                        \
    X(CLU_ENOENT, -15, "no such thing")                                                            \
    X(CLU_EBUSY, -16, "busy: try again later")                                                     \
    X(CLU_ETIMEOUT, -17, "timed out")                                                              \
    X(CLU_ECLOSED, -18, "the connection was closed")                                               \
    X(CLU_ECRYPTO, -19, "the crypto library failed")                                               \
    X(CLU_EMORE, -20, "more input is needed")                                                      \
    X(CLU_ELOCAL, -21, "node-local terms are not accepted here")                                   \
    X(CLU_ESTART, -22, "the node cannot run here")                                                 \
    X(CLU_PENDING, 1, "it will be answered later")

typedef enum clu_error {
#define X(name, value, text) name = value,
    CLU_ERROR_MAP(X)
#undef X
} clu_error;

#if defined(__GNUC__)
#define CLU_MUST_USE __attribute__((warn_unused_result))
#define CLU_API      __attribute__((visibility("default")))
#else
#define CLU_MUST_USE
#define CLU_API
#endif

/* clu_strerror: the text of an error, static, never NULL. Callable from any thread. */
CLU_API const char *clu_strerror(clu_error err);

#ifdef __cplusplus
}
#endif

#endif
