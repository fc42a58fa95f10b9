/*
 * A module in the foreground, for the person who wrote it: no supervisor and no root. A child runs it
 * with no new privileges and the driver's list of system calls; this process is its broker.
 */
#ifndef PIC_DEVICE_WASM_RUN_H
#define PIC_DEVICE_WASM_RUN_H

#include "base/error.h"
#include "workload/wasm/spec.h"

/* `file` is for sentences, `name` what the module is called. The guest's exit status, or 128 + signal; -errno when it could not be started. */
int pic_wasm_run_here(int module_fd, const char *file, const char *name,
		      const struct pic_wasm_spec *spec, struct pic_error *err);

#endif
