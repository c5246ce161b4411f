/* SPDX-License-Identifier: GPL-2.0 */
/*
 * JC_SCHED's tests: the switch, by its sysctl and by its system call. All helpers
 * return a negative errno on failure.
 *
 * The number of the system call comes from the kernel itself. It is not taken
 * from a header: on another kernel the same number may be something else. A kernel
 * may lack the call, then the sysctl stands in for it.
 */
#ifndef _JC_SWITCH_H
#define _JC_SWITCH_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>

#define SWITCH		"/proc/sys/kernel/sched_jc"
#define NUMBER		"/proc/sys/kernel/sched_jc_syscall"

#define JC_OFF		0
#define JC_ON		1
#define JC_QUERY	2

#define JC_NO_CALL	(-1)

/* Length of what @buf then holds, a string. */
static inline int read_str(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd;

	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	if (len < 0)
		len = -errno;
	close(fd);
	if (len >= 0)
		buf[len] = '\0';
	return len;
}

static inline int write_str(const char *path, const char *str)
{
	ssize_t len;
	int fd;

	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	len = write(fd, str, strlen(str));
	if (len < 0)
		len = -errno;
	close(fd);
	return len < 0 ? len : 0;
}

static inline int jc_sysctl(int op)
{
	char buf[4];
	int ret;

	if (op == JC_QUERY) {
		ret = read_str(SWITCH, buf, sizeof(buf));
		return ret < 0 ? ret : buf[0] == '1';
	}
	return write_str(SWITCH, op ? "1" : "0") ?: op;
}

/* @nr: JC_NO_CALL: by the sysctl. */
static inline int jc_call(int nr, int op)
{
	long ret;

	if (nr == JC_NO_CALL)
		return jc_sysctl(op);
	ret = syscall(nr, op);
	return ret < 0 ? -errno : ret;
}

#endif /* _JC_SWITCH_H */
