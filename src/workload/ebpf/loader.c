#include "workload/ebpf/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/capability.h>

#include "base/cleanup.h"
#include "sandbox/privilege.h"
#include "workload/ebpf/interface.h"
#include "workload/ebpf/load.h"
#include "workload/ebpf/netlink.h"
#include "workload/ebpf/runner.h"

enum { SOCKET, ARTIFACT, LOG_0, LOG_1, NETLINK };

#define CAP(name) (1ull << (name))
#define LOADER_FILES 256
#ifdef __SANITIZE_ADDRESS__
#define LOADER_DATA 0 /* the sanitizer keeps a book of terabytes */
#else
#define LOADER_DATA (96ull * 1024 * 1024) /* the kernel's own types take 12 MB of it */
#endif

/* Kernel memory may only be read by who was given that: no CAP_PERFMON otherwise. */
static uint64_t capabilities(const struct pic_ebpf_order *order)
{
	uint64_t set = CAP(CAP_BPF) | CAP(CAP_NET_ADMIN);

	return order->grants & PIC_GRANT_KERNEL_READ ? set | CAP(CAP_PERFMON) : set;
}

/* A socket without rights, for good: opened while none is in force, it can look at interfaces and change none. What the
 * kernel does not undo by itself is done by the parent. */
static int open_netlink(uint64_t keep, struct pic_error *err)
{
	int r = pic_capabilities_rest(keep, err);

	if (r == 0)
		r = pic_ebpf_netlink_open(err);
	if (r >= 0 && r != NETLINK)
		return pic_error_set(err, -EBADF,
				     "the loader's descriptors are not what they were");
	return r < 0 ? r : pic_capabilities_keep(keep, err);
}

static int settle_in(const struct pic_ebpf_order *order, struct pic_error *err)
{
	const struct pic_privileges privileges = {
		.user = order->user,
		.group = order->user,
		.keep_capabilities = capabilities(order),
		.files_max = LOADER_FILES,
		.data_max = LOADER_DATA,
		.file_size_max = order->policy->log_max + PIC_EBPF_LOG_MAX,
		.cpu_seconds_max = PIC_EBPF_LOAD_LIMIT_MS / 1000 + 1,
	};
	bool logs = order->log_fds[0] >= 0;
	const int fds[] = { [SOCKET] = order->socket_fd,
			    [ARTIFACT] = order->artifact_fd,
			    [LOG_0] = logs ? order->log_fds[0] : order->artifact_fd,
			    [LOG_1] = logs ? order->log_fds[1] : order->artifact_fd };
	pid_t parent = getppid();
	int r = pic_descriptors_arrange(fds, PIC_COUNT(fds), err);

	if (r == 0)
		r = pic_privileges_drop(&privileges, err);
	if (r == 0)
		r = open_netlink(privileges.keep_capabilities, err);
	/* after the change of user, which would have undone it */
	if (r == 0 && (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent))
		r = pic_error_set(err, -ECHILD, "the runner is gone");
	return r == 0 ? pic_ebpf_confine_loader(err) : r;
}

static int map_object(struct pic_ebpf_task *task, struct pic_error *err)
{
	struct stat is;
	void *bytes;

	if (fstat(ARTIFACT, &is) < 0)
		return pic_error_errno(err, errno, "the object cannot be looked at");
	if (is.st_size <= 0 || is.st_size > PIC_EBPF_OBJECT_MAX)
		return pic_error_set(err, -EINVAL,
				     "an object of %lld bytes is not between 1 and %d",
				     (long long)is.st_size, PIC_EBPF_OBJECT_MAX);
	/* private and writable: libelf converts in place where it has to */
	bytes = mmap(NULL, (size_t)is.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, ARTIFACT, 0);
	if (bytes == MAP_FAILED)
		return pic_error_errno(err, errno, "the object cannot be read");
	task->bytes = bytes;
	task->size = (size_t)is.st_size;
	return 0;
}

