// SPDX-License-Identifier: GPL-2.0
/*
 * The description of a function: its words, and its memory.
 */
#include <stdlib.h>
#include <string.h>
#include "function.h"

const char *const fm_field_names[FM_FIELDS] = {
	[FM_SRC_ADDR4] = "src_addr4",
	[FM_DST_ADDR4] = "dst_addr4",
	[FM_SRC_ADDR6] = "src_addr6",
	[FM_DST_ADDR6] = "dst_addr6",
	[FM_SRC_PORT] = "src_port",
	[FM_DST_PORT] = "dst_port",
	[FM_PROTOCOL] = "protocol",
	[FM_VLAN] = "vlan",
	[FM_SRC_MAC] = "src_mac",
	[FM_DST_MAC] = "dst_mac",
	[FM_ETHERTYPE] = "ethertype",
	[FM_IFINDEX] = "ifindex",
	[FM_RX_QUEUE] = "rx_queue",
	[FM_RX_HASH] = "rx_hash",
	[FM_BYTES] = "bytes",
};

const char *const fm_layer_names[FM_LAYERS] = {
	[FM_LAYER_FRAME] = "frame",
	[FM_LAYER_NETWORK] = "network",
	[FM_LAYER_TRANSPORT] = "transport",
	[FM_LAYER_UNKNOWN] = "unknown",
};

const char *const fm_class_names[FM_CLASSES] = {
	[FM_STATELESS] = "stateless",
	[FM_NOT_STATE] = "not-state",
	[FM_READ_ONLY] = "read-only",
	[FM_PER_CPU] = "per-cpu",
	[FM_PACKET_KEY] = "packet-key",
	[FM_CONST_KEY] = "const-key",
	[FM_SHARED] = "shared",
};

const char *const fm_part_names[FM_PART_KINDS] = {
	[FM_PART_CONST] = "const",
	[FM_PART_FIELD] = "field",
	[FM_PART_FUNCTION] = "function",
	[FM_PART_UNKNOWN] = "unknown",
};

unsigned int fm_field_size(enum fm_field field)
{
	static const unsigned char size[FM_FIELDS] = {
		[FM_SRC_ADDR4] = 4,	[FM_DST_ADDR4] = 4,
		[FM_SRC_ADDR6] = 16,	[FM_DST_ADDR6] = 16,
		[FM_SRC_PORT] = 2,	[FM_DST_PORT] = 2,
		[FM_PROTOCOL] = 1,	[FM_VLAN] = 2,
		[FM_SRC_MAC] = 6,	[FM_DST_MAC] = 6,
		[FM_ETHERTYPE] = 2,	[FM_IFINDEX] = 4,
		[FM_RX_QUEUE] = 4,	[FM_RX_HASH] = 4,
	};

	return size[field];
}

enum fm_field fm_field_mirror(enum fm_field field)
{
	switch (field) {
	case FM_SRC_ADDR4:
		return FM_DST_ADDR4;
	case FM_DST_ADDR4:
		return FM_SRC_ADDR4;
	case FM_SRC_ADDR6:
		return FM_DST_ADDR6;
	case FM_DST_ADDR6:
		return FM_SRC_ADDR6;
	case FM_SRC_PORT:
		return FM_DST_PORT;
	case FM_DST_PORT:
		return FM_SRC_PORT;
	case FM_SRC_MAC:
		return FM_DST_MAC;
	case FM_DST_MAC:
		return FM_SRC_MAC;
	default:
		return field;
	}
}

static void free_lines(char **line, unsigned int n)
{
	while (n)
		free(line[--n]);
	free(line);
}

void fm_key_free(struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++) {
		free(key->parts[i].slices);
		free(key->parts[i].bytes);
	}
	free(key->parts);
	free_lines(key->sites, key->n_sites);
}

static void map_free(struct fm_map *map)
{
	unsigned int i;

	for (i = 0; i < map->n_keys; i++)
		fm_key_free(&map->keys[i]);
	free(map->keys);
	free_lines(map->reasons, map->n_reasons);
	free(map->name);
	free(map->type);
}

void fm_function_free(struct fm_function *function)
{
	unsigned int i;

	for (i = 0; i < function->n_maps; i++)
		map_free(&function->maps[i]);
	free(function->maps);
	free(function->rewrites);
	free_lines(function->reasons, function->n_reasons);
	free(function->name);
	free(function->source);
	free(function->hook);
	free(function->advice);
	memset(function, 0, sizeof(*function));
}

void fm_analysis_free(struct fm_analysis *result)
{
	unsigned int i;

	for (i = 0; i < result->n; i++)
		fm_function_free(&result->functions[i]);
	free(result->functions);
	memset(result, 0, sizeof(*result));
}
