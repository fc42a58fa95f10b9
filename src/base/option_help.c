/* --help, for 80 columns. */
#include <string.h>

#include "base/option_state.h"

#define WIDTH 80
#define TEXT_COLUMN 30 /* where explanations begin */

void pic_option_wrap(FILE *out, const char *text, size_t at, size_t indent)
{
	bool first = true;

	while (*text != '\0') {
		size_t size = strcspn(text, " \n");

		if (!first && at + 1 + size > WIDTH) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		at += (size_t)fprintf(out, "%s%.*s", first ? "" : " ", (int)size, text);
		first = false;
		text += size;
		if (*text == '\n') {
			fprintf(out, "\n%*s", text[1] != '\0' ? (int)indent : 0, "");
			at = indent;
			first = true;
		}
		text += *text != '\0';
	}
	if (!first)
		fputc('\n', out);
}

/* "  name" and its explanation, beside it or, behind a long name, below it. */
static void print_entry(FILE *out, const char *name, const char *help)
{
	size_t at = (size_t)fprintf(out, "  %s", name);

	if (at + 2 > TEXT_COLUMN) {
		fputc('\n', out);
		at = 0;
	}
	fprintf(out, "%*s", (int)(TEXT_COLUMN - at), "");
	pic_option_wrap(out, help, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_option(FILE *out, const struct pic_option *row)
{
	char name[128], letter[8] = "    ", help[1024];
	bool shows_default = row->initial && row->initial[0] != '\0' &&
			     row->type != PIC_OPTION_FLAG;

	if (row->letter)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	snprintf(name, sizeof(name), "%s--%s%s%s", letter, row->name, row->value ? " " : "",
		 row->value ? row->value : "");
	if (shows_default)
		snprintf(help, sizeof(help), "%s (default: %s)", row->help, row->initial);
	else
		snprintf(help, sizeof(help), "%s", row->help);
	print_entry(out, name, help);
}

static void print_command(FILE *out, const struct pic_command *command)
{
	bool has = command->arguments && command->arguments[0] != '\0';
	char name[160];

	snprintf(name, sizeof(name), "%s%s%s", command->name, has ? " " : "",
		 has ? command->arguments : "");
	print_entry(out, name, command->help);
}

static void print_commands(FILE *out, const struct pic_command *commands, bool is_root)
{
	if (!is_root && (!commands || !commands->name))
		return;
	fputs("\nCommands:\n", out);
	for (const struct pic_command *c = commands; c && c->name; c++)
		print_command(out, c);
	if (is_root)
		print_command(out, &pic_option_completion);
}

static void print_options(FILE *out, const struct pic_command *const *path, size_t depth)
{
	static const struct pic_option help = { .name = "help",
						.letter = 'h',
						.help = "Show this" };
	static const struct pic_option version = { .name = "version", .help = "Show the version" };

	fputs("\nOptions:\n", out);
	for (size_t i = depth; i > 0; i--)
		for (const struct pic_option *row = path[i - 1]->options; row && row->name; row++)
			if (pic_option_is_visible(row, path[i - 1], path[depth - 1]))
				print_option(out, row);
	print_option(out, &help);
	print_option(out, &version);
}

static void print_usage(FILE *out, const struct pic_program *program,
			const struct pic_command *const *path, size_t depth)
{
	const struct pic_command *command = path[depth - 1];

	fprintf(out, "Usage: %s", program->name);
	for (size_t i = 1; i < depth; i++)
		fprintf(out, " %s", path[i]->name);
	fputs(" [OPTION]...", out);
	if (command->arguments && command->arguments[0] != '\0')
		fprintf(out, " %s", command->arguments);
	if (command->commands)
		fputs(command->run ? " [COMMAND]" : " COMMAND", out);
	fputs("\n\n", out);
}

void pic_option_help(const struct pic_program *program, const struct pic_command *const *path,
		     size_t depth, FILE *out)
{
	const struct pic_command *command = path[depth - 1];

	print_usage(out, program, path, depth);
	pic_option_wrap(out, depth == 1 ? program->summary : command->help, 0, 0);
	if (command->details) {
		fputc('\n', out);
		pic_option_wrap(out, command->details, 0, 0);
	}
	print_commands(out, command->commands, depth == 1);
	print_options(out, path, depth);
}
