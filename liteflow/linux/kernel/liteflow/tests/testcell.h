/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Models that remember, for tests: random ones, and one that is a queue.
 */
#ifndef _KERNEL_LITEFLOW_TESTCELL_H
#define _KERNEL_LITEFLOW_TESTCELL_H

#include <linux/types.h>
#include <linux/liteflow_model.h>

#define LF_TESTCELL_BUF		65536	/* bytes that any random one fits */
#define LF_TESTCELL_STATE	512	/* values that the state of any fits */
#define LF_TESTCELL_SCRATCH	128	/* activations that any needs in a query */
#define LF_TESTCELL_IN		8	/* inputs at most */
#define LF_TESTCELL_OUT		4	/* outputs at most */

/*
 * What lf_testcell_digest() gives for the first models, wherever it runs: some
 * 150,000 answers, and 700,000.
 */
#define LF_TESTCELL_DIGEST_200		0xaf47f353
#define LF_TESTCELL_DIGEST_1000	0xb77be30e

size_t lf_testcell(u32 seed, void *buf, size_t size);
int lf_testcell_digest(u32 n, void *buf, size_t size, u32 *digest, u32 *answers);

/*
 * The queue: inputs are bytes sent since the last packet, this packet's size, nothing,
 * and the limit, all up to LF_TESTQUEUE_MOST but the size; outputs are the backlog, 0,
 * and above 0 if the packet is dropped.
 */
#define LF_TESTQUEUE_SIZE	2048	/* of a packet, at most; not above the limit */
#define LF_TESTQUEUE_MOST	1048576
#define LF_TESTQUEUE_IN		4
#define LF_TESTQUEUE_OUT	3

/**
 * struct lf_testqueue_names - what an app may insist on
 * @units: tag of the units
 * @in: names of the inputs
 * @out: names of the outputs
 */
struct lf_testqueue_names {
	const char *units;
	const char *in[LF_TESTQUEUE_IN];
	const char *out[LF_TESTQUEUE_OUT];
};

size_t lf_testqueue(const struct lf_testqueue_names *names, void *buf, size_t size);
int lf_testqueue_run(u32 seed, u32 packets, void *buf, size_t size, u32 *drops, u32 *wrong);

#endif /* _KERNEL_LITEFLOW_TESTCELL_H */
