#include "hub/identity/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "hub/identity/authority.h"
#include "hub/identity/token.h"

#define DAY_MS (24LL * 60 * 60 * 1000)
#define LISTENER_DAYS (10 * 365)
#define DEVICE_DAYS 365
#define SESSION_MS DAY_MS
#define SESSIONS_MAX 256
#define KEEP_EXPIRED_MS (7 * DAY_MS)
#define DEVICE_ORGANIZATION "device"
#define FIRST_BOOTS_MAX 8 /* configs of one device whose tokens live */

struct session {
	struct pic_sha256 digest;
	int64_t end_boot_ms; /* 0: free */
};

struct pic_identity {
	struct pic_store *store;
	int folder_fd;
	struct pic_authority authority;
	struct session sessions[SESSIONS_MAX]; /* a ring: the oldest gives way */
	size_t next_session;
	char demo_token[PIC_TOKEN_TEXT];
	struct pic_sha256 demo_digest;
};

/* A change that is waited for, with its outcome. */
struct outcome {
	int status;
	struct pic_error *err;
};

static void keep_outcome(void *data, int status, const struct pic_error *err)
{
	struct outcome *outcome = data;

	outcome->status = status;
	if (err && outcome->err)
		*outcome->err = *err;
}

static int commit_and_wait(struct pic_store *store, struct pic_change *change,
			   struct pic_error *err)
{
	struct outcome outcome = { -EIO, err };

	pic_change_commit(change, keep_outcome, &outcome);
	pic_store_settle(store);
	return outcome.status;
}

static void each_admin_token_delete(struct pic_store *store, struct pic_change *change)
{
	for (struct pic_object *token = pic_store_next(store, PIC_KIND_TOKEN, NULL, NULL); token;
	     token = pic_store_next(store, PIC_KIND_TOKEN, NULL, token)) {
		if (pic_token_is(token, PIC_TOKEN_ADMIN))
			pic_change_delete(change, PIC_KIND_TOKEN, "", token->name);
	}
}

static bool has_admin_token(struct pic_store *store)
{
	for (struct pic_object *token = pic_store_next(store, PIC_KIND_TOKEN, NULL, NULL); token;
	     token = pic_store_next(store, PIC_KIND_TOKEN, NULL, token)) {
		if (pic_token_is(token, PIC_TOKEN_ADMIN))
			return true;
	}
	return false;
}

int pic_identity_renew_admin(struct pic_identity *identity, const struct pic_actor *actor,
			     char token[PIC_TOKEN_TEXT], struct pic_error *err)
{
	struct pic_change *change = pic_change_new(identity->store, actor);
	struct pic_sha256 digest;
	char made[PIC_TOKEN_TEXT];
	int r;

	pic_token_make(PIC_TOKEN_ADMIN, made, &digest);
	if (change)
		each_admin_token_delete(identity->store, change);
	r = pic_change_put(change, PIC_KIND_TOKEN,
			   pic_token_object(PIC_TOKEN_ADMIN, &digest, NULL, 0), err);
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	r = commit_and_wait(identity->store, change, err);
	if (r == 0) {
		memcpy(token, made, sizeof(made));
		explicit_bzero(identity->sessions, sizeof(identity->sessions));
	}
	explicit_bzero(made, sizeof(made));
	return r;
}

static int first_admin_token(struct pic_identity *identity, char **new_token, struct pic_error *err)
{
	static const struct pic_actor actor = { "piccolo-hub", "", "first start" };
	char token[PIC_TOKEN_TEXT];

	*new_token = NULL;
	if (has_admin_token(identity->store))
		return 0;
	int r = pic_identity_renew_admin(identity, &actor, token, err);
	if (r < 0)
		return r;
	*new_token = strdup(token);
	explicit_bzero(token, sizeof(token));
	return *new_token ? 0 : pic_error_set(err, -ENOMEM, "no memory for the admin token");
}

static int open_all(struct pic_identity *identity, const char *folder, char **new_token,
		    struct pic_error *err)
{
	char path[512];
	PIC_FD int fd = -1;
	int r;

