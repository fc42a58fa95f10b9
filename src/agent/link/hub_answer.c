#include "agent/link/hub_answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "protocol/place.h"

bool pic_answer_is_page(const char *text, size_t size, const char *content_type)
{
	if (pic_text_starts(content_type, "text/html"))
		return true;
	while (size > 0 && strchr(" \t\r\n", *text)) {
		text++;
		size--;
	}
	return size >= 5 &&
	       (strncasecmp(text, "<!doc", 5) == 0 || strncasecmp(text, "<html", 5) == 0);
}

/* The document alone, in the bytes that its digest covers. */
static int take_document(const struct pic_place *place, struct pic_buf *out, struct pic_error *err)
{
	const struct pic_json *value = pic_json_get(place->object, "document");

	if (pic_json_type(value) == PIC_JSON_ABSENT || pic_json_type(value) == PIC_JSON_NULL)
		return 0;
	if (pic_json_type(value) != PIC_JSON_OBJECT)
		return pic_place_error(place, "document", err, "an object is expected, found %s",
				       pic_json_type_name(value));
	if (pic_json_write(value, PIC_JSON_COMPACT, out) < 0)
		return pic_error_set(err, -EFBIG, "the hub's document is larger than %d bytes",
				     PIC_DOCUMENT_SIZE_MAX);
	return 0;
}

/* One bad ask is the loss of whoever asked, not of the document beside it. */
static void take_asks(const struct pic_place *place, struct pic_hub_answer *out)
{
	const struct pic_json *asks = pic_json_get(place->object, "asks");

	for (size_t i = 0; i < pic_json_count(asks) && out->ask_count < PIC_HUB_ASKS_MAX; i++)
		if (pic_ask_parse(&out->asks[out->ask_count], pic_json_at(asks, i), NULL) == 0)
			out->ask_count++;
}

/* Base64 of exactly, or at most, `size` bytes. */
static int take_bytes(const struct pic_json *object, const char *key, size_t least, void *bytes,
		      size_t size)
{
	PIC_BUF struct pic_buf decoded = PIC_BUF_INIT(4096);
	const char *text = pic_json_get_text(object, key);

	if (!text || strlen(text) > 2 * size + 4 ||
	    pic_base64_decode(text, strlen(text), &decoded) < 0 || decoded.size < least ||
	    decoded.size > size)
		return -EINVAL;
	memcpy(bytes, decoded.data, decoded.size);
	return (int)decoded.size;
}

static bool take_ticket(const struct pic_json *object, const char *certificate,
			struct pic_signed_ticket *out)
{
	int size = take_bytes(object, "signature", 1, out->signature, sizeof(out->signature));

	if (size < 0 ||
	    take_bytes(object, "ticket", sizeof(out->ticket), out->ticket, sizeof(out->ticket)) < 0)
		return false;
	out->signature_size = (uint16_t)size;
	snprintf(out->certificate, sizeof(out->certificate), "%s", certificate);
	return true;
}

static void take_tickets(const struct pic_place *place, struct pic_hub_answer *out)
{
	const struct pic_json *list = pic_json_get(place->object, "tickets");
	const char *certificate = pic_json_get_text(place->object, "ticket-certificate");
	size_t count = pic_json_count(list);

	if (pic_json_type(list) != PIC_JSON_ARRAY || count == 0 || !certificate ||
	    strlen(certificate) >= PIC_TICKET_CERTIFICATE_MAX ||
	    pic_place_hex(place, "ticket-epoch", PIC_REQUIRED, out->ticket_epoch,
			  (PIC_EPOCH_TEXT - 1) / 2, NULL) < 0)
		return;
	if (count > PIC_POLL_APPROVALS_MAX)
		count = PIC_POLL_APPROVALS_MAX;
	out->tickets = calloc(count, sizeof(*out->tickets));
	for (size_t i = 0; out->tickets && i < count; i++)
		if (take_ticket(pic_json_at(list, i), certificate,
				&out->tickets[out->ticket_count]))
			out->ticket_count++;
}

void pic_hub_answer_clear(struct pic_hub_answer *answer)
{
	pic_buf_free(&answer->document);
	free(answer->tickets);
	answer->tickets = NULL;
	answer->ticket_count = 0;
}

int pic_hub_answer_parse(struct pic_hub_answer *out, const char *text, size_t size,
			 const char *content_type, struct pic_error *err)
{
	PIC_JSON struct pic_json *value = NULL;
	struct pic_buf document = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	struct pic_place place;
	int r;

	if (pic_answer_is_page(text, size, content_type))
		return pic_error_set(
			err, -EBADMSG,
			"an HTML page came instead of the hub's answer, perhaps from a captive portal");
	r = pic_json_parse(&value, text, size, err);
	if (r < 0)
		return pic_error_wrap(err, r, "the hub's answer");
	r = pic_place_root(&place, value, "the hub's answer", err);
	if (r == 0)
		r = pic_place_protocol(&place, err);
	if (r == 0)
		r = take_document(&place, &document, err);
	if (r < 0) {
		pic_buf_free(&document);
		return r;
	}
	out->document = document;
	out->confirmed = pic_json_true(pic_json_get(value, "accept-epoch"));
	out->ask_count = 0;
	take_asks(&place, out);
	out->ticket_epoch[0] = '\0';
	out->tickets = NULL;
	out->ticket_count = 0;
	take_tickets(&place, out);
	return 0;
}

void pic_hub_refusal_parse(int status, const char *text, size_t size, const char *content_type,
			   char *reason, struct pic_error *err)
{
	PIC_JSON struct pic_json *value = NULL;
	char sentence[300] = "", word[48] = "";
	struct pic_place place;

	if (!pic_answer_is_page(text, size, content_type) &&
	    pic_json_parse(&value, text, size, NULL) == 0 &&
	    pic_place_root(&place, value, "answer", NULL) == 0) {
		pic_place_sentence(&place, "error", sentence, sizeof(sentence), NULL);
		pic_place_text(&place, "reason", PIC_OPTIONAL, word, sizeof(word), NULL);
	}
	snprintf(reason, 48, "%s", word[0] ? word : "HubRefuses");
	if (sentence[0])
		pic_error_set(err, -EPERM, "the hub refuses (status %d): %s", status, sentence);
	else if (pic_answer_is_page(text, size, content_type))
		pic_error_set(
			err, -EPERM,
			"an HTML page with status %d came instead of the hub's answer, perhaps from a captive "
			"portal",
			status);
	else
		pic_error_set(err, -EPERM, "the hub answers with status %d", status);
}
