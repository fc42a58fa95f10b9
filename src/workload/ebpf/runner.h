/* The parts of the ebpf driver; who calls each is said in workload/driver.h. */
#ifndef PIC_WORKLOAD_EBPF_RUNNER_H
#define PIC_WORKLOAD_EBPF_RUNNER_H

#include "workload/driver.h"
#include "workload/ebpf/hand.h"
#include "workload/ebpf/spec.h"

extern const struct pic_driver pic_driver_ebpf;

#define PIC_EBPF_LOAD_LIMIT_MS 10000

/* What open() leaves for the runner, in this order; what it has no use for is /dev/null. */
enum pic_ebpf_file {
	PIC_EBPF_FILE_END,     /* timerfd, armed before anything was attached */
	PIC_EBPF_FILE_HAND,    /* the socket in which the loader's hand lies */
	PIC_EBPF_FILE_TRACE,   /* trace_pipe of its own trace instance */
	PIC_EBPF_FILE_PIPE,    /* the instance's FIFO `trace_pipe`, to read and write */
	PIC_EBPF_FILE_NETLINK, /* to undo its filters */
	PIC_EBPF_FILES,
};

/* agent: properties.c */
void pic_ebpf_spec_init(struct pic_ebpf_spec *spec);
int pic_ebpf_parse(const struct pic_json *properties, void *spec, struct pic_error *err);

/* supervisor: properties.c */
int pic_ebpf_check_spec(const void *spec, const struct pic_policy *policy, struct pic_error *err);

/* root.c. -ENOEXEC: it can never run as it is; -ETIME: its time was over before it was loaded. */
int pic_ebpf_open(const void *spec, const struct pic_open_context *context,
		  int files[PIC_RUNNER_FILES_MAX], struct pic_error *err);
int pic_ebpf_sweep(const struct pic_ledger_entry *gone, const struct pic_ledger_entry *live,
		   size_t live_count, struct pic_error *err);

/* confine.c */
int pic_ebpf_confine(const struct pic_runner *runner, struct pic_error *err);
int pic_ebpf_confine_loader(struct pic_error *err);

/* run.c */
int pic_ebpf_run(struct pic_runner *runner);

bool pic_ebpf_hook_is_network(uint32_t hook); /* driver.c */

#endif
