/*
 * What workloads say of themselves: Prometheus text from several strangers, read line by line and written again as
 * one exposition. Pure.
 *
 * Each sample gets the labels instance and component; a family of one name stands once, whoever it came from.
 * What is not well formed, takes a name of ours, contradicts an earlier type, or is beyond the limits is left
 * out and counted.
 */
#ifndef PIC_AGENT_METRICS_FIGURES_H
#define PIC_AGENT_METRICS_FIGURES_H

#include "base/buffer.h"
#include "protocol/document.h"

#define PIC_FIGURES_FAMILIES_MAX 128
#define PIC_FIGURES_SERIES_MAX 4000 /* lines of samples, of all workloads */
#define PIC_FIGURES_TEXT_MAX (1024 * 1024)

struct pic_figures;

struct pic_figures *pic_figures_new(void); /* NULL: no memory */
void pic_figures_free(struct pic_figures *figures);
/* All that one workload has said. */
void pic_figures_add(struct pic_figures *figures, const struct pic_workload_name *name,
		     const char *text, size_t size);
void pic_figures_write(const struct pic_figures *figures, struct pic_buf *out);
size_t pic_figures_dropped(const struct pic_figures *figures); /* lines that were left out */

#endif
