// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "keys.h"
#include "naming.h"

/* Where a key's bit comes from: byte and bit of a field. */
struct origin {
	struct fm_slice slice;
	unsigned int byte;
	unsigned int bit;
};

/* One byte of the key. */
struct piece {
	enum fm_part_kind kind;
	uint8_t value;			/* constant: the byte */
	struct fm_slice slice;		/* field: without mask; of FM_BYTES one byte */
	unsigned int from[8];		/* field: 8 * byte + bit of each bit, ~0u: constant */
};

static bool same_field(const struct fm_slice *a, const struct fm_slice *b)
{
	return a->field == b->field && (a->field != FM_BYTES || a->layer == b->layer);
}

static void read_piece(const struct state *s, const struct layers *l, const uint32_t *bit,
		       uint32_t deps, struct piece *p)
{
	struct fm_slice slice;
	unsigned int i, byte;
	bool first = true;

	memset(p, 0, sizeof(*p));
	for (i = 0; i < 8; i++) {
		p->from[i] = ~0u;
		if (bit[i] == BIT_MIXED) {
			p->kind = deps == LIST_ANY ? FM_PART_UNKNOWN : FM_PART_FUNCTION;
			return;
		}
		if (!BIT_IS_SOURCE(bit[i])) {
			p->value |= bit[i] << i;
			continue;
		}
		if (!name_source(s, l, BIT_SOURCE(bit[i]), &slice, &byte)) {
			p->kind = FM_PART_UNKNOWN;
			return;
		}
		if (first)
			p->slice = slice;
		if (!same_field(&p->slice, &slice)) {	/* bits of two fields in one byte */
			p->kind = FM_PART_UNKNOWN;
			return;
		}
		/* bytes without a name: counted from the first bit's */
		if (slice.field == FM_BYTES)
			byte = slice.offset - p->slice.offset;
		p->from[i] = 8 * byte + bit[i] % 8;
		p->kind = FM_PART_FIELD;
		first = false;
	}
}

static struct fm_part *add_part(struct fm_key *key, enum fm_part_kind kind, unsigned int at,
				unsigned int size)
{
	struct fm_part *p;

	key->parts = realloc(key->parts, (key->n_parts + 1) * sizeof(*p));
	p = &key->parts[key->n_parts++];
	*p = (struct fm_part){ .kind = kind, .at = at, .size = size };
	return p;
}

/*
 * Pieces that hold one field become a part: of FM_BYTES, at most FM_FIELD_BYTES of them.
 * Returns how many pieces were taken.
 */
static unsigned int take_field(struct fm_key *key, const struct piece *piece, unsigned int at,
			       unsigned int n)
{
	int least = piece->slice.offset, most = least, lo, hi;
	bool plain = true, reversed = true;
	struct fm_part *part;
	struct fm_slice *slice;
	unsigned int i, j, from;
	uint32_t order = 2166136261u;

	for (i = 0; i < n && same_field(&piece[0].slice, &piece[i].slice) &&
	     piece[i].kind == FM_PART_FIELD; i++) {
		for (j = 0, lo = least, hi = most; j < 8; j++) {
			if (piece[i].from[j] == ~0u || piece->slice.field != FM_BYTES)
				continue;
			from = piece[i].slice.offset + (int)piece[i].from[j] / 8;
			lo = (int)from < lo ? (int)from : lo;
			hi = (int)from > hi ? (int)from : hi;
		}
		/* unnamed bytes with a gap between them are two parts */
		if (hi - lo >= FM_FIELD_BYTES || (i && (lo < least - 1 || hi > most + 1)))
			break;
		least = lo;
		most = hi;
	}
	n = i ? i : 1;
	part = add_part(key, FM_PART_FIELD, at, n);
	slice = calloc(1, sizeof(*slice));
	*slice = piece->slice;
	if (slice->field == FM_BYTES) {
		slice->offset = least;
		slice->size = most - least + 1;
	}
	for (i = 0; i < n; i++)
		for (j = 0; j < 8; j++) {
			if (piece[i].from[j] == ~0u) {
				order = (order ^ 9999) * 16777619u;
				continue;
			}
			from = piece[i].from[j];
			if (slice->field == FM_BYTES)
				from = 8 * (piece[i].slice.offset - least) + (int)from;
			slice->mask[from / 8] |= 1 << from % 8;
			plain &= from == 8 * i + j;
			reversed &= from == 8 * (slice->size - 1 - i) + j;
			order = (order ^ from) * 16777619u;
		}
	part->order = plain ? 0 : reversed ? 1 : order < 2 ? 2 : order;
	part->slices = slice;
	part->n_slices = 1;
	return n;
}

/* Every source that a function depends on, by name; false: some have none. */
static bool take_function(const struct state *s, const struct layers *l, uint32_t deps,
			  struct fm_part *part)
{
	const uint64_t *source;
	struct fm_slice slice;
	unsigned int byte, j;
	size_t n, i;

