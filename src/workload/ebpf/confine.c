/*
 * The system calls of the two processes. The loader may read files and use bpf; the runner may look at the maps it
 * holds, read and write descriptors, and wait. Neither opens a connection or another program.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/bpf.h>
#include <linux/capability.h>

#include "base/cleanup.h"
#include "sandbox/privilege.h"
#include "workload/calls.h"
#include "workload/ebpf/runner.h"

#define WHOLE 0xffffffffull
#define POINTER UINT64_MAX
#define BPF_COMMANDS(mask, command) PIC_SECCOMP_WHERE(bpf, 1, (mask)&WHOLE, (command))
#define WRITING ((unsigned)(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))

/* Of both: memory that is never code, what is open already, time, the end. */
static const struct pic_seccomp_rule both[] = {
	PIC_SECCOMP_WHERE(mmap, 3, PROT_EXEC, 0),
	PIC_SECCOMP_WHERE(mprotect, 3, PROT_EXEC, 0),
	PIC_SECCOMP_CALL(mremap),
	PIC_SECCOMP_CALL(munmap),
	PIC_SECCOMP_CALL(madvise),
	PIC_SECCOMP_CALL(brk),
	PIC_SECCOMP_CALL(read),
	PIC_SECCOMP_CALL(write),
	PIC_SECCOMP_CALL(close),
	PIC_SECCOMP_CALL(recvmsg),
	PIC_SECCOMP_CALL(recvfrom),
	PIC_SECCOMP_CALL(clock_gettime),
	PIC_SECCOMP_CALL(getrandom),
	PIC_SECCOMP_CALL(restart_syscall),
	PIC_SECCOMP_CALL(rt_sigreturn),
	PIC_SECCOMP_CALL(exit),
	PIC_SECCOMP_CALL(exit_group),
#ifdef SYS_fstat
	PIC_SECCOMP_CALL(fstat),
#endif
#ifdef SYS_newfstatat
	PIC_SECCOMP_CALL(newfstatat),
#endif
};

static const struct pic_seccomp_rule loader[] = {
	/* no command that leaves something behind: no pin, no attachment but a link */
	BPF_COMMANDS(~0ull << 2, BPF_MAP_CREATE),  /* and looking up, updating, deleting */
	BPF_COMMANDS(~1ull, BPF_MAP_GET_NEXT_KEY), /* and BPF_PROG_LOAD */
	BPF_COMMANDS(~0ull, BPF_PROG_TEST_RUN),
	BPF_COMMANDS(~0ull, BPF_OBJ_GET_INFO_BY_FD),
	BPF_COMMANDS(~0ull, BPF_RAW_TRACEPOINT_OPEN),
	BPF_COMMANDS(~1ull, BPF_BTF_LOAD),   /* and BPF_BTF_GET_FD_BY_ID */
	BPF_COMMANDS(~1ull, BPF_MAP_FREEZE), /* and BPF_BTF_GET_NEXT_ID */
	BPF_COMMANDS(~0ull, BPF_LINK_CREATE),
	BPF_COMMANDS(~0ull, BPF_PROG_BIND_MAP),
	/* the kernel's types, routes: reading only */
	PIC_SECCOMP_WHERE(openat, 3, WRITING, 0),
	PIC_SECCOMP_CALL(pread64),
	PIC_SECCOMP_CALL(lseek),
#ifdef SYS_access
	PIC_SECCOMP_CALL(access),
#endif
	PIC_SECCOMP_CALL(faccessat),
#ifdef SYS_faccessat2
	PIC_SECCOMP_CALL(faccessat2),
#endif
	PIC_SECCOMP_CALL(uname),
	PIC_SECCOMP_CALL(sysinfo),
	PIC_SECCOMP_CALL(sched_getaffinity),
	/* libbpf moves descriptors, and holds places for maps with empty files */
	PIC_SECCOMP_CALL(fcntl),
	PIC_SECCOMP_CALL(dup3),
	PIC_SECCOMP_CALL(memfd_create),
	PIC_SECCOMP_CALL(prlimit64),
	/* the verifier's words into the workload's log */
	PIC_SECCOMP_CALL(writev),
	PIC_SECCOMP_CALL(ftruncate),
	/* its parent, and questions about interfaces */
	PIC_SECCOMP_WHERE(sendto, 5, POINTER, 0),
	PIC_SECCOMP_CALL(sendmsg),
	/* fewer rights, once it knows what it has to load */
	PIC_SECCOMP_CALL(capset),
	PIC_SECCOMP_WHERE(prctl, 1, WHOLE, PR_CAP_AMBIENT),
	PIC_SECCOMP_CALL(getpid),
};

static const struct pic_seccomp_rule runner[] = {
	PIC_SECCOMP_WHERE(bpf, 1, WHOLE, BPF_MAP_LOOKUP_ELEM),
	PIC_SECCOMP_WHERE(bpf, 1, WHOLE, BPF_MAP_GET_NEXT_KEY),
	PIC_SECCOMP_WHERE(bpf, 1, WHOLE, BPF_MAP_LOOKUP_BATCH),
	PIC_SECCOMP_WHERE(bpf, 1, WHOLE, BPF_OBJ_GET_INFO_BY_FD),
	PIC_SECCOMP_WHERE(sendto, 5, POINTER, 0), /* broker, netlink */
	PIC_SECCOMP_CALL(writev),
	PIC_SECCOMP_CALL(pwrite64),   /* the note of its end */
	PIC_SECCOMP_CALL(ftruncate),  /* its log turns over */
	PIC_SECCOMP_CALL(getsockopt), /* did the hub answer? */
	PIC_SECCOMP_CALL(epoll_create1),
	PIC_SECCOMP_CALL(epoll_ctl),
#ifdef SYS_epoll_wait
	PIC_SECCOMP_CALL(epoll_wait),
#endif
	PIC_SECCOMP_CALL(epoll_pwait),
	PIC_SECCOMP_CALL(timerfd_create),
	PIC_SECCOMP_CALL(timerfd_settime),
};

#ifdef __SANITIZE_ADDRESS__
/* A report of the sanitizers out of a process without privileges; no release build has these. */
static const struct pic_seccomp_rule sanitizer[] = {
	PIC_SECCOMP_CALL(clone),       PIC_SECCOMP_CALL(prctl),	 PIC_SECCOMP_CALL(wait4),
	PIC_SECCOMP_CALL(sched_yield), PIC_SECCOMP_CALL(ptrace), PIC_SECCOMP_CALL(getppid),
};
#endif

static int allow(const struct pic_seccomp_rule *rules, size_t count, struct pic_error *err)
{
	struct pic_calls calls = { .count = 0 };

	pic_calls_add(&calls, both, PIC_COUNT(both));
	pic_calls_add(&calls, rules, count);
#ifdef __SANITIZE_ADDRESS__
	pic_calls_add(&calls, sanitizer, PIC_COUNT(sanitizer));
#endif
	return pic_calls_allow(&calls, err);
}

int pic_ebpf_confine_loader(struct pic_error *err)
{
	return allow(loader, PIC_COUNT(loader), err);
}

int pic_ebpf_confine(const struct pic_runner *face, struct pic_error *err)
{
	struct stat is;
	bool filters = fstat(face->files[PIC_EBPF_FILE_NETLINK], &is) == 0 && S_ISSOCK(is.st_mode);
	int r;

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	r = pic_capabilities_keep(filters ? 1ull << CAP_NET_ADMIN : 0, err);
	return r < 0 ? r : allow(runner, PIC_COUNT(runner), err);
}