static int find_program(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (strcmp(facts->programs[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int place(struct pic_ebpf_task *task, const struct pic_policy *policy, uint32_t i,
		 struct pic_error *err)
{
	struct pic_ebpf_attach *hook = &task->hooks[i];
	struct pic_ebpf_interface interface;
	int number = find_program(&task->facts, hook->program), r;

	if (number < 0)
		return pic_error_set(err, -EINVAL, "the object has no program %s", hook->program);
	task->hook_program[i] = (uint32_t)number;
	task->programs |= 1u << number;
	if (!pic_ebpf_hook_is_network(hook->hook))
		return 0;
	task->network = true;
	r = pic_ebpf_interface_find(NETLINK, hook->target, &interface, err);
	if (r == 0)
		r = pic_ebpf_admit_interface(policy, interface.name, err);
	if (r < 0)
		return r;
	snprintf(hook->target, sizeof(hook->target), "%s", interface.name);
	task->interfaces[i] = interface.number;
	return 0;
}

/* What it is, whether it may, where it goes: all by our own reading. */
static int make_task(const struct pic_ebpf_order *order, struct pic_ebpf_task *task,
		     struct pic_error *err)
{
	const struct pic_ebpf_terms *terms = &order->spec->terms;
	int r = map_object(task, err);

	if (r == 0)
		r = pic_ebpf_facts_read(task->bytes, task->size, (unsigned)get_nprocs_conf(),
					&task->facts, err);
	if (r == 0)
		r = pic_ebpf_admit(&task->facts, terms, order->policy, order->grants, err);
	if (r == 0)
		r = pic_ebpf_terms_resolve(&task->facts, terms, task->hooks, &task->hook_count,
					   err);
	for (uint32_t i = 0; r == 0 && i < task->hook_count; i++)
		r = place(task, order->policy, i, err);
	return r;
}

/* What this object has no use for goes before libbpf sees it. */
static int drop_more(const struct pic_ebpf_order *order, const struct pic_ebpf_task *task,
		     struct pic_error *err)
{
	uint64_t set = capabilities(order);

	if (!task->network)
		set &= ~CAP(CAP_NET_ADMIN);
	if (!(task->facts.grants & PIC_GRANT_KERNEL_READ))
		set &= ~CAP(CAP_PERFMON);
	return pic_capabilities_keep(set, err);
}

/* Loads it and tries it out; the maps begin as if it had not been tried. */
static int load_tried(const struct pic_ebpf_order *order, const struct pic_ebpf_task *task,
		      struct pic_ebpf_loaded *loaded, struct pic_error *err)
{
	unsigned char PIC_FREE *before = NULL;
	int r = pic_ebpf_load(task, loaded, err);

	if (r < 0 || !task->network || order->spec->terms.confirm_seconds == 0)
		return r;
	r = pic_ebpf_remember(task, loaded, &before);
	if (pic_ebpf_dry_run(task, loaded, &order->uplink, err) < 0)
		return err->code;
	if (r == 0 && pic_ebpf_put_back(task, loaded, before) == 0)
		return 0;
	pic_ebpf_unload(loaded);
	return pic_ebpf_load(task, loaded, err);
}

static int ask_parent(struct pic_ebpf_word *word, struct pic_error *err)
{
	int r = pic_ebpf_word_send(SOCKET, word, -1);

	if (r == 0)
		r = pic_ebpf_word_receive(SOCKET, word, NULL);
	if (r < 0)
		return pic_error_errno(err, -r, "the loader's parent does not answer");
	return word->status < 0 ? pic_error_set(err, word->status, "%s", word->text) : 0;
}

static bool prints(const struct pic_ebpf_facts *facts)
{
	return facts->helpers[BPF_FUNC_trace_printk / 32] >> BPF_FUNC_trace_printk % 32 & 1 ||
	       facts->helpers[BPF_FUNC_trace_vprintk / 32] >> BPF_FUNC_trace_vprintk % 32 & 1;
}

/* Descriptors behind the links, and what each one is. */
static uint32_t fill_hand(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
			  struct pic_ebpf_hand *hand, int fds[PIC_EBPF_HAND_FILES])
{
	uint32_t count = hand->link_count;

	for (uint32_t i = 0; i < task->facts.program_count; i++)
		if (loaded->program_fds[i] >= 0) {
			strcpy(hand->programs[hand->program_count++], task->facts.programs[i].name);
			fds[count++] = loaded->program_fds[i];
		}
	for (uint32_t i = 0; i < task->facts.map_count; i++)
		if (loaded->map_fds[i] >= 0) {
			strcpy(hand->maps[hand->map_count++], task->facts.maps[i].name);
			fds[count++] = loaded->map_fds[i];
		}
	for (uint32_t i = 0; i < task->hook_count; i++)
		if (task->interfaces[i]) {
			struct pic_ebpf_hand_interface *one =
				&hand->interfaces[hand->interface_count++];

			one->number = task->interfaces[i];
			snprintf(one->name, sizeof(one->name), "%.15s", task->hooks[i].target);
		}
	hand->network = task->network;
	hand->processors = loaded->processors;
	return count;
}

static int load_and_attach(const struct pic_ebpf_order *order, const struct pic_ebpf_task *task,
			   struct pic_ebpf_hand *hand, int fds[PIC_EBPF_HAND_FILES],
			   uint32_t *count, struct pic_error *err)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_ASK_TRACE };
	struct pic_ebpf_loaded loaded;
	struct pic_ebpf_attaching attaching = {
		.task = task, .loaded = &loaded, .socket_fd = SOCKET, .netlink_fd = NETLINK
	};
	int r = load_tried(order, task, &loaded, err);

	if (r == 0 && prints(&task->facts)) {
		hand->traced = true;
		r = ask_parent(&word, err);
	}
	if (r == 0)
		r = pic_ebpf_attach(&attaching, fds, hand, err);
	if (r == 0)
		*count = fill_hand(task, &loaded, hand, fds);
	return r;
}

void pic_ebpf_loader_main(const struct pic_ebpf_order *order)
{
	struct pic_ebpf_word end = { .kind = PIC_EBPF_SAY_END };
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_task task = { .log_max = order->log_fds[0] < 0 ? 0 : order->policy->log_max,
				      .log_fds = { LOG_0, LOG_1 } };
	struct pic_ebpf_hand hand = { 0 };
	struct pic_ebpf_plan plan;
	int fds[PIC_EBPF_HAND_FILES];
	uint32_t count = 0;
	int r = settle_in(order, &err);

	if (r == 0)
		r = make_task(order, &task, &err);
	if (r == 0)
		r = drop_more(order, &task, &err);
	if (r == 0)
		r = pic_ebpf_metrics_plan(task.bytes, task.size, &plan, &err);
	if (r == 0)
		r = load_and_attach(order, &task, &hand, fds, &count, &err);
	end.status = r;
	memcpy(end.text, err.text, sizeof(end.text));
	if (pic_ebpf_word_send(SOCKET, &end, -1) < 0)
		_exit(1);
	_exit(r == 0 && pic_ebpf_hand_send(SOCKET, &hand, &plan, fds, count) < 0);
}
