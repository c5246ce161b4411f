// SPDX-License-Identifier: GPL-2.0
/*
 * LiteFlow's netlink family: wrong messages, models in pieces, what models do in
 * their slots, records and notices.
 */
#include <poll.h>

#include "lf_fixture.h"

static int ask(struct lf_sock *s, const char *app, int slot, int *number)
{
	static const __s32 in[N_IN] = { 1, 20, 300, 1000 };
	__s32 out;
	int ret = lf_eval(s, app, slot, in, N_IN, &out);

	*number = out - 1321;
	return ret;
}

/* no LITEFLOW_STATE_*: a dump says nothing of the slot */
#define STATE_NONE	0

/* What a dump says of a slot: its state, STATE_NONE if it says nothing. */
struct slot {
	__u32 state;
	__u32 version;
};

static int look(struct lf_sock *s, const char *app, __u32 slot, struct slot *found)
{
	static char buf[2 * LF_NL_ROOM];
	struct nlmsghdr *n;
	struct lf_msg m;
	ssize_t len;
	int ret;

	memset(found, 0, sizeof(*found));
	lf_begin(&m, s->family, LITEFLOW_CMD_SLOT_GET, NLM_F_DUMP);
	lf_put_str(&m, LITEFLOW_A_APP_NAME, app);
	m.n.nlmsg_seq = ++s->seq;
	ret = lf_send(s, &m, m.n.nlmsg_len);
	if (ret)
		return ret;
	for (;;) {
		len = recv(s->fd, buf, sizeof(buf), 0);
		if (len < 0)
			return -errno;
		for (n = (void *)buf; NLMSG_OK(n, len); n = NLMSG_NEXT(n, len)) {
			const struct lf_msg *r = (void *)n;

			if (n->nlmsg_seq != s->seq)
				continue;
			if (n->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(n))->error;
			if (n->nlmsg_type == NLMSG_DONE)
				return *(int *)NLMSG_DATA(n);
			if (!lf_get(r, LITEFLOW_A_MODEL_SLOT) ||
			    lf_get_uint(r, LITEFLOW_A_MODEL_SLOT) != slot)
				continue;
			found->state = lf_get_uint(r, LITEFLOW_A_MODEL_STATE);
			found->version = lf_get_uint(r, LITEFLOW_A_MODEL_VERSION);
		}
	}
}

/* -- messages ----------------------------------------------------------------- */

TEST_F(liteflow, no_app)
{
	struct lf_msg m;

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "no app given");
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_APP_GET, "no-such-app", -1), ENOENT,
		       "no such app");
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, "no-such-app", -1), ENOENT,
		       "no such app");
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, "no-such-app", -1), ENOENT,
		       "no such app");
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_START, "no-such-app", -1), ENOENT,
		       "no such app");
}

TEST_F(liteflow, app_add_refused)
{
	struct lf_msg m;

	EXPECT_REFUSED(lf_app_add(self->s, APP, N_IN, CAP_NET_ADMIN), EEXIST, "exists");
	EXPECT_REFUSED(lf_app_add(self->s, "a name", N_IN, CAP_NET_ADMIN), EINVAL, "name");
	EXPECT_REFUSED(lf_app_add(self->s, "", N_IN, CAP_NET_ADMIN), EINVAL, "name");
	EXPECT_REFUSED(lf_app_add(self->s, APP_NEW, N_IN, CAP_SYS_BOOT), EINVAL,
		       "CAP_NET_ADMIN");
	EXPECT_EQ(lf_app_add(self->s, APP_NEW, 0, CAP_NET_ADMIN), -ERANGE);
	EXPECT_EQ(lf_app_add(self->s, APP_NEW, 1025, CAP_NET_ADMIN), -ERANGE);
	EXPECT_EQ(lf_app_add(self->s, "a-name-that-is-longer-than-31-characters", N_IN,
			     CAP_NET_ADMIN), -EINVAL);
	/* In atomic context 64 is the most. */
	lf_begin_app(self->s, &m, LITEFLOW_CMD_APP_ADD, APP_NEW, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_N_IN, 65);
	lf_put_u32(&m, LITEFLOW_A_APP_N_OUT, 1);
	lf_put_u32(&m, LITEFLOW_A_APP_CONTEXT, LITEFLOW_CONTEXT_ATOMIC);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "64");
	lf_begin_app(self->s, &m, LITEFLOW_CMD_APP_ADD, APP_NEW, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_N_IN, N_IN);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "missing");
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_GET, APP_NEW, -1), -ENOENT);
}

