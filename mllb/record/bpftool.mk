# SPDX-License-Identifier: GPL-2.0
#
# Debian has bpftool in /usr/sbin, which is not in everybody's PATH.
BPFTOOL ?= $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool || echo bpftool)
