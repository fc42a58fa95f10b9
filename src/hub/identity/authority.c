#include "hub/identity/authority.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"

#define PEM_MAX (16 * 1024)
#define DAY_MS (24LL * 60 * 60 * 1000)
#define AUTHORITY_DAYS (20 * 365)
#define TICKET_DAYS (2 * 365)
#define TICKET_LEFT_DAYS 90 /* then it is made anew */

/* *found is false when there is no such file. */
static int read_pem(int folder_fd, const char *name, struct pic_buf *out, bool *found,
		    struct pic_error *err)
{
	int r = pic_file_read(folder_fd, name, out, err);

	*found = r == 0;
	return r == -ENOENT ? 0 : r;
}

static int write_pem(int folder_fd, const char *name, mode_t mode, const struct pic_buf *pem,
		     struct pic_error *err)
{
	return pic_file_write(folder_fd, name, mode, pem->data, pem->size, PIC_FILE_DURABLE, err);
}

/* The key of that file, made when there is none and `make`. */
static int open_key(int folder_fd, const char *name, bool make, struct pic_key **out,
		    struct pic_error *err)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(PEM_MAX);
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	bool found;
	int r = read_pem(folder_fd, name, &pem, &found, err);

	if (r == 0 && found) {
		r = pic_key_parse(out, pic_buf_text(&pem), err);
		return r < 0 ? pic_error_wrap(err, r, "%s is damaged", name) : 0;
	}
	if (r < 0 || !make)
		return r < 0 ? r : pic_error_set(err, -ENOENT, "%s is missing", name);
	r = pic_key_generate(&key, err);
	if (r == 0)
		r = pic_key_write(key, &pem, err);
	if (r == 0)
		r = write_pem(folder_fd, name, 0600, &pem, err);
	if (r == 0)
		*out = PIC_STEAL(key);
	return r;
}

/* Each authority has a name of its own, so that two of them are not taken for one. */
static int make_certificate(const struct pic_key *key, struct pic_buf *pem, struct pic_error *err)
{
	char name[48], random[9];
	int64_t now = pic_clock_wall_ms();
	struct pic_certificate_order order = {
		.use = PIC_CERTIFICATE_AUTHORITY,
		.common_name = name,
		.not_before_ms = now - DAY_MS,
		.not_after_ms = now + AUTHORITY_DAYS * DAY_MS,
	};

	pic_random_text(4, random);
	snprintf(name, sizeof(name), "Piccolo hub %s", random);
	return pic_certificate_sign(&order, key, key, NULL, pem, err);
}

static int check_pair(const struct pic_authority *authority, const char *folder,
		      struct pic_error *err)
{
	struct pic_certificate_facts facts;
	int r = pic_certificate_read(authority->pem, &facts, err);

	if (r < 0)
		return pic_error_wrap(err, r, "%s/authority.pem is damaged", folder);
	if (!pic_sha256_equal(&facts.key_pin, &authority->pin))
		return pic_error_set(
			err, -EKEYREJECTED,
			"%s/authority.key does not belong to %s/authority.pem; bring back the "
			"file that was there before",
			folder, folder);
	return 0;
}

/* The certificate is written last: while it is missing nobody can have seen the key. */
static int open_pair(struct pic_authority *authority, int folder_fd, const char *folder,
		     struct pic_error *err)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(PEM_MAX);
	bool found;
	int r = read_pem(folder_fd, "authority.pem", &pem, &found, err);

	if (r == 0)
		r = open_key(folder_fd, "authority.key", !found, &authority->key, err);
	if (r < 0 && found)
		return pic_error_wrap(err, r, "the hub's authority in %s cannot be used", folder);
	if (r == 0 && !found) {
		r = make_certificate(authority->key, &pem, err);
		if (r == 0)
			r = write_pem(folder_fd, "authority.pem", 0644, &pem, err);
		if (r == 0)
			pic_log(PIC_LOG_INFO, "authority-made", PIC_TEXT("folder", folder));
	}
	if (r == 0)
		r = pic_key_pin(authority->key, &authority->pin, err);
	if (r < 0)
		return r;
	authority->pem = pic_buf_take(&pem);
	return check_pair(authority, folder, err);
}

