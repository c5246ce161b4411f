// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of LiteFlow's engine: its arithmetic, against a reference that
 * reads the blob itself and does everything in s64 one after the other; and
 * its refusals. The counterparts in user space are in liteflow/tests.
 */
#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/liteflow_engine.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "refusals.h"
#include "tanh_golden.h"
#include "testmodel.h"

/* Holds a model with 1024 inputs and 1024 outputs. */
#define LF_BUF		(256 << 10)

/* One buffer and what a query needs, for all tests. */
struct lf_bench {
	u8 *blob;
	s32 *in;
	s32 *out;
	s32 *want;
	s16 *scratch;
	s64 *x;
	s64 *y;
	struct lf_error err;
};

static int lf_engine_test_init(struct kunit *test)
{
	struct lf_bench *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	/* one byte more: blobs need not be aligned */
	b->blob = kunit_kzalloc(test, LF_BUF + 1, GFP_KERNEL);
	b->in = kunit_kcalloc(test, LITEFLOW_MAX_WIDTH, sizeof(*b->in), GFP_KERNEL);
	b->out = kunit_kcalloc(test, LITEFLOW_MAX_WIDTH, sizeof(*b->out), GFP_KERNEL);
	b->want = kunit_kcalloc(test, LITEFLOW_MAX_WIDTH, sizeof(*b->want), GFP_KERNEL);
	b->x = kunit_kcalloc(test, LITEFLOW_MAX_WIDTH, sizeof(*b->x), GFP_KERNEL);
	b->y = kunit_kcalloc(test, LITEFLOW_MAX_WIDTH, sizeof(*b->y), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->blob);
	KUNIT_ASSERT_NOT_NULL(test, b->in);
	KUNIT_ASSERT_NOT_NULL(test, b->out);
	KUNIT_ASSERT_NOT_NULL(test, b->want);
	KUNIT_ASSERT_NOT_NULL(test, b->x);
	KUNIT_ASSERT_NOT_NULL(test, b->y);
	test->priv = b;
	return 0;
}

/* The reference. */

static s64 lf_ref_rshift(s64 v, int shift)
{
	/* once more than the formula's: first without the last bit */
	return shift ? ((v >> (shift - 1)) + 1) >> 1 : v;
}

static s64 lf_ref_within(s64 v, s64 lo, s64 hi)
{
	if (v < lo)
		return lo;
	if (v > hi)
		return hi;
	return v;
}

static s64 lf_ref_act(int act, int shift, bool last, s64 a)
{
	if (act == LITEFLOW_ACT_TANH)
		return lf_tanh(lf_ref_rshift(a, shift));
	if (act == LITEFLOW_ACT_SIGMOID)
		return (BIT(LITEFLOW_TANH_OUT_FRAC) + lf_tanh(lf_ref_rshift(a, shift))) >> 1;
	if (act == LITEFLOW_ACT_RELU && a < 0)
		a = 0;
	return last ? a : lf_ref_within(lf_ref_rshift(a, shift), S16_MIN, S16_MAX);
}

static void lf_reference(const u8 *blob, const s32 *in, s32 *out, s64 *x, s64 *y)
{
	const struct liteflow_blob_header *h = (const void *)blob;
	unsigned int n_in = get_unaligned_le16(&h->n_in), n_out = get_unaligned_le16(&h->n_out);
	unsigned int n_layers = get_unaligned_le16(&h->n_layers);
	const struct liteflow_blob_feature *f = (const void *)(blob + sizeof(*h));
	const struct liteflow_blob_output *o = (const void *)(f + n_in);
	const struct liteflow_blob_layer *l = (const void *)(o + n_out);
	const u8 *param = (const u8 *)(l + n_layers);
	unsigned int i, k, row, rows, largest;
	s64 most;

	for (i = 0; i < n_in; i++, f++) {
		s64 v = lf_ref_within(in[i], (s32)get_unaligned_le32(&f->lo),
				      (s32)get_unaligned_le32(&f->hi));

		v = (v - (s32)get_unaligned_le32(&f->offset)) *
		    (s32)get_unaligned_le32(&f->mult);
		x[i] = lf_ref_rshift(v, f->shift);
	}
	for (k = 0; k < n_layers; k++, l++) {
		const u8 *weight;

		rows = get_unaligned_le16(&l->n_out);
		weight = param + 8 * rows;
		largest = 0;
		most = S64_MIN;
		for (row = 0; row < rows; row++) {
			s64 a = get_unaligned_le64(param + 8 * row);

			for (i = 0; i < n_in; i++, weight += 2)
				a += x[i] * (s16)get_unaligned_le16(weight);
			if (a > most) {
				most = a;
				largest = row;
			}
			y[row] = lf_ref_act(l->act, l->shift, k + 1 == n_layers, a);
		}
		if (l->act == LITEFLOW_ACT_ARGMAX)
			y[0] = largest;
		param += round_up(8 * rows + 2 * rows * n_in, 8);
		swap(x, y);
		n_in = rows;
	}
	for (i = 0; i < n_out; i++, o++) {
		s64 v = lf_ref_rshift(x[i] * (s32)get_unaligned_le32(&o->mult), o->shift);

		v += (s32)get_unaligned_le32(&o->offset);
		out[i] = lf_ref_within(v, (s32)get_unaligned_le32(&o->lo),
				       (s32)get_unaligned_le32(&o->hi));
	}
}

