#include "workload/ebpf/load.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "workload/ebpf/explain.h"
#include "workload/log.h"

#define KEPT_LINES 40
#define KEPT_BYTES 8192

/* libbpf's reports have no context to go to: the last ones of this process. */
static struct {
	char text[PIC_EBPF_SAID_MAX];
	size_t used;
} said;

__attribute__((format(printf, 2, 0))) static int on_print(enum libbpf_print_level level,
							  const char *format, va_list args)
{
	int size;

	/* the verifier's log has its own buffer; libbpf prints it once more */
	if (level != LIBBPF_WARN || strstr(format, "-- BEGIN PROG LOAD LOG --"))
		return 0;
	size = vsnprintf(said.text + said.used, sizeof(said.text) - said.used, format, args);
	if (size < 0 || (size_t)size >= sizeof(said.text) - said.used)
		said.text[said.used] = '\0'; /* the first ones tell more */
	else
		said.used += (size_t)size;
	return 0;
}

static void say_nothing(void)
{
	said.used = 0;
	said.text[0] = '\0';
	libbpf_set_print(on_print);
}

static int fail(enum pic_ebpf_stage stage, int error, const char *log, struct pic_error *err)
{
	char program[PIC_EBPF_PROGRAM_NAME_MAX + 1];
	const struct pic_ebpf_failure failure = { .stage = stage,
						  .error = error,
						  .program = program,
						  .place = "",
						  .said = said.text,
						  .log = log };

	pic_ebpf_failed_program(said.text, program);
	return pic_ebpf_explain(&failure, err);
}

/* The sentence has room for a few words of the verifier; who wrote the program wants more of them. */
static void keep_log(const struct pic_ebpf_task *task, const char *said_last)
{
	const char *text = pic_ebpf_last_lines(said_last, KEPT_LINES, KEPT_BYTES);
	struct pic_workload_log *log;

	if (!*text || !task->log_max ||
	    pic_workload_log_new(&log, task->log_fds, task->log_max, NULL) < 0)
		return;
	pic_workload_log_line(log, "the kernel's verifier refused it; what it said last:");
	pic_workload_log_write(log, 'e', text, strlen(text));
	pic_workload_log_flush(log);
	pic_workload_log_free(log);
}

static int differs(const char *what, const char *name, struct pic_error *err)
{
	return pic_error_set(err, -EINVAL,
			     "the object is ambiguous: %s %s is read differently by libbpf", what,
			     name);
}

