/* The man page (man(7)) and the reference page (Markdown). */
#include <ctype.h>
#include <string.h>

#include "base/option_state.h"

/* Text of ours in roff: a leading dot or quote would be a command, "-" would become a hyphen. */
static void roff(FILE *out, const char *text)
{
	bool starts = true;

	for (; *text != '\0'; text++) {
		if (starts && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
		starts = *text == '\n';
	}
}

static void man_option(FILE *out, const struct pic_program *program, const struct pic_option *row)
{
	char name[128];

	fputs(".TP\n", out);
	if (row->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
	fputs("\\fB\\-\\-", out);
	roff(out, row->name);
	fputs("\\fR", out);
	if (row->value)
		fprintf(out, " \\fI%s\\fR", row->value);
	fputc('\n', out);
	roff(out, row->help);
	if (row->initial && row->initial[0] != '\0') {
		fputs(" (default: ", out);
		roff(out, row->initial);
		fputc(')', out);
	}
	fputs(".\n", out);
	if (!pic_option_is_flag_only(row)) {
		pic_option_environment_name(program, row, name, sizeof(name));
		fprintf(out, "Environment: %s.\n", name);
	}
}

static void man_options(FILE *out, const struct pic_program *program,
			const struct pic_command *command)
{
	for (const struct pic_option *row = command->options; row && row->name; row++)
		man_option(out, program, row);
}

static void man_command(FILE *out, const struct pic_program *program,
			const struct pic_command *command, const char *prefix, size_t nesting)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? " " : "", command->name);
	fprintf(out, ".SS \"");
	roff(out, path);
	fputc(' ', out);
	roff(out, command->arguments ? command->arguments : "");
	fputs("\"\n", out);
	roff(out, command->help);
	fputs(".\n", out);
	if (command->details) {
		fputs(".PP\n", out);
		roff(out, command->details);
		fputc('\n', out);
	}
	man_options(out, program, command);
	for (const struct pic_command *c = command->commands; c && c->name; c++)
		if (nesting < PIC_OPTION_NESTING)
			man_command(out, program, c, path, nesting + 1);
}

static void man_exit_status(FILE *out)
{
	fputs(".SH EXIT STATUS\n"
	      ".TP\n0\nDone.\n.TP\n1\nFailed.\n.TP\n2\nWrong usage.\n"
	      ".TP\n3\nRefused by policy.\n.TP\n4\nThe other side cannot be reached.\n",
	      out);
}

void pic_program_man(const struct pic_program *program, FILE *out)
{
	const struct pic_command *root = &program->root;

	fputs(".TH ", out);
	for (const char *c = program->name; *c != '\0'; c++)
		fputc(toupper((unsigned char)*c), out);
	fprintf(out, " 1 \"\" \"%s %s\" \"User Commands\"\n.SH NAME\n", program->name,
		program->version);
	roff(out, program->name);
	fputs(" \\- ", out);
	roff(out, program->summary);
	fprintf(out, "\n.SH SYNOPSIS\n.B ");
	roff(out, program->name);
	fprintf(out, "\n[\\fIOPTION\\fR]... %s\n", root->commands ? "[\\fICOMMAND\\fR]" : "");
	if (root->details) {
		fputs(".SH DESCRIPTION\n", out);
		roff(out, root->details);
		fputc('\n', out);
	}
	fputs(".SH OPTIONS\n", out);
	man_options(out, program, root);
	fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShow help; also behind a command.\n"
	      ".TP\n\\fB\\-\\-version\\fR\nShow the version.\n",
	      out);
	fputs(".SH COMMANDS\n", out);
	for (const struct pic_command *c = root->commands; c && c->name; c++)
		man_command(out, program, c, "", 1);
	man_command(out, program, &pic_option_completion, "", 1);
	man_exit_status(out);
}

/* A cell of a table: a bar would end it. */
static void cell(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', out);
		fputc(*text == '\n' ? ' ' : *text, out);
	}
}

static void markdown_row(FILE *out, const struct pic_program *program, const struct pic_option *row)
{
	char name[128];

	fputs("| ", out);
	if (row->letter)
		fprintf(out, "`-%c`, ", row->letter);
	fprintf(out, "`--%s%s", row->name, row->value ? " " : "");
	cell(out, row->value ? row->value : "");
	fputs("` | ", out);
	if (pic_option_is_flag_only(row)) {
		fputs("only as a flag | ", out);
	} else {
		pic_option_environment_name(program, row, name, sizeof(name));
		fprintf(out, "`%s`, `%s` | ", row->name, name);
	}
	if (row->initial && row->initial[0] != '\0')
		fprintf(out, "`%s`", row->initial);
	fputs(" | ", out);
	cell(out, row->help);
	fputs(" |\n", out);
}

static void markdown_options(FILE *out, const struct pic_program *program,
			     const struct pic_command *command)
{
	if (!command->options || !command->options->name)
		return;
	fputs("\n| Flag | File, environment | Default | What |\n|---|---|---|---|\n", out);
	for (const struct pic_option *row = command->options; row->name; row++)
		markdown_row(out, program, row);
}

static void markdown_command(FILE *out, const struct pic_program *program,
			     const struct pic_command *command, const char *prefix, size_t nesting)
{
	bool has = command->arguments && command->arguments[0] != '\0';
	char path[256];

	snprintf(path, sizeof(path), "%s %s", prefix, command->name);
	fprintf(out, "\n## `%s%s%s`\n\n%s.\n", path, has ? " " : "", has ? command->arguments : "",
		command->help);
	if (command->details)
		fprintf(out, "\n%s\n", command->details);
	markdown_options(out, program, command);
	for (const struct pic_command *c = command->commands; c && c->name; c++)
		if (nesting < PIC_OPTION_NESTING)
			markdown_command(out, program, c, path, nesting + 1);
}

void pic_program_markdown(const struct pic_program *program, FILE *out)
{
	const struct pic_command *root = &program->root;

	fprintf(out, "# %s\n\n%s.\n", program->name, program->summary);
	if (root->details)
		fprintf(out, "\n%s\n", root->details);
	markdown_options(out, program, root);
	for (const struct pic_command *c = root->commands; c && c->name; c++)
		markdown_command(out, program, c, program->name, 1);
	markdown_command(out, program, &pic_option_completion, program->name, 1);
}
