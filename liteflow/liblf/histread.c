// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of a history. It takes no lock: a segment is read as it was at one moment,
 * and what is not whole at its end is what the writer is at.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "histfile.h"

/**
 * struct lf_reader - a reader
 * @dir: the directory
 * @segments: oldest first
 * @n: how many
 * @aside: "NAME: why" of other files
 * @n_aside: how many
 * @at_segment: which one @image is of
 * @image: the segment that is read; none if its header is NULL
 * @at: place of the next entry in it
 * @next: number that the next entry should have; 0: any
 * @kept: an entry that comes behind a gap
 * @torn: of the newest segment
 * @reason: of the last failure
 */
struct lf_reader {
	int dir;
	struct lf_segment *segments;
	size_t n;
	char **aside;
	size_t n_aside;
	size_t at_segment;
	struct hist_image image;
	size_t at;
	uint64_t next;
	const struct hist_head *kept;
	uint64_t torn;
	char reason[LF_REASON_LEN];
};

__attribute__((format(printf, 3, 4)))
static int fail(struct lf_reader *r, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, args);
	va_end(args);
	return -error;
}

const char *lf_reader_reason(const struct lf_reader *r)
{
	return r ? r->reason : strerror(ENOMEM);
}

/* -- opening -------------------------------------------------------------- */

static int add_aside(struct lf_reader *r, const char *file, const char *why)
{
	char **more = realloc(r->aside, (r->n_aside + 1) * sizeof(*more));

	if (!more)
		return fail(r, ENOMEM, "out of memory");
	r->aside = more;
	if (asprintf(&more[r->n_aside], "%s: %s", file, why) < 0)
		return fail(r, ENOMEM, "out of memory");
	r->n_aside++;
	return 0;
}

/* Takes over the names of the image. */
static int add_segment(struct lf_reader *r, struct hist_image *image, uint64_t bytes)
{
	struct lf_segment *more = realloc(r->segments, (r->n + 1) * sizeof(*more)), *s;
	struct hist_header *h = image->header;

	if (!more)
		return fail(r, ENOMEM, "out of memory");
	r->segments = more;
	s = more + r->n++;
	*s = (struct lf_segment){
		.number = h->number, .n_in = h->n_in, .n_out = h->n_out, .size = h->size,
		.bytes = bytes, .realtime_ns = h->realtime_ns, .monotonic_ns = h->monotonic_ns,
	};
	hist_name(h->number, s->file);
	snprintf(s->app, sizeof(s->app), "%.*s", LF_NAME_LEN - 1, h->app);
	snprintf(s->boot_id, sizeof(s->boot_id), "%.36s", h->boot_id);
	s->names = calloc((size_t)h->n_in + h->n_out, LF_NAME_LEN);
	if (!s->names)
		return fail(r, ENOMEM, "out of memory");
	memcpy((void *)s->names, h->names, h->bytes - sizeof(*h));
	return 0;
}

static int look_at(struct lf_reader *r, uint32_t number)
{
	char why[LF_REASON_LEN], file[24];
	struct hist_image image;
	struct stat st = { 0 };
	int ret;

	hist_name(number, file);
	ret = hist_load(r->dir, number, false, &image, why);
	if (!ret) {
		fstatat(r->dir, file, &st, AT_SYMLINK_NOFOLLOW);
		ret = add_segment(r, &image, st.st_size);
		free(image.header);
		return ret;
	}
	if (ret == -EINVAL)
		return add_aside(r, file, why);
	/* deleted since, as the oldest one */
	return ret == -ENOENT ? 0 : fail(r, -ret, "%s: %s", file, strerror(-ret));
}

/* The newest says what history it is; segments of another are none of it. */
static int leave_foreign(struct lf_reader *r)
{
	const struct lf_segment newest = r->segments[r->n - 1];
	char why[LF_REASON_LEN];
	size_t i, n = 0;
	int ret = 0;

	for (i = 0; i < r->n; i++) {
		struct lf_segment *s = r->segments + i;

		if (!strcmp(s->app, newest.app) && s->n_in == newest.n_in &&
		    s->n_out == newest.n_out) {
			r->segments[n++] = *s;
			continue;
		}
		snprintf(why, sizeof(why), "of app %s, %u inputs and %u outputs", s->app, s->n_in,
			 s->n_out);
		if (!ret)
			ret = add_aside(r, s->file, why);
		free((void *)s->names);
	}
	r->n = n;
	return ret;
}

/* What a writer set aside. */
static int find_aside(struct lf_reader *r)
{
	int fd = openat(r->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!stream) {
		ret = fail(r, errno, "%s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return ret;
	}
	while (!ret && (d = readdir(stream)))
		if (strstr(d->d_name, HIST_SUFFIX HIST_ASIDE))
			ret = add_aside(r, d->d_name, "set aside");
	closedir(stream);
	return ret;
}

static int find_segments(struct lf_reader *r, const char *dir)
{
	uint32_t *numbers;
	int n, i, ret = 0;

	r->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0)
		return fail(r, errno, "%.200s: %s", dir, errno == ENOTDIR ?
			    "a file: a history is the folder of its segments" : strerror(errno));
	n = hist_segments(r->dir, &numbers);
	if (n < 0)
		return fail(r, -n, "%.200s: %s", dir, strerror(-n));
	for (i = 0; i < n && !ret; i++)
		ret = look_at(r, numbers[i]);
	free(numbers);
	if (!ret && r->n)
		ret = leave_foreign(r);
	if (!ret)
		ret = find_aside(r);
	if (ret || r->n)
		return ret;
	if (n)
		return fail(r, EINVAL, "%.100s: no segment can be read: %.140s", dir,
			    r->n_aside ? r->aside[0] : "they went away");
	return fail(r, ENOENT, "%.200s: there is no history in it", dir);
}

