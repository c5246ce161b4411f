// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a blob to a model that cannot go wrong.
 *
 * The blob may come from anyone: nothing in it is believed, and it need not be
 * aligned. It is read twice. The first pass finds out whether it is sound and
 * how much memory it takes; the second one fills that memory.
 *
 * The proof that no sum can overflow is interval arithmetic. Of each input the
 * quantised ends of its range are known, and between them it cannot fall while
 * the raw input rises. So a row's partial sums, in whatever order, lie between
 * the sum of its most negative and that of its most positive terms. Activations
 * never fall when sums rise, which gives the intervals of the next layer.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/types.h>
#include <linux/unaligned.h>

#include "engine.h"
#include "parse.h"

/* Text up to a zero byte, and zero bytes up to LITEFLOW_NAME_LEN. */
static bool lf_name_ok(const char *name)
{
	size_t len = strnlen(name, LITEFLOW_NAME_LEN);

	return lf_printable(name) && lf_zero((const u8 *)name + len, LITEFLOW_NAME_LEN - len);
}

/* Well-formed UTF-8 without control characters, save newline. */
static bool lf_text_ok(const u8 *s, size_t len)
{
	static const u32 least[] = { 0, 0x80, 0x800, 0x10000 };
	unsigned int more, i;
	u32 c;

	while (len) {
		c = *s++;
		len--;
		if (c < 0x80)
			more = 0;
		else if (c >= 0xc0 && c < 0xf8)
			more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		else
			return false;
		if (more > len)
			return false;
		if (more)
			c &= 0x3f >> more;
		for (i = 0; i < more; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return false;
			c = c << 6 | (s[i] & 0x3f);
		}
		if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			return false;
		if ((c < ' ' && c != '\n') || (c >= 0x7f && c < 0xa0))
			return false;
		s += more;
		len -= more;
	}
	return true;
}

static u32 lf_blob_crc(const u8 *blob, size_t len)
{
	const size_t at = offsetof(struct liteflow_blob_header, crc);
	const size_t behind = at + sizeof_field(struct liteflow_blob_header, crc);
	static const u8 zero[sizeof_field(struct liteflow_blob_header, crc)];
	u32 crc = ~0;

	crc = crc32_le(crc, blob, at);
	crc = crc32_le(crc, zero, sizeof(zero));
	crc = crc32_le(crc, blob + behind, len - behind);
	return ~crc;
}

static int lf_check_header(struct lf_parser *p, const u8 *blob, size_t len)
{
	const struct liteflow_blob_header *h = &p->h;

	if (len < sizeof(*h))
		return lf_bad(p, "%zu bytes are no model: the header alone has %zu", len,
			      sizeof(*h));
	if (len > LITEFLOW_MAX_BLOB)
		return lf_bad(p, "the model has %zu bytes, at most %u are possible", len,
			      LITEFLOW_MAX_BLOB);
	memcpy(&p->h, blob, sizeof(p->h));
	if (le32_to_cpu(h->magic) != LITEFLOW_BLOB_MAGIC)
		return lf_bad(p, "this is no model: magic %#x, not %#x", le32_to_cpu(h->magic),
			      LITEFLOW_BLOB_MAGIC);
	if (le16_to_cpu(h->version) != LITEFLOW_BLOB_VERSION)
		return lf_bad(p, "format version %u, only %u is known: pack the model again",
			      le16_to_cpu(h->version), LITEFLOW_BLOB_VERSION);
	if (le16_to_cpu(h->header_len) != sizeof(*h))
		return lf_bad(p, "header_len is %u, must be %zu", le16_to_cpu(h->header_len),
			      sizeof(*h));
	if (le32_to_cpu(h->total_len) != len)
		return lf_bad(p, "%zu bytes came, the header says %u: is it cut?", len,
			      le32_to_cpu(h->total_len));
	if (le32_to_cpu(h->crc) != lf_blob_crc(blob, len))
		return lf_bad(p, "the checksum does not match: the model is damaged");
	if (h->reserved)
		return lf_bad(p, "the header's reserved field is not 0");
	if (!lf_name_ok(h->name) || !h->name[0])
		return lf_bad(p, "name is not 1 to %u printable ASCII characters",
			      LITEFLOW_NAME_LEN - 1);
	if (!lf_name_ok(h->units))
		return lf_bad(p, "units is not 0 to %u printable ASCII characters",
			      LITEFLOW_NAME_LEN - 1);
	if (le32_to_cpu(h->provenance_len) > LITEFLOW_MAX_PROVENANCE)
		return lf_bad(p, "provenance_len is %u, at most %u are possible",
			      le32_to_cpu(h->provenance_len), LITEFLOW_MAX_PROVENANCE);
	return 0;
}

