/*
 * The HTTP client: libcurl's multi interface driven by our loop. The library tells which sockets it waits
 * for and when it wants to be called; nothing here polls.
 */
#include "net/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "net/client_request.h"

#define STALL_MS 30000
#define CONNECTIONS_KEPT 2L

/* Requests. */

static void link_request(struct pic_client *client, struct pic_request_handle *handle)
{
	handle->client = client;
	handle->next = client->requests;
	if (handle->next)
		handle->next->previous = handle;
	client->requests = handle;
}

static void unlink_request(struct pic_request_handle *handle)
{
	if (handle->previous)
		handle->previous->next = handle->next;
	else
		handle->client->requests = handle->next;
	if (handle->next)
		handle->next->previous = handle->previous;
	handle->next = handle->previous = NULL;
}

static void remove_from_library(struct pic_request_handle *handle)
{
	if (handle->added)
		curl_multi_remove_handle(handle->client->multi, handle->easy);
	handle->added = false;
}

/* No longer in the client's list. */
static void free_request(struct pic_request_handle *handle)
{
	remove_from_library(handle);
	curl_easy_cleanup(handle->easy);
	curl_slist_free_all(handle->headers);
	pic_timer_free(handle->stall);
	pic_buf_free(&handle->body);
	free(handle->host);
	free(handle);
}

/* `done` may send, cancel others and free the client. */
static void finish(struct pic_request_handle *handle, CURLcode code)
{
	struct pic_client_answer answer;

	handle->finishing = true;
	unlink_request(handle);
	remove_from_library(handle);
	pic_timer_cancel(handle->stall);
	pic_client_answer_fill(handle, code, &answer);
	if (handle->request.done)
		handle->request.done(handle->request.data, &answer);
	free_request(handle);
}

static void destroy(struct pic_client *client)
{
	while (client->requests) {
		struct pic_request_handle *handle = client->requests;

		unlink_request(handle);
		free_request(handle);
	}
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
	curl_global_cleanup(); /* counted: the library's own state goes with the last client */
}

/* What was noted while the library was busy. */

static void release_cancelled(struct pic_client *client)
{
	for (struct pic_request_handle *handle = client->requests, *next; handle; handle = next) {
		next = handle->next;
		if (handle->cancelled) {
			unlink_request(handle);
			free_request(handle);
		}
	}
}

static void arm_stall(struct pic_request_handle *handle)
{
	handle->active_ms = pic_clock_boot_ms();
	if (handle->stall_ms > 0)
		pic_timer_set(handle->stall, handle->stall_ms);
}

static bool add_to_library(struct pic_request_handle *handle)
{
	if (curl_multi_add_handle(handle->client->multi, handle->easy) != CURLM_OK)
		return false;
	handle->added = true;
	arm_stall(handle);
	return true;
}

static void add_waiting(struct pic_client *client)
{
	for (struct pic_request_handle *handle = client->requests; handle; handle = handle->next) {
		if (handle->added || add_to_library(handle))
			continue;
		finish(handle, CURLE_OUT_OF_MEMORY);
		return; /* the list may be another one now; the next round goes on */
	}
}

static bool has_waiting(const struct pic_client *client)
{
	for (const struct pic_request_handle *handle = client->requests; handle;
	     handle = handle->next)
		if (!handle->added)
			return true;
	return false;
}

static bool finish_next(struct pic_client *client)
{
	struct pic_request_handle *handle = NULL;
	CURLMsg *message;
	CURLcode code;
	int left;

	do
		message = curl_multi_info_read(client->multi, &left);
	while (message && message->msg != CURLMSG_DONE);
	if (!message)
		return false;
	code = message->data.result;
	curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&handle);
	if (handle->cancelled) {
		unlink_request(handle);
		free_request(handle);
	} else {
		finish(handle, code);
	}
	return true;
}

/* Gives out answers and does what was noted; the client may be gone afterwards. */
static void settle(struct pic_client *client)
{
	bool more = true;

	client->busy = true;
	while (more && !client->dead) {
		release_cancelled(client);
		add_waiting(client);
		more = !client->dead && (finish_next(client) || has_waiting(client));
	}
	client->busy = false;
	if (client->dead)
		destroy(client);
}

/* The library and the loop. */