int lf_reader_open(struct lf_reader **handle, const char *dir)
{
	struct lf_reader *r = calloc(1, sizeof(*r));

	*handle = r;
	if (!r)
		return -ENOMEM;
	return find_segments(r, dir);
}

void lf_reader_close(struct lf_reader *r)
{
	size_t i;

	if (!r)
		return;
	for (i = 0; i < r->n; i++)
		free((void *)r->segments[i].names);
	for (i = 0; i < r->n_aside; i++)
		free(r->aside[i]);
	if (r->dir >= 0)
		close(r->dir);
	free(r->segments);
	free(r->aside);
	free(r->image.header);
	free(r);
}

const struct lf_segment *lf_reader_segments(const struct lf_reader *r, size_t *n)
{
	*n = r->n;
	return r->segments;
}

const char *lf_reader_aside(const struct lf_reader *r, size_t i)
{
	return i < r->n_aside ? r->aside[i] : NULL;
}

uint64_t lf_reader_torn(const struct lf_reader *r)
{
	return r->torn;
}

/* -- entries -------------------------------------------------------------- */

static void drop_image(struct lf_reader *r)
{
	free(r->image.header);
	memset(&r->image, 0, sizeof(r->image));
	r->kept = NULL;
}

int lf_reader_seek(struct lf_reader *r, size_t segment)
{
	if (segment >= r->n)
		return fail(r, EINVAL, "there are %zu segments, none behind them", r->n);
	drop_image(r);
	r->at_segment = segment;
	r->next = 0;
	r->torn = 0;
	return 0;
}

int lf_reader_rewind(struct lf_reader *r)
{
	return lf_reader_seek(r, 0);
}

static void fill(struct lf_reader *r, const struct hist_head *head, struct lf_entry *e)
{
	const struct lf_segment *s = r->segments + r->at_segment;

	memset(e, 0, sizeof(*e));
	e->kind = head->kind;
	e->sequence = head->sequence;
	e->realtime_ns = head->realtime_ns;
	e->monotonic_ns = head->monotonic_ns;
	e->segment = s;
	if (head->kind == LF_ENTRY_BATCH) {
		snprintf(e->batch.app, sizeof(e->batch.app), "%s", s->app);
		e->batch.sequence = head->batch;
		e->batch.lost = head->lost;
		e->batch.count = head->count;
		e->batch.size = s->size;
		e->batch.records = head + 1;
	} else if (head->kind == LF_ENTRY_GAP) {
		e->why = head->why;
		e->missing = head->lost;
		if (head->why == LF_GAP_DOWN) {
			e->from_ns = head->from_ns;
			e->to_ns = head->realtime_ns;
		}
	}
}

/* Something is not there that was. */
static int damaged(struct lf_reader *r, uint64_t bytes, struct lf_entry *e)
{
	const struct lf_segment *s = r->segments + r->at_segment;

	*e = (struct lf_entry){
		.kind = LF_ENTRY_GAP, .why = LF_GAP_DAMAGED, .bytes = bytes, .segment = s,
		.realtime_ns = s->realtime_ns, .monotonic_ns = s->monotonic_ns,
	};
	r->next = 0;
	return 1;
}

static int load_segment(struct lf_reader *r)
{
	const struct lf_segment *s = r->segments + r->at_segment;
	char why[LF_REASON_LEN];
	int ret;

	ret = hist_load(r->dir, s->number, true, &r->image, why);
	if (ret == -EINVAL)
		return fail(r, EINVAL, "%s: %s", s->file, why);
	if (ret && ret != -ENOENT)
		return fail(r, -ret, "%s: %s", s->file, strerror(-ret));
	if (ret)
		return ret;
	if (r->image.header->n_in != s->n_in || r->image.header->n_out != s->n_out)
		return fail(r, EINVAL, "%s: it was replaced meanwhile", s->file);
	r->at = r->image.header->bytes;
	return 0;
}

/* The next entry of the segment in memory; 0: it has no more. */
static int next_here(struct lf_reader *r, struct lf_entry *e)
{
	const struct hist_head *head = r->kept;
	size_t from = r->at;

	r->kept = NULL;
	if (!head) {
		switch (hist_next(&r->image, &r->at, &head)) {
		case HIST_DAMAGE:
			return damaged(r, r->at - from, e);
		case HIST_TORN:
			if (r->at_segment + 1 == r->n)
				r->torn = r->at - from;
			return 0;
		case HIST_END:
			return 0;
		case HIST_ENTRY:
			break;
		}
		if (r->next && head->sequence != r->next) {
			r->kept = head;
			return damaged(r, 0, e);
		}
	}
	r->next = head->sequence + 1;
	fill(r, head, e);
	return 1;
}

int lf_reader_next(struct lf_reader *r, struct lf_entry *e)
{
	int ret;

	for (; r->at_segment < r->n; r->at_segment++) {
		if (!r->image.header) {
			ret = load_segment(r);
			/* what was there before is the oldest that is left now */
			if (ret == -ENOENT) {
				r->next = 0;
				continue;
			}
			if (ret)
				return ret;
		}
		ret = next_here(r, e);
		if (ret)
			return ret;
		drop_image(r);
	}
	return 0;
}
