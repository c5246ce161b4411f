/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a file is, by its content: so that one of another kind is refused by what it is,
 * with what to do.
 */
#ifndef _LFCTL_KIND_H
#define _LFCTL_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include "net.h"

enum kind { KIND_MODEL, KIND_JSON, KIND_ROWS };

/* Does it begin as a JSON object does, behind blanks and a byte order mark? */
bool kind_is_json(const char *data);

/*
 * -1 with a reason if @data is plainly of another kind than @wanted; 0: it is that, or
 * nothing is known of it. @data has @len bytes and a zero byte behind them, and may be
 * the beginning of the whole.
 */
int kind_refuse(const char *data, size_t len, enum kind wanted, struct reason *why);

/* Words for a folder in place of a file, and what to do if it is a history. */
const char *kind_of_folder(const char *path);

#endif /* _LFCTL_KIND_H */
