/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages, calls and answers in one line each: the begin and end functions of process.h and call.h
 * with clu_format (format.h) between them.
 *
 *     clu_send(process, &to, format, values...)
 *     clu_cast(process, &to, format, values...)          gen_server:cast
 *     clu_notify(process, &to, format, values...)        gen_event:notify
 *     clu_ask(process, &to, timeout_ms, on_answer, arg, format, values...)
 *                                                        gen_server:call; then on_answer
 *     clu_rpc(process, node, module, function, timeout_ms, on_answer, arg, format, values...)
 *                                                        erpc:call; format is the list of arguments
 *     clu_reply(call, format, values...)
 *     clu_raise(call, exception, format, values...)      "error", "exit" or "throw"
 *
 * All return clu_error: what the end function says, which is the error of clu_format when there is
 * one. Each has a function with _args behind its name that takes an array, as clu_format_args.
 */
#ifndef ERLCLU_TALK_H
#define ERLCLU_TALK_H

#include <erlclu/call.h>
#include <erlclu/format.h>
#include <erlclu/process.h>

static inline CLU_MUST_USE clu_error clu_send_args(clu_process *self, const clu_to *to,
                                                   const char *format, const clu_arg *args,
                                                   size_t n)
{
    clu_format_args(clu_send_begin(self, to), format, args, n);
    return clu_send_end(self);
}

static inline CLU_MUST_USE clu_error clu_cast_args(clu_process *self, const clu_to *to,
                                                   const char *format, const clu_arg *args,
                                                   size_t n)
{
    clu_format_args(clu_cast_begin(self, to), format, args, n);
    return clu_send_end(self);
}

static inline CLU_MUST_USE clu_error clu_notify_args(clu_process *self, const clu_to *to,
                                                     const char *format, const clu_arg *args,
                                                     size_t n)
{
    clu_format_args(clu_notify_begin(self, to), format, args, n);
    return clu_send_end(self);
}

static inline CLU_MUST_USE clu_error clu_ask_args(clu_process *self, const clu_to *to,
                                                  uint64_t timeout_ms, clu_answer_fn *on_answer,
                                                  void *arg, const char *format,
                                                  const clu_arg *args, size_t n)
{
    clu_format_args(clu_call_begin(self, to, timeout_ms), format, args, n);
    return clu_call_end(self, on_answer, arg, NULL);
}

static inline CLU_MUST_USE clu_error clu_rpc_args(clu_process *self, const char *node,
                                                  const char *module, const char *function,
                                                  uint64_t timeout_ms, clu_answer_fn *on_answer,
                                                  void *arg, const char *format,
                                                  const clu_arg *args, size_t n)
{
    clu_format_args(clu_rpc_begin(self, node, module, function, timeout_ms), format, args, n);
    return clu_call_end(self, on_answer, arg, NULL);
}

static inline CLU_MUST_USE clu_error clu_reply_args(clu_call *call, const char *format,
                                                    const clu_arg *args, size_t n)
{
    clu_format_args(clu_reply_begin(call), format, args, n);
    return clu_reply_end(call);
}

static inline CLU_MUST_USE clu_error clu_raise_args(clu_call *call, const char *exception,
                                                    const char *format, const clu_arg *args,
                                                    size_t n)
{
    clu_format_args(clu_raise_begin(call, exception), format, args, n);
    return clu_reply_end(call);
}

#ifdef __cplusplus

/* As clu_format: the arguments become an array. */
#define CLU_DEFINE_TALK_(name, parameters, arguments)                                              \
    template <typename... Values>                                                                  \
    CLU_MUST_USE inline clu_error name(CLU_ARGS_HEAD_ parameters, const char *format,              \
                                       const Values &...values)                                    \
    {                                                                                              \
        const clu_arg args[] = {clu_arg_none(), clu_in(values)...};                                \
                                                                                                   \
        static_assert(sizeof...(values) <= CLU_ARGS_MAX, "more than CLU_ARGS_MAX arguments");      \
        return name##_args(CLU_ARGS_HEAD_ arguments, format, args + 1, sizeof...(values));         \
    }
CLU_DEFINE_TALK_(clu_send, (clu_process * self, const clu_to *to), (self, to))
CLU_DEFINE_TALK_(clu_cast, (clu_process * self, const clu_to *to), (self, to))
CLU_DEFINE_TALK_(clu_notify, (clu_process * self, const clu_to *to), (self, to))
CLU_DEFINE_TALK_(clu_ask,
                 (clu_process * self, const clu_to *to, uint64_t timeout_ms,
                  clu_answer_fn *on_answer, void *arg),
                 (self, to, timeout_ms, on_answer, arg))
CLU_DEFINE_TALK_(clu_rpc,
                 (clu_process * self, const char *node, const char *module, const char *function,
                  uint64_t timeout_ms, clu_answer_fn *on_answer, void *arg),
                 (self, node, module, function, timeout_ms, on_answer, arg))
CLU_DEFINE_TALK_(clu_reply, (clu_call * call), (call))
CLU_DEFINE_TALK_(clu_raise, (clu_call * call, const char *exception), (call, exception))
#undef CLU_DEFINE_TALK_

#else

#define clu_send(self, to, ...)   CLU_ARGS_CALL_(clu_send_args, (self, to), CLU_IN_, __VA_ARGS__)
#define clu_cast(self, to, ...)   CLU_ARGS_CALL_(clu_cast_args, (self, to), CLU_IN_, __VA_ARGS__)
#define clu_notify(self, to, ...) CLU_ARGS_CALL_(clu_notify_args, (self, to), CLU_IN_, __VA_ARGS__)
#define clu_ask(self, to, timeout_ms, on_answer, arg, ...)                                         \
    CLU_ARGS_CALL_(clu_ask_args, (self, to, timeout_ms, on_answer, arg), CLU_IN_, __VA_ARGS__)
#define clu_rpc(self, node, module, function, timeout_ms, on_answer, arg, ...)                     \
    CLU_ARGS_CALL_(clu_rpc_args, (self, node, module, function, timeout_ms, on_answer, arg),       \
                   CLU_IN_, __VA_ARGS__)
#define clu_reply(call, ...) CLU_ARGS_CALL_(clu_reply_args, (call), CLU_IN_, __VA_ARGS__)
#define clu_raise(call, exception, ...)                                                            \
    CLU_ARGS_CALL_(clu_raise_args, (call, exception), CLU_IN_, __VA_ARGS__)

#endif

#endif
