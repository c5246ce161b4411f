// SPDX-License-Identifier: GPL-2.0
/*
 * See judge.h. It is slow and says so: every number has 128 bits, every step is
 * one formula of the format.
 */
#include <math.h>
#include <string.h>
#include <linux/crc32.h>

#include "judge.h"

#define ONE		((wide_t)1)
#define BOUND		(ONE << 62)	/* of any value in a forward pass */
#define BIAS_BOUND	(ONE << 61)
#define NARROW_BOUND	((ONE << 31) - 1)	/* both ways: two such sums share 64 bits */

/* Arithmetic. */

wide_t judge_rshift(wide_t v, unsigned int s)
{
	wide_t d = ONE << s, q;

	/* floor(v / 2^s + 1 / 2), by division */
	v += d / 2;
	q = v / d;
	return q * d > v ? q - 1 : q;
}

static wide_t least(wide_t a, wide_t b)
{
	return a < b ? a : b;
}

static wide_t most(wide_t a, wide_t b)
{
	return a > b ? a : b;
}

static wide_t within(wide_t v, wide_t lo, wide_t hi)
{
	return most(lo, least(v, hi));
}

/* tanh(n / 64) with 15 bits after the point, at most 32767 */
static int point(unsigned int n)
{
	static int table[513];

	if (!table[512])
		for (int i = 0; i <= 512; i++)
			table[i] = fmin(round(tanh(i / 64.) * 32768), 32767);
	return table[n];
}

/* @t has 14 bits after the point: 256 steps from one point to the next. */
int judge_curve(wide_t t)
{
	wide_t size = least(t < 0 ? -t : t, 8 * 16384 - 1);
	int n = size / 256, part = size % 256;
	int y = point(n) + ((point(n + 1) - point(n)) * part + 128) / 256;

	return t < 0 ? -y : y;
}

static wide_t activation(const struct j_layer *l, bool last, wide_t a)
{
	switch (l->act) {
	case J_TANH:
		return judge_curve(judge_rshift(a, l->shift));
	case J_SIGMOID:
		return (32768 + judge_curve(judge_rshift(a, l->shift))) / 2;
	case J_RELU:
		a = most(a, 0);
	}
	return last ? a : within(judge_rshift(a, l->shift), -32768, 32767);
}

struct j_range judge_input(const struct j_scale *s)
{
	return (struct j_range) {
		judge_rshift(((wide_t)s->lo - s->offset) * s->mult, s->shift),
		judge_rshift(((wide_t)s->hi - s->offset) * s->mult, s->shift),
	};
}

struct j_range judge_row(const struct j_layer *l, unsigned int row, int64_t bias,
			 const struct j_range *x)
{
	struct j_range r = { least(bias, 0), most(bias, 0) };

	for (unsigned int i = 0; i < l->n_in; i++) {
		wide_t w = j_weight(l, row, i), a = w * x[i].lo, b = w * x[i].hi;

		r.lo += least(least(a, b), 0);
		r.hi += most(most(a, b), 0);
	}
	return r;
}

struct j_range judge_act(const struct j_layer *l, bool last, struct j_range sums)
{
	return (struct j_range) { activation(l, last, sums.lo), activation(l, last, sums.hi) };
}

/* Texts. */

static bool zero(const uint8_t *p, size_t len)
{
	while (len--)
		if (*p++)
			return false;
	return true;
}

static bool name_ok(const uint8_t *p, bool may_be_empty)
{
	size_t n = 0;

	while (n < 32 && p[n])
		if (p[n] < 0x20 || p[n++] > 0x7e)
			return false;
	return n < 32 && (n || may_be_empty) && zero(p + n, 32 - n);
}

