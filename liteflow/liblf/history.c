// SPDX-License-Identifier: GPL-2.0
/*
 * The writer of a history.
 *
 * Entries are appended at @end by one pwritev() and synced later; a failed write is cut
 * off at once. What has to be told and could not be written yet is due: it goes before
 * the next batch.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "histwrite.h"

/* DOWN, UNWRITTEN, LOST and a batch, or an end */
#define MAX_ENTRIES	4

int hist_fail(struct lf_history *h, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(h->reason, sizeof(h->reason), fmt, args);
	va_end(args);
	return -error;
}

const char *lf_history_reason(const struct lf_history *h)
{
	return h ? h->reason : strerror(ENOMEM);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* -- the list of segments ------------------------------------------------- */

static uint64_t total(const struct lf_history *h)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->n; i++)
		sum += h->sizes[i];
	return sum;
}

int hist_add_segment(struct lf_history *h, uint32_t number, uint64_t size)
{
	uint32_t *numbers = realloc(h->numbers, (h->n + 1) * sizeof(*numbers));
	uint64_t *sizes = realloc(h->sizes, (h->n + 1) * sizeof(*sizes));

	if (numbers)
		h->numbers = numbers;
	if (sizes)
		h->sizes = sizes;
	if (!numbers || !sizes)
		return hist_fail(h, ENOMEM, "out of memory");
	h->numbers[h->n] = number;
	h->sizes[h->n++] = size;
	return 0;
}

/* Delete the oldest until @more bytes would fit; never the one that is written. */
int hist_make_room(struct lf_history *h, uint64_t more)
{
	size_t keep = h->fd < 0 ? 0 : 1, gone = 0;
	char file[24];
	int ret = 0;

	while (h->n - gone > keep && total(h) + more > h->max_bytes) {
		hist_name(h->numbers[gone], file);
		if (unlinkat(h->dir, file, 0) && errno != ENOENT) {
			ret = hist_fail(h, errno, "%s cannot be deleted: %s", file,
					strerror(errno));
			break;
		}
		h->sizes[gone++] = 0;
	}
	if (!gone)
		return ret;
	h->n -= gone;
	memmove(h->numbers, h->numbers + gone, h->n * sizeof(*h->numbers));
	memmove(h->sizes, h->sizes + gone, h->n * sizeof(*h->sizes));
	return ret;
}

/* -- a new segment -------------------------------------------------------- */

static int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		p += n;
		len -= n;
	}
	return 0;
}

/* It gets its name once it is on disk, so a segment has a whole header. */
static int create(struct lf_history *h, uint32_t number)
{
	struct hist_header *header = h->header;
	char file[24];
	int fd, ret;

	header->number = number;
	header->first = h->sequence;
	header->realtime_ns = clock_ns(CLOCK_REALTIME);
	header->monotonic_ns = clock_ns(CLOCK_MONOTONIC);
	header->crc = hist_header_crc(header);
	hist_name(number, file);
	fd = openat(h->dir, HIST_NEW, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		    HIST_MODE);
	if (fd < 0)
		return hist_fail(h, errno, "%s: %s", file, strerror(errno));
	hist_give(h, fd, file, HIST_MODE);
	ret = write_all(fd, header, header->bytes);
	if (!ret && (fdatasync(fd) || renameat(h->dir, HIST_NEW, h->dir, file) || fsync(h->dir)))
		ret = -errno;
	if (!ret)
		ret = hist_add_segment(h, number, header->bytes);
	if (ret) {
		close(fd);
		unlinkat(h->dir, HIST_NEW, 0);
		return hist_fail(h, -ret, "%s: %s", file, strerror(-ret));
	}
	h->fd = fd;
	h->number = number;
	h->end = header->bytes;
	h->synced_end = h->end;
	h->synced_sequence = h->sequence;
	return 0;
}

