// SPDX-License-Identifier: GPL-2.0
/*
 * In place of click_source.c where libclang's headers are not there.
 */
#include <stdio.h>
#include "click_facts.h"

int click_source_look_up(const char *folders, const char *class_name, struct click_facts *facts,
			 char *why, size_t len)
{
	(void)folders;
	(void)facts;
	snprintf(
		why, len,
		"FASTCLICK: %s: this flowmage was built without libclang: install libclang-dev, build again",
		class_name);
	return -1;
}
