/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_OVERFLOW_H
#define _COMPAT_LINUX_OVERFLOW_H

#include <stddef.h>

#define struct_size_t(type, member, count)		\
	(offsetof(type, member) + sizeof(((type *)0)->member[0]) * (size_t)(count))

#endif
