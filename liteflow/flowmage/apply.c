// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apply.h"
#include "context.h"
#include "devquery.h"
#include "flowmage.h"

#define SAVED_FORMAT	1

/* --- what was there before ------------------------------------------------------ */

/* One program at a time; -1: complained. The kernel unlocks when the descriptor is closed. */
static int lock_state(const char *dir)
{
	int fd = -1;

	if (!mkdir(dir, 0755) || errno == EEXIST)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	if (errno == EWOULDBLOCK)
		complain("%s: another flowmage apply is at work", dir);
	else
		complain("%s: %s", dir, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int saved_path(char *path, const char *dir, const char *name)
{
	char entry[IFNAMSIZ + 8];

	snprintf(entry, sizeof(entry), "%.*s.json", IFNAMSIZ, name);
	return join_path(path, dir, entry);
}

/* 1: it was kept already; 0: now it is; -1: complained */
static int save(const struct device *dev, const char *dir, int dirfd)
{
	char path[PATH_LEN], digest[SHA256_HEX];
	struct json_object *o;
	const char *text;
	int ret;

	if (saved_path(path, dir, dev->name))
		return -1;
	if (!access(path, F_OK))
		return 1;
	plan_device_digest(dev, digest);
	o = json_object_new_object();
	json_object_object_add(o, "flowmage_saved", json_object_new_int(SAVED_FORMAT));
	json_object_object_add(o, "digest", json_object_new_string(digest));
	json_object_object_add(o, "was", rss_json(dev, &dev->now));
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	ret = write_file(path, text, strlen(text)) ? -1 : 0;
	json_object_put(o);
	if (!ret && fsync(dirfd)) {
		complain("%s: %s", dir, strerror(errno));
		ret = -1;
	}
	return ret;
}

static int forget(const char *name, const char *dir, int dirfd)
{
	char path[PATH_LEN];

	if (saved_path(path, dir, name))
		return EXIT_OTHER;
	if (unlink(path) || fsync(dirfd))
		return complain("%s: %s", path, strerror(errno));
	return 0;
}

static int read_saved(const char *path, const struct device *dev, struct rss *was)
{
	char digest[SHA256_HEX];
	struct json_object *o = json_read(path), *v;
	unsigned int format;
	int ret = EXIT_OTHER;

	if (!o)
		return EXIT_OTHER;
	memset(was, 0, sizeof(*was));
	plan_device_digest(dev, digest);
	if (json_get_count(path, o, "flowmage_saved", SAVED_FORMAT, SAVED_FORMAT, &format) ||
	    json_get(path, o, "digest", json_type_string, true, &v))
		goto out;
	if (strcmp(digest, json_object_get_string(v))) {
		complain("%s: the device %s is another one, or has other queues (ethtool -L), than "
			 "when it was written",
			 path, dev->name);
		goto out;
	}
	if (json_get(path, o, "was", json_type_object, true, &v))
		goto out;
	ret = rss_parse(path, v, dev, was);
out:
	json_object_put(o);
	return ret;
}

/* The context that an earlier plan has made, and as it is now; not used: there is none. */
static int saved_context(const struct device *dev, const char *dir, struct context *c)
{
	char path[PATH_LEN];
	struct json_object *o, *v;
	int ret;

	memset(c, 0, sizeof(*c));
	if (saved_path(path, dir, dev->name))
		return EXIT_OTHER;
	o = json_read(path);
	if (!o)
		return EXIT_OTHER;
	ret = json_get(path, o, "context", json_type_object, false, &v);
	if (!ret && v) {
		c->used = true;
		ret = json_get_count(path, v, "id", 0, UINT32_MAX - 1, &c->id) ||
		      rss_parse(path, v, dev, &c->rss) || context_find(dev, c);
	}
	json_object_put(o);
	return ret;
}

/* Before it is made its number is not known: then a rollback finds it by key and table. */
static int remember_context(const struct device *dev, const char *dir, int dirfd,
			    const struct context *c)
{
	char path[PATH_LEN];
	struct json_object *o, *v;
	const char *text;
	int ret;

	if (saved_path(path, dir, dev->name))
		return EXIT_OTHER;
	o = json_read(path);
	if (!o)
		return EXIT_OTHER;
	json_object_object_del(o, "context");
	if (c->used) {
		v = rss_json(dev, &c->rss);
		json_object_object_add(v, "id", json_object_new_int64(c->id));
		json_object_object_add(o, "context", v);
	}
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	ret = write_file(path, text, strlen(text));
	json_object_put(o);
	if (!ret && fsync(dirfd))
		ret = complain("%s: %s", dir, strerror(errno));
	return ret;
}

/* --- onto devices ------------------------------------------------------------------ */

/* Sets a device and reads it again. 0, or EXIT_OTHER: complained. */
static int set_device(const struct device *dev, const struct rss *set)
{
	struct rss now;
	unsigned int t;

	if (device_read(dev, &now) || device_write(dev, &now, set) || device_read(dev, &now))
		return EXIT_OTHER;
	if (rss_equal(dev, &now, set))
		return 0;
	for (t = 0; t < FLOW_TYPES; t++)
		if (dev->fields_known && now.fields[t] != set->fields[t])
			return complain("%s: it took the fields %s for %s and hashes %s", dev->name,
					device_fields_text(set->fields[t]), flow_type_names[t],
					device_fields_text(now.fields[t]));
	return complain("%s: it took %s and has another one", dev->name,
			memcmp(now.key, set->key, dev->key_len) ? "the key" :
			now.xfrm != set->xfrm ? "the transform" : "the table");
}

/* From one second context, or none, to another, or none; @is: what is there, also on failure. */
static int put_context(const struct device *dev, const struct context *want, struct context *is,
		       const char *dir, int dirfd)
{
	if (!want->used && !is->used)
		return 0;
	if (!want->used) {
		if (context_remove(dev, is->id))
			return EXIT_OTHER;
		is->used = false;
		return remember_context(dev, dir, dirfd, is);
	}
	if (!is->used) {
		*is = *want;
		is->id = 0;
		if (remember_context(dev, dir, dirfd, is) || context_make(dev, is)) {
			is->used = false;
			return EXIT_OTHER;
		}
		if (remember_context(dev, dir, dirfd, is))
			return EXIT_OTHER;
	}
	is->rss = want->rss;
	return context_set(dev, is);
}

int apply_check(const char *path, struct plan *plan)
{
	char digest[SHA256_HEX], name[IFNAMSIZ];
	unsigned int i;

	if (plan_check_files(path, plan))
		return EXIT_OTHER;
	for (i = 0; i < plan->n_devices; i++) {
		strcpy(name, plan->devices[i].name);
		device_free(&plan->devices[i]);
		if (device_load(&plan->devices[i], name, NULL))
			return EXIT_OTHER;
		plan_device_digest(&plan->devices[i], digest);
		if (strcmp(digest, plan->digest[i]))
			return complain("%s: the device is not as it was when %s was made (driver, "
					"queues, sizes): solve again",
					name, path);
	}
	return 0;
}

/**
 * struct kept - of a device while a plan is set
 * @before: its settings were kept on disk already
 * @was: the second context that it had
 * @is: that it has now
 */
struct kept {
	bool before;
	struct context was;
	struct context is;
};

/* Puts the first @n devices back; what is new in @dir goes if that succeeds. */
static void undo(const struct plan *plan, unsigned int n, struct kept *kept, const char *dir,
		 int dirfd)
{
	const struct device *dev;

	while (n--) {
		dev = &plan->devices[n];
		if (put_context(dev, &kept[n].was, &kept[n].is, dir, dirfd) |
		    set_device(dev, &dev->now))
			complain("%s: it could not be put back: flowmage apply --rollback %s",
				 dev->name, dev->name);
		else if (!kept[n].before)
			forget(dev->name, dir, dirfd);
	}
}

int apply_commit(struct plan *plan, const char *dir)
{
	struct kept *kept;
	unsigned int saved, done;
	int dirfd = lock_state(dir), ret = 0;

	if (dirfd < 0)
		return EXIT_OTHER;
	kept = calloc(STEER_DEVICES, sizeof(*kept));
	if (!kept) {
		close(dirfd);
		return complain("out of memory");
	}
	for (saved = 0; saved < plan->n_devices && !ret; saved++) {
		ret = save(&plan->devices[saved], dir, dirfd);
		kept[saved].before = ret > 0;
		ret = ret < 0;
		if (!ret && kept[saved].before)
			ret = saved_context(&plan->devices[saved], dir, &kept[saved].was);
		kept[saved].is = kept[saved].was;
	}
	if (ret) {
		/* no device was touched */
		for (saved--; saved--;)
			if (!kept[saved].before)
				forget(plan->devices[saved].name, dir, dirfd);
	}
	for (done = 0; done < plan->n_devices && !ret; done++)
		ret = set_device(&plan->devices[done], &plan->set[done]) ||
		      put_context(&plan->devices[done], &plan->context[done], &kept[done].is,
				  dir, dirfd);
	if (ret && done)
		undo(plan, done, kept, dir, dirfd);
	/* those that were not reached */
	for (; ret && done && done < plan->n_devices; done++)
		if (!kept[done].before)
			forget(plan->devices[done].name, dir, dirfd);
	free(kept);
	close(dirfd);
	return ret ? EXIT_OTHER : 0;
}

static int roll_back(const char *name, const char *dir, int dirfd)
{
	const struct context none = { 0 };
	struct context context;
	struct device dev;
	char path[PATH_LEN];
	struct rss was;
	int ret;

	if (saved_path(path, dir, name))
		return EXIT_OTHER;
	if (access(path, F_OK))
		return complain("%s: nothing to put back: %s is not there", name, path);
	ret = device_load(&dev, name, NULL) || read_saved(path, &dev, &was) ||
	      saved_context(&dev, dir, &context) ||
	      put_context(&dev, &none, &context, dir, dirfd) || set_device(&dev, &was) ||
	      forget(name, dir, dirfd);
	device_free(&dev);
	return ret ? EXIT_OTHER : 0;
}

static int all_saved(const char *dir, int dirfd)
{
	char name[256], *end;
	struct dirent *entry;
	DIR *d = opendir(dir);
	int ret = 0, n = 0;

	if (!d)
		return complain("%s: %s", dir, strerror(errno));
	while ((entry = readdir(d))) {
		snprintf(name, sizeof(name), "%s", entry->d_name);
		end = strrchr(name, '.');
		if (!end || strcmp(end, ".json"))
			continue;
		*end = 0;
		n++;
		ret |= roll_back(name, dir, dirfd);
	}
	closedir(d);
	return n ? ret : complain("%s: nothing to put back", dir);
}

int apply_rollback(const char *name, const char *dir)
{
	int dirfd = lock_state(dir), ret;

	if (dirfd < 0)
		return EXIT_OTHER;
	ret = name ? roll_back(name, dir, dirfd) : all_saved(dir, dirfd);
	close(dirfd);
	return ret;
}
