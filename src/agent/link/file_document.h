/*
 * A desired state that a person wrote into a file, made into a document. Either a document as the hub
 * writes it, or the short form:
 *
 *   {"components":[{"name":"web","type":"wasm","properties":{"wasm.url":"web.wasm","wasm.listen":"8085"}}]}
 *
 * with "instance" (default "local") and "dependencies" where they are wanted. An artifact is a file, by
 * its name relative to the file or with file:, or an http(s) address; then its SHA-256 must be told.
 */
#ifndef PIC_AGENT_LINK_FILE_DOCUMENT_H
#define PIC_AGENT_LINK_FILE_DOCUMENT_H

#include "protocol/document.h"

struct pic_file_frame {
	const char *folder; /* where relative names begin */
	const char *device;
	int64_t revision;
	int64_t now_wall_ms;
};

/* Reads the artifacts that are files, for their digests. */
int pic_file_document(const char *text, size_t size, const struct pic_file_frame *frame,
		      struct pic_buf *out, struct pic_error *err);

#endif
