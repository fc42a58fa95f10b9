/* From argv to the command that runs. */
#include "base/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/option_state.h"
#include "base/text.h"

#define SHOWN_MAX 64

struct flag {
	struct pic_option_slot *slot;
	const char *text;
};

struct walk {
	struct pic_option_state *state;
	const struct pic_command *path[PIC_OPTION_NESTING + 1];
	size_t depth; /* path[depth - 1] is the command so far */
	char **argv;  /* what is still to be read */
	char **arguments;
	int argument_count;
	struct flag *flags;
	size_t flag_count;
	bool flags_ended, help, version;
};

/* One program runs at a time; pic_program_effective asks while its command does. */
static const struct pic_option_state *running;

const struct pic_option_state *pic_option_running(void)
{
	return running;
}

static const struct pic_command *command_of(const struct walk *walk)
{
	return walk->path[walk->depth - 1];
}

/* A stranger's word, fit for a sentence. */
static const char *shown(const char *word, char out[4 * SHOWN_MAX + 1])
{
	PIC_BUF struct pic_buf clean = PIC_BUF_INIT(4 * SHOWN_MAX);

	pic_text_escape(word, strnlen(word, SHOWN_MAX), false, &clean);
	snprintf(out, 4 * SHOWN_MAX + 1, "%s", pic_buf_text(&clean));
	return out;
}

/* "piccolo wasm run" */
static const char *full_name(const struct walk *walk, char out[256])
{
	size_t used = (size_t)snprintf(out, 256, "%s", walk->state->program->name);

	for (size_t i = 1; i < walk->depth && used < 256; i++)
		used += (size_t)snprintf(out + used, 256 - used, " %s", walk->path[i]->name);
	return out;
}

static bool is_visible(const struct walk *walk, const struct pic_option_slot *slot)
{
	for (size_t i = 0; i < walk->depth; i++)
		if (slot->command == walk->path[i])
			return pic_option_is_visible(slot->row, slot->command, command_of(walk));
	return false;
}

static int unknown_flag(const struct walk *walk, const char *name, struct pic_error *err)
{
	struct pic_option_nearest nearest = { name, NULL, 0 };
	char word[4 * SHOWN_MAX + 1], command[256];

	full_name(walk, command);
	shown(name, word);
	for (size_t i = 0; i < walk->state->slot_count; i++)
		if (is_visible(walk, &walk->state->slots[i]))
			pic_option_offer(&nearest, walk->state->slots[i].row->name);
	pic_option_offer(&nearest, "help");
	pic_option_offer(&nearest, "version");
	if (!nearest.nearest)
		return pic_error_set(err, -EINVAL, "%s has no option --%s (%s --help lists them)",
				     command, word, command);
	return pic_error_set(err, -EINVAL, "%s has no option --%s; did you mean --%s?", command,
			     word, nearest.nearest);
}

static struct pic_option_slot *find_name(const struct walk *walk, const char *name, size_t size)
{
	/* from the end: a command's own row hides a global one of the same name */
	for (size_t i = walk->state->slot_count; i > 0; i--) {
		struct pic_option_slot *slot = &walk->state->slots[i - 1];

		if (strlen(slot->row->name) == size && memcmp(slot->row->name, name, size) == 0 &&
		    is_visible(walk, slot))
			return slot;
	}
	return NULL;
}

static struct pic_option_slot *find_letter(const struct walk *walk, char letter)
{
	for (size_t i = walk->state->slot_count; i > 0; i--) {
		struct pic_option_slot *slot = &walk->state->slots[i - 1];

		if (slot->row->letter == letter && is_visible(walk, slot))
			return slot;
	}
	return NULL;
}

static void add_flag(struct walk *walk, struct pic_option_slot *slot, const char *text)
{
	walk->flags[walk->flag_count++] = (struct flag){ slot, text };
}