/* Parse what must be accepted. */
static struct lf_model *lf_accept(struct kunit *test, const void *blob, size_t len)
{
	struct lf_bench *b = test->priv;
	struct lf_model *m = NULL;

	KUNIT_ASSERT_NE(test, len, 0);
	KUNIT_ASSERT_EQ_MSG(test, lf_model_parse(blob, len, NULL, &m, &b->err), 0, "%s",
			    b->err.msg);
	KUNIT_EXPECT_STREQ(test, b->err.msg, "");
	b->scratch = kunit_kmalloc_array(test, 2 * m->width, sizeof(s16), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->scratch);
	return m;
}

static void lf_discard(struct kunit *test, struct lf_model *m)
{
	struct lf_bench *b = test->priv;

	kunit_kfree(test, b->scratch);
	lf_model_free(m);
}

/* The inputs in b->in give the same as the reference's. */
static bool lf_agree(struct kunit *test, const struct lf_model *m, const u8 *blob)
{
	struct lf_bench *b = test->priv;
	unsigned int i;

	memset(b->scratch, 0x5a, 2 * m->width * sizeof(s16));
	lf_model_run(m, b->in, b->out, b->scratch);
	lf_reference(blob, b->in, b->want, b->x, b->y);
	for (i = 0; i < m->n_out; i++) {
		if (b->out[i] != b->want[i]) {
			KUNIT_FAIL(test, "%s: output %u is %d, not %d", m->name, i, b->out[i],
				   b->want[i]);
			return false;
		}
	}
	return true;
}

/* A model of each kind, with random questions and with the worst ones. */
static void lf_check_model(struct kunit *test, u32 seed, const struct lf_testmodel_spec *spec)
{
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(seed, spec, b->blob, LF_BUF);
	struct lf_model *m = lf_accept(test, b->blob, len);
	unsigned int i, k;

	for (k = 0; k < 20; k++) {
		lf_testmodel_inputs(seed + k, b->blob, b->in);
		if (!lf_agree(test, m, b->blob))
			break;
	}
	for (k = 0; k < 4; k++) {
		for (i = 0; i < m->n_in; i++) {
			bool high = k == 1 || (k == 2 && i & 1) || (k == 3 && i < m->n_in / 2);

			b->in[i] = high ? S32_MAX : S32_MIN;
		}
		lf_agree(test, m, b->blob);
	}
	lf_discard(test, m);
}

struct lf_kind {
	const char *name;
	u8 hidden;
	u8 last;
};

static const struct lf_kind lf_kinds[] = {
	{ "none", LITEFLOW_ACT_NONE, LITEFLOW_ACT_NONE },
	{ "relu", LITEFLOW_ACT_RELU, LITEFLOW_ACT_NONE },
	{ "tanh", LITEFLOW_ACT_TANH, LITEFLOW_ACT_NONE },
	{ "sigmoid", LITEFLOW_ACT_SIGMOID, LITEFLOW_ACT_NONE },
	{ "tanh, last relu", LITEFLOW_ACT_TANH, LITEFLOW_ACT_RELU },
	{ "tanh, last tanh", LITEFLOW_ACT_TANH, LITEFLOW_ACT_TANH },
	{ "relu, last sigmoid", LITEFLOW_ACT_RELU, LITEFLOW_ACT_SIGMOID },
	{ "relu, last argmax", LITEFLOW_ACT_RELU, LITEFLOW_ACT_ARGMAX },
};

