/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_STRING_H
#define _COMPAT_LINUX_STRING_H

#include <string.h>
#include <sys/types.h>
#include <linux/types.h>

void *memchr_inv(const void *p, int c, size_t n);
ssize_t strscpy(char *to, const char *from, size_t size);

#endif
