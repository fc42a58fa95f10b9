/* One hook after the other; each a link where the kernel has one, so that it goes with its last descriptor. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "admission/ebpf_attach.h"
#include "base/cleanup.h"
#include "workload/ebpf/explain.h"
#include "workload/ebpf/interface.h"
#include "workload/ebpf/load.h"

/* The hook that is being attached. */
struct hook {
	const struct pic_ebpf_attaching *all;
	const struct pic_ebpf_attach *what;
	const char *program;
	uint32_t interface;
	int program_fd;
	char place[PIC_EBPF_ATTACH_TEXT];
	char mode[16]; /* what it became: "native", "generic" */
};

static int fail(const struct hook *hook, int error, struct pic_error *err)
{
	const struct pic_ebpf_failure failure = { .stage = PIC_EBPF_ATTACH,
						  .error = error,
						  .program = hook->program,
						  .hook = hook->what->hook,
						  .mode = hook->what->mode,
						  .place = hook->place,
						  .said = "",
						  .log = "" };

	return pic_ebpf_explain(&failure, err);
}

/* A question that only root can answer, with a descriptor (-1: none); a descriptor or 0. */
static int ask(const struct hook *hook, struct pic_ebpf_word *word, int with, struct pic_error *err)
{
	int PIC_FD fd = -1;
	int r = pic_ebpf_word_send(hook->all->socket_fd, word, with);

	if (r == 0)
		r = pic_ebpf_word_receive(hook->all->socket_fd, word, &fd);
	if (r < 0)
		return pic_error_errno(err, -r, "the loader's parent does not answer");
	if (word->status < 0)
		return pic_error_set(err, word->status, "%s", word->text);
	return fd < 0 ? 0 : PIC_STEAL_FD(fd);
}

/* Never displaced, always named. */
static int say_owner(const struct hook *hook, struct pic_error *err)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_ASK_OWNER };
	struct pic_ebpf_interface now = { .number = 0 };

	pic_ebpf_interface_look(hook->all->netlink_fd, hook->interface, &now);
	word.number = now.xdp_program;
	if (!word.number || ask(hook, &word, -1, NULL) < 0)
		return fail(hook, EBUSY, err);
	return pic_error_set(
		err, -EBUSY,
		"program %s cannot be attached at %s: program %u (%s) is there already "
		"and stays; end it first",
		hook->program, hook->place, word.number, word.text);
}

static int attach_xdp(struct hook *hook, struct pic_error *err)
{
	const uint32_t flags[] = {
		[PIC_EBPF_MODE_SKB] = XDP_FLAGS_SKB_MODE, [PIC_EBPF_MODE_DRV] = XDP_FLAGS_DRV_MODE
	};
	uint32_t mode = hook->what->mode;
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = mode < PIC_COUNT(flags) ? flags[mode] : 0);
	struct pic_ebpf_interface now;
	int fd = bpf_link_create(hook->program_fd, (int)hook->interface, BPF_XDP, &options);

	if (fd < 0)
		return errno == EBUSY ? say_owner(hook, err) : fail(hook, errno, err);
	if (pic_ebpf_interface_look(hook->all->netlink_fd, hook->interface, &now) == 0)
		snprintf(hook->mode, sizeof(hook->mode), "%s",
			 now.xdp_generic ? "generic" : "native");
	return fd;
}

static int attach_tcx(struct hook *hook, struct pic_error *err)
{
	enum bpf_attach_type type = hook->what->mode == PIC_EBPF_EGRESS ? BPF_TCX_EGRESS
									: BPF_TCX_INGRESS;
	int fd = bpf_link_create(hook->program_fd, (int)hook->interface, type, NULL);

	return fd < 0 ? fail(hook, errno, err) : fd;
}

static int attach_tracepoint(struct hook *hook, struct pic_error *err)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_ASK_EVENT };
	int PIC_FD event = -1;
	int fd;

	snprintf(word.text, sizeof(word.text), "%s", hook->what->target);
	event = ask(hook, &word, -1, err);
	if (event < 0)
		return event;
	fd = bpf_link_create(hook->program_fd, event, BPF_PERF_EVENT, NULL);
	return fd < 0 ? fail(hook, errno, err) : fd;
}

