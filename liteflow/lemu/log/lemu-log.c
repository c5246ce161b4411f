// SPDX-License-Identifier: GPL-2.0
/*
 * lemu-log - prints what links emulated by the qdisc "lemu" do to packets
 *
 * It traces in an instance of its own, so it neither disturbs others' tracing nor is
 * disturbed by it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include "line.h"
#include "tool.h"

TOOL_ABOUT("lemu-log");

static struct {
	const char *dev;
	const char *file;
	unsigned int count;
	unsigned int kilobytes;
} opts = { .kilobytes = 4096 };

static const struct argp_option options[] = {
	{ "dev", 'd', "DEV", 0, "packets of this device only", 0 },
	{ "count", 'n', "N", 0, "stop after so many packets", 0 },
	{ "output", 'o', "FILE", 0, "write into FILE", 0 },
	{ "buffer", 'b', "KB", 0, "memory per CPU for what was not read yet (4096)", 0 },
	{}
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'd':
		if (!*arg || strlen(arg) > 15 || strpbrk(arg, " \"\\\n"))
			argp_error(state, "'%s' is no name of a device", arg);
		opts.dev = arg;
		break;
	case 'n':
		opts.count = tool_count(arg, 1, UINT_MAX, state);
		break;
	case 'o':
		opts.file = arg;
		break;
	case 'b':
		opts.kilobytes = tool_count(arg, 4, 1 << 20, state);
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is one word too many", arg);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp argp = {
	options, parse, NULL,
	"Print what links emulated by the qdisc \"lemu\" do to packets, one row each, until "
	"it is interrupted.", NULL, NULL, NULL
};

static char instance[PATH_MAX];

static void remove_instance(void)
{
	if (instance[0])
		rmdir(instance);
}

__attribute__((format(printf, 1, 2)))
static void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("lemu-log: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
	remove_instance();
	exit(EXIT_OTHER);
}

/* Write into a file of the instance. */
static void set(const char *name, const char *value)
{
	char path[PATH_MAX + 64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", instance, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die("%s: %s", path, strerror(errno));
	close(fd);
}

static void make_instance(void)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/events", roots[i]);
		if (!access(path, R_OK))
			break;
	}
	if (i == 2)
		die("no tracefs that can be read: be root, and mount it on %s", roots[0]);
	snprintf(path, sizeof(path), "%s/events/lemu/lemu_packet/enable", roots[i]);
	if (access(path, F_OK))
		die("the kernel has no qdisc \"lemu\": modprobe sch_lemu");
	snprintf(path, sizeof(path), "%s/instances/lemu-log-%d", roots[i], getpid());
	if (mkdir(path, 0700))
		die("%s: %s", path, strerror(errno));
	strcpy(instance, path);
}

static int begin(void)
{
	char text[PATH_MAX + 64];
	int fd;

	make_instance();
	snprintf(text, sizeof(text), "%u", opts.kilobytes);
	set("buffer_size_kb", text);
	if (opts.dev) {
		snprintf(text, sizeof(text), "dev == \"%s\"", opts.dev);
		set("events/lemu/lemu_packet/filter", text);
	}
	snprintf(text, sizeof(text), "%s/trace_pipe", instance);
	fd = open(text, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", text, strerror(errno));
	set("events/lemu/lemu_packet/enable", "1");
	return fd;
}

/* Rows of the whole lines in @text; true: there were enough. */
static bool lines(char *text, FILE *out, unsigned long *rows, unsigned long *missed)
{
	char *line, *end, row[LEMU_ROW];
	struct lemu_packet p;
	unsigned long n;

	for (line = text; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		switch (lemu_line_parse(line, &p, &n)) {
		case LEMU_LINE_PACKET:
			lemu_row(row, &p);
			fprintf(out, "%s\n", row);
			if (++*rows == opts.count)
				return true;
			break;
		case LEMU_LINE_MISSED:
			*missed += n;
			break;
		default:
			break;
		}
	}
	memmove(text, line, strlen(line) + 1);
	return false;
}

static unsigned long follow(int fd, FILE *out)
{
	static char text[1 << 16];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned long rows = 0, missed = 0;
	size_t kept;
	ssize_t n;

	while (!stopped) {
		kept = strlen(text);
		/* no line is that long: what there is makes no sense */
		if (kept == sizeof(text) - 1)
			kept = 0;
		n = read(fd, text + kept, sizeof(text) - 1 - kept);
		if (n > 0) {
			text[kept + n] = '\0';
			if (lines(text, out, &rows, &missed))
				break;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("trace_pipe: %s", strerror(errno));
		if (fflush(out))
			die("output: %s", strerror(errno));
		/* a timeout, as a signal may come just before */
		poll(&p, 1, 200);
	}
	return missed;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = stop };
	FILE *out = stdout;
	unsigned long missed;
	int fd;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (opts.file) {
		out = fopen(opts.file, "w");
		if (!out)
			die("%s: %s", opts.file, strerror(errno));
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	fd = begin();
	fprintf(out, "%s\n", lemu_columns);
	missed = follow(fd, out);
	set("events/lemu/lemu_packet/enable", "0");
	close(fd);
	if (fflush(out) || (opts.file && fclose(out)))
		die("output: %s", strerror(errno));
	if (missed)
		die("%lu packets are missing, as they came too fast: give a larger --buffer", missed);
	remove_instance();
	return EXIT_SUCCESS;
}
