# SPDX-License-Identifier: GPL-2.0
#
# What the Makefiles of programs for user space share. Such a one sets OUT_DIR, its
# folder below $(BUILD), and includes this; then it says what PROGRAMS there are and of
# which objects in $(OUT), and adds to ALL_CFLAGS. Objects are made of the C files
# beside the Makefile, or where vpath leads.

TOP := $(patsubst %/scripts/,%,$(dir $(lastword $(MAKEFILE_LIST))))
BUILD ?= build
override BUILD := $(abspath $(if $(filter /%,$(BUILD)),,$(TOP)/)$(BUILD))
OUT := $(BUILD)/$(OUT_DIR)

CACHE := $(if $(filter n,$(CCACHE)),,$(if $(shell command -v ccache),ccache ))
ifeq ($(origin CC),default)
CC := $(CACHE)gcc
endif
CFLAGS ?= -O2 -g
ALL_CFLAGS = $(CFLAGS) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -MMD -MP

LITEFLOW := $(TOP)/liteflow
ENGINE := $(LITEFLOW)/linux/kernel/liteflow
# the kernel's headers come first, or user space's
KERNEL_INCLUDE := $(addprefix -I$(LITEFLOW)/,lib/include linux/include linux/include/uapi)
USER_INCLUDE := $(addprefix -I$(LITEFLOW)/,lib/include lib/tool liblf linux/include/uapi linux/include)
# of code of the kernel: what stands in for the rest of it
COMPAT := -Wno-sign-compare -I$(LITEFLOW)/lib/compat

LIBLITEFLOW := $(BUILD)/liteflow/libliteflow.a
LIBPACK := $(BUILD)/liteflow/libpack.a
LIBLF := $(BUILD)/liteflow/liblf.a
# what a program links that uses it
LIBLF_LIBS := $(LIBLITEFLOW) -lmnl -lcrypto

all:

# Others' libraries: their make knows whether they are up to date.
ifneq ($(OUT_DIR),liteflow/lib)
$(LIBLITEFLOW): FORCE
	@$(MAKE) --no-print-directory -s -C $(LITEFLOW)/lib BUILD=$(BUILD)
ifneq ($(OUT_DIR),liteflow/obj-lfctl)
$(LIBPACK): FORCE
	@$(MAKE) --no-print-directory -s -C $(LITEFLOW)/lfctl BUILD=$(BUILD) $@
endif
ifneq ($(OUT_DIR),liteflow/obj-liblf)
$(LIBLF): FORCE
	@$(MAKE) --no-print-directory -s -C $(LITEFLOW)/liblf BUILD=$(BUILD)
endif
endif

$(OUT)/%.o: %.c Makefile $(TOP)/scripts/build.mk
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -c -o $@ $<

%.a:
	rm -f $@
	$(AR) rcs $@ $^

clean:
	rm -rf $(OUT) $(PROGRAMS)

.PHONY: all clean FORCE
.SECONDARY:

-include $(wildcard $(OUT)/*.d $(OUT)/*/*.d)
