// SPDX-License-Identifier: GPL-2.0
/*
 * What a path learns of a conditional jump.
 */
#include <linux/bpf.h>
#include "interp.h"
#include "naming.h"

#define TCP_FLAGS	13	/* byte of the header */
#define FIN_SYN_RST	7

/* Is it one of the flags that begin or end a connection? */
static bool is_flow_flag(const struct state *s, uint32_t bit)
{
	struct fm_slice slice;
	struct layers l;
	unsigned int byte;

	if (!BIT_IS_SOURCE(bit) || !(FIN_SYN_RST >> bit % 8 & 1))
		return false;
	find_layers(s, &l);
	return l.protocol == 6 && name_source(s, &l, BIT_SOURCE(bit), &slice, &byte) &&
	       slice.field == FM_BYTES && slice.layer == FM_LAYER_TRANSPORT &&
	       slice.offset == TCP_FLAGS;
}

static bool learn(struct state *s, uint32_t bit, bool value)
{
	if (!fact_learn(s, bit, value))
		return false;
	if (value && is_flow_flag(s, bit))
		s->syn_fin = 1;
	return true;
}

/* Register @reg, the low @width bits of it, is @c. */
static bool assume_equal(struct state *s, unsigned int reg, uint64_t c, unsigned int width)
{
	const struct value *v = value_get(s->reg[reg]);
	unsigned int i;

	for (i = 0; i < width; i++) {
		if (v->bit[i] == BIT_MIXED)
			continue;
		if (!BIT_IS_SOURCE(v->bit[i])) {
			if (v->bit[i] != (c >> i & 1))
				return false;
		} else if (!learn(s, v->bit[i], c >> i & 1)) {
			return false;
		}
	}
	return width < 64 && v->hi >> width ? true : state_narrow(s, reg, c, c);
}

/* Some of the bits in @mask, where they differ from @c, do. */
static bool assume_differs(struct state *s, unsigned int reg, uint64_t c, uint64_t mask)
{
	const struct value *v = value_get(s->reg[reg]);
	unsigned int i, open = 0, last = 0;
	bool flags = true;

	for (i = 0; i < 64; i++) {
		int bit;

		if (!(mask >> i & 1))
			continue;
		bit = fact_bit(s, v->bit[i]);
		if (bit >= 0 && bit != (int)(c >> i & 1))
			return true;
		if (bit >= 0)
			continue;
		open++;
		last = i;
		flags &= !(c >> i & 1) && is_flow_flag(s, v->bit[i]);
	}
	if (!open)
		return false;
	if (flags)
		s->syn_fin = 1;
	return open > 1 || learn(s, v->bit[last], !(c >> last & 1));
}

static bool assume_unequal(struct state *s, unsigned int reg, uint64_t c, unsigned int width)
{
	uint64_t lo, hi, mask = width == 64 ? UINT64_MAX : UINT32_MAX;

	state_range(s, s->reg[reg], &lo, &hi);
	if (hi <= mask && lo == c && hi == c)
		return false;
	if (hi <= mask && lo == c && !state_narrow(s, reg, lo + 1, hi))
		return false;
	if (hi <= mask && hi == c && hi && !state_narrow(s, reg, lo, hi - 1))
		return false;
	return assume_differs(s, reg, c, mask);
}

static bool assume_pointer(struct run *run, struct state *s, unsigned int reg, bool null)
{
	struct value v = *value_get(s->reg[reg]);
	vid old = s->reg[reg];

	if (!v.maybe_null)
		return !null;
	if (null) {
		if (v.type == V_VALUE && v.map < 64 && map_is_keyed(&run->o->maps[v.map]))
			s->missed |= 1ull << v.map;
		state_replace(s, old, value_const(0));
		return true;
	}
	v.maybe_null = 0;
	v.def = 0;
	state_replace(s, old, value_make(&v));
	return true;
}

/* a < b, or a <= b; registers or, if they are none, constants */
static bool assume_less(struct state *s, int a, uint64_t ca, int b, uint64_t cb, bool or_equal,
			uint64_t most)
{
	uint64_t la = ca, ha = ca, lb = cb, hb = cb;

	if (a >= 0)
		state_range(s, state_get(s, a), &la, &ha);
	if (b >= 0)
		state_range(s, state_get(s, b), &lb, &hb);
	if (ha > most || hb > most)
		return true;
	if (or_equal ? la > hb : la >= hb)
		return false;
	if (a >= 0 && a < 10 && !state_narrow(s, a, la, or_equal ? hb : hb - 1))
		return false;
	return b < 0 || b >= 10 || state_narrow(s, b, or_equal ? la : la + 1, hb);
}

