/* What a request asks for: query parameters, Accept, Content-Type. */
#include "hub/kube_api/request.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *pic_kube_query(const struct pic_kube_request *request, const char *name)
{
	const char *value = request->get ? request->get(request->from, name) : NULL;

	return value ? value : "";
}

/* As Go reads booleans in queries; a bare "watch" counts too. */
bool pic_kube_query_true(const struct pic_kube_request *request, const char *name)
{
	const char *value = request->get ? request->get(request->from, name) : NULL;

	return value && strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
}

struct pic_kube_subject pic_kube_subject(const struct pic_kube_request *request)
{
	return (struct pic_kube_subject){ request->path.facts, request->path.name };
}

/* Calls for each ";"-separated parameter of one media type; true when all the wanted ones are there. */
static bool has_parameters(const char *media, size_t size, const char *const *wanted)
{
	for (; *wanted; wanted++) {
		size_t length = strlen(*wanted);
		bool found = false;

		for (const char *at = memchr(media, ';', size); at && !found;) {
			const char *end = media + size;
			at++;
			while (at < end && *at == ' ')
				at++;
			size_t left = (size_t)(end - at);
			const char *next = memchr(at, ';', left);
			size_t one = next ? (size_t)(next - at) : left;
			while (one && at[one - 1] == ' ')
				one--;
			found = one == length && strncasecmp(at, *wanted, length) == 0;
			at = next;
		}
		if (!found)
			return false;
	}
	return true;
}

/* Does any media type in the Accept list carry all these parameters? */
static bool accepts(const char *accept, const char *const *wanted)
{
	while (*accept) {
		size_t size = strcspn(accept, ",");

		if (has_parameters(accept, size, wanted))
			return true;
		accept += size + (accept[size] == ',');
	}
	return false;
}

bool pic_kube_wants_table(const struct pic_kube_request *request)
{
	static const char *const table[] = { "as=Table", "g=meta.k8s.io", "v=v1", NULL };

	return accepts(request->accept, table);
}

const char *pic_kube_wants_aggregated(const char *accept)
{
	static const char *const v2[] = { "as=APIGroupDiscoveryList", "v=v2", NULL };
	static const char *const beta[] = { "as=APIGroupDiscoveryList", "v=v2beta1", NULL };

	if (accepts(accept, v2))
		return "v2";
	return accepts(accept, beta) ? "v2beta1" : NULL;
}

enum pic_kube_include pic_kube_include(const struct pic_kube_request *request)
{
	const char *include = pic_kube_query(request, "includeObject");

	if (strcmp(include, "Object") == 0)
		return PIC_KUBE_INCLUDE_OBJECT;
	return strcmp(include, "None") == 0 ? PIC_KUBE_INCLUDE_NONE : PIC_KUBE_INCLUDE_METADATA;
}

bool pic_kube_content_is(const struct pic_kube_request *request, const char *is)
{
	size_t size = strcspn(request->content_type, "; \t");

	return size == strlen(is) && strncasecmp(request->content_type, is, size) == 0;
}

int pic_kube_read_modes(const struct pic_kube_request *request,
			enum pic_kube_validation *validation, bool *dry_run,
			struct pic_kube_answer *answer)
{
	const char *word = pic_kube_query(request, "fieldValidation");
	const char *dry = pic_kube_query(request, "dryRun");

	if (strcmp(word, "Strict") == 0)
		*validation = PIC_KUBE_STRICT;
	else if (strcmp(word, "Ignore") == 0)
		*validation = PIC_KUBE_IGNORE;
	else if (!*word || strcmp(word, "Warn") == 0)
		*validation = PIC_KUBE_WARN;
	else {
		pic_kube_fail_bad(answer,
				  "fieldValidation must be Strict, Warn or Ignore, not \"%.40s\"",
				  word);
		return -EINVAL;
	}
	if (*dry && strcmp(dry, "All") != 0) {
		pic_kube_fail_bad(answer, "dryRun must be All, not \"%.40s\"", dry);
		return -EINVAL;
	}
	*dry_run = *dry != '\0';
	return 0;
}
