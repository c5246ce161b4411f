// SPDX-License-Identifier: GPL-2.0
/* A token bucket for each IPv4 destination. */
#include "nf.h"

struct bucket {
	__u64 last;
	__u64 tokens;
};

NF_MAP(buckets, BPF_MAP_TYPE_HASH, __be32, struct bucket, 65536);

SEC("xdp")
int policer_dest(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 now = bpf_ktime_get_ns(), size = nf_size(ctx);
	struct bucket *b, fresh = { .last = now, .tokens = 100000 };
	__be32 key;

	if (!ip)
		return XDP_PASS;
	key = ip->daddr;
	b = bpf_map_lookup_elem(&buckets, &key);
	if (!b) {
		bpf_map_update_elem(&buckets, &key, &fresh, BPF_ANY);
		return XDP_PASS;
	}
	b->tokens += (now - b->last) >> 10;
	b->last = now;
	if (b->tokens > 100000)
		b->tokens = 100000;
	if (b->tokens < size)
		return XDP_DROP;
	b->tokens -= size;
	return XDP_PASS;
}
