/*
 * How much kernel memory a map may take when it is full: an estimate from the kernel's own layout of each
 * kind (within 0.2 % of what it accounts for hash, array and ring buffer). Pure.
 */
#ifndef PIC_ADMISSION_EBPF_MEMORY_H
#define PIC_ADMISSION_EBPF_MEMORY_H

#include "admission/ebpf.h"

/* UINT64_MAX: more than can be counted. */
uint64_t pic_ebpf_map_bytes(const struct pic_ebpf_map *map, unsigned cpus);
/* Of the map that libbpf makes of a section of `size` bytes (.bss, .data, .rodata). */
uint64_t pic_ebpf_data_bytes(uint64_t size);
uint64_t pic_ebpf_bytes_add(uint64_t a, uint64_t b);

#endif
