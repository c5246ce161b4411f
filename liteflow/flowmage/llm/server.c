// SPDX-License-Identifier: GPL-2.0
/*
 * An endpoint that speaks OpenAI's chat completions: where it is, and one request.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <json-c/json.h>
#include "flowmage.h"
#include "jsonfile.h"
#include "llm.h"
#include "pack.h"

#define ENDPOINT	"/chat/completions"

#define ENV_URL		"FLOWMAGE_LLM_URL"
#define ENV_MODEL	"FLOWMAGE_LLM_MODEL"
#define ENV_KEY		"FLOWMAGE_LLM_KEY"
#define ENV_PRICE	"FLOWMAGE_LLM_PRICE"

#define TRIES		3	/* of a request that the server puts off */
#define MAX_WAIT	20	/* seconds that it may put it off */

/* --- what the user says ------------------------------------------------------------ */

static const char *word(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* What goes into a header, or to the terminal, is one line. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool is_local(const char *host)
{
	return !strcmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "[::1]");
}

/* The endpoint behind a base such as https://host/v1. */
static int take_url(struct llm *llm, const char *base)
{
	char *scheme = NULL, *host = NULL, *extra = NULL;
	CURLU *u = curl_url();
	size_t n = strlen(base), end = strlen(ENDPOINT);
	int ret = EXIT_OTHER;

	while (n && base[n - 1] == '/')
		n--;
	/* some name the whole of it */
	if (n > end && !strncmp(base + n - end, ENDPOINT, end))
		n -= end;
	if (!u || asprintf(&llm->url, "%.*s" ENDPOINT, (int)n, base) < 0) {
		llm->url = NULL;
		complain("out of memory");
		goto out;
	}
	if (!is_printable(base) || curl_url_set(u, CURLUPART_URL, llm->url, 0) ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0)) {
		complain(ENV_URL ": no URL such as https://host/v1");
		goto out;
	}
	if (strcmp(scheme, "https") && strcmp(scheme, "http")) {
		complain(ENV_URL ": the scheme is http or https");
		goto out;
	}
	if (!curl_url_get(u, CURLUPART_USER, &extra, 0) ||
	    !curl_url_get(u, CURLUPART_QUERY, &extra, 0) ||
	    !curl_url_get(u, CURLUPART_FRAGMENT, &extra, 0)) {
		complain(ENV_URL ": without a user, a query and a fragment");
		goto out;
	}
	llm->local = is_local(host);
	if (llm->key && strcmp(scheme, "https") && !llm->local) {
		complain(ENV_URL ": the key would pass the network in clear: use https");
		goto out;
	}
	ret = 0;
out:
	curl_free(scheme);
	curl_free(host);
	curl_free(extra);
	curl_url_cleanup(u);
	return ret;
}

static int take_price(struct llm *llm, const char *text)
{
	char rest;

	if (!text)
		return 0;
	if (sscanf(text, "%lf:%lf%c", &llm->price_in, &llm->price_out, &rest) != 2 ||
	    !(llm->price_in >= 0 && llm->price_in < 1e6) ||
	    !(llm->price_out >= 0 && llm->price_out < 1e6))
		return complain(ENV_PRICE ": no prices such as 2.50:10, dollars for a million "
					  "tokens of questions and of answers");
	llm->priced = true;
	return 0;
}

static int take_source(struct llm *llm, const char *path)
{
	size_t len;
	char *text;

	if (!path)
		return 0;
	text = read_file(path, LLM_MAX_PROMPT, &len);
	if (!text)
		return EXIT_OTHER;
	if (strlen(text) != len) {
		free(text);
		return complain("%s: it holds a zero byte: no source text", path);
	}
	llm->source = llm_strip(text);
	free(text);
	return llm->source ? 0 : complain("out of memory");
}

int llm_open(struct llm *llm, const char *source)
{
	const char *url = word(ENV_URL), *model = word(ENV_MODEL), *key = word(ENV_KEY);

	if (!url || !model)
		return complain("--llm: %s is not set: the environment has to name the endpoint",
				url ? ENV_MODEL : ENV_URL);
	if (strlen(model) > 200 || !is_printable(model))
		return complain(ENV_MODEL ": no name of a model");
	if (key && !is_printable(key))
		return complain(ENV_KEY ": it has blanks or other bytes that no key has");
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return complain("libcurl cannot be used");
	llm->model = strdup(model);
	llm->key = key ? strdup(key) : NULL;
	if (take_url(llm, url) || take_price(llm, word(ENV_PRICE)) || take_source(llm, source))
		return EXIT_OTHER;
	return 0;
}

void llm_close(struct llm *llm)
{
	free(llm->url);
	free(llm->model);
	free(llm->key);
	free(llm->source);
	memset(llm, 0, sizeof(*llm));
	curl_global_cleanup();
}

/* --- a request ------------------------------------------------------------------- */

struct body {
	char *text;
	size_t len;
	bool too_long;
};

static size_t take_body(char *data, size_t size, size_t n, void *to)
{
	struct body *b = to;
	char *more;

	n *= size;
	if (n > LLM_MAX_REPLY - b->len) {
		b->too_long = true;
		return 0;
	}
	more = realloc(b->text, b->len + n + 1);
	if (!more)
		return 0;
	b->text = more;
	memcpy(more + b->len, data, n);
	b->len += n;
	more[b->len] = 0;
	return n;
}

static struct curl_slist *headers(const struct llm *llm)
{
	struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
	char *line;

