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
#include <linux/liteflow_record.h>
#include <linux/tcp_liteflow.h>
#include "../../../lfctl/lfctl.h"
#include "../../../lfctl/netlink/netlink.h"
#include "lab.h"

#define APP		"cc"
#define INPUTS		30
#define OUTPUTS		1

/* what lfctl's functions look at */
bool opt_json;

static struct nl nl;
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

static int on_batch(const struct nlmsghdr *nlh, struct nlattr **tb, void *data)
{
	uint64_t record[LITEFLOW_RECORD_SIZE(INPUTS, OUTPUTS) / 8];
	const struct nlattr *attr = tb[LITEFLOW_A_COLLECT_RECORDS];
	size_t i, n;

	(void)data;
	if (nl_cmd(nlh) != LITEFLOW_CMD_COLLECT_BATCH || !attr || !the_flow)
		return 0;
	if (nl_uint(tb[LITEFLOW_A_COLLECT_LOST]))
		fail("the collector lost records");
	n = mnl_attr_get_payload_len(attr) / sizeof(record);
	if (n != nl_uint(tb[LITEFLOW_A_COLLECT_COUNT]))
		fail("records of a size that is not that of app \"%s\"", APP);
	for (i = all_of_them || !n ? 0 : n - 1; i < n; i++) {
		/* they are aligned to 8 bytes, payloads to 4 */
		memcpy(record, (char *)mnl_attr_get_payload(attr) + i * sizeof(record),
		       sizeof(record));
		answer((void *)record);
	}
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
	struct nlmsghdr *nlh;

	all_of_them = each;
	model = load(path);
	if (nl_open(&nl))
		exit(1);
	nlh = nl_begin(&nl, LITEFLOW_CMD_COLLECT_START, 0);
	nl_put_app(nlh, APP);
	mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_INTERVAL_MS, interval_ms);
	if (nl_ask(&nl, "collect", on_batch, NULL))
		exit(1);
	return mnl_socket_get_fd(nl.sock);
}

/* The flow's connection stands. */
void agent_take(struct flow *flow)
{
	the_flow = flow;
	act(TCP_LITEFLOW_REMOTE, 0);
}

void agent_read(void)
{
	if (nl_listen(&nl, "records", true, on_batch, NULL))
		fail("records: %s", strerror(nl.error));
}

unsigned int agent_actions(void)
{
	return actions;
}
