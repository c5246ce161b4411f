// SPDX-License-Identifier: GPL-2.0
/*
 * What a history must keep, whatever happens to its writer. KTAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "damage.h"
#include "faults.h"
#include "sample.h"
#include "tap.h"

static char dir[256];
static unsigned int said;
static bool quiet;

static void count_line(const char *line, void *data)
{
	(void)data;
	/* the first of many is enough */
	if (!said++ && !quiet)
		printf("# %s\n", line);
}

static struct lf_history *begin(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;

	said = 0;
	options.say = count_line;
	if (!lf_history_open(&h, &options) && !lf_history_begin(h))
		return h;
	printf("# %s\n", lf_history_reason(h));
	exit(1);
}

/* Batches from @from on, synced each. */
static int write_batches(struct lf_history *h, uint32_t from, uint32_t n, uint32_t count)
{
	int ret = 0;

	for (; n && !ret; n--, from++) {
		ret = lf_history_append(h, sample_batch(from, count));
		if (!ret)
			ret = lf_history_sync(h);
	}
	return ret;
}

static void write_history(uint32_t n, uint32_t count)
{
	struct lf_history *h = begin();

	if (write_batches(h, 0, n, count) || lf_history_close(h)) {
		printf("# %s\n", lf_history_reason(h));
		exit(1);
	}
}

/* -- what is written is read ------------------------------------------------ */

static void test_plain(void)
{
	struct lf_history_state state;
	struct sample_seen seen;
	struct lf_history *h = begin();
	int ret;

	ret = write_batches(h, 0, 1, 1) || write_batches(h, 1, 20, MOST) ||
	      write_batches(h, 21, 3, 2);
	lf_history_get_state(h, &state);
	ok(!ret && state.batches == 24 && state.records == 1 + 20 * MOST + 6 && state.segments > 2,
	   "batches are written: %llu segments", (unsigned long long)state.segments);
	ret = sample_read(dir, &seen);
	ok(!ret && seen.batches == 24 && seen.records == state.records && !seen.wrong &&
	   !seen.order && !seen.ends && !seen.gaps[LF_GAP_DAMAGED],
	   "and read while they are written");
	ok(!lf_history_close(h) && !sample_read(dir, &seen) && seen.ends == 1, "an end is marked");
	h = begin();
	ret = write_batches(h, 24, 1, 3);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 25 && !seen.order &&
	   seen.gaps[LF_GAP_DOWN] == 1, "the next writer goes on, and the pause is a gap");
}

static void test_lost(void)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	struct lf_batch batch;
	int ret;

	ret = write_batches(h, 0, 1, 4);
	batch = *sample_batch(1, 4);
	batch.lost = 7;
	ret = ret || lf_history_append(h, &batch);
	batch = *sample_batch(2, 4);
	batch.lost = 7;
	ret = ret || lf_history_append(h, &batch);
	batch = *sample_batch(3, 0);
	batch.lost = 9;
	ret = ret || lf_history_append(h, &batch) || lf_history_sync(h) || lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 3 && seen.gaps[LF_GAP_LOST] == 2 &&
	   seen.missing == 9, "what the kernel lost is a gap, once");
	h = begin();
	batch = *sample_batch(3, 4);
	batch.lost = 2;
	ret = lf_history_append(h, &batch) || lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.missing == 11,
	   "losses of another collection are counted from 0");
}

static void test_bound(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history_state state;
	struct sample_seen seen;
	struct lf_history *h = begin();
	uint64_t most = 0;
	int ret = 0, i;

	for (i = 0; i < 300 && !ret; i++) {
		ret = write_batches(h, i, 1, MOST);
		lf_history_get_state(h, &state);
		most = state.bytes > most ? state.bytes : most;
	}
	ok(!ret && most <= options.max_bytes && most > options.max_bytes / 2,
	   "it does not grow beyond its limit: %llu bytes at most", (unsigned long long)most);
	lf_history_close(h);
	ret = sample_read(dir, &seen);
	ok(!ret && seen.last == 299 && !seen.order && !seen.wrong &&
	   !seen.gaps[LF_GAP_DAMAGED] && seen.first, "the newest %u batches are there",
	   seen.batches);
	options.max_bytes = 1 << 20;
	ok(!lf_history_open(&h, &options), "opened with a smaller limit");
	lf_history_get_state(h, &state);
	lf_history_close(h);
	ok(state.bytes <= options.max_bytes && !sample_read(dir, &seen) && seen.last == 299,
	   "the oldest segments are deleted");
}

