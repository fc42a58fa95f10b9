/* The examples of FIPS 180-4, in memory and from a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "crypto/sha512.h"

#define OF_ABC \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
#define OF_NOTHING \
	"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" \
	"47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"

static void the_examples(void **state)
{
	char text[PIC_SHA512_TEXT];

	(void)state;
	pic_sha512_text_of("abc", 3, text);
	assert_string_equal(text, OF_ABC);
	pic_sha512_text_of("", 0, text);
	assert_string_equal(text, OF_NOTHING);
}

static void of_a_file(void **state)
{
	char text[PIC_SHA512_TEXT];
	int fd = memfd_create("abc", 0);

	(void)state;
	assert_int_equal(write(fd, "xabc", 4), 4);
	assert_int_equal(lseek(fd, 1, SEEK_SET), 1);
	assert_int_equal(pic_sha512_text_of_fd(fd, text, NULL), 0);
	assert_string_equal(text, OF_ABC);
	close(fd);
	assert_true(pic_sha512_text_of_fd(fd, text, NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples),
		cmocka_unit_test(of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
