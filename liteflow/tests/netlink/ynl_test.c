// SPDX-License-Identifier: GPL-2.0
/*
 * Every operation of the family through the client that is generated from its
 * specification alone: what is asked and what comes back.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <ynl.h>
#include "liteflow-user.h"
#include "tap.h"
#include "../../../selftests/liteflow/lf_blob.h"

#define APP	"ynl-test"
#define N_IN	3

/* Set what every request about the app, and the slot, says. */
#define new_req(op) ({ \
	struct liteflow_##op##_req *r_ = calloc(1, sizeof(*r_)); \
	liteflow_##op##_req_set_app_name(r_, APP); \
	r_; \
})

static struct ynl_sock *ys;
static char blob[LF_BLOB_ROOM];

static void why(void)
{
	if (ys->err.code)
		printf("# %s\n", ys->err.msg);
}

static size_t make_blob(int number)
{
	static const char text[8] = "by hand";
	struct liteflow_blob_header *h = (void *)blob;
	size_t len = lf_blob_make(blob, number, N_IN, "");

	h->provenance_len = htole32(sizeof(text) - 1);
	memcpy(blob + len, text, sizeof(text));
	return lf_blob_end(blob, blob + len + sizeof(text));
}

static void test_app_add(void)
{
	struct liteflow_app_add_req *req = calloc(1, sizeof(*req));
	struct liteflow_app_add_rsp *rsp;

	liteflow_app_add_req_set_name(req, APP);
	liteflow_app_add_req_set_n_in(req, N_IN);
	liteflow_app_add_req_set_n_out(req, 1);
	liteflow_app_add_req_set_n_slots(req, 3);
	rsp = liteflow_app_add(ys, req);
	why();
	ok(rsp && rsp->id >= 256 && !strcmp(rsp->name, APP), "app-add");
	if (rsp)
		liteflow_app_add_rsp_free(rsp);
	rsp = liteflow_app_add(ys, req);
	ok(!rsp && (int)ys->err.code == EEXIST && strstr(ys->err.msg, "name"),
	   "app-add again: %s", ys->err.msg);
	liteflow_app_add_req_free(req);
}

static void test_app_set_get(void)
{
	struct liteflow_app_set_req *set = calloc(1, sizeof(*set));
	struct liteflow_app_get_req *get = calloc(1, sizeof(*get));
	struct liteflow_app_get_rsp_list *list;
	struct liteflow_app_get_rsp *rsp;
	unsigned int found = 0;

	liteflow_app_set_req_set_name(set, APP);
	liteflow_app_set_req_set_policy(set, LITEFLOW_POLICY_FOLLOW);
	liteflow_app_set_req_set_sample_shift(set, LITEFLOW_SAMPLE_SHIFT_MAX);
	ok(!liteflow_app_set(ys, set), "app-set");
	why();
	liteflow_app_set_req_set_sample_shift(set, LITEFLOW_SAMPLE_SHIFT_MAX + 1);
	ok(liteflow_app_set(ys, set) && (int)ys->err.code == ERANGE, "app-set, out of range: %s",
	   ys->err.msg);
	liteflow_app_set_req_free(set);

	liteflow_app_get_req_set_name(get, APP);
	rsp = liteflow_app_get(ys, get);
	why();
	ok(rsp && rsp->n_in == N_IN && rsp->n_out == 1 && rsp->n_slots == 3 &&
	   rsp->policy == LITEFLOW_POLICY_FOLLOW && rsp->_present.user &&
	   rsp->sample_shift == LITEFLOW_SAMPLE_SHIFT_MAX && !rsp->_present.units_len,
	   "app-get");
	if (rsp)
		liteflow_app_get_rsp_free(rsp);
	liteflow_app_get_req_free(get);

	list = liteflow_app_get_dump(ys);
	why();
	if (list && !ynl_dump_empty(list)) {
		ynl_dump_foreach(list, app)
			found += app->_present.name_len && !strcmp(app->name, APP);
		liteflow_app_get_rsp_list_free(list);
	}
	ok(found == 1, "app-get, dump");
}

static bool begin(unsigned int slot, size_t len)
{
	struct liteflow_model_begin_req *req = new_req(model_begin);
	__u8 digest[32];
	int ret;

	lf_sha256(blob, len, digest);
	liteflow_model_begin_req_set_slot(req, slot);
	liteflow_model_begin_req_set_length(req, len);
	liteflow_model_begin_req_set_digest(req, digest, sizeof(digest));
	ret = liteflow_model_begin(ys, req);
	why();
	liteflow_model_begin_req_free(req);
	return !ret;
}