static void test_second(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h = begin(), *other;
	int ret = lf_history_open(&other, &options);

	ok(ret == -EBUSY && strstr(lf_history_reason(other), "stop it first"),
	   "a second writer is refused: %s", lf_history_reason(other));
	lf_history_close(other);
	lf_history_close(h);
	ok(!lf_history_open(&other, &options), "when the first is gone it is not");
	lf_history_close(other);
}

static void test_options(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;
	struct lf_batch batch;
	int ret;

	options.max_bytes = 1000;
	ret = lf_history_open(&h, &options);
	ok(ret == -EINVAL, "too small: %s", lf_history_reason(h));
	lf_history_close(h);
	options = sample_options(dir);
	options.segment_bytes = options.max_bytes;
	ret = lf_history_open(&h, &options);
	ok(ret == -EINVAL, "large segments: %s", lf_history_reason(h));
	lf_history_close(h);
	options = sample_options("/nowhere/at/all");
	ret = lf_history_open(&h, &options);
	ok(ret == -ENOENT, "no folder: %s", lf_history_reason(h));
	lf_history_close(h);
	h = begin();
	batch = *sample_batch(0, 3);
	batch.size += 8;
	ret = lf_history_append(h, &batch);
	ok(ret == -EINVAL, "another size: %s", lf_history_reason(h));
	lf_history_close(h);
}

static void test_names(void)
{
	static const char names[N_IN + N_OUT][LF_NAME_LEN] = {
		"a", "b, \"c\"", "c", "d", "e", "x", "y",
	};
	struct lf_history_options options = sample_options(dir);
	const struct lf_segment *segments;
	struct lf_reader *r;
	struct lf_history *h;
	size_t n;
	int ret;

	write_history(2, 3);
	options.names = names;
	ret = lf_history_open(&h, &options) || write_batches(h, 2, 1, 3) || lf_history_close(h);
	ok(!ret && !lf_reader_open(&r, dir), "other names of columns");
	segments = lf_reader_segments(r, &n);
	ok(n == 2 && !strcmp(segments[0].names[0], "in0") &&
	   !strcmp(segments[0].names[6], "out1") && !strcmp(segments[1].names[1], names[1]), "begin another segment");
	lf_reader_close(r);
}

static bool has(const char *name, gid_t gid, mode_t mode)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !stat(path, &st) && st.st_gid == gid && (st.st_mode & 07777) == mode;
}

/* Without CAP_FSETID a set-group-ID directory is none: as in a service with few rights. */
static bool drop_fsetid(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return false;
	data[0].effective &= ~(1U << CAP_FSETID);
	return !syscall(SYS_capset, &head, data);
}

static void test_group(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;
	char path[300];
	mode_t mask;
	int ret;

	if (geteuid() || !drop_fsetid()) {
		ok(true, "the group of segments # SKIP only root may give files away");
		return;
	}
	options.gid = 4242;
	mask = umask(077);
	ret = lf_history_open(&h, &options) || write_batches(h, 0, 9, MOST) || lf_history_close(h);
	umask(mask);
	ok(!ret && has(".", 4242, 0750) && has("00000001.lfh", 4242, 0640) &&
	   has("00000002.lfh", 4242, 0640),
	   "the group reads folder and segments, whatever the umask");
	ok(has("lock", getegid(), 0600), "nobody else may hold the lock");
	options.gid = 4243;
	snprintf(path, sizeof(path), "%s/lock", dir);
	ret = chmod(path, 0640) || lf_history_open(&h, &options) ||
	      write_batches(h, 9, 9, MOST) || lf_history_close(h);
	ok(!ret && has(".", 4243, 0750) && has("00000001.lfh", 4243, 0640) &&
	   has("00000003.lfh", 4243, 0640) && has("lock", getegid(), 0600),
	   "another group gets all that is there");
}

