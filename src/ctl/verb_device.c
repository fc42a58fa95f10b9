/* Devices: enroll, list, accept-epoch, retire, release, logs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/table.h"
#include "base/text.h"
#include "ctl/ctl.h"

static bool wants_value(const struct pic_ctl *ctl)
{
	return strcmp(ctl->output, "table") != 0 && strcmp(ctl->output, "wide") != 0;
}

static int print_as_asked(const struct pic_ctl *ctl, const struct pic_json *value)
{
	struct pic_error err = PIC_ERROR_INIT;

	return pic_ctl_print_value(value, ctl->output, &err) < 0 ? pic_ctl_fail(&err) : PIC_EXIT_OK;
}

int pic_ctl_enroll(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_JSON struct pic_json *request = pic_json_new_object();
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(4096);
	struct pic_ctl_call call = { .method = "POST", .path = "/piccolo/v1/enroll" };

	(void)argc;
	if (!pic_name_is_valid(argv[0], PIC_NAME_MAX)) {
		pic_error_set(&err, PIC_CTL_USAGE,
			      "'%s' is no name of a target: lower-case letters, digits, '-' "
			      "and '.', at most %d",
			      argv[0], PIC_NAME_MAX);
		return pic_ctl_fail(&err);
	}
	pic_json_set_text(request, "target", argv[0]);
	pic_json_set_integer(request, "valid-seconds", ctl->valid_ms / 1000);
	pic_json_write(request, PIC_JSON_COMPACT, &body);
	call.body = body.data;
	call.body_size = body.size;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (wants_value(ctl))
		return print_as_asked(ctl, answer.json);
	fprintf(stderr, "Run this on the device, then paste the token (it works once, until %s):\n",
		pic_json_text_or(pic_json_get(answer.json, "expires"), "it expires"));
	printf("%s\n", pic_json_text_or(pic_json_get(answer.json, "join"), ""));
	printf("%s\n", pic_json_text_or(pic_json_get(answer.json, "token"), ""));
	return PIC_EXIT_OK;
}

static int add_label(struct pic_json *labels, const char *text, struct pic_error *err)
{
	const char *equals = strchr(text, '=');
	char key[PIC_NAME_MAX + 1];

	if (!equals || equals == text || (size_t)(equals - text) >= sizeof(key))
		return pic_error_set(err, PIC_CTL_USAGE, "'%s' is no KEY=VALUE", text);
	snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
	pic_json_set_text(labels, key, equals + 1);
	return 0;
}

static int make_creation(const struct pic_ctl *ctl, const char *name, struct pic_buf *out,
			 struct pic_error *err)
{
	PIC_JSON struct pic_json *request = pic_json_new_object();
	struct pic_json *labels = pic_json_ensure_object(request, "labels");
	int r = 0;

	pic_json_set_text(request, "name", name);
	if (ctl->mac)
		pic_json_set_text(labels, "mac", ctl->mac);
	if (ctl->uuid)
		pic_json_set_text(labels, "uuid", ctl->uuid);
	if (ctl->serial)
		pic_json_set_text(labels, "serial", ctl->serial);
	for (size_t i = 0; r == 0 && i < ctl->labels.count; i++)
		r = add_label(labels, ctl->labels.items[i], err);
	if (ctl->ignition_for_ms)
		pic_json_set_integer(request, "ignition-seconds",
				     (ctl->ignition_for_ms + 999) / 1000);
	return r < 0 ? r : pic_json_write(request, PIC_JSON_COMPACT, out);
}

int pic_ctl_device_create(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(65536);
	struct pic_ctl_call call = { .method = "POST", .path = "/piccolo/v1/devices" };

	(void)argc;
	if (make_creation(ctl, argv[0], &body, &err) < 0)
		return pic_ctl_fail(&err);
	call.body = body.data;
	call.body_size = body.size;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (wants_value(ctl))
		return print_as_asked(ctl, answer.json);
	printf("device %s created\n", argv[0]);
	if (pic_json_get(answer.json, "open-until"))
		printf("until %s whoever asks %s gets its config\n",
		       pic_json_text_or(pic_json_get(answer.json, "open-until"), ""),
		       pic_json_text_or(pic_json_get(answer.json, "ignition"), ""));
	return PIC_EXIT_OK;
}

/* One column of the list: its cell out of a device, written into `room` where it is not a text already. */
struct column {
	const char *title;
	bool wide; /* only with -o wide */
	const char *key;
	const char *(*cell)(const struct pic_json *device, const char *key, char room[64]);
};

