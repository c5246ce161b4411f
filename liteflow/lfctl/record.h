/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records as text: CSV with a header, or lines of JSON, as pack --data and lfc read them.
 */
#ifndef _LFCTL_RECORD_H
#define _LFCTL_RECORD_H

#include <stdbool.h>
#include <stdio.h>
#include "liblf.h"

/**
 * struct record_form - where records go
 * @f: there
 * @json: lines of JSON; else CSV
 * @n_in: inputs of a query
 * @n_out: outputs
 * @names: of inputs and outputs, @n_in + @n_out
 */
struct record_form {
	FILE *f;
	bool json;
	unsigned int n_in;
	unsigned int n_out;
	const char (*names)[LF_NAME_LEN];
};

void record_header(const struct record_form *form);
/* @batch: number of the batch that it came in */
void record_print(const struct record_form *form, unsigned long long batch,
		  const struct liteflow_record *r);

#endif /* _LFCTL_RECORD_H */
