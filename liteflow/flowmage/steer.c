// SPDX-License-Identifier: GPL-2.0
/*
 * From views of maps to equations between key bits: see steer.h.
 */
#include <stdlib.h>
#include <string.h>
#include "steer.h"
#include "tie.h"

unsigned int steer_base(const struct steer *st, unsigned int device)
{
	unsigned int i, n = 0;

	for (i = 0; i < device; i++)
		n += st->devices[i].key_len * 8;
	return n;
}

static bool opaque(const struct steer *st, unsigned int device, uint8_t fields)
{
	return st->xfrm[device] != XFRM_NONE ||
	       (fields && fields != HASH_ADDRESSES && fields != HASH_ALL);
}

int steer_position(const struct steer *st, unsigned int device, enum packet_class class,
		   unsigned int var)
{
	const struct packet_kind *kind = &packet_kinds[class];
	uint8_t fields = st->hashed[device][kind->flow];
	enum hash_field field = var / 128;

	/* a device finds no ports in what it takes for a fragment */
	if (kind->flow == FLOW_IP4 || kind->flow == FLOW_IP6)
		fields &= HASH_ADDRESSES;
	if (!(fields & 1 << field) || var % 128 >= hash_bits(field, kind->ipv6))
		return -1;
	if (opaque(st, device, fields))
		return -2;
	return hash_offset(field, kind->ipv6) + var % 128;
}

/**
 * struct inputs - the bits of a view's packets that are hashed
 * @var: [n]: which
 * @first: [n]: the key bit that each meets for the most significant bit of the hash
 * @n: how many
 * @fields: enum hash_field bits that are hashed
 * @odd: in no standard order, so that @first says nothing
 */
struct inputs {
	uint16_t var[STEER_VARS];
	uint16_t first[STEER_VARS];
	unsigned int n;
	uint8_t fields;
	bool odd;
};

/* Bits of both packets that are tied to each other, by the root of their tree. */
struct groups {
	struct tie tie;
	int16_t head[TIE_NODES];
	int16_t next[TIE_NODES];
	uint16_t first[TIE_NODES];
	uint16_t roots[TIE_NODES];
	unsigned int n_roots;
};

static void list_inputs(const struct steer *st, const struct view *v, struct inputs *in)
{
	unsigned int base = steer_base(st, v->device), var;
	int pos;

	in->n = 0;
	in->odd = false;
	in->fields = 0;
	for (var = 0; var < STEER_VARS; var++) {
		pos = steer_position(st, v->device, v->class, var);
		if (pos == -1)
			continue;
		in->odd |= pos < 0;
		in->fields |= 1 << var / 128;
		in->var[in->n] = var;
		in->first[in->n++] = pos < 0 ? 0 : base + pos;
	}
}

static void put(struct groups *g, unsigned int node, unsigned int first)
{
	unsigned int r = tie_root(&g->tie, node);

	if (g->head[r] < 0)
		g->roots[g->n_roots++] = r;
	g->first[node] = first;
	g->next[node] = g->head[r];
	g->head[r] = node;
}

static void group(struct groups *g, const struct inputs *a, const struct inputs *b)
{
	unsigned int i;

	memset(g->head, -1, sizeof(g->head));
	g->n_roots = 0;
	for (i = 0; i < a->n; i++)
		put(g, a->var[i], a->first[i]);
	for (i = 0; i < b->n; i++)
		put(g, STEER_VARS + b->var[i], b->first[i]);
}

/* These input bits, together, change no index bit. */
static void add_sum(struct keysys *sys, const uint16_t *first, unsigned int n, unsigned int bits)
{
	unsigned int vars[TIE_NODES], b, i;

	if (n == 2 && first[0] == first[1])
		return;
	for (b = hash_shape.width - bits; n && b < hash_shape.width; b++) {
		for (i = 0; i < n; i++)
			vars[i] = first[i] + b;
		keysys_add(sys, vars, n);
	}
}

/*
 * Fields whose hash is not known beyond that equal fields hash alike: both packets must have
 * been hashed in one way, and no basis vector change anything that is hashed. A transform
 * makes one bit of each pair: the sum of source and destination.
 */
static bool odd_agrees(const struct steer *st, const struct groups *g, const struct view *a,
		       const struct view *b, const struct inputs *in_a, const struct inputs *in_b)
{
	enum hash_xfrm xfrm = st->xfrm[a->device];
	unsigned int i, var, k, size;
	bool image[STEER_VARS];
	int node;

	if (a->device != b->device || packet_kinds[a->class].ipv6 != packet_kinds[b->class].ipv6 ||
	    in_a->fields != in_b->fields)
		return false;
	for (i = 0; i < g->n_roots; i++) {
		memset(image, 0, sizeof(image));
		size = 0;
		for (node = g->head[g->roots[i]]; node >= 0; node = g->next[node], size++) {
			var = node % STEER_VARS;
			if (xfrm != XFRM_NONE)
				var = (var / 128 & ~1u) * 128 + var % 128;
			image[var] = !image[var];
		}
		/* the or of both is kept by an exchange only */
		if (xfrm == XFRM_OR_XOR && size != 2)
			return false;
		for (k = 0; k < STEER_VARS; k++)
			if (image[k])
				return false;
	}
	return true;
}

