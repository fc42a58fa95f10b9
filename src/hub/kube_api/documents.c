/* Documents that are the same for everybody: discovery, OpenAPI, the version. */
#include "base/version.h"
#include "hub/kube_api/discovery.h"
#include "hub/kube_api/kube_room.h"
#include "hub/kube_api/openapi_v2.h"
#include "hub/kube_api/openapi_v3.h"
#include "hub/kube_api/schema.h"

/* A tree that is the same for everybody; NULL: there is no such thing. Taken over. */
static void send_document(struct pic_exchange *exchange, struct pic_json *document,
			  const char *content_type)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	if (document)
		pic_kube_answer_json(&answer, 200, document);
	else
		pic_kube_fail_not_found(&answer, (struct pic_kube_subject){ 0 });
	if (content_type && answer.status == 200)
		answer.content_type = content_type;
	pic_kube_send(exchange, &answer);
}

const char *pic_kube_header(const struct pic_exchange *exchange, const char *name)
{
	const char *value = pic_exchange_header(exchange, name);

	return value ? value : "";
}

/* Both forms of /api and /apis. */
static void send_discovery(struct pic_exchange *exchange, bool core)
{
	const char *version = pic_kube_wants_aggregated(pic_kube_header(exchange, "Accept"));
	PIC_BUF struct pic_buf type = PIC_BUF_INIT(256);

	if (!version) {
		send_document(exchange, core ? pic_kube_core_versions() : pic_kube_groups(), NULL);
		return;
	}
	pic_kube_aggregated_type(version, &type);
	send_document(exchange, pic_kube_aggregated(core, version), pic_buf_text(&type));
}

void pic_kube_handle_core(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match)
{
	(void)hub, (void)match;
	send_discovery(exchange, true);
}

void pic_kube_handle_groups(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	(void)hub, (void)match;
	send_discovery(exchange, false);
}

void pic_kube_handle_group(struct pic_hub *hub, struct pic_exchange *exchange,
			   const struct pic_route_match *match)
{
	(void)hub;
	send_document(exchange, pic_kube_group(match->captured[0]), NULL);
}

void pic_kube_handle_core_resources(struct pic_hub *hub, struct pic_exchange *exchange,
				    const struct pic_route_match *match)
{
	(void)hub, (void)match;
	send_document(exchange, pic_kube_resources("", "v1"), NULL);
}

void pic_kube_handle_resources(struct pic_hub *hub, struct pic_exchange *exchange,
			       const struct pic_route_match *match)
{
	(void)hub;
	send_document(exchange, pic_kube_resources(match->captured[0], match->captured[1]), NULL);
}

void pic_kube_handle_version(struct pic_hub *hub, struct pic_exchange *exchange,
			     const struct pic_route_match *match)
{
	(void)hub, (void)match;
	send_document(exchange, pic_kube_version(), NULL);
}

static int make_openapi_v2(struct pic_buf *out)
{
	static const char *const parameters[] = { "dryRun", "fieldManager", "fieldValidation",
						  "force", NULL };
	const struct pic_kind_facts *kinds[PIC_KIND_COUNT + 1] = { NULL };
	const struct pic_kube_openapi_v2 what = { "piccolo-hub", PIC_VERSION, kinds, parameters,
						  true };
	size_t count = 0;

	for (int i = 0; (kinds[count] = pic_kube_next_kind(NULL, &i));)
		count++;
	return pic_kube_openapi_v2_write(&what, out, NULL);
}

void pic_kube_handle_openapi_v2(struct pic_hub *hub, struct pic_exchange *exchange,
				const struct pic_route_match *match)
{
	struct pic_buf *document = &hub->kube->openapi_v2;

	(void)match;
	if (!document->size && make_openapi_v2(document) < 0)
		pic_buf_free(document);
	/* an empty body is a document too, and far better for kubectl than an error */
	pic_reply(exchange, 200, PIC_KUBE_OPENAPI_V2_TYPE, document->data, document->size);
}

void pic_kube_handle_openapi_v3(struct pic_hub *hub, struct pic_exchange *exchange,
				const struct pic_route_match *match)
{
	(void)hub, (void)match;
	send_document(exchange, pic_kube_openapi_v3_index(), NULL);
}

void pic_kube_handle_openapi_v3_core(struct pic_hub *hub, struct pic_exchange *exchange,
				     const struct pic_route_match *match)
{
	(void)hub;
	send_document(exchange, pic_kube_openapi_v3_group("", match->captured[0]), NULL);
}

void pic_kube_handle_openapi_v3_group(struct pic_hub *hub, struct pic_exchange *exchange,
				      const struct pic_route_match *match)
{
	(void)hub;
	send_document(exchange, pic_kube_openapi_v3_group(match->captured[0], match->captured[1]),
		      NULL);
}