static int lf_check_counts(struct lf_parser *p, const u8 *blob)
{
	const struct lf_limits *limits = p->limits;
	unsigned int n_in = le16_to_cpu(p->h.n_in);
	unsigned int n_out = le16_to_cpu(p->h.n_out);
	unsigned int n_layers = le16_to_cpu(p->h.n_layers);
	size_t need;

	if (!n_in || n_in > LITEFLOW_MAX_WIDTH)
		return lf_bad(p, "%u inputs, 1 to %u are possible", n_in, LITEFLOW_MAX_WIDTH);
	if (!n_out || n_out > LITEFLOW_MAX_WIDTH)
		return lf_bad(p, "%u outputs, 1 to %u are possible", n_out, LITEFLOW_MAX_WIDTH);
	if (!n_layers || n_layers > LITEFLOW_MAX_LAYERS)
		return lf_bad(p, "%u layers, 1 to %u are possible", n_layers, LITEFLOW_MAX_LAYERS);
	if (limits->n_in && n_in != limits->n_in)
		return lf_bad(p, "the model has %u inputs, the app %u", n_in, limits->n_in);
	if (limits->n_out && n_out != limits->n_out)
		return lf_bad(p, "the model has %u outputs, the app %u", n_out, limits->n_out);
	if (limits->units && strcmp(p->h.units, limits->units))
		return lf_bad(p, "units are not the app's: \"%.20s\", not \"%.20s\"",
			      p->h.units, limits->units);

	need = n_in * sizeof(struct liteflow_blob_feature) +
	       n_out * sizeof(struct liteflow_blob_output) +
	       n_layers * sizeof(struct liteflow_blob_layer);
	p->in = blob + sizeof(p->h);
	if (need > lf_left(p, p->in))
		return lf_bad(p, "cut: inputs, outputs, layers need %zu bytes, %zu are there",
			      need, lf_left(p, p->in));
	p->out = p->in + n_in * sizeof(struct liteflow_blob_feature);
	p->layer = p->out + n_out * sizeof(struct liteflow_blob_output);
	p->param = p->layer + n_layers * sizeof(struct liteflow_blob_layer);
	p->width = n_in;
	return 0;
}

static void lf_read_shape(const struct lf_parser *p, unsigned int nth, struct lf_shape *shape)
{
	struct liteflow_blob_layer b;

	memcpy(&b, p->layer + nth * sizeof(b), sizeof(b));
	shape->n_in = le16_to_cpu(b.n_in);
	shape->n_out = le16_to_cpu(b.n_out);
	shape->type = b.type;
	shape->act = b.act;
	shape->shift = b.shift;
}

/* Length of a layer's parameters without the zero bytes behind them. */
static size_t lf_param_len(const struct lf_shape *s)
{
	if (s->type != LITEFLOW_LAYER_DENSE)
		return lf_cell_param_len(s);
	return s->n_out * sizeof(__le64) + (size_t)s->n_in * s->n_out * sizeof(__le16);
}

static const u8 *lf_next_param(const u8 *param, const struct lf_shape *shape)
{
	return param + ALIGN(lf_param_len(shape), 8);
}

/* Where the weights of a row begin. */
static const u8 *lf_row(const u8 *param, const struct lf_shape *s, unsigned int row)
{
	return param + s->n_out * sizeof(__le64) + (size_t)row * s->n_in * sizeof(__le16);
}

