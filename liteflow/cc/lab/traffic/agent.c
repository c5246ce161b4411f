// SPDX-License-Identifier: GPL-2.0
/*
 * The same net in user space: the kernel records what the flow's model is asked and
 * hands it over every so many ms; what the net answers is done when it arrives.
 * Computing takes no time here, nor does the way to the agent: only the waiting for
 * a batch is left, so this is the best case for user space.
 *
 * "newest" does one action for a batch, that of its last interval. "each" does one
 * for every interval in it, as a controller would that had been asked at the time.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/liteflow_engine.h>
#include <linux/tcp_liteflow.h>
#include "../../../lfctl/lfctl.h"
#include "lab.h"
#include "liblf.h"

#define APP		"cc"
#define INPUTS		30
#define OUTPUTS		1

/* what lfctl's functions look at */
bool opt_json;

static struct lf *lf;
static struct lf_model *model;
static struct flow *the_flow;
static bool all_of_them;
static unsigned int actions;

static void act(uint16_t flags, int32_t action)
{
	struct tcp_liteflow_params params = { .flags = flags, .action = action };

	if (setsockopt(the_flow->fd, IPPROTO_TCP, TCP_CC_PARAMS, &params, sizeof(params)))
		fail("TCP_CC_PARAMS: %s", strerror(errno));
}

static void answer(const struct liteflow_record *record)
{
	int16_t scratch[2 * LITEFLOW_MAX_WIDTH];
	int32_t action;

	lf_model_run(model, record->values, &action, scratch);
	act(TCP_LITEFLOW_REMOTE | TCP_LITEFLOW_ACT, action);
	actions++;
}

static int on_batch(const struct lf_batch *batch, void *data)
{
	size_t i;

	(void)data;
	if (!batch->count || !the_flow)
		return 0;
	if (batch->lost)
		fail("the collector lost records");
	if (batch->size != LITEFLOW_RECORD_SIZE(INPUTS, OUTPUTS))
		fail("records of a size that is not that of app \"%s\"", APP);
	for (i = all_of_them ? 0 : batch->count - 1; i < batch->count; i++)
		answer(lf_batch_record(batch, i));
	return 0;
}

static struct lf_model *load(const char *path)
{
	struct lf_model *loaded;
	struct lf_error err;
	size_t size;
	void *blob = read_file(path, LITEFLOW_DATA_MAX, &size);

	if (!blob)
		exit(1);
	if (lf_model_parse(blob, size, NULL, &loaded, &err))
		fail("%s: %s", path, err.msg);
	free(blob);
	if (loaded->n_in != INPUTS || loaded->n_out != OUTPUTS)
		fail("%s: %u inputs and %u outputs, not %u and %u", path, loaded->n_in,
		     loaded->n_out, INPUTS, OUTPUTS);
	return loaded;
}

int agent_open(const char *path, bool each, unsigned int interval_ms)
{
	struct lf_collect_options how = { .interval_ms = interval_ms };

	all_of_them = each;
	model = load(path);
	if (lf_open(&lf) || lf_collect_start(lf, APP, &how, on_batch, NULL))
		fail("agent: %s", lf_reason(lf));
	return lf_fd(lf);
}

/* The flow's connection stands. */
void agent_take(struct flow *flow)
{
	the_flow = flow;
	act(TCP_LITEFLOW_REMOTE, 0);
}

void agent_read(void)
{
	int ret = lf_take(lf, -1);

	if (ret < 0 && ret != -EINTR)
		fail("records: %s", lf_reason(lf));
}

unsigned int agent_actions(void)
{
	return actions;
}