void hist_close_segment(struct lf_history *h)
{
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

/* There is a segment that takes @len bytes more. */
static int segment_for(struct lf_history *h, size_t len)
{
	int ret;

	if (h->fd >= 0 && h->end > h->header->bytes && h->end + len > h->segment_bytes) {
		ret = lf_history_sync(h);
		if (ret)
			return ret;
		hist_close_segment(h);
	}
	if (h->fd >= 0)
		return 0;
	ret = hist_make_room(h, h->header->bytes + len > h->segment_bytes ?
			h->header->bytes + len : h->segment_bytes);
	return ret ? ret : create(h, h->number + 1);
}

/* -- appending ------------------------------------------------------------ */

/**
 * struct pending - entries to write at once
 * @head: their heads
 * @data: records behind the last one
 * @n: how many
 * @bytes: of all
 */
struct pending {
	struct hist_head head[MAX_ENTRIES];
	const void *data;
	unsigned int n;
	size_t bytes;
};

static struct hist_head *add_entry(struct pending *p, enum lf_entry_kind kind)
{
	struct hist_head *head = p->head + p->n++;

	*head = (struct hist_head){
		.magic = HIST_ENTRY_MAGIC, .kind = kind,
		.realtime_ns = clock_ns(CLOCK_REALTIME),
		.monotonic_ns = clock_ns(CLOCK_MONOTONIC),
	};
	p->bytes += sizeof(*head);
	return head;
}

static void add_gap(struct pending *p, enum lf_gap_why why, uint64_t missing)
{
	struct hist_head *head = add_entry(p, LF_ENTRY_GAP);

	head->why = why;
	head->lost = missing;
}

static void add_due(struct pending *p, const struct due *due)
{
	if (due->down) {
		add_gap(p, LF_GAP_DOWN, 0);
		p->head[p->n - 1].from_ns = due->from_ns;
		p->head[p->n - 1].realtime_ns = due->to_ns;
	}
	if (due->unwritten)
		add_gap(p, LF_GAP_UNWRITTEN, due->unwritten);
}

/* All of it, or the file as it was. */
static int write_at_end(struct lf_history *h, struct iovec *iov, int n, size_t len)
{
	uint64_t at = h->end;
	int ret = 0;
	ssize_t got;

	while (len && !ret) {
		got = pwritev(h->fd, iov, n, at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			ret = got ? -errno : -EIO;
			break;
		}
		at += got;
		len -= got;
		for (; n && (size_t)got >= iov->iov_len; n--, iov++)
			got -= iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + got;
			iov->iov_len -= got;
		}
	}
	if (ret && ftruncate(h->fd, h->end)) {
		/* nothing can be written behind it, but what is before it can count */
		lf_history_sync(h);
		hist_close_segment(h);
	}
	return ret;
}

/* Move what is due in @from to @to, where something may be due already. */
static void merge(struct due *to, struct due *from)
{
	if (from->down) {
		to->from_ns = to->down && to->from_ns < from->from_ns ? to->from_ns : from->from_ns;
		to->to_ns = to->down && to->to_ns > from->to_ns ? to->to_ns : from->to_ns;
		to->down = true;
	}
	to->unwritten += from->unwritten;
	memset(from, 0, sizeof(*from));
}

static int emit(struct lf_history *h, struct pending *p)
{
	struct iovec iov[MAX_ENTRIES + 1];
	struct hist_head *last;
	unsigned int i;
	int n, ret;

	if (!p->n)
		return 0;
	ret = segment_for(h, p->bytes);
	if (ret)
		return ret;
	for (i = 0; i < p->n; i++) {
		p->head[i].sequence = h->sequence + i;
		p->head[i].data_crc = hist_crc(h->header->crc, p->data,
					       i + 1 == p->n ? p->head[i].length : 0);
		p->head[i].crc = hist_head_crc(h->header, p->head + i);
		iov[i].iov_base = p->head + i;
		iov[i].iov_len = sizeof(p->head[i]);
	}
	last = p->head + p->n - 1;
	n = p->n;
	if (last->length) {
		iov[n].iov_base = (void *)p->data;
		iov[n++].iov_len = last->length;
	}
	ret = write_at_end(h, iov, n, p->bytes);
	if (ret)
		return hist_fail(h, -ret, "%s", strerror(-ret));
	h->end += p->bytes;
	h->sizes[h->n - 1] = h->end;
	h->sequence += p->n;
	h->last_ns = last->realtime_ns;
	merge(&h->unsynced_due, &h->due);
	return 0;
}

/* Of a batch that failed and does not come again. */
static void give_up(struct lf_history *h)
{
	if (h->failed) {
		h->due.unwritten += h->failed_count;
		h->state.unwritten += h->failed_count;
	}
	h->failed = false;
}

int lf_history_begin(struct lf_history *h)
{
	return lf_history_go_on(h, clock_ns(CLOCK_REALTIME), 0);
}

int lf_history_go_on(struct lf_history *h, int64_t since_ns, uint64_t missed)
{
	struct pending p = { .n = 0 };

	/* if that fails, it is due */
	give_up(h);
	lf_history_sync(h);
	h->told = 0;
	h->synced_told = 0;
	h->collection = true;
	if (h->last_ns) {
		if (!h->due.down)
			h->due.from_ns = h->last_ns;
		h->due.down = true;
		/* a clock may have been set */
		h->due.to_ns = since_ns > h->last_ns ? since_ns : h->last_ns;
	}
	h->due.unwritten += missed;
	h->state.unwritten += missed;
	add_due(&p, &h->due);
	return emit(h, &p);
}

