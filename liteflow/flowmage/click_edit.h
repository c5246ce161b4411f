/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Arguments of a Click file changed in place: every other byte stays.
 */
#ifndef _FLOWMAGE_CLICK_EDIT_H
#define _FLOWMAGE_CLICK_EDIT_H

#include "click.h"

/**
 * struct click_change - a keyword of an element's arguments
 * @item: the element, as it is declared
 * @keyword: SHARED ...
 * @value: what stands behind it then
 */
struct click_change {
	const struct click_item *item;
	const char *keyword;
	const char *value;
};

/*
 * The file's text with changes made, to be freed. The result has been parsed again, and has the
 * elements and links of @file, with the arguments that were asked for. NULL: a line in @why.
 */
char *click_edit(const struct click_file *file, struct click_change *changes, unsigned int n,
		 char *why, size_t len);

/* For the test: each element of the file gets a keyword more. */
char *click_edit_check(const struct click_file *file, char *why, size_t len);

#endif /* _FLOWMAGE_CLICK_EDIT_H */