/* Attributes that are cut, too long, of the wrong size or not of this family. */
TEST_F(liteflow, malformed)
{
	static const char eight[8];
	struct nlattr *a;
	struct lf_msg m;

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put(&m, LITEFLOW_A_APP_ID, eight, 3);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put(&m, LITEFLOW_A_APP_NAME, "unterminated", 4);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put(&m, LITEFLOW_A_APP_NAME, NULL, 0);
	EXPECT_LT(lf_call(self->s, &m), 0);

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put_u32(&m, LITEFLOW_A_APP_ID, 0);
	EXPECT_EQ(lf_call(self->s, &m), -ERANGE);

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put_u32(&m, LITEFLOW_A_APP_ID, 70000);
	EXPECT_EQ(lf_call(self->s, &m), -ERANGE);

	/* an attribute of another operation, and one that does not exist */
	lf_begin_app(self->s, &m, LITEFLOW_CMD_APP_GET, APP, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_N_IN, 1);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
	lf_begin_app(self->s, &m, LITEFLOW_CMD_APP_GET, APP, -1);
	lf_put_u32(&m, LITEFLOW_A_APP_MAX + 1, 1);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
	lf_begin(&m, self->s->family, LITEFLOW_CMD_MODEL_COMMIT, 0);
	lf_put_u32(&m, LITEFLOW_A_MODEL_SLOT, 1);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);

	/* an attribute that says that it is longer than the message */
	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put_str(&m, LITEFLOW_A_APP_NAME, APP);
	a = (void *)(m.buf + sizeof(m.n) + sizeof(m.g));
	a->nla_len = 0x7fff;
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
	a->nla_len = 1;
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);

	/* operations that do not exist, or not in this form */
	lf_begin(&m, self->s->family, LITEFLOW_CMD_MAX + 1, 0);
	EXPECT_EQ(lf_call(self->s, &m), -EOPNOTSUPP);
	lf_begin(&m, self->s->family, 0, 0);
	EXPECT_EQ(lf_call(self->s, &m), -EOPNOTSUPP);
	lf_begin(&m, self->s->family, LITEFLOW_CMD_COLLECT_BATCH, 0);
	EXPECT_EQ(lf_call(self->s, &m), -EOPNOTSUPP);
	lf_begin(&m, self->s->family, LITEFLOW_CMD_MODEL_COMMIT, NLM_F_DUMP);
	EXPECT_EQ(lf_call(self->s, &m), -EOPNOTSUPP);
	lf_begin_app(self->s, &m, LITEFLOW_CMD_STATS_GET, APP, -1);
	EXPECT_EQ(lf_call(self->s, &m), -EOPNOTSUPP);

	/* a message without a generic header */
	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	m.n.nlmsg_len = sizeof(m.n);
	EXPECT_EQ(lf_call(self->s, &m), -EINVAL);
}

/* Random bytes behind a good header; whatever comes back, nothing may break. */
TEST_F(liteflow, noise)
{
	unsigned int seed = 1, i, n;
	struct lf_msg m;

	for (n = 0; n < 2000; n++) {
		unsigned int len = rand_r(&seed) % 200;

		lf_begin(&m, self->s->family, rand_r(&seed) % (LITEFLOW_CMD_MAX + 1),
			 rand_r(&seed) % 4 ? 0 : NLM_F_DUMP);
		for (i = 0; i < len; i++)
			m.buf[m.n.nlmsg_len + i] = rand_r(&seed);
		m.n.nlmsg_len += len;
		lf_call(self->s, &m);
	}
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_GET, APP, -1), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_APP_N_IN), N_IN);
}

