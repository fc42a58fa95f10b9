/* What a diagnosis makes at the hub, looks at, and takes away again. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "ctl/diagnose.h"

#define OBJECT_FILE_MAX (8 * 1024 * 1024)
#define BODY_MAX (64 * 1024)
#define LET_GO_SECONDS 30

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static int send_json(struct pic_diagnose *diagnose, const char *method, const char *path,
		     const struct pic_json *json, struct pic_ctl_answer *answer,
		     struct pic_error *err)
{
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(BODY_MAX);
	struct pic_ctl_call call = { .method = method, .path = path };

	if (json) {
		pic_json_write(json, PIC_JSON_COMPACT, &body);
		call.body = body.data;
		call.body_size = body.size;
	}
	return pic_ctl_call(diagnose->ctl, &call, answer, err);
}

/* The file, as an artifact that is known by its digest alone. */
static int push(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(OBJECT_FILE_MAX);
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	struct pic_ctl_call call = { .method = "POST", .path = "/piccolo/v1/artifacts" };
	int r = pic_file_read_path(diagnose->file, &bytes, err);

	if (r < 0)
		return r;
	call.content_type = "application/octet-stream";
	call.body = bytes.data;
	call.body_size = bytes.size;
	r = pic_ctl_call(diagnose->ctl, &call, &answer, err);
	if (r < 0)
		return pic_error_wrap(err, r, "%s", diagnose->file);
	snprintf(diagnose->sha256, sizeof(diagnose->sha256), "%s", text_of(answer.json, "sha256"));
	return 0;
}

static struct pic_json *new_object(const struct pic_diagnose *diagnose, const char *kind)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");

	pic_json_set_text(json, "apiVersion", "solution.symphony/v1");
	pic_json_set_text(json, "kind", kind);
	pic_json_set_text(metadata, "name", diagnose->name);
	pic_json_set_text(metadata, "namespace", diagnose->space);
	return json;
}

static struct pic_json *new_component(const struct pic_diagnose *diagnose)
{
	const struct pic_option_list *attach = &diagnose->ctl->attach;
	struct pic_json *component = pic_json_new_object();
	struct pic_json *properties = pic_json_ensure_object(component, "properties");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(2048);
	char lease[32];

	pic_json_set_text(component, "name", PIC_DIAGNOSE_COMPONENT);
	pic_json_set_text(component, "type", "ebpf");
	pic_buf_format(&text, "/artifacts/%s", diagnose->sha256);
	pic_json_set_text(properties, "ebpf.url", pic_buf_text(&text));
	pic_json_set_text(properties, "ebpf.sha256", diagnose->sha256);
	snprintf(lease, sizeof(lease), "%llds", (long long)(diagnose->ctl->for_ms / 1000));
	pic_json_set_text(properties, "ebpf.lease", lease);
	pic_buf_clear(&text);
	for (size_t i = 0; i < attach->count; i++)
		pic_buf_format(&text, "%s%s", i ? " " : "", attach->items[i]);
	if (text.size)
		pic_json_set_text(properties, "ebpf.attach", pic_buf_text(&text));
	return component;
}

static int make_objects(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_JSON struct pic_json *solution = new_object(diagnose, "Solution");
	PIC_JSON struct pic_json *instance = new_object(diagnose, "Instance");
	PIC_ANSWER struct pic_ctl_answer first = { 0 }, second = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	struct pic_json *components = pic_json_new_array();
	int r;

	pic_json_append(components, new_component(diagnose));
	pic_json_set(pic_json_ensure_object(solution, "spec"), "components", components);
	struct pic_json *spec = pic_json_ensure_object(instance, "spec");
	pic_json_set_text(spec, "solution", diagnose->name);
	pic_json_set_text(pic_json_ensure_object(spec, "target"), "name", diagnose->device);
	diagnose->has_objects = true;
	pic_buf_format(&path, "/apis/solution.symphony/v1/namespaces/%s/solutions",
		       diagnose->space);
	r = send_json(diagnose, "POST", pic_buf_text(&path), solution, &first, err);
	if (r < 0)
		return r;
	pic_buf_clear(&path);
	pic_buf_format(&path, "/apis/solution.symphony/v1/namespaces/%s/instances",
		       diagnose->space);
	return send_json(diagnose, "POST", pic_buf_text(&path), instance, &second, err);
}

