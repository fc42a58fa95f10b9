/*
 * The functions that Piccolo serves to WebAssembly modules, as data: WASI preview1 and the socket
 * functions of the WasmEdge dialect in both versions. The dialect shows in the shape of an import, so
 * a function is found by name and signature together. Pure.
 *
 * One list for all: the check of a module before it is loaded reads it here, the driver builds its
 * table of handlers from it, so the two cannot differ.
 */
#ifndef PIC_ADMISSION_WASM_HOST_H
#define PIC_ADMISSION_WASM_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

#define PIC_WASM_HOST_MODULE "wasi_snapshot_preview1"

/* X(handler, name, signature, dialect): parameters in brackets, then the result; i: i32, I: i64. */
#define PIC_WASM_HOST_FUNCTIONS(X) \
	X(args_get, "args_get", "(ii)i", PREVIEW1) \
	X(args_sizes_get, "args_sizes_get", "(ii)i", PREVIEW1) \
	X(environ_get, "environ_get", "(ii)i", PREVIEW1) \
	X(environ_sizes_get, "environ_sizes_get", "(ii)i", PREVIEW1) \
	X(clock_res_get, "clock_res_get", "(ii)i", PREVIEW1) \
	X(clock_time_get, "clock_time_get", "(iIi)i", PREVIEW1) \
	X(fd_advise, "fd_advise", "(iIIi)i", PREVIEW1) \
	X(fd_allocate, "fd_allocate", "(iII)i", PREVIEW1) \
	X(fd_close, "fd_close", "(i)i", PREVIEW1) \
	X(fd_datasync, "fd_datasync", "(i)i", PREVIEW1) \
	X(fd_fdstat_get, "fd_fdstat_get", "(ii)i", PREVIEW1) \
	X(fd_fdstat_set_flags, "fd_fdstat_set_flags", "(ii)i", PREVIEW1) \
	X(fd_fdstat_set_rights, "fd_fdstat_set_rights", "(iII)i", PREVIEW1) \
	X(fd_filestat_get, "fd_filestat_get", "(ii)i", PREVIEW1) \
	X(fd_filestat_set_size, "fd_filestat_set_size", "(iI)i", PREVIEW1) \
	X(fd_filestat_set_times, "fd_filestat_set_times", "(iIIi)i", PREVIEW1) \
	X(fd_pread, "fd_pread", "(iiiIi)i", PREVIEW1) \
	X(fd_prestat_get, "fd_prestat_get", "(ii)i", PREVIEW1) \
	X(fd_prestat_dir_name, "fd_prestat_dir_name", "(iii)i", PREVIEW1) \
	X(fd_pwrite, "fd_pwrite", "(iiiIi)i", PREVIEW1) \
	X(fd_read, "fd_read", "(iiii)i", PREVIEW1) \
	X(fd_readdir, "fd_readdir", "(iiiIi)i", PREVIEW1) \
	X(fd_renumber, "fd_renumber", "(ii)i", PREVIEW1) \
	X(fd_seek, "fd_seek", "(iIii)i", PREVIEW1) \
	X(fd_sync, "fd_sync", "(i)i", PREVIEW1) \
	X(fd_tell, "fd_tell", "(ii)i", PREVIEW1) \
	X(fd_write, "fd_write", "(iiii)i", PREVIEW1) \
	X(path_create_directory, "path_create_directory", "(iii)i", PREVIEW1) \
	X(path_filestat_get, "path_filestat_get", "(iiiii)i", PREVIEW1) \
	X(path_filestat_set_times, "path_filestat_set_times", "(iiiiIIi)i", PREVIEW1) \
	X(path_link, "path_link", "(iiiiiii)i", PREVIEW1) \
	X(path_open, "path_open", "(iiiiiIIii)i", PREVIEW1) \
	X(path_readlink, "path_readlink", "(iiiiii)i", PREVIEW1) \
	X(path_remove_directory, "path_remove_directory", "(iii)i", PREVIEW1) \
	X(path_rename, "path_rename", "(iiiiii)i", PREVIEW1) \
	X(path_symlink, "path_symlink", "(iiiii)i", PREVIEW1) \
	X(path_unlink_file, "path_unlink_file", "(iii)i", PREVIEW1) \
	X(poll_oneoff, "poll_oneoff", "(iiii)i", PREVIEW1) \
	X(proc_exit, "proc_exit", "(i)", PREVIEW1) \
	X(proc_raise, "proc_raise", "(i)i", PREVIEW1) \
	X(random_get, "random_get", "(ii)i", PREVIEW1) \
	X(sched_yield, "sched_yield", "()i", PREVIEW1) \
	X(sock_accept, "sock_accept", "(iii)i", PREVIEW1) \
	X(sock_recv, "sock_recv", "(iiiiii)i", PREVIEW1) \
	X(sock_send, "sock_send", "(iiiii)i", PREVIEW1) \
	X(sock_shutdown, "sock_shutdown", "(ii)i", PREVIEW1) \
	X(sock_open, "sock_open", "(iii)i", WASMEDGE) \
	X(sock_bind, "sock_bind", "(iii)i", WASMEDGE) \
	X(sock_connect, "sock_connect", "(iii)i", WASMEDGE) \
	X(sock_listen, "sock_listen", "(ii)i", WASMEDGE) \
	X(sock_accept_1, "sock_accept", "(ii)i", WASMEDGE) \
	X(sock_recv_from_1, "sock_recv_from", "(iiiiiii)i", WASMEDGE) \
	X(sock_recv_from, "sock_recv_from", "(iiiiiiii)i", WASMEDGE) \
	X(sock_send_to, "sock_send_to", "(iiiiiii)i", WASMEDGE) \
	X(sock_getsockopt, "sock_getsockopt", "(iiiii)i", WASMEDGE) \
	X(sock_setsockopt, "sock_setsockopt", "(iiiii)i", WASMEDGE) \
	X(sock_getlocaladdr_1, "sock_getlocaladdr", "(iiii)i", WASMEDGE) \
	X(sock_getlocaladdr, "sock_getlocaladdr", "(iii)i", WASMEDGE) \
	X(sock_getpeeraddr_1, "sock_getpeeraddr", "(iiii)i", WASMEDGE) \
	X(sock_getpeeraddr, "sock_getpeeraddr", "(iii)i", WASMEDGE) \
	X(sock_getaddrinfo, "sock_getaddrinfo", "(iiiiiiii)i", WASMEDGE) \
	X(sock_open_v2, "sock_open_v2", "(iii)i", WASMEDGE) \
	X(sock_bind_v2, "sock_bind_v2", "(iii)i", WASMEDGE) \
	X(sock_connect_v2, "sock_connect_v2", "(iii)i", WASMEDGE) \
	X(sock_listen_v2, "sock_listen_v2", "(ii)i", WASMEDGE) \
	X(sock_accept_v2, "sock_accept_v2", "(iii)i", WASMEDGE) \
	X(sock_recv_v2, "sock_recv_v2", "(iiiiii)i", WASMEDGE) \
	X(sock_recv_from_v2, "sock_recv_from_v2", "(iiiiiiii)i", WASMEDGE) \
	X(sock_send_v2, "sock_send_v2", "(iiiii)i", WASMEDGE) \
	X(sock_send_to_v2, "sock_send_to_v2", "(iiiiiii)i", WASMEDGE) \
	X(sock_getlocaladdr_v2, "sock_getlocaladdr_v2", "(iii)i", WASMEDGE) \
	X(sock_getpeeraddr_v2, "sock_getpeeraddr_v2", "(iii)i", WASMEDGE)

enum pic_wasm_dialect {
	PIC_WASM_PREVIEW1 = 1,
	PIC_WASM_WASMEDGE = 2,
};

enum pic_wasm_host_id {
#define X(handler, name, signature, dialect) PIC_WASM_HOST_##handler,
	PIC_WASM_HOST_FUNCTIONS(X)
#undef X
		PIC_WASM_HOST_COUNT
};

struct pic_wasm_host_function {
	const char *name;
	const char *signature;
	enum pic_wasm_dialect dialect;
};

/* By id. */
const struct pic_wasm_host_function *pic_wasm_host_at(enum pic_wasm_host_id id);
/* The id of name and signature; PIC_WASM_HOST_COUNT when there is none. *name_known then tells whether
 * the name is served in another shape. */
enum pic_wasm_host_id pic_wasm_host_find(struct pic_view module, struct pic_view name,
					 const char *signature, bool *name_known);

#endif
