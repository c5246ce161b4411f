// SPDX-License-Identifier: GPL-2.0
/* Packets of each IPv4 source at each device. */
#include "nf.h"

struct device_key {
	__u32 device;
	__be32 addr;
};

NF_MAP(counts, BPF_MAP_TYPE_HASH, struct device_key, __u64, 65536);

SEC("xdp")
int device_source(struct xdp_md *ctx)
{
	struct device_key key = { .device = ctx->ingress_ifindex };
	struct iphdr *ip = nf_ipv4(ctx);
	__u64 one = 1, *n;

	if (!ip)
		return XDP_PASS;
	key.addr = ip->saddr;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
