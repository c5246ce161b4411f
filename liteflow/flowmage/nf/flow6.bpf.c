// SPDX-License-Identifier: GPL-2.0
/* Flows over IPv6 without extension headers, with the protocol in the key. */
#include "nf.h"

struct flow6 {
	struct in6_addr src;
	struct in6_addr dst;
	__be16 sport;
	__be16 dport;
	__u32 proto;
};

NF_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct flow6, __u64, 65536);

SEC("xdp")
int flow6(struct xdp_md *ctx)
{
	struct ipv6hdr *ip = nf_ipv6(ctx);
	struct nf_ports *ports;
	struct flow6 key = {};
	__u64 one = 1, *n;

	if (!ip || (ip->nexthdr != IPPROTO_TCP && ip->nexthdr != IPPROTO_UDP))
		return XDP_PASS;
	ports = nf_at(ctx, sizeof(struct ethhdr) + sizeof(*ip), sizeof(*ports));
	if (!ports)
		return XDP_PASS;
	key.src = ip->saddr;
	key.dst = ip->daddr;
	key.sport = ports->src;
	key.dport = ports->dst;
	key.proto = ip->nexthdr;
	n = bpf_map_lookup_elem(&flows, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&flows, &key, &one, BPF_ANY);
	return XDP_PASS;
}
