// SPDX-License-Identifier: GPL-2.0
/*
 * Spool to CSV
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <json-c/json.h>

#include "csv.h"
#include "features.h"
#include "join.h"
#include "spool.h"
#include "util.h"

/*
 * The original's 30, what this project adds to them, and what dump_lb adds;
 * train/features.py has the first two groups as well.
 */
const char csv_header[] =
	"ts,curr_pid,pid,src_cpu,dst_cpu,imbalance,src_len,src_numa_len,"
	"src_preferred_len,delta,cpu_idle,cpu_not_idle,cpu_newly_idle,same_node,"
	"prefer_src,prefer_dst,delta_faults,total_faults,dst_len,src_load,dst_load,"
	"nr_fails,cache_nice_tries,buddy_hot,throttled,p_running,test_aggressive,"
	"can_migrate,pc_0,pc_1,"
	"stock,model,reason,extra_fails,numa_gate,bits,num0,num1,num2,num3,num4,"
	"sd_level,sd_flags,idle_policy,pc_cpu,pc_age,ns,checksum,"
	"flipped,propensity,"
	"policy,weight,imbalance_type,balance_cpu,src_node,dst_node,preferred_node,"
	"moved,wait_ns,back,home_faults,away_faults,src_wait_ns,dst_wait_ns,horizon_ns,"
	"workload";

#define MAX_ROW		2048
#define BUFFER		(1 << 20)
#define MAX_NAMES	16
#define FORCED		2	/* of rows that dump_lb judged itself */

struct names {
	const char *of[MAX_NAMES];
};

struct writer {
	int fd;
	const char *path;
	char *buffer;
	char *at;
	int *cpu_nodes;
	int nr_cpus;
	struct names reasons;
	struct names imbalance_types;
	const char *workload;
	bool outcomes;
	__u64 horizon_ns;
	volatile sig_atomic_t *interrupted;
	/* of the workload */
	__u64 rows, migrate, stock_yes, stock_no, forced, moved, flipped;
	__u64 by_reason[MAX_NAMES];
};

static inline char *put_u64(char *to, __u64 v)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char digits[20], *d = digits + sizeof(digits);
	size_t n;

	if (v < 10) {
		*to++ = '0' + v;
		*to++ = ',';
		return to;
	}
	if (v == UINT64_MAX) {	/* a counter that there is not */
		memcpy(to, "18446744073709551615,", 21);
		return to + 21;
	}
	for (; v >= 100; v /= 100) {
		d -= 2;
		memcpy(d, pairs + 2 * (v % 100), 2);
	}
	if (v >= 10) {
		d -= 2;
		memcpy(d, pairs + 2 * v, 2);
	} else {
		*--d = '0' + v;
	}
	n = digits + sizeof(digits) - d;
	memcpy(to, d, n);
	to[n] = ',';
	return to + n + 1;
}

static inline char *put_s64(char *to, __s64 v)
{
	if (v < 0) {
		*to++ = '-';
		return put_u64(to, -(__u64)v);
	}
	return put_u64(to, v);
}

static inline char *put_bit(char *to, bool v)
{
	*to++ = '0' + v;
	*to++ = ',';
	return to;
}

static inline char *put_nothing(char *to)
{
	*to++ = ',';
	return to;
}

/* as the kernel's %#x prints it */
static inline char *put_hex(char *to, __u32 v)
{
	int shift = v ? (31 - __builtin_clz(v)) & ~3 : 0;

	*to++ = '0';
	*to++ = 'x';
	for (; shift >= 0; shift -= 4)
		*to++ = "0123456789abcdef"[v >> shift & 15];
	*to++ = ',';
	return to;
}

static char *put_name(char *to, const struct names *names, int i)
{
	if (i >= 0 && i < MAX_NAMES && names->of[i]) {
		to = stpcpy(to, names->of[i]);
		*to++ = ',';
		return to;
	}
	return i < 0 ? put_nothing(to) : put_s64(to, i);
}