/* 0; 1: contradiction */
static int add_pair(const struct steer *st, struct keysys *sys, const struct view *a,
		    const struct view *b, const struct inputs *in_a, const struct inputs *in_b,
		    struct groups *g)
{
	unsigned int bits = st->index_bits[a->device], n, i, ones = 0;
	uint16_t first[TIE_NODES], fixed[TIE_NODES];
	int node;

	if (a->by_queue && b->by_queue)
		return 0;
	tie_views(&g->tie, a, b);
	if (g->tie.never)
		return 0;
	group(g, in_a, in_b);
	if (in_a->odd || in_b->odd)
		return !odd_agrees(st, g, a, b, in_a, in_b);
	if (st->index_bits[b->device] < bits)
		bits = st->index_bits[b->device];
	for (i = 0; i < g->n_roots; i++) {
		n = 0;
		for (node = g->head[g->roots[i]]; node >= 0; node = g->next[node])
			first[n++] = g->first[node];
		if (g->tie.value[g->roots[i]] == TIE_OPEN) {
			add_sum(sys, first, n, bits);
		} else if (g->tie.value[g->roots[i]] == TIE_1) {
			memcpy(&fixed[ones], first, n * sizeof(*first));
			ones += n;
		}
	}
	add_sum(sys, fixed, ones, bits);
	return 0;
}

/* Views that differ in nothing that the equations see. */
static bool alike(const struct view *a, const struct view *b, const struct inputs *in_a,
		  const struct inputs *in_b)
{
	return a->device == b->device && a->n == b->n && a->by_queue == b->by_queue &&
	       in_a->n == in_b->n && in_a->odd == in_b->odd &&
	       packet_kinds[a->class].ipv6 == packet_kinds[b->class].ipv6 &&
	       !memcmp(in_a->var, in_b->var, in_a->n * sizeof(*in_a->var)) &&
	       !memcmp(in_a->first, in_b->first, in_a->n * sizeof(*in_a->first)) &&
	       !memcmp(a->slot, b->slot, a->n * sizeof(*a->slot)) &&
	       !memcmp(a->tag, b->tag, a->n * sizeof(*a->tag));
}

static int add_unit(const struct steer *st, struct keysys *sys, const struct unit *u,
		    struct groups *g)
{
	struct inputs *in = malloc((u->n_views + 1) * sizeof(*in));
	const struct view **views = malloc((u->n_views + 1) * sizeof(*views));
	unsigned int n = 0, i, j, k;
	int ret = in && views ? 0 : -1;

	for (i = 0; i < u->n_views && !ret; i++) {
		list_inputs(st, &u->views[i], &in[n]);
		for (k = 0; k < n; k++)
			if (alike(views[k], &u->views[i], &in[k], &in[n]))
				break;
		if (k == n)
			views[n++] = &u->views[i];
	}
	for (i = 0; i < n && !ret; i++)
		for (j = i; j < n && !ret; j++)
			ret = add_pair(st, sys, views[i], views[j], &in[i], &in[j], g);
	free(in);
	free(views);
	return ret;
}

int steer_equations(const struct steer *st, struct keysys *sys)
{
	struct groups *g = malloc(sizeof(*g));
	int ret = g ? 0 : -1;
	unsigned int u;

	for (u = 0; u < st->n_units && !ret; u++)
		if (st->units[u].on)
			ret = add_unit(st, sys, &st->units[u], g);
	free(g);
	if (!ret && keysys_close(sys))
		ret = -1;
	return ret;
}

/* Adds a vector to a basis in echelon form; its rank grows or not. */
static unsigned int grow(uint32_t *basis, uint32_t vector)
{
	unsigned int bit;

	for (bit = TOEPLITZ_WIDTH; bit-- && vector;) {
		if (!(vector >> bit & 1))
			continue;
		if (!basis[bit]) {
			basis[bit] = vector;
			return 1;
		}
		vector ^= basis[bit];
	}
	return 0;
}

unsigned int steer_rank_bound(const struct steer *st, const struct keysys *sys,
			      unsigned int device, enum packet_class class)
{
	unsigned int bits = st->index_bits[device], base = steer_base(st, device);
	unsigned int var, b, w, rank = 0, columns = 0, free_vars, v;
	uint32_t basis[TOEPLITZ_WIDTH] = { 0 }, *of_free;
	uint64_t form[sys->words], word;
	bool some;
	int pos;

	/* of_free[v]: the index bits whose row has free variable v in this column */
	of_free = calloc(sys->n + 1, sizeof(*of_free));
	if (!of_free)
		return 0;
	for (var = 0; var < STEER_VARS && !(rank == bits && columns >= bits); var++) {
		pos = steer_position(st, device, class, var);
		if (pos < 0)
			continue;
		some = false;
		memset(of_free, 0, (sys->n + 1) * sizeof(*of_free));
		for (b = 0; b < bits; b++) {
			v = base + pos + hash_shape.width - bits + b;
			if (!keysys_form(sys, v, form))
				continue;
			some = true;
			for (w = 0; w < sys->words; w++)
				for (word = form[w]; word; word &= word - 1)
					of_free[w * 64 + __builtin_ctzll(word)] |= 1u << b;
		}
		columns += some;
		for (free_vars = 0; free_vars < sys->n && rank < bits && some; free_vars++)
			if (of_free[free_vars])
				rank += grow(basis, of_free[free_vars]);
	}
	free(of_free);
	return rank < columns ? rank : columns;
}
