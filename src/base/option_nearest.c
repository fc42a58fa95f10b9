#include <string.h>

#include "base/option_state.h"

#define LETTERS 48

static size_t least(size_t a, size_t b, size_t c)
{
	size_t least_of_two = a < b ? a : b;

	return least_of_two < c ? least_of_two : c;
}

/* Changes of one letter (insert, delete, replace, swap of neighbours) between two words; rows[i] holds
 * the distances of the last three prefixes of `a`. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][LETTERS + 1], a_size = strlen(a), b_size = strlen(b);

	if (a_size > LETTERS || b_size > LETTERS)
		return LETTERS;
	for (size_t k = 0; k <= b_size; k++)
		rows[0][k] = k;
	for (size_t i = 1; i <= a_size; i++) {
		size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *older = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t k = 1; k <= b_size; k++) {
			now[k] = least(now[k - 1] + 1, last[k] + 1,
				       last[k - 1] + (a[i - 1] != b[k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    older[k - 2] + 1 < now[k])
				now[k] = older[k - 2] + 1;
		}
	}
	return rows[a_size % 3][b_size];
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
