/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interpreter: it follows all paths of a program over abstract values.
 */
#ifndef _FLOWMAGE_INTERP_H
#define _FLOWMAGE_INTERP_H

#include "record.h"

#define MAX_STEPS	1500000u		/* instructions of a program */
#define MAX_STATES	64			/* at a point, before they are joined */
#define MAX_JOINED	64			/* joined ones, by their shape */
#define MAX_BYTES	(280ul << 20)		/* of values and states */

struct point;

/**
 * struct run - one program
 * @o: the object
 * @prog: which of its programs
 * @rec: what was found
 * @steps: instructions so far
 * @stopped: a bound was reached
 * @work: paths to follow
 * @n_work: how many
 * @point: hash table of the points where paths meet
 * @points: its size, a power of two
 * @n_points: entries
 * @bytes: memory of all states
 * @target: by instruction: paths meet here
 * @live: by instruction: registers that are still read
 */
struct run {
	struct object *o;
	const struct object_program *prog;
	struct record rec;
	unsigned long steps;
	bool stopped;
	struct state **work;
	size_t n_work;
	struct point **point;
	size_t points;
	size_t n_points;
	size_t bytes;
	uint8_t *target;
	uint16_t *live;
};

void interpret(struct run *run);

/* explore.c: a path to follow later, and whether a path brings something new where it is. */
void explore_begin(struct run *run);
void explore_end(struct run *run);
void explore_later(struct run *run, const struct state *s);
bool explore_next(struct run *run, struct state *s);
bool explore_is_new(struct run *run, struct state *s);

/* memory.c */
vid mem_load(struct run *run, struct state *s, vid pointer, int off, unsigned int size);
void mem_store(struct run *run, struct state *s, vid pointer, int off, unsigned int size, vid v);
/* The bits behind a pointer, of @size bytes. */
void mem_bits(struct run *run, struct state *s, vid pointer, unsigned int size, uint32_t *bit,
	      uint32_t *deps);
/* A helper writes @size bytes there that are not known. */
void mem_fill(struct run *run, struct state *s, vid pointer, uint64_t size);
/* A helper copies @size bytes of the packet there, from @off on. */
void mem_copy_packet(struct run *run, struct state *s, vid pointer, uint64_t size, uint32_t terms,
		     int64_t off);
/* A place in the packet that a scalar says. */
void mem_place(const struct state *s, vid scalar, uint32_t *terms, int64_t *off);

/* branch.c: what follows of a jump that is taken or not; false: it cannot be. */
bool assume(struct run *run, struct state *s, const struct bpf_insn *in, bool taken);

/* maphelper.c: which map a helper is given; of an entry of a map of maps, the inner one; or -1 */
int map_in(struct run *run, vid v);
/* A map is handed to something: all of it may be read and written. */
void touch_map(struct run *run, struct state *s, uint32_t map, bool writes);
bool call_with_map(struct run *run, struct state *s, int32_t id, int map);
bool call_tail(struct run *run, struct state *s, int map);

/*
 * loaded.c, of a program that is loaded: what it reads of its context, as an offset for user space;
 * false: something else.
 */
bool loaded_context(const struct object *o, bool xdp, int64_t *off, unsigned int size);
/* A lookup that the verifier has inlined, which begins here; false: it is none. */
bool loaded_lookup(struct run *run, struct state *s);

/* helper.c, kfunc.c: calls into the kernel; the path goes on behind the call if true. */
bool call_helper(struct run *run, struct state *s, int32_t id);
bool call_kfunc(struct run *run, struct state *s, const char *name);
/* What a call may do that is not known. */
void call_unknown(struct run *run, struct state *s, bool writes, const char *name);
void call_return(struct state *s, vid result);
/* A callback; the call is run again when it returns. */
void call_back(struct run *run, const struct state *s, enum frame_kind kind, vid function,
	       const vid *args, unsigned int n);
uint32_t key_at(struct run *run, struct state *s, uint32_t map, vid pointer);
vid value_or_null(uint32_t map, uint32_t key, uint32_t def);
vid memory_or_null(uint32_t def);

#endif /* _FLOWMAGE_INTERP_H */
