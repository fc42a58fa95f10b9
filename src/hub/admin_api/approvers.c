/*
 * Approvers: who may decide requests. Objects of kind Approver, named after their mail address.
 *
 *   GET    /piccolo/v1/approvers         {"approvers":[{name, mail, byMail}]}
 *   POST   /piccolo/v1/approvers         {"mail","byMail"}: made, or changed; {"mail","mailIsSent"}
 *   DELETE /piccolo/v1/approvers/MAIL
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/digest.h"
#include "hub/admin_api/admin.h"
#include "hub/approval/object.h"

static struct pic_object *find(struct pic_hub *hub, const char *mail)
{
	for (struct pic_object *one = pic_store_next(hub->store, PIC_KIND_APPROVER, NULL, NULL);
	     one; one = pic_store_next(hub->store, PIC_KIND_APPROVER, NULL, one)) {
		const char *its = pic_json_get_text(pic_object_spec(one), "mail");

		if (its && strcasecmp(its, mail) == 0)
			return one;
	}
	return NULL;
}

static struct pic_json *approver_json(const struct pic_object *approver)
{
	const struct pic_json *spec = pic_object_spec(approver);
	struct pic_json *out = pic_json_new_object();

	pic_json_set_text(out, "name", approver->name);
	pic_json_set_text(out, "mail", pic_json_text_or(pic_json_get(spec, "mail"), ""));
	pic_json_set_bool(out, "byMail", pic_json_true(pic_json_get(spec, "byMail")));
	return out;
}

void pic_admin_approvers(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *reply = pic_json_new_object();
	struct pic_json *list = pic_json_new_array();

	(void)match;
	for (struct pic_object *one = pic_store_next(hub->store, PIC_KIND_APPROVER, NULL, NULL);
	     one; one = pic_store_next(hub->store, PIC_KIND_APPROVER, NULL, one))
		pic_json_append(list, approver_json(one));
	pic_json_set(reply, "approvers", list);
	pic_reply_json(exchange, 200, reply);
}

/* "ops@edge.test" is "ops-at-edge.test"; what no name may hold becomes a digest's part. */
static void name_of(const char *mail, char out[PIC_OBJECT_NAME_MAX + 1])
{
	PIC_BUF struct pic_buf name = PIC_BUF_INIT(1024);
	char lower[PIC_APPROVAL_MAIL_MAX + 1], hex[PIC_SHA256_TEXT];
	struct pic_sha256 digest;
	size_t i = 0;

	for (; mail[i] && i < PIC_APPROVAL_MAIL_MAX; i++)
		lower[i] = (char)(mail[i] >= 'A' && mail[i] <= 'Z' ? mail[i] - 'A' + 'a' : mail[i]);
	lower[i] = '\0';
	pic_sha256_of(lower, i, &digest);
	pic_sha256_text(&digest, hex);
	const char *at = strchr(lower, '@');
	pic_buf_format(&name, "%.*s-at-%.180s", (int)(at - lower), lower, at + 1);
	if (pic_name_is_valid(pic_buf_text(&name), PIC_OBJECT_NAME_MAX))
		snprintf(out, PIC_OBJECT_NAME_MAX + 1, "%s", pic_buf_text(&name));
	else
		snprintf(out, PIC_OBJECT_NAME_MAX + 1, "approver-%.16s", hex);
}

static struct pic_json *make(const struct pic_object *before, const char *mail, bool by_mail)
{
	const struct pic_kind_facts *facts = pic_kind_facts(PIC_KIND_APPROVER);
	struct pic_json *json = before ? pic_json_copy(before->json) : pic_json_new_object();
	char name[PIC_OBJECT_NAME_MAX + 1], version[64];

	snprintf(version, sizeof(version), "%s/%s", facts->group, facts->version);
	pic_json_set_text(json, "apiVersion", version);
	pic_json_set_text(json, "kind", facts->name);
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	name_of(mail, name);
	if (!before)
		pic_json_set_text(metadata, "name", name);
	pic_json_set_integer(metadata, "generation", before ? before->generation + 1 : 1);
	pic_json_set_text(spec, "mail", mail);
	pic_json_set_bool(spec, "byMail", by_mail);
	return json;
}

static void commit(struct pic_hub *hub, struct pic_exchange *exchange, struct pic_change *change,
		   const char *mail)
{
	struct pic_json *reply = pic_json_new_object();

	pic_json_set_text(reply, "mail", mail);
	pic_json_set_bool(reply, "mailIsSent", hub->mail != NULL);
	pic_reply_when_durable(exchange, change, 200, reply, pic_plain_refuse);
}

void pic_admin_approver_add(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	struct pic_view text = pic_exchange_body(exchange);
	PIC_JSON struct pic_json *body = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "add-approver", who);

	if (pic_json_parse(&body, text.data ? text.data : "", text.size, &err) < 0) {
		pic_plain_refuse(exchange, 400, err.text);
		return;
	}
	const char *mail = pic_json_get_text(body, "mail");
	if (!mail || !pic_approval_mail_is_valid(mail)) {
		pic_plain_refuse(exchange, 400,
				 "mail must be an address like ops@edge.example, without a name or "
				 "brackets around it");
		return;
	}
	struct pic_change *change = pic_change_new(hub->store, &actor);
	if (pic_change_put(change, PIC_KIND_APPROVER,
			   make(find(hub, mail), mail, pic_json_true(pic_json_get(body, "byMail"))),
			   &err) < 0) {
		pic_change_drop(change);
		pic_plain_refuse(exchange, 500, err.text);
		return;
	}
	commit(hub, exchange, change, mail);
}

void pic_admin_approver_remove(struct pic_hub *hub, struct pic_exchange *exchange,
			       const struct pic_route_match *match)
{
	const struct pic_object *approver = find(hub, match->captured[0]);
	char who[PIC_WHO_TEXT], why[512];
	const struct pic_actor actor = pic_match_actor(match, exchange, "remove-approver", who);

	if (!approver) {
		snprintf(why, sizeof(why), "there is no approver %.300s", match->captured[0]);
		pic_plain_refuse_reason(exchange, 404, "NotFound", why);
		return;
	}
	struct pic_change *change = pic_change_new(hub->store, &actor);
	pic_change_delete(change, PIC_KIND_APPROVER, "", approver->name);
	commit(hub, exchange, change, match->captured[0]);
}
