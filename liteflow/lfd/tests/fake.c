// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel of tests: its slots, and what liblf.h promises of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <json-c/json.h>
#include <linux/liteflow_engine.h>
#include "clock.h"
#include "fake.h"
#include "net.h"
#include "pack.h"

struct lf {
	char reason[128];
	lf_batch_fn batch;
	void *batch_data;
	lf_event_fn event;
	void *event_data;
	uint64_t due_ns;
	uint64_t interval_ns;
	uint32_t sequence;
	uint64_t lost;
	uint32_t app;		/* number of the app when it began to collect */
	bool app_gone_told;
};

struct fake *fake;
void (*fake_race)(enum fake_op op);
const char *fake_signal = "signal";

static struct lf *collector;

/* -- the kernel itself --------------------------------------------------------------- */

double fake_random(void)
{
	fake->random = fake->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return (fake->random >> 11) * 0x1p-53;
}

static void abort_with(const char *what)
{
	fprintf(stderr, "fake: %s\n", what);
	abort();
}

uint32_t fake_model(double slope, uint8_t blob[FAKE_BLOB])
{
	struct json_object *o;
	char text[800], err[128];
	void *made;
	size_t len;

	snprintf(text, sizeof(text),
		 "{ \"format\": \"liteflow-model\", \"version\": 1, \"name\": \"slope\", "
		 "\"units\": \"t\", \"inputs\": [ { \"name\": \"x\", \"lo\": -1000, \"hi\": 1000 },"
		 " { \"name\": \"signal\", \"lo\": -2000, \"hi\": 2000 } ],"
		 "\"outputs\": [ { \"name\": \"y\", \"unit\": 1, \"lo\": -2000, \"hi\": 2000 } ],"
		 "\"layers\": [ { \"activation\": \"none\", \"weights\": [[%.9f, 0]], \"bias\": [0] } ] }",
		 slope);
	o = json_parse_strictly(text, strlen(text), err, sizeof(err));
	if (!o || lf_pack(o, &made, &len, err, sizeof(err)) || len > FAKE_BLOB)
		abort_with(err);
	json_object_put(o);
	memcpy(blob, made, len);
	free(made);
	return len;
}

static void fill(struct fake_slot *slot, const void *blob, size_t len, const char *name)
{
	memcpy(slot->blob, blob, len);
	slot->len = len;
	lf_digest(blob, len, slot->digest);
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	slot->version = ++fake->versions;
	__atomic_store_n(&slot->state, LITEFLOW_STATE_STANDBY, __ATOMIC_SEQ_CST);
}

/* One store tells which is active; states are made from it. */
static void activate(int slot)
{
	if (slot == fake->active)
		return;
	fake->previous = fake->active;
	__atomic_store_n(&fake->active, slot, __ATOMIC_SEQ_CST);
}

void fake_install(unsigned int slot, double slope, bool active)
{
	uint8_t blob[FAKE_BLOB];
	uint32_t len = fake_model(slope, blob);

	fill(fake->slots + slot, blob, len, "slope");
	if (active)
		activate(slot);
}

void fake_add_app(void)
{
	static uint32_t id = 300;

	memset(fake->slots, 0, sizeof(fake->slots));
	fake->active = fake->previous = -1;
	fake->versions = 0;
	fake->app = ++id;
}

void fake_remove_app(void)
{
	fake->app = 0;
}

void fake_reset(void)
{
	memset(fake, 0, sizeof(*fake));
	fake->there = 1;
	fake->n_slots = 4;
	fake->policy = LITEFLOW_POLICY_FOLLOW;
	fake->random = 42;
	fake->slope = 0.5;
	fake_race = NULL;
	fake_add_app();
	fake_install(0, 0.5, true);
}

void fake_open(const char *path)
{
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	bool fresh = fd < 0 || lseek(fd, 0, SEEK_END) < (off_t)sizeof(*fake);

	if (path && (fd < 0 || (fresh && ftruncate(fd, sizeof(*fake)))))
		abort_with(path);
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		    path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (fake == MAP_FAILED)
		abort_with("mmap");
	if (fd >= 0)
		close(fd);
	if (fresh)
		fake_reset();
}

/* -- the app's queries ------------------------------------------------------------------ */

