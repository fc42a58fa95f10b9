#include "net/mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"

#define REPLY_MS 30000
#define CONNECT_MS 15000L
#define WHOLE_MS 180000L

struct letter {
	struct letter *next;
	char *to, *text;
	size_t size, read;
	pic_mail_done_fn *done;
	void *data;
	enum pic_mail_result result;
	struct pic_error error;
};

struct list {
	struct letter *first, **last;
};

struct pic_mailer {
	struct pic_loop *loop;
	struct pic_watch *watch;
	int event_fd;
	char *url, *user, *password, *authority, *from;
	long tls; /* CURLUSESSL_... */
	int64_t reply_ms;

	pthread_mutex_t lock; /* guards what follows */
	struct list waiting, finished;
	int socket_fd;	 /* of the connection under way, so that it can be broken off */
	bool is_running; /* the thread is there and will look at `waiting` again */
	bool is_joinable;
	atomic_bool stopping;
	pthread_t thread;
};

static void list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct list *list, struct letter *letter)
{
	letter->next = NULL;
	*list->last = letter;
	list->last = &letter->next;
}

static struct letter *list_take(struct list *list)
{
	struct letter *letter = list->first;

	if (!letter)
		return NULL;
	list->first = letter->next;
	if (!list->first)
		list->last = &list->first;
	return letter;
}

static void letter_free(struct letter *letter)
{
	free(letter->to);
	free(letter->text);
	free(letter);
}

/* The thread. */

static size_t give_text(char *out, size_t one, size_t count, void *data)
{
	struct letter *letter = data;
	size_t left = letter->size - letter->read, size = one * count < left ? one * count : left;

	memcpy(out, letter->text + letter->read, size);
	letter->read += size;
	return size;
}

static int look_whether_to_stop(void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct pic_mailer *mailer = data;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return atomic_load(&mailer->stopping) ? 1 : 0;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *peer)
{
	struct pic_mailer *mailer = data;
	int fd = socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);

	(void)purpose;
	pthread_mutex_lock(&mailer->lock);
	mailer->socket_fd = fd;
	pthread_mutex_unlock(&mailer->lock);
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static int close_socket(void *data, curl_socket_t fd)
{
	struct pic_mailer *mailer = data;

	pthread_mutex_lock(&mailer->lock);
	if (mailer->socket_fd == fd)
		mailer->socket_fd = -1;
	pthread_mutex_unlock(&mailer->lock);
	return close(fd);
}

static void configure(CURL *easy, struct pic_mailer *mailer)
{
	struct curl_blob authority = { mailer->authority, 0, CURL_BLOB_NOCOPY };

	curl_easy_setopt(easy, CURLOPT_URL, mailer->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(easy, CURLOPT_USE_SSL, mailer->tls);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_USERNAME, mailer->user);
	curl_easy_setopt(easy, CURLOPT_PASSWORD, mailer->password);
	curl_easy_setopt(easy, CURLOPT_MAIL_FROM, mailer->from);
	curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_text);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, WHOLE_MS);
	curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT_MS, (long)mailer->reply_ms);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, look_whether_to_stop);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, mailer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, mailer);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, mailer);
	/* a proxy of the environment is for others */
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	if (mailer->authority) {
		authority.len = strlen(mailer->authority);
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &authority);
	}
}

static void judge(const struct pic_mailer *mailer, struct letter *letter, CURL *easy, CURLcode code,
		  const char *reason)
{
	PIC_BUF struct pic_buf words = PIC_BUF_INIT(4 * CURL_ERROR_SIZE);
	long reply = 0;

	letter->result = PIC_MAIL_SENT;
	if (code == CURLE_OK)
		return;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &reply);
	letter->result = reply >= 500 && reply < 600 ? PIC_MAIL_REFUSED : PIC_MAIL_LATER;
	pic_text_escape(*reason ? reason : curl_easy_strerror(code),
			strnlen(*reason ? reason : curl_easy_strerror(code), CURL_ERROR_SIZE),
			false, &words);
	pic_error_set(&letter->error, letter->result == PIC_MAIL_REFUSED ? -EACCES : -EAGAIN,
		      "mail server %s did not take the mail to %.80s: %.200s", mailer->url,
		      letter->to, pic_buf_text(&words));
}

static void deliver(struct pic_mailer *mailer, CURL *easy, struct letter *letter)
{
	struct curl_slist *to = curl_slist_append(NULL, letter->to);
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (to) {
		configure(easy, mailer);
		curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, reason);
		curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
		curl_easy_setopt(easy, CURLOPT_READDATA, letter);
		curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)letter->size);
		code = curl_easy_perform(easy);
	}
	judge(mailer, letter, easy, code, reason);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
	curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(to);
}

static void tell_loop(struct pic_mailer *mailer)
{
	const uint64_t one = 1;

	if (write(mailer->event_fd, &one, sizeof(one)) < 0)
		abort(); /* cannot fail on an eventfd that is drained */
}