static bool send_piece(size_t at, size_t n)
{
	struct liteflow_model_data_req *req = calloc(1, sizeof(*req));
	int ret;

	liteflow_model_data_req_set_offset(req, at);
	liteflow_model_data_req_set_data(req, blob + at, n);
	ret = liteflow_model_data(ys, req);
	why();
	liteflow_model_data_req_free(req);
	return !ret;
}

static void test_install(unsigned int slot, int number, unsigned int version)
{
	struct liteflow_model_commit_rsp *rsp;
	size_t len = make_blob(number);

	ok(begin(slot, len), "model-begin, slot %u", slot);
	ok(send_piece(0, 100) && send_piece(100, len - 100), "model-data, slot %u", slot);
	rsp = liteflow_model_commit(ys);
	why();
	ok(rsp && rsp->version == version, "model-commit, slot %u", slot);
	if (rsp)
		liteflow_model_commit_rsp_free(rsp);
}

static void test_compiled(void)
{
	struct liteflow_compiled_install_req *req = new_req(compiled_install);
	struct liteflow_compiled_install_rsp *rsp;

	liteflow_compiled_install_req_set_slot(req, 2);
	liteflow_compiled_install_req_set_name(req, "nothing");
	rsp = liteflow_compiled_install(ys, req);
	ok(!rsp && (int)ys->err.code == ENOENT, "compiled-install of none: %s", ys->err.msg);
	liteflow_compiled_install_req_free(req);
}

static void test_activate(unsigned int slot, unsigned int version)
{
	struct liteflow_model_activate_req *req = new_req(model_activate);
	struct liteflow_model_activate_rsp *rsp;

	liteflow_model_activate_req_set_slot(req, slot);
	rsp = liteflow_model_activate(ys, req);
	why();
	ok(rsp && rsp->version == version && rsp->_present.op_ns, "model-activate, slot %u", slot);
	if (rsp)
		liteflow_model_activate_rsp_free(rsp);
	liteflow_model_activate_req_free(req);
}

static void test_rollback(void)
{
	struct liteflow_model_rollback_req *req = new_req(model_rollback);
	struct liteflow_model_rollback_rsp *rsp = liteflow_model_rollback(ys, req);

	why();
	ok(rsp && rsp->version == 1 && rsp->_present.op_ns, "model-rollback");
	if (rsp)
		liteflow_model_rollback_rsp_free(rsp);
	liteflow_model_rollback_req_free(req);
}

static void test_slots(void)
{
	struct liteflow_slot_get_req_dump *req = calloc(1, sizeof(*req));
	struct liteflow_slot_get_rsp_list *list;
	unsigned int n = 0, active = 0, good = 0;

	liteflow_slot_get_req_dump_set_app_name(req, APP);
	list = liteflow_slot_get_dump(ys, req);
	why();
	if (list && !ynl_dump_empty(list)) {
		ynl_dump_foreach(list, m) {
			n++;
			active += m->state == LITEFLOW_STATE_ACTIVE && m->slot == 0;
			good += m->kind == LITEFLOW_KIND_DATA && m->macs == N_IN && m->bytes &&
				m->width == N_IN && m->_present.digest_len == 32 &&
				m->version == m->slot + 1 && m->_present.queries &&
				m->_present.pins && m->_present.provenance_len &&
				!strcmp(m->provenance, "by hand") &&
				!strncmp(m->name, "number-", 7);
		}
		liteflow_slot_get_rsp_list_free(list);
	}
	ok(n == 2 && active == 1 && good == 2, "slot-get: %u models, %u as they should be", n, good);
	liteflow_slot_get_req_dump_set_app_name(req, "nobody");
	list = liteflow_slot_get_dump(ys, req);
	ok(!list && (int)ys->err.code == ENOENT, "slot-get of none: %s", ys->err.msg);
	liteflow_slot_get_req_dump_free(req);
}

static void test_stats(void)
{
	struct liteflow_stats_get_req_dump *req = calloc(1, sizeof(*req));
	struct liteflow_stats_get_rsp_list *list;
	bool good = false;

	liteflow_stats_get_req_dump_set_app_name(req, APP);
	list = liteflow_stats_get_dump(ys, req);
	why();
	if (list && !ynl_dump_empty(list)) {
		ynl_dump_foreach(list, s)
			good = s->_present.queries && s->_present.no_model &&
			       s->_present.bad_context && s->_present.repins &&
			       s->_present.evictions && s->_present.retired_bytes &&
			       s->_present.samples && s->_present.samples_ns &&
			       s->_present.histogram_len && s->_present.histogram_len % 8 == 0;
		liteflow_stats_get_rsp_list_free(list);
	}
	ok(good, "stats-get");
	liteflow_stats_get_req_dump_free(req);
}

