/*
 * The HTTP client: libcurl's multi interface driven by our loop. Curl tells which sockets it waits for and
 * when it wants to be called; nothing here polls.
 */
#include "net/client.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "net/client_tls.h"

#define CONNECT_MS 10000
#define STALL_MS 30000
#define HEADER_TEXT 512
#define HEADERS_MAX 32

struct pic_client {
	struct pic_loop *loop;
	struct pic_timer *timer;
	CURLM *multi;
	struct pic_request_handle *requests;
	char *user_agent, *authority, *certificate, *key, *pin;
	bool unverified, ignore_dates;
	bool inside; /* in a call of curl's: freeing waits */
};

struct pic_request_handle {
	struct pic_request_handle *next, *previous;
	struct pic_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct pic_client_request request; /* url and headers are curl's copies */
	char *host; /* for sentences */
	struct pic_buf body;
	uint64_t received;
	int local_error; /* of answer_fd or receive */
	bool too_large, started;
	char etag[HEADER_TEXT], location[HEADER_TEXT];
	int64_t retry_after_ms;
	char reason[CURL_ERROR_SIZE];
};

/* ---- one request ---- */

static void request_free(struct pic_request_handle *handle)
{
	struct pic_client *client = handle->client;

	if (handle->next)
		handle->next->previous = handle->previous;
	if (handle->previous)
		handle->previous->next = handle->next;
	else if (client->requests == handle)
		client->requests = handle->next;
	if (handle->easy) {
		curl_multi_remove_handle(client->multi, handle->easy);
		curl_easy_cleanup(handle->easy);
	}
	curl_slist_free_all(handle->headers);
	pic_buf_free(&handle->body);
	free(handle->host);
	free(handle);
}

static long status_of(const struct pic_request_handle *handle)
{
	long status = 0;

	curl_easy_getinfo(handle->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool goes_elsewhere(const struct pic_request_handle *handle)
{
	const long status = status_of(handle);

	return status >= 200 && status < 300;
}

static size_t on_body(char *data, size_t one, size_t size, void *context)
{
	struct pic_request_handle *handle = context;
	const size_t bytes = one * size;

	if (handle->request.answer_max && handle->received + bytes > handle->request.answer_max) {
		handle->too_large = true;
		return 0;
	}
	handle->received += bytes;
	if (handle->request.receive && goes_elsewhere(handle)) {
		if (!handle->started && handle->request.started)
			handle->request.started(handle->request.data, (int)status_of(handle));
		handle->started = true;
		handle->local_error = handle->request.receive(handle->request.data, data, bytes);
		return handle->local_error ? 0 : bytes;
	}
	if (handle->request.answer_fd >= 0 && goes_elsewhere(handle)) {
		handle->local_error = pic_fd_write_all(handle->request.answer_fd, data, bytes);
		return handle->local_error < 0 ? 0 : bytes;
	}
	pic_buf_add(&handle->body, data, bytes);
	handle->too_large = handle->body.failed;
	return handle->body.failed ? 0 : bytes;
}

/* "Name: value\r\n" into out when the name is `name`. */
static bool header_value(const char *line, size_t size, const char *name, char out[HEADER_TEXT])
{
	const size_t length = strlen(name);

	if (size <= length || strncasecmp(line, name, length) != 0 || line[length] != ':')
		return false;
	line += length + 1;
	size -= length + 1;
	while (size && (*line == ' ' || *line == '\t')) {
		line++;
		size--;
	}
	while (size && (line[size - 1] == '\r' || line[size - 1] == '\n' || line[size - 1] == ' '))
		size--;
	if (size >= HEADER_TEXT)
		return false;
	memcpy(out, line, size);
	out[size] = 0;
	return true;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
	struct pic_request_handle *handle = context;
	const size_t bytes = one * size;
	char value[HEADER_TEXT];
	long long seconds;

	if (bytes > 5 && strncmp(line, "HTTP/", 5) == 0) { /* of a redirect or 100 before */
		handle->etag[0] = handle->location[0] = 0;
		handle->retry_after_ms = -1;
	} else if (header_value(line, bytes, "ETag", value)) {
		memcpy(handle->etag, value, sizeof(value));
	} else if (header_value(line, bytes, "Location", value)) {
		memcpy(handle->location, value, sizeof(value));
	} else if (header_value(line, bytes, "Retry-After", value)) {
		if (pic_integer_parse(value, 0, 86400, &seconds) == 0)
			handle->retry_after_ms = seconds * 1000;
		else { /* a date (RFC 9110, 10.2.3) */
			const time_t when = curl_getdate(value, NULL);

			if (when > 0)
				handle->retry_after_ms = when > time(NULL) ? (when - time(NULL)) * 1000 : 0;
		}
	}
	return bytes;
}

static int on_progress(void *context, curl_off_t expected, curl_off_t so_far, curl_off_t up_expected,
		       curl_off_t up)
{
	struct pic_request_handle *handle = context;

	(void)up_expected;
	(void)up;
	return handle->request.progress(handle->request.data, (size_t)so_far, expected);
}

static CURLcode on_tls(CURL *easy, void *tls_configuration, void *context)
{
	(void)easy;
	(void)context;
	pic_client_tls_ignore_dates(tls_configuration);
	return CURLE_OK;
}

static void set_blob(CURL *easy, CURLoption option, const char *text)
{
	/* mbedTLS wants the final NUL of a PEM text to be counted; curl adds it itself */
	struct curl_blob blob = {(void *)text, text ? strlen(text) : 0, CURL_BLOB_NOCOPY};

	if (text)
		curl_easy_setopt(easy, option, &blob);
}

static void set_identity(CURL *easy, const struct pic_client *client)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	if (client->authority)
		set_blob(easy, CURLOPT_CAINFO_BLOB, client->authority);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, client->certificate);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, client->key);
	if (client->certificate)
		curl_easy_setopt(easy, CURLOPT_SSLCERTTYPE, "PEM");
	if (client->pin)
		curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, client->pin);
	if (client->unverified) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	} else if (client->ignore_dates) {
		curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	}
}

