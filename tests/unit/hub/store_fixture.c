#include "base/check.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/store_fixture.h"

const struct pic_actor store_fixture_actor = { "tester", "127.0.0.1:1", "apply" };

static int remove_one(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status;
	(void)flag;
	(void)walk;
	return remove(path);
}

void store_fixture_folder(char path[64])
{
	strcpy(path, "/tmp/pic-hub-XXXXXX");
	assert_non_null(mkdtemp(path));
}

void store_fixture_remove(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void open_store(struct store_fixture *fixture)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_store_open(&fixture->store, fixture->loop, fixture->path, &err) < 0)
		fail_msg("%s", err.text);
}

int store_fixture_setup(void **state)
{
	struct store_fixture *fixture = calloc(1, sizeof(*fixture));
	struct pic_error err = PIC_ERROR_INIT;

	store_fixture_folder(fixture->path);
	assert_int_equal(pic_loop_new(&fixture->loop, &err), 0);
	open_store(fixture);
	*state = fixture;
	return 0;
}

int store_fixture_teardown(void **state)
{
	struct store_fixture *fixture = *state;

	pic_store_close(fixture->store);
	pic_loop_free(fixture->loop);
	store_fixture_remove(fixture->path);
	free(fixture);
	return 0;
}

void store_fixture_reopen(struct store_fixture *fixture)
{
	pic_store_close(fixture->store);
	fixture->store = NULL;
	open_store(fixture);
}

struct pic_json *store_fixture_object(const char *space, const char *name, long long value)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");

	pic_json_set_text(metadata, "name", name);
	if (space)
		pic_json_set_text(metadata, "namespace", space);
	pic_json_set_integer(spec, "value", value);
	return json;
}

long long store_fixture_value(const struct pic_object *object)
{
	long long value = -1;

	if (object)
		pic_json_integer(pic_json_get(pic_object_spec(object), "value"), &value);
	return value;
}

static void keep_status(void *data, int status, const struct pic_error *err)
{
	(void)err;
	*(int *)data = status;
}

int store_fixture_put(struct store_fixture *fixture, enum pic_kind kind, struct pic_json *json)
{
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);
	struct pic_error err = PIC_ERROR_INIT;
	int status = 1;

	assert_int_equal(pic_change_put(change, kind, json, &err), 0);
	pic_change_commit(change, keep_status, &status);
	assert_int_equal(status, 1); /* never called before commit returns */
	pic_store_settle(fixture->store);
	assert_int_not_equal(status, 1);
	return status;
}
