/*
 * The supervisor's one context struct, and what its files offer each other.
 *
 *   supervisor.c  set-up, signals, end, replacement in place
 *   connection.c  supervisor.sock: connections, replies, events
 *   request.c     what each operation does
 *   workload.c    the life of a workload: the list, stop, exit, removal
 *   start.c       its start; end.c: why it ended
 *   runner.c      the child's way from fork to the workload's own code
 *   adopt.c       what a former supervisor left running
 *   ledger.c      the ledger file and the stamps
 *   store.c       artifacts
 *   ticket.c      what tickets allow: bindings, and who may start
 *   lease.c       ends, and what outlives its owner
 *   broker.c      sockets for runners
 *   policy.c      policy.conf
 */
#ifndef PIC_SUPERVISOR_CONTEXT_H
#define PIC_SUPERVISOR_CONTEXT_H

#include "base/child.h"
#include "base/cleanup.h"
#include "base/loop.h"
#include "base/notify.h"
#include "base/message_server.h"
#include "crypto/digest.h"
#include "protocol/ledger.h"
#include "protocol/policy.h"
#include "sandbox/cgroup.h"
#include "supervisor/supervisor.h"
#include "workload/driver.h"

/* Somebody who waits for the answer to a request. */
struct pic_waiter {
	struct pic_waiter *next;
	uint64_t connection; /* serial; the connection may be gone by then */
	uint64_t request;
	uid_t user;
};

struct pic_workload {
	struct pic_workload *next;
	struct pic_supervisor *supervisor;
	struct pic_ledger_entry entry;
	char file[PIC_WORKLOAD_FILE_TEXT]; /* its cgroup, its folder, its log */
	int pidfd;			   /* -1: no process */
	struct pic_watch *watch;
	struct pic_timer *retry; /* while its cgroup still has processes */
	int64_t retry_ms;
	struct pic_timer *lease; /* when it has an end */
	struct pic_child *sweep; /* undoing what it left behind */
	bool swept;
	bool forget;	       /* when it has ended: the entry goes, and its log */
	bool hold;	       /* when it has ended: state HELD */
	int64_t told_since_ms; /* a minute in which so many refusals were told */
	unsigned told;
	struct pic_waiter *waiters;
};

#define PIC_JOBS_MAX 4

/* The supervisor's folders below RUN and STATE. */
enum pic_supervisor_folder {
	PIC_WORK,      /* RUN/w/<file>: spec and end note of each workload */
	PIC_INSTANCES, /* RUN/i/<instance>: what workloads of one instance share */
	PIC_STORE,     /* STATE/store/<sha256> */
	PIC_LOGS,      /* STATE/log/<file>.0 and .1 */
	PIC_HOLDS,     /* STATE/held/<file>: stopped by hand */
	PIC_FOLDERS,
};

struct pic_supervisor {
	const struct pic_supervisor_settings *settings;
	struct pic_loop *loop;
	struct pic_watchdog watchdog;
	struct pic_cgroups cgroups;
	char cgroup_folder[32];
	char program[256]; /* for its replacement in place */
	int run_fd, state_fd;
	int folders[PIC_FOLDERS];
	struct pic_message_server *server;
	int broker_fd;
	struct pic_watch *broker_watch;
	uid_t agent_user;
	gid_t agent_group;
	struct pic_policy *policy;     /* NULL: none could be read, nothing may start */
	struct pic_error policy_error; /* why */
	struct pic_workload *workloads;
	unsigned workload_count;
	struct pic_child
		*jobs[PIC_JOBS_MAX];   /* artifacts being taken over, tickets being checked */
	struct pic_ledger_head ledger; /* the stamps */
	struct pic_binding bindings[PIC_BINDINGS_MAX];
	struct pic_look *looks;	  /* tickets being checked */
	bool closing_unwritten;	  /* the file still has something open that was taken back */
	struct pic_waiter *purge; /* who waits for it */
	bool purging;		  /* everything is being removed */
	bool ending;		  /* everything is being stopped, then the loop ends */
	bool replace;		  /* the loop ends for execve */
};

/* supervisor.c: ends what was only waiting for the last workload to go. */
void pic_supervisor_look(struct pic_supervisor *supervisor);
void pic_supervisor_purge(struct pic_supervisor *supervisor);
/* Where the next child goes; NULL: as many as may be are at work. */
/* The agent's own folders, state and runtime, where they are missing. */
int pic_agent_folders_make(struct pic_supervisor *supervisor, struct pic_error *err);
struct pic_child **pic_job_slot(struct pic_supervisor *supervisor);

/* connection.c */
int pic_connections_open(struct pic_supervisor *supervisor, struct pic_error *err);
/* A message with `count` descriptors to that connection, if it still exists. */
void pic_message_to(struct pic_supervisor *supervisor, uint64_t connection,
		    const struct pic_supervisor_message *message, const int *fds, unsigned count);
void pic_reply_status(struct pic_supervisor *supervisor, const struct pic_waiter *who, int status,
		      const char *text, const struct pic_ledger_entry *evidence);
/* To all who subscribed. */
void pic_message_all(struct pic_supervisor *supervisor,
		     const struct pic_supervisor_message *message);
/* The entry to all who subscribed; state 0 when it is gone. */
void pic_event_send(struct pic_supervisor *supervisor, const struct pic_ledger_entry *entry);
int pic_waiter_add(struct pic_waiter **list, const struct pic_waiter *who, struct pic_error *err);
/* Status 0 to each, and the list is empty. */
void pic_waiters_answer(struct pic_supervisor *supervisor, struct pic_waiter **list,
			const struct pic_ledger_entry *evidence);

