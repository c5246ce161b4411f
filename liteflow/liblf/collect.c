// SPDX-License-Identifier: GPL-2.0
/*
 * What nobody asked for: batches of records, and notifications.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include "netlink.h"

/* More datagrams than a socket has room for, so that a writer cannot hold it up. */
#define MAX_TAKEN	4096

/* -- dispatching --------------------------------------------------------- */

static int on_batch(struct lf *lf, struct nlattr **tb)
{
	const struct nlattr *attr = tb[LITEFLOW_A_COLLECT_RECORDS];
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;
	struct lf_batch batch = {
		.app_id = lf_nl_uint(tb[LITEFLOW_A_COLLECT_APP_ID]),
		.sequence = lf_nl_uint(tb[LITEFLOW_A_COLLECT_SEQUENCE]),
		.lost = lf_nl_uint(tb[LITEFLOW_A_COLLECT_LOST]),
		.count = lf_nl_uint(tb[LITEFLOW_A_COLLECT_COUNT]),
		.size = lf->record_size,
	};

	if (len > LITEFLOW_DATA_MAX || batch.count * batch.size != len)
		return lf_fail(lf, EPROTO, "records of %zu bytes do not fit this program", len);
	lf_nl_copy(batch.app, sizeof(batch.app), tb[LITEFLOW_A_COLLECT_APP_NAME]);
	if (len) {
		/* records are aligned to 8 bytes, payloads to 4 */
		memcpy(lf->records, mnl_attr_get_payload(attr), len);
		batch.records = lf->records;
	}
	return lf->on_batch(&batch, lf->batch_data);
}

static int on_notice(struct lf *lf, struct nlattr **tb)
{
	struct lf_event event = {
		.event = lf_nl_uint(tb[LITEFLOW_A_NOTICE_EVENT]),
		.app_id = lf_nl_uint(tb[LITEFLOW_A_NOTICE_APP_ID]),
		.slot = lf_nl_slot(tb[LITEFLOW_A_NOTICE_SLOT]),
		.version = lf_nl_uint(tb[LITEFLOW_A_NOTICE_VERSION]),
	};

	lf_nl_copy(event.app, sizeof(event.app), tb[LITEFLOW_A_NOTICE_APP_NAME]);
	return lf->on_event(&event, lf->event_data);
}

void lf_dispatch(struct lf *lf, const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct nlattr *tb[LF_NL_ATTRS];
	int ret = 0;

	if (lf_nl_parse(lf, nlh, tb))
		return;
	if (genl->cmd == LITEFLOW_CMD_COLLECT_BATCH && lf->on_batch)
		ret = on_batch(lf, tb);
	else if (genl->cmd == LITEFLOW_CMD_NOTICE && lf->on_event)
		ret = on_notice(lf, tb);
	if (ret && !lf->stopping && !lf->pending)
		lf->pending = ret;
}

static int pending(struct lf *lf)
{
	int ret = lf->pending;

	lf->pending = 0;
	return ret;
}

/* As lf_take(), but what callbacks return stays in @pending. */
static int take(struct lf *lf, int64_t end)
{
	const struct nlmsghdr *nlh;
	int got = lf_nl_receive(lf, end);

	switch (got) {
	case -EAGAIN:
	case -ETIMEDOUT:
		return 0;
	case -ENOBUFS:
		return lf_fail(lf, ENOBUFS, "notices were lost");
	}
	if (got < 0)
		return lf_fail(lf, -got, "%s", strerror(-got));
	for (nlh = (void *)lf->reply; mnl_nlmsg_ok(nlh, got); nlh = mnl_nlmsg_next(nlh, &got))
		lf_dispatch(lf, nlh);
	return 1;
}

int lf_take(struct lf *lf, int timeout_ms)
{
	int ret = 0;

	if (!lf->pending)
		ret = take(lf, timeout_ms > 0 ? lf_nl_now() + timeout_ms : timeout_ms);
	return lf->pending ? pending(lf) : ret;
}

