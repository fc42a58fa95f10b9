/* Ignition: the config of a device's first boot, and a second opinion on any config. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "ignition/config.h"

#define TEXT_MAX (1024 * 1024)
#define KEYS_MAX (64 * 1024)

/* ignition validate FILE */

static struct pic_json *findings_as_json(const struct pic_ignition_findings *findings)
{
	struct pic_json *reply = pic_json_new_object();
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct pic_ignition_finding *finding = &findings->items[i];
		struct pic_json *one = pic_json_new_object();

		pic_json_set_text(one, "severity",
				  finding->severity == PIC_IGNITION_ERROR ? "error" : "warning");
		pic_json_set_text(one, "path", finding->path);
		pic_json_set_text(one, "message", finding->text);
		pic_json_append(list, one);
	}
	pic_json_set_bool(reply, "valid", findings->errors == 0);
	pic_json_set(reply, "findings", list);
	return reply;
}

static void print_findings(const struct pic_ignition_findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct pic_ignition_finding *finding = &findings->items[i];

		printf("%s: %s%s%s\n",
		       finding->severity == PIC_IGNITION_ERROR ? "error" : "warning", finding->path,
		       *finding->path ? ": " : "", finding->text);
	}
	if (findings->errors + findings->warnings > findings->count)
		printf("and %zu more\n", findings->errors + findings->warnings - findings->count);
}

int pic_ctl_ignition_validate(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	PIC_IGNITION_FINDINGS struct pic_ignition_findings findings = { .items = NULL };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX + 1);
	struct pic_error err = PIC_ERROR_INIT;

	(void)argc;
	if (pic_file_read_path(argv[0], &text, &err) < 0)
		return pic_ctl_fail(&err);
	if (pic_ignition_check(pic_buf_text(&text), text.size, &findings, NULL) == -ENOMEM) {
		pic_error_set(&err, -ENOMEM, "no memory to check %s", argv[0]);
		return pic_ctl_fail(&err);
	}
	if (strcmp(ctl->output, "json") == 0 || strcmp(ctl->output, "yaml") == 0) {
		PIC_JSON struct pic_json *value = findings_as_json(&findings);

		if (pic_ctl_print_value(value, ctl->output, &err) < 0)
			return pic_ctl_fail(&err);
	} else {
		print_findings(&findings);
	}
	return findings.errors ? PIC_EXIT_FAILED : PIC_EXIT_OK;
}

/* ignition DEVICE: what the hub is asked for */

static int add_extension(struct pic_ctl *ctl, struct pic_json *request, struct pic_error *err)
{
	struct pic_json *extension = pic_json_ensure_object(request, "extension");
	const char *given = ctl->extension;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	const char *slash = strrchr(given, '/');
	int r;

	pic_json_set_text(extension, "file", slash ? slash + 1 : given);
	if (pic_text_starts(given, "https://") || pic_text_starts(given, "http://")) {
		if (!ctl->extension_hash)
			return pic_error_set(err, PIC_CTL_USAGE,
					     "an extension at an address needs --extension-hash "
					     "sha512-...; sha512sum prints the digits");
		pic_json_set_text(extension, "url", given);
		pic_json_set_text(extension, "hash", ctl->extension_hash);
		return 0;
	}
	r = pic_ctl_push_file(ctl, given, NULL, &answer, err);
	if (r == 0)
		pic_json_set_text(extension, "sha256",
				  pic_json_text_or(pic_json_get(answer.json, "sha256"), ""));
	return r;
}

static int add_network(const struct pic_ctl *ctl, struct pic_json *request, struct pic_error *err)
{
	struct pic_json *network = pic_json_ensure_object(request, "network");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TEXT_MAX);
	const char *slash = strrchr(ctl->network, '/');
	int r = pic_file_read_path(ctl->network, &text, err);

	pic_json_set_text(network, "name", slash ? slash + 1 : ctl->network);
	if (r == 0 && pic_json_set_text(network, "text", pic_buf_text(&text)) < 0)
		r = pic_error_set(err, -EINVAL, "%s is no text", ctl->network);
	return r;
}

/* One key a line; comments as in authorized_keys. */
static int add_ssh_keys(const char *file, struct pic_json *list, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(KEYS_MAX);
	int r = pic_file_read_path(file, &text, err);
	char *rest = r == 0 && text.data ? text.data : NULL;
	size_t before = pic_json_count(list);

	for (char *line = NULL; (line = strsep(&rest, "\r\n"));)
		if (*line && *line != '#')
			pic_json_append_text(list, line);
	if (r == 0 && pic_json_count(list) == before)
		r = pic_error_set(err, -EINVAL, "%s holds no public key", file);
	return r;
}

