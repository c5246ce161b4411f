// SPDX-License-Identifier: GPL-2.0
/*
 * The writer of a history finds what is there: it cuts what is torn, sets aside what is
 * none of it, and goes on behind the last entry.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "histwrite.h"

#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

void hist_say(struct lf_history *h, const char *fmt, ...)
{
	char line[2 * LF_REASON_LEN];
	va_list args;

	if (!h->say)
		return;
	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	h->say(line, h->data);
}

/*
 * A set-group-ID directory would not do: a process that is not of the group and has no
 * CAP_FSETID cannot make one, and is not told.
 */
void hist_give(struct lf_history *h, int fd, const char *file, mode_t mode)
{
	if (!h->gid)
		return;
	if (fchown(fd, -1, h->gid) || fchmod(fd, mode))
		hist_say(h, "%s cannot be given to group %u: %s", file, (unsigned int)h->gid,
			 strerror(errno));
}

/* That of a segment which was written for another one. */
static void give_segment(struct lf_history *h, const char *file, const struct stat *st)
{
	int fd;

	if (!h->gid || (st->st_gid == h->gid && (st->st_mode & 0777) == HIST_MODE))
		return;
	fd = openat(h->dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0) {
		hist_say(h, "%s: %s", file, strerror(errno));
		return;
	}
	hist_give(h, fd, file, HIST_MODE);
	close(fd);
}

/* A segment that cannot be gone on with nor read: it keeps its bytes. */
static int set_aside(struct lf_history *h, uint32_t number, const char *why)
{
	char file[24], aside[48];
	unsigned int i;

	hist_name(number, file);
	snprintf(aside, sizeof(aside), "%s%s", file, HIST_ASIDE);
	for (i = 2; i < 1000 && !faccessat(h->dir, aside, F_OK, AT_SYMLINK_NOFOLLOW); i++)
		snprintf(aside, sizeof(aside), "%s%s-%u", file, HIST_ASIDE, i);
	if (renameat(h->dir, file, h->dir, aside))
		return hist_fail(h, errno, "%s cannot be set aside: %s", file, strerror(errno));
	hist_say(h, "%s: %s: set aside as %s", file, why, aside);
	return 0;
}

static int foreign(const struct lf_history *h, const struct hist_header *other, char *why)
{
	if (!strncmp(other->app, h->header->app, sizeof(other->app)) &&
	    other->n_in == h->header->n_in && other->n_out == h->header->n_out)
		return 0;
	snprintf(why, LF_REASON_LEN, "of app %.31s, %u inputs and %u outputs", other->app,
		 other->n_in, other->n_out);
	return -EINVAL;
}

/* The header of a segment decides whether it is one of this history. */
static int look_at(struct lf_history *h, uint32_t number)
{
	char why[LF_REASON_LEN] = "", file[24];
	struct hist_image image;
	struct stat st;
	int ret;

	h->number = number;
	hist_name(number, file);
	ret = hist_load(h->dir, number, false, &image, why);
	if (!ret)
		ret = foreign(h, image.header, why);
	free(image.header);
	if (ret == -EINVAL)
		return set_aside(h, number, why);
	if (!ret && fstatat(h->dir, file, &st, AT_SYMLINK_NOFOLLOW))
		ret = -errno;
	if (ret)
		return hist_fail(h, -ret, "%s: %s", file, strerror(-ret));
	give_segment(h, file, &st);
	return hist_add_segment(h, number, st.st_size);
}

/* May entries of now be appended to it? */
static bool fits(const struct lf_history *h, const struct hist_header *other)
{
	return other->bytes == h->header->bytes &&
	       !memcmp(other->boot_id, h->header->boot_id, sizeof(other->boot_id)) &&
	       !memcmp(other->names, h->header->names,
		       h->header->bytes - sizeof(*h->header));
}

