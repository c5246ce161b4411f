// SPDX-License-Identifier: GPL-2.0
/* One program for each protocol, called through an array. */
#include "nf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int ());
} programs SEC(".maps");

NF_MAP(by_source, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);
NF_MAP(by_dest, BPF_MAP_TYPE_HASH, __be32, __u64, 65536);

static __always_inline void count(void *map, __be32 addr)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(map, &addr);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(map, &addr, &one, BPF_ANY);
}

SEC("xdp")
int count_tcp(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);

	if (ip)
		count(&by_source, ip->saddr);
	return XDP_PASS;
}

SEC("xdp")
int count_udp(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);

	if (ip)
		count(&by_dest, ip->daddr);
	return XDP_PASS;
}

SEC("xdp")
int tail_calls(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);

	if (!ip)
		return XDP_PASS;
	if (ip->protocol == IPPROTO_TCP)
		bpf_tail_call(ctx, &programs, 0);
	else if (ip->protocol == IPPROTO_UDP)
		bpf_tail_call(ctx, &programs, 1);
	return XDP_PASS;
}
