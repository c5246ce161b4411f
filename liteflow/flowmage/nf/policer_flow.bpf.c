// SPDX-License-Identifier: GPL-2.0
/* A token bucket under a spin lock for each flow. */
#include "nf.h"

struct bucket {
	struct bpf_spin_lock lock;
	__u64 last;
	__u64 tokens;
};

NF_MAP(buckets, BPF_MAP_TYPE_HASH, struct nf_tuple, struct bucket, 65536);

SEC("xdp")
int policer_flow(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns(), size = nf_size(ctx);
	struct bucket *b, fresh = { .last = now, .tokens = 100000 };
	struct nf_tuple flow;
	int verdict = XDP_DROP;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	b = bpf_map_lookup_elem(&buckets, &flow);
	if (!b) {
		bpf_map_update_elem(&buckets, &flow, &fresh, BPF_NOEXIST);
		return XDP_PASS;
	}
	bpf_spin_lock(&b->lock);
	b->tokens += (now - b->last) >> 10;
	b->last = now;
	if (b->tokens >= size) {
		b->tokens -= size;
		verdict = XDP_PASS;
	}
	bpf_spin_unlock(&b->lock);
	return verdict;
}