KUNIT_ARRAY_PARAM_DESC(lf_kind, lf_kinds, name);

/* Every number of rows up to more than two blocks, odd ones too. */
static void lf_engine_test_layers(struct kunit *test)
{
	const struct lf_kind *kind = test->param_value;
	struct lf_testmodel_spec spec = {
		.n_layers = 2,
		.act = kind->hidden,
		.last = kind->last,
		.n_out = kind->last == LITEFLOW_ACT_ARGMAX,
	};
	u8 bits[] = { 6, 11, 15 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++) {
		spec.weight_bits = bits[i];
		for (spec.width = 1; spec.width <= 20; spec.width++) {
			for (spec.n_in = 1; spec.n_in <= 5; spec.n_in++)
				lf_check_model(test, spec.width * spec.n_in, &spec);
		}
	}
}

static void lf_engine_test_random(struct kunit *test)
{
	u32 seed;

	for (seed = 0; seed < 1000; seed++)
		lf_check_model(test, seed, NULL);
}

/* The same bits as in user space. */
static void lf_engine_test_digest(struct kunit *test)
{
	struct lf_bench *b = test->priv;
	u32 digest;

	KUNIT_ASSERT_EQ(test, 0, lf_testmodel_digest(1000, b->blob, LF_TESTMODEL_DIGEST_BUF,
						     &digest));
	KUNIT_EXPECT_EQ(test, digest, LF_TESTMODEL_DIGEST_1000);
}

static void lf_engine_test_digest_long(struct kunit *test)
{
	struct lf_bench *b = test->priv;
	u32 digest;

	KUNIT_ASSERT_EQ(test, 0, lf_testmodel_digest(100000, b->blob, LF_TESTMODEL_DIGEST_BUF,
						     &digest));
	KUNIT_EXPECT_EQ(test, digest, LF_TESTMODEL_DIGEST_100000);
}

static void lf_engine_test_constant(struct kunit *test)
{
	static const s32 values[] = { 0, 1, -1, 123456789, S32_MIN, S32_MAX };
	struct lf_bench *b = test->priv;
	struct lf_model *m;
	unsigned int i, k, o;

	for (i = 0; i < ARRAY_SIZE(values); i++) {
		size_t len = lf_testmodel_constant(values[i], NULL, b->blob, LF_BUF);

		m = lf_accept(test, b->blob, len);
		for (k = 0; k < 10; k++) {
			lf_testmodel_inputs(k, b->blob, b->in);
			lf_model_run(m, b->in, b->out, b->scratch);
			for (o = 0; o < m->n_out; o++)
				KUNIT_EXPECT_EQ(test, b->out[o], values[i]);
		}
		lf_discard(test, m);
	}
}

static void lf_engine_test_tanh(struct kunit *test)
{
	s32 angle, y, before = -S16_MAX;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lf_tanh_golden); i++) {
		y = lf_tanh(lf_tanh_golden[i].angle);
		KUNIT_EXPECT_LE_MSG(test, abs(y - lf_tanh_golden[i].tanh), 2, "angle %d",
				    lf_tanh_golden[i].angle);
		y = (BIT(LITEFLOW_TANH_OUT_FRAC) + y) >> 1;
		KUNIT_EXPECT_LE_MSG(test, abs(y - lf_tanh_golden[i].sigmoid), 2, "angle %d",
				    lf_tanh_golden[i].angle);
	}
	for (angle = -9 << LITEFLOW_TANH_IN_FRAC; angle <= 9 << LITEFLOW_TANH_IN_FRAC; angle++) {
		y = lf_tanh(angle);
		if (y < before || y != -lf_tanh(-angle)) {
			KUNIT_FAIL(test, "falls, or is not odd, at %d", angle);
			break;
		}
		before = y;
	}
	KUNIT_EXPECT_EQ(test, before, S16_MAX);
	KUNIT_EXPECT_EQ(test, lf_tanh(S64_MAX), S16_MAX);
	KUNIT_EXPECT_EQ(test, lf_tanh(S64_MIN), -S16_MAX);
}

