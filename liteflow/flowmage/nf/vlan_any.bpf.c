// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv4 destination, behind no, one or two tags. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);

SEC("xdp")
int vlan_any(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end, *at = (void *)(long)ctx->data;
	struct ethhdr *eth = at;
	struct nf_vlan *tag;
	struct iphdr *ip;
	__u64 one = 1, *n;
	__be16 proto;
	__be32 key;
	int i;

	if ((void *)(eth + 1) > end)
		return XDP_PASS;
	proto = eth->h_proto;
	at = eth + 1;
#pragma unroll
	for (i = 0; i < 2; i++) {
		if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
			break;
		tag = at;
		if ((void *)(tag + 1) > end)
			return XDP_PASS;
		proto = tag->proto;
		at = tag + 1;
	}
	ip = at;
	if (proto != bpf_htons(ETH_P_IP) || (void *)(ip + 1) > end)
		return XDP_PASS;
	key = ip->daddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
