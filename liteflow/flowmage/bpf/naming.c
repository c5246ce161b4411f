// SPDX-License-Identifier: GPL-2.0
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <string.h>
#include "naming.h"

#define MAX_TAGS		4
#define NEXTHDR_FRAGMENT	44

static uint32_t program_type;

void naming_begin(uint32_t type)
{
	program_type = type;
}

static bool is_tag(int ethertype)
{
	return ethertype == ETH_P_8021Q || ethertype == ETH_P_8021AD || ethertype == 0x9100;
}

static bool has_ports(int protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

/* skb->protocol, as far as it is known: its first byte on the wire is the lower one here */
static int skb_protocol(const struct state *s)
{
	int off = offsetof(struct __sk_buff, protocol), value = 0, bit;
	unsigned int i, j;

	for (i = 0; i < 2; i++)
		for (j = 8; j--; ) {
			bit = fact_bit(s, BIT_OF(source_make(SOURCE_CTX, LIST_NONE, off + i), j));
			if (bit < 0)
				return -1;
			value = 2 * value + bit;
		}
	return value;
}

static bool known_zero(const struct state *s, int off, uint8_t mask)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if (mask >> i & 1 &&
		    fact_bit(s, BIT_OF(source_make(SOURCE_PACKET, LIST_NONE, off), i)) != 0)
			return false;
	return true;
}

static int header_words(const struct state *s, int network)
{
	int ihl = 0, bit;
	unsigned int i;

	for (i = 4; i--; ) {
		bit = fact_bit(s, BIT_OF(source_make(SOURCE_PACKET, LIST_NONE, network), i));
		if (bit < 0)
			return -1;
		ihl = 2 * ihl + bit;
	}
	return ihl;
}

void find_layers(const struct state *s, struct layers *l)
{
	int off = offsetof(struct ethhdr, h_proto), tags = 0, type = fact_bytes(s, off, 2), ihl;

	*l = (struct layers){ -1, -1, -1, -1, -1, false };
	while (is_tag(type) && tags < MAX_TAGS) {
		tags++;
		off += 4;
		type = fact_bytes(s, off, 2);
	}
	if (tags)
		l->tags = tags;
	if (type < 0 && !tags && program_type != BPF_PROG_TYPE_XDP) {
		/* behind a tag that the device took off */
		type = skb_protocol(s);
		if (is_tag(type))
			type = -1;
	} else if (type >= 0) {
		l->tags = tags;
	}
	if (type < 0 || is_tag(type))
		return;
	l->ethertype = type;
	if (type != ETH_P_IP && type != ETH_P_IPV6)
		return;
	l->network = off + 2;
	if (type == ETH_P_IP) {
		l->protocol = fact_bytes(s, l->network + 9, 1);
		ihl = header_words(s, l->network);
		if (ihl >= 5)
			l->transport = l->network + 4 * ihl;
		/* more fragments, and the offset */
		l->whole = known_zero(s, l->network + 6, 0x3f & ~0x40) &&
			   known_zero(s, l->network + 7, 0xff);
	} else {
		l->protocol = fact_bytes(s, l->network + 6, 1);
		l->transport = l->network + 40;
		l->whole = l->protocol >= 0 && l->protocol != NEXTHDR_FRAGMENT;
	}
}

static bool set_field(struct fm_slice *slice, enum fm_field field, unsigned int at,
		      unsigned int *byte)
{
	slice->field = field;
	slice->size = fm_field_size(field);
	*byte = at;
	return true;
}

static bool set_bytes(struct fm_slice *slice, enum fm_layer layer, int64_t off,
		      unsigned int *byte)
{
	slice->field = FM_BYTES;
	slice->layer = layer;
	slice->offset = off;
	slice->size = 1;
	*byte = 0;
	return true;
}

static bool name_transport(const struct layers *l, int64_t off, struct fm_slice *slice,
			   unsigned int *byte)
{
	if (off >= 0 && off < 4 && has_ports(l->protocol))
		return set_field(slice, off < 2 ? FM_SRC_PORT : FM_DST_PORT, off % 2, byte);
	return set_bytes(slice, FM_LAYER_TRANSPORT, off, byte);
}

static bool name_network(const struct layers *l, int64_t off, struct fm_slice *slice,
			 unsigned int *byte)
{
	if (l->transport >= 0 && off >= l->transport - l->network)
		return name_transport(l, off - (l->transport - l->network), slice, byte);
	if (l->ethertype == ETH_P_IP) {
		if (off >= 12 && off < 20)
			return set_field(slice, off < 16 ? FM_SRC_ADDR4 : FM_DST_ADDR4, off % 4,
					 byte);
		if (off == 9)
			return set_field(slice, FM_PROTOCOL, 0, byte);
	} else {
		if (off >= 8 && off < 40)
			return set_field(slice, off < 24 ? FM_SRC_ADDR6 : FM_DST_ADDR6,
					 (off - 8) % 16, byte);
		if (off == 6)
			return set_field(slice, FM_PROTOCOL, 0, byte);
	}
	return set_bytes(slice, FM_LAYER_NETWORK, off, byte);
}

