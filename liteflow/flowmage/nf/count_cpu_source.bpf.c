// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv4 source, counted by each CPU. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_LRU_PERCPU_HASH, __be32, __u64, 65536);

SEC("xdp")
int count_cpu_source(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;
	__be32 key;

	if (!ip)
		return XDP_PASS;
	key = ip->saddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		(*n)++;
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
