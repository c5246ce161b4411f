// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>
#include "keysys.h"

#define WORD(v)	((v) / 64)
#define BIT(v)	(1ULL << ((v) % 64))

int keysys_init(struct keysys *sys, unsigned int n)
{
	unsigned int i;

	memset(sys, 0, sizeof(*sys));
	sys->n = n;
	sys->words = WORD(n) + 1;
	sys->up = calloc(n + 1, sizeof(*sys->up));
	if (!sys->up)
		return -1;
	for (i = 0; i <= n; i++)
		sys->up[i] = i;
	return 0;
}

void keysys_free(struct keysys *sys)
{
	free(sys->up);
	free(sys->rows);
	free(sys->pivot);
	memset(sys, 0, sizeof(*sys));
}

unsigned int keysys_root(const struct keysys *sys, unsigned int var)
{
	while (sys->up[var] != var)
		var = sys->up[var];
	return var;
}

static unsigned int shorten(struct keysys *sys, unsigned int var)
{
	while (sys->up[var] != var) {
		sys->up[var] = sys->up[sys->up[var]];
		var = sys->up[var];
	}
	return var;
}

/* The greater number becomes the root, so that 0, which is n, always is one. */
static void join(struct keysys *sys, unsigned int a, unsigned int b)
{
	a = shorten(sys, a);
	b = shorten(sys, b);
	if (a < b)
		sys->up[a] = b;
	else
		sys->up[b] = a;
}

static uint64_t *row(const struct keysys *sys, unsigned int r)
{
	return sys->rows + (size_t)r * sys->words;
}

static void add_row(struct keysys *sys, const unsigned int *vars, unsigned int n)
{
	unsigned int room = sys->room ? 2 * sys->room : 64, i;
	uint64_t *rows;
	uint16_t *pivot;

	if (sys->n_rows == sys->room) {
		rows = realloc(sys->rows, (size_t)room * sys->words * sizeof(*rows));
		if (rows)
			sys->rows = rows;
		pivot = realloc(sys->pivot, room * sizeof(*pivot));
		if (pivot)
			sys->pivot = pivot;
		if (!rows || !pivot) {
			sys->failed = true;
			return;
		}
		sys->room = room;
	}
	rows = row(sys, sys->n_rows++);
	memset(rows, 0, sys->words * sizeof(*rows));
	for (i = 0; i < n; i++)
		rows[WORD(vars[i])] ^= BIT(vars[i]);
}

void keysys_add(struct keysys *sys, const unsigned int *vars, unsigned int n)
{
	unsigned int a, b;

	if (n == 1) {
		join(sys, vars[0], sys->n);
	} else if (n == 2) {
		a = shorten(sys, vars[0]);
		b = shorten(sys, vars[1]);
		if (a != b)
			join(sys, a, b);
	} else if (n) {
		add_row(sys, vars, n);
	}
}

/* A row in terms of roots; up to two of them, and how many there are. */
static unsigned int to_roots(struct keysys *sys, uint64_t *r, uint64_t *tmp, unsigned int *two)
{
	unsigned int w, v, count = 0;
	uint64_t word;

	memset(tmp, 0, sys->words * sizeof(*tmp));
	for (w = 0; w < sys->words; w++)
		for (word = r[w]; word; word &= word - 1) {
			v = shorten(sys, w * 64 + __builtin_ctzll(word));
			tmp[WORD(v)] ^= BIT(v);
		}
	tmp[WORD(sys->n)] &= ~BIT(sys->n);
	memcpy(r, tmp, sys->words * sizeof(*r));
	for (w = 0; w < sys->words; w++)
		for (word = r[w]; word; word &= word - 1) {
			if (count < 2)
				two[count] = w * 64 + __builtin_ctzll(word);
			count++;
		}
	return count;
}

static void add_to(struct keysys *sys, unsigned int to, unsigned int from)
{
	uint64_t *a = row(sys, to), *b = row(sys, from);
	unsigned int w;

	for (w = 0; w < sys->words; w++)
		a[w] ^= b[w];
}

/* Reduced row echelon form of the first @n_rows rows. */
static void eliminate(struct keysys *sys)
{
	unsigned int r, other, w;
	uint64_t *at;

	for (r = 0; r < sys->n_rows;) {
		at = row(sys, r);
		for (w = 0; w < sys->words && !at[w]; w++)
			;
		if (w == sys->words) {
			memmove(at, row(sys, --sys->n_rows), sys->words * sizeof(*at));
			continue;
		}
		sys->pivot[r] = w * 64 + __builtin_ctzll(at[w]);
		for (other = 0; other < sys->n_rows; other++)
			if (other != r && row(sys, other)[w] & BIT(sys->pivot[r]))
				add_to(sys, other, r);
		r++;
	}
}

int keysys_close(struct keysys *sys)
{
	uint64_t *tmp = calloc(sys->words, sizeof(*tmp));
	unsigned int r, count, two[2];
	bool again = true;

	while (tmp && again) {
		again = false;
		for (r = 0; r < sys->n_rows; r++)
			to_roots(sys, row(sys, r), tmp, two);
		eliminate(sys);
		/* short sums go into the forest, which may shorten others */
		for (r = 0; r < sys->n_rows; r++) {
			count = to_roots(sys, row(sys, r), tmp, two);
			if (count != 1 && count != 2)
				continue;
			keysys_add(sys, two, count);
			again = true;
		}
	}
	if (!tmp)
		sys->failed = true;
	free(tmp);
	for (r = 0; r < sys->n; r++)
		sys->up[r] = shorten(sys, r);
	return sys->failed ? -1 : 0;
}

bool keysys_form(const struct keysys *sys, unsigned int var, uint64_t *form)
{
	unsigned int root = keysys_root(sys, var), r;

	memset(form, 0, sys->words * sizeof(*form));
	if (root == sys->n)
		return false;
	for (r = 0; r < sys->n_rows; r++)
		if (sys->pivot[r] == root)
			memcpy(form, row(sys, r), sys->words * sizeof(*form));
	form[WORD(root)] ^= BIT(root);
	return true;
}

unsigned int keysys_freedom(const struct keysys *sys)
{
	unsigned int v, roots = 0;

	for (v = 0; v < sys->n; v++)
		roots += sys->up[v] == v;
	return roots - sys->n_rows;
}

void keysys_draw(const struct keysys *sys, uint64_t *random, uint8_t *bits)
{
	uint64_t chance = 0, word;
	unsigned int v, w, r, sum;

	for (v = 0; v < sys->n; v++) {
		if (v % 64 == 0)
			chance = keysys_random(random);
		bits[v] = sys->up[v] == v && chance >> v % 64 & 1;
	}
	for (r = 0; r < sys->n_rows; r++) {
		sum = 0;
		for (w = 0; w < sys->words; w++)
			for (word = row(sys, r)[w]; word; word &= word - 1)
				if (w * 64 + __builtin_ctzll(word) != sys->pivot[r])
					sum ^= bits[w * 64 + __builtin_ctzll(word)];
		bits[sys->pivot[r]] = sum;
	}
	for (v = 0; v < sys->n; v++) {
		r = keysys_root(sys, v);
		if (r == sys->n)
			bits[v] = 0;
		else if (r != v)
			bits[v] = bits[r];
	}
}
