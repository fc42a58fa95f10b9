/*
 * The system calls a module's process may make, after everything else was taken from it. None opens a
 * socket or a program; code is never made executable. What only some modules need is added by spec.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/cleanup.h"
#include "workload/calls.h"
#include "workload/wasm/runner.h"

#define WHOLE 0xffffffffull
#define POINTER UINT64_MAX

static const struct pic_seccomp_rule always[] = {
	/* First, since the kernel reads the list anew for each call whose arguments matter, and these two
	 * come with every request: data to the peer that was granted, the amount that is there to read. */
	PIC_SECCOMP_WHERE(sendto, 5, POINTER, 0),
	PIC_SECCOMP_WHERE(ioctl, 2, WHOLE, FIONREAD),
	/* memory, for the interpreter: never executable */
	PIC_SECCOMP_WHERE(mmap, 3, PROT_EXEC, 0),
	PIC_SECCOMP_WHERE(mprotect, 3, PROT_EXEC, 0),
	PIC_SECCOMP_CALL(mremap),
	PIC_SECCOMP_CALL(munmap),
	PIC_SECCOMP_CALL(madvise),
	PIC_SECCOMP_CALL(brk),
	PIC_SECCOMP_CALL(sysinfo), /* libc asks before it sorts */
	/* descriptors it has */
	PIC_SECCOMP_CALL(read),
	PIC_SECCOMP_CALL(write),
	PIC_SECCOMP_CALL(readv),
	PIC_SECCOMP_CALL(writev),
	PIC_SECCOMP_CALL(pwrite64), /* the note of its end */
	PIC_SECCOMP_CALL(close),
	PIC_SECCOMP_CALL(ftruncate), /* its log turns over */
#ifdef SYS_fstat
	PIC_SECCOMP_CALL(fstat),
#endif
#ifdef SYS_newfstatat
	PIC_SECCOMP_CALL(newfstatat),
#endif
#ifdef SYS_ppoll
	PIC_SECCOMP_CALL(ppoll),
#endif
	/* sockets that the broker gave it */
	PIC_SECCOMP_CALL(accept4),
	PIC_SECCOMP_CALL(recvfrom),
	PIC_SECCOMP_CALL(recvmsg),
	PIC_SECCOMP_CALL(shutdown),
	PIC_SECCOMP_CALL(getsockname),
	PIC_SECCOMP_CALL(getpeername),
	PIC_SECCOMP_CALL(getsockopt),
	PIC_SECCOMP_WHERE(setsockopt, 2, WHOLE, SOL_SOCKET),
	PIC_SECCOMP_WHERE(setsockopt, 2, WHOLE, IPPROTO_TCP),
	/* time, chance, the end */
	PIC_SECCOMP_CALL(clock_gettime),
	PIC_SECCOMP_CALL(clock_getres),
	PIC_SECCOMP_CALL(getrandom),
	PIC_SECCOMP_CALL(sched_yield),
	PIC_SECCOMP_CALL(restart_syscall),
	PIC_SECCOMP_CALL(rt_sigreturn),
	PIC_SECCOMP_CALL(exit),
	PIC_SECCOMP_CALL(exit_group),
};

/* With a folder: what is below it, which is all there is in this root. */
static const struct pic_seccomp_rule folders[] = {
	PIC_SECCOMP_CALL(openat2),    PIC_SECCOMP_CALL(preadv),
	PIC_SECCOMP_CALL(lseek),      PIC_SECCOMP_CALL(getdents64),
	PIC_SECCOMP_CALL(readlinkat), PIC_SECCOMP_CALL(fsync),
	PIC_SECCOMP_CALL(fdatasync),  PIC_SECCOMP_WHERE(fcntl, 2, WHOLE, F_SETFL),
};

static const struct pic_seccomp_rule writable[] = {
	PIC_SECCOMP_CALL(pwritev),   PIC_SECCOMP_CALL(fallocate),
	PIC_SECCOMP_CALL(mkdirat),   PIC_SECCOMP_CALL(unlinkat),
#ifdef SYS_renameat
	PIC_SECCOMP_CALL(renameat),
#endif
	PIC_SECCOMP_CALL(renameat2), PIC_SECCOMP_CALL(linkat),
	PIC_SECCOMP_CALL(symlinkat), PIC_SECCOMP_CALL(utimensat),
};

/* A datagram server answers whoever wrote to it. */
static const struct pic_seccomp_rule datagrams[] = {
	PIC_SECCOMP_CALL(sendto),
};

bool pic_wasm_writes(const void *spec)
{
	const struct pic_wasm_spec *wasm = spec;

	for (uint32_t i = 0; i < wasm->folder_count; i++)
		if (wasm->folders[i].writable)
			return true;
	return false;
}

static bool has_datagrams(const struct pic_policy_ports *ports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (ports[i].transport == PIC_UDP)
			return true;
	return false;
}

int pic_wasm_confine(const struct pic_runner *runner, struct pic_error *err)
{
	const struct pic_wasm_spec *spec = runner->spec;
	struct pic_calls calls = { .count = 0 };

	/* A peer that hung up is an error number, no signal. */
	signal(SIGPIPE, SIG_IGN);
	/* One huge page would be five times what an idle module takes. */
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	pic_calls_add(&calls, always, PIC_COUNT(always));
	if (spec->folder_count > 0)
		pic_calls_add(&calls, folders, PIC_COUNT(folders));
	if (pic_wasm_writes(spec))
		pic_calls_add(&calls, writable, PIC_COUNT(writable));
	if (has_datagrams(spec->listen, spec->listen_count) ||
	    has_datagrams(spec->connect, spec->connect_count))
		pic_calls_add(&calls, datagrams, PIC_COUNT(datagrams));
	return pic_calls_allow(&calls, err);
}
