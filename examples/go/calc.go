// SPDX-License-Identifier: Apache-2.0
// The calculator in Go, by cgo: rpc:call('calc@127.0.0.1', calc, add, [1, 2]).
package main

/*
#cgo pkg-config: erlclu
#include <stdlib.h>
#include <erlclu/erlclu.h>

clu_error goAdd(clu_call *call, clu_reader *args, void *arg);

static clu_node *node_new(char *name)
{
	return clu_node_new(&(clu_options){.name = name});
}

static clu_error reply_int(clu_call *call, int64_t n)
{
	return clu_reply(call, "~i", n);
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"unsafe"
)

//export goAdd
func goAdd(call *C.clu_call, args *C.clu_reader, _ unsafe.Pointer) C.clu_error {
	C.clu_get_list(args)
	a, b := C.clu_get_int(args), C.clu_get_int(args)
	sum := a + b
	if args.err != C.CLU_OK || (sum > a) != (b > 0) {
		return C.CLU_EBADARG
	}
	return C.reply_int(call, sum)
}

func main() {
	node := C.node_new(C.CString("calc"))
	C.clu_export(node, C.CString("calc"), C.CString("add"), 2, (*C.clu_function)(C.goAdd), nil)

	// Signals are the Go runtime's own, so clu_run and not clu_main: clu_stop may come from any thread.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() { <-signals; C.clu_stop(node) }()
	if C.clu_run(node) != C.CLU_OK {
		fmt.Fprintln(os.Stderr, "calc:", C.GoString(C.clu_node_error(node)))
		os.Exit(1)
	}
	C.clu_node_free(node)
}
