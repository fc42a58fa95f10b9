/*
 * What the hub knows of a machine before it is a device: an object of kind FIRST_BOOT in the store,
 *   {"metadata":{"name":T},
 *    "spec":{"labels":{"mac":...,"uuid":...,"serial":...,...},"config":{...},"openUntilMs"?},
 *    "status":{"fetchedMs"?,"fetchedBy"?}}
 * `config` is the operator's part of its Ignition config. Pure: no clock, no store.
 */
#ifndef PIC_HUB_FIRST_BOOT_RECORD_H
#define PIC_HUB_FIRST_BOOT_RECORD_H

#include "symphony/object.h"

#define PIC_LABELS_MAX 16
#define PIC_LABEL_TEXT_MAX 128

/* A copy to be changed and put; known NULL: a new one. */
struct pic_json *pic_first_boot_edit(const struct pic_object *known, const char *name);
/* A key is a name, a value printable; a mac is kept as "aa:bb:cc:dd:ee:ff" however it is written. -EINVAL. */
int pic_first_boot_label(struct pic_json *record, const char *key, const char *value,
			 struct pic_error *err);
/* True when the window is open in which it is served to whoever asks. */
bool pic_first_boot_is_open(const struct pic_object *record, int64_t now_ms);

/* How well a record fits a request: the number of its labels that the request gives alike; -1 when one differs.
 * `query` answers the request's value of a key, or NULL. */
typedef const char *pic_query_fn(const void *data, const char *key);
int pic_first_boot_fit(const struct pic_object *record, pic_query_fn *query, const void *data);

#endif