/* request.c; fd is a descriptor that came along (-1: none), closed by the caller. */
void pic_request_handle(struct pic_supervisor *supervisor, const struct pic_waiter *who,
			const struct pic_supervisor_request *request, int fd);

/* workload.c */
struct pic_workload *pic_workload_find(struct pic_supervisor *supervisor,
				       const struct pic_workload_name *name);
/* Finds it, or puts one into the list that has only its name; NULL: no memory. */
struct pic_workload *pic_workload_get(struct pic_supervisor *supervisor,
				      const struct pic_workload_name *name, struct pic_error *err);
void pic_workload_free(struct pic_workload *workload);
/* The ledger and the subscribers learn what the entry says now. */
void pic_workload_changed(struct pic_workload *workload);
void pic_workload_ready(struct pic_workload *workload); /* STARTING -> RUNNING */
/* Ends its process, if there is one; what follows depends on `forget` and `hold`. May free it. */
void pic_workload_stop(struct pic_workload *workload);
/* Its process is gone or was never there: what is left of it goes, then its entry says so. May free it. */
void pic_workload_settle(struct pic_workload *workload);
/* Opens the pidfd of entry.pid and waits for its end. */
int pic_workload_watch(struct pic_workload *workload, struct pic_error *err);
void pic_workload_unwatch(struct pic_workload *workload);
/* Log, folders: everything that lies about under this name but its hold. */
void pic_workload_remove_files(struct pic_supervisor *supervisor,
			       const struct pic_workload_name *name);

/* start.c */
int pic_workload_start(struct pic_supervisor *supervisor,
		       const struct pic_supervisor_request *request, bool by_root,
		       struct pic_error *err);
/* What it was started with, from its folder; -EBADMSG when that is not a spec of the driver. */
int pic_workload_spec(const struct pic_workload *workload, const struct pic_driver *driver,
		      struct pic_buf *out, struct pic_error *err);
/* Its cgroup, made when absent, with its limits. */
int pic_workload_limit(const struct pic_workload *workload, const struct pic_driver *driver,
		       const void *spec, struct pic_error *err);
bool pic_workload_is_held(struct pic_supervisor *supervisor, const char *file);

/* end.c */
void pic_end_find(struct pic_workload *workload); /* fills in why its process ended, and reaps it */
void pic_evidence_find(struct pic_workload *workload); /* fills in what its note proves */
bool pic_workload_was_ready(const struct pic_workload *workload); /* by its note */

/* runner.c: in the child; never returns. */
struct pic_runner_order {
	struct pic_supervisor *supervisor;
	const struct pic_driver *driver;
	const struct pic_ledger_entry *entry;
	const void *spec;
	const char *file;
	uint32_t grants;
	int work_fd; /* RUN/w/<file> */
	int gate_fd; /* one byte: the ledger knows you, go; the end: nobody does */
};
void pic_runner_main(const struct pic_runner_order *order) __attribute__((noreturn));

/* adopt.c */
void pic_adopt(struct pic_supervisor *supervisor);

/* ledger.c */
int pic_ledger_read(struct pic_supervisor *supervisor, struct pic_error *err);
int pic_ledger_write(struct pic_supervisor *supervisor, struct pic_error *err); /* logs a failure */
int pic_stamp_make(struct pic_supervisor *supervisor, unsigned char out[PIC_STAMP_SIZE],
		   struct pic_error *err);

/* store.c */
int pic_store_take(struct pic_supervisor *supervisor, const struct pic_waiter *who,
		   const struct pic_supervisor_request *request, int fd, struct pic_error *err);
bool pic_store_has(struct pic_supervisor *supervisor, const unsigned char digest[PIC_DIGEST_SIZE]);
int pic_store_drop(struct pic_supervisor *supervisor, const unsigned char digest[PIC_DIGEST_SIZE],
		   struct pic_error *err);

/* ticket.c */
int pic_ticket_take(struct pic_supervisor *supervisor, const struct pic_waiter *who,
		    const struct pic_supervisor_request *request, struct pic_error *err);
/* Whatever allowed the workload does so no more. An error: it does not, but a successor would not know; each later
 * change of the ledger tries again, and so does each call. */
int pic_permissions_close(struct pic_supervisor *supervisor, const struct pic_workload_name *name,
			  struct pic_error *err);

struct pic_permit {
	int64_t end_boot_ms; /* 0: none */
	uint32_t grants;
	unsigned char approval[PIC_APPROVAL_SIZE]; /* zeros: none was needed */
};
/* May it start, and until when? -EPERM with the sentence. */
int pic_permit(struct pic_supervisor *supervisor, const struct pic_supervisor_request *request,
	       bool by_root, const struct pic_driver *driver, struct pic_permit *out,
	       struct pic_error *err);

/* lease.c */
int pic_lease_arm(struct pic_workload *workload, struct pic_error *err);
bool pic_lease_is_over(const struct pic_workload *workload);
/* True when nothing of it is left in the kernel; else pic_workload_settle is called when that is so. */
bool pic_lease_sweep(struct pic_workload *workload);
/* At the start: what belongs to nobody who lives. Waits for it. */
void pic_leases_sweep(struct pic_supervisor *supervisor);

/* broker.c */
int pic_broker_open(struct pic_supervisor *supervisor, struct pic_error *err);
int pic_broker_connect(struct pic_supervisor *supervisor, int fd, struct pic_error *err);
/* The read end of a pipe into which the runner writes its figures. */
int pic_broker_scrape(struct pic_workload *workload, int *fd, struct pic_error *err);
/* The socket of a runner that was a former supervisor's. */
int pic_broker_adopt(struct pic_workload *workload, struct pic_error *err);

/* policy.c: puts policy.conf in force, or leaves the former policy. Logs a failure. */
int pic_policy_load(struct pic_supervisor *supervisor, struct pic_error *err);

#endif
