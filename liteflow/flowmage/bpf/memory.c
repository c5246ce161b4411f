// SPDX-License-Identifier: GPL-2.0
/*
 * Loads and stores, by what a pointer points to.
 */
#include <linux/bpf.h>
#include <string.h>
#include "interp.h"
#include "naming.h"

static bool is_xdp(const struct run *run)
{
	return run->prog->type == BPF_PROG_TYPE_XDP;
}

static vid load_ctx(struct run *run, struct state *s, int64_t off, unsigned int size)
{
	size_t data = is_xdp(run) ? offsetof(struct xdp_md, data) :
				    offsetof(struct __sk_buff, data);
	size_t meta = is_xdp(run) ? offsetof(struct xdp_md, data_meta) :
				    offsetof(struct __sk_buff, data_meta);
	uint32_t bit[64] = { 0 };
	struct value v;
	unsigned int i;

	if (run->o->loaded && !loaded_context(run->o, is_xdp(run), &off, size))
		return value_unknown(s->pc + 1, 8 * size);
	if (off == (int64_t)data) {
		if (s->head != INT32_MIN)
			return value_pointer(V_PACKET, 0, 0, s->head);
		v = (struct value){ .type = V_PACKET, .terms = LIST_ANY };
		return value_make(&v);
	}
	if (off == (int64_t)data + 4)
		return value_pointer(V_PACKET_END, 0, 0, 0);
	if (off == (int64_t)meta)
		return value_pointer(V_MEMORY, 0, 0, 0);
	if (s->writes == LIST_ANY || !ctx_is_source(run->prog->type, off, size))
		return value_unknown(s->pc + 1, 8 * size);
	for (i = 0; i < 8 * size; i++)
		bit[i] = BIT_OF(source_make(SOURCE_CTX, LIST_NONE, off + i / 8), i % 8);
	return value_of_bits(bit, LIST_NONE, 0);
}

/* Which entry of global data: all of it is one, unless an index is added. */
static uint32_t key_behind(struct run *run, const struct value *p)
{
	return run->o->maps[p->map].data && p->terms != LIST_NONE ? KEY_ANY : p->key;
}

static vid load_value(struct run *run, struct state *s, const struct value *p, int64_t off,
		      unsigned int size)
{
	const struct object_map *m = &run->o->maps[p->map];
	uint64_t c = 0;

	if (m->data)
		record_read(&run->rec, p->map, key_behind(run, p), s->pc);
	if (m->bytes && p->terms == LIST_NONE && off >= 0 && off + size <= m->value_size) {
		memcpy(&c, m->bytes + off, size);
		return value_const(c);
	}
	return value_unknown(s->pc + 1, 8 * size);
}

vid mem_load(struct run *run, struct state *s, vid pointer, int off, unsigned int size)
{
	const struct value *p = value_get(pointer);
	uint32_t bit[64] = { 0 }, deps = LIST_NONE;
	int64_t at = p->off + off;

	switch (p->type) {
	case V_CTX:
		if (p->terms == LIST_NONE)
			return load_ctx(run, s, at, size);
		break;
	case V_PACKET:
		packet_bits(s, p->terms, at, size, bit, &deps);
		return value_of_bits(bit, deps, s->pc + 1);
	case V_STACK:
		if (p->terms == LIST_NONE)
			return stack_read(s, p->key, at, size, s->pc + 1);
		break;
	case V_VALUE:
		return load_value(run, s, p, at, size);
	default:
		break;
	}
	return value_unknown(s->pc + 1, 8 * size);
}

void mem_store(struct run *run, struct state *s, vid pointer, int off, unsigned int size, vid v)
{
	const struct value *p = value_get(pointer);
	int64_t at = p->off + off;

	switch (p->type) {
	case V_PACKET:
		record_rewrite(&run->rec, s, p->terms, at, size);
		packet_write(s, p->terms, at, size, v);
		break;
	case V_STACK:
		if (p->terms == LIST_NONE)
			stack_write(s, p->key, at, size, v);
		else
			stack_forget(s, p->key, -STACK_BYTES, STACK_BYTES);
		break;
	case V_VALUE:
		record_write(&run->rec, s, p->map, key_behind(run, p), s->pc);
		break;
	case V_CTX:
	case V_MEMORY:
	case V_KEY:
		break;
	default:
		record_reason(&run->rec, true,
			      "instruction %u writes through a pointer that was not followed",
			      s->pc);
	}
}

void mem_bits(struct run *run, struct state *s, vid pointer, unsigned int size, uint32_t *bit,
	      uint32_t *deps)
{
	const struct value *p = value_get(pointer);
	unsigned int i;

	if (p->type == V_PACKET) {
		packet_bits(s, p->terms, p->off, size, bit, deps);
	} else if (p->type == V_STACK && p->terms == LIST_NONE) {
		stack_bits(s, p->key, p->off, size, bit, deps);
	} else if (p->type == V_VALUE && run->o->maps[p->map].bytes && p->terms == LIST_NONE &&
		   p->off >= 0 && p->off + size <= run->o->maps[p->map].value_size) {
		record_read(&run->rec, p->map, p->key, s->pc);
		for (i = 0; i < 8 * size; i++)
			bit[i] = run->o->maps[p->map].bytes[p->off + i / 8] >> i % 8 & 1;
	} else {
		if (p->type == V_VALUE)
			record_read(&run->rec, p->map, key_behind(run, p), s->pc);
		for (i = 0; i < 8 * size; i++)
			bit[i] = BIT_MIXED;
		*deps = LIST_ANY;
	}
}

void mem_fill(struct run *run, struct state *s, vid pointer, uint64_t size)
{
	const struct value *p = value_get(pointer);

	if (p->type == V_STACK) {
		if (p->terms == LIST_NONE)
			stack_forget(s, p->key, p->off, size);
		else
			stack_forget(s, p->key, -STACK_BYTES, STACK_BYTES);
	} else if (p->type == V_PACKET) {
		s->writes = LIST_ANY;
		run->rec.rewrites_unknown = true;
	} else if (p->type == V_VALUE) {
		mem_store(run, s, pointer, 0, 1, VALUE_TOP);
	}
}

void mem_copy_packet(struct run *run, struct state *s, vid pointer, uint64_t size, uint32_t terms,
		     int64_t off)
{
	const struct value *p = value_get(pointer);
	uint32_t bit[64], deps;
	uint64_t at;

	mem_fill(run, s, pointer, size);
	if (p->type != V_STACK || p->terms != LIST_NONE || size > STACK_BYTES)
		return;
	for (at = 0; at < size; at++) {
		memset(bit, 0, sizeof(bit));
		deps = LIST_NONE;
		packet_bits(s, terms, off + at, 1, bit, &deps);
		stack_write(s, p->key, p->off + at, 1, value_of_bits(bit, deps, 0));
	}
}

void mem_place(const struct state *s, vid scalar, uint32_t *terms, int64_t *off)
{
	/* as if it were added to the beginning of the frame */
	const struct value *p = value_get(alu(BPF_ADD, value_pointer(V_PACKET, 0, 0, 0), scalar,
					      false, 0));

	*terms = p->type == V_PACKET ? p->terms : LIST_ANY;
	*off = p->off;
	if (s->head == INT32_MIN)
		*terms = LIST_ANY;
	else
		*off += s->head;
}