static int lf_check_layer(struct lf_parser *p, unsigned int nth, unsigned int n_in)
{
	bool last = nth + 1 == le16_to_cpu(p->h.n_layers);
	struct liteflow_blob_layer b;

	memcpy(&b, p->layer + nth * sizeof(b), sizeof(b));
	if (b.type < LITEFLOW_LAYER_DENSE || b.type > LITEFLOW_LAYER_LSTM)
		return lf_bad(p, "layer %u: type %u is unknown", nth, b.type);
	if (b.act > LITEFLOW_ACT_ARGMAX)
		return lf_bad(p, "layer %u: activation %u is unknown", nth, b.act);
	if (b.act == LITEFLOW_ACT_ARGMAX && !last)
		return lf_bad(p, "layer %u: argmax is only possible in the last layer", nth);
	if (b.shift > LITEFLOW_MAX_SHIFT)
		return lf_bad(p, "layer %u: shift is %u, at most %u is possible", nth, b.shift,
			      LITEFLOW_MAX_SHIFT);
	if (last && b.type != LITEFLOW_LAYER_DENSE)
		return lf_bad(p, "layer %u: the last layer must be a dense one", nth);
	if (last && b.shift && b.act != LITEFLOW_ACT_TANH && b.act != LITEFLOW_ACT_SIGMOID)
		return lf_bad(p, "layer %u: shift is %u, must be 0 in a last layer without tanh",
			      nth, b.shift);
	if (b.reserved)
		return lf_bad(p, "layer %u: the reserved field is not 0", nth);
	if (le16_to_cpu(b.n_in) != n_in)
		return lf_bad(p, "layer %u: takes %u inputs, but %u come from before it", nth,
			      le16_to_cpu(b.n_in), n_in);
	if (!b.n_out || le16_to_cpu(b.n_out) > LITEFLOW_MAX_WIDTH)
		return lf_bad(p, "layer %u: %u outputs, 1 to %u are possible", nth,
			      le16_to_cpu(b.n_out), LITEFLOW_MAX_WIDTH);
	return 0;
}

/* The layers fit each other, and the blob ends where they say. */
static int lf_check_layers(struct lf_parser *p)
{
	unsigned int n_in = le16_to_cpu(p->h.n_in), n_out, nth;
	size_t text = le32_to_cpu(p->h.provenance_len);
	const u8 *param = p->param;
	struct lf_shape shape = {};
	size_t used;
	int err;

	for (nth = 0; nth < le16_to_cpu(p->h.n_layers); nth++) {
		err = lf_check_layer(p, nth, n_in);
		if (err)
			return err;
		lf_read_shape(p, nth, &shape);
		used = lf_param_len(&shape);
		if (ALIGN(used, 8) > lf_left(p, param))
			return lf_bad(p, "cut: layer %u needs %zu bytes, %zu are there", nth,
				      ALIGN(used, 8), lf_left(p, param));
		if (!lf_zero(param + used, ALIGN(used, 8) - used))
			return lf_bad(p, "layer %u: padding is not 0", nth);
		if (shape.type != LITEFLOW_LAYER_DENSE) {
			err = lf_cell_check(p, nth, &shape, param);
			if (err)
				return err;
		} else {
			p->macs += shape.n_in * shape.n_out;
		}
		p->width = max(p->width, shape.n_out);
		n_in = shape.n_out;
		param = lf_next_param(param, &shape);
	}

	if (le16_to_cpu(p->h.state_len) != p->state_len)
		return lf_bad(p, "state_len is %u, must be %u, as the layers have it",
			      le16_to_cpu(p->h.state_len), p->state_len);
	n_out = shape.act == LITEFLOW_ACT_ARGMAX ? 1 : shape.n_out;
	if (n_out != le16_to_cpu(p->h.n_out))
		return lf_bad(p, "the last layer makes %u outputs, the header says %u", n_out,
			      le16_to_cpu(p->h.n_out));
	if (lf_left(p, param) != ALIGN(text, 8))
		return lf_bad(p, "%zu bytes are left for provenance, must be %zu",
			      lf_left(p, param), ALIGN(text, 8));
	if (!lf_text_ok(param, text))
		return lf_bad(p, "provenance is no UTF-8 text, or has control characters");
	if (!lf_zero(param + text, ALIGN(text, 8) - text))
		return lf_bad(p, "provenance: padding is not 0");
	p->provenance = param;
	return 0;
}

