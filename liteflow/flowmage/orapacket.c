// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <string.h>
#include "orapacket.h"

#define LOOPBACK	1	/* the device that a test run comes from */

uint32_t random32(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return *seed >> 33;
}

static uint16_t port(uint64_t *seed)
{
	static const uint16_t known[] = { 7000, 8000, 9000, 80, 53 };
	uint32_t r = random32(seed);

	return htons(r % 3 ? known[r / 3 % 5] : 1024 + r / 3 % 60000);
}

/* What is in the packets of each kind. */
static const struct {
	unsigned int tags;
	bool six;
	unsigned int words;	/* of IPv4's header */
	uint8_t protocol;
	uint16_t fragment;	/* IPv4's flags and offset */
} kinds[PACKET_KINDS] = {
	{ 0, false, 5, IPPROTO_TCP, 0 }, { 0, false, 5, IPPROTO_UDP, 0 },
	{ 0, false, 5, IPPROTO_TCP, 0x4000 }, { 0, false, 7, IPPROTO_UDP, 0 },
	{ 0, false, 6, IPPROTO_TCP, 0 }, { 0, false, 5, IPPROTO_ICMP, 0 },
	{ 0, false, 5, IPPROTO_UDP, 0x2000 }, { 0, false, 5, IPPROTO_UDP, 0x00b9 },
	{ 0, true, 0, IPPROTO_TCP, 0 }, { 0, true, 0, IPPROTO_UDP, 0 },
	{ 1, false, 5, IPPROTO_TCP, 0 }, { 2, false, 5, IPPROTO_UDP, 0 },
	{ 0, false, 5, IPPROTO_IPIP, 0 }, { 1, true, 0, IPPROTO_UDP, 0 },
};

void packet_make(struct packet *p, unsigned int kind, uint64_t *seed)
{
	struct iphdr *ip;
	struct ipv6hdr *ip6;
	struct tcphdr *tcp;
	unsigned int at = 12, i;
	uint16_t word;

	p->len = PACKET_BYTES;
	for (i = 0; i < p->len; i++)
		p->byte[i] = random32(seed);
	p->byte[0] &= 0xfe;
	for (i = 0; i < kinds[kind].tags; i++, at += 4) {
		word = htons(i || random32(seed) % 2 ? ETH_P_8021Q : ETH_P_8021AD);
		memcpy(p->byte + at, &word, 2);
	}
	word = htons(kinds[kind].six ? ETH_P_IPV6 : ETH_P_IP);
	memcpy(p->byte + at, &word, 2);
	at += 2;
	if (kinds[kind].six) {
		ip6 = (void *)(p->byte + at);
		ip6->version = 6;
		ip6->payload_len = htons(p->len - at - sizeof(*ip6));
		ip6->nexthdr = kinds[kind].protocol;
		at += sizeof(*ip6);
	} else {
		ip = (void *)(p->byte + at);
		ip->version = 4;
		ip->ihl = kinds[kind].words;
		ip->tot_len = htons(p->len - at);
		ip->frag_off = htons(kinds[kind].fragment);
		ip->ttl = random32(seed) % 3 ? 64 : 1;
		ip->protocol = kinds[kind].protocol;
		at += 4 * ip->ihl;
	}
	word = port(seed);
	memcpy(p->byte + at, &word, 2);
	word = port(seed);
	memcpy(p->byte + at + 2, &word, 2);
	if (kinds[kind].protocol == IPPROTO_TCP) {
		tcp = (void *)(p->byte + at);
		tcp->doff = 5;
		p->byte[at + 13] = random32(seed) % 2 ? 0x10 : 1 << random32(seed) % 6;
	}
}

struct headers {
	int type;	/* where the ethertype behind the tags is */
	int tags;
	int ethertype;
	int network;	/* -1: neither IPv4 nor IPv6 */
	int transport;	/* -1: none */
	int protocol;
	bool fragment;
};

static int half(const struct packet *p, unsigned int at)
{
	return p->byte[at] << 8 | p->byte[at + 1];
}

static void parse(const struct packet *p, struct headers *h)
{
	*h = (struct headers){ .type = 12, .network = -1, .transport = -1, .protocol = -1 };
	while ((half(p, h->type) == ETH_P_8021Q || half(p, h->type) == ETH_P_8021AD) &&
	       h->tags < 4) {
		h->type += 4;
		h->tags++;
	}
	h->ethertype = half(p, h->type);
	if (h->ethertype == ETH_P_IP) {
		h->network = h->type + 2;
		h->protocol = p->byte[h->network + 9];
		h->transport = h->network + 4 * (p->byte[h->network] & 15);
		h->fragment = half(p, h->network + 6) & 0x3fff;
	} else if (h->ethertype == ETH_P_IPV6) {
		h->network = h->type + 2;
		h->protocol = p->byte[h->network + 6];
		h->transport = h->network + 40;
		h->fragment = h->protocol == IPPROTO_FRAGMENT;
	}
}

bool packet_is_fragment(const struct packet *p)
{
	struct headers h;

	parse(p, &h);
	return h.fragment;
}

static int place(const struct headers *h, const struct fm_slice *s)
{
	bool four = h->ethertype == ETH_P_IP && h->network >= 0;
	bool six = h->ethertype == ETH_P_IPV6 && h->network >= 0;
	bool ports = h->protocol == IPPROTO_TCP || h->protocol == IPPROTO_UDP ||
		     h->protocol == IPPROTO_SCTP || h->protocol == IPPROTO_DCCP ||
		     h->protocol == IPPROTO_UDPLITE;

	switch (s->field) {
	case FM_SRC_ADDR4:
		return four ? h->network + 12 : -1;
	case FM_DST_ADDR4:
		return four ? h->network + 16 : -1;
	case FM_SRC_ADDR6:
		return six ? h->network + 8 : -1;
	case FM_DST_ADDR6:
		return six ? h->network + 24 : -1;
	case FM_SRC_PORT:
		return ports ? h->transport : -1;
	case FM_DST_PORT:
		return ports ? h->transport + 2 : -1;
	case FM_PROTOCOL:
		return four ? h->network + 9 : six ? h->network + 6 : -1;
	case FM_VLAN:
		return h->tags ? 14 : -1;
	case FM_SRC_MAC:
		return 6;
	case FM_DST_MAC:
		return 0;
	case FM_ETHERTYPE:
		return h->type;
	case FM_BYTES:
		if (s->layer == FM_LAYER_FRAME)
			return s->offset;
		if (s->layer == FM_LAYER_NETWORK)
			return h->network < 0 ? -1 : h->network + s->offset;
		if (s->layer == FM_LAYER_TRANSPORT)
			return h->transport < 0 ? -1 : h->transport + s->offset;
		return -1;
	default:
		return -1;
	}
}

bool packet_field(const struct packet *p, const struct fm_slice *s, uint8_t *value)
{
	static const uint8_t loopback[4] = { LOOPBACK };
	struct headers h;
	unsigned int i;
	int at;

	parse(p, &h);
	at = place(&h, s);
	if (s->field == FM_IFINDEX)
		memcpy(value, loopback, 4);
	else if (s->field == FM_RX_QUEUE)
		memset(value, 0, 4);
	else if (at < 0 || at + s->size > p->len)
		return false;
	else
		memcpy(value, p->byte + at, s->size);
	for (i = 0; i < s->size; i++)
		value[i] &= s->mask[i];
	return true;
}
