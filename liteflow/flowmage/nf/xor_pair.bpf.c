// SPDX-License-Identifier: GPL-2.0
/* Counters under the exclusive or of both addresses. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __u32, __u64, 65536);

SEC("xdp")
int xor_pair(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;
	__u32 key;

	if (!ip)
		return XDP_PASS;
	key = ip->saddr ^ ip->daddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
