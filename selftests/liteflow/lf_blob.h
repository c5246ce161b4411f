/* SPDX-License-Identifier: GPL-2.0 */
/*
 * LiteFlow's tests: the parts of a model, a model that answers with a number plus
 * the sum of its inputs, its checksum, and the digest of a message.
 *
 * That model has as many inputs as are asked for, each from 0 to 1000.
 */
#ifndef _LF_BLOB_H
#define _LF_BLOB_H

#include <endian.h>
#include <stdio.h>
#include <string.h>
#include <linux/liteflow_model.h>
#include <linux/types.h>

#define LF_BLOB_ROOM	(64 << 10)
#define LF_BLOB_IN_MAX	1000

/* CRC-32 of IEEE 802.3, bit by bit */
static inline __u32 lf_crc32(const void *data, size_t len)
{
	const __u8 *p = data;
	__u32 crc = ~0U;
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* After a change by hand. */
static inline void lf_blob_fix(void *blob, size_t len)
{
	struct liteflow_blob_header *h = blob;

	h->crc = 0;
	h->crc = htole32(lf_crc32(blob, len));
}

/*
 * A model with one output in @buf, of LF_BLOB_ROOM bytes: all zeroes, and the header
 * but for the name and what lf_blob_end() finds out. Its features come next.
 */
static inline struct liteflow_blob_feature *lf_blob_begin(void *buf, unsigned int n_in,
							  unsigned int n_layers,
							  const char *units)
{
	struct liteflow_blob_header *h = buf;

	memset(buf, 0, LF_BLOB_ROOM);
	h->magic = htole32(LITEFLOW_BLOB_MAGIC);
	h->version = htole16(LITEFLOW_BLOB_VERSION);
	h->header_len = htole16(sizeof(*h));
	h->n_in = htole16(n_in);
	h->n_out = htole16(1);
	h->n_layers = htole16(n_layers);
	snprintf(h->units, sizeof(h->units), "%s", units);
	return (void *)(h + 1);
}

/* What comes behind the layer: the next one, or the parameters of the first. */
static inline void *lf_blob_layer(void *at, unsigned int n_in, unsigned int n_out, int act)
{
	struct liteflow_blob_layer *layer = at;

	layer->type = LITEFLOW_LAYER_DENSE;
	layer->act = act;
	layer->n_in = htole16(n_in);
	layer->n_out = htole16(n_out);
	return layer + 1;
}

/* Bytes of a layer's biases, weights, and padding. */
static inline size_t lf_blob_params(unsigned int n_in, unsigned int n_out)
{
	return n_out * 8 + (n_in * n_out * 2 + 7) / 8 * 8;
}

/* Length of the model, which ends at @end. */
static inline size_t lf_blob_end(void *buf, const void *end)
{
	struct liteflow_blob_header *h = buf;
	size_t len = end - buf;

	h->total_len = htole32(len);
	lf_blob_fix(buf, len);
	return len;
}

/* Length of the model, which is at most LF_BLOB_ROOM. */
static inline size_t lf_blob_make(void *buf, __s32 number, unsigned int n_in,
				  const char *units)
{
	struct liteflow_blob_header *h = buf;
	struct liteflow_blob_feature *in = lf_blob_begin(buf, n_in, 1, units);
	struct liteflow_blob_output *out = (void *)(in + n_in);
	void *bias = lf_blob_layer(out + 1, n_in, 1, LITEFLOW_ACT_NONE);
	__u64 bias_le = htole64((__s64)number);
	__u16 one = htole16(1);
	unsigned int i;

	snprintf(h->name, sizeof(h->name), "number-%d", number);
	for (i = 0; i < n_in; i++) {
		snprintf(in[i].name, sizeof(in[i].name), "input-%u", i);
		in[i].hi = htole32(LF_BLOB_IN_MAX);
		in[i].mult = htole32(1);
	}
	snprintf(out->name, sizeof(out->name), "number");
	out->lo = htole32(0x80000000);
	out->hi = htole32(0x7fffffff);
	out->mult = htole32(1);
	memcpy(bias, &bias_le, sizeof(bias_le));
	for (i = 0; i < n_in; i++)
		memcpy(bias + 8 + i * sizeof(one), &one, sizeof(one));
	return lf_blob_end(buf, bias + lf_blob_params(n_in, 1));
}

static inline __u32 lf_ror(__u32 x, int n)
{
	return x >> n | x << (32 - n);
}

/*
 * SHA-256 after FIPS 180-4. Its constants are the fractional parts of the square
 * and cube roots of the first primes, found here in integers.
 */
static inline __u32 lf_root_fraction(unsigned int prime, int cube)
{
	__uint128_t n = (__uint128_t)prime << (cube ? 96 : 64), try, power;
	__u64 root = 0;
	int bit;

	/* the largest root with root^2 <= prime * 2^64, or root^3 <= prime * 2^96 */
	for (bit = 36; bit >= 0; bit--) {
		try = root | 1ULL << bit;
		power = cube ? try * try * try : try * try;
		if (power <= n)
			root = try;
	}
	return root;
}

static inline void lf_sha256_block(__u32 h[8], const __u32 k[64], const __u8 *p)
{
	__u32 w[64], v[8], t1, t2;
	int i;

	for (i = 0; i < 16; i++, p += 4)
		w[i] = (__u32)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	for (; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (lf_ror(w[i - 15], 7) ^ lf_ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (lf_ror(w[i - 2], 17) ^ lf_ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(v, h, sizeof(v));
	for (i = 0; i < 64; i++) {
		t1 = v[7] + (lf_ror(v[4], 6) ^ lf_ror(v[4], 11) ^ lf_ror(v[4], 25)) +
		     ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		t2 = (lf_ror(v[0], 2) ^ lf_ror(v[0], 13) ^ lf_ror(v[0], 22)) +
		     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (i = 0; i < 8; i++)
		h[i] += v[i];
}

static inline void lf_sha256(const void *data, size_t len, __u8 digest[32])
{
	unsigned int prime = 1, divisor, n = 0, i;
	__u8 last[128] = {};
	__u32 h[8], k[64];
	size_t rest = len % 64, end = rest < 56 ? 64 : 128;
	const __u8 *p = data;

	while (n < 64) {
		prime++;
		for (divisor = 2; prime % divisor; divisor++)
			;
		if (divisor != prime)
			continue;
		if (n < 8)
			h[n] = lf_root_fraction(prime, 0);
		k[n++] = lf_root_fraction(prime, 1);
	}
	for (i = 0; i < len / 64; i++)
		lf_sha256_block(h, k, p + i * 64);
	memcpy(last, p + len - rest, rest);
	last[rest] = 0x80;
	for (i = 0; i < 8; i++)
		last[end - 1 - i] = (__u64)len * 8 >> 8 * i;
	lf_sha256_block(h, k, last);
	if (end == 128)
		lf_sha256_block(h, k, last + 64);
	for (i = 0; i < 32; i++)
		digest[i] = h[i / 4] >> (24 - i % 4 * 8);
}

#endif /* _LF_BLOB_H */
