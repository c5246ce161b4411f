// SPDX-License-Identifier: GPL-2.0
/* One table for two things: sources under their address, all packets under 0. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);

static __always_inline void count(__be32 key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&counts, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
}

SEC("xdp")
int mixed_keys(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);

	count(0);
	if (ip)
		count(ip->saddr);
	return XDP_PASS;
}
