#include "supervisor/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/notify.h"
#include "sandbox/privilege.h"
#include "supervisor/context.h"

#define RUN_FOLDER "/run/piccolo"
#define AGENT_USER 1899999999 /* below the workload users of the shipped policy */

/* -- folders and users ------------------------------------------------------------------------ */

/* The top folders must be root's: whoever can write there is root anyway. */
static int open_top(const char *path, int *out, struct pic_error *err)
{
	struct stat facts;
	PIC_FD int fd = -1;
	int r = pic_folder_open(AT_FDCWD, path, true, 0755, 0, 0, &fd, err);

	if (r < 0)
		return r;
	if (fstat(fd, &facts) < 0 || facts.st_uid != 0 || facts.st_mode & 022)
		return pic_error_set(err, -EPERM,
				     "%s must belong to root and be writable by nobody else: chown "
				     "root and chmod 0755 it",
				     path);
	*out = PIC_STEAL_FD(fd);
	return 0;
}

static const struct {
	bool is_state; /* else: of the run folder */
	const char *name;
	mode_t mode;
} folders[PIC_FOLDERS] = {
	[PIC_WORK] = { false, "w", 0700 },     [PIC_INSTANCES] = { false, "i", 0755 },
	[PIC_STORE] = { true, "store", 0755 }, [PIC_LOGS] = { true, "log", 0700 },
	[PIC_HOLDS] = { true, "held", 0700 },
};

/* With `empty`, without anything that was in them. */
static int open_folders(struct pic_supervisor *supervisor, bool empty, struct pic_error *err)
{
	int r = 0;

	for (int i = 0; r == 0 && i < PIC_FOLDERS; i++) {
		int parent = folders[i].is_state ? supervisor->state_fd : supervisor->run_fd;

		if (empty) {
			pic_close_fd(&supervisor->folders[i]);
			r = pic_folder_remove(parent, folders[i].name, err);
		}
		if (r == 0)
			r = pic_folder_open(parent, folders[i].name, true, folders[i].mode, 0, 0,
					    &supervisor->folders[i], err);
	}
	if (r == 0) /* what a power cut or a killed child left half written */
		r = pic_folder_sweep(supervisor->folders[PIC_STORE], err);
	return r;
}

/* "piccolo" for the usual run folder; others (tests, a second device) get a name of their own. */
static void name_cgroup(struct pic_supervisor *supervisor)
{
	char *path = realpath(supervisor->settings->run_folder, NULL);
	struct pic_sha256 digest;
	char text[PIC_SHA256_TEXT];

	snprintf(supervisor->cgroup_folder, sizeof(supervisor->cgroup_folder), "piccolo");
	if (path && strcmp(path, RUN_FOLDER) != 0) {
		pic_sha256_of(path, strlen(path), &digest);
		pic_sha256_text(&digest, text);
		snprintf(supervisor->cgroup_folder, sizeof(supervisor->cgroup_folder),
			 "piccolo-%.12s", text);
	}
	free(path);
}

int pic_agent_folders_make(struct pic_supervisor *supervisor, struct pic_error *err)
{
	PIC_FD int state = -1, run = -1;
	int r = pic_folder_open(supervisor->state_fd, "agent", true, 0700, supervisor->agent_user,
				supervisor->agent_group, &state, err);

	if (r == 0)
		r = pic_folder_open(supervisor->run_fd, "agent", true, 0755, supervisor->agent_user,
				    supervisor->agent_group, &run, err);
	return r;
}

struct pic_child **pic_job_slot(struct pic_supervisor *supervisor)
{
	for (unsigned i = 0; i < PIC_JOBS_MAX; i++)
		if (!supervisor->jobs[i])
			return &supervisor->jobs[i];
	return NULL;
}

/* -- ending ----------------------------------------------------------------------------------- */

static void stop_all(struct pic_supervisor *supervisor, bool forget)
{
	for (struct pic_workload *w = supervisor->workloads, *next; w; w = next) {
		next = w->next;
		w->forget |= forget;
		if (forget || pic_ledger_entry_lives(&w->entry))
			pic_workload_stop(w);
	}
}

