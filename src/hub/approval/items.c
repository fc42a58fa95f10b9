/*
 * What a changed solution would bring to devices and needs an approval for: the engine is run on the store
 * with the solution laid over it, what it does not know the digest of is fetched, and the bytes are read.
 *
 * Each round starts from the store as it is then, so what changes while something is fetched is seen.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hub/approval/facts.h"
#include "hub/approval/room.h"
#include "hub/artifacts/artifacts.h"
#include "hub/engine/gate.h"
#include "hub/engine/match.h"
#include "hub/engine/resolver.h"
#include "hub/engine/stage.h"
#include "hub/engine/world.h"

#define URLS_MAX 64
#define ROUNDS_MAX 8
#define DEVICE_CPUS 16 /* per-CPU maps are estimated for that many */

/* A URL of a component and what stood there. */
struct known {
	char component[PIC_NAME_MAX + 1];
	char *url;
	struct pic_sha256 digest;
	bool is_known;
};

/* One URL under way. */
struct fetch {
	struct fetch *next;
	struct pic_approval_search *search;
	size_t index; /* of its `known` */
};

struct pic_approval_search {
	struct pic_approval_search *next;
	struct pic_approvals *approvals;
	struct pic_object *solution;
	struct pic_timer *timer; /* the next round, and the answer, come from the loop */
	struct known known[URLS_MAX];
	size_t known_count;
	struct fetch *fetches;
	int rounds;
	struct pic_error failure;
	pic_approval_items_fn *done;
	void *data;
};

static void fetches_forget(struct pic_approval_search *search)
{
	while (search->fetches) {
		struct fetch *fetch = search->fetches;

		search->fetches = fetch->next;
		pic_resolver_forget(search->approvals->resolver, fetch);
		free(fetch);
	}
}

static void search_free(struct pic_approval_search *search)
{
	for (struct pic_approval_search **link = &search->approvals->searches; *link;
	     link = &(*link)->next) {
		if (*link == search) {
			*link = search->next;
			break;
		}
	}
	fetches_forget(search);
	for (size_t i = 0; i < search->known_count; i++)
		free(search->known[i].url);
	pic_object_unref(search->solution);
	pic_timer_free(search->timer);
	free(search);
}

static void finish(struct pic_approval_search *search, struct pic_json *items,
		   const struct pic_error *err)
{
	pic_approval_items_fn *done = search->done;
	void *data = search->data;
	const struct pic_error failure = err ? *err : (struct pic_error)PIC_ERROR_INIT;

	search_free(search);
	done(data, items, items ? NULL : &failure);
}

/* Bytes. */

static int find_known(struct pic_approval_search *search, const char *component, const char *url,
		      struct known **out, struct pic_error *err)
{
	for (size_t i = 0; i < search->known_count; i++) {
		struct known *known = &search->known[i];

		if (strcmp(known->component, component) == 0 && strcmp(known->url, url) == 0) {
			*out = known;
			return 0;
		}
	}
	if (search->known_count == URLS_MAX)
		return pic_error_set(err, -E2BIG,
				     "solution %s has more than %d addresses to be fetched",
				     search->solution->name, URLS_MAX);
	struct known *known = &search->known[search->known_count];
	*known = (struct known){ .url = strdup(url) };
	if (!known->url)
		return pic_error_set(err, -ENOMEM, "no memory to look at solution %s",
				     search->solution->name);
	snprintf(known->component, sizeof(known->component), "%s", component);
	search->known_count++;
	*out = known;
	return 0;
}

static void on_fetched(void *data, const struct pic_sha256 *digest, const char *failure)
{
	struct fetch *fetch = data;
	struct pic_approval_search *search = fetch->search;
	struct known *known = &search->known[fetch->index];

	for (struct fetch **link = &search->fetches; *link; link = &(*link)->next) {
		if (*link == fetch) {
			*link = fetch->next;
			break;
		}
	}
	free(fetch);
	if (digest) {
		known->digest = *digest;
		known->is_known = true;
	} else if (!search->failure.code) {
		pic_error_set(&search->failure, -EHOSTUNREACH, "component %s: %s", known->component,
			      failure);
	}
	if (!search->fetches || search->failure.code)
		pic_timer_set(search->timer, 0);
}

/* 1: it is being fetched; 0: known. */
static int want_url(struct pic_approval_search *search, const char *component, const char *url,
		    struct known **out, struct pic_error *err)
{
	int r = find_known(search, component, url, out, err);

