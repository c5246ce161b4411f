/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A plan: what solve found, with all that apply has to check before it believes it.
 */
#ifndef _FLOWMAGE_PLAN_H
#define _FLOWMAGE_PLAN_H

#include "context.h"
#include "device.h"
#include "jsonfile.h"
#include "solve.h"

#define PLAN_FORMAT	1
#define PLAN_FILES	128

/* A file that the plan rests on. */
struct plan_file {
	char *path;
	char digest[SHA256_HEX];
};

/* A program that is loaded: "bpf:id:N", and what tells it from others that come later. */
#define PLAN_LOADED	"bpf:id:"
bool plan_is_loaded(const char *source);
/* 0, or EXIT_OTHER: complained. */
int plan_loaded_digest(const char *source, char digest[SHA256_HEX]);

/* The file of "bpf:FILE:PROG" and so on, to be freed; NULL: it is not there. */
char *plan_source_file(const char *source);

/* The abilities of a device, without its settings, as a digest. */
void plan_device_digest(const struct device *dev, char digest[SHA256_HEX]);

/**
 * struct chain_function - a function of the chain, as the user named it
 * @path: of its description
 * @origin: its source without the program's name: functions of one origin share their maps
 * @function: that
 * @devices: bit per device whose packets it gets
 */
struct chain_function {
	char *path;
	char *origin;
	struct fm_function function;
	uint32_t devices;
};

/**
 * struct chain - all that solve was given
 * @devices: see struct steer
 * @n_devices: how many
 * @functions: in the order in which a packet of the first device meets them
 * @n_functions: how many
 */
struct chain {
	struct device devices[STEER_DEVICES];
	unsigned int n_devices;
	struct chain_function *functions;
	unsigned int n_functions;
};

/* The plan as JSON; the caller puts it. NULL: complained, as a file cannot be read any more. */
struct json_object *plan_json(const struct chain *chain, const struct steer *st,
			      const struct solution *s, const char *program);

/* The plan in words, on standard output. */
void plan_print(const struct steer *st, const struct solution *s);

/* What ethtool would be told, a line per setting that changes. */
void plan_print_commands(const struct device *dev, const struct rss *now, const struct rss *rss,
			 const struct context *context);

/**
 * struct plan - as apply reads it
 * @way: see there
 * @devices: as they were
 * @set: [device]: what to set
 * @context: [device]: a second RSS context, if it is used
 * @digest: [device]: of the abilities
 * @n_devices: how many
 * @files: that must not have changed
 * @n_files: how many
 */
struct plan {
	enum way way;
	struct device devices[STEER_DEVICES];
	struct rss set[STEER_DEVICES];
	struct context context[STEER_DEVICES];
	char digest[STEER_DEVICES][SHA256_HEX];
	unsigned int n_devices;
	struct plan_file files[PLAN_FILES];
	unsigned int n_files;
};

/* 0, or EXIT_OTHER: complained. */
int plan_read(const char *path, struct plan *plan);

/* Are the files as they were when the plan of @path was made? The same. */
int plan_check_files(const char *path, const struct plan *plan);

void plan_free(struct plan *plan);

#endif /* _FLOWMAGE_PLAN_H */