static void purge_done(struct pic_supervisor *supervisor)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (open_folders(supervisor, true, &err) < 0)
		pic_log(PIC_LOG_ERROR, "purge-failed", PIC_TEXT("why", err.text));
	memset(&supervisor->ledger, 0, sizeof(supervisor->ledger));
	pic_ledger_write(supervisor, NULL);
	supervisor->purging = false;
	pic_log(PIC_LOG_INFO, "purged");
	pic_waiters_answer(supervisor, &supervisor->purge, NULL);
	if (supervisor->settings->purge) {
		supervisor->ending = true;
		pic_loop_stop(supervisor->loop);
	}
}

static bool is_swept(const struct pic_supervisor *supervisor)
{
	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		if (w->entry.state == PIC_LEDGER_STOPPING || w->entry.state == 0)
			return false;
	return true;
}

void pic_supervisor_look(struct pic_supervisor *supervisor)
{
	bool lives = false;

	for (struct pic_workload *w = supervisor->workloads; w; w = w->next)
		lives |= pic_ledger_entry_lives(&w->entry);
	if (supervisor->settings->sweep && is_swept(supervisor))
		pic_loop_stop(supervisor->loop);
	if (supervisor->purging && !supervisor->workloads)
		purge_done(supervisor);
	if (supervisor->ending && !lives)
		pic_loop_stop(supervisor->loop);
}

void pic_supervisor_purge(struct pic_supervisor *supervisor)
{
	supervisor->purging = true;
	stop_all(supervisor, true);
	pic_supervisor_look(supervisor);
}

static void on_end_signal(void *data, int signo)
{
	struct pic_supervisor *supervisor = data;

	pic_log(PIC_LOG_INFO, "ending", PIC_NUMBER("signal", signo));
	pic_notify("STOPPING=1");
	if (!supervisor->settings->ends_workloads && !supervisor->ending && signo != SIGUSR1) {
		pic_loop_stop(supervisor->loop);
		return;
	}
	supervisor->ending = true;
	stop_all(supervisor, false);
	pic_supervisor_look(supervisor);
}

static void on_reload_signal(void *data, int signo)
{
	struct pic_error err = PIC_ERROR_INIT;

	(void)signo;
	pic_policy_load(data, &err);
}

static void on_replace_signal(void *data, int signo)
{
	struct pic_supervisor *supervisor = data;

	(void)signo;
	supervisor->replace = true;
	pic_loop_stop(supervisor->loop);
}

/* -- beginning -------------------------------------------------------------------------------- */

static int serve(struct pic_supervisor *supervisor, struct pic_error *err)
{
	const struct pic_supervisor_settings *settings = supervisor->settings;
	int r;

	supervisor->agent_user = settings->agent_user;
	supervisor->agent_group = settings->agent_group;
	/* without a policy nothing may start, but what runs is looked after */
	pic_policy_load(supervisor, &supervisor->policy_error);
	if (supervisor->agent_user == (uid_t)-1)
		supervisor->agent_user = supervisor->agent_group =
			supervisor->policy ? supervisor->policy->user_first - 1 : AGENT_USER;
	r = pic_agent_folders_make(supervisor, err);
	if (r == 0)
		r = pic_connections_open(supervisor, err);
	if (r < 0)
		return r;
	if (settings->serving)
		settings->serving(settings->data, supervisor->agent_user, supervisor->agent_group);
	r = pic_environment_hide(
		err); /* from the runners that will be forked; the agent has its own */
	if (r < 0)
		return r;
	pic_log(PIC_LOG_INFO, "supervisor-ready", PIC_TEXT("run", settings->run_folder),
		PIC_TEXT("cgroup", supervisor->cgroup_folder),
		PIC_NUMBER("agent-user", supervisor->agent_user),
		PIC_NUMBER("workloads", supervisor->workload_count));
	pic_notify("READY=1");
	pic_memory_give_back(); /* what only the start has needed */
	return 0;
}