	if (r < 0 || (*out)->is_known)
		return r;
	struct fetch *fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return pic_error_set(err, -ENOMEM, "no memory to fetch %.200s", url);
	*fetch = (struct fetch){ search->fetches, search, (size_t)(*out - search->known) };
	search->fetches = fetch;
	pic_resolver_fetch(search->approvals->resolver, url, on_fetched, fetch);
	return 1;
}

static int read_bytes(struct pic_approval_search *search, const struct pic_sha256 *digest,
		      const char *component, struct pic_buf *out, struct pic_error *err)
{
	uint64_t size = 0, offset = 0;
	PIC_FD int fd = pic_artifacts_fd(search->approvals->hub->artifacts, digest, &size, err);

	if (fd < 0)
		return fd;
	if (size > PIC_EBPF_OBJECT_MAX)
		return pic_error_set(err, -EFBIG,
				     "component %s is larger than the %d bytes an eBPF object may "
				     "have",
				     component, PIC_EBPF_OBJECT_MAX);
	char *to = pic_buf_reserve(out, size + 1);
	if (!to)
		return pic_error_set(err, -ENOMEM, "no memory to read component %s", component);
	while (offset < size) {
		ssize_t got = pread(fd, to + offset, size - offset, (off_t)offset);

		if (got <= 0)
			return pic_error_errno(err, got < 0 ? errno : EIO,
					       "cannot read component %s", component);
		offset += (uint64_t)got;
	}
	pic_buf_commit(out, size);
	return 0;
}

/* Items. */

struct place {
	const struct pic_object *target;
	char instance[PIC_NAME_MAX + 1]; /* on the device */
};

/* The digest that stands in the component, and whether its bytes are here. */
static int pinned_digest(struct pic_approval_search *search, const struct pic_wanted *wanted,
			 struct pic_sha256 *digest, bool *fetching, struct pic_error *err)
{
	const struct pic_json *properties = pic_json_get(wanted->json, "properties");
	const char *text = pic_json_get_text(properties, "ebpf.sha256");
	const char *url = pic_json_get_text(properties, "ebpf.url");
	struct known *known;

	if (!text || pic_sha256_parse(text, digest) < 0)
		return pic_error_set(err, -EINVAL, "component %s has no digest", wanted->name);
	if (pic_artifacts_has(search->approvals->hub->artifacts, digest, NULL))
		return 0;
	if (!url || !*url)
		return pic_error_set(err, -ENOENT,
				     "component %s: this hub has no artifact %.16s..., and without "
				     "its bytes nobody can be asked; piccoloctl push brings it",
				     wanted->name, text);
	int r = want_url(search, wanted->name, url, &known, err);
	if (r != 0) {
		*fetching |= r > 0;
		return r < 0 ? r : 0;
	}
	return pic_error_set(err, -EINVAL,
			     "component %s: what stands at %.200s is not the artifact of its "
			     "ebpf.sha256",
			     wanted->name, url);
}

static int read_facts(struct pic_approval_search *search, const struct pic_wanted *wanted,
		      const struct pic_sha256 *digest, struct pic_ebpf_terms *terms,
		      struct pic_ebpf_facts *facts, size_t *size, struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(PIC_EBPF_OBJECT_MAX + 1);
	int r = pic_ebpf_terms_parse(pic_json_get(wanted->json, "properties"), terms, err);

	if (r == 0)
		r = read_bytes(search, digest, wanted->name, &bytes, err);
	if (r == 0)
		r = pic_ebpf_facts_read((const unsigned char *)pic_buf_text(&bytes), bytes.size,
					DEVICE_CPUS, facts, err);
	if (r == 0)
		r = pic_ebpf_terms_fit(facts, terms, err);
	*size = bytes.size;
	return r;
}

