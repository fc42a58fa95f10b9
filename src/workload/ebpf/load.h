/*
 * The only files that use libbpf: an object opened, compared with what our own reading found, loaded, tried,
 * attached. For the disposable loader: libbpf reports through one place for the whole process.
 */
#ifndef PIC_WORKLOAD_EBPF_LOAD_H
#define PIC_WORKLOAD_EBPF_LOAD_H

#include "workload/ebpf/hand.h"

#define PIC_EBPF_SAID_MAX 4096
#define PIC_EBPF_LOG_MAX (256 * 1024)

struct bpf_object;

/* What is to be done, all of it known before libbpf sees a byte. */
struct pic_ebpf_task {
	const unsigned char *bytes;
	size_t size;
	struct pic_ebpf_facts facts;
	struct pic_ebpf_attach hooks[PIC_EBPF_PROGRAMS_MAX];
	uint32_t interfaces[PIC_EBPF_PROGRAMS_MAX]; /* number of each network hook's */
	uint32_t hook_program[PIC_EBPF_PROGRAMS_MAX];
	uint32_t hook_count;
	uint32_t programs; /* bit set of those that are loaded */
	bool network;	   /* a hook stands where packets pass */
	/* for what the verifier said; 0: there is no log */
	uint64_t log_max;
	int log_fds[2];
};

struct pic_ebpf_loaded {
	struct bpf_object *object;
	int program_fds[PIC_EBPF_PROGRAMS_MAX]; /* by number in the facts; -1: not loaded */
	int map_fds[PIC_EBPF_MAPS_MAX];
	uint32_t processors; /* that the kernel keeps values for */
};

int pic_ebpf_load(const struct pic_ebpf_task *task, struct pic_ebpf_loaded *out,
		  struct pic_error *err);
void pic_ebpf_unload(struct pic_ebpf_loaded *loaded);
/* What the maps hold, to be put back after the dry run; the caller frees it. Negative errno: this object has to be
 * loaded once more instead. */
int pic_ebpf_remember(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		      unsigned char **out);
int pic_ebpf_put_back(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		      unsigned char *bytes);
/* Runs each network program on the packets that must pass. -EINVAL with the sentence. */
int pic_ebpf_dry_run(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		     const struct pic_uplink *uplink, struct pic_error *err);

/* Attaches one hook after the other. What only root can do is asked for over the socket. */
struct pic_ebpf_attaching {
	const struct pic_ebpf_task *task;
	const struct pic_ebpf_loaded *loaded;
	int socket_fd;
	int netlink_fd; /* to look at interfaces */
};
/* Links land in `links`, filters and evidence in the hand. On failure what was attached is detached again. */
int pic_ebpf_attach(const struct pic_ebpf_attaching *attaching, int *links,
		    struct pic_ebpf_hand *hand, struct pic_error *err);

#endif
