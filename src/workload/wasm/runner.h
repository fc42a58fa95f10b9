/* The wasm driver's functions, one file each; driver.c puts them into the table. */
#ifndef PIC_WORKLOAD_WASM_RUNNER_H
#define PIC_WORKLOAD_WASM_RUNNER_H

#include "workload/driver.h"
#include "workload/wasm/spec.h"

extern const struct pic_driver pic_driver_wasm;

int pic_wasm_parse(const struct pic_json *properties, void *spec, struct pic_error *err);
int pic_wasm_check_spec(const void *spec, const struct pic_policy *policy, struct pic_error *err);
int pic_wasm_grants(const void *spec, enum pic_broker_operation operation,
		    const struct pic_policy_ports *wanted, const struct pic_policy *policy,
		    struct pic_error *err);
int pic_wasm_open(const void *spec, const struct pic_open_context *context,
		  int files[PIC_RUNNER_FILES_MAX], struct pic_error *err);
bool pic_wasm_writes(const void *spec); /* has it a writable folder? */
int pic_wasm_confine(const struct pic_runner *runner, struct pic_error *err);
int pic_wasm_run(struct pic_runner *runner);

/* A spec by hand, for a module that a person runs; each takes one word. Arguments come before the
 * environment. */
void pic_wasm_spec_init(struct pic_wasm_spec *spec);
int pic_wasm_spec_folder(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
int pic_wasm_spec_listen(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
int pic_wasm_spec_connect(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
int pic_wasm_spec_argument(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
int pic_wasm_spec_environment(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
int pic_wasm_spec_memory(struct pic_wasm_spec *spec, const char *word, struct pic_error *err);
/* Absolute, and without a way up: policy compares texts. */
bool pic_wasm_path_is_plain(const char *path);
/* 0 when the bytes of a spec, which may come from anybody, are one. */
int pic_wasm_spec_validate(const struct pic_wasm_spec *spec, struct pic_error *err);

#endif
