/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Operations on models, as commands and restoring need them.
 */
#ifndef _LFCTL_MODEL_H
#define _LFCTL_MODEL_H

#include <stddef.h>
#include <stdint.h>
#include "netlink/netlink.h"

/* All complain themselves and return an exit status; *version is the kernel's. */
int model_send(struct nl *nl, const char *app, unsigned int slot, const void *blob, size_t len,
	       uint32_t *version);
int model_install_compiled(struct nl *nl, const char *app, unsigned int slot, const char *name,
			   uint32_t *version);
int model_activate(struct nl *nl, const char *app, unsigned int slot, uint32_t *version,
		   uint64_t *ns);

/* Model of a file; refuses what plainly is none. NULL: complained. */
void *model_read(const char *path, size_t *len);

void model_digest(const void *blob, size_t len, uint8_t *digest);

#endif /* _LFCTL_MODEL_H */