static int take_value(struct walk *walk, struct pic_option_slot *slot, const char *attached,
		      struct pic_error *err)
{
	if (!attached && slot->row->type == PIC_OPTION_FLAG)
		attached = "true";
	if (!attached && !*walk->argv)
		return pic_error_set(err, -EINVAL, "--%s needs %s %s", slot->row->name,
				     slot->row->value ? "a value:" : "a value",
				     slot->row->value ? slot->row->value : "");
	if (!attached)
		attached = *walk->argv++;
	add_flag(walk, slot, attached);
	return 0;
}

static int long_flag(struct walk *walk, const char *word, struct pic_error *err)
{
	size_t size = strcspn(word, "=");
	struct pic_option_slot *slot = find_name(walk, word, size);

	if (slot)
		return take_value(walk, slot, word[size] == '=' ? word + size + 1 : NULL, err);
	if (strcmp(word, "help") == 0)
		walk->help = true;
	else if (strcmp(word, "version") == 0)
		walk->version = true;
	else
		return unknown_flag(walk, word, err);
	return 0;
}

/* -f, -o yaml, -oyaml, -fA */
static int short_flags(struct walk *walk, const char *letters, struct pic_error *err)
{
	for (; *letters != '\0'; letters++) {
		struct pic_option_slot *slot = find_letter(walk, *letters);
		char word[4 * SHOWN_MAX + 1], command[256], letter[2] = { *letters, '\0' };

		if (!slot && *letters == 'h') {
			walk->help = true;
		} else if (!slot) {
			return pic_error_set(err, -EINVAL,
					     "%s has no option -%s (%s --help lists them)",
					     full_name(walk, command), shown(letter, word),
					     command);
		} else if (slot->row->type == PIC_OPTION_FLAG) {
			add_flag(walk, slot, "true");
		} else {
			return take_value(walk, slot, letters[1] != '\0' ? letters + 1 : NULL, err);
		}
	}
	return 0;
}

static int unknown_command(const struct walk *walk, const char *name, struct pic_error *err)
{
	struct pic_option_nearest nearest = { name, NULL, 0 };
	char word[4 * SHOWN_MAX + 1], command[256];

	full_name(walk, command);
	for (const struct pic_command *c = command_of(walk)->commands; c && c->name; c++)
		pic_option_offer(&nearest, c->name);
	if (walk->depth == 1)
		pic_option_offer(&nearest, pic_option_completion.name);
	if (!nearest.nearest)
		return pic_error_set(err, -EINVAL,
				     "%s has no command \"%s\" (%s --help lists them)", command,
				     shown(name, word), command);
	return pic_error_set(err, -EINVAL, "%s has no command \"%s\"; did you mean \"%s\"?",
			     command, shown(name, word), nearest.nearest);
}

static int word(struct walk *walk, char *text, struct pic_error *err)
{
	const struct pic_command *command = command_of(walk);

	if (walk->argument_count == 0 && !walk->flags_ended) {
		for (const struct pic_command *c = command->commands; c && c->name; c++) {
			if (strcmp(c->name, text) == 0 && walk->depth <= PIC_OPTION_NESTING) {
				walk->path[walk->depth++] = c;
				return 0;
			}
		}
		if (command->commands && command->maximum_arguments == 0)
			return unknown_command(walk, text, err);
	}
	walk->arguments[walk->argument_count++] = text;
	return 0;
}

static int read_words(struct walk *walk, struct pic_error *err)
{
	int r = 0;

	while (*walk->argv && r == 0) {
		char *text = *walk->argv++;

		if (walk->flags_ended || text[0] != '-' || text[1] == '\0')
			r = word(walk, text, err);
		else if (strcmp(text, "--") == 0)
			walk->flags_ended = true;
		else if (text[1] == '-')
			r = long_flag(walk, text + 2, err);
		else
			r = short_flags(walk, text + 1, err);
	}
	return r;
}