/* From a segment on, as who wants the last records only. */
static void test_seek(void)
{
	const struct lf_segment *segments;
	struct lf_entry entry = { .kind = 0 };
	struct lf_reader *r;
	size_t n, i, wrong = 0;
	uint64_t sequence = 0;

	write_history(40, MOST);
	ok(!lf_reader_open(&r, dir), "opened");
	segments = lf_reader_segments(r, &n);
	for (i = n; i-- > 0;) {
		wrong += lf_reader_seek(r, i) || lf_reader_next(r, &entry) != 1 ||
			 entry.segment != segments + i ||
			 (i + 1 < n && entry.sequence >= sequence);
		sequence = entry.sequence;
	}
	ok(n > 3 && !wrong && sequence == 1, "each of %zu segments is sought, the newest first", n);
	ok(lf_reader_seek(r, n) == -EINVAL, "none behind the last: %s", lf_reader_reason(r));
	lf_reader_close(r);
}

/* -- writing fails ----------------------------------------------------------- */

static void test_short(void)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	int ret;

	faults.write_most = 7;
	ret = write_batches(h, 0, 3, 5);
	faults.write_most = 0;
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 3 && !seen.wrong && !seen.bytes,
	   "writes that do seven bytes at a time");
}

/* The disk is full at each byte of a batch. */
static void test_full(void)
{
	size_t room, need = 5 * SIZE + 72;
	unsigned int wrong = 0, reported = 0;
	struct lf_history *h = begin();
	struct sample_seen seen;
	uint32_t number = 0;

	for (room = 0; room < need; room++) {
		if (write_batches(h, number++, 1, 5))
			wrong++;
		faults.write_error = ENOSPC;
		faults.write_room = room;
		reported += lf_history_append(h, sample_batch(number, 5)) == -ENOSPC;
		/* again and again, as it is done by who waits for room */
		reported += lf_history_append(h, sample_batch(number, 5)) == -ENOSPC;
		faults.write_error = 0;
		if (room % 2)
			continue;
		if (write_batches(h, number++, 1, 5))
			wrong++;
	}
	wrong += write_batches(h, number++, 1, 5) != 0;
	lf_history_close(h);
	ok(reported == 2 * need && !wrong, "%zu full disks are reported, and it goes on", need);
	ok(!sample_read(dir, &seen) && !seen.wrong && !seen.bytes && !seen.order &&
	   seen.batches == number, "nothing that was written is lost");
	ok(!seen.gaps[LF_GAP_UNWRITTEN], "what was written later is no gap");
}

static void test_given_up(void)
{
	struct lf_history *h = begin();
	struct lf_history_state state;
	struct sample_seen seen;
	int ret;

	ret = write_batches(h, 0, 2, 5);
	faults.write_error = ENOSPC;
	ok(!ret && lf_history_append(h, sample_batch(2, 5)) == -ENOSPC &&
	   lf_history_append(h, sample_batch(3, 6)) == -ENOSPC &&
	   lf_history_append(h, sample_batch(4, 7)) == -ENOSPC, "three batches find no room");
	faults.write_error = 0;
	ret = write_batches(h, 5, 1, 1);
	lf_history_get_state(h, &state);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 3 && seen.missing == 18 &&
	   seen.gaps[LF_GAP_UNWRITTEN] == 1 && state.unwritten == 18, "they stand as a gap");
}

static void test_sync(bool cut)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	struct lf_batch batch;
	int ret;

	ret = write_batches(h, 0, 2, 5) || lf_history_append(h, sample_batch(2, 5));
	batch = *sample_batch(3, 5);
	batch.lost = 4;
	ret = ret || lf_history_append(h, &batch);
	faults.sync_error = EIO;
	faults.cut_error = cut ? 0 : EIO;
	ok(!ret && lf_history_sync(h) == -EIO, "a sync fails%s", cut ? "" : ", and a cut");
	faults.sync_error = 0;
	faults.cut_error = 0;
	batch = *sample_batch(4, 5);
	batch.lost = 4;
	ret = lf_history_append(h, &batch) || lf_history_sync(h);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && !seen.wrong && !seen.bytes &&
	   seen.gaps[LF_GAP_UNWRITTEN] == 1 && seen.gaps[LF_GAP_LOST] == (cut ? 1 : 2) &&
	   seen.missing == (cut ? 14 : 18) && seen.batches == (cut ? 3 : 5),
	   "what was not synced does not count, nor does the kernel's loss get lost");
}