	source = list_get(deps, &n);
	part->slices = calloc(n + 1, sizeof(*part->slices));
	for (i = 0; i < n; i++) {
		if (!name_source(s, l, source[i], &slice, &byte))
			return false;
		for (j = 0; j < part->n_slices; j++)
			if (same_field(&part->slices[j], &slice) &&
			    part->slices[j].offset == slice.offset)
				break;
		if (j == part->n_slices)
			part->slices[part->n_slices++] = slice;
		part->slices[j].mask[byte] = 0xff;
	}
	return n;
}

static int cmp_slice(const void *a, const void *b)
{
	const struct fm_slice *x = a, *y = b;

	if (x->field != y->field)
		return (int)x->field - (int)y->field;
	return x->layer != y->layer ? (int)x->layer - (int)y->layer : x->offset - y->offset;
}

void key_build(const struct state *s, const uint32_t *bit, unsigned int size, uint32_t deps,
	       struct fm_key *key)
{
	struct piece *piece = calloc(size + 1, sizeof(*piece));
	struct fm_part *part;
	struct layers l;
	unsigned int i, n;

	*key = (struct fm_key){ .mirror = -1 };
	find_layers(s, &l);
	key->ethertype = l.ethertype;
	key->protocol = l.protocol;
	key->vlan_tags = l.tags;
	key->fragments = !l.whole;
	for (i = 0; i < size; i++)
		read_piece(s, &l, bit + 8 * i, deps, &piece[i]);
	for (i = 0; i < size; i += n) {
		if (piece[i].kind == FM_PART_FIELD) {
			n = take_field(key, piece + i, i, size - i);
			continue;
		}
		for (n = 1; i + n < size && piece[i + n].kind == piece[i].kind; n++)
			;
		part = add_part(key, piece[i].kind, i, n);
		if (part->kind == FM_PART_CONST) {
			unsigned int j;

			part->bytes = malloc(n);
			for (j = 0; j < n; j++)
				part->bytes[j] = piece[i + j].value;
		} else if (part->kind == FM_PART_FUNCTION && !take_function(s, &l, deps, part)) {
			free(part->slices);
			part->slices = NULL;
			part->n_slices = 0;
			part->kind = FM_PART_UNKNOWN;
		} else if (part->kind == FM_PART_FUNCTION) {
			qsort(part->slices, part->n_slices, sizeof(*part->slices), cmp_slice);
		}
	}
	free(piece);
}

static bool slice_equal(const struct fm_slice *a, const struct fm_slice *b, bool mirrored)
{
	return (mirrored ? fm_field_mirror(a->field) : a->field) == b->field &&
	       a->layer == b->layer && a->offset == b->offset && a->size == b->size &&
	       !memcmp(a->mask, b->mask, sizeof(a->mask));
}

static bool compare(const struct fm_key *a, const struct fm_key *b, bool mirrored)
{
	unsigned int i, j;

	if (a->n_parts != b->n_parts)
		return false;
	for (i = 0; i < a->n_parts; i++) {
		const struct fm_part *x = &a->parts[i], *y = &b->parts[i];

		if (x->kind != y->kind || x->at != y->at || x->size != y->size ||
		    x->order != y->order || x->n_slices != y->n_slices)
			return false;
		if (x->kind == FM_PART_CONST && memcmp(x->bytes, y->bytes, x->size))
			return false;
		for (j = 0; j < x->n_slices; j++)
			if (!slice_equal(&x->slices[j], &y->slices[j], mirrored))
				return false;
	}
	return true;
}

bool key_equal(const struct fm_key *a, const struct fm_key *b)
{
	return compare(a, b, false);
}

bool key_is_mirror(const struct fm_key *a, const struct fm_key *b)
{
	return key_has_field(a) && compare(a, b, true);
}

bool key_has_field(const struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++)
		if (key->parts[i].kind == FM_PART_FIELD)
			return true;
	return false;
}

bool key_is_const(const struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++)
		if (key->parts[i].kind != FM_PART_CONST)
			return false;
	return key->n_parts;
}

void key_copy_mirrored(const struct fm_key *from, struct fm_key *to)
{
	unsigned int i, j;

	*to = *from;
	to->sites = NULL;
	to->n_sites = 0;
	to->parts = calloc(from->n_parts + 1, sizeof(*to->parts));
	for (i = 0; i < from->n_parts; i++) {
		struct fm_part *p = &to->parts[i];

		*p = from->parts[i];
		if (p->bytes) {
			p->bytes = malloc(p->size);
			memcpy(p->bytes, from->parts[i].bytes, p->size);
		}
		p->slices = calloc(p->n_slices + 1, sizeof(*p->slices));
		for (j = 0; j < p->n_slices; j++) {
			p->slices[j] = from->parts[i].slices[j];
			p->slices[j].field = fm_field_mirror(p->slices[j].field);
		}
	}
}

void key_weaken(struct fm_key *key)
{
	unsigned int i;

	for (i = 0; i < key->n_parts; i++)
		if (key->parts[i].kind == FM_PART_FIELD) {
			key->parts[i].kind = FM_PART_FUNCTION;
			key->parts[i].order = 0;
		}
}
