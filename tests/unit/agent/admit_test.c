/* Admission in a child: good, bad, and modules that make the child end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "agent/admit/admit.h"
#include "base/cleanup.h"
#include "workload/driver.h"

struct verdict {
	struct pic_loop *loop;
	int code;
	char text[512];
};

static void on_verdict(void *data, int code, const char *text)
{
	struct verdict *verdict = data;

	verdict->code = code;
	strncpy(verdict->text, text, sizeof(verdict->text) - 1);
	pic_loop_stop(verdict->loop);
}

static int file_of(const void *bytes, size_t size)
{
	int fd = memfd_create("module", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static struct verdict admit(const char *type, const void *bytes, size_t size)
{
	const struct pic_driver *driver = pic_driver_find("wasm");
	PIC_FREE void *spec = calloc(1, driver->spec_size);
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	struct pic_loop *loop = NULL;
	struct pic_admission *admission = NULL;
	struct verdict verdict = { .code = 1 };
	PIC_FD int fd = file_of(bytes, size);
	struct pic_admit_order order = {
		.type = type, .fd = fd, .done = on_verdict, .data = &verdict
	};

	assert_int_equal(driver->parse(properties, spec, NULL), 0);
	order.spec = spec;
	assert_int_equal(pic_loop_new(&loop, NULL), 0);
	verdict.loop = loop;
	assert_int_equal(pic_admit_start(&admission, loop, &order, NULL), 0);
	assert_int_equal(verdict.code, 1); /* never before it returns */
	assert_int_equal(pic_loop_run(loop, NULL), 0);
	pic_loop_free(loop);
	return verdict;
}

/* A module with one function that is exported as _start and does nothing. */
static const unsigned char nothing[] = { 0,   'a', 's', 'm', 1,	  0,   0,   0, 1, 4, 1,	  0x60, 0,
					 0,   3,   2,	1,   0,	  5,   3,   1, 0, 1, 7,	  19,	2,
					 6,   '_', 's', 't', 'a', 'r', 't', 0, 0, 6, 'm', 'e',	'm',
					 'o', 'r', 'y', 2,   0,	  10,  4,   1, 2, 0, 0x0b };

static void a_good_module_is_admitted(void **state)
{
	struct verdict verdict = admit("wasm", nothing, sizeof(nothing));

	(void)state;
	if (verdict.code != 0)
		fail_msg("%s", verdict.text);
}

static void a_damaged_module_is_not(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(nothing); size += 7) {
		struct verdict verdict = admit("wasm", nothing, size);

		if (size == 8)
			continue; /* an empty module is a module */
		assert_int_equal(verdict.code, -EINVAL);
		assert_true(strlen(verdict.text) > 10);
	}
}

static void a_type_that_nobody_can_look_at_is_admitted(void **state)
{
	(void)state;
	assert_int_equal(admit("process", "anything", 8).code, 0);
}

static void it_can_be_given_up(void **state)
{
	struct pic_loop *loop = NULL;
	struct pic_admission *admission = NULL;
	struct verdict verdict = { .code = 1 };
	PIC_FD int fd = file_of(nothing, sizeof(nothing));
	struct pic_admit_order order = {
		.type = "process", .fd = fd, .done = on_verdict, .data = &verdict
	};

	(void)state;
	assert_int_equal(pic_loop_new(&loop, NULL), 0);
	assert_int_equal(pic_admit_start(&admission, loop, &order, NULL), 0);
	pic_admit_cancel(admission);
	pic_admit_cancel(NULL);
	pic_loop_free(loop);
	assert_int_equal(verdict.code, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_module_is_admitted),
		cmocka_unit_test(a_damaged_module_is_not),
		cmocka_unit_test(a_type_that_nobody_can_look_at_is_admitted),
		cmocka_unit_test(it_can_be_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
