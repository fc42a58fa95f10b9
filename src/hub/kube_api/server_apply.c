/* Server-side apply: three trees walked side by side. Arrays are leaves. */
#include "hub/kube_api/server_apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/kube_api/status_error.h"

#define CLIENT_SIDE "kubectl-client-side-apply"

/* The other managers at one place of the tree; `at` is NULL where one of them has nothing. */
struct owners {
	size_t count;
	const char *names[PIC_KUBE_MANAGERS_MAX + 1];
	struct pic_json *at[PIC_KUBE_MANAGERS_MAX + 1];
};

static struct owners below(const struct owners *owners, const char *key)
{
	struct owners next = { .count = owners->count };

	for (size_t i = 0; i < owners->count; i++) {
		next.names[i] = owners->names[i];
		next.at[i] = pic_json_get(owners->at[i], key);
	}
	return next;
}

static bool anybody(const struct owners *owners)
{
	for (size_t i = 0; i < owners->count; i++)
		if (owners->at[i])
			return true;
	return false;
}

static bool is_object(const struct pic_json *value)
{
	return pic_json_type(value) == PIC_JSON_OBJECT;
}

/* Takes out of `live` what `old` wanted, `wanted` does not, and nobody else does. */
static void prune(struct pic_json *live, const struct pic_json *old, const struct pic_json *wanted,
		  const struct owners *owners)
{
	pic_json_each(old, i) {
		const char *key = pic_json_key(i);
		struct pic_json *value = pic_json_get(live, key);
		const struct pic_json *now = pic_json_get(wanted, key);
		struct owners others = below(owners, key);

		if (!value || (now && !(is_object(now) && is_object(value))))
			continue;
		if (is_object(value) && is_object(pic_json_value(i))) {
			prune(value, pic_json_value(i), now, &others);
			if (!now && !anybody(&others) && pic_json_count(value) == 0)
				pic_json_delete(live, key);
		} else if (!now && !anybody(&others)) {
			pic_json_delete(live, key);
		}
	}
}

static void add_conflict(struct pic_json *conflicts, const char *path, const char *manager)
{
	pic_kube_cause(conflicts, "FieldManagerConflict", path, "conflict with \"%s\"", manager);
}

/* Leaves whose value would change although another manager set it. With `force` they lose it. */
static void disagree(const struct pic_json *live, const struct pic_json *wanted,
		     const struct owners *owners, const char *path, bool force,
		     struct pic_json *conflicts)
{
	if (strcmp(path, ".metadata.annotations") == 0)
		return;
	pic_json_each(wanted, i) {
		const char *key = pic_json_key(i);
		const struct pic_json *value = pic_json_get(live, key);
		struct owners others = below(owners, key);
		PIC_BUF struct pic_buf here = PIC_BUF_INIT(4096);

		if (!value || pic_json_equal(value, pic_json_value(i)))
			continue;
		pic_buf_format(&here, "%s.%s", path, key);
		if (is_object(value) && is_object(pic_json_value(i))) {
			disagree(value, pic_json_value(i), &others, pic_buf_text(&here), force,
				 conflicts);
			continue;
		}
		for (size_t n = 0; n < others.count; n++) {
			if (!others.at[n])
				continue;
			if (force)
				pic_json_delete(owners->at[n], key);
			else
				add_conflict(conflicts, pic_buf_text(&here), others.names[n]);
		}
	}
}

/* Everything in `wanted` lands in `into`; null is a value like any other. */
static int overlay(struct pic_json *into, const struct pic_json *wanted)
{
	pic_json_each(wanted, i) {
		struct pic_json *value = pic_json_get(into, pic_json_key(i));
		int r;

		if (is_object(value) && is_object(pic_json_value(i)))
			r = overlay(value, pic_json_value(i));
		else
			r = pic_json_set(into, pic_json_key(i), pic_json_copy(pic_json_value(i)));
		if (r < 0)
			return r;
	}
	return 0;
}

/* Who else has applied something: the memory's other entries, and the annotation of `kubectl apply`. */
static void list_owners(const struct pic_kube_apply *in, const struct pic_json *applied,
			struct pic_json *client_side, struct owners *out)
{
	*out = (struct owners){ 0 };
	pic_json_each(applied, i) {
		if (strcmp(pic_json_key(i), in->manager) == 0 ||
		    out->count == PIC_KUBE_MANAGERS_MAX)
			continue;
		out->names[out->count] = pic_json_key(i);
		out->at[out->count++] = pic_json_value(i);
	}
	if (client_side && strcmp(in->manager, CLIENT_SIDE) != 0) {
		out->names[out->count] = CLIENT_SIDE;
		out->at[out->count++] = client_side;
	}
}

static struct pic_json *client_side_config(const struct pic_json *live)
{
	const char *text = pic_json_text(
		pic_json_find(live, "metadata", "annotations", PIC_KUBE_LAST_APPLIED, NULL));
	struct pic_json *config = NULL;

	if (text && pic_json_parse(&config, text, strlen(text), NULL) < 0)
		return NULL;
	return config;
}

void pic_kube_applied_free(struct pic_kube_applied *applied)
{
	pic_json_unref(applied->object);
	pic_json_unref(applied->applied);
	pic_json_unref(applied->conflicts);
	*applied = (struct pic_kube_applied){ 0 };
}

static int no_memory(struct pic_error *err)
{
	return pic_error_set(err, -ENOMEM, "no memory to apply this configuration");
}

int pic_kube_server_apply(const struct pic_kube_apply *in, struct pic_kube_applied *out,
			  struct pic_error *err)
{
	PIC_CLEANUP(pic_kube_applied_free)
	struct pic_kube_applied made = {
		.object = in->live ? pic_json_copy(in->live) : pic_json_new_object(),
		.applied = in->applied ? pic_json_copy(in->applied) : pic_json_new_object(),
		.conflicts = pic_json_new_array(),
	};
	PIC_JSON struct pic_json *client_side = client_side_config(in->live);
	struct owners owners;

	if (!made.object || !made.applied || !made.conflicts)
		return no_memory(err);
	if (!pic_json_get(made.applied, in->manager) &&
	    pic_json_count(made.applied) >= PIC_KUBE_MANAGERS_MAX)
		return pic_error_set(err, -E2BIG, "more than %d field managers apply this object",
				     PIC_KUBE_MANAGERS_MAX);
	list_owners(in, made.applied, client_side, &owners);
	prune(made.object, pic_json_get(made.applied, in->manager), in->config, &owners);
	disagree(made.object, in->config, &owners, "", in->force, made.conflicts);
	if (pic_json_count(made.conflicts)) {
		out->conflicts = PIC_STEAL(made.conflicts);
		return pic_error_set(err, -EEXIST, "Apply failed with %zu conflict%s",
				     pic_json_count(out->conflicts),
				     pic_json_count(out->conflicts) == 1 ? "" : "s");
	}
	if (overlay(made.object, in->config) < 0 ||
	    pic_json_set(made.applied, in->manager, pic_json_copy(in->config)) < 0)
		return no_memory(err);
	*out = made;
	made = (struct pic_kube_applied){ 0 };
	return 0;
}
