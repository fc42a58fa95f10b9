/* What should be: the document in force, from disk, from the hub, or from a file; and policy's word on it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "admission/policy.h"
#include "agent/context.h"
#include "agent/sentence.h"
#include "base/file.h"
#include "base/log.h"

static void free_document(struct pic_document **document)
{
	pic_document_free(*document);
}
#define DOCUMENT PIC_CLEANUP(free_document)

/* -- policy ------------------------------------------------------------------------------------------- */

/* NULL when it cannot be read; then the supervisor's own word has to do. free() it. */
static struct pic_policy *read_policy(struct pic_agent *agent)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_POLICY_FILE_MAX);
	PIC_FREE struct pic_policy *policy = calloc(1, sizeof(*policy));
	const char *file = agent->settings->policy_file;
	struct pic_error err = PIC_ERROR_INIT;

	agent->policy_problem[0] = '\0';
	agent->artifact_max = PIC_ARTIFACT_DEFAULT_MAX;
	agent->store_max = PIC_STORE_DEFAULT_MAX;
	if (!policy)
		return NULL;
	if (pic_file_read(AT_FDCWD, file, &text, &err) < 0 ||
	    pic_policy_parse(policy, pic_buf_text(&text), text.size, file, &err) < 0) {
		pic_sentence_copy(agent->policy_problem, sizeof(agent->policy_problem), err.text);
		pic_log(PIC_LOG_WARNING, "policy-not-read", PIC_TEXT("why", err.text));
		return NULL;
	}
	agent->artifact_max = policy->artifact_max;
	agent->store_max = policy->store_max;
	agent->lease_max_ms = 1000LL * policy->lease_max_seconds;
	if (agent->settings->file) /* root at the keyboard says what runs */
		policy->approval_count = 0;
	return PIC_STEAL(policy);
}

void pic_agent_policy_changed(struct pic_agent *agent)
{
	const int64_t lease_max_ms = agent->lease_max_ms;
	PIC_FREE struct pic_policy *policy = read_policy(agent);

	pic_log(PIC_LOG_INFO, "policy-changed");
	if (agent->lease_max_ms != lease_max_ms) /* who is asked for a permission is told of it */
		pic_agent_report_soon(agent);
	pic_wanted_judge(&agent->wanted, policy);
	pic_agent_plan_soon(agent);
}

/* -- into force --------------------------------------------------------------------------------------- */

static void put_in_force(struct pic_agent *agent, const struct pic_document *document,
			 const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct pic_acceptance *acceptance = &agent->acceptance;

	if (strcmp(acceptance->epoch, document->epoch) != 0)
		agent->removed_through = 0;
	memcpy(acceptance->epoch, document->epoch, sizeof(acceptance->epoch));
	acceptance->revision = document->revision;
	memcpy(acceptance->digest, digest, PIC_DIGEST_SIZE);
}

static int make_wanted(struct pic_agent *agent, const struct pic_document *document,
		       const struct pic_document *kept, struct pic_error *err)
{
	PIC_FREE struct pic_policy *policy = read_policy(agent);
	struct pic_wanted made;
	int r = pic_wanted_make(&made, document, kept, policy, err);

	if (r < 0)
		return r;
	pic_wanted_inherit(&made, &agent->wanted);
	pic_wanted_clear(&agent->wanted);
	agent->wanted = made;
	return 0;
}

int pic_agent_desired_load(struct pic_agent *agent, struct pic_error *err)
{
	DOCUMENT struct pic_document *document = NULL, *kept = NULL;
	struct pic_sha256 digest = { { 0 } };
	int r = pic_agent_store_load(&agent->store, &document, &digest, &kept, err);

	memcpy(agent->acceptance.confirmed, agent->identity.epoch,
	       sizeof(agent->acceptance.confirmed));
	if (r == -EBADMSG) {
		/* without it nothing is removed, and the hub is asked for it as if there were none */
		pic_log(PIC_LOG_ERROR, "document-damaged", PIC_TEXT("why", err->text));
		r = 0;
	}
	if (r == 0)
		r = make_wanted(agent, document, kept, err);
	if (r == 0 && document)
		put_in_force(agent, document, digest.bytes);
	return r;
}