/* Of equal sums the first one counts. */
static void lf_engine_test_ties(struct kunit *test)
{
	struct lf_testmodel_spec spec = {
		.n_in = 2, .n_out = 1, .n_layers = 1, .last = LITEFLOW_ACT_ARGMAX, .width = 11,
	};
	struct lf_bench *b = test->priv;
	unsigned int first, row;
	struct lf_model *m;
	size_t len;
	u8 *param;

	for (first = 0; first < spec.width; first++) {
		len = lf_testmodel(1, &spec, b->blob, LF_BUF);
		param = b->blob + sizeof(struct liteflow_blob_header) +
			3 * sizeof(struct liteflow_blob_feature) +
			sizeof(struct liteflow_blob_layer);
		memset(param, 0, b->blob + len - param);
		for (row = first; row < spec.width; row++)
			put_unaligned_le64(5, param + 8 * row);
		lf_testmodel_fix(b->blob, len);
		m = lf_accept(test, b->blob, len);
		lf_agree(test, m, b->blob);
		lf_discard(test, m);
	}
}

static void lf_engine_test_unaligned(struct kunit *test)
{
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(7, NULL, b->blob + 1, LF_BUF);
	struct lf_model *m = lf_accept(test, b->blob + 1, len);

	lf_testmodel_inputs(1, b->blob + 1, b->in);
	lf_agree(test, m, b->blob + 1);
	lf_discard(test, m);
}

static void lf_check_params(struct kunit *test, const struct lf_layer *layer, const u8 *param)
{
	const u8 *weight = param + 8 * layer->n_out;
	unsigned int row, i;

	for (row = 0; row < layer->n_out; row++) {
		KUNIT_EXPECT_EQ(test, lf_layer_bias(layer, row),
				(s64)get_unaligned_le64(param + 8 * row));
		for (i = 0; i < layer->n_in; i++, weight += 2)
			KUNIT_EXPECT_EQ(test, lf_layer_weight(layer, row, i),
					(s16)get_unaligned_le16(weight));
	}
}

/* What a model says about itself, and its parameters, are the blob's. */
static void lf_engine_test_contents(struct kunit *test)
{
	static const char *const features[] = { "rtt", "loss", "rate" };
	static const u16 widths[] = { 9, 2 };
	static const struct lf_testmodel_spec spec = {
		.n_in = 3, .n_out = 2, .n_layers = 2, .widths = widths, .act = LITEFLOW_ACT_NONE,
		.units = "ms", .provenance = "from \xc3\xa4 test", .features = features,
	};
	struct lf_bench *b = test->priv;
	struct lf_testmodel_spec s = spec;
	const u8 *param;
	unsigned int bits;
	size_t len;

	for (bits = 8; bits <= 15; bits += 7) {
		struct lf_model *m;

		s.weight_bits = bits;
		len = lf_testmodel(3, &s, b->blob, LF_BUF);
		m = lf_accept(test, b->blob, len);
		KUNIT_EXPECT_EQ(test, m->n_in, 3);
		KUNIT_EXPECT_EQ(test, m->n_out, 2);
		KUNIT_EXPECT_EQ(test, m->n_layers, 2);
		KUNIT_EXPECT_EQ(test, m->width, 9);
		KUNIT_EXPECT_EQ(test, m->macs, 3 * 9 + 9 * 2);
		KUNIT_EXPECT_EQ(test, m->crc, get_unaligned_le32(b->blob + 12));
		KUNIT_EXPECT_STREQ(test, m->name, "random-3");
		KUNIT_EXPECT_STREQ(test, m->units, "ms");
		KUNIT_EXPECT_STREQ(test, m->provenance, spec.provenance);
		KUNIT_EXPECT_STREQ(test, m->in_names[2], "rate");
		KUNIT_EXPECT_STREQ(test, m->out_names[1], "y1");
		KUNIT_EXPECT_FALSE(test, m->layers[0].wide);
		KUNIT_EXPECT_EQ(test, m->layers[1].wide, bits == 15);
		param = b->blob + sizeof(struct liteflow_blob_header) +
			5 * sizeof(struct liteflow_blob_feature) +
			2 * sizeof(struct liteflow_blob_layer);
		lf_check_params(test, &m->layers[0], param);
		lf_check_params(test, &m->layers[1], param + round_up(9 * 8 + 9 * 3 * 2, 8));
		lf_discard(test, m);
	}
}

