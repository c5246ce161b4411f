/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names for the bytes of a packet, by what the path has found in its headers.
 */
#ifndef _FLOWMAGE_NAMING_H
#define _FLOWMAGE_NAMING_H

#include "function.h"
#include "state.h"

/**
 * struct layers - what a path knows of the headers
 * @ethertype: behind the tags; -1: not known
 * @network: first byte of the IPv4 or IPv6 header; -1: not known
 * @tags: VLAN tags in the packet; -1: not known
 * @transport: first byte behind the network header; -1: not known, or it varies
 * @protocol: above IP; -1: not known
 * @whole: it is no fragment
 */
struct layers {
	int ethertype;
	int network;
	int tags;
	int transport;
	int protocol;
	bool whole;
};

/* The context of which program type it is decides what its bytes are. */
void naming_begin(uint32_t program_type);
void find_layers(const struct state *s, struct layers *l);

/*
 * The field that a source is a byte of: @slice without its mask, and which byte of it.
 * False: there is no name for it.
 */
bool name_source(const struct state *s, const struct layers *l, uint32_t source,
		 struct fm_slice *slice, unsigned int *byte);

/* A byte of the packet at a place. */
bool name_place(const struct state *s, const struct layers *l, uint32_t terms, int64_t off,
		struct fm_slice *slice, unsigned int *byte);

/* May a program rely on the context's bytes not to change while it runs? */
bool ctx_is_source(uint32_t program_type, int64_t off, unsigned int size);

#endif /* _FLOWMAGE_NAMING_H */
