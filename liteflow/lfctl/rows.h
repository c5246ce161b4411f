/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Rows of inputs as text in, rows of outputs out.
 */
#ifndef _LFCTL_ROWS_H
#define _LFCTL_ROWS_H

#include <stdint.h>
#include <linux/liteflow_model.h>

/**
 * struct rows - rows that wait for their outputs
 * @n_in: inputs of a row
 * @n_out: outputs
 * @max: this many are asked at a time
 * @n: number of rows that wait
 * @inputs: [n][n_in]
 * @names: of the inputs, @n_in of them: what lfctl collect wrote can then be read as
 *	well; NULL: rows of numbers only
 * @ask: gets the outputs and hands them to rows_print(); an exit status
 * @priv: for @ask
 */
struct rows {
	unsigned int n_in;
	unsigned int n_out;
	unsigned int max;
	unsigned int n;
	int32_t *inputs;
	const char (*names)[LITEFLOW_NAME_LEN];
	int (*ask)(struct rows *rows);
	void *priv;
};

/* All rows of a file, "-" or NULL: of standard input. */
int rows_run(struct rows *rows, const char *file);
void rows_print(const struct rows *rows, const int32_t *outputs);

/* The same, all at once: *@inputs is the caller's to free; complains if there is none. */
int rows_read(const char *file, unsigned int n_in, const char (*names)[LITEFLOW_NAME_LEN],
	      int32_t **inputs, unsigned int *n);

#endif /* _LFCTL_ROWS_H */
