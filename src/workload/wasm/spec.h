/*
 * What a wasm component asks for, as a fixed-size struct.
 *
 *   wasm.url, wasm.sha256   the module (the document's own url and sha256 win)
 *   wasm.dir                "GUEST:HOST[:rw]", several separated by blanks; read-only unless ":rw".
 *                           A HOST that is tracefs is replaced by the instance's own trace folder.
 *   wasm.args               arguments, split at blanks, with '...' and "..." quotes
 *   wasm.env                NAME=VALUE, several, same quoting
 *   wasm.listen             "[tcp:|udp:]ADDR:PORT[-PORT]", several; none declared: any port policy allows
 *   wasm.connect            "[tcp:|udp:]ADDR[/BITS]:PORT[-PORT]", several; none: no outgoing connection
 *   wasm.memory             linear memory limit, "64M"; default 64M
 *   wasm.restart            "always" (default), "on-failure", "never"
 */
#ifndef PIC_WORKLOAD_WASM_SPEC_H
#define PIC_WORKLOAD_WASM_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/policy.h"

#define PIC_WASM_FOLDERS_MAX 8
#define PIC_WASM_PORTS_MAX 8
#define PIC_WASM_TEXT_MAX 4096

struct pic_wasm_folder {
	char guest[128];
	char host[PIC_POLICY_PATH_MAX];
	bool writable;
	bool trace; /* the instance's trace folder instead of host */
};

struct pic_wasm_spec {
	uint32_t version; /* 1 */
	uint32_t restart; /* 0 always, 1 on-failure, 2 never */
	uint64_t memory_max;
	uint32_t folder_count;
	struct pic_wasm_folder folders[PIC_WASM_FOLDERS_MAX];
	uint32_t listen_count;
	struct pic_policy_ports listen[PIC_WASM_PORTS_MAX];
	uint32_t connect_count;
	struct pic_policy_ports connect[PIC_WASM_PORTS_MAX];
	uint32_t
		argument_count; /* texts in `text`: first the arguments (without the program's name) ... */
	uint32_t environment_count; /* ... then the environment */
	uint32_t text_size;
	char text[PIC_WASM_TEXT_MAX]; /* NUL-terminated texts in a row */
};

#endif
