// SPDX-License-Identifier: GPL-2.0
/* Nothing kept, nothing read. */
#include "nf.h"

SEC("xdp")
int drop_all(struct xdp_md *ctx)
{
	return XDP_DROP;
}
