/*
 * A machine's first boot: its Ignition config, made when it is fetched, with a one-time token inside.
 *
 *   GET /ignition/<device>      GET /ignition?mac=...&uuid=...&serial=...&target=...
 *
 * Who asks shows the key of a pointer config (`Authorization: Bearer`), or comes while an administrator has opened
 * the device's window. Everybody else gets 503 and Retry-After, whatever the name: Ignition then asks again for
 * two minutes, and a stranger learns nothing. A wrong key is 403, because it will never be right.
 */
#ifndef PIC_HUB_FIRST_BOOT_FIRST_BOOT_H
#define PIC_HUB_FIRST_BOOT_FIRST_BOOT_H

#include "hub/hub.h"

/* Does the operator's part of that device's config fetch this artifact? */
bool pic_first_boot_names(struct pic_store *store, const char *device, const char *sha256);
/* The device has joined: its window is closed, as a part of `change`. */
int pic_first_boot_joined(struct pic_store *store, const char *device, struct pic_change *change,
			  struct pic_error *err);
/* Of those that have not joined yet: one sentence. */
void pic_first_boot_sentence(const struct pic_object *record, int64_t now_ms, struct pic_buf *out);

/* For this room: device part and operator's part (NULL: none) in one, with what may be fetched for `key`. */
int pic_first_boot_config(struct pic_hub *hub, const char *device, const struct pic_json *more,
			  const char *token, const char *key, struct pic_json **out,
			  struct pic_error *err);

#endif
