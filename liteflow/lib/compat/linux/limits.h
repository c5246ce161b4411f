/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_LIMITS_H
#define _COMPAT_LINUX_LIMITS_H

#include <stdint.h>
#include_next <linux/limits.h>
#include <limits.h>

#define S16_MIN			INT16_MIN
#define S16_MAX			INT16_MAX
#define U16_MAX			UINT16_MAX
#define S32_MIN			INT32_MIN
#define S32_MAX			INT32_MAX
#define U32_MAX			UINT32_MAX
#define S64_MIN			((s64)INT64_MIN)
#define S64_MAX			((s64)INT64_MAX)

#endif
