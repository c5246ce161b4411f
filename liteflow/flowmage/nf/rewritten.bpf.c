// SPDX-License-Identifier: GPL-2.0
/* The destination is changed, and then counted: the key is not what came in. */
#include "nf.h"

NF_MAP(targets, BPF_MAP_TYPE_HASH, __be32, __be32, 1024);
NF_MAP(counts, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);

SEC("xdp")
int rewritten(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;
	__be32 key, *to;

	if (!ip)
		return XDP_PASS;
	key = ip->daddr;
	to = bpf_map_lookup_elem(&targets, &key);
	if (!to)
		return XDP_PASS;
	*(volatile __be32 *)&ip->daddr = *to;
	key = *(volatile __be32 *)&ip->daddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
