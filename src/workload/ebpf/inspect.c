#include "workload/ebpf/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include "admission/ebpf_attach.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "workload/ebpf/runner.h"

/* What stood in the file: shown, never trusted. */
static struct pic_json *escaped(const char *text)
{
	struct pic_buf PIC_BUF out = PIC_BUF_INIT(1024);

	pic_text_escape(text, strlen(text), false, &out);
	return pic_json_new_text(pic_buf_text(&out));
}

static struct pic_json *programs(const struct pic_ebpf_facts *facts)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < facts->program_count; i++) {
		const struct pic_ebpf_program *program = &facts->programs[i];
		struct pic_json *one = pic_json_new_object();

		pic_json_set(one, "name", escaped(program->name));
		pic_json_set(one, "section", escaped(program->section));
		pic_json_set_text(one, "type", pic_ebpf_program_type_text(program->type));
		pic_json_set_integer(one, "instructions", program->instructions);
		pic_json_append(list, one);
	}
	return list;
}

static struct pic_json *maps(const struct pic_ebpf_facts *facts)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < facts->map_count; i++) {
		const struct pic_ebpf_map *map = &facts->maps[i];
		struct pic_json *one = pic_json_new_object();

		pic_json_set(one, "name", escaped(map->name));
		pic_json_set_text(one, "type", pic_ebpf_map_type_text(map->type));
		pic_json_set_integer(one, "entries", map->max_entries);
		pic_json_set_integer(one, "kernel-bytes", (long long)map->kernel_bytes);
		pic_json_append(list, one);
	}
	return list;
}

static struct pic_json *helpers(const struct pic_ebpf_facts *facts)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t id = 0; id < PIC_EBPF_HELPERS_MAX; id++) {
		const char *name = pic_ebpf_helper_text(id);
		char number[24];

		if (!(facts->helpers[id / 32] >> id % 32 & 1))
			continue;
		snprintf(number, sizeof(number), "number %u", id);
		pic_json_append_text(list, name ? name : number);
	}
	return list;
}

static struct pic_json *grants(uint32_t bits)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t bit = 1; bit & PIC_GRANT_MASK; bit <<= 1)
		if (bits & bit)
			pic_json_append_text(list, pic_grant_text(bit));
	return list;
}

static struct pic_json *hooks(const struct pic_ebpf_attach *attach, uint32_t count)
{
	struct pic_json *list = pic_json_new_array();

	for (uint32_t i = 0; i < count; i++) {
		char text[PIC_EBPF_ATTACH_TEXT];

		pic_ebpf_attach_text(&attach[i], text, sizeof(text));
		pic_json_append(list, escaped(text));
	}
	return list;
}

static void judge(const struct pic_ebpf_facts *facts, const struct pic_policy *policy,
		  struct pic_ebpf_inspection *out, struct pic_json *report)
{
	struct pic_ebpf_attach attach[PIC_EBPF_PROGRAMS_MAX];
	struct pic_ebpf_spec spec;
	uint32_t count = 0;
	int r;

	pic_ebpf_spec_init(&spec);
	r = pic_ebpf_terms_resolve(facts, &spec.terms, attach, &count, &out->why);
	if (r == 0)
		pic_json_set(report, "hooks", hooks(attach, count));
	if (r == 0 && policy)
		r = pic_ebpf_admit(facts, &spec.terms, policy, policy->ebpf.grants_by_hand,
				   &out->why);
	out->allowed = r == 0;
}

static void describe(const struct pic_ebpf_facts *facts, struct pic_json *report)
{
	pic_json_set(report, "license", escaped(facts->license));
	pic_json_set(report, "programs", programs(facts));
	pic_json_set(report, "maps", maps(facts));
	pic_json_set(report, "helpers", helpers(facts));
	pic_json_set(report, "grants", grants(facts->grants));
	pic_json_set_integer(report, "kernel-bytes", (long long)facts->kernel_bytes);
	pic_json_set_bool(report, "type-information", facts->has_btf);
	pic_json_set_bool(report, "kernel-relocations", facts->has_core);
}

int pic_ebpf_inspect(const unsigned char *bytes, size_t size, const struct pic_policy *policy,
		     struct pic_ebpf_inspection *out, struct pic_json **report,
		     struct pic_error *err)
{
	struct pic_json *PIC_JSON made = pic_json_new_object();
	PIC_FREE struct pic_ebpf_facts *facts = calloc(1, sizeof(*facts));

