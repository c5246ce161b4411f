/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What lfd is doing, for others to read: status.json and, for Prometheus' collector of
 * text files, lfd.prom. Each is replaced as a whole.
 */
#ifndef _LFD_STATUS_H
#define _LFD_STATUS_H

#include "service.h"

#define STATUS_FILE	"status.json"
#define METRICS_FILE	"lfd.prom"

/* Write both into the directory @dir. 0 or a negative errno. */
int status_write(int dir, struct service *const *services, unsigned int n, uint64_t now);

/* "lfd status": print what the file in @dir says, as text or as it is. An exit status. */
int status_print(const char *dir, bool json);

#endif /* _LFD_STATUS_H */