static double run_slot(const struct fake_slot *slot, const int32_t *in)
{
	static struct {
		uint8_t digest[LF_DIGEST_LEN];
		struct lf_model *model;
	} known[LITEFLOW_SLOTS_MAX];
	unsigned int i = slot - fake->slots;
	int16_t scratch[2 * LITEFLOW_MAX_WIDTH];
	struct lf_error err;
	int32_t out;

	if (!known[i].model || memcmp(known[i].digest, slot->digest, LF_DIGEST_LEN)) {
		if (known[i].model)
			lf_model_free(known[i].model);
		if (lf_model_parse(slot->blob, slot->len, NULL, &known[i].model, &err))
			abort_with("a model that cannot be read is in a slot");
		memcpy(known[i].digest, slot->digest, LF_DIGEST_LEN);
	}
	lf_model_run(known[i].model, in, &out, scratch);
	return out;
}

double fake_active_slope(void)
{
	int32_t in[FAKE_IN] = { 1000, 0 };

	return fake->active < 0 ? 0 : run_slot(fake->slots + fake->active, in) / 1000;
}

static struct fake_slot *slot_of(struct fake_flow *flow)
{
	int i;

	if (fake->policy == LITEFLOW_POLICY_PIN && flow->version)
		for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
			if (fake->slots[i].state && fake->slots[i].version == flow->version)
				return fake->slots + i;
	if (fake->active < 0)
		return NULL;
	flow->version = fake->slots[fake->active].version;
	return fake->slots + fake->active;
}

static void begin_flow(struct fake_flow *flow, uint64_t now)
{
	memset(flow, 0, sizeof(*flow));
	flow->id = ++fake->flow_ids;
	flow->end_ns = now + (uint64_t)((20 + 60 * fake_random()) * 1e9);
	flow->effect = 30 * (fake_random() - 0.5);
}

static bool query(struct fake_flow *flow, uint64_t now, struct liteflow_record *q,
		  struct liteflow_record *r)
{
	struct fake_slot *slot;

	if (now >= flow->end_ns)
		begin_flow(flow, now);
	slot = slot_of(flow);
	if (!slot)
		return false;
	q->flow = r->flow = flow->id;
	q->time_ns = r->time_ns = now;
	q->seq = r->seq = flow->seq++;
	q->version = r->version = slot->version;
	q->kind = LITEFLOW_RECORD_QUERY;
	r->kind = LITEFLOW_RECORD_REWARD;
	q->values[0] = 2000 * fake_random() - 1000;
	q->values[1] = 1000 * fake->slope + 20 * (fake_random() - 0.5);
	q->values[2] = run_slot(slot, q->values);
	flow->noise = 0.9 * flow->noise + 10 * (fake_random() - 0.5);
	r->reward = -fabs(q->values[2] - fake->slope * q->values[0]) + flow->effect + flow->noise;
	return true;
}

uint64_t fake_sum(const struct lf_batch *batch)
{
	const uint8_t *p = batch->records;
	uint64_t sum = 14695981039346656037ULL;
	size_t i;

	for (i = 0; i < batch->count * batch->size; i++)
		sum = (sum ^ p[i]) * 1099511628211ULL;
	return sum;
}

static int deliver(struct lf *lf)
{
	enum { MOST = 4096 };
	static uint64_t room[MOST * LITEFLOW_RECORD_SIZE(FAKE_IN, FAKE_OUT) / 8];
	size_t size = LITEFLOW_RECORD_SIZE(FAKE_IN, FAKE_OUT);
	uint64_t step = 1000000000 / FAKE_RATE, from = lf->due_ns - lf->interval_ns, t;
	struct lf_batch b = { .app_id = fake->app, .app = FAKE_APP, .size = size, .records = room };
	unsigned int i;

	memset(room, 0, sizeof(room));
	for (t = (from / step + 1) * step; t <= lf->due_ns; t += step)
		for (i = 0; i < FAKE_FLOWS && b.count + 2 <= MOST; i++) {
			struct liteflow_record *q = (void *)((char *)room + b.count * size);

			if (query(fake->flows + i, t, q, (void *)((char *)q + size)))
				b.count += fake->no_reward ? 1 : 2;
		}
	lf->due_ns += lf->interval_ns;
	fake->ticks++;
	lf->lost += fake->lose;
	if (!b.count && !fake->lose)
		return 1;
	fake->lose = 0;
	b.sequence = lf->sequence++;
	b.lost = lf->lost;
	t = lf->batch(&b, lf->batch_data);
	return t ? (int)t : 1;
}