/* The widest layers there can be. */
static void lf_engine_test_wide(struct kunit *test)
{
	struct lf_testmodel_spec spec = {
		.n_in = LITEFLOW_MAX_WIDTH, .n_out = 3, .width = 9, .n_layers = 3,
		.act = LF_TESTMODEL_ANY, .last = LITEFLOW_ACT_NONE,
	};
	u32 seed;

	for (seed = 0; seed < 4; seed++)
		lf_check_model(test, seed, &spec);
	spec.n_in = 2;
	spec.n_out = LITEFLOW_MAX_WIDTH;
	for (seed = 0; seed < 4; seed++)
		lf_check_model(test, seed, &spec);
}

KUNIT_ARRAY_PARAM_DESC(lf_damage, lf_damages, name);

static u8 *lf_part(u8 *blob, enum lf_part part)
{
	u8 *at = blob + sizeof(struct liteflow_blob_header);

	switch (part) {
	case LF_HEADER:
		return blob;
	case LF_INPUT:
		return at;
	case LF_OUTPUT:
		return at + 3 * sizeof(struct liteflow_blob_feature);
	case LF_LAYER:
		return at + 5 * sizeof(struct liteflow_blob_feature);
	case LF_PARAM:
		return lf_part(blob, LF_LAYER) + 2 * sizeof(struct liteflow_blob_layer);
	case LF_PARAM2:
		return lf_part(blob, LF_PARAM) + round_up(5 * 8 + 5 * 3 * 2, 8);
	default:
		return lf_part(blob, LF_PARAM2) + round_up(2 * 8 + 2 * 5 * 2, 8);
	}
}

static void lf_apply(u8 *blob, const struct lf_edit *edit)
{
	u8 *at = lf_part(blob, edit->part) + edit->at;
	unsigned int i;

	for (i = 0; i < edit->size; i++)
		at[i] = edit->value >> 8 * i;
}

static void lf_refused(struct kunit *test, const void *blob, size_t len,
		       const struct lf_limits *limits, const char *reason)
{
	struct lf_bench *b = test->priv;
	struct lf_model *m = ERR_PTR(-EIO);

	memset(b->err.msg, 'x', sizeof(b->err.msg));
	KUNIT_EXPECT_EQ(test, lf_model_parse(blob, len, limits, &m, &b->err), -EINVAL);
	KUNIT_EXPECT_NULL(test, m);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strnstr(b->err.msg, reason, sizeof(b->err.msg)),
				  "\"%.80s\" is not \"%s\"", b->err.msg, reason);
	/* one less: cut texts look like this, too */
	KUNIT_EXPECT_LT_MSG(test, strnlen(b->err.msg, LF_ERROR_LEN), LF_ERROR_LEN - 1, "%s",
			    b->err.msg);
	/* nobody has to want the reason */
	KUNIT_EXPECT_EQ(test, lf_model_parse(blob, len, limits, &m, NULL), -EINVAL);
}

static void lf_engine_test_refusals(struct kunit *test)
{
	const struct lf_damage *damage = test->param_value;
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF);
	unsigned int i;
	u8 *copy;

	BUILD_BUG_ON((sizeof(lf_text) - 1) % 8);
	lf_discard(test, lf_accept(test, b->blob, len));
	/* of exactly this length, so that KASAN sees a read behind it */
	copy = kunit_kmalloc(test, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, b->blob, len);
	for (i = 0; i < ARRAY_SIZE(damage->edits); i++)
		lf_apply(copy, &damage->edits[i]);
	if (!damage->keep_crc)
		lf_testmodel_fix(copy, len);
	lf_refused(test, copy, len, NULL, damage->reason);
}

#define LF_LONG	"a name of thirty-one characters"

