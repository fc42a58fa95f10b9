/* The mail that asks: nothing a stranger wrote can become a header, a tag or a link. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "hub/approval/mail_text.h"

#define ID "0123456789abcdef0123456789abcdef"
#define SECRET "feedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedfacefeedface"

static struct pic_object *make(const char *reason)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	struct pic_json *items = pic_json_new_array(), *item = pic_json_new_object();
	struct pic_json *grants = pic_json_new_array();
	struct pic_object *object;

	pic_json_set_text(metadata, "name", "run-approval");
	pic_json_set_text(spec, "id", ID);
	pic_json_set_text(spec, "reason", reason);
	pic_json_set_text(spec, "requestedBy", reason);
	pic_json_set_integer(spec, "lengthSeconds", 7260);
	pic_json_set_integer(spec, "leaseMaxSeconds", 7260);
	pic_json_set_text(item, "target", reason);
	pic_json_set_text(item, "component", "probe");
	pic_json_append_text(grants, "kernel-read");
	pic_json_append_text(grants, reason);
	pic_json_set(item, "grants", grants);
	pic_json_append(items, item);
	pic_json_set(spec, "items", items);
	assert_int_equal(pic_object_new(&object, PIC_KIND_APPROVAL, json, NULL), 0);
	return object;
}

static char *write_mail(const char *reason, const char *secret)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(1 << 20);
	struct pic_object *object = make(reason);
	const struct pic_approval_mail mail = {
		.approval = object,
		.public_url = "https://hub.test:8443",
		.from = "piccolo@edge.test",
		.to = "ops@edge.test",
		.secret = secret,
		.now_ms = 1795528800000LL,
	};
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_approval_mail_write(&mail, &out, &err) < 0)
		fail_msg("%s", err.text);
	pic_object_unref(object);
	return pic_buf_take(&out);
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		found++;
	return found;
}

/* Every line is ended by CRLF, none is longer than a server takes, and all of it is ASCII. */
static void check_lines(const char *text)
{
	size_t line = 0;

	for (const char *c = text; *c; c++) {
		assert_true((unsigned char)*c < 0x80);
		if (*c == '\n')
			assert_true(c > text && c[-1] == '\r');
		if (*c == '\r')
			assert_true(c[1] == '\n');
		line = *c == '\n' ? 0 : line + 1;
		assert_true(line < 998);
	}
}

static void a_plain_mail(void **state)
{
	char *text = write_mail("look at the network", SECRET);

	(void)state;
	check_lines(text);
	assert_contains(text, "From: Piccolo <piccolo@edge.test>\r\nTo: <ops@edge.test>\r\n");
	assert_contains(text, "Subject: Approval wanted: look at the network\r\n");
	assert_contains(text, "Message-ID: <approval." ID "@edge.test>\r\n");
	assert_contains(text, "Date: Tue, 24 Nov 2026 14:00:00 +0000\r\n");
	assert_contains(text, "https://hub.test:8443/approvals/" ID "?key=" SECRET "#approve\r\n");
	assert_contains(text, "reads kernel memory");
	assert_contains(text, "For: 2 h 1 min from the decision; the device allows no more");
	assert_int_equal(count(text, "?key=" SECRET), 4);
	assert_int_equal(count(text, "--=_" ID), 3);
	free(text);
}

static void without_a_secret_who_reads_has_to_sign_in(void **state)
{
	char *text = write_mail("x", NULL);

	(void)state;
	assert_null(strstr(text, "key="));
	assert_contains(text, "sign in");
	free(text);
}

static void the_same_again_is_the_same(void **state)
{
	char *one = write_mail("x", SECRET), *other = write_mail("x", SECRET);

	(void)state;
	assert_string_equal(one, other);
	free(one);
	free(other);
}

static const char *const evil[] = {
	"x\r\nBcc: evil@evil.test\r\n\r\nhello",
	"x\nBcc: evil@evil.test",
	"x\r Bcc: evil",
	"=?utf-8?B?QmNjOiBl?= =?utf-8?Q?=0D=0ABcc:?=",
	"<script>alert(1)</script><a href='https://evil.test'>ok</a>",
	"\"><img src=x onerror=alert(1)>",
	"https://evil.test/approvals/x and http://evil.test",
	"--=_" ID "--",
	"\r\n--=_" ID "\r\nContent-Type: text/html\r\n\r\n<b>",
	"\r\n.\r\nMAIL FROM:<x@y>\r\n",
	"\xe2\x80\xae gnp.exe \xe2\x81\xa6",
	"snow \xe2\x98\x83 man\x1b[2J\x07",
};

static void nothing_gets_out_of_its_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(evil); i++) {
		char *text = write_mail(evil[i], SECRET);
		char *body = strstr(text, "\r\n\r\n");

		check_lines(text);
		assert_non_null(body);
		*body = '\0';
		if (strstr(text, "\r\nBcc:") || strstr(text, "\nMAIL"))
			fail_msg("a header was made of %s", evil[i]);
		assert_int_equal(count(text, "\nSubject:"), 1);
		assert_int_equal(count(text, "\nContent-Type:"), 1);
		body++;
		const char *page = strstr(body, "text/html");
		assert_non_null(page);
		assert_null(strstr(page, "<script"));
		assert_null(strstr(page, "<img"));
		assert_null(strstr(page, "href='https"));
		assert_null(strstr(body, "://evil.test"));
		assert_null(strstr(body, "\n.\r"));
		assert_null(strstr(body, "\x1b"));
		assert_int_equal(count(body, "\n--=_" ID), 3);
		assert_int_equal(count(body, "\nContent-Type:"), 2);
		free(text);
	}
}

