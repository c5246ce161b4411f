// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv6 source. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, struct in6_addr, __u64, 65536);

SEC("xdp")
int count_source6(struct xdp_md *ctx)
{
	struct ipv6hdr *ip = nf_ipv6(ctx);
	struct in6_addr key;
	__u64 one = 1, *n;

	if (!ip)
		return XDP_PASS;
	key = ip->saddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