int lf_history_append(struct lf_history *h, const struct lf_batch *batch)
{
	uint64_t length = (uint64_t)batch->count * h->header->size;
	struct pending p = { .data = batch->records };
	struct hist_head *head;
	uint64_t lost;
	int ret;

	if (batch->count && (batch->size != h->header->size || length > HIST_MAX_DATA ||
			     length > h->max_bytes / 4))
		return hist_fail(h, EINVAL, "%u records of %zu bytes do not fit: they have %u here",
			    batch->count, batch->size, h->header->size);
	if (h->failed && h->failed_batch != batch->sequence)
		give_up(h);
	add_due(&p, &h->due);
	/* less than before: another collection, whose begin nobody told */
	lost = batch->lost < h->told ? batch->lost : batch->lost - h->told;
	if (lost)
		add_gap(&p, LF_GAP_LOST, lost);
	if (batch->count) {
		head = add_entry(&p, LF_ENTRY_BATCH);
		head->count = batch->count;
		head->length = length;
		head->lost = batch->lost;
		head->batch = batch->sequence;
		p.bytes += length;
	}
	ret = emit(h, &p);
	h->failed = ret;
	if (ret) {
		h->failed_batch = batch->sequence;
		h->failed_count = batch->count;
		return ret;
	}
	h->collection = true;
	h->told = batch->lost;
	h->state.lost += lost;
	h->unsynced += batch->count;
	h->unsynced_batches += batch->count != 0;
	return 0;
}

/* -- syncing -------------------------------------------------------------- */

/* What was appended since the last sync may or may not be there: it does not count. */
static int lose_unsynced(struct lf_history *h, int error, const char *why)
{
	h->due.unwritten += h->unsynced;
	merge(&h->due, &h->unsynced_due);
	h->state.unwritten += h->unsynced;
	h->state.lost -= h->told - h->synced_told;
	h->told = h->synced_told;
	h->unsynced = 0;
	h->unsynced_batches = 0;
	/* where it cannot be cut, its numbers are not given again */
	if (!ftruncate(h->fd, h->synced_end)) {
		h->sequence = h->synced_sequence;
		h->sizes[h->n - 1] = h->synced_end;
	}
	hist_close_segment(h);
	return hist_fail(h, error, "%s", why);
}

int lf_history_sync(struct lf_history *h)
{
	struct stat st;

	if (h->fd < 0 || h->end == h->synced_end)
		return 0;
	if (fdatasync(h->fd))
		return lose_unsynced(h, errno, strerror(errno));
	if (!fstat(h->fd, &st) && !st.st_nlink)
		return lose_unsynced(h, ENOENT, "the segment was deleted by somebody else");
	h->state.batches += h->unsynced_batches;
	h->state.records += h->unsynced;
	h->unsynced = 0;
	h->unsynced_batches = 0;
	memset(&h->unsynced_due, 0, sizeof(h->unsynced_due));
	h->synced_end = h->end;
	h->synced_sequence = h->sequence;
	h->synced_told = h->told;
	return 0;
}

void lf_history_get_state(const struct lf_history *h, struct lf_history_state *state)
{
	*state = h->state;
	state->bytes = total(h);
	state->segments = h->n;
}

/* -- the end -------------------------------------------------------------- */

int lf_history_close(struct lf_history *h)
{
	struct pending p = { .n = 0 };
	int ret = 0;

	if (!h)
		return 0;
	if (h->collection) {
		give_up(h);
		add_due(&p, &h->due);
		add_entry(&p, LF_ENTRY_END);
		ret = emit(h, &p);
		if (!ret)
			ret = lf_history_sync(h);
		else
			lf_history_sync(h);
	}
	hist_close_segment(h);
	if (h->lock >= 0)
		close(h->lock);
	if (h->dir >= 0)
		close(h->dir);
	free(h->header);
	free(h->numbers);
	free(h->sizes);
	free(h);
	return ret;
}

const char *lf_gap_name(uint32_t why)
{
	static const char *const names[] = {
		[LF_GAP_LOST] = "lost", [LF_GAP_DOWN] = "down",
		[LF_GAP_UNWRITTEN] = "unwritten", [LF_GAP_DAMAGED] = "damaged",
	};

	return why < sizeof(names) / sizeof(*names) && names[why] ? names[why] : "?";
}