TEST_F(liteflow, app_get)
{
	unsigned int id;
	struct lf_msg m;

	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_GET, APP, -1), 0);
	id = lf_get_uint(&self->s->reply, LITEFLOW_A_APP_ID);
	EXPECT_GT(id, 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_APP_N_OUT), 1);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_APP_CAPABILITY), CAP_NET_ADMIN);
	EXPECT_NE(lf_get(&self->s->reply, LITEFLOW_A_APP_USER), NULL);

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, 0);
	lf_put_u32(&m, LITEFLOW_A_APP_ID, id);
	ASSERT_EQ(lf_call(self->s, &m), 0);
	EXPECT_STREQ(lf_data(lf_get(&self->s->reply, LITEFLOW_A_APP_NAME)), APP);

	/* number and name of different apps */
	lf_put_str(&m, LITEFLOW_A_APP_NAME, APP_SYS);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "another name");

	lf_begin(&m, self->s->family, LITEFLOW_CMD_APP_GET, NLM_F_DUMP);
	EXPECT_EQ(lf_call(self->s, &m), 0);
	EXPECT_GE(self->s->replies, 2);
}

/* -- models in pieces ------------------------------------------------------------ */

TEST_F(liteflow, pieces)
{
	static char blob[LF_BLOB_ROOM];
	size_t len = lf_blob_make(blob, 7, N_IN, "");
	__u8 digest[32];
	struct slot slot;
	size_t at;
	int number;

	lf_sha256(blob, len, digest);
	EXPECT_REFUSED(lf_model_data(self->s, 0, blob, 8), EINVAL, "no model is being sent");
	EXPECT_REFUSED(lf_model_commit(self->s), EINVAL, "no model is being sent");

	/* byte by byte; nothing is visible before the commit */
	ASSERT_EQ(lf_model_begin(self->s, APP, 1, len, digest), 0);
	EXPECT_REFUSED(lf_model_data(self->s, 1, blob, 1), EINVAL, "offset");
	EXPECT_REFUSED(lf_model_data(self->s, 0, NULL, 0), EINVAL, "0 bytes");
	for (at = 0; at < len; at++) {
		if (at == len / 2)
			EXPECT_REFUSED(lf_model_commit(self->s), EINVAL, "incomplete");
		ASSERT_EQ(lf_model_data(self->s, at, blob + at, 1), 0);
	}
	EXPECT_REFUSED(lf_model_data(self->s, len, blob, 1), EINVAL, "too much");
	ASSERT_EQ(look(self->s, APP, 1, &slot), 0);
	EXPECT_EQ(slot.state, STATE_NONE);
	ASSERT_EQ(lf_model_commit(self->s), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 1);
	ASSERT_EQ(look(self->s, APP, 1, &slot), 0);
	EXPECT_EQ(slot.state, LITEFLOW_STATE_STANDBY);
	EXPECT_EQ(slot.version, 1);
	EXPECT_EQ(ask(self->s, APP, 1, &number), 0);
	EXPECT_EQ(number, 7);

	/* that was that */
	EXPECT_REFUSED(lf_model_commit(self->s), EINVAL, "no model is being sent");
}

