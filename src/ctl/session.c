/* Requests to the hub with the credentials of a kubeconfig. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "base/version.h"
#include "ctl/ctl.h"
#include "net/client.h"
#include "symphony/yaml.h"

#define KUBECONFIG_MAX (256 * 1024)
#define ANSWER_MAX (16 * 1024 * 1024)

struct pic_ctl_session {
	char *file; /* the kubeconfig */
	char *server;
	char *space; /* of the context, or NULL */
	char *authority;
	char *token;
	char *certificate;
	char *key;
};

void pic_ctl_session_free(struct pic_ctl_session *session)
{
	if (!session)
		return;
	free(session->file);
	free(session->server);
	free(session->space);
	free(session->authority);
	if (session->token)
		explicit_bzero(session->token, strlen(session->token));
	free(session->token);
	free(session->certificate);
	free(session->key);
	free(session);
}

static void session_free_pointer(struct pic_ctl_session **session)
{
	pic_ctl_session_free(*session);
}

void pic_ctl_answer_free(struct pic_ctl_answer *answer)
{
	pic_json_unref(answer->json);
	pic_buf_free(&answer->body);
}

static int config_path(const struct pic_ctl *ctl, char path[PATH_MAX], struct pic_error *err)
{
	const char *chosen = ctl->kubeconfig;
	const char *home = getenv("HOME");

	if (!chosen || !*chosen)
		chosen = getenv("KUBECONFIG");
	if (chosen && *chosen)
		snprintf(path, PATH_MAX, "%s", chosen);
	else if (home && *home)
		snprintf(path, PATH_MAX, "%s/.kube/config", home);
	else
		return pic_error_set(err, -ENOENT,
				     "no kubeconfig: name one with --kubeconfig or KUBECONFIG");
	return 0;
}

/* The entry called `name` of a list of {name, KEY: {...}}; hands out the inner object. */
static struct pic_json *named_entry(const struct pic_json *list, const char *name, const char *key)
{
	for (size_t i = 0; name && i < pic_json_count(list); i++) {
		struct pic_json *entry = pic_json_at(list, i);
		const char *entry_name = pic_json_get_text(entry, "name");

		if (entry_name && strcmp(entry_name, name) == 0)
			return pic_json_get(entry, key);
	}
	return NULL;
}

/* `<key>-data` as base64, or the file that `<key>` names, relative to the kubeconfig's folder. */
static int credential(const struct pic_json *from, const char *key, const char *folder, char **out,
		      struct pic_error *err)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(KUBECONFIG_MAX);
	char data_key[64];
	const char *value;
	int r;

	snprintf(data_key, sizeof(data_key), "%s-data", key);
	value = pic_json_get_text(from, data_key);
	if (value) {
		r = pic_base64_decode(value, strlen(value), &text);
		if (r < 0)
			return pic_error_set(err, r, "kubeconfig: %s is not base64", data_key);
	} else {
		char path[PATH_MAX];

		value = pic_json_get_text(from, key);
		if (!value)
			return 0;
		if (snprintf(path, sizeof(path), "%s%s%s", *value == '/' ? "" : folder,
			     *value == '/' ? "" : "/", value) >= (int)sizeof(path))
			return pic_error_set(err, -ENAMETOOLONG, "kubeconfig: %s is too long", key);
		r = pic_file_read(AT_FDCWD, path, &text, err);
		if (r < 0)
			return pic_error_wrap(err, r, "kubeconfig: %s", key);
	}
	*out = pic_buf_take(&text);
	return 0;
}

static int take_text(const char *text, char **out, struct pic_error *err)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory");
}

static int read_user(const struct pic_json *user, const char *folder,
		     struct pic_ctl_session *session, struct pic_error *err)
{
	const char *token_file = pic_json_get_text(user, "tokenFile");
	int r;

	r = take_text(pic_json_get_text(user, "token"), &session->token, err);
	if (r < 0)
		return r;
	if (!session->token && token_file) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

		r = pic_file_read(AT_FDCWD, token_file, &text, err);
		if (r < 0)
			return pic_error_wrap(err, r, "kubeconfig: tokenFile");
		session->token = pic_buf_take(&text);
		if (session->token)
			session->token[strcspn(session->token, "\r\n")] = 0;
	}
	r = credential(user, "client-certificate", folder, &session->certificate, err);
	if (r < 0)
		return r;
	return credential(user, "client-key", folder, &session->key, err);
}

static int read_config(const struct pic_json *config, const char *path, const char *folder,
		       struct pic_ctl_session *session, struct pic_error *err)
{
	const char *current = pic_json_get_text(config, "current-context");
	struct pic_json *context =
		named_entry(pic_json_get(config, "contexts"), current, "context");
	struct pic_json *cluster, *user;
	int r;

