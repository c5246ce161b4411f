// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer on lf_model_parse(), and on what it accepts, see check.c.
 *
 * A blob that is changed anywhere has a wrong checksum, so the mutator repairs
 * what it breaks, most of the time.
 */
#include <endian.h>
#include <string.h>

#include <linux/liteflow_engine.h>
#include "check.h"
#include "testmodel.h"

size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	check(data, size, NULL);
	return 0;
}

/* The mutator. */

static u32 rnd(u32 *state, u32 below)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % below;
}

static size_t fresh(u8 *data, size_t max, u32 *state)
{
	const struct lf_testmodel_spec spec = {
		.n_in = 1 + rnd(state, 6), .n_layers = 1 + rnd(state, 4),
		.width = 1 + rnd(state, 20), .act = LF_TESTMODEL_ANY, .last = LF_TESTMODEL_ANY,
		.n_out = 1 + rnd(state, 3), .weight_bits = rnd(state, 16),
		.provenance = rnd(state, 2) ? "fuzzing!" : NULL,
	};

	return lf_testmodel(rnd(state, 1 << 20), &spec, data, max);
}

static void put(u8 *at, int size, u64 value)
{
	for (int i = 0; i < size; i++)
		at[i] = value >> 8 * i;
}

static u64 odd_value(u32 *state)
{
	int shift = rnd(state, 64);

	switch (rnd(state, 4)) {
	case 0:
		return rnd(state, 70);
	case 1:
		return 1ULL << shift;
	case 2:
		return (1ULL << shift) - 1;
	}
	return -(1ULL << shift) - rnd(state, 2);
}

/* One field of a struct liteflow_blob_feature, or more that belong together. */
static void edit_scale(u8 *at, u32 *state)
{
	static const u8 places[] = { 0, 31, 32, 36, 40, 44, 48, 49 };
	static const u32 ends[] = { 0, INT32_MIN, INT32_MAX };
	u8 place = places[rnd(state, sizeof(places))];

	if (!rnd(state, 8)) {
		memset(at, 'x', LITEFLOW_NAME_LEN);
		return;
	}
	if (!rnd(state, 8)) {
		for (int i = 32; i < 44; i += 4)
			put(at + i, 4, ends[rnd(state, 3)]);
		put(at + 44, 4, INT32_MAX);
		put(at + 48, 1, LITEFLOW_MAX_SHIFT);
		return;
	}
	put(at + place, place < 32 || place > 44 ? 1 : 4, odd_value(state));
}

static void edit_header(u8 *data, u32 *state)
{
	static const u8 places[] = { 16, 18, 20, 22, 24, 32, 64 };
	u8 place = places[rnd(state, sizeof(places))];

	put(data + place, place == 24 ? 4 : place < 32 ? 2 : 1, odd_value(state));
}

static void edit_layer(u8 *at, u32 *state)
{
	int place = rnd(state, 6);

	put(at + (place == 5 ? 6 : place), place < 4 ? 1 : 2, odd_value(state));
}

static void edit(u8 *data, size_t size, u32 *state)
{
	const struct liteflow_blob_header *h = (void *)data;
	u32 n_scales = le16toh(h->n_in) + le16toh(h->n_out), n_layers = le16toh(h->n_layers);
	size_t layers = sizeof(*h) + n_scales * sizeof(struct liteflow_blob_feature);
	size_t params = layers + n_layers * sizeof(struct liteflow_blob_layer);

	if (!n_scales || !n_layers || params + 8 >= size) {
		edit_header(data, state);
		return;
	}
	switch (rnd(state, 10)) {
	case 0:
		edit_header(data, state);
		break;
	case 8:
		/* provenance */
		data[size - 1 - rnd(state, 8)] = odd_value(state);
		break;
	case 9:
		/* rows alike */
		memset(data + params, 0, size - params);
		break;
	case 1:
		edit_layer(data + layers +
			   rnd(state, n_layers) * sizeof(struct liteflow_blob_layer), state);
		break;
	case 2:
	case 3:
		edit_scale(data + sizeof(*h) + rnd(state, n_scales) *
			   sizeof(struct liteflow_blob_feature), state);
		break;
	case 4:
		put(data + params + rnd(state, size - params - 8), 8, odd_value(state));
		break;
	default:
		put(data + params + rnd(state, size - params - 8), 2, odd_value(state));
	}
}

