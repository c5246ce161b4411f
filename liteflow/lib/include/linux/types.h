/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's names of types and of an attribute, for users of the engine in user space; in front
 * of the system's own linux/types.h.
 */
#ifndef _LITEFLOW_LINUX_TYPES_H
#define _LITEFLOW_LINUX_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include_next <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

#define __printf(a, b)		__attribute__((format(printf, a, b)))

#endif