	if (snprintf(path, sizeof(path), "%s/identity", folder) >= (int)sizeof(path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the name of the state folder is too long");
	r = pic_folder_open(AT_FDCWD, path, true, 0700, (uid_t)-1, (gid_t)-1, &fd, err);
	if (r == 0)
		r = pic_folder_sweep(fd, err);
	if (r == 0)
		r = pic_authority_open(&identity->authority, fd, path, err);
	if (r < 0)
		return r;
	identity->folder_fd = PIC_STEAL_FD(fd);
	pic_token_make(PIC_TOKEN_SESSION, identity->demo_token, &identity->demo_digest);
	return first_admin_token(identity, new_token, err);
}

int pic_identity_open(struct pic_identity **out, struct pic_store *store, const char *folder,
		      char **new_token, struct pic_error *err)
{
	struct pic_identity *identity = calloc(1, sizeof(*identity));

	if (!identity)
		return pic_error_set(err, -ENOMEM, "no memory for the hub's identity");
	identity->store = store;
	identity->folder_fd = -1;
	int r = open_all(identity, folder, new_token, err);
	if (r < 0) {
		pic_identity_close(identity);
		return r;
	}
	*out = identity;
	return 0;
}

void pic_identity_close(struct pic_identity *identity)
{
	if (!identity)
		return;
	pic_authority_close(&identity->authority);
	pic_close_fd(&identity->folder_fd);
	explicit_bzero(identity, sizeof(*identity));
	free(identity);
}

const char *pic_identity_authority(const struct pic_identity *identity)
{
	return identity->authority.pem;
}

void pic_identity_authority_pin(const struct pic_identity *identity, struct pic_sha256 *out)
{
	*out = identity->authority.pin;
}

int pic_identity_listener(struct pic_identity *identity, const char *const *addresses,
			  struct pic_buf *certificate, struct pic_buf *key, struct pic_error *err)
{
	int64_t now = pic_clock_wall_ms();
	struct pic_certificate_order order = {
		.use = PIC_CERTIFICATE_SERVER,
		.common_name = "piccolo-hub",
		.addresses = addresses,
		.not_before_ms = now - DAY_MS,
		.not_after_ms = now + LISTENER_DAYS * DAY_MS,
	};
	int r = pic_certificate_sign(&order, identity->authority.listener_key,
				     identity->authority.key, identity->authority.pem, certificate,
				     err);

	return r < 0 ? r : pic_key_write(identity->authority.listener_key, key, err);
}

int pic_identity_sign_ticket(struct pic_identity *identity, const void *ticket, size_t size,
			     unsigned char signature[PIC_SIGNATURE_MAX], size_t *signature_size,
			     const char **certificate, struct pic_error *err)
{
	struct pic_authority *authority = &identity->authority;
	struct pic_sha256 digest;
	int r = pic_authority_renew_ticket(authority, identity->folder_fd, pic_clock_wall_ms(),
					   err);

	if (r < 0)
		return r;
	pic_sha256_of(ticket, size, &digest);
	r = pic_key_sign(authority->ticket_key, &digest, signature, signature_size, err);
	if (r == 0)
		*certificate = authority->ticket_pem;
	return r;
}

/* Callers. */

static bool pin_is(const struct pic_object *device, const char *key, const struct pic_sha256 *pin)
{
	const char *text = pic_json_get_text(pic_object_spec(device), key);
	struct pic_sha256 kept;

	return text && pic_sha256_parse(text, &kept) == 0 && pic_sha256_equal(&kept, pin);
}

/* The certificate chains to our authority: the server layer has seen to that. */
static void caller_by_certificate(struct pic_identity *identity, struct pic_view der,
				  struct pic_caller *out)
{
	struct pic_certificate_facts facts;

	if (pic_certificate_read_der(der.data, der.size, &facts, NULL) < 0)
		return;
	if (strcmp(facts.organization, DEVICE_ORGANIZATION) != 0 ||
	    !pic_name_is_valid(facts.common_name, PIC_NAME_MAX))
		return;
	strcpy(out->name, facts.common_name);
	out->key_pin = facts.key_pin;
	const struct pic_object *device =
		pic_store_get(identity->store, PIC_KIND_DEVICE, "", out->name);
	/* A renewed certificate may not have reached the device: until the new one is used, both count. */
	if (device && (pin_is(device, "keyPin", &out->key_pin) ||
		       pin_is(device, "nextKeyPin", &out->key_pin)))
		out->role = PIC_ROLE_DEVICE;
	else
		out->is_unknown = true;
}

static bool is_session(struct pic_identity *identity, const struct pic_sha256 *digest)
{
	int64_t now = pic_clock_boot_ms();

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		const struct session *session = &identity->sessions[i];

		if (session->end_boot_ms > now && pic_sha256_equal(&session->digest, digest))
			return true;
	}
	return false;
}

void pic_identity_token_caller(struct pic_identity *identity, const char *token,
			       struct pic_caller *out)
{
	struct pic_sha256 digest;