	/* curl asks first before it sends much; few servers answer that */
	list = curl_slist_append(list, "Expect:");
	if (llm->key && asprintf(&line, "Authorization: Bearer %s", llm->key) > 0) {
		list = curl_slist_append(list, line);
		free(line);
	}
	return list;
}

/* Its value is curl's; what was received goes into @b. */
static CURLcode post(const struct llm *llm, const char *body, struct body *b, long *status,
		     long *wait)
{
	struct curl_slist *list = headers(llm);
	CURL *curl = curl_easy_init();
	curl_off_t after = 0;
	CURLcode ret;

	if (!curl) {
		curl_slist_free_all(list);
		return CURLE_OUT_OF_MEMORY;
	}
	curl_easy_setopt(curl, CURLOPT_URL, llm->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	/* elsewhere nobody gets the question, let alone the key */
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	if (llm->local)
		curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)llm->seconds);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, b);
	curl_easy_setopt(curl, CURLOPT_MAXFILESIZE, (long)LLM_MAX_REPLY);
	ret = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &after);
	*wait = after > MAX_WAIT ? MAX_WAIT + 1 : (long)after;
	curl_easy_cleanup(curl);
	curl_slist_free_all(list);
	return ret;
}

static enum llm_result stop(struct llm_reply *r, const char *reason)
{
	snprintf(r->why, sizeof(r->why), "%s", reason);
	return LLM_STOP;
}

static enum llm_result refuse(struct llm_reply *r, const char *reason)
{
	snprintf(r->why, sizeof(r->why), "%s", reason);
	return LLM_REFUSED;
}

static enum llm_result no_success(struct llm_reply *r, long status)
{
	const char *hint = "";

	r->rejected = status == 400 || status == 422;

	if (status == 401 || status == 403)
		hint = ": look at " ENV_KEY;
	else if (status == 400 || status == 404 || status == 405 || status == 422)
		hint = ": look at " ENV_URL " and " ENV_MODEL;
	else if (status == 413)
		hint = ": the question is too long for it";
	else if (status == 429)
		hint = ": it has too much to do, or the quota is used up";
	else if (status >= 300 && status < 400)
		hint = ": it sends elsewhere, which is not followed";
	snprintf(r->why, sizeof(r->why), "HTTP status %ld%s", status, hint);
	return LLM_STOP;
}

static bool take_count(struct json_object *usage, const char *name, uint64_t *n)
{
	struct json_object *v;
	int64_t count;

	if (!json_object_object_get_ex(usage, name, &v) || !json_object_is_type(v, json_type_int))
		return false;
	count = json_object_get_int64(v);
	if (count < 0 || count > 1000000000)
		return false;
	*n = count;
	return true;
}

/* The first choice of a completion. */
static enum llm_result take_answer(struct json_object *o, struct llm_reply *r)
{
	struct json_object *v, *choice;
	const char *reason;

	if (json_object_object_get_ex(o, "usage", &v) && json_object_is_type(v, json_type_object))
		r->counted = take_count(v, "prompt_tokens", &r->tokens_in) &&
			     take_count(v, "completion_tokens", &r->tokens_out);
	if (!json_object_object_get_ex(o, "choices", &v) ||
	    !json_object_is_type(v, json_type_array) || !json_object_array_length(v))
		return refuse(r, "the reply has no \"choices\"");
	choice = json_object_array_get_idx(v, 0);
	reason = json_text(choice, "finish_reason");
	if (!strcmp(reason, "length"))
		return refuse(r, "the answer is cut off, as it was too long for the model");
	if (*reason && strcmp(reason, "stop"))
		return refuse(r, "the model did not end its answer");
	if (!json_object_is_type(choice, json_type_object) ||
	    !json_object_object_get_ex(choice, "message", &v) || !*json_text(v, "content"))
		return refuse(r, "the reply has no \"content\"");
	r->text = strdup(json_text(v, "content"));
	return r->text ? LLM_OK : stop(r, "out of memory");
}

static enum llm_result read_reply(const struct body *b, struct llm_reply *r)
{
	char why[120];
	enum llm_result ret;
	struct json_object *o;

	o = b->text ? json_parse_strictly(b->text, b->len, why, sizeof(why)) : NULL;
	if (!json_object_is_type(o, json_type_object)) {
		json_object_put(o);
		return refuse(r, "the reply is no JSON object");
	}
	ret = take_answer(o, r);
	json_object_put(o);
	return ret;
}

enum llm_result llm_ask(const struct llm *llm, const char *body, struct llm_reply *r)
{
	struct body b;
	long status, wait;
	CURLcode code;
	int try;
	enum llm_result ret;

	memset(r, 0, sizeof(*r));
	for (try = 1; ; try++) {
		memset(&b, 0, sizeof(b));
		status = 0;
		code = post(llm, body, &b, &status, &wait);
		if (code || (status != 429 && status != 503) || try == TRIES || wait > MAX_WAIT)
			break;
		free(b.text);
		sleep(wait);
	}
	if (b.too_long || code == CURLE_FILESIZE_EXCEEDED)
		ret = refuse(r, "the reply is longer than 1 MiB");
	else if (code)
		ret = stop(r, code == CURLE_OPERATION_TIMEDOUT ? "no reply in time" :
				curl_easy_strerror(code));
	else if (status != 200)
		ret = no_success(r, status);
	else
		ret = read_reply(&b, r);
	free(b.text);
	return ret;
}
