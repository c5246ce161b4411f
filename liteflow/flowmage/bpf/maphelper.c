// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers that get a map.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include "interp.h"

#define MAX_KEY	4096
#define FUNC_CGRP_STORAGE_GET	210	/* newer than Debian's header */

uint32_t key_at(struct run *run, struct state *s, uint32_t map, vid pointer)
{
	unsigned int size = run->o->maps[map].key_size;
	const struct value *p = value_get(pointer);
	uint32_t *bit, deps = LIST_NONE, key;

	if (p->type == V_KEY && p->map == map)
		return p->key;
	if (!size || size > MAX_KEY)
		return KEY_ANY;
	bit = calloc(8 * size, sizeof(*bit));
	mem_bits(run, s, pointer, size, bit, &deps);
	key = record_key(&run->rec, s, map, bit, size, deps);
	free(bit);
	return key;
}

/* The key that a register holds, as an index of 32 bits. */
static uint32_t key_in(struct run *run, struct state *s, uint32_t map, unsigned int reg)
{
	const struct value *v = value_get(s->reg[reg]);
	uint32_t bit[64];

	bits_of(s->reg[reg], bit);
	return record_key(&run->rec, s, map, bit, 4, v->type == V_SCALAR ? v->deps : LIST_ANY);
}

/* Which map a helper is given; of an entry of a map of maps, the inner one. -1: not known */
int map_in(struct run *run, vid v)
{
	const struct value *p = value_get(v);

	if (p->type == V_MAP)
		return p->map;
	if (p->type == V_VALUE && run->o->maps[p->map].inner >= 0)
		return run->o->maps[p->map].inner;
	return -1;
}

/* A map is handed to something: all of it may be read and written. */
void touch_map(struct run *run, struct state *s, uint32_t map, bool writes)
{
	record_read(&run->rec, map, KEY_ANY, s->pc);
	if (writes)
		record_write(&run->rec, s, map, KEY_ANY, s->pc);
}

static bool lookup(struct run *run, struct state *s, int map, bool other_cpu)
{
	uint32_t key = key_at(run, s, map, s->reg[2]);

	record_read(&run->rec, map, key, s->pc);
	if (other_cpu)
		record_cross_cpu(&run->rec, map);
	call_return(s, value_or_null(map, key, s->pc + 1));
	return true;
}

static bool change(struct run *run, struct state *s, int map, bool update)
{
	uint32_t key = key_at(run, s, map, s->reg[2]);
	const struct value *p = value_get(s->reg[3]);

	if (update && p->type == V_VALUE)
		record_read(&run->rec, p->map, p->key, s->pc);
	record_write(&run->rec, s, map, key, s->pc);
	if (update && map < 64)
		s->updated |= 1ull << map;
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool for_each(struct run *run, struct state *s, int map)
{
	vid args[4] = {
		s->reg[1], value_pointer(V_KEY, map, KEY_ANY, 0),
		value_pointer(V_VALUE, map, KEY_ANY, 0), s->reg[3],
	};

	record_read(&run->rec, map, KEY_ANY, s->pc);
	call_back(run, s, FRAME_LOOP, s->reg[2], args, 4);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

/* It goes on where the array's program is, or behind the call if there is none. */
bool call_tail(struct run *run, struct state *s, int map)
{
	struct object *o = run->o;
	struct state next = *s;
	unsigned int i, n = 0;

	record_read(&run->rec, map, key_in(run, s, map, 3), s->pc);
	for (i = 0; i < 10; i++)
		next.reg[i] = i == 1 ? value_pointer(V_CTX, 0, 0, 0) : VALUE_TOP;
	for (i = 0; i < STACK_SLOTS; i++)
		next.frame[next.depth].slot[i] = VALUE_UNWRITTEN;
	for (i = 0; i < o->n_programs; i++) {
		if (o->programs[i].entry == run->prog->entry ||
		    o->programs[i].type != run->prog->type)
			continue;
		next.pc = o->programs[i].entry;
		explore_later(run, &next);
		n++;
	}
	if (n)
		record_reason(&run->rec, false,
			      "tail calls through \"%s\" may lead to any of the other %u programs "
			      "of the file; programs of other files are not known",
			      o->maps[map].name, n);
	else
		record_reason(&run->rec, true, "tail calls through \"%s\": its programs are not in "
					       "the file",
			      o->maps[map].name);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

/* Helpers whose first argument is a map. */
bool call_with_map(struct run *run, struct state *s, int32_t id, int map)
{
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
		return lookup(run, s, map, false);
	case BPF_FUNC_map_lookup_percpu_elem:
		return lookup(run, s, map, true);
	case BPF_FUNC_map_update_elem:
		return change(run, s, map, true);
	case BPF_FUNC_map_delete_elem:
		return change(run, s, map, false);
	case BPF_FUNC_for_each_map_elem:
		return for_each(run, s, map);
	case BPF_FUNC_map_push_elem:
		touch_map(run, s, map, true);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_map_pop_elem:
	case BPF_FUNC_map_peek_elem:
		touch_map(run, s, map, id == BPF_FUNC_map_pop_elem);
		mem_fill(run, s, s->reg[2], run->o->maps[map].value_size);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_redirect_map:
		record_read(&run->rec, map, key_in(run, s, map, 2), s->pc);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_ringbuf_reserve:
		touch_map(run, s, map, true);
		call_return(s, memory_or_null(s->pc + 1));
		return true;
	case BPF_FUNC_ringbuf_output:
		touch_map(run, s, map, true);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_ringbuf_query:
		touch_map(run, s, map, false);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_sk_storage_get:
	case BPF_FUNC_get_local_storage:
	case BPF_FUNC_task_storage_get:
	case BPF_FUNC_inode_storage_get:
	case FUNC_CGRP_STORAGE_GET:
		record_map_reason(&run->rec, map,
				  "its entries belong to sockets, tasks or the like");
		touch_map(run, s, map, true);
		call_return(s, value_or_null(map, KEY_ANY, s->pc + 1));
		return true;
	default:
		return false;
	}
}
