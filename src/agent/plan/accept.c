#include "agent/plan/accept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/plan/plan.h"

static enum pic_accept refuse(struct pic_error *err, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum pic_accept refuse(struct pic_error *err, const char *format, ...)
{
	char text[PIC_ERROR_TEXT];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	pic_error_set(err, -EPERM, "%s", text);
	return PIC_ACCEPT_REFUSED;
}

static enum pic_accept accept_of_same_epoch(const struct pic_acceptance *have,
					    const struct pic_document *offered,
					    const unsigned char digest[PIC_DIGEST_SIZE],
					    uint32_t broken, struct pic_error *err)
{
	if (offered->revision > have->revision)
		return PIC_ACCEPT_NEW;
	if (offered->revision < have->revision) {
		if (broken & PIC_RULE_REVISION_RISES)
			return PIC_ACCEPT_NEW;
		return refuse(
			err,
			"the hub offers revision %lld of the desired state, older than revision %lld "
			"in force; it is not taken",
			(long long)offered->revision, (long long)have->revision);
	}
	if (memcmp(digest, have->digest, PIC_DIGEST_SIZE) == 0)
		return PIC_ACCEPT_SAME;
	return refuse(err,
		      "the hub offers revision %lld again with other contents; it is not taken",
		      (long long)offered->revision);
}

static bool epoch_is_confirmed(const struct pic_acceptance *have,
			       const struct pic_document *offered, bool confirmed_now,
			       uint32_t broken)
{
	if (confirmed_now || (broken & PIC_RULE_EPOCH_IS_CONFIRMED))
		return true;
	if (have->confirmed[0])
		return strcmp(offered->epoch, have->confirmed) == 0;
	return !have->epoch[0]; /* the first document of a device that nobody told an epoch */
}

enum pic_accept pic_accept_document(const struct pic_acceptance *have, const char *device,
				    const struct pic_document *offered,
				    const unsigned char digest[PIC_DIGEST_SIZE], bool confirmed_now,
				    uint32_t broken, struct pic_error *err)
{
	if (strcmp(offered->device, device) != 0)
		return refuse(
			err,
			"the hub offers a document for '%s', this device is '%s'; it is not taken",
			offered->device, device);
	if (strcmp(offered->epoch, have->epoch) == 0)
		return accept_of_same_epoch(have, offered, digest, broken, err);
	if (!epoch_is_confirmed(have, offered, confirmed_now, broken))
		return refuse(
			err,
			"the hub's memory is another one (epoch %.8s, known is %.8s): nothing is changed until "
			"an administrator runs 'piccoloctl device accept-epoch %s' or the device joins again",
			offered->epoch, have->epoch[0] ? have->epoch : have->confirmed, device);
	return PIC_ACCEPT_NEW;
}

static bool is_named(const struct pic_document *document, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < document->component_count; i++)
		if (pic_workload_name_compare(&document->components[i].name, name) == 0)
			return true;
	for (size_t i = 0; i < document->removed_count; i++)
		if (pic_workload_name_compare(&document->removed[i].name, name) == 0)
			return true;
	return false;
}

static int copy_dependencies(const struct pic_document_component *from,
			     struct pic_document_component *to)
{
	size_t size = from->dependency_count * sizeof(*from->dependencies);

	if (size == 0)
		return 0;
	to->dependencies = malloc(size);
	if (!to->dependencies)
		return -ENOMEM;
	memcpy(to->dependencies, from->dependencies, size);
	to->dependency_count = from->dependency_count;
	return 0;
}

static int copy_component(const struct pic_document_component *from,
			  struct pic_document_component *to)
{
	*to = *from;
	to->url = NULL;
	to->dependencies = NULL;
	to->dependency_count = 0;
	to->properties = pic_json_ref(from->properties);
	if (from->url) {
		to->url = strdup(from->url);
		if (!to->url)
			return -ENOMEM;
	}
	return copy_dependencies(from, to);
}

/* Adds what of `from` nobody names to `kept`. */
static int add_unnamed(const struct pic_document *from, const struct pic_document *next,
		       struct pic_document *kept, struct pic_error *err)
{
	for (size_t i = 0; from && i < from->component_count; i++) {
		const struct pic_document_component *component = &from->components[i];

		if (is_named(next, &component->name) || is_named(kept, &component->name))
			continue;
		if (kept->component_count == PIC_DOCUMENT_COMPONENTS_MAX)
			return pic_error_set(
				err, -E2BIG,
				"more than %d workloads would be left over from earlier documents; the "
				"document is not taken",
				PIC_DOCUMENT_COMPONENTS_MAX);
		kept->component_count++;
		if (component->revision > kept->revision)
			kept->revision =
				component->revision; /* of an epoch that had come further */
		if (copy_component(component, &kept->components[kept->component_count - 1]) < 0)
			return pic_error_set(err, -ENOMEM, "no memory for the document");
	}
	return 0;
}

static struct pic_document *new_kept(const struct pic_document *next, size_t room)
{
	struct pic_document *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	*kept = *next;
	kept->components = calloc(room + 1, sizeof(*kept->components));
	kept->component_count = 0;
	kept->removed = NULL;
	kept->removed_count = 0;
	if (!kept->components) {
		free(kept);
		return NULL;
	}
	return kept;
}

int pic_accept_kept(const struct pic_document *kept, const struct pic_document *old,
		    const struct pic_document *next, uint32_t broken, struct pic_document **out,
		    struct pic_error *err)
{
	size_t room = (kept ? kept->component_count : 0) + (old ? old->component_count : 0);
	struct pic_document *made;
	int r;

	if (room == 0 || (broken & PIC_RULE_ORPHANS_ARE_KEPT)) {
		*out = NULL;
		return 0;
	}
	made = new_kept(next, room);
	if (!made)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	r = add_unnamed(kept, next, made, err);
	if (r == 0)
		r = add_unnamed(old, next, made, err);
	if (r < 0 || made->component_count == 0) {
		pic_document_free(made);
		made = NULL;
	}
	if (r == 0)
		*out = made;
	return r;
}
