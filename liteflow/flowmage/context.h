/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second RSS context of a device, with a key and a table of its own, and the rule that sends
 * IPv6 there. Contexts have numbers, which the kernel chooses.
 */
#ifndef _FLOWMAGE_CONTEXT_H
#define _FLOWMAGE_CONTEXT_H

#include "device.h"

/**
 * struct context - one
 * @used: there is one, or there is to be one
 * @id: its number; 0: not known
 * @rss: key, table and transform; its fields are those of the device
 */
struct context {
	bool used;
	uint32_t id;
	struct rss rss;
};

/* How many contexts the device can have beside the first one: 1 stands for some; 0: none. */
unsigned int context_ability(const char *name);

/*
 * Of a context of which no more than key and table may be known: its number, and what it has now;
 * it is not @used if there is no such thing. 0, or EXIT_OTHER: complained.
 */
int context_find(const struct device *dev, struct context *c);

/* Makes one with @c's key and table, without a rule; sets its number. The same. */
int context_make(const struct device *dev, struct context *c);

/* Gives one these settings, and the rule if it has none; reads both again. The same. */
int context_set(const struct device *dev, const struct context *c);

/* Takes away the rules that lead to it, then itself. The same. */
int context_remove(const struct device *dev, uint32_t id);

#endif /* _FLOWMAGE_CONTEXT_H */
