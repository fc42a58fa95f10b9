/* Objects from files, validated before anything is sent, with the line of what is wrong. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"
#include "ctl/ctl.h"
#include "symphony/object.h"
#include "symphony/yaml.h"

#define INPUTS_MAX 4096

struct pic_ctl_source {
	struct pic_ctl_source *next;
	char *name;
	struct pic_yaml yaml;
};

void pic_ctl_inputs_free(struct pic_ctl_inputs *inputs)
{
	for (size_t i = 0; i < inputs->count; i++)
		free(inputs->items[i].where);
	free(inputs->items);
	while (inputs->sources) {
		struct pic_ctl_source *source = inputs->sources;

		inputs->sources = source->next;
		pic_yaml_free(&source->yaml);
		free(source->name);
		free(source);
	}
	*inputs = (struct pic_ctl_inputs){ 0 };
}

static int read_stdin(struct pic_buf *out, struct pic_error *err)
{
	for (;;) {
		char *room = pic_buf_reserve(out, 16384);
		ssize_t n;

		if (!room)
			return pic_buf_check(out, "standard input", err);
		n = read(STDIN_FILENO, room, 16384);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return pic_error_errno(err, errno, "standard input");
		if (n == 0)
			return 0;
		pic_buf_commit(out, (size_t)n);
	}
}

static void finding_text(const struct pic_finding *finding, int line, const char *file,
			 struct pic_buf *out)
{
	if (out->size)
		pic_buf_char(out, '\n');
	if (line > 0)
		pic_buf_format(out, "%s:%d: %s: %s", file, line, finding->path, finding->text);
	else
		pic_buf_format(out, "%s: %s: %s", file, finding->path, finding->text);
}

/* All findings of one object, a line each. */
static int check_object(const struct pic_ctl_source *source, size_t document,
			const struct pic_kind_facts *kind, struct pic_json *object,
			struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_ERROR_TEXT);
	PIC_JSON struct pic_json *filled = pic_json_copy(object);
	struct pic_findings findings = { .count = 0 };

	pic_object_default(kind->kind, filled);
	pic_object_validate(kind->kind, filled, &findings);
	if (findings.count == 0)
		return 0;
	for (size_t i = 0; i < findings.count && i < PIC_COUNT(findings.items); i++) {
		const struct pic_finding *finding = &findings.items[i];

		finding_text(finding,
			     pic_yaml_line(&source->yaml.documents[document], finding->path),
			     source->name, &text);
	}
	return pic_error_set(err, -EINVAL, "%s", pic_buf_text(&text));
}

static int add_object(struct pic_ctl_inputs *out, struct pic_ctl_source *source, size_t document,
		      struct pic_json *object, struct pic_error *err)
{
	const int line = pic_yaml_line(&source->yaml.documents[document], "kind");
	const char *version = pic_json_get_text(object, "apiVersion");
	const char *kind_name = pic_json_get_text(object, "kind");
	const char *name = pic_json_text(pic_json_find(object, "metadata", "name", NULL));
	const char *slash = version ? strchr(version, '/') : NULL;
	char group[128] = "";
	const struct pic_kind_facts *kind;
	struct pic_ctl_input *grown;
	int r;

	if (!version || !kind_name || !name)
		return pic_error_set(err, -EINVAL, "%s:%d: %s is missing", source->name,
				     line > 0 ? line : 1,
				     !version	  ? "apiVersion"
				     : !kind_name ? "kind"
						  : "metadata.name");
	if (slash)
		snprintf(group, sizeof(group), "%.*s", (int)(slash - version), version);
	kind = pic_kind_by_name(group, kind_name);
	if (!kind || !kind->group)
		return pic_error_set(
			err, -EINVAL,
			"%s:%d: kind %s of %s is not known; `piccoloctl api-resources` "
			"lists what is",
			source->name, line > 0 ? line : 1, kind_name, version);
	r = check_object(source, document, kind, object, err);
	if (r < 0)
		return r;
	if (out->count >= INPUTS_MAX)
		return pic_error_set(err, -E2BIG, "more than %d objects at once", INPUTS_MAX);
	grown = reallocarray(out->items, out->count + 1, sizeof(*grown));
	if (!grown)
		return pic_error_set(err, -ENOMEM, "no memory");
	out->items = grown;
	grown[out->count] = (struct pic_ctl_input){
		.object = object, .kind = kind, .name = name, .source = source, .document = document
	};
	if (asprintf(&grown[out->count].where, "%s:%d", source->name, line > 0 ? line : 1) < 0)
		return pic_error_set(err, -ENOMEM, "no memory");
	out->count++;
	return 0;
}