TEST_F(liteflow, oversize)
{
	static char zero[LITEFLOW_DATA_MAX + 4];
	__u8 digest[32] = {};
	unsigned int i;

	EXPECT_EQ(lf_model_begin(self->s, APP, 0, LITEFLOW_MAX_BLOB + 1, digest), -ERANGE);
	EXPECT_EQ(lf_model_begin(self->s, APP, 0, 0, digest), -ERANGE);
	EXPECT_EQ(lf_model_begin(self->s, APP, 8, 100, digest), -ERANGE);
	EXPECT_REFUSED(lf_model_begin(self->s, APP, 4, 100, digest), EINVAL, "slots 0 to 3");

	ASSERT_EQ(lf_model_begin(self->s, APP, 0, LITEFLOW_MAX_BLOB, digest), 0);
	EXPECT_REFUSED(lf_model_data(self->s, 0, zero, sizeof(zero)), EINVAL, "bytes of data");
	for (i = 0; i < LITEFLOW_MAX_BLOB / LITEFLOW_DATA_MAX; i++)
		ASSERT_EQ(lf_model_data(self->s, i * LITEFLOW_DATA_MAX, zero,
					LITEFLOW_DATA_MAX), 0);
	EXPECT_REFUSED(lf_model_commit(self->s), EBADMSG, "digest");
	/* with the right digest it is as large as can be, and still no model */
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, zero, LITEFLOW_DATA_MAX), EINVAL, "no model");
}

TEST_F(liteflow, wrong_digest)
{
	static char blob[LF_BLOB_ROOM];
	size_t len = lf_blob_make(blob, 7, N_IN, "");
	__u8 digest[32];
	struct slot slot;

	lf_sha256(blob, len, digest);
	digest[31] ^= 1;
	ASSERT_EQ(lf_model_begin(self->s, APP, 0, len, digest), 0);
	ASSERT_EQ(lf_model_data(self->s, 0, blob, len), 0);
	EXPECT_REFUSED(lf_model_commit(self->s), EBADMSG, "digest");
	EXPECT_REFUSED(lf_model_commit(self->s), EINVAL, "no model is being sent");
	ASSERT_EQ(look(self->s, APP, 0, &slot), 0);
	EXPECT_EQ(slot.state, STATE_NONE);
}

/* Sockets do not see each other's pieces, and each may have an upload. */
TEST_F(liteflow, per_socket)
{
	static char blob[LF_BLOB_ROOM], other_blob[LF_BLOB_ROOM];
	size_t len = lf_blob_make(blob, 7, N_IN, "");
	size_t other_len = lf_blob_make(other_blob, 8, N_IN, "");
	struct lf_sock *other = lf_open();
	__u8 digest[32], other_digest[32];
	struct slot slot;
	int number;

	ASSERT_NE(other, NULL);
	lf_sha256(blob, len, digest);
	lf_sha256(other_blob, other_len, other_digest);
	ASSERT_EQ(lf_model_begin(self->s, APP, 0, len, digest), 0);
	ASSERT_EQ(lf_model_data(self->s, 0, blob, len), 0);
	EXPECT_EQ(lf_model_commit(other), -EINVAL);
	ASSERT_EQ(lf_model_begin(other, APP, 1, other_len, other_digest), 0);
	ASSERT_EQ(lf_model_data(other, 0, other_blob, other_len), 0);
	EXPECT_EQ(lf_model_commit(self->s), 0);
	EXPECT_EQ(lf_model_commit(other), 0);
	EXPECT_EQ(ask(self->s, APP, 0, &number), 0);
	EXPECT_EQ(number, 7);
	EXPECT_EQ(ask(self->s, APP, 1, &number), 0);
	EXPECT_EQ(number, 8);

	/* another begin drops what was sent, a closed socket as well */
	ASSERT_EQ(lf_model_begin(other, APP, 2, len, digest), 0);
	ASSERT_EQ(lf_model_data(other, 0, blob, 16), 0);
	ASSERT_EQ(lf_model_begin(other, APP, 2, len, digest), 0);
	ASSERT_EQ(lf_model_data(other, 0, blob, len), 0);
	lf_close(other);
	ASSERT_EQ(look(self->s, APP, 2, &slot), 0);
	EXPECT_EQ(slot.state, STATE_NONE);
}