static int lf_check_work(struct lf_parser *p)
{
	const struct lf_limits *limits = p->limits;

	if (limits->max_width && p->width > limits->max_width)
		return lf_bad(p, "width is %u, the app allows %u: use a narrower model",
			      p->width, limits->max_width);
	if (limits->max_macs && p->macs > limits->max_macs)
		return lf_bad(p, "a query takes %u multiply-adds, the app allows %u", p->macs,
			      limits->max_macs);
	if (p->state_len && !limits->max_state)
		return lf_bad(p, "the model keeps %u values of state, the app keeps none",
			      p->state_len);
	if (p->state_len > limits->max_state)
		return lf_bad(p, "the model keeps %u values of state, the app allows %u",
			      p->state_len, limits->max_state);
	return 0;
}

static const char *lf_scale_name(const u8 *at)
{
	BUILD_BUG_ON(offsetof(struct liteflow_blob_feature, name));
	return (const char *)at;
}

static void lf_read_scale(const u8 *at, struct lf_scale *scale)
{
	struct liteflow_blob_feature b;

	/* inputs and outputs are quantised by the same fields */
	BUILD_BUG_ON(sizeof(b) != sizeof(struct liteflow_blob_output));
	BUILD_BUG_ON(offsetof(struct liteflow_blob_output, shift) != offsetof(typeof(b), shift));
	memcpy(&b, at, sizeof(b));
	scale->lo = le32_to_cpu(b.lo);
	scale->hi = le32_to_cpu(b.hi);
	scale->offset = le32_to_cpu(b.offset);
	scale->mult = le32_to_cpu(b.mult);
	scale->shift = b.shift;
}

/* What inputs and outputs have in common; @what and @nth say which it is. */
static int lf_check_scale(struct lf_parser *p, const char *what, unsigned int nth,
			  const u8 *first, struct lf_scale *scale)
{
	const u8 *at = first + nth * sizeof(struct liteflow_blob_feature);
	const char *name = lf_scale_name(at);
	unsigned int i;

	if (!lf_name_ok(name) || !name[0])
		return lf_bad(p, "%s %u: name is not 1 to %u printable ASCII characters", what,
			      nth, LITEFLOW_NAME_LEN - 1);
	for (i = 0; i < nth; i++) {
		if (!strcmp(lf_scale_name(first + i * sizeof(struct liteflow_blob_feature)), name))
			return lf_bad(p, "%s %u has the name of %u: %s", what, nth, i, name);
	}
	/* 1024 names are 500,000 comparisons */
	cond_resched();
	lf_read_scale(at, scale);
	if (scale->lo > scale->hi)
		return lf_bad(p, "%s %s: lo %d is above hi %d", what, name, scale->lo,
			      scale->hi);
	if (scale->mult < 0)
		return lf_bad(p, "%s %s: mult %d is negative", what, name, scale->mult);
	if (scale->shift > LITEFLOW_MAX_SHIFT)
		return lf_bad(p, "%s %s: shift is %u, not up to %u", what, name, scale->shift,
			      LITEFLOW_MAX_SHIFT);
	if (!lf_zero(at + offsetof(struct liteflow_blob_feature, reserved),
		     sizeof_field(struct liteflow_blob_feature, reserved)))
		return lf_bad(p, "%s %s: reserved is not 0", what, name);
	return 0;
}

static int lf_check_inputs(struct lf_parser *p)
{
	const char *const *features = p->limits->features;
	bool large = p->in_bits == 32;
	struct lf_scale scale;
	unsigned int nth;
	const char *name;
	s64 lo, hi;
	int err;

	for (nth = 0; nth < le16_to_cpu(p->h.n_in); nth++) {
		err = lf_check_scale(p, "input", nth, p->in, &scale);
		if (err)
			return err;
		name = lf_scale_name(p->in + nth * sizeof(struct liteflow_blob_feature));
		if (features && strcmp(name, features[nth]))
			return lf_bad(p, "input %u is \"%.20s\", the app wants \"%.20s\"", nth,
				      name, features[nth]);
		/* below 2^32 * 2^31, so this much can be computed */
		lo = ((s64)scale.lo - scale.offset) * scale.mult;
		hi = ((s64)scale.hi - scale.offset) * scale.mult;
		if (lo < -LF_BOUND || hi > LF_BOUND)
			return lf_bad(p, "input %s: range times mult is beyond 2^62", name);
		lo = lf_quantise(&scale, scale.lo);
		hi = lf_quantise(&scale, scale.hi);
		if (lo < (large ? S32_MIN : S16_MIN) || hi > (large ? S32_MAX : S16_MAX))
			return lf_bad(p, "input %s: %s is beyond %d bits", name,
				      lo < (large ? S32_MIN : S16_MIN) ? "lo" : "hi",
				      large ? 32 : 16);
		p->x[nth].lo = lo;
		p->x[nth].hi = hi;
	}
	return 0;
}

