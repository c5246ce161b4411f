// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's torture test: its models.
 *
 * A hidden layer of some width copies the inputs over and over, the last one
 * adds them all up, and the number of the model lies half in the last layer's
 * bias, half in the output's offset:
 *
 *	out = number * LFT_STRIDE + sum of inputs
 */
#include <linux/crc32.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "torture.h"

/* How often each input appears in the hidden layer. */
static unsigned int lft_copies(unsigned int width)
{
	return width / LFT_N_IN;
}

static size_t lft_layer_size(unsigned int n_in, unsigned int n_out)
{
	return ALIGN(n_out * sizeof(__le64) + n_in * n_out * sizeof(__le16), 8);
}

/**
 * lft_blob_size - bytes of a model
 * @width: of its hidden layer, a power of two from LFT_N_IN on
 *
 * Return: the number of bytes that lft_blob() writes.
 */
size_t lft_blob_size(unsigned int width)
{
	return sizeof(struct liteflow_blob_header) +
	       LFT_N_IN * sizeof(struct liteflow_blob_feature) +
	       sizeof(struct liteflow_blob_output) + 2 * sizeof(struct liteflow_blob_layer) +
	       lft_layer_size(LFT_N_IN, width) + lft_layer_size(width, 1);
}

static void lft_put_features(struct liteflow_blob_feature *feature)
{
	unsigned int i;

	for (i = 0; i < LFT_N_IN; i++) {
		snprintf(feature[i].name, LITEFLOW_NAME_LEN, "input-%u", i);
		feature[i].hi = cpu_to_le32(LFT_IN_MAX);
		feature[i].mult = cpu_to_le32(1);
	}
}

/* The parameters of both layers; they are not aligned. */
static void lft_put_layers(u8 *param, unsigned int width, u64 bias)
{
	u8 *weight = param + width * sizeof(__le64);
	unsigned int i;

	for (i = 0; i < width; i++)
		put_unaligned_le16(1, weight + (i * LFT_N_IN + i % LFT_N_IN) * sizeof(__le16));

	param += lft_layer_size(LFT_N_IN, width);
	put_unaligned_le64(bias, param);
	weight = param + sizeof(__le64);
	for (i = 0; i < width; i++)
		put_unaligned_le16(1, weight + i * sizeof(__le16));
}

/**
 * lft_blob - write a model
 * @buf: at least lft_blob_size() bytes, aligned to 8
 * @number: that it answers with, at most LFT_MAX_NUMBER
 * @width: of its hidden layer, a power of two from LFT_N_IN on
 *
 * Return: bytes written.
 */
size_t lft_blob(void *buf, u32 number, unsigned int width)
{
	unsigned int shift = ilog2(lft_copies(width));
	size_t size = lft_blob_size(width);
	struct liteflow_blob_header *header = buf;
	struct liteflow_blob_feature *feature;
	struct liteflow_blob_output *output;
	struct liteflow_blob_layer *layer;

	memset(buf, 0, size);
	header->magic = cpu_to_le32(LITEFLOW_BLOB_MAGIC);
	header->version = cpu_to_le16(LITEFLOW_BLOB_VERSION);
	header->header_len = cpu_to_le16(sizeof(*header));
	header->total_len = cpu_to_le32(size);
	header->n_in = cpu_to_le16(LFT_N_IN);
	header->n_out = cpu_to_le16(1);
	header->n_layers = cpu_to_le16(2);
	snprintf(header->name, sizeof(header->name), "torture-%u", number);
	strscpy(header->units, LFT_UNITS);

	feature = (struct liteflow_blob_feature *)(header + 1);
	lft_put_features(feature);

	output = (struct liteflow_blob_output *)(feature + LFT_N_IN);
	strscpy(output->name, "number");
	output->hi = cpu_to_le32(S32_MAX);
	output->offset = cpu_to_le32((number / 2) * LFT_STRIDE);
	output->mult = cpu_to_le32(1);
	output->shift = shift;

	layer = (struct liteflow_blob_layer *)(output + 1);
	layer[0].type = LITEFLOW_LAYER_DENSE;
	layer[0].act = LITEFLOW_ACT_RELU;
	layer[0].n_in = cpu_to_le16(LFT_N_IN);
	layer[0].n_out = cpu_to_le16(width);
	layer[1].type = LITEFLOW_LAYER_DENSE;
	layer[1].act = LITEFLOW_ACT_NONE;
	layer[1].n_in = cpu_to_le16(width);
	layer[1].n_out = cpu_to_le16(1);

	lft_put_layers((u8 *)(layer + 2), width,
		       (u64)(number - number / 2) * LFT_STRIDE << shift);
	header->crc = cpu_to_le32(crc32_le(~0, buf, size) ^ ~0);
	return size;
}
