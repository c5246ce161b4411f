/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Advice of a language model beside the analysis. It is asked only if the user says so.
 *
 * The model may say what a map is for whose key the analysis does not know, whether the state
 * holds pointers, and which maps are dear to share. An answer that says more than the analysis
 * (one field more in a key, state that is shared called private or none) is refused as a whole.
 * What is taken changes no key and no class: only fm_map::rank, by which solve chooses between
 * maps that cost alike, and the text in fm_function::advice.
 */
#ifndef _FLOWMAGE_LLM_H
#define _FLOWMAGE_LLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "function.h"

#define LLM_RUNS	5
#define LLM_MAX_RUNS	32
#define LLM_SECONDS	120		/* for one answer */
#define LLM_MAX_REPLY	(1u << 20)	/* bytes of one */
#define LLM_MAX_PROMPT	(1u << 20)
#define LLM_MEANING	160		/* bytes of the text for a map */

/* Fields of the answer's key, as bits. */
enum { LLM_SRC_IP, LLM_DST_IP, LLM_SRC_PORT, LLM_DST_PORT, LLM_PROTOCOL, LLM_FIELDS };

extern const char *const llm_field_names[LLM_FIELDS];
extern const char *const llm_cost_names[FM_RANKS];

/**
 * struct llm - how to ask
 * @url: of the endpoint, with "/chat/completions"
 * @model: its name there
 * @key: NULL: none is sent
 * @local: the endpoint is this machine's: no proxy has a part in it
 * @source: text that goes with the question, without comments; NULL: none
 * @plain: the endpoint does not take the options of a request, only the messages
 * @stopped: it does not answer, so it is not asked any more
 * @runs: how often each function is asked about
 * @seconds: that an answer may take
 * @priced: the two below are known
 * @price_in: dollars for a million tokens of a question
 * @price_out: ... of an answer
 */
struct llm {
	char *url;
	char *model;
	char *key;
	char *source;
	bool local;
	bool plain;
	bool stopped;
	unsigned int runs;
	unsigned int seconds;
	bool priced;
	double price_in;
	double price_out;
};

/* From the environment, and the file of the source text if any. 0, or EXIT_OTHER: complained. */
int llm_open(struct llm *llm, const char *source);
void llm_close(struct llm *llm);

/*
 * Asks about @f and writes what is taken into it; a warning if that is nothing. After a failure
 * that will not pass the next functions are not asked about.
 */
void llm_advise(struct llm *llm, struct fm_function *f);

/**
 * struct llm_answer - one that the analysis allows
 * @stateful: see the schema
 * @intensity: 0: by flows; 1: by every packet; -1: none
 * @key: bits of LLM_SRC_IP and so on
 * @pointer: see the schema
 * @meaning: [maps of the function]: text; NULL: nothing is said of it
 * @cost: [the same]: 1 to 3; 0: nothing is said of it
 */
struct llm_answer {
	bool stateful;
	int intensity;
	unsigned int key;
	bool pointer;
	char **meaning;
	uint8_t *cost;
};

/* The text of an answer, checked. 0; or -1, one line in @why, and @a is empty. */
int llm_answer_read(const char *text, size_t text_len, const struct fm_function *f,
		    struct llm_answer *a, char *why, size_t len);
void llm_answer_free(struct llm_answer *a, const struct fm_function *f);

/* Is @value as @schema says? Understood are those keywords that the answer's schema uses. */
int llm_schema_check(struct json_object *schema, struct json_object *value, const char *where,
		     char *why, size_t len);

/* The answer's schema; the caller puts it. */
struct json_object *llm_schema(void);

/* The body of a request; the caller frees it. NULL: it would be too long. */
char *llm_prompt(const struct llm *llm, const struct fm_function *f, unsigned int run);

/* A C text with a blank for each comment, and '?' for bytes that are no UTF-8; to be freed. */
char *llm_strip(const char *text);

enum llm_result {
	LLM_OK,
	LLM_REFUSED,	/* nothing that can be read as an answer; the next may be better */
	LLM_STOP,	/* nor will the next */
};

/**
 * struct llm_reply - what a server said
 * @text: the answer; NULL: there is none
 * @tokens_in: of the question
 * @tokens_out: of the answer
 * @counted: the server told both
 * @rejected: it takes the request for a wrong one
 * @why: why there is no answer, one line
 */
struct llm_reply {
	char *text;
	uint64_t tokens_in;
	uint64_t tokens_out;
	bool counted;
	bool rejected;
	char why[160];
};

/* One request. The reply's text is to be freed. */
enum llm_result llm_ask(const struct llm *llm, const char *body, struct llm_reply *reply);

#endif /* _FLOWMAGE_LLM_H */