/* Who asked for more is told that it will be less. */
static void tell_length(const struct pic_diagnose *diagnose, const struct pic_json *request)
{
	char length[PIC_TIME_TEXT];
	long long seconds;

	if (!pic_json_integer(pic_json_get(request, "leaseMaxSeconds"), &seconds))
		return;
	pic_duration_age(seconds * 1000, length);
	printf("for %s: the policy of %s allows no more\n", length, diagnose->device);
}

static int ask(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_JSON struct pic_json *request = pic_json_new_object();
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	int r;

	pic_json_set_text(request, "namespace", diagnose->space);
	pic_json_set_text(request, "solution", diagnose->name);
	pic_json_set_text(request, "reason", diagnose->ctl->reason);
	pic_json_set_integer(request, "lengthSeconds", diagnose->ctl->for_ms / 1000);
	r = send_json(diagnose, "POST", "/piccolo/v1/approvals", request, &answer, err);
	if (r < 0)
		return r;
	const struct pic_json *item = pic_json_at(pic_json_get(answer.json, "items"), 0);
	snprintf(diagnose->approval, sizeof(diagnose->approval), "%s",
		 text_of(answer.json, "name"));
	snprintf(diagnose->instance, sizeof(diagnose->instance), "%s", text_of(item, "instance"));
	printf("request %s waits for a decision: ", diagnose->approval);
	pic_ctl_print_text(text_of(answer.json, "url"));
	printf("or: piccoloctl approve %s\n", diagnose->approval);
	tell_length(diagnose, answer.json);
	fflush(stdout);
	return 0;
}

/* A name that nobody mistyped is better than a diagnosis that waits for a device that is not there. */
static int check_target(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	int r;

	pic_buf_format(&path, "/apis/fabric.symphony/v1/namespaces/%s/targets/%s", diagnose->space,
		       diagnose->device);
	r = send_json(diagnose, "GET", pic_buf_text(&path), NULL, &answer, err);
	if (r == -ENOENT)
		return pic_error_set(
			err, r, "there is no device \"%s\"; `piccoloctl get targets` lists them",
			diagnose->device);
	return r;
}

int pic_diagnose_begin(struct pic_diagnose *diagnose, struct pic_error *err)
{
	int r = check_target(diagnose, err);

	if (r == 0)
		r = push(diagnose, err);
	if (r == 0)
		r = make_objects(diagnose, err);
	return r == 0 ? ask(diagnose, err) : r;
}

/* Looking. */

static int look_at_approval(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	int r;

	pic_buf_format(&path, "/apis/approval.piccolo/v1/namespaces/%s/approvals/%s",
		       diagnose->space, diagnose->approval);
	r = send_json(diagnose, "GET", pic_buf_text(&path), NULL, &answer, err);
	if (r < 0)
		return r;
	const struct pic_json *status = pic_json_get(answer.json, "status");
	snprintf(diagnose->phase, sizeof(diagnose->phase), "%s", text_of(status, "phase"));
	snprintf(diagnose->ends, sizeof(diagnose->ends), "%s", text_of(status, "ends"));
	return 0;
}

/* Of a failed download the program is not to blame: it goes on when the hub is there again. */
static enum pic_diagnose_trouble trouble_of(const char *phase, const char *reason)
{
	if (strcmp(phase, "Refused") == 0)
		return PIC_DIAGNOSE_REFUSED;
	/* a device waits for a card to be plugged in; who diagnoses has mistyped its name */
	if (strcmp(phase, "Failed") == 0 || strcmp(reason, "InterfaceMissing") == 0)
		return PIC_DIAGNOSE_CANNOT;
	if (strcmp(phase, "Backoff") == 0 &&
	    (strcmp(reason, "Ended") == 0 || strcmp(reason, "StartFailed") == 0))
		return PIC_DIAGNOSE_FAILS;
	return PIC_DIAGNOSE_WELL;
}

/* The hub's sentence without its head: which component on which device is known here. */
static const char *message_of(const struct pic_diagnose *diagnose, const struct pic_json *one)
{
	const char *text = text_of(one, "message");
	char head[sizeof(PIC_DIAGNOSE_COMPONENT " on : ") + PIC_NAME_MAX];

	snprintf(head, sizeof(head), PIC_DIAGNOSE_COMPONENT " on %s: ", diagnose->device);
	return pic_text_starts(text, head) ? text + strlen(head) : text;
}