/* As much as 64 sockets may send, again and again: it must be given back. */
TEST_F(liteflow, freed_on_close)
{
	static char zero[LITEFLOW_DATA_MAX];
	__u8 digest[32] = {};
	unsigned int round, i;
	struct lf_sock *s;

	for (round = 0; round < 64; round++) {
		s = lf_open();
		ASSERT_NE(s, NULL);
		ASSERT_EQ(lf_model_begin(s, APP, 0, LITEFLOW_MAX_BLOB, digest), 0) {
			TH_LOG("round %u: %s", round, s->why);
		}
		for (i = 0; i < 4; i++)
			ASSERT_EQ(lf_model_data(s, i * sizeof(zero), zero, sizeof(zero)), 0);
		lf_close(s);
	}
	EXPECT_EQ(install(self->s, APP, 0, 7), 0);
}

/* The app goes while a model for it is being sent. */
TEST_F(liteflow, app_goes_meanwhile)
{
	static char blob[LF_BLOB_ROOM];
	size_t len = lf_blob_make(blob, 7, N_IN, "");
	__u8 digest[32];

	lf_sha256(blob, len, digest);
	ASSERT_EQ(lf_model_begin(self->s, APP, 0, len, digest), 0);
	ASSERT_EQ(lf_model_data(self->s, 0, blob, len), 0);
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP, -1), 0);
	EXPECT_EQ(lf_model_commit(self->s), -ENODEV);
	ASSERT_EQ(lf_app_add(self->s, APP, N_IN, CAP_NET_ADMIN), 0);
}

/* What the parser says reaches the one who asked. */
TEST_F(liteflow, bad_models)
{
	static char blob[LF_BLOB_ROOM];
	size_t len = lf_blob_make(blob, 7, N_IN, "");
	struct liteflow_blob_header *h = (void *)blob;

	blob[len - 1] ^= 1;
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, blob, len), EINVAL, "checksum");
	blob[len - 1] ^= 1;
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, blob, len - 8), EINVAL, "cut");
	h->version = htole16(LITEFLOW_BLOB_VERSION + 1);
	lf_blob_fix(blob, len);
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, blob, len), EINVAL, "version");
	len = lf_blob_make(blob, 7, N_IN + 1, "");
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, blob, len), EINVAL, "inputs");
	EXPECT_REFUSED(lf_model_send(self->s, APP, 0, "", 1), EINVAL, "no model");
}

/* -- slots ------------------------------------------------------------------------ */

TEST_F(liteflow, slots)
{
	struct slot slot;
	int number;

	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, APP, 0), ENOENT, "empty");
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, APP, -1), ENOENT,
		       "no earlier model");
	EXPECT_REFUSED(lf_model_remove(self->s, APP, 0, 0), ENOENT, "empty");
	EXPECT_REFUSED(ask(self->s, APP, 0, &number), ENOENT, "empty");

	ASSERT_EQ(install(self->s, APP, 0, 10), 0);
	ASSERT_EQ(install(self->s, APP, 1, 11), 0);
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, APP, -1), ENOENT,
		       "no earlier model");
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, APP, 0), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 1);
	EXPECT_NE(lf_get(&self->s->reply, LITEFLOW_A_MODEL_OP_NS), NULL);
	EXPECT_REFUSED(install(self->s, APP, 0, 12), EBUSY, "active");
	EXPECT_REFUSED(lf_model_remove(self->s, APP, 0, 0), EBUSY, "active");

	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ACTIVATE, APP, 1), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 2);
	ASSERT_EQ(look(self->s, APP, 0, &slot), 0);
	EXPECT_EQ(slot.state, LITEFLOW_STATE_RETIRED);
	ASSERT_EQ(look(self->s, APP, 1, &slot), 0);
	EXPECT_EQ(slot.state, LITEFLOW_STATE_ACTIVE);

	/* back, and back again undoes it */
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, APP, -1), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 1);
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, APP, -1), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 2);

	/* a retired one is replaced; a standby one is nothing to go back to */
	ASSERT_EQ(install(self->s, APP, 0, 12), 0);
	EXPECT_EQ(lf_get_uint(&self->s->reply, LITEFLOW_A_MODEL_VERSION), 3);
	EXPECT_EQ(ask(self->s, APP, 0, &number), 0);
	EXPECT_EQ(number, 12);
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_MODEL_ROLLBACK, APP, -1), -ENOENT);

	ASSERT_EQ(lf_model_remove(self->s, APP, 1, LITEFLOW_REMOVE_FLAGS_FORCE), 0);
	ASSERT_EQ(look(self->s, APP, 1, &slot), 0);
	EXPECT_EQ(slot.state, STATE_NONE);
	ASSERT_EQ(look(self->s, APP, 0, &slot), 0);
	EXPECT_EQ(slot.state, LITEFLOW_STATE_STANDBY);
	EXPECT_EQ(lf_model_remove(self->s, APP, 0, 4), -EINVAL);
	EXPECT_EQ(lf_model_remove(self->s, APP, 0, LITEFLOW_REMOVE_FLAGS_EVICT), 0);
	EXPECT_REFUSED(lf_install_compiled(self->s, APP, 0, "nothing"), ENOENT, "module");
}

