/* Tokens, the authority, device certificates. */
#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "hub/identity/authority.h"
#include "hub/identity/identity.h"
#include "hub/store_fixture.h"
#include "protocol/ticket.h"

struct world {
	struct store_fixture *store;
	struct pic_identity *identity;
	char first[PIC_TOKEN_TEXT];
};

static void open_identity(struct world *world)
{
	struct pic_error err = PIC_ERROR_INIT;
	char *token = NULL;

	if (pic_identity_open(&world->identity, world->store->store, world->store->path, &token,
			      &err) < 0)
		fail_msg("%s", err.text);
	if (token)
		strcpy(world->first, token);
	free(token);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	store_fixture_setup((void **)&world->store);
	open_identity(world);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	pic_identity_close(world->identity);
	store_fixture_teardown((void **)&world->store);
	free(world);
	return 0;
}

static void the_admin_token_is_made_once(void **state)
{
	struct world *world = *state;
	char first[PIC_TOKEN_TEXT], renewed[PIC_TOKEN_TEXT];

	strcpy(first, world->first);
	assert_true(pic_identity_is_admin_token(world->identity, first));
	assert_false(pic_identity_is_admin_token(world->identity, "pica_0"));
	assert_false(pic_identity_is_admin_token(world->identity, ""));
	assert_false(pic_identity_is_admin_token(world->identity, NULL));
	pic_identity_close(world->identity);
	store_fixture_reopen(world->store);
	world->first[0] = '\0';
	open_identity(world);
	assert_string_equal(world->first, ""); /* none was made */
	assert_true(pic_identity_is_admin_token(world->identity, first));
	assert_int_equal(
		pic_identity_renew_admin(world->identity, &store_fixture_actor, renewed, NULL), 0);
	assert_false(pic_identity_is_admin_token(world->identity, first));
	assert_true(pic_identity_is_admin_token(world->identity, renewed));
}

static enum pic_role role_of(struct world *world, const char *token)
{
	struct pic_caller caller = { .role = PIC_ROLE_NOBODY };

	pic_identity_token_caller(world->identity, token, &caller);
	return caller.role;
}

static void a_session_ends_with_the_token_it_came_from(void **state)
{
	struct world *world = *state;
	char session[PIC_TOKEN_TEXT], demo[PIC_TOKEN_TEXT], renewed[PIC_TOKEN_TEXT];

	pic_identity_session(world->identity, session);
	pic_identity_demo_session(world->identity, demo);
	assert_int_equal(role_of(world, session), PIC_ROLE_ADMIN);
	assert_int_equal(
		pic_identity_renew_admin(world->identity, &store_fixture_actor, renewed, NULL), 0);
	assert_int_equal(role_of(world, session), PIC_ROLE_NOBODY);
	assert_int_equal(role_of(world, world->first), PIC_ROLE_NOBODY);
	assert_int_equal(role_of(world, demo), PIC_ROLE_ADMIN); /* nobody's token was behind it */
	assert_int_equal(role_of(world, renewed), PIC_ROLE_ADMIN);
	pic_identity_session(world->identity, session);
	assert_int_equal(role_of(world, session), PIC_ROLE_ADMIN);
}

static void the_authority_stays(void **state)
{
	struct world *world = *state;
	struct pic_sha256 before, after;

	pic_identity_authority_pin(world->identity, &before);
	pic_identity_close(world->identity);
	open_identity(world);
	pic_identity_authority_pin(world->identity, &after);
	assert_true(pic_sha256_equal(&before, &after));
}

/* Keys that do not fit are never replaced: every device trusts exactly these. */
static void a_wrong_key_is_refused(void **state)
{
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;
	char command[256];
	char *token = NULL;

	pic_identity_close(world->identity);
	world->identity = NULL;
	snprintf(command, sizeof(command), "cp %s/identity/listener.key %s/identity/authority.key",
		 world->store->path, world->store->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(pic_identity_open(&world->identity, world->store->store,
					   world->store->path, &token, &err),
			 -EKEYREJECTED);
	assert_contains(err.text, "does not belong to");
}

static void sign(struct world *world, struct pic_signed_ticket *out)
{
	const char *certificate = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	size_t size = 0;

	memset(out, 0, sizeof(*out));
	memset(out->ticket, 7, sizeof(out->ticket));
	if (pic_identity_sign_ticket(world->identity, out->ticket, sizeof(out->ticket),
				     out->signature, &size, &certificate, &err) < 0)
		fail_msg("%s", err.text);
	out->signature_size = (uint16_t)size;
	assert_true(strlen(certificate) < sizeof(out->certificate));
	strcpy(out->certificate, certificate);
}

/* A ticket's chain: the signer's certificate, for tickets alone, then the authority's. */
static void tickets_are_signed(void **state)
{
	struct world *world = *state;
	struct pic_signed_ticket first, second;
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	struct pic_sha256 digest;
	struct stat facts;
	char path[256];

	sign(world, &first);
	assert_int_equal(pic_certificate_verify_use(first.certificate,
						    pic_identity_authority(world->identity),
						    PIC_CERTIFICATE_TICKET, 0, NULL),
			 0);
	assert_non_null(strstr(first.certificate, pic_identity_authority(world->identity)));
	assert_int_equal(pic_certificate_key(first.certificate, &key, NULL), 0);
	pic_sha256_of(first.ticket, sizeof(first.ticket), &digest);
	assert_int_equal(pic_key_verify(key, &digest, first.signature, first.signature_size, NULL),
			 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/identity/%s", world->store->path,
			 i ? "ticket.key" : "ticket.pem");
		assert_int_equal(stat(path, &facts), 0);
		assert_int_equal(facts.st_mode & 0777, 0600);
	}
	/* it stays over a restart */
	pic_identity_close(world->identity);
	open_identity(world);
	sign(world, &second);
	assert_string_equal(first.certificate, second.certificate);
}