static void look_at_component(struct pic_diagnose *diagnose, const struct pic_json *one)
{
	const char *phase = text_of(one, "phase"), *message = message_of(diagnose, one);

	snprintf(diagnose->state, sizeof(diagnose->state), "%.64s%s%.900s", phase,
		 *message ? " - " : "", message);
	snprintf(diagnose->message, sizeof(diagnose->message), "%.900s",
		 *message ? message : text_of(one, "reason"));
	diagnose->trouble = trouble_of(phase, text_of(one, "reason"));
	diagnose->is_running = strcmp(phase, "Running") == 0;
	diagnose->has_run |= diagnose->is_running;
}

static int look_at_instance(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	int r;

	pic_buf_format(&path, "/apis/solution.symphony/v1/namespaces/%s/instances/%s",
		       diagnose->space, diagnose->name);
	r = send_json(diagnose, "GET", pic_buf_text(&path), NULL, &answer, err);
	if (r < 0)
		return r;
	const struct pic_json *list = pic_json_find(answer.json, "status", "components", NULL);
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);

		if (strcmp(text_of(one, "name"), PIC_DIAGNOSE_COMPONENT) == 0)
			look_at_component(diagnose, one);
	}
	return 0;
}

int pic_diagnose_look(struct pic_diagnose *diagnose, struct pic_error *err)
{
	int r = look_at_approval(diagnose, err);

	return r < 0 ? r : look_at_instance(diagnose, err);
}

/* The end. */

static int give_back(struct pic_diagnose *diagnose, struct pic_error *err)
{
	PIC_JSON struct pic_json *body = pic_json_new_object();
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	const char *verb = strcmp(diagnose->phase, "Approved") == 0			  ? "revoke"
			   : strcmp(diagnose->phase, "Pending") == 0 || !*diagnose->phase ? "reject"
											  : NULL;

	if (!*diagnose->approval || !verb)
		return 0;
	pic_json_set_text(body, "comment", "the diagnosis was ended");
	pic_buf_format(&path, "/piccolo/v1/approvals/%s/%s/%s", diagnose->space, diagnose->approval,
		       verb);
	return send_json(diagnose, "POST", pic_buf_text(&path), body, &answer, err);
}

static int delete_object(struct pic_diagnose *diagnose, const char *plural, struct pic_error *err)
{
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	int r;

	pic_buf_format(&path, "/apis/solution.symphony/v1/namespaces/%s/%s/%s", diagnose->space,
		       plural, diagnose->name);
	r = send_json(diagnose, "DELETE", pic_buf_text(&path), NULL, &answer, err);
	return r == -ENOENT ? 0 : r;
}

/* The staged catalog goes when the device has said that everything of it is gone. */
static int wait_for_device(struct pic_diagnose *diagnose, struct pic_error *err)
{
	const struct timespec pause = { 0, 200 * 1000000L };
	const int64_t limit = pic_clock_boot_ms() + LET_GO_SECONDS * 1000;
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);

	pic_buf_format(&path, "/apis/federation.symphony/v1/namespaces/%s/catalogs/%s-%s",
		       diagnose->space, diagnose->name, diagnose->device);
	for (;;) {
		PIC_ANSWER struct pic_ctl_answer answer = { 0 };
		int r = send_json(diagnose, "GET", pic_buf_text(&path), NULL, &answer, err);

		if (r == -ENOENT)
			return 0;
		if (r < 0)
			return r;
		if (pic_clock_boot_ms() > limit)
			return pic_error_set(err, -ETIMEDOUT,
					     "%s has not said that the program is gone; it ends "
					     "there by itself at %s",
					     diagnose->device,
					     *diagnose->ends ? diagnose->ends : "its end");
		nanosleep(&pause, NULL);
	}
}

int pic_diagnose_end(struct pic_diagnose *diagnose, struct pic_error *err)
{
	struct pic_error other = PIC_ERROR_INIT;
	int r = 0;

	if (!diagnose->has_objects)
		return 0;
	/* the decision may have come a moment ago */
	if (*diagnose->approval && look_at_approval(diagnose, &other) < 0)
		diagnose->phase[0] = '\0';
	r = give_back(diagnose, err);
	int gone = delete_object(diagnose, "instances", r < 0 ? &other : err);
	r = r < 0 ? r : gone;
	gone = delete_object(diagnose, "solutions", r < 0 ? &other : err);
	r = r < 0 ? r : gone;
	return r < 0 ? r : wait_for_device(diagnose, err);
}