static int writer_flush(struct writer *w)
{
	const char *from = w->buffer;
	ssize_t n;

	while (from < w->at) {
		n = write(w->fd, from, w->at - from);
		if (n < 0 && errno != EINTR)
			return fail("%s: %s", w->path, strerror(errno));
		if (n > 0)
			from += n;
	}
	w->at = w->buffer;
	return 0;
}

static int node_of(const struct writer *w, __s32 cpu)
{
	return cpu >= 0 && cpu < w->nr_cpus ? w->cpu_nodes[cpu] : -1;
}

static char *original_columns(char *to, const struct dl_decision *d)
{
	to = put_u64(to, d->ts);
	to = put_s64(to, d->curr_pid);
	to = put_s64(to, d->pid);
	to = put_s64(to, d->src_cpu);
	to = put_s64(to, d->dst_cpu);
	to = put_s64(to, d->imbalance);
	to = put_u64(to, d->src_len);
	to = put_u64(to, d->src_numa_len);
	to = put_u64(to, d->src_preferred_len);
	to = put_s64(to, d->delta);
	to = put_bit(to, d->flags & DL_CPU_IDLE);
	to = put_bit(to, d->flags & DL_CPU_NOT_IDLE);
	to = put_bit(to, d->flags & DL_CPU_NEWLY_IDLE);
	to = put_bit(to, d->flags & DL_SAME_NODE);
	to = put_bit(to, d->flags & DL_PREFER_SRC);
	to = put_bit(to, d->flags & DL_PREFER_DST);
	to = put_s64(to, d->delta_faults);
	to = put_u64(to, d->total_faults);
	to = put_u64(to, d->dst_len);
	to = put_u64(to, d->src_load);
	to = put_u64(to, d->dst_load);
	to = put_u64(to, d->nr_fails);
	to = put_u64(to, d->cache_nice_tries);
	to = put_bit(to, d->flags & DL_BUDDY_HOT);
	to = put_bit(to, d->flags & DL_THROTTLED);
	to = put_bit(to, d->flags & DL_P_RUNNING);
	to = put_bit(to, d->flags & DL_TEST_AGGRESSIVE);
	to = put_bit(to, d->flags & DL_CAN_MIGRATE);
	to = put_u64(to, d->pc[0]);
	return put_u64(to, d->pc[1]);
}

static char *further_columns(char *to, const struct writer *w, const struct dl_decision *d)
{
	int i;

	to = put_s64(to, d->stock);
	to = put_s64(to, d->model);
	to = put_name(to, &w->reasons, d->reason);
	to = put_bit(to, d->nr_fails > d->cache_nice_tries);
	to = put_bit(to, d->flags & DL_NUMA_GATE);
	to = put_hex(to, d->bits);
	for (i = 0; i < DL_NR_NUMS; i++)
		to = put_s64(to, d->num[i]);
	to = put_s64(to, d->sd_level);
	to = put_hex(to, d->sd_flags);
	to = put_bit(to, d->flags & DL_IDLE_POLICY);
	to = put_s64(to, d->pc_cpu);
	if (d->head.kind == DL_OBSERVED) {
		to = put_nothing(to);
		to = put_nothing(to);
	} else {
		to = put_u64(to, d->pc_age);
		to = put_u64(to, d->ns);
	}
	to = put_hex(to, d->checksum);
	to = put_bit(to, d->flags & DL_FLIPPED);
	to = put_u64(to, d->propensity);
	to = put_s64(to, d->policy);
	to = put_u64(to, d->weight);
	to = put_name(to, &w->imbalance_types, d->imbalance_type);
	to = put_u64(to, d->head.cpu);
	to = put_s64(to, node_of(w, d->src_cpu));
	to = put_s64(to, node_of(w, d->dst_cpu));
	return put_s64(to, d->pref_node);
}

