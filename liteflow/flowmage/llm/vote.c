// SPDX-License-Identifier: GPL-2.0
/*
 * Several answers to one question, and what more than half of the runs say.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <json-c/json.h>
#include "flowmage.h"
#include "jsonput.h"
#include "llm.h"

/**
 * struct poll - the runs about one function
 * @answers: those that were taken
 * @n: how many
 * @asked: how many runs there were
 * @why: reasons of the others
 * @times: how often each of them
 * @n_why: how many reasons
 * @tokens_in: sums
 * @tokens_out: the same
 * @uncounted: runs whose tokens the server did not tell
 */
struct poll {
	struct llm_answer answers[LLM_MAX_RUNS];
	unsigned int n;
	unsigned int asked;
	char why[LLM_MAX_RUNS][160];
	unsigned int times[LLM_MAX_RUNS];
	unsigned int n_why;
	uint64_t tokens_in;
	uint64_t tokens_out;
	unsigned int uncounted;
};

static void note(struct poll *p, const char *why)
{
	unsigned int i;

	for (i = 0; i < p->n_why; i++)
		if (!strcmp(p->why[i], why))
			break;
	snprintf(p->why[i], sizeof(p->why[i]), "%s", why);
	p->times[i]++;
	p->n_why += i == p->n_why;
}

static void poll(struct llm *llm, const struct fm_function *f, struct poll *p)
{
	enum llm_result result = LLM_OK;
	struct llm_reply reply;
	char *body, why[160];

	for (p->asked = 0; p->asked < llm->runs && result != LLM_STOP;) {
		body = llm_prompt(llm, f, p->asked);
		if (!body) {
			note(p, "the question would be longer than 1 MiB");
			break;
		}
		result = llm_ask(llm, body, &reply);
		free(body);
		/* older servers, and some models, do not take all of the options */
		if (reply.rejected && !llm->plain) {
			llm->plain = true;
			result = LLM_OK;
			continue;
		}
		p->asked++;
		p->tokens_in += reply.tokens_in;
		p->tokens_out += reply.tokens_out;
		p->uncounted += !reply.counted;
		if (!reply.text)
			note(p, reply.why);
		else if (llm_answer_read(reply.text, strlen(reply.text), f, &p->answers[p->n], why,
					 sizeof(why)))
			note(p, why);
		else
			p->n++;
		free(reply.text);
	}
	llm->stopped = result == LLM_STOP;
}

/* What of an answer is voted on; equal numbers are equal votes. */
enum ballot { STATEFUL, INTENSITY, KEY, POINTER, COST };

static int choice_of(const struct llm_answer *a, enum ballot what, unsigned int map)
{
	switch (what) {
	case STATEFUL:
		return a->stateful;
	case INTENSITY:
		return a->intensity;
	case KEY:
		return a->key;
	case POINTER:
		return a->pointer;
	default:
		return a->cost[map];
	}
}

/* An answer that says what more than half of all @runs say; NULL: there is no such thing. */
static const struct llm_answer *winner(const struct poll *p, unsigned int runs, enum ballot what,
				       unsigned int map)
{
	unsigned int i, j, votes;

	for (i = 0; i < p->n; i++) {
		for (j = votes = 0; j < p->n; j++)
			votes += choice_of(&p->answers[i], what, map) ==
				 choice_of(&p->answers[j], what, map);
		if (2 * votes > runs)
			return &p->answers[i];
	}
	return NULL;
}

static void put_key(struct json_object *o, unsigned int key)
{
	struct json_object *list = key ? json_object_new_array() : NULL;
	unsigned int i;

	for (i = 0; i < LLM_FIELDS; i++)
		if (key >> i & 1)
			json_object_array_add(list, json_object_new_string(llm_field_names[i]));
	json_object_object_add(o, "key", list);
}

static void put_maps(struct json_object *o, const struct poll *p, unsigned int runs,
		     struct fm_function *f)
{
	struct json_object *list = json_object_new_array(), *one;
	const struct llm_answer *a;
	unsigned int m;

	for (m = 0; m < f->n_maps; m++) {
		a = winner(p, runs, COST, m);
		if (!a || !a->cost[m])
			continue;
		f->maps[m].rank = a->cost[m];
		one = json_object_new_object();
		json_put_text(one, "map", f->maps[m].name);
		json_put_text(one, "cost", llm_cost_names[a->cost[m]]);
		json_put_text(one, "meaning", a->meaning[m]);
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "maps", list);
}

static struct json_object *advice(const struct llm *llm, const struct poll *p,
				  struct fm_function *f)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array(), *one;
	const struct llm_answer *a;
	unsigned int i;

	json_put_text(o, "model", llm->model);
	json_put_number(o, "runs", llm->runs);
	json_put_number(o, "taken", p->n);
	for (i = 0; i < p->n_why; i++) {
		one = json_object_new_object();
		json_put_text(one, "reason", p->why[i]);
		json_put_number(one, "runs", p->times[i]);
		json_object_array_add(list, one);
	}
	json_object_object_add(o, "refused", list);
	a = winner(p, llm->runs, STATEFUL, 0);
	if (a)
		json_put_text(o, "statefulness", a->stateful ? "stateful" : "stateless");
	a = winner(p, llm->runs, INTENSITY, 0);
	if (a && a->intensity >= 0)
		json_put_text(o, "intensity", a->intensity ? "per-packet" : "per-flow");
	a = winner(p, llm->runs, KEY, 0);
	if (a)
		put_key(o, a->key);
	a = winner(p, llm->runs, POINTER, 0);
	if (a)
		json_object_object_add(o, "pointer", json_object_new_boolean(a->pointer));
	put_maps(o, p, llm->runs, f);
	json_put_number(o, "prompt_tokens", p->tokens_in);
	json_put_number(o, "completion_tokens", p->tokens_out);
	json_put_number(o, "runs_not_counted", p->uncounted);
	if (llm->priced)
		json_object_object_add(o, "dollars", json_object_new_double(
			1e-6 * (p->tokens_in * llm->price_in + p->tokens_out * llm->price_out)));
	return o;
}

void llm_advise(struct llm *llm, struct fm_function *f)
{
	struct poll *p = calloc(1, sizeof(*p));
	struct json_object *o;

	if (llm->stopped)
		return free(p);
	if (!p) {
		complain("warning: out of memory, so the model is not asked");
		return;
	}
	poll(llm, f, p);
	o = advice(llm, p, f);
	free(f->advice);
	f->advice = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
	if (2 * p->n <= llm->runs)
		complain("warning: %s: no advice of the model: %u of %u answers taken: %s",
			 f->source, p->n, llm->runs, p->why[0]);
	while (p->n)
		llm_answer_free(&p->answers[--p->n], f);
	free(p);
}