static int add_documents(struct pic_ctl_inputs *out, struct pic_ctl_source *source,
			 struct pic_error *err)
{
	for (size_t i = 0; i < source->yaml.count; i++) {
		struct pic_json *value = source->yaml.documents[i].value;
		const char *kind = pic_json_get_text(value, "kind");
		struct pic_json *items = pic_json_get(value, "items");
		int r = 0;

		if (kind && strcmp(kind, "List") == 0) {
			for (size_t k = 0; r == 0 && k < pic_json_count(items); k++)
				r = add_object(out, source, i, pic_json_at(items, k), err);
		} else {
			r = add_object(out, source, i, value, err);
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_file(const char *path, struct pic_ctl_inputs *out, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_YAML_SIZE_MAX);
	struct pic_ctl_source *source;
	const bool from_stdin = strcmp(path, "-") == 0;
	int r = from_stdin ? read_stdin(&text, err) : pic_file_read(AT_FDCWD, path, &text, err);

	if (r < 0)
		return r;
	source = calloc(1, sizeof(*source));
	if (!source)
		return pic_error_set(err, -ENOMEM, "no memory");
	source->next = out->sources;
	out->sources = source;
	source->name = strdup(from_stdin ? "standard input" : path);
	if (!source->name)
		return pic_error_set(err, -ENOMEM, "no memory");
	r = pic_yaml_parse(&source->yaml, pic_buf_text(&text), text.size, source->name, err);
	return r < 0 ? r : add_documents(out, source, err);
}

static int is_object_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (pic_text_ends(entry->d_name, ".yaml") || pic_text_ends(entry->d_name, ".yml") ||
		pic_text_ends(entry->d_name, ".json"));
}

static int read_folder(const char *folder, struct pic_ctl_inputs *out, struct pic_error *err)
{
	struct dirent **entries = NULL;
	const int count = scandir(folder, &entries, is_object_file, alphasort);
	int r = 0;

	if (count < 0)
		return pic_error_errno(err, errno, "%s", folder);
	if (count == 0)
		r = pic_error_set(err, -ENOENT, "%s holds no .yaml, .yml or .json file", folder);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (r == 0 && snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) <
				      (int)sizeof(path))
			r = read_file(path, out, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Namespaces, then what others refer to before what refers to it: the order of the kind table. */
static int rank(const struct pic_ctl_input *input)
{
	return input->kind->kind == PIC_KIND_NAMESPACE ? -1 : (int)input->kind->kind;
}

/* Insertion: within a kind the files' own order stays. */
static void sort(struct pic_ctl_inputs *inputs)
{
	for (size_t i = 1; i < inputs->count; i++) {
		const struct pic_ctl_input moved = inputs->items[i];
		size_t at = i;

		for (; at > 0 && rank(&inputs->items[at - 1]) > rank(&moved); at--)
			inputs->items[at] = inputs->items[at - 1];
		inputs->items[at] = moved;
	}
}

int pic_ctl_inputs_read(const struct pic_option_list *files, struct pic_ctl_inputs *out,
			struct pic_error *err)
{
	struct pic_ctl_inputs inputs = { 0 };
	int r = 0;

	if (files->count == 0)
		return pic_error_set(err, PIC_CTL_USAGE, "name a file or folder with -f");
	for (size_t i = 0; r == 0 && i < files->count; i++) {
		struct stat status;

		if (strcmp(files->items[i], "-") != 0 && stat(files->items[i], &status) == 0 &&
		    S_ISDIR(status.st_mode))
			r = read_folder(files->items[i], &inputs, err);
		else
			r = read_file(files->items[i], &inputs, err);
	}
	if (r == 0 && inputs.count == 0)
		r = pic_error_set(err, -EINVAL, "%s holds no object", files->items[0]);
	if (r < 0) {
		pic_ctl_inputs_free(&inputs);
		return r;
	}
	sort(&inputs);
	*out = inputs;
	return 0;
}
