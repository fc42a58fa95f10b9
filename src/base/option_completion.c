/*
 * Completion for bash. The script walks the words before the cursor through a table of command paths
 * and offers the commands and flags of the place where it ends up; behind a flag that takes a value,
 * and where a command takes arguments, bash completes file names.
 */
#include <string.h>

#include "base/option_state.h"

const struct pic_command pic_option_completion = {
	.name = "completion",
	.arguments = "bash",
	.help = "print a script that lets bash complete commands and flags",
	.details = "For this terminal: eval \"$(PROGRAM completion bash)\"",
};

static void print_flags(FILE *out, const struct pic_command *const *path, size_t depth)
{
	for (size_t i = depth; i > 0; i--) {
		for (const struct pic_option *row = path[i - 1]->options; row && row->name; row++) {
			if (!pic_option_is_visible(row, path[i - 1], path[depth - 1]))
				continue;
			fprintf(out, "--%s ", row->name);
		}
	}
	fputs("--help --version", out);
}

/* One line of the `case`: path) commands; flags. */
static void print_place(FILE *out, const struct pic_command *const *path, size_t depth)
{
	fputs("\t\"", out);
	for (size_t i = 1; i < depth; i++)
		fprintf(out, " %s", path[i]->name);
	fputs("\") commands=\"", out);
	for (const struct pic_command *c = path[depth - 1]->commands; c && c->name; c++)
		fprintf(out, "%s%s", c == path[depth - 1]->commands ? "" : " ", c->name);
	if (depth == 1)
		fputs(" completion", out);
	fputs("\"; flags=\"", out);
	print_flags(out, path, depth);
	fputs("\" ;;\n", out);
}

static void print_places(FILE *out, const struct pic_command **path, size_t depth)
{
	print_place(out, path, depth);
	for (const struct pic_command *c = path[depth - 1]->commands; c && c->name; c++) {
		if (depth > PIC_OPTION_NESTING)
			return;
		path[depth] = c;
		print_places(out, path, depth + 1);
	}
}

/* Flags behind which a value stands, whatever the command: enough to skip the value. */
static void print_valued(FILE *out, const struct pic_command *command, size_t nesting)
{
	for (const struct pic_option *row = command->options; row && row->name; row++) {
		if (row->type == PIC_OPTION_FLAG)
			continue;
		fprintf(out, "--%s|", row->name);
		if (row->letter)
			fprintf(out, "-%c|", row->letter);
	}
	for (const struct pic_command *c = command->commands; c && c->name; c++)
		if (nesting < PIC_OPTION_NESTING)
			print_valued(out, c, nesting + 1);
}

static void print_function_name(FILE *out, const char *name)
{
	fputc('_', out);
	for (; *name != '\0'; name++)
		fputc(*name == '-' ? '_' : *name, out);
}

void pic_program_bash_completion(const struct pic_program *program, FILE *out)
{
	const struct pic_command *path[PIC_OPTION_NESTING + 2] = { &program->root };

	fprintf(out, "# bash completion for %s\n", program->name);
	print_function_name(out, program->name);
	fputs("_place() {\n\tcase \"$1\" in\n", out);
	print_places(out, path, 1);
	fputs("\t*) return 1 ;;\n\tesac\n}\n\n", out);
	print_function_name(out, program->name);
	fputs("() {\n"
	      "\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
	      "\tlocal place=\"\" commands=\"\" flags=\"\" skip=\"\" word i\n"
	      "\tCOMPREPLY=()\n"
	      "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	      "\t\tword=\"${COMP_WORDS[i]}\"\n"
	      "\t\tif [[ -n $skip ]]; then skip=\"\"; continue; fi\n"
	      "\t\tcase \"$word\" in\n"
	      "\t\t",
	      out);
	print_valued(out, &program->root, 0);
	fputs("--none) skip=1 ;;\n"
	      "\t\t-*) ;;\n"
	      "\t\t*) ",
	      out);
	print_function_name(out, program->name);
	fputs("_place \"$place $word\" && place=\"$place $word\" ;;\n"
	      "\t\tesac\n"
	      "\tdone\n"
	      "\t",
	      out);
	print_function_name(out, program->name);
	fputs("_place \"$place\"\n"
	      "\t[[ -n $skip ]] && return\n"
	      "\tif [[ $current == -* ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$flags\" -- \"$current\"))\n"
	      "\telif [[ $previous == completion && -z $place ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W bash -- \"$current\"))\n"
	      "\telif [[ -n $commands ]]; then\n"
	      "\t\tCOMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))\n"
	      "\tfi\n"
	      "}\n"
	      "complete -o default -F ",
	      out);
	print_function_name(out, program->name);
	fprintf(out, " %s\n", program->name);
}
