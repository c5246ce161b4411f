/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Homogeneous linear equations over GF(2) between the bits of hash keys.
 *
 * Nearly all equations of steering say that a bit is 0 or that two bits are equal: these are
 * kept in a forest. What is left is eliminated.
 */
#ifndef _FLOWMAGE_KEYSYS_H
#define _FLOWMAGE_KEYSYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct keysys - equations, and once closed their solutions
 * @n: variables, numbered from 0
 * @words: 64-bit words of a row
 * @up: [n + 1]: the tree that a variable is in; variable n is the constant 0
 * @rows: [n_rows][words]: sums of three and more variables that are 0
 * @pivot: [n_rows]: once closed, the variable that no other row has
 * @n_rows: how many
 * @room: for how many rows there is memory
 * @failed: memory ran out
 */
struct keysys {
	unsigned int n;
	unsigned int words;
	uint16_t *up;
	uint64_t *rows;
	uint16_t *pivot;
	unsigned int n_rows;
	unsigned int room;
	bool failed;
};

/* 0, or -1 without memory. @n is below 65,535. */
int keysys_init(struct keysys *sys, unsigned int n);
void keysys_free(struct keysys *sys);

/* The sum of these variables is 0; one that occurs twice cancels. */
void keysys_add(struct keysys *sys, const unsigned int *vars, unsigned int n);

/* Eliminates; after it only reading calls. 0, or -1 without memory, also of earlier calls. */
int keysys_close(struct keysys *sys);

/* The variable that stands for all that are equal to this one; sys->n: it is 0. */
unsigned int keysys_root(const struct keysys *sys, unsigned int var);

/*
 * A variable as the sum of free ones, a bit for each in @form of sys->words words; false: it is
 * 0 in every solution. The system is closed.
 */
bool keysys_form(const struct keysys *sys, unsigned int var, uint64_t *form);

/* Dimension of the space of solutions. */
unsigned int keysys_freedom(const struct keysys *sys);

/* A random solution, each with equal probability: @bits[var] is 0 or 1. */
void keysys_draw(const struct keysys *sys, uint64_t *random, uint8_t *bits);

/* The next of a sequence of random numbers (Steele, Lea, Flood: SplitMix64, 2014). */
static inline uint64_t keysys_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

#endif /* _FLOWMAGE_KEYSYS_H */