static void set_times(CURL *easy, const struct pic_client_request *request)
{
	const int64_t stall = request->stall_ms ? request->stall_ms : STALL_MS;

	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(request->timeout_ms < CONNECT_MS ? request->timeout_ms : CONNECT_MS));
	if (stall < request->timeout_ms) {
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
		curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)((stall + 999) / 1000));
	}
}

static void set_method(CURL *easy, const struct pic_client_request *request)
{
	if (strcmp(request->method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body || strcmp(request->method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_transfer(struct pic_request_handle *handle, const struct pic_client_request *request)
{
	CURL *easy = handle->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->reason);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 16384L);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 16384L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 60L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 20L);
	if (handle->client->user_agent)
		curl_easy_setopt(easy, CURLOPT_USERAGENT, handle->client->user_agent);
	if (request->redirects_max > 0) {
		curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
		curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)request->redirects_max);
	}
	if (request->progress) {
		curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
		curl_easy_setopt(easy, CURLOPT_XFERINFODATA, handle);
	}
}

static int set_headers(struct pic_request_handle *handle, const struct pic_client_request *request,
		       struct pic_error *err)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* no 100-continue */

	for (size_t i = 0; list && request->headers && request->headers[i]; i++) {
		struct curl_slist *longer;

		if (i >= HEADERS_MAX || strpbrk(request->headers[i], "\r\n")) {
			curl_slist_free_all(list);
			return pic_error_set(err, -EINVAL, "a header of the request is not allowed");
		}
		longer = curl_slist_append(list, request->headers[i]);
		if (!longer)
			curl_slist_free_all(list);
		list = longer;
	}
	if (!list)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	handle->headers = list;
	curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, list);
	return 0;
}

/* scheme://host:port of the URL; refuses other schemes and credentials. */
static int check_url(const char *url, char **host, struct pic_error *err)
{
	const char *start = strstr(url, "://");
	size_t size;

	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return pic_error_set(err, -EINVAL, "'%.200s' is no http or https URL", url);
	size = strcspn(start + 3, "/?#");
	if (size == 0 || memchr(start + 3, '@', size))
		return pic_error_set(err, -EINVAL, "'%.200s': %s", url,
				     size ? "a URL must not hold credentials" : "the host is missing");
	*host = strndup(url, (size_t)(start + 3 - url) + size);
	return *host ? 0 : pic_error_set(err, -ENOMEM, "no memory for a request");
}

