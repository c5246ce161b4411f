/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that is linked into a program: its init runs before main().
 */
#ifndef _STUB_MODULE_H
#define _STUB_MODULE_H

#include <stdlib.h>

#define __init
#define __exit		__attribute__((__unused__))
#define THIS_MODULE	NULL
#define pr_err(...)	((void)0)
#define module_param(name, type, mode)
#define MODULE_PARM_DESC(name, text)
#define MODULE_DESCRIPTION(text)
#define MODULE_LICENSE(text)
#define module_exit(fn)
#define module_init(fn)								\
	static __attribute__((__constructor__)) void stub_init(void)		\
	{									\
		if (fn())							\
			abort();						\
	}

#endif /* _STUB_MODULE_H */
