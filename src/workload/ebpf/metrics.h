/*
 * Metrics of an eBPF program without configuration: what its maps hold, as Prometheus text, named and labelled
 * through the object's own type information (BTF).
 *
 * Two steps. pic_ebpf_metrics_plan, in the disposable loader, turns the object's BTF into a plan: a plain struct
 * without pointers, which may cross a process boundary. pic_ebpf_metrics_write, in the runner, needs only the plan
 * and what the maps hold now. The plan comes from a process that hostile bytes may have taken over, so the runner
 * asks pic_ebpf_plan_is_valid first. Pure: no I/O, no clock, no kernel.
 *
 * What is shown (reference in docs/ebpf-metrics.md):
 *   maps and global variables with a tag btf_decl_tag("pcl:counter|gauge|histogram ..."), and by name: maps that end
 *   in _total or begin with counter_ (counters), begin with gauge_ (gauges), or hold a struct with an array named
 *   slots or buckets (log2 histograms). All others stay private.
 */
#ifndef PIC_WORKLOAD_EBPF_METRICS_H
#define PIC_WORKLOAD_EBPF_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define PIC_EBPF_PLAN_MAPS 16
#define PIC_EBPF_PLAN_METRICS 64
#define PIC_EBPF_PLAN_LABELS 128
#define PIC_EBPF_PLAN_WORDS 256
#define PIC_EBPF_PLAN_TEXT 8192
#define PIC_EBPF_LABELS_MAX 16	    /* of one metric */
#define PIC_EBPF_LABEL_VALUE_MAX 64 /* bytes, before escaping */
#define PIC_EBPF_SERIES_MAX 1000    /* of one metric */
#define PIC_EBPF_SLOTS_MAX 64
#define PIC_EBPF_COPIES_MAX 1024 /* processors */
#define PIC_EBPF_SCRAPE_MAX (1024 * 1024)

enum pic_ebpf_metric_kind {
	PIC_EBPF_COUNTER,
	PIC_EBPF_GAUGE,
	PIC_EBPF_HISTOGRAM,
};

enum pic_ebpf_decoder {
	PIC_EBPF_DECIMAL,
	PIC_EBPF_HEX,
	PIC_EBPF_TEXT,
	PIC_EBPF_IP, /* 4 or 16 bytes in network order */
	PIC_EBPF_MAC,
	PIC_EBPF_BIG_ENDIAN,
	PIC_EBPF_INTERFACE,
	PIC_EBPF_BOOL,
	PIC_EBPF_WORD, /* an enum's name */
};

/* A field of a key or value. */
struct pic_ebpf_plan_field {
	uint32_t bit_offset;
	uint32_t bits;
	uint32_t decoder; /* enum pic_ebpf_decoder; of labels */
	uint32_t is_signed;
	uint32_t words_first, words_count; /* names of an enum's values */
};

struct pic_ebpf_plan_label {
	uint32_t name; /* offset in text, as all names */
	struct pic_ebpf_plan_field field;
};

struct pic_ebpf_plan_word {
	uint64_t value;
	uint32_t name;
	uint32_t padding;
};

struct pic_ebpf_plan_metric {
	uint32_t map;  /* index in maps */
	uint32_t kind; /* enum pic_ebpf_metric_kind */
	uint32_t name, help;
	struct pic_ebpf_plan_field value; /* of a histogram: its first slot */
	uint32_t slots;			  /* of a histogram */
	uint32_t slots_ceil;		  /* slot i ends at 2^i; else at 2^(i+1)-1 */
	uint32_t has_sum;
	struct pic_ebpf_plan_field sum;
	uint32_t labels_first, labels_count;
	uint32_t by_cpu; /* a label cpu in place of the sum over processors */
	uint32_t series_max;
	uint32_t padding;
	double scale; /* what values, sums and bounds are multiplied with */
};

/* A map whose contents the runner has to read. `name` is the object's name for it; sections of globals are ".bss",
 * ".data": libbpf puts the object's name in front of those. */
struct pic_ebpf_plan_map {
	char name[64];
	uint32_t type, key_size, value_size, max_entries;
};

struct pic_ebpf_plan {
	uint32_t map_count, metric_count, label_count, word_count, text_size;
	uint32_t skipped; /* maps and fields that wanted to be metrics and could not, for the log */
	struct pic_ebpf_plan_map maps[PIC_EBPF_PLAN_MAPS];
	struct pic_ebpf_plan_metric metrics[PIC_EBPF_PLAN_METRICS];
	struct pic_ebpf_plan_label labels[PIC_EBPF_PLAN_LABELS];
	struct pic_ebpf_plan_word words[PIC_EBPF_PLAN_WORDS];
	char text[PIC_EBPF_PLAN_TEXT]; /* names, each ends with a NUL; offset 0 is "" */
};

/* From an object's bytes. An object without BTF gives an empty plan. -EINVAL: damaged; -ENOMEM. */
int pic_ebpf_metrics_plan(const unsigned char *object, size_t size, struct pic_ebpf_plan *out,
			  struct pic_error *err);
bool pic_ebpf_plan_is_valid(const struct pic_ebpf_plan *plan);

/* What one map of the plan holds. */
struct pic_ebpf_content {
	uint32_t count;		     /* entries; 0: nothing was read */
	uint32_t copies;	     /* of each value: the processors of a per-CPU map, else 1 */
	const unsigned char *keys;   /* count * key_size */
	const unsigned char *values; /* count * copies * stride */
	size_t stride;		     /* value_size, of per-CPU maps rounded up to 8 */
};

/* Names that only the system knows; any may be NULL. */
struct pic_ebpf_metric_names {
	const char *(*interface)(void *data, uint32_t index); /* lent; NULL: not known */
	void *data;
};

/* Appends the families, in the order of their names. `contents` has plan->map_count entries. *dropped: series that the
 * limits left out. The plan must be valid. -ENOMEM, -ENOBUFS with the sentence; what was appended then is not whole. */
int pic_ebpf_metrics_write(const struct pic_ebpf_plan *plan,
			   const struct pic_ebpf_content *contents,
			   const struct pic_ebpf_metric_names *names, struct pic_buf *out,
			   uint32_t *dropped, struct pic_error *err);

#endif
