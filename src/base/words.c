#include "base/words.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int pic_words_next(struct pic_words *words, char *out, size_t room, struct pic_error *err)
{
	const char *at = words->rest;
	char quote = '\0';
	size_t used = 0;

	while (is_blank(*at))
		at++;
	if (*at == '\0') {
		words->rest = at;
		return 0;
	}
	for (; *at != '\0' && (quote || !is_blank(*at)); at++) {
		if (quote ? *at == quote : *at == '\'' || *at == '"') {
			quote = quote ? '\0' : *at;
			continue;
		}
		if (used + 1 >= room)
			return pic_error_set(err, -ENAMETOOLONG, "a word is longer than %zu bytes",
					     room - 1);
		out[used++] = *at;
	}
	if (quote)
		return pic_error_set(err, -EINVAL, "a quote (%c) is opened and not closed", quote);
	out[used] = '\0';
	words->rest = at;
	return 1;
}