static void long_words_are_cut(void **state)
{
	char reason[2001];

	(void)state;
	memset(reason, 'a', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = '\0';
	char *text = write_mail(reason, SECRET);
	check_lines(text);
	free(text);
	for (size_t i = 0; i + 3 < sizeof(reason); i += 3)
		memcpy(reason + i, "\xe2\x98\x83", 3);
	reason[1998] = '\0';
	text = write_mail(reason, SECRET);
	check_lines(text);
	assert_contains(text, "Subject: =?utf-8?B?");
	free(text);
}

static struct pic_json *make_item(size_t programs)
{
	struct pic_json *item = pic_json_new_object(), *list = pic_json_new_array();
	struct pic_json *grants = pic_json_new_array(), *words = pic_json_new_array();
	struct pic_json *facts = pic_json_ensure_object(item, "facts");

	pic_json_set_text(item, "target", "edge");
	pic_json_set_text(item, "component", "probe");
	pic_json_set_text(item, "sha256", ID ID);
	for (size_t i = 0; i < programs; i++) {
		struct pic_json *program = pic_json_new_object();

		pic_json_set_text(program, "name", "count");
		pic_json_set_text(program, "type", "xdp");
		pic_json_append(list, program);
	}
	pic_json_append_text(words, "map_lookup_elem");
	pic_json_set(facts, "programs", list);
	pic_json_set(facts, "maps", pic_json_copy(words));
	pic_json_set(facts, "helpers", words);
	for (size_t i = 0; i < 4; i++)
		pic_json_append_text(grants, "redirect");
	pic_json_set(item, "grants", grants);
	return item;
}

static char *write_mail_of(size_t items, size_t programs)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(1 << 20);
	struct pic_object *object;
	struct pic_json *json = pic_json_new_object(), *list = pic_json_new_array();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *spec = pic_json_ensure_object(json, "spec");
	struct pic_error err = PIC_ERROR_INIT;

	pic_json_set_text(metadata, "name", "run-approval");
	pic_json_set_text(spec, "id", ID);
	pic_json_set_text(spec, "reason", "look");
	pic_json_set_text(spec, "requestedBy", "alice");
	pic_json_set_text(spec, "opens", "2026-11-24T14:00:00Z");
	pic_json_set_text(spec, "closes", "2026-11-24T16:00:00Z");
	pic_json_set_text(spec, "expires", "2026-11-24T15:00:00Z");
	for (size_t i = 0; i < items; i++)
		pic_json_append(list, make_item(programs));
	pic_json_set(spec, "items", list);
	assert_int_equal(pic_object_new(&object, PIC_KIND_APPROVAL, json, NULL), 0);
	const struct pic_approval_mail mail = { .approval = object,
						.public_url = "https://hub.test:8443",
						.from = "piccolo@edge.test",
						.to = "ops@edge.test",
						.secret = SECRET,
						.now_ms = 1795528800000LL };
	if (pic_approval_mail_write(&mail, &out, &err) < 0)
		fail_msg("%s", err.text);
	pic_object_unref(object);
	return pic_buf_take(&out);
}

/* Whatever the size of what is asked for, the mail says from when, until when, and what it leaves out. */
static void what_ends_it_is_always_said(void **state)
{
	(void)state;
	for (size_t items = 1; items <= 64; items += items < 24 ? 1 : 20) {
		for (size_t programs = 0; programs <= 12; programs++) {
			char *text = write_mail_of(items, programs), more[64];
			size_t shown = count(text, "\nDevice: edge\r\n");

			assert_contains(text, "\nOpens: 2026-11-24T14:00:00Z\r\n");
			assert_contains(text, "\nCloses: 2026-11-24T16:00:00Z\r\n");
			assert_contains(text, "\nDecide before: 2026-11-24T15:00:00Z\r\n");
			assert_true(shown > 0);
			assert_int_equal(count(text, "\nMaps: "), shown);
			snprintf(more, sizeof(more), "\nAnd: %zu more; the page shows all\r\n",
				 items - shown);
			assert_int_equal(count(text, more), items > shown);
			assert_int_equal(count(text, "\nProgram: count"),
					 shown * (programs < 8 ? programs : 8));
			snprintf(more, sizeof(more), "\nPrograms: %zu more; the page shows all\r\n",
				 programs - 8);
			assert_int_equal(count(text, more), programs > 8 ? shown : 0);
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_mail),
		cmocka_unit_test(without_a_secret_who_reads_has_to_sign_in),
		cmocka_unit_test(the_same_again_is_the_same),
		cmocka_unit_test(nothing_gets_out_of_its_place),
		cmocka_unit_test(long_words_are_cut),
		cmocka_unit_test(what_ends_it_is_always_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