/* Cut what is torn, and go on behind it if it is of the same kind. */
static int go_on(struct lf_history *h, const struct hist_image *image, const char *file,
		 size_t end, bool whole)
{
	if (whole && end == image->len && !fits(h, image->header))
		return 0;
	h->fd = openat(h->dir, file, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (h->fd < 0)
		return hist_fail(h, errno, "%s: %s", file, strerror(errno));
	if (end != image->len) {
		if (ftruncate(h->fd, end) || fdatasync(h->fd))
			return hist_fail(h, errno, "%s: its torn end cannot be cut off: %s", file,
				    strerror(errno));
		hist_say(h, "%s: cut off %zu bytes of an entry that was not written to its end",
			 file, image->len - end);
		h->sizes[h->n - 1] = end;
	}
	if (!whole || !fits(h, image->header)) {
		hist_close_segment(h);
		return 0;
	}
	memcpy(h->header, image->header, h->header->bytes);
	h->end = end;
	h->synced_end = end;
	h->synced_sequence = h->sequence;
	return 0;
}

/* Find the end of the newest segment. */
static int take_up(struct lf_history *h)
{
	char why[LF_REASON_LEN], file[24];
	const struct hist_head *head;
	struct hist_image image;
	size_t at, end, damaged = 0, behind = 0;
	enum hist_found found;
	int ret;

	if (!h->n)
		return 0;
	hist_name(h->numbers[h->n - 1], file);
	ret = hist_load(h->dir, h->numbers[h->n - 1], true, &image, why);
	if (ret)
		return hist_fail(h, -ret, "%s: %s", file, strerror(-ret));
	h->sequence = image.header->first;
	h->last_ns = image.header->realtime_ns;
	end = image.header->bytes;
	at = end;
	while ((found = hist_next(&image, &at, &head)) != HIST_END) {
		if (found == HIST_TORN)
			break;
		if (found == HIST_ENTRY) {
			h->sequence = head->sequence + 1;
			h->last_ns = head->realtime_ns;
			behind = 0;
		} else {
			behind = at - end;
			damaged += behind;
		}
		end = at;
	}
	if (damaged) {
		/* numbers that entries may have had are not given again */
		h->sequence += behind / sizeof(struct hist_head);
		hist_say(h, "%s: %zu bytes are damaged; what is whole stays", file, damaged);
	}
	ret = go_on(h, &image, file, end, !damaged);
	free(image.header);
	return ret;
}

static int lock(struct lf_history *h, const char *dir)
{
	char pid[16] = "?";
	ssize_t n;

	h->lock = openat(h->dir, HIST_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (h->lock < 0)
		return hist_fail(h, errno, "%.200s/%s: %s", dir, HIST_LOCK, strerror(errno));
	/* who may open it may hold it; one of an older version is open to the group */
	if (fchmod(h->lock, 0600))
		hist_say(h, "%s stays open to others: %s", HIST_LOCK, strerror(errno));
	if (flock(h->lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return hist_fail(h, errno, "%.200s/%s: %s", dir, HIST_LOCK,
					 strerror(errno));
		n = pread(h->lock, pid, sizeof(pid) - 1, 0);
		if (n > 0)
			pid[n] = 0;
		pid[strcspn(pid, "\n")] = 0;
		return hist_fail(h, EBUSY, "%.200s: process %s writes there: stop it first", dir,
				 pid);
	}
	/* only for the reason above: it does no harm if the disk is full */
	n = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(h->lock, 0) || pwrite(h->lock, pid, n, 0) != n)
		return 0;
	return 0;
}

static void read_boot_id(char *id, size_t room)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, id, room - 1);

	if (fd >= 0)
		close(fd);
	id[n > 0 ? n : 0] = 0;
	id[strcspn(id, "\n")] = 0;
}

