/*
 * What is known while a program's options are being read. Internal to base/option*.c.
 *
 * Every row of the command tree has a slot, since the file and the environment may set rows of
 * commands other than the one that runs; flags only reach the rows that the command can see.
 */
#ifndef PIC_BASE_OPTION_STATE_H
#define PIC_BASE_OPTION_STATE_H

#include "base/option.h"

#define PIC_OPTION_NESTING 8

enum pic_option_source {
	PIC_OPTION_FROM_NOWHERE,
	PIC_OPTION_FROM_DEFAULT,
	PIC_OPTION_FROM_FILE,
	PIC_OPTION_FROM_ENVIRONMENT,
	PIC_OPTION_FROM_FLAG,
};

struct pic_option_slot {
	const struct pic_option *row;
	const struct pic_command *command; /* whose row it is */
	enum pic_option_source source;
	unsigned line; /* in the file */
};

struct pic_option_state {
	const struct pic_program *program;
	char *values; /* the program's struct */
	struct pic_option_slot *slots;
	size_t slot_count;
	const char *file; /* the configuration file, when one was read */
	void **owned;	  /* everything that is freed at the end */
	size_t owned_count, owned_capacity;
};

int pic_option_state_open(struct pic_option_state *state, const struct pic_program *program,
			  void *values, struct pic_error *err);
void pic_option_state_close(struct pic_option_state *state);
/* Defaults of all rows; where rows share a place in the struct, those that `command` sees win. */
int pic_option_defaults(struct pic_option_state *state, const struct pic_command *command,
			struct pic_error *err);
/* One value; `where` begins the sentence of an error ("--port", "hub.conf:3: port"). */
int pic_option_set(struct pic_option_state *state, struct pic_option_slot *slot, const char *text,
		   enum pic_option_source source, const char *where, struct pic_error *err);
/* A copy that lives as long as the state; NULL: no memory. */
char *pic_option_keep(struct pic_option_state *state, const char *text, size_t size);
/* "PICCOLO_" + "a-b" -> "PICCOLO_A_B". */
void pic_option_environment_name(const struct pic_program *program, const struct pic_option *row,
				 char *out, size_t size);
int pic_option_environment(struct pic_option_state *state, struct pic_error *err);
/* A configuration file's text; `path` only for sentences. */
int pic_option_file_text(struct pic_option_state *state, const char *path, const char *text,
			 size_t size, struct pic_error *err);
int pic_option_file(struct pic_option_state *state, const char *path, struct pic_error *err);

/* The state of the command that runs, or NULL. */
const struct pic_option_state *pic_option_running(void);
/* The row's place in the file and environment is "no". */
bool pic_option_is_flag_only(const struct pic_option *row);
/* Whether a command below `owner` (or owner itself) sees the row. */
bool pic_option_is_visible(const struct pic_option *row, const struct pic_command *owner,
			   const struct pic_command *command);

/* The nearest spelling of `wanted` among words that are offered one by one. */
struct pic_option_nearest {
	const char *wanted, *nearest; /* nearest NULL: nothing is near enough */
	size_t distance;
};
void pic_option_offer(struct pic_option_nearest *nearest, const char *word);

/* `completion bash`, which every program has; run by pic_program_run itself. */
extern const struct pic_command pic_option_completion;

/* Help of a command; `path` is the commands from the root on. */
void pic_option_help(const struct pic_program *program, const struct pic_command *const *path,
		     size_t depth, FILE *out);
/* Wraps `text` at 80 columns, the first line starting at column `at`, the next ones at `indent`. */
void pic_option_wrap(FILE *out, const char *text, size_t at, size_t indent);

#endif