static void drive(struct pic_client *client, curl_socket_t fd, int events)
{
	int running;

	client->in_library = true;
	curl_multi_socket_action(client->multi, fd, events, &running);
	client->in_library = false;
	settle(client);
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

/* One timer a request, moved on lazily: bytes only note when they came. */
static void on_stall(void *data)
{
	struct pic_request_handle *handle = data;
	struct pic_client *client = handle->client;
	int64_t left = handle->active_ms + handle->stall_ms - pic_clock_boot_ms();

	if (left > 0) {
		pic_timer_set(handle->stall, left);
		return;
	}
	handle->stalled = true;
	client->busy = true;
	finish(handle, CURLE_OPERATION_TIMEDOUT);
	settle(client);
}

/* Clients. */

/* "sha256:<hex>" -> "sha256//<base64>" */
static int convert_pin(const char *text, char **out, struct pic_error *err)
{
	PIC_BUF struct pic_buf pin = PIC_BUF_INIT(128);
	struct pic_sha256 digest;

	if (pic_sha256_parse(text, &digest) < 0)
		return pic_error_set(err, -EINVAL,
				     "the server's pin is not sha256: and 64 hexadecimal digits");
	pic_buf_text_add(&pin, "sha256//");
	pic_base64_encode(digest.bytes, sizeof(digest.bytes), &pin);
	*out = pic_buf_take(&pin);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for a client");
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -ENOMEM : 0;
}

static int copy_settings(struct pic_client *client, const struct pic_client_settings *settings,
			 struct pic_error *err)
{
	client->unverified = settings->unverified;
	client->deny_link_local = settings->deny_link_local;
	client->judge.accept_all = settings->unverified;
	client->judge.ignore_dates = settings->ignore_dates;
	client->judge.own_authority = settings->authority_pem != NULL;
	if (copy_text(settings->user_agent, &client->user_agent) < 0 ||
	    copy_text(settings->authority_pem, &client->authority) < 0 ||
	    copy_text(settings->certificate_pem, &client->certificate) < 0 ||
	    copy_text(settings->key_pem, &client->key) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for a client");
	return settings->server_pin ? convert_pin(settings->server_pin, &client->pin, err) : 0;
}

static int connect_to_loop(struct pic_client *client, struct pic_error *err)
{
	client->multi = curl_multi_init();
	if (!client->multi)
		return pic_error_set(err, -ENOMEM, "no memory for a client");
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_KEPT);
	return pic_loop_timer(client->loop, on_timer, client, &client->timer, err);
}

int pic_client_new(struct pic_client **out, struct pic_loop *loop,
		   const struct pic_client_settings *settings, struct pic_error *err)
{
	struct pic_client *client = calloc(1, sizeof(*client));
	int r;

	if (!client || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(client);
		return pic_error_set(err, -ENOMEM, "no memory for a client");
	}
	client->loop = loop;
	/* found now, in words, and not by every request; the library also loses memory over them */
	r = pic_tls_check_identity(settings->certificate_pem, settings->key_pem,
				   settings->authority_pem, err);
	if (r == 0)
		r = copy_settings(client, settings, err);
	if (r == 0)
		r = connect_to_loop(client, err);
	if (r < 0) {
		destroy(client);
		return r;
	}
	*out = client;
	return 0;
}

void pic_client_free(struct pic_client *client)
{
	if (!client)
		return;
	client->dead = true;
	for (struct pic_request_handle *handle = client->requests; handle; handle = handle->next)
		handle->cancelled = true;
	if (!client->in_library && !client->busy)
		destroy(client);
}

static int prepare_request(struct pic_request_handle *handle, struct pic_error *err)
{
	const struct pic_client_request *request = &handle->request;
	int64_t stall = request->stall_ms > 0 ? request->stall_ms : STALL_MS;
	int r = pic_client_check_url(request->url, &handle->host, err);

	if (r < 0)
		return r;
	handle->body.maximum = PIC_CLIENT_REMARK_MAX;
	if (request->answer_max > 0 && !request->receive && request->answer_fd < 0)
		handle->body.maximum = request->answer_max;
	/* the whole request's own limit makes a second one useless */
	if (request->timeout_ms <= 0 || stall < request->timeout_ms)
		handle->stall_ms = stall;
	r = pic_loop_timer(handle->client->loop, on_stall, handle, &handle->stall, err);
	if (r < 0)
		return r;
	handle->easy = curl_easy_init();
	if (!handle->easy)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	return pic_client_configure(handle, request, err);
}

int pic_client_send(struct pic_client *client, const struct pic_client_request *request,
		    struct pic_request_handle **out, struct pic_error *err)
{
	struct pic_request_handle *handle = calloc(1, sizeof(*handle));
	int r;

	if (!handle)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	handle->request = *request;
	link_request(client, handle);
	r = prepare_request(handle, err);
	if (r == 0 && !client->in_library && !add_to_library(handle))
		r = pic_error_set(err, -ENOMEM, "no memory for a request");
	if (r < 0) {
		unlink_request(handle);
		free_request(handle);
		return r;
	}
	/* lent by the caller, copied by the library where it needs them */
	handle->request.url = handle->request.method = NULL;
	handle->request.headers = NULL;
	if (out)
		*out = handle;
	return 0;
}

void pic_client_cancel(struct pic_request_handle *handle)
{
	if (!handle || handle->finishing)
		return;
	handle->cancelled = true;
	if (handle->client->in_library)
		return;
	unlink_request(handle);
	free_request(handle);
}
