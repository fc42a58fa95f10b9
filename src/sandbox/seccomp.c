#include "sandbox/seccomp.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/cleanup.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCHITECTURE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#error "seccomp: name this architecture's AUDIT_ARCH here"
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW 0
#else
#define LOW 4
#endif

#define PER_RULE 9
#define RUN 8 /* rules behind one comparison */
#define PER_RUN 3
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define ANSWER(with) BPF_STMT(BPF_RET | BPF_K, (with))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define AT(field) ((uint32_t)offsetof(struct seccomp_data, field))

struct program {
	struct sock_filter
		code[PIC_SECCOMP_RULES_MAX * PER_RULE + PIC_SECCOMP_RULES_MAX / RUN * PER_RUN + 5];
	unsigned short size;
};

static void add(struct program *program, const struct sock_filter *code, size_t count)
{
	for (size_t i = 0; i < count; i++)
		program->code[program->size++] = code[i];
}

#define ADD(program, ...) \
	do { \
		const struct sock_filter code[] = { __VA_ARGS__ }; \
		add((program), code, PIC_COUNT(code)); \
	} while (0)

static void add_rule(struct program *program, const struct pic_seccomp_rule *rule)
{
	uint32_t at = AT(args) + 8 * (uint32_t)(rule->argument - 1);

	if (!rule->argument) {
		ADD(program, UNLESS_EQUAL((uint32_t)rule->number, 1), ANSWER(SECCOMP_RET_ALLOW));
		return;
	}
	/* both halves of the argument; the number is loaded again for the rules that follow */
	ADD(program, UNLESS_EQUAL((uint32_t)rule->number, 8), LOAD(at + LOW),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)rule->mask),
	    UNLESS_EQUAL((uint32_t)rule->value, 4), LOAD(at + 4 - LOW),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (uint32_t)(rule->mask >> 32)),
	    UNLESS_EQUAL((uint32_t)(rule->value >> 32), 1), ANSWER(SECCOMP_RET_ALLOW),
	    LOAD(AT(nr)));
}

static int by_number(const void *a, const void *b)
{
	const struct pic_seccomp_rule *one = a, *other = b;

	return one->number - other->number;
}

/* Rules in runs of a few numbers, each passed by with one comparison: when it takes the list, the kernel goes through
 * all of it once for every number there is. */
static void add_rules(struct program *program, const struct pic_seccomp_rule *rules, size_t count,
		      struct sock_filter otherwise)
{
	for (size_t i = 0, end; i < count; i = end) {
		unsigned short jump = (unsigned short)(program->size + 1);

		for (end = i + 1;
		     end < count && (end < i + RUN || rules[end].number == rules[end - 1].number);)
			end++;
		if (end < count)
			ADD(program,
			    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (uint32_t)rules[end].number, 0, 1),
			    BPF_STMT(BPF_JMP | BPF_JA, 0));
		for (size_t j = i; j < end; j++)
			add_rule(program, &rules[j]);
		ADD(program, otherwise);
		if (end < count)
			program->code[jump].k = (uint32_t)(program->size - jump - 1);
	}
}

int pic_seccomp_allow(const struct pic_seccomp_rule *rules, size_t count,
		      enum pic_seccomp_otherwise otherwise, struct pic_error *err)
{
	const struct sock_filter refusal = ANSWER(otherwise == PIC_SECCOMP_KILL
							  ? SECCOMP_RET_KILL_PROCESS
							  : SECCOMP_RET_ERRNO | EPERM);
	struct pic_seccomp_rule sorted[PIC_SECCOMP_RULES_MAX];
	struct program program;
	struct sock_fprog wanted = { .filter = program.code };

	program.size = 0;
	if (count == 0 || count > PIC_SECCOMP_RULES_MAX)
		return pic_error_set(err, -E2BIG, "%zu system call rules are none or too many",
				     count);
	memcpy(sorted, rules, count * sizeof(*rules));
	qsort(sorted, count, sizeof(*sorted), by_number);
	/* a call in the machine's other calling convention has other numbers */
	ADD(&program, LOAD(AT(arch)), UNLESS_EQUAL(ARCHITECTURE, 1), BPF_STMT(BPF_JMP | BPF_JA, 1),
	    ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(AT(nr)));
	add_rules(&program, sorted, count, refusal);
	wanted.len = program.size;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &wanted) != 0)
		return pic_error_errno(err, errno, "the list of system calls cannot be installed");
	return 0;
}
