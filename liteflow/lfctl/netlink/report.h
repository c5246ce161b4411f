/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Complaints.
 */
#ifndef _LFCTL_REPORT_H
#define _LFCTL_REPORT_H

#include "tool.h"

/* What complaints begin with; "lfctl" unless a program sets it. */
extern const char *complain_as;

/* "lfctl: what: reason" to standard error; always EXIT_OTHER */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* _LFCTL_REPORT_H */
