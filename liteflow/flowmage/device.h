/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A network device's receive-side scaling: what it can do, and how it is set. Queried of the
 * kernel, or read from a JSON file that describes a device elsewhere.
 */
#ifndef _FLOWMAGE_DEVICE_H
#define _FLOWMAGE_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "toeplitz.h"

struct json_object;

/* Kinds of packets whose hashed fields can be set apart, named as for ethtool. */
enum flow_type {
	FLOW_TCP4,
	FLOW_UDP4,
	FLOW_SCTP4,
	FLOW_IP4,	/* all other IPv4: ICMP, fragments; it has no ethtool name of its own */
	FLOW_TCP6,
	FLOW_UDP6,
	FLOW_SCTP6,
	FLOW_IP6,
	FLOW_TYPES
};

extern const char *const flow_type_names[FLOW_TYPES];

/* What is done to a packet's fields before they are hashed; ethtool -X xfrm. */
enum hash_xfrm { XFRM_NONE, XFRM_XOR, XFRM_OR_XOR, XFRM_UNKNOWN, XFRM_NAMES };

extern const char *const hash_xfrm_names[XFRM_NAMES];

#define DEVICE_MAX_KEY		128	/* bytes */
#define DEVICE_MAX_TABLE	4096
#define DEVICE_MAX_QUEUES	1024
#define DEVICE_MAX_SETS		16

/**
 * struct rss - how a device is set
 * @key: [device's key_len]
 * @table: [device's table_len]: the queue of each index
 * @fields: per flow type, bits of enum hash_field; 0: not hashed, queue of index 0
 * @xfrm: see there
 */
struct rss {
	uint8_t key[DEVICE_MAX_KEY];
	uint32_t table[DEVICE_MAX_TABLE];
	uint8_t fields[FLOW_TYPES];
	enum hash_xfrm xfrm;
};

/**
 * struct device - one of the devices that a chain runs on
 * @name: of the interface
 * @driver: of the kernel
 * @file: the JSON file that describes it; NULL: it was asked
 * @key_len: bytes of the key
 * @table_len: entries of the indirection table
 * @queues: receive queues
 * @toeplitz: the hash function is Toeplitz's
 * @fields_known: the hashed fields can be read; else they are taken as 4-tuple for TCP
 *	and UDP, addresses for all else
 * @fields_fixed: they cannot be set
 * @sets: per flow type, the sets of fields that can be chosen beside the current one
 * @n_sets: how many
 * @xfrms: bit per enum hash_xfrm that it can do
 * @contexts: how many further RSS contexts, each with its own key; 0: none
 * @now: as it is set
 */
struct device {
	char name[IFNAMSIZ];
	char driver[32];
	char *file;
	unsigned int key_len;
	unsigned int table_len;
	unsigned int queues;
	bool toeplitz;
	bool fields_known;
	bool fields_fixed;
	uint8_t sets[FLOW_TYPES][DEVICE_MAX_SETS];
	uint8_t n_sets[FLOW_TYPES];
	unsigned int xfrms;
	unsigned int contexts;
	struct rss now;
};

/* "sdfn" of enum hash_field bits, "-" of none; a static text. */
const char *device_fields_text(uint8_t fields);

/* -1: no such set */
int device_fields_parse(const char *text);

/* Bits of an index into the table; 0: the table's size is no power of two. */
unsigned int device_index_bits(const struct device *dev);

/* A device from its JSON file, or as the kernel has it. 0, or EXIT_OTHER: complained. */
int device_load(struct device *dev, const char *name, const char *file);

/* The other way; the caller puts it. */
struct json_object *device_json(const struct device *dev);

/* Settings from and to JSON: "key", "table", "fields", "xfrm". */
struct json_object *rss_json(const struct device *dev, const struct rss *rss);
int rss_parse(const char *where, struct json_object *o, const struct device *dev, struct rss *rss);

/* Are these settings equal, as far as this device has them? */
bool rss_equal(const struct device *dev, const struct rss *a, const struct rss *b);

void device_free(struct device *dev);

#endif /* _FLOWMAGE_DEVICE_H */