	if (!pic_token_digest(token, &digest))
		return;
	out->is_demo = pic_sha256_equal(&digest, &identity->demo_digest);
	if (!out->is_demo && !pic_token_find(identity->store, PIC_TOKEN_ADMIN, &digest) &&
	    !is_session(identity, &digest))
		return;
	out->role = PIC_ROLE_ADMIN;
	strcpy(out->name, "admin");
}

void pic_identity_caller(struct pic_identity *identity, const struct pic_exchange *exchange,
			 struct pic_caller *out)
{
	static const char scheme[] = "Bearer ";
	const char *header = pic_exchange_header(exchange, "Authorization");
	struct pic_view certificate = pic_exchange_certificate(exchange);

	*out = (struct pic_caller){ .role = PIC_ROLE_NOBODY };
	if (header && strncasecmp(header, scheme, sizeof(scheme) - 1) == 0)
		pic_identity_token_caller(identity, header + sizeof(scheme) - 1, out);
	else if (certificate.size)
		caller_by_certificate(identity, certificate, out);
}

bool pic_identity_is_admin_token(struct pic_identity *identity, const char *token)
{
	struct pic_sha256 digest;

	return pic_token_digest(token, &digest) &&
	       pic_token_find(identity->store, PIC_TOKEN_ADMIN, &digest);
}

void pic_identity_session(struct pic_identity *identity, char token[PIC_TOKEN_TEXT])
{
	struct session *session = &identity->sessions[identity->next_session];

	identity->next_session = (identity->next_session + 1) % SESSIONS_MAX;
	pic_token_make(PIC_TOKEN_SESSION, token, &session->digest);
	session->end_boot_ms = pic_clock_boot_ms() + SESSION_MS;
}

void pic_identity_demo_session(struct pic_identity *identity, char token[PIC_TOKEN_TEXT])
{
	memcpy(token, identity->demo_token, PIC_TOKEN_TEXT);
}

/* Enrolment. */

static int64_t number_of(const struct pic_object *token, const char *key)
{
	long long number = 0;

	pic_json_integer(pic_json_get(pic_object_spec(token), key), &number);
	return number;
}

/* Used and expired ones are kept for a week, so that the sentence can say which of both it was. */
static void forget_old_tokens(struct pic_store *store, struct pic_change *change, int64_t now_ms)
{
	for (struct pic_object *token = pic_store_next(store, PIC_KIND_TOKEN, NULL, NULL); token;
	     token = pic_store_next(store, PIC_KIND_TOKEN, NULL, token)) {
		if ((pic_token_is(token, PIC_TOKEN_ENROLL) ||
		     pic_token_is(token, PIC_TOKEN_BOOT)) &&
		    number_of(token, "expires-ms") + KEEP_EXPIRED_MS < now_ms)
			pic_change_delete(change, PIC_KIND_TOKEN, "", token->name);
	}
}

int pic_identity_enroll(struct pic_identity *identity, const struct pic_actor *actor,
			const char *target, int64_t valid_ms, char token[PIC_TOKEN_TEXT],
			pic_change_done_fn *done, void *data, struct pic_error *err)
{
	struct pic_change *change = pic_change_new(identity->store, actor);
	int64_t now = pic_clock_wall_ms();
	struct pic_sha256 digest;
	int r = 0;

	if (!pic_name_is_valid(target, PIC_NAME_MAX))
		r = pic_error_set(
			err, -EINVAL,
			"\"%.80s\" cannot be the name of a device: at most %d small letters, "
			"digits, dots and dashes",
			target, PIC_NAME_MAX);
	if (r == 0) {
		pic_token_make(PIC_TOKEN_ENROLL, token, &digest);
		r = pic_change_put(
			change, PIC_KIND_TOKEN,
			pic_token_object(PIC_TOKEN_ENROLL, &digest, target, now + valid_ms), err);
	}
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	forget_old_tokens(identity->store, change, now);
	pic_change_commit(change, done, data);
	return 0;
}

static bool is_of_target(const struct pic_object *token, const char *target)
{
	const char *owner = pic_json_get_text(pic_object_spec(token), "target");

	return owner && strcmp(owner, target) == 0;
}

static int use_up(struct pic_change *change, const struct pic_object *token, int64_t now_ms,
		  struct pic_error *err)
{
	struct pic_json *used = pic_json_copy(token->json);

