/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_KERNEL_H
#define _COMPAT_LINUX_KERNEL_H

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/align.h>
#include <linux/compiler.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include_next <linux/kernel.h>

#define BUILD_BUG_ON(condition)	_Static_assert(!(condition), #condition)
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define sizeof_field(type, member)	sizeof(((type *)0)->member)

#define le16_to_cpu(v)		le16toh(v)
#define le32_to_cpu(v)		le32toh(v)
#define le64_to_cpu(v)		le64toh(v)
#define cpu_to_le16(v)		htole16(v)
#define cpu_to_le32(v)		htole32(v)
#define cpu_to_le64(v)		htole64(v)

#define abs(v)						\
({							\
	__typeof__(v) __abs = (v);			\
	__abs < 0 ? -__abs : __abs;			\
})

#endif
