// SPDX-License-Identifier: GPL-2.0
/*
 * Is a program that is loaded in the kernel still the one that it was?
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "flowmage.h"
#include "plan.h"

bool plan_is_loaded(const char *source)
{
	return !strncmp(source, PLAN_LOADED, strlen(PLAN_LOADED));
}

int plan_loaded_digest(const char *source, char digest[SHA256_HEX])
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof(info);
	/* numbers are given anew, moments are not */
	struct {
		uint64_t load_time;
		uint8_t tag[sizeof(info.tag)];
	} identity;
	int fd = bpf_prog_get_fd_by_id(strtoul(source + strlen(PLAN_LOADED), NULL, 10)), ret;

	ret = fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) ?
	      complain("%s: %s", source, errno == ENOENT ? "it is not loaded any more" :
						      strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	if (ret)
		return ret;
	identity.load_time = info.load_time;
	memcpy(identity.tag, info.tag, sizeof(identity.tag));
	digest_bytes(&identity, sizeof(identity), digest);
	return 0;
}
