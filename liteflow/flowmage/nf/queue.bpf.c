// SPDX-License-Identifier: GPL-2.0
/* Sources of packets with a time to live of 1 are queued for another program. */
#include "nf.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 256);
	__type(value, __be32);
} waiting SEC(".maps");

SEC("xdp")
int queue(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	__be32 addr;

	if (!ip || ip->ttl != 1)
		return XDP_PASS;
	addr = ip->saddr;
	bpf_map_push_elem(&waiting, &addr, BPF_EXIST);
	return XDP_PASS;
}
