/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FEATURES_H
#define FEATURES_H

#include <linux/types.h>
#include "dump_lb.h"

/* Fills in bits and num of a decision from what was observed. */
void make_features(struct dl_decision *d);

#endif /* FEATURES_H */