static void test_eval(void)
{
	static const __s32 in[2][N_IN] = { { 1, 2, 3 }, { 10, 20, 30 } };
	struct liteflow_eval_req *req = new_req(eval);
	struct liteflow_eval_rsp *rsp;
	__s32 out[2] = { 0 };

	liteflow_eval_req_set_slot(req, 0);
	liteflow_eval_req_set_rows(req, 2);
	liteflow_eval_req_set_inputs(req, in, sizeof(in));
	rsp = liteflow_eval(ys, req);
	why();
	if (rsp && rsp->_present.outputs_len == sizeof(out))
		memcpy(out, rsp->outputs, sizeof(out));
	if (rsp)
		liteflow_eval_rsp_free(rsp);
	ok(out[0] == 100 + 6 && out[1] == 100 + 60, "eval: %d, %d", out[0], out[1]);
	liteflow_eval_req_set_rows(req, 3);
	rsp = liteflow_eval(ys, req);
	ok(!rsp && (int)ys->err.code == EINVAL && ys->err.attr_offs, "eval, too few inputs: %s",
	   ys->err.msg);
	liteflow_eval_req_free(req);
}

static void test_remove(void)
{
	struct liteflow_model_remove_req *req = new_req(model_remove);

	liteflow_model_remove_req_set_slot(req, 0);
	ok(liteflow_model_remove(ys, req), "model-remove of the active one: %s", ys->err.msg);
	liteflow_model_remove_req_set_remove_flags(req, LITEFLOW_REMOVE_FLAGS_FORCE);
	ok(!liteflow_model_remove(ys, req), "model-remove, by force");
	why();
	liteflow_model_remove_req_free(req);
}

/* Waits for a notification of this command; the caller frees it. */
static struct ynl_ntf_base_type *next(struct ynl_sock *sock, int cmd)
{
	struct pollfd pfd = { .fd = ynl_socket_get_fd(sock), .events = POLLIN };
	struct ynl_ntf_base_type *ntf;
	int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!ynl_has_ntf(sock) && poll(&pfd, 1, 100) > 0)
			ynl_ntf_check(sock);
		ntf = ynl_ntf_dequeue(sock);
		if (ntf && ntf->cmd == cmd)
			return ntf;
		if (ntf)
			ynl_ntf_free(ntf);
	}
	return NULL;
}

static void test_notice(struct ynl_sock *listener)
{
	struct ynl_ntf_base_type *ntf = next(listener, LITEFLOW_CMD_NOTICE);
	struct liteflow_notice *notice = (void *)ntf;

	ok(ntf && notice->obj.event == LITEFLOW_EVENT_APP_ADDED && notice->obj.app_id >= 256 &&
	   !strcmp(notice->obj.app_name, APP), "notice");
	if (ntf)
		ynl_ntf_free(ntf);
}

static void test_collect(void)
{
	struct liteflow_collect_start_req *req = new_req(collect_start);

	liteflow_collect_start_req_set_interval_ms(req, 10);
	liteflow_collect_start_req_set_every(req, 2);
	ok(!liteflow_collect_start(ys, req), "collect-start");
	why();
	ok(liteflow_collect_start(ys, req) && (int)ys->err.code == EBUSY,
	   "collect-start again: %s", ys->err.msg);
	liteflow_collect_start_req_free(req);
	ok(!liteflow_collect_stop(ys), "collect-stop");
	why();
	ok(liteflow_collect_stop(ys) && (int)ys->err.code == ENOENT, "collect-stop again: %s",
	   ys->err.msg);
}

static void test_app_del(void)
{
	struct liteflow_app_del_req *req = calloc(1, sizeof(*req));

	liteflow_app_del_req_set_name(req, APP);
	ok(!liteflow_app_del(ys, req), "app-del");
	why();
	ok(liteflow_app_del(ys, req) && (int)ys->err.code == ENOENT && ys->err.attr_offs,
	   "app-del of none: %s", ys->err.msg);
	liteflow_app_del_req_free(req);
}

int main(void)
{
	struct ynl_error err;
	struct ynl_sock *listener;

	ys = ynl_sock_create(&ynl_liteflow_family, &err);
	if (!ys) {
		printf("1..0 # SKIP %s\n", err.msg);
		return 4;
	}
	printf("TAP version 13\n");
	listener = ynl_sock_create(&ynl_liteflow_family, &err);
	ok(listener && !ynl_subscribe(listener, "notice"), "subscribe to notices");
	test_app_add();
	test_notice(listener);
	test_app_set_get();
	test_install(0, 100, 1);
	test_install(1, 200, 2);
	test_compiled();
	test_activate(0, 1);
	test_activate(1, 2);
	test_rollback();
	test_slots();
	test_stats();
	test_eval();
	test_remove();
	test_collect();
	test_app_del();
	ynl_sock_destroy(listener);
	ynl_sock_destroy(ys);
	return tap_end();
}
