// SPDX-License-Identifier: GPL-2.0
/* A learning bridge: where a MAC address was seen, frames to it go. */
#include "nf.h"

NF_MAP(stations, BPF_MAP_TYPE_LRU_HASH, struct nf_mac, __u32, 4096);
NF_MAP(devices, BPF_MAP_TYPE_DEVMAP, __u32, __u32, 64);

SEC("xdp")
int bridge(struct xdp_md *ctx)
{
	struct ethhdr *eth = nf_at(ctx, 0, sizeof(*eth));
	__u32 from = ctx->ingress_ifindex, *to;
	struct nf_mac key;

	if (!eth)
		return XDP_DROP;
	__builtin_memcpy(&key, eth->h_source, sizeof(key));
	bpf_map_update_elem(&stations, &key, &from, BPF_ANY);
	__builtin_memcpy(&key, eth->h_dest, sizeof(key));
	to = bpf_map_lookup_elem(&stations, &key);
	if (!to)
		return XDP_PASS;
	return bpf_redirect_map(&devices, *to, XDP_PASS);
}
