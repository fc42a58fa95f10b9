#include "agent/fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "agent/fetch/part.h"
#include "agent/fetch/room.h"
#include "base/clock.h"
#include "net/client.h"

#define WHOLE_MS (6 * 3600 * 1000LL)
#define STALL_MS 30000
#define REDIRECTS_MAX 5
#define SENTENCES_MAX 400

struct download {
	struct download *next;
	struct pic_fetcher *fetcher;
	unsigned char digest[PIC_DIGEST_SIZE];
	char *sources[PIC_FETCH_SOURCES_MAX + 1];
	size_t source; /* the one that is asked */
	uint64_t maximum;
	struct pic_part part;
	struct pic_timer *timer; /* the next slice to hash */
	struct pic_client *client;
	struct pic_request_handle *request;
	bool borrowed, keeps_connection;
	char etag[200];	 /* of the file that `part` is the beginning of, when the server told one */
	bool resumed;	 /* some of the bytes are of an earlier answer */
	bool began_anew; /* after bytes that do not fit together: not a second time */
	bool too_large;
	int disk_error;
	struct pic_error failure;
	const char *reason;
	bool permanent;
	int64_t retry_after_ms;
};

struct pic_fetcher {
	struct pic_loop *loop;
	struct pic_fetch_settings settings;
	struct pic_fetch_handler handler;
	struct download *downloads;
};

static void ask(struct download *download);

/* Ends what is under way and lets the client go. */
static void release_client(struct download *download)
{
	const struct pic_fetch_lender *lender = &download->fetcher->settings.lender;

	if (download->borrowed) {
		pic_client_cancel(PIC_STEAL(download->request));
		download->client = NULL;
		download->borrowed = false;
		lender->give_back(lender->data);
	} else {
		download->request = NULL;
		pic_client_free(PIC_STEAL(download->client));
	}
}

static void download_free(struct download *download)
{
	release_client(download);
	pic_timer_free(download->timer);
	pic_part_close(&download->part);
	for (size_t i = 0; i < PIC_FETCH_SOURCES_MAX; i++)
		free(download->sources[i]);
	free(download);
}

static void unlist(struct download *download)
{
	struct download **at = &download->fetcher->downloads;

	while (*at != download)
		at = &(*at)->next;
	*at = download->next;
}

/* The end: the handler may start another download at once. */
static void finish(struct download *download, int code)
{
	struct pic_fetch_handler handler = download->fetcher->handler;
	struct pic_fetch_result result = {
		.code = code,
		.reason = download->reason,
		.permanent = download->permanent,
		.text = download->failure.text,
		.retry_after_ms = download->retry_after_ms,
	};
	unsigned char digest[PIC_DIGEST_SIZE];

	memcpy(digest, download->digest, sizeof(digest));
	unlist(download);
	handler.done(handler.data, digest, &result);
	download_free(download);
}

/* One source has failed: remembers why (the first reason counts, later sentences are added). */
static void note_failure(struct download *download, const char *reason, bool permanent,
			 const char *sentence)
{
	char before[PIC_ERROR_TEXT];

	if (!download->reason) {
		download->reason = reason;
		download->permanent = permanent;
		pic_error_set(&download->failure, -EIO, "%s", sentence);
		return;
	}
	snprintf(before, sizeof(before), "%s", download->failure.text);
	pic_error_set(&download->failure, -EIO, "%.*s; then: %s", SENTENCES_MAX / 2, before,
		      sentence);
}

static void fail(struct download *download, const char *reason, bool permanent,
		 const char *sentence)
{
	/* that the hub's store does not have it is no news when there is another place to look */
	if (download->source > 0 || !download->sources[1] || strcmp(reason, "NotFound") != 0)
		note_failure(download, reason, permanent, sentence);
	if (download->sources[download->source] && download->sources[download->source + 1] &&
	    !download->disk_error) {
		download->source++;
		ask(download);
		return;
	}
	finish(download, -EIO);
}

/* The bytes there and those of the server do not belong together: from the start, but only once. */
static bool begin_anew(struct download *download)
{
	if (download->began_anew || !download->resumed)
		return false;
	download->began_anew = true;
	if (pic_part_restart(&download->part, NULL) < 0)
		return false;
	ask(download);
	return true;
}

