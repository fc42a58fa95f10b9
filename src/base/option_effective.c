/* What is in force, written so that it could be a configuration file. */
#include <stdint.h>
#include <string.h>

#include "base/option_state.h"

#define COMMENT_COLUMN 48

static void print_source(const struct pic_option_state *state, const struct pic_option_slot *slot,
			 FILE *out)
{
	char name[128];

	switch (slot->source) {
	case PIC_OPTION_FROM_NOWHERE:
		fputs("not set", out);
		break;
	case PIC_OPTION_FROM_DEFAULT:
		fputs("default", out);
		break;
	case PIC_OPTION_FROM_FILE:
		fprintf(out, "%s:%u", state->file ? state->file : "file", slot->line);
		break;
	case PIC_OPTION_FROM_ENVIRONMENT:
		pic_option_environment_name(state->program, slot->row, name, sizeof(name));
		fprintf(out, "environment %s", name);
		break;
	case PIC_OPTION_FROM_FLAG:
		fprintf(out, "flag --%s", slot->row->name);
		break;
	}
}

/* Whoever prints the configuration may send it to somebody: the password of a URL stays behind. */
static int print_text(const char *text, FILE *out)
{
	const char *begin = strstr(text, "://"), *at = begin ? strchr(begin, '@') : NULL;
	const char *colon = at ? memchr(begin + 3, ':', (size_t)(at - begin - 3)) : NULL;

	if (!colon || (size_t)(at - begin - 3) > strcspn(begin + 3, "/?#"))
		return fprintf(out, "%s", text);
	return fprintf(out, "%.*s:***%s", (int)(colon - text), text, at);
}

static int print_duration(int64_t ms, FILE *out)
{
	if (ms % 1000 != 0 || ms == 0)
		return fprintf(out, "%lldms", (long long)ms);
	if (ms % 3600000 == 0)
		return fprintf(out, "%lldh", (long long)(ms / 3600000));
	if (ms % 60000 == 0)
		return fprintf(out, "%lldm", (long long)(ms / 60000));
	return fprintf(out, "%llds", (long long)(ms / 1000));
}

static int print_value(const struct pic_option *row, const char *values, FILE *out)
{
	const void *place = values + row->offset;

	switch (row->type) {
	case PIC_OPTION_TEXT:
	case PIC_OPTION_CHOICE:
		return print_text(*(const char *const *)place ? *(const char *const *)place : "",
				  out);
	case PIC_OPTION_FLAG:
		return fprintf(out, "%s", *(const bool *)place ? "true" : "false");
	case PIC_OPTION_NUMBER:
		return fprintf(out, "%lld", *(const long long *)place);
	case PIC_OPTION_DURATION:
		return print_duration(*(const int64_t *)place, out);
	case PIC_OPTION_SIZE:
		return fprintf(out, "%llu", *(const unsigned long long *)place);
	case PIC_OPTION_LIST:
		break;
	}
	return 0;
}

static void print_line(const struct pic_option_state *state, const struct pic_option_slot *slot,
		       const char *values, const char *item, FILE *out)
{
	bool set = slot->source != PIC_OPTION_FROM_NOWHERE;
	int width = fprintf(out, "%s%s = ", set ? "" : "# ", slot->row->name);

	width += item ? print_text(item, out) : print_value(slot->row, values, out);
	fprintf(out, "%*s # ", width < COMMENT_COLUMN ? COMMENT_COLUMN - width : 0, "");
	print_source(state, slot, out);
	fputc('\n', out);
}

static bool is_repeated(const struct pic_option_state *state, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(state->slots[i].row->name, state->slots[at].row->name) == 0)
			return true;
	return false;
}

void pic_program_effective(const struct pic_program *program, const void *values, FILE *out)
{
	const struct pic_option_state *state = pic_option_running();

	for (size_t i = 0; state && state->program == program && i < state->slot_count; i++) {
		const struct pic_option_slot *slot = &state->slots[i];
		const struct pic_option_list *list = NULL;

		if (pic_option_is_flag_only(slot->row) || is_repeated(state, i))
			continue;
		if (slot->row->type == PIC_OPTION_LIST)
			list = (const void *)((const char *)values + slot->row->offset);
		for (size_t k = 0; list && k < list->count; k++)
			print_line(state, slot, values, list->items[k], out);
		if (!list || list->count == 0)
			print_line(state, slot, values, NULL, out);
	}
}
