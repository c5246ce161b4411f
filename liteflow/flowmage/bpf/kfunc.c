// SPDX-License-Identifier: GPL-2.0
/*
 * Functions of the kernel that are called by name.
 */
#include <linux/bpf.h>
#include <string.h>
#include "interp.h"

/* Bytes of struct bpf_sock_tuple's members, which are the key of a connection. */
#define TUPLE4	12
#define TUPLE6	36

/* The connections' table: a tuple and its reverse lead to one entry. */
static bool conntrack(struct run *run, struct state *s, bool add)
{
	uint32_t map = object_conntrack(run->o), bit[8 * TUPLE6], deps = LIST_NONE, key = KEY_ANY;
	uint64_t size;

	if (state_is_const(s, s->reg[3], &size) && (size == TUPLE4 || size == TUPLE6)) {
		mem_bits(run, s, s->reg[2], size, bit, &deps);
		key = record_key(&run->rec, s, map, bit, size, deps);
	}
	record_read(&run->rec, map, key, s->pc);
	record_read(&run->rec, map, record_mirror(&run->rec, map, key), s->pc);
	if (add) {
		record_write(&run->rec, s, map, key, s->pc);
		record_write(&run->rec, s, map, record_mirror(&run->rec, map, key), s->pc);
		if (map < 64)
			s->updated |= 1ull << map;
	}
	/* the options tell what went wrong */
	mem_fill(run, s, s->reg[4], 8);
	call_return(s, value_or_null(map, key, s->pc + 1));
	return true;
}

/* A connection is changed, under both of its keys. */
static bool change_connection(struct run *run, struct state *s, bool returns_it)
{
	struct value v = *value_get(s->reg[1]);

	if (v.type != V_VALUE) {
		call_unknown(run, s, true, "a conntrack function");
		return true;
	}
	record_write(&run->rec, s, v.map, v.key, s->pc);
	record_write(&run->rec, s, v.map, record_mirror(&run->rec, v.map, v.key), s->pc);
	call_return(s, returns_it ? value_or_null(v.map, v.key, s->pc + 1) :
		    value_unknown(s->pc + 1, 64));
	return true;
}

static bool dynptr_from_packet(struct run *run, struct state *s)
{
	const struct value *p = value_get(s->reg[3]);

	mem_fill(run, s, s->reg[3], 16);
	if (p->type == V_STACK && p->terms == LIST_NONE)
		stack_write(s, p->key, p->off, 8, value_pointer(V_DYNPTR, 0, 0, 0));
	call_return(s, value_unknown(s->pc + 1, 64));
	return true;
}

static bool is_packet_dynptr(const struct state *s, vid pointer)
{
	const struct value *p = value_get(pointer);

	if (p->type != V_STACK || p->terms != LIST_NONE)
		return false;
	return value_get(stack_read(s, p->key, p->off, 8, 0))->type == V_DYNPTR;
}

/* A pointer into the packet; or to the buffer, into which its bytes are then copied. */
static bool dynptr_slice(struct run *run, struct state *s)
{
	struct value v = { .type = V_PACKET, .maybe_null = 1, .def = s->pc + 1 };
	uint64_t size;

	if (!is_packet_dynptr(s, s->reg[1])) {
		call_unknown(run, s, true, "a dynptr function");
		call_return(s, memory_or_null(s->pc + 1));
		return true;
	}
	mem_place(s, s->reg[2], &v.terms, &v.off);
	if (v.terms == LIST_ANY)
		v.off = 0;
	if (!state_is_const(s, s->reg[4], &size))
		size = UINT64_MAX;
	mem_fill(run, s, s->reg[3], size);
	call_return(s, value_make(&v));
	return true;
}

static bool starts_with(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

bool call_kfunc(struct run *run, struct state *s, const char *name)
{
	if (!strcmp(name, "bpf_xdp_ct_lookup") || !strcmp(name, "bpf_skb_ct_lookup"))
		return conntrack(run, s, false);
	if (!strcmp(name, "bpf_xdp_ct_alloc") || !strcmp(name, "bpf_skb_ct_alloc"))
		return conntrack(run, s, true);
	if (!strcmp(name, "bpf_ct_insert_entry"))
		return change_connection(run, s, true);
	if (!strcmp(name, "bpf_ct_release")) {
		call_return(s, VALUE_TOP);
		return true;
	}
	if (starts_with(name, "bpf_ct_"))
		return change_connection(run, s, false);
	if (!strcmp(name, "bpf_dynptr_from_xdp") || !strcmp(name, "bpf_dynptr_from_skb"))
		return dynptr_from_packet(run, s);
	if (!strcmp(name, "bpf_dynptr_slice") || !strcmp(name, "bpf_dynptr_slice_rdwr"))
		return dynptr_slice(run, s);
	if (!strcmp(name, "bpf_iter_num_next") || !strcmp(name, "bpf_obj_new_impl")) {
		call_return(s, memory_or_null(s->pc + 1));
		return true;
	}
	if (!strcmp(name, "bpf_iter_num_new") || !strcmp(name, "bpf_iter_num_destroy")) {
		mem_fill(run, s, s->reg[1], 8);
		call_return(s, value_unknown(s->pc + 1, 64));
		return true;
	}
	if (starts_with(name, "bpf_dynptr_write")) {
		s->writes = LIST_ANY;
		run->rec.rewrites_unknown = true;
	}
	if (starts_with(name, "bpf_xdp_metadata_") || starts_with(name, "bpf_rcu_") ||
	    starts_with(name, "bpf_iter_") || starts_with(name, "bpf_dynptr_") ||
	    starts_with(name, "bpf_obj_") || starts_with(name, "bpf_list_") ||
	    starts_with(name, "bpf_rbtree_") || starts_with(name, "bpf_refcount_")) {
		call_unknown(run, s, true, name);
		return true;
	}
	/* it may keep state of its own */
	record_reason(&run->rec, true, "the kernel's function %s is not known", name);
	call_unknown(run, s, true, name);
	return true;
}
