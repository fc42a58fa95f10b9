#include "agent/link/join.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/link/hub_answer.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/version.h"
#include "crypto/certificate.h"
#include "net/client.h"
#include "protocol/place.h"

#define LIMIT_MS 30000
#define PEM_MAX 16384

struct pic_join {
	struct pic_loop *loop;
	struct pic_agent_identity identity; /* grows */
	char *ca_pin, *token, *user_agent;
	struct pic_key *key;
	struct pic_client *client;
	struct pic_buf body;
	pic_join_fn *done;
	void *data;
};

static void join_free(struct pic_join *join)
{
	pic_client_free(join->client);
	pic_key_free(join->key);
	pic_agent_identity_clear(&join->identity);
	pic_buf_free(&join->body);
	if (join->token)
		explicit_bzero(join->token, strlen(join->token));
	free(join->token);
	free(join->ca_pin);
	free(join->user_agent);
	free(join);
}

void pic_join_cancel(struct pic_join *join)
{
	if (join)
		join_free(join);
}

static void finish(struct pic_join *join, int code, const char *reason, const char *text)
{
	join->done(join->data, code, reason, text, &join->identity);
	join_free(join);
}

/* True when there is an answer with status 200; else the joining is over. */
static bool went_well(struct pic_join *join, const struct pic_client_answer *answer)
{
	struct pic_error err = PIC_ERROR_INIT;
	char reason[48];

	if (answer->failure != PIC_CLIENT_OK) {
		bool untrusted = answer->failure == PIC_CLIENT_UNTRUSTED;

		finish(join, untrusted ? -EPERM : -EHOSTUNREACH,
		       untrusted ? "HubNotTrusted" : "HubUnreachable", answer->error.text);
		return false;
	}
	if (answer->status == 200)
		return true;
	pic_hub_refusal_parse(answer->status, answer->body.data, answer->body.size,
			      answer->content_type, reason, &err);
	finish(join, answer->status >= 500 ? -EHOSTUNREACH : -EPERM, reason, err.text);
	return false;
}

/* -- the second answer: the certificate -------------------------------------------------------------- */

static int take_text(const struct pic_place *place, const char *key, char **out,
		     struct pic_error *err)
{
	const char *text = pic_json_get_text(place->object, key);

	if (!text || strlen(text) > PEM_MAX)
		return pic_place_error(place, key, err, "a text of at most %d bytes is expected",
				       PEM_MAX);
	free(*out);
	*out = strdup(text);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory to join");
}

/* For our key, from the authority that has the pin. */
static int check_certificate(struct pic_join *join, struct pic_error *err)
{
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;
	int r = pic_certificate_verify(join->identity.certificate, join->identity.authority, 0,
				       err);

	if (r == 0)
		r = pic_certificate_read(join->identity.certificate, &facts, err);
	if (r == 0)
		r = pic_key_pin(join->key, &pin, err);
	if (r == 0 && !pic_sha256_equal(&pin, &facts.key_pin))
		r = pic_error_set(err, -EBADMSG, "the hub's certificate is for another key");
	return r;
}

static int read_membership(struct pic_join *join, const struct pic_client_answer *answer,
			   struct pic_error *err)
{
	PIC_JSON struct pic_json *value = NULL;
	char device[PIC_NAME_MAX + 1];
	struct pic_place place;
	int r = pic_json_parse(&value, answer->body.data, answer->body.size, err);

	if (r < 0)
		return pic_error_wrap(err, r, "the hub's answer");
	r = pic_place_root(&place, value, "the hub's answer", err);
	if (r == 0)
		r = pic_place_name(&place, "device", PIC_REQUIRED, device, err);
	if (r == 0)
		r = take_text(&place, "certificate", &join->identity.certificate, err);
	if (r == 0)
		r = pic_place_hex(&place, "epoch", PIC_REQUIRED, join->identity.epoch,
				  (PIC_EPOCH_TEXT - 1) / 2, err);
	if (r == 0 && strcmp(device, join->identity.target) != 0)
		r = pic_error_set(err, -EBADMSG, "the hub made '%s' a device instead of '%s'",
				  device, join->identity.target);
	return r < 0 ? r : check_certificate(join, err);
}

static void on_joined(void *data, const struct pic_client_answer *answer)
{
	struct pic_join *join = data;
	struct pic_error err = PIC_ERROR_INIT;

	if (!went_well(join, answer))
		return;
	if (read_membership(join, answer, &err) < 0)
		finish(join, -EPROTO, "BadAnswer", err.text);
	else
		finish(join, 0, "", "");
}