/* What a write left cannot be cut off, and what was before it is not synced yet. */
static void test_stuck(void)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	int ret;

	ret = write_batches(h, 0, 1, 5) || lf_history_append(h, sample_batch(1, 5));
	faults.write_error = ENOSPC;
	faults.write_room = 100;
	faults.cut_error = EIO;
	ok(!ret && lf_history_append(h, sample_batch(2, 5)) == -ENOSPC,
	   "no room, and the torn end stays");
	memset(&faults, 0, sizeof(faults));
	ret = write_batches(h, 3, 2, 5);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 4 && !seen.wrong && !seen.bytes &&
	   seen.gaps[LF_GAP_UNWRITTEN] == 1 && seen.missing == 5 && !seen.gaps[LF_GAP_DAMAGED],
	   "it goes on in another segment");
}

static void test_new_segment(void)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	uint32_t n = 0;
	int ret = 0;

	/* so many fill the first two */
	while (!ret && n < 14)
		ret = write_batches(h, n++, 1, MOST);
	faults.rename_error = ENOSPC;
	ret = ret || write_batches(h, n, 1, MOST) != -ENOSPC;
	ret = ret || write_batches(h, n, 1, MOST) != -ENOSPC;
	faults.rename_error = 0;
	ret = ret || write_batches(h, n, 3, MOST);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 17 && !seen.order &&
	   !seen.gaps[LF_GAP_UNWRITTEN], "no room for a new segment, and later there is");
}

static void test_deleted(void)
{
	struct lf_history *h = begin();
	struct sample_seen seen;
	char path[300];
	int ret;

	ret = write_batches(h, 0, 2, 5);
	snprintf(path, sizeof(path), "%s/00000001.lfh", dir);
	unlink(path);
	ret = ret ? ret : write_batches(h, 2, 1, 5);
	ok(ret == -ENOENT, "somebody deletes the segment: %s",
	   lf_history_reason(h));
	ret = write_batches(h, 3, 1, 5);
	lf_history_close(h);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == 1 &&
	   seen.gaps[LF_GAP_UNWRITTEN] == 1 && seen.missing == 5, "and it goes on in another");
}

/* A real one, if this may mount one. */
static void test_tmpfs(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;
	struct sample_seen seen;
	uint32_t n = 0;
	int ret;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("history", dir, "tmpfs", 0, "size=1m")) {
		ok(true, "a full tmpfs # SKIP not permitted to mount");
		return;
	}
	options.max_bytes = 8 << 20;
	ret = lf_history_open(&h, &options) || lf_history_begin(h);
	while (!ret && n < 100) {
		ret = write_batches(h, n, 1, MOST);
		n += !ret;
	}
	ok(ret == -ENOSPC && n > 10, "a full tmpfs: %s, after %u batches", lf_history_reason(h), n);
	ok(!sample_read(dir, &seen) && seen.batches == n && !seen.wrong && !seen.order,
	   "all of them are there");
	mount("history", dir, "tmpfs", MS_REMOUNT, "size=2m");
	ret = write_batches(h, n, 1, MOST);
	ok(!ret && !sample_read(dir, &seen) && seen.batches == n + 1 && !seen.order,
	   "with room again it goes on");
	lf_history_close(h);
	mount("history", dir, "tmpfs", MS_REMOUNT | MS_RDONLY, "size=2m");
	ret = lf_history_open(&h, &options);
	ok(ret == -EROFS && !sample_read(dir, &seen), "a file system that is read-only: %s",
	   lf_history_reason(h));
	lf_history_close(h);
	umount2(dir, MNT_DETACH);
}

/* -- damage ------------------------------------------------------------------ */

static struct lf_history *reopen(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;

	said = 0;
	options.say = count_line;
	if (!lf_history_open(&h, &options))
		return h;
	printf("# %s\n", lf_history_reason(h));
	exit(1);
}

