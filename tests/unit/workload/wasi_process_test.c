/* Arguments, environment, clocks, randomness, and poll_oneoff without sockets. */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "wasi_world.h"

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct pic_error err;

	pic_wasm_spec_init(&world->spec);
	assert_int_equal(pic_wasm_spec_argument(&world->spec, "one", &err), 0);
	assert_int_equal(pic_wasm_spec_argument(&world->spec, "", &err), 0);
	assert_int_equal(pic_wasm_spec_environment(&world->spec, "A=1", &err), 0);
	assert_int_equal(pic_wasm_spec_environment(&world->spec, "LONG=value", &err), 0);
	world_open(world);
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

static void gives_arguments(void **state)
{
	struct world *world = *state;

	assert_int_equal(CALL(world, args_sizes_get, 0ull, 4ull), 0);
	assert_int_equal(world_get32(world, 0), 3);
	assert_int_equal(world_get32(world, 4), 5 + 4 + 1);
	assert_int_equal(CALL(world, args_get, 100ull, 200ull), 0);
	assert_string_equal((char *)world->wasi->memory + world_get32(world, 100), "test");
	assert_string_equal((char *)world->wasi->memory + world_get32(world, 104), "one");
	assert_string_equal((char *)world->wasi->memory + world_get32(world, 108), "");
	/* room for the texts up to the last byte, and one less */
	assert_int_equal(CALL(world, args_get, 100ull, WORLD_MEMORY - 10ull), 0);
	assert_int_equal(CALL(world, args_get, 100ull, WORLD_MEMORY - 9ull), PIC_WASI_FAULT);
}

static void gives_environment(void **state)
{
	struct world *world = *state;

	assert_int_equal(CALL(world, environ_sizes_get, 0ull, 4ull), 0);
	assert_int_equal(world_get32(world, 0), 2);
	assert_int_equal(world_get32(world, 4), 4 + 11);
	assert_int_equal(CALL(world, environ_get, 100ull, 200ull), 0);
	assert_string_equal((char *)world->wasi->memory + world_get32(world, 100), "A=1");
	assert_string_equal((char *)world->wasi->memory + world_get32(world, 104), "LONG=value");
}

static void tells_the_time(void **state)
{
	struct world *world = *state;
	uint64_t first;

	for (uint64_t id = 0; id < 4; id++) {
		assert_int_equal(CALL(world, clock_time_get, id, 1ull, 0ull), 0);
		first = world_get64(world, 0);
		assert_int_equal(CALL(world, clock_time_get, id, 1ull, 0ull), 0);
		assert_true(world_get64(world, 0) >= first);
		assert_int_equal(CALL(world, clock_res_get, id, 8ull), 0);
		assert_true(world_get64(world, 8) > 0);
	}
	assert_int_equal(CALL(world, clock_time_get, 0ull, 0ull, 0ull), 0);
	assert_true(world_get64(world, 0) / 1000000000u + 2 > (uint64_t)time(NULL));
	assert_int_equal(CALL(world, clock_time_get, 4ull, 0ull, 0ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, clock_res_get, 0xffffffffull, 0ull), PIC_WASI_INVAL);
}

static void gives_chance(void **state)
{
	struct world *world = *state;
	unsigned char zeros[64] = { 0 };

	assert_int_equal(CALL(world, random_get, 100ull, 64ull), 0);
	assert_memory_not_equal(world->wasi->memory + 100, zeros, 64);
	assert_int_equal(CALL(world, random_get, 0ull, (uint64_t)WORLD_MEMORY), 0);
	assert_int_equal(CALL(world, random_get, 0ull, 0ull), 0);
	assert_int_equal(CALL(world, random_get, 1ull, (uint64_t)WORLD_MEMORY), PIC_WASI_FAULT);
}

static void ends(void **state)
{
	struct world *world = *state;

	assert_int_equal(CALL(world, sched_yield), 0);
	assert_int_equal(CALL(world, proc_raise, 0ull), 0);
	assert_null(world->wasi->trap);
	assert_int_equal(CALL(world, proc_raise, 31ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, proc_raise, 6ull), 0);
	assert_non_null(world->wasi->trap);
	assert_false(world->wasi->exited);
	CALL(world, proc_exit, 0xffffffffull);
	assert_true(world->wasi->exited);
	assert_int_equal(world->wasi->exit_status, -1);
}

static void put_clock(struct world *world, uint32_t at, uint32_t id, uint64_t ns, uint32_t flags)
{
	memset(world->wasi->memory + at, 0xee, 48);
	world_put64(world, at, 7);
	world->wasi->memory[at + 8] = PIC_WASI_EVENT_CLOCK;
	world_put32(world, at + 16, id);
	world_put64(world, at + 24, ns);
	world->wasi->memory[at + 40] = (unsigned char)flags;
	world->wasi->memory[at + 41] = 0;
}