/*
 * The interval of a row's partial sums. Bits: a term has 31, or 47 behind a layer with
 * state of 32 bits, a row's terms 10 more, the bias 62 at most.
 */
static int lf_row_range(struct lf_parser *p, const struct lf_shape *s, const u8 *param,
			unsigned int nth, unsigned int row, s64 *least, s64 *most)
{
	const u8 *weights = lf_row(param, s, row);
	s64 bias = lf_read_bias(param, row);
	unsigned int i;
	s64 a, b;

	*least = min(bias, 0);
	*most = max(bias, 0);
	if (bias < -LF_BIAS_MAX || bias > LF_BIAS_MAX)
		return lf_bad(p, "layer %u: the bias of row %u is beyond 2^61", nth, row);
	for (i = 0; i < s->n_in; i++) {
		s64 w = lf_read_weight(weights, i);

		a = w * p->x[i].lo;
		b = w * p->x[i].hi;
		if (w < 0)
			swap(a, b);
		*least += min(a, 0);
		*most += max(b, 0);
	}
	return 0;
}

/* The last layer's values become outputs, here: within what can be computed. */
static int lf_check_output(struct lf_parser *p, unsigned int nth, s64 least, s64 most)
{
	struct lf_scale scale;
	int err;
	s64 v;

	err = lf_check_scale(p, "output", nth, p->out, &scale);
	if (err)
		return err;
	/* neither is beyond 2^62, so its absolute value exists */
	v = max(abs(least), abs(most));
	if (scale.mult && v > div_s64(LF_BOUND, scale.mult))
		return lf_bad(p, "output %s: its value times mult may pass 2^62",
			      lf_scale_name(p->out + nth * sizeof(struct liteflow_blob_output)));
	return 0;
}

static int lf_prove_layer(struct lf_parser *p, unsigned int nth, const struct lf_shape *shape,
			  const u8 *param)
{
	const struct lf_layer layer = { .act = shape->act, .shift = shape->shift };
	bool last = nth + 1 == le16_to_cpu(p->h.n_layers);
	/* its inputs are not those that pairs are made for */
	bool large = p->state_bits == 32 && nth == p->n_cells;
	s64 least, most;
	unsigned int row;
	int err;

	for (row = 0; row < shape->n_out; row++) {
		err = lf_row_range(p, shape, param, nth, row, &least, &most);
		if (err)
			return err;
		cond_resched();
		/*
		 * Not S32_MIN: both halves of an accumulator at their least
		 * would need one more bit.
		 */
		if (least < -S32_MAX || most > S32_MAX || large)
			p->wide |= BIT(nth);
		if (!last) {
			p->y[row].lo = lf_hidden(&layer, least);
			p->y[row].hi = lf_hidden(&layer, most);
		} else if (shape->act != LITEFLOW_ACT_ARGMAX) {
			err = lf_check_output(p, row, lf_value(&layer, least),
					      lf_value(&layer, most));
			if (err)
				return err;
		}
	}
	if (shape->act == LITEFLOW_ACT_ARGMAX)
		return lf_check_output(p, 0, 0, shape->n_out - 1);
	return 0;
}

/* No sum and no product can overflow, and every index is within its array. */
static int lf_prove(struct lf_parser *p)
{
	const u8 *param = p->param;
	struct lf_shape shape;
	unsigned int nth;
	int err;

	err = lf_check_inputs(p);
	for (nth = 0; !err && nth < le16_to_cpu(p->h.n_layers); nth++) {
		lf_read_shape(p, nth, &shape);
		err = nth < p->n_cells ? lf_cell_prove(p, nth, &shape, param) :
					 lf_prove_layer(p, nth, &shape, param);
		param = lf_next_param(param, &shape);
		swap(p->x, p->y);
	}
	return err;
}

