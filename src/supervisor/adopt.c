/*
 * What a former supervisor left: processes that the ledger names are watched on, processes that it does
 * not name are ended, entries without a process get their end. A process is the one of the entry
 * when pid, start time and cgroup agree; one of the same user in another supervisor's cgroup, a unit's for
 * one, could not be limited: it is ended, so that nothing runs twice.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "protocol/binding.h"
#include "supervisor/context.h"

/* Limits anew (the controllers may have been away), and the broker. */
static void restore(struct pic_workload *w)
{
	const struct pic_driver *driver = pic_driver_find(w->entry.type);
	PIC_BUF struct pic_buf spec = PIC_BUF_INIT(PIC_SPEC_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	int r = driver ? pic_workload_spec(w, driver, &spec, &err) : -ENOENT;

	if (r == 0)
		r = pic_workload_limit(w, driver, spec.data, &err);
	if (r == 0 && driver->profile.needs_broker)
		r = pic_broker_adopt(w, &err);
	if (r < 0)
		pic_log(PIC_LOG_WARNING, "workload-half-adopted", PIC_TEXT("workload", w->file),
			PIC_TEXT("why", err.text));
}

static bool is_its_process(struct pic_workload *w, bool *here)
{
	const struct pic_ledger_entry *entry = &w->entry;
	struct pic_process process;

	/* the pidfd first: what is compared afterwards cannot become another process */
	if (entry->pid <= 0 || pic_workload_watch(w, NULL) < 0 ||
	    !pic_process_look(entry->pid, &process) || process.start != entry->pid_start ||
	    process.is_zombie)
		return false;
	*here = pic_cgroup_holds(&w->supervisor->cgroups, w->file, entry->pid);
	return *here || pic_process_is_of(entry->pid, entry->user);
}

static void adopt_process(struct pic_workload *w)
{
	const struct pic_ledger_entry *entry = &w->entry;
	bool here;

	w->swept = false;
	if (is_its_process(w, &here)) {
		if (!here) {
			pic_log(PIC_LOG_WARNING, "workload-elsewhere",
				PIC_TEXT("workload", w->file), PIC_NUMBER("pid", entry->pid));
			pic_workload_stop(w);
			return;
		}
		pic_log(PIC_LOG_INFO, "workload-adopted", PIC_TEXT("workload", w->file),
			PIC_NUMBER("pid", entry->pid));
		restore(w);
		if (pic_workload_was_ready(w))
			pic_workload_ready(w);
		if (entry->state == PIC_LEDGER_STOPPING || pic_lease_is_over(w) ||
		    pic_lease_arm(w, NULL) < 0 ||
		    !pic_binding_holds(&w->supervisor->ledger, w->supervisor->bindings, entry))
			pic_workload_stop(w);
		return;
	}
	pic_workload_unwatch(w);
	pic_end_find(w);
	pic_workload_settle(w);
}

static void end_stranger(void *data, const char *file)
{
	struct pic_supervisor *supervisor = data;
	struct pic_workload_name name;
	struct pic_workload *w;

	if (pic_workload_file_parse(file, &name) < 0)
		return;
	w = pic_workload_find(supervisor, &name);
	if (w && pic_ledger_entry_lives(&w->entry))
		return;
	w = pic_workload_get(supervisor, &name, NULL);
	if (!w)
		return;
	pic_log(PIC_LOG_WARNING, "stranger-ended", PIC_TEXT("cgroup", file));
	w->forget = w->entry.state == 0;
	w->swept = false;
	pic_workload_stop(w);
}

/* What a person stopped by hand stays stopped, over reboots too. */
static void read_holds(struct pic_supervisor *supervisor)
{
	int fd = openat(supervisor->folders[PIC_HOLDS], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct pic_workload_name name;

	for (struct dirent *item; folder && (item = readdir(folder));) {
		struct pic_workload *w;

		if (pic_workload_file_parse(item->d_name, &name) < 0)
			continue;
		w = pic_workload_get(supervisor, &name, NULL);
		if (!w)
			continue;
		w->hold = pic_ledger_entry_lives(&w->entry);
		if (w->hold)
			pic_workload_stop(w);
		else
			w->entry.state = PIC_LEDGER_HELD;
	}
	if (folder)
		closedir(folder);
}

void pic_adopt(struct pic_supervisor *supervisor)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_ledger_read(supervisor, &err) < 0 && err.code != -ENOENT)
		pic_log(PIC_LOG_ERROR, "ledger-not-read", PIC_TEXT("why", err.text));
	for (struct pic_workload *w = supervisor->workloads, *next; w; w = next) {
		next = w->next;
		if (pic_ledger_entry_lives(&w->entry))
			adopt_process(w);
	}
	pic_cgroups_each(&supervisor->cgroups, end_stranger, supervisor);
	read_holds(supervisor);
	pic_ledger_write(supervisor, NULL);
	pic_leases_sweep(supervisor);
}
