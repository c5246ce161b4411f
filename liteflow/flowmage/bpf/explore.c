// SPDX-License-Identifier: GPL-2.0
/*
 * Where paths meet: a path whose state is covered by one that was there before ends. Beyond
 * some number of states at a point they are joined, so that everything ends.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include "interp.h"
#include "naming.h"

struct point {
	uint32_t pc;
	uint32_t chain;		/* the calls that led here */
	unsigned int n;
	struct state *seen[MAX_STATES];
	unsigned int n_joined;
	uint64_t shape[MAX_JOINED];
	struct state *joined[MAX_JOINED];
};

static struct state *copy_state(struct run *run, const struct state *s)
{
	struct state *copy = malloc(state_size(s));

	memcpy(copy, s, state_size(s));
	run->bytes += state_size(s);
	return copy;
}

static bool is_jump(uint8_t code)
{
	return (BPF_CLASS(code) == BPF_JMP || BPF_CLASS(code) == BPF_JMP32) &&
	       BPF_OP(code) != BPF_CALL && BPF_OP(code) != BPF_EXIT;
}

static int64_t jump_to(const struct run *run, uint32_t pc)
{
	const struct bpf_insn *in = &run->o->insns[pc].raw;

	return (int64_t)pc + 1 + (in->code == (BPF_JMP32 | BPF_JA) ? in->imm : in->off);
}

/* What an instruction reads (low half) and writes (high half) of the registers. */
static uint32_t uses(const struct bpf_insn *in)
{
	uint32_t dst = 1u << in->dst_reg, src = 1u << in->src_reg;

	switch (BPF_CLASS(in->code)) {
	case BPF_LD:
		if (!in->code)		/* second half of a load of 64 bits */
			return 0;
		return BPF_MODE(in->code) == BPF_IMM ? dst << 16 : (1u << 6 | src) | 0x3fu << 16;
	case BPF_LDX:
		return src | dst << 16;
	case BPF_ST:
		return dst;
	case BPF_STX:
		/* r0 of a compare-and-exchange; nothing is said to be overwritten */
		return dst | src | 1;
	case BPF_JMP:
	case BPF_JMP32:
		if (BPF_OP(in->code) == BPF_CALL)
			return 0x3e | 0x3fu << 16;
		if (BPF_OP(in->code) == BPF_EXIT)
			return 1;
		return BPF_OP(in->code) == BPF_JA ? 0 :
		       dst | (BPF_SRC(in->code) == BPF_X ? src : 0);
	default:
		if (BPF_OP(in->code) == BPF_MOV)
			return (BPF_SRC(in->code) == BPF_X ? src : 0) | dst << 16;
		return dst | (BPF_SRC(in->code) == BPF_X ? src : 0) | dst << 16;
	}
}

static void find_live(struct run *run)
{
	uint32_t n = run->o->n_insns, i;
	bool changed = true;

	run->live = calloc(n + 1, sizeof(*run->live));
	while (changed) {
		changed = false;
		for (i = n; i--; ) {
			const struct bpf_insn *in = &run->o->insns[i].raw;
			uint32_t used = uses(in), out = 0;
			int64_t to = jump_to(run, i);

			if (in->code != (BPF_JMP | BPF_EXIT) && in->code != (BPF_JMP | BPF_JA) &&
			    in->code != (BPF_JMP32 | BPF_JA))
				out |= run->live[i + 1];
			if (is_jump(in->code) && to >= 0 && to < n)
				out |= run->live[to];
			out = (out & ~(used >> 16)) | (used & 0xffff);
			changed |= run->live[i] != out;
			run->live[i] = out;
		}
	}
}

void explore_begin(struct run *run)
{
	uint32_t i;
	int64_t to;

	run->points = 1024;
	run->point = calloc(run->points, sizeof(struct point *));
	run->target = calloc(run->o->n_insns + 1, 1);
	for (i = 0; i < run->o->n_insns; i++) {
		const struct insn *in = &run->o->insns[i];

		to = jump_to(run, i);
		if (is_jump(in->raw.code) && to >= 0 && to < run->o->n_insns)
			run->target[to] = 1;
		/* callbacks come back to their call */
		if (in->raw.code == (BPF_JMP | BPF_CALL))
			run->target[i] = 1;
		if (in->link == LINK_FUNCTION && in->target < run->o->n_insns)
			run->target[in->target] = 1;
	}
	find_live(run);
}

static void free_point(struct point *p)
{
	while (p->n)
		free(p->seen[--p->n]);
	while (p->n_joined)
		free(p->joined[--p->n_joined]);
	free(p);
}

