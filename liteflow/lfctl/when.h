/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Times that people write and read.
 */
#ifndef _LFCTL_WHEN_H
#define _LFCTL_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "90s", "10m", "2h", "3d": so long before @now_ns; "2026-11-30", "2026-11-30 19:00",
 * "2026-11-30 19:00:30", also with a T: local time; "@1764529200": seconds since 1970.
 * In ns of CLOCK_REALTIME. false: it is none of them.
 */
bool when_parse(const char *text, int64_t now_ns, int64_t *ns);

/* "2026-11-30 19:00:30", local time */
void when_text(int64_t ns, char *text, size_t room);

#endif /* _LFCTL_WHEN_H */
