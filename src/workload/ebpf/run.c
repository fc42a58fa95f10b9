/*
 * The runner's life: it holds the links, so they are there as long as it is; it waits for the end, answers for its
 * figures, passes on what the programs print and proves that the hub still answers. No privileges are left but, where
 * there are clsact filters, the one to undo them.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/loop.h"
#include "workload/ebpf/proof.h"
#include "workload/ebpf/runner.h"
#include "workload/ebpf/scrape.h"
#include "workload/ebpf/trace.h"
#include "workload/log.h"

struct run {
	struct pic_runner *runner;
	const struct pic_ebpf_terms *terms;
	struct pic_loop *loop;
	struct pic_ebpf_hand hand;
	struct pic_ebpf_plan plan;
	int fds[PIC_EBPF_HAND_FILES];
	struct pic_ebpf_trace trace;
	struct pic_ebpf_proof proof;
	struct pic_ebpf_scrape scrape;
	struct pic_watch *end, *broker;
	bool over;
	enum pic_end_kind end_kind;
	char end_text[200];
};

/* Out of the kernel, at once; whatever else is to be said comes after. */
static void detach(struct run *run)
{
	struct pic_error err = PIC_ERROR_INIT;

	for (uint32_t i = 0; i < run->hand.filter_count; i++)
		if (pic_ebpf_filter_remove(run->runner->files[PIC_EBPF_FILE_NETLINK],
					   &run->hand.filters[i], &err) < 0)
			pic_workload_log_line(run->runner->log, "%s", err.text);
	for (uint32_t i = 0; i < run->hand.link_count; i++)
		pic_close_fd(&run->fds[i]);
	run->hand.filter_count = 0;
}

static void finish(struct run *run, enum pic_end_kind kind, const char *text)
{
	if (run->over)
		return;
	run->over = true;
	detach(run);
	run->end_kind = kind;
	snprintf(run->end_text, sizeof(run->end_text), "%s", text);
	pic_loop_stop(run->loop);
}

static void on_end(void *data, int fd, uint32_t events)
{
	(void)fd;
	(void)events;
	finish(data, PIC_END_LEASE, "its time was over");
}

static void on_confirmed(void *data)
{
	struct run *run = data;

	run->runner->ready(run->runner);
}

static void on_failed(void *data, const char *why)
{
	char text[200];

	snprintf(text, sizeof(text), "rolled back: %s", why);
	finish(data, PIC_END_ROLLED_BACK, text);
}

/* Answers about connections and orders of the supervisor; told apart by their size. */
static void on_broker(void *data, int fd, uint32_t events)
{
	struct run *run = data;
	union pic_ebpf_broker_word {
		struct pic_broker_answer answer;
		struct pic_broker_order order;
	} word;
	int PIC_FD come = -1;
	ssize_t size = pic_broker_receive(fd, &word, sizeof(word), &come);

	(void)events;
	if (size == (ssize_t)sizeof(word.answer) && run->hand.network)
		pic_ebpf_proof_answer(&run->proof, &word.answer, PIC_STEAL_FD(come));
	else if (size == (ssize_t)sizeof(word.order) && come >= 0 &&
		 word.order.kind == PIC_BROKER_SCRAPE)
		pic_ebpf_scrape_serve(&run->scrape, PIC_STEAL_FD(come));
	else if (size == 0 && pic_workload_log_is_direct(run->runner->log))
		finish(run, PIC_END_STATUS, "stopped"); /* the person at the keyboard */
}

static int read_heads(struct run *run, struct pic_error *err)
{
	struct stat is;
	void *bytes;

	if (fstat(run->runner->artifact_fd, &is) < 0 || is.st_size <= 0 ||
	    is.st_size > PIC_EBPF_OBJECT_MAX)
		return pic_error_set(err, -EINVAL, "the object cannot be read again");
	bytes = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_PRIVATE, run->runner->artifact_fd, 0);
	if (bytes == MAP_FAILED)
		return pic_error_errno(err, errno, "the object cannot be read again");
	pic_ebpf_formats(bytes, (size_t)is.st_size, pic_ebpf_heads_add, &run->trace.heads);
	munmap(bytes, (size_t)is.st_size);
	return 0;
}

