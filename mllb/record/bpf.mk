# SPDX-License-Identifier: GPL-2.0
#
# Behind build.mk: NAME.skel.h of NAME.bpf.c, by clang and bpftool with BPF_CFLAGS.

CLANG ?= clang
# Debian has bpftool in /usr/sbin, which is not in everybody's PATH.
BPFTOOL ?= $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool || echo bpftool)
# The same bytes wherever it is built: debug information names the sources.
BPF_CFLAGS = -O2 -g -target bpf -Wall -Wextra -MMD -MP -ffile-prefix-map=$(CURDIR)=. \
	-ffile-prefix-map=$(BUILD)=build

$(OUT)/%.bpf.o: %.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(OUT)/%.skel.h: $(OUT)/%.bpf.o
	$(BPFTOOL) gen skeleton $< name $*_bpf >$@.new
	mv $@.new $@
