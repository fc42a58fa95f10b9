/* Keeps the verifier busy: -DENDLESS by one loop without an end, else by many that end only just in time. */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#ifdef ENDLESS
#define TURNS 0x7fffffff
#define PROGRAMS LOOP(0)
#else
#define TURNS 490000
#define EIGHT(n) \
	LOOP(n##0) LOOP(n##1) LOOP(n##2) LOOP(n##3) LOOP(n##4) LOOP(n##5) LOOP(n##6) LOOP(n##7)
#define PROGRAMS EIGHT(0) EIGHT(1) EIGHT(2) EIGHT(3)
#endif

static __always_inline int turn(void)
{
	__u64 turns = 0; /* each turn another state, so that none is known already */

	do {
		turns++;
		asm volatile("" : "+r"(turns));
	} while (turns != TURNS);
	bpf_printk("turned"); /* with the right to read the kernel the verifier looks longer */
	return XDP_PASS;
}

#define LOOP(n) \
	SEC("xdp") \
	int loop_##n(void *context) \
	{ \
		(void)context; \
		return turn(); \
	}
PROGRAMS

char LICENSE[] SEC("license") = "GPL";
