// SPDX-License-Identifier: GPL-2.0-only
/*
 * LiteFlow's netlink family: evaluation, and the collection of records.
 *
 * Records are what a machine's traffic looks like, so they go to one socket
 * whose owner proved a capability, never to a group: who may join a group is
 * asked of the namespace's own user.
 */
#include <linux/capability.h>
#include <linux/err.h>
#include <linux/liteflow_record.h>
#include <linux/log2.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include <net/netlink.h>
#include <net/sock.h>

#include "genl_gen.h"
#include "internal.h"
#include "netlink.h"

/* Room for everything in a batch but the records. */
#define LF_NL_BATCH_ROOM	256

/*
 * A message with up to LITEFLOW_DATA_MAX bytes in it. That many in a row may be
 * hard to find, so vmalloc() may provide them, as it does for large messages of
 * user space.
 */
static struct sk_buff *lf_nl_large(size_t len)
{
	return netlink_alloc_large_skb(nlmsg_total_size(GENL_HDRLEN + LF_NL_BATCH_ROOM) +
				       nla_total_size(len), 0);
}

/* -- evaluation ---------------------------------------------------------- */

/* The number of rows, if inputs and outputs fit. */
static int lf_nl_eval_rows(struct genl_info *info, const struct lf_app *app)
{
	struct nlattr *inputs = info->attrs[LITEFLOW_A_EVAL_INPUTS];
	struct nlattr *rows = info->attrs[LITEFLOW_A_EVAL_ROWS];
	size_t row = app->n_in * sizeof(s32);
	u32 max;
	int ret;

	ret = lf_nl_need(info, LITEFLOW_A_EVAL_ROWS, "rows") ?:
	      lf_nl_need(info, LITEFLOW_A_EVAL_INPUTS, "inputs");
	if (ret)
		return ret;
	max = LITEFLOW_DATA_MAX / (max(app->n_in, app->n_out) * sizeof(s32));
	if (nla_get_u32(rows) > max) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, rows,
					"%u rows are too many: app %s takes %u at a time",
					nla_get_u32(rows), app->name, max);
		return -EINVAL;
	}
	if (nla_len(inputs) != nla_get_u32(rows) * row) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, inputs,
					"%d bytes of inputs: %u rows of app %s take %zu",
					nla_len(inputs), nla_get_u32(rows), app->name,
					nla_get_u32(rows) * row);
		return -EINVAL;
	}
	return nla_get_u32(rows);
}

/*
 * What a sequence goes on with: a buffer of a version and its values, NULL if there is no
 * sequence, or an error. *@len: most bytes that the reply has of it.
 */
static s32 *lf_nl_eval_state(struct genl_info *info, struct lf_app *app,
			     struct lf_sequence *seq, size_t *len)
{
	struct nlattr *state = info->attrs[LITEFLOW_A_EVAL_STATE];
	struct lf_app_info about;
	s32 *buf;

	*len = 0;
	if (!state)
		return NULL;
	lf_app_info(app, &about);
	*len = (1 + about.max_state) * sizeof(s32);
	if (nla_len(state) % sizeof(s32) || nla_len(state) > *len) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, state,
					"%d bytes of state: give those of the last reply, or none",
					nla_len(state));
		return ERR_PTR(-EINVAL);
	}
	buf = kvzalloc(*len, GFP_KERNEL_ACCOUNT);
	if (!buf)
		return ERR_PTR(-ENOMEM);
	memcpy(buf, nla_data(state), nla_len(state));
	seq->version = buf[0];
	seq->n = max(nla_len(state) / sizeof(s32), 1) - 1;
	seq->value = buf + 1;
	return buf;
}

