/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decisions that forward.c times
 */
#ifndef ASK_H
#define ASK_H

#include <sys/types.h>

#include "jc_mlp.h"

extern struct jc_mlp fixed, dense, fl;

unsigned int nothing(const struct jc_lb_obs *d);
unsigned int ask_fixed(const struct jc_lb_obs *d);
unsigned int ask_dense(const struct jc_lb_obs *d);
unsigned int ask_float(const struct jc_lb_obs *d);
unsigned int ask_float_fpu(const struct jc_lb_obs *d);

#endif /* ASK_H */
