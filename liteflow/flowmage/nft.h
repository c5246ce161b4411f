/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rules of nftables as network functions, from what "nft -j list ruleset" prints.
 */
#ifndef _FLOWMAGE_NFT_H
#define _FLOWMAGE_NFT_H

#include <netinet/in.h>
#include "function.h"

struct json_object;

/*
 * A component of a concatenation lies at a multiple of so many bytes, whatever its size: the
 * kernel pads them, and only their order matters here.
 */
#define NFT_STRIDE	FM_FIELD_BYTES
#define NFT_COMPONENTS	8

/* What is known of the packets that reach a statement. */
struct nft_path {
	int ethertype;	/* -1: any */
	int protocol;	/* -1: any */
};

/* Does the match that @expr is part of tell of the packets' protocols? */
void nft_learn(struct json_object *expr, struct nft_path *path);

/* Also what follows from an equality, as "meta l4proto tcp". */
void nft_learn_match(struct json_object *match, struct nft_path *path);

/*
 * A key from an expression, which may be a concatenation. What is not understood becomes
 * FM_PART_UNKNOWN. 0, or -1 without memory; the caller frees key->parts and their slices.
 */
int nft_key(struct json_object *expr, const struct nft_path *path, struct fm_key *key);

/* The key with one part per field of the list, each at its place; FM_FIELDS is unknown. */
int nft_key_of(const enum fm_field *fields, unsigned int n, struct fm_key *key);

/*
 * What rules keep, a function for each table. @spec is what stands behind "nft:": a file, or
 * "live" for what nft lists now. 0; or -1 and one line in @why, which is empty if it has been
 * complained already.
 */
int fm_analyse_nft(const char *spec, bool explain, struct fm_analysis *result, char *why,
		   size_t len);

/* The field that a payload or meta expression is, with the size of it; FM_FIELDS: none. */
enum fm_field nft_field(struct json_object *expr);

#endif /* _FLOWMAGE_NFT_H */
