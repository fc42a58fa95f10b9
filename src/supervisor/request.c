/*
 * What each operation does. A request that comes here has the right shape and its sender may ask for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "protocol/binding.h"
#include "supervisor/context.h"

#define LATER 1 /* somebody else answers, when it is done */

struct call {
	struct pic_supervisor *supervisor;
	const struct pic_waiter *who;
	const struct pic_supervisor_request *request;
	int fd;
	struct pic_supervisor_message reply;
	int fds[2]; /* to go with the reply */
	unsigned fd_count;
};

static int subscribe(struct call *call, struct pic_error *err)
{
	struct pic_sha256 digest;

	(void)err;
	pic_message_server_mark(call->supervisor->server, call->who->connection);
	if (call->supervisor->policy) {
		pic_sha256_of(call->supervisor->policy, sizeof(*call->supervisor->policy), &digest);
		pic_sha256_text(&digest, call->reply.text);
	}
	return 0;
}

static int list(struct call *call, struct pic_error *err)
{
	struct pic_supervisor_message item = { .version = PIC_SUPERVISOR_VERSION,
					       .kind = PIC_SUPERVISOR_ENTRY,
					       .id = call->request->id };
	struct pic_cgroup_usage usage;

	(void)err;
	for (struct pic_workload *w = call->supervisor->workloads; w; w = w->next) {
		item.entry = w->entry;
		if (w->pidfd >= 0) {
			pic_cgroup_usage(&call->supervisor->cgroups, w->file, &usage);
			item.entry.memory_bytes = usage.memory_bytes;
			item.entry.cpu_us = usage.cpu_us;
		}
		pic_message_to(call->supervisor, call->who->connection, &item, NULL, 0);
		call->reply.value++;
	}
	item.kind = PIC_SUPERVISOR_BINDING;
	for (uint32_t i = 0; i < call->supervisor->ledger.binding_count; i++) {
		item.binding = call->supervisor->bindings[i];
		pic_message_to(call->supervisor, call->who->connection, &item, NULL, 0);
	}
	return 0;
}

static int stamp(struct call *call, struct pic_error *err)
{
	return pic_stamp_make(call->supervisor, call->reply.stamp, err);
}

static int take(struct call *call, struct pic_error *err)
{
	int r;

	if (pic_store_has(call->supervisor, call->request->digest))
		return 0;
	r = pic_store_take(call->supervisor, call->who, call->request, call->fd, err);
	return r < 0 ? r : LATER;
}

static int has(struct call *call, struct pic_error *err)
{
	(void)err;
	call->reply.value = pic_store_has(call->supervisor, call->request->digest);
	return 0;
}

static int drop(struct call *call, struct pic_error *err)
{
	return pic_store_drop(call->supervisor, call->request->digest, err);
}

static int start(struct call *call, struct pic_error *err)
{
	return pic_workload_start(call->supervisor, call->request, call->who->user == 0, err);
}

static int ticket(struct call *call, struct pic_error *err)
{
	int r = pic_ticket_take(call->supervisor, call->who, call->request, err);

	return r < 0 ? r : LATER;
}

static int uplink(struct call *call, struct pic_error *err)
{
	memcpy(&call->supervisor->ledger.uplink, call->request->spec,
	       sizeof(call->supervisor->ledger.uplink));
	return pic_ledger_write(call->supervisor, err);
}

static int metrics(struct call *call, struct pic_error *err)
{
	struct pic_workload *w = pic_workload_find(call->supervisor, &call->request->name);
	int r;

	if (!w || w->entry.state != PIC_LEDGER_RUNNING)
		return pic_error_set(err, -ENOENT, "%s/%s does not run",
				     call->request->name.instance, call->request->name.component);
	r = pic_broker_scrape(w, &call->fds[0], err);
	call->fd_count = r == 0;
	return r;
}

static int take_back(struct call *call, struct pic_error *err)
{
	struct pic_workload *w = pic_workload_find(call->supervisor, &call->request->name);
	int r = pic_permissions_close(call->supervisor, &call->request->name, err);

	if (!w || !pic_ledger_entry_lives(&w->entry) ||
	    pic_binding_holds(&call->supervisor->ledger, call->supervisor->bindings, &w->entry))
		return r;
	if (r == 0)
		r = pic_waiter_add(&w->waiters, call->who, err);
	pic_workload_stop(w);
	return r < 0 ? r : LATER;
}

static int stop(struct call *call, struct pic_error *err)
{
	struct pic_workload *w = pic_workload_find(call->supervisor, &call->request->name);
	int r = 0;

	if (!(call->request->flags & PIC_STOP_TO_REPLACE))
		r = pic_permissions_close(call->supervisor, &call->request->name, err);
	if (!w) {
		/* its log may be there from before the boot */
		pic_workload_remove_files(call->supervisor, &call->request->name);
		return r;
	}
	if (r == 0)
		r = pic_waiter_add(&w->waiters, call->who, err);
	w->forget = true;
	pic_workload_stop(w);
	return r < 0 ? r : LATER;
}

