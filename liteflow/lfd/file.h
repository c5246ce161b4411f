/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Files that others write, and files that are replaced as a whole.
 */
#ifndef _LFD_FILE_H
#define _LFD_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/*
 * All of a regular file, with a zero byte behind it. @dir and @name as of openat(), and
 * more of its flags, as O_NOFOLLOW; opening a pipe does not block. NULL and a reason if it
 * is none, if it has more than @max bytes, or for an errno, which is kept.
 */
char *file_read(int dir, const char *name, int flags, size_t max, struct stat *st, size_t *len,
		char *why, size_t whylen);

/*
 * Write @name in the directory @dir: after a kill, a power cut or an error it is as before
 * or as it shall be. With @durable it is on disk on return. 0 or a negative errno.
 */
int file_replace(int dir, const char *name, const void *data, size_t len, mode_t mode,
		 bool durable);

/* A directory and those above it; 0 or a negative errno. */
int file_mkdirs(const char *path, mode_t mode);

/*
 * Give a directory and what is in it to another user and group. What has other names, too,
 * and what is no file or directory stays as it is. 0 or a negative errno.
 */
int file_give_tree(int dir, const char *name, uid_t uid, gid_t gid);

/* Remove what is in a directory, and with @self itself; links are not followed. */
int file_remove_tree(int dir, const char *name, bool self);

#endif /* _LFD_FILE_H */
