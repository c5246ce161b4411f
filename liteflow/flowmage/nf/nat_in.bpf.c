// SPDX-License-Identifier: GPL-2.0
/* Source NAT on the way back: the table that nat_out fills gives the inner address. */
#include "nf.h"

NF_MAP(inward, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, struct nf_tuple, 65536);

SEC("xdp")
int nat_in(struct xdp_md *ctx)
{
	struct nf_tuple flow, *inner;
	struct nf_ports *ports;
	struct iphdr *ip;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	inner = bpf_map_lookup_elem(&inward, &flow);
	if (!inner)
		return XDP_PASS;
	ip = nf_at(ctx, sizeof(struct ethhdr), sizeof(*ip) + sizeof(*ports));
	if (!ip || ip->ihl != 5)
		return XDP_DROP;
	ports = (void *)(ip + 1);
	nf_csum(&ip->check, ip->daddr & 0xffff, inner->src & 0xffff);
	nf_csum(&ip->check, ip->daddr >> 16, inner->src >> 16);
	ip->daddr = inner->src;
	ports->dst = inner->sport;
	return XDP_PASS;
}