static int attach_raw_tracepoint(struct hook *hook, struct pic_error *err)
{
	int fd = bpf_raw_tracepoint_open(hook->what->target, hook->program_fd);

	return fd < 0 ? fail(hook, errno, err) : fd;
}

static int attach_clsact(struct hook *hook, struct pic_ebpf_hand *hand, struct pic_error *err)
{
	struct pic_ebpf_word word = { .kind = PIC_EBPF_ASK_FILTER,
				      .number = hook->interface,
				      .egress = hook->what->mode == PIC_EBPF_EGRESS };
	int r = ask(hook, &word, hook->program_fd, err);

	if (r < 0)
		return pic_error_wrap(err, r, "program %s at %s", hook->program, hook->place);
	hand->filters[hand->filter_count++] = word.filter;
	return 0;
}

static uint32_t number_of(int fd, bool link)
{
	union {
		struct bpf_prog_info program;
		struct bpf_link_info link;
	} info;
	uint32_t size = link ? sizeof(info.link) : sizeof(info.program);

	memset(&info, 0, sizeof(info));
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0;
	return link ? info.link.id : info.program.id;
}

/* "program 12 count at xdp:eth0 (native), link 7; ..." as far as there is room. */
static void add_evidence(const struct hook *hook, int link_fd, struct pic_ebpf_hand *hand)
{
	size_t used = strlen(hand->evidence), room = sizeof(hand->evidence) - used;
	char link[32] = "";
	int size;

	if (link_fd >= 0)
		snprintf(link, sizeof(link), ", link %u", number_of(link_fd, true));
	size = snprintf(hand->evidence + used, room, "%sprogram %u %.20s at %.40s%s%s%s%s",
			used ? "; " : "", number_of(hook->program_fd, false), hook->program,
			hook->place, *hook->mode ? " (" : "", hook->mode, *hook->mode ? ")" : "",
			link);
	if (size < 0 || (size_t)size >= room)
		hand->evidence[used] = '\0'; /* a whole one or none */
}

static int attach_one(struct hook *hook, int *links, struct pic_ebpf_hand *hand,
		      struct pic_error *err)
{
	int fd = -1;

	switch ((enum pic_ebpf_hook)hook->what->hook) {
	case PIC_EBPF_XDP:
		fd = attach_xdp(hook, err);
		break;
	case PIC_EBPF_TCX:
		fd = attach_tcx(hook, err);
		break;
	case PIC_EBPF_TRACEPOINT:
		fd = attach_tracepoint(hook, err);
		break;
	case PIC_EBPF_RAW_TRACEPOINT:
		fd = attach_raw_tracepoint(hook, err);
		break;
	case PIC_EBPF_CLSACT:
		fd = attach_clsact(hook, hand, err);
		if (fd == 0)
			add_evidence(hook, -1, hand);
		return fd;
	case PIC_EBPF_SECTION:
		return pic_error_set(err, -EINVAL, "program %s has no hook", hook->program);
	}
	if (fd < 0)
		return fd;
	links[hand->link_count++] = fd;
	add_evidence(hook, fd, hand);
	return 0;
}

/* Filters go with the parent, which made them. */
static void undo(const int *links, struct pic_ebpf_hand *hand)
{
	while (hand->link_count > 0)
		close(links[--hand->link_count]);
}

int pic_ebpf_attach(const struct pic_ebpf_attaching *attaching, int *links,
		    struct pic_ebpf_hand *hand, struct pic_error *err)
{
	const struct pic_ebpf_task *task = attaching->task;

	for (uint32_t i = 0; i < task->hook_count; i++) {
		uint32_t number = task->hook_program[i];
		struct hook hook = { .all = attaching,
				     .what = &task->hooks[i],
				     .program = task->facts.programs[number].name,
				     .interface = task->interfaces[i],
				     .program_fd = attaching->loaded->program_fds[number] };
		int r;

		struct pic_ebpf_attach place = task->hooks[i];

		place.program[0] = '\0';
		pic_ebpf_attach_text(&place, hook.place, sizeof(hook.place));
		r = attach_one(&hook, links, hand, err);
		if (r < 0) {
			undo(links, hand);
			return r;
		}
	}
	return 0;
}
