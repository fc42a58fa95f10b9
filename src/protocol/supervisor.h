/*
 * What the agent (and root's command line) says to the supervisor: fixed-size structs over a
 * SOCK_SEQPACKET Unix socket, RUN_DIR/supervisor.sock. The peer is known by SO_PEERCRED: the agent's
 * user may use the operations below PIC_SUPERVISOR_ROOT_ONLY, root all of them.
 *
 * Every request gets exactly one reply with the same id, not necessarily in order: the supervisor
 * never blocks, a child copies and hashes. A connection that sent SUBSCRIBE also gets events (id 0).
 *
 * Requests choose only among what policy allows; each text is NUL-terminated inside its array, each
 * enum checked, each count bounded. A malformed request closes the connection.
 */
#ifndef PIC_PROTOCOL_SUPERVISOR_H
#define PIC_PROTOCOL_SUPERVISOR_H

#include <stdint.h>

#include "protocol/document.h"

#define PIC_SUPERVISOR_VERSION 2
#define PIC_SPEC_MAX 12288
#define PIC_STAMP_SIZE 16
#define PIC_EVIDENCE_TEXT 120

enum pic_supervisor_operation {
	PIC_SUPERVISOR_SUBSCRIBE =
		1, /* events from now on; the reply carries policy's digest in `text` */
	PIC_SUPERVISOR_LIST, /* one ENTRY message for each ledger entry, one BINDING for each binding, then the
			      * reply (count of entries in value) */
	PIC_SUPERVISOR_STAMP, /* a fresh stamp in reply.stamp; kept in the ledger with its boot time */
	PIC_SUPERVISOR_TAKE,  /* SCM_RIGHTS: an open file of `size` bytes that should have `digest`;
				       * copied into the root-owned store while hashing. -EBADMSG: other bytes;
				       * -EFBIG, -EDQUOT: policy's limits; -EAGAIN: four are under way */
	PIC_SUPERVISOR_HAS,   /* is `digest` in the store? value 1 or 0 */
	PIC_SUPERVISOR_DROP,  /* remove `digest` from the store; -EBUSY while in use */
	PIC_SUPERVISOR_START, /* spec, type, digest; replaces an entry of that name that has ended.
				       * The reply says that it was forked; what fails later is an end with
				       * its sentence. -EPERM policy, -EBUSY held by hand, -EEXIST it lives,
				       * -ENOENT artifact not in the store, -EINVAL bad spec, -EAGAIN no room */
	PIC_SUPERVISOR_STOP, /* ends it and forgets it, what was bound for it is closed (unless flags say
			      * that it is stopped to be replaced), its log too; the reply comes when nothing of it
				       * is left, with the last entry as evidence. A hold stays: the entry is
				       * gone, a START of that name is still -EBUSY. Unknown name: 0 */
	PIC_SUPERVISOR_LOG, /* SCM_RIGHTS in the reply: the two log segments of the workload, read-only */
	PIC_SUPERVISOR_TICKET, /* spec: struct pic_signed_ticket; checked, then bound in the ledger. The same
				* approval again: 0, and the end stays as it is. Reply: value is the end
				* (CLOCK_BOOTTIME). -ESTALE a stamp that is not known (any more), -EBADMSG
				* signature or certificate, -EPERM not for this device, already over, or closed,
				* -ENOSPC no room, -EAGAIN four are being looked at */
	PIC_SUPERVISOR_REVOKE, /* closes what is bound for the workload and ends it; the entry stays */
	PIC_SUPERVISOR_UPLINK, /* spec: struct pic_uplink, kept in the ledger, told to runners at their start */
	PIC_SUPERVISOR_METRICS, /* SCM_RIGHTS in the reply: a pipe from which the workload's own figures come
				 * as text, and its end. -ENOENT it does not run, -ENOTSUP it has none */
	PIC_SUPERVISOR_ROOT_ONLY = 64,
	PIC_SUPERVISOR_HOLD, /* stop by hand; stays so over restarts */
	PIC_SUPERVISOR_RELEASE,
	PIC_SUPERVISOR_PURGE,  /* stop everything, empty store, logs and ledger */
	PIC_SUPERVISOR_RELOAD, /* read policy.conf again */
};

#define PIC_STOP_TO_REPLACE 1u /* flag of STOP */

struct pic_supervisor_request {
	uint32_t version;
	uint32_t operation;
	uint64_t id;
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	unsigned char digest[PIC_DIGEST_SIZE];
	uint64_t size; /* TAKE: bytes of the file */
	uint32_t flags;
	uint32_t spec_size;		  /* START */
	unsigned char spec[PIC_SPEC_MAX]; /* a driver's fixed struct; only spec_size bytes travel */
};

/* Where the agent reaches its hub, as it told the supervisor last: what must go on answering while a program
 * sits in the network's way. family 0: unknown, as under `piccolo run`. */
struct pic_uplink {
	uint8_t family; /* 4 or 6 */
	uint8_t padding;
	uint16_t port;
	uint8_t address[16];
};

