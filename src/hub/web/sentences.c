#include "hub/web/sentences.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

struct row {
	const char *word, *sentence;
};

static const char *find(const struct row *rows, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].sentence;
	}
	return NULL;
}

void pic_sentence_grant(const char *grant, char out[PIC_SENTENCE_MAX])
{
	static const struct row grants[] = {
		{ "kernel-read", "It may read the kernel's memory: everything that the device's "
				 "programs hold there, passwords and keys included." },
		{ "redirect", "It may send packets to another network card or program than the one "
			      "they were meant for." },
	};
	const char *sentence = find(grants, PIC_COUNT(grants), grant);

	if (sentence)
		snprintf(out, PIC_SENTENCE_MAX, "%s", sentence);
	else
		snprintf(out, PIC_SENTENCE_MAX,
			 "It may do what is called \"%.80s\", which this hub cannot explain.",
			 grant);
}

void pic_sentence_program(const struct pic_json *program, char out[PIC_SENTENCE_MAX])
{
	static const char tc[] = "sees packets and may change, drop or redirect them";
	static const struct row types[] = {
		{ "xdp", "sees every packet that arrives, before the kernel does, and may drop it, "
			 "change it or send it back" },
		{ "sched_cls", tc },
		{ "sched_act", tc },
		{ "tc", tc },
		{ "tcx", tc },
		{ "clsact", tc },
		{ "tracepoint", "runs each time the kernel passes this point, and sees what it "
				"passes" },
		{ "raw_tracepoint", "runs each time the kernel passes this point, and sees the "
				    "kernel's own structures there" },
		{ "kprobe", "runs each time the kernel calls this function, and sees what it is "
			    "given" },
		{ "socket_filter", "sees the packets of a socket" },
	};
	const char *name = pic_json_text_or(pic_json_get(program, "name"), "");
	const char *type = pic_json_text_or(pic_json_get(program, "type"), "");
	const char *hook = pic_json_text_or(pic_json_get(program, "hook"), "");
	const char *does = find(types, PIC_COUNT(types), type);

	/* a program whose section says no more than its type is attached where the device's own card is */
	const bool says_where = *hook && strcmp(hook, type) != 0;
	snprintf(out, PIC_SENTENCE_MAX, "\"%.80s\", a program of type %.40s%s%.200s, %s.", name,
		 *type ? type : "unknown", says_where ? " at " : "", says_where ? hook : "",
		 does ? does : "does what this hub cannot explain");
}

bool pic_sentence_helper(const char *helper, char out[PIC_SENTENCE_MAX])
{
	static const struct row helpers[] = {
		{ "trace_printk", "writes lines of text" },
		{ "trace_vprintk", "writes lines of text" },
		{ "probe_read", "reads the kernel's memory" },
		{ "probe_read_str", "reads the kernel's memory" },
		{ "probe_read_kernel", "reads the kernel's memory" },
		{ "probe_read_kernel_str", "reads the kernel's memory" },
		{ "probe_read_user", "reads the memory of programs" },
		{ "probe_read_user_str", "reads the memory of programs" },
		{ "copy_from_user", "reads the memory of programs" },
		{ "probe_write_user", "changes the memory of programs" },
		{ "override_return", "makes functions of the kernel fail" },
		{ "send_signal", "sends signals to programs" },
		{ "send_signal_thread", "sends signals to programs" },
		{ "redirect", "sends packets elsewhere" },
		{ "redirect_map", "sends packets elsewhere" },
		{ "redirect_neigh", "sends packets elsewhere" },
		{ "redirect_peer", "sends packets elsewhere" },
		{ "clone_redirect", "sends copies of packets elsewhere" },
		{ "sk_assign", "decides which program gets a connection" },
		{ "skb_store_bytes", "changes packets" },
		{ "xdp_store_bytes", "changes packets" },
		{ "l3_csum_replace", "changes packets" },
		{ "l4_csum_replace", "changes packets" },
		{ "skb_adjust_room", "puts headers into packets or takes them out" },
		{ "skb_vlan_push", "puts packets into another VLAN or takes them out of it" },
		{ "skb_vlan_pop", "puts packets into another VLAN or takes them out of it" },
		{ "xdp_adjust_head", "changes packets" },
		{ "xdp_adjust_tail", "changes packets" },
		{ "skb_change_proto", "changes packets" },
		{ "skb_change_tail", "changes packets" },
		{ "perf_event_output", "hands records to a program on the device" },
		{ "ringbuf_output", "hands records to a program on the device" },
		{ "ringbuf_submit", "hands records to a program on the device" },
		{ "get_stack", "learns which functions were being called" },
		{ "get_stackid", "learns which functions were being called" },
		{ "get_task_stack", "learns which functions were being called" },
		{ "snprintf_btf", "writes what the kernel's memory holds as text" },
		{ "seq_printf_btf", "writes what the kernel's memory holds as text" },
		{ "get_current_task", "finds the kernel's own record of the program at work" },
		{ "get_current_task_btf", "finds the kernel's own record of the program at work" },
		{ "get_current_comm", "learns the names of programs" },
		{ "get_current_pid_tgid", "learns which program is at work" },
	};
	const char *word = pic_text_starts(helper, "bpf_") ? helper + 4 : helper;
	const char *does = find(helpers, PIC_COUNT(helpers), word);

	if (!does)
		return false;
	snprintf(out, PIC_SENTENCE_MAX, "It %s (%s).", does, word);
	return true;
}

void pic_sentence_length(int64_t seconds, char out[PIC_SENTENCE_MAX])
{
	static const struct {
		int64_t seconds;
		const char *word;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	size_t used = 0, said = 0;

	out[0] = '\0';
	for (size_t i = 0; i < PIC_COUNT(units) && said < 2; i++) {
		int64_t count = seconds / units[i].seconds;

		if (count <= 0)
			continue;
		used += (size_t)snprintf(out + used, PIC_SENTENCE_MAX - used, "%s%" PRId64 " %s%s",
					 used ? " " : "", count, units[i].word,
					 count == 1 ? "" : "s");
		seconds %= units[i].seconds;
		said++;
	}
	if (!used)
		snprintf(out, PIC_SENTENCE_MAX, "no time");
}
