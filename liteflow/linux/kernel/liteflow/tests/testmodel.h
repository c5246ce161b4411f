/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Models for tests, made from a number.
 */
#ifndef _KERNEL_LITEFLOW_TESTMODEL_H
#define _KERNEL_LITEFLOW_TESTMODEL_H

#include <linux/types.h>
#include <linux/liteflow_model.h>

/* As lf_testmodel_spec::act and ::last: any. */
#define LF_TESTMODEL_ANY	0xff

/**
 * struct lf_testmodel_spec - what a test model is like
 * @n_in: inputs; 0: any from 1 to 32
 * @n_out: outputs; 0: any from 1 to 8
 * @n_layers: layers; 0: any from 1 to 4
 * @width: outputs of layers that are not the last; 0: any from 1 to 48
 * @widths: the same for each layer, the last one, too; NULL: @width for all
 * @act: activation of layers that are not the last: LITEFLOW_ACT_*, not argmax, or
 *	LF_TESTMODEL_ANY
 * @last: activation of the last layer, or LF_TESTMODEL_ANY, which is argmax
 *	only if there is one output; with argmax the layer has @width outputs
 * @weight_bits: magnitude of weights, at most 15; 0: any, large ones make sums
 *	wider than 32 bits
 * @units: tag; NULL: "test"
 * @provenance: text; NULL: none
 * @features: names of the inputs; NULL: "x0", "x1" and so on
 */
struct lf_testmodel_spec {
	u16 n_in;
	u16 n_out;
	u16 width;
	u8 n_layers;
	u8 act;
	u8 last;
	u8 weight_bits;
	const u16 *widths;
	const char *units;
	const char *provenance;
	const char *const *features;
};

size_t lf_testmodel(u32 seed, const struct lf_testmodel_spec *spec, void *buf, size_t size);
size_t lf_testmodel_constant(s32 value, const struct lf_testmodel_spec *spec, void *buf,
			     size_t size);
void lf_testmodel_fix(void *blob, size_t len);
void lf_testmodel_inputs(u32 seed, const void *blob, s32 *in);

/*
 * What lf_testmodel_digest() gives for the first models in a buffer of
 * LF_TESTMODEL_DIGEST_BUF bytes, wherever it runs.
 */
#define LF_TESTMODEL_DIGEST_BUF		65536
#define LF_TESTMODEL_DIGEST_1000	0x9c7807c7
#define LF_TESTMODEL_DIGEST_100000	0x839d2cef

int lf_testmodel_digest(u32 n, void *buf, size_t size, u32 *digest);

#endif /* _KERNEL_LITEFLOW_TESTMODEL_H */