static const char *text_cell(const struct pic_json *device, const char *key, char room[64])
{
	(void)room;
	return pic_json_text_or(pic_json_get(device, key), "");
}

static const char *number_cell(const struct pic_json *device, const char *key, char room[64])
{
	long long number;

	if (!pic_json_integer(pic_json_get(device, key), &number))
		return "";
	snprintf(room, 64, "%lld", number);
	return room;
}

static const char *age_cell(const struct pic_json *device, const char *key, char room[64])
{
	int64_t then;

	if (pic_time_parse(pic_json_text_or(pic_json_get(device, key), ""), &then) < 0)
		return "never";
	pic_duration_age(pic_clock_wall_ms() - then, room);
	return room;
}

static const char *online_cell(const struct pic_json *device, const char *key, char room[64])
{
	(void)room;
	return pic_json_true(pic_json_get(device, key)) ? "yes" : "no";
}

/* "mac=..., serial=..." */
static const char *labels_cell(const struct pic_json *device, const char *key, char room[64])
{
	size_t used = 0;

	room[0] = '\0';
	pic_json_each(pic_json_get(device, key), i) {
		int more = snprintf(room + used, 64 - used, "%s%s=%s", used ? "," : "",
				    pic_json_key(i), pic_json_text_or(pic_json_value(i), ""));

		used = used + (size_t)more < 63 ? used + (size_t)more : 63;
	}
	return room;
}

/* "2/3": of so many components so many run. */
static const char *running_cell(const struct pic_json *device, const char *key, char room[64])
{
	long long running = 0, total = 0;

	pic_json_integer(pic_json_get(device, key), &running);
	pic_json_integer(pic_json_get(device, "components"), &total);
	snprintf(room, 64, "%lld/%lld", running, total);
	return room;
}

static const struct column columns[] = {
	{ "NAME", false, "name", text_cell },
	{ "ONLINE", false, "online", online_cell },
	{ "SEEN", false, "last-seen", age_cell },
	{ "RUNNING", false, "running", running_cell },
	{ "REVISION", false, "revision", number_cell },
	{ "REPORTED", true, "reported-revision", number_cell },
	{ "EPOCH", true, "epoch", text_cell },
	{ "ADDRESS", true, "address", text_cell },
	{ "ENROLLED", true, "enrolled-at", age_cell },
	{ "LABELS", true, "labels", labels_cell },
	{ "VERSION", false, "version", text_cell },
	{ "MESSAGE", false, "message", text_cell },
};

/* The columns that are shown, as titles when `device` is NULL. */
static size_t fill(bool wide, const struct pic_json *device, char rooms[][64], const char **cells)
{
	size_t count = 0;

	for (size_t i = 0; i < PIC_COUNT(columns); i++) {
		const struct column *column = &columns[i];

		if (!column->wide || wide)
			cells[count++] = device ? column->cell(device, column->key, rooms[i])
						: column->title;
	}
	return count;
}

static void print_devices(const struct pic_json *devices, bool wide)
{
	char rooms[PIC_COUNT(columns)][64];
	const char *cells[PIC_COUNT(columns)];
	size_t shown = fill(wide, NULL, rooms, cells);
	struct pic_table *table = pic_table_new(shown, cells);

	for (size_t i = 0; table && i < pic_json_count(devices); i++) {
		fill(wide, pic_json_at(devices, i), rooms, cells);
		pic_table_row(table, cells);
	}
	pic_table_print(table, stdout);
	pic_table_free(table);
}

