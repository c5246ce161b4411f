// SPDX-License-Identifier: GPL-2.0
/*
 * What is collected: into the history, the last inputs, the rewards.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "service.h"

/* More datagrams than a socket has room for: a busy app must not hold up the others. */
#define MOST_TAKEN	1024

static void add_row(struct service *s, const int32_t *inputs)
{
	memcpy(s->ring + (size_t)s->next * s->info.n_in, inputs,
	       s->info.n_in * sizeof(*inputs));
	s->next = (s->next + 1) % s->room;
	if (s->rows < s->room)
		s->rows++;
}

int32_t *records_inputs(const struct service *s, unsigned int *rows)
{
	size_t n_in = s->info.n_in, from = s->rows < s->room ? 0 : s->next, i;
	int32_t *inputs = malloc(s->rows * n_in * sizeof(*inputs) + 1);

	*rows = inputs ? s->rows : 0;
	for (i = 0; i < *rows; i++)
		memcpy(inputs + i * n_in, s->ring + (from + i) % s->room * n_in,
		       n_in * sizeof(*inputs));
	return inputs;
}

void records_resize(struct service *s)
{
	unsigned int rows, skip, i;
	int32_t *old;

	if (s->room == s->config->inputs && s->ring)
		return;
	old = s->ring ? records_inputs(s, &rows) : NULL;
	free(s->ring);
	s->room = s->config->inputs;
	s->ring = calloc((size_t)s->room * s->info.n_in, sizeof(*s->ring));
	if (!s->ring)
		abort();
	s->next = s->rows = 0;
	if (!old)
		return;
	skip = rows > s->room ? rows - s->room : 0;
	for (i = skip; i < rows; i++)
		add_row(s, old + (size_t)i * s->info.n_in);
	free(old);
}

static void take_records(struct service *s, const struct lf_batch *batch)
{
	uint32_t i;

	for (i = 0; i < batch->count; i++) {
		const struct liteflow_record *r = lf_batch_record(batch, i);

		if (r->kind == LITEFLOW_RECORD_QUERY)
			add_row(s, r->values);
		else if (r->kind == LITEFLOW_RECORD_REWARD)
			watch_reward(&s->watch, &s->config->watch, r->time_ns, r->flow, r->version,
				     r->reward);
	}
}

/* Told once when it begins to fail, and once when it is well again. */
static void write_result(struct service *s, int err)
{
	if (err && !s->unwritten)
		service_log(s, LOG_ERR, "history-error", "reason=%s",
			    log_quoted(lf_history_reason(s->history)));
	if (!err && s->unwritten)
		service_log(s, LOG_NOTICE, "history-well", "%s", "");
	s->unwritten = err;
}

static int on_batch(const struct lf_batch *batch, void *data)
{
	struct service *s = data;
	int err;

	if (batch->count &&
	    batch->size != LITEFLOW_RECORD_SIZE(s->info.n_in, s->info.n_out))
		return -EPROTO;
	/* where it goes on and on, each time that it has doubled */
	if (batch->lost > 2 * s->lost_told) {
		service_log(s, LOG_WARNING, "lost", "records=%llu",
			    (unsigned long long)batch->lost);
		s->lost_told = batch->lost;
	}
	s->lost = batch->lost;
	s->records += batch->count;
	s->fresh += batch->count;
	take_records(s, batch);
	if (!s->history) {
		s->missed += batch->count;
		return 0;
	}
	err = lf_history_append(s->history, batch);
	if (err)
		write_result(s, err);
	else
		s->unsynced = true;
	return 0;
}

static int on_event(const struct lf_event *event, void *data)
{
	struct service *s = data;

	if (event->app_id != s->info.id)
		return 0;
	s->look_ns = 0;
	/* the same name may be back already: a new app, with versions of its own */
	s->gone |= event->event == LITEFLOW_EVENT_APP_REMOVED;
	return 0;
}

static void said(const char *line, void *data)
{
	struct service *s = data;

	service_log(s, LOG_WARNING, "history-note", "what=%s", log_quoted(line));
}

/* -- what is there from before -------------------------------------------------------- */

static int history_dir(const struct service *s, char *dir, size_t room)
{
	return snprintf(dir, room, "%s/history", s->path) < (int)room ? 0 : -1;
}

/* Are its inputs those of the app? */
static bool fits(const struct service *s, const struct lf_segment *segment)
{
	char name[LF_NAME_LEN];
	unsigned int i;

	if (segment->n_in != s->info.n_in || segment->n_out != s->info.n_out ||
	    segment->size != LITEFLOW_RECORD_SIZE(s->info.n_in, s->info.n_out))
		return false;
	for (i = 0; i < s->info.n_in; i++) {
		lf_app_column(&s->info, i, name);
		if (strncmp(name, segment->names[i], LF_NAME_LEN))
			return false;
	}
	return true;
}

/**
 * struct part - inputs of a segment, in memory for all of them
 * @rows: the first one's place, [@room][n_in]; a ring once it is full
 * @room: places behind it
 * @n: that are taken
 * @next: to be written next
 */
struct part {
	int32_t *rows;
	unsigned int room;
	unsigned int n;
	unsigned int next;
};

