/*
 * The loader's parent is root, and the loader has read a stranger's file: here it is hostile. The real one is replaced by
 * the name of its only function. What it is refused, and that nothing of what it got is left when it ends badly.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "workload/ebpf/filter.h"
#include "workload/ebpf/loader.h"
#include "workload/ebpf/runner.h"

#define ASKED_MAX 80
#define LIFE_MS 60000
#define NO_ANSWER (-EINPROGRESS)

/* What the loader asks for, and what it is told; shared with it. */
struct asked {
	struct pic_ebpf_word word;
	bool with_program, with_file; /* a program for packets comes along, or another file */
	bool unended;		      /* the text has no end */
	int came;		      /* of the answer: status, or NO_ANSWER */
	char text[PIC_ERROR_TEXT];
};
static struct {
	struct asked asked[ASKED_MAX];
	unsigned count;
	int program_fd;
} * world;

void pic_ebpf_loader_main(const struct pic_ebpf_order *order)
{
	for (unsigned i = 0; i < world->count; i++) {
		struct asked *asked = &world->asked[i];
		struct pic_ebpf_word word = asked->word;

		if (asked->unended)
			memset(word.text, 'a', sizeof(word.text));
		if (pic_ebpf_word_send(order->socket_fd, &word,
				       asked->with_program ? world->program_fd
				       : asked->with_file  ? STDERR_FILENO
							   : -1) == 0 &&
		    pic_ebpf_word_receive(order->socket_fd, &word, NULL) == 0) {
			asked->came = word.status;
			memcpy(asked->text, word.text, sizeof(asked->text));
		}
	}
	_exit(1);
}

static struct asked *ask(uint32_t kind)
{
	struct asked *asked = &world->asked[world->count++];

	*asked = (struct asked){ .word.kind = kind, .came = NO_ANSWER };
	return asked;
}

static struct asked *ask_event(const char *name)
{
	struct asked *asked = ask(PIC_EBPF_ASK_EVENT);

	snprintf(asked->word.text, sizeof(asked->word.text), "%s", name);
	return asked;
}

static struct asked *ask_filter(uint32_t interface, bool egress)
{
	struct asked *asked = ask(PIC_EBPF_ASK_FILTER);

	asked->word.number = interface;
	asked->word.egress = egress;
	asked->with_program = true;
	return asked;
}

/* return 0 */
static int make_program(void)
{
	static const struct bpf_insn code[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attributes;

	memset(&attributes, 0, sizeof(attributes));
	attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	attributes.insns = (uintptr_t)code;
	attributes.insn_cnt = PIC_COUNT(code);
	attributes.license = (uintptr_t) "GPL";
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof(attributes));
}

struct scene {
	struct pic_ebpf_spec spec;
	struct pic_policy *policy;
	struct pic_open_context context;
	struct pic_workload_name name;
};

static void begin(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
	memset(world->asked, 0, sizeof(world->asked));
	world->count = 0;
	scene->spec.version = PIC_EBPF_SPEC_VERSION;
	scene->policy = calloc(1, sizeof(*scene->policy));
	assert_non_null(scene->policy);
	scene->name = (struct pic_workload_name){ "hostile", "loader" };
	scene->context = (struct pic_open_context){
		.name = &scene->name,
		.policy = scene->policy,
		.instance_fd = -1,
		.artifact_fd = -1,
		.log_fds = { -1, -1 },
		.end_boot_ms = pic_clock_boot_ms() + LIFE_MS,
	};
}

/* A loader that ends without a hand: never a workload. */
static void act(struct scene *scene)
{
	struct pic_error err = PIC_ERROR_INIT;
	int files[PIC_RUNNER_FILES_MAX];

	for (unsigned i = 0; i < PIC_RUNNER_FILES_MAX; i++)
		files[i] = -1;
	assert_true(pic_ebpf_open(&scene->spec, &scene->context, files, &err) < 0);
	for (unsigned i = 0; i < PIC_EBPF_FILES; i++)
		assert_int_equal(files[i], -1);
	free(scene->policy);
}

