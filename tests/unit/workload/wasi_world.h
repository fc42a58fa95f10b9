/*
 * A module's world without a module: the WASI layer with a guest memory that is exactly as large as it says, so
 * that the sanitizers see every byte outside; a log in a temporary file; a broker in a thread.
 */
#ifndef PIC_TEST_WASI_WORLD_H
#define PIC_TEST_WASI_WORLD_H

#include <pthread.h>
#include <stdint.h>

#include "workload/wasm/runner.h"
#include "workload/wasm/wasi.h"

#define WORLD_MEMORY 65536u

struct world {
	struct pic_wasm_spec spec;
	struct pic_wasi *wasi;
	int log_fds[2];
	char folder[64]; /* temporary, gone afterwards */
	int broker[2];
	pthread_t broker_thread;
	/* the broker's answers */
	int refuse; /* 0, or a negative errno */
	int mute;   /* does not answer at all */
	unsigned asked;
	struct pic_broker_request last;
};

/* With the spec that is in `spec` already. Folders of the spec are opened from their host paths. */
void world_open(struct world *world);
void world_close(struct world *world);
/* Calls a handler with up to 9 arguments. */
uint32_t world_call(struct world *world, pic_wasi_handler *handler, ...);
#define WORLD_END 0x70656e642d656e64ull /* no argument is this */
#define CALL(world, name, ...) world_call((world), pic_wasi_##name, ##__VA_ARGS__, WORLD_END)
/* In the guest's memory. */
uint32_t world_text(struct world *world, uint32_t at, const char *text); /* answers its length */
void world_vector(struct world *world, uint32_t at, uint32_t pointer, uint32_t size);
uint32_t world_get32(struct world *world, uint32_t at);
uint64_t world_get64(struct world *world, uint32_t at);
void world_put32(struct world *world, uint32_t at, uint32_t value);
void world_put64(struct world *world, uint32_t at, uint64_t value);
/* What the log holds; free() it. */
char *world_log(struct world *world);

#endif