/* What is lost or does not fit is made again: devices trust the authority, not this one. */
static void the_signer_is_made_again(void **state)
{
	struct world *world = *state;
	struct pic_signed_ticket first, second;
	char command[256];

	sign(world, &first);
	pic_identity_close(world->identity);
	snprintf(command, sizeof(command), "cp %s/identity/listener.key %s/identity/ticket.key",
		 world->store->path, world->store->path);
	assert_int_equal(system(command), 0);
	open_identity(world);
	sign(world, &second);
	assert_string_not_equal(first.certificate, second.certificate);
	assert_int_equal(pic_certificate_verify_use(second.certificate,
						    pic_identity_authority(world->identity),
						    PIC_CERTIFICATE_TICKET, 0, NULL),
			 0);
}

/* In time: long before the old one is over. */
static void the_signer_is_renewed(void **state)
{
	struct world *world = *state;
	struct pic_authority authority = { .key = NULL };
	PIC_FREE char *before = NULL;
	char path[256];
	PIC_FD int fd = -1;
	int64_t until;

	snprintf(path, sizeof(path), "%s/identity", world->store->path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(pic_authority_open(&authority, fd, path, NULL), 0);
	until = authority.ticket_until_ms;
	before = strdup(authority.ticket_pem);
	assert_int_equal(pic_authority_renew_ticket(&authority, fd, until - 100 * 86400000LL, NULL),
			 0);
	assert_string_equal(authority.ticket_pem, before);
	assert_int_equal(pic_authority_renew_ticket(&authority, fd, until - 80 * 86400000LL, NULL),
			 0);
	assert_string_not_equal(authority.ticket_pem, before);
	assert_true(authority.ticket_until_ms > until);
	pic_authority_close(&authority);
}

static void make_request(const char *name, struct pic_buf *pem, struct pic_key **key)
{
	assert_int_equal(pic_key_generate(key, NULL), 0);
	assert_int_equal(pic_request_write(*key, name, pem, NULL), 0);
}

static void a_device_is_certified(void **state)
{
	struct world *world = *state;
	PIC_BUF struct pic_buf request = PIC_BUF_INIT(16384), certificate = PIC_BUF_INIT(16384);
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *key = NULL;
	struct pic_certificate_facts facts;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 pin, own;

	make_request("tiny-edge", &request, &key);
	assert_int_equal(pic_identity_certify(world->identity, "other", pic_buf_text(&request),
					      &certificate, &pin, &err),
			 -EACCES);
	assert_int_equal(certificate.size, 0);
	assert_int_equal(pic_identity_certify(world->identity, "tiny-edge", pic_buf_text(&request),
					      &certificate, &pin, &err),
			 0);
	pic_key_pin(key, &own, NULL);
	assert_true(pic_sha256_equal(&pin, &own));
	assert_int_equal(pic_certificate_read(pic_buf_text(&certificate), &facts, NULL), 0);
	assert_string_equal(facts.common_name, "tiny-edge");
	assert_string_equal(facts.organization, "device");
	assert_false(facts.is_authority);
	assert_int_equal(pic_certificate_verify(pic_buf_text(&certificate),
						pic_identity_authority(world->identity),
						pic_clock_wall_ms(), &err),
			 0);
	assert_true(pic_identity_certify(world->identity, "tiny-edge", "rubbish", &certificate,
					 &pin, &err) < 0);
	assert_contains(err.text, "tiny-edge");
}

static void enroll(struct world *world, const char *target, int64_t valid_ms,
		   char token[PIC_TOKEN_TEXT])
{
	assert_int_equal(pic_identity_enroll(world->identity, &store_fixture_actor, target,
					     valid_ms, token, NULL, NULL, NULL),
			 0);
	pic_store_settle(world->store->store);
}

static int redeem(struct world *world, const char *target, const char *token, struct pic_error *err)
{
	struct pic_change *change = pic_change_new(world->store->store, &store_fixture_actor);
	int r = pic_identity_redeem(world->identity, target, token, change, err);

	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	pic_change_commit(change, NULL, NULL);
	pic_store_settle(world->store->store);
	return 0;
}

static void assert_refused(struct world *world, const char *target, const char *token,
			   const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(redeem(world, target, token, &err), -EACCES);
	assert_contains(err.text, sentence);
}

static void an_enrolment_token_works_once(void **state)
{
	struct world *world = *state;
	char token[PIC_TOKEN_TEXT], wrong[PIC_TOKEN_TEXT], old[PIC_TOKEN_TEXT];

	enroll(world, "tiny-edge", 60000, token);
	enroll(world, "tiny-edge", -1, old);
	strcpy(wrong, token);
	wrong[20] = wrong[20] == 'a' ? 'b' : 'a';
	assert_refused(world, "tiny-edge", wrong, "not one of this hub's");
	assert_refused(world, "tiny-edge", world->first,
		       "not one of this hub's"); /* the admin's is none */
	assert_refused(world, "other", token, "another target");
	assert_refused(world, "../x", token, "cannot be the name");
	assert_refused(world, "tiny-edge", old, "expired at");
	assert_int_equal(redeem(world, "tiny-edge", token, NULL), 0);
	assert_refused(world, "tiny-edge", token, "was used at");
	assert_false(pic_identity_is_admin_token(world->identity, token));
}

static void old_tokens_are_forgotten(void **state)
{
	struct world *world = *state;
	char token[PIC_TOKEN_TEXT];

	enroll(world, "tiny-edge", -8LL * 24 * 3600 * 1000, token);
	size_t before = pic_store_count(world->store->store, PIC_KIND_TOKEN);
	enroll(world, "tiny-edge", 1000, token);
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_TOKEN), before);
}

