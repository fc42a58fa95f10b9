/* Rows, their slots, and how a text becomes a value in the program's struct. */
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/option_state.h"
#include "base/text.h"

bool pic_option_is_flag_only(const struct pic_option *row)
{
	return (row->flags & PIC_OPTION_FLAG_ONLY) != 0;
}

bool pic_option_is_visible(const struct pic_option *row, const struct pic_command *owner,
			   const struct pic_command *command)
{
	return owner == command || (row->flags & PIC_OPTION_GLOBAL) != 0;
}

static size_t count_rows(const struct pic_command *command, size_t nesting)
{
	size_t count = 0;

	for (const struct pic_option *row = command->options; row && row->name; row++)
		count++;
	for (const struct pic_command *c = command->commands; c && c->name; c++)
		count += nesting < PIC_OPTION_NESTING ? count_rows(c, nesting + 1) : 0;
	return count;
}

static void fill_slots(struct pic_option_state *state, const struct pic_command *command,
		       size_t nesting)
{
	for (const struct pic_option *row = command->options; row && row->name; row++)
		state->slots[state->slot_count++] =
			(struct pic_option_slot){ .row = row, .command = command };
	for (const struct pic_command *c = command->commands; c && c->name; c++)
		if (nesting < PIC_OPTION_NESTING)
			fill_slots(state, c, nesting + 1);
}

int pic_option_state_open(struct pic_option_state *state, const struct pic_program *program,
			  void *values, struct pic_error *err)
{
	size_t count = count_rows(&program->root, 0);
	struct pic_option_slot *slots = calloc(count + 1, sizeof(*slots));

	if (!slots)
		return pic_error_set(err, -ENOMEM, "no memory for options");
	*state = (struct pic_option_state){ .program = program, .values = values, .slots = slots };
	fill_slots(state, &program->root, 0);
	return 0;
}

void pic_option_state_close(struct pic_option_state *state)
{
	for (size_t i = 0; i < state->owned_count; i++)
		free(state->owned[i]);
	free(state->owned);
	free(state->slots);
	*state = (struct pic_option_state){ 0 };
}

/* Takes `memory` over, failure included. */
static void *own(struct pic_option_state *state, void *memory)
{
	if (memory && state->owned_count == state->owned_capacity) {
		size_t capacity = state->owned_capacity ? 2 * state->owned_capacity : 32;
		void **owned = realloc(state->owned, capacity * sizeof(void *));

		if (!owned) {
			free(memory);
			return NULL;
		}
		state->owned = owned;
		state->owned_capacity = capacity;
	}
	if (memory)
		state->owned[state->owned_count++] = memory;
	return memory;
}

char *pic_option_keep(struct pic_option_state *state, const char *text, size_t size)
{
	return own(state, strndup(text, size));
}

