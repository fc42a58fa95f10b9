#include <string.h>

#include "base/option_state.h"
#include "base/spelling.h"

#define LETTERS 48

static size_t distance(const char *a, const char *b)
{
	/* a word this long was not mistyped */
	if (strlen(a) > LETTERS || strlen(b) > LETTERS)
		return LETTERS;
	return pic_spelling_distance(a, b);
}

/* A third of the letters may be wrong; a beginning ("meta" for "metrics" not, "metr" yes) counts too. */
void pic_option_offer(struct pic_option_nearest *nearest, const char *word)
{
	size_t size = strlen(nearest->wanted), allowed = size / 3 > 0 ? size / 3 : 1;
	size_t changes = distance(nearest->wanted, word);

	if (size > 2 && strncmp(word, nearest->wanted, size) == 0 && changes > allowed)
		changes = allowed;
	if (changes > allowed || (nearest->nearest && changes >= nearest->distance))
		return;
	nearest->nearest = word;
	nearest->distance = changes;
}
