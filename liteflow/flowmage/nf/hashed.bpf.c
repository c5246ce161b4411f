// SPDX-License-Identifier: GPL-2.0
/* Counters under a hash of the source: sources that collide share one. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __u32, __u64, 65536);

static __always_inline __u32 mix(__u32 a)
{
	a ^= a >> 16;
	a *= 0x7feb352d;
	a ^= a >> 15;
	a *= 0x846ca68b;
	return (a ^ a >> 16) & 0xffff;
}

SEC("xdp")
int hashed(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;
	__u32 key;

	if (!ip)
		return XDP_PASS;
	key = mix(ip->saddr);
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
