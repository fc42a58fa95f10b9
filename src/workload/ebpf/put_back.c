/*
 * Maps as they were before the dry run, so that the copy that was tried is the one that is attached and the kernel's
 * verifier works once. Only for maps whose content is all there is to them, and little; libbpf fills no hash, so one is
 * as it was when it is empty.
 */
#include <errno.h>
#include <stdlib.h>

#include <bpf/bpf.h>

#include "base/cleanup.h"
#include "workload/ebpf/load.h"

#define BYTES_MAX (256 * 1024) /* of all arrays */
#define ENTRIES_MAX 256	       /* of one array, or left in one hash */

static bool is_array(const struct pic_ebpf_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY || map->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static bool is_hash(const struct pic_ebpf_map *map)
{
	return map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_PERCPU_HASH ||
	       map->type == BPF_MAP_TYPE_LRU_HASH || map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* What one entry takes outside of the kernel. */
static size_t entry_size(const struct pic_ebpf_map *map, uint32_t processors)
{
	size_t size = ((size_t)map->value_size + 7) / 8 * 8;

	return map->type == BPF_MAP_TYPE_PERCPU_ARRAY ? size * processors : size;
}

/* No program writes to it. */
static bool is_constant(const struct pic_ebpf_map *map)
{
	return map->flags & BPF_F_RDONLY_PROG;
}

/* Bytes to remember of all arrays; 0 and false: not to be remembered. */
static bool measure(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		    size_t *out)
{
	*out = 0;
	for (uint32_t i = 0; i < task->facts.map_count; i++) {
		const struct pic_ebpf_map *map = &task->facts.maps[i];

		if (loaded->map_fds[i] < 0 || is_constant(map) || is_hash(map))
			continue;
		if (!is_array(map) || map->max_entries > ENTRIES_MAX || map->value_size > BYTES_MAX)
			return false;
		*out += map->max_entries * entry_size(map, loaded->processors);
		if (*out > BYTES_MAX)
			return false;
	}
	return true;
}

/* All arrays into the bytes, or out of them. */
static int copy(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		unsigned char *bytes, bool back)
{
	for (uint32_t i = 0; i < task->facts.map_count; i++) {
		const struct pic_ebpf_map *map = &task->facts.maps[i];
		int fd = loaded->map_fds[i];

		if (fd < 0 || is_constant(map) || !is_array(map))
			continue;
		for (uint32_t key = 0; key < map->max_entries; key++) {
			int r = back ? bpf_map_update_elem(fd, &key, bytes, BPF_ANY)
				     : bpf_map_lookup_elem(fd, &key, bytes);

			if (r < 0)
				return r;
			bytes += entry_size(map, loaded->processors);
		}
	}
	return 0;
}

static int empty(int fd, const struct pic_ebpf_map *map)
{
	void PIC_FREE *key = malloc(map->key_size);
	int left = ENTRIES_MAX;

	if (!key)
		return -ENOMEM;
	while (bpf_map_get_next_key(fd, NULL, key) == 0)
		if (left-- == 0 || bpf_map_delete_elem(fd, key) < 0)
			return -E2BIG;
	return errno == ENOENT ? 0 : -errno;
}

int pic_ebpf_remember(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		      unsigned char **out)
{
	unsigned char PIC_FREE *bytes = NULL;
	size_t size;
	int r;

	if (!measure(task, loaded, &size))
		return -ENOTSUP;
	bytes = malloc(size + 1);
	r = bytes ? copy(task, loaded, bytes, false) : -ENOMEM;
	if (r == 0)
		*out = PIC_STEAL(bytes);
	return r;
}

int pic_ebpf_put_back(const struct pic_ebpf_task *task, const struct pic_ebpf_loaded *loaded,
		      unsigned char *bytes)
{
	int r = copy(task, loaded, bytes, true);

	for (uint32_t i = 0; r == 0 && i < task->facts.map_count; i++)
		if (loaded->map_fds[i] >= 0 && is_hash(&task->facts.maps[i]))
			r = empty(loaded->map_fds[i], &task->facts.maps[i]);
	return r;
}
