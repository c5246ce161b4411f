/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two devices as drivers keep them, and what can go wrong with them, for the tests of apply.
 */
#ifndef _FLOWMAGE_FAKEDEV_H
#define _FLOWMAGE_FAKEDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include "apply.h"

#define QUEUES	4
#define KEY	40
#define TABLE	128
#define CONTEXTS 4
#define RULES	8

struct fake_context {
	bool used;
	uint8_t key[KEY];
	uint32_t table[TABLE];
};

struct fake_rule {
	uint32_t flow_type;	/* 0: none */
	uint32_t context;
	uint64_t ring;
};

/**
 * struct fake - a device as its driver keeps it
 * @left: it steers by itself, and does not tell
 * @other: another driver's
 * @n_contexts: how many RSS contexts it can have, numbered from 1
 * @places: rules go to places that the user names
 */
struct fake {
	char name[IFNAMSIZ];
	unsigned int queues;
	uint8_t key[KEY];
	uint32_t table[TABLE];
	uint8_t fields[FLOW_TYPES];
	unsigned int rules;
	bool left;
	bool other;
	unsigned int n_contexts;
	bool places;
	struct fake_context context[CONTEXTS];
	struct fake_rule rule[RULES];
};

/* What goes wrong: at the call that sets something and has this number, from 1; 0: none. */
struct fault {
	unsigned int calls;
	unsigned int refuse_at;
	unsigned int refuse_to;
	unsigned int ignore_at;
	unsigned int die_at;
	unsigned int die_after;
};

/* Both outlive a process that dies. */
extern struct fake *fakes;
extern struct fault *fault;

/* 0, or -1: no memory. */
int fake_begin(void);
void fake_reset(void);
bool fake_is(const struct fake *before);

/* A plan that changes fields, key and table of both devices. */
void make_plan(struct plan *plan, uint8_t mark);
bool has(const struct plan *plan);
bool kept(const char *dir, const char *name);
void wipe(const char *dir);

#endif /* _FLOWMAGE_FAKEDEV_H */