static bool name_frame(const struct layers *l, int64_t off, struct fm_slice *slice,
		       unsigned int *byte)
{
	if (off < 6)
		return set_field(slice, FM_DST_MAC, off, byte);
	if (off < 12)
		return set_field(slice, FM_SRC_MAC, off - 6, byte);
	if (l->tags > 0 && off >= 14 && off < 16)
		return set_field(slice, FM_VLAN, off - 14, byte);
	if (l->tags >= 0 && l->ethertype >= 0 && off >= 12 + 4 * l->tags &&
	    off < 14 + 4 * l->tags)
		return set_field(slice, FM_ETHERTYPE, off - 12 - 4 * l->tags, byte);
	return set_bytes(slice, FM_LAYER_FRAME, off, byte);
}

/* Is @v four times the length field of the IPv4 header at @network? */
static bool is_header_length(vid id, int network)
{
	const struct value *v = value_get(id);
	uint32_t source = source_make(SOURCE_PACKET, LIST_NONE, network);
	unsigned int i;

	for (i = 0; i < 64; i++)
		if (v->bit[i] != (i >= 2 && i < 6 ? BIT_OF(source, i - 2) : BIT_ZERO))
			return false;
	return true;
}

bool name_place(const struct state *s, const struct layers *l, uint32_t terms, int64_t off,
		struct fm_slice *slice, unsigned int *byte)
{
	const uint64_t *term;
	size_t n, i, left = 0;
	vid last = 0;
	uint64_t c;

	*slice = (struct fm_slice){ 0 };
	if (terms == LIST_ANY)
		return false;
	term = list_get(terms, &n);
	for (i = 0; i < n; i++) {
		if (state_is_const(s, term[i], &c)) {
			off += c;
			continue;
		}
		last = term[i];
		left++;
	}
	if (left == 1 && l->ethertype == ETH_P_IP && is_header_length(last, l->network) &&
	    off >= l->network)
		return name_transport(l, off - l->network, slice, byte);
	if (left || off < 0 || off > 65535)
		return false;
	if (l->network >= 0 && off >= l->network)
		return name_network(l, off - l->network, slice, byte);
	return name_frame(l, off, slice, byte);
}

static bool name_ctx(const struct layers *l, int off, struct fm_slice *slice, unsigned int *byte)
{
	static const struct {
		enum fm_field field;
		uint32_t type;
		size_t off;
	} table[] = {
		{ FM_IFINDEX, BPF_PROG_TYPE_XDP, offsetof(struct xdp_md, ingress_ifindex) },
		{ FM_RX_QUEUE, BPF_PROG_TYPE_XDP, offsetof(struct xdp_md, rx_queue_index) },
		{ FM_IFINDEX, 0, offsetof(struct __sk_buff, ingress_ifindex) },
		{ FM_ETHERTYPE, 0, offsetof(struct __sk_buff, protocol) },
		{ FM_VLAN, 0, offsetof(struct __sk_buff, vlan_tci) },
	};
	unsigned int i, size;

	*slice = (struct fm_slice){ 0 };
	for (i = 0; i < sizeof(table) / sizeof(*table); i++) {
		size = fm_field_size(table[i].field);
		if (table[i].type != (program_type == BPF_PROG_TYPE_XDP ? program_type : 0) ||
		    off < (int)table[i].off || off >= (int)(table[i].off + size))
			continue;
		if (table[i].field == FM_ETHERTYPE && l->ethertype < 0)
			return false;
		/* the tag's number is in the host's order */
		if (table[i].field == FM_VLAN)
			return set_field(slice, FM_VLAN, 1 - (off - table[i].off), byte);
		return set_field(slice, table[i].field, off - table[i].off, byte);
	}
	return false;
}

bool name_source(const struct state *s, const struct layers *l, uint32_t source,
		 struct fm_slice *slice, unsigned int *byte)
{
	enum source_kind kind;
	uint32_t terms;
	int32_t off;

	source_get(source, &kind, &terms, &off);
	if (kind == SOURCE_CTX)
		return name_ctx(l, off, slice, byte);
	return name_place(s, l, terms, off, slice, byte);
}

bool ctx_is_source(uint32_t type, int64_t off, unsigned int size)
{
	if (type == BPF_PROG_TYPE_XDP)
		return off >= (int)offsetof(struct xdp_md, ingress_ifindex) &&
		       off + size <= (int64_t)offsetof(struct xdp_md, egress_ifindex);
	return (off >= (int)offsetof(struct __sk_buff, protocol) &&
		off + size <= (int64_t)offsetof(struct __sk_buff, priority)) ||
	       (off >= (int)offsetof(struct __sk_buff, ingress_ifindex) &&
		off + size <= (int64_t)offsetof(struct __sk_buff, ifindex));
}
