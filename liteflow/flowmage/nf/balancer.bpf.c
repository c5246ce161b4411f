// SPDX-License-Identifier: GPL-2.0
/* A load balancer: services, their servers, and a table that keeps flows at theirs. */
#include "nf.h"

struct service {
	__be32 addr;
	__be16 port;
	__u8 proto;
	__u8 zero;
};

struct server {
	__be32 addr;
	struct nf_mac mac;
};

NF_MAP(services, BPF_MAP_TYPE_HASH, struct service, __u32, 256);
NF_MAP(servers, BPF_MAP_TYPE_ARRAY, __u32, struct server, 4096);
NF_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, __u32, 65536);

SEC("xdp")
int balancer(struct xdp_md *ctx)
{
	struct service service = {};
	struct nf_tuple flow;
	struct server *server;
	struct ethhdr *eth;
	struct iphdr *ip;
	__u32 *base, *known, index;

	if (!nf_flow(ctx, &flow))
		return XDP_PASS;
	service.addr = flow.dst;
	service.port = flow.dport;
	service.proto = flow.proto;
	base = bpf_map_lookup_elem(&services, &service);
	if (!base)
		return XDP_PASS;
	known = bpf_map_lookup_elem(&flows, &flow);
	if (known) {
		index = *known;
	} else {
		index = *base + (flow.src ^ flow.sport) % 16;
		bpf_map_update_elem(&flows, &flow, &index, BPF_ANY);
	}
	server = bpf_map_lookup_elem(&servers, &index);
	if (!server)
		return XDP_DROP;
	eth = nf_at(ctx, 0, sizeof(*eth) + sizeof(*ip));
	if (!eth)
		return XDP_DROP;
	ip = (void *)(eth + 1);
	__builtin_memcpy(eth->h_source, eth->h_dest, ETH_ALEN);
	__builtin_memcpy(eth->h_dest, &server->mac, ETH_ALEN);
	nf_csum(&ip->check, ip->daddr & 0xffff, server->addr & 0xffff);
	nf_csum(&ip->check, ip->daddr >> 16, server->addr >> 16);
	ip->daddr = server->addr;
	return XDP_TX;
}