	pic_json_set_integer(pic_json_get(used, "spec"), "used-ms", now_ms);
	return pic_change_put(change, PIC_KIND_TOKEN, used, err);
}

/* A token or a key that was made for an Ignition config and still opens something. */
static bool is_first_boot(const struct pic_object *token)
{
	return number_of(token, "first-boot-ms") > 0 && !number_of(token, "used-ms");
}

static bool is_older(const struct pic_object *a, const struct pic_object *b)
{
	const int64_t left = number_of(a, "first-boot-ms"), right = number_of(b, "first-boot-ms");

	return left != right ? left < right : strcmp(a->name, b->name) < 0;
}

static bool is_inside(const struct pic_object *token)
{
	return pic_json_true(pic_json_get(pic_object_spec(token), "inside"));
}

/* A pointer's key is not pushed out by those inside of the configs it fetches: a machine may try often. */
static bool is_alike(const struct pic_object *a, const struct pic_object *b)
{
	return pic_token_is(a, PIC_TOKEN_BOOT) == pic_token_is(b, PIC_TOKEN_BOOT) &&
	       is_inside(a) == is_inside(b);
}

/* How many of its kind and target are younger. */
static size_t count_younger(struct pic_store *store, const struct pic_object *than,
			    const char *target)
{
	size_t count = 0;

	for (struct pic_object *token = pic_store_next(store, PIC_KIND_TOKEN, NULL, NULL); token;
	     token = pic_store_next(store, PIC_KIND_TOKEN, NULL, token))
		count += is_of_target(token, target) && is_first_boot(token) &&
			 is_alike(than, token) && is_older(than, token);
	return count;
}

/* Ends those made for Ignition configs of that target, but for `keep` and the `youngest` youngest of each kind. Those
 * that younger ones push out are gone as a whole: in an open window anybody can have as many made as he likes. */
static void end_first_boots(struct pic_store *store, struct pic_change *change, const char *target,
			    const struct pic_object *keep, size_t youngest, int64_t now_ms)
{
	for (struct pic_object *token = pic_store_next(store, PIC_KIND_TOKEN, NULL, NULL); token;
	     token = pic_store_next(store, PIC_KIND_TOKEN, NULL, token)) {
		if (token == keep || !is_of_target(token, target) || !is_first_boot(token) ||
		    number_of(token, "expires-ms") + KEEP_EXPIRED_MS < now_ms)
			continue;
		if (youngest == 0)
			use_up(change, token, now_ms, NULL);
		else if (count_younger(store, token, target) >= youngest)
			pic_change_delete(change, PIC_KIND_TOKEN, "", token->name);
	}
}

static int put_first_boot(struct pic_change *change, enum pic_token_purpose purpose,
			  const char *target, int64_t valid_ms, bool inside,
			  char token[PIC_TOKEN_TEXT], struct pic_error *err)
{
	const int64_t now = pic_clock_wall_ms();
	struct pic_sha256 digest;
	struct pic_json *json;

	pic_token_make(purpose, token, &digest);
	json = pic_token_object(purpose, &digest, target, now + valid_ms);
	pic_json_set_integer(pic_json_get(json, "spec"), "first-boot-ms", now);
	if (inside)
		pic_json_set_bool(pic_json_get(json, "spec"), "inside", true);
	return pic_change_put(change, PIC_KIND_TOKEN, json, err);
}

int pic_identity_first_boot(struct pic_identity *identity, struct pic_change *change,
			    const char *target, int64_t valid_ms, char token[PIC_TOKEN_TEXT],
			    char key[PIC_TOKEN_TEXT], struct pic_error *err)
{
	const int64_t now = pic_clock_wall_ms();
	int r = 0;

	forget_old_tokens(identity->store, change, now);
	end_first_boots(identity->store, change, target, NULL, FIRST_BOOTS_MAX - 1, now);
	if (token)
		r = put_first_boot(change, PIC_TOKEN_ENROLL, target, valid_ms, false, token, err);
	if (r == 0 && key)
		r = put_first_boot(change, PIC_TOKEN_BOOT, target, valid_ms, token != NULL, key,
				   err);
	return r;
}

void pic_identity_boot_caller(struct pic_identity *identity, const struct pic_exchange *exchange,
			      struct pic_caller *out)
{
	static const char scheme[] = "Bearer ";
	const char *header = pic_exchange_header(exchange, "Authorization");
	const struct pic_object *key = NULL;
	struct pic_sha256 digest;