/* -- the signer of tickets ------------------------------------------------------------------------ */

/* Until when the certificate is good for this key; 0: it is not. */
static int64_t ticket_until(const struct pic_authority *authority, const char *pem)
{
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;

	if (pic_certificate_read(pem, &facts, NULL) < 0 ||
	    pic_key_pin(authority->ticket_key, &pin, NULL) < 0 ||
	    !pic_sha256_equal(&facts.key_pin, &pin) ||
	    pic_certificate_verify_use(pem, authority->pem, PIC_CERTIFICATE_TICKET, 0, NULL) < 0)
		return 0;
	return facts.not_after_ms;
}

static int keep_ticket(struct pic_authority *authority, struct pic_buf *pem, int64_t until_ms,
		       struct pic_error *err)
{
	char *chain = NULL;

	if (asprintf(&chain, "%s%s", pic_buf_text(pem), authority->pem) < 0)
		return pic_error_set(err, -ENOMEM, "no memory for the signer of tickets");
	free(authority->ticket_pem);
	authority->ticket_pem = chain;
	authority->ticket_until_ms = until_ms;
	return 0;
}

int pic_authority_renew_ticket(struct pic_authority *authority, int folder_fd, int64_t now_ms,
			       struct pic_error *err)
{
	const struct pic_certificate_order order = {
		.use = PIC_CERTIFICATE_TICKET,
		.common_name = "Piccolo hub tickets",
		.not_before_ms = now_ms - DAY_MS,
		.not_after_ms = now_ms + TICKET_DAYS * DAY_MS,
	};
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(PEM_MAX);
	int r;

	if (authority->ticket_until_ms > now_ms + TICKET_LEFT_DAYS * DAY_MS)
		return 0;
	r = pic_certificate_sign(&order, authority->ticket_key, authority->key, authority->pem,
				 &pem, err);
	if (r == 0)
		r = write_pem(folder_fd, "ticket.pem", 0600, &pem, err);
	if (r == 0)
		r = keep_ticket(authority, &pem, order.not_after_ms, err);
	if (r == 0)
		pic_log(PIC_LOG_INFO, "ticket-signer-made");
	return r;
}

static int open_ticket(struct pic_authority *authority, int folder_fd, struct pic_error *err)
{
	PIC_BUF struct pic_buf pem = PIC_BUF_INIT(PEM_MAX);
	int64_t until = 0;
	bool found = false;
	int r = open_key(folder_fd, "ticket.key", true, &authority->ticket_key, err);

	if (r == 0)
		r = read_pem(folder_fd, "ticket.pem", &pem, &found, err);
	if (r == 0 && found)
		until = ticket_until(authority, pic_buf_text(&pem));
	if (r == 0 && until)
		r = keep_ticket(authority, &pem, until, err);
	return r < 0 ? r
		     : pic_authority_renew_ticket(authority, folder_fd, pic_clock_wall_ms(), err);
}

int pic_authority_open(struct pic_authority *authority, int folder_fd, const char *folder,
		       struct pic_error *err)
{
	int r = open_pair(authority, folder_fd, folder, err);

	if (r == 0)
		r = open_key(folder_fd, "listener.key", true, &authority->listener_key, err);
	if (r == 0)
		r = open_ticket(authority, folder_fd, err);
	if (r < 0)
		pic_authority_close(authority);
	return r;
}

void pic_authority_close(struct pic_authority *authority)
{
	pic_key_free(authority->key);
	pic_key_free(authority->listener_key);
	pic_key_free(authority->ticket_key);
	free(authority->pem);
	free(authority->ticket_pem);
	*authority = (struct pic_authority){ .key = NULL };
}
