/* What a loader that was taken over can still do: tried in children, under its own list of system calls. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <net/if.h>

#include "base/cleanup.h"
#include "sandbox/privilege.h"
#include "workload/ebpf/interface.h"
#include "workload/ebpf/netlink.h"
#include "workload/ebpf/runner.h"

/* The end of a child that does it, as wait(2) has it. */
static int end_of(int (*fn)(const void *data), const void *data)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(fn(data));
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

struct call {
	long number, first, second, third;
};

static int make_call(const void *data)
{
	const struct call *call = data;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (pic_ebpf_confine_loader(NULL) < 0)
		return 1;
	syscall(call->number, call->first, call->second, call->third, 0L);
	return 0;
}

static void a_loader_leaves_nothing_behind(void **state)
{
	static const struct call calls[] = {
		{ SYS_bpf, BPF_OBJ_PIN, 0, 0 },
		{ SYS_bpf, BPF_OBJ_GET, 0, 0 },
		{ SYS_bpf, BPF_PROG_ATTACH, 0, 0 },
		{ SYS_bpf, BPF_PROG_DETACH, 0, 0 },
		{ SYS_bpf, BPF_PROG_GET_FD_BY_ID, 0, 0 },
		{ SYS_bpf, BPF_MAP_GET_FD_BY_ID, 0, 0 },
		{ SYS_bpf, BPF_LINK_GET_FD_BY_ID, 0, 0 },
		{ SYS_bpf, BPF_LINK_UPDATE, 0, 0 },
		{ SYS_bpf, BPF_LINK_DETACH, 0, 0 },
		{ SYS_bpf, BPF_TOKEN_CREATE, 0, 0 },
		{ SYS_bpf, 1000, 0, 0 },
		{ SYS_socket, AF_NETLINK, SOCK_RAW, 0 },
		{ SYS_socket, AF_INET, SOCK_DGRAM, 0 },
		{ SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR },
		{ SYS_clone, SIGCHLD, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(calls); i++) {
		int status = end_of(make_call, &calls[i]);

#ifdef __SANITIZE_ADDRESS__
		if (calls[i].number == SYS_clone || calls[i].number == SYS_openat)
			continue; /* their reports need it */
#endif
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("system call %ld with %ld is allowed (status %d)", calls[i].number,
				 calls[i].first, status);
	}
}

static void a_loader_can_load(void **state)
{
	static const struct call calls[] = {
		{ SYS_bpf, BPF_MAP_CREATE, 0, 0 },
		{ SYS_bpf, BPF_MAP_LOOKUP_ELEM, 0, 0 },
		{ SYS_bpf, BPF_MAP_UPDATE_ELEM, 0, 0 },
		{ SYS_bpf, BPF_MAP_DELETE_ELEM, 0, 0 },
		{ SYS_bpf, BPF_MAP_GET_NEXT_KEY, 0, 0 },
		{ SYS_bpf, BPF_PROG_LOAD, 0, 0 },
		{ SYS_bpf, BPF_PROG_TEST_RUN, 0, 0 },
		{ SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, 0, 0 },
		{ SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, 0, 0 },
		{ SYS_bpf, BPF_BTF_LOAD, 0, 0 },
		{ SYS_bpf, BPF_MAP_FREEZE, 0, 0 },
		{ SYS_bpf, BPF_BTF_GET_NEXT_ID, 0, 0 },
		{ SYS_bpf, BPF_LINK_CREATE, 0, 0 },
		{ SYS_bpf, BPF_PROG_BIND_MAP, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(calls); i++)
		if (end_of(make_call, &calls[i]) != 0)
			fail_msg("bpf command %ld is not allowed", calls[i].first);
}

/* Switches the loopback of a network of its own on: 0, or what the kernel says. */
static int switch_on(int netlink_fd)
{
	struct pic_ebpf_request request;

	pic_ebpf_netlink_init(&request, RTM_NEWLINK, NLM_F_ACK, sizeof(request.link));
	request.link.ifi_index = 1;
	request.link.ifi_flags = request.link.ifi_change = IFF_UP;
	return pic_ebpf_netlink_ask(netlink_fd, &request, NULL, NULL);
}

#define ADMIN (1ull << CAP_NET_ADMIN)

/* 0, or the number of what went wrong. */
static int try_sockets(const void *data)
{
	struct pic_ebpf_interface lo;
	int rested, able;

	(void)data;
	if (unshare(CLONE_NEWNET) < 0 || pic_capabilities_rest(ADMIN, NULL) < 0)
		return 1;
	rested = pic_ebpf_netlink_open(NULL);
	if (rested < 0 || pic_capabilities_keep(ADMIN, NULL) < 0)
		return 2;
	if (switch_on(rested) != -EPERM)
		return 3;
	if (pic_ebpf_interface_find(rested, "lo", &lo, NULL) < 0 || lo.number != 1 ||
	    lo.xdp_program != 0 || strcmp(lo.name, "lo") != 0)
		return 4;
	if (pic_ebpf_interface_look(rested, 1, &lo) < 0 || strcmp(lo.name, "lo") != 0 ||
	    pic_ebpf_interface_look(rested, 77, &lo) != -ENODEV)
		return 5;
	able = pic_ebpf_netlink_open(NULL);
	return switch_on(able) == 0 ? 0 : 6;
}

static void a_socket_opened_at_rest_looks_and_changes_nothing(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		skip();
	}
	assert_int_equal(end_of(try_sockets, NULL), 0);
}

static int find_wrong(const void *data)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_interface found;
	int fd = unshare(CLONE_NEWNET) < 0 ? -1 : pic_ebpf_netlink_open(NULL);

	return pic_ebpf_interface_find(fd, data, &found, &err) == -ENODEV &&
			       strstr(err.text, "this device has: none") && strstr(err.text, data)
		       ? 0
		       : 1;
}

static void an_interface_that_is_not_there_is_named(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		skip();
	}
	assert_int_equal(end_of(find_wrong, "eth7"), 0);
	assert_int_equal(end_of(find_wrong, "a-name-that-no-interface-can-have"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_loader_leaves_nothing_behind),
		cmocka_unit_test(a_loader_can_load),
		cmocka_unit_test(a_socket_opened_at_rest_looks_and_changes_nothing),
		cmocka_unit_test(an_interface_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
