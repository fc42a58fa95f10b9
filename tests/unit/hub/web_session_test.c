/* Sessions of the page, and who tried too often. */
#include "base/check.h"

#include <stdio.h>
#include <string.h>

#include "hub/web/session.h"

#define HOUR (60 * 60 * 1000LL)

static struct pic_web_sessions sessions;
static struct pic_web_triers triers;

static int setup(void **state)
{
	(void)state;
	memset(&sessions, 0, sizeof(sessions));
	memset(&triers, 0, sizeof(triers));
	return 0;
}

static struct pic_web_session *find(const char *cookie, int64_t now_ms)
{
	char header[256];

	snprintf(header, sizeof(header), "other=1; %s=%s", PIC_WEB_COOKIE, cookie);
	return pic_web_session_find(&sessions, header, now_ms);
}

static void a_session_ends(void **state)
{
	char cookie[PIC_TOKEN_TEXT], other[PIC_TOKEN_TEXT];

	(void)state;
	assert_null(find("pics_0", 1));
	pic_web_session_begin(&sessions, 1000, cookie);
	pic_web_session_begin(&sessions, 1000, other);
	struct pic_web_session *session = find(cookie, 1000);
	assert_non_null(session);
	assert_ptr_not_equal(session, find(other, 1000));
	assert_string_not_equal(session->form_token, find(other, 1000)->form_token);
	assert_int_equal(strlen(session->form_token), PIC_WEB_FORM_TOKEN_TEXT - 1);

	/* as long as it is used, but not for ever */
	int64_t now = 1000;
	for (; now < 1000 + PIC_WEB_SESSION_MS; now += HOUR)
		assert_ptr_equal(find(cookie, now), session);
	assert_null(find(cookie, now));

	/* or until nobody uses it */
	assert_null(find(other, 1000 + PIC_WEB_IDLE_MS));

	pic_web_session_begin(&sessions, now, cookie);
	session = find(cookie, now);
	pic_web_session_end(session);
	assert_null(find(cookie, now));
}

static void a_cookie_is_not_kept(void **state)
{
	char cookie[PIC_TOKEN_TEXT];

	(void)state;
	pic_web_session_begin(&sessions, 1, cookie);
	assert_null(memmem(&sessions, sizeof(sessions), cookie, strlen(cookie)));
	cookie[strlen(cookie) - 1] ^= 1;
	assert_null(find(cookie, 1));
}

static void sessions_are_bounded(void **state)
{
	char first[PIC_TOKEN_TEXT], second[PIC_TOKEN_TEXT], more[PIC_TOKEN_TEXT];

	(void)state;
	pic_web_session_begin(&sessions, 1, first);
	pic_web_session_begin(&sessions, 2, second);
	for (int i = 2; i < PIC_WEB_SESSIONS_MAX; i++)
		pic_web_session_begin(&sessions, i + 1, more);
	assert_non_null(find(first, 1000)); /* now seen last */
	pic_web_session_begin(&sessions, 1001, more);
	assert_non_null(find(first, 1002));
	assert_non_null(find(more, 1002));
	assert_null(find(second, 1002));
}

static void tries_are_counted_by_address(void **state)
{
	(void)state;
	for (int i = 0; i < PIC_WEB_TRIES_MAX; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "192.0.2.1:%d", 1000 + i);
		assert_int_equal(pic_web_tries_wait(&triers, peer, 5000 + i), 0);
		pic_web_tries_failed(&triers, peer, 5000 + i);
	}
	assert_int_equal(pic_web_tries_wait(&triers, "192.0.2.1:9", 6000),
			 5000 + PIC_WEB_TRIES_MS - 6000);
	assert_int_equal(pic_web_tries_wait(&triers, "192.0.2.2:9", 6000), 0);
	assert_int_equal(pic_web_tries_wait(&triers, "192.0.2.1:9", 5000 + PIC_WEB_TRIES_MS), 0);
}

static void one_network_is_one_trier(void **state)
{
	(void)state;
	for (int i = 0; i < PIC_WEB_TRIES_MAX; i++) {
		char peer[64];

		snprintf(peer, sizeof(peer), "[2001:db8:1:2::%x]:443", i + 1);
		pic_web_tries_failed(&triers, peer, 0);
	}
	assert_true(pic_web_tries_wait(&triers, "[2001:db8:1:2:ffff::1]:1", 1) > 0);
	assert_int_equal(pic_web_tries_wait(&triers, "[2001:db8:1:3::1]:1", 1), 0);
}

static void triers_are_bounded(void **state)
{
	(void)state;
	for (int i = 0; i < 5 * PIC_WEB_TRIERS_MAX; i++) {
		char peer[32];

		snprintf(peer, sizeof(peer), "10.0.%d.%d:1", i / 256, i % 256);
		for (int k = 0; k < PIC_WEB_TRIES_MAX; k++)
			pic_web_tries_failed(&triers, peer, i);
		assert_true(pic_web_tries_wait(&triers, peer, i) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_session_ends, setup),
		cmocka_unit_test_setup(a_cookie_is_not_kept, setup),
		cmocka_unit_test_setup(sessions_are_bounded, setup),
		cmocka_unit_test_setup(tries_are_counted_by_address, setup),
		cmocka_unit_test_setup(one_network_is_one_trier, setup),
		cmocka_unit_test_setup(triers_are_bounded, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
