/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the commands of lfctl share.
 */
#ifndef _LFCTL_H
#define _LFCTL_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "tool.h"

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

struct json_object;

extern bool opt_json;

/*
 * A command gets its own words: argv[0] is its full name. Its value is the
 * exit status.
 */
int cmd_model_pack(int argc, char **argv);
int cmd_model_check(int argc, char **argv);
int cmd_model_run(int argc, char **argv);
int cmd_model_diff(int argc, char **argv);
int cmd_model_c(int argc, char **argv);
int cmd_model_show(int argc, char **argv);
int cmd_model_install(int argc, char **argv);
int cmd_model_activate(int argc, char **argv);
int cmd_model_rollback(int argc, char **argv);
int cmd_model_remove(int argc, char **argv);
int cmd_app_list(int argc, char **argv);
int cmd_app_show(int argc, char **argv);
int cmd_app_add(int argc, char **argv);
int cmd_app_del(int argc, char **argv);
int cmd_app_set(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_collect(int argc, char **argv);
int cmd_eval(int argc, char **argv);
int cmd_monitor(int argc, char **argv);
int cmd_flows(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_top(int argc, char **argv);

/* What complaints begin with; "lfctl" unless a program sets it. */
extern const char *complain_as;

/* "lfctl: what: reason" to standard error; always EXIT_OTHER */
int complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Global options that may also follow the command. */
extern const struct argp common_argp;

/* Whole file, or standard input for "-", with a zero byte behind it; NULL: complained. */
char *read_file(const char *path, size_t max, size_t *len);
/* Replaces @path as a whole, or writes to standard output for "-". */
int write_file(const char *path, const void *data, size_t len);

/* "dir/name", or a complaint; @path has room for PATH_LEN bytes. */
#define PATH_LEN	4096
int join_path(char *path, const char *dir, const char *name);

/* A number within these ends, or a usage error. */
unsigned long long parse_number(struct argp_state *state, const char *what, const char *arg,
				unsigned long long min, unsigned long long max);

/*
 * One JSON document, or one line of a stream; takes the reference. Bytes that are
 * no UTF-8, which names and texts of models may have, become U+FFFD.
 */
void print_json(struct json_object *o);
void print_json_line(struct json_object *o);
void fprint_json_line(FILE *f, struct json_object *o);

/* Add a member to a JSON object. */
void json_add_uint(struct json_object *o, const char *key, uint64_t v);
void json_add_string(struct json_object *o, const char *key, const char *s);

/* End of a dump: print the JSON, or the table's header if there was no row. */
void finish_list(int ret, struct json_object *list, void (*header)(void));

/* Of CLOCK_MONOTONIC. */
double now_seconds(void);

/* "12345678..." of @len bytes; @hex has room for 2 * @len + 1 */
void to_hex(const uint8_t *from, size_t len, char *hex);

#endif /* _LFCTL_H */