static int check_flags(const struct walk *walk, struct pic_error *err)
{
	char command[256];

	for (size_t i = 0; i < walk->flag_count; i++)
		if (!is_visible(walk, walk->flags[i].slot))
			return pic_error_set(err, -EINVAL, "%s does not take --%s",
					     full_name(walk, command),
					     walk->flags[i].slot->row->name);
	return 0;
}

static int needs_command(const struct walk *walk, struct pic_error *err)
{
	PIC_BUF struct pic_buf names = PIC_BUF_INIT(PIC_ERROR_TEXT);
	const struct pic_command *c = command_of(walk)->commands;
	char command[256];

	full_name(walk, command);
	for (; c && c->name; c++)
		pic_buf_format(&names, "%s%s", names.size ? ", " : "", c->name);
	return pic_error_set(err, -EINVAL, "%s needs a command: %s", command, pic_buf_text(&names));
}

static int check_arguments(const struct walk *walk, struct pic_error *err)
{
	const struct pic_command *command = command_of(walk);
	char name[256], extra[4 * SHOWN_MAX + 1];

	if (!command->run)
		return needs_command(walk, err);
	full_name(walk, name);
	if (walk->argument_count < command->minimum_arguments)
		return pic_error_set(err, -EINVAL, "%s needs %s", name,
				     command->arguments ? command->arguments : "more arguments");
	if (command->maximum_arguments < 0 || walk->argument_count <= command->maximum_arguments)
		return 0;
	shown(walk->arguments[command->maximum_arguments], extra);
	if (command->maximum_arguments == 0)
		return pic_error_set(err, -EINVAL, "%s takes no argument, but got \"%s\"", name,
				     extra);
	return pic_error_set(err, -EINVAL, "%s takes %s and nothing more, but got \"%s\"", name,
			     command->arguments ? command->arguments : "its arguments", extra);
}

/* Values, weakest source first. */

static struct pic_option_slot *config_slot(const struct walk *walk)
{
	const char *name = walk->state->program->config_option;

	for (size_t i = 0; name && i < walk->state->slot_count; i++)
		if (strcmp(walk->state->slots[i].row->name, name) == 0)
			return &walk->state->slots[i];
	return NULL;
}

/* The path that flag or environment give, and whether it was asked for; else the default. */
static const char *config_path(const struct walk *walk, bool *asked)
{
	const struct pic_option_slot *slot = config_slot(walk);
	const char *path = NULL;
	char name[128];

	if (!slot)
		return NULL;
	if (!pic_option_is_flag_only(slot->row)) {
		pic_option_environment_name(walk->state->program, slot->row, name, sizeof(name));
		path = getenv(name);
	}
	for (size_t i = 0; i < walk->flag_count; i++)
		if (walk->flags[i].slot == slot)
			path = walk->flags[i].text;
	*asked = path && *path != '\0';
	return *asked ? path : slot->row->initial;
}

