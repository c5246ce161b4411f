// SPDX-License-Identifier: GPL-2.0
#include <linux/bpf.h>
#include <linux/filter.h>
#include <stdio.h>
#include <string.h>
#include "interp.h"

#define CODE_LD_IMM64	(BPF_LD | BPF_IMM | BPF_DW)
#define CODE_MAY_GOTO	0xe0	/* BPF_JCOND */
#define ATOMIC_LOAD_ACQ	0x100	/* BPF_LOAD_ACQ: newer than Debian's header, as the one above */

static unsigned int access_size(uint8_t code)
{
	switch (BPF_SIZE(code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return 8;
	}
}

/* All of a map's global data is one entry, under the key 0. */
static vid data_pointer(struct run *run, struct state *s, uint32_t map, int64_t off)
{
	uint32_t zero[32] = { 0 };
	uint32_t key = record_key(&run->rec, s, map, zero, 4, LIST_NONE);

	return value_pointer(V_VALUE, map, key, off);
}

static void load_imm64(struct run *run, struct state *s, const struct insn *in)
{
	uint64_t imm = (uint32_t)in[0].raw.imm | (uint64_t)(uint32_t)in[1].raw.imm << 32;
	vid v;

	switch (in->link) {
	case LINK_MAP:
		v = value_pointer(V_MAP, in->target, 0, 0);
		break;
	case LINK_DATA:
		v = data_pointer(run, s, in->target, in->addend);
		break;
	case LINK_FUNCTION:
		v = value_pointer(V_FUNCTION, 0, in->target, 0);
		break;
	case LINK_EXTERN:
		/* a weak one may not be there */
		v = memory_or_null(s->pc + 1);
		break;
	case LINK_PATCHED:
		v = value_unknown(s->pc + 1, 64);
		break;
	default:
		v = value_const(imm);
	}
	state_set(s, in->raw.dst_reg, v);
	s->pc += 2;
}

/* The classic filter's loads: the packet's bytes as a number, or the program returns 0. */
static void load_abs(struct run *run, struct state *s, const struct bpf_insn *in)
{
	unsigned int size = access_size(in->code);
	uint32_t bit[64] = { 0 }, deps = LIST_NONE, terms;
	struct state fails = *s;
	vid at = value_const((int64_t)in->imm), v;
	int64_t off;

	fails.reg[0] = value_const(0);
	record_return(&run->rec, &fails);
	if (BPF_MODE(in->code) == BPF_IND)
		at = alu(BPF_ADD, state_get(s, in->src_reg), at, false, 0);
	mem_place(s, at, &terms, &off);
	/* negative offsets are special: the network header, ancillary data */
	if (in->imm < 0)
		terms = LIST_ANY;
	packet_bits(s, terms, off, size, bit, &deps);
	v = alu_swap(value_of_bits(bit, deps, s->pc + 1), 8 * size, s->pc + 1);
	call_return(s, v);
	s->pc++;
}

static void arithmetic(struct state *s, const struct insn *insn)
{
	const struct bpf_insn *in = &insn->raw;
	bool is32 = BPF_CLASS(in->code) == BPF_ALU;
	uint32_t def = s->pc + 1;
	vid a = state_get(s, in->dst_reg), b, v;

	if (BPF_SRC(in->code) == BPF_X)
		b = state_get(s, in->src_reg);
	else
		b = value_const(is32 ? (uint32_t)in->imm : (uint64_t)(int64_t)in->imm);
	switch (BPF_OP(in->code)) {
	case BPF_MOV:
		if (!in->off || BPF_SRC(in->code) != BPF_X)
			v = b;
		else if (in->off == 8 || in->off == 16 || in->off == 32)
			v = alu_extend(b, in->off, def);
		else	/* a cast between address spaces, or nothing known */
			v = value_unknown(def, 64);
		if (is32)
			v = alu_truncate(v, 32, def);
		break;
	case BPF_NEG:
		v = alu(BPF_SUB, value_const(0), a, is32, def);
		break;
	case BPF_END:
		/* to big-endian, or the unconditional swap */
		if (BPF_SRC(in->code) == BPF_X || !is32)
			v = alu_swap(a, in->imm == 16 || in->imm == 32 ? in->imm : 64, def);
		else
			v = alu_truncate(a, in->imm == 16 || in->imm == 32 ? in->imm : 64, def);
		break;
	case BPF_DIV:
	case BPF_MOD:
		if (in->off) {	/* signed */
			v = value_unknown(def, is32 ? 32 : 64);
			break;
		}
		v = alu(BPF_OP(in->code), a, b, is32, def);
		break;
	default:
		v = alu(BPF_OP(in->code), a, b, is32, def);
	}
	if (insn->link == LINK_PATCHED)
		v = value_unknown(def, 64);
	state_set(s, in->dst_reg, v);
	s->pc++;
}

static void atomic(struct run *run, struct state *s, const struct bpf_insn *in)
{
	unsigned int size = access_size(in->code);

	if (in->imm == ATOMIC_LOAD_ACQ) {
		if (in->dst_reg < 10)
			state_set(s, in->dst_reg,
				  mem_load(run, s, state_get(s, in->src_reg), in->off, size));
		s->pc++;
		return;
	}
	mem_store(run, s, state_get(s, in->dst_reg), in->off, size, VALUE_TOP);
	if (in->imm == BPF_CMPXCHG)
		state_set(s, 0, value_unknown(s->pc + 1, 8 * size));
	else if (in->imm & BPF_FETCH)
		state_set(s, in->src_reg, value_unknown(s->pc + 1, 8 * size));
	s->pc++;
}

static void memory_access(struct run *run, struct state *s, const struct insn *insn)
{
	const struct bpf_insn *in = &insn->raw;
	unsigned int size = access_size(in->code);
	vid v;

	switch (BPF_CLASS(in->code)) {
	case BPF_LDX:
		v = mem_load(run, s, state_get(s, in->src_reg), in->off, size);
		if (BPF_MODE(in->code) == 0x80)		/* BPF_MEMSX */
			v = alu_extend(v, 8 * size, s->pc + 1);
		if (insn->link == LINK_PATCHED)
			v = value_unknown(s->pc + 1, 8 * size);
		state_set(s, in->dst_reg, v);
		break;
	case BPF_ST:
		v = value_const(size == 8 ? (uint64_t)(int64_t)in->imm :
				(uint64_t)(int64_t)in->imm & ((1ull << 8 * size) - 1));
		if (insn->link == LINK_PATCHED)
			v = value_unknown(0, 8 * size);
		mem_store(run, s, state_get(s, in->dst_reg), in->off, size, v);
		break;
	default:
		if (BPF_MODE(in->code) == BPF_ATOMIC) {
			atomic(run, s, in);
			return;
		}
		mem_store(run, s, state_get(s, in->dst_reg), in->off, size,
			  state_get(s, in->src_reg));
	}
	s->pc++;
}

/* Goes into a function of the program; false: the path cannot be followed. */
static bool enter(struct run *run, struct state *s, uint32_t target)
{
	struct frame *f;
	unsigned int i;

	if (s->depth + 1 >= MAX_FRAMES) {
		record_reason(&run->rec, true, "calls more than %d deep", MAX_FRAMES);
		return false;
	}
	f = &s->frame[++s->depth];
	frame_begin(f, FRAME_CALL, s->pc);
	for (i = 0; i < 4; i++)
		f->saved[i] = s->reg[i + 6];
	for (i = 6; i < 10; i++)
		s->reg[i] = VALUE_TOP;
	s->reg[0] = VALUE_TOP;
	s->pc = target;
	return true;
}

static bool leave(struct run *run, struct state *s)
{
	struct frame *f = &s->frame[s->depth];
	unsigned int i;

	if (f->kind == FRAME_MAIN) {
		record_return(&run->rec, s);
		return false;
	}
	if (f->kind == FRAME_ALONE)
		return false;
	for (i = 0; i < 4; i++)
		s->reg[i + 6] = f->saved[i];
	for (i = 0; i < 5; i++)
		s->reg[i + 1] = f->kind == FRAME_LOOP ? f->args[i] : VALUE_TOP;
	s->pc = f->kind == FRAME_LOOP ? f->back : f->back + 1;
	s->depth--;
	return true;
}

static bool call(struct run *run, struct state *s, const struct insn *in)
{
	bool on;

	if (BPF_SRC(in->raw.code) == BPF_X) {
		record_reason(&run->rec, true, "instruction %u calls what a register says", s->pc);
		return false;
	}
	if (in->link == LINK_FUNCTION)
		return enter(run, s, in->target);
	if (in->link == LINK_EXTERN)
		on = call_kfunc(run, s, in->name);
	else if (in->raw.src_reg == BPF_PSEUDO_KFUNC_CALL)
		on = call_kfunc(run, s, "without a name");
	else
		on = call_helper(run, s, in->raw.imm);
	s->pc++;
	return on;
}

/* Both ways of a conditional jump: one is followed now, the other one later. */
static bool jump(struct run *run, struct state *s, const struct bpf_insn *in)
{
	uint8_t op = BPF_OP(in->code);
	int64_t to = (int64_t)s->pc + 1 + in->off;
	struct state taken;

	if (op == BPF_JA) {
		s->pc = BPF_CLASS(in->code) == BPF_JMP32 ? (int64_t)s->pc + 1 + in->imm : to;
		return true;
	}
	memcpy(&taken, s, state_size(s));
	taken.pc = to;
	s->pc++;
	if (op == CODE_MAY_GOTO) {
		explore_later(run, &taken);
		return true;
	}
	if (!assume(run, &taken, in, true))
		return assume(run, s, in, false);
	if (!assume(run, s, in, false)) {
		memcpy(s, &taken, state_size(&taken));
		return true;
	}
	explore_later(run, &taken);
	return true;
}

/* One instruction; false: the path ends. */
static bool step(struct run *run, struct state *s)
{
	const struct insn *in = &run->o->insns[s->pc];

	if (in->raw.dst_reg > 10 || in->raw.src_reg > 10) {
		record_reason(&run->rec, true, "instruction %u: no such register", s->pc);
		return false;
	}
	switch (BPF_CLASS(in->raw.code)) {
	case BPF_LD:
		if (in->raw.code == CODE_LD_IMM64) {
			if (in->raw.dst_reg > 9 || s->pc + 1 >= run->o->n_insns)
				break;
			load_imm64(run, s, in);
			return true;
		}
		if (BPF_MODE(in->raw.code) != BPF_ABS && BPF_MODE(in->raw.code) != BPF_IND)
			break;
		load_abs(run, s, &in->raw);
		return true;
	case BPF_LDX:
		if (in->raw.dst_reg > 9)
			break;
		memory_access(run, s, in);
		return true;
	case BPF_ST:
		memory_access(run, s, in);
		return true;
	case BPF_STX:
		if (BPF_MODE(in->raw.code) == BPF_ATOMIC && in->raw.src_reg > 9)
			break;
		memory_access(run, s, in);
		return true;
	case BPF_ALU:
	case BPF_ALU64:
		if (in->raw.dst_reg > 9)
			break;
		if (run->o->loaded && value_get(s->reg[in->raw.dst_reg])->type == V_MAP &&
		    BPF_OP(in->raw.code) == BPF_ADD)
			return in->raw.dst_reg == 1 && loaded_lookup(run, s);
		arithmetic(s, in);
		return true;
	default:
		if (BPF_OP(in->raw.code) == BPF_CALL)
			return call(run, s, in);
		if (BPF_OP(in->raw.code) == BPF_EXIT)
			return leave(run, s);
		return jump(run, s, &in->raw);
	}
	record_reason(&run->rec, true, "instruction %u (code %#x) is not understood", s->pc,
		      in->raw.code);
	return false;
}

static bool may_go_on(struct run *run)
{
	if (++run->steps > MAX_STEPS)
		record_reason(&run->rec, true, "more than %u steps: not all paths were followed",
			      MAX_STEPS);
	else if (run->bytes + values_bytes() + lists_bytes() > MAX_BYTES)
		record_reason(&run->rec, true, "more than %lu MB of states: not all paths were "
					       "followed",
			      MAX_BYTES >> 20);
	else
		return true;
	run->stopped = true;
	return false;
}

void interpret(struct run *run)
{
	struct state s = { .pc = run->prog->entry };

	explore_begin(run);
	frame_begin(&s.frame[0], FRAME_MAIN, 0);
	s.reg[1] = value_pointer(V_CTX, 0, 0, 0);
	explore_later(run, &s);
	while (!run->stopped && explore_next(run, &s)) {
		while (may_go_on(run)) {
			if (s.pc >= run->o->n_insns) {
				record_reason(&run->rec, true, "the program runs out of its code");
				break;
			}
			if (!explore_is_new(run, &s) || !step(run, &s))
				break;
		}
	}
	explore_end(run);
}