uint64_t fake_next(void)
{
	return collector ? collector->due_ns : UINT64_MAX;
}

void fake_sleep(void)
{
	if (collector)
		collector->due_ns = clock_now() + collector->interval_ns;
}

/* -- liblf --------------------------------------------------------------------------- */

static int fails(struct lf *lf, int err, const char *why)
{
	snprintf(lf->reason, sizeof(lf->reason), "%s", why);
	return -err;
}

/* What every request begins with. */
static int begin(struct lf *lf, enum fake_op op, const char *app)
{
	int err = fake->fail[op];

	lf->reason[0] = 0;
	fake->ticks++;
	if (fake_race)
		fake_race(op);
	if (err)
		return fails(lf, err, strerror(err));
	if (!fake->app || strcmp(app, FAKE_APP))
		return fails(lf, ENOENT, "no such app");
	return 0;
}

int lf_open(struct lf **lf)
{
	*lf = calloc(1, sizeof(**lf));
	if (fake->there)
		return 0;
	return fails(*lf, ENOENT, "the kernel has no LiteFlow: CONFIG_LITEFLOW?");
}

void lf_close(struct lf *lf)
{
	if (lf && lf == collector)
		collector = NULL;
	free(lf);
}

const char *lf_reason(const struct lf *lf)
{
	return lf->reason;
}

int lf_fd(const struct lf *lf)
{
	(void)lf;
	return -1;
}

int lf_app_get_by_name(struct lf *lf, const char *name, struct lf_app_info *info)
{
	const char *const names[] = { "x", fake_signal };
	unsigned int i;

	memset(info, 0, sizeof(*info));
	if (!fake->there || !fake->app || strcmp(name, FAKE_APP))
		return fails(lf, ENOENT, "no such app");
	info->id = fake->app;
	info->n_in = info->n_features = FAKE_IN;
	info->n_out = FAKE_OUT;
	info->context = LITEFLOW_CONTEXT_SOFTIRQ;
	info->policy = fake->policy;
	info->n_slots = fake->n_slots;
	snprintf(info->name, sizeof(info->name), "%s", name);
	snprintf(info->units, sizeof(info->units), "t");
	info->features = calloc(FAKE_IN, sizeof(*info->features));
	for (i = 0; i < FAKE_IN; i++)
		snprintf(info->features[i], LF_NAME_LEN, "%s", names[i]);
	return 0;
}

void lf_app_info_free(struct lf_app_info *info)
{
	free(info->features);
	info->features = NULL;
}

void lf_app_column(const struct lf_app_info *info, unsigned int column, char name[LF_NAME_LEN])
{
	if (column < info->n_features)
		snprintf(name, LF_NAME_LEN, "%s", info->features[column]);
	else
		snprintf(name, LF_NAME_LEN, "out%u", column - info->n_in);
}

int lf_get_slots(struct lf *lf, const char *app, struct lf_model_info slots[LITEFLOW_SLOTS_MAX])
{
	int ret = begin(lf, FAKE_SLOTS, app), i;

	memset(slots, 0, LITEFLOW_SLOTS_MAX * sizeof(*slots));
	for (i = 0; i < LITEFLOW_SLOTS_MAX && !ret; i++) {
		const struct fake_slot *from = fake->slots + i;
		struct lf_model_info *to = slots + i;

		to->slot = i;
		if (!from->state)
			continue;
		to->state = i == fake->active ? LITEFLOW_STATE_ACTIVE :
			    i == fake->previous ? LITEFLOW_STATE_RETIRED : LITEFLOW_STATE_STANDBY;
		to->version = from->version;
		to->has_digest = true;
		memcpy(to->digest, from->digest, LF_DIGEST_LEN);
		memcpy(to->name, from->name, LF_NAME_LEN);
	}
	return ret;
}

int lf_active_slot(const struct lf_model_info slots[LITEFLOW_SLOTS_MAX])
{
	int i;

	for (i = 0; i < LITEFLOW_SLOTS_MAX; i++)
		if (slots[i].state == LITEFLOW_STATE_ACTIVE)
			return i;
	return -1;
}

