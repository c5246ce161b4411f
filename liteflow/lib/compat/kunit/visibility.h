/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_KUNIT_VISIBILITY_H
#define _COMPAT_KUNIT_VISIBILITY_H

#define EXPORT_SYMBOL_IF_KUNIT(symbol)

#endif
