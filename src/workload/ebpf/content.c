#include "workload/ebpf/content.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/bpf.h>

#define TOKEN_MAX 512 /* where a batch goes on; a key at most, which admission bounds */

static bool is_per_cpu(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_ARRAY || type == BPF_MAP_TYPE_PERCPU_HASH ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

/* A map that is being read. */
struct reader {
	int fd;
	uint32_t key_size, room, count;
	size_t value_size; /* of all processors */
	unsigned char *keys, *values;
};

static int read_batches(struct reader *reader)
{
	union {
		uint64_t align;
		unsigned char bytes[TOKEN_MAX];
	} token;
	bool again = false;

	if (reader->key_size > sizeof(token))
		return -E2BIG;
	while (reader->count < reader->room) {
		uint32_t count = reader->room - reader->count;
		int r = bpf_map_lookup_batch(
			reader->fd, again ? &token : NULL, &token,
			reader->keys + (size_t)reader->count * reader->key_size,
			reader->values + reader->count * reader->value_size, &count, NULL);

		if (r < 0 && r != -ENOENT)
			return reader->count > 0 && r == -ENOSPC ? 0 : r;
		reader->count += count;
		if (r == -ENOENT) /* that was the last of it */
			return 0;
		again = true;
	}
	return 0;
}

/* One after the other, for the types that know no batches. */
static int read_singly(struct reader *reader)
{
	const void *previous = NULL;

	reader->count = 0;
	while (reader->count < reader->room) {
		unsigned char *key = reader->keys + (size_t)reader->count * reader->key_size;

		if (bpf_map_get_next_key(reader->fd, previous, key) < 0)
			return 0;
		if (bpf_map_lookup_elem(reader->fd, key,
					reader->values + reader->count * reader->value_size) < 0)
			return 0; /* it went between the two calls: the rest comes next time */
		previous = key;
		reader->count++;
	}
	return 0;
}

int pic_ebpf_content_read(const struct pic_ebpf_plan_map *map, int map_fd, uint32_t processors,
			  struct pic_ebpf_content *out)
{
	uint32_t copies = is_per_cpu(map->type) ? processors : 1;
	size_t stride = is_per_cpu(map->type) ? ((size_t)map->value_size + 7) / 8 * 8
					      : map->value_size;
	struct reader reader = { .fd = map_fd,
				 .key_size = map->key_size,
				 .value_size = stride * copies,
				 .room = map->max_entries };
	size_t each = reader.key_size + reader.value_size;
	int r;

	memset(out, 0, sizeof(*out));
	if (each == 0 || map_fd < 0)
		return -EINVAL;
	if (reader.room > PIC_EBPF_ENTRIES_MAX)
		reader.room = PIC_EBPF_ENTRIES_MAX;
	if (reader.room > PIC_EBPF_CONTENT_MAX / each)
		reader.room = (uint32_t)(PIC_EBPF_CONTENT_MAX / each);
	reader.keys = malloc((size_t)reader.room * reader.key_size + 1);
	reader.values = malloc(reader.room * reader.value_size + 1);
	r = reader.keys && reader.values ? read_batches(&reader) : -ENOMEM;
	if (r < 0 && r != -ENOMEM)
		r = read_singly(&reader);
	*out = (struct pic_ebpf_content){ .count = r < 0 ? 0 : reader.count,
					  .copies = copies,
					  .keys = reader.keys,
					  .values = reader.values,
					  .stride = stride };
	return r;
}

void pic_ebpf_content_free(struct pic_ebpf_content *content)
{
	free((void *)(uintptr_t)content->keys);
	free((void *)(uintptr_t)content->values);
	memset(content, 0, sizeof(*content));
}
