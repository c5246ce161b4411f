/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JC_SCHED's tests: networks that answer the same whatever the inputs, or say no to
 * busy CPUs only, and how they get into a slot.
 */
#ifndef _JC_BLOB_H
#define _JC_BLOB_H

#include "../liteflow/lf_nl.h"

#define JC_APP		"jc_sched"
#define JC_N_IN		15
#define JC_ONE		65536

static const char * const jc_names[JC_N_IN] = {
	"src_non_pref", "delta_hot", "cpu_idle", "cpu_not_idle", "cpu_newly_idle",
	"same_node", "prefer_src", "prefer_dst", "src_len", "src_load", "dst_load",
	"dst_len", "delta_faults", "extra_fails", "buddy_hot",
};

/* What a model is like; all zeroes but @hidden and @layers: one that is taken. */
struct jc_shape {
	unsigned int layers;
	unsigned int hidden;
	const char *units;
	bool reversed;
};

/* All weights are 0 but those of jc_only_idle(): the last bias is the answer. */
static inline size_t jc_make(void *buf, const struct jc_shape *shape, int answer)
{
	struct liteflow_blob_header *h = buf;
	struct liteflow_blob_feature *in = lf_blob_begin(buf, JC_N_IN, shape->layers,
						   shape->units ?: "jc-1");
	struct liteflow_blob_output *out = (void *)(in + JC_N_IN);
	unsigned int i, n = JC_N_IN;
	void *at = out + 1;
	__u64 bias = htole64(answer);

	snprintf(h->name, sizeof(h->name), "kselftest-%d", answer);
	for (i = 0; i < JC_N_IN; i++) {
		snprintf(in[i].name, sizeof(in[i].name), "%s",
			 jc_names[shape->reversed ? JC_N_IN - 1 - i : i]);
		in[i].hi = htole32(1);
		in[i].mult = htole32(1);
	}
	snprintf(out->name, sizeof(out->name), "migrate");
	out->hi = htole32(JC_ONE);
	out->mult = htole32(1);
	for (i = 1; i < shape->layers; i++, n = shape->hidden)
		at = lf_blob_layer(at, n, shape->hidden, LITEFLOW_ACT_RELU);
	at = lf_blob_layer(at, n, 1, LITEFLOW_ACT_NONE);
	for (i = 1, n = JC_N_IN; i < shape->layers; i++, n = shape->hidden)
		at += lf_blob_params(n, shape->hidden);
	memcpy(at, &bias, sizeof(bias));
	return lf_blob_end(buf, at + lf_blob_params(n, 1));
}

/*
 * Of a network of shape jc_good that says yes: no where the destination is busy. The
 * only hidden unit is 4 then, and takes 131,068 off the answer.
 */
static inline void jc_only_idle(void *buf, size_t len)
{
	char *params = buf + len - lf_blob_params(1, 1) - lf_blob_params(JC_N_IN, 1);
	__u16 hidden = htole16(4), last = htole16(-32767);
	int i;

	for (i = 0; strcmp(jc_names[i], "cpu_not_idle"); i++)
		;
	memcpy(params + 8 + i * sizeof(hidden), &hidden, sizeof(hidden));
	memcpy(params + lf_blob_params(JC_N_IN, 1) + 8, &last, sizeof(last));
	lf_blob_fix(buf, len);
}

static const struct jc_shape jc_good = { .layers = 2, .hidden = 1 };

/* Of a process that loads one at a time. */
static inline int jc_load(struct lf_sock *s, int slot, const struct jc_shape *shape,
			  int answer)
{
	static char blob[LF_BLOB_ROOM];

	return lf_model_send(s, JC_APP, slot, blob, jc_make(blob, shape, answer));
}

static inline int jc_load_only_idle(struct lf_sock *s, int slot)
{
	static char blob[LF_BLOB_ROOM];
	size_t len = jc_make(blob, &jc_good, JC_ONE);

	jc_only_idle(blob, len);
	return lf_model_send(s, JC_APP, slot, blob, len);
}

#endif /* _JC_BLOB_H */
