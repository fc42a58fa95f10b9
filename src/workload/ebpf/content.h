/* What a map holds, read through its descriptor by as few system calls as the kernel allows. */
#ifndef PIC_WORKLOAD_EBPF_CONTENT_H
#define PIC_WORKLOAD_EBPF_CONTENT_H

#include "workload/ebpf/metrics.h"

#define PIC_EBPF_CONTENT_MAX (4 * 1024 * 1024) /* bytes of one map */
#define PIC_EBPF_ENTRIES_MAX 4096

/* At most PIC_EBPF_ENTRIES_MAX entries, and what fits. Frees with pic_ebpf_content_free; on failure it is empty. */
int pic_ebpf_content_read(const struct pic_ebpf_plan_map *map, int map_fd, uint32_t processors,
			  struct pic_ebpf_content *out);
void pic_ebpf_content_free(struct pic_ebpf_content *content);

#endif