int liteflow_nl_eval_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_sequence seq = {};
	struct lf_error err = {};
	struct nlattr *outputs;
	struct sk_buff *reply;
	struct lf_app *app;
	size_t len, state_len;
	int ret, slot, rows;
	s32 *state = NULL;
	void *head;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	slot = lf_nl_slot(info, app);
	ret = slot < 0 ? slot : lf_nl_eval_rows(info, app);
	if (ret < 0)
		goto put;
	rows = ret;
	state = lf_nl_eval_state(info, app, &seq, &state_len);
	if (IS_ERR(state)) {
		ret = PTR_ERR(state);
		state = NULL;
		goto put;
	}

	len = rows * app->n_out * sizeof(s32);
	reply = lf_nl_large(len + nla_total_size(state_len));
	if (!reply) {
		ret = lf_nl_refuse(info, -ENOMEM, NULL);
		goto put;
	}
	head = genlmsg_iput(reply, info);
	outputs = head ? nla_reserve(reply, LITEFLOW_A_EVAL_OUTPUTS, len) : NULL;
	ret = -EMSGSIZE;
	if (WARN_ON_ONCE(!outputs))
		goto free;
	/* Payloads are aligned to 4 bytes, as s32 is. */
	ret = lf_eval_sequence(app, slot, state ? &seq : NULL,
			       nla_data(info->attrs[LITEFLOW_A_EVAL_INPUTS]), nla_data(outputs),
			       rows, &err);
	if (ret) {
		lf_nl_refuse(info, ret, &err);
		goto free;
	}
	if (state) {
		state[0] = seq.version;
		ret = nla_put(reply, LITEFLOW_A_EVAL_STATE, (1 + seq.n) * sizeof(s32), state);
		if (WARN_ON_ONCE(ret))
			goto free;
	}
	genlmsg_end(reply, head);
	ret = genlmsg_reply(reply, info);
	goto put;
free:
	nlmsg_free(reply);
put:
	kvfree(state);
	lf_app_put(app);
	return ret;
}

/* -- collection ---------------------------------------------------------- */

#ifdef CONFIG_LITEFLOW_COLLECT

static int lf_nl_batch_fill(struct sk_buff *skb, const struct lf_app *app,
			    const void *records, unsigned int n, u64 lost, u32 sequence)
{
	void *head = genlmsg_put(skb, 0, 0, &liteflow_nl_family, 0, LITEFLOW_CMD_COLLECT_BATCH);

	if (!head || nla_put_u32(skb, LITEFLOW_A_APP_ID, app->id) ||
	    nla_put_string(skb, LITEFLOW_A_APP_NAME, app->name) ||
	    nla_put_u32(skb, LITEFLOW_A_COLLECT_SEQUENCE, sequence) ||
	    nla_put_uint(skb, LITEFLOW_A_COLLECT_LOST, lost) ||
	    nla_put_u32(skb, LITEFLOW_A_COLLECT_COUNT, n) ||
	    (n && nla_put(skb, LITEFLOW_A_COLLECT_RECORDS, n * lf_record_size(app), records)))
		return -EMSGSIZE;
	genlmsg_end(skb, head);
	return 0;
}

/* One message of up to LITEFLOW_DATA_MAX bytes of records; did it arrive? */
static bool lf_nl_batch_send(struct lf_nl_sock *s, const struct lf_app *app,
			     const void *records, unsigned int n, u64 lost)
{
	struct sock *sk = s->sk;
	struct sk_buff *skb;
	long timeo = 0;

	skb = lf_nl_large(n * lf_record_size(app));
	if (!skb)
		return false;
	if (WARN_ON_ONCE(lf_nl_batch_fill(skb, app, records, n, lost, s->sequence))) {
		nlmsg_free(skb);
		return false;
	}
	/*
	 * To this very socket, not to its number: after the socket is closed
	 * the number may be another's before the collector knows. And as if a
	 * user had sent it, for the reader finds losses in the next batch and
	 * needs no ENOBUFS. Both calls drop a reference of the socket.
	 */
	sock_hold(sk);
	if (netlink_attachskb(sk, skb, &timeo, sk))
		return false;
	netlink_sendskb(sk, skb);
	return true;
}

static unsigned int lf_nl_deliver(void *priv, const struct lf_app *app, const void *records,
				  unsigned int n, u64 lost)
{
	unsigned int most = LITEFLOW_DATA_MAX / lf_record_size(app);
	unsigned int one, missed = 0;
	struct lf_nl_sock *s = priv;
	bool sent;

	/* Pairs with lf_nl_collect_end(). */
	if (READ_ONCE(s->closing))
		return n;
	do {
		one = min(n, most);
		/* a reader that has no room now will not have it at once */
		sent = !missed && lf_nl_batch_send(s, app, records, one, lost);
		if (!sent)
			missed += one ?: 1;
		/* A gap in the numbers stands for records. */
		if (sent || one)
			s->sequence++;
		records += one * lf_record_size(app);
		n -= one;
	} while (n);
	return missed;
}

