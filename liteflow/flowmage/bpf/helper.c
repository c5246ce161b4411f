// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of the kernel: what they do to maps, the packet and the stack.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include "interp.h"

#define MAX_KEY	4096
#define FUNC_CGRP_STORAGE_GET	210	/* newer than Debian's header */

/* Beside reading memory they do nothing that counts here. */
static bool only_reads(int32_t id)
{
	switch (id) {
	case BPF_FUNC_trace_printk:
	case BPF_FUNC_trace_vprintk:
	case BPF_FUNC_perf_event_output:
	case BPF_FUNC_ringbuf_output:
	case BPF_FUNC_csum_diff:
	case BPF_FUNC_csum_update:
	case BPF_FUNC_skb_set_tunnel_key:
	case BPF_FUNC_skb_set_tunnel_opt:
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_tcp_check_syncookie:
	case BPF_FUNC_tcp_gen_syncookie:
	case BPF_FUNC_tcp_raw_gen_syncookie_ipv4:
	case BPF_FUNC_tcp_raw_gen_syncookie_ipv6:
	case BPF_FUNC_tcp_raw_check_syncookie_ipv4:
	case BPF_FUNC_tcp_raw_check_syncookie_ipv6:
	case BPF_FUNC_redirect_neigh:
	case BPF_FUNC_strncmp:
	case BPF_FUNC_spin_lock:
	case BPF_FUNC_spin_unlock:
	case BPF_FUNC_ringbuf_submit:
	case BPF_FUNC_ringbuf_discard:
	case BPF_FUNC_ringbuf_query:
	case BPF_FUNC_sk_release:
	case BPF_FUNC_sk_assign:
		return true;
	default:
		return false;
	}
}

/* No argument is memory: what is left in the registers from before does not count. */
static bool takes_no_memory(int32_t id)
{
	switch (id) {
	case BPF_FUNC_ktime_get_ns:
	case BPF_FUNC_ktime_get_boot_ns:
	case BPF_FUNC_ktime_get_coarse_ns:
	case BPF_FUNC_ktime_get_tai_ns:
	case BPF_FUNC_jiffies64:
	case BPF_FUNC_get_prandom_u32:
	case BPF_FUNC_get_smp_processor_id:
	case BPF_FUNC_get_numa_node_id:
	case BPF_FUNC_redirect:
	case BPF_FUNC_redirect_peer:
	case BPF_FUNC_clone_redirect:
	case BPF_FUNC_get_hash_recalc:
	case BPF_FUNC_set_hash:
	case BPF_FUNC_set_hash_invalid:
	case BPF_FUNC_get_cgroup_classid:
	case BPF_FUNC_get_route_realm:
	case BPF_FUNC_skb_cgroup_id:
	case BPF_FUNC_skb_change_type:
	case BPF_FUNC_csum_level:
		return true;
	default:
		return false;
	}
}

/* The frame's beginning or its headers move. */
static bool moves_packet(int32_t id)
{
	return id == BPF_FUNC_skb_change_proto || id == BPF_FUNC_skb_change_head ||
	       id == BPF_FUNC_skb_adjust_room || id == BPF_FUNC_skb_vlan_push ||
	       id == BPF_FUNC_skb_vlan_pop || id == BPF_FUNC_skb_ecn_set_ce;
}

/* After that, pointers into the packet are looked up anew, but it is unchanged. */
static bool keeps_packet(int32_t id)
{
	return id == BPF_FUNC_skb_pull_data || id == BPF_FUNC_skb_change_tail ||
	       id == BPF_FUNC_xdp_adjust_tail || id == BPF_FUNC_xdp_adjust_meta;
}

vid value_or_null(uint32_t map, uint32_t key, uint32_t def)
{
	struct value v = { .type = V_VALUE, .maybe_null = 1, .map = map, .key = key, .def = def };

	return value_make(&v);
}

vid memory_or_null(uint32_t def)
{
	struct value v = { .type = V_MEMORY, .maybe_null = 1, .def = def };

	return value_make(&v);
}