/* The longest names there can be leave room for the reason. */
static void lf_engine_test_long_names(struct kunit *test)
{
	static const char *const features[] = { LF_LONG, LF_LONG ".", "c" };
	static const struct lf_edit edits[] = {
		LF_INPUT32(0, lo, S32_MIN), LF_INPUT32(0, hi, S32_MIN),
		LF_INPUT32(0, offset, S32_MAX), LF_INPUT32(0, mult, S32_MAX),
	};
	struct lf_testmodel_spec spec = lf_sound;
	struct lf_bench *b = test->priv;
	unsigned int i;
	size_t len;

	spec.features = features;
	len = lf_testmodel(5, &spec, b->blob, LF_BUF);
	/* a name of 32 characters was cut to 31 */
	lf_refused(test, b->blob, len, NULL, "input 1 has the name of 0: " LF_LONG);
	b->blob[sizeof(struct liteflow_blob_header) + sizeof(struct liteflow_blob_feature)] = 'b';
	for (i = 0; i < ARRAY_SIZE(edits); i++)
		lf_apply(b->blob, &edits[i]);
	lf_testmodel_fix(b->blob, len);
	lf_refused(test, b->blob, len, NULL, "range times mult is beyond 2^62");
}

static void lf_engine_test_limits(struct kunit *test)
{
	static const char *const right[] = { "x0", "x1", "x2" };
	static const char *const wrong[] = { "x0", "x2", "x1" };
	static const struct lf_limits fits = {
		.n_in = 3, .n_out = 2, .max_width = 5, .max_macs = 25, .units = "test",
		.features = right,
	};
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF);
	struct lf_model *m = lf_accept(test, b->blob, len);
	struct lf_limits limits = fits;
	u32 bytes = m->bytes;

	lf_discard(test, m);
	limits.max_bytes = bytes;
	KUNIT_EXPECT_EQ(test, lf_model_parse(b->blob, len, &limits, &m, NULL), 0);
	lf_model_free(m);
	limits.max_bytes--;
	lf_refused(test, b->blob, len, &limits, "bytes of memory, the app allows");
	limits = fits;
	limits.n_in = 4;
	lf_refused(test, b->blob, len, &limits, "the model has 3 inputs, the app 4");
	limits = fits;
	limits.n_out = 1;
	lf_refused(test, b->blob, len, &limits, "the model has 2 outputs, the app 1");
	limits = fits;
	limits.max_width = 4;
	lf_refused(test, b->blob, len, &limits, "width is 5, the app allows 4");
	limits = fits;
	limits.max_macs = 24;
	lf_refused(test, b->blob, len, &limits, "a query takes 25 multiply-adds");
	limits = fits;
	limits.units = "none";
	lf_refused(test, b->blob, len, &limits, "units are not the app's: \"test\", not \"none\"");
	limits = fits;
	limits.features = wrong;
	lf_refused(test, b->blob, len, &limits, "input 1 is \"x1\", the app wants \"x2\"");
}

static void lf_engine_test_lengths(struct kunit *test)
{
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF), n;
	u8 *copy = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, copy);
	for (n = 0; n < len; n++) {
		/* of exactly this length, so that KASAN sees a read behind it */
		u8 *cut = kmemdup(b->blob, n, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, cut);
		lf_refused(test, cut, n, NULL, n < sizeof(struct liteflow_blob_header) ?
			   "bytes are no model" : "is it cut?");
		if (n >= sizeof(struct liteflow_blob_header)) {
			lf_testmodel_fix(cut, n);
			lf_refused(test, cut, n, NULL, n < len - 32 ? "cut: " :
				   "bytes are left for provenance, must be 32");
		}
		kfree(cut);
	}
	for (n = len + 1; n < len + 20; n++) {
		lf_testmodel_fix(b->blob, n);
		lf_refused(test, b->blob, n, NULL, "bytes are left for provenance, must be 32");
	}
	b->blob = kunit_kzalloc(test, LITEFLOW_MAX_BLOB + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b->blob);
	len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF);
	lf_testmodel_fix(b->blob, LITEFLOW_MAX_BLOB + 1);
	lf_refused(test, b->blob, LITEFLOW_MAX_BLOB + 1, NULL, "at most 1048576 are possible");
	lf_testmodel_fix(b->blob, LITEFLOW_MAX_BLOB);
	lf_refused(test, b->blob, LITEFLOW_MAX_BLOB, NULL, "bytes are left for provenance");
}

