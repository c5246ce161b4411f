/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets for the oracle, and a reading of their fields that owes nothing to the analysis.
 */
#ifndef _FLOWMAGE_ORAPACKET_H
#define _FLOWMAGE_ORAPACKET_H

#include "function.h"

#define PACKET_BYTES	128

struct packet {
	uint8_t byte[PACKET_BYTES];
	unsigned int len;
};

/* A frame with random addresses and ports, of one of some kinds: tags, options, fragments ... */
void packet_make(struct packet *p, unsigned int kind, uint64_t *seed);
#define PACKET_KINDS	14

uint32_t random32(uint64_t *seed);

/* The bytes of a slice in @p, under its mask; false: the packet has no such field. */
bool packet_field(const struct packet *p, const struct fm_slice *slice, uint8_t *value);
bool packet_is_fragment(const struct packet *p);

#endif /* _FLOWMAGE_ORAPACKET_H */
