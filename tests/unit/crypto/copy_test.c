/* Copy and digest in one go: the digest is that of the bytes that were written. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/copy.h"

static int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pic_fd_write_all(fd, bytes, size), 0);
	return fd;
}

static void sizes_around_the_step(void **state)
{
	static const size_t sizes[] = { 0, 1, 32767, 32768, 32769, 65536, 100001 };
	char *bytes = malloc(100001), *copied = malloc(100001);

	(void)state;
	for (size_t i = 0; i < 100001; i++)
		bytes[i] = (char)(i * 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		int from = memory_file(bytes, 100001), to = memory_file("", 0);
		struct pic_sha256 copy, whole;

		assert_int_equal(pic_sha256_copy(from, to, sizes[i], &copy, NULL), 0);
		assert_int_equal(lseek(from, 0, SEEK_CUR),
				 100001); /* the sender's offset is not moved */
		assert_int_equal(pread(to, copied, 100001, 0), sizes[i]);
		assert_memory_equal(copied, bytes, sizes[i]);
		pic_sha256_of(bytes, sizes[i], &whole);
		assert_int_equal(pic_sha256_expect(&whole, &copy, "it", NULL), 0);
		close(from);
		close(to);
	}
	free(bytes);
	free(copied);
}

static void a_short_source_is_told(void **state)
{
	int from = memory_file("abc", 3), to = memory_file("", 0);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_sha256 digest;

	(void)state;
	assert_int_equal(pic_sha256_copy(from, to, 4, &digest, &err), -ENODATA);
	assert_int_not_equal(err.text[0], 0);
	close(from);
	assert_int_equal(pic_sha256_copy(from, to, 4, &digest, &err), -EBADF);
	close(to);
}

static void other_bytes_are_named(void **state)
{
	struct pic_sha256 a, b;
	struct pic_error err = PIC_ERROR_INIT;
	char text[PIC_SHA256_TEXT];

	(void)state;
	pic_sha256_of("a", 1, &a);
	pic_sha256_of("b", 1, &b);
	assert_int_equal(pic_sha256_expect(&a, &b, "the artifact", &err), -EBADMSG);
	pic_sha256_text(&a, text);
	assert_non_null(strstr(err.text, text));
	pic_sha256_text(&b, text);
	assert_non_null(strstr(err.text, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_around_the_step),
		cmocka_unit_test(a_short_source_is_told),
		cmocka_unit_test(other_bytes_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
