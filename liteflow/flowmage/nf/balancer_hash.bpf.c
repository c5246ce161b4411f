// SPDX-License-Identifier: GPL-2.0
/* A load balancer without a table of flows: a hash chooses the server. */
#include "nf.h"

NF_MAP(servers, BPF_MAP_TYPE_ARRAY, __u32, __be32, 64);

SEC("xdp")
int balancer_hash(struct xdp_md *ctx)
{
	struct nf_tuple flow;
	struct iphdr *ip;
	__be32 *server;
	__u32 index;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	index = ((flow.src ^ flow.dst ^ flow.sport ^ flow.dport) * 0x9e3779b1) >> 26;
	server = bpf_map_lookup_elem(&servers, &index);
	ip = nf_ipv4(ctx);
	if (!server || !ip)
		return XDP_DROP;
	ip->daddr = *server;
	return XDP_TX;
}
