/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a chain of network functions asks of the steering, as linear equations between the
 * bits of the devices' keys.
 *
 * Each way in which a packet can reach a map is a view: on which device and as which kind of
 * packet it came, and what each bit of the map's key then is. For two views of one map, take
 * all pairs of packets, one of each, whose keys are equal. They form an affine space over
 * GF(2): bits of the packets are tied where both keys have them at one place, are constant, or
 * are free. Equal queues for all these pairs means that the hash bits which index the table
 * agree on a basis of that space: one equation for each basis vector and index bit.
 */
#ifndef _FLOWMAGE_STEER_H
#define _FLOWMAGE_STEER_H

#include <stdbool.h>
#include <stdint.h>
#include "device.h"
#include "function.h"
#include "keysys.h"

#define STEER_DEVICES	4
#define STEER_VARS	(HASH_FIELDS * 128)	/* hashable bits of a packet: field * 128 + bit */

/* Kinds of packets that differ in what the device hashes or the function sees. */
enum packet_class {
	PKT_TCP4, PKT_UDP4, PKT_SCTP4, PKT_OTHER4, PKT_TCP4_FRAGMENT, PKT_UDP4_FRAGMENT,
	PKT_TCP6, PKT_UDP6, PKT_SCTP6, PKT_OTHER6, PKT_TCP6_FRAGMENT, PKT_UDP6_FRAGMENT,
	PKT_CLASSES
};

/**
 * struct packet_kind - a class of packets
 * @name: for messages
 * @ipv6: its family
 * @protocol: of its transport; of "other" an example
 * @fragment: a fragment; of IPv6 also what has other headers before its transport
 * @flow: the device's name for it
 */
struct packet_kind {
	const char *name;
	bool ipv6;
	uint8_t protocol;
	bool fragment;
	enum flow_type flow;
};

extern const struct packet_kind packet_kinds[PKT_CLASSES];

enum { FAMILY_IP4 = 1, FAMILY_IP6 = 2, FAMILIES = 3 };

static inline uint8_t class_family(enum packet_class class)
{
	return packet_kinds[class].ipv6 ? FAMILY_IP6 : FAMILY_IP4;
}

/* "IPv4", "IPv6" or both */
const char *families_text(uint8_t families);

/* A bit of a state key: what it is. */
enum { SLOT_CONST = 0x1000, SLOT_FREE = 0x2000 };

/**
 * struct view - a way to reach a map
 * @device: index
 * @class: of the packets
 * @n: bits of the state key
 * @slot: [n]: number of a packet's bit; SLOT_CONST plus 0 or 1; SLOT_FREE: anything
 * @tag: [n]: bits are comparable if their tags are equal
 * @by_queue: the key holds the number of the receive queue
 */
struct view {
	unsigned int device;
	enum packet_class class;
	unsigned int n;
	uint16_t *slot;
	uint32_t *tag;
	bool by_queue;
};

/**
 * struct unit - what can be kept per CPU or be shared, as a whole: a map, for one family, or for
 *	both if packets of both can share an entry
 * @name: "policer: map limits, IPv4"
 * @map: index of the map
 * @families: FAMILY_IP4, FAMILY_IP6 or both
 * @per_packet: written by every packet
 * @rank: of those that cost alike the highest is given up last, see struct fm_map
 * @views: ways to it
 * @n_views: how many
 * @on: the steering is to follow it
 */
struct unit {
	char *name;
	unsigned int map;
	uint8_t families;
	bool per_packet;
	unsigned int rank;
	struct view *views;
	unsigned int n_views;
	bool on;
};

/**
 * struct steer_map - a map of the chain; one that several functions use is there once
 * @origin: file of the object that it is of, which programs of one object share
 * @name: its name there
 * @functions: bit per function of the chain that reaches it
 * @state: some function writes it, and its entries matter
 * @shared: why it cannot be private whatever the steering does; NULL: it may
 * @keep: why its type has to stay even if it is private; NULL: a per-CPU type would do
 */
struct steer_map {
	char *origin;
	char *name;
	uint64_t functions;
	bool state;
	char *shared;
	const char *keep;
};

/**
 * struct steer - the problem
 * @devices: of the chain
 * @n_devices: how many
 * @same: [n_same]: maps of these names are one, whatever their origin
 * @n_same: how many
 * @fragments: fragments of TCP and UDP occur, and reach keys that say so
 * @hashed: [device][flow type]: fields that are hashed, to be tried
 * @xfrm: [device]: transform, to be tried
 * @index_bits: [device]: low bits of the hash that have to agree
 * @maps: all of the chain
 * @n_maps: how many
 * @units: those that the steering can make private
 * @n_units: how many
 * @demand: [device]: bit per packet_class that must be spread over the queues
 */
struct steer {
	struct device *devices;
	unsigned int n_devices;
	char *const *same;
	unsigned int n_same;
	bool fragments;
	uint8_t hashed[STEER_DEVICES][FLOW_TYPES];
	enum hash_xfrm xfrm[STEER_DEVICES];
	unsigned int index_bits[STEER_DEVICES];
	struct steer_map *maps;
	unsigned int n_maps;
	struct unit *units;
	unsigned int n_units;
	uint32_t demand[STEER_DEVICES];
};

/**
 * struct steer_use - a function of the chain
 * @function: its description
 * @origin: file of its object, if its maps can be reached from others of it
 * @device: index
 * @number: of the function in the chain
 * @before: functions that a packet from there passes first, whose rewriting it sees
 * @n_before: how many
 */
struct steer_use {
	const struct fm_function *function;
	const char *origin;
	unsigned int number;
	unsigned int device;
	const struct fm_function *const *before;
	unsigned int n_before;
};

/* Adds what a function on a device asks. 0, or -1 without memory. */
int steer_add(struct steer *st, const struct steer_use *use);

/* After the last function: units and what to spread. 0, or -1 without memory. */
int steer_finish(struct steer *st);

void steer_free(struct steer *st);

/* First key bit of a device among the variables of the system, and how many there are. */
unsigned int steer_base(const struct steer *st, unsigned int device);

/*
 * Where in the hash input a bit of a packet lies, as @hashed says; -1: nowhere, -2: the device
 * does not hash this set in the standard order.
 */
int steer_position(const struct steer *st, unsigned int device, enum packet_class class,
		   unsigned int var);

/*
 * The equations of all units that are on. 0; 1: a set of fields or a transform contradicts
 * them, whatever the key; -1: no memory.
 */
int steer_equations(const struct steer *st, struct keysys *sys);

/*
 * The greatest number of index bits that can vary with this class of packets, and be
 * independent, under any solution; an upper bound that is 0 only if all solutions are.
 */
unsigned int steer_rank_bound(const struct steer *st, const struct keysys *sys,
			      unsigned int device, enum packet_class class);

#endif /* _FLOWMAGE_STEER_H */