static struct letter *next_letter(struct pic_mailer *mailer)
{
	pthread_mutex_lock(&mailer->lock);
	struct letter *letter = atomic_load(&mailer->stopping) ? NULL : list_take(&mailer->waiting);
	pthread_mutex_unlock(&mailer->lock);
	return letter;
}

/* Whether nothing came meanwhile; then nobody counts on this thread any more. */
static bool may_end(struct pic_mailer *mailer)
{
	pthread_mutex_lock(&mailer->lock);
	bool end = !mailer->waiting.first || atomic_load(&mailer->stopping);
	if (end)
		mailer->is_running = false;
	pthread_mutex_unlock(&mailer->lock);
	return end;
}

/* The library says QUIT and waits for the answer, long if need be: nobody needs it. */
static void hang_up(struct pic_mailer *mailer, CURL *easy)
{
	pthread_mutex_lock(&mailer->lock);
	if (mailer->socket_fd >= 0)
		shutdown(mailer->socket_fd, SHUT_RD);
	pthread_mutex_unlock(&mailer->lock);
	curl_easy_cleanup(easy);
}

static void deliver_all(struct pic_mailer *mailer)
{
	CURL *easy = curl_easy_init();
	struct letter *letter;

	while ((letter = next_letter(mailer))) {
		if (easy) {
			deliver(mailer, easy, letter);
		} else {
			letter->result = PIC_MAIL_LATER;
			pic_error_set(&letter->error, -ENOMEM, "no memory to send a mail");
		}
		pthread_mutex_lock(&mailer->lock);
		list_add(&mailer->finished, letter);
		pthread_mutex_unlock(&mailer->lock);
		tell_loop(mailer);
	}
	if (easy)
		hang_up(mailer, easy);
}

static void *work(void *data)
{
	struct pic_mailer *mailer = data;

	do
		deliver_all(mailer);
	while (!may_end(mailer));
	return NULL;
}

/* The loop's side. */

static void on_finished(void *data, int fd, uint32_t events)
{
	struct pic_mailer *mailer = data;
	struct list finished;
	uint64_t count;

	(void)events;
	if (read(fd, &count, sizeof(count)) < 0)
		return;
	list_init(&finished);
	pthread_mutex_lock(&mailer->lock);
	for (struct letter *letter; (letter = list_take(&mailer->finished));)
		list_add(&finished, letter);
	pthread_mutex_unlock(&mailer->lock);
	for (struct letter *letter; (letter = list_take(&finished));) {
		letter->done(letter->data, letter->result, &letter->error);
		letter_free(letter);
	}
}

static int start_thread(struct pic_mailer *mailer, struct pic_error *err)
{
	if (mailer->is_joinable)
		pthread_join(mailer->thread, NULL); /* it has returned, or is about to */
	mailer->is_joinable = false;
	mailer->is_running = true;
	int r = pthread_create(&mailer->thread, NULL, work, mailer);
	if (r != 0) {
		mailer->is_running = false;
		return pic_error_errno(err, r, "cannot start to send mail");
	}
	mailer->is_joinable = true;
	return 0;
}

int pic_mailer_send(struct pic_mailer *mailer, const char *to, char *text, pic_mail_done_fn *done,
		    void *data, struct pic_error *err)
{
	struct letter *letter = calloc(1, sizeof(*letter));
	bool running;

	if (letter)
		letter->to = strdup(to);
	if (!letter || !letter->to || !text) {
		free(text);
		if (letter)
			letter_free(letter);
		return pic_error_set(err, -ENOMEM, "no memory to send a mail");
	}
	letter->text = text;
	letter->size = strlen(text);
	letter->done = done;
	letter->data = data;
	pthread_mutex_lock(&mailer->lock);
	list_add(&mailer->waiting, letter);
	running = mailer->is_running;
	pthread_mutex_unlock(&mailer->lock);
	if (running)
		return 0;
	int r = start_thread(mailer, err);
	if (r < 0) /* only this one waits: others would have kept the thread */
		letter_free(list_take(&mailer->waiting));
	return r;
}

/* Settings. */

static bool is_loopback(const char *host)
{
	return strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
	       strcmp(host, "[::1]") == 0;
}

static char *part(CURLU *url, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(url, what, &text, flags) != CURLUE_OK)
		return NULL;
	copy = strdup(text);
	curl_free(text);
	return copy;
}

