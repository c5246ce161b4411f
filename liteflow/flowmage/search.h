/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Of all keys that keep state together, one that spreads the packets; then the tables.
 */
#ifndef _FLOWMAGE_SEARCH_H
#define _FLOWMAGE_SEARCH_H

#include "steer.h"

/**
 * struct sample - packets that were seen
 * @class: of them
 * @device: index of the one they came in on; -1: any
 * @field: [enum hash_field]: in the order of the wire, from the first byte
 * @count: how many
 */
struct sample {
	enum packet_class class;
	int device;
	uint8_t field[HASH_FIELDS][16];
	uint64_t count;
};

/* Addresses that occur: the first @length bits of @address. */
struct prefix {
	bool given;
	uint8_t address[16];
	unsigned int length;
};

/**
 * struct traffic - which packets are to be spread
 * @samples: [n], from a capture; none: all packets of the prefixes, evenly
 * @n: how many
 * @prefix: [ipv6][HASH_SRC or HASH_DST]
 */
struct traffic {
	struct sample *samples;
	size_t n;
	struct prefix prefix[2][2];
};

/**
 * struct choice - what is put on the devices
 * @key: [device]
 * @table: [device]
 * @rank: [device][class]: index bits that vary independently
 * @fullest: expected packets of the fullest queue, over the mean of all
 * @samples: @fullest is of samples
 */
struct choice {
	uint8_t key[STEER_DEVICES][DEVICE_MAX_KEY];
	uint32_t table[STEER_DEVICES][DEVICE_MAX_TABLE];
	unsigned int rank[STEER_DEVICES][PKT_CLASSES];
	double fullest;
	bool samples;
};

/* How many keys are drawn, and how many of the best are tried on samples. */
#define SEARCH_DRAWS	48
#define SEARCH_BEST	6

/* A choice for closed equations; of equal @seed, equal. 0, or -1 without memory. */
int search_choice(const struct steer *st, const struct keysys *sys, const struct traffic *traffic,
		  uint64_t seed, struct choice *choice);

/* The index of a sample's packets on a device, with this key. */
unsigned int search_index(const struct steer *st, unsigned int device, const uint8_t *key,
			  const struct sample *s);

#endif /* _FLOWMAGE_SEARCH_H */