static void compare(struct download *download, const char *content_type)
{
	const char *url = download->sources[download->source];
	bool page = pic_text_starts(content_type, "text/html") || pic_part_is_page(&download->part);
	unsigned long long size = download->part.offset;
	struct pic_error err = PIC_ERROR_INIT;
	char is[PIC_SHA256_TEXT], wanted[2 * PIC_DIGEST_SIZE + 1];
	struct pic_sha256 digest;

	pic_part_digest(&download->part, &digest);
	if (memcmp(digest.bytes, download->digest, PIC_DIGEST_SIZE) == 0) {
		int r = pic_part_keep(&download->part, &err);

		download->disk_error = r;
		if (r == 0)
			finish(download, 0);
		else
			fail(download, "DiskFailed", false, err.text);
		return;
	}
	if (begin_anew(download))
		return;
	pic_sha256_text(&digest, is);
	pic_hex_encode(download->digest, PIC_DIGEST_SIZE, wanted);
	pic_error_set(&err, -EBADMSG,
		      "%.150s gave %llu bytes with SHA-256 %.12s... instead of %.12s...%s", url,
		      size, is, wanted,
		      page ? ": the answer is an HTML page, perhaps a captive portal" : "");
	if (pic_part_restart(&download->part, NULL) < 0)
		download->disk_error = -ENOMEM;
	fail(download, "DigestMismatch", true, err.text);
}

static void explain_status(struct download *download, const struct pic_client_answer *answer)
{
	char sentence[PIC_ERROR_TEXT];
	bool missing = answer->status == 404 || answer->status == 410;

	snprintf(sentence, sizeof(sentence), "%.200s: the server answers with status %d",
		 download->sources[download->source], answer->status);
	fail(download, missing ? "NotFound" : "DownloadFailed", missing, sentence);
}

static void explain_failure(struct download *download, const struct pic_client_answer *answer)
{
	char sentence[PIC_ERROR_TEXT];

	if (download->too_large || answer->failure == PIC_CLIENT_TOO_LARGE) {
		snprintf(sentence, sizeof(sentence),
			 "%.200s: the artifact is larger than the %llu bytes that policy allows "
			 "(artifact-max in policy.conf)",
			 download->sources[download->source],
			 (unsigned long long)download->maximum);
		pic_part_restart(&download->part, NULL);
		fail(download, "TooLarge", true, sentence);
	} else if (download->disk_error) {
		snprintf(sentence, sizeof(sentence), "the download cannot be kept on disk: %s",
			 strerror(-download->disk_error));
		fail(download, "DiskFull", false, sentence);
	} else {
		fail(download,
		     answer->failure == PIC_CLIENT_UNTRUSTED ? "Untrusted" : "DownloadFailed",
		     false, answer->error.text);
	}
}

static void on_done(void *data, const struct pic_client_answer *answer)
{
	struct download *download = data;

	download->request = NULL; /* it is over */
	release_client(download);
	if (answer->retry_after_ms > download->retry_after_ms)
		download->retry_after_ms = answer->retry_after_ms;
	if (answer->failure == PIC_CLIENT_OK && (answer->status == 200 || answer->status == 206)) {
		compare(download, answer->content_type);
		return;
	}
	if (answer->etag[0] && strlen(answer->etag) < sizeof(download->etag))
		memcpy(download->etag, answer->etag, strlen(answer->etag) + 1);
	if (answer->status == 416 && begin_anew(download))
		return;
	if (answer->failure == PIC_CLIENT_OK)
		explain_status(download, answer);
	else
		explain_failure(download, answer);
}

static void on_started(void *data, int status)
{
	struct download *download = data;

	/* the whole file comes although only the rest was asked for */
	if (status == 200 && download->part.offset > 0) {
		download->resumed = false;
		if (pic_part_restart(&download->part, NULL) < 0)
			download->disk_error = -EIO;
	}
}

static int on_bytes(void *data, const void *bytes, size_t size)
{
	struct download *download = data;

	if (download->disk_error)
		return -1;
	if (download->part.offset + size > download->maximum) {
		download->too_large = true;
		return -1;
	}
	download->disk_error = pic_part_write(&download->part, bytes, size);
	return download->disk_error;
}

