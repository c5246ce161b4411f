// SPDX-License-Identifier: GPL-2.0
/*
 * Segments of a history: their form, and what is found in them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/crc32.h>
#include "histfile.h"

/* The kernel's crc32_le() inverts neither before nor after. */
uint32_t hist_crc(uint32_t crc, const void *data, size_t len)
{
	return ~crc32_le(~crc, data, len);
}

uint32_t hist_header_crc(const struct hist_header *header)
{
	size_t at = offsetof(struct hist_header, crc);
	uint32_t crc = hist_crc(0, header, at), zero = 0;

	crc = hist_crc(crc, &zero, sizeof(zero));
	at += sizeof(zero);
	return hist_crc(crc, (const char *)header + at, header->bytes - at);
}

uint32_t hist_head_crc(const struct hist_header *header, const struct hist_head *head)
{
	struct hist_head copy = *head;

	copy.crc = 0;
	return hist_crc(header->crc, &copy, sizeof(copy));
}

/* -- names of files ------------------------------------------------------ */

void hist_name(uint32_t number, char file[24])
{
	snprintf(file, 24, "%08u%s", number, HIST_SUFFIX);
}

uint32_t hist_number(const char *file)
{
	unsigned long n = strtoul(file, NULL, 10);
	char name[24];

	if (!n || n > UINT32_MAX)
		return 0;
	hist_name(n, name);
	return strcmp(name, file) ? 0 : n;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int hist_segments(int dir, uint32_t **numbers)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0, room = 0;
	uint32_t *list = NULL, *more, number;
	struct dirent *d;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	*numbers = NULL;
	if (!stream) {
		n = -errno;
		if (fd >= 0)
			close(fd);
		return n;
	}
	while ((d = readdir(stream))) {
		number = hist_number(d->d_name);
		if (!number)
			continue;
		if (n == room) {
			room = 2 * room + 16;
			more = realloc(list, room * sizeof(*list));
			if (!more) {
				n = -ENOMEM;
				break;
			}
			list = more;
		}
		list[n++] = number;
	}
	closedir(stream);
	if (n > 0)
		qsort(list, n, sizeof(*list), compare);
	if (n < 0) {
		free(list);
		list = NULL;
	}
	*numbers = list;
	return n;
}

/* -- reading ------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static int unusable(char *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, LF_REASON_LEN, fmt, args);
	va_end(args);
	return -EINVAL;
}

/* What can be said before the sum is known to be right. */
static int check_begin(const struct hist_header *h, size_t len, char *why)
{
	if (len < sizeof(*h))
		return unusable(why, "%zu bytes are no segment", len);
	if (memcmp(h->magic, HIST_MAGIC, sizeof(h->magic)))
		return unusable(why, "this is no segment of a history");
	if (h->order == __builtin_bswap32(HIST_ORDER))
		return unusable(why, "written on a machine of the other byte order");
	if (h->order != HIST_ORDER)
		return unusable(why, "its header is damaged");
	if (h->version != HIST_VERSION)
		return unusable(why, "its format is %u, this program knows %u", h->version,
				HIST_VERSION);
	return 0;
}

static int check_header(const struct hist_header *h, size_t len, uint32_t number, char *why)
{
	size_t values = (size_t)h->n_in + h->n_out;

	if (h->n_in > LITEFLOW_WIDTH_MAX || h->n_out > LITEFLOW_WIDTH_MAX ||
	    h->bytes != sizeof(*h) + values * LF_NAME_LEN || h->bytes > len ||
	    h->crc != hist_header_crc(h))
		return unusable(why, "its header is damaged");
	if (h->head != sizeof(struct hist_head) ||
	    h->size != LITEFLOW_RECORD_SIZE(h->n_in, h->n_out))
		return unusable(why, "its records are of another program");
	if (h->number != number)
		return unusable(why, "it was segment %u: was it renamed?", h->number);
	return 0;
}

static ssize_t read_all(int fd, char *to, size_t len)
{
	size_t n = 0;
	ssize_t got;

	while (n < len) {
		got = pread(fd, to + n, len - n, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += got;
	}
	return n;
}

static int load(int fd, uint32_t number, bool whole, struct hist_image *image, char *why)
{
	size_t len = sizeof(struct hist_header) + 2 * LITEFLOW_WIDTH_MAX * LF_NAME_LEN;
	struct stat st;
	ssize_t got;
	int ret;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return unusable(why, "this is no file");
	if ((uint64_t)st.st_size > 2 * HIST_MAX_SEGMENT)
		return unusable(why, "too large for a segment");
	if (whole || len > (size_t)st.st_size)
		len = st.st_size;
	image->header = malloc(len + 1);
	if (!image->header)
		return -ENOMEM;
	got = read_all(fd, (char *)image->header, len);
	if (got < 0)
		return (int)got;
	image->len = got;
	ret = check_begin(image->header, image->len, why);
	return ret ? ret : check_header(image->header, image->len, number, why);
}

int hist_load(int dir, uint32_t number, bool whole, struct hist_image *image,
	      char why[LF_REASON_LEN])
{
	char file[24];
	int fd, ret;

	memset(image, 0, sizeof(*image));
	hist_name(number, file);
	fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP ? unusable(why, "this is a link") : -errno;
	ret = load(fd, number, whole, image, why);
	close(fd);
	if (ret) {
		free(image->header);
		image->header = NULL;
	}
	return ret;
}

/* -- entries ------------------------------------------------------------- */

static const struct hist_head *head_at(const struct hist_image *image, size_t at)
{
	return (const void *)((const char *)image->header + at);
}

/* A head that is as it was written. */
static bool head_good(const struct hist_image *image, const struct hist_head *head)
{
	return head->magic == HIST_ENTRY_MAGIC && head->length <= HIST_MAX_DATA &&
	       head->length == (uint64_t)head->count * image->header->size &&
	       head->crc == hist_head_crc(image->header, head);
}

static bool whole_at(const struct hist_image *image, size_t at)
{
	const struct hist_head *head = head_at(image, at);

	return image->len - at >= sizeof(*head) && head->magic == HIST_ENTRY_MAGIC &&
	       head_good(image, head) && head->length <= image->len - at - sizeof(*head) &&
	       head->data_crc == hist_crc(image->header->crc, head + 1, head->length);
}

/* Of what a write left that did not come to its end, also if the power failed. */
static bool torn_at(const struct hist_image *image, size_t at)
{
	const char *p = (const char *)image->header + at;
	const struct hist_head *head = head_at(image, at);
	size_t left = image->len - at, i;

	if (left < sizeof(*head))
		return true;
	if (head_good(image, head))
		return head->length > left - sizeof(*head);
	for (i = 0; i < left && !p[i]; i++)
		;
	return i == left;
}

enum hist_found hist_next(const struct hist_image *image, size_t *at,
			  const struct hist_head **head)
{
	size_t from = *at;

	if (from >= image->len)
		return HIST_END;
	*head = head_at(image, from);
	if (whole_at(image, from)) {
		*at += sizeof(**head) + (*head)->length;
		return HIST_ENTRY;
	}
	/* is there another one behind? */
	for (*at += 8; *at < image->len; *at += 8)
		if (whole_at(image, *at))
			return HIST_DAMAGE;
	*at = image->len;
	return torn_at(image, from) ? HIST_TORN : HIST_DAMAGE;
}
