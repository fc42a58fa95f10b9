#include "base/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define TEXT_MAX 128

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool pic_network_contains(const struct pic_network *outer, const struct pic_network *inner)
{
	if (outer->family == 0)
		return true;
	if (outer->family != inner->family || inner->bits < outer->bits)
		return false;
	return same_bits(outer->address, inner->address, outer->bits);
}

bool pic_ports_contain(const struct pic_policy_ports *outer, const struct pic_policy_ports *inner)
{
	return outer->transport == inner->transport && outer->first <= inner->first &&
	       inner->last <= outer->last && inner->first <= inner->last &&
	       pic_network_contains(&outer->network, &inner->network);
}

/* "10.0.0.0/8", "::1", "*" or nothing. */
static int parse_network(char *text, struct pic_network *out)
{
	char *slash = strchr(text, '/');
	long long bits;

	memset(out, 0, sizeof(*out));
	if (slash)
		*slash++ = '\0';
	if ((!*text || strcmp(text, "*") == 0) && !slash)
		return 0;
	if (inet_pton(AF_INET, text, out->address) == 1)
		out->family = 4;
	else if (inet_pton(AF_INET6, text, out->address) == 1)
		out->family = 6;
	else
		return -EINVAL;
	bits = out->family == 4 ? 32 : 128;
	if (slash && pic_integer_parse(slash, 0, bits, &bits) < 0)
		return -EINVAL;
	out->bits = (uint8_t)bits;
	return 0;
}

static int parse_port_range(char *text, struct pic_policy_ports *out)
{
	char *dash = strchr(text, '-');
	long long first, last;

	if (dash)
		*dash++ = '\0';
	if (pic_integer_parse(text, 1, 65535, &first) < 0 ||
	    pic_integer_parse(dash ? dash : text, first, 65535, &last) < 0)
		return -EINVAL;
	out->first = (uint16_t)first;
	out->last = (uint16_t)last;
	return 0;
}

/* Parts an address ("[fe80::/10]" for IPv6) from its ports; the address is "" when there is none. */
static int part(char *text, char **address, char **ports)
{
	char *colon, *bracket;

	if (text[0] == '[') {
		bracket = strchr(text, ']');
		if (!bracket)
			return -EINVAL;
		*address = text + 1;
		*ports = bracket + 1;
		*bracket = '\0';
		if (**ports != ':')
			return -EINVAL;
		*(*ports)++ = '\0';
		return 0;
	}
	colon = strrchr(text, ':');
	*address = colon ? text : text + strlen(text);
	*ports = colon ? colon + 1 : text;
	if (colon)
		*colon = '\0';
	return strchr(*address, ':') ? -EINVAL : 0; /* IPv6 wants its brackets */
}

int pic_ports_parse(const char *text, size_t size, struct pic_policy_ports *out,
		    struct pic_error *err)
{
	struct pic_policy_ports ports;
	char copy[TEXT_MAX], *rest = copy, *address, *range;

	memset(&ports, 0, sizeof(ports));
	ports.transport = PIC_TCP;
	if (size == 0 || size >= sizeof(copy) || memchr(text, '\0', size))
		return pic_error_set(err, -EINVAL,
				     "a port must be given as [tcp:|udp:][ADDRESS:]PORT[-PORT]");
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (pic_text_starts(copy, "tcp:") || pic_text_starts(copy, "udp:")) {
		ports.transport = copy[0] == 't' ? PIC_TCP : PIC_UDP;
		rest += strlen("tcp:");
	}
	if (part(rest, &address, &range) < 0 || parse_network(address, &ports.network) < 0 ||
	    parse_port_range(range, &ports) < 0)
		return pic_error_set(
			err, -EINVAL,
			"'%.*s' is not a port: write [tcp:|udp:][ADDRESS:]PORT[-PORT], ports from 1 to 65535, "
			"IPv6 addresses in brackets",
			(int)size, text);
	*out = ports;
	return 0;
}

void pic_network_text(const struct pic_network *network, char out[64])
{
	unsigned most = network->family == 4 ? 32 : 128;
	char address[INET6_ADDRSTRLEN] = "*";

	if (network->family)
		inet_ntop(network->family == 4 ? AF_INET : AF_INET6, network->address, address,
			  sizeof(address));
	if (network->family && network->bits < most)
		snprintf(out, 64, "%s/%u", address, network->bits);
	else
		snprintf(out, 64, "%s", address);
}

void pic_ports_text(const struct pic_policy_ports *ports, char out[96])
{
	char network[64];
	int n;

	pic_network_text(&ports->network, network);
	n = snprintf(out, 96, ports->network.family == 6 ? "%s:[%s]:%u" : "%s:%s:%u",
		     ports->transport == PIC_UDP ? "udp" : "tcp", network, ports->first);
	if (ports->first != ports->last)
		snprintf(out + n, 96 - (size_t)n, "-%u", ports->last);
}
