// SPDX-License-Identifier: GPL-2.0
/*
 * lfd's side of a call.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <json-c/json.h>
#include "hook.h"
#include "pack.h"

enum { TO, FROM, SAYS, REPORT };

#define MAX_LINE	400
#define MAX_LINES	100	/* of a call, in the log */
#define PIPE_ROOM	65536	/* as pipe(7) has it */

static int refuse_call(struct hook *h, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse_call(struct hook *h, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->reason, sizeof(h->reason), fmt, ap);
	va_end(ap);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void clean(struct hook *h)
{
	unsigned int i;

	for (i = 0; i < HOOK_FDS; i++)
		close_fd(h->fd + i);
	free(h->to.data);
	free(h->from.data);
	free(h->says.data);
	free(h->config.command);
	free(h->config.user);
	memset(&h->to, 0, sizeof(h->to));
	memset(&h->from, 0, sizeof(h->from));
	memset(&h->says, 0, sizeof(h->says));
	memset(&h->config, 0, sizeof(h->config));
	h->keeper = 0;
}

/* Both ends close on exec; lfd's do not block. */
static int make_pipes(int mine[HOOK_FDS], int theirs[HOOK_FDS])
{
	int i, ends[2];

	for (i = 0; i < HOOK_FDS; i++)
		mine[i] = theirs[i] = -1;
	for (i = 0; i < HOOK_FDS; i++) {
		if (pipe2(ends, O_CLOEXEC))
			return -1;
		mine[i] = ends[i == TO];
		theirs[i] = ends[i != TO];
		if (fcntl(mine[i], F_SETFL, O_NONBLOCK))
			return -1;
	}
	return 0;
}

static int set_buffers(struct hook *h, const struct hook_config *c, struct json_object *request)
{
	const char *text = json_object_to_json_string_ext(request, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	h->config = *c;
	h->config.command = strdup(c->command);
	h->config.user = c->user ? strdup(c->user) : NULL;
	h->to.len = asprintf(&h->to.data, "%s\n", text);
	h->from.room = (size_t)c->output_kib << 10;
	/* one more, to see that it was too much; and a zero byte behind it */
	h->from.data = malloc(h->from.room + 2);
	h->says.room = MAX_LINE;
	h->says.data = malloc(MAX_LINE + 1);
	return h->config.command && h->to.data && h->from.data && h->says.data ? 0 : -1;
}

static int ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * The keeper does not exec, so nothing closes by itself; and it may outlive lfd for a
 * moment, in which another lfd wants the locks and the sockets that would be left open.
 */
static void close_others(const int theirs[HOOK_FDS])
{
	int keep[HOOK_FDS], i;
	unsigned int from = 3;

	memcpy(keep, theirs, sizeof(keep));
	qsort(keep, HOOK_FDS, sizeof(*keep), ascending);
	for (i = 0; i < HOOK_FDS; i++) {
		if ((unsigned int)keep[i] > from)
			syscall(SYS_close_range, from, keep[i] - 1, 0);
		from = keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

int hook_start(struct hook *h, const struct hook_config *c, const char *verb, const char *folder,
	       struct json_object *request)
{
	pid_t self = getpid();
	int theirs[HOOK_FDS], i;

	memset(h, 0, sizeof(*h));
	snprintf(h->verb, sizeof(h->verb), "%s", verb);
	if (make_pipes(h->fd, theirs) || set_buffers(h, c, request)) {
		refuse_call(h, "%s", strerror(errno));
		goto fail;
	}
	h->keeper = fork();
	if (h->keeper < 0) {
		refuse_call(h, "fork: %s", strerror(errno));
		goto fail;
	}
	if (!h->keeper) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != self)
			_exit(1);
		close_others(theirs);
		keeper_run(&h->config, verb, folder, theirs, theirs[REPORT]);
	}
	for (i = 0; i < HOOK_FDS; i++)
		close_fd(theirs + i);
	return 0;
fail:
	for (i = 0; i < HOOK_FDS; i++)
		close_fd(theirs + i);
	clean(h);
	return -1;
}

void hook_poll(const struct hook *h, struct pollfd fds[HOOK_FDS])
{
	unsigned int i;

	for (i = 0; i < HOOK_FDS; i++) {
		fds[i].fd = hook_runs(h) ? h->fd[i] : -1;
		fds[i].events = i == TO ? POLLOUT : POLLIN;
		fds[i].revents = 0;
	}
}

/* A hook need not read what it is asked. */
static void ask(struct hook *h)
{
	ssize_t n = 1;

	while (h->fd[TO] >= 0 && h->to.at < h->to.len && n > 0) {
		n = write(h->fd[TO], h->to.data + h->to.at, h->to.len - h->to.at);
		h->to.at += n > 0 ? n : 0;
	}
	if (h->to.at == h->to.len || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(h->fd + TO);
}

static void take_answer(struct hook *h)
{
	struct hook_buffer *b = &h->from;
	ssize_t n = 1;

	while (h->fd[FROM] >= 0 && n > 0) {
		n = read(h->fd[FROM], b->data + b->len, b->room + 1 - b->len);
		b->len += n > 0 ? n : 0;
		if (b->len <= b->room)
			continue;
		h->flooded = true;
		close_fd(h->fd + FROM);
		kill(h->keeper, SIGTERM);
	}
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(h->fd + FROM);
}

static void say(struct hook *h, void (*said)(void *, const char *), void *data)
{
	struct hook_buffer *b = &h->says;

	b->data[b->len] = 0;
	if (b->len && h->lines < MAX_LINES)
		said(data, b->data);
	else if (b->len && h->lines == MAX_LINES)
		said(data, "(the rest of what it says is left out)");
	h->lines += b->len > 0;
	b->len = 0;
}

/* Of a flood only the first is logged; it is read all the same, so that nothing blocks. */
static void take_said(struct hook *h, void (*said)(void *, const char *), void *data)
{
	char buf[4096];
	ssize_t n, i;

	if (h->fd[SAYS] < 0)
		return;
	n = read(h->fd[SAYS], buf, sizeof(buf));
	for (i = 0; i < n; i++) {
		h->said++;
		if (buf[i] == '\n' || h->says.len == h->says.room)
			say(h, said, data);
		if (buf[i] != '\n')
			h->says.data[h->says.len++] = buf[i];
	}
	if (!n || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		say(h, said, data);
		close_fd(h->fd + SAYS);
	}
}

static int check_end(struct hook *h, const struct hook_report *r)
{
	const struct hook_config *c = &h->config;

	if (r->left)
		return refuse_call(h, "processes that it left cannot be killed, and go on");
	if (h->flooded)
		return refuse_call(h, "its answer has more than %u KiB (hook_output_kib)",
				   c->output_kib);
	switch (r->end) {
	case HOOK_NOT_STARTED:
		return refuse_call(h, "%.150s: %s", c->command, strerror(r->code));
	case HOOK_TIMEOUT:
		return refuse_call(h, "took more than %u s (hook_wall_s), and was killed",
				   c->wall_s);
	case HOOK_STOPPED:
		return refuse_call(h, "was stopped");
	case HOOK_KILLED:
		return refuse_call(h, "ended by signal %d (%s)%s", r->code, strsignal(r->code),
				   r->code == SIGXCPU ? ", hook_cpu_s" :
				   r->code == SIGXFSZ ? ", hook_file_mib" : "");
	case HOOK_EXITED:
		break;
	}
	return r->code ? refuse_call(h, "ended with status %d", r->code) : 0;
}

static void parse_answer(struct hook *h)
{
	char err[128];

	h->from.data[h->from.len] = 0;
	if (!h->from.len) {
		refuse_call(h, "gave no answer");
		return;
	}
	h->answer = json_parse_strictly(h->from.data, h->from.len, err, sizeof(err));
	if (!h->answer)
		refuse_call(h, "its answer is not JSON: %s", err);
	else if (!json_object_is_type(h->answer, json_type_object))
		refuse_call(h, "its answer is no JSON object");
	else
		return;
	json_object_put(h->answer);
	h->answer = NULL;
}

/* All of it is in the pipes; somebody who cannot be killed may go on writing. */
static void end(struct hook *h, const struct hook_report *r,
		void (*said)(void *, const char *), void *data)
{
	size_t first = h->said, before;

	do {
		before = h->said;
		take_said(h, said, data);
	} while (h->said > before && h->said < first + PIPE_ROOM);
	say(h, said, data);
	take_answer(h);
	waitpid(h->keeper, NULL, 0);
	h->cpu_s = r->cpu_s;
	h->wall_s = r->wall_s;
	if (!check_end(h, r))
		parse_answer(h);
	clean(h);
}

bool hook_step(struct hook *h, void (*said)(void *, const char *), void *data)
{
	struct hook_report r;
	ssize_t n;

	if (!hook_runs(h))
		return false;
	ask(h);
	take_answer(h);
	take_said(h, said, data);
	n = read(h->fd[REPORT], &r, sizeof(r));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n != sizeof(r)) {
		/* somebody killed the keeper, and with it the hook */
		memset(&r, 0, sizeof(r));
		r.end = HOOK_STOPPED;
	}
	end(h, &r, said, data);
	return true;
}

void hook_stop(struct hook *h)
{
	if (!hook_runs(h))
		return;
	kill(h->keeper, SIGTERM);
	waitpid(h->keeper, NULL, 0);
	clean(h);
}
