// SPDX-License-Identifier: GPL-2.0
/* Packets of each source, IPv4 and IPv6 in tables of their own. */
#include "nf.h"

NF_MAP(counts4, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);
NF_MAP(counts6, BPF_MAP_TYPE_HASH, struct in6_addr, __u64, 65536);

static __always_inline void count(void *map, void *key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(map, key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(map, key, &one, BPF_ANY);
}

SEC("xdp")
int dual_stack(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct ipv6hdr *ip6 = nf_ipv6(ctx);
	struct in6_addr key6;
	__be32 key;

	if (ip) {
		key = ip->saddr;
		count(&counts4, &key);
	} else if (ip6) {
		key6 = ip6->saddr;
		count(&counts6, &key6);
	}
	return XDP_PASS;
}
