/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_EXPORT_H
#define _COMPAT_LINUX_EXPORT_H

#define EXPORT_SYMBOL_GPL(symbol)	_Static_assert(sizeof(&(symbol)), #symbol)

#endif
