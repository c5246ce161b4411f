/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the interpreter knows of a register or of eight bytes of the stack: a scalar, bit by
 * bit with the bit of the packet that it is, or a pointer.
 */
#ifndef _FLOWMAGE_VALUE_H
#define _FLOWMAGE_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include "intern.h"

enum value_type {
	V_SCALAR,
	V_CTX,		/* struct xdp_md or struct __sk_buff */
	V_PACKET,	/* into the frame as it came in */
	V_PACKET_END,
	V_STACK,
	V_MAP,		/* a map itself */
	V_VALUE,	/* an entry of a map */
	V_KEY,		/* the key of an entry, given to a callback */
	V_MEMORY,	/* other memory, of no map: its contents are not known */
	V_FUNCTION,	/* a program's function, for callbacks */
	V_DYNPTR,	/* in the stack: a dynptr of the packet */
};

/*
 * A bit is 0, 1, mixed (a function of struct value::deps, or of anything), or a bit of a
 * source. A source is a byte that does not change while the program runs; its number is that
 * of the list { kind, terms, offset }.
 */
enum { BIT_ZERO, BIT_ONE, BIT_MIXED };
#define BIT_OF(source, bit)	(8 * (source) + (bit))
#define BIT_SOURCE(b)		((b) / 8)
#define BIT_IS_SOURCE(b)	((b) >= 16)

enum source_kind {
	SOURCE_PACKET,	/* of the frame: variable terms, offset */
	SOURCE_CTX,	/* of the context: offset in it */
};

#define KEY_ANY		UINT32_MAX	/* struct value::key: some entry of the map */

/**
 * struct value - a value; all of it counts when two are compared
 * @type: what it is
 * @maybe_null: a pointer, or NULL
 * @map: V_MAP, V_VALUE, V_KEY: which
 * @key: V_VALUE, V_KEY: under which of the map's keys; V_STACK: which frame;
 *	V_FUNCTION: its first instruction
 * @def: instruction + 1 that made it; copies of an inexact value or of a pointer that may be
 *	NULL are known by that. 0: no copies are known
 * @deps: scalar: sources that mixed bits depend on, LIST_ANY: anything
 * @terms: pointer: exact scalars that were added to it (a sorted list of values), or LIST_ANY;
 *	scalar: if @linear, it is the sum of these and @off
 * @linear: see there
 * @off: pointer: constant part of its offset
 * @lo: scalar: least value, unsigned
 * @hi: scalar: greatest value
 * @bit: scalar: its bits, lowest first
 */
struct value {
	uint8_t type;
	uint8_t maybe_null;
	uint8_t linear;
	uint8_t pad;
	uint32_t map;
	uint32_t key;
	uint32_t def;
	uint32_t deps;
	uint32_t terms;
	int64_t off;
	uint64_t lo;
	uint64_t hi;
	uint32_t bit[64];
};

typedef uint32_t vid;

/* Numbers of the scalar that nothing is known of, and of a stack's bytes before any write. */
enum { VALUE_TOP, VALUE_UNWRITTEN };

void values_begin(void);
void values_end(void);
size_t values_bytes(void);
vid value_make(struct value *v);
const struct value *value_get(vid v);
vid value_const(uint64_t c);
vid value_unknown(uint32_t def, unsigned int bits);
vid value_pointer(enum value_type type, uint32_t map, uint32_t key, int64_t off);
bool value_is_const(vid v, uint64_t *c);

/* Are all bits constant or of a source? Then equal numbers are equal values. */
bool value_is_exact(vid v);
vid value_undefine(vid v);

/* The 64 bits of a scalar; those of a pointer are mixed. */
void bits_of(vid v, uint32_t *bit);
uint32_t value_deps(const struct value *v);
vid value_of_bits(const uint32_t *bit, uint32_t deps, uint32_t def);

/* BPF arithmetic: the operation's code without class and source. */
vid alu(uint8_t op, vid a, vid b, bool is32, uint32_t def);
vid alu_swap(vid a, unsigned int bits, uint32_t def);
vid alu_extend(vid a, unsigned int bits, uint32_t def);
vid alu_truncate(vid a, unsigned int bits, uint32_t def);

vid value_join(vid a, vid b);
bool value_within(vid a, vid b);

#endif /* _FLOWMAGE_VALUE_H */
