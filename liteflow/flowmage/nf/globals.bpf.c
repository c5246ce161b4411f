// SPDX-License-Identifier: GPL-2.0
/* Settings that only user space changes, and what was seen last. */
#include "nf.h"

const volatile __u32 limit = 1500;
__u64 last_seen;
__u32 oversized;

SEC("xdp")
int globals(struct xdp_md *ctx)
{
	last_seen = bpf_ktime_get_ns();
	if (nf_size(ctx) > limit) {
		__sync_fetch_and_add(&oversized, 1);
		return XDP_DROP;
	}
	return XDP_PASS;
}
