/* Arguments, environment, clocks, randomness, the end. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "workload/wasm/wasi.h"

/* A list of texts in a row, as the spec keeps them; the first may come from elsewhere. */
struct texts {
	const char *first; /* NULL: none */
	const char *rest;
	uint32_t rest_count;
};

static struct texts arguments(const struct pic_wasi *wasi)
{
	return (struct texts){ wasi->program, wasi->spec->text, wasi->spec->argument_count };
}

static struct texts environment(const struct pic_wasi *wasi)
{
	const char *at = wasi->spec->text;

	for (uint32_t i = 0; i < wasi->spec->argument_count; i++)
		at += strlen(at) + 1;
	return (struct texts){ NULL, at, wasi->spec->environment_count };
}

static size_t rest_size(const struct texts *texts)
{
	const char *at = texts->rest;

	for (uint32_t i = 0; i < texts->rest_count; i++)
		at += strlen(at) + 1;
	return (size_t)(at - texts->rest);
}

static uint32_t put_sizes(struct pic_wasi *wasi, const uint64_t *cells, const struct texts *texts)
{
	size_t size = rest_size(texts) + (texts->first ? strlen(texts->first) + 1 : 0);

	if (!pic_wasi_put32(wasi, pic_wasi_u32(cells, 0),
			    texts->rest_count + (texts->first != NULL)) ||
	    !pic_wasi_put32(wasi, pic_wasi_u32(cells, 1), (uint32_t)size))
		return PIC_WASI_FAULT;
	return PIC_WASI_SUCCESS;
}

/* One text and its pointer. */
static bool put_text(struct pic_wasi *wasi, uint32_t *pointers, uint32_t *buffer, const char *text)
{
	size_t size = strlen(text) + 1;
	void *at = pic_wasi_memory(wasi, *buffer, size);

	if (!at || !pic_wasi_put32(wasi, *pointers, *buffer))
		return false;
	memcpy(at, text, size);
	*pointers += 4;
	*buffer += (uint32_t)size;
	return true;
}

static uint32_t put_texts(struct pic_wasi *wasi, const uint64_t *cells, const struct texts *texts)
{
	uint32_t pointers = pic_wasi_u32(cells, 0), buffer = pic_wasi_u32(cells, 1);
	const char *at = texts->rest;

	if (texts->first && !put_text(wasi, &pointers, &buffer, texts->first))
		return PIC_WASI_FAULT;
	for (uint32_t i = 0; i < texts->rest_count; i++, at += strlen(at) + 1)
		if (!put_text(wasi, &pointers, &buffer, at))
			return PIC_WASI_FAULT;
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_args_sizes_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct texts texts = arguments(wasi);

	return put_sizes(wasi, cells, &texts);
}

uint32_t pic_wasi_args_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct texts texts = arguments(wasi);

	return put_texts(wasi, cells, &texts);
}

uint32_t pic_wasi_environ_sizes_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct texts texts = environment(wasi);

	return put_sizes(wasi, cells, &texts);
}

uint32_t pic_wasi_environ_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct texts texts = environment(wasi);

	return put_texts(wasi, cells, &texts);
}

static bool host_clock(uint32_t id, clockid_t *out)
{
	static const clockid_t clocks[] = {
		[PIC_WASI_CLOCK_REALTIME] = CLOCK_REALTIME,
		[PIC_WASI_CLOCK_MONOTONIC] = CLOCK_MONOTONIC,
		[PIC_WASI_CLOCK_PROCESS] = CLOCK_PROCESS_CPUTIME_ID,
		[PIC_WASI_CLOCK_THREAD] = CLOCK_THREAD_CPUTIME_ID,
	};

	if (id >= sizeof(clocks) / sizeof(clocks[0]))
		return false;
	*out = clocks[id];
	return true;
}

static uint32_t put_time(struct pic_wasi *wasi, const struct timespec *t, uint32_t out)
{
	return pic_wasi_put64(wasi, out, (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_nsec)
		       ? PIC_WASI_SUCCESS
		       : PIC_WASI_FAULT;
}

uint32_t pic_wasi_clock_res_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct timespec t;
	clockid_t id;

	if (!host_clock(pic_wasi_u32(cells, 0), &id))
		return PIC_WASI_INVAL;
	if (clock_getres(id, &t) < 0)
		return pic_wasi_errno(errno);
	return put_time(wasi, &t, pic_wasi_u32(cells, 1));
}

uint32_t pic_wasi_clock_time_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	struct timespec t;
	clockid_t id;

	if (!host_clock(pic_wasi_u32(cells, 0), &id))
		return PIC_WASI_INVAL;
	if (clock_gettime(id, &t) < 0)
		return pic_wasi_errno(errno);
	return put_time(wasi, &t, pic_wasi_u32(cells, 2));
}

uint32_t pic_wasi_random_get(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t size = pic_wasi_u32(cells, 1);
	unsigned char *at = pic_wasi_memory(wasi, pic_wasi_u32(cells, 0), size);

	if (!at)
		return PIC_WASI_FAULT;
	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno != EINTR)
			return pic_wasi_errno(errno);
		if (n > 0) {
			at += n;
			size -= (uint32_t)n;
		}
	}
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_sched_yield(struct pic_wasi *wasi, const uint64_t *cells)
{
	(void)wasi;
	(void)cells;
	sched_yield();
	return PIC_WASI_SUCCESS;
}

uint32_t pic_wasi_proc_exit(struct pic_wasi *wasi, const uint64_t *cells)
{
	wasi->exited = true;
	wasi->exit_status = (int32_t)pic_wasi_u32(cells, 0);
	return 0;
}

/* Signals among modules do not exist; raising one ends the module, as it would a program. */
uint32_t pic_wasi_proc_raise(struct pic_wasi *wasi, const uint64_t *cells)
{
	uint32_t number = pic_wasi_u32(cells, 0);

	if (number == 0)
		return PIC_WASI_SUCCESS;
	if (number > 30)
		return PIC_WASI_INVAL;
	wasi->trap = "raised a signal";
	return PIC_WASI_SUCCESS;
}