/* A part is told all that is wrong with it here, with its own paths. */
static int add_merge(const char *file, struct pic_json *list, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX + 1);
	struct pic_json *config = NULL;
	int r = pic_file_read_path(file, &text, err);

	if (r == 0)
		r = pic_ignition_parse(&config, pic_buf_text(&text), text.size, file, err);
	if (r == 0)
		pic_json_append(list, config);
	return r;
}

static int add_lists(const struct pic_ctl *ctl, struct pic_json *request, struct pic_error *err)
{
	struct pic_json *keys = pic_json_new_array(), *parts = pic_json_new_array();
	int r = 0;

	pic_json_set(request, "ssh-keys", keys);
	pic_json_set(request, "merge", parts);
	for (size_t i = 0; r == 0 && i < ctl->ssh_keys.count; i++)
		r = add_ssh_keys(ctl->ssh_keys.items[i], keys, err);
	for (size_t i = 0; r == 0 && i < ctl->merges.count; i++)
		r = add_merge(ctl->merges.items[i], parts, err);
	return r;
}

static int make_request(struct pic_ctl *ctl, struct pic_json *request, struct pic_error *err)
{
	int r = add_lists(ctl, request, err);

	if (r == 0 && ctl->network)
		r = add_network(ctl, request, err);
	if (r == 0 && ctl->extension)
		r = add_extension(ctl, request, err);
	pic_json_set_bool(request, "pointer", ctl->pointer);
	pic_json_set_integer(request, "valid-seconds", ctl->valid_ms / 1000);
	return r;
}

/* It holds a token: nobody else reads the file. */
static int write_config(const char *path, const struct pic_buf *text, struct pic_error *err)
{
	PIC_FREE char *first = strdup(path), *second = strdup(path);
	PIC_FD int folder = -1;
	int r;

	if (!first || !second)
		return pic_error_set(err, -ENOMEM, "no memory to write %s", path);
	r = pic_folder_open(AT_FDCWD, dirname(first), false, 0, (uid_t)-1, (gid_t)-1, &folder, err);
	if (r == 0)
		r = pic_file_write(folder, basename(second), 0600, text->data, text->size,
				   PIC_FILE_DURABLE, err);
	return r < 0 ? pic_error_wrap(err, r, "%s cannot be written", path) : 0;
}

static int show(const struct pic_ctl *ctl, const struct pic_ctl_answer *answer,
		struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX);
	const char *expires = pic_json_text_or(pic_json_get(answer->json, "expires"), "");
	int r;

	pic_json_write(pic_json_get(answer->json, "config"), PIC_JSON_INDENT, &text);
	pic_buf_char(&text, '\n');
	r = pic_buf_check(&text, "the config", err);
	if (r == 0 && ctl->to)
		r = write_config(ctl->to, &text, err);
	else if (r == 0 && fwrite(text.data, 1, text.size, stdout) != text.size)
		r = pic_error_errno(err, errno, "standard output");
	if (r == 0)
		fprintf(stderr, "It holds a secret that works once, until %s.\n", expires);
	return r;
}

int pic_ctl_ignition(void *program, int argc, char **argv)
{
	struct pic_ctl *ctl = program;
	struct pic_error err = PIC_ERROR_INIT;
	PIC_ANSWER struct pic_ctl_answer answer = { 0 };
	PIC_JSON struct pic_json *request = pic_json_new_object();
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX),
			       path = PIC_BUF_INIT(1024);
	struct pic_ctl_call call = { .method = "POST" };

	(void)argc;
	if (make_request(ctl, request, &err) < 0)
		return pic_ctl_fail(&err);
	pic_buf_text_add(&path, "/piccolo/v1/devices/");
	pic_percent_encode(argv[0], &path);
	pic_buf_text_add(&path, "/ignition");
	pic_json_write(request, PIC_JSON_COMPACT, &body);
	call.path = pic_buf_text(&path);
	call.body = body.data;
	call.body_size = body.size;
	if (pic_ctl_call(ctl, &call, &answer, &err) < 0 || show(ctl, &answer, &err) < 0)
		return pic_ctl_fail(&err);
	return PIC_EXIT_OK;
}