/* ---- answers ---- */

static enum pic_client_failure failure_of(const struct pic_request_handle *handle, CURLcode code)
{
	if (handle->too_large || code == CURLE_FILESIZE_EXCEEDED)
		return PIC_CLIENT_TOO_LARGE;
	switch (code) {
	case CURLE_OK:
		return PIC_CLIENT_OK;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
		return PIC_CLIENT_UNTRUSTED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_OUT_OF_MEMORY:
		return PIC_CLIENT_LOCAL;
	case CURLE_WRITE_ERROR:
		return handle->request.receive ? PIC_CLIENT_BROKEN : PIC_CLIENT_LOCAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return PIC_CLIENT_UNREACHABLE;
	default:
		return status_of(handle) == 0 && code == CURLE_OPERATION_TIMEDOUT ? PIC_CLIENT_UNREACHABLE
										  : PIC_CLIENT_BROKEN;
	}
}

static void explain(const struct pic_request_handle *handle, CURLcode code,
		    struct pic_client_answer *answer)
{
	const char *why = handle->reason[0] ? handle->reason : curl_easy_strerror(code);

	switch (answer->failure) {
	case PIC_CLIENT_OK:
		break;
	case PIC_CLIENT_TOO_LARGE:
		pic_error_set(&answer->error, -EFBIG, "%s: the answer is larger than %zu bytes", handle->host,
			      handle->request.answer_max);
		break;
	case PIC_CLIENT_UNTRUSTED:
		pic_error_set(&answer->error, -EKEYREJECTED, "%s is not trusted: %s", handle->host, why);
		break;
	case PIC_CLIENT_LOCAL:
		if (handle->local_error < 0)
			pic_error_errno(&answer->error, -handle->local_error,
					"%s: the answer cannot be stored", handle->host);
		else
			pic_error_set(&answer->error, -EINVAL, "%s: %s", handle->host, why);
		break;
	case PIC_CLIENT_UNREACHABLE:
		pic_error_set(&answer->error, -EHOSTUNREACH, "%s cannot be reached: %s", handle->host, why);
		break;
	case PIC_CLIENT_BROKEN:
		pic_error_set(&answer->error, handle->local_error ? -ECANCELED : -ECONNRESET,
			      "%s: the answer broke off: %s", handle->host, why);
		break;
	}
}

static void finish(struct pic_request_handle *handle, CURLcode code)
{
	struct pic_client_answer answer = {.error = PIC_ERROR_INIT};
	void (*done)(void *, const struct pic_client_answer *) = handle->request.done;
	const char *content_type = NULL;

	answer.failure = failure_of(handle, code);
	answer.status = (int)status_of(handle);
	curl_easy_getinfo(handle->easy, CURLINFO_CONTENT_TYPE, &content_type);
	answer.content_type = content_type ? content_type : "";
	answer.etag = handle->etag;
	answer.location = handle->location;
	answer.retry_after_ms = handle->retry_after_ms;
	answer.received = handle->received;
	answer.body = (struct pic_view){pic_buf_text(&handle->body), handle->body.size};
	explain(handle, code, &answer);
	/* Out of the list first: `done` may send, and may even free the client. */
	if (handle->next)
		handle->next->previous = handle->previous;
	if (handle->previous)
		handle->previous->next = handle->next;
	else
		handle->client->requests = handle->next;
	handle->next = handle->previous = NULL;
	curl_multi_remove_handle(handle->client->multi, handle->easy);
	done(handle->request.data, &answer);
	curl_easy_cleanup(handle->easy);
	curl_slist_free_all(handle->headers);
	pic_buf_free(&handle->body);
	free(handle->host);
	free(handle);
}

/* ---- curl and the loop ---- */