static void declare(struct scene *scene, const char *target, enum pic_ebpf_mode mode)
{
	struct pic_ebpf_attach *one = &scene->spec.terms.attach[scene->spec.terms.attach_count++];

	one->hook = PIC_EBPF_CLSACT;
	one->mode = mode;
	snprintf(one->target, sizeof(one->target), "%s", target);
}

static void on_qdisc(void *data, const struct nlmsghdr *message)
{
	const struct tcmsg *tc = NLMSG_DATA(message);

	if (message->nlmsg_type == RTM_NEWQDISC && tc->tcm_parent == TC_H_CLSACT)
		++*(unsigned *)data;
}

static void on_filter(void *data, const struct pic_ebpf_filter *filter, const char *name)
{
	(void)filter;
	(void)name;
	++*(unsigned *)data;
}

/* Queues and filters that are there now, on the only interface of this network. */
static unsigned traces_left(void)
{
	PIC_FD int fd = pic_ebpf_netlink_open(NULL);
	struct pic_ebpf_request request;
	unsigned count = 0;

	pic_ebpf_netlink_init(&request, RTM_GETQDISC, NLM_F_DUMP, sizeof(request.tc));
	assert_int_equal(pic_ebpf_netlink_ask(fd, &request, on_qdisc, &count), 0);
	assert_int_equal(pic_ebpf_filters_each(fd, if_nametoindex("lo"), on_filter, &count, NULL),
			 0);
	return count;
}

static void refused(const struct asked *asked, int status, const char *says)
{
	if (asked->came != status || !strstr(asked->text, says))
		fail_msg("asked %td: %d (%s), not %d (%s)", asked - world->asked, asked->came,
			 asked->text, status, says);
}

static void a_queue_that_was_not_declared(void **state)
{
	const uint32_t lo = if_nametoindex("lo");
	struct scene scene;

	(void)state;
	begin(&scene);
	declare(&scene, "lo", PIC_EBPF_INGRESS);
	declare(&scene, "eth7", PIC_EBPF_EGRESS);
	ask_filter(lo, true);
	ask_filter(lo + 4711, false);
	ask_filter(0, false);
	ask_filter(lo, false);
	act(&scene);
	refused(&world->asked[0], -EPERM, "no filter at lo was declared");
	refused(&world->asked[1], -ENODEV, "there is no network interface");
	refused(&world->asked[2], -ENODEV, "there is no network interface");
	refused(&world->asked[3], 0, ""); /* the declared one */
	assert_int_equal(traces_left(), 0);

	begin(&scene);
	scene.spec.terms.attach[0].hook = PIC_EBPF_TRACEPOINT;
	scene.spec.terms.attach_count = 1;
	ask_filter(lo, false);
	act(&scene);
	refused(&world->asked[0], -EPERM, "no filter at lo was declared");
	assert_int_equal(traces_left(), 0);
}

static void an_interface_that_policy_closes(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	declare(&scene, "", PIC_EBPF_INGRESS);
	strcpy(scene.policy->ebpf.interfaces[0], "eth*");
	scene.policy->ebpf.interface_count = 1;
	ask_filter(if_nametoindex("lo"), false);
	act(&scene);
	refused(&world->asked[0], -EPERM, "policy lets no program sit on interface lo");
	assert_int_equal(traces_left(), 0);
}

static void a_filter_without_a_program(void **state)
{
	const uint32_t lo = if_nametoindex("lo");
	struct scene scene;

	(void)state;
	begin(&scene);
	declare(&scene, "lo", PIC_EBPF_INGRESS);
	ask_filter(lo, false)->with_program = false;
	ask_filter(lo, false)->with_program = false;
	world->asked[1].with_file = true;
	act(&scene);
	for (unsigned i = 0; i < world->count; i++) {
		assert_true(world->asked[i].came < 0);
		assert_non_null(strstr(world->asked[i].text, "a clsact filter cannot be made"));
	}
	assert_int_equal(traces_left(), 0);
}

