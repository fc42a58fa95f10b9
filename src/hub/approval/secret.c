/*
 * What links and page tokens are made of. All follow by HMAC from one key of the state folder, each with a
 * word of its own in front, so that none can be taken for another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "hub/approval/room.h"

#define KEY_FILE "approval.key"
#define TOKEN_MS (60LL * 60 * 1000)
/* "<end in ms, 16 hex digits><phase, 1 digit><mac, 64 hex digits>" */
#define TOKEN_HEAD 17

int pic_approval_key_load(const char *state, unsigned char key[PIC_SHA256_SIZE],
			  struct pic_error *err)
{
	PIC_BUF struct pic_buf bytes = PIC_BUF_INIT(PIC_SHA256_SIZE + 1);
	PIC_FD int folder = -1;
	int r = pic_folder_open(AT_FDCWD, state, false, 0700, (uid_t)-1, (gid_t)-1, &folder, err);

	if (r < 0)
		return r;
	r = pic_file_read(folder, KEY_FILE, &bytes, err);
	if (r == -ENOENT) {
		unsigned char fresh[PIC_SHA256_SIZE];

		pic_random_bytes(fresh, sizeof(fresh));
		r = pic_file_write(folder, KEY_FILE, 0600, fresh, sizeof(fresh), PIC_FILE_DURABLE,
				   err);
		if (r == 0)
			memcpy(key, fresh, sizeof(fresh));
		return r;
	}
	if (r == 0 && bytes.size != PIC_SHA256_SIZE)
		return pic_error_set(err, -EINVAL,
				     "%s/" KEY_FILE " is damaged; delete it and the links of mails "
				     "that were sent stop working",
				     state);
	if (r == 0)
		memcpy(key, bytes.data, PIC_SHA256_SIZE);
	return r;
}

static void derive(const struct pic_approvals *approvals, const char *word, const char *a,
		   const char *b, char out[PIC_SHA256_TEXT])
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	struct pic_sha256 mac;

	/* no part can hold the byte between them */
	pic_buf_format(&text, "%s\n%s\n%s", word, a, b);
	pic_hmac_sha256(approvals->key, sizeof(approvals->key), text.data, text.size, &mac);
	pic_sha256_text(&mac, out);
}

/* One spelling, whatever the letters' case of the address. */
static void lower(const char *mail, char out[PIC_APPROVAL_MAIL_MAX + 1])
{
	size_t i = 0;

	for (; mail[i] && i < PIC_APPROVAL_MAIL_MAX; i++)
		out[i] = (char)(mail[i] >= 'A' && mail[i] <= 'Z' ? mail[i] - 'A' + 'a' : mail[i]);
	out[i] = '\0';
}

void pic_approval_link_secret(const struct pic_approvals *approvals, const char *id,
			      const char *mail, char out[PIC_APPROVAL_SECRET_TEXT])
{
	char address[PIC_APPROVAL_MAIL_MAX + 1];

	lower(mail, address);
	derive(approvals, "link", id, address, out);
}

void pic_approval_url_secret(const struct pic_approvals *approvals,
			     char out[PIC_APPROVAL_SECRET_TEXT])
{
	derive(approvals, "url", "", "", out);
	out[32] = '\0';
}

struct pic_object *pic_approval_find_by_id(struct pic_approvals *approvals, const char *id)
{
	struct pic_store *store = approvals->hub->store;

	if (!id || strlen(id) != PIC_APPROVAL_TEXT - 1 ||
	    strspn(id, "0123456789abcdef") != PIC_APPROVAL_TEXT - 1)
		return NULL;
	for (struct pic_object *one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, NULL); one;
	     one = pic_store_next(store, PIC_KIND_APPROVAL, NULL, one)) {
		const char *its = pic_json_get_text(pic_object_spec(one), "id");

		if (its && strcmp(its, id) == 0)
			return one;
	}
	return NULL;
}

/* All approvers are compared, so that the time tells nothing. */
static const char *owner_of(struct pic_approvals *approvals, const struct pic_object *approval,
			    const char *id, const char *secret)
{
	const struct pic_json *list = pic_json_get(pic_object_spec(approval), "approvers");
	char expected[PIC_APPROVAL_SECRET_TEXT];
	const char *owner = NULL;

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *mail = pic_json_text(pic_json_at(list, i));

		if (!mail)
			continue;
		pic_approval_link_secret(approvals, id, mail, expected);
		if (pic_text_equal_secret(secret, expected) &&
		    pic_approver_is_by_mail(pic_approver_find(approvals->hub->store, mail)))
			owner = mail;
	}
	return owner;
}

