/* Socket addresses: the host's, the guest's, and texts. */
#include <arpa/inet.h>
#include <stdio.h>

#include "admission/policy.h"
#include "workload/wasm/wasi.h"

socklen_t pic_wasi_address_to_host(const struct pic_wasi_address *address,
				   struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (address->family == 6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(address->port);
		memcpy(&v6->sin6_addr, address->bytes, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(address->port);
	memcpy(&v4->sin_addr, address->bytes, 4);
	return sizeof(*v4);
}

void pic_wasi_address_from_host(const struct sockaddr_storage *host, struct pic_wasi_address *out)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)host;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)host;

	memset(out, 0, sizeof(*out));
	if (host->ss_family == AF_INET) {
		out->family = 4;
		out->port = ntohs(v4->sin_port);
		memcpy(out->bytes, &v4->sin_addr, 4);
	} else if (host->ss_family == AF_INET6) {
		out->family = 6;
		out->port = ntohs(v6->sin6_port);
		memcpy(out->bytes, &v6->sin6_addr, 16);
	}
}

bool pic_wasi_address_equal(const struct pic_wasi_address *a, const struct pic_wasi_address *b)
{
	return a->family == b->family && a->port == b->port &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

void pic_wasi_address_text(const struct pic_wasi_address *address, char out[64])
{
	char number[INET6_ADDRSTRLEN] = "";

	inet_ntop(address->family == 6 ? AF_INET6 : AF_INET, address->bytes, number,
		  sizeof(number));
	snprintf(out, 64, address->family == 6 ? "[%s]:%u" : "%s:%u", number, address->port);
}

bool pic_wasi_address_granted(const struct pic_wasm_spec *spec, uint8_t transport,
			      const struct pic_wasi_address *address)
{
	struct pic_policy_ports wanted = {
		.transport = transport,
		.first = address->port,
		.last = address->port,
		.network = { .family = address->family,
			     .bits = (uint8_t)(address->family == 6 ? 128 : 32) },
	};

	memcpy(wanted.network.address, address->bytes, sizeof(wanted.network.address));
	for (uint32_t i = 0; i < spec->connect_count; i++)
		if (pic_ports_contain(&spec->connect[i], &wanted))
			return true;
	return false;
}