static int make_header(struct lf_history *h, const struct lf_history_options *o)
{
	size_t values = (size_t)o->n_in + o->n_out, i;
	struct hist_header *header;

	if (!o->n_in || !o->n_out || o->n_in > LITEFLOW_WIDTH_MAX ||
	    o->n_out > LITEFLOW_WIDTH_MAX)
		return hist_fail(h, EINVAL, "an app has 1 to %u inputs and outputs",
				 LITEFLOW_WIDTH_MAX);
	if (strlen(o->app) >= LF_NAME_LEN)
		return hist_fail(h, EINVAL, "\"%.40s\" is no name of an app", o->app);
	header = calloc(1, sizeof(*header) + values * LF_NAME_LEN);
	h->header = header;
	if (!header)
		return hist_fail(h, ENOMEM, "out of memory");
	memcpy(header->magic, HIST_MAGIC, sizeof(header->magic));
	header->order = HIST_ORDER;
	header->version = HIST_VERSION;
	header->head = sizeof(struct hist_head);
	header->bytes = sizeof(*header) + values * LF_NAME_LEN;
	header->size = LITEFLOW_RECORD_SIZE(o->n_in, o->n_out);
	header->n_in = o->n_in;
	header->n_out = o->n_out;
	read_boot_id(header->boot_id, sizeof(header->boot_id));
	snprintf(header->app, sizeof(header->app), "%s", o->app);
	for (i = 0; i < values; i++) {
		if (o->names)
			snprintf(header->names[i], LF_NAME_LEN, "%.*s", LF_NAME_LEN - 1,
				 o->names[i]);
		else if (i < o->n_in)
			snprintf(header->names[i], LF_NAME_LEN, "in%zu", i);
		else
			snprintf(header->names[i], LF_NAME_LEN, "out%zu", i - o->n_in);
	}
	return 0;
}

static int set_limits(struct lf_history *h, const struct lf_history_options *o)
{
	h->max_bytes = o->max_bytes ? o->max_bytes : LF_HISTORY_MAX_BYTES;
	h->segment_bytes = o->segment_bytes ? o->segment_bytes : h->max_bytes / 16;
	if (h->max_bytes < LF_HISTORY_MIN_BYTES)
		return hist_fail(h, EINVAL, "%llu bytes are too few for a history: give at least "
				 "%llu", (unsigned long long)h->max_bytes, LF_HISTORY_MIN_BYTES);
	if (h->segment_bytes > h->max_bytes / 2)
		return hist_fail(h, EINVAL, "a segment of %llu bytes is more than half of the "
				 "history", (unsigned long long)h->segment_bytes);
	if (h->segment_bytes > HIST_MAX_SEGMENT)
		h->segment_bytes = HIST_MAX_SEGMENT;
	return 0;
}

static int open_dir(struct lf_history *h, const char *dir)
{
	bool made = !mkdir(dir, 0750);
	int above;

	if (!made && errno != EEXIST)
		return hist_fail(h, errno, "%.200s: %s", dir, strerror(errno));
	h->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (h->dir < 0)
		return hist_fail(h, errno, "%.200s: %s", dir, strerror(errno));
	hist_give(h, h->dir, dir, 0750);
	/* a new directory is on disk before anything in it counts, where that can be had */
	above = made ? openat(h->dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (above >= 0) {
		fsync(above);
		close(above);
	}
	return 0;
}

static int find_segments(struct lf_history *h)
{
	uint32_t *numbers;
	int n, i, ret = 0;

	/* of a segment that never got its name, so nothing in it counts */
	if (unlinkat(h->dir, HIST_NEW, 0) && errno != ENOENT)
		return hist_fail(h, errno, "%s: %s", HIST_NEW, strerror(errno));
	n = hist_segments(h->dir, &numbers);
	if (n < 0)
		return hist_fail(h, -n, "%s", strerror(-n));
	for (i = 0; i < n && !ret; i++)
		ret = look_at(h, numbers[i]);
	free(numbers);
	return ret;
}

int lf_history_open(struct lf_history **handle, const struct lf_history_options *o)
{
	struct lf_history *h = calloc(1, sizeof(*h));
	int ret;

	*handle = h;
	if (!h)
		return -ENOMEM;
	h->dir = -1;
	h->lock = -1;
	h->fd = -1;
	h->sequence = 1;
	h->gid = o->gid;
	h->say = o->say;
	h->data = o->data;
	ret = make_header(h, o);
	if (!ret)
		ret = set_limits(h, o);
	if (!ret)
		ret = open_dir(h, o->dir);
	if (!ret)
		ret = lock(h, o->dir);
	if (!ret)
		ret = find_segments(h);
	if (!ret)
		ret = take_up(h);
	return ret ? ret : hist_make_room(h, 0);
}