static int read_file(const struct walk *walk, struct pic_error *err)
{
	bool asked = false;
	const char *path = config_path(walk, &asked);

	if (!path || *path == '\0')
		return 0;
	if (walk->path[walk->depth - 1]->makes_config)
		asked = false;
	if (!asked && access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	return pic_option_file(walk->state, path, err);
}

static int apply_flags(const struct walk *walk, struct pic_error *err)
{
	for (size_t i = 0; i < walk->flag_count; i++) {
		const struct flag *flag = &walk->flags[i];
		char where[128];
		int r;

		snprintf(where, sizeof(where), "--%s", flag->slot->row->name);
		r = pic_option_set(walk->state, flag->slot, flag->text, PIC_OPTION_FROM_FLAG, where,
				   err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int fill_values(const struct walk *walk, struct pic_error *err)
{
	int r = pic_option_defaults(walk->state, command_of(walk), err);

	if (r == 0)
		r = read_file(walk, err);
	if (r == 0)
		r = pic_option_environment(walk->state, err);
	return r == 0 ? apply_flags(walk, err) : r;
}

/* A sentence about a command begins with the program's name already. */
static int wrong_usage(const struct pic_program *program, const struct pic_error *err)
{
	const size_t size = strlen(program->name);

	if (pic_text_starts(err->text, program->name) && err->text[size] == ' ')
		fprintf(stderr, "%s\n", err->text);
	else
		fprintf(stderr, "%s: %s\n", program->name, err->text);
	return PIC_EXIT_USAGE;
}

static int run_command(struct walk *walk)
{
	const struct pic_command *command = command_of(walk);
	struct pic_error err = PIC_ERROR_INIT;
	int status;

	if (walk->help) {
		pic_option_help(walk->state->program, walk->path, walk->depth, stdout);
		return PIC_EXIT_OK;
	}
	if (walk->version) {
		printf("%s %s\n", walk->state->program->name, walk->state->program->version);
		return PIC_EXIT_OK;
	}
	if (check_flags(walk, &err) < 0 || check_arguments(walk, &err) < 0 ||
	    fill_values(walk, &err) < 0)
		return wrong_usage(walk->state->program, &err);
	running = walk->state;
	status = command->run(walk->state->values, walk->argument_count, walk->arguments);
	running = NULL;
	return status;
}

static int run_completion(const struct pic_program *program, int argc, char **argv)
{
	const struct pic_command *path[] = { &program->root, &pic_option_completion };
	struct pic_error err = PIC_ERROR_INIT;

	if (argc == 3 && strcmp(argv[2], "bash") == 0) {
		pic_program_bash_completion(program, stdout);
		return PIC_EXIT_OK;
	}
	if (argc == 3 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
		pic_option_help(program, path, 2, stdout);
		return PIC_EXIT_OK;
	}
	pic_error_set(&err, -EINVAL, "%s completion takes the word bash and nothing more",
		      program->name);
	return wrong_usage(program, &err);
}

/* Words that every program knows; -1: it is none of them. */
static int run_built_in(const struct pic_program *program, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], pic_option_completion.name) == 0)
		return run_completion(program, argc, argv);
	if (argc != 3)
		return -1;
	if (strcmp(argv[1], "documentation") == 0 && strcmp(argv[2], "man") == 0)
		pic_program_man(program, stdout);
	else if (strcmp(argv[1], "documentation") == 0 && strcmp(argv[2], "markdown") == 0)
		pic_program_markdown(program, stdout);
	else
		return -1;
	return PIC_EXIT_OK;
}

static int walk_and_run(struct walk *walk)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (read_words(walk, &err) < 0)
		return wrong_usage(walk->state->program, &err);
	return run_command(walk);
}

/* A letter of "-abc" is a flag, so there may be more flags than words. */
static size_t flags_at_most(char **argv)
{
	size_t count = 1;

	for (; *argv; argv++)
		count += strlen(*argv) + 1;
	return count;
}

int pic_program_run(const struct pic_program *program, void *values, int argc, char **argv)
{
	PIC_CLEANUP(pic_option_state_close) struct pic_option_state state = { 0 };
	PIC_FREE struct flag *flags = NULL;
	PIC_FREE char **arguments = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	struct walk walk = { .state = &state, .path = { &program->root }, .depth = 1 };
	int status = run_built_in(program, argc, argv);

	if (status >= 0)
		return status;
	if (argc < 1 || pic_option_state_open(&state, program, values, &err) < 0)
		return PIC_EXIT_FAILED;
	flags = calloc(flags_at_most(argv), sizeof(*flags));
	arguments = calloc((size_t)argc + 1, sizeof(*arguments));
	if (!flags || !arguments)
		return PIC_EXIT_FAILED;
	walk.argv = argv + 1;
	walk.flags = flags;
	walk.arguments = arguments;
	return walk_and_run(&walk);
}
