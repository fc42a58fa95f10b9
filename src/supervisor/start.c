/*
 * Starting a workload: may it, what it needs, fork, and only when the ledger knows it, go.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "admission/policy.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "supervisor/context.h"
#include "workload/spec_digest.h"

int pic_workload_spec(const struct pic_workload *workload, const struct pic_driver *driver,
		      struct pic_buf *out, struct pic_error *err)
{
	char name[PIC_WORKLOAD_FILE_TEXT + 5];
	int r;

	snprintf(name, sizeof(name), "%s/spec", workload->file);
	r = pic_file_read(workload->supervisor->folders[PIC_WORK], name, out, err);
	if (r == 0 && out->size != driver->spec_size)
		return pic_error_set(err, -EBADMSG, "%s is not a spec of type %s", name,
				     driver->type);
	return r;
}

int pic_workload_limit(const struct pic_workload *workload, const struct pic_driver *driver,
		       const void *spec, struct pic_error *err)
{
	const struct pic_supervisor *supervisor = workload->supervisor;
	uint64_t memory = driver->memory(spec);
	uint32_t tasks = driver->profile.tasks_max;

	if (supervisor->policy && tasks > supervisor->policy->processes_max)
		tasks = supervisor->policy->processes_max;
	return pic_cgroup_make(&supervisor->cgroups, workload->file, memory, tasks ? tasks : 1,
			       err);
}

bool pic_workload_is_held(struct pic_supervisor *supervisor, const char *file)
{
	return faccessat(supervisor->folders[PIC_HOLDS], file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_taken(const void *data, uint32_t user)
{
	const struct pic_workload *own = data;

	for (struct pic_workload *w = own->supervisor->workloads; w; w = w->next)
		if (w != own && w->entry.user == user)
			return true;
	return false;
}

/* A hold outlives the removal of what it was for; who wants that again sees why it does not come. */
static int refuse_held(struct pic_supervisor *supervisor, const struct pic_workload_name *name,
		       struct pic_error *err)
{
	bool known = pic_workload_find(supervisor, name);
	struct pic_workload *w = pic_workload_get(supervisor, name, err);

	if (!w)
		return -ENOMEM;
	if (!known) {
		w->entry.state = PIC_LEDGER_HELD;
		pic_workload_changed(w);
	}
	return pic_error_set(err, -EBUSY, "%s/%s was stopped by hand: `piccolo start %s/%s`",
			     name->instance, name->component, name->instance, name->component);
}

static int may_start(struct pic_supervisor *supervisor,
		     const struct pic_supervisor_request *request, const struct pic_workload *w,
		     const struct pic_driver *driver, struct pic_error *err)
{
	const struct pic_policy *policy = supervisor->policy;
	char file[PIC_WORKLOAD_FILE_TEXT];
	int r;

	pic_workload_file_text(&request->name, file);
	if (supervisor->purging || supervisor->ending)
		return pic_error_set(err, -EAGAIN, "everything is being stopped");
	if (!policy)
		return pic_error_set(err, -EPERM, "%s", supervisor->policy_error.text);
	r = pic_policy_allows_type(policy, request->type, err);
	if (r < 0)
		return r;
	if (!driver || request->spec_size != driver->spec_size)
		return pic_error_set(err, -EINVAL, "the spec of %s is not one of type %s", file,
				     request->type);
	r = driver->check(request->spec, policy, err);
	if (r < 0)
		return r;
	if (pic_workload_is_held(supervisor, file))
		return refuse_held(supervisor, &request->name, err);
	if (w && pic_ledger_entry_lives(&w->entry))
		return pic_error_set(err, -EEXIST, "%s/%s runs already", request->name.instance,
				     request->name.component);
	if (!w && supervisor->workload_count >= policy->workloads_max)
		return pic_error_set(err, -EAGAIN,
				     "policy allows %u workloads: raise workloads-max",
				     policy->workloads_max);
	if (driver->profile.needs_artifact && !pic_store_has(supervisor, request->digest))
		return pic_error_set(err, -ENOENT, "the artifact of %s is not in the store", file);
	return 0;
}

/* The folder of the workload, with its spec and without an old note. */
static int make_folders(struct pic_workload *w, const struct pic_supervisor_request *request,
			struct pic_error *err)
{
	struct pic_supervisor *supervisor = w->supervisor;
	PIC_FD int instance = -1, folder = -1;
	int r;

	r = pic_folder_open(supervisor->folders[PIC_INSTANCES], w->entry.name.instance, true, 0755,
			    0, 0, &instance, err);
	if (r == 0)
		r = pic_folder_open(supervisor->folders[PIC_WORK], w->file, true, 0700, 0, 0,
				    &folder, err);
	if (r == 0)
		r = pic_file_remove(folder, "end", err);
	if (r == 0)
		r = pic_file_write(folder, "spec", 0600, request->spec, request->spec_size,
				   PIC_FILE_VOLATILE, err);
	return r < 0 ? r : PIC_STEAL_FD(folder);
}

