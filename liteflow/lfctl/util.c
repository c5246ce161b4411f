// SPDX-License-Identifier: GPL-2.0
/*
 * Files, numbers and messages.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <json-c/json.h>
#include "kind.h"
#include "lfctl.h"
#include "utf8.h"

const char *complain_as = "lfctl";

int complain(const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fprintf(stderr, "%s: ", complain_as);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return EXIT_OTHER;
}

char *read_file(const char *path, size_t max, size_t *len)
{
	bool std = !strcmp(path, "-");
	int fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char told[200], *buf = NULL, *more;
	struct reason why = { told, sizeof(told) };
	size_t room = 65536, n = 0;
	ssize_t got;

	if (fd < 0) {
		complain("%s: %s", path, strerror(errno));
		return NULL;
	}
	for (;;) {
		more = realloc(buf, room + 1);
		if (!more) {
			complain("%s: out of memory", path);
			goto out;
		}
		buf = more;
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			complain("%s: %s", path, errno == EISDIR ? kind_of_folder(path) :
				 strerror(errno));
			goto out;
		}
		if (!got)
			break;
		n += got;
		if (n > max) {
			buf[n] = 0;
			if (kind_refuse(buf, n, KIND_MODEL, &why) && !kind_is_json(buf))
				complain("%s: %s", path, told);
			else
				complain("%s: larger than %zu bytes", path, max);
			goto out;
		}
		if (n == room)
			room *= 2;
	}
	if (!std)
		close(fd);
	buf[n] = 0;
	*len = n;
	return buf;
out:
	if (!std)
		close(fd);
	free(buf);
	return NULL;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

/* A device or a pipe is written to, not replaced. */
static int write_to(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = fd < 0 || write_all(fd, data, len) ? errno : 0;

	if (fd >= 0 && close(fd) && !err)
		err = errno;
	return err ? complain("%s: %s", path, strerror(err)) : 0;
}

int write_file(const char *path, const void *data, size_t len)
{
	char tmp[PATH_MAX], real[PATH_MAX];
	struct stat st;
	int fd, err;

	if (!strcmp(path, "-"))
		return write_all(STDOUT_FILENO, data, len) ?
			complain("standard output: %s", strerror(errno)) : 0;
	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return write_to(path, data, len);
		/* a link stays one */
		if (realpath(path, real))
			path = real;
	}
	if (snprintf(tmp, sizeof(tmp), "%s.XXXXXX", path) >= (int)sizeof(tmp))
		return complain("%.60s...: %s", path, strerror(ENAMETOOLONG));
	fd = mkstemp(tmp);
	if (fd < 0)
		return complain("%s: %s", path, strerror(errno));
	/* mkstemp() gives 0600, a model is no secret */
	if (write_all(fd, data, len) || fchmod(fd, 0644) || fsync(fd)) {
		err = errno;
		close(fd);
		goto out;
	}
	if (close(fd) || rename(tmp, path)) {
		err = errno;
		goto out;
	}
	return 0;
out:
	unlink(tmp);
	return complain("%s: %s", path, strerror(err));
}

int join_path(char *path, const char *dir, const char *name)
{
	if (snprintf(path, PATH_LEN, "%s/%s", dir, name) < PATH_LEN)
		return 0;
	return complain("%.60s...: %s", dir, strerror(ENAMETOOLONG));
}

unsigned long long parse_number(struct argp_state *state, const char *what, const char *arg,
				unsigned long long min, unsigned long long max)
{
	unsigned long long v;
	char *end;

	errno = 0;
	v = strtoull(arg, &end, 0);
	if (errno || !*arg || *end || strchr(arg, '-') || v < min || v > max)
		argp_error(state, "%s is \"%s\", must be a number from %llu to %llu", what, arg,
			   min, max);
	return v;
}

double now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void put_utf8(FILE *f, const char *s)
{
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = utf8_len(s);
		fwrite(n ? s : "\xef\xbf\xbd", 1, n ? n : 3, f);
	}
}

static void put_json(FILE *f, struct json_object *o, int flags)
{
	put_utf8(f, json_object_to_json_string_ext(o, flags | JSON_C_TO_STRING_NOSLASHESCAPE));
	fputc('\n', f);
	json_object_put(o);
}

void print_json(struct json_object *o)
{
	put_json(stdout, o, JSON_C_TO_STRING_PRETTY);
}

void print_json_line(struct json_object *o)
{
	put_json(stdout, o, JSON_C_TO_STRING_PLAIN);
}

void fprint_json_line(FILE *f, struct json_object *o)
{
	put_json(f, o, JSON_C_TO_STRING_PLAIN);
}

void json_add_uint(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

void json_add_string(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

void finish_list(int ret, struct json_object *list, void (*header)(void))
{
	if (ret)
		json_object_put(list);
	else if (list)
		print_json(list);
	else
		header();
}

void to_hex(const uint8_t *from, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	while (len--) {
		*hex++ = digits[*from >> 4];
		*hex++ = digits[*from++ & 15];
	}
	*hex = 0;
}

static error_t common_option(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	(void)state;
	if (key != 'j')
		return ARGP_ERR_UNKNOWN;
	opt_json = true;
	return 0;
}

static const struct argp_option common_options[] = {
	{ "json", 'j', NULL, 0, "JSON instead of text", 100 },
	{ 0 }
};

const struct argp common_argp = { .options = common_options, .parser = common_option };