static int keep_server(struct pic_mailer *mailer, CURLU *url, bool plain, struct pic_error *err)
{
	PIC_FREE char *scheme = part(url, CURLUPART_SCHEME, 0);
	PIC_FREE char *host = part(url, CURLUPART_HOST, 0);
	PIC_FREE char *port = part(url, CURLUPART_PORT, 0);
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(512);

	if (!scheme || !host || (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
		return pic_error_set(err, -EINVAL,
				     "the address of the mail server must begin with smtp://, "
				     "smtps:// or smtp-plain://");
	pic_buf_format(&text, "%s://%s%s%s", scheme, host, port ? ":" : "", port ? port : "");
	mailer->url = pic_buf_take(&text);
	mailer->tls = plain || is_loopback(host) ? CURLUSESSL_NONE : CURLUSESSL_ALL;
	return mailer->url ? 0
			   : pic_error_set(err, -EINVAL, "the mail server's address is too long");
}

static int keep_secrets(struct pic_mailer *mailer, CURLU *url,
			const struct pic_mailer_settings *settings, bool plain,
			struct pic_error *err)
{
	mailer->user = part(url, CURLUPART_USER, CURLU_URLDECODE);
	mailer->password = settings->password ? strdup(settings->password)
					      : part(url, CURLUPART_PASSWORD, CURLU_URLDECODE);
	if (mailer->password && !mailer->user)
		return pic_error_set(err, -EINVAL,
				     "a password for mail server %s needs a user: "
				     "smtp://USER@HOST",
				     mailer->url);
	if (mailer->user && plain)
		return pic_error_set(err, -EINVAL,
				     "a password must not go to %s without TLS; use smtp://",
				     mailer->url);
	mailer->from = strdup(settings->from);
	if (settings->authority_pem)
		mailer->authority = strdup(settings->authority_pem);
	if (!mailer->from || (settings->authority_pem && !mailer->authority))
		return pic_error_set(err, -ENOMEM, "no memory for mail");
	return 0;
}

static int keep_settings(struct pic_mailer *mailer, const struct pic_mailer_settings *settings,
			 struct pic_error *err)
{
	static const char plain_scheme[] = "smtp-plain://";
	const bool plain = pic_text_starts(settings->url, plain_scheme);
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(2048);
	CURLU *url = curl_url();
	int r = 0;

	if (plain)
		pic_buf_format(&text, "smtp://%s", settings->url + sizeof(plain_scheme) - 1);
	else
		pic_buf_text_add(&text, settings->url);
	if (!url)
		r = pic_error_set(err, -ENOMEM, "no memory for mail");
	else if (curl_url_set(url, CURLUPART_URL, pic_buf_text(&text), CURLU_NON_SUPPORT_SCHEME) !=
		 CURLUE_OK)
		r = pic_error_set(err, -EINVAL,
				  "the mail server's address is no URL like smtp://HOST:587");
	if (r == 0)
		r = keep_server(mailer, url, plain, err);
	if (r == 0)
		r = keep_secrets(mailer, url, settings, plain, err);
	curl_url_cleanup(url);
	if (text.data)
		explicit_bzero(text.data, text.size);
	return r;
}

static void destroy(struct pic_mailer *mailer)
{
	for (struct letter *letter; (letter = list_take(&mailer->waiting));)
		letter_free(letter);
	for (struct letter *letter; (letter = list_take(&mailer->finished));)
		letter_free(letter);
	pic_watch_free(mailer->watch);
	pic_close_fd(&mailer->event_fd);
	if (mailer->password)
		explicit_bzero(mailer->password, strlen(mailer->password));
	free(mailer->password);
	free(mailer->user);
	free(mailer->url);
	free(mailer->authority);
	free(mailer->from);
	pthread_mutex_destroy(&mailer->lock);
	free(mailer);
	curl_global_cleanup();
}

int pic_mailer_new(struct pic_mailer **out, struct pic_loop *loop,
		   const struct pic_mailer_settings *settings, struct pic_error *err)
{
	struct pic_mailer *mailer = calloc(1, sizeof(*mailer));
	int r;

	if (!mailer || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(mailer);
		return pic_error_set(err, -ENOMEM, "no memory for mail");
	}
	mailer->loop = loop;
	mailer->socket_fd = -1;
	mailer->reply_ms = settings->reply_ms > 0 ? settings->reply_ms : REPLY_MS;
	list_init(&mailer->waiting);
	list_init(&mailer->finished);
	pthread_mutex_init(&mailer->lock, NULL);
	mailer->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = mailer->event_fd < 0 ? pic_error_errno(err, errno, "cannot prepare to send mail")
				 : keep_settings(mailer, settings, err);
	if (r == 0)
		r = pic_loop_watch(loop, mailer->event_fd, EPOLLIN, on_finished, mailer,
				   &mailer->watch, err);
	if (r < 0) {
		destroy(mailer);
		return r;
	}
	*out = mailer;
	return 0;
}

void pic_mailer_free(struct pic_mailer *mailer)
{
	if (!mailer)
		return;
	atomic_store(&mailer->stopping, true);
	pthread_mutex_lock(&mailer->lock);
	if (mailer->socket_fd >= 0)
		shutdown(mailer->socket_fd, SHUT_RDWR);
	pthread_mutex_unlock(&mailer->lock);
	if (mailer->is_joinable)
		pthread_join(mailer->thread, NULL);
	destroy(mailer);
}

const char *pic_mailer_server(const struct pic_mailer *mailer)
{
	return mailer->url;
}
