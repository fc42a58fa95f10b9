/* Traps in a function with a name, in the way it is told. */
#include <stdint.h>
#include <string.h>

static volatile uint32_t zero, some = 7;

__attribute__((noinline)) void read_far_away(void)
{
	*(volatile uint32_t *)0x7ffffff0u;
}

__attribute__((noinline)) uint32_t divide_by_nothing(void)
{
	return some / zero;
}

__attribute__((noinline)) void give_up(void)
{
	__builtin_trap();
}

__attribute__((noinline)) uint32_t go_deeper(volatile uint32_t *n)
{
	volatile uint32_t here = *n + 1;

	return here == 0 ? 0 : here + go_deeper(&here);
}

int main(int argc, char **argv)
{
	volatile uint32_t start = 0;
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "memory") == 0)
		read_far_away();
	else if (strcmp(how, "divide") == 0)
		return (int)divide_by_nothing();
	else if (strcmp(how, "deep") == 0)
		return (int)go_deeper(&start);
	else
		give_up();
	return 0;
}
