/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Segments as bytes, to be cut and changed.
 */
#ifndef DAMAGE_H
#define DAMAGE_H

#include <stddef.h>

struct damage {
	char *data;
	size_t len;
};

/* The first so many bytes of a segment are its header. */
size_t damage_header(unsigned int columns);
size_t damage_size(const char *dir, unsigned int number);
/* data is the caller's to free */
void damage_keep(const char *dir, unsigned int number, struct damage *d);
/* Puts it in its place. */
void damage_write(const char *dir, unsigned int number, const void *data, size_t len);
/* How many files were set aside? */
unsigned int damage_aside(const char *dir);

#endif /* DAMAGE_H */
