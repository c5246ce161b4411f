/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the oracle knows of the maps of a program that it runs.
 */
#ifndef _FLOWMAGE_ORATABLE_H
#define _FLOWMAGE_ORATABLE_H

#include <bpf/libbpf.h>
#include "function.h"
#include "orapacket.h"

/* A map, and what is in it: entries of key and value, sorted. */
struct table {
	struct bpf_map *map;
	const struct fm_map *said;	/* NULL: the analysis does not know it */
	const char *name;
	unsigned int key_size;
	unsigned int value_size;	/* of all CPUs */
	unsigned int n;
	uint8_t *entry;
	unsigned int n_old;
	uint8_t *old;
	uint8_t *keys;			/* as the kernel gives them */
	uint8_t *values;
	uint8_t one_key[256];		/* the only key it touched */
	bool has_one;
};

/* The maps that can be compared; the number of them. table_free() frees them. */
unsigned int table_open(struct bpf_object *o, const struct fm_function *f, struct table **tables,
			uint64_t *seed);
void table_free(struct table *t, unsigned int n);

/* The entries that are there now; the ones before become the old ones. */
void table_dump(struct table *t);
void table_empty(struct table *t);

/* Entries that only user space makes: under the packet's own key, so that it finds them. */
void table_furnish(struct table *t, const struct packet *p, uint64_t *seed);

/*
 * The key that the packet has by the analysis, where it is certain; false: the packet has not
 * got the fields.
 */
bool table_predict(const struct fm_key *k, const struct packet *p, uint8_t *key, bool *certain);

#endif /* _FLOWMAGE_ORATABLE_H */
