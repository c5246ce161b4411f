/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_MINMAX_H
#define _COMPAT_LINUX_MINMAX_H

#define min(a, b)					\
({							\
	__typeof__(a) __a = (a);			\
	__typeof__(b) __b = (b);			\
	__a < __b ? __a : __b;				\
})

#define max(a, b)					\
({							\
	__typeof__(a) __a = (a);			\
	__typeof__(b) __b = (b);			\
	__a > __b ? __a : __b;				\
})

#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max_t(type, a, b)	max((type)(a), (type)(b))

#define clamp(v, lo, hi)				\
({							\
	__typeof__(v) __v = (v), __lo = (lo);		\
	__typeof__(v) __hi = (hi);			\
	__v < __lo ? __lo : __v > __hi ? __hi : __v;	\
})

#define clamp_t(type, v, lo, hi)	clamp((type)(v), (type)(lo), (type)(hi))

#define swap(a, b)					\
do {							\
	__typeof__(a) __swap = (a);			\
							\
	(a) = (b);					\
	(b) = __swap;					\
} while (0)

#endif