/* The last batch is torn at each of its bytes. */
static void test_torn(void)
{
	unsigned int wrong = 0, tried = 0;
	struct sample_seen seen;
	struct damage whole;
	struct lf_history *h;
	size_t cut, before;

	h = begin();
	write_batches(h, 0, 3, 4);
	before = damage_size(dir, 1);
	write_batches(h, 3, 1, 4);
	damage_keep(dir, 1, &whole);
	/* as a kill would leave it: no end is marked */
	lf_history_close(h);
	for (cut = before; cut < whole.len; cut++, tried++) {
		quiet = cut > before + 1;
		damage_write(dir, 1, whole.data, cut);
		if (sample_read(dir, &seen) || seen.batches != 3 || seen.bytes)
			wrong++;
		h = reopen();
		if (said != (cut > before) || write_batches(h, 4, 1, 4))
			wrong++;
		lf_history_close(h);
		if (sample_read(dir, &seen) || seen.batches != 4 || seen.wrong || seen.bytes ||
		    seen.last != 4)
			wrong++;
	}
	quiet = false;
	ok(tried == whole.len - before && !wrong,
	   "torn at each of %u bytes: the tail is cut off, and said; %u wrong", tried, wrong);

	/* the file system made it longer, but the data is lost */
	memset(whole.data + before, 0, whole.len - before);
	damage_write(dir, 1, whole.data, whole.len);
	h = reopen();
	ok(said == 1 && !write_batches(h, 4, 1, 4) && !lf_history_close(h) &&
	   !sample_read(dir, &seen) && seen.batches == 4 && !seen.bytes, "a tail of zeroes");
	free(whole.data);
}

/* Every bit of a small history, one at a time. */
static void test_bits(void)
{
	unsigned int wrong = 0, aside = 0, gaps = 0, i;
	struct sample_seen seen;
	struct damage whole;
	int ret;

	write_history(3, 2);
	damage_keep(dir, 1, &whole);
	for (i = 0; i < 8 * whole.len; i++) {
		whole.data[i / 8] ^= 1 << i % 8;
		damage_write(dir, 1, whole.data, whole.len);
		whole.data[i / 8] ^= 1 << i % 8;
		ret = sample_read(dir, &seen);
		if (ret == -EINVAL) {
			aside++;
			continue;
		}
		gaps += seen.gaps[LF_GAP_DAMAGED] == 1;
		/* one of the four entries is gone, and the others are right */
		wrong += ret || seen.wrong || seen.batches + seen.ends != 3;
	}
	ok(!wrong && aside == 8 * damage_header(N_IN + N_OUT) && gaps == 8 * whole.len - aside,
	   "%u bits flipped: %u in the header, %u in an entry; %u unseen", i, aside, gaps, wrong);
	free(whole.data);
}

static unsigned int number_below(unsigned int n)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (state >> 33) % n;
}

/* Bytes change, go, come twice, and the end is cut. */
static void mutate(struct damage *d, const struct damage *whole)
{
	unsigned int changes = 1 + number_below(4), from, to, len;

	memcpy(d->data, whole->data, whole->len);
	d->len = whole->len;
	for (; changes; changes--) {
		from = number_below(d->len);
		to = number_below(d->len);
		len = number_below(200);
		len = from + len > d->len ? d->len - from : len;
		len = to + len > d->len ? d->len - to : len;
		switch (number_below(4)) {
		case 0:
			d->data[from] = number_below(256);
			break;
		case 1:
			memmove(d->data + to, d->data + from, len);
			break;
		case 2:
			memset(d->data + from, 0, len);
			break;
		case 3:
			d->len -= number_below(d->len / 4 + 1);
		}
	}
}

