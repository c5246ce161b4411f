// SPDX-License-Identifier: GPL-2.0
/* An array in global data, indexed by the protocol. */
#include "nf.h"

__u64 counts[256];

SEC("xdp")
int global_table(struct xdp_md *ctx)
{
	struct iphdr *ip = nf_ipv4(ctx);

	if (ip)
		__sync_fetch_and_add(&counts[ip->protocol], 1);
	return XDP_PASS;
}