/* -- the first answer: the authority ------------------------------------------------------------------- */

static int check_authority(struct pic_join *join, const char *pem, struct pic_error *err)
{
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;
	char is[PIC_SHA256_TEXT];

	if (pic_certificate_read(pem, &facts, NULL) < 0)
		return pic_error_set(err, -EBADMSG,
				     "%s does not show the certificate of a hub's authority",
				     join->identity.hub);
	/* the pin would be that of the first, and all of them would be trusted */
	if (facts.count != 1)
		return pic_error_set(err, -EKEYREJECTED,
				     "%s shows %u authorities instead of one; nothing was sent",
				     join->identity.hub, facts.count);
	if (pic_sha256_parse(join->ca_pin, &pin) < 0)
		return -EINVAL;
	pic_sha256_text(&facts.key_pin, is);
	if (!pic_sha256_equal(&facts.key_pin, &pin))
		return pic_error_set(
			err, -EKEYREJECTED,
			"the authority of %s has the pin sha256:%s, not the one that was given: it is "
			"another hub, or somebody is in between; nothing was sent",
			join->identity.hub, is);
	join->identity.authority = strdup(pem);
	return join->identity.authority ? 0 : pic_error_set(err, -ENOMEM, "no memory to join");
}

static int write_request(struct pic_join *join, struct pic_error *err)
{
	PIC_BUF struct pic_buf request = PIC_BUF_INIT(PEM_MAX), key = PIC_BUF_INIT(PEM_MAX);
	PIC_JSON struct pic_json *body = pic_json_new_object();
	int r = pic_key_generate(&join->key, err);

	if (r == 0)
		r = pic_key_write(join->key, &key, err);
	if (r == 0)
		r = pic_request_write(join->key, join->identity.target, &request, err);
	if (r < 0)
		return r;
	join->identity.key = pic_buf_take(&key);
	pic_json_set_integer(body, "protocol", PIC_PROTOCOL);
	pic_json_set_text(body, "target", join->identity.target);
	pic_json_set_text(body, "token", join->token);
	pic_json_set_text(body, "request", pic_buf_text(&request));
	return pic_json_write(body, PIC_JSON_COMPACT, &join->body);
}

static int new_client(struct pic_join *join, bool unverified, struct pic_error *err)
{
	struct pic_client_settings settings = {
		.user_agent = join->user_agent,
		.authority_pem = join->identity.authority,
		.server_pin = join->identity.tls_pin,
		.unverified = unverified,
		.ignore_dates = !pic_clock_wall_is_set(pic_clock_wall_ms()),
	};

	pic_client_free(PIC_STEAL(join->client));
	return pic_client_new(&join->client, join->loop, &settings, err);
}

static int send_request(struct pic_join *join, const char *method, const char *path,
			void (*done)(void *, const struct pic_client_answer *),
			struct pic_error *err)
{
	static const char *const headers[] = { "Content-Type: application/json", NULL };
	char url[PIC_URL_MAX + 64];
	struct pic_client_request request = {
		.method = method,
		.url = url,
		.headers = headers,
		.timeout_ms = LIMIT_MS,
		.answer_max = 4 * PEM_MAX,
		.answer_fd = -1,
		.done = done,
		.data = join,
	};

	snprintf(url, sizeof(url), "%s%s", join->identity.hub, path);
	if (join->body.size > 0) {
		request.body = join->body.data;
		request.body_size = join->body.size;
	}
	return pic_client_send(join->client, &request, NULL, err);
}

static void on_authority(void *data, const struct pic_client_answer *answer)
{
	struct pic_join *join = data;
	struct pic_error err = PIC_ERROR_INIT;

	if (!went_well(join, answer))
		return;
	if (pic_answer_is_page(answer->body.data, answer->body.size, answer->content_type)) {
		finish(join, -EHOSTUNREACH, "BadAnswer",
		       "an HTML page came instead of the hub's authority, perhaps from a captive portal");
		return;
	}
	if (check_authority(join, answer->body.data, &err) < 0) {
		finish(join, -EPERM, "HubNotTrusted", err.text);
		return;
	}
	if (write_request(join, &err) < 0 ||
	    new_client(join, join->identity.tls_pin != NULL, &err) < 0 ||
	    send_request(join, "POST", "/device/v1/join", on_joined, &err) < 0)
		finish(join, -EIO, "JoinFailed", err.text);
}

/* -- the order ---------------------------------------------------------------------------------------------- */