static struct pic_json *item_json(const struct place *place, const struct pic_wanted *wanted,
				  const struct pic_sha256 *digest,
				  const struct pic_ebpf_terms *terms,
				  const struct pic_ebpf_facts *facts, size_t size)
{
	struct pic_json *json = pic_json_new_object();
	unsigned char terms_digest[PIC_TERMS_SIZE];
	char hex[PIC_SHA256_TEXT], terms_hex[2 * PIC_TERMS_SIZE + 1];

	pic_sha256_text(digest, hex);
	pic_ebpf_terms_digest(terms, terms_digest);
	pic_hex_encode(terms_digest, sizeof(terms_digest), terms_hex);
	pic_json_set_text(json, "target", place->target->name);
	pic_json_set_text(json, "instance", place->instance);
	pic_json_set_text(json, "component", wanted->name);
	pic_json_set_text(json, "type", pic_json_text_or(pic_json_get(wanted->json, "type"), ""));
	pic_json_set_text(json, "sha256", hex);
	pic_json_set_text(json, "terms", terms_hex);
	pic_json_set(json, "grants", pic_approval_grants_json(facts->grants));
	pic_json_set(json, "facts", pic_approval_facts_json(facts, terms, size));
	return json;
}

static int add_item(struct pic_approval_search *search, const struct place *place,
		    const struct pic_wanted *wanted, struct pic_json *items, bool *fetching,
		    struct pic_error *err)
{
	PIC_FREE struct pic_ebpf_facts *facts = calloc(1, sizeof(*facts));
	struct pic_ebpf_terms terms;
	struct pic_sha256 digest;
	const bool was_fetching = *fetching;
	size_t size;
	int r = facts ? pinned_digest(search, wanted, &digest, fetching, err)
		      : pic_error_set(err, -ENOMEM, "no memory for an approval");

	if (r < 0 || (*fetching && !was_fetching))
		return r;
	/* while another one is fetched its round is for nothing */
	if (*fetching)
		return 0;
	r = read_facts(search, wanted, &digest, &terms, facts, &size, err);
	if (r < 0)
		return pic_error_wrap(err, r, "component %s", wanted->name);
	if (pic_json_count(items) == PIC_APPROVAL_ITEMS_MAX)
		return pic_error_set(err, -E2BIG,
				     "solution %s needs approval on more than %d places at once",
				     search->solution->name, PIC_APPROVAL_ITEMS_MAX);
	pic_json_append(items, item_json(place, wanted, &digest, &terms, facts, size));
	return 0;
}

/* A round. */

static bool needs_approval(const struct pic_approval_search *search, const char *component)
{
	const struct pic_json *list = pic_json_get(pic_object_spec(search->solution), "components");

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const struct pic_json *one = pic_json_at(list, i);

		if (strcmp(pic_json_text_or(pic_json_get(one, "name"), ""), component) == 0)
			return pic_gate_is_needed(pic_json_get_text(one, "type"));
	}
	return false;
}

static int look_at_wanted(struct pic_approval_search *search, const struct place *place,
			  const struct pic_wanted_list *list, struct pic_json *items,
			  bool *fetching, struct pic_error *err)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct pic_wanted *wanted = &list->items[i];

		if (!needs_approval(search, wanted->name))
			continue;
		if (wanted->state == PIC_WANTED_STUCK)
			r = pic_error_set(err, -EINVAL, "%s", wanted->message);
		else if (wanted->state == PIC_WANTED_READY)
			r = add_item(search, place, wanted, items, fetching, err);
	}
	return r;
}

/* Addresses that the engine wants resolved: only those of components that somebody would be asked about. */
static int fetch_needs(struct pic_approval_search *search, const struct pic_engine_output *output,
		       bool *fetching, struct pic_error *err)
{
	for (size_t i = 0; i < output->need_count; i++) {
		const struct pic_engine_need *need = &output->needs[i];
		struct known *known;

		if (!needs_approval(search, need->component))
			continue;
		int r = want_url(search, need->component, need->url, &known, err);
		if (r < 0)
			return r;
		*fetching |= r > 0;
	}
	return 0;
}

static int look_at_target(struct pic_approval_search *search, struct pic_engine_input *input,
			  const struct pic_object *target, struct pic_json *items, bool *fetching,
			  struct pic_error *err)
{
	PIC_CLEANUP(pic_engine_output_free) struct pic_engine_output output = { .catalogs = NULL };
	PIC_CLEANUP(pic_wanted_list_free) struct pic_wanted_list list = { .items = NULL };
	struct place place = { .target = target };
	int r;

	if (!pic_engine_workload_instance(input->space, input->name, place.instance))
		return pic_error_set(err, -EINVAL,
				     "instance %s has a name that is too long for a device",
				     input->name);
	r = pic_stage(input, target, &list, &output, err);
	if (r == 0)
		r = fetch_needs(search, &output, fetching, err);
	if (r == 0)
		r = look_at_wanted(search, &place, &list, items, fetching, err);
	return r;
}

