/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A state of the interpreted program: registers, stacks, and what the path so far tells of
 * the packet.
 */
#ifndef _FLOWMAGE_STATE_H
#define _FLOWMAGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "object.h"
#include "value.h"

#define MAX_FRAMES	8	/* as the kernel */
#define STACK_BYTES	512
#define STACK_SLOTS	(STACK_BYTES / 8)

/* What happens when a frame's function returns. */
enum frame_kind {
	FRAME_MAIN,	/* the program ends */
	FRAME_CALL,	/* the caller goes on behind the call */
	FRAME_ALONE,	/* a timer's callback: nobody to return to */
	FRAME_LOOP,	/* a callback: the helper may call it once more, so the call is run again */
};

struct frame {
	uint32_t kind;
	uint32_t back;		/* the call */
	vid saved[6];		/* the caller's r6 ... r9; of a callback r1 ... r5, then these */
	vid args[5];
	vid slot[STACK_SLOTS];
};

/**
 * struct state - all of it counts when two are compared
 * @pc: next instruction
 * @depth: frames in use, less one
 * @facts: bits of sources that are known: a set of bit * 2 + its value
 * @ranges: of exact values: a list of { value, least, greatest }
 * @relations: of pairs of exact values: a set, see relation_learn()
 * @pad: 0
 * @writes: what was written to the packet, newest first: a list of { terms, offset; size;
 *	value }; LIST_ANY: anywhere
 * @pending: writes of this path that are per packet unless it adds an entry that it missed
 * @head: where the frame begins now, from where it began; INT32_MIN: not known
 * @syn_fin: the packet carries SYN, FIN or RST
 * @missed: maps (bits) in which a lookup found nothing
 * @updated: maps that got an entry
 * @reg: r0 ... r9
 * @frame: the stacks
 */
struct state {
	uint32_t pc;
	uint32_t depth;
	uint32_t facts;
	uint32_t ranges;
	uint32_t relations;
	uint32_t pad;
	uint32_t writes;
	uint32_t pending;
	int32_t head;
	uint32_t syn_fin;
	uint64_t missed;
	uint64_t updated;
	vid reg[10];
	struct frame frame[MAX_FRAMES];
};

static inline size_t state_size(const struct state *s)
{
	return offsetof(struct state, frame) + (s->depth + 1) * sizeof(s->frame[0]);
}

/* Sources. */
uint32_t source_make(enum source_kind kind, uint32_t terms, int32_t off);
void source_get(uint32_t source, enum source_kind *kind, uint32_t *terms, int32_t *off);

/* Facts. A bit that is known: 0 or 1; else -1. */
int fact_bit(const struct state *s, uint32_t bit);
/* False: the path contradicts itself. */
bool fact_learn(struct state *s, uint32_t bit, bool value);
/* The value of @n known bytes of the packet from @off on, first one highest; -1: not known. */
int fact_bytes(const struct state *s, int32_t off, unsigned int n);
bool state_is_const(const struct state *s, vid v, uint64_t *c);
void state_range(const struct state *s, vid v, uint64_t *lo, uint64_t *hi);
/* Learn of a register, and of its copies, that it is from @lo to @hi. False: it cannot be. */
bool state_narrow(struct state *s, unsigned int reg, uint64_t lo, uint64_t hi);

/* A frame whose stack was never written. */
void frame_begin(struct frame *f, enum frame_kind kind, uint32_t back);

/*
 * How two exact values compare: a set of the RELATION_ bits that are possible; what is learned
 * of them. False: it cannot be.
 */
enum { RELATION_LESS = 1, RELATION_EQUAL = 2, RELATION_MORE = 4 };
bool relation_learn(struct state *s, vid a, vid b, unsigned int possible);

/* Put @v where @old is, everywhere. */
void state_replace(struct state *s, vid old, vid v);
/* Before instruction @def makes a new value: what it made before is another one. */
void state_undefine(struct state *s, uint32_t def);
void state_set(struct state *s, unsigned int reg, vid v);
vid state_get(const struct state *s, unsigned int reg);

/* Stacks: @off is negative, as from the frame pointer. */
vid stack_read(const struct state *s, unsigned int frame, int64_t off, unsigned int size,
	       uint32_t def);
void stack_write(struct state *s, unsigned int frame, int64_t off, unsigned int size, vid v);
/* Nothing is known any more of the bytes from @off on. */
void stack_forget(struct state *s, unsigned int frame, int64_t off, uint64_t size);
void stack_bits(const struct state *s, unsigned int frame, int64_t off, unsigned int size,
		uint32_t *bit, uint32_t *deps);

/* The packet: what is read there now, bits of @size bytes. */
void packet_bits(const struct state *s, uint32_t terms, int64_t off, unsigned int size,
		 uint32_t *bit, uint32_t *deps);
void packet_write(struct state *s, uint32_t terms, int64_t off, unsigned int size, vid v);

/* Joins @b into @a; the same place in the program. */
void state_join(struct state *a, const struct state *b);
bool state_within(const struct state *a, const struct state *b);

#endif /* _FLOWMAGE_STATE_H */
