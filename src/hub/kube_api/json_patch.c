/* JSON patch, RFC 6902. */
#include "hub/kube_api/json_patch.h"

#include <errno.h>
#include <string.h>

#include "hub/kube_api/json_pointer.h"

struct run {
	struct pic_json *root; /* the tree being changed, ours alone */
	size_t work;	       /* bytes walked or shifted so far */
	size_t index;	       /* of the operation, for sentences */
};

static size_t depth_of(const struct pic_json *value)
{
	size_t deepest = 0;

	if (pic_json_type(value) == PIC_JSON_OBJECT) {
		pic_json_each(value, i) {
			size_t depth = depth_of(pic_json_value(i));
			deepest = depth > deepest ? depth : deepest;
		}
		return deepest + 1;
	}
	for (size_t i = 0; i < pic_json_count(value); i++) {
		size_t depth = depth_of(pic_json_at(value, i));
		deepest = depth > deepest ? depth : deepest;
	}
	return pic_json_type(value) == PIC_JSON_ARRAY ? deepest + 1 : 0;
}

/* Adds what walking the value costs; false once the bound is passed (and then stops walking). */
static bool charge(struct run *run, const struct pic_json *value)
{
	const char *text = pic_json_text(value);

	run->work += 32 + (text ? strlen(text) : 0);
	if (run->work > PIC_KUBE_PATCH_WORK_MAX)
		return false;
	if (pic_json_type(value) == PIC_JSON_OBJECT) {
		pic_json_each(value, i) {
			run->work += strlen(pic_json_key(i));
			if (!charge(run, pic_json_value(i)))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < pic_json_count(value); i++)
		if (!charge(run, pic_json_at(value, i)))
			return false;
	return true;
}

static int too_much(const struct run *run, struct pic_error *err)
{
	return pic_error_set(
		err, -E2BIG,
		"operation %zu: the patch copies, compares or shifts more than %u bytes",
		run->index, PIC_KUBE_PATCH_WORK_MAX);
}

static int missing(const struct run *run, const char *path, struct pic_error *err)
{
	return pic_error_set(err, -EINVAL, "operation %zu: nothing is at \"%.200s\"", run->index,
			     path);
}

static int too_deep(const struct run *run, const char *path, struct pic_error *err)
{
	return pic_error_set(err, -E2BIG, "operation %zu: \"%.200s\" would be deeper than %d",
			     run->index, path, PIC_JSON_DEPTH_MAX);
}

/* Whoever comes or goes in an array moves all behind it. */
static bool charge_shift(struct run *run, const struct pic_json *array, size_t index)
{
	run->work += pic_json_count(array) - index;
	return run->work <= PIC_KUBE_PATCH_WORK_MAX;
}

/* Puts `given` (taken over) at the pointer; an array takes it in before the index, "-" is its end. */
static int put(struct run *run, const struct pic_pointer *to, const char *path,
	       struct pic_json *given, struct pic_error *err)
{
	PIC_JSON struct pic_json *value = given;
	size_t index;

	if (!value)
		return pic_error_set(err, -ENOMEM, "no memory for a patch");
	if (to->count + depth_of(value) > PIC_JSON_DEPTH_MAX)
		return too_deep(run, path, err);
	if (to->count == 0) {
		pic_json_unref(run->root);
		run->root = PIC_STEAL(value);
		return 0;
	}
	struct pic_json *parent = pic_pointer_walk(run->root, to, to->count - 1);
	const char *token = to->tokens[to->count - 1];
	if (pic_json_type(parent) == PIC_JSON_OBJECT)
		return pic_json_set(parent, token, PIC_STEAL(value));
	if (pic_json_type(parent) != PIC_JSON_ARRAY)
		return pic_error_set(err, -EINVAL,
				     "operation %zu: \"%.200s\" has no parent to be put in",
				     run->index, path);
	if (strcmp(token, "-") == 0)
		return pic_json_append(parent, PIC_STEAL(value));
	if (!pic_pointer_index(token, pic_json_count(parent) + 1, &index))
		return pic_error_set(err, -EINVAL,
				     "operation %zu: \"%.200s\" is no place in its array",
				     run->index, path);
	if (!charge_shift(run, parent, index))
		return too_much(run, err);
	return pic_json_insert(parent, index, PIC_STEAL(value));
}

/* Takes the value out of the tree; the caller's. */
static int take(struct run *run, const struct pic_pointer *from, const char *path,
		struct pic_json **out, struct pic_error *err)
{
	struct pic_json *value = pic_pointer_walk(run->root, from, from->count);
	size_t index;

	if (!value)
		return missing(run, path, err);
	if (from->count == 0)
		return pic_error_set(err, -EINVAL,
				     "operation %zu: the whole object cannot be removed",
				     run->index);
	struct pic_json *parent = pic_pointer_walk(run->root, from, from->count - 1);
	const char *token = from->tokens[from->count - 1];
	bool indexed = pic_json_type(parent) == PIC_JSON_ARRAY &&
		       pic_pointer_index(token, pic_json_count(parent), &index);
	if (indexed && !charge_shift(run, parent, index))
		return too_much(run, err);
	*out = pic_json_ref(value);
	if (indexed)
		pic_json_remove_at(parent, index);
	else
		pic_json_delete(parent, token);
	return 0;
}

/* One operation, its members looked up. */
struct operation {
	const char *op, *path, *from;
	struct pic_json *value;
	struct pic_pointer to, source;
};

static int do_add(struct run *run, const struct operation *o, struct pic_error *err)
{
	return put(run, &o->to, o->path, pic_json_copy(o->value), err);
}

static int do_remove(struct run *run, const struct operation *o, struct pic_error *err)
{
	PIC_JSON struct pic_json *gone = NULL;

	return take(run, &o->to, o->path, &gone, err);
}

/* In place, so that the member keeps its rank among its neighbours. */
static int do_replace(struct run *run, const struct operation *o, struct pic_error *err)
{
	size_t index;

	if (o->to.count == 0)
		return do_add(run, o, err);
	if (!pic_pointer_walk(run->root, &o->to, o->to.count))
		return missing(run, o->path, err);
	if (o->to.count + depth_of(o->value) > PIC_JSON_DEPTH_MAX)
		return too_deep(run, o->path, err);
	struct pic_json *parent = pic_pointer_walk(run->root, &o->to, o->to.count - 1);
	const char *token = o->to.tokens[o->to.count - 1];
	if (pic_json_type(parent) == PIC_JSON_OBJECT)
		return pic_json_set(parent, token, pic_json_copy(o->value));
	if (!pic_pointer_index(token, pic_json_count(parent), &index))
		return missing(run, o->path, err);
	return pic_json_replace_at(parent, index, pic_json_copy(o->value));
}

static int do_move(struct run *run, const struct operation *o, struct pic_error *err)
{
	struct pic_json *value = NULL;

	if (strcmp(o->from, o->path) == 0)
		return pic_pointer_walk(run->root, &o->source, o->source.count)
			       ? 0
			       : missing(run, o->from, err);
	if (pic_pointer_is_prefix(&o->source, &o->to))
		return pic_error_set(err, -EINVAL,
				     "operation %zu: \"%.150s\" cannot be moved into itself",
				     run->index, o->from);
	int r = take(run, &o->source, o->from, &value, err);
	if (r == 0 && !charge(run, value)) { /* put looks how deep it is */
		pic_json_unref(value);
		return too_much(run, err);
	}
	return r < 0 ? r : put(run, &o->to, o->path, value, err);
}

static int do_copy(struct run *run, const struct operation *o, struct pic_error *err)
{
	struct pic_json *value = pic_pointer_walk(run->root, &o->source, o->source.count);

	if (!value)
		return missing(run, o->from, err);
	if (!charge(run, value))
		return too_much(run, err);
	return put(run, &o->to, o->path, pic_json_copy(value), err);
}

static int do_test(struct run *run, const struct operation *o, struct pic_error *err)
{
	struct pic_json *value = pic_pointer_walk(run->root, &o->to, o->to.count);

	if (!value)
		return missing(run, o->path, err);
	if (!charge(run, value))
		return too_much(run, err);
	if (!pic_json_equal(value, o->value))
		return pic_error_set(err, -EINVAL,
				     "operation %zu: the value at \"%.200s\" is another one",
				     run->index, o->path);
	return 0;
}

static const struct verb {
	const char *op;
	bool wants_value, wants_from;
	int (*run)(struct run *run, const struct operation *o, struct pic_error *err);
} verbs[] = {
	{ "add", true, false, do_add },		{ "remove", false, false, do_remove },
	{ "replace", true, false, do_replace }, { "move", false, true, do_move },
	{ "copy", false, true, do_copy },	{ "test", true, false, do_test },
};

static const struct verb *verb_of(const char *op)
{
	for (size_t i = 0; i < PIC_COUNT(verbs); i++)
		if (op && strcmp(verbs[i].op, op) == 0)
			return &verbs[i];
	return NULL;
}

static void operation_free(struct operation *o)
{
	pic_pointer_free(&o->to);
	pic_pointer_free(&o->source);
}

static int run_one(struct run *run, const struct pic_json *json, struct pic_error *err)
{
	PIC_CLEANUP(operation_free)
	struct operation o = {
		.op = pic_json_get_text(json, "op"),
		.path = pic_json_get_text(json, "path"),
		.from = pic_json_get_text(json, "from"),
		.value = pic_json_get(json, "value"),
	};
	const struct verb *verb = verb_of(o.op);

	if (!verb)
		return pic_error_set(
			err, -EBADMSG,
			"operation %zu: \"op\" must be add, remove, replace, move, copy or test",
			run->index);
	if (!o.path || (verb->wants_from && !o.from) || (verb->wants_value && !o.value))
		return pic_error_set(err, -EBADMSG, "operation %zu: %s wants \"path\"%s%s",
				     run->index, o.op, verb->wants_value ? " and \"value\"" : "",
				     verb->wants_from ? " and \"from\"" : "");
	int r = pic_pointer_parse(o.path, &o.to, err);
	if (r >= 0 && verb->wants_from)
		r = pic_pointer_parse(o.from, &o.source, err);
	if (r < 0)
		return pic_error_wrap(err, r, "operation %zu", run->index);
	r = verb->run(run, &o, err);
	if (r < 0 && err && !err->code)
		return pic_error_set(err, r, "operation %zu: no memory", run->index);
	return r;
}

int pic_kube_json_patch(const struct pic_json *target, const struct pic_json *operations,
			struct pic_json **out, struct pic_error *err)
{
	size_t count = pic_json_count(operations);
	int r = 0;

	if (pic_json_type(operations) != PIC_JSON_ARRAY)
		return pic_error_set(err, -EBADMSG, "a JSON patch is a list of operations, not %s",
				     pic_json_type_name(operations));
	if (count > PIC_KUBE_PATCH_OPERATIONS_MAX)
		return pic_error_set(err, -E2BIG, "the patch has %zu operations, the most is %d",
				     count, PIC_KUBE_PATCH_OPERATIONS_MAX);
	struct run run = { .root = pic_json_copy(target) };
	if (!run.root)
		r = pic_error_set(err, -ENOMEM, "no memory for a patch");
	for (run.index = 0; r >= 0 && run.index < count; run.index++)
		r = run_one(&run, pic_json_at(operations, run.index), err);
	if (r < 0) {
		pic_json_unref(run.root);
		return r;
	}
	*out = run.root;
	return 0;
}
