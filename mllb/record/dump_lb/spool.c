// SPDX-License-Identifier: GPL-2.0
/*
 * Writing and reading of spools
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spool.h"
#include "util.h"

#define MAGIC		"JCSPOOL1"
#define MAX_ABOUT	(1 << 19)
#define BUFFER		(1 << 20)
#define STEP		(8ULL << 20)

struct spool_header {
	char magic[8];
	__u32 about_size;	/* multiple of 8 */
	__u32 decision_size;	/* a spool is read by the program that wrote it */
};

size_t event_size(__u32 kind)
{
	static const size_t sizes[DL_NR_KINDS] = {
		[DL_DECISION] = sizeof(struct dl_decision),
		[DL_OBSERVED] = sizeof(struct dl_decision),
		[DL_SYNTHETIC] = sizeof(struct dl_decision),
		[DL_RUN] = sizeof(struct dl_task),
		[DL_MOVE] = sizeof(struct dl_task),
		[DL_FAULT] = sizeof(struct dl_task),
		[DL_WAITED] = sizeof(struct dl_waited),
		[DL_END] = sizeof(struct dl_end),
	};

	return kind < DL_NR_KINDS ? sizes[kind] : 0;
}

/*
 * Room for all that may still come is promised before it is needed, so that a
 * disk that fills up ends the recording with nothing lost.
 */
static void spool_reserve(struct spool *s)
{
	__u64 want = s->written + BUFFER + s->margin;

	if (!s->promises || s->reserved >= want)
		return;
	if (!fallocate(s->fd, FALLOC_FL_KEEP_SIZE, s->reserved, want + STEP - s->reserved)) {
		s->reserved = want + STEP;
		return;
	}
	if (errno == EOPNOTSUPP || errno == ENOSYS)
		s->promises = false;
	else
		s->full = true;
}

static void spool_flush(struct spool *s)
{
	size_t done = 0;
	ssize_t n;

	while (done < s->filled && !s->error) {
		n = write(s->fd, s->buffer + done, s->filled - done);
		if (n > 0) {
			done += n;
			s->written += n;
		} else if (n < 0 && errno != EINTR) {
			s->error = errno;
			s->full = true;
		}
	}
	s->filled = 0;
	spool_reserve(s);
}

int spool_create(struct spool *s, const char *path, const char *about, __u64 margin)
{
	size_t length = strlen(about), padded = (length + 8) / 8 * 8;
	struct spool_header header = { .about_size = padded,
				       .decision_size = sizeof(struct dl_decision) };

	*s = (struct spool) { .margin = margin, .promises = true, .fd = -1 };
	s->path = need(strdup(path));
	s->buffer = need(malloc(BUFFER));
	s->fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (s->fd < 0)
		return fail("cannot create %s: %s", path, strerror(errno));
	spool_reserve(s);
	if (s->full) {
		unlink(path);
		return fail("%s: no room for the %llu MiB that the buffers hold: choose another folder with -o, or a smaller --buffer",
			    path, (s->margin + BUFFER + STEP) >> 20);
	}
	memcpy(header.magic, MAGIC, sizeof(header.magic));
	spool_add(s, &header, sizeof(header));
	spool_add(s, about, length);
	spool_add(s, &"       \n"[8 - (padded - length)], padded - length);
	return 0;
}

void spool_add(struct spool *s, const void *data, size_t size)
{
	if (s->filled + size > BUFFER)
		spool_flush(s);
	if (s->error)
		return;
	memcpy(s->buffer + s->filled, data, size);
	s->filled += size;
}

bool spool_finish(struct spool *s)
{
	spool_flush(s);
	/* gives back what was promised */
	if (ftruncate(s->fd, s->written))
		say("%s: %s", s->path, strerror(errno));
	return !s->error;
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->buffer);
	free(s->path);
	*s = (struct spool) { .fd = -1 };
}

/* Makes size bytes available at buffer + from; false: there are not as many. */
static bool fetch(struct spool_reader *r, size_t size)
{
	ssize_t n;

	if (r->filled - r->from >= size)
		return true;
	memmove(r->buffer, r->buffer + r->from, r->filled - r->from);
	r->filled -= r->from;
	r->from = 0;
	while (r->filled < size) {
		n = read(r->fd, r->buffer + r->filled, BUFFER - r->filled);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			say("%s: %s", r->path, strerror(errno));
		if (n <= 0)
			return false;
		r->filled += n;
	}
	return true;
}

int spool_open(struct spool_reader *r, const char *path)
{
	struct spool_header header = {};

	*r = (struct spool_reader) { .path = path };
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return fail("cannot open %s: %s", path, strerror(errno));
	r->buffer = need(malloc(BUFFER));
	if (fetch(r, sizeof(header)))
		memcpy(&header, r->buffer, sizeof(header));
	if (memcmp(header.magic, MAGIC, sizeof(header.magic)) || header.about_size > MAX_ABOUT)
		return fail("%s is no spool of dump_lb", path);
	if (header.decision_size != sizeof(struct dl_decision))
		return fail("%s was written by another version of dump_lb: convert it with that one",
			    path);
	r->from = sizeof(header);
	if (!fetch(r, header.about_size))
		return fail("%s is cut off before its first event", path);
	r->about = need(strndup(r->buffer + r->from, header.about_size));
	r->from += header.about_size;
	return 0;
}

int spool_next(struct spool_reader *r)
{
	const struct dl_head *head;
	size_t size;

	if (r->complete || !fetch(r, sizeof(*head)))
		return 0;
	head = (const struct dl_head *)(r->buffer + r->from);
	size = event_size(head->kind);
	if (!size)
		return fail("%s: damaged: an event of kind %u", r->path, head->kind);
	/* cut off in the middle: there is no more */
	if (!fetch(r, size))
		return 0;
	r->event = (const union dl_event *)(r->buffer + r->from);
	r->from += size;
	if (r->event->head.kind == DL_END) {
		r->end = r->event->end;
		r->complete = true;
	}
	return 1;
}

void spool_close_reader(struct spool_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	free(r->buffer);
	free(r->about);
	*r = (struct spool_reader) { .fd = -1 };
}
