/*
 * A driver: everything Piccolo knows about one type of workload, behind one small interface that
 * shows who runs what. A driver is a folder and one line in drivers.c.
 *
 *   parse    agent (unprivileged): properties of a component -> a fixed-size struct, the spec
 *   check    supervisor (root), pure: spec and policy -> allowed or the sentence why not
 *   grants   supervisor (root), pure: spec, policy and one socket -> allowed or the sentence why not
 *   profile  constant: what the supervisor must prepare
 *   open     root.c, in the child, before privileges go: descriptors that only root can get
 *   run      in the runner, without privileges, on descriptors only
 *   sweep    root.c: undo what outlived its owner
 *
 * The spec is copied as bytes: no pointers, every text NUL-terminated inside its array, every count
 * bounded. It comes from the agent, so check() and open() trust nothing in it.
 */
#ifndef PIC_WORKLOAD_DRIVER_H
#define PIC_WORKLOAD_DRIVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/json.h"
#include "protocol/policy.h"
#include "protocol/supervisor.h"
#include "workload/broker.h"

struct pic_workload_log; /* workload/log.h */

enum pic_run_mode {
	PIC_RUN_FORK, /* the runner is a fork of the supervisor: pages are shared */
	PIC_RUN_EXEC, /* the workload is another program */
};

struct pic_profile {
	enum pic_run_mode mode;
	bool needs_artifact;
	bool needs_broker;	    /* gets listeners and connections from the supervisor */
	bool tells_metrics;	    /* answers PIC_BROKER_SCRAPE; needs the broker */
	bool asks_uplink;	    /* may have PIC_BROKER_UPLINK; needs the broker */
	uint64_t keep_capabilities; /* bits of CAP_*; 0 for nearly all */
	uint64_t memory_overhead;   /* bytes the runner needs besides what the spec asks for */
	uint32_t tasks_max;
};

#define PIC_RUNNER_FILES_MAX 16

/* What the runner stands on. Everything is open already; nothing can be opened later. */
struct pic_runner {
	const struct pic_workload_name *name;
	const void *spec;
	const struct pic_policy *policy;
	int artifact_fd; /* read-only, the store's copy; -1 when none */
	int broker_fd;	 /* datagram socket to the supervisor, see workload/broker.h */
	int files[PIC_RUNNER_FILES_MAX]; /* what open() got, in its order; -1 ends */
	struct pic_workload_log *log; /* the workload's standard output and error, line by line */
	/* Tell the supervisor that the workload is up (once). */
	void (*ready)(struct pic_runner *runner);
	/* What proves that it is there, for people: "program 12, link 7 on eth0". Before ready. */
	void (*proved)(struct pic_runner *runner, const char *evidence);
	/* Leave the note from which an end is known even when no supervisor sees it. Call before return. */
	void (*ended)(struct pic_runner *runner, enum pic_end_kind kind, int value,
		      const char *text);
	void *context;	     /* of ready and ended */
	int64_t end_boot_ms; /* lease: gone by then, CLOCK_BOOTTIME; 0: none */
	uint32_t grants;     /* bits of enum pic_grant that ticket or policy gave */
	struct pic_uplink uplink;
};

/* Where open() may look. */
struct pic_open_context {
	const struct pic_workload_name *name;
	const struct pic_policy *policy;
	int instance_fd; /* folder of the instance in the runtime folder: its trace pipe lives there */
	uid_t user;
	int artifact_fd; /* as in pic_runner; lent */
	int log_fds[2];	 /* segments of its log; lent; -1: none */
	int64_t end_boot_ms;
	uint32_t grants;
	struct pic_uplink uplink;
};

struct pic_driver {
	const char *type; /* "wasm" */
	size_t spec_size;
	struct pic_profile profile;
	int (*parse)(const struct pic_json *properties, void *spec, struct pic_error *err);
	int (*check)(const void *spec, const struct pic_policy *policy, struct pic_error *err);
	/* supervisor, pure: may a runner of this spec have the socket it asks the broker for? `wanted` is one
	 * port and one address (local for listen and bind, the peer for connect). 0, or -EPERM with the
	 * sentence. NULL when profile.needs_broker is false. */
	int (*grants)(const void *spec, enum pic_broker_operation operation,
		      const struct pic_policy_ports *wanted, const struct pic_policy *policy,
		      struct pic_error *err);
	/* pure: SHA-256 over what of the spec a ticket binds (hooks); NULL: a type that never needs a ticket */
	void (*terms)(const void *spec, unsigned char out[32]);
	/* pure: the longest life the spec asks for, in seconds; NULL: a type without leases */
	uint32_t (*lease)(const void *spec);
	/* bytes of memory the cgroup must allow */
	uint64_t (*memory)(const void *spec);
	/* pure: may the runner write to files besides its log, which then cannot be bounded? NULL: no */
	bool (*writes)(const void *spec);
	/* -ENOEXEC: it can never run as it is; -ETIME: its time was over before */
	int (*open)(const void *spec, const struct pic_open_context *context,
		    int files[PIC_RUNNER_FILES_MAX], struct pic_error *err);
	/* Sandbox steps that only the driver knows (its seccomp list); called last before run. */
	int (*confine)(const struct pic_runner *runner, struct pic_error *err);
	int (*run)(struct pic_runner *runner); /* exit status of the process */
	/* Undoes what outlived its owner, and nothing else; in a child, while nothing of it is started. `gone`: one
	 * workload has just ended, only what was its own is looked for. NULL, before anything is started: what
	 * bears our mark and belongs to none of `live` (their runners are alive and within their time) is
	 * ownerless. NULL in the table: nothing ever outlives its owner. */
	int (*sweep)(const struct pic_ledger_entry *gone, const struct pic_ledger_entry *live,
		     size_t live_count, struct pic_error *err);
};

/* NULL for an unknown type. */
const struct pic_driver *pic_driver_find(const char *type);
/* In order; NULL ends. */
const struct pic_driver *pic_driver_at(size_t index);

#endif
