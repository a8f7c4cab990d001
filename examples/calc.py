#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The calculator in Python, by ctypes: rpc:call('calc@127.0.0.1', calc, add, [1, 2])."""

import ctypes
import sys

clu = ctypes.CDLL('liberlclu.so.0')
EBADARG = -13


class Options(ctypes.Structure):
    """The first fields of clu_options: the library is told how many bytes there are."""
    _fields_ = [(name, ctypes.c_char_p) for name in ('name', 'discover', 'cookie', 'cookie_file')]


class Reader(ctypes.Structure):
    _fields_ = [('pos', ctypes.c_void_p), ('end', ctypes.c_void_p), ('refs', ctypes.c_void_p),
                ('err', ctypes.c_int)]


Function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(Reader), ctypes.c_void_p)
clu.clu_node_new_sized.argtypes = [ctypes.POINTER(Options), ctypes.c_size_t]
clu.clu_node_new_sized.restype = ctypes.c_void_p
clu.clu_export.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint, Function,
                           ctypes.c_void_p]
clu.clu_main.argtypes = [ctypes.c_void_p]
clu.clu_get_list.argtypes = clu.clu_get_int.argtypes = [ctypes.POINTER(Reader)]
clu.clu_get_list.restype = ctypes.c_size_t
clu.clu_get_int.restype = ctypes.c_int64
clu.clu_reply_begin.argtypes = clu.clu_reply_end.argtypes = [ctypes.c_void_p]
clu.clu_reply_begin.restype = ctypes.c_void_p
clu.clu_put_int.argtypes = [ctypes.c_void_p, ctypes.c_int64]


@Function
def add(call, args, _):
    clu.clu_get_list(args)
    total = clu.clu_get_int(args) + clu.clu_get_int(args)
    if args.contents.err != 0 or not -2**63 <= total < 2**63:
        return EBADARG
    clu.clu_put_int(clu.clu_reply_begin(call), total)
    return clu.clu_reply_end(call)


options = Options(name=b'calc')
node = clu.clu_node_new_sized(options, ctypes.sizeof(options))
clu.clu_export(node, b'calc', b'add', 2, add, None)
sys.exit(clu.clu_main(node))