int pic_ctl_device_list(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	const struct pic_ctl_call call = { .method = "GET", .path = "/piccolo/v1/devices" };
	struct pic_json *devices;

	(void)argc;
	(void)argv;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	if (wants_value(ctl))
		return print_as_asked(ctl, answer.json);
	devices = pic_json_get(answer.json, "devices");
	if (pic_json_count(devices) == 0)
		fprintf(stderr, "no devices; `piccoloctl enroll TARGET` makes one\n");
	else
		print_devices(devices, strcmp(ctl->output, "wide") == 0);
	return PIC_EXIT_OK;
}

static int device_call(struct pic_ctl *ctl, const char *method, const char *name, const char *tail,
		       const char *done)
{
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);
	struct pic_ctl_call call = { .method = method };

	pic_buf_text_add(&path, "/piccolo/v1/devices/");
	pic_percent_encode(name, &path);
	pic_buf_text_add(&path, tail);
	call.path = pic_buf_text(&path);
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	printf("device %s %s\n", name, done);
	return PIC_EXIT_OK;
}

int pic_ctl_device_accept(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	const struct pic_ctl_call call = { .method = "GET", .path = "/piccolo/v1/devices" };
	int status = PIC_EXIT_OK;

	if (argc == 1)
		return device_call(ctl, "POST", argv[0], "/accept-epoch", "may take the new epoch");
	if (!ctl->all_devices) {
		pic_error_set(&err, PIC_CTL_USAGE, "name a device, or --all");
		return pic_ctl_fail(&err);
	}
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	for (size_t i = 0; i < pic_json_count(pic_json_get(answer.json, "devices")); i++) {
		const char *name = pic_json_get_text(
			pic_json_at(pic_json_get(answer.json, "devices"), i), "name");

		if (name &&
		    device_call(ctl, "POST", name, "/accept-epoch", "may take the new epoch"))
			status = PIC_EXIT_FAILED;
	}
	return status;
}

int pic_ctl_device_retire(void *program, int argc, char **argv)
{
	(void)argc;
	return device_call(program, "DELETE", argv[0], "", "retired");
}

int pic_ctl_device_release(void *program, int argc, char **argv)
{
	(void)argc;
	return device_call(program, "POST", argv[0], "/release", "is out of quarantine");
}

static int print_log(void *data, const void *bytes, size_t size)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * size + 16);

	(void)data;
	pic_text_escape(bytes, size, true, &text);
	if (text.size)
		fwrite(text.data, 1, text.size, stdout);
	fflush(stdout);
	return ferror(stdout) ? -EPIPE : 0;
}

/* logs DEVICE INSTANCE/COMPONENT */
int pic_ctl_logs(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(2048);
	const char *slash = strchr(argv[1], '/');
	struct pic_ctl_call call = { .method = "GET", .receive = print_log };

	(void)argc;
	if (!slash || slash == argv[1] || !slash[1] || strchr(slash + 1, '/')) {
		pic_error_set(&err, PIC_CTL_USAGE, "'%s' is no INSTANCE/COMPONENT", argv[1]);
		return pic_ctl_fail(&err);
	}
	pic_buf_text_add(&path, "/piccolo/v1/devices/");
	pic_percent_encode(argv[0], &path);
	pic_buf_format(&path, "/logs/%s?lines=%lld%s", argv[1], ctl->lines,
		       ctl->follow ? "&follow=1" : "");
	call.path = pic_buf_text(&path);
	call.timeout_ms = ctl->follow ? 1000LL * 3600 * 24 * 365 : 60000;
	return pic_ctl_call(ctl, &call, &answer, &err) < 0 ? pic_ctl_fail(&err) : PIC_EXIT_OK;
}