/* Whatever is there: what is read is as it was written, and it is gone on with. */
static void test_mutants(void)
{
	unsigned int wrong = 0, read = 0, i;
	struct damage whole, mutant;
	struct sample_seen seen;
	struct lf_history *h;
	char path[300];
	int ret;

	write_history(6, 3);
	damage_keep(dir, 1, &whole);
	mutant.data = malloc(whole.len);
	quiet = true;
	for (i = 0; i < 2000; i++) {
		mutate(&mutant, &whole);
		damage_write(dir, 1, mutant.data, mutant.len);
		ret = sample_read(dir, &seen);
		wrong += seen.wrong != 0 || (ret && ret != -EINVAL);
		read += seen.batches;
		h = reopen();
		wrong += write_batches(h, 100, 1, 3) != 0;
		lf_history_close(h);
		wrong += sample_read(dir, &seen) || seen.wrong || seen.last != 100;
		snprintf(path, sizeof(path), "%s/00000002.lfh", dir);
		unlink(path);
		snprintf(path, sizeof(path), "%s/00000001.lfh.set-aside", dir);
		unlink(path);
	}
	quiet = false;
	ok(!wrong, "%u mutants: %u batches of them are read, %u wrong", i, read, wrong);
	free(mutant.data);
	free(whole.data);
}

/* What the writer does where a bit flipped. */
static void test_damaged(void)
{
	struct sample_seen seen;
	struct damage whole;
	struct lf_history *h;

	write_history(3, 2);
	damage_keep(dir, 1, &whole);
	whole.data[damage_header(N_IN + N_OUT) + 80] ^= 4;
	damage_write(dir, 1, whole.data, whole.len);
	h = reopen();
	ok(said == 1 && !write_batches(h, 3, 1, 2), "damage in the middle is said");
	lf_history_close(h);
	ok(!sample_read(dir, &seen) && seen.batches == 3 && seen.gaps[LF_GAP_DAMAGED] == 1 &&
	   seen.last == 3 && damage_size(dir, 1) == whole.len,
	   "its bytes stay, and what is whole is read");

	whole.data[20] ^= 1;
	damage_write(dir, 1, whole.data, whole.len);
	h = reopen();
	ok(said == 1 && damage_aside(dir) == 1, "a damaged header: the segment is set aside");
	ok(!write_batches(h, 4, 1, 2) && !lf_history_close(h) && !sample_read(dir, &seen) &&
	   seen.batches == 2 && seen.last == 4, "the others are gone on with");
	damage_write(dir, 1, whole.data, whole.len);
	h = reopen();
	lf_history_close(h);
	ok(damage_aside(dir) == 2, "another one, under another name");
	free(whole.data);
}

static void test_foreign(void)
{
	struct lf_history_options options = sample_options(dir);
	struct lf_history *h;
	struct sample_seen seen;
	int ret;

	write_history(3, 2);
	damage_write(dir, 5, "hello", 5);
	damage_write(dir, 6, "", 0);
	h = reopen();
	ret = write_batches(h, 3, 1, 2);
	lf_history_close(h);
	ok(!ret && said == 2 && damage_aside(dir) == 2 && !sample_read(dir, &seen) &&
	   seen.batches == 4 && !seen.order, "files that are no segments are set aside");
	options.app = "other";
	options.say = count_line;
	said = 0;
	ret = lf_history_open(&h, &options) || write_batches(h, 0, 1, 2);
	lf_history_close(h);
	ok(!ret && said == 1 && !sample_read(dir, &seen) && seen.batches == 1,
	   "segments of another app are set aside");
}

/* -- all ---------------------------------------------------------------------- */

static void sync_and_cut(void)
{
	test_sync(true);
}

static void sync_only(void)
{
	test_sync(false);
}

int main(void)
{
	static void (*const tests[])(void) = {
		test_plain, test_lost, test_bound, test_second, test_options, test_names,
		test_seek,
		test_short, test_full, test_given_up, sync_and_cut, sync_only, test_stuck,
		test_new_segment, test_deleted, test_torn, test_bits, test_mutants, test_damaged, test_foreign,
		/* it drops a capability */
		test_group,
		/* it leaves the namespace of mounts, so it is the last one */
		test_tmpfs,
	};
	unsigned int i;

	printf("TAP version 13\n");
	for (i = 0; i < sizeof(tests) / sizeof(*tests); i++) {
		memset(&faults, 0, sizeof(faults));
		sample_dir(dir, sizeof(dir));
		tests[i]();
		sample_remove(dir);
	}
	return tap_end();
}