static int find_owner(struct pic_approvals *approvals, const char *id, const char *secret,
		      struct pic_object **approval, char by[PIC_APPROVAL_BY_TEXT],
		      struct pic_error *err)
{
	struct pic_object *found = pic_approval_find_by_id(approvals, id);
	const char *mail = found && secret ? owner_of(approvals, found, id, secret) : NULL;

	if (!mail || strlen(mail) >= PIC_APPROVAL_BY_TEXT)
		return pic_error_set(err, -EACCES,
				     "this link decides nothing: it is not whole, or its owner may "
				     "no longer decide by mail; sign in instead");
	strcpy(by, mail);
	*approval = found;
	return 0;
}

/* Over all that it is good for; `secret` stands for the person. */
static void sign_token(const struct pic_approvals *approvals, const char *id, const char *secret,
		       const char head[TOKEN_HEAD + 1], char out[PIC_APPROVAL_PAGE_TOKEN_TEXT])
{
	char what[PIC_APPROVAL_TEXT + TOKEN_HEAD + 2], mac[PIC_SHA256_TEXT];

	snprintf(what, sizeof(what), "%s-%s", id, head);
	derive(approvals, "page", what, secret, mac);
	snprintf(out, PIC_APPROVAL_PAGE_TOKEN_TEXT, "%s%s", head, mac);
}

int pic_approval_page_token_make(struct pic_approvals *approvals, const char *id,
				 const char *secret, char token[PIC_APPROVAL_PAGE_TOKEN_TEXT],
				 char by[PIC_APPROVAL_BY_TEXT], struct pic_error *err)
{
	enum pic_approval_phase phase;
	struct pic_object *approval;
	char head[TOKEN_HEAD + 1];
	int r = find_owner(approvals, id, secret, &approval, by, err);

	if (r < 0)
		return r;
	if (pic_approval_phase_of(approval, &phase) < 0)
		return pic_error_set(err, -EINVAL, "approval %s cannot be read", approval->name);
	snprintf(head, sizeof(head), "%016llx%d",
		 (unsigned long long)(pic_clock_wall_ms() + TOKEN_MS), (int)phase);
	sign_token(approvals, id, secret, head, token);
	return 0;
}

static int check_freshness(const struct pic_object *approval, const char *token,
			   struct pic_error *err)
{
	PIC_BUF struct pic_buf outcome = PIC_BUF_INIT(1024);
	enum pic_approval_phase phase;
	char end[TOKEN_HEAD] = "";

	memcpy(end, token, TOKEN_HEAD - 1);
	int64_t left = (int64_t)strtoull(end, NULL, 16) - pic_clock_wall_ms();
	if (left <= 0 || left > TOKEN_MS)
		return pic_error_set(err, -EACCES,
				     "the page is too old to decide with; load it again");
	if (pic_approval_phase_of(approval, &phase) < 0)
		return pic_error_set(err, -EINVAL, "approval %s cannot be read", approval->name);
	if ((int)phase == token[TOKEN_HEAD - 1] - '0')
		return 0;
	pic_approval_outcome_text(approval, &outcome);
	return pic_error_set(err, -EALREADY, "%s was %s already", approval->name,
			     pic_buf_text(&outcome));
}

int pic_approval_page_token_check(struct pic_approvals *approvals, const char *id,
				  const char *secret, const char *token,
				  char by[PIC_APPROVAL_BY_TEXT], struct pic_error *err)
{
	char head[TOKEN_HEAD + 1] = "", expected[PIC_APPROVAL_PAGE_TOKEN_TEXT];
	struct pic_object *approval;
	int r = find_owner(approvals, id, secret, &approval, by, err);

	if (r < 0)
		return r;
	if (token)
		strncpy(head, token, TOKEN_HEAD);
	sign_token(approvals, id, secret, head, expected);
	if (!token || strlen(head) != TOKEN_HEAD || !pic_text_equal_secret(token, expected))
		return pic_error_set(err, -EACCES,
				     "the page's token is not one of this page; load it again");
	return check_freshness(approval, token, err);
}
