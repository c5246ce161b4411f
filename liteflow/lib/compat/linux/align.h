/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_ALIGN_H
#define _COMPAT_LINUX_ALIGN_H

#define ALIGN(x, a)		(((x) + ((a) - 1)) & ~((__typeof__(x))(a) - 1))

#endif