static char *outcome_columns(char *to, const struct writer *w, const struct dl_decision *d,
			     const struct outcome *o)
{
	if (!w->outcomes || !(d->flags & DL_WATCHED)) {
		memcpy(to, ",,,,,,,,", 8);
		return to + 8;
	}
	to = put_bit(to, o->moved);
	to = o->wait_ns < 0 && !o->known ? put_nothing(to) : put_s64(to, o->wait_ns);
	to = o->back < 0 || !o->known ? put_nothing(to) : put_bit(to, o->back);
	to = o->known ? put_u64(to, o->home_faults) : put_nothing(to);
	to = o->known ? put_u64(to, o->away_faults) : put_nothing(to);
	to = put_s64(to, o->src_wait_ns);
	to = put_s64(to, o->dst_wait_ns);
	return put_u64(to, w->horizon_ns);
}

static int write_row(void *ctx, const struct dl_decision *d, const struct outcome *o)
{
	struct writer *w = ctx;
	struct dl_decision copy;
	char *to;

	if (w->at + MAX_ROW > w->buffer + BUFFER) {
		if (writer_flush(w))
			return -1;
		if (*w->interrupted > 1)
			return fail("interrupted while writing %s", w->path);
	}
	if (d->head.kind == DL_OBSERVED) {
		copy = *d;
		make_features(&copy);
		d = &copy;
	}
	to = original_columns(w->at, d);
	to = further_columns(to, w, d);
	to = outcome_columns(to, w, d, o);
	to = stpcpy(to, w->workload);
	*to++ = '\n';
	w->at = to;

	w->rows++;
	w->migrate += !!(d->flags & DL_CAN_MIGRATE);
	w->stock_yes += d->stock == 1;
	w->stock_no += d->stock == 0;
	w->forced += d->nr_fails > d->cache_nice_tries;
	w->moved += o->moved;
	w->flipped += !!(d->flags & DL_FLIPPED);
	if (d->reason >= 0 && d->reason < MAX_NAMES)
		w->by_reason[d->reason]++;
	return 0;
}

static void read_names(struct names *names, struct json_object *about, const char *key)
{
	struct json_object *o = json_object_object_get(about, key);

	if (!o)
		return;
	json_object_object_foreach(o, number, text) {
		int i = atoi(number);

		if (i >= 0 && i < MAX_NAMES)
			names->of[i] = json_object_get_string(text);
	}
}

static __u64 number_of(struct json_object *about, const char *key)
{
	return json_object_get_uint64(json_object_object_get(about, key));
}

