#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "crypto/digest.h"

static void assert_digest(const struct pic_sha256 *digest, const char *text)
{
	char got[PIC_SHA256_TEXT];

	pic_sha256_text(digest, got);
	assert_string_equal(got, text);
}

static void sha256_vectors(void **state)
{
	struct pic_sha256 digest;
	struct pic_sha256_stream *stream;
	char thousand[1000];

	(void)state;
	pic_sha256_of("", 0, &digest);
	assert_digest(&digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	pic_sha256_of("abc", 3, &digest);
	assert_digest(&digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	memset(thousand, 'a', sizeof(thousand));
	stream = pic_sha256_start();
	for (int i = 0; i < 1000; i++)
		pic_sha256_add(stream, thousand, sizeof(thousand));
	pic_sha256_end(stream, &digest);
	assert_digest(&digest, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	pic_sha256_end(pic_sha256_start(), NULL); /* given up */
}

/* RFC 4231, cases 1, 2 and 6. */
static void hmac_vectors(void **state)
{
	struct pic_sha256 digest;
	unsigned char key[131];

	(void)state;
	memset(key, 0x0b, 20);
	pic_hmac_sha256(key, 20, "Hi There", 8, &digest);
	assert_digest(&digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	pic_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, &digest);
	assert_digest(&digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	pic_hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First",
			54, &digest);
	assert_digest(&digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hashes_a_file_from_where_it_stands(void **state)
{
	struct pic_sha256 whole, rest, wanted;
	FILE *file = tmpfile();
	static char text[100001];

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_int_equal(write(fileno(file), text, sizeof(text)), sizeof(text));
	assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
	assert_int_equal(pic_sha256_of_fd(fileno(file), &whole, NULL), 0);
	pic_sha256_of(text, sizeof(text), &wanted);
	assert_true(pic_sha256_equal(&whole, &wanted));
	lseek(fileno(file), 5, SEEK_SET);
	assert_int_equal(pic_sha256_of_fd(fileno(file), &rest, NULL), 0);
	assert_false(pic_sha256_equal(&whole, &rest));
	fclose(file);
	assert_int_equal(pic_sha256_of_fd(-1, &rest, NULL), -EBADF);
}

static void parses_digests(void **state)
{
	static const char text[] =
		"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
	struct pic_sha256 digest = { { 0 } };

	(void)state;
	assert_true(pic_sha256_is_zero(&digest));
	assert_int_equal(pic_sha256_parse(text, &digest), 0);
	assert_digest(&digest, text + 7);
	assert_false(pic_sha256_is_zero(&digest));
	assert_int_equal(pic_sha256_parse(text + 7, &digest), 0);
	assert_int_equal(pic_sha256_parse(text + 8, &digest), -EINVAL);
	assert_int_equal(pic_sha256_parse("", &digest), -EINVAL);
}

static void random_is_random(void **state)
{
	char a[65], b[65];
	int seen[7] = { 0 };

	(void)state;
	pic_random_text(32, a);
	pic_random_text(32, b);
	assert_int_equal(strlen(a), 64);
	assert_int_equal(strspn(a, "0123456789abcdef"), 64);
	assert_string_not_equal(a, b);
	pic_random_text(0, a);
	assert_string_equal(a, "");
	for (int i = 0; i < 7000; i++) {
		unsigned long long value = pic_random_below(7);

		assert_true(value < 7);
		seen[value]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 700, 1300);
	assert_true(pic_random_below(0) == 0);
	assert_true(pic_random_below(1) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_vectors),
		cmocka_unit_test(hmac_vectors),
		cmocka_unit_test(hashes_a_file_from_where_it_stands),
		cmocka_unit_test(parses_digests),
		cmocka_unit_test(random_is_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
