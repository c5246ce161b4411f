// SPDX-License-Identifier: GPL-2.0
/*
 * Expressions of nftables to keys of state.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "flowmage.h"
#include "nft.h"

#define ETHERTYPE_IP4	0x0800
#define ETHERTYPE_IP6	0x86dd

static const struct {
	const char *protocol;
	const char *field;
	enum fm_field is;
} payloads[] = {
	{ "ip", "saddr", FM_SRC_ADDR4 }, { "ip", "daddr", FM_DST_ADDR4 },
	{ "ip", "protocol", FM_PROTOCOL },
	{ "ip6", "saddr", FM_SRC_ADDR6 }, { "ip6", "daddr", FM_DST_ADDR6 },
	{ "ip6", "nexthdr", FM_PROTOCOL },
	{ "tcp", "sport", FM_SRC_PORT }, { "tcp", "dport", FM_DST_PORT },
	{ "udp", "sport", FM_SRC_PORT }, { "udp", "dport", FM_DST_PORT },
	{ "sctp", "sport", FM_SRC_PORT }, { "sctp", "dport", FM_DST_PORT },
	{ "ether", "saddr", FM_SRC_MAC }, { "ether", "daddr", FM_DST_MAC },
	{ "ether", "type", FM_ETHERTYPE },
};

static const struct {
	const char *name;
	int ethertype;
	int protocol;
} protocols[] = {
	{ "ip", ETHERTYPE_IP4, -1 }, { "ip6", ETHERTYPE_IP6, -1 },
	{ "icmp", ETHERTYPE_IP4, IPPROTO_ICMP }, { "igmp", ETHERTYPE_IP4, 2 },
	{ "icmpv6", ETHERTYPE_IP6, IPPROTO_ICMPV6 }, { "ipv6-icmp", ETHERTYPE_IP6, IPPROTO_ICMPV6 },
	{ "arp", 0x0806, -1 }, { "tcp", -1, IPPROTO_TCP }, { "udp", -1, IPPROTO_UDP },
	{ "udplite", -1, 136 }, { "sctp", -1, IPPROTO_SCTP }, { "dccp", -1, 33 },
	{ "esp", -1, IPPROTO_ESP }, { "ah", -1, IPPROTO_AH }, { "comp", -1, IPPROTO_COMP },
	{ "ipv4", ETHERTYPE_IP4, -1 }, { "ipv6", ETHERTYPE_IP6, -1 },
};

/* The string at a key of an object that is the value of @outer; "": none. */
static const char *text_at(struct json_object *expr, const char *outer, const char *key)
{
	struct json_object *o, *v;

	if (!json_object_is_type(expr, json_type_object) ||
	    !json_object_object_get_ex(expr, outer, &o) ||
	    !json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, json_type_string))
		return "";
	return json_object_get_string(v);
}

static void learn_name(const char *name, struct nft_path *path)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(protocols[i].name, name))
			continue;
		if (protocols[i].ethertype >= 0)
			path->ethertype = protocols[i].ethertype;
		if (protocols[i].protocol >= 0)
			path->protocol = protocols[i].protocol;
	}
}

void nft_learn(struct json_object *expr, struct nft_path *path)
{
	size_t i;

	if (json_object_is_type(expr, json_type_array)) {
		for (i = 0; i < json_object_array_length(expr); i++)
			nft_learn(json_object_array_get_idx(expr, i), path);
		return;
	}
	if (!json_object_is_type(expr, json_type_object))
		return;
	learn_name(text_at(expr, "payload", "protocol"), path);
	json_object_object_foreach(expr, key, value) {
		(void)key;
		nft_learn(value, path);
	}
}

void nft_learn_match(struct json_object *match, struct nft_path *path)
{
	struct json_object *left, *right, *op;
	const char *key;

	if (!json_object_object_get_ex(match, "left", &left))
		return;
	/* the header has to be there for the match to be tried, whatever comes of it */
	nft_learn(left, path);
	if (!json_object_object_get_ex(match, "right", &right) ||
	    !json_object_is_type(right, json_type_string) ||
	    !json_object_object_get_ex(match, "op", &op) ||
	    strcmp(json_object_get_string(op), "=="))
		return;
	key = text_at(left, "meta", "key");
	if (!strcmp(key, "l4proto") || !strcmp(key, "nfproto") || !strcmp(key, "protocol"))
		learn_name(json_object_get_string(right), path);
	if (!strcmp(text_at(left, "payload", "protocol"), "ip") &&
	    !strcmp(text_at(left, "payload", "field"), "protocol"))
		learn_name(json_object_get_string(right), path);
}

enum fm_field nft_field(struct json_object *expr)
{
	const char *protocol = text_at(expr, "payload", "protocol");
	const char *field = text_at(expr, "payload", "field"), *meta = text_at(expr, "meta", "key");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(payloads); i++)
		if (!strcmp(payloads[i].protocol, protocol) && !strcmp(payloads[i].field, field))
			return payloads[i].is;
	/* an interface's name, too, is of one device */
	return !strcmp(meta, "iif") || !strcmp(meta, "iifname") ? FM_IFINDEX : FM_FIELDS;
}

