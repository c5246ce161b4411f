// SPDX-License-Identifier: GPL-2.0
#include "toeplitz.h"

struct hash_shape hash_shape = { { 32, 128 }, 16, TOEPLITZ_WIDTH };

uint32_t toeplitz(const uint8_t *key, size_t key_len, const uint8_t *in, size_t len)
{
	uint64_t window = 0;	/* the 40 key bits that one byte of input meets, on top */
	uint32_t hash = 0;
	size_t i;
	int bit;

	for (i = 0; i < 4; i++)
		window = window << 8 | (i < key_len ? key[i] : 0);
	for (i = 0; i < len; i++) {
		window = window << 8 | (i + 4 < key_len ? key[i + 4] : 0);
		for (bit = 0; bit < 8; bit++)
			if (in[i] & 0x80 >> bit)
				hash ^= window >> (8 - bit);
	}
	return hash;
}
