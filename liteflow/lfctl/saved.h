/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Apps and models in files, for the next boot:
 *
 *	DIR/APP/app.json		an app that a user added
 *	DIR/APP/SLOT.lfm		a model on standby
 *	DIR/APP/SLOT.active.lfm		the active model
 *	DIR/APP/SLOT.compiled		a compiled model: a line with its name
 *	DIR/APP/SLOT.active.compiled	the same, active
 */
#ifndef _LFCTL_SAVED_H
#define _LFCTL_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include "liblf.h"

#define SAVED_DIR	"/etc/liteflow/models"
#define SAVED_APP	"app.json"

/* What a file's name says. */
struct saved_name {
	unsigned int slot;
	bool active;
	bool compiled;
};

bool saved_parse(const char *file, struct saved_name *name);
void saved_format(const struct saved_name *name, char *file, size_t len);

/* Whether @app may be the name of a directory. */
bool saved_app_ok(const char *app);

#endif /* _LFCTL_SAVED_H */