static int take_signals(struct pic_supervisor *supervisor, struct pic_error *err)
{
	struct {
		int signo;
		pic_signal_fn *fn;
	} const signals[] = {
		{ SIGTERM, on_end_signal },   { SIGINT, on_end_signal },
		{ SIGUSR1, on_end_signal }, /* the machine goes down: workloads end first */
		{ SIGHUP, on_reload_signal }, { SIGUSR2, on_replace_signal },
	};
	int r = 0;

	signal(SIGPIPE, SIG_IGN); /* a child may be gone before its gate is opened */
	for (size_t i = 0; r == 0 && i < PIC_COUNT(signals); i++)
		r = pic_loop_signal(supervisor->loop, signals[i].signo, signals[i].fn, supervisor,
				    err);
	return r;
}

static int begin(struct pic_supervisor *supervisor, struct pic_error *err)
{
	ssize_t size =
		readlink("/proc/self/exe", supervisor->program, sizeof(supervisor->program) - 1);
	int r;

	if (geteuid() != 0)
		return pic_error_set(err, -EPERM, "the supervisor needs root: use sudo");
	if (size < 0)
		return pic_error_errno(err, errno, "/proc/self/exe cannot be read, mount /proc");
	umask(0077); /* folders and sockets get their modes by name */
	r = open_top(supervisor->settings->run_folder, &supervisor->run_fd, err);
	if (r == 0)
		r = open_top(supervisor->settings->state_folder, &supervisor->state_fd, err);
	if (r == 0)
		r = open_folders(supervisor, false, err);
	if (r < 0)
		return r;
	name_cgroup(supervisor);
	r = pic_cgroups_open(&supervisor->cgroups, supervisor->cgroup_folder, err);
	if (r == 0)
		r = pic_loop_new(&supervisor->loop, err);
	if (r == 0)
		r = take_signals(supervisor, err);
	if (r == 0)
		r = pic_watchdog_start(&supervisor->watchdog, supervisor->loop, err);
	if (r == 0)
		r = pic_broker_open(supervisor, err);
	if (r < 0)
		return r;
	if (supervisor->cgroups.tree[PIC_CGROUP_MEMORY].fd < 0)
		pic_log(PIC_LOG_WARNING, "no-memory-limits",
			PIC_TEXT("why", "no cgroup tree offers the memory controller"));
	pic_adopt(supervisor);
	if (supervisor->settings->sweep)
		return 0;
	if (!supervisor->settings->purge)
		return serve(supervisor, err);
	pic_supervisor_purge(supervisor);
	return 0;
}

static void finish(struct pic_supervisor *supervisor)
{
	const struct pic_supervisor_settings *settings = supervisor->settings;

	for (unsigned i = 0; i < PIC_JOBS_MAX; i++)
		if (supervisor->jobs[i])
			pic_child_cancel(supervisor->jobs[i]);
	if (settings->ending)
		settings->ending(settings->data);
	if (supervisor->ending) { /* nothing runs: nothing need be remembered */
		pic_folder_remove(AT_FDCWD, settings->run_folder, NULL);
		pic_cgroups_close(&supervisor->cgroups, supervisor->cgroup_folder, true);
	}
	if (supervisor->replace) {
		pic_log(PIC_LOG_INFO, "replaced-in-place",
			PIC_TEXT("program", supervisor->program));
		execv(supervisor->program, settings->argv);
		pic_log(PIC_LOG_ERROR, "not-replaced", PIC_TEXT("why", strerror(errno)));
	}
}

int pic_supervisor_run(const struct pic_supervisor_settings *settings, struct pic_error *err)
{
	static struct pic_supervisor supervisor;
	int r;

	supervisor.settings = settings;
	r = begin(&supervisor, err);
	if (r == 0 && !(settings->purge && supervisor.ending) &&
	    !(settings->sweep && is_swept(&supervisor)))
		r = pic_loop_run(supervisor.loop, err);
	finish(&supervisor);
	return r;
}
