/* The properties of a wasm component -> struct pic_wasm_spec. Every error names its property. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/option_state.h"
#include "base/text.h"
#include "base/words.h"
#include "workload/wasm/runner.h"

#define PREFIX "wasm."
#define MEMORY_DEFAULT (64ull * 1024 * 1024)
#define MEMORY_LEAST 65536ull
#define MEMORY_MOST (4096ull * 1024 * 1024 - MEMORY_LEAST)

typedef int property_function(struct pic_wasm_spec *spec, const char *text, struct pic_error *err);

void pic_wasm_spec_init(struct pic_wasm_spec *spec)
{
	/* Padding too: a spec is compared and digested as bytes. */
	memset(spec, 0, sizeof(*spec));
	spec->version = 1;
	spec->memory_max = MEMORY_DEFAULT;
}

static bool is_tracefs(const char *path)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t i = 0; i < PIC_COUNT(places); i++)
		if (pic_text_starts(path, places[i]) &&
		    (path[strlen(places[i])] == '\0' || path[strlen(places[i])] == '/'))
			return true;
	return false;
}

static int copy_path(char *out, size_t room, const char *text, size_t size, struct pic_error *err)
{
	while (size > 1 && text[size - 1] == '/')
		size--;
	if (size == 0)
		return pic_error_set(err, -EINVAL, "a folder's name is empty");
	if (size >= room)
		return pic_error_set(err, -ENAMETOOLONG, "a folder's name is longer than %zu bytes",
				     room - 1);
	memcpy(out, text, size);
	out[size] = '\0';
	return 0;
}

static int parse_mode(const char *text, bool *out, struct pic_error *err)
{
	*out = strcmp(text, "rw") == 0;
	if (*out || strcmp(text, "ro") == 0 || strcmp(text, "readonly") == 0)
		return 0;
	return pic_error_set(err, -EINVAL, "\"%.40s\" is neither rw nor ro", text);
}

/* GUEST:HOST[:rw]; HOST alone is its own guest name. */
static int parse_folder(struct pic_wasm_folder *folder, const char *word, struct pic_error *err)
{
	const char *host = strchr(word, ':'), *mode;
	size_t guest_size = host ? (size_t)(host - word) : strlen(word), host_size;
	int r;

	host = host ? host + 1 : word;
	mode = host == word ? NULL : strchr(host, ':');
	host_size = mode ? (size_t)(mode - host) : strlen(host);
	r = copy_path(folder->guest, sizeof(folder->guest), word, guest_size, err);
	if (r == 0)
		r = copy_path(folder->host, sizeof(folder->host), host, host_size, err);
	if (r == 0 && mode)
		r = parse_mode(mode + 1, &folder->writable, err);
	if (r < 0)
		return r;
	if (folder->host[0] != '/')
		return pic_error_set(err, -EINVAL,
				     "the folder \"%s\" of the device is not absolute",
				     folder->host);
	if (!pic_wasm_path_is_plain(folder->host))
		return pic_error_set(err, -EINVAL,
				     "the folder \"%s\" of the device goes up with ..",
				     folder->host);
	folder->trace = is_tracefs(folder->host);
	if (folder->trace && folder->writable)
		return pic_error_set(err, -EINVAL, "the trace folder can only be read");
	return 0;
}

int pic_wasm_spec_folder(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	int r;

	if (spec->folder_count == PIC_WASM_FOLDERS_MAX)
		return pic_error_set(err, -E2BIG, "more than %d folders", PIC_WASM_FOLDERS_MAX);
	r = parse_folder(&spec->folders[spec->folder_count], word, err);
	if (r == 0)
		spec->folder_count++;
	return r;
}

/* Every word of a property's text, one after the other. */
static int each_word(struct pic_wasm_spec *spec, const char *text, property_function *take,
		     struct pic_error *err)
{
	struct pic_words words = { text };
	char word[PIC_WASM_TEXT_MAX];
	int r;

