/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The hash of receive-side scaling, and where the fields of a packet lie in its input.
 *
 * Bit b of the hash (0: the most significant) is the sum over GF(2) of input bit i times key
 * bit i + b, for all i; bits count from the most significant one of the first byte. (Krawczyk,
 * "LFSR-based hashing and authentication", CRYPTO '94; Microsoft's RSS specification.) A table
 * of 2^m entries is indexed by the low m bits of the hash, that is b = 32 - m to 31.
 */
#ifndef _FLOWMAGE_TOEPLITZ_H
#define _FLOWMAGE_TOEPLITZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOEPLITZ_WIDTH	32	/* bits of a hash */
#define TOEPLITZ_INPUT	36	/* bytes of the longest input: IPv6 with ports */

/* Fields that a device can hash; the letters are those of ethtool -N rx-flow-hash. */
enum hash_field {
	HASH_SRC,	/* s */
	HASH_DST,	/* d */
	HASH_SPORT,	/* f */
	HASH_DPORT,	/* n */
	HASH_FIELDS
};

#define HASH_ADDRESSES	(1 << HASH_SRC | 1 << HASH_DST)
#define HASH_PORTS	(1 << HASH_SPORT | 1 << HASH_DPORT)
#define HASH_ALL	(HASH_ADDRESSES | HASH_PORTS)

/* The hash of @len bytes; the key needs @len + 4, and counts as 0 beyond its end. */
uint32_t toeplitz(const uint8_t *key, size_t key_len, const uint8_t *in, size_t len);

/**
 * struct hash_shape - bits of what is hashed: fixed, but tests make it small
 * @address: [ipv6]
 * @port: of a port
 * @width: of the hash
 */
struct hash_shape {
	unsigned int address[2];
	unsigned int port;
	unsigned int width;
};

extern struct hash_shape hash_shape;

static inline unsigned int hash_bits(enum hash_field field, bool ipv6)
{
	return field <= HASH_DST ? hash_shape.address[ipv6] : hash_shape.port;
}

/* First bit of @field in the input: source, destination, source port, destination port. */
static inline unsigned int hash_offset(enum hash_field field, bool ipv6)
{
	return field <= HASH_DST ? field * hash_shape.address[ipv6] :
		2 * hash_shape.address[ipv6] + (field - HASH_SPORT) * hash_shape.port;
}

#endif /* _FLOWMAGE_TOEPLITZ_H */