static void destroy(struct pic_client *client)
{
	while (client->requests)
		request_free(client->requests);
	curl_multi_cleanup(client->multi);
	pic_timer_free(client->timer);
	free(client->user_agent);
	free(client->authority);
	free(client->certificate);
	if (client->key)
		explicit_bzero(client->key, strlen(client->key));
	free(client->key);
	free(client->pin);
	free(client);
}

static void drive(struct pic_client *client, curl_socket_t fd, int events)
{
	CURLMsg *message;
	int running, left;

	client->inside = true;
	curl_multi_socket_action(client->multi, fd, events, &running);
	while (client->multi && client->inside && (message = curl_multi_info_read(client->multi, &left))) {
		struct pic_request_handle *handle = NULL;
		const CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&handle);
		finish(handle, code);
	}
	if (!client->inside) { /* freed by a `done` */
		destroy(client);
		return;
	}
	client->inside = false;
}

static void on_socket(void *data, int fd, uint32_t events)
{
	int action = 0;

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP))
		action |= CURL_CSELECT_IN;
	if (events & EPOLLOUT)
		action |= CURL_CSELECT_OUT;
	if (events & EPOLLERR)
		action |= CURL_CSELECT_ERR;
	drive(data, fd, action);
}

static void on_timer(void *data)
{
	drive(data, CURL_SOCKET_TIMEOUT, 0);
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *watch_data)
{
	struct pic_client *client = data;
	struct pic_watch *watch = watch_data;
	uint32_t events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		pic_watch_free(watch);
		curl_multi_assign(client->multi, fd, NULL);
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= EPOLLIN;
	if (what & CURL_POLL_OUT)
		events |= EPOLLOUT;
	if (watch)
		return pic_watch_change(watch, events) < 0 ? -1 : 0;
	if (pic_loop_watch(client->loop, fd, events, on_socket, client, &watch, NULL) < 0)
		return -1;
	curl_multi_assign(client->multi, fd, watch);
	return 0;
}

static int want_timer(CURLM *multi, long after_ms, void *data)
{
	struct pic_client *client = data;

	(void)multi;
	if (after_ms < 0)
		pic_timer_cancel(client->timer);
	else
		pic_timer_set(client->timer, after_ms);
	return 0;
}

/* "sha256:<hex>" -> "sha256//<base64>". */
static int convert_pin(const char *text, char **out, struct pic_error *err)
{
	PIC_BUF struct pic_buf pin = PIC_BUF_INIT(128);
	struct pic_sha256 digest;

	if (pic_sha256_parse(text, &digest) < 0)
		return pic_error_set(err, -EINVAL, "the pin '%.80s' is not sha256: and 64 hexadecimal digits",
				     text);
	pic_buf_text_add(&pin, "sha256//");
	pic_base64_encode(digest.bytes, sizeof(digest.bytes), &pin);
	*out = pic_buf_take(&pin);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for a client");
}

static int copy_text(const char *text, char **out)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int copy_settings(struct pic_client *client, const struct pic_client_settings *settings,
			 struct pic_error *err)
{
	client->unverified = settings->unverified;
	client->ignore_dates = settings->ignore_dates;
	if (copy_text(settings->user_agent, &client->user_agent) < 0 ||
	    copy_text(settings->authority_pem, &client->authority) < 0 ||
	    copy_text(settings->certificate_pem, &client->certificate) < 0 ||
	    copy_text(settings->key_pem, &client->key) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for a client");
	return settings->server_pin ? convert_pin(settings->server_pin, &client->pin, err) : 0;
}

int pic_client_new(struct pic_client **out, struct pic_loop *loop,
		   const struct pic_client_settings *settings, struct pic_error *err)
{
	struct pic_client *client;
	int r;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return pic_error_set(err, -EIO, "the HTTP library could not start");
	client = calloc(1, sizeof(*client));
	if (!client)
		return pic_error_set(err, -ENOMEM, "no memory for a client");
	client->loop = loop;
	client->multi = curl_multi_init();
	r = client->multi ? copy_settings(client, settings, err)
			  : pic_error_set(err, -ENOMEM, "no memory for a client");
	if (r == 0)
		r = pic_loop_timer(loop, on_timer, client, &client->timer, err);
	if (r < 0) {
		destroy(client);
		return r;
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, 4L);
	*out = client;
	return 0;
}

void pic_client_free(struct pic_client *client)
{
	if (!client)
		return;
	while (client->requests)
		request_free(client->requests);
	if (client->inside)
		client->inside = false; /* drive() destroys it on its way out */
	else
		destroy(client);
}

int pic_client_send(struct pic_client *client, const struct pic_client_request *request,
		    struct pic_request_handle **out, struct pic_error *err)
{
	struct pic_request_handle *handle = calloc(1, sizeof(*handle));
	int r;

