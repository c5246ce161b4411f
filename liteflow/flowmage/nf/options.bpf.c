// SPDX-License-Identifier: GPL-2.0
/* UDP ports behind an IPv4 header with options. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, struct nf_ports, __u64, 65536);

SEC("xdp")
int options(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct nf_ports *ports, key;
	__u64 one = 1, *n;

	if (!ip || ip->protocol != IPPROTO_UDP || ip->ihl < 6)
		return XDP_PASS;
	ports = nf_transport(ctx, ip, sizeof(*ports));
	if (!ports)
		return XDP_PASS;
	key = *ports;
	n = bpf_map_lookup_elem(&counts, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
	return XDP_PASS;
}