static int check_order(const struct pic_join_order *order, struct pic_error *err)
{
	struct pic_sha256 pin;

	if (!order->hub || !pic_text_starts(order->hub, "https://") ||
	    strlen(order->hub) > PIC_URL_MAX / 2)
		return pic_error_set(err, -EINVAL,
				     "the hub's address '%s' does not begin with https://",
				     order->hub ? order->hub : "");
	if (!order->target || !pic_name_is_valid(order->target, PIC_NAME_MAX))
		return pic_error_set(
			err, -EINVAL,
			"the target '%s' is not a name of lower-case letters, digits, '-' and '.'",
			order->target ? order->target : "");
	if (!order->ca_pin || pic_sha256_parse(order->ca_pin, &pin) < 0)
		return pic_error_set(
			err, -EINVAL,
			"--ca-pin must be sha256: and 64 hexadecimal digits; 'piccoloctl enroll %s' prints "
			"it",
			order->target);
	if (order->tls_pin && pic_sha256_parse(order->tls_pin, &pin) < 0)
		return pic_error_set(err, -EINVAL,
				     "--tls-pin must be sha256: and 64 hexadecimal digits");
	if (!order->token || !order->token[0] || strlen(order->token) > PIC_TOKEN_MAX)
		return pic_error_set(err, -EINVAL, "a token of 1 to %d bytes is needed",
				     PIC_TOKEN_MAX);
	return 0;
}

static struct pic_join *join_new(const struct pic_join_order *order)
{
	struct pic_join *join = calloc(1, sizeof(*join));
	size_t size = strlen(order->hub);

	if (!join)
		return NULL;
	join->body = (struct pic_buf)PIC_BUF_INIT(4 * PEM_MAX);
	while (size > 0 && order->hub[size - 1] == '/')
		size--;
	join->identity.hub = strndup(order->hub, size);
	join->identity.tls_pin = order->tls_pin ? strdup(order->tls_pin) : NULL;
	snprintf(join->identity.target, sizeof(join->identity.target), "%s", order->target);
	join->ca_pin = strdup(order->ca_pin);
	join->token = strdup(order->token);
	join->user_agent = strdup(order->user_agent ? order->user_agent : "piccolo");
	if (join->identity.hub && join->ca_pin && join->token && join->user_agent &&
	    (!order->tls_pin || join->identity.tls_pin))
		return join;
	join_free(join);
	return NULL;
}

int pic_join_start(struct pic_join **out, struct pic_loop *loop, const struct pic_join_order *order,
		   pic_join_fn *done, void *data, struct pic_error *err)
{
	struct pic_join *join;
	int r = check_order(order, err);

	if (r < 0)
		return r;
	join = join_new(order);
	if (!join)
		return pic_error_set(err, -ENOMEM, "no memory to join");
	join->loop = loop;
	join->done = done;
	join->data = data;
	r = new_client(join, true, err);
	if (r == 0)
		r = send_request(join, "GET", "/device/v1/authority", on_authority, err);
	if (r < 0) {
		join_free(join);
		return r;
	}
	*out = join;
	return 0;
}

#define TOKEN_FILE_MAX 4096

static int take_token(const char *text, const char *path, char *out, struct pic_error *err)
{
	size_t size;

	text += strspn(text, " \t\r\n");
	size = strcspn(text, " \t\r\n");
	if (size == 0 || size > PIC_TOKEN_MAX)
		return pic_error_set(err, -EINVAL, "%s holds no token of 1 to %d bytes", path,
				     PIC_TOKEN_MAX);
	memcpy(out, text, size);
	out[size] = '\0';
	return 0;
}

int pic_join_read_token(const char *path, char *out, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TOKEN_FILE_MAX);
	int r = pic_file_read_path(path, &text, err);

	return r < 0 ? r : take_token(pic_buf_text(&text), path, out, err);
}

int pic_join_read_token_fd(int fd, const char *path, char *out, struct pic_error *err)
{
	char text[TOKEN_FILE_MAX + 1];
	ssize_t size = read(fd, text, TOKEN_FILE_MAX);

	if (size < 0)
		return pic_error_errno(err, errno, "cannot read %s", path);
	text[size] = '\0';
	size = take_token(text, path, out, err);
	explicit_bzero(text, sizeof(text));
	return (int)size;
}

int pic_join_read_token_at(int folder, const char *name, char *out, struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(TOKEN_FILE_MAX);
	int r = pic_file_read(folder, name, &text, err);

	return r < 0 ? r : take_token(pic_buf_text(&text), name, out, err);
}
