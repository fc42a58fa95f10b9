/*
 * The document: the desired state as it travels to one device. Complete, numbered, with what is
 * removed. The hub writes it, the agent parses it once, validates it and trusts it afterwards.
 *
 * Wire form (JSON), protocol 1:
 *   {"protocol":1, "epoch":"<32 hex>", "revision":7, "device":"tiny-edge", "issued-at":"<RFC 3339>",
 *    "components":[{"instance":"tiny-app","component":"wasm-module","type":"wasm","revision":5,
 *                   "sha256":"<64 hex>","url":"https://...","properties":{"wasm.listen":"..."},
 *                   "dependencies":["other"],"approval":{"id":"<32 hex>"}}],
 *    "removed":[{"instance":"tiny-app","component":"old","revision":6}]}
 *
 * "revision" of an entry is the document revision in which it last changed. "sha256" and "url" are set
 * for components that have an artifact; the hub resolved the URL at apply time. Absence of a component
 * removes nothing (design 13.1): only an entry in "removed" does. A component is in exactly one list.
 * "dependencies" (optional) are components of the same instance that have to run before this one starts.
 * "approval" (optional) names the approval that allows the component; its end is not here but in the ticket,
 * so that the entry stays the same for as long as it is good.
 * Unknown keys are ignored, so that an older agent works with a newer hub.
 */
#ifndef PIC_PROTOCOL_DOCUMENT_H
#define PIC_PROTOCOL_DOCUMENT_H

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"

#define PIC_EPOCH_TEXT 33
#define PIC_TYPE_MAX 15
#define PIC_URL_MAX 2048
#define PIC_DIGEST_SIZE 32
#define PIC_APPROVAL_SIZE 16
#define PIC_APPROVAL_TEXT (2 * PIC_APPROVAL_SIZE + 1)
#define PIC_DOCUMENT_SIZE_MAX (1024 * 1024)
#define PIC_DOCUMENT_COMPONENTS_MAX 256
#define PIC_DOCUMENT_DEPENDENCIES_MAX 16

struct pic_workload_name {
	char instance[PIC_NAME_MAX + 1];
	char component[PIC_NAME_MAX + 1];
};

struct pic_document_component {
	struct pic_workload_name name;
	char type[PIC_TYPE_MAX + 1];
	int64_t revision;
	bool has_digest;
	unsigned char digest[PIC_DIGEST_SIZE];
	char *url;		     /* NULL when there is none */
	struct pic_json *properties; /* object; validated later by the driver of the type */
	char (*dependencies)[PIC_NAME_MAX + 1]; /* NULL when there are none */
	size_t dependency_count;
	bool has_approval;
	unsigned char approval[PIC_APPROVAL_SIZE];
};

struct pic_document_removed {
	struct pic_workload_name name;
	int64_t revision;
};

struct pic_document {
	char epoch[PIC_EPOCH_TEXT];
	int64_t revision;
	char device[PIC_NAME_MAX + 1];
	int64_t issued_at_ms;
	struct pic_document_component *components;
	size_t component_count;
	struct pic_document_removed *removed;
	size_t removed_count;
};

int pic_document_parse(struct pic_document **out, const char *text, size_t size,
		       struct pic_error *err);
/* Keys in a fixed order, so that the same document has the same bytes and digest. */
int pic_document_write(const struct pic_document *document, struct pic_buf *out);
void pic_document_free(struct pic_document *document);

int pic_workload_name_compare(const struct pic_workload_name *a, const struct pic_workload_name *b);
/* "tiny-app/wasm-module" to a name and back. */
int pic_workload_name_parse(const char *text, struct pic_workload_name *out, struct pic_error *err);
void pic_workload_name_text(const struct pic_workload_name *name, char out[2 * PIC_NAME_MAX + 2]);

/*
 * The answer to a poll: the document when it is new for the device, and asks (never kept).
 *   {"protocol":1, "document":{...}, "asks":[{"id":"..","kind":"logs","end":"<seconds>", ...}]}
 * and, as protocol/ticket.h says, "ticket-epoch", "ticket-certificate" and "tickets".
 * Nothing to say until the wait is over: 304.
 */

#endif
