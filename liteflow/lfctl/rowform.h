/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The forms that a row of inputs has in a text.
 */
#ifndef _LFCTL_ROWFORM_H
#define _LFCTL_ROWFORM_H

#include <stdint.h>
#include <linux/liteflow_model.h>
#include "net.h"

/**
 * struct row_form - how the lines of a file are to be read
 * @n_in: inputs of a row
 * @names: of the inputs; NULL: unknown
 * @kind: of the lines, found out from the first one
 * @n_columns: CSV: columns
 * @column: CSV: of each column the input that it is, or ROW_OTHER, ROW_KIND
 */
struct row_form {
	unsigned int n_in;
	const char (*names)[LITEFLOW_NAME_LEN];
	enum { ROW_UNKNOWN, ROW_NUMBERS, ROW_CSV, ROW_JSON } kind;
	unsigned int n_columns;
	int *column;
};

enum { ROW_OTHER = -1, ROW_KIND = -2 };

/* 1: a row; 0: a line without one; -1 and a reason. Writes into @line. */
int row_read(struct row_form *form, char *line, int32_t *row, struct reason *why);
void row_form_free(struct row_form *form);

#endif /* _LFCTL_ROWFORM_H */
