#include "admission/ebpf_memory.h"

#include <linux/bpf.h>

#include "admission/ebpf_tables.h"

#define PAGE 4096
#define RING_OVERHEAD (13 * 1024)

uint64_t pic_ebpf_bytes_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t round_up(uint64_t value, uint64_t step)
{
	return value > UINT64_MAX - step ? UINT64_MAX - step : (value + step - 1) / step * step;
}

static uint64_t power_of_two(uint64_t value)
{
	uint64_t power = 1;

	while (power < value)
		power <<= 1;
	return power;
}

/* n elements of `each` bytes, and a table of heads of `head` bytes. */
static uint64_t table(uint64_t n, uint64_t each, uint64_t head)
{
	return pic_ebpf_bytes_add(times(n, each), times(power_of_two(n), head));
}

uint64_t pic_ebpf_data_bytes(uint64_t size)
{
	return PAGE + round_up(size, PAGE);
}

uint64_t pic_ebpf_map_bytes(const struct pic_ebpf_map *map, unsigned cpus)
{
	uint64_t n = map->max_entries, key = round_up(map->key_size, 8);
	uint64_t value = round_up(map->value_size, 8), every = times(value, cpus ? cpus : 1);

	switch (map->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
		return table(n, 48 + key + value, 16);
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
		return table(n, pic_ebpf_bytes_add(48 + key + 8, every), 16);
	case BPF_MAP_TYPE_ARRAY:
		return map->flags & BPF_F_MMAPABLE ? round_up(times(n, value), PAGE)
						   : times(n, value);
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return times(n, pic_ebpf_bytes_add(8, every));
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_XSKMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return times(n ? n : (cpus ? cpus : 1), 8);
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		/* libbpf rounds its size up */
		return power_of_two(n < PAGE ? PAGE : n) + RING_OVERHEAD;
	case BPF_MAP_TYPE_STACK_TRACE:
		return table(n, 16 + value, 8);
	case BPF_MAP_TYPE_LPM_TRIE: /* a prefix may need a node of its own and one that forks */
		return times(2 * n, 48 + key + value);
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
		return times(n + 1, value);
	case BPF_MAP_TYPE_BLOOM_FILTER:
		/* map_extra may ask for 15 hash functions: 21 bits an element, rounded up */
		return 4 * power_of_two(n);
	case PIC_BPF_ARENA:
		return times(n, PAGE);
	default:
		return table(n, 64 + key + value, 16);
	}
}