static uint8_t opposite(uint8_t op)
{
	switch (op) {
	case BPF_JEQ:
		return BPF_JNE;
	case BPF_JNE:
		return BPF_JEQ;
	case BPF_JGT:
		return BPF_JLE;
	case BPF_JLE:
		return BPF_JGT;
	case BPF_JGE:
		return BPF_JLT;
	case BPF_JLT:
		return BPF_JGE;
	case BPF_JSGT:
		return BPF_JSLE;
	case BPF_JSLE:
		return BPF_JSGT;
	case BPF_JSGE:
		return BPF_JSLT;
	default:
		return BPF_JSGE;
	}
}

static bool assume_set(struct state *s, unsigned int reg, uint64_t mask, bool taken)
{
	const struct value *v = value_get(s->reg[reg]);
	unsigned int i;

	if (taken)
		return assume_differs(s, reg, 0, mask);
	for (i = 0; i < 64; i++) {
		if (!(mask >> i & 1))
			continue;
		if (v->bit[i] == BIT_ONE || !learn(s, v->bit[i], false))
			return false;
	}
	return true;
}

/* Where all numbers are small, signed is unsigned. */
static bool both_positive(struct state *s, unsigned int a, int b, uint64_t c, unsigned int width)
{
	uint64_t most = width == 64 ? INT64_MAX : INT32_MAX, lo, hi;

	state_range(s, state_get(s, a), &lo, &hi);
	if (hi > most)
		return false;
	if (b >= 0)
		state_range(s, state_get(s, b), &lo, &hi);
	else
		hi = c;
	return hi <= most;
}

/* Two registers that both hold bits of the packet: a second such jump goes the same way. */
static bool assume_relation(struct state *s, uint8_t op, vid a, vid b)
{
	unsigned int possible;

	switch (op) {
	case BPF_JEQ:
		possible = RELATION_EQUAL;
		break;
	case BPF_JNE:
		possible = RELATION_LESS | RELATION_MORE;
		break;
	case BPF_JGT:
		possible = RELATION_MORE;
		break;
	case BPF_JGE:
		possible = RELATION_MORE | RELATION_EQUAL;
		break;
	case BPF_JLT:
		possible = RELATION_LESS;
		break;
	case BPF_JLE:
		possible = RELATION_LESS | RELATION_EQUAL;
		break;
	default:
		return true;
	}
	return relation_learn(s, a, b, possible);
}

bool assume(struct run *run, struct state *s, const struct bpf_insn *in, bool taken)
{
	bool is32 = BPF_CLASS(in->code) == BPF_JMP32, by_reg = BPF_SRC(in->code) == BPF_X, known;
	uint8_t op = BPF_OP(in->code);
	unsigned int a = in->dst_reg, width = is32 ? 32 : 64;
	uint64_t most = is32 ? UINT32_MAX : UINT64_MAX;
	uint64_t c = is32 ? (uint32_t)in->imm : (uint64_t)(int64_t)in->imm;
	int b = by_reg ? in->src_reg : -1;
	const struct value *va = value_get(state_get(s, a));
	const struct value *vb = by_reg ? value_get(state_get(s, b)) : NULL;

	if (a > 9)
		return true;
	known = !by_reg || (b < 10 && state_is_const(s, s->reg[b], &c));
	if (known && is32)
		c = (uint32_t)c;
	if (op != BPF_JSET && !taken)
		op = opposite(op);
	if (va->type != V_SCALAR || (vb && vb->type != V_SCALAR)) {
		if (known && !c && !is32 && va->type != V_SCALAR &&
		    (op == BPF_JEQ || op == BPF_JNE))
			return assume_pointer(run, s, a, op == BPF_JEQ);
		return true;
	}
	if (!known && b < 10 && value_is_exact(s->reg[a]) && value_is_exact(s->reg[b]) &&
	    va->hi <= most && vb->hi <= most && !assume_relation(s, op, s->reg[a], s->reg[b]))
		return false;
	switch (op) {
	case BPF_JEQ:
		if (known)
			return assume_equal(s, a, c, width);
		if (state_is_const(s, s->reg[a], &c) && b < 10)
			return assume_equal(s, b, is32 ? (uint32_t)c : c, width);
		return true;
	case BPF_JNE:
		return !known || assume_unequal(s, a, c, width);
	case BPF_JSET:
		return !known || assume_set(s, a, c, taken);
	case BPF_JSGT:
	case BPF_JSGE:
	case BPF_JSLT:
	case BPF_JSLE:
		if (!both_positive(s, a, known ? -1 : b, c, width))
			return true;
		break;
	}
	if (known)
		b = -1;
	if (op == BPF_JLT || op == BPF_JSLT || op == BPF_JLE || op == BPF_JSLE)
		return assume_less(s, a, 0, b, c, op == BPF_JLE || op == BPF_JSLE, most);
	return assume_less(s, b, c, a, 0, op == BPF_JGE || op == BPF_JSGE, most);
}