static bool is_hubs(const struct pic_fetcher *fetcher, const char *url)
{
	const struct pic_agent_identity *identity = fetcher->settings.identity;
	size_t size = identity && identity->hub ? strlen(identity->hub) : 0;

	return size > 0 && strncmp(url, identity->hub, size) == 0 && url[size] == '/';
}

static bool borrow_client(struct download *download)
{
	const struct pic_fetch_lender *lender = &download->fetcher->settings.lender;

	if (lender->borrow)
		download->client = lender->borrow(lender->data, &download->keeps_connection);
	download->borrowed = download->client != NULL;
	return download->borrowed;
}

static int connect_to(struct download *download, const char *url, struct pic_error *err)
{
	const struct pic_fetcher *fetcher = download->fetcher;
	const struct pic_agent_identity *identity = fetcher->settings.identity;
	struct pic_client_settings settings = {
		.user_agent = fetcher->settings.user_agent,
		.ignore_dates = !pic_clock_wall_is_set(pic_clock_wall_ms()),
	};

	if (is_hubs(fetcher, url)) {
		if (borrow_client(download))
			return 0;
		settings.authority_pem = identity->authority;
		settings.certificate_pem = identity->certificate;
		settings.key_pem = identity->key;
		settings.server_pin = identity->tls_pin;
		settings.unverified = identity->tls_pin != NULL; /* the pin is the check then */
	}
	return pic_client_new(&download->client, fetcher->loop, &settings, err);
}

static int send_request(struct download *download, const char *url, struct pic_error *err)
{
	char range[64], if_range[sizeof(download->etag) + 16];
	const char *headers[4] = { NULL };
	size_t count = 0;
	struct pic_client_request request = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.timeout_ms = WHOLE_MS,
		.stall_ms = STALL_MS,
		.answer_fd = -1,
		.receive = on_bytes,
		.started = on_started,
		.redirects_max = is_hubs(download->fetcher, url) ? 0 : REDIRECTS_MAX,
		.done = on_done,
		.data = download,
	};

	download->resumed = download->part.offset > 0;
	if (download->resumed) {
		snprintf(range, sizeof(range), "Range: bytes=%llu-",
			 (unsigned long long)download->part.offset);
		headers[count++] = range;
		snprintf(if_range, sizeof(if_range), "If-Range: %s", download->etag);
		if (download->etag[0] == '"') /* only a strong one says the same bytes */
			headers[count++] = if_range;
	}
	if (download->borrowed && !download->keeps_connection)
		headers[count++] = "Connection: close";
	return pic_client_send(download->client, &request, &download->request, err);
}

/* A file of this machine, for `piccolo run`. */
static int copy_file(struct download *download, const char *path, struct pic_error *err)
{
	PIC_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char bytes[16384];
	ssize_t size;

	if (fd < 0)
		return pic_error_errno(err, errno, "%s cannot be opened", path);
	if (pic_part_restart(&download->part, err) < 0)
		return err->code;
	while ((size = read(fd, bytes, sizeof(bytes))) > 0) {
		int r = on_bytes(download, bytes, (size_t)size);

		if (r < 0)
			return pic_error_set(err, r,
					     download->too_large ? "%s is larger than policy allows"
								 : "%s cannot be copied",
					     path);
	}
	return size < 0 ? pic_error_errno(err, errno, "%s cannot be read", path) : 0;
}

static void ask_file(struct download *download, const char *url)
{
	struct pic_error err = PIC_ERROR_INIT;

	if (!download->fetcher->settings.files_allowed)
		fail(download, "DownloadFailed", true,
		     "file: addresses are only for 'piccolo run'");
	else if (copy_file(download, url + strlen("file:"), &err) < 0)
		fail(download, "DownloadFailed", true, err.text);
	else
		compare(download, "");
}

static void ask(struct download *download)
{
	const char *url = download->sources[download->source];
	struct pic_error err = PIC_ERROR_INIT;

	if (!url) {
		fail(download, "NoSource", true, "there is no address to download it from");
		return;
	}
	if (pic_text_starts(url, "file:")) {
		ask_file(download, url);
		return;
	}
	if (connect_to(download, url, &err) == 0 && send_request(download, url, &err) == 0)
		return;
	release_client(download);
	fail(download, "DownloadFailed", err.code == -EINVAL, err.text);
}

