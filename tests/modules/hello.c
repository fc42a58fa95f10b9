/* Says what it was given: arguments, one variable, what it can read from standard input. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	const char *who = getenv("WHO");

	printf("hello %s\n", who ? who : "world");
	for (int i = 0; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	printf("standard input: %s\n", getchar() == EOF ? "empty" : "something");
	fprintf(stderr, "to standard error\n");
	return 0;
}