/* What is known by now stands in for what the store says of an earlier generation. */
static int suppose_known(struct pic_approval_search *search, struct pic_engine_input *input,
			 struct pic_engine_resolution all[URLS_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < search->known_count; i++) {
		const struct known *known = &search->known[i];

		if (known->is_known)
			all[count++] = (struct pic_engine_resolution){
				.component = known->component,
				.url = known->url,
				.digest = known->digest,
				.generation = search->solution->generation,
			};
	}
	input->resolutions = all;
	input->resolution_count = count;
	return 0;
}

static int look_at_instance(struct pic_approval_search *search, const struct pic_world *world,
			    const struct pic_object *instance, struct pic_json *items,
			    bool *fetching, struct pic_error *err)
{
	PIC_CLEANUP(pic_gathered_free) struct pic_gathered gathered = { .targets = NULL };
	struct pic_engine_resolution known[URLS_MAX];
	int r = pic_world_gather(world, instance->space, instance->name, pic_clock_wall_ms(),
				 &gathered, err);

	if (r < 0)
		return r;
	suppose_known(search, &gathered.input, known);
	gathered.input.supposes_approval = true;
	for (size_t i = 0; i < gathered.input.target_count && r == 0; i++) {
		const struct pic_object *target = gathered.input.targets[i];

		if (!target->terminating && pic_match_target(pic_object_spec(instance), target))
			r = look_at_target(search, &gathered.input, target, items, fetching, err);
	}
	return r;
}

static bool is_of(const struct pic_object *instance, const struct pic_object *solution)
{
	char name[PIC_OBJECT_NAME_MAX + 1];

	return !instance->terminating && !pic_match_inactive(pic_object_spec(instance)) &&
	       pic_match_solution(pic_object_spec(instance), name) &&
	       strcmp(name, solution->name) == 0;
}

static int look_at_all(struct pic_approval_search *search, struct pic_json *items, bool *fetching,
		       struct pic_error *err)
{
	struct pic_world world = { .store = search->approvals->hub->store,
				   .overlay = &search->solution,
				   .overlay_count = 1 };
	PIC_FREE struct pic_object **instances = NULL;
	size_t count = 0;
	int r;

	world.reports = pic_report_cache_new();
	r = world.reports ? pic_world_list(&world, PIC_KIND_INSTANCE, search->solution->space,
					   &instances, &count, err)
			  : pic_error_set(err, -ENOMEM, "no memory to look at solution %s",
					  search->solution->name);
	for (size_t i = 0; i < count && r == 0; i++)
		if (is_of(instances[i], search->solution))
			r = look_at_instance(search, &world, instances[i], items, fetching, err);
	pic_report_cache_free(world.reports);
	return r;
}

static void look(void *data)
{
	struct pic_approval_search *search = data;
	PIC_JSON struct pic_json *items = pic_json_new_array();
	struct pic_error err = PIC_ERROR_INIT;
	bool fetching = false;

	if (search->failure.code) {
		finish(search, NULL, &search->failure);
		return;
	}
	if (search->fetches) /* the last of them comes back here */
		return;
	int r = ++search->rounds > ROUNDS_MAX
			? pic_error_set(&err, -EAGAIN,
					"solution %s changes faster than it can be looked at",
					search->solution->name)
			: look_at_all(search, items, &fetching, &err);
	if (r < 0)
		finish(search, NULL, &err);
	else if (!fetching)
		finish(search, PIC_STEAL(items), NULL);
}

int pic_approval_items(struct pic_approvals *approvals, const struct pic_object *solution,
		       pic_approval_items_fn *done, void *data, struct pic_error *err)
{
	struct pic_approval_search *search = calloc(1, sizeof(*search));

	if (!search)
		return pic_error_set(err, -ENOMEM, "no memory to look at solution %s",
				     solution->name);
	search->approvals = approvals;
	search->solution = pic_object_ref((struct pic_object *)solution);
	search->done = done;
	search->data = data;
	search->next = approvals->searches;
	approvals->searches = search;
	int r = pic_loop_timer(approvals->hub->loop, look, search, &search->timer, err);
	if (r < 0) {
		search_free(search);
		return r;
	}
	pic_timer_set(search->timer, 0);
	return 0;
}

void pic_approval_searches_stop(struct pic_approvals *approvals)
{
	while (approvals->searches)
		search_free(approvals->searches);
}
