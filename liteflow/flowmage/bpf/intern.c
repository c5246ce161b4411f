// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "intern.h"

static struct intern lists;

/* FNV-1a over words, then folded; the rest of it byte by byte. */
static uint64_t hash(const void *item, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull, word;
	const unsigned char *p = item;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = (h ^ word) * 0x100000001b3ull;
		h ^= h >> 29;
	}
	for (; len; len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h ^ h >> 32;
}

static void grow(struct intern *t)
{
	uint32_t *old = t->slot, slots = t->slots, i, at;

	t->slots = slots ? 2 * slots : 1024;
	t->slot = calloc(t->slots, sizeof(*t->slot));
	t->item = realloc(t->item, t->slots * sizeof(*t->item));
	t->len = realloc(t->len, t->slots * sizeof(*t->len));
	for (i = 0; i < slots; i++) {
		if (!old[i])
			continue;
		at = hash(t->item[old[i] - 1], t->len[old[i] - 1]) & (t->slots - 1);
		while (t->slot[at])
			at = (at + 1) & (t->slots - 1);
		t->slot[at] = old[i];
	}
	free(old);
}

uint32_t intern(struct intern *t, const void *item, size_t len)
{
	uint32_t at;

	if (2 * t->n >= t->slots)
		grow(t);
	at = hash(item, len) & (t->slots - 1);
	for (; t->slot[at]; at = (at + 1) & (t->slots - 1))
		if (t->len[t->slot[at] - 1] == len &&
		    !memcmp(t->item[t->slot[at] - 1], item, len))
			return t->slot[at] - 1;
	t->item[t->n] = malloc(len + 1);
	memcpy(t->item[t->n], item, len);
	t->len[t->n] = len;
	t->bytes += len + 32;
	t->slot[at] = ++t->n;
	return t->n - 1;
}

void intern_free(struct intern *t)
{
	uint32_t i;

	for (i = 0; i < t->n; i++)
		free(t->item[i]);
	free(t->item);
	free(t->len);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}

void lists_begin(void)
{
	const uint64_t any = UINT64_MAX;

	lists_end();
	intern(&lists, "", 0);
	intern(&lists, &any, sizeof(any));
}

void lists_end(void)
{
	intern_free(&lists);
}

size_t lists_bytes(void)
{
	return lists.bytes;
}

uint32_t list_make(const uint64_t *item, size_t n)
{
	return n > LIST_MAX ? LIST_ANY : intern(&lists, item, n * sizeof(*item));
}

const uint64_t *list_get(uint32_t list, size_t *n)
{
	*n = lists.len[list] / sizeof(uint64_t);
	return lists.item[list];
}

uint32_t set_union(uint32_t a, uint32_t b)
{
	uint64_t both[2 * LIST_MAX];
	size_t na, nb, i = 0, j = 0, n = 0;
	const uint64_t *pa, *pb;

	if (a == b || b == LIST_NONE)
		return a;
	if (a == LIST_NONE)
		return b;
	if (a == LIST_ANY || b == LIST_ANY)
		return LIST_ANY;
	pa = list_get(a, &na);
	pb = list_get(b, &nb);
	while (i < na || j < nb) {
		if (j == nb || (i < na && pa[i] < pb[j]))
			both[n++] = pa[i++];
		else if (i == na || pb[j] < pa[i])
			both[n++] = pb[j++];
		else
			both[n++] = pa[i++], j++;
	}
	return list_make(both, n);
}

uint32_t set_add(uint32_t set, uint64_t item)
{
	return set_union(set, list_make(&item, 1));
}

uint32_t set_common(uint32_t a, uint32_t b)
{
	uint64_t both[LIST_MAX];
	size_t na, nb, i, j = 0, n = 0;
	const uint64_t *pa, *pb;

	if (a == b)
		return a;
	pa = list_get(a, &na);
	pb = list_get(b, &nb);
	for (i = 0; i < na; i++) {
		while (j < nb && pb[j] < pa[i])
			j++;
		if (j < nb && pb[j] == pa[i])
			both[n++] = pa[i];
	}
	return list_make(both, n);
}

bool set_has(uint32_t set, uint64_t item)
{
	const uint64_t *p;
	size_t n, i;

	p = list_get(set, &n);
	for (i = 0; i < n && p[i] <= item; i++)
		if (p[i] == item)
			return true;
	return false;
}

bool set_within(uint32_t part, uint32_t whole)
{
	return part == whole || set_common(part, whole) == part;
}