static int parse_flag(const char *text, bool *out)
{
	static const char *const yes[] = { "true", "yes", "on", "1" };
	static const char *const no[] = { "false", "no", "off", "0" };

	for (size_t i = 0; i < PIC_COUNT(yes); i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*out = strcmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return -EINVAL;
}

/* "table|wide|json" as "table, wide or json". */
static const char *choices_text(const char *choices, char out[256])
{
	size_t used = 0;

	out[0] = '\0';
	while (*choices != '\0' && used < 256) {
		size_t size = strcspn(choices, "|");
		const char *next = choices + size + (choices[size] == '|');
		const char *between = used == 0 ? "" : *next != '\0' ? ", " : " or ";

		used += (size_t)snprintf(out + used, 256 - used, "%s%.*s", between, (int)size,
					 choices);
		choices = next;
	}
	return out;
}

static bool is_choice(const char *choices, const char *text)
{
	const size_t length = strlen(text);

	while (*choices != '\0') {
		size_t size = strcspn(choices, "|");

		if (size == length && memcmp(choices, text, size) == 0)
			return true;
		choices += size + (choices[size] == '|');
	}
	return false;
}

static const char *wanted(const struct pic_option *row, char room[256])
{
	switch (row->type) {
	case PIC_OPTION_FLAG:
		return "true or false";
	case PIC_OPTION_NUMBER:
		return "a whole number";
	case PIC_OPTION_DURATION:
		return "a time like 90s, 15m or 1h30m";
	case PIC_OPTION_SIZE:
		return "a size like 512k, 64M or 1G";
	case PIC_OPTION_CHOICE:
		return choices_text(row->value, room);
	case PIC_OPTION_TEXT:
	case PIC_OPTION_LIST:
		break;
	}
	return "a text";
}

/* "2h", "64M": as a person would write the limit. */
static void limit_text(enum pic_option_type type, long long limit, char *out, size_t size)
{
	static const struct {
		const char *unit;
		long long value;
	} times[] = { { "d", 86400000 },
		      { "h", 3600000 },
		      { "m", 60000 },
		      { "s", 1000 },
		      { "ms", 1 } },
	  sizes[] = { { "G", 1 << 30 }, { "M", 1 << 20 }, { "k", 1 << 10 }, { "", 1 } };
	size_t i = 0;

	if (type == PIC_OPTION_NUMBER || limit == 0) {
		snprintf(out, size, "%lld", limit);
	} else if (type == PIC_OPTION_DURATION) {
		while (limit % times[i].value != 0)
			i++;
		snprintf(out, size, "%lld%s", limit / times[i].value, times[i].unit);
	} else {
		while (limit % sizes[i].value != 0)
			i++;
		snprintf(out, size, "%lld%s", limit / sizes[i].value, sizes[i].unit);
	}
}

static int parse_number(const struct pic_option *row, const char *text, long long *out)
{
	unsigned long long size;
	int64_t ms;
	int r;

	switch (row->type) {
	case PIC_OPTION_DURATION:
		r = pic_duration_parse(text, &ms);
		if (r == 0)
			*out = ms;
		return r;
	case PIC_OPTION_SIZE:
		r = pic_size_parse(text, &size);
		if (r == 0)
			*out = (long long)size;
		return r;
	default:
		return pic_integer_parse(text, LLONG_MIN, LLONG_MAX, out);
	}
}

static int bad_value(const struct pic_option *row, const char *text, const char *where,
		     struct pic_error *err)
{
	PIC_BUF struct pic_buf shown = PIC_BUF_INIT(512);
	char room[256];

	pic_text_escape(text, strnlen(text, 64), false, &shown);
	return pic_error_set(err, -EINVAL, "%s must be %s, not \"%s\"", where, wanted(row, room),
			     pic_buf_text(&shown));
}

static int out_of_range(const struct pic_option *row, const char *where, struct pic_error *err)
{
	char low[32], high[32];

	if (row->minimum == 0 && row->maximum == 0)
		return pic_error_set(err, -ERANGE, "%s is too large", where);
	limit_text(row->type, row->minimum, low, sizeof(low));
	limit_text(row->type, row->maximum, high, sizeof(high));
	return pic_error_set(err, -ERANGE, "%s must be between %s and %s", where, low, high);
}

static int set_number(const struct pic_option *row, void *place, const char *text,
		      const char *where, struct pic_error *err)
{
	long long value;
	int r = parse_number(row, text, &value);

	if (r == -ERANGE || (r == 0 && (row->minimum != 0 || row->maximum != 0) &&
			     (value < row->minimum || value > row->maximum)))
		return out_of_range(row, where, err);
	if (r < 0)
		return bad_value(row, text, where, err);
	if (row->type == PIC_OPTION_DURATION)
		*(int64_t *)place = value;
	else if (row->type == PIC_OPTION_SIZE)
		*(unsigned long long *)place = (unsigned long long)value;
	else
		*(long long *)place = value;
	return 0;
}

/* The array doubles whenever its count is a power of two; old ones are freed at the end. */
static int add_item(struct pic_option_state *state, struct pic_option_list *list, const char *text)
{
	const char **items = list->items;
	char *item = pic_option_keep(state, text, strlen(text));

	if (!item)
		return -ENOMEM;
	if ((list->count & (list->count - 1)) == 0) {
		items = own(state, calloc(list->count ? 2 * list->count : 1, sizeof(*items)));
		if (!items)
			return -ENOMEM;
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
	}
	items[list->count++] = item;
	list->items = items;
	return 0;
}

static int store(struct pic_option_state *state, struct pic_option_slot *slot, const char *text,
		 const char *where, struct pic_error *err)
{
	const struct pic_option *row = slot->row;
	void *place = state->values + row->offset;

	switch (row->type) {
	case PIC_OPTION_CHOICE:
		if (!is_choice(row->value, text))
			return bad_value(row, text, where, err);
		/* fall through */
	case PIC_OPTION_TEXT:
		*(const char **)place = pic_option_keep(state, text, strlen(text));
		return *(const char **)place ? 0 : pic_error_set(err, -ENOMEM, "no memory");
	case PIC_OPTION_LIST:
		return add_item(state, place, text) < 0 ? pic_error_set(err, -ENOMEM, "no memory")
							: 0;
	case PIC_OPTION_FLAG:
		return parse_flag(text, place) < 0 ? bad_value(row, text, where, err) : 0;
	case PIC_OPTION_NUMBER:
	case PIC_OPTION_DURATION:
	case PIC_OPTION_SIZE:
		break;
	}
	return set_number(row, place, text, where, err);
}

int pic_option_set(struct pic_option_state *state, struct pic_option_slot *slot, const char *text,
		   enum pic_option_source source, const char *where, struct pic_error *err)
{
	int r;

	/* a stronger source replaces the list of a weaker one, then adds to its own */
	if (slot->row->type == PIC_OPTION_LIST && slot->source != source)
		*(struct pic_option_list *)(void *)(state->values + slot->row->offset) =
			(struct pic_option_list){ NULL, 0 };
	r = store(state, slot, text, where, err);
	if (r < 0)
		return r;
	slot->source = source;
	return 0;
}

static int set_defaults(struct pic_option_state *state, const struct pic_command *command,
			bool visible, struct pic_error *err)
{
	for (size_t i = 0; i < state->slot_count; i++) {
		struct pic_option_slot *slot = &state->slots[i];
		int r;

		if (!slot->row->initial ||
		    pic_option_is_visible(slot->row, slot->command, command) != visible)
			continue;
		r = pic_option_set(state, slot, slot->row->initial, PIC_OPTION_FROM_DEFAULT,
				   slot->row->name, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int pic_option_defaults(struct pic_option_state *state, const struct pic_command *command,
			struct pic_error *err)
{
	int r = set_defaults(state, command, false, err);

	return r < 0 ? r : set_defaults(state, command, true, err);
}