static void set_number(struct json_object *o, const char *key, __u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

/* The file that is appended to must have the same columns. */
int csv_can_append(const char *path)
{
	FILE *file = fopen(path, "re");
	char *line;
	bool same;

	if (!file)
		return errno == ENOENT ? 0 : fail("cannot open %s: %s", path, strerror(errno));
	line = need(malloc(sizeof(csv_header) + 2));
	same = fgets(line, sizeof(csv_header) + 2, file) &&
	       !strncmp(line, csv_header, strlen(csv_header)) &&
	       !strcmp(line + strlen(csv_header), "\n");
	same = same || (feof(file) && !ftell(file));
	fclose(file);
	free(line);
	return same ? 0 : fail("%s has other columns: take another tag, or leave out -a", path);
}

static void add_to(struct json_object *old, struct json_object *now, const char *key)
{
	set_number(now, key, number_of(old, key) + number_of(now, key));
}

/* What stood beside the CSV before joins what stands there now. */
static struct json_object *merge(struct json_object *old, struct json_object *now)
{
	static const char *const sums[] = { "rows", "lost", "lost_further", "lost_in_buffer" };
	struct json_object *all = json_object_new_object(), *before, *loads;
	size_t i;

	loads = json_object_object_get(now, "workloads");
	before = json_object_object_get(old, "workloads");
	if (before) {
		json_object_object_foreach(before, name, counts)
			json_object_object_add(all, name, json_object_get(counts));
	}
	json_object_object_foreach(loads, name, counts) {
		struct json_object *same = json_object_object_get(all, name);

		if (same) {
			json_object_object_foreach(same, key, value)
				if (json_object_is_type(value, json_type_int))
					add_to(same, counts, key);
		}
		json_object_object_add(all, name, json_object_get(counts));
	}
	json_object_object_add(now, "workloads", all);
	for (i = 0; i < ARRAY_SIZE(sums); i++)
		add_to(old, now, sums[i]);
	return now;
}

static struct json_object *result(const struct conversion *c, const struct writer *w,
				  struct json_object *about, const struct spool_reader *r,
				  __u64 hurried)
{
	struct json_object *loads = json_object_new_object(), *o = json_object_new_object(), *old;
	const struct dl_counters *n = &r->end.sum;
	char *key;
	int i;

	set_number(o, "rows", w->rows);
	set_number(o, "migrate", w->migrate);
	set_number(o, "stock_yes", w->stock_yes);
	set_number(o, "stock_no", w->stock_no);
	set_number(o, "extra_fails", w->forced);
	set_number(o, "flipped", w->flipped);
	if (w->outcomes)
		set_number(o, "moved", w->moved);
	for (i = 0; i < MAX_NAMES; i++) {
		if (!w->by_reason[i])
			continue;
		key = w->reasons.of[i] ? format("reason_%s", w->reasons.of[i]) :
					 format("reason_%d", i);
		set_number(o, key, w->by_reason[i]);
		free(key);
	}
	set_number(o, "lost", c->lost);
	json_object_object_add(loads, w->workload, o);
	json_object_object_add(about, "workloads", loads);
	set_number(about, "rows", w->rows);
	set_number(about, "lost", c->lost);
	if (r->complete) {
		set_number(about, "lost_in_buffer", n->lost);
		set_number(about, "lost_further", n->lost_further);
		if (n->seen) {
			set_number(about, "calls", n->seen);
			set_number(about, "hard_refusals", n->hard);
			set_number(about, "active_balance", n->active);
			set_number(about, "contradicted_by_schedstats", n->contradicted);
		}
		if (n->collided)
			set_number(about, "watch_collisions", n->collided);
	} else {
		json_object_object_add(about, "cut_off", json_object_new_boolean(true));
	}
	if (hurried)
		set_number(about, "outcomes_hurried", hurried);
	old = c->append ? json_object_from_file(c->json) : NULL;
	if (old) {
		merge(old, about);
		json_object_put(old);
	}
	return about;
}

/* Beside the file and then over it, so that it is whole at any time. */
static int write_json(const char *path, struct json_object *o)
{
	char *fresh = format("%s.new", path);
	int err = 0;

	FILE *file = fopen(fresh, "we");

	if (!file || fprintf(file, "%s\n", json_object_to_json_string_ext(o,
			JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		err = -1;
	if (file && fclose(file))
		err = -1;
	if (err || rename(fresh, path)) {
		err = fail("cannot write %s: %s", path, strerror(errno));
		unlink(fresh);
	}
	free(fresh);
	return err;
}

static int read_events(struct conversion *c, struct writer *w, struct spool_reader *r,
		       struct join *j)
{
	const struct outcome nothing = {};
	__u64 last = 0, n = 0;
	int more;

	while ((more = spool_next(r)) == 1) {
		if (r->event->head.ts > last)
			last = r->event->head.ts;
		if (w->outcomes) {
			if (join_add(j, &r->event->head))
				return -1;
		} else if (r->event->head.kind <= DL_SYNTHETIC &&
			   write_row(w, &r->event->decision, &nothing)) {
			return -1;
		}
		if (!(++n % 1000000) && !c->quiet && isatty(STDERR_FILENO))
			fprintf(stderr, "\rdump_lb: %s: %llu million events\033[K", c->csv,
				n / 1000000);
	}
	return more < 0 || join_finish(j, r->complete ? r->end.head.ts : last) ? -1 : 0;
}

static int convert_open(struct conversion *c, struct writer *w, struct spool_reader *r,
			struct json_object *about)
{
	struct json_object *nodes = json_object_object_get(about, "cpu_nodes"), *result_o;
	struct json_object *load = json_object_object_get(about, "workload");
	struct join *j;
	int i, err;

	w->nr_cpus = nodes ? json_object_array_length(nodes) : 0;
	w->cpu_nodes = need(calloc(w->nr_cpus + 1, sizeof(int)));
	for (i = 0; i < w->nr_cpus; i++)
		w->cpu_nodes[i] = json_object_get_int(json_object_array_get_idx(nodes, i));
	read_names(&w->reasons, about, "reasons");
	read_names(&w->imbalance_types, about, "imbalance_types");
	w->workload = load ? json_object_get_string(load) : "unknown";
	w->horizon_ns = number_of(about, "horizon_ns");
	w->outcomes = w->horizon_ns;
	w->interrupted = c->interrupted;

	j = join_new(w->cpu_nodes, w->nr_cpus, w->horizon_ns ? w->horizon_ns : 1,
		     number_of(about, "bucket_ns") ? number_of(about, "bucket_ns") : 1,
		     write_row, w);
	err = read_events(c, w, r, j) || writer_flush(w);
	if (!err) {
		c->rows = w->rows;
		c->unjudged = w->rows - w->stock_yes - w->stock_no;
		if (r->complete)
			c->lost = r->end.sum.rows + r->end.sum.lost - w->rows;
		json_object_object_del(about, "cpu_nodes");
		json_object_object_del(about, "reasons");
		json_object_object_del(about, "imbalance_types");
		result_o = result(c, w, about, r, join_hurried(j));
		err = write_json(c->json, result_o);
	}
	join_free(j);
	free(w->cpu_nodes);
	return err ? -1 : 0;
}

static int open_csv(struct conversion *c, struct writer *w, off_t *old_size, bool *existed)
{
	struct stat st;

	*existed = c->append && !stat(c->csv, &st) && st.st_size > 0;
	*old_size = *existed ? st.st_size : 0;
	if (*existed && csv_can_append(c->csv))
		return -1;
	w->path = *existed ? need(strdup(c->csv)) : format("%s.new", c->csv);
	w->fd = open(w->path, O_WRONLY | O_CREAT | O_CLOEXEC | (*existed ? O_APPEND : O_TRUNC),
		     0644);
	if (w->fd < 0)
		return fail("cannot write %s: %s", w->path, strerror(errno));
	w->buffer = need(malloc(BUFFER));
	w->at = w->buffer;
	if (!*existed)
		w->at += sprintf(w->at, "%s\n", csv_header);
	return 0;
}

int convert(struct conversion *c)
{
	struct spool_reader r;
	struct writer w = { .fd = -1 };
	struct json_object *about = NULL;
	bool existed = false;
	off_t old_size = 0;
	int err = -1;

	if (spool_open(&r, c->spool))
		goto out;
	about = json_tokener_parse(r.about);
	if (!about) {
		fail("%s is damaged: what stands before its events is no JSON", c->spool);
		goto out;
	}
	if (open_csv(c, &w, &old_size, &existed))
		goto out;
	err = convert_open(c, &w, &r, about);
	if (close(w.fd) && !err)
		err = fail("%s: %s", w.path, strerror(errno));
	w.fd = -1;
	if (!err && !existed && rename(w.path, c->csv))
		err = fail("cannot rename %s: %s", w.path, strerror(errno));
	/* nothing of a failed attempt stays */
	if (err && existed && truncate(w.path, old_size))
		fail("%s: %s", w.path, strerror(errno));
	else if (err && !existed)
		unlink(w.path);
out:
	if (w.fd >= 0)
		close(w.fd);
	json_object_put(about);
	free(w.buffer);
	free((char *)w.path);
	spool_close_reader(&r);
	return err;
}
