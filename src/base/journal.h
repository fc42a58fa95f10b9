/*
 * An entry for systemd's journal in its native form: fields with names, which `journalctl PICCOLO_EVENT=...` finds. The form
 * is that of systemd's page "Native Journal Protocol": KEY=value lines, or KEY, a length and the bytes when the
 * value has lines itself; one entry a datagram.
 */
#ifndef PIC_BASE_JOURNAL_H
#define PIC_BASE_JOURNAL_H

#include <stdbool.h>

#include "base/buffer.h"

#define PIC_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* Is standard error the stream that systemd has given to this process? */
bool pic_journal_has_stderr(void);
/* `prefix` and `key` become the name: "PICCOLO_" and "again-in-ms" are PICCOLO_AGAIN_IN_MS. */
void pic_journal_field(struct pic_buf *entry, const char *prefix, const char *key,
		       const char *value, size_t size);
/* Without waiting; false: nobody took it. */
bool pic_journal_send(int fd, const char *socket_path, const struct pic_buf *entry);

#endif
