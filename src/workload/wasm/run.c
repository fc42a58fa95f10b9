/*
 * One module, from its file to its end, in a process that has no privileges any more.
 *
 * Memory counts here: a device runs dozens of these. The file is mapped privately and goes away once
 * the engine has its own form of it; facts are freed before the first instruction runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/memory.h"
#include "workload/wasm/engine.h"
#include "workload/wasm/module.h"
#include "workload/wasm/runner.h"

#define STATUS_INVALID 1
#define STATUS_TRAP 134 /* what a program that aborts ends with in a shell */

struct run {
	struct pic_runner *runner;
	const struct pic_wasm_spec *spec;
	struct pic_wasm_module module;
	struct pic_wasi *wasi;
	struct pic_wasm_engine *engine;
};

static bool wants_listeners(const struct pic_wasm_facts *facts)
{
	return pic_wasm_imports_name(facts, "sock_accept") &&
	       !pic_wasm_uses(facts, PIC_WASM_WASMEDGE);
}

static int open_layer(struct run *run, bool with_listeners, struct pic_error *err)
{
	struct pic_runner *runner = run->runner;
	int r = pic_wasi_new(&run->wasi, run->spec, runner->log, runner->name->component,
			     runner->broker_fd, err);

	/* Listeners first, at 3, where modules that are given theirs look for them. */
	if (r == 0 && with_listeners)
		r = pic_wasi_add_listeners(run->wasi, err);
	return r == 0 ? pic_wasi_add_folders(run->wasi, runner->files, err) : r;
}

/* Everything up to the first instruction of _start. */
static int prepare(struct run *run, struct pic_error *err)
{
	struct pic_wasm_facts *PIC_WASM_FACTS facts = NULL;
	bool with_listeners = false;
	int r = pic_wasm_module_map(&run->module, run->runner->artifact_fd, err);

	if (r == 0)
		r = pic_wasm_read(&facts, run->module.bytes, run->module.size, err);
	if (r == 0)
		r = pic_wasm_check(facts, run->spec->memory_max, err);
	if (r == 0) { /* names lie in the bytes, and the engine changes those */
		with_listeners = wants_listeners(facts);
		r = pic_wasm_engine_load(&run->engine, run->module.bytes, run->module.size, err);
	}
	if (r == 0)
		r = open_layer(run, with_listeners, err);
	if (r == 0)
		r = pic_wasm_engine_bind(run->engine, facts, run->wasi, run->spec->memory_max, err);
	pic_wasm_module_unmap(&run->module);
	return r;
}

/* Name and sentence of a trap: "out of bounds memory access in read_line". */
static void describe_trap(const struct run *run, const char *function, const struct pic_error *why,
			  char out[200])
{
	char name[PIC_WASM_NAME_TEXT];

	if (function[0] == '\0')
		snprintf(out, 200, "%.150s", why->text);
	else if (pic_wasm_module_function_name(run->runner->artifact_fd, function, name))
		snprintf(out, 200, "%.90s in %.100s", why->text, name);
	else
		snprintf(out, 200, "%.90s in function %.60s", why->text, function);
}

static int finish(const struct run *run, const char *function, const struct pic_error *err)
{
	struct pic_runner *runner = run->runner;
	char text[200];

	if (!err->code) {
		int status = run->wasi->exited ? run->wasi->exit_status : 0;

		if (!pic_workload_log_is_direct(runner->log)) /* there, a shell tells */
			pic_workload_log_line(runner->log, "ended: exit status %d", status);
		runner->ended(runner, PIC_END_STATUS, status, NULL);
		return status & 0xff;
	}
	describe_trap(run, function, err, text);
	pic_workload_log_line(runner->log, "ended: trap: %s", text);
	runner->ended(runner, PIC_END_TRAP, 0, text);
	return STATUS_TRAP;
}

/* What can be different at the next start, a busy port or a broker that is away, is worth one. */
static int refuse(struct run *run, const struct pic_error *err)
{
	struct pic_runner *runner = run->runner;
	bool for_good = err->code == -EINVAL || err->code == -ENOTSUP || err->code == -EFBIG ||
			err->code == -EPROTONOSUPPORT;

	pic_workload_log_line(runner->log, "cannot run: %s", err->text);
	runner->ended(runner, for_good ? PIC_END_INVALID : PIC_END_STATUS, STATUS_INVALID,
		      err->text);
	return STATUS_INVALID;
}

int pic_wasm_run(struct pic_runner *runner)
{
	struct run run = { .runner = runner, .spec = runner->spec };
	char function[PIC_WASM_NAME_TEXT] = "";
	struct pic_error err = PIC_ERROR_INIT;
	int status;

	if (prepare(&run, &err) < 0) {
		status = refuse(&run, &err);
	} else {
		run.wasi->on_idle = pic_memory_give_back;
		pic_memory_give_back();
		runner->ready(runner);
		(void)pic_wasm_engine_start(run.engine, function, &err);
		pic_workload_log_flush(runner->log);
		status = finish(&run, function, &err);
	}
	pic_workload_log_flush(runner->log);
	pic_wasm_engine_free(run.engine);
	pic_wasi_free(run.wasi);
	return status;
}
