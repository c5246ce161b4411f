/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What compare.c asks: a table that test_code.py writes.
 */
#ifndef _TESTS_CODE_COMPARE_H
#define _TESTS_CODE_COMPARE_H

typedef void run_fn(const int *in, int *out);
typedef void step_fn(const int *in, int *out, int *state);

struct compared {
	unsigned int nth;
	run_fn *user;
	run_fn *bpf;	/* NULL: it is too large for a BPF program */
	step_fn *step;	/* of a model that remembers, which has no other */
};

extern const struct compared compared[];
extern const unsigned int n_compared;

#endif /* _TESTS_CODE_COMPARE_H */
