/* Edit distance with swaps, over three rows of the usual table. */
#include "base/spelling.h"

#include <string.h>
#include <strings.h>

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t pic_spelling_distance(const char *a, const char *b)
{
	size_t m = strnlen(a, WORD_MAX), n = strnlen(b, WORD_MAX);
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];

	memset(rows, 0, sizeof(rows));
	for (size_t j = 0; j <= n; j++)
		last[j] = j;
	for (size_t i = 1; i <= m; i++) {
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;

			now[j] = least(least(now[j - 1] + 1, last[j] + 1), last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		size_t *oldest = before;

		before = last;
		last = now;
		now = oldest;
	}
	return last[n];
}

void pic_spelling_offer(struct pic_spelling *spelling, const char *candidate)
{
	size_t length = strnlen(spelling->wanted, WORD_MAX);
	size_t distance = strcasecmp(spelling->wanted, candidate) == 0
				  ? 0
				  : pic_spelling_distance(spelling->wanted, candidate);

	/* A third of the letters may be wrong; more is another word. */
	if (distance > (length + 2) / 3)
		return;
	if (spelling->nearest && distance >= spelling->distance)
		return;
	spelling->nearest = candidate;
	spelling->distance = distance;
}
