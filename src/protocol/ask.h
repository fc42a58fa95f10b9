/*
 * An ask: a question to a device that only dials out. It comes with the answer to a poll, the device
 * answers with POST /device/v1/asks/ID (the body is the answer, with its own content type).
 * How it went travels in the query of that POST: ?status=404 (an HTTP status; absent: 200; with another one
 * the body is one sentence as text/plain) and, for logs, &position=4711 (the log's own count behind the
 * last byte of the answer: the `after` of the next ask). The hub hands it on as X-Piccolo-Position.
 * Wire form: {"id":"<32 hex>","kind":"logs","seconds":30,"instance":"i","component":"c","lines":100,"follow":false}
 */
#ifndef PIC_PROTOCOL_ASK_H
#define PIC_PROTOCOL_ASK_H

#include "protocol/document.h"

#define PIC_ASK_ID_TEXT 33
#define PIC_ASK_ANSWER_MAX (512 * 1024)

enum pic_ask_kind {
	PIC_ASK_LOGS,	/* text/plain: the last `lines` lines; with `after`: only what came later */
	PIC_ASK_SCRAPE, /* the device's /metrics */
	PIC_ASK_UNKNOWN, /* of a newer hub: answered with 501 by the agent */
};

struct pic_ask {
	char id[PIC_ASK_ID_TEXT];
	enum pic_ask_kind kind;
	int64_t seconds;	       /* how long the hub waits for the answer */
	struct pic_workload_name name; /* logs */
	int64_t lines;
	int64_t after; /* logs: byte position of the log's own count, 0: from the last `lines` */
};

int pic_ask_parse(struct pic_ask *out, const struct pic_json *value, struct pic_error *err);
struct pic_json *pic_ask_write(const struct pic_ask *ask);
const char *pic_ask_kind_text(enum pic_ask_kind kind);

#endif
