/*
 * The supervisor: the only part of Piccolo that is root. It starts, limits, watches and ends workloads,
 * hands out sockets, keeps artifacts and the ledger, and obeys policy.conf and nobody else.
 *
 * One thread, one loop, never waiting: what may take time happens in a child. Everything it needs to
 * go on after a crash is in the runtime folder (ledger, notes, specs) and in the kernel (cgroups).
 */
#ifndef PIC_SUPERVISOR_SUPERVISOR_H
#define PIC_SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct pic_supervisor_settings {
	const char *state_folder;
	const char *run_folder;
	const char *policy_file;
	const char *
		target; /* what this device is called, and the pin of the authority whose tickets count: */
	const char *ca_pin; /* both as root has configured them; NULL: no ticket counts */
	uid_t agent_user;   /* (uid_t)-1: the number below policy's workload users */
	gid_t agent_group;
	char *const *argv;   /* of the program, for its replacement in place */
	bool ends_workloads; /* when it ends, they end; otherwise they outlive it */
	bool purge;	     /* take over what is there, remove it all, end */
	bool sweep;	     /* take over what is there, end what is overdue or nobody's, end */
	bool by_hand;	     /* root at the keyboard says what runs: no approval is asked for */
	/* The agent's side, when the caller runs it beside: it may begin, it must end. Or NULL. */
	void (*serving)(void *data, uid_t agent_user, gid_t agent_group);
	void (*ending)(void *data);
	void *data;
};

/* Runs until SIGTERM or SIGINT; SIGUSR1 ends the workloads first, whoever they would outlive. */
int pic_supervisor_run(const struct pic_supervisor_settings *settings, struct pic_error *err);

#endif
