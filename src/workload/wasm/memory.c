#include "workload/wasm/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define STACK_BELOW (256u * 1024)

/* Read-only parts of the program and its libraries; the kernel's own (vdso) is not from a file. */
static int forget_code(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = *(uintptr_t *)data;

	(void)size;
	if (strncmp(info->dlpi_name, "linux-vdso", strlen("linux-vdso")) == 0)
		return 0;
	for (unsigned i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + part->p_vaddr, to = from + part->p_memsz;

		if (part->p_type != PT_LOAD || part->p_flags & PF_W)
			continue;
		from = (from + page - 1) & ~(page - 1);
		to &= ~(page - 1);
		if (from < to)
			(void)madvise((void *)from, to - from, MADV_DONTNEED);
	}
	return 0;
}

__attribute__((noinline)) void pic_wasm_give_back(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	/* one page more is left for this frame and those of its calls */
	uintptr_t here = ((uintptr_t)__builtin_frame_address(0) & ~(page - 1)) - page;

	malloc_trim(0);
	/* ENOMEM for the part of the range that the stack never reached; the rest is done. */
	(void)madvise((void *)(here - STACK_BELOW), STACK_BELOW, MADV_DONTNEED);
	dl_iterate_phdr(forget_code, &page);
}