static size_t lf_bias_count(const struct lf_shape *s, bool wide)
{
	return wide ? s->n_out : DIV_ROUND_UP(s->n_out, 2);
}

/* Memory of a layer's parameters, the biases first. */
static size_t lf_layer_bytes(const struct lf_shape *s, bool wide)
{
	size_t biases = lf_bias_count(s, wide) * sizeof(s64);

	if (wide)
		return biases + ALIGN((size_t)s->n_in * s->n_out * sizeof(s16), sizeof(s64));
	return biases + biases * s->n_in;
}

/*
 * First the layers, then their parameters, which are s64, then scales, then
 * text. Less than 5 times the blob: a weight takes at most 8 bytes where it
 * took 2; or, if recurrent layers have few units, some kilobytes more.
 */
static size_t lf_head_bytes(unsigned int n_layers)
{
	return ALIGN(struct_size_t(struct lf_model, layers, n_layers), sizeof(s64));
}

static int lf_check_bytes(struct lf_parser *p)
{
	unsigned int n_scales = le16_to_cpu(p->h.n_in) + le16_to_cpu(p->h.n_out);
	unsigned int n_layers = le16_to_cpu(p->h.n_layers), nth;
	struct lf_shape shape;

	p->bytes = lf_head_bytes(n_layers - p->n_cells) + p->n_cells * sizeof(struct lf_cell);
	for (nth = 0; nth < n_layers; nth++) {
		lf_read_shape(p, nth, &shape);
		p->bytes += nth < p->n_cells ? lf_cell_bytes(&shape, p->wide & BIT(nth)) :
					       lf_layer_bytes(&shape, p->wide & BIT(nth));
	}
	p->bytes += n_scales * (sizeof(struct lf_scale) + LITEFLOW_NAME_LEN);
	p->bytes += le32_to_cpu(p->h.provenance_len) + 1;
	if (p->limits->max_bytes && p->bytes > p->limits->max_bytes)
		return lf_bad(p, "the model takes %u bytes of memory, the app allows %u",
			      p->bytes, p->limits->max_bytes);
	return 0;
}

static void lf_fill_wide(const struct lf_shape *s, const u8 *param, s64 *bias, s16 *weight)
{
	unsigned int row, i;

	for (row = 0; row < s->n_out; row++) {
		const u8 *from = lf_row(param, s, row);

		bias[row] = lf_read_bias(param, row);
		for (i = 0; i < s->n_in; i++)
			*weight++ = lf_read_weight(from, i);
	}
}

/* Biases fit 32 bits here, as partial sums do. */
static void lf_fill_pairs(const struct lf_shape *s, const u8 *param, s64 *bias, s64 *pair)
{
	const s64 upper = 1LL << 32;
	unsigned int row, i;

	for (row = 0; row < s->n_out; row += 2, bias++) {
		const u8 *even = lf_row(param, s, row);
		const u8 *odd = row + 1 < s->n_out ? lf_row(param, s, row + 1) : NULL;

		*bias = lf_read_bias(param, row);
		if (odd)
			*bias += lf_read_bias(param, row + 1) * upper;
		for (i = 0; i < s->n_in; i++) {
			*pair = lf_read_weight(even, i);
			if (odd)
				*pair += lf_read_weight(odd, i) * upper;
			pair++;
		}
	}
}

/* Returns the memory behind the layer's. */
static void *lf_fill_layer(const struct lf_shape *shape, bool wide, const u8 *param,
			   struct lf_layer *layer, void *at)
{
	s64 *bias = at;

	layer->n_in = shape->n_in;
	layer->n_out = shape->n_out;
	layer->act = shape->act;
	layer->shift = shape->shift;
	layer->wide = wide;
	layer->bias = bias;
	if (wide) {
		s16 *weight = (s16 *)(bias + lf_bias_count(shape, wide));

		layer->weight = weight;
		lf_fill_wide(shape, param, bias, weight);
	} else {
		s64 *pair = bias + lf_bias_count(shape, wide);

		layer->pair = pair;
		lf_fill_pairs(shape, param, bias, pair);
	}
	return at + lf_layer_bytes(shape, wide);
}

