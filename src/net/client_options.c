/* What the HTTP library is told about one request. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "net/client_request.h"

#define CONNECT_MS 15000
#define HEADERS_MAX 64
#define KEEP_ALIVE_IDLE_S 120L
#define KEEP_ALIVE_INTERVAL_S 30L
#define KEEP_ALIVE_PROBES 4L
/* What an idle client holds on to; a download is worth more at once. */
#define SMALL_BUFFER 4096L
#define LARGE_BUFFER 16384L

/* The identity is kept by the client and lent to the library. The TLS library behind it wants the final NUL
 * of a PEM text counted; the HTTP library adds one to certificates, not to keys. */
static void set_blob(CURL *easy, CURLoption option, const char *text, size_t nul)
{
	struct curl_blob blob = { (void *)(uintptr_t)text, 0, CURL_BLOB_NOCOPY };

	if (!text)
		return;
	blob.len = strlen(text) + nul;
	curl_easy_setopt(easy, option, &blob);
}

static CURLcode on_tls(CURL *easy, void *configuration, void *context)
{
	(void)easy;
	pic_tls_judge_install(context, configuration);
	return CURLE_OK;
}

static void set_identity(CURL *easy, struct pic_client *client)
{
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	/* a session in store is private memory, and reconnecting is rare */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	set_blob(easy, CURLOPT_CAINFO_BLOB, client->authority, 0);
	set_blob(easy, CURLOPT_SSLCERT_BLOB, client->certificate, 0);
	set_blob(easy, CURLOPT_SSLKEY_BLOB, client->key, 1);
	if (client->pin)
		curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, client->pin);
	if (client->unverified) {
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, &client->judge);
}

/* A `long` may have 32 bits. */
static long as_long(int64_t ms)
{
	return ms < LONG_MAX ? (long)ms : LONG_MAX;
}

static void set_times(CURL *easy, const struct pic_client_request *request)
{
	int64_t connect = request->timeout_ms > 0 && request->timeout_ms < CONNECT_MS
				  ? request->timeout_ms
				  : CONNECT_MS;

	if (request->timeout_ms > 0)
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, as_long(request->timeout_ms));
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, as_long(connect));
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEP_ALIVE_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEP_ALIVE_INTERVAL_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPCNT, KEEP_ALIVE_PROBES);
}

static void set_method(CURL *easy, const struct pic_client_request *request)
{
	const char *method = request->method ? request->method : "GET";

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body || strcmp(method, "POST") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_transfer(struct pic_request_handle *handle)
{
	CURL *easy = handle->easy;
	bool download = handle->request.answer_fd >= 0;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, handle);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, handle->reason);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pic_client_on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, handle);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, pic_client_on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, handle);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, pic_client_on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, handle);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, download ? LARGE_BUFFER : SMALL_BUFFER);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, LARGE_BUFFER);
	if (handle->client->deny_link_local)
		curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, pic_client_open_allowed);
	if (handle->client->user_agent)
		curl_easy_setopt(easy, CURLOPT_USERAGENT, handle->client->user_agent);
}

static void set_redirects(CURL *easy, const struct pic_client_request *request)
{
	if (request->redirects_max <= 0)
		return;
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)request->redirects_max);
	curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
}

static int append(struct curl_slist **list, const char *line, struct pic_error *err)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	*list = longer;
	return 0;
}

/* What the library would add by itself: a wait for "100 Continue", and a form's content type. */
static int add_own_headers(struct curl_slist **list, bool typed, struct pic_error *err)
{
	int r = append(list, "Expect:", err);

	if (r == 0 && !typed)
		r = append(list, "Content-Type:", err);
	return r;
}

static int set_headers(struct pic_request_handle *handle, const char *const *headers,
		       struct pic_error *err)
{
	bool typed = false;

	for (size_t i = 0; headers && headers[i]; i++) {
		int r;

		/* a newline would begin a header of its own */
		if (i >= HEADERS_MAX || strpbrk(headers[i], "\r\n") || !strchr(headers[i], ':'))
			return pic_error_set(err, -EINVAL,
					     "a header of the request is not \"Name: value\"");
		typed |= strncasecmp(headers[i], "Content-Type:", 13) == 0;
		r = append(&handle->headers, headers[i], err);
		if (r < 0)
			return r;
	}
	if (add_own_headers(&handle->headers, typed, err) < 0)
		return -ENOMEM;
	curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, handle->headers);
	return 0;
}

int pic_client_configure(struct pic_request_handle *handle,
			 const struct pic_client_request *request, struct pic_error *err)
{
	set_transfer(handle);
	set_identity(handle->easy, handle->client);
	set_times(handle->easy, request);
	set_method(handle->easy, request);
	set_redirects(handle->easy, request);
	if (curl_easy_setopt(handle->easy, CURLOPT_URL, request->url) != CURLE_OK)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	return set_headers(handle, request->headers, err);
}

/* A part of a parsed URL, "" when absent; curl_free() it. */
static char *part(CURLU *url, CURLUPart what)
{
	char *text = NULL;

	return curl_url_get(url, what, &text, 0) == CURLUE_OK ? text : NULL;
}

static int describe_host(CURLU *url, const char *shown, char **out, struct pic_error *err)
{
	PIC_BUF struct pic_buf host = PIC_BUF_INIT(1024);
	char *scheme = part(url, CURLUPART_SCHEME), *name = part(url, CURLUPART_HOST);
	char *port = part(url, CURLUPART_PORT), *user = part(url, CURLUPART_USER);
	bool good = scheme && name && (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
	bool secret = user != NULL;

	if (good)
		pic_buf_format(&host, "%s://%s%s%s", scheme, name, port ? ":" : "",
			       port ? port : "");
	curl_free(scheme);
	curl_free(name);
	curl_free(port);
	curl_free(user);
	if (!good)
		return pic_error_set(err, -EINVAL, "\"%s\" is no http or https URL", shown);
	/* not shown: that is the point */
	if (secret)
		return pic_error_set(err, -EINVAL, "a URL must not hold user name and password");
	*out = pic_buf_take(&host);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for a request");
}

int pic_client_check_url(const char *url, char **host, struct pic_error *err)
{
	PIC_BUF struct pic_buf shown = PIC_BUF_INIT(1024);
	CURLU *parsed = curl_url();
	int r;

	if (!parsed)
		return pic_error_set(err, -ENOMEM, "no memory for a request");
	pic_text_escape(url ? url : "", url ? strnlen(url, 200) : 0, false, &shown);
	if (!url || curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK)
		r = pic_error_set(err, -EINVAL, "\"%s\" is no http or https URL",
				  pic_buf_text(&shown));
	else
		r = describe_host(parsed, pic_buf_text(&shown), host, err);
	curl_url_cleanup(parsed);
	return r;
}
