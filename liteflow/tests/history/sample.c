// SPDX-License-Identifier: GPL-2.0
/*
 * Histories for tests.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "sample.h"

void sample_dir(char *dir, size_t room)
{
	const char *tmp = getenv("TMPDIR");

	if (!tmp)
		tmp = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	snprintf(dir, room, "%s/history.XXXXXX", tmp);
	if (!mkdtemp(dir)) {
		perror(dir);
		exit(1);
	}
}

void sample_remove(const char *dir)
{
	DIR *stream = opendir(dir);
	char path[512];
	struct dirent *d;

	while (stream && (d = readdir(stream))) {
		snprintf(path, sizeof(path), "%s/%s", dir, d->d_name);
		if (strcmp(d->d_name, ".") && strcmp(d->d_name, ".."))
			unlink(path);
	}
	if (stream)
		closedir(stream);
	rmdir(dir);
}

struct lf_history_options sample_options(const char *dir)
{
	return (struct lf_history_options){
		.dir = dir, .app = "test", .n_in = N_IN, .n_out = N_OUT,
		.max_bytes = 4 << 20, .segment_bytes = 256 << 10,
	};
}

/* What is there depends on the batch, the record and the place. */
static void fill(char *to, uint32_t number, uint32_t i)
{
	struct liteflow_record *r = (void *)to;
	unsigned int v;

	memset(to, 0, SIZE);
	r->flow = number;
	r->time_ns = 1000ULL * number + i;
	r->seq = i;
	r->version = 1 + number % 3;
	r->kind = i % 7 == 6 ? LITEFLOW_RECORD_REWARD : LITEFLOW_RECORD_QUERY;
	r->reward = r->kind == LITEFLOW_RECORD_REWARD ? (int)i : 0;
	for (v = 0; r->kind == LITEFLOW_RECORD_QUERY && v < N_IN + N_OUT; v++)
		r->values[v] = (int32_t)(number * 2654435761u + i * 40503u + v);
}

const struct lf_batch *sample_batch(uint32_t number, uint32_t count)
{
	static uint64_t data[MOST * SIZE / 8];
	static struct lf_batch batch;
	uint32_t i;

	for (i = 0; i < count; i++)
		fill((char *)data + i * SIZE, number, i);
	batch = (struct lf_batch){
		.app = "test", .sequence = number, .count = count, .size = SIZE,
		.records = count ? data : NULL,
	};
	return &batch;
}

bool sample_good(const struct lf_batch *batch)
{
	uint64_t want[SIZE / 8];
	uint32_t i;

	for (i = 0; i < batch->count; i++) {
		fill((char *)want, batch->sequence, i);
		if (memcmp(want, lf_batch_record(batch, i), SIZE))
			return false;
	}
	return batch->count && batch->size == SIZE;
}

static void see(struct sample_seen *seen, const struct lf_entry *e)
{
	const struct lf_batch *batch = &e->batch;

	switch (e->kind) {
	case LF_ENTRY_END:
		seen->ends++;
		return;
	case LF_ENTRY_GAP:
		seen->gaps[e->why]++;
		seen->missing += e->missing;
		seen->bytes += e->bytes;
		return;
	}
	if (!sample_good(batch)) {
		seen->wrong++;
		return;
	}
	if (!seen->batches++)
		seen->first = batch->sequence;
	else if (batch->sequence != seen->last + 1)
		seen->order++;
	seen->last = batch->sequence;
	seen->records += batch->count;
}

int sample_read(const char *dir, struct sample_seen *seen)
{
	struct lf_reader *r;
	struct lf_entry e;
	int ret;

	memset(seen, 0, sizeof(*seen));
	ret = lf_reader_open(&r, dir);
	while (!ret) {
		ret = lf_reader_next(r, &e);
		if (ret <= 0)
			break;
		see(seen, &e);
		ret = 0;
	}
	lf_reader_close(r);
	return ret;
}
