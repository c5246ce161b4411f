/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chain that solve was given, read and put together.
 */
#ifndef _FLOWMAGE_CHAIN_H
#define _FLOWMAGE_CHAIN_H

#include "plan.h"

#define CHAIN_FUNCTIONS	64	/* bits of struct steer_map::functions */

/* A device, "NAME" or "NAME=FILE". 0, or EXIT_OTHER: complained. */
int chain_add_device(struct chain *chain, const char *arg);

/*
 * Functions of a file of flowmage analyze: "FILE", or one of them, "FILE:NAME"; or what analyze
 * takes, "bpf:FILE" or "bpf:FILE:PROGRAM"; behind it "@DEVICE,DEVICE" if not all devices' packets
 * come to it. The same.
 */
int chain_add_functions(struct chain *chain, const char *arg);

/*
 * The wishes of all functions. Packets of the first device meet the functions in the order
 * of the command line, those of the others in the opposite one. @same: [n_same]: maps of these
 * names are one, whatever file they are of. The same.
 */
int chain_steer(struct chain *chain, char *const *same, unsigned int n_same, struct steer *st);

void chain_free(struct chain *chain);

#endif /* _FLOWMAGE_CHAIN_H */