/* What an earlier life has left is hashed first, a slice at a time. */
static void catch_up(void *data)
{
	struct download *download = data;
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_part_catch_up(&download->part, &err);

	if (r > 0) {
		pic_timer_set(download->timer, 0);
	} else if (r < 0) {
		download->disk_error = r;
		fail(download, "DiskFailed", false, err.text);
	} else {
		ask(download);
	}
}

static struct download *find(struct pic_fetcher *fetcher,
			     const unsigned char digest[PIC_DIGEST_SIZE])
{
	for (struct download *download = fetcher->downloads; download; download = download->next)
		if (memcmp(download->digest, digest, PIC_DIGEST_SIZE) == 0)
			return download;
	return NULL;
}

static struct download *download_new(struct pic_fetcher *fetcher,
				     const struct pic_fetch_order *order)
{
	struct download *download = calloc(1, sizeof(*download));

	if (!download)
		return NULL;
	download->fetcher = fetcher;
	download->part.fd = -1;
	download->maximum = order->maximum;
	download->retry_after_ms = -1;
	memcpy(download->digest, order->digest, PIC_DIGEST_SIZE);
	for (size_t i = 0; i < PIC_FETCH_SOURCES_MAX && order->sources[i]; i++) {
		download->sources[i] = strdup(order->sources[i]);
		if (!download->sources[i]) {
			download_free(download);
			return NULL;
		}
	}
	return download;
}

static bool is_busy(void *data, const unsigned char digest[PIC_DIGEST_SIZE])
{
	return find(data, digest) != NULL;
}

static int make_room(struct pic_fetcher *fetcher, const struct pic_fetch_order *order,
		     struct pic_error *err)
{
	const struct pic_room room = {
		.folder = fetcher->settings.folder,
		.needed = order->maximum,
		.total = order->room,
		.is_busy = is_busy,
		.data = fetcher,
	};

	return pic_room_make(&room, order->digest, err);
}

int pic_fetch_start(struct pic_fetcher *fetcher, const struct pic_fetch_order *order,
		    struct pic_error *err)
{
	struct download *download;
	int r;

	if (find(fetcher, order->digest))
		return pic_error_set(err, -EALREADY, "this artifact is being downloaded already");
	r = make_room(fetcher, order, err);
	if (r < 0)
		return r;
	download = download_new(fetcher, order);
	if (!download)
		return pic_error_set(err, -ENOMEM, "no memory for a download");
	r = pic_part_open(&download->part, fetcher->settings.folder, order->digest, err);
	if (r == 0)
		r = pic_loop_timer(fetcher->loop, catch_up, download, &download->timer, err);
	if (r < 0) {
		download_free(download);
		return r;
	}
	download->next = fetcher->downloads;
	fetcher->downloads = download;
	pic_timer_set(download->timer, 0);
	return 0;
}

void pic_fetch_cancel(struct pic_fetcher *fetcher, const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct download *download = find(fetcher, digest);

	if (!download)
		return;
	unlist(download);
	pic_part_discard(&download->part);
	download_free(download);
}

void pic_fetch_leave(struct pic_fetcher *fetcher)
{
	for (struct download *download = fetcher->downloads, *next; download; download = next) {
		next = download->next;
		if (!download->borrowed)
			continue;
		release_client(download);
		note_failure(download, "DownloadFailed", false,
			     "the connection to the hub was given up");
		finish(download, -EIO);
	}
}

int pic_fetcher_new(struct pic_fetcher **out, struct pic_loop *loop,
		    const struct pic_fetch_settings *settings,
		    const struct pic_fetch_handler *handler, struct pic_error *err)
{
	struct pic_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return pic_error_set(err, -ENOMEM, "no memory for downloads");
	fetcher->loop = loop;
	fetcher->settings = *settings;
	fetcher->handler = *handler;
	*out = fetcher;
	return 0;
}

void pic_fetcher_free(struct pic_fetcher *fetcher)
{
	if (!fetcher)
		return;
	while (fetcher->downloads) {
		struct download *download = fetcher->downloads;

		unlist(download);
		download_free(download);
	}
	free(fetcher);
}
