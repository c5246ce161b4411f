// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv4 source in each VLAN: behind one tag. */
#include "nf.h"

struct vlan_key {
	__u16 vlan;
	__u16 zero;
	__be32 addr;
};

NF_MAP(counts, BPF_MAP_TYPE_HASH, struct vlan_key, __u64, 65536);

SEC("xdp")
int vlan_source(struct xdp_md *ctx)
{
	struct ethhdr *eth = nf_at(ctx, 0, sizeof(*eth) + sizeof(struct nf_vlan) +
				   sizeof(struct iphdr));
	struct vlan_key key = {};
	struct nf_vlan *tag;
	struct iphdr *ip;
	__u64 one = 1, *n;

	if (!eth || eth->h_proto != bpf_htons(ETH_P_8021Q))
		return XDP_PASS;
	tag = (void *)(eth + 1);
	if (tag->proto != bpf_htons(ETH_P_IP))
		return XDP_PASS;
	ip = (void *)(tag + 1);
	key.vlan = bpf_ntohs(tag->tci) & 0xfff;
	key.addr = ip->saddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