/* The mask of "saddr & 255.255.255.0", of @size bytes; false: not such a mask. */
static bool read_mask(struct json_object *value, unsigned int size, uint8_t *mask)
{
	struct json_object *addr, *len;
	int64_t n;
	unsigned int i;

	memset(mask, 0, FM_FIELD_BYTES);
	if (json_object_is_type(value, json_type_string))
		return (size == 4 && inet_pton(AF_INET, json_object_get_string(value),
					       mask) == 1) ||
		       (size == 16 && inet_pton(AF_INET6, json_object_get_string(value),
						mask) == 1);
	if (json_object_is_type(value, json_type_int)) {
		n = json_object_get_int64(value);
		for (i = 0; i < size && i < 8; i++)
			mask[size - 1 - i] = n >> 8 * i;
		return size <= 8;
	}
	/* 255.255.0.0 may also be written as the prefix ffff0000/16 of itself */
	if (!json_object_is_type(value, json_type_object) ||
	    !json_object_object_get_ex(value, "prefix", &value) ||
	    !json_object_object_get_ex(value, "len", &len) ||
	    !json_object_object_get_ex(value, "addr", &addr))
		return false;
	return read_mask(addr, size, mask);
}

static int put_slice(struct fm_part *part, enum fm_field field, const uint8_t *mask)
{
	part->slices = calloc(1, sizeof(*part->slices));
	if (!part->slices)
		return -1;
	part->kind = FM_PART_FIELD;
	part->size = fm_field_size(field);
	part->n_slices = 1;
	part->slices->field = field;
	part->slices->size = part->size;
	if (mask)
		memcpy(part->slices->mask, mask, FM_FIELD_BYTES);
	else
		memset(part->slices->mask, 0xff, part->size);
	return 0;
}

static int put_component(struct json_object *expr, struct fm_part *part)
{
	enum fm_field field = nft_field(expr);
	uint8_t mask[FM_FIELD_BYTES];
	struct json_object *and;

	part->kind = FM_PART_UNKNOWN;
	part->size = NFT_STRIDE;
	if (field != FM_FIELDS)
		return put_slice(part, field, NULL);
	if (!json_object_is_type(expr, json_type_object) ||
	    !json_object_object_get_ex(expr, "&", &and) ||
	    !json_object_is_type(and, json_type_array) || json_object_array_length(and) != 2)
		return 0;
	field = nft_field(json_object_array_get_idx(and, 0));
	if (field == FM_FIELDS ||
	    !read_mask(json_object_array_get_idx(and, 1), fm_field_size(field), mask))
		return 0;
	return put_slice(part, field, mask);
}

/* Each component, and zeroes behind it. */
static int add_component(struct fm_key *key, unsigned int i, const struct fm_part *part)
{
	struct fm_part *at = &key->parts[key->n_parts++], *rest;

	*at = *part;
	at->at = i * NFT_STRIDE;
	if (at->size == NFT_STRIDE)
		return 0;
	rest = &key->parts[key->n_parts++];
	*rest = (struct fm_part){ .kind = FM_PART_CONST, .at = at->at + at->size,
				  .size = NFT_STRIDE - at->size };
	rest->bytes = calloc(rest->size, 1);
	return rest->bytes ? 0 : -1;
}

static int new_key(struct fm_key *key, unsigned int n)
{
	*key = (struct fm_key){ .ethertype = -1, .protocol = -1, .vlan_tags = -1, .mirror = -1,
				.fragments = true };
	key->parts = calloc(2 * n + 1, sizeof(*key->parts));
	return key->parts ? 0 : -1;
}

int nft_key(struct json_object *expr, const struct nft_path *path, struct fm_key *key)
{
	struct nft_path known = *path;
	struct json_object *list, *one;
	unsigned int n = 1, i;
	struct fm_part part;

	/* an element with a timeout has its value inside */
	if (json_object_is_type(expr, json_type_object) &&
	    json_object_object_get_ex(expr, "elem", &one) &&
	    json_object_is_type(one, json_type_object))
		json_object_object_get_ex(one, "val", &expr);
	if (!json_object_is_type(expr, json_type_object) ||
	    !json_object_object_get_ex(expr, "concat", &list) ||
	    !json_object_is_type(list, json_type_array))
		list = NULL;
	if (list)
		n = json_object_array_length(list);
	if (n > NFT_COMPONENTS)
		n = NFT_COMPONENTS;
	if (new_key(key, n))
		return -1;
	nft_learn(expr, &known);
	key->ethertype = known.ethertype;
	key->protocol = known.protocol;
	for (i = 0; i < n; i++) {
		memset(&part, 0, sizeof(part));
		if (put_component(list ? json_object_array_get_idx(list, i) : expr, &part) ||
		    add_component(key, i, &part))
			return -1;
	}
	return 0;
}

int nft_key_of(const enum fm_field *fields, unsigned int n, struct fm_key *key)
{
	struct fm_part part;
	unsigned int i;

	if (new_key(key, n))
		return -1;
	for (i = 0; i < n; i++) {
		part = (struct fm_part){ .kind = FM_PART_UNKNOWN, .size = NFT_STRIDE };
		if ((fields[i] != FM_FIELDS && put_slice(&part, fields[i], NULL)) ||
		    add_component(key, i, &part))
			return -1;
	}
	return 0;
}