/* Table 3-7 of the Unicode standard: first bytes, and what the second may be. */
static size_t utf8_len(const uint8_t *p, size_t room)
{
	static const struct {
		uint8_t from, to, second_from, second_to, len;
	} forms[] = {
		{ 0x0a, 0x0a, 0, 0, 1 }, { 0x20, 0x7e, 0, 0, 1 }, { 0xc2, 0xc2, 0xa0, 0xbf, 2 },
		{ 0xc3, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (*p < forms[i].from || *p > forms[i].to)
			continue;
		if (forms[i].len > room)
			return 0;
		if (forms[i].len > 1 && (p[1] < forms[i].second_from || p[1] > forms[i].second_to))
			return 0;
		for (size_t k = 2; k < forms[i].len; k++)
			if (p[k] < 0x80 || p[k] > 0xbf)
				return 0;
		return forms[i].len;
	}
	return 0;
}

static bool text_ok(const uint8_t *p, size_t len)
{
	size_t n;

	for (; len; p += n, len -= n) {
		n = utf8_len(p, len);
		if (!n)
			return false;
	}
	return true;
}

uint32_t judge_crc(const uint8_t *blob, size_t len)
{
	static const uint8_t zero[4];
	uint32_t crc = crc32_le(~0u, blob, 12);

	crc = crc32_le(crc, zero, sizeof(zero));
	return ~crc32_le(crc, blob + 16, len - 16);
}

/* The blob. */

static void read_scale(const uint8_t *at, struct j_scale *s)
{
	s->lo = j_get32(at + 32);
	s->hi = j_get32(at + 36);
	s->offset = j_get32(at + 40);
	s->mult = j_get32(at + 44);
	s->shift = at[48];
}

static const char *read_scales(const uint8_t *first, unsigned int n, struct j_scale *s)
{
	for (unsigned int i = 0; i < n; i++, s++) {
		const uint8_t *at = first + i * J_SCALE;

		read_scale(at, s);
		if (!name_ok(at, false))
			return "name of an input or output";
		for (unsigned int k = 0; k < i; k++)
			if (!memcmp(first + k * J_SCALE, at, 32))
				return "name twice";
		if (s->lo > s->hi || s->mult < 0 || s->shift > J_SHIFT || !zero(at + 49, 3))
			return "scale";
	}
	return NULL;
}

static const char *read_header(struct judge *j, const uint8_t *b, size_t len)
{
	if (len < J_HEADER || len > J_BLOB || j_get(b + 8, 4) != len)
		return "length";
	if (memcmp(b, "LFNN", 4) || j_get(b + 4, 2) != 1 || j_get(b + 6, 2) != J_HEADER)
		return "magic or version";
	if (j_get(b + 12, 4) != judge_crc(b, len))
		return "checksum";
	if (j_get(b + 28, 4))
		return "reserved field";
	if (!name_ok(b + 32, false) || !name_ok(b + 64, true))
		return "name or units";
	j->n_in = j_get(b + 16, 2);
	j->n_out = j_get(b + 18, 2);
	j->n_layers = j_get(b + 20, 2);
	if (!j->n_in || j->n_in > J_WIDTH || !j->n_out || j->n_out > J_WIDTH || !j->n_layers ||
	    j->n_layers > J_LAYERS || j_get(b + 24, 4) > J_TEXT)
		return "count";
	return NULL;
}

static const char *read_layer(struct judge *j, unsigned int nth, unsigned int n_in,
			      const uint8_t *b)
{
	struct j_layer *l = &j->layers[nth];
	bool last = nth + 1 == j->n_layers;

	l->type = b[0];
	l->act = b[1];
	l->shift = b[2];
	l->n_in = j_get(b + 4, 2);
	l->n_out = j_get(b + 6, 2);
	if (b[0] < J_DENSE || b[0] > J_LSTM || l->act >= J_ACTS || l->shift > J_SHIFT || b[3])
		return "layer";
	if (l->type != J_DENSE && last)
		return "last layer";
	if (l->act == J_ARGMAX && !last)
		return "hidden argmax";
	if (last && l->shift && l->act != J_TANH && l->act != J_SIGMOID)
		return "shift of the last layer";
	if (l->n_in != n_in || !l->n_out || l->n_out > J_WIDTH)
		return "shape";
	return NULL;
}

static const char *read_layers(struct judge *j, const uint8_t *shape, const uint8_t *end,
			       size_t text, unsigned int state_len)
{
	const uint8_t *at = shape + j->n_layers * J_SHAPE;
	unsigned int n = j->n_in;
	const char *bad;
	size_t used;

	j->width = n;
	j->macs = 0;
	j->n_cells = 0;
	j->state_len = 0;
	for (unsigned int k = 0; k < j->n_layers; k++, shape += J_SHAPE) {
		struct j_layer *l = &j->layers[k];

		bad = read_layer(j, k, n, shape);
		if (bad)
			return bad;
		n = l->n_out;
		if (n > j->width)
			j->width = n;
		used = 8 * (size_t)n + 2 * (size_t)l->n_in * n;
		if (l->type != J_DENSE)
			used = judge_cell_len(l);
		if ((used + 7) / 8 * 8 > (size_t)(end - at))
			return "parameters are cut";
		if (!zero(at + used, (used + 7) / 8 * 8 - used))
			return "padding";
		if (l->type == J_DENSE) {
			j->macs += l->n_in * n;
			l->bias = at;
			l->weights = at + 8 * (size_t)n;
		} else {
			bad = judge_cell_read(j, k, at);
			if (bad)
				return bad;
		}
		at += (used + 7) / 8 * 8;
	}
	if (j->state_len != state_len)
		return "length of the state";
	if (j->n_out != (j->layers[j->n_layers - 1].act == J_ARGMAX ? 1 : n))
		return "number of outputs";
	if ((size_t)(end - at) != (text + 7) / 8 * 8 || !zero(at + text, end - at - text))
		return "length of the provenance";
	return text_ok(at, text) ? NULL : "provenance";
}

static bool output_fits(const struct j_scale *s, struct j_range v)
{
	return most(most(v.lo, -v.lo), most(v.hi, -v.hi)) * s->mult <= BOUND;
}

/* What the model's inputs may need. */
static wide_t most_input(const struct judge *j)
{
	return j->n_cells && j->layers[0].state_bits == 32 ? INT32_MAX : 32767;
}

/* Pairs of rows are made for values of 16 bits. */
static bool behind_long(const struct judge *j, unsigned int k)
{
	return k && k == j->n_cells && j->layers[k - 1].state_bits == 32;
}

/* Intervals through all layers. */
static const char *prove(struct judge *j)
{
	static struct j_range x[J_WIDTH], y[J_WIDTH];
	wide_t end = most_input(j);

	for (unsigned int i = 0; i < j->n_in; i++) {
		const struct j_scale *s = &j->in[i];

		if (((wide_t)s->lo - s->offset) * s->mult < -BOUND ||
		    ((wide_t)s->hi - s->offset) * s->mult > BOUND)
			return "input beyond 2^62";
		x[i] = judge_input(s);
		if (x[i].lo < -end - 1 || x[i].hi > end)
			return "input beyond its bits";
	}
	for (unsigned int k = 0; k < j->n_cells; k++) {
		const char *bad = judge_cell_prove(j, k, x);

		if (bad)
			return bad;
	}
	for (unsigned int k = j->n_cells; k < j->n_layers; k++) {
		const struct j_layer *l = &j->layers[k];
		bool last = k + 1 == j->n_layers;

		j->narrow[k] = !behind_long(j, k);
		for (unsigned int row = 0; row < l->n_out; row++) {
			int64_t bias = j_bias(l, row);
			struct j_range r;

			if (bias > BIAS_BOUND || bias < -BIAS_BOUND)
				return "bias";
			r = judge_row(l, row, bias, x);
			if (r.lo < -NARROW_BOUND || r.hi > NARROW_BOUND)
				j->narrow[k] = false;
			y[row] = judge_act(l, last, r);
			if (last && l->act != J_ARGMAX && !output_fits(&j->out[row], y[row]))
				return "output beyond 2^62";
		}
		if (l->act == J_ARGMAX &&
		    !output_fits(&j->out[0], (struct j_range) { 0, l->n_out - 1 }))
			return "output beyond 2^62";
		memcpy(x, y, l->n_out * sizeof(*x));
	}
	return NULL;
}

const char *judge_read(struct judge *j, const uint8_t *blob, size_t len)
{
	const uint8_t *at = blob + J_HEADER;
	const char *bad = read_header(j, blob, len);

	if (bad)
		return bad;
	if ((j->n_in + j->n_out) * J_SCALE + j->n_layers * J_SHAPE > len - J_HEADER)
		return "cut";
	bad = read_layers(j, at + (j->n_in + j->n_out) * J_SCALE, blob + len, j_get(blob + 24, 4),
			  j_get(blob + 22, 2));
	if (!bad)
		bad = read_scales(at, j->n_in, j->in);
	if (!bad)
		bad = read_scales(at + j->n_in * J_SCALE, j->n_out, j->out);
	return bad ? bad : prove(j);
}

const char *judge_run(const struct judge *j, const bool *narrow, int32_t *state,
		      const int32_t *in, int32_t *out)
{
	static wide_t x[J_WIDTH], y[J_WIDTH];
	wide_t end = most_input(j);

	for (unsigned int i = 0; i < j->n_in; i++) {
		const struct j_scale *s = &j->in[i];
		wide_t v = (within(in[i], s->lo, s->hi) - s->offset) * s->mult;

		if (v < -BOUND || v > BOUND)
			return "an input times its factor is beyond 2^62";
		x[i] = judge_rshift(v, s->shift);
		if (x[i] < -end - 1 || x[i] > end)
			return "an input is beyond its bits";
	}
	for (unsigned int k = 0; k < j->n_cells; k++) {
		const char *bad = judge_cell_run(&j->layers[k], narrow[k], x, state);

		if (bad)
			return bad;
		state += judge_values(&j->layers[k]);
	}
	for (unsigned int k = j->n_cells; k < j->n_layers; k++) {
		const struct j_layer *l = &j->layers[k];
		wide_t bound = narrow[k] ? NARROW_BOUND : BOUND, top = 0;
		unsigned int largest = 0;

		for (unsigned int row = 0; row < l->n_out; row++) {
			wide_t a = j_bias(l, row);

			for (unsigned int i = 0; i < l->n_in; i++) {
				a += j_weight(l, row, i) * x[i];
				if (a < -bound || a > bound)
					return "a sum left its accumulator";
			}
			if (!row || a > top) {
				top = a;
				largest = row;
			}
			y[row] = activation(l, k + 1 == j->n_layers, a);
		}
		if (l->act == J_ARGMAX)
			y[0] = largest;
		memcpy(x, y, l->n_out * sizeof(*x));
	}
	for (unsigned int i = 0; i < j->n_out; i++) {
		const struct j_scale *s = &j->out[i];
		wide_t v = x[i] * s->mult;

		if (v < -BOUND || v > BOUND)
			return "an output times its factor is beyond 2^62";
		out[i] = within(judge_rshift(v, s->shift) + s->offset, s->lo, s->hi);
	}
	return NULL;
}