static void bad_names_are_not_enrolled(void **state)
{
	static const char *const bad[] = { "", "Upper", "a b", "-a", "../a", "a/b" };
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;
	char token[PIC_TOKEN_TEXT];

	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_int_equal(pic_identity_enroll(world->identity, &store_fixture_actor, bad[i],
						     1000, token, NULL, NULL, &err),
				 -EINVAL);
}

static void a_listener_gets_a_certificate_for_its_names(void **state)
{
	static const char *const addresses[] = { "127.0.0.1", "hub.example", NULL };
	struct world *world = *state;
	PIC_BUF struct pic_buf certificate = PIC_BUF_INIT(16384), key = PIC_BUF_INIT(16384);
	PIC_CLEANUP(pic_key_free_pointer) struct pic_key *parsed = NULL;
	struct pic_certificate_facts facts;
	struct pic_sha256 pin;

	assert_int_equal(
		pic_identity_listener(world->identity, addresses, &certificate, &key, NULL), 0);
	assert_int_equal(pic_certificate_verify(pic_buf_text(&certificate),
						pic_identity_authority(world->identity),
						pic_clock_wall_ms(), NULL),
			 0);
	assert_int_equal(pic_certificate_read(pic_buf_text(&certificate), &facts, NULL), 0);
	assert_int_equal(pic_key_parse(&parsed, pic_buf_text(&key), NULL), 0);
	pic_key_pin(parsed, &pin, NULL);
	assert_true(pic_sha256_equal(&pin, &facts.key_pin));
}

static unsigned count_tokens(struct world *world, const char *target)
{
	unsigned count = 0;

	for (const struct pic_object *token =
		     pic_store_next(world->store->store, PIC_KIND_TOKEN, NULL, NULL);
	     token; token = pic_store_next(world->store->store, PIC_KIND_TOKEN, NULL, token)) {
		const char *owner = pic_json_get_text(pic_object_spec(token), "target");

		count += owner && strcmp(owner, target) == 0;
	}
	return count;
}

/* In an open window anybody can fetch: what is kept of it does not grow, and a pointer's key is not pushed out. */
static void many_fetches_leave_few_tokens(void **state)
{
	struct world *world = *state;
	char token[PIC_TOKEN_TEXT], key[PIC_TOKEN_TEXT];
	struct pic_change *change = pic_change_new(world->store->store, &store_fixture_actor);

	assert_int_equal(pic_identity_first_boot(world->identity, change, "edge", 60000, NULL, key,
						 NULL),
			 0);
	pic_change_commit(change, NULL, NULL);
	for (unsigned i = 0; i < 40; i++) {
		change = pic_change_new(world->store->store, &store_fixture_actor);
		assert_int_equal(pic_identity_first_boot(world->identity, change, "edge", 60000,
							 token, key, NULL),
				 0);
		pic_change_commit(change, NULL, NULL);
	}
	assert_int_equal(count_tokens(world, "edge"), 1 + 2 * 8);
	assert_int_equal(count_tokens(world, "other"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(many_fetches_leave_few_tokens),
		TEST(the_admin_token_is_made_once),
		TEST(a_session_ends_with_the_token_it_came_from),
		TEST(the_authority_stays),
		TEST(tickets_are_signed),
		TEST(the_signer_is_made_again),
		TEST(the_signer_is_renewed),
		TEST(a_wrong_key_is_refused),
		TEST(a_device_is_certified),
		TEST(an_enrolment_token_works_once),
		TEST(old_tokens_are_forgotten),
		TEST(bad_names_are_not_enrolled),
		TEST(a_listener_gets_a_certificate_for_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