void call_return(struct state *s, vid result)
{
	unsigned int i;

	for (i = 1; i < 6; i++)
		s->reg[i] = VALUE_TOP;
	s->reg[0] = VALUE_TOP;
	state_set(s, 0, result);
}

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
static int map_in(struct run *run, vid v)
{
	const struct value *p = value_get(v);

	if (p->type == V_MAP)
		return p->map;
	if (p->type == V_VALUE && run->o->maps[p->map].inner >= 0)
		return run->o->maps[p->map].inner;
	return -1;
}

static uint64_t size_in(struct state *s, unsigned int reg)
{
	uint64_t lo, hi;

	state_range(s, s->reg[reg], &lo, &hi);
	return hi;
}

/* A map is handed to something: all of it may be read and written. */
static void touch_map(struct run *run, struct state *s, uint32_t map, bool writes)
{
	record_read(&run->rec, map, KEY_ANY, s->pc);
	if (writes)
		record_write(&run->rec, s, map, KEY_ANY, s->pc);
}

void call_unknown(struct run *run, struct state *s, bool writes, const char *name)
{
	const struct value *p;
	uint64_t size;
	unsigned int i;

	for (i = 1; i < 6; i++) {
		p = value_get(s->reg[i]);
		if (p->type == V_MAP) {
			touch_map(run, s, p->map, writes);
		} else if (p->type == V_FUNCTION) {
			record_reason(&run->rec, true, "the callback of %s was not followed", name);
		} else if (writes && (p->type == V_VALUE || p->type == V_STACK)) {
			size = UINT64_MAX;
			if (i < 5 && state_is_const(s, s->reg[i + 1], &size))
				size = size >= 8 ? size : UINT64_MAX;
			else
				size = UINT64_MAX;
			mem_fill(run, s, s->reg[i], size);
		} else if (writes && p->type == V_PACKET) {
			mem_fill(run, s, s->reg[i], UINT64_MAX);
		}
	}
	call_return(s, value_unknown(s->pc + 1, 64));
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

static bool skb_load(struct run *run, struct state *s, bool relative)
{
	uint32_t terms;
	uint64_t size = size_in(s, 4), start = 0;
	int64_t off;

	mem_place(s, s->reg[2], &terms, &off);
	if (relative && (!state_is_const(s, s->reg[5], &start) || start != BPF_HDR_START_MAC))
		terms = LIST_ANY;
	mem_copy_packet(run, s, s->reg[3], size, terms, off);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool skb_store(struct run *run, struct state *s, uint64_t size)
{
	uint32_t terms;
	uint64_t at;
	int64_t off;

	mem_place(s, s->reg[2], &terms, &off);
	if (size > 64) {
		s->writes = LIST_ANY;
		run->rec.rewrites_unknown = true;
	} else {
		record_rewrite(&run->rec, s, terms, off, size);
		for (at = 0; at < size; at += 8)
			packet_write(s, terms, off + at, size - at < 8 ? size - at : 8, VALUE_TOP);
	}
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool adjust_head(struct run *run, struct state *s)
{
	uint64_t by;

	run->rec.rewrites_unknown = true;
	if (s->head != INT32_MIN && state_is_const(s, s->reg[2], &by) &&
	    (int32_t)by > -4096 && (int32_t)by < 4096)
		s->head += (int32_t)by;
	else
		s->head = INT32_MIN;
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

void call_back(struct run *run, const struct state *s, enum frame_kind kind, vid function,
	       const vid *args, unsigned int n)
{
	const struct value *f = value_get(function);
	struct state next = *s;
	struct frame *frame;
	unsigned int i;

	if (f->type != V_FUNCTION || s->depth + 1 >= MAX_FRAMES) {
		record_reason(&run->rec, true, "instruction %u: a callback was not followed", s->pc);
		return;
	}
	frame = &next.frame[++next.depth];
	frame_begin(frame, kind, s->pc);
	for (i = 0; i < 5; i++)
		frame->args[i] = s->reg[i + 1];
	for (i = 0; i < 4; i++)
		frame->saved[i] = s->reg[i + 6];
	for (i = 0; i < 10; i++)
		next.reg[i] = i && i <= n ? args[i - 1] : VALUE_TOP;
	next.pc = f->key;
	explore_later(run, &next);
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

/* It runs later, on a stack of its own, with the entry that the timer is in. */
static bool timer_callback(struct run *run, struct state *s)
{
	const struct value *timer = value_get(s->reg[1]);
	uint32_t key = timer->type == V_VALUE ? timer->key : KEY_ANY;
	vid args[3] = {
		value_pointer(V_MAP, timer->map, 0, 0), value_pointer(V_KEY, timer->map, key, 0),
		value_pointer(V_VALUE, timer->map, key, 0),
	};
	struct state alone = *s;

	alone.pending = LIST_NONE;
	if (timer->type != V_VALUE)
		record_reason(&run->rec, true, "instruction %u: whose timer is not known", s->pc);
	else
		call_back(run, &alone, FRAME_ALONE, s->reg[2], args, 3);
	mem_fill(run, s, s->reg[1], 8);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool loop(struct run *run, struct state *s)
{
	vid args[2] = { value_unknown(s->pc + 1, 32), s->reg[3] };

	call_back(run, s, FRAME_LOOP, s->reg[2], args, 2);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

/* It goes on where the array's program is, or behind the call if there is none. */
static bool tail_call(struct run *run, struct state *s, int map)
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
			      "tail calls through \"%s\" may lead to any of the other %u programs of the file; programs of other files are not known",
			      o->maps[map].name, n);
	else
		record_reason(&run->rec, true, "tail calls through \"%s\": its programs are not in the file",
			      o->maps[map].name);
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

/* Helpers whose first argument is a map. */
static bool call_with_map(struct run *run, struct state *s, int32_t id, int map)
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
		record_map_reason(&run->rec, map, "its entries belong to sockets, tasks or the like");
		touch_map(run, s, map, true);
		call_return(s, value_or_null(map, KEY_ANY, s->pc + 1));
		return true;
	default:
		return false;
	}
}

bool call_helper(struct run *run, struct state *s, int32_t id)
{
	int map = map_in(run, s->reg[1]);
	char name[40];

	if (map >= 0 && call_with_map(run, s, id, map))
		return true;
	switch (id) {
	case BPF_FUNC_map_lookup_elem:
	case BPF_FUNC_map_update_elem:
	case BPF_FUNC_map_delete_elem:
	case BPF_FUNC_map_lookup_percpu_elem:
	case BPF_FUNC_for_each_map_elem:
	case BPF_FUNC_map_push_elem:
	case BPF_FUNC_map_pop_elem:
		record_reason(&run->rec, true, "instruction %u: which map it uses is not known", s->pc);
		break;
	case BPF_FUNC_tail_call:
		map = map_in(run, s->reg[2]);
		if (map >= 0)
			return tail_call(run, s, map);
		record_reason(&run->rec, true, "instruction %u: a tail call was not followed", s->pc);
		break;
	case BPF_FUNC_skb_load_bytes:
	case BPF_FUNC_xdp_load_bytes:
		return skb_load(run, s, false);
	case BPF_FUNC_skb_load_bytes_relative:
		return skb_load(run, s, true);
	case BPF_FUNC_skb_store_bytes:
	case BPF_FUNC_xdp_store_bytes:
		return skb_store(run, s, size_in(s, 4));
	case BPF_FUNC_l3_csum_replace:
	case BPF_FUNC_l4_csum_replace:
		return skb_store(run, s, 2);
	case BPF_FUNC_xdp_adjust_head:
		return adjust_head(run, s);
	case BPF_FUNC_loop:
		return loop(run, s);
	case BPF_FUNC_timer_set_callback:
		return timer_callback(run, s);
	case BPF_FUNC_timer_init:
		mem_fill(run, s, s->reg[1], 8);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	case BPF_FUNC_sk_lookup_tcp:
	case BPF_FUNC_sk_lookup_udp:
	case BPF_FUNC_skc_lookup_tcp:
	case BPF_FUNC_sk_fullsock:
	case BPF_FUNC_tcp_sock:
	case BPF_FUNC_per_cpu_ptr:
	case BPF_FUNC_this_cpu_ptr:
		call_return(s, memory_or_null(s->pc + 1));
		return true;
	default:
		break;
	}
	if (moves_packet(id)) {
		s->writes = LIST_ANY;
		s->head = INT32_MIN;
		run->rec.rewrites_unknown = true;
	}
	if (takes_no_memory(id)) {
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	}
	snprintf(name, sizeof(name), "helper %d", id);
	call_unknown(run, s, !only_reads(id) && !keeps_packet(id), name);
	return true;
}
