/*
 * Policy: what the root-owned policy.conf of a device lets workloads do, as one fixed-size struct.
 * admission/policy.c reads the file; the supervisor gets the struct from a child.
 */
#ifndef PIC_PROTOCOL_POLICY_H
#define PIC_PROTOCOL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ports.h"

#define PIC_POLICY_RULES_MAX 32
#define PIC_POLICY_TYPES_MAX 8
#define PIC_POLICY_PATH_MAX 256

struct pic_policy_folder {
	char path[PIC_POLICY_PATH_MAX]; /* the folder itself and what is below */
	bool writable;
	uint32_t line;
};

#define PIC_POLICY_INTERFACE_MAX 16

/* What eBPF programs may be and do. Bit sets count by the kernel's numbers. */
struct pic_policy_ebpf {
	uint64_t program_types;	    /* program type n: bit n */
	uint64_t map_types;	    /* map type n: bit n */
	uint32_t helpers_denied[8]; /* helper id n: bit n % 32 of word n / 32 */
	uint32_t grants_by_hand;    /* bits of enum pic_grant that root at the keyboard has */
	uint64_t kernel_bytes_max;  /* of all maps of one object */
	char interfaces[PIC_POLICY_RULES_MAX][PIC_POLICY_INTERFACE_MAX]; /* may be hooked */
	uint32_t interface_count;					 /* 0: any */
	uint32_t programs_line, maps_line, interfaces_line, kernel_line, hand_line; /* 0: default */
};

struct pic_policy {
	char types[PIC_POLICY_TYPES_MAX][16]; /* allowed component types */
	uint32_t type_lines[PIC_POLICY_TYPES_MAX];
	uint32_t type_count;
	uint32_t user_first, user_last; /* numeric users of workloads; one each */
	struct pic_policy_ports listen[PIC_POLICY_RULES_MAX];
	uint32_t listen_count;
	struct pic_policy_ports connect[PIC_POLICY_RULES_MAX];
	uint32_t connect_count;
	struct pic_policy_folder folders[PIC_POLICY_RULES_MAX];
	uint32_t folder_count;
	uint64_t memory_max;   /* bytes a workload may ask for */
	uint64_t artifact_max; /* bytes of one artifact */
	uint64_t store_max;    /* bytes of all artifacts */
	uint64_t log_max;      /* bytes of one workload's log */
	uint32_t workloads_max;
	uint32_t processes_max; /* tasks in one workload's cgroup */
	char approval_types[PIC_POLICY_TYPES_MAX]
			   [16]; /* start only with a ticket; "ebpf" by default */
	uint32_t approval_count;
	uint32_t lease_max_seconds; /* the longest life of what needs an end */
	struct pic_policy_ebpf ebpf;
};

#endif
