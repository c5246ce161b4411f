// SPDX-License-Identifier: GPL-2.0
/*
 * Records as CSV or as lines of JSON.
 */
#include <string.h>
#include <json-c/json.h>
#include "lfctl.h"
#include "record.h"

/* A name may have commas and quotes in it. */
static void put_csv_name(FILE *f, const char *name)
{
	const char *p;

	if (!strpbrk(name, ",\" ")) {
		fprintf(f, ",%s", name);
		return;
	}
	fputs(",\"", f);
	for (p = name; *p; p++) {
		if (*p == '"')
			fputc('"', f);
		fputc(*p, f);
	}
	fputc('"', f);
}

void record_header(const struct record_form *form)
{
	unsigned int i;

	if (form->json)
		return;
	fputs("batch,kind,flow,seq,version,time_ns,cpu,reward", form->f);
	for (i = 0; i < form->n_in + form->n_out; i++)
		put_csv_name(form->f, form->names[i]);
	fputc('\n', form->f);
}

static void put_csv(const struct record_form *form, unsigned long long batch,
		    const struct liteflow_record *r)
{
	unsigned int i, n = form->n_in + form->n_out;
	bool query = r->kind == LITEFLOW_RECORD_QUERY;

	fprintf(form->f, "%llu,%s,%llu,%u,%u,%llu,%u,", batch, query ? "query" : "reward",
		(unsigned long long)r->flow, r->seq, r->version, (unsigned long long)r->time_ns,
		r->cpu);
	if (!query)
		fprintf(form->f, "%d", r->reward);
	for (i = 0; i < n; i++) {
		if (query)
			fprintf(form->f, ",%d", r->values[i]);
		else
			fputc(',', form->f);
	}
	fputc('\n', form->f);
}

static struct json_object *values(const struct record_form *form, const struct liteflow_record *r,
				  unsigned int from, unsigned int n)
{
	struct json_object *o = json_object_new_object();
	unsigned int i;

	for (i = from; i < from + n; i++)
		json_object_object_add(o, form->names[i], json_object_new_int(r->values[i]));
	return o;
}

static void put_json(const struct record_form *form, unsigned long long batch,
		     const struct liteflow_record *r)
{
	struct json_object *o = json_object_new_object();
	bool query = r->kind == LITEFLOW_RECORD_QUERY;

	json_object_object_add(o, "batch", json_object_new_int64(batch));
	json_object_object_add(o, "kind", json_object_new_string(query ? "query" : "reward"));
	json_object_object_add(o, "flow", json_object_new_uint64(r->flow));
	json_object_object_add(o, "seq", json_object_new_int64(r->seq));
	json_object_object_add(o, "version", json_object_new_int64(r->version));
	json_object_object_add(o, "time-ns", json_object_new_uint64(r->time_ns));
	json_object_object_add(o, "cpu", json_object_new_int(r->cpu));
	if (query) {
		json_object_object_add(o, "inputs", values(form, r, 0, form->n_in));
		json_object_object_add(o, "outputs", values(form, r, form->n_in, form->n_out));
	} else {
		json_object_object_add(o, "reward", json_object_new_int(r->reward));
	}
	fprint_json_line(form->f, o);
}

void record_print(const struct record_form *form, unsigned long long batch,
		  const struct liteflow_record *r)
{
	if (form->json)
		put_json(form, batch, r);
	else
		put_csv(form, batch, r);
}
