// SPDX-License-Identifier: GPL-2.0
/* One token bucket for everything, in global data. */
#include "nf.h"

__u64 last, tokens = 100000;

SEC("xdp")
int policer_all(struct xdp_md *ctx)
{
	__u64 now = bpf_ktime_get_ns(), size = nf_size(ctx);

	tokens += (now - last) >> 10;
	last = now;
	if (tokens < size)
		return XDP_DROP;
	tokens -= size;
	return XDP_PASS;
}