/* The last of a socket; see liteflow_nl_sock_priv_destroy(). */
void lf_nl_collect_end(struct lf_nl_sock *s)
{
	if (!s->collected)
		return;
	/* Pairs with lf_nl_deliver(): nobody reads what would come now. */
	WRITE_ONCE(s->closing, true);
	lf_collect_stop(s->collected, s);
	lf_app_put(s->collected);
}

/* The app's collector becomes this socket's; takes over the reference. */
static int lf_nl_collect_begin(struct genl_info *info, struct lf_nl_sock *s, struct lf_app *app,
			       const struct lf_collect_desc *desc)
{
	struct lf_error err = {};
	int ret;

	if (s->collected) {
		NL_SET_ERR_MSG_FMT(info->extack, "this socket collects from %s: stop that first",
				   s->collected->name);
		return -EBUSY;
	}
	s->sequence = 0;
	ret = lf_collect_start(app, desc, &err);
	if (ret)
		return lf_nl_refuse(info, ret, &err);
	s->collected = app;
	return 0;
}

int liteflow_nl_collect_start_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *interval = info->attrs[LITEFLOW_A_COLLECT_INTERVAL_MS];
	struct nlattr *bytes = info->attrs[LITEFLOW_A_COLLECT_RING_BYTES];
	struct nlattr *every = info->attrs[LITEFLOW_A_COLLECT_EVERY];
	struct lf_collect_desc desc = {
		.every = every ? nla_get_u32(every) : 1,
		.bytes = bytes ? nla_get_u32(bytes) : SZ_1M,
		.interval_ms = interval ? nla_get_u32(interval) : 0,
		.deliver = lf_nl_deliver,
	};
	struct lf_nl_sock *s;
	struct lf_app *app;
	int ret;

	app = lf_nl_app_to_change(skb, info);
	if (IS_ERR(app))
		return PTR_ERR(app);
	ret = -EINVAL;
	if (!is_power_of_2(desc.every)) {
		NL_SET_ERR_MSG_ATTR(info->extack, every,
				    "one in so many queries: give a power of two");
		goto put;
	}
	s = lf_nl_sock(skb, info);
	ret = PTR_ERR_OR_ZERO(s);
	if (ret)
		goto put;
	desc.priv = s;
	mutex_lock(&s->lock);
	s->sk = NETLINK_CB(skb).sk;
	ret = lf_nl_collect_begin(info, s, app, &desc);
	mutex_unlock(&s->lock);
	if (!ret)
		return 0;
put:
	lf_app_put(app);
	return ret;
}

int liteflow_nl_collect_stop_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct lf_nl_sock *s;
	int ret = 0;

	s = lf_nl_sock(skb, info);
	if (IS_ERR(s))
		return PTR_ERR(s);
	mutex_lock(&s->lock);
	if (s->collected) {
		lf_collect_stop(s->collected, s);
		lf_app_put(s->collected);
		s->collected = NULL;
	} else {
		NL_SET_ERR_MSG(info->extack, "nothing to stop: this socket does not collect");
		ret = -ENOENT;
	}
	mutex_unlock(&s->lock);
	return ret;
}

#else /* !CONFIG_LITEFLOW_COLLECT */

void lf_nl_collect_end(struct lf_nl_sock *s)
{
}

static int lf_nl_collect_none(struct genl_info *info)
{
	NL_SET_ERR_MSG(info->extack, "this kernel was built without CONFIG_LITEFLOW_COLLECT");
	return -EOPNOTSUPP;
}

int liteflow_nl_collect_start_doit(struct sk_buff *skb, struct genl_info *info)
{
	return lf_nl_collect_none(info);
}

int liteflow_nl_collect_stop_doit(struct sk_buff *skb, struct genl_info *info)
{
	return lf_nl_collect_none(info);
}

#endif /* CONFIG_LITEFLOW_COLLECT */
