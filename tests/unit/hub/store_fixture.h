/* A state folder, a loop and a store of a test's own. */
#ifndef PIC_TEST_STORE_FIXTURE_H
#define PIC_TEST_STORE_FIXTURE_H

#include "base/loop.h"
#include "hub/store/store.h"

struct store_fixture {
	char path[64];
	struct pic_loop *loop;
	struct pic_store *store;
};

int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);
/* Closes and opens again. */
void store_fixture_reopen(struct store_fixture *fixture);
/* A folder below /tmp; removes it with everything in it. */
void store_fixture_folder(char path[64]);
void store_fixture_remove(const char *path);

extern const struct pic_actor store_fixture_actor;
/* {"metadata":{"name":..,"namespace":..},"spec":{"value":N}} */
struct pic_json *store_fixture_object(const char *space, const char *name, long long value);
long long store_fixture_value(const struct pic_object *object); /* -1 when NULL */
/* One put, waited for; the status. */
int store_fixture_put(struct store_fixture *fixture, enum pic_kind kind, struct pic_json *json);

#endif