TEST_F(liteflow, eval)
{
	static __s32 in[LITEFLOW_DATA_MAX / 4 + N_IN];
	const struct nlattr *a;
	const __s32 *out;
	unsigned int row, i;
	struct lf_msg m;

	ASSERT_EQ(install(self->s, APP, 3, 1000), 0);
	for (i = 0; i < ARRAY_SIZE(in); i++)
		in[i] = i % LF_BLOB_IN_MAX;
	for (row = 1; row <= LITEFLOW_DATA_MAX / sizeof(*in) / N_IN; row += 511) {
		lf_begin_app(self->s, &m, LITEFLOW_CMD_EVAL, APP, 3);
		lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, row);
		lf_put(&m, LITEFLOW_A_EVAL_INPUTS, in, row * N_IN * sizeof(*in));
		ASSERT_EQ(lf_call(self->s, &m), 0) {
			TH_LOG("%s", self->s->why);
		}
		a = lf_get(&self->s->reply, LITEFLOW_A_EVAL_OUTPUTS);
		ASSERT_NE(a, NULL);
		ASSERT_EQ(a->nla_len, NLA_HDRLEN + row * sizeof(*out));
		out = lf_data(a);
		for (i = 0; i < row; i++)
			ASSERT_EQ(out[i], 1000 + in[4 * i] + in[4 * i + 1] + in[4 * i + 2] +
				  in[4 * i + 3]);
	}

	/* rows and inputs that do not fit each other, or the message */
	lf_begin_app(self->s, &m, LITEFLOW_CMD_EVAL, APP, 3);
	lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, 2);
	lf_put(&m, LITEFLOW_A_EVAL_INPUTS, in, N_IN * sizeof(*in));
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "bytes of inputs");
	lf_begin_app(self->s, &m, LITEFLOW_CMD_EVAL, APP, 3);
	lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, 1);
	lf_put(&m, LITEFLOW_A_EVAL_INPUTS, in, N_IN * sizeof(*in) - 1);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "bytes of inputs");
	lf_begin_app(self->s, &m, LITEFLOW_CMD_EVAL, APP, 3);
	lf_put_u32(&m, LITEFLOW_A_EVAL_ROWS, LITEFLOW_DATA_MAX / sizeof(*in) / N_IN + 1);
	lf_put(&m, LITEFLOW_A_EVAL_INPUTS, in, sizeof(in));
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "too many");
}

/* -- records ------------------------------------------------------------------------ */

/*
 * One reader per app, one app per socket. Records themselves need an app that is
 * asked: collect.sh.
 */
