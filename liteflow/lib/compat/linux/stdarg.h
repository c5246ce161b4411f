/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_STDARG_H
#define _COMPAT_LINUX_STDARG_H

#include <stdarg.h>

#endif
