/*
 * What must pass a program that sits in the network's way: one packet of each kind without which a device is
 * lost (ARP, ICMP, DHCP, DNS, IPv6 neighbours), and its own connection to the hub. Pure.
 *
 * Sources: RFC 826, 791, 792, 2131, 1035, 9293, 4861.
 */
#ifndef PIC_WORKLOAD_EBPF_PACKETS_H
#define PIC_WORKLOAD_EBPF_PACKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol/supervisor.h"

#define PIC_EBPF_PACKET_MAX 320

struct pic_ebpf_packet {
	char name[24];
	size_t size;
	unsigned char bytes[PIC_EBPF_PACKET_MAX]; /* from the Ethernet header on */
};

/* Packet `index` as it comes in, or goes out; false: there are no more. The hub's is left out when nobody
 * knows where it is. */
bool pic_ebpf_packet_make(unsigned index, bool outgoing, const struct pic_uplink *uplink,
			  struct pic_ebpf_packet *out);

#endif