	*out = (struct pic_caller){ .role = PIC_ROLE_NOBODY };
	if (header && strncasecmp(header, scheme, sizeof(scheme) - 1) == 0 &&
	    pic_token_digest(header + sizeof(scheme) - 1, &digest))
		key = pic_token_find(identity->store, PIC_TOKEN_BOOT, &digest);
	if (!key || !is_first_boot(key) || number_of(key, "expires-ms") <= pic_clock_wall_ms())
		return;
	out->role = PIC_ROLE_BOOT;
	out->may_configure = !is_inside(key);
	snprintf(out->name, sizeof(out->name), "%s",
		 pic_json_text_or(pic_json_get(pic_object_spec(key), "target"), ""));
}

void pic_identity_void(struct pic_identity *identity, struct pic_change *change, const char *target)
{
	for (struct pic_object *token = pic_store_next(identity->store, PIC_KIND_TOKEN, NULL, NULL);
	     token; token = pic_store_next(identity->store, PIC_KIND_TOKEN, NULL, token))
		if (is_of_target(token, target))
			pic_change_delete(change, PIC_KIND_TOKEN, "", token->name);
}

static int check_token(const struct pic_object *token, const char *target, int64_t now_ms,
		       struct pic_error *err)
{
	const char *owner = pic_json_get_text(pic_object_spec(token), "target");
	char time[PIC_TIME_TEXT];

	if (!owner || strcmp(owner, target) != 0)
		return pic_error_set(
			err, -EACCES,
			"the enrolment token was made for another target than %s; make one with "
			"piccoloctl enroll %s",
			target, target);
	if (number_of(token, "used-ms")) {
		pic_time_format(number_of(token, "used-ms"), time);
		return pic_error_set(
			err, -EACCES,
			"the enrolment token of %s was used at %s; make a new one with "
			"piccoloctl enroll %s",
			target, time, target);
	}
	if (number_of(token, "expires-ms") <= now_ms) {
		pic_time_format(number_of(token, "expires-ms"), time);
		return pic_error_set(
			err, -EACCES,
			"the enrolment token of %s expired at %s; make a new one with piccoloctl "
			"enroll %s",
			target, time, target);
	}
	return 0;
}

int pic_identity_redeem(struct pic_identity *identity, const char *target, const char *token,
			struct pic_change *change, struct pic_error *err)
{
	int64_t now = pic_clock_wall_ms();
	struct pic_object *found = NULL;
	struct pic_sha256 digest;

	if (!pic_name_is_valid(target, PIC_NAME_MAX))
		return pic_error_set(err, -EACCES, "\"%.80s\" cannot be the name of a device",
				     target);
	if (pic_token_digest(token, &digest))
		found = pic_token_find(identity->store, PIC_TOKEN_ENROLL, &digest);
	if (!found)
		return pic_error_set(
			err, -EACCES,
			"the enrolment token is not one of this hub's; make one with piccoloctl "
			"enroll %s",
			target);
	int r = check_token(found, target, now, err);
	if (r < 0)
		return r;
	end_first_boots(identity->store, change, target, found, 0, now);
	return use_up(change, found, now, err);
}

int pic_identity_certify(struct pic_identity *identity, const char *target, const char *request_pem,
			 struct pic_buf *certificate, struct pic_sha256 *key_pin,
			 struct pic_error *err)
{
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	char name[PIC_OBJECT_NAME_MAX + 1];
	int64_t now = pic_clock_wall_ms();
	struct pic_certificate_order order = {
		.use = PIC_CERTIFICATE_DEVICE,
		.common_name = target,
		.organization = DEVICE_ORGANIZATION,
		.not_before_ms = now - DAY_MS,
		.not_after_ms = now + DEVICE_DAYS * DAY_MS,
	};
	int r = pic_request_read(request_pem, &key, name, err);

	if (r < 0)
		return pic_error_wrap(err, r, "the certificate request of %s cannot be used",
				      target);
	if (strcmp(name, target) != 0)
		return pic_error_set(
			err, -EACCES,
			"the certificate request names %.80s, but %s is being enrolled", name,
			target);
	r = pic_key_pin(key, key_pin, err);
	if (r < 0)
		return r;
	return pic_certificate_sign(&order, key, identity->authority.key, identity->authority.pem,
				    certificate, err);
}