static int hold(struct call *call, struct pic_error *err)
{
	struct pic_workload *w;
	char file[PIC_WORKLOAD_FILE_TEXT];
	int r;

	pic_workload_file_text(&call->request->name, file);
	r = pic_file_write(call->supervisor->folders[PIC_HOLDS], file, 0600, "", 0,
			   PIC_FILE_DURABLE, err);
	if (r < 0)
		return r;
	r = pic_permissions_close(call->supervisor, &call->request->name, err);
	w = pic_workload_get(call->supervisor, &call->request->name, err);
	if (!w)
		return -ENOMEM;
	w->hold = true;
	if (pic_ledger_entry_lives(&w->entry)) {
		if (r == 0)
			r = pic_waiter_add(&w->waiters, call->who, err);
		pic_workload_stop(w);
		return r < 0 ? r : LATER;
	}
	w->hold = false;
	w->entry.state = PIC_LEDGER_HELD;
	pic_workload_changed(w);
	return r;
}

static int release(struct call *call, struct pic_error *err)
{
	struct pic_workload *w = pic_workload_find(call->supervisor, &call->request->name);
	char file[PIC_WORKLOAD_FILE_TEXT];
	int r;

	pic_workload_file_text(&call->request->name, file);
	if (!pic_workload_is_held(call->supervisor, file))
		return pic_error_set(err, -ENOENT, "%s/%s is not stopped by hand",
				     call->request->name.instance, call->request->name.component);
	r = pic_file_remove(call->supervisor->folders[PIC_HOLDS], file, err);
	if (r < 0 || !w)
		return r;
	w->hold = false;
	if (w->entry.state != PIC_LEDGER_HELD)
		return 0;
	w->forget = w->entry.started_boot_ms == 0; /* nothing is known of it but the hold */
	pic_workload_settle(w);
	return 0;
}

static int log_files(struct call *call, struct pic_error *err)
{
	const struct pic_workload_name *name = &call->request->name;
	char file[PIC_WORKLOAD_FILE_TEXT], segment[PIC_WORKLOAD_FILE_TEXT + 2];

	pic_workload_file_text(name, file);
	for (; call->fd_count < PIC_COUNT(call->fds); call->fd_count++) {
		int *fd = &call->fds[call->fd_count];

		snprintf(segment, sizeof(segment), "%s.%u", file, call->fd_count);
		*fd = openat(call->supervisor->folders[PIC_LOGS], segment,
			     O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (*fd < 0)
			return pic_error_errno(err, errno, "there is no log of %s/%s",
					       name->instance, name->component);
	}
	return 0;
}

static int purge(struct call *call, struct pic_error *err)
{
	int r = pic_waiter_add(&call->supervisor->purge, call->who, err);

	if (r < 0)
		return r;
	pic_supervisor_purge(call->supervisor);
	return LATER;
}

static int reload(struct call *call, struct pic_error *err)
{
	return pic_policy_load(call->supervisor, err);
}

static int (*const operations[])(struct call *call, struct pic_error *err) = {
	[PIC_SUPERVISOR_SUBSCRIBE] = subscribe,
	[PIC_SUPERVISOR_LIST] = list,
	[PIC_SUPERVISOR_STAMP] = stamp,
	[PIC_SUPERVISOR_TAKE] = take,
	[PIC_SUPERVISOR_HAS] = has,
	[PIC_SUPERVISOR_DROP] = drop,
	[PIC_SUPERVISOR_START] = start,
	[PIC_SUPERVISOR_STOP] = stop,
	[PIC_SUPERVISOR_LOG] = log_files,
	[PIC_SUPERVISOR_TICKET] = ticket,
	[PIC_SUPERVISOR_REVOKE] = take_back,
	[PIC_SUPERVISOR_UPLINK] = uplink,
	[PIC_SUPERVISOR_METRICS] = metrics,
	[PIC_SUPERVISOR_HOLD] = hold,
	[PIC_SUPERVISOR_RELEASE] = release,
	[PIC_SUPERVISOR_PURGE] = purge,
	[PIC_SUPERVISOR_RELOAD] = reload,
};

void pic_request_handle(struct pic_supervisor *supervisor, const struct pic_waiter *who,
			const struct pic_supervisor_request *request, int fd)
{
	struct call call = { .supervisor = supervisor, .who = who, .request = request, .fd = fd };
	struct pic_error err = PIC_ERROR_INIT;
	int r;

	call.reply.version = PIC_SUPERVISOR_VERSION;
	call.reply.kind = PIC_SUPERVISOR_REPLY;
	call.reply.id = request->id;
	r = operations[request->operation](&call, &err);
	if (r != LATER) {
		call.reply.status = r;
		if (r < 0)
			snprintf(call.reply.text, sizeof(call.reply.text), "%.399s", err.text);
		pic_message_to(supervisor, who->connection, &call.reply, call.fds,
			       r < 0 ? 0 : call.fd_count);
	}
	while (call.fd_count)
		close(call.fds[--call.fd_count]);
}
