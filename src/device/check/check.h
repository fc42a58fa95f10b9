/*
 * What `piccolo check` looks at, and what it makes of it. Probes (probe_*.c) fill the facts and judge nothing; the judges
 * (judge*.c) are pure: facts in, numbered findings out. A number stands for the same question for ever.
 *
 * A fact that could not be seen (no root, no kernel support for the question) is PIC_UNSEEN, and its finding says so.
 */
#ifndef PIC_DEVICE_CHECK_CHECK_H
#define PIC_DEVICE_CHECK_CHECK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "device/options.h"

enum pic_seen { PIC_UNSEEN, PIC_NO, PIC_YES };
enum pic_controller { PIC_CONTROLLER_NONE, PIC_CONTROLLER_V1, PIC_CONTROLLER_V2 };

struct pic_check_folder {
	char path[512];
	int error; /* of looking at it, negative errno */
	bool is_folder, read_only;
	uid_t user;
	mode_t mode;
	uint64_t bytes, bytes_free;   /* bytes 0: not known */
	uint64_t inodes, inodes_free; /* inodes 0: the file system does not count them */
};

struct pic_check_facts {
	bool is_root;

	/* the kernel */
	char release[65], machine[65];
	const char *missing_call, *missing_since; /* NULL: every call is there */
	int bpf_error;				  /* of making a small map; 0 fine */
	long jit;				  /* of net.core.bpf_jit_enable; -1: unseen */
	enum pic_seen btf, kprobes;
	enum pic_seen bpffs, bpffs_mounted, tracefs, tracefs_mounted;
	enum pic_seen cgroup_v1, cgroup_v2; /* mounted */
	enum pic_controller memory, pids, cpu;
	struct pic_error cgroup_error; /* of making a group as the supervisor does, when tried */
	enum pic_seen cgroup_tried;
	long user_namespaces; /* how many there may be; -1: the kernel has none */
	int landlock;	      /* version, or negative errno */
	int seccomp_error;
	enum pic_seen root_tried;
	struct pic_error root_error;

	/* the clock */
	int64_t now_ms;
	enum pic_seen synchronised;

	/* Piccolo's own things */
	struct pic_check_folder state, run;
	char policy_file[512];
	struct pic_error policy_error; /* of reading it */
	uid_t policy_user;
	mode_t policy_mode;
	unsigned policy_types, policy_listens;
	uint32_t user_first, user_last;
	enum pic_seen users_seen;
	char taken_by[64]; /* who has a number out of the range, "" nobody */
	uint32_t taken;
	char agent_name[64];
	bool has_agent; /* a user of that name */
	struct pic_error supervisor_error, agent_error;
	long long workloads;

	/* the hub */
	const char *hub, *target; /* as configured, or NULL */
	enum pic_seen joined;	  /* UNSEEN: the agent's folder is closed to us */
	bool hub_asked;
	struct pic_error hub_error; /* of asking it for its authority */
	char hub_url[512];	    /* that was asked */
	char certificate_name[128], joined_as[128];
	int64_t not_before_ms, not_after_ms;
	struct pic_error certificate_error;
	const char *token_file; /* as configured, or NULL */
	enum pic_seen token_there;

	/* the system extension */
	char extension[256]; /* where it lies, "" when there is none */
	bool merged;
	char extension_architecture[32],
		extension_wanted[32]; /* as it says; as this machine is. "": unsaid */
};

enum pic_finding_state {
	PIC_FINDING_OK,
	PIC_FINDING_UNSEEN,
	PIC_FINDING_WARNING,
	PIC_FINDING_ERROR
};

struct pic_finding {
	const char *code; /* "P03" */
	const char *name; /* "BTF" */
	enum pic_finding_state state;
	char text[640];
	char advice[320]; /* "" when there is nothing to do */
};

#define PIC_FINDINGS_MAX 32
#define PIC_CHECK_LOCAL \
	1 /* only what costs nothing: no trial, no socket, no hub; for the start of the agent */

/* What can be seen by this process. `flags`: 0 or PIC_CHECK_LOCAL. */
void pic_check_look(const struct pic_device_options *options, int flags,
		    struct pic_check_facts *out);
void pic_check_look_kernel(struct pic_check_facts *facts, int flags);
void pic_check_look_device(const struct pic_device_options *options, struct pic_check_facts *facts,
			   int flags);
void pic_check_look_hub(const struct pic_device_options *options, struct pic_check_facts *facts,
			int flags);
void pic_check_look_extension(struct pic_check_facts *facts);
const char *pic_finding_word(enum pic_finding_state state); /* "ok", "unseen", "warning", "error" */

/* Pure. How many findings are in `out`. With PIC_CHECK_LOCAL only of what was looked at. */
size_t pic_check_judge(const struct pic_check_facts *facts, int flags,
		       struct pic_finding out[PIC_FINDINGS_MAX]);

#endif
