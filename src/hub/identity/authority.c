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

int pic_authority_open(struct pic_authority *authority, int folder_fd, const char *folder,
		       struct pic_error *err)
{
	int r = open_pair(authority, folder_fd, folder, err);

	if (r == 0)
		r = open_key(folder_fd, "listener.key", true, &authority->listener_key, err);
	if (r < 0)
		pic_authority_close(authority);
	return r;
}

void pic_authority_close(struct pic_authority *authority)
{
	pic_key_free(authority->key);
	pic_key_free(authority->listener_key);
	free(authority->pem);
	*authority = (struct pic_authority){ .key = NULL };
}
