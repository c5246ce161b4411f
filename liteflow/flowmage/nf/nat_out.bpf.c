// SPDX-License-Identifier: GPL-2.0
/* Source NAT on the way out: flows get a port, which both tables then know. */
#include "nf.h"

struct outer {
	__be32 addr;
	__be16 port;
	__be16 zero;
};

NF_MAP(outward, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, struct outer, 65536);
NF_MAP(inward, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, struct nf_tuple, 65536);
__u32 next_port;

SEC("tc")
int nat_out(struct __sk_buff *skb)
{
	struct nf_tuple flow, back;
	struct outer *to, fresh = {};
	struct nf_ports *ports;
	struct iphdr *ip;

	bpf_skb_pull_data(skb, 0);
	ip = (void *)(long)skb->data + sizeof(struct ethhdr);
	if ((void *)(ip + 1) > (void *)(long)skb->data_end)
		return TC_ACT_OK;
	if (skb->protocol != bpf_htons(ETH_P_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return TC_ACT_OK;
	ports = (void *)(ip + 1);
	if ((void *)(ports + 1) > (void *)(long)skb->data_end)
		return TC_ACT_OK;
	flow = (struct nf_tuple){
		.src = ip->saddr,
		.dst = ip->daddr,
		.sport = ports->src,
		.dport = ports->dst,
		.proto = ip->protocol,
	};
	to = bpf_map_lookup_elem(&outward, &flow);
	if (!to) {
		fresh.addr = bpf_htonl(0xc0000201);
		fresh.port = bpf_htons(1024 + (__sync_fetch_and_add(&next_port, 1) & 0x7fff));
		back = (struct nf_tuple){
			.src = ip->daddr,
			.dst = fresh.addr,
			.sport = ports->dst,
			.dport = fresh.port,
			.proto = ip->protocol,
		};
		bpf_map_update_elem(&inward, &back, &flow, BPF_ANY);
		bpf_map_update_elem(&outward, &flow, &fresh, BPF_ANY);
	} else {
		fresh = *to;
	}
	ip->saddr = fresh.addr;
	ports->src = fresh.port;
	return TC_ACT_OK;
}