/* One output less or one more; its parameters stay as they are. */
static size_t resize_outputs(u8 *data, size_t size, size_t max, u32 *state)
{
	const size_t len = sizeof(struct liteflow_blob_output);
	struct liteflow_blob_header *h = (void *)data;
	u16 n_out = le16toh(h->n_out);
	size_t end = sizeof(*h) + (le16toh(h->n_in) + n_out) * len;

	if (!n_out || end > size || size + len > max)
		return size;
	if (rnd(state, 2)) {
		memmove(data + end - len, data + end, size - end);
		h->n_out = htole16(n_out - 1);
		return size - len;
	}
	memmove(data + end + len, data + end, size - end);
	memcpy(data + end, data + end - len, len);
	data[end] = 'a' + rnd(state, 26);
	h->n_out = htole16(n_out + 1);
	return size + len;
}

/*
 * Make lengths add up. With @chain, make the shapes fit each other and the
 * provenance take what is left; without, leave shapes alone and let the blob end
 * where they say.
 */
static size_t repair(u8 *data, size_t size, size_t max, bool chain)
{
	const size_t text = offsetof(struct liteflow_blob_header, provenance_len);
	struct liteflow_blob_header *h = (void *)data;
	u32 n_scales = le16toh(h->n_in) + le16toh(h->n_out), n_layers = le16toh(h->n_layers);
	size_t at = sizeof(*h) + n_scales * sizeof(struct liteflow_blob_feature);
	size_t params = at + n_layers * sizeof(struct liteflow_blob_layer);
	u16 n_in = le16toh(h->n_in);

	if (params > size)
		return size;
	for (u32 k = 0; k < n_layers; k++, at += sizeof(struct liteflow_blob_layer)) {
		u16 n_out = data[at + 6] | data[at + 7] << 8;

		if (chain)
			put(data + at + 4, 2, n_in);
		else
			n_in = data[at + 4] | data[at + 5] << 8;
		params += (8 * (size_t)n_out + 2 * (size_t)n_in * n_out + 7) & ~7ull;
		n_in = n_out;
	}
	if (chain) {
		if (params <= size && !((size - params) & 7) &&
		    le32toh(h->provenance_len) > size - params)
			put(data + text, 4, size - params);
		return size;
	}
	if (params > max)
		return size;
	if (params > size)
		memset(data + size, 0, params - size);
	put(data + text, 4, 0);
	return params;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned int seed)
{
	u32 state = seed;
	int n = 1 + rnd(&state, 4);

	if (size < sizeof(struct liteflow_blob_header) || !rnd(&state, 64)) {
		size = fresh(data, max, &state);
		if (!size)
			size = LLVMFuzzerMutate(data, 0, max);
	}
	if (size < sizeof(struct liteflow_blob_header))
		return size;
	if (rnd(&state, 3)) {
		for (; n; n--)
			edit(data, size, &state);
	} else {
		size = LLVMFuzzerMutate(data, size, max);
		if (size < sizeof(struct liteflow_blob_header))
			return size;
	}
	if (!rnd(&state, 16))
		size = resize_outputs(data, size, max, &state);
	if (rnd(&state, 4))
		size = repair(data, size, max, rnd(&state, 4));
	if (rnd(&state, 8)) {
		put(data, 4, LITEFLOW_BLOB_MAGIC);
		put(data + 4, 2, LITEFLOW_BLOB_VERSION);
		put(data + 6, 2, sizeof(struct liteflow_blob_header));
	}
	if (rnd(&state, 16))
		lf_testmodel_fix(data, size);
	return size;
}
