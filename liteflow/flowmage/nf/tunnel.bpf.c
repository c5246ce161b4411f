// SPDX-License-Identifier: GPL-2.0
/* IPv4 in IPv4: packets of each inner source. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);

SEC("xdp")
int tunnel(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx), *inner;
	__u64 one = 1, *n;
	__be32 key;

	if (!ip || ip->protocol != IPPROTO_IPIP || ip->ihl != 5)
		return XDP_PASS;
	inner = nf_at(ctx, sizeof(struct ethhdr) + sizeof(*ip), sizeof(*inner));
	if (!inner)
		return XDP_PASS;
	key = inner->saddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
