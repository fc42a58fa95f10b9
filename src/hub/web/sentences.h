/*
 * What a program may do, in sentences for the person who is asked. Every word is the hub's own; names out of the
 * request are put between quotes. What this table does not know is said to be unknown, never left out.
 * Pure.
 */
#ifndef PIC_HUB_WEB_SENTENCES_H
#define PIC_HUB_WEB_SENTENCES_H

#include <stdint.h>

#include "base/json.h"

#define PIC_SENTENCE_MAX 512

/* A grant ("kernel-read"). */
void pic_sentence_grant(const char *grant, char out[PIC_SENTENCE_MAX]);
/* One of spec.items[].facts.programs: {name, type, hook}. */
void pic_sentence_program(const struct pic_json *program, char out[PIC_SENTENCE_MAX]);
/* A helper that matters ("redirect" or "bpf_redirect"); false: it only counts, looks up or tells the time. */
bool pic_sentence_helper(const char *helper, char out[PIC_SENTENCE_MAX]);
/* 5400: "1 hour 30 minutes" */
void pic_sentence_length(int64_t seconds, char out[PIC_SENTENCE_MAX]);

#endif
