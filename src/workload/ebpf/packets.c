#include "workload/ebpf/packets.h"

#include <stdio.h>
#include <string.h>

#define ETHERNET 14
#define LEAST 60 /* bytes of the shortest frame */

static const unsigned char our_mac[6] = { 2, 0, 0, 0, 0, 1 }, their_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const unsigned char our_v4[4] = { 192, 0, 2, 1 }, their_v4[4] = { 192, 0, 2, 2 };
static const unsigned char our_v6[16] = { 0xfe, 0x80, [15] = 1 },
			   their_v6[16] = { 0xfe, 0x80, [15] = 2 };

/* A packet under construction: what comes in is theirs, what goes out is ours. */
struct maker {
	struct pic_ebpf_packet *packet;
	bool outgoing;
};

static unsigned char *room(struct maker *maker, size_t size)
{
	unsigned char *at = maker->packet->bytes + maker->packet->size;

	maker->packet->size += size;
	return at;
}

static void put16(unsigned char *at, unsigned value)
{
	at[0] = (unsigned char)(value >> 8);
	at[1] = (unsigned char)value;
}

static uint32_t add_up(uint32_t sum, const unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

static void ethernet(struct maker *maker, unsigned type, bool to_all)
{
	unsigned char *at = room(maker, ETHERNET);

	memcpy(at, maker->outgoing ? their_mac : our_mac, 6);
	if (to_all)
		memset(at, 0xff, 6);
	memcpy(at + 6, maker->outgoing ? our_mac : their_mac, 6);
	put16(at + 12, type);
}

static void arp(struct maker *maker, const struct pic_uplink *uplink)
{
	unsigned char *at;

	(void)uplink;
	ethernet(maker, 0x0806, true);
	at = room(maker, 28);
	memcpy(at, (const unsigned char[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
	memcpy(at + 8, maker->outgoing ? our_mac : their_mac, 6);
	memcpy(at + 14, maker->outgoing ? our_v4 : their_v4, 4);
	memcpy(at + 24, maker->outgoing ? their_v4 : our_v4, 4);
}

/* Headers with the ends of the conversation; the payload is filled in by the caller. */
static unsigned char *ip4(struct maker *maker, unsigned protocol, size_t payload,
			  const unsigned char *theirs)
{
	unsigned char *at;

	ethernet(maker, 0x0800, false);
	at = room(maker, 20);
	at[0] = 0x45;
	put16(at + 2, (unsigned)(20 + payload));
	at[8] = 64;
	at[9] = (unsigned char)protocol;
	memcpy(at + (maker->outgoing ? 12 : 16), our_v4, 4);
	memcpy(at + (maker->outgoing ? 16 : 12), theirs, 4);
	put16(at + 10, fold(add_up(0, at, 20)));
	return room(maker, payload);
}

static unsigned char *ip6(struct maker *maker, unsigned protocol, size_t payload,
			  const unsigned char *theirs)
{
	unsigned char *at;

	ethernet(maker, 0x86dd, false);
	at = room(maker, 40);
	at[0] = 0x60;
	put16(at + 4, (unsigned)payload);
	at[6] = (unsigned char)protocol;
	at[7] = 255;
	memcpy(at + (maker->outgoing ? 8 : 24), our_v6, 16);
	memcpy(at + (maker->outgoing ? 24 : 8), theirs, 16);
	return room(maker, payload);
}

static void icmp(struct maker *maker, const struct pic_uplink *uplink)
{
	unsigned char *at = ip4(maker, 1, 16, their_v4);

	(void)uplink;
	at[0] = maker->outgoing ? 8 : 0; /* echo request, reply */
	put16(at + 4, 1);
	put16(at + 6, 1);
	put16(at + 2, fold(add_up(0, at, 16)));
}

/* A UDP checksum of 0 says that there is none. */
static unsigned char *udp(struct maker *maker, unsigned ours, unsigned theirs, size_t payload)
{
	unsigned char *at = ip4(maker, 17, 8 + payload, their_v4);

	put16(at + (maker->outgoing ? 0 : 2), ours);
	put16(at + (maker->outgoing ? 2 : 0), theirs);
	put16(at + 4, (unsigned)(8 + payload));
	return at + 8;
}

static void dhcp(struct maker *maker, const struct pic_uplink *uplink)
{
	unsigned char *at = udp(maker, 68, 67, 244);

	(void)uplink;
	at[0] = maker->outgoing ? 1 : 2;
	at[1] = 1;
	at[2] = 6;
	memcpy(at + 28, our_mac, 6);
	memcpy(at + 236, (const unsigned char[]){ 0x63, 0x82, 0x53, 0x63 }, 4);
	memcpy(at + 240, (const unsigned char[]){ 53, 1, maker->outgoing ? 3 : 5, 0xff }, 4);
}

static void dns(struct maker *maker, const struct pic_uplink *uplink)
{
	static const unsigned char question[] = { 3,   'h', 'u', 'b', 7, 'e', 'x', 'a', 'm',
						  'p', 'l', 'e', 0,   0, 1,   0,   1 };
	unsigned char *at = udp(maker, 40000, 53, 12 + sizeof(question));

	(void)uplink;
	put16(at, 0x1234);
	put16(at + 2, maker->outgoing ? 0x0100 : 0x8180);
	put16(at + 4, 1);
	memcpy(at + 12, question, sizeof(question));
}

static void neighbour(struct maker *maker, const struct pic_uplink *uplink)
{
	unsigned char *at = ip6(maker, 58, 32, their_v6);
	uint32_t sum;

	(void)uplink;
	at[0] = maker->outgoing ? 135 : 136;
	at[4] = maker->outgoing ? 0 : 0x60;
	memcpy(at + 8, their_v6, 16);
	at[24] = maker->outgoing ? 1 : 2; /* the link-layer address follows */
	at[25] = 1;
	memcpy(at + 26, maker->outgoing ? our_mac : their_mac, 6);
	sum = add_up(32 + 58, at - 32, 32); /* both addresses stand before it */
	put16(at + 2, fold(add_up(sum, at, 32)));
}

/* The beginning of the connection to the hub: our SYN, its SYN and ACK. */
static void hub(struct maker *maker, const struct pic_uplink *uplink)
{
	bool six = uplink->family == 6;
	unsigned char *at = six ? ip6(maker, 6, 20, uplink->address)
				: ip4(maker, 6, 20, uplink->address);
	size_t addresses = six ? 32 : 8;
	uint32_t sum;

	put16(at + (maker->outgoing ? 0 : 2), 40001);
	put16(at + (maker->outgoing ? 2 : 0), uplink->port);
	at[12] = 0x50;
	at[13] = maker->outgoing ? 0x02 : 0x12;
	put16(at + 14, 64240);
	sum = add_up(20 + 6, at - addresses, addresses);
	put16(at + 16, fold(add_up(sum, at, 20)));
}

bool pic_ebpf_packet_make(unsigned index, bool outgoing, const struct pic_uplink *uplink,
			  struct pic_ebpf_packet *out)
{
	static const struct {
		const char *name;
		void (*make)(struct maker *maker, const struct pic_uplink *uplink);
	} kinds[] = {
		{ "ARP", arp },
		{ "ICMP", icmp },
		{ "DHCP", dhcp },
		{ "DNS", dns },
		{ "IPv6 neighbour", neighbour },
		{ "TCP of the hub", hub },
	};
	size_t count = sizeof(kinds) / sizeof(kinds[0]);
	struct maker maker = { out, outgoing };

	if (uplink->family != 4 && uplink->family != 6)
		count--;
	if (index >= count)
		return false;
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", kinds[index].name);
	kinds[index].make(&maker, uplink);
	if (out->size < LEAST)
		out->size = LEAST;
	return true;
}