	if (!handle)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	handle->client = client;
	handle->request = *request;
	handle->retry_after_ms = -1;
	handle->body = (struct pic_buf)PIC_BUF_INIT(request->answer_max ? request->answer_max : 64 * 1024);
	r = check_url(request->url, &handle->host, err);
	if (r < 0) {
		free(handle);
		return r;
	}
	handle->easy = curl_easy_init();
	if (!handle->easy) {
		free(handle->host);
		free(handle);
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	}
	handle->next = client->requests;
	if (handle->next)
		handle->next->previous = handle;
	client->requests = handle;
	curl_easy_setopt(handle->easy, CURLOPT_URL, request->url);
	set_transfer(handle, request);
	set_identity(handle->easy, client);
	set_times(handle->easy, request);
	set_method(handle->easy, request);
	r = set_headers(handle, request, err);
	if (r == 0 && curl_multi_add_handle(client->multi, handle->easy) != CURLM_OK)
		r = pic_error_set(err, -ENOMEM, "the HTTP library took no further request");
	if (r < 0) {
		request_free(handle);
		return r;
	}
	if (out)
		*out = handle;
	return 0;
}

void pic_client_cancel(struct pic_request_handle *handle)
{
	if (handle)
		request_free(handle);
}

/* ---- waited for ---- */

struct performed {
	struct pic_loop *loop;
	struct pic_buf *body;
	struct pic_client_answer *answer;
	bool done;
};


struct perform_context {
	struct performed performed;
	const struct pic_client_request *request;
};

static int perform_receive(void *data, const void *bytes, size_t size)
{
	struct perform_context *context = data;

	return context->request->receive(context->request->data, bytes, size);
}

static void perform_started(void *data, int status)
{
	struct perform_context *context = data;

	context->request->started(context->request->data, status);
}

static int perform_progress(void *data, size_t so_far, long long expected)
{
	struct perform_context *context = data;

	return context->request->progress(context->request->data, so_far, expected);
}

static void perform_done(void *data, const struct pic_client_answer *answer)
{
	struct performed *performed = data;

	*performed->answer = *answer;
	performed->answer->body = (struct pic_view){NULL, 0};
	performed->answer->content_type = performed->answer->etag = performed->answer->location = NULL;
	if (performed->body && answer->body.size)
		pic_buf_add(performed->body, answer->body.data, answer->body.size);
	performed->done = true;
	pic_loop_stop(performed->loop);
}

int pic_client_perform(const struct pic_client_settings *settings,
		       const struct pic_client_request *request, struct pic_buf *body,
		       struct pic_client_answer *answer, struct pic_error *err)
{
	struct perform_context context = {.performed = {.body = body, .answer = answer}, .request = request};
	struct pic_client_request copy = *request;
	struct pic_client *client = NULL;
	struct pic_loop *loop = NULL;
	int r = pic_loop_new(&loop, err);

	if (r < 0)
		return r;
	context.performed.loop = loop;
	copy.done = perform_done;
	copy.data = &context;
	if (request->receive)
		copy.receive = perform_receive;
	if (request->started)
		copy.started = perform_started;
	if (request->progress)
		copy.progress = perform_progress;
	r = pic_client_new(&client, loop, settings, err);
	if (r == 0)
		r = pic_client_send(client, &copy, NULL, err);
	if (r == 0)
		r = pic_loop_run(loop, err);
	if (r == 0 && answer->failure != PIC_CLIENT_OK)
		r = pic_error_set(err, answer->error.code, "%s", answer->error.text);
	pic_client_free(client);
	pic_loop_free(loop);
	return r;
}
