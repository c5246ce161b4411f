// SPDX-License-Identifier: GPL-2.0
/*
 * The decisions that forward.c times, built with the kernel's flags
 */
#include "ask.h"

static char xsave_area[16384] __attribute__((aligned(64)));

unsigned int nothing(const struct jc_lb_obs *d)
{
	return d->src_len;
}

unsigned int ask_fixed(const struct jc_lb_obs *d)
{
	struct jc_features f;

	jc_features(d, &f);
	return jc_mlp_forward_fixed(&fixed, &f) > JC_THRESHOLD;
}

unsigned int ask_dense(const struct jc_lb_obs *d)
{
	struct jc_features f;

	jc_features(d, &f);
	return jc_mlp_forward_fixed(&dense, &f) > JC_THRESHOLD;
}

unsigned int ask_float(const struct jc_lb_obs *d)
{
	struct jc_features f;

	jc_features(d, &f);
	return jc_mlp_forward_float(&fl, &f);
}

/*
 * kernel_fpu_begin() cannot run here. What it costs is saving the registers
 * of the task that was interrupted and setting MXCSR: both can be had in user
 * space, XSAVEC in place of XSAVES.
 */
unsigned int ask_float_fpu(const struct jc_lb_obs *d)
{
	static const u32 mxcsr = 0x1f80;

	asm volatile("xsavec64 %0" : "=m" (xsave_area) : "a" (~0U), "d" (~0U));
	asm volatile("ldmxcsr %0" : : "m" (mxcsr));
	return ask_float(d);
}