	if (!context)
		return pic_error_set(err, -EINVAL,
				     "%s: current-context names no context of this file", path);
	cluster = named_entry(pic_json_get(config, "clusters"),
			      pic_json_get_text(context, "cluster"), "cluster");
	user = named_entry(pic_json_get(config, "users"), pic_json_get_text(context, "user"),
			   "user");
	if (!pic_json_get_text(cluster, "server"))
		return pic_error_set(err, -EINVAL, "%s: the context's cluster has no server", path);
	r = take_text(pic_json_get_text(cluster, "server"), &session->server, err);
	if (r == 0)
		r = take_text(pic_json_get_text(context, "namespace"), &session->space, err);
	if (r == 0)
		r = credential(cluster, "certificate-authority", folder, &session->authority, err);
	if (r == 0)
		r = read_user(user, folder, session, err);
	if (r < 0)
		return r;
	while (pic_text_ends(session->server, "/"))
		session->server[strlen(session->server) - 1] = 0;
	return 0;
}

static int open_session(struct pic_ctl *ctl, struct pic_error *err)
{
	PIC_CLEANUP(session_free_pointer) struct pic_ctl_session *session = NULL;
	PIC_CLEANUP(pic_yaml_free) struct pic_yaml yaml = { 0 };
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(KUBECONFIG_MAX);
	char path[PATH_MAX], folder[PATH_MAX];
	char *slash;
	int r;

	if (ctl->session)
		return 0;
	r = config_path(ctl, path, err);
	if (r < 0)
		return r;
	r = pic_file_read(AT_FDCWD, path, &text, err);
	if (r == -ENOENT)
		return pic_error_set(
			err, r,
			"no credentials for a hub: there is no %s; say which file with "
			"--kubeconfig or KUBECONFIG (`piccolo-hub --dev` writes one)",
			path);
	if (r < 0)
		return pic_error_wrap(err, r, "no credentials for a hub");
	r = pic_yaml_parse(&yaml, text.data, text.size, path, err);
	if (r < 0)
		return r;
	session = calloc(1, sizeof(*session));
	if (!session)
		return pic_error_set(err, -ENOMEM, "no memory");
	memcpy(folder, path, sizeof(folder));
	slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	else
		strcpy(folder, ".");
	session->file = strdup(path);
	if (!session->file)
		return pic_error_set(err, -ENOMEM, "no memory");
	r = read_config(yaml.count ? yaml.documents[0].value : NULL, path, folder, session, err);
	if (r < 0)
		return r;
	ctl->session = PIC_STEAL(session);
	return 0;
}

int pic_ctl_space(struct pic_ctl *ctl, const char **out, struct pic_error *err)
{
	int r;

	if (ctl->space && *ctl->space) {
		*out = ctl->space;
		return 0;
	}
	r = open_session(ctl, err);
	if (r < 0)
		return r;
	*out = ctl->session->space && *ctl->session->space ? ctl->session->space : "default";
	return 0;
}

static const struct pic_kind_facts *kind_of_details(const struct pic_json *details)
{
	const char *plural = pic_json_text_or(pic_json_get(details, "kind"), "");
	const char *group = pic_json_text_or(pic_json_get(details, "group"), "");

	for (int k = 0; k < PIC_KIND_COUNT; k++) {
		const struct pic_kind_facts *facts = pic_kind_facts((enum pic_kind)k);

		if (facts && facts->group && strcmp(facts->group, group) == 0 &&
		    strcmp(facts->plural, plural) == 0)
			return facts;
	}
	return NULL;
}

/* What kubectl's users know as `targets.fabric.symphony "x" not found`, in words. */
static bool explain_missing(const struct pic_ctl *ctl, const struct pic_ctl_answer *answer,
			    int code, struct pic_error *err)
{
	const struct pic_json *details = pic_json_get(answer->json, "details");
	const struct pic_kind_facts *kind = kind_of_details(details);
	const char *name = pic_json_get_text(details, "name");

	if (answer->status != 404 || !kind || !name || !*name)
		return false;
	pic_error_set(err, code, "there is no %s \"%.200s\"; `piccoloctl get %s%s%.63s` lists them",
		      kind->singular, name, kind->plural, ctl->space ? " -n " : "",
		      ctl->space ? ctl->space : "");
	return true;
}

/* The hub's own sentence: kube's Status (with the causes of a 422) or {"error": ...}. */
static void explain_status(const struct pic_ctl *ctl, const struct pic_ctl_answer *answer, int code,
			   struct pic_error *err)
{
	const char *text = pic_json_get_text(answer->json, "error");
	struct pic_json *causes = pic_json_find(answer->json, "details", "causes", NULL);

	if (explain_missing(ctl, answer, code, err))
		return;
	if (pic_json_count(causes) > 0) {
		PIC_BUF struct pic_buf all = PIC_BUF_INIT(PIC_ERROR_TEXT);

		for (size_t i = 0; i < pic_json_count(causes); i++) {
			struct pic_json *cause = pic_json_at(causes, i);

			pic_buf_format(&all, "%s%s: %s", i ? "; " : "",
				       pic_json_text_or(pic_json_get(cause, "field"), "?"),
				       pic_json_text_or(pic_json_get(cause, "message"), "?"));
		}
		pic_error_set(err, code, "%s", pic_buf_text(&all));
		return;
	}
	if (!text)
		text = pic_json_get_text(answer->json, "message");
	if (text)
		pic_error_set(err, code, "%s", text);
	else
		pic_error_set(err, code, "the hub answered %d without saying why", answer->status);
}