	while ((r = pic_words_next(&words, word, sizeof(word), err)) > 0) {
		r = take(spec, word, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int parse_dir(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	return each_word(spec, text, pic_wasm_spec_folder, err);
}

static int add_ports(struct pic_policy_ports *out, uint32_t *count, const char *word,
		     struct pic_error *err)
{
	int r;

	if (*count == PIC_WASM_PORTS_MAX)
		return pic_error_set(err, -E2BIG, "more than %d entries", PIC_WASM_PORTS_MAX);
	r = pic_ports_parse(word, strlen(word), &out[*count], err);
	if (r == 0)
		++*count;
	return r;
}

int pic_wasm_spec_listen(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	return add_ports(spec->listen, &spec->listen_count, word, err);
}

static int parse_listen(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	return each_word(spec, text, pic_wasm_spec_listen, err);
}

int pic_wasm_spec_connect(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	return add_ports(spec->connect, &spec->connect_count, word, err);
}

static int parse_connect(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	return each_word(spec, text, pic_wasm_spec_connect, err);
}

static int add_text(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	size_t size = strlen(word) + 1;

	if (size > sizeof(spec->text) - spec->text_size)
		return pic_error_set(err, -E2BIG,
				     "arguments and environment are longer than %zu bytes together",
				     sizeof(spec->text));
	memcpy(spec->text + spec->text_size, word, size);
	spec->text_size += (uint32_t)size;
	return 0;
}

int pic_wasm_spec_argument(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	int r;

	if (spec->environment_count > 0)
		return pic_error_set(err, -EINVAL, "arguments come before the environment");
	r = add_text(spec, word, err);
	spec->argument_count += r == 0;
	return r;
}

static int parse_args(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	return each_word(spec, text, pic_wasm_spec_argument, err);
}

int pic_wasm_spec_environment(struct pic_wasm_spec *spec, const char *word, struct pic_error *err)
{
	const char *equals = strchr(word, '=');
	int r;

	if (!equals || equals == word)
		return pic_error_set(err, -EINVAL, "\"%.60s\" is not of the form NAME=VALUE", word);
	r = add_text(spec, word, err);
	spec->environment_count += r == 0;
	return r;
}

static int parse_env(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	return each_word(spec, text, pic_wasm_spec_environment, err);
}

int pic_wasm_spec_memory(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	unsigned long long bytes;

	if (pic_size_parse(text, &bytes) < 0)
		return pic_error_set(err, -EINVAL, "\"%.40s\" is not a size such as 64M", text);
	if (bytes < MEMORY_LEAST || bytes > MEMORY_MOST)
		return pic_error_set(err, -ERANGE, "%.40s is not between 64k and 4 GiB less 64k",
				     text);
	spec->memory_max = bytes;
	return 0;
}

static int parse_restart(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	static const char *const words[] = { "always", "on-failure", "never" };

	for (uint32_t i = 0; i < PIC_COUNT(words); i++)
		if (strcmp(text, words[i]) == 0) {
			spec->restart = i;
			return 0;
		}
	return pic_error_set(err, -EINVAL, "\"%.40s\" is none of always, on-failure, never", text);
}

/* Read elsewhere: where the artifact comes from, and the name of the original's engine. */
static int accept(struct pic_wasm_spec *spec, const char *text, struct pic_error *err)
{
	(void)spec;
	(void)text;
	(void)err;
	return 0;
}

/* In this order: the texts of arguments come before those of the environment. */
static const struct property {
	const char *name;
	property_function *parse;
} properties[] = {
	{ PREFIX "url", accept },
	{ PREFIX "sha256", accept },
	{ PREFIX "runtime", accept },
	{ PREFIX "dir", parse_dir },
	{ PREFIX "args", parse_args },
	{ PREFIX "env", parse_env },
	{ PREFIX "listen", parse_listen },
	{ PREFIX "connect", parse_connect },
	{ PREFIX "memory", pic_wasm_spec_memory },
	{ PREFIX "restart", parse_restart },
};

static int check_name(const char *name, struct pic_error *err)
{
	struct pic_option_nearest nearest = { .wanted = name };

	for (size_t i = 0; i < PIC_COUNT(properties); i++) {
		if (strcmp(name, properties[i].name) == 0)
			return 0;
		pic_option_offer(&nearest, properties[i].name);
	}
	return nearest.nearest
		       ? pic_error_set(err, -EINVAL,
				       "%.60s: there is no such property; did you mean %s?", name,
				       nearest.nearest)
		       : pic_error_set(err, -EINVAL, "%.60s: there is no such property", name);
}

static int check_names(const struct pic_json *object, struct pic_error *err)
{
	int r;

	pic_json_each(object, i) {
		if (!pic_text_starts(pic_json_key(i), PREFIX))
			continue;
		r = check_name(pic_json_key(i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pic_wasm_parse(const struct pic_json *object, void *out, struct pic_error *err)
{
	struct pic_wasm_spec spec;
	int r = check_names(object, err);

	pic_wasm_spec_init(&spec);
	for (size_t i = 0; r == 0 && i < PIC_COUNT(properties); i++) {
		const struct pic_json *value = pic_json_get(object, properties[i].name);

		if (!value)
			continue;
		if (!pic_json_text(value))
			return pic_error_set(err, -EINVAL, "%s: must be a text (in quotes), not %s",
					     properties[i].name, pic_json_type_name(value));
		r = properties[i].parse(&spec, pic_json_text(value), err);
		if (r < 0)
			return pic_error_wrap(err, r, "%s", properties[i].name);
	}
	if (r == 0)
		memcpy(out, &spec, sizeof(spec));
	return r;
}