	if (!made || !facts)
		return pic_error_set(err, -ENOMEM, "no memory to look at the object");
	*out = (struct pic_ebpf_inspection){ 0 };
	pic_json_set_integer(made, "size", (long long)size);
	if (pic_ebpf_facts_read(bytes, size, (unsigned)get_nprocs_conf(), facts, &out->why) == 0) {
		out->valid = true;
		describe(facts, made);
		judge(facts, policy, out, made);
	}
	pic_json_set_bool(made, "valid", out->valid);
	pic_json_set_bool(made, "allowed", out->allowed);
	if (out->why.code)
		pic_json_set_text(made, "reason", out->why.text);
	*report = PIC_STEAL(made);
	return 0;
}

int pic_ebpf_admit_object(int fd, const struct pic_ebpf_spec *spec, struct pic_error *err)
{
	PIC_FREE struct pic_ebpf_facts *facts = calloc(1, sizeof(*facts));
	struct stat is;
	void *bytes;
	int r;

	if (!facts || fstat(fd, &is) < 0)
		return pic_error_set(err, -ENOMEM, "no memory to look at the object");
	if (is.st_size <= 0 || is.st_size > PIC_EBPF_OBJECT_MAX)
		return pic_error_set(err, -EINVAL,
				     "an object of %lld bytes is not between 1 and %d",
				     (long long)is.st_size, PIC_EBPF_OBJECT_MAX);
	bytes = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return pic_error_errno(err, errno, "the object cannot be read");
	r = pic_ebpf_facts_read(bytes, (size_t)is.st_size, (unsigned)get_nprocs_conf(), facts, err);
	if (r == 0)
		r = pic_ebpf_terms_fit(facts, &spec->terms, err);
	munmap(bytes, (size_t)is.st_size);
	return r;
}

static long long number(const struct pic_json *object, const char *key)
{
	long long value = 0;

	pic_json_integer(pic_json_get(object, key), &value);
	return value;
}

/* "a, b" or "none". */
static void put_words(const struct pic_json *list, const char *title, struct pic_buf *out)
{
	pic_buf_format(out, "%-11s", title);
	for (size_t i = 0; i < pic_json_count(list); i++)
		pic_buf_format(out, "%s%s", i ? ", " : "", pic_json_text(pic_json_at(list, i)));
	pic_buf_text_add(out, pic_json_count(list) ? "\n" : "none\n");
}

static void put_facts(const struct pic_json *report, struct pic_buf *out)
{
	const struct pic_json *list = pic_json_get(report, "programs");

	pic_buf_format(out, "license:   %s\nprograms:  %zu\n", pic_json_get_text(report, "license"),
		       pic_json_count(list));
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);

		pic_buf_format(out, "  %s  %s, section \"%s\", %lld instructions\n",
			       pic_json_get_text(one, "name"), pic_json_get_text(one, "type"),
			       pic_json_get_text(one, "section"), number(one, "instructions"));
	}
	list = pic_json_get(report, "maps");
	pic_buf_format(out, "maps:      %zu, %lld bytes of kernel memory at most\n",
		       pic_json_count(list), number(report, "kernel-bytes"));
	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);

		pic_buf_format(out, "  %s  %s, %lld entries, %lld bytes\n",
			       pic_json_get_text(one, "name"), pic_json_get_text(one, "type"),
			       number(one, "entries"), number(one, "kernel-bytes"));
	}
	put_words(pic_json_get(report, "helpers"), "helpers:", out);
	put_words(pic_json_get(report, "grants"), "grants:", out);
	if (pic_json_get(report, "hooks"))
		put_words(pic_json_get(report, "hooks"), "hooks:", out);
}

void pic_ebpf_inspection_text(const struct pic_json *report, struct pic_buf *out)
{
	const char *reason = pic_json_get_text(report, "reason");
	bool valid = pic_json_true(pic_json_get(report, "valid"));
	bool allowed = pic_json_true(pic_json_get(report, "allowed"));

	pic_buf_format(out, "verdict:   %s\n",
		       allowed ? "valid, may be run by hand"
		       : valid ? "valid, but may not be run"
			       : "invalid");
	if (reason)
		pic_buf_format(out, "reason:    %s\n", reason);
	pic_buf_format(out, "size:      %lld bytes\n", number(report, "size"));
	if (valid)
		put_facts(report, out);
}
