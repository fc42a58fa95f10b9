/*
 * Leases: nothing that has an end outlives it. The runner ends itself; here is who ends it when it does not, and
 * who undoes what the kernel leaves behind of it.
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "supervisor/context.h"

#define BEHIND_MS 1000 /* the runner's own timer comes first */
#define LIMIT_MS 5000

static void on_end(void *data)
{
	struct pic_workload *w = data;

	pic_log(PIC_LOG_WARNING, "workload-overdue", PIC_TEXT("workload", w->file));
	pic_workload_stop(w);
}

int pic_lease_arm(struct pic_workload *w, struct pic_error *err)
{
	int r = 0;

	if (!w->entry.end_boot_ms)
		return 0;
	if (!w->lease)
		r = pic_loop_timer(w->supervisor->loop, on_end, w, &w->lease, err);
	if (r == 0)
		pic_timer_set_at(w->lease, w->entry.end_boot_ms + BEHIND_MS);
	return r;
}

bool pic_lease_is_over(const struct pic_workload *w)
{
	return w->entry.end_boot_ms && w->entry.end_boot_ms <= pic_clock_boot_ms();
}

/* -- what outlives its owner ---------------------------------------------------------------------- */

static void write_result(int result_fd, const struct pic_error *err)
{
	pic_fd_write_all(result_fd, err, sizeof(*err));
}

/* The next driver from *index on that may have left something of it; a stranger's type is not known. */
static const struct pic_driver *next_to_sweep(const struct pic_workload *w, size_t *index)
{
	const struct pic_driver *driver;

	while ((driver = pic_driver_at((*index)++)))
		if (driver->sweep &&
		    (!w->entry.type[0] || strcmp(driver->type, w->entry.type) == 0))
			break;
	return driver;
}

static void sweep_one(void *data, int result_fd)
{
	const struct pic_workload *w = data;
	const struct pic_driver *driver;
	struct pic_error err = PIC_ERROR_INIT;

	for (size_t i = 0; err.code == 0 && (driver = next_to_sweep(w, &i));)
		driver->sweep(&w->entry, NULL, 0, &err);
	write_result(result_fd, &err);
}

static void say(const char *what, const void *result, size_t size)
{
	const struct pic_error *err = result;

	if (size != sizeof(*err))
		pic_log(PIC_LOG_ERROR, "sweep-cut-short", PIC_TEXT("what", what));
	else if (err->code < 0)
		pic_log(PIC_LOG_ERROR, "sweep-failed", PIC_TEXT("what", what),
			PIC_TEXT("why", err->text));
}

static void swept_one(void *data, const void *result, size_t size)
{
	struct pic_workload *w = data;

	w->sweep = NULL;
	w->swept = true;
	say(w->file, result, size);
	pic_workload_settle(w);
}

bool pic_lease_sweep(struct pic_workload *w)
{
	const struct pic_child_order order = {
		.work = sweep_one, .done = swept_one, .data = w, .limit_ms = LIMIT_MS
	};
	struct pic_error err = PIC_ERROR_INIT;
	size_t first = 0;

	if (w->sweep)
		return false;
	if (w->swept || !next_to_sweep(w, &first))
		return true;
	if (pic_child_start(&w->sweep, w->supervisor->loop, &order, &err) == 0)
		return false;
	pic_log(PIC_LOG_ERROR, "sweep-failed", PIC_TEXT("what", w->file),
		PIC_TEXT("why", err.text));
	return true;
}

static void sweep_strangers(void *data, int result_fd)
{
	const struct pic_supervisor *supervisor = data;
	struct pic_ledger_entry *live =
		calloc(supervisor->workload_count + 1, sizeof(*live)); /* the child's own */
	struct pic_error err = PIC_ERROR_INIT;
	size_t count = 0;

	for (struct pic_workload *w = supervisor->workloads; live && w; w = w->next)
		if (w->pidfd >= 0 && w->entry.state != PIC_LEDGER_STOPPING)
			live[count++] = w->entry;
	for (size_t i = 0; live && pic_driver_at(i) && err.code == 0; i++)
		if (pic_driver_at(i)->sweep)
			pic_driver_at(i)->sweep(NULL, live, count, &err);
	write_result(result_fd, &err);
}

void pic_leases_sweep(struct pic_supervisor *supervisor)
{
	struct pic_error result = PIC_ERROR_INIT, err = PIC_ERROR_INIT;
	int r = pic_child_wait(sweep_strangers, supervisor, LIMIT_MS, &result, sizeof(result),
			       &err);

	say("strangers", &result, r < 0 ? 0 : sizeof(result));
}
