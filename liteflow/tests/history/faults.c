// SPDX-License-Identifier: GPL-2.0
/*
 * In place of the C library's functions, by the linker's --wrap.
 */
#include <errno.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>
#include "faults.h"

struct faults faults;

ssize_t __real_pwritev(int fd, const struct iovec *iov, int n, off_t at);
ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int n, off_t at);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __real_ftruncate(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length);
int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);

ssize_t __wrap_pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	size_t most = faults.write_most ? faults.write_most : (size_t)-1, done = 0, part;
	ssize_t got;
	int i;

	if (faults.write_error && faults.write_room < most)
		most = faults.write_room;
	if (!most) {
		errno = faults.write_error;
		return -1;
	}
	for (i = 0; i < n && done < most; i++) {
		part = iov[i].iov_len < most - done ? iov[i].iov_len : most - done;
		got = pwrite(fd, iov[i].iov_base, part, at + done);
		if (got < 0)
			return -1;
		done += got;
	}
	if (faults.write_error)
		faults.write_room -= done;
	return done;
}

static int fault(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int __wrap_fdatasync(int fd)
{
	return fault(faults.sync_error) ? -1 : __real_fdatasync(fd);
}

int __wrap_ftruncate(int fd, off_t length)
{
	return fault(faults.cut_error) ? -1 : __real_ftruncate(fd, length);
}

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	return fault(faults.rename_error) ? -1 : __real_renameat(from, old, to, new);
}