static int fill_entry(struct pic_workload *w, const struct pic_supervisor_request *request,
		      const struct pic_permit *permit, struct pic_error *err)
{
	struct pic_ledger_entry *entry = &w->entry;
	struct pic_sha256 asked;
	bool again;

	if (pic_spec_digest(request->type, request->digest, request->spec, request->spec_size,
			    &asked) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to start %s", w->file);
	again = entry->started_boot_ms &&
		memcmp(entry->spec_digest, asked.bytes, sizeof(entry->spec_digest)) == 0;
	entry->restarts = again ? entry->restarts + 1 : 0;
	memcpy(entry->spec_digest, asked.bytes, sizeof(entry->spec_digest));
	memcpy(entry->digest, request->digest, sizeof(entry->digest));
	memcpy(entry->type, request->type, sizeof(entry->type));
	entry->started_boot_ms = pic_clock_boot_ms();
	entry->end_boot_ms = permit->end_boot_ms;
	memcpy(entry->approval, permit->approval, sizeof(entry->approval));
	memset(entry->evidence, 0, sizeof(entry->evidence));
	if (entry->end_kind == PIC_END_NONE) /* a hold, or what an earlier run was denied */
		memset(entry->end_text, 0, sizeof(entry->end_text));
	return 0;
}

/* Forks; the child waits at the gate until `*gate` gets a byte. */
static int spawn(struct pic_workload *w, const struct pic_driver *driver, const void *spec,
		 uint32_t grants, int folder, int *gate, struct pic_error *err)
{
	struct pic_runner_order order = {
		.supervisor = w->supervisor,
		.driver = driver,
		.entry = &w->entry,
		.spec = spec,
		.file = w->file,
		.grants = grants,
		.work_fd = folder,
	};
	struct pic_process process;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return pic_error_errno(err, errno, "%s cannot be started", w->file);
	order.gate_fd = ends[0];
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		pic_runner_main(&order);
	}
	close(ends[0]);
	*gate = ends[1];
	if (pid < 0)
		return pic_error_errno(err, errno, "%s cannot be forked", w->file);
	w->entry.pid = pid;
	w->entry.pid_start = pic_process_look(pid, &process) ? process.start : 0;
	w->entry.state = PIC_LEDGER_STARTING;
	if (pic_workload_watch(w, err) == 0)
		return 0;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return err->code;
}

static int launch(struct pic_workload *w, const struct pic_driver *driver,
		  const struct pic_supervisor_request *request, const struct pic_permit *permit,
		  struct pic_error *err)
{
	PIC_FD int gate = -1;
	PIC_FD int folder = make_folders(w, request, err);
	int r = folder < 0 ? folder : pic_workload_limit(w, driver, request->spec, err);

	if (r == 0)
		r = fill_entry(w, request, permit, err);
	if (r == 0)
		r = pic_lease_arm(w, err);
	if (r == 0) {
		w->swept = false;
		r = spawn(w, driver, request->spec, permit->grants, folder, &gate, err);
	}
	if (r == 0)
		r = pic_ledger_write(w->supervisor, err);
	if (r == 0 && write(gate, "", 1) != 1)
		r = pic_error_set(err, -EPIPE, "%s ended before it began", w->file);
	return r;
}

int pic_workload_start(struct pic_supervisor *supervisor,
		       const struct pic_supervisor_request *request, bool by_root,
		       struct pic_error *err)
{
	const struct pic_driver *driver = pic_driver_find(request->type);
	struct pic_workload *w, *known = pic_workload_find(supervisor, &request->name);
	struct pic_permit permit;
	int r = may_start(supervisor, request, known, driver, err);

	if (r == 0)
		r = pic_permit(supervisor, request, by_root, driver, &permit, err);
	if (r < 0)
		return r;
	w = pic_workload_get(supervisor, &request->name, err);
	if (!w)
		return -ENOMEM;
	w->forget = w->hold = false;
	r = pic_policy_choose_user(supervisor->policy, w->file, is_taken, w, &w->entry.user, err);
	if (r == 0)
		r = launch(w, driver, request, &permit, err);
	if (r < 0) {
		/* whatever was made of it goes again, the child included: its gate is closed */
		w->forget = !known;
		pic_workload_stop(w);
		return r;
	}
	pic_log(PIC_LOG_INFO, "workload-started", PIC_TEXT("workload", w->file),
		PIC_NUMBER("pid", w->entry.pid), PIC_NUMBER("user", w->entry.user),
		PIC_NUMBER("restarts", w->entry.restarts));
	pic_event_send(supervisor, &w->entry);
	return 0;
}
