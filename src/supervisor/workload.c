/*
 * The life of a workload, seen from outside: STARTING -> RUNNING -> STOPPING -> gone, HELD or ENDED.
 *
 * An end has two halves that come in any order and are both waited for: the process (its pidfd) and
 * the cgroup (it can be removed, so nothing is in it). Only then the entry says so.
 */
#include "supervisor/context.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define RETRY_FIRST_MS 5
#define RETRY_MAX_MS 1000

struct pic_workload *pic_workload_find(struct pic_supervisor *supervisor,
				       const struct pic_workload_name *name)
{
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		if (pic_workload_name_compare(&w->entry.name, name) == 0)
			return w;
	return NULL;
}

static void on_retry(void *data);

struct pic_workload *pic_workload_get(struct pic_supervisor *supervisor,
				      const struct pic_workload_name *name, struct pic_error *err)
{
	struct pic_workload *w = pic_workload_find(supervisor, name);

	if (w)
		return w;
	w = calloc(1, sizeof(*w));
	if (!w) {
		pic_error_set(err, -ENOMEM, "no memory for another workload");
		return NULL;
	}
	w->supervisor = supervisor;
	w->entry.name = *name;
	w->pidfd = -1;
	w->swept = true; /* until something of it runs */
	pic_workload_file_text(name, w->file);
	w->next = supervisor->workloads;
	supervisor->workloads = w;
	supervisor->workload_count++;
	return w;
}

void pic_workload_unwatch(struct pic_workload *w)
{
	pic_watch_free(w->watch);
	w->watch = NULL;
	pic_close_fd(&w->pidfd);
}

void pic_workload_free(struct pic_workload *workload)
{
	struct pic_supervisor *supervisor = workload->supervisor;
	struct pic_workload **at = &supervisor->workloads;

	while (*at != workload)
		at = &(*at)->next;
	*at = workload->next;
	supervisor->workload_count--;
	pic_workload_unwatch(workload);
	pic_timer_free(workload->retry);
	pic_timer_free(workload->lease);
	free(workload);
}

void pic_workload_changed(struct pic_workload *workload)
{
	/* the ledger first: what others know, a successor must know as well */
	pic_ledger_write(workload->supervisor, NULL);
	pic_event_send(workload->supervisor, &workload->entry);
}

void pic_workload_ready(struct pic_workload *workload)
{
	if (workload->entry.state != PIC_LEDGER_STARTING)
		return;
	pic_evidence_find(workload);
	workload->entry.state = PIC_LEDGER_RUNNING;
	pic_workload_changed(workload);
}

/* -- ending ----------------------------------------------------------------------------------- */

static void remove_file(int folder, const char *name, int flags)
{
	if (folder >= 0 && unlinkat(folder, name, flags) < 0 && errno != ENOENT &&
	    errno != ENOTEMPTY)
		pic_log(PIC_LOG_WARNING, "file-not-removed", PIC_TEXT("file", name),
			PIC_TEXT("why", strerror(errno)));
}

void pic_workload_remove_files(struct pic_supervisor *supervisor,
			       const struct pic_workload_name *name)
{
	char file[PIC_WORKLOAD_FILE_TEXT], segment[PIC_WORKLOAD_FILE_TEXT + 2];

	pic_workload_file_text(name, file);
	for (int i = 0; i < 2; i++) {
		snprintf(segment, sizeof(segment), "%s.%d", file, i);
		remove_file(supervisor->folders[PIC_LOGS], segment, 0);
	}
	pic_folder_remove(supervisor->folders[PIC_WORK], file, NULL);
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		if (pic_workload_name_compare(&w->entry.name, name) != 0 &&
		    strcmp(w->entry.name.instance, name->instance) == 0)
			return; /* others of this instance still use its folder */
	pic_folder_remove(supervisor->folders[PIC_INSTANCES], name->instance, NULL);
}

