/*
 * Ports and networks as text and as sets: how policy.conf, the properties of components and the flags of
 * `piccolo wasm run` write them, and whether one lies in the other. Pure.
 */
#ifndef PIC_BASE_PORTS_H
#define PIC_BASE_PORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum pic_transport {
	PIC_TCP = 6,
	PIC_UDP = 17,
};

/* An address prefix: IPv4 in the first 4 bytes when family is 4; family 0: any address. */
struct pic_network {
	uint8_t family; /* 0, 4, 6 */
	uint8_t bits;
	uint8_t address[16];
};

struct pic_policy_ports {
	uint8_t transport; /* enum pic_transport */
	uint16_t first, last;
	struct pic_network network; /* local address for listen, peer for connect */
	uint32_t line;		    /* in policy.conf */
};

/* true when every address of `inner` is in `outer`. */
bool pic_network_contains(const struct pic_network *outer, const struct pic_network *inner);
bool pic_ports_contain(const struct pic_policy_ports *outer, const struct pic_policy_ports *inner);
/* "tcp:127.0.0.1:8085", "[::1]:8000-8010", "8085" ... as in wasm.listen; default transport TCP. -EINVAL. */
int pic_ports_parse(const char *text, size_t size, struct pic_policy_ports *out,
		    struct pic_error *err);
/* "10.0.0.0/8", "::1", "*" */
void pic_network_text(const struct pic_network *network, char out[64]);
void pic_ports_text(const struct pic_policy_ports *ports, char out[96]);

#endif
