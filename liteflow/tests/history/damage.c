// SPDX-License-Identifier: GPL-2.0
/*
 * Segments as bytes.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "damage.h"
#include "../../liblf/histfile.h"

static const char *path_of(const char *dir, unsigned int number)
{
	static char path[300];
	char file[24];

	hist_name(number, file);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return path;
}

static void check(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

size_t damage_header(unsigned int columns)
{
	return sizeof(struct hist_header) + columns * LF_NAME_LEN;
}

size_t damage_size(const char *dir, unsigned int number)
{
	struct stat st;

	check(!stat(path_of(dir, number), &st), path_of(dir, number));
	return st.st_size;
}

void damage_keep(const char *dir, unsigned int number, struct damage *d)
{
	FILE *f = fopen(path_of(dir, number), "re");

	d->len = damage_size(dir, number);
	d->data = malloc(d->len);
	check(f && d->data && fread(d->data, 1, d->len, f) == d->len, path_of(dir, number));
	fclose(f);
}

void damage_write(const char *dir, unsigned int number, const void *data, size_t len)
{
	FILE *f = fopen(path_of(dir, number), "we");

	check(f && fwrite(data, 1, len, f) == len && !fclose(f), path_of(dir, number));
}

unsigned int damage_aside(const char *dir)
{
	DIR *stream = opendir(dir);
	unsigned int n = 0;
	struct dirent *d;

	check(!!stream, dir);
	while ((d = readdir(stream)))
		n += strstr(d->d_name, HIST_ASIDE) != NULL;
	closedir(stream);
	return n;
}
