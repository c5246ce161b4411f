// SPDX-License-Identifier: GPL-2.0
/* A source is let in after it has knocked at three ports in turn. */
#include "nf.h"

NF_MAP(stages, BPF_MAP_TYPE_HASH, __be32, __u32, 4096);

SEC("xdp")
int port_knock(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__u32 *stage, first = 1;
	struct tcphdr *tcp;
	__be32 key;

	if (!ip)
		return XDP_PASS;
	tcp = nf_tcp(ctx, ip);
	if (!tcp)
		return XDP_PASS;
	key = ip->saddr;
	stage = bpf_map_lookup_elem(&stages, &key);
	if (!stage) {
		if (tcp->dest == bpf_htons(7000))
			bpf_map_update_elem(&stages, &key, &first, BPF_ANY);
		return XDP_DROP;
	}
	if (*stage == 3)
		return XDP_PASS;
	if (*stage == 1 && tcp->dest == bpf_htons(8000))
		*stage = 2;
	else if (*stage == 2 && tcp->dest == bpf_htons(9000))
		*stage = 3;
	else
		bpf_map_delete_elem(&stages, &key);
	return XDP_DROP;
}
