// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why LiteFlow refuses something.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/stdarg.h>
#include <linux/types.h>

#include "engine.h"

/**
 * lf_refuse() - say why something is refused
 * @err: where the reason goes, cut at LF_ERROR_LEN; NULL: nobody wants it
 * @fmt: "what was wrong, what to do", as for printk(), without a newline
 *
 * For the prepare() of apps as well.
 *
 * Context: any.
 */
void lf_refuse(struct lf_error *err, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (!err)
		return;
	va_start(args, fmt);
	len = vsnprintf(err->msg, sizeof(err->msg), fmt, args);
	va_end(args);
	if (len >= sizeof(err->msg))
		err->msg[lf_whole_chars(err->msg, sizeof(err->msg) - 1)] = 0;
}
EXPORT_SYMBOL_GPL(lf_refuse);
