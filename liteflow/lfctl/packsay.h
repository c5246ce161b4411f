/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lfctl model pack says of a model that it made.
 */
#ifndef _LFCTL_PACKSAY_H
#define _LFCTL_PACKSAY_H

#include <stddef.h>
#include <stdio.h>
#include "net.h"
#include "pack.h"

/**
 * struct pack_said - what there is to say
 * @net: the network
 * @bytes: of the model
 * @estimate: errors to expect
 * @data: rows that were given, or NULL
 * @uniform: of --check, unless no row was asked for
 * @near_zero: likewise
 */
struct pack_said {
	const struct net *net;
	size_t bytes;
	const struct pack_estimate *estimate;
	const struct pack_data *data;
	struct pack_error uniform;
	struct pack_error near_zero;
};

/* As text to @f, or as one JSON object to standard output. */
void pack_say(FILE *f, const struct pack_said *said);

#endif /* _LFCTL_PACKSAY_H */