TEST_F(liteflow, collect_one_reader)
{
	struct lf_sock *other = lf_open();
	struct lf_msg m;

	ASSERT_NE(other, NULL);
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_STOP, APP, -1), EINVAL,
		       "attributes");
	lf_begin(&m, self->s->family, LITEFLOW_CMD_COLLECT_STOP, 0);
	EXPECT_REFUSED(lf_call(self->s, &m), ENOENT, "nothing to stop");
	lf_begin_app(self->s, &m, LITEFLOW_CMD_COLLECT_START, APP, -1);
	lf_put_u32(&m, LITEFLOW_A_COLLECT_EVERY, 3);
	EXPECT_REFUSED(lf_call(self->s, &m), EINVAL, "power of two");
	lf_begin_app(self->s, &m, LITEFLOW_CMD_COLLECT_START, APP, -1);
	lf_put_u32(&m, LITEFLOW_A_COLLECT_RING_BYTES, 1);
	EXPECT_EQ(lf_call(self->s, &m), -ERANGE);

	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_START, APP, -1), 0) {
		TH_LOG("%s", self->s->why);
	}
	EXPECT_REFUSED(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_START, APP_SYS, -1), EBUSY,
		       "stop that first");
	EXPECT_EQ(lf_app_op(other, LITEFLOW_CMD_COLLECT_START, APP, -1), -EBUSY);
	lf_begin(&m, other->family, LITEFLOW_CMD_COLLECT_STOP, 0);
	EXPECT_EQ(lf_call(other, &m), -ENOENT);

	/* closing ends it, though not before close() returns */
	lf_close(self->s);
	self->s = lf_open();
	ASSERT_NE(self->s, NULL);
	for (int tries = 0; tries < 100; tries++) {
		if (!lf_app_op(other, LITEFLOW_CMD_COLLECT_START, APP, -1))
			break;
		usleep(10000);
		ASSERT_LT(tries, 99);
	}
	lf_close(other);
}

/* The app goes while it is collected. */
TEST_F(liteflow, collected_app_goes)
{
	struct lf_msg m;

	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_START, APP, -1), 0);
	ASSERT_EQ(lf_app_op(self->s, LITEFLOW_CMD_APP_DEL, APP, -1), 0);
	lf_begin(&m, self->s->family, LITEFLOW_CMD_COLLECT_STOP, 0);
	lf_call(self->s, &m);
	ASSERT_EQ(lf_app_add(self->s, APP, N_IN, CAP_NET_ADMIN), 0);
	EXPECT_EQ(lf_app_op(self->s, LITEFLOW_CMD_COLLECT_START, APP, -1), 0);
}

/* -- notices ------------------------------------------------------------------------ */

TEST_F(liteflow, notices)
{
	struct lf_sock *other = lf_open();
	static char buf[LF_NL_ROOM];
	struct lf_msg *m = (void *)buf;
	struct pollfd p;
	ssize_t len;
	int group;

	ASSERT_NE(other, NULL);
	group = other->group;
	ASSERT_GT(group, 0);
	ASSERT_EQ(setsockopt(other->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group,
			     sizeof(group)), 0);
	ASSERT_EQ(install(self->s, APP, 2, 5), 0);
	p = (struct pollfd){ .fd = other->fd, .events = POLLIN };
	ASSERT_EQ(poll(&p, 1, 10000), 1);
	len = recv(other->fd, buf, sizeof(buf), 0);
	ASSERT_GT(len, (ssize_t)(sizeof(m->n) + sizeof(m->g)));
	EXPECT_EQ(m->g.cmd, LITEFLOW_CMD_NOTICE);
	EXPECT_EQ(lf_get_uint(m, LITEFLOW_A_NOTICE_EVENT), LITEFLOW_EVENT_INSTALLED);
	EXPECT_EQ(lf_get_uint(m, LITEFLOW_A_NOTICE_SLOT), 2);
	EXPECT_EQ(lf_get_uint(m, LITEFLOW_A_NOTICE_VERSION), 1);
	EXPECT_STREQ(lf_data(lf_get(m, LITEFLOW_A_APP_NAME)), APP);
	lf_close(other);
}

TEST_HARNESS_MAIN
