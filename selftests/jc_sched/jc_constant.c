// SPDX-License-Identifier: GPL-2.0
/*
 * For the shell tests: puts a network that always says "no" or "yes", or "no" to
 * busy CPUs only ("idle"), into a slot and makes it the active one; "none" takes it
 * away.
 */
#include "../kselftest.h"
#include "jc_blob.h"

int main(int argc, char **argv)
{
	const char *answer = argc == 2 ? argv[1] : "";
	bool none = !strcmp(answer, "none"), yes = !strcmp(answer, "yes");
	bool idle = !strcmp(answer, "idle");
	struct lf_sock *s;
	int ret = 0;

	if (!none && !yes && !idle && strcmp(answer, "no")) {
		fprintf(stderr, "usage: jc_constant no|yes|idle|none\n");
		return KSFT_FAIL;
	}
	s = lf_open();
	if (!s) {
		fprintf(stderr, "jc_constant: %s\n", strerror(errno));
		return errno == ENOENT ? KSFT_SKIP : KSFT_FAIL;
	}
	/* an active one is not overwritten */
	lf_model_remove(s, JC_APP, 0, LITEFLOW_REMOVE_FLAGS_FORCE);
	if (!none)
		ret = (idle ? jc_load_only_idle(s, 0) :
			      jc_load(s, 0, &jc_good, yes ? JC_ONE : 0)) ?:
		      lf_app_op(s, LITEFLOW_CMD_MODEL_ACTIVATE, JC_APP, 0);
	if (ret)
		fprintf(stderr, "jc_constant: %s: %s\n", strerror(-ret), s->why);
	lf_close(s);
	return ret ? KSFT_FAIL : KSFT_PASS;
}
