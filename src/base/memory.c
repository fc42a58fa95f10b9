#include "base/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_BELOW (256u * 1024)
#define PARTS_MAX 32

struct parts {
	uintptr_t page;
	unsigned count;
	struct {
		uintptr_t from, to;
	} items[PARTS_MAX];
};

/* Read-only parts of the program and its libraries; the kernel's own (vdso) is not from a file. */
static int note_parts(struct dl_phdr_info *info, size_t size, void *data)
{
	struct parts *parts = data;

	(void)size;
	if (strncmp(info->dlpi_name, "linux-vdso", strlen("linux-vdso")) == 0)
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum && parts->count < PARTS_MAX; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;

		if (part->p_type != PT_LOAD || part->p_flags & PF_W)
			continue;
		from = (from + parts->page - 1) & ~(parts->page - 1);
		to &= ~(parts->page - 1);
		if (from >= to)
			continue;
		parts->items[parts->count].from = from;
		parts->items[parts->count++].to = to;
	}
	return 0;
}

__attribute__((noinline)) void pic_memory_give_back(void)
{
	struct parts parts = { .page = (uintptr_t)sysconf(_SC_PAGESIZE) };
	/* one page more is left for this frame and those of its calls */
	uintptr_t here = ((uintptr_t)__builtin_frame_address(0) & ~(parts.page - 1)) - parts.page;

	malloc_trim(0);
	/* ENOMEM for the part of the range that the stack never reached; the rest is done. */
	(void)madvise((void *)(here - STACK_BELOW), STACK_BELOW, MADV_DONTNEED);
	/* The tables that say where the parts are lie in these parts: read first, they do not come back. */
	dl_iterate_phdr(note_parts, &parts);
	for (unsigned i = 0; i < parts.count; i++)
		(void)madvise((void *)parts.items[i].from, parts.items[i].to - parts.items[i].from,
			      MADV_DONTNEED);
}