static int code_of_status(int status)
{
	switch (status) {
	case 401:
		return -EKEYREJECTED;
	case 403:
		return -EACCES;
	case 404:
		return -ENOENT;
	case 409:
		return -EEXIST;
	case 410:
		return -ESTALE;
	default:
		return status >= 500 ? -EIO : -EINVAL;
	}
}

static int perform(struct pic_ctl *ctl, const struct pic_ctl_call *call, const char *url,
		   const char *const *headers, struct pic_ctl_answer *answer, struct pic_error *err)
{
	const struct pic_client_settings settings = {
		.user_agent = "piccoloctl/" PIC_VERSION,
		.authority_pem = ctl->session->authority,
		.certificate_pem = ctl->session->certificate,
		.key_pem = ctl->session->key,
	};
	const int64_t timeout = call->timeout_ms ? call->timeout_ms : 30000;
	const struct pic_client_request request = {
		.method = call->method,
		.url = url,
		.headers = headers,
		.body = call->body,
		.body_size = call->body_size,
		.timeout_ms = timeout,
		.stall_ms = timeout,
		.answer_max = ANSWER_MAX,
		.answer_fd = -1,
		.receive = call->receive,
		.data = call->data,
	};
	struct pic_client_answer raw = { 0 };
	int r = pic_client_perform(&settings, &request, &answer->body, &raw, err);

	answer->status = raw.status;
	if (r < 0 && raw.failure != PIC_CLIENT_OK && raw.failure != PIC_CLIENT_LOCAL &&
	    raw.failure != PIC_CLIENT_TOO_LARGE && r != -ECANCELED)
		return pic_error_set(err, -EHOSTUNREACH, "%s (the hub that %s names)",
				     err ? err->text : "", ctl->session->file);
	return r;
}

int pic_ctl_call(struct pic_ctl *ctl, const struct pic_ctl_call *call,
		 struct pic_ctl_answer *answer, struct pic_error *err)
{
	PIC_BUF struct pic_buf url = PIC_BUF_INIT(8192);
	PIC_BUF struct pic_buf authorization = PIC_BUF_INIT(8192);
	PIC_BUF struct pic_buf accept = PIC_BUF_INIT(1024);
	PIC_BUF struct pic_buf content = PIC_BUF_INIT(1024);
	const char *headers[4] = { NULL };
	size_t count = 0;
	int r = open_session(ctl, err);

	if (r < 0)
		return r;
	answer->body.maximum = ANSWER_MAX;
	pic_buf_format(&url, "%s%s", ctl->session->server, call->path);
	pic_buf_format(&accept, "Accept: %s", call->accept ? call->accept : "application/json");
	headers[count++] = pic_buf_text(&accept);
	if (ctl->session->token) {
		pic_buf_format(&authorization, "Authorization: Bearer %s", ctl->session->token);
		headers[count++] = pic_buf_text(&authorization);
	}
	if (call->body) {
		pic_buf_format(&content, "Content-Type: %s",
			       call->content_type ? call->content_type : "application/json");
		headers[count++] = pic_buf_text(&content);
	}
	r = perform(ctl, call, pic_buf_text(&url), headers, answer, err);
	if (r < 0)
		return r;
	if (answer->body.size > 0)
		pic_json_parse(&answer->json, answer->body.data, answer->body.size, NULL);
	if (answer->status >= 200 && answer->status < 300)
		return 0;
	r = code_of_status(answer->status);
	if (r == -EKEYREJECTED)
		return pic_error_set(
			err, r,
			"%s does not accept the credentials in %s: they are another hub's or have "
			"ended; put this hub's CA and admin token into it (--dev: take the one in "
			"its state folder)",
			ctl->session->server, ctl->session->file);
	explain_status(ctl, answer, r, err);
	return r;
}

int pic_ctl_fail(const struct pic_error *err)
{
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(4 * PIC_ERROR_TEXT);

	pic_text_escape(err->text, strlen(err->text), true, &line);
	fprintf(stderr, "piccoloctl: %s\n", pic_buf_text(&line));
	switch (err->code) {
	case -EHOSTUNREACH:
		return PIC_EXIT_UNREACHABLE;
	case -EKEYREJECTED:
	case -EACCES:
		return PIC_EXIT_REFUSED;
	case PIC_CTL_USAGE:
		return PIC_EXIT_USAGE;
	default:
		return PIC_EXIT_FAILED;
	}
}

bool pic_ctl_is_hopeless(const struct pic_error *err)
{
	return err->code == -EHOSTUNREACH || err->code == -EKEYREJECTED;
}