void explore_end(struct run *run)
{
	size_t i;

	for (i = 0; i < run->points; i++)
		if (run->point[i])
			free_point(run->point[i]);
	while (run->n_work)
		free(run->work[--run->n_work]);
	free(run->work);
	free(run->point);
	free(run->target);
	free(run->live);
}

void explore_later(struct run *run, const struct state *s)
{
	if (!(run->n_work & (run->n_work - 1)))
		run->work = realloc(run->work, (run->n_work ? 2 * run->n_work : 1) *
				    sizeof(*run->work));
	run->work[run->n_work++] = copy_state(run, s);
}

bool explore_next(struct run *run, struct state *s)
{
	struct state *next;

	if (!run->n_work)
		return false;
	next = run->work[--run->n_work];
	memcpy(s, next, state_size(next));
	run->bytes -= state_size(next);
	free(next);
	return true;
}

static void rehash(struct run *run)
{
	struct point **old = run->point;
	size_t n = run->points, i, at;

	run->points *= 2;
	run->point = calloc(run->points, sizeof(*old));
	for (i = 0; i < n; i++) {
		if (!old[i])
			continue;
		at = (old[i]->pc * 2654435761u ^ old[i]->chain * 40503u) & (run->points - 1);
		while (run->point[at])
			at = (at + 1) & (run->points - 1);
		run->point[at] = old[i];
	}
	free(old);
}

static struct point *point_of(struct run *run, const struct state *s)
{
	uint64_t chain[2 * MAX_FRAMES];
	uint32_t id, i;
	size_t at;

	for (i = 0; i <= s->depth; i++) {
		chain[2 * i] = s->frame[i].kind;
		chain[2 * i + 1] = s->frame[i].back;
	}
	id = list_make(chain, 2 * i);
	at = (s->pc * 2654435761u ^ id * 40503u) & (run->points - 1);
	for (; run->point[at]; at = (at + 1) & (run->points - 1))
		if (run->point[at]->pc == s->pc && run->point[at]->chain == id)
			return run->point[at];
	run->point[at] = calloc(1, sizeof(struct point));
	run->point[at]->pc = s->pc;
	run->point[at]->chain = id;
	run->bytes += sizeof(struct point);
	if (2 * ++run->n_points > run->points) {
		struct point *p = run->point[at];

		rehash(run);
		return p;
	}
	return run->point[at];
}

static uint64_t mix(uint64_t h, uint64_t x)
{
	h = (h ^ x) * 0x100000001b3ull;
	return h ^ h >> 29;
}

static uint64_t mix_value(uint64_t h, vid id)
{
	const struct value *v = value_get(id);

	return mix(h, v->type == V_SCALAR ? 0 : 1 + v->type + ((uint64_t)v->map << 8) +
		   ((uint64_t)v->maybe_null << 40));
}

/*
 * What had better not be lost in a join: which pointers are where, and which headers were
 * found. States that differ in it are joined only when there are too many kinds of them.
 */
static uint64_t shape_of(const struct state *s)
{
	uint64_t h = 0xcbf29ce484222325ull;
	struct layers l;
	unsigned int i, f;

	find_layers(s, &l);
	h = mix(mix(mix(mix(h, l.ethertype), l.network), l.protocol), s->head);
	for (i = 0; i < 10; i++)
		h = mix_value(h, s->reg[i]);
	for (f = 0; f <= s->depth; f++)
		for (i = 0; i < STACK_SLOTS; i++)
			h = mix_value(h, s->frame[f].slot[i]);
	return h;
}

/* The 65th state at a point and all later ones. */
static void join(struct run *run, struct point *p, struct state *s)
{
	uint64_t shape = shape_of(s);
	unsigned int i;

	for (i = 0; i < p->n_joined && i < MAX_JOINED - 1; i++)
		if (p->shape[i] == shape)
			break;
	if (i == p->n_joined) {
		p->shape[i] = shape;
		p->joined[p->n_joined++] = copy_state(run, s);
		return;
	}
	state_join(p->joined[i], s);
	memcpy(s, p->joined[i], state_size(s));
}

bool explore_is_new(struct run *run, struct state *s)
{
	struct point *p;
	unsigned int i;

	if (!run->target[s->pc])
		return true;
	for (i = 0; i < 10; i++)
		if (!(run->live[s->pc] >> i & 1))
			s->reg[i] = VALUE_TOP;
	p = point_of(run, s);
	for (i = p->n_joined; i--; )
		if (state_within(s, p->joined[i]))
			return false;
	for (i = p->n; i--; )
		if (state_within(s, p->seen[i]))
			return false;
	if (p->n < MAX_STATES) {
		p->seen[p->n++] = copy_state(run, s);
		return true;
	}
	join(run, p, s);
	return true;
}
