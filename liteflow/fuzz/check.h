/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _FUZZ_CHECK_H
#define _FUZZ_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* How to have this case again; fail() prints it. */
extern char check_case[80];

/* Ends the program. */
void fail(const char *what, const char *more) __attribute__((noreturn));

/*
 * Parse a blob, judge the verdict, and ask what was accepted. @reason: part of
 * the message with which it must be refused; NULL: as the judge says. Returns
 * whether it was accepted.
 */
bool check(const void *blob, size_t len, const char *reason);

#endif /* _FUZZ_CHECK_H */
