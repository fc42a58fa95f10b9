/* Takes memory until there is no more, and says how much there was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void)
{
	unsigned megabytes = 0;
	char *volatile piece; /* volatile: the compiler would see that nobody reads it */

	while ((piece = malloc(1024 * 1024))) {
		memset(piece, 1, 1024 * 1024);
		megabytes++;
	}
	printf("%u megabytes\n", megabytes);
	return 0;
}
