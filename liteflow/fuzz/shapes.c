// SPDX-License-Identifier: GPL-2.0
/*
 * Models of any shape for lf_model_parse(): up to 1,024 wide, 16 layers and 1 MiB,
 * with weights, biases, scales and shifts at their limits.
 *
 * A case is a sound model, or the same one step beyond one bound, which must be
 * refused for that bound, or the same with fields changed at random, where the
 * judge decides. See check.c for what is asked of each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "check.h"
#include "judge.h"

#define ROOM		(8 << 20)
#define MAX_LAYERS	(J_LAYERS + 1)
#define MAX_OUT		32	/* unless it is about outputs */

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

static bool one_in(uint32_t n)
{
	return !below(n);
}

/* From lo to hi, both included. */
static int64_t between(int64_t lo, int64_t hi)
{
	return lo + (int64_t)(rnd() % ((uint64_t)hi - lo + 1));
}

/* What a model is before it is bytes. */
struct shape {
	unsigned int n_layers;
	unsigned int n[MAX_LAYERS + 1];	/* inputs, and rows of each layer */
	unsigned int act[MAX_LAYERS];
	unsigned int n_out;
	unsigned int text;
};

static size_t up(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

static size_t layer_len(const struct shape *s, unsigned int k)
{
	return up(8 * (size_t)s->n[k + 1] + 2 * (size_t)s->n[k] * s->n[k + 1]);
}

static size_t blob_len(const struct shape *s)
{
	size_t len = J_HEADER + (s->n[0] + s->n_out) * J_SCALE + s->n_layers * J_SHAPE;

	for (unsigned int k = 0; k < s->n_layers; k++)
		len += layer_len(s, k);
	return len + up(s->text);
}

/* Most are narrow, for speed; what is odd about widths happens at 1, 2, 8 and 64. */
static unsigned int width(bool large)
{
	static const uint16_t odd[] = { 1, 1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65 };
	static const uint16_t wide[] = { 127, 255, 256, 257, 511, 1000, 1023, 1024, 1024 };

	if (large)
		return one_in(2) ? wide[below(ARRAY_SIZE(wide))] : 1 + below(J_WIDTH);
	return one_in(3) ? odd[below(ARRAY_SIZE(odd) - 3)] : 1 + below(12);
}

static void draw_shape(struct shape *s)
{
	bool large = one_in(64), medium = one_in(8);
	unsigned int last;

	do {
		s->n_layers = one_in(8) ? J_LAYERS : 1 + below(one_in(4) ? J_LAYERS : 4);
		s->n[0] = width(large && one_in(2));
		for (unsigned int k = 0; k < s->n_layers; k++) {
			s->n[k + 1] = medium ? 1 + below(70) : width(large && one_in(2));
			s->act[k] = below(J_ARGMAX);
		}
		last = s->n_layers - 1;
		s->act[last] = below(J_ACTS);
		if (s->act[last] != J_ARGMAX && s->n[last + 1] > MAX_OUT && !one_in(4))
			s->n[last + 1] = 1 + below(MAX_OUT);
		s->n_out = s->act[last] == J_ARGMAX ? 1 : s->n[last + 1];
		s->text = one_in(2) ? below(one_in(4) ? J_TEXT + 1 : 40) : 0;
	} while (blob_len(s) > J_BLOB);
}

/* As large as a blob may be: as many rows as fit, then text. */
static void draw_full(struct shape *s)
{
	s->n_layers = 2;
	s->n[0] = 901 + 2 * below(62);
	s->n[1] = 1;
	s->n[2] = 1;
	s->n_out = 1;
	s->act[0] = below(J_ARGMAX);
	s->act[1] = below(J_ACTS);
	s->text = 0;
	/* a row takes 2 bytes per input and 8 for its bias, and 2 in the next layer */
	s->n[1] += (J_BLOB - blob_len(s)) / (2 * s->n[0] + 10) - 1;
	s->text = J_BLOB - blob_len(s);
}

/* Where the parts of a blob are. */
struct places {
	uint8_t *in, *out, *shape, *params, *text;
};

static struct places places_of(const struct shape *s, uint8_t *blob)
{
	struct places p;

	p.in = blob + J_HEADER;
	p.out = p.in + s->n[0] * J_SCALE;
	p.shape = p.out + s->n_out * J_SCALE;
	p.params = p.shape + s->n_layers * J_SHAPE;
	p.text = blob + blob_len(s) - up(s->text);
	return p;
}

static void seal(uint8_t *blob, size_t len)
{
	put(blob + 8, 4, len);
	put(blob + 12, 4, judge_crc(blob, len));
}

static void put_scale(uint8_t *at, const struct j_scale *s)
{
	put(at + 32, 4, (uint32_t)s->lo);
	put(at + 36, 4, (uint32_t)s->hi);
	put(at + 40, 4, (uint32_t)s->offset);
	put(at + 44, 4, (uint32_t)s->mult);
	at[48] = s->shift;
}

static struct j_scale get_scale(const uint8_t *at)
{
	return (struct j_scale) {
		j_get32(at + 32), j_get32(at + 36), j_get32(at + 40), j_get32(at + 44), at[48],
	};
}

static bool input_fits(const struct j_scale *s)
{
	wide_t lo = ((wide_t)s->lo - s->offset) * s->mult;
	wide_t hi = ((wide_t)s->hi - s->offset) * s->mult;
	struct j_range r = judge_input(s);

	return lo >= -((wide_t)1 << 62) && hi <= (wide_t)1 << 62 && r.lo >= -32768 &&
	       r.hi <= 32767;
}

static int32_t any32(void)
{
	static const int32_t ends[] = { INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX };

	if (one_in(3))
		return ends[below(ARRAY_SIZE(ends))];
	return (int32_t)rnd() >> below(32);
}

/* An input whose ends use all of 16 bits, of all 32, or anything that fits. */
static struct j_scale draw_input(void)
{
	struct j_scale s = { -32768, 32767, 0, 1, 0 };
	int64_t a, b;

	switch (below(5)) {
	case 0:
		break;
	case 1:
		/* all of 32 bits, the product just below 2^62 */
		s = (struct j_scale) { INT32_MIN, INT32_MAX, 0, INT32_MAX, 48 - below(2) };
		break;
	case 2:
		/* the greatest shift: what is left is -1, 0 or 1 */
		s = (struct j_scale) { any32(), 0, 0, any32() & INT32_MAX, 62 };
		s.hi = between(s.lo, INT32_MAX);
		break;
	case 3:
		s.lo = s.hi = s.offset = any32();
		s.mult = INT32_MAX;
		s.shift = below(63);
		break;
	default:
		a = any32();
		b = any32();
		s.lo = a < b ? a : b;
		s.hi = a < b ? b : a;
		s.offset = one_in(2) ? 0 : any32();
		s.mult = any32() & INT32_MAX;
		s.shift = below(63);
		while (!input_fits(&s) && s.shift < 62)
			s.shift++;
	}
	while (!input_fits(&s) && s.mult)
		s.mult >>= 1;
	return s;
}

static void put_weights(uint8_t *at, size_t n)
{
	int kind = below(8), bits = 1 + below(15);
	int16_t same = one_in(2) ? 32767 : -32768;

	for (size_t i = 0; i < n; i++, at += 2) {
		uint32_t r = rnd() >> 32;

		switch (kind) {
		case 0:		/* sums at their greatest */
			put(at, 2, same);
			break;
		case 1:
			put(at, 2, r & 1 ? 32767 : -32768);
			break;
		case 2:
			put(at, 2, r & 15 ? 0 : r >> 16);
			break;
		case 3:		/* 8 bits */
			put(at, 2, (int8_t)(r >> 24));
			break;
		case 4:		/* equal rows: argmax has to take the first */
			put(at, 2, 0);
			break;
		default:
			put(at, 2, (int16_t)(r >> 16) >> (15 - bits));
		}
	}
}

/*
 * Biases: small, at 2^61, or such that the row's partial sums end exactly where
 * 32 bits do, or one beyond.
 */
static int64_t draw_bias(const struct j_layer *l, unsigned int row, const struct j_range *x,
			 int kind)
{
	struct j_range r = judge_row(l, row, 0, x);
	int64_t edge = INT32_MAX;

	switch (kind) {
	case 0:
		return 0;
	case 1:
		return one_in(2) ? 1LL << 61 : -(1LL << 61);
	case 2:
		return one_in(2) ? edge - (int64_t)r.hi : -edge - (int64_t)r.lo;
	case 3:
		return one_in(2) ? edge + 1 - (int64_t)r.hi : -edge - 1 - (int64_t)r.lo;
	case 4:
		return (int64_t)rnd() >> (3 + below(60));
	}
	return (int32_t)rnd() >> below(32);
}

/* Of the model just built: what its last layer reads, and what its outputs are made of. */
static struct j_range last_in[J_WIDTH + 1], out_range[J_WIDTH + 1];

static int64_t greatest_factor(struct j_range v)
{
	wide_t lo = v.lo < 0 ? -v.lo : v.lo, hi = v.hi < 0 ? -v.hi : v.hi;
	wide_t m = hi > lo ? hi : lo, most = m ? ((wide_t)1 << 62) / m : INT32_MAX;

	return most < INT32_MAX ? most : INT32_MAX;
}

static struct j_scale draw_output(struct j_range v)
{
	int32_t a = any32(), b = any32(), most = greatest_factor(v);
	struct j_scale s = { a < b ? a : b, a < b ? b : a, any32(), 0, below(63) };

	if (one_in(2)) {
		s.lo = INT32_MIN;
		s.hi = INT32_MAX;
	}
	s.mult = one_in(2) ? most : most >> below(31);
	if (one_in(3))
		s.shift = J_SHIFT;
	else if (one_in(3))
		s.shift = 0;
	return s;
}

static void put_names(uint8_t *at, unsigned int n, char first)
{
	char name[32];

	for (unsigned int i = 0; i < n; i++, at += J_SCALE) {
		memset(name, 0, sizeof(name));
		snprintf(name, sizeof(name), one_in(8) ? "%c%030u" : "%c%u", first, i);
		memcpy(at, name, sizeof(name));
	}
}

/* Shifts of 62 leave nothing, most should leave much. */
static unsigned int draw_shift(unsigned int act, bool last)
{
	if (last && act != J_TANH && act != J_SIGMOID)
		return 0;
	return one_in(8) ? J_SHIFT : one_in(8) ? below(J_SHIFT + 1) : below(24);
}

static void put_layers(const struct shape *s, const struct places *p)
{
	static struct j_range y[J_WIDTH + 1];
	struct j_range *x = last_in;
	uint8_t *at = p->params;

	for (unsigned int i = 0; i < s->n[0]; i++) {
		struct j_scale scale = draw_input();

		put_scale(p->in + i * J_SCALE, &scale);
		x[i] = judge_input(&scale);
	}
	for (unsigned int k = 0; k < s->n_layers; k++) {
		bool last = k + 1 == s->n_layers, any = one_in(4);
		int kind = below(6);
		struct j_layer l = {
			.type = J_DENSE, .act = s->act[k], .shift = draw_shift(s->act[k], last),
			.n_in = s->n[k], .n_out = s->n[k + 1], .bias = at,
			.weights = at + 8 * (size_t)s->n[k + 1],
		};
		uint8_t *shape = p->shape + k * J_SHAPE;

		put(shape, 4, 1 | l.act << 8 | l.shift << 16);
		put(shape + 4, 2, l.n_in);
		put(shape + 6, 2, l.n_out);
		put_weights(at + 8 * (size_t)l.n_out, (size_t)l.n_in * l.n_out);
		for (unsigned int row = 0; row < l.n_out; row++) {
			int64_t bias = draw_bias(&l, row, x, any ? below(6) : kind);
			struct j_scale out;

			put(at + 8 * (size_t)row, 8, bias);
			y[row] = judge_act(&l, last, judge_row(&l, row, bias, x));
			if (!last || l.act == J_ARGMAX)
				continue;
			out_range[row] = y[row];
			out = draw_output(y[row]);
			put_scale(p->out + row * J_SCALE, &out);
		}
		if (l.act == J_ARGMAX) {
			struct j_scale out;

			out_range[0] = (struct j_range) { 0, l.n_out - 1 };
			out = draw_output(out_range[0]);
			put_scale(p->out, &out);
		}
		if (!last)
			memcpy(x, y, l.n_out * sizeof(*x));
		at += layer_len(s, k);
	}
}

static void put_text(uint8_t *at, size_t len)
{
	static const char *const words[] = { "a", " ", "\n", "\u00e4", "\u20ac", "\U0001f600" };
	size_t n;

	while (len) {
		const char *w = words[below(ARRAY_SIZE(words))];

		n = strlen(w);
		if (n > len)
			continue;
		memcpy(at, w, n);
		at += n;
		len -= n;
	}
}

/* Returns the length; the blob is sound if the shape is. */
static size_t build(const struct shape *s, uint8_t *blob)
{
	struct places p = places_of(s, blob);
	size_t len = blob_len(s);

	memset(blob, 0, len);
	memcpy(blob, "LFNN", 4);
	put(blob + 4, 2, 1);
	put(blob + 6, 2, J_HEADER);
	put(blob + 16, 2, s->n[0]);
	put(blob + 18, 2, s->n_out);
	put(blob + 20, 2, s->n_layers);
	put(blob + 24, 4, s->text);
	strcpy((char *)blob + 32, "shape");
	put_names(p.in, s->n[0], 'x');
	put_names(p.out, s->n_out, 'y');
	put_layers(s, &p);
	put_text(p.text, s->text);
	seal(blob, len);
	return len;
}

/* One step beyond a bound. */

/* Shapes: the blob is whole, but one number of it is one too large. */
static const char *beyond_shape(struct shape *s)
{
	static char reason[80];
	unsigned int k = s->n_layers - 1;

	switch (below(6)) {
	case 0:
		s->n[0] = J_WIDTH + 1;
		return "1025 inputs, 1 to 1024";
	case 1:
		s->act[k] = J_NONE;
		s->n_out = s->n[k + 1] = J_WIDTH + 1;
		return "1025 outputs, 1 to 1024";
	case 2:
		k = below(s->n_layers);
		if (k + 1 == s->n_layers) {
			s->act[k] = J_ARGMAX;
			s->n_out = 1;
		}
		s->n[k + 1] = J_WIDTH + 1;
		snprintf(reason, sizeof(reason), "layer %u: 1025 outputs, 1 to 1024", k);
		return reason;
	case 3:
		for (k = 0; k < J_LAYERS; k++) {
			s->n[k + 1] = 1 + below(5);
			s->act[k] = J_TANH;
		}
		s->n_layers = J_LAYERS + 1;
		s->n[k + 1] = s->n_out;
		s->act[k] = J_NONE;
		return "17 layers, 1 to 16";
	case 4:
		s->text = J_TEXT + 1;
		return "provenance_len is 4097, at most 4096";
	default:
		draw_full(s);
		s->text += 8;
		return "at most 1048576 are possible";
	}
}

/* Too long forms, surrogates, beyond Unicode, cut, control characters. */
static const char no_text[][5] = {
	"\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
	"\xf4\x90\x80\x80", "\x80", "\xe2\x82", "\x7f", "\xc2\x80", "\xc2\x9f", "\t", "\x1f",
};

/*
 * An output's value becomes (2^62 / factor) + 1, rounded down: with this factor one
 * too much, by the bias of its row. That is far above 2^40, which the weights can
 * make.
 */
static int64_t bias_beyond(const struct j_layer *l, unsigned int row, int64_t factor)
{
	struct j_range r = judge_row(l, row, 0, last_in);
	int64_t value = (1LL << 62) / factor + 1;

	return l->act == J_NONE && one_in(2) ? -value - r.lo : value - r.hi;
}

/* Fields; NULL if this model has no room for it. */
static const char *beyond_field(const struct shape *s, uint8_t *blob, size_t len)
{
	struct places p = places_of(s, blob);
	unsigned int i = below(s->n[0]), o = below(s->n_out), k = below(s->n_layers), row;
	unsigned int last = s->n_layers - 1;
	int64_t most;
	uint8_t *in = p.in + i * J_SCALE, *out = p.out + o * J_SCALE, *shape, *at = p.params;
	struct j_layer layer;
	struct j_scale scale;

	shape = p.shape + k * J_SHAPE;
	switch (below(24)) {
	case 0:
		in[48] = J_SHIFT + 1;
		return "shift is 63, not up to 62";
	case 1:
		out[48] = J_SHIFT + 1;
		return "shift is 63, not up to 62";
	case 2:
		shape[2] = J_SHIFT + 1;
		return "shift is 63, at most 62";
	case 3:
		if (shape[1] == J_TANH || shape[1] == J_SIGMOID || k != last)
			return NULL;
		shape[2] = 1;
		return "shift is 1, must be 0";
	case 4:
		shape[1] = J_ACTS;
		return "activation 5 is unknown";
	case 5:
		if (k == last)
			return NULL;
		shape[1] = J_ARGMAX;
		return "argmax is only possible in the last layer";
	case 6:
		scale = (struct j_scale) { -32769, 0, 0, 1, 0 };
		put_scale(in, &scale);
		return "lo is beyond 16 bits";
	case 7:
		scale = (struct j_scale) { 0, 32768, 0, 1, 0 };
		put_scale(in, &scale);
		return "hi is beyond 16 bits";
	case 8:
		/* rounds up to 32768 */
		scale = (struct j_scale) { 0, 65535, 0, 1, 1 };
		put_scale(in, &scale);
		return "hi is beyond 16 bits";
	case 9:
		/* 2^31 * 2^31 is the bound itself; with one more */
		scale = (struct j_scale) { 0, INT32_MAX, -3, INT32_MAX, 62 };
		put_scale(in, &scale);
		return "range times mult is beyond 2^62";
	case 10:
		scale = (struct j_scale) { INT32_MIN, 0, 2, INT32_MAX, 62 };
		put_scale(in, &scale);
		return "range times mult is beyond 2^62";
	case 11:
		scale = get_scale(out);
		if (scale.lo == INT32_MIN)
			return NULL;
		scale.hi = scale.lo - 1;
		put_scale(out, &scale);
		return "is above hi";
	case 12:
		put(one_in(2) ? in + 44 : out + 44, 4, (uint32_t)-1);
		return "mult -1 is negative";
	case 13:
	case 14:
		for (unsigned int n = 0; n < k; n++)
			at += layer_len(s, n);
		row = below(s->n[k + 1]);
		put(at + 8 * (size_t)row, 8, one_in(2) ? (1LL << 61) + 1 : -(1LL << 61) - 1);
		return "is beyond 2^61";
	case 15:
	case 18:
	case 19:
		row = below(ARRAY_SIZE(no_text));
		if (s->text < sizeof(no_text[0]))
			return NULL;
		memset(p.text, 'a', s->text);
		memcpy(p.text + below(s->text - 4), no_text[row], strlen(no_text[row]));
		return "provenance is no UTF-8";
	case 16:
		if (len + 8 > J_BLOB)
			return NULL;
		memset(blob + len, 0, 8);
		seal(blob, len + 8);
		return "bytes are left for provenance";
	case 17:
	case 20:
		most = greatest_factor(out_range[o]);
		if (most >= INT32_MAX)
			return NULL;
		put(out + 44, 4, most + 1);
		return "its value times mult may pass 2^62";
	default:
		if (s->act[last] != J_NONE && s->act[last] != J_RELU)
			return NULL;
		for (unsigned int n = 0; n < last; n++)
			at += layer_len(s, n);
		layer = (struct j_layer) {
			.type = J_DENSE, .act = s->act[last], .n_in = s->n[last],
			.n_out = s->n[last + 1], .bias = at,
			.weights = at + 8 * (size_t)s->n[last + 1],
		};
		most = between(3, 1 << 20) >> below(18);
		if (most < 3)
			return NULL;
		put(at + 8 * (size_t)o, 8, bias_beyond(&layer, o, most));
		put(out + 44, 4, most);
		return "its value times mult may pass 2^62";
	}
}

/* Anything, anywhere; most land where the checksum is right. */
static size_t damage(const struct shape *s, uint8_t *blob, size_t len)
{
	struct places p = places_of(s, blob);
	int n = 1 + below(3);

	for (; n; n--) {
		uint8_t *at;
		int size = 1 << below(4);
		uint64_t v = one_in(2) ? 1ULL << below(64) : rnd() >> below(64);

		switch (below(6)) {
		case 0:
			at = blob + below(J_HEADER);
			size = 1;
			break;
		case 1:
			at = p.in + below(s->n[0] + s->n_out) * J_SCALE + 32 + below(20);
			break;
		case 2:
			at = p.shape + below(s->n_layers) * J_SHAPE + below(J_SHAPE);
			size = 1;
			break;
		case 3:
			at = blob + below(len - 8);
			break;
		default:
			at = p.params + below(len - (p.params - blob));
			if (at + size > blob + len)
				size = 1;
		}
		put(at, size, one_in(2) ? v : -v);
	}
	if (one_in(16))
		len = below(len);
	if (len >= J_HEADER && !one_in(16))
		seal(blob, len);
	return len;
}

static struct {
	unsigned long sound, beyond, damaged, accepted, wide, layers, full;
} count;

static void one_case(uint8_t *blob)
{
	const char *reason = NULL;
	struct shape s;
	bool accepted;
	int kind = below(4);
	uint8_t *exact;
	size_t len;

	if (one_in(2048))
		draw_full(&s);
	else
		draw_shape(&s);
	if (kind == 1 && one_in(3)) {
		reason = beyond_shape(&s);
		if (blob_len(&s) > J_BLOB)
			reason = "at most 1048576 are possible";
	}
	len = build(&s, blob);
	if (kind == 1 && !reason && len <= J_BLOB) {
		reason = beyond_field(&s, blob, len);
		if (reason && strstr(reason, "left for provenance"))
			len += 8;
		else
			seal(blob, len);
	} else if (kind == 3) {
		len = damage(&s, blob, len);
	}
	/* not one byte more than that, so a read behind it is seen */
	exact = malloc(len ? len : 1);
	memcpy(exact, blob, len);
	accepted = check(exact, len, reason);
	free(exact);
	if (kind != 3 && !reason && !accepted && len <= J_BLOB)
		fail("a sound model was refused", NULL);
	count.sound += kind != 3 && !reason;
	count.beyond += !!reason;
	count.damaged += kind == 3;
	count.accepted += accepted;
	count.layers += accepted && s.n_layers == J_LAYERS;
	count.full += accepted && len > J_BLOB - 8;
	for (unsigned int k = 0; k <= s.n_layers; k++) {
		if (s.n[k] == J_WIDTH && accepted) {
			count.wide++;
			break;
		}
	}
}

int main(int argc, char **argv)
{
	struct cases cases = { .n = 20000, .seed = 1 };
	uint8_t *blob;

	if (!cases_parse(&cases, argc, argv, "shapes"))
		return 2;
	blob = malloc(ROOM);
	for (unsigned long i = cases.from; i < cases.from + cases.n; i++) {
		cases_begin(&cases, i);
		one_case(blob);
	}
	free(blob);
	printf("%lu cases: %lu sound, %lu one step beyond, %lu damaged; %lu accepted: %lu of width "
	       "%d, %lu of %d layers, %lu of 1 MiB\n", cases.n, count.sound, count.beyond,
	       count.damaged, count.accepted, count.wide, J_WIDTH, count.layers, J_LAYERS,
	       count.full);
	if (cases.n >= 15000 && !(count.sound && count.beyond && count.damaged && count.wide &&
				  count.layers && count.full)) {
		fprintf(stderr, "a kind of case never came\n");
		return 1;
	}
	return 0;
}