static void put_fd(struct world *world, uint32_t at, uint32_t fd, uint8_t type)
{
	memset(world->wasi->memory + at, 0xee, 48);
	world_put64(world, at, fd + 1000);
	world->wasi->memory[at + 8] = type;
	world_put32(world, at + 16, fd);
}

static uint64_t now_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void waits_for_clocks(void **state)
{
	static const uint32_t ids[] = { PIC_WASI_CLOCK_REALTIME, PIC_WASI_CLOCK_MONOTONIC };
	struct world *world = *state;
	uint64_t start, took;

	for (unsigned i = 0; i < 4; i++) {
		clockid_t host = ids[i % 2] ? CLOCK_MONOTONIC : CLOCK_REALTIME;
		bool absolute = i >= 2;

		put_clock(world, 0, ids[i % 2], absolute ? now_ns(host) + 20000000 : 20000000,
			  absolute);
		put_clock(world, 48, ids[i % 2], absolute ? UINT64_MAX : 3600000000000, absolute);
		start = now_ns(CLOCK_MONOTONIC);
		assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 2ull, 400ull), 0);
		took = now_ns(CLOCK_MONOTONIC) - start;
		assert_int_equal(world_get32(world, 400), 1);
		assert_int_equal(world_get64(world, 1000), 7);
		assert_int_equal(pic_wasi_load16(world->wasi->memory + 1008), 0);
		assert_true(took >= 19000000 && took < 2000000000);
	}
	/* the past, and a clock that cannot be waited for */
	put_clock(world, 0, PIC_WASI_CLOCK_MONOTONIC, 1, 1);
	put_clock(world, 48, PIC_WASI_CLOCK_PROCESS, 1, 0);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 2ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 2);
	assert_int_equal(pic_wasi_load16(world->wasi->memory + 1008), 0);
	assert_int_equal(pic_wasi_load16(world->wasi->memory + 1040), PIC_WASI_NOTSUP);
}

static void answers_at_once(void **state)
{
	struct world *world = *state;

	put_fd(world, 0, 0, PIC_WASI_EVENT_READ);
	put_fd(world, 48, 1, PIC_WASI_EVENT_WRITE);
	put_fd(world, 96, 77, PIC_WASI_EVENT_READ);
	put_clock(world, 144, PIC_WASI_CLOCK_MONOTONIC, 3600000000000, 0);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 4ull, 400ull), 0);
	assert_int_equal(world_get32(world, 400), 3);
	assert_int_equal(world_get64(world, 1000), 1000);
	assert_int_equal(world->wasi->memory[1010], PIC_WASI_EVENT_READ);
	assert_int_equal(world->wasi->memory[1024],
			 PIC_WASI_EVENT_HANGUP); /* an empty standard input */
	assert_int_equal(world_get64(world, 1032), 1001);
	assert_int_equal(world->wasi->memory[1042], PIC_WASI_EVENT_WRITE);
	assert_int_equal(world_get64(world, 1064), 1077);
	assert_int_equal(pic_wasi_load16(world->wasi->memory + 1072), PIC_WASI_BADF);
}

static void refuses_odd_subscriptions(void **state)
{
	struct world *world = *state;

	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 0ull, 400ull), PIC_WASI_INVAL);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 4097ull, 400ull), PIC_WASI_INVAL);
	/* n * 48 does not fit in 32 bits: 0x5555556 * 48 is 32 there */
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 0x5555556ull, 400ull),
			 PIC_WASI_INVAL);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 0xffffffffull, 400ull),
			 PIC_WASI_INVAL);
	/* all subscriptions inside, the events not, and the other way */
	assert_int_equal(CALL(world, poll_oneoff, 0ull, WORLD_MEMORY - 63ull, 2ull, 400ull),
			 PIC_WASI_FAULT);
	assert_int_equal(CALL(world, poll_oneoff, WORLD_MEMORY - 95ull, 0ull, 2ull, 400ull),
			 PIC_WASI_FAULT);
	put_clock(world, 0, PIC_WASI_CLOCK_MONOTONIC, 0, 0);
	world->wasi->memory[8] = 3;
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 1000ull, 1ull, 400ull), PIC_WASI_INVAL);
	/* events written over the subscriptions they answer: garbage for the guest, no harm */
	for (uint32_t i = 0; i < 64; i++)
		put_clock(world, i * 48, PIC_WASI_CLOCK_MONOTONIC, 0, 0);
	assert_int_equal(CALL(world, poll_oneoff, 0ull, 8ull, 64ull, 4096ull), 0);
	assert_true(world_get32(world, 4096) <= 64);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gives_arguments),
		TEST(gives_environment),
		TEST(tells_the_time),
		TEST(gives_chance),
		TEST(ends),
		TEST(waits_for_clocks),
		TEST(answers_at_once),
		TEST(refuses_odd_subscriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
