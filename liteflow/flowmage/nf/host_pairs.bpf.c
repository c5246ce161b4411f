// SPDX-License-Identifier: GPL-2.0
/* Packets between two hosts, in both directions together. */
#include "nf.h"

struct pair {
	__u32 low;
	__u32 high;
};

NF_MAP(pairs, BPF_MAP_TYPE_LRU_HASH, struct pair, __u64, 65536);

SEC("xdp")
int host_pairs(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;
	struct pair key;
	__u32 src, dst;

	if (!ip)
		return XDP_PASS;
	src = bpf_ntohl(ip->saddr);
	dst = bpf_ntohl(ip->daddr);
	key.low = src < dst ? src : dst;
	key.high = src < dst ? dst : src;
	n = bpf_map_lookup_elem(&pairs, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&pairs, &key, &one, BPF_ANY);
	return XDP_PASS;
}
