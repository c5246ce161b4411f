// SPDX-License-Identifier: GPL-2.0
/*
 * A BPF program that asks a model: compiled with -DNAME=, -DN_IN=, -DN_OUT= and the
 * model's header included first.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PASTE(a, b)	a##b
#define RUN(name)	PASTE(name, _run)

struct {
	int in[N_IN];
	int out[N_OUT];
} io;

SEC("xdp")
int ask(struct xdp_md *ctx)
{
	(void)ctx;
	RUN(NAME)(io.in, io.out);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
