/*
 * The option table: one table of rows drives flags (`--a-b`), the configuration file (`a-b = value`),
 * the environment (`PICCOLO_A_B`), `--help`, the man page, shell completion and the reference page.
 * Flag beats environment beats file beats default.
 *
 * A program describes itself as a tree of commands; each command has its own rows besides those of
 * its parents that are marked global. Values land in one struct of the program by offset:
 *   TEXT  const char *      FLAG  bool      NUMBER  long long      LIST  struct pic_option_list
 *   DURATION int64_t (ms)   SIZE unsigned long long (bytes)   CHOICE const char *, a word out of `value`
 * Texts and lists live until pic_program_run returns. In the environment the items of a list are
 * separated by blanks; in the file the row is repeated. A flag's list replaces the file's.
 */
#ifndef PIC_BASE_OPTION_H
#define PIC_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

enum pic_option_type {
	PIC_OPTION_TEXT,
	PIC_OPTION_FLAG,
	PIC_OPTION_NUMBER,
	PIC_OPTION_DURATION,
	PIC_OPTION_SIZE,
	PIC_OPTION_LIST,
	PIC_OPTION_CHOICE,
};

enum {
	PIC_OPTION_FLAG_ONLY = 1, /* not in file or environment */
	PIC_OPTION_GLOBAL = 2,	  /* also accepted by the commands below */
};

struct pic_option_list {
	const char **items;
	size_t count;
};

struct pic_option {
	const char *name; /* "metrics"; NULL ends the table */
	char letter;	  /* 'o' or 0 */
	enum pic_option_type type;
	const char *value; /* word for the help: "ADDR:PORT"; of a CHOICE all words: "text|json" */
	const char *initial; /* default as text, or NULL */
	const char *help;    /* one sentence, no full stop */
	size_t offset;	     /* offsetof in the program's struct */
	unsigned flags;
	long long minimum, maximum; /* NUMBER, DURATION and SIZE; both 0: any */
};

struct pic_command {
	const char *name;      /* "join"; NULL ends the table */
	const char *arguments; /* "URL" for the usage line, or "" */
	const char *help;      /* one sentence */
	const char *details;   /* more lines for --help and the man page, or NULL */
	const struct pic_option *options;
	const struct pic_command *commands; /* sub-commands, or NULL */
	/* Returns the exit status; argv without flags and command names. `program`: the values. */
	int (*run)(void *program, int argc, char **argv);
	int minimum_arguments, maximum_arguments; /* maximum -1: any */
	bool makes_config; /* the configuration file that a flag names may be absent: it is written */
};

struct pic_program {
	const char *name, *summary, *version;
	const char *environment_prefix; /* "PICCOLO_" */
	const char *
		config_option; /* name of the TEXT row that names the configuration file, or NULL */
	struct pic_command root;
};

/* Parses argv, environment and file into `values`, answers --help, --version, `completion bash` and (for the
 * build) `documentation man|markdown` itself, and runs the command. Returns an exit status (2 for wrong
 * usage, said on stderr in one sentence with the nearest correct spelling). Flags and arguments may be
 * mixed; "--" ends the flags. */
int pic_program_run(const struct pic_program *program, void *values, int argc, char **argv);

/* Documents out of the same table. */
void pic_program_man(const struct pic_program *program, FILE *out);
void pic_program_markdown(const struct pic_program *program, FILE *out);
void pic_program_bash_completion(const struct pic_program *program, FILE *out);
/* `key = value` of every row with where it came from (default, file:line, environment, flag). */
void pic_program_effective(const struct pic_program *program, const void *values, FILE *out);

enum pic_exit {
	PIC_EXIT_OK = 0,
	PIC_EXIT_FAILED = 1,
	PIC_EXIT_USAGE = 2,
	PIC_EXIT_REFUSED = 3,
	PIC_EXIT_UNREACHABLE = 4,
};

#endif
