/* libbpf's view of an object against ours: whatever differs, nothing is loaded. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "workload/ebpf/load.h"

static void make_task(const char *name, struct pic_buf *object, struct pic_ebpf_task *out)
{
	struct pic_error err = PIC_ERROR_INIT;
	char path[1024];

	snprintf(path, sizeof(path), "%s/samples/test-%s.bpf.o", PIC_TEST_BUILD_DIR, name);
	if (pic_file_read_path(path, object, &err) < 0)
		fail_msg("%s (build everything first)", err.text);
	memset(out, 0, sizeof(*out));
	out->bytes = (unsigned char *)object->data;
	out->size = object->size;
	out->programs = ~0u;
	if (pic_ebpf_facts_read(out->bytes, out->size, 2, &out->facts, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

static uint32_t number_of(const struct pic_ebpf_task *task, const char *map)
{
	for (uint32_t i = 0; i < task->facts.map_count; i++)
		if (strcmp(task->facts.maps[i].name, map) == 0)
			return i;
	fail_msg("no map %s", map);
	return 0;
}

#define FIELD(name, field) \
	{ \
		name, offsetof(struct pic_ebpf_map, field) \
	}

/* One number of one map, and the map's name in the sentence. */
static const struct {
	const char *map;
	size_t at;
} fields[] = {
	FIELD("first", type),		FIELD("first", key_size),
	FIELD("first", value_size),	FIELD("first", max_entries),
	FIELD("first", flags),		FIELD("first", extra),
	FIELD("first", inner.type),	FIELD("seen", extra),
	FIELD("all", inner.type),	FIELD("all", inner.key_size),
	FIELD("all", inner.value_size), FIELD("all", inner.max_entries),
	FIELD("all", inner.flags),	FIELD("all", inner.extra),
};

static void every_difference_is_refused(void **state)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct pic_ebpf_task task;

	(void)state;
	make_task("inside", &object, &task);
	for (size_t i = 0; i < PIC_COUNT(fields); i++) {
		struct pic_ebpf_map *map = &task.facts.maps[number_of(&task, fields[i].map)];
		uint32_t *number = (uint32_t *)((char *)map + fields[i].at);
		struct pic_error err = PIC_ERROR_INIT;
		struct pic_ebpf_loaded loaded;
		char says[64];

		snprintf(says, sizeof(says), "map %s is read differently", fields[i].map);
		*number ^= 1;
		if (pic_ebpf_load(&task, &loaded, &err) != -EINVAL || !strstr(err.text, says))
			fail_msg("field %zu: loaded, or %s", i, err.text);
		*number ^= 1;
	}
}

static void a_section_of_variables_has_no_other_flags(void **state)
{
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_ebpf_loaded loaded;
	struct pic_ebpf_task task;

	(void)state;
	make_task("hello", &object, &task);
	task.facts.maps[number_of(&task, ".rodata")].flags = 0;
	assert_int_equal(pic_ebpf_load(&task, &loaded, &err), -EINVAL);
	assert_non_null(strstr(err.text, ".rodata is read differently"));
}

static void what_is_the_same_is_loaded(void **state)
{
	static const char *const names[] = { "inside", "fresh", "fresh-ring", "count" };

	(void)state;
	if (geteuid() != 0) {
		printf("skipped: needs root\n");
		skip();
	}
	for (size_t i = 0; i < PIC_COUNT(names); i++) {
		PIC_BUF struct pic_buf object = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX);
		struct pic_error err = PIC_ERROR_INIT;
		struct pic_ebpf_loaded loaded;
		struct pic_ebpf_task task;

		make_task(names[i], &object, &task);
		if (pic_ebpf_load(&task, &loaded, &err) < 0)
			fail_msg("%s: %s", names[i], err.text);
		pic_ebpf_unload(&loaded);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_difference_is_refused),
		cmocka_unit_test(a_section_of_variables_has_no_other_flags),
		cmocka_unit_test(what_is_the_same_is_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