static void forget(struct pic_workload *w)
{
	struct pic_supervisor *supervisor = w->supervisor;
	struct pic_ledger_entry evidence = w->entry, gone = w->entry;
	struct pic_waiter *waiters = PIC_STEAL(w->waiters);

	pic_workload_remove_files(supervisor, &w->entry.name);
	pic_log(PIC_LOG_INFO, "workload-removed", PIC_TEXT("workload", w->file),
		PIC_NUMBER("pid", w->entry.pid));
	pic_workload_free(w);
	pic_ledger_write(supervisor, NULL);
	gone.state = 0;
	pic_event_send(supervisor, &gone);
	pic_waiters_answer(supervisor, &waiters, &evidence);
}

static void rest(struct pic_workload *w)
{
	struct pic_waiter *waiters = PIC_STEAL(w->waiters);
	struct pic_ledger_entry evidence;

	w->entry.state = w->hold ? PIC_LEDGER_HELD : PIC_LEDGER_ENDED;
	w->hold = false;
	evidence = w->entry;
	w->entry.pid = 0;
	pic_log(PIC_LOG_INFO, "workload-ended", PIC_TEXT("workload", w->file),
		PIC_NUMBER("pid", evidence.pid), PIC_TEXT("why", w->entry.end_text));
	pic_workload_changed(w);
	pic_waiters_answer(w->supervisor, &waiters, &evidence);
}

static void retry_later(struct pic_workload *w)
{
	if (!w->retry && pic_loop_timer(w->supervisor->loop, on_retry, w, &w->retry, NULL) < 0)
		return; /* the next request for this workload tries again */
	w->retry_ms = w->retry_ms ? 2 * w->retry_ms : RETRY_FIRST_MS;
	if (w->retry_ms > RETRY_MAX_MS)
		w->retry_ms = RETRY_MAX_MS;
	pic_timer_set(w->retry, w->retry_ms);
}

void pic_workload_settle(struct pic_workload *workload)
{
	struct pic_supervisor *supervisor = workload->supervisor;

	if (workload->pidfd >= 0)
		return; /* its exit brings us here again */
	if (pic_cgroup_end(&supervisor->cgroups, workload->file, NULL) < 0) {
		retry_later(workload);
		return;
	}
	if (!pic_lease_sweep(workload))
		return;
	pic_timer_free(PIC_STEAL(workload->lease));
	workload->retry_ms = 0;
	workload->entry.ended_boot_ms = pic_clock_boot_ms();
	if (workload->forget)
		forget(workload);
	else
		rest(workload);
	pic_supervisor_look(supervisor);
}

static void on_retry(void *data)
{
	pic_workload_settle(data);
}

static void on_exit_event(void *data, int fd, uint32_t events)
{
	struct pic_workload *w = data;

	(void)fd;
	(void)events;
	pic_end_find(w);
	pic_workload_unwatch(w);
	pic_workload_settle(w);
}

void pic_workload_stop(struct pic_workload *workload)
{
	if (workload->pidfd >= 0 && workload->entry.state != PIC_LEDGER_STOPPING) {
		workload->entry.state = PIC_LEDGER_STOPPING;
		pic_workload_changed(workload);
	}
	/* by the descriptor too: it may have been forked just now and not have joined its cgroup yet */
	if (workload->pidfd >= 0)
		syscall(SYS_pidfd_send_signal, workload->pidfd, SIGKILL, NULL, 0);
	pic_cgroup_end(&workload->supervisor->cgroups, workload->file, NULL);
	pic_workload_settle(workload);
}

int pic_workload_watch(struct pic_workload *workload, struct pic_error *err)
{
	int pidfd = (int)syscall(SYS_pidfd_open, workload->entry.pid, 0), r;

	if (pidfd < 0)
		return pic_error_errno(err, errno, "process %d cannot be watched",
				       workload->entry.pid);
	r = pic_loop_watch(workload->supervisor->loop, pidfd, EPOLLIN, on_exit_event, workload,
			   &workload->watch, err);
	if (r < 0)
		close(pidfd);
	else
		workload->pidfd = pidfd;
	return r;
}
