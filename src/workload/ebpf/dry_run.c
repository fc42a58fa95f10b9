/* The dry run: does what must pass, pass? On a program that is loaded but attached nowhere. */
#include <errno.h>

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#include "workload/ebpf/load.h"
#include "workload/ebpf/packets.h"

static bool passes(bool xdp, int verdict)
{
	if (xdp)
		return verdict == XDP_PASS;
	return verdict == TC_ACT_OK || verdict == TC_ACT_UNSPEC || verdict == TC_ACT_PIPE ||
	       verdict == TC_ACT_RECLASSIFY;
}

static const char *verdict_text(bool xdp, int verdict)
{
	static const char *const of_xdp[] = { "XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX",
					      "XDP_REDIRECT" };

	if (xdp && verdict >= 0 && verdict <= XDP_REDIRECT)
		return of_xdp[verdict];
	if (!xdp && verdict == TC_ACT_SHOT)
		return "TC_ACT_SHOT";
	if (!xdp && verdict == TC_ACT_REDIRECT)
		return "TC_ACT_REDIRECT";
	return "another verdict";
}

static int try(const struct pic_ebpf_program *program, int fd, bool outgoing,
	       const struct pic_uplink *uplink, struct pic_error *err)
{
	bool xdp = program->type == BPF_PROG_TYPE_XDP;
	struct pic_ebpf_packet packet;

	for (unsigned i = 0; pic_ebpf_packet_make(i, outgoing, uplink, &packet); i++) {
		LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet.bytes,
			    .data_size_in = (uint32_t)packet.size, .repeat = 1);

		if (bpf_prog_test_run_opts(fd, &run) < 0)
			return pic_error_errno(err, errno, "program %s cannot be tried out",
					       program->name);
		if (!passes(xdp, (int)run.retval))
			return pic_error_set(
				err, -EINVAL,
				"refused before it was attached: program %s answers %s to an %s "
				"packet (%s), which would cut this device off; ebpf.confirm 0 "
				"switches this check off",
				program->name, verdict_text(xdp, (int)run.retval), packet.name,
				outgoing ? "outgoing" : "incoming");
	}
	return 0;
}

int pic_ebpf_dry_run(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		     const struct pic_uplink *uplink, struct pic_error *err)
{
	for (uint32_t i = 0; i < task->hook_count; i++) {
		const struct pic_ebpf_attach *hook = &task->hooks[i];
		uint32_t number = task->hook_program[i];
		int r;

		if (hook->hook != PIC_EBPF_XDP && hook->hook != PIC_EBPF_TCX &&
		    hook->hook != PIC_EBPF_CLSACT)
			continue;
		r = try(&task->facts.programs[number], loaded->program_fds[number],
			hook->mode == PIC_EBPF_EGRESS, uplink, err);
		if (r < 0)
			return r;
	}
	return 0;
}
