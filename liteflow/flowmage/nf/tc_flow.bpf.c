// SPDX-License-Identifier: GPL-2.0
/* Flows at tc: the headers copied out of the packet by the kernel. */
#include "nf.h"

NF_MAP(flows, BPF_MAP_TYPE_LRU_HASH, struct nf_tuple, __u64, 65536);

SEC("tc")
int tc_flow(struct __sk_buff *skb)
{
	struct nf_tuple key = {};
	struct nf_ports ports;
	__u64 one = 1, *n;
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
		return TC_ACT_OK;
	if (ip.protocol != IPPROTO_TCP || ip.ihl < 5)
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + ip.ihl * 4, &ports, sizeof(ports)))
		return TC_ACT_OK;
	key.src = ip.saddr;
	key.dst = ip.daddr;
	key.sport = ports.src;
	key.dport = ports.dst;
	key.proto = ip.protocol;
	n = bpf_map_lookup_elem(&flows, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&flows, &key, &one, BPF_ANY);
	return TC_ACT_OK;
}
