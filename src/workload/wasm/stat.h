/* What the host knows of a file, as a guest's records. */
#ifndef PIC_WORKLOAD_WASM_STAT_H
#define PIC_WORKLOAD_WASM_STAT_H

#include <sys/stat.h>
#include <time.h>

#include "workload/wasm/wasi.h"

uint8_t pic_stat_filetype(mode_t mode);
/* Writes the record of 64 bytes; a WASI errno. */
uint32_t pic_stat_put(struct pic_wasi *wasi, uint32_t offset, const struct stat *st);
/* A guest's two times and flags as utimensat(2) takes them; a WASI errno. */
uint32_t pic_stat_times(uint64_t access_ns, uint64_t modify_ns, uint32_t flags,
			struct timespec out[2]);

#endif