/* -- offers --------------------------------------------------------------------------------------------- */

static int refuse(struct pic_agent *agent, int code, const struct pic_error *err)
{
	if (strcmp(agent->refusal, err->text) != 0)
		pic_log(PIC_LOG_WARNING, "document-not-taken", PIC_TEXT("why", err->text));
	pic_sentence_copy(agent->refusal, sizeof(agent->refusal), err->text);
	pic_agent_report_soon(agent);
	return code;
}

/* A person agreed to another epoch: that is remembered before a document of it is in force. */
static int confirm_epoch(struct pic_agent *agent, const struct pic_document *document,
			 struct pic_error *err)
{
	if (strcmp(agent->acceptance.confirmed, document->epoch) == 0 || !agent->identity.hub)
		return 0;
	memcpy(agent->identity.epoch, document->epoch, sizeof(agent->identity.epoch));
	memcpy(agent->acceptance.confirmed, document->epoch, sizeof(agent->acceptance.confirmed));
	return pic_agent_identity_save(&agent->identity, &agent->store, err);
}

/* What is on disk besides the document is more than what is kept until the new document is there: until
 * then the old one counts. At each start what the document names is left out of it. */
static int save(struct pic_agent *agent, const char *bytes, size_t size,
		const struct pic_document *document, const struct pic_document *kept_before,
		const struct pic_document *kept, struct pic_error *err)
{
	DOCUMENT struct pic_document *both = NULL;
	struct pic_document head = *document;

	head.component_count = head.removed_count = 0;
	if (pic_accept_kept(kept_before, kept, &head, 0, &both, NULL) < 0)
		return pic_agent_store_save(&agent->store, bytes, size, kept, err);
	return pic_agent_store_save(&agent->store, bytes, size, both, err);
}

static int take(struct pic_agent *agent, const char *bytes, size_t size,
		const struct pic_document *document, const unsigned char digest[PIC_DIGEST_SIZE],
		struct pic_error *err)
{
	DOCUMENT struct pic_document *old = NULL, *kept_before = NULL, *kept = NULL;
	struct pic_sha256 unused;
	int r = 0;

	if (!agent->settings->file) {
		pic_agent_store_load(&agent->store, &old, &unused, &kept_before, NULL);
		r = pic_accept_kept(kept_before, old, document, 0, &kept, err);
		if (r == 0)
			r = confirm_epoch(agent, document, err);
		if (r == 0)
			r = save(agent, bytes, size, document, kept_before, kept, err);
	}
	if (r == 0)
		r = make_wanted(agent, document, kept, err);
	if (r < 0)
		return r;
	put_in_force(agent, document, digest);
	return 0;
}

int pic_agent_offered(void *data, const char *bytes, size_t size, bool confirmed)
{
	struct pic_agent *agent = data;
	DOCUMENT struct pic_document *document = NULL;
	enum pic_accept verdict = PIC_ACCEPT_NEW;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;

	if (pic_document_parse(&document, bytes, size, &err) < 0)
		return refuse(agent, -EPERM, &err);
	pic_sha256_of(bytes, size, &digest);
	if (!agent->settings->file)
		verdict = pic_accept_document(&agent->acceptance, agent->target, document,
					      digest.bytes, confirmed, 0, &err);
	if (verdict == PIC_ACCEPT_REFUSED)
		return refuse(agent, -EPERM, &err);
	if (verdict == PIC_ACCEPT_NEW && take(agent, bytes, size, document, digest.bytes, &err) < 0)
		return refuse(agent, -EAGAIN, &err);
	agent->refusal[0] = '\0';
	pic_agent_report_soon(agent);
	if (verdict == PIC_ACCEPT_SAME)
		return 1;
	pic_log(PIC_LOG_INFO, "document-taken", PIC_NUMBER("revision", document->revision),
		PIC_NUMBER("components", (long long)document->component_count),
		PIC_NUMBER("removed", (long long)document->removed_count));
	pic_agent_plan_soon(agent);
	return 0;
}