/* The last queries of a segment, as many as fit. */
static void read_segment(const struct service *s, struct lf_reader *reader, size_t at,
			 const struct lf_segment *segment, struct part *part)
{
	size_t n_in = s->info.n_in;
	struct lf_entry entry;
	uint32_t i;

	lf_reader_seek(reader, at);
	while (lf_reader_next(reader, &entry) > 0 && entry.segment == segment) {
		for (i = 0; entry.kind == LF_ENTRY_BATCH && i < entry.batch.count; i++) {
			const struct liteflow_record *r = lf_batch_record(&entry.batch, i);

			if (r->kind != LITEFLOW_RECORD_QUERY)
				continue;
			memcpy(part->rows + part->next * n_in, r->values, n_in * sizeof(*r->values));
			part->next = (part->next + 1) % part->room;
			part->n += part->n < part->room;
		}
	}
}

/* The newest segment first, until there are enough of them; how many segments. */
static size_t read_newest(const struct service *s, struct lf_reader *reader, struct part *parts,
			  int32_t *rows)
{
	const struct lf_segment *segments;
	size_t n, at, n_parts = 0;
	unsigned int room = s->room;

	segments = lf_reader_segments(reader, &n);
	for (at = n; at && room; at--) {
		struct part *part = parts + n_parts;

		if (!fits(s, segments + at - 1))
			continue;
		*part = (struct part){ .rows = rows, .room = room };
		read_segment(s, reader, at - 1, segments + at - 1, part);
		rows += (size_t)part->n * s->info.n_in;
		room -= part->n;
		n_parts++;
	}
	return n_parts;
}

static void take_parts(struct service *s, const struct part *parts, size_t n)
{
	unsigned int i;

	while (n--) {
		const struct part *part = parts + n;
		unsigned int first = part->n < part->room ? 0 : part->next;

		for (i = 0; i < part->n; i++)
			add_row(s, part->rows + (size_t)((first + i) % part->room) * s->info.n_in);
	}
}

/*
 * The last inputs are known from before lfd was started; rewards belong to versions. A
 * history may be large: of it the newest segments are read, each once.
 */
static void read_back(struct service *s)
{
	struct lf_reader *reader;
	struct part *parts;
	int32_t *rows;
	char dir[512];
	size_t n;

	if (history_dir(s, dir, sizeof(dir)))
		return;
	if (!lf_reader_open(&reader, dir)) {
		lf_reader_segments(reader, &n);
		parts = calloc(n, sizeof(*parts));
		rows = calloc((size_t)s->room * s->info.n_in, sizeof(*rows));
		n = parts && rows ? read_newest(s, reader, parts, rows) : 0;
		if (n && parts[0].n) {
			/* what came while collecting began is there, too */
			s->next = s->rows = 0;
			take_parts(s, parts, n);
		}
		free(parts);
		free(rows);
	}
	lf_reader_close(reader);
}

/* -- begin and end ----------------------------------------------------------------------- */

/* Without a place for records lfd still watches, says what is wrong, and tries again. */
static void open_history(struct service *s, uint64_t now)
{
	char dir[512], names[2 * LITEFLOW_WIDTH_MAX][LF_NAME_LEN];
	struct lf_history_options o = {
		.dir = dir, .app = s->config->app, .n_in = s->info.n_in, .n_out = s->info.n_out,
		.names = (const char (*)[LF_NAME_LEN])names,
		.max_bytes = (uint64_t)s->config->history_mib << 20, .say = said, .data = s,
	};
	unsigned int i;
	int err;

	for (i = 0; i < s->info.n_in + s->info.n_out; i++)
		lf_app_column(&s->info, i, names[i]);
	s->history_ns = now + RETRY_S * NS_PER_S;
	if (history_dir(s, dir, sizeof(dir)))
		return;
	/* the hook reads it */
	if (!geteuid())
		o.gid = s->config->hook.gid;
	err = lf_history_open(&s->history, &o);
	write_result(s, err);
	if (!err)
		return;
	lf_history_close(s->history);
	s->history = NULL;
}

/* What came while there was none stands as a gap. */
static void begin_history(struct service *s)
{
	lf_history_go_on(s->history, s->collecting_ns, s->missed);
	s->missed = 0;
}

void records_retry(struct service *s, uint64_t now)
{
	if (s->history || now < s->history_ns)
		return;
	open_history(s, now);
	if (s->history)
		begin_history(s);
}

static int64_t realtime_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

int records_start(struct service *s, uint64_t now)
{
	bool known = s->rows;
	int err;

	records_resize(s);
	open_history(s, now);
	s->lost = s->lost_told = 0;
	s->collecting_ns = realtime_ns();
	err = lf_monitor_start(s->collect, on_event, s);
	if (!err)
		err = lf_collect_start(s->collect, s->config->app, &s->config->collect, on_batch,
				       s);
	if (!err && s->history)
		begin_history(s);
	if (!err && !known)
		read_back(s);
	return err;
}

void records_stop(struct service *s)
{
	if (s->collect && !s->gone)
		lf_collect_stop(s->collect);
	if (s->history && lf_history_close(s->history))
		service_log(s, LOG_ERR, "history-error", "reason=%s",
			    log_quoted("what came last may not be on disk"));
	s->history = NULL;
	s->unwritten = s->unsynced = false;
}

int records_take(struct service *s)
{
	unsigned int i;
	int ret = 1;

	for (i = 0; i < MOST_TAKEN && ret > 0; i++) {
		ret = lf_take(s->collect, 0);
		/* notifications were lost: look at all of it */
		if (ret == -ENOBUFS) {
			s->look_ns = 0;
			ret = 1;
		}
	}
	if (s->unsynced) {
		write_result(s, lf_history_sync(s->history));
		s->unsynced = false;
	}
	return ret < 0 && ret != -EINTR ? ret : 0;
}