int lf_install(struct lf *lf, const char *app, unsigned int slot, const void *blob, size_t len,
	       uint32_t *version)
{
	struct lf_limits limits = { .n_in = FAKE_IN, .n_out = FAKE_OUT, .units = "t" };
	int ret = begin(lf, FAKE_INSTALL, app);
	struct lf_error err = { "" };
	struct lf_model *model;

	if (ret)
		return ret;
	if ((int)slot == fake->active)
		return fails(lf, EBUSY, "the slot's model is active");
	if (slot >= fake->n_slots || len > FAKE_BLOB)
		return fails(lf, EINVAL, "no such slot");
	ret = lf_model_parse(blob, len, &limits, &model, &err);
	if (ret)
		return fails(lf, -ret, err.msg);
	if (fake->previous == (int)slot)
		fake->previous = -1;
	fake->slots[slot].state = 0;
	fill(fake->slots + slot, blob, len, model->name);
	lf_model_free(model);
	if (version)
		*version = fake->slots[slot].version;
	return 0;
}

static void told(uint32_t *version, uint64_t *ns)
{
	if (version)
		*version = fake->slots[fake->active].version;
	if (ns)
		*ns = 1000;
}

int lf_activate(struct lf *lf, const char *app, unsigned int slot, uint32_t *version, uint64_t *ns)
{
	int ret = begin(lf, FAKE_ACTIVATE, app);

	if (ret)
		return ret;
	if (!fake->slots[slot].state)
		return fails(lf, ENOENT, "the slot is empty");
	activate(slot);
	told(version, ns);
	return 0;
}

int lf_rollback(struct lf *lf, const char *app, uint32_t *version, uint64_t *ns)
{
	int ret = begin(lf, FAKE_ACTIVATE, app);

	if (ret)
		return ret;
	if (fake->previous < 0)
		return fails(lf, ENOENT, "no model was active before");
	activate(fake->previous);
	told(version, ns);
	return 0;
}

int lf_remove(struct lf *lf, const char *app, unsigned int slot, unsigned int flags)
{
	int ret = begin(lf, FAKE_REMOVE, app);

	if (ret)
		return ret;
	if ((int)slot == fake->active) {
		if (!(flags & LITEFLOW_REMOVE_FLAGS_FORCE))
			return fails(lf, EBUSY, "the slot's model is active");
		fake->active = -1;
	}
	if ((int)slot == fake->previous)
		fake->previous = -1;
	fake->slots[slot].state = 0;
	return 0;
}

int lf_digest(const void *blob, size_t len, uint8_t digest[LF_DIGEST_LEN])
{
	return SHA256(blob, len, digest) ? 0 : -EIO;
}

int lf_eval(struct lf *lf, const struct lf_app_info *info, unsigned int slot, size_t rows,
	    const int32_t *inputs, int32_t *outputs)
{
	int ret = begin(lf, FAKE_EVAL, info->name);
	size_t i;

	for (i = 0; i < rows && !ret; i++)
		outputs[i] = run_slot(fake->slots + slot, inputs + FAKE_IN * i);
	return ret;
}

int lf_collect_start(struct lf *lf, const char *app, const struct lf_collect_options *options,
		     lf_batch_fn fn, void *data)
{
	lf->reason[0] = 0;
	if (!fake->app || strcmp(app, FAKE_APP))
		return fails(lf, ENOENT, "no such app");
	if (fake->reader)
		return fails(lf, EBUSY, "somebody collects already");
	lf->batch = fn;
	lf->batch_data = data;
	lf->interval_ns = options->interval_ms * 1000000ULL;
	lf->due_ns = clock_now() + lf->interval_ns;
	lf->sequence = lf->lost = 0;
	lf->app = fake->app;
	collector = lf;
	return 0;
}

int lf_collect_stop(struct lf *lf)
{
	if (collector == lf)
		collector = NULL;
	return 0;
}

int lf_monitor_start(struct lf *lf, lf_event_fn fn, void *data)
{
	lf->event = fn;
	lf->event_data = data;
	return 0;
}

int lf_take(struct lf *lf, int timeout_ms)
{
	struct lf_event gone = { .event = LITEFLOW_EVENT_APP_REMOVED, .app_id = lf->app, .slot = -1 };

	(void)timeout_ms;
	lf->reason[0] = 0;
	if (lf->app != fake->app) {
		if (lf->app_gone_told)
			return 0;
		lf->app_gone_told = true;
		lf->event(&gone, lf->event_data);
		return 1;
	}
	return lf == collector && clock_now() >= lf->due_ns ? deliver(lf) : 0;
}

const char *lf_policy_name(uint32_t number)
{
	return number == LITEFLOW_POLICY_PIN ? "pin" : "follow";
}