static struct lf_scale *lf_fill_scales(const u8 *from, unsigned int n, struct lf_scale *to)
{
	for (; n; n--, to++, from += sizeof(struct liteflow_blob_feature))
		lf_read_scale(from, to);
	return to;
}

static char *lf_fill_names(const u8 *from, unsigned int n, char *to)
{
	for (; n; n--, to += LITEFLOW_NAME_LEN, from += sizeof(struct liteflow_blob_feature))
		memcpy(to, lf_scale_name(from), LITEFLOW_NAME_LEN);
	return to;
}

static void lf_fill(const struct lf_parser *p, struct lf_model *m)
{
	unsigned int n_layers = le16_to_cpu(p->h.n_layers), nth;
	const u8 *param = p->param;
	struct lf_shape shape;
	struct lf_cell *cells;
	void *at;

	m->n_in = le16_to_cpu(p->h.n_in);
	m->n_out = le16_to_cpu(p->h.n_out);
	m->n_layers = n_layers - p->n_cells;
	m->n_cells = p->n_cells;
	m->state_len = p->state_len;
	m->width = p->width;
	m->macs = p->macs;
	m->bytes = p->bytes;
	m->crc = le32_to_cpu(p->h.crc);
	memcpy(m->name, p->h.name, sizeof(m->name));
	memcpy(m->units, p->h.units, sizeof(m->units));

	at = (void *)m + lf_head_bytes(m->n_layers);
	cells = at;
	m->cells = cells;
	at += p->n_cells * sizeof(*cells);
	for (nth = 0; nth < n_layers; nth++) {
		bool wide = p->wide & BIT(nth);

		lf_read_shape(p, nth, &shape);
		if (nth < p->n_cells) {
			lf_cell_fill(&shape, wide, param, &cells[nth], at);
			at += lf_cell_bytes(&shape, wide);
		} else {
			at = lf_fill_layer(&shape, wide, param, &m->layers[nth - p->n_cells], at);
		}
		param = lf_next_param(param, &shape);
	}
	m->in = at;
	at = lf_fill_scales(p->in, m->n_in, at);
	m->out = at;
	at = lf_fill_scales(p->out, m->n_out, at);
	m->in_names = at;
	at = lf_fill_names(p->in, m->n_in, at);
	m->out_names = at;
	at = lf_fill_names(p->out, m->n_out, at);
	m->provenance = at;
	memcpy(at, p->provenance, le32_to_cpu(p->h.provenance_len));
}

/**
 * lf_model_parse() - prove that a blob is a sound model, and make it ready
 * @blob: the blob, not trusted; need not be aligned
 * @len: its length, bytes
 * @limits: what the model must keep to; NULL: only what the format says
 * @model: result
 * @err: result: the reason of a refusal; NULL: not wanted
 *
 * Context: process; may sleep.
 * Return: 0; -EINVAL and a reason if the model is refused; -ENOMEM.
 */
int lf_model_parse(const void *blob, size_t len, const struct lf_limits *limits,
		   struct lf_model **model, struct lf_error *err)
{
	static const struct lf_limits none;
	struct lf_parser p = {
		.limits = limits ?: &none,
		.err = err,
		.end = blob + len,
	};
	struct lf_range *ranges;
	struct lf_model *m;
	int ret;

	if (err)
		err->msg[0] = '\0';
	*model = NULL;
	ret = lf_check_header(&p, blob, len);
	if (!ret)
		ret = lf_check_counts(&p, blob);
	if (!ret)
		ret = lf_check_layers(&p);
	if (!ret)
		ret = lf_check_work(&p);
	if (ret)
		return ret;

	/* of the proof only: two layers' activations */
	ranges = kvcalloc(p.width, 2 * sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return -ENOMEM;
	p.x = ranges;
	p.y = ranges + p.width;
	ret = lf_prove(&p);
	kvfree(ranges);
	if (!ret)
		ret = lf_check_bytes(&p);
	if (ret)
		return ret;

	m = kvzalloc(p.bytes, GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	lf_fill(&p, m);
	*model = m;
	return 0;
}

/**
 * lf_model_free() - free a model that nobody asks any more
 * @model: from lf_model_parse(), or NULL
 *
 * Context: process; may sleep.
 */
void lf_model_free(const struct lf_model *model)
{
	kvfree(model);
}