/* Whatever bit is wrong: refused, or as good as any other model. */
static void lf_engine_test_bits(struct kunit *test)
{
	struct lf_bench *b = test->priv;
	size_t len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF), bit;
	unsigned int accepted = 0;
	struct lf_model *m;

	for (bit = 0; bit < 8 * len; bit++) {
		b->blob[bit / 8] ^= BIT(bit % 8);
		KUNIT_EXPECT_NE(test, lf_model_parse(b->blob, len, NULL, &m, NULL), 0);
		lf_testmodel_fix(b->blob, len);
		if (!lf_model_parse(b->blob, len, NULL, &m, NULL)) {
			lf_model_free(m);
			m = lf_accept(test, b->blob, len);
			lf_testmodel_inputs(bit, b->blob, b->in);
			lf_agree(test, m, b->blob);
			lf_discard(test, m);
			accepted++;
		}
		b->blob[bit / 8] ^= BIT(bit % 8);
	}
	/* weights, biases and texts may be anything */
	KUNIT_EXPECT_GT(test, accepted, 25 * 16);
	KUNIT_EXPECT_LT(test, accepted, 8 * len);
}

/* Two rows share an accumulator up to the last sum that fits. */
static void lf_engine_test_bounds(struct kunit *test)
{
	const s64 terms = 3 * 32767LL * 21845;
	const struct {
		s64 bias;
		bool wide;
	} cases[] = {
		{ S32_MAX - terms, false },
		{ S32_MAX - terms + 1, true },
		{ -(S32_MAX - terms), false },
		{ -(S32_MAX - terms) - 1, true },
		{ 1LL << 61, true },
		{ -(1LL << 61), true },
	};
	struct lf_bench *b = test->priv;
	unsigned int i, k, row, col;
	struct lf_model *m;
	size_t len;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		len = lf_testmodel(5, &lf_sound, b->blob, LF_BUF);
		for (col = 0; col < 3; col++) {
			const struct lf_edit edits[] = {
				LF_INPUT32(col, lo, -32767), LF_INPUT32(col, hi, 32767),
				LF_INPUT32(col, offset, 0), LF_INPUT32(col, mult, 1),
				LF_INPUT8(col, shift, 0),
			};

			for (k = 0; k < ARRAY_SIZE(edits); k++)
				lf_apply(b->blob, &edits[k]);
			for (row = 0; row < 5; row++) {
				s16 w = row & 1 ? -21845 : 21845;
				const struct lf_edit edit = LF_WEIGHT(row, col, w);

				lf_apply(b->blob, &edit);
			}
		}
		for (row = 0; row < 5; row++) {
			const struct lf_edit edit = LF_BIAS(row, cases[i].bias);

			lf_apply(b->blob, &edit);
		}
		lf_testmodel_fix(b->blob, len);
		m = lf_accept(test, b->blob, len);
		KUNIT_EXPECT_EQ_MSG(test, m->layers[0].wide, cases[i].wide, "case %u", i);
		for (k = 0; k < 8; k++) {
			for (col = 0; col < 3; col++)
				b->in[col] = k & BIT(col) ? S32_MAX : S32_MIN;
			lf_agree(test, m, b->blob);
		}
		lf_discard(test, m);
	}
}

static struct kunit_case lf_engine_cases[] = {
	KUNIT_CASE(lf_engine_test_tanh),
	KUNIT_CASE_PARAM(lf_engine_test_layers, lf_kind_gen_params),
	KUNIT_CASE(lf_engine_test_random),
	KUNIT_CASE(lf_engine_test_wide),
	KUNIT_CASE(lf_engine_test_bounds),
	KUNIT_CASE(lf_engine_test_ties),
	KUNIT_CASE(lf_engine_test_constant),
	KUNIT_CASE(lf_engine_test_contents),
	KUNIT_CASE(lf_engine_test_unaligned),
	KUNIT_CASE(lf_engine_test_digest),
	KUNIT_CASE_SLOW(lf_engine_test_digest_long),
	KUNIT_CASE_PARAM(lf_engine_test_refusals, lf_damage_gen_params),
	KUNIT_CASE(lf_engine_test_long_names),
	KUNIT_CASE(lf_engine_test_limits),
	KUNIT_CASE(lf_engine_test_lengths),
	KUNIT_CASE(lf_engine_test_bits),
	{}
};

static struct kunit_suite lf_engine_suite = {
	.name = "liteflow-engine",
	.init = lf_engine_test_init,
	.test_cases = lf_engine_cases,
};

kunit_test_suite(lf_engine_suite);

MODULE_DESCRIPTION("KUnit tests of LiteFlow's engine");
MODULE_LICENSE("GPL");
