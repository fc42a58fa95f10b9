/* Metrics from any bytes, both ways in: as an object whose types make the plan, and as a plan that a loader sends.
 * A plan that is found valid can be written with any contents of the sizes it says. */
#include <stdlib.h>
#include <string.h>

#include "workload/ebpf/metrics.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

#define ROOM (64 * 1024)

static void check_lines(const struct pic_buf *text)
{
	for (size_t i = 0; i < text->size; i++)
		if (text->data[i] != '\n' && (unsigned char)text->data[i] < ' ')
			abort();
	if (text->size > 0 && text->data[text->size - 1] != '\n')
		abort();
}

static void write_plan(const struct pic_ebpf_plan *plan, const unsigned char *data, size_t size)
{
	static unsigned char noise[ROOM];
	struct pic_ebpf_content contents[PIC_EBPF_PLAN_MAPS] = { 0 };
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(PIC_EBPF_SCRAPE_MAX);
	struct pic_error err = PIC_ERROR_INIT;
	uint32_t dropped;

	if (!pic_ebpf_plan_is_valid(plan))
		return;
	memset(noise, 0x5a, sizeof(noise));
	memcpy(noise, data, size < ROOM ? size : ROOM);
	for (uint32_t i = 0; i < plan->map_count; i++) {
		size_t stride = (plan->maps[i].value_size + 7u) / 8 * 8;

		if (stride * 4 <= ROOM && plan->maps[i].key_size * 2 <= ROOM)
			contents[i] = (struct pic_ebpf_content){ 2, 2, noise, noise, stride };
	}
	if (pic_ebpf_metrics_write(plan, contents, NULL, &out, &dropped, &err) == 0)
		check_lines(&out);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	static struct pic_ebpf_plan plan;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_ebpf_metrics_plan(data, size, &plan, &err) == 0)
		write_plan(&plan, data, size);
	else if (!err.text[0])
		abort();
	memset(&plan, 0, sizeof(plan));
	memcpy(&plan, data, size < sizeof(plan) ? size : sizeof(plan));
	write_plan(&plan, data, size);
	return 0;
}
