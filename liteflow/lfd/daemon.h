/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _LFD_DAEMON_H
#define _LFD_DAEMON_H

/**
 * struct daemon_dirs - where lfd finds and leaves things
 * @config: configurations
 * @state: what must last
 * @run: the status
 */
struct daemon_dirs {
	const char *config;
	const char *state;
	const char *run;
};

/* Serve all apps until a signal ends it. SIGHUP: read the configurations again. */
int daemon_run(const struct daemon_dirs *dirs);

/* --check: read these, or with none those of the directory; says what is wrong. */
int daemon_check(const char *dir, char **files, int n);

#endif /* _LFD_DAEMON_H */
