// SPDX-License-Identifier: GPL-2.0
/*
 * Asking the kernel, and saying why it failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include "kernel.h"
#include "lfctl.h"

int kernel_open(struct lf **lf, const char *app)
{
	uint32_t id;

	if (lf_open(lf))
		return complain("%s", lf_reason(*lf));
	if (!app || !lf_app_number(app, &id) || id)
		return 0;
	complain("%.20s: apps have numbers from 1 to %u; \"lfctl app list\" shows them", app,
		 UINT16_MAX);
	return EXIT_USAGE;
}

int failed(const struct lf *lf, int ret, const char *what, ...)
{
	char text[128];
	va_list args;

	if (!ret)
		return 0;
	va_start(args, what);
	vsnprintf(text, sizeof(text), what, args);
	va_end(args);
	return complain("%s: %s", text, lf_reason(lf));
}
