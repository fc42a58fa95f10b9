/* `piccolo check`: numbered findings about this machine, each with a remedy where something is missing. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/text.h"
#include "device/check/check.h"
#include "device/verbs.h"

#define WIDTH 80
#define COLUMN 27 /* where sentences begin */

/* Texts of strangers (a server's, a file's) are escaped before a terminal sees them. */
static void print_wrapped(const char *lead, const char *text)
{
	PIC_BUF struct pic_buf safe = PIC_BUF_INIT(8192);
	size_t column = COLUMN;
	const char *at;

	pic_text_escape(text, strlen(text), false, &safe);
	at = pic_buf_text(&safe);
	printf("%-*s", COLUMN, lead);
	while (*at) {
		size_t size = strcspn(at, " ");

		if (column > COLUMN && column + 1 + size > WIDTH - 1) {
			printf("\n%*s", COLUMN, "");
			column = COLUMN;
		}
		column += (size_t)printf("%s%.*s", column > COLUMN ? " " : "", (int)size, at);
		at += size + strspn(at + size, " ");
	}
	putchar('\n');
}

static void print_table(const struct pic_finding *findings, size_t count, unsigned errors,
			unsigned warnings)
{
	static const char *const words[] = { "ok", "unseen", "WARNING", "ERROR" };

	for (size_t i = 0; i < count; i++) {
		char lead[64];

		snprintf(lead, sizeof(lead), "%s %-8s %-12s ", findings[i].code,
			 words[findings[i].state], findings[i].name);
		print_wrapped(lead, findings[i].text);
		if (findings[i].advice[0])
			print_wrapped("                        ->", findings[i].advice);
	}
	printf("%u error%s, %u warning%s\n", errors, errors == 1 ? "" : "s", warnings,
	       warnings == 1 ? "" : "s");
}

static int print_json(const struct pic_finding *findings, size_t count, unsigned errors,
		      unsigned warnings)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(256 * 1024);
	PIC_JSON struct pic_json *root = pic_json_new_object();
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; i < count; i++) {
		struct pic_json *entry = pic_json_new_object();

		pic_json_set_text(entry, "code", findings[i].code);
		pic_json_set_text(entry, "name", findings[i].name);
		pic_json_set_text(entry, "state", pic_finding_word(findings[i].state));
		pic_json_set_text(entry, "message", findings[i].text);
		pic_json_set_text(entry, "advice", findings[i].advice);
		pic_json_append(list, entry);
	}
	pic_json_set(root, "findings", list);
	pic_json_set_integer(root, "errors", errors);
	pic_json_set_integer(root, "warnings", warnings);
	if (pic_json_write(root, PIC_JSON_INDENT, &text) < 0)
		return -1;
	printf("%s\n", pic_buf_text(&text));
	return 0;
}

int pic_verb_check(void *program, int argc, char **argv)
{
	const struct pic_device_options *options = program;
	struct pic_finding findings[PIC_FINDINGS_MAX];
	PIC_FREE struct pic_check_facts *facts = calloc(1, sizeof(*facts));
	unsigned of_state[PIC_FINDING_ERROR + 1] = { 0 };
	size_t count;

	(void)argc;
	(void)argv;
	if (!facts)
		return PIC_EXIT_FAILED;
	pic_check_look(options, 0, facts);
	count = pic_check_judge(facts, 0, findings);
	for (size_t i = 0; i < count; i++)
		of_state[findings[i].state]++;
	if (strcmp(options->output, "json") != 0)
		print_table(findings, count, of_state[PIC_FINDING_ERROR],
			    of_state[PIC_FINDING_WARNING]);
	else if (print_json(findings, count, of_state[PIC_FINDING_ERROR],
			    of_state[PIC_FINDING_WARNING]) < 0)
		return PIC_EXIT_FAILED;
	return of_state[PIC_FINDING_ERROR] ? PIC_EXIT_FAILED : PIC_EXIT_OK;
}