/* What a ticket has allowed. (approval, name) is unique in the ledger. */
enum pic_binding_state {
	PIC_BINDING_OPEN = 1,
	PIC_BINDING_CLOSED, /* removed, revoked or stopped by hand: nothing is started by it any more */
};

struct pic_binding {
	unsigned char approval[PIC_APPROVAL_SIZE];
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	unsigned char digest[PIC_DIGEST_SIZE];
	unsigned char terms[32];
	uint32_t grants; /* bits of enum pic_grant */
	uint32_t state;	 /* enum pic_binding_state */
	int64_t bound_boot_ms;
	int64_t end_boot_ms; /* by the ticket */
};

enum pic_ledger_state {
	PIC_LEDGER_STARTING = 1, /* forked, not yet ready */
	PIC_LEDGER_RUNNING,
	PIC_LEDGER_STOPPING,
	PIC_LEDGER_ENDED,
	PIC_LEDGER_HELD, /* stopped by hand; no process */
};

enum pic_end_kind {
	PIC_END_NONE,
	PIC_END_STATUS,	 /* value: exit status */
	PIC_END_TRAP,	 /* the guest trapped; text names its function */
	PIC_END_SIGNAL,	 /* value: signal number */
	PIC_END_MEMORY,	 /* killed by its memory limit */
	PIC_END_INVALID, /* can never run as it is: not worth a restart */
	PIC_END_UNKNOWN, /* ended while no supervisor ran and left no note */
	PIC_END_LEASE, /* its time was over, or what allowed it was taken back; value: enum pic_lease_end */
	PIC_END_ROLLED_BACK, /* it undid itself because the hub could not be reached any more */
	PIC_END_MISSING,     /* the network interface it is for is not there: it may come */
	PIC_END_LAST = PIC_END_MISSING,
};

enum pic_lease_end {
	PIC_LEASE_OVER,
	PIC_LEASE_REVOKED,
};

struct pic_ledger_entry {
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	unsigned char digest[PIC_DIGEST_SIZE]; /* artifact */
	unsigned char spec_digest
		[PIC_DIGEST_SIZE]; /* SHA-256 of type, digest and spec: "what was asked for" */
	uint32_t state;		   /* enum pic_ledger_state */
	uint32_t user;
	int32_t pid;
	uint64_t pid_start; /* field 22 of /proc/PID/stat: pid and start time are an identity */
	int64_t started_boot_ms; /* CLOCK_BOOTTIME */
	int64_t ended_boot_ms;	 /* of the last end, also after a restart */
	int64_t end_boot_ms;	 /* lease: absolute end; 0: none */
	unsigned char
		approval[PIC_APPROVAL_SIZE]; /* whose binding it was started by; zeros: none */
	uint32_t restarts;		     /* starts after the first one of this spec */
	uint32_t end_kind; /* enum pic_end_kind, of the last end, also after a restart */
	int32_t end_value;
	char end_text[200];
	char evidence
		[PIC_EVIDENCE_TEXT]; /* what proves that it is there: "program 12, link 7 on eth0" */
	uint64_t memory_bytes;	     /* filled in for LIST, from the cgroup */
	uint64_t cpu_us;
};

enum pic_supervisor_message_kind {
	PIC_SUPERVISOR_REPLY = 1,
	PIC_SUPERVISOR_ENTRY, /* part of an answer to LIST */
	PIC_SUPERVISOR_EVENT, /* an entry changed; entry.state 0: it is gone */
	PIC_SUPERVISOR_BINDING, /* `binding`: part of an answer to LIST, or (id 0) it is new or changed */
};

struct pic_supervisor_message {
	uint32_t version;
	uint32_t kind;
	uint64_t id;
	int32_t status; /* REPLY: 0 or negative errno; -EPERM: refused by policy */
	uint32_t padding;
	int64_t value;
	unsigned char stamp[PIC_STAMP_SIZE];
	char text[400]; /* REPLY: the sentence of an error */
	union {
		struct pic_ledger_entry entry;
		struct pic_binding binding;
	};
};

/* Whether `size` received bytes with `descriptors` descriptors are a request: -EPROTO with the sentence. */
int pic_supervisor_request_check(const struct pic_supervisor_request *request, size_t size,
				 size_t descriptors, struct pic_error *err);
/* Whether an entry read from a file can be true: texts end, states exist. */
bool pic_ledger_entry_is_valid(const struct pic_ledger_entry *entry);
bool pic_binding_is_valid(const struct pic_binding *binding);
/* A process belongs to the entry, or may. */
bool pic_ledger_entry_lives(const struct pic_ledger_entry *entry);

/* "tiny-app~wasm-module": the workload's name as files and folders have it ('~' is in no name). */
#define PIC_WORKLOAD_FILE_TEXT (2 * PIC_NAME_MAX + 2)
void pic_workload_file_text(const struct pic_workload_name *name, char out[PIC_WORKLOAD_FILE_TEXT]);
int pic_workload_file_parse(const char *text, struct pic_workload_name *out); /* -EINVAL */

#endif