static int find_program(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->program_count; i++)
		if (strcmp(facts->programs[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* ".rodata" in the facts is "<object>.rodata" to libbpf. */
static int find_map(const struct pic_ebpf_facts *facts, const char *name)
{
	for (uint32_t i = 0; i < facts->map_count; i++)
		if (strcmp(facts->maps[i].name, name) == 0 ||
		    (facts->maps[i].name[0] == '.' && pic_text_ends(name, facts->maps[i].name)))
			return (int)i;
	return -1;
}

/* The hook's attach type is part of what the verifier checks. */
static int prepare_program(const struct pic_ebpf_task *task, struct bpf_program *program,
			   uint32_t number, struct pic_error *err)
{
	const struct pic_ebpf_program *fact = &task->facts.programs[number];
	enum bpf_attach_type wanted = (enum bpf_attach_type)fact->attach_type;
	bool chosen = false;

	if (!(task->programs >> number & 1))
		return bpf_program__set_autoload(program, false);
	for (uint32_t i = 0; i < task->hook_count; i++) {
		enum bpf_attach_type type =
			task->hooks[i].mode == PIC_EBPF_EGRESS ? BPF_TCX_EGRESS : BPF_TCX_INGRESS;

		if (task->hooks[i].hook != PIC_EBPF_TCX || task->hook_program[i] != number)
			continue;
		if (chosen && wanted != type)
			return pic_error_set(
				err, -EINVAL,
				"program %s cannot be at ingress and egress by tcx: use "
				"clsact for one",
				fact->name);
		wanted = type;
		chosen = true;
	}
	bpf_program__set_type(program, (enum bpf_prog_type)fact->type);
	bpf_program__set_expected_attach_type(program, wanted);
	return 0;
}

static bool has_shape(const struct bpf_map *map, const struct pic_ebpf_map_shape *shape)
{
	return bpf_map__type(map) == (enum bpf_map_type)shape->type &&
	       bpf_map__key_size(map) == shape->key_size &&
	       bpf_map__value_size(map) == shape->value_size &&
	       bpf_map__max_entries(map) == shape->max_entries &&
	       bpf_map__map_flags(map) == shape->flags && bpf_map__map_extra(map) == shape->extra;
}

static bool is_same_map(struct bpf_map *map, const struct pic_ebpf_map *fact)
{
	struct pic_ebpf_map_shape shape = { fact->type,	       fact->key_size, fact->value_size,
					    fact->max_entries, fact->flags,    fact->extra };
	const struct bpf_map *inner = bpf_map__inner_map(map);

	/* libbpf maps sections of variables into its memory when somebody else may see one of them */
	if (bpf_map__is_internal(map))
		shape.flags |= bpf_map__map_flags(map) & BPF_F_MMAPABLE;
	if (bpf_map__is_internal(map) != (fact->name[0] == '.') || bpf_map__pin_path(map) ||
	    bpf_map__ifindex(map) || !has_shape(map, &shape))
		return false;
	return inner ? has_shape(inner, &fact->inner) : fact->inner.type == 0;
}

static int compare_programs(const struct pic_ebpf_task *task, struct bpf_object *object,
			    struct pic_error *err)
{
	const struct pic_ebpf_facts *facts = &task->facts;
	struct bpf_program *program;
	uint32_t count = 0;

	bpf_object__for_each_program(program, object)
	{
		const char *name = bpf_program__name(program);
		enum bpf_prog_type type = bpf_program__type(program);
		int i = find_program(facts, name);
		int r;

		if (i < 0 || (type && type != (enum bpf_prog_type)facts->programs[i].type))
			return differs("program", name, err);
		r = prepare_program(task, program, (uint32_t)i, err);
		if (r < 0)
			return r;
		count++;
	}
	return count == facts->program_count ? 0 : differs("the number of", "programs", err);
}

/* libbpf must see the very programs and maps that were admitted. */
static int compare(const struct pic_ebpf_task *task, struct bpf_object *object,
		   struct pic_error *err)
{
	const struct pic_ebpf_facts *facts = &task->facts;
	int r = compare_programs(task, object, err);
	struct bpf_map *map;
	uint32_t count = 0;

	if (r < 0)
		return r;
	bpf_object__for_each_map(map, object)
	{
		const char *name = bpf_map__name(map);
		int i = find_map(facts, name);

		if (i < 0 || !is_same_map(map, &facts->maps[i]))
			return differs("map", name, err);
		count++;
	}
	return count <= facts->map_count ? 0 : differs("the number of", "maps", err);
}

static void collect(const struct pic_ebpf_task *task, struct pic_ebpf_loaded *loaded)
{
	struct bpf_program *program;
	struct bpf_map *map;

	int processors = libbpf_num_possible_cpus();

	loaded->processors = processors > 0 ? (uint32_t)processors : 1;
	memset(loaded->program_fds, -1, sizeof(loaded->program_fds));
	memset(loaded->map_fds, -1, sizeof(loaded->map_fds));
	bpf_object__for_each_program(program, loaded->object) if (bpf_program__autoload(program))
		loaded->program_fds[find_program(&task->facts, bpf_program__name(program))] =
		bpf_program__fd(program);
	bpf_object__for_each_map(map, loaded->object)
		loaded->map_fds[find_map(&task->facts, bpf_map__name(map))] = bpf_map__fd(map);
}

int pic_ebpf_load(const struct pic_ebpf_task *task, struct pic_ebpf_loaded *out,
		  struct pic_error *err)
{
	char PIC_FREE *log = malloc(PIC_EBPF_LOG_MAX);
	struct pic_ebpf_loaded loaded = { 0 };
	int r;

	/* "": our rights are our own, libbpf shall look for no token that lends some */
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "piccolo", .kernel_log_buf = log,
		    .kernel_log_size = PIC_EBPF_LOG_MAX, .bpf_token_path = "");
	if (!log)
		return pic_error_set(err, -ENOMEM, "no memory to load the object");
	log[0] = '\0'; /* the rest stays untouched memory for as long as nothing fails */
	say_nothing();
	loaded.object = bpf_object__open_mem(task->bytes, task->size, &options);
	if (!loaded.object)
		return fail(PIC_EBPF_OPEN, errno, "", err);
	r = compare(task, loaded.object, err);
	if (r == 0 && bpf_object__load(loaded.object) < 0) {
		r = fail(PIC_EBPF_LOAD, errno, log, err);
		keep_log(task, log);
	}
	if (r < 0) {
		bpf_object__close(loaded.object);
		return r;
	}
	collect(task, &loaded);
	*out = loaded;
	return 0;
}

void pic_ebpf_unload(struct pic_ebpf_loaded *loaded)
{
	bpf_object__close(loaded->object);
	loaded->object = NULL;
}
