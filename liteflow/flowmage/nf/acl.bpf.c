// SPDX-License-Identifier: GPL-2.0
/* An access list of prefixes that only user space writes. */
#include "nf.h"

struct prefix {
	__u32 bits;
	__be32 addr;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} rules SEC(".maps");

SEC("xdp")
int acl(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);
	struct prefix key = { .bits = 32 };

	if (!ip)
		return XDP_PASS;
	key.addr = ip->saddr;
	return bpf_map_lookup_elem(&rules, &key) ? XDP_DROP : XDP_PASS;
}
