/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Things kept once: equal contents have equal numbers, so that states of the interpreter
 * are small and are compared as memory.
 */
#ifndef _FLOWMAGE_INTERN_H
#define _FLOWMAGE_INTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct intern - a table of byte strings that are kept once
 * @item: where each lies
 * @len: bytes of each
 * @n: how many
 * @slot: hash table of numbers + 1
 * @slots: its size, a power of two
 * @bytes: memory of all of them
 */
struct intern {
	void **item;
	uint32_t *len;
	uint32_t n;
	uint32_t *slot;
	uint32_t slots;
	size_t bytes;
};

/* The number of @len bytes: that of an equal item, or a new one. */
uint32_t intern(struct intern *table, const void *item, size_t len);
void intern_free(struct intern *table);

/*
 * Lists of numbers. Some have fixed numbers: none, and "anything", which stands for a list
 * that grew too long or is not known.
 */
enum { LIST_NONE, LIST_ANY };
#define LIST_MAX	192	/* items of a list; longer ones become LIST_ANY */

void lists_begin(void);
void lists_end(void);
size_t lists_bytes(void);
uint32_t list_make(const uint64_t *item, size_t n);
const uint64_t *list_get(uint32_t list, size_t *n);

/* Sets: sorted lists. With LIST_ANY the union is LIST_ANY. */
uint32_t set_add(uint32_t set, uint64_t item);
uint32_t set_union(uint32_t a, uint32_t b);
uint32_t set_common(uint32_t a, uint32_t b);
bool set_has(uint32_t set, uint64_t item);
bool set_within(uint32_t part, uint32_t whole);

#endif /* _FLOWMAGE_INTERN_H */
