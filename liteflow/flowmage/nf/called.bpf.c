// SPDX-License-Identifier: GPL-2.0
/* Functions of their own for parsing and counting, called, not inlined. */
#include "nf.h"

NF_MAP(counts, BPF_MAP_TYPE_HASH, __be64, __u64, 65536);

static __noinline int find(struct xdp_md *ctx, __u64 *key)
{
	struct iphdr *ip = nf_ipv4(ctx);

	if (!ip)
		return -1;
	*key = (__u64)ip->daddr << 32 | ip->saddr;
	return 0;
}

static __noinline void count(__u64 key)
{
	__u64 one = 1, *n = bpf_map_lookup_elem(&counts, &key);

	if (n)
		__sync_fetch_and_add(n, 1);
	else
		bpf_map_update_elem(&counts, &key, &one, BPF_ANY);
}

SEC("xdp")
int called(struct xdp_md *ctx)
{
	__u64 key;

	if (find(ctx, &key))
		return XDP_PASS;
	count(key);
	return XDP_PASS;
}
