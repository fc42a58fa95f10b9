/* What came of a request: an answer, or one sentence that says why there is none. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "net/client_request.h"

static enum pic_client_failure failure_of_code(const struct pic_request_handle *handle,
					       CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return PIC_CLIENT_OK;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
	case CURLE_SSL_ISSUER_ERROR:
		return PIC_CLIENT_UNTRUSTED;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_OUT_OF_MEMORY:
	case CURLE_WRITE_ERROR:
	case CURLE_SSL_CERTPROBLEM: /* ours */
	case CURLE_SSL_CACERT_BADFILE:
		return PIC_CLIENT_LOCAL;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
		return PIC_CLIENT_UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return pic_client_status(handle) == 0 ? PIC_CLIENT_UNREACHABLE : PIC_CLIENT_BROKEN;
	default:
		return PIC_CLIENT_BROKEN;
	}
}

static enum pic_client_failure failure_of(const struct pic_request_handle *handle, CURLcode code)
{
	if (handle->too_large || code == CURLE_FILESIZE_EXCEEDED)
		return PIC_CLIENT_TOO_LARGE;
	if (handle->storing_error < 0)
		return PIC_CLIENT_LOCAL;
	if (handle->ended_by_user || handle->endless)
		return PIC_CLIENT_BROKEN;
	if (handle->enough)
		return PIC_CLIENT_OK;
	return failure_of_code(handle, code);
}

/* The library's words quote the other side. */
static void clean_reason(const struct pic_request_handle *handle, CURLcode code,
			 struct pic_buf *out)
{
	const char *text = handle->reason[0] ? handle->reason : curl_easy_strerror(code);
	const char *judged = pic_tls_judge_reason(&handle->client->judge);

	if (handle->endless)
		text = "what comes before the answer does not end";
	else if (handle->stalled)
		text = "nothing arrived for too long";
	else if (code == CURLE_PEER_FAILED_VERIFICATION && judged)
		text = judged;
	else if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		text = "its key is not the pinned one";
	pic_text_escape(text, strnlen(text, CURL_ERROR_SIZE), false, out);
}

static void explain(const struct pic_request_handle *handle, CURLcode code,
		    struct pic_client_answer *answer)
{
	PIC_BUF struct pic_buf reason = PIC_BUF_INIT(4 * CURL_ERROR_SIZE);
	struct pic_error *err = &answer->error;
	const char *host = handle->host;

	clean_reason(handle, code, &reason);
	switch (answer->failure) {
	case PIC_CLIENT_OK:
		return;
	case PIC_CLIENT_TOO_LARGE:
		pic_error_set(err, -EFBIG, "the answer of %s is larger than %zu bytes", host,
			      handle->request.answer_max ? handle->request.answer_max
							 : handle->body.maximum);
		return;
	case PIC_CLIENT_LOCAL:
		if (handle->storing_error < 0)
			pic_error_errno(err, handle->storing_error, "cannot store the answer of %s",
					host);
		else
			pic_error_set(err, -EINVAL, "cannot ask %s: %s", host,
				      pic_buf_text(&reason));
		return;
	case PIC_CLIENT_UNTRUSTED:
		pic_error_set(err, -EKEYREJECTED, "the certificate of %s is refused: %s", host,
			      pic_buf_text(&reason));
		return;
	case PIC_CLIENT_UNREACHABLE:
		pic_error_set(err, -EHOSTUNREACH, "cannot reach %s: %s", host,
			      pic_buf_text(&reason));
		return;
	case PIC_CLIENT_BROKEN:
		break;
	}
	if (handle->ended_by_user)
		pic_error_set(err, -ECANCELED, "the answer of %s was not wanted any longer", host);
	else
		pic_error_set(err, -ECONNRESET, "the answer of %s broke off: %s", host,
			      pic_buf_text(&reason));
}

/* Of the last answer, when there were redirects; "" when absent. */
static const char *header(const struct pic_request_handle *handle, const char *name)
{
	struct curl_header *found;

	if (curl_easy_header(handle->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
		return "";
	return found->value;
}

static int64_t retry_after(const struct pic_request_handle *handle)
{
	curl_off_t seconds = 0;

	if (*header(handle, "Retry-After") == '\0')
		return -1;
	curl_easy_getinfo(handle->easy, CURLINFO_RETRY_AFTER, &seconds);
	return seconds < INT_MAX ? (int64_t)seconds * 1000 : (int64_t)INT_MAX * 1000;
}

static void fill_peer(const struct pic_request_handle *handle, struct pic_client_answer *answer)
{
	char *address = NULL;
	long port = 0;

	curl_easy_getinfo(handle->easy, CURLINFO_PRIMARY_IP, &address);
	curl_easy_getinfo(handle->easy, CURLINFO_PRIMARY_PORT, &port);
	snprintf(answer->peer, sizeof(answer->peer), "%s", address ? address : "");
	answer->peer_port = (int)port;
}

void pic_client_answer_fill(struct pic_request_handle *handle, CURLcode code,
			    struct pic_client_answer *answer)
{
	*answer = (struct pic_client_answer){
		.failure = failure_of(handle, code),
		.status = (int)pic_client_status(handle),
		.body = pic_buf_view(&handle->body),
		.content_type = header(handle, "Content-Type"),
		.etag = header(handle, "ETag"),
		.location = header(handle, "Location"),
		.retry_after_ms = retry_after(handle),
		.received = handle->stored,
	};
	fill_peer(handle, answer);
	explain(handle, code, answer);
}
