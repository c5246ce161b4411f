/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A service on the bench: the fake kernel, a folder of its own, real hooks, and a time
 * that passes only when nothing is left to do.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include "service.h"

extern char bench_dir[];	/* of this test */
extern struct service *service;

/* Where the hook program is; must be called first. */
void bench_init(const char *testhook);

/* Name of the hook's user from the next configuration on, if this is root. */
extern const char *bench_user;

/*
 * A new folder, the kernel as it is at first, and a service with the hook @hook (see
 * testhook.c) and more of the configuration: ", \"key\": value..." or "".
 */
void bench_begin(const char *hook, const char *more);
void bench_end(void);

/* Another configuration file in the place of it; true if it was taken. */
bool bench_configure(const char *hook, const char *more);

/* As a kill and a new start do; hooks die with it. */
void bench_restart(void);

/* Let so much time pass. */
void bench_run(double seconds);

/* The same until the hook runs; false if it never did. */
bool bench_run_until_hook(double seconds);

double bench_now_s(void);
void bench_clock_step(double seconds);

/* Lines of the log since the begin that have all of @text in them. */
unsigned int bench_said(const char *text);
void bench_forget(void);
void bench_print_log(void);

/* Living processes of hooks of this program; the second signals them. */
unsigned int bench_processes(void);
unsigned int bench_signal(int sig);

/* A result; on a failure the log is shown. */
void bench_result(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int bench_finish(void);

#endif /* _BENCH_H */
