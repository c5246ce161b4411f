// SPDX-License-Identifier: GPL-2.0
/*
 * Reading with care, replacing as a whole.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "file.h"

/* A file that grows meanwhile is read up to the size that it had. */
static char *read_all(int fd, size_t want, size_t *len)
{
	char *buf = malloc(want + 1);
	ssize_t n;

	for (*len = 0; buf && *len < want; *len += n) {
		do
			n = read(fd, buf + *len, want - *len);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			free(buf);
			return NULL;
		}
		if (!n)
			break;
	}
	if (buf)
		buf[*len] = 0;
	return buf;
}

char *file_read(int dir, const char *name, int flags, size_t max, struct stat *st, size_t *len,
		char *why, size_t whylen)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags);
	char *buf = NULL;
	int err = 0;

	if (fd < 0) {
		err = errno;
		snprintf(why, whylen, "%s", err == ELOOP ? "is a symbolic link" : strerror(err));
		errno = err;
		return NULL;
	}
	if (fstat(fd, st)) {
		err = errno;
		snprintf(why, whylen, "%s", strerror(err));
	} else if (!S_ISREG(st->st_mode)) {
		err = EINVAL;
		snprintf(why, whylen, "is no regular file");
	} else if ((size_t)st->st_size > max) {
		err = EFBIG;
		snprintf(why, whylen, "larger than %zu bytes", max);
	} else {
		buf = read_all(fd, st->st_size, len);
		err = buf ? 0 : errno;
		if (!buf)
			snprintf(why, whylen, "%s", strerror(err));
	}
	close(fd);
	errno = err;
	return buf;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len; data += n, len -= n) {
		n = write(fd, data, len);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n < 0)
			n = 0;
	}
	return 0;
}

int file_replace(int dir, const char *name, const void *data, size_t len, mode_t mode, bool durable)
{
	char tmp[NAME_MAX + 1];
	int fd, err = 0;

	if (snprintf(tmp, sizeof(tmp), ".%s.new", name) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	/* what a killed writer left there may belong to nobody else: the directory is ours */
	fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return -errno;
	if (write_all(fd, data, len) || (durable && fsync(fd)))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	if (!err && renameat(dir, tmp, dir, name))
		err = errno;
	if (err) {
		unlinkat(dir, tmp, 0);
		return -err;
	}
	return durable && fsync(dir) ? -errno : 0;
}

int file_mkdirs(const char *path, mode_t mode)
{
	char part[PATH_MAX];
	size_t len;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return -ENAMETOOLONG;
	for (len = 1; part[0]; len++) {
		if (part[len] && part[len] != '/')
			continue;
		part[len] = 0;
		if (mkdir(part, mode) && errno != EEXIST)
			return -errno;
		if (!path[len])
			break;
		part[len] = '/';
	}
	return 0;
}

/* One that another name may lead to is not changed: it may be anybody's. */
static int give(int dir, const char *name, uid_t uid, gid_t gid)
{
	int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (S_ISDIR(st.st_mode))
		err = file_give_tree(dir, name, uid, gid);
	else if (S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		 fchownat(fd, "", uid, gid, AT_EMPTY_PATH))
		err = -errno;
	close(fd);
	return err;
}

/* NULL: errno. */
static DIR *open_folder(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !list) {
		err = errno;
		close(fd);
		errno = err;
	}
	return list;
}

int file_give_tree(int dir, const char *name, uid_t uid, gid_t gid)
{
	DIR *list = open_folder(dir, name);
	int fd, err = 0, ret;
	struct dirent *d;

	if (!list)
		return -errno;
	fd = dirfd(list);
	/* itself last: as long as it is another's, it is known that there is more to do */
	while ((d = readdir(list))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		ret = give(fd, d->d_name, uid, gid);
		if (ret)
			err = ret;
	}
	if (!err && fchown(fd, uid, gid))
		err = -errno;
	closedir(list);
	return err;
}

int file_remove_tree(int dir, const char *name, bool self)
{
	DIR *list = open_folder(dir, name);
	struct dirent *d;
	int fd, err = 0;

	if (!list)
		return -errno;
	fd = dirfd(list);
	while ((d = readdir(list))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (!unlinkat(fd, d->d_name, 0) || errno == ENOENT)
			continue;
		if (errno == EISDIR || errno == EPERM)
			err = -file_remove_tree(fd, d->d_name, true);
		else
			err = errno;
	}
	closedir(list);
	if (!err && self && unlinkat(dir, name, AT_REMOVEDIR))
		err = errno;
	return -err;
}