/* -- collecting ---------------------------------------------------------- */

int lf_collect_start(struct lf *lf, const char *app, const struct lf_collect_options *options,
		     lf_batch_fn fn, void *data)
{
	static const struct lf_collect_options defaults;
	struct lf_app_info info;
	struct nlmsghdr *nlh;
	int ret;

	if (lf->collects)
		return lf_fail(lf, EBUSY, "this handle collects already");
	if (!options)
		options = &defaults;
	ret = lf_app_get(lf, app, &info);
	lf_app_info_free(&info);
	if (ret)
		return ret;
	nlh = lf_nl_begin(lf, LITEFLOW_CMD_COLLECT_START, 0);
	mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_APP_ID, info.id);
	if (options->every)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_EVERY, options->every);
	if (options->interval_ms)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_INTERVAL_MS, options->interval_ms);
	if (options->ring_bytes)
		mnl_attr_put_u32(nlh, LITEFLOW_A_COLLECT_RING_BYTES, options->ring_bytes);
	lf->record_size = LITEFLOW_RECORD_SIZE(info.n_in, info.n_out);
	lf->on_batch = fn;
	lf->batch_data = data;
	ret = lf_nl_ask(lf, NULL, NULL);
	lf->collects = !ret;
	if (ret)
		lf->on_batch = NULL;
	return ret;
}

/*
 * What waits in the socket goes first: the answer needs room. If that is lost all
 * the same, all records came, and the kernel has stopped.
 */
int lf_collect_stop(struct lf *lf)
{
	unsigned int i;
	int ret;

	if (!lf->collects)
		return 0;
	lf->stopping = true;
	for (i = 0; i < MAX_TAKEN; i++)
		if (!take(lf, 0))
			break;
	lf_nl_begin(lf, LITEFLOW_CMD_COLLECT_STOP, 0);
	ret = lf_nl_ask(lf, NULL, NULL);
	lf->collects = false;
	lf->stopping = false;
	lf->on_batch = NULL;
	return ret == -ENOBUFS ? 0 : ret;
}

/* Until the callback returns nonzero: that, or an error. */
static int collect(struct lf *lf, const sigset_t *mask, lf_batch_fn fn, void *data)
{
	struct pollfd pfd = { .fd = lf_fd(lf), .events = POLLIN };
	int ret;

	ret = fn(NULL, data);
	for (;;) {
		if (!ret)
			ret = pending(lf);
		if (ret)
			return ret;
		if (ppoll(&pfd, 1, NULL, mask) > 0) {
			ret = take(lf, 0);
			/* records never overflow a socket: -ENOBUFS is of something else */
			if (ret > 0 || ret == -ENOBUFS)
				ret = 0;
		} else if (errno == EINTR) {
			ret = fn(NULL, data);
		} else {
			ret = lf_fail(lf, errno, "%s", strerror(errno));
		}
	}
}

int lf_collect(struct lf *lf, const char *app, const struct lf_collect_options *options,
	       const sigset_t *mask, lf_batch_fn fn, void *data)
{
	char why[LF_REASON_LEN];
	int ret;

	ret = lf_collect_start(lf, app, options, fn, data);
	if (ret)
		return ret;
	ret = collect(lf, mask, fn, data);
	if (ret > 0)
		return lf_collect_stop(lf);
	memcpy(why, lf->reason, sizeof(why));
	lf->on_batch = NULL;
	lf_collect_stop(lf);
	memcpy(lf->reason, why, sizeof(why));
	return ret;
}

/* -- notifications ------------------------------------------------------- */

int lf_monitor_start(struct lf *lf, lf_event_fn fn, void *data)
{
	if (mnl_socket_setsockopt(lf->sock, NETLINK_ADD_MEMBERSHIP, &lf->notice,
				  sizeof(lf->notice)) < 0)
		return lf_fail(lf, errno, "%s", strerror(errno));
	lf->on_event = fn;
	lf->event_data = data;
	return 0;
}
