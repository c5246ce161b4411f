// SPDX-License-Identifier: GPL-2.0
/* Stateless forwarding: a lower time to live, and a device out of a table. */
#include "nf.h"

NF_MAP(routes, BPF_MAP_TYPE_HASH, __be32, __u32, 1024);
NF_MAP(devices, BPF_MAP_TYPE_DEVMAP, __u32, __u32, 64);

SEC("xdp")
int router(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__be32 key;
	__u32 *to;

	if (!ip || ip->ttl <= 1)
		return XDP_PASS;
	key = ip->daddr;
	to = bpf_map_lookup_elem(&routes, &key);
	if (!to)
		return XDP_PASS;
	nf_csum(&ip->check, bpf_htons(ip->ttl << 8), bpf_htons((ip->ttl - 1) << 8));
	ip->ttl--;
	return bpf_redirect_map(&devices, *to, 0);
}
