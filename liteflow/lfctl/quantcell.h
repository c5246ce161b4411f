/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Recurrent layers in integers: what quant.c and pack.c need of them.
 */
#ifndef _LFCTL_QUANTCELL_H
#define _LFCTL_QUANTCELL_H

#include "quant.h"

struct pack_data;
struct values;

/*
 * What the state of each recurrent layer has to keep: as the network says, or else what
 * it reaches in the sequence @data, or in random ones, and the margin.
 */
int quant_state_max(const struct net *net, const struct pack_data *data, double *most,
		    struct reason *why);

/* All recurrent layers and the model's inputs. @top: result: what goes into the dense ones. */
int quant_cells(struct quant *q, const struct quant_options *opts, struct values *top,
		struct reason *why);
void quant_free_cells(struct quant *q);

#endif /* _LFCTL_QUANTCELL_H */
