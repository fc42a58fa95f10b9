/*
 * The verbs of `piccolo`, one file each: verb_<name>.c. `program` is the struct pic_device_options that
 * the option table filled; argv holds the arguments without flags. Each answers an exit status
 * (enum pic_exit).
 */
#ifndef PIC_DEVICE_VERBS_H
#define PIC_DEVICE_VERBS_H

#include "base/error.h"
#include "device/options.h"

int pic_verb_daemon(void *program, int argc, char **argv);    /* supervisor and agent */
int pic_verb_supervise(void *program, int argc, char **argv); /* supervisor alone */
int pic_verb_sweep(void *program, int argc, char **argv);     /* what a dead one left */
int pic_verb_agent(void *program, int argc, char **argv);     /* agent alone, unprivileged */
int pic_verb_join(void *program, int argc, char **argv);
int pic_verb_run(void *program, int argc, char **argv);
int pic_verb_check(void *program, int argc, char **argv);
int pic_verb_status(void *program, int argc, char **argv);
int pic_verb_logs(void *program, int argc, char **argv);
int pic_verb_stop(void *program, int argc, char **argv);
int pic_verb_start(void *program, int argc, char **argv);
int pic_verb_policy_why(void *program, int argc, char **argv);
int pic_verb_config(void *program, int argc, char **argv);
int pic_verb_purge(void *program, int argc, char **argv);

/* `piccolo wasm ...`: a table of commands, ended by a row without name (verb_wasm.c). */
extern const struct pic_command pic_commands_wasm[];
extern const struct pic_command pic_commands_ebpf[]; /* `piccolo ebpf ...` (verb_ebpf.c) */

/* The program's own description, for `config --effective`. */
extern const struct pic_program pic_device_program;

/* What a person reads when a verb fails, and the exit status that goes with it (r is its negative errno). */
int pic_device_complain(int r, const struct pic_error *err);

/* Removes everything of every workload, in this process; an exit status. For when no supervisor runs. */
int pic_device_purge(struct pic_device_options *options);

/* Sets up the log from log_level and log_format; -EINVAL with the sentence. */
int pic_device_log_setup(const struct pic_device_options *options, const char *role,
			 struct pic_error *err);

#endif
