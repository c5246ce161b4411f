/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Running the program that adapts: one call is one process with a verb as its argument,
 * a JSON object on its standard input and one on its standard output. What it says on
 * standard error is logged.
 *
 * It runs as another user without capabilities, in a session and a folder of its own. A
 * keeper, which lfd forks, starts it, holds it to its time, and at its end kills all that
 * came of it, whatever sessions they made: they become the keeper's children.
 */
#ifndef _LFD_HOOK_H
#define _LFD_HOOK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define HOOK_REASON	256
#define HOOK_FDS	4

struct json_object;

/**
 * struct hook_config - a program and its limits
 * @command: path of it
 * @user: name of the user that it runs as; NULL: as lfd does, which is not root
 * @uid: of the user
 * @gid: of the user
 * @memory_mib: address space of a process
 * @cpu_s: CPU time of a process
 * @wall_s: time of a call
 * @processes: of its user
 * @file_mib: size of a file
 * @output_kib: of the answer
 */
struct hook_config {
	char *command;
	char *user;
	uid_t uid;
	gid_t gid;
	unsigned int memory_mib;
	unsigned int cpu_s;
	unsigned int wall_s;
	unsigned int processes;
	unsigned int file_mib;
	unsigned int output_kib;
};

struct hook_buffer {
	char *data;
	size_t len;
	size_t at;
	size_t room;
};

/**
 * struct hook - a call
 * @keeper: process that keeps it; 0: there is no call
 * @verb: what it was called for
 * @fd: pipes: its input, its output, what it says, the keeper's report; -1: closed
 * @to: what it is asked
 * @from: its answer
 * @says: a line of what it says, not complete
 * @said: bytes of what it said
 * @lines: lines of it
 * @flooded: the answer was too long
 * @config: limits, as they were when it began
 * @answer: result: an object, for json_object_put(); NULL: it failed
 * @reason: why
 * @cpu_s: result: CPU time of all its processes
 * @wall_s: result: time that it took
 */
struct hook {
	pid_t keeper;
	char verb[12];
	int fd[HOOK_FDS];
	struct hook_buffer to;
	struct hook_buffer from;
	struct hook_buffer says;
	size_t said;
	unsigned int lines;
	bool flooded;
	struct hook_config config;
	struct json_object *answer;
	char reason[HOOK_REASON];
	double cpu_s;
	double wall_s;
};

/*
 * Begin a call in the folder @folder, which the user owns. @request is written to its
 * input. 0, or -1 and a reason.
 */
int hook_start(struct hook *h, const struct hook_config *c, const char *verb, const char *folder,
	       struct json_object *request);

/* What it waits for; those that are closed are -1. */
void hook_poll(const struct hook *h, struct pollfd fds[HOOK_FDS]);

/*
 * Do what can be done now. True when the call is over: the result is there, and none of
 * its processes; if some could not be killed, that is why it failed. @said: gets what it says, line by line.
 */
bool hook_step(struct hook *h, void (*said)(void *data, const char *line), void *data);

/* Kill it and all that came of it. */
void hook_stop(struct hook *h);

static inline bool hook_runs(const struct hook *h)
{
	return h->keeper > 0;
}

/**
 * struct hook_report - how a call ended, as the keeper tells
 * @end: how
 * @code: exit status, number of a signal, or errno
 * @left: processes of it could not be killed
 * @cpu_s: CPU time of all of them
 * @wall_s: time from begin to end
 */
enum hook_end { HOOK_EXITED, HOOK_KILLED, HOOK_TIMEOUT, HOOK_STOPPED, HOOK_NOT_STARTED };

struct hook_report {
	enum hook_end end;
	int code;
	bool left;
	double cpu_s;
	double wall_s;
};

/*
 * What the keeper does: run the program with these as its standard input, output and
 * error, wait for it, kill what is left, and write the report. Ends the process.
 */
void keeper_run(const struct hook_config *c, const char *verb, const char *folder,
		const int fds[3], int report) __attribute__((noreturn));

#endif /* _LFD_HOOK_H */
