/* SPDX-License-Identifier: GPL-2.0 */
/*
 * From the bits of a key to its parts.
 */
#ifndef _FLOWMAGE_KEYS_H
#define _FLOWMAGE_KEYS_H

#include "function.h"
#include "state.h"

/*
 * The key that @size bytes make on the path of @s: 8 * @size bits, lowest of each byte first.
 * @deps: what its mixed bits are a function of. With @whole there is no key: an access reaches
 * every entry. The caller frees it with fm_key_free().
 */
void key_build(const struct state *s, const uint32_t *bit, unsigned int size, uint32_t deps,
	       struct fm_key *key);

/* Are the parts equal, whatever packets come? */
bool key_equal(const struct fm_key *a, const struct fm_key *b);

/* Is @b what @a is with source and destination swapped? */
bool key_is_mirror(const struct fm_key *a, const struct fm_key *b);
void key_copy_mirrored(const struct fm_key *from, struct fm_key *to);

bool key_has_field(const struct fm_key *key);
bool key_is_const(const struct fm_key *key);

/* Not every different packet has a different entry: fields become functions of themselves. */
void key_weaken(struct fm_key *key);

#endif /* _FLOWMAGE_KEYS_H */