static int start_trace(struct run *run, struct pic_error *err)
{
	int r;

	run->trace = (struct pic_ebpf_trace){
		.log = run->runner->log,
		.prefix = run->terms->trace_prefix,
		.trace_fd = run->runner->files[PIC_EBPF_FILE_TRACE],
		.pipe_fd = run->runner->files[PIC_EBPF_FILE_PIPE],
		.heads = PIC_EBPF_HEADS_INIT,
	};
	if (!run->hand.traced)
		return 0;
	r = read_heads(run, err);
	return r < 0 ? r : pic_ebpf_trace_start(&run->trace, run->loop, err);
}

static int start_scrape(struct run *run, struct pic_error *err)
{
	run->scrape = (struct pic_ebpf_scrape){
		.loop = run->loop,
		.hand = &run->hand,
		.plan = &run->plan,
		.program_fds = run->fds + run->hand.link_count,
		.map_fds = run->fds + run->hand.link_count + run->hand.program_count,
		.end_boot_ms = run->runner->end_boot_ms,
	};
	return pic_ebpf_scrape_start(&run->scrape, err);
}

/* Where it can cut the hub off, it has to prove that it does not. */
static int start_proof(struct run *run, struct pic_error *err)
{
	run->proof = (struct pic_ebpf_proof){
		.loop = run->loop,
		.broker_fd = run->runner->broker_fd,
		.confirm_ms = run->terms->confirm_seconds * 1000,
		.confirmed = on_confirmed,
		.failed = on_failed,
		.data = run,
		.fd = -1,
	};
	if (run->hand.network && run->proof.confirm_ms && run->runner->uplink.family)
		return pic_ebpf_proof_start(&run->proof, err);
	on_confirmed(run);
	return 0;
}

/* The loader named them, and it had read a stranger's file: never undo somebody else's. */
static int check_filters(struct run *run, struct pic_error *err)
{
	const struct pic_runner *runner = run->runner;

	for (uint32_t i = 0; i < run->hand.filter_count; i++)
		if (!pic_ebpf_filter_belongs(runner->files[PIC_EBPF_FILE_NETLINK],
					     &run->hand.filters[i], runner->name,
					     runner->end_boot_ms)) {
			run->hand.filter_count = 0;
			return pic_error_set(err, -EPROTO, "what the loader left is not its own");
		}
	return 0;
}

static int start(struct run *run, struct pic_error *err)
{
	struct pic_runner *runner = run->runner;
	int r = pic_ebpf_hand_receive(runner->files[PIC_EBPF_FILE_HAND], &run->hand, &run->plan,
				      run->fds, err);

	if (r == 0)
		r = check_filters(run, err);
	if (r < 0)
		return r;
	runner->proved(runner, run->hand.evidence);
	pic_workload_log_line(runner->log, "%s", run->hand.evidence);
	r = pic_loop_new(&run->loop, err);
	if (r == 0)
		r = pic_loop_watch(run->loop, runner->files[PIC_EBPF_FILE_END], EPOLLIN, on_end,
				   run, &run->end, err);
	if (r == 0)
		r = pic_loop_watch(run->loop, runner->broker_fd, EPOLLIN, on_broker, run,
				   &run->broker, err);
	if (r == 0)
		r = start_scrape(run, err);
	if (r == 0)
		r = start_trace(run, err);
	return r < 0 ? r : start_proof(run, err);
}

/* What a person at the keyboard sees last. */
static void print_figures(const struct run *run)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_EBPF_SCRAPE_MAX);

	if (pic_workload_log_is_direct(run->runner->log) &&
	    pic_ebpf_scrape_text(&run->scrape, &text, NULL) == 0)
		pic_workload_log_write(run->runner->log, 'o', text.data, text.size);
}

int pic_ebpf_run(struct pic_runner *runner)
{
	struct run *run = calloc(1, sizeof(*run));
	const struct pic_ebpf_spec *spec = runner->spec;
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	if (!run)
		return 1;
	run->runner = runner;
	run->terms = &spec->terms;
	r = start(run, &err);
	if (r == 0)
		r = pic_loop_run(run->loop, &err);
	if (r < 0)
		finish(run, PIC_END_STATUS, err.text);
	/* it is out of the kernel; what it said last still counts */
	if (run->hand.traced && run->loop)
		pic_ebpf_trace_drain(&run->trace);
	runner->ended(runner, run->end_kind, r < 0 ? 1 : 0, run->end_text);
	pic_workload_log_line(runner->log, "%s", run->end_text);
	if (run->loop)
		print_figures(run);
	return r < 0 ? 1 : 0;
}
