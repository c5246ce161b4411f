// SPDX-License-Identifier: GPL-2.0
/*
 * Classes of a Click framework from its sources: where they are, and what their code says.
 *
 * A source is parsed as the framework's own build does it, from the folder that was configured.
 * Headers that are not there, as DPDK's may not be, are left out; for its hash tables there are
 * declarations here.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "click_code.h"
#include "flowmage.h"

#define MAX_SOURCE	(4u << 20)	/* bytes of a file */
#define MAX_DEPTH	8		/* of folders */

/* Stands in for headers that are missing. */
#define MISSING		"/flowmage-missing"

static const char dpdk_hash[] =
	"struct rte_hash; struct rte_hash_parameters { const char *name; unsigned entries, key_len;\n"
	"void *hash_func; unsigned hash_func_init_val; int socket_id; unsigned char extra_flag;\n"
	"unsigned reserved; };\n"
	"extern \"C\" {\n"
	"struct rte_hash *rte_hash_create(const struct rte_hash_parameters *);\n"
	"int rte_hash_add_key(const struct rte_hash *, const void *);\n"
	"int rte_hash_add_key_data(const struct rte_hash *, const void *, void *);\n"
	"int rte_hash_del_key(const struct rte_hash *, const void *);\n"
	"int rte_hash_lookup(const struct rte_hash *, const void *);\n"
	"int rte_hash_lookup_data(const struct rte_hash *, const void *, void **);\n"
	"int rte_hash_lookup_bulk(const struct rte_hash *, const void **, unsigned, int *);\n"
	"int rte_hash_count(const struct rte_hash *);\n"
	"unsigned rte_hash_crc_4byte(unsigned, unsigned);\n"
	"}\n";

/**
 * struct search - for a class
 * @word: "NAME", as class_name() returns it
 * @export: EXPORT_ELEMENT(NAME)
 * @header: where the first was found
 * @source: where the second was
 */
struct search {
	char word[200];
	char export[200];
	char header[1024];
	char source[1024];
};

static bool ends(const char *name, const char *end)
{
	size_t n = strlen(name), len = strlen(end);

	return n > len && !strcmp(name + n - len, end);
}

static void look_in(struct search *s, const char *path)
{
	char *text, *at;
	size_t n;

	if (!ends(path, ".hh") && !ends(path, ".cc"))
		return;
	text = read_file(path, MAX_SOURCE, &n);
	if (!text)
		return;
	text[n] = 0;
	for (at = text; !s->header[0] && (at = strstr(at, s->word)); at++)
		/* class_name() const ... { return "NAME" */
		if (at - text > 7 && !memcmp(at - 7, "return ", 7))
			snprintf(s->header, sizeof(s->header), "%s", path);
	if (ends(path, ".cc") && strstr(text, s->export))
		snprintf(s->source, sizeof(s->source), "%s", path);
	free(text);
}

static int walk(struct search *s, const char *folder, unsigned int depth, char *why, size_t len)
{
	DIR *dir = opendir(folder);
	struct dirent *d;
	struct stat st;
	char path[1024];

	if (!dir) {
		snprintf(why, len, "FASTCLICK: %s: %s", folder, strerror(errno));
		return -1;
	}
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.' ||
		    snprintf(path, sizeof(path), "%s/%s", folder, d->d_name) >= (int)sizeof(path) ||
		    lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
			walk(s, path, depth + 1, why, len);
		else if (S_ISREG(st.st_mode))
			look_in(s, path);
	}
	closedir(dir);
	return 0;
}

static int parse(const char *source, const char *top, const char *class_name,
		 struct click_facts *facts, char *why, size_t len)
{
	struct CXUnsavedFile missing[] = {
		{ MISSING "/rte_hash.h", dpdk_hash, sizeof(dpdk_hash) - 1 },
		{ MISSING "/rte_hash_crc.h", "", 0 }, { MISSING "/rte_errno.h", "", 0 },
		{ MISSING "/rte_version.h", "", 0 }, { MISSING "/rte_ethdev.h", "", 0 },
	};
	char include[1100], folder[1100];
	const char *args[] = {
		"-x", "c++",   "-std=gnu++17", "-DCLICK_USERLEVEL", "-DHAVE_CONFIG_H",
		"-w", include, folder,	       "-idirafter",	    MISSING,
		NULL, NULL
	};
	CXTranslationUnit unit = NULL;
	CXIndex index = clang.createIndex(0, 0);
	enum CXErrorCode code;

	snprintf(include, sizeof(include), "-I%s/include", top);
	snprintf(folder, sizeof(folder), "-I%s", top);
	code = clang.parseTranslationUnit2(index, source, args, 10, missing, ARRAY_SIZE(missing),
					   CXTranslationUnit_KeepGoing, &unit);
	if (code) {
		snprintf(why, len, "FASTCLICK: %s: libclang cannot parse it (%d)", source, code);
		clang.disposeIndex(index);
		return -1;
	}
	code_read_class(unit, class_name, facts);
	clang.disposeTranslationUnit(unit);
	clang.disposeIndex(index);
	return 0;
}

/* The first folder has the framework's headers; it has been configured. */
static int check(const char *top, char *why, size_t len)
{
	char path[1100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/include/click/config.h", top);
	if (!stat(path, &st))
		return 0;
	snprintf(path, sizeof(path), "%s/include/click/element.hh", top);
	if (stat(path, &st))
		snprintf(why, len, "FASTCLICK: %s: no sources of Click there", top);
	else
		snprintf(why, len, "FASTCLICK: %s: not configured: run ./configure there", top);
	return -1;
}

int click_source_look_up(const char *folders, const char *class_name, struct click_facts *facts,
			 char *why, size_t len)
{
	char *copy = strdup(folders), *folder, *rest = NULL, *top;
	struct search s = { 0 };
	int ret = 0;

	if (!copy)
		err(EXIT_OTHER, "out of memory");
	snprintf(s.word, sizeof(s.word), "\"%.190s\"", class_name);
	snprintf(s.export, sizeof(s.export), "EXPORT_ELEMENT(%.180s)", class_name);
	top = strtok_r(copy, ":", &rest);
	if (!top || clang_open(why, len) || check(top, why, len)) {
		free(copy);
		return -1;
	}
	for (folder = top; folder && !ret && !(s.header[0] && s.source[0]);
	     folder = strtok_r(NULL, ":", &rest))
		ret = walk(&s, folder, 0, why, len);
	if (!ret && (s.source[0] || s.header[0]))
		ret = parse(s.source[0] ? s.source : s.header, top, class_name, facts, why, len);
	free(copy);
	return ret;
}