/* As many as it may ask for, and then one more. */
static void what_it_got_goes_with_it(void **state)
{
	const uint32_t lo = if_nametoindex("lo");
	struct scene scene;

	(void)state;
	begin(&scene);
	declare(&scene, "lo", PIC_EBPF_INGRESS);
	declare(&scene, "lo", PIC_EBPF_EGRESS);
	for (unsigned i = 0; i < PIC_EBPF_ASKS_MAX; i++)
		ask_filter(lo, i % 2);
	ask_filter(lo, false);
	act(&scene);
	for (unsigned i = 0; i < PIC_EBPF_ASKS_MAX; i++)
		refused(&world->asked[i], 0, "");
	assert_int_equal(world->asked[PIC_EBPF_ASKS_MAX].came, NO_ANSWER);
	assert_int_equal(traces_left(), 0);
}

static void an_event_without_the_grant(void **state)
{
	struct scene scene;

	(void)state;
	begin(&scene);
	ask_event("sched/sched_switch");
	act(&scene);
	refused(&world->asked[0], -EPERM, "kernel-read was not granted");
}

static void a_path_in_place_of_an_event(void **state)
{
	static const char *const names[] = { "",	  "/",	     "a",	  "a/",
					     "/a",	  "a/b/c",   "../../etc", "a/../../b",
					     "sched/..",  "./sched", "a/b ",	  "a//b",
					     "sched/\nid" };
	struct scene scene;
	char big[PIC_EBPF_TARGET_MAX + 8];

	(void)state;
	begin(&scene);
	scene.context.grants = PIC_GRANT_KERNEL_READ;
	for (size_t i = 0; i < PIC_COUNT(names); i++)
		ask_event(names[i]);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	big[3] = '/';
	ask_event(big);
	act(&scene);
	for (unsigned i = 0; i < world->count; i++)
		refused(&world->asked[i], -EINVAL, "there is no trace event");
}

/* None of them gets an answer, nor does what comes after; a loader that waits for one is ended. */
static void what_is_no_word(void **state)
{
	static const uint32_t kinds[] = { 0, PIC_EBPF_SAY_END + 1, UINT32_MAX };
	struct scene scene;

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(kinds) + 2; i++) {
		begin(&scene);
		if (i < PIC_COUNT(kinds))
			ask(kinds[i]);
		else if (i == PIC_COUNT(kinds))
			ask(PIC_EBPF_ASK_OWNER)->unended = true;
		else
			ask(PIC_EBPF_ASK_OWNER)->word.status = 1;
		ask_filter(if_nametoindex("lo"), false);
		act(&scene);
		assert_int_equal(world->asked[0].came, NO_ANSWER);
		assert_int_equal(world->asked[1].came, NO_ANSWER);
		assert_int_equal(traces_left(), 0);
	}
}

/* A file that lies where the pipe belongs stays as it was. */
static void a_file_in_place_of_the_pipe(void **state)
{
	char folder[] = "/tmp/pic-parent-XXXXXX", path[64];
	struct scene scene;
	struct stat is;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/trace_pipe", folder);
	PIC_FD int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file >= 0);
	begin(&scene);
	scene.context.instance_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ask(PIC_EBPF_ASK_TRACE);
	act(&scene);
	close(scene.context.instance_fd);
	assert_int_equal(fstat(file, &is), 0);
	unlink(path);
	rmdir(folder);
	if (strstr(world->asked[0].text, "trace events cannot be reached") ||
	    strstr(world->asked[0].text, "trace instance cannot be made")) {
		printf("skipped: %s\n", world->asked[0].text);
		skip();
	}
	refused(&world->asked[0], -EEXIST, "trace_pipe is no pipe");
	assert_int_equal(is.st_mode & 07777, 0600);
}

/* A network of our own, in which nobody loses a packet. */
static int setup(void **state)
{
	(void)state;
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (world == MAP_FAILED || unshare(CLONE_NEWNET) < 0)
		return -1;
	world->program_fd = make_program();
	return world->program_fd < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_that_was_not_declared),
		cmocka_unit_test(an_interface_that_policy_closes),
		cmocka_unit_test(a_filter_without_a_program),
		cmocka_unit_test(what_it_got_goes_with_it),
		cmocka_unit_test(an_event_without_the_grant),
		cmocka_unit_test(a_path_in_place_of_an_event),
		cmocka_unit_test(what_is_no_word),
		cmocka_unit_test(a_file_in_place_of_the_pipe),
	};

	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, NULL);
}
