/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What was found in a program: accesses of its maps under their keys, changes of the packet.
 */
#ifndef _FLOWMAGE_RECORD_H
#define _FLOWMAGE_RECORD_H

#include "function.h"
#include "object.h"
#include "state.h"

struct key_record {
	struct fm_key key;
	uint32_t sites;		/* a set of instructions */
};

struct map_record {
	struct key_record *keys;
	uint32_t n_keys;
	struct key_record any;	/* accesses that reach every entry */
	bool used;
	bool cross_cpu;		/* looks at other CPUs' entries */
	char **reasons;
	unsigned int n_reasons;
};

struct record {
	struct object *o;
	struct map_record *maps;
	uint32_t n_maps;
	struct fm_slice *rewrites;
	unsigned int n_rewrites;
	bool rewrites_unknown;
	bool complete;
	char **reasons;
	unsigned int n_reasons;
};

void record_begin(struct record *r, struct object *o);
void record_end(struct record *r);

/* The number of a key in its map; KEY_ANY when there are too many. */
uint32_t record_key(struct record *r, const struct state *s, uint32_t map, const uint32_t *bit,
		    unsigned int size, uint32_t deps);
/* Under KEY_ANY: every entry. */
void record_read(struct record *r, uint32_t map, uint32_t key, uint32_t insn);
void record_write(struct record *r, struct state *s, uint32_t map, uint32_t key, uint32_t insn);
/* The key with source and destination swapped leads to that entry as well. */
uint32_t record_mirror(struct record *r, uint32_t map, uint32_t key);
void record_cross_cpu(struct record *r, uint32_t map);

void record_rewrite(struct record *r, const struct state *s, uint32_t terms, int64_t off,
		    unsigned int size);
/* The program returns: are the writes of this path per packet? */
void record_return(struct record *r, const struct state *s);

/* Something was not understood; with @lost state may be missing. Told once. */
void record_reason(struct record *r, bool lost, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void record_map_reason(struct record *r, uint32_t map, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Moves what was found into @f: its maps, rewrites and reasons. */
void record_report(struct record *r, struct fm_function *f, const char *program, bool explain);

bool map_is_state(const struct object_map *m);
bool map_is_keyed(const struct object_map *m);
bool map_is_per_cpu(const struct object_map *m);

#endif /* _FLOWMAGE_RECORD_H */
