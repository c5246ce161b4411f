// SPDX-License-Identifier: GPL-2.0
/*
 * What is collected: into the history, the last inputs, the rewards.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static void take_records(struct service *s, const struct lf_batch *batch, bool rewards)
{
	uint32_t i;

	for (i = 0; i < batch->count; i++) {
		const struct liteflow_record *r = lf_batch_record(batch, i);

		if (r->kind == LITEFLOW_RECORD_QUERY)
			add_row(s, r->values);
		else if (r->kind == LITEFLOW_RECORD_REWARD && rewards)
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
	take_records(s, batch, true);
	if (!s->history)
		return 0;
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

	service_log(s, LOG_WARNING, "history-mended", "what=%s", log_quoted(line));
}

/* The last inputs are known from before lfd was started; rewards belong to versions. */
static void read_back(struct service *s, const char *dir)
{
	size_t size = LITEFLOW_RECORD_SIZE(s->info.n_in, s->info.n_out);
	struct lf_reader *reader;
	struct lf_entry entry;

	if (s->rows)
		return;
	if (!lf_reader_open(&reader, dir))
		while (lf_reader_next(reader, &entry) > 0)
			if (entry.kind == LF_ENTRY_BATCH && entry.batch.size == size &&
			    entry.segment->n_in == s->info.n_in)
				take_records(s, &entry.batch, false);
	lf_reader_close(reader);
}

/* Without a place for records lfd still watches, and says what is wrong. */
static void open_history(struct service *s)
{
	char dir[512], names[2 * LITEFLOW_WIDTH_MAX][LF_NAME_LEN];
	struct lf_history_options o = {
		.dir = dir, .app = s->config->app, .n_in = s->info.n_in, .n_out = s->info.n_out,
		.names = (const char (*)[LF_NAME_LEN])names,
		.max_bytes = (uint64_t)s->config->history_mib << 20, .say = said, .data = s,
	};
	unsigned int i;

	for (i = 0; i < s->info.n_in + s->info.n_out; i++)
		lf_app_column(&s->info, i, names[i]);
	if (snprintf(dir, sizeof(dir), "%s/history", s->path) >= (int)sizeof(dir))
		return;
	/* the hook's group reads it, and so new files of it */
	if ((mkdir(dir, 0750) && errno != EEXIST) ||
	    (!geteuid() && chown(dir, 0, s->config->hook.gid)) || chmod(dir, 02750)) {
		service_log(s, LOG_ERR, "history-error", "reason=%s", log_quoted(strerror(errno)));
		return;
	}
	if (lf_history_open(&s->history, &o)) {
		service_log(s, LOG_ERR, "history-error", "reason=%s",
			    log_quoted(lf_history_reason(s->history)));
		lf_history_close(s->history);
		s->history = NULL;
	}
	read_back(s, dir);
}

int records_start(struct service *s)
{
	int err;

	records_resize(s);
	open_history(s);
	s->lost = s->lost_told = 0;
	err = lf_monitor_start(s->collect, on_event, s);
	if (!err)
		err = lf_collect_start(s->collect, s->config->app, &s->config->collect, on_batch,
				       s);
	if (!err && s->history)
		lf_history_begin(s->history);
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
