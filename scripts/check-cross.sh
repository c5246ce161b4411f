#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Fixed point, LiteFlow and its congestion control compile for arm64 and for 32-bit arm, without a warning and
# without asking for the compiler's 64-bit division, which no kernel has.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

DIVISION='__(aeabi_u?ldivmod|u?divdi3|u?moddi3|u?divmoddi4)'

fragment()
{
	cat <<-'END'
	CONFIG_SMP=y
	CONFIG_NUMA=y
	CONFIG_NUMA_BALANCING=y
	CONFIG_PRINTK=y
	CONFIG_PROC_FS=y
	CONFIG_SYSCTL=y
	CONFIG_PROC_SYSCTL=y
	CONFIG_DEBUG_KERNEL=y
	CONFIG_DEBUG_FS=y
	CONFIG_SCHED_DEBUG=y
	CONFIG_SCHEDSTATS=y
	CONFIG_CGROUPS=y
	CONFIG_CGROUP_SCHED=y
	CONFIG_FTRACE=y
	CONFIG_FUNCTION_TRACER=y
	CONFIG_JUMP_LABEL=y
	CONFIG_PERF_EVENTS=y
	CONFIG_MMU=y
	CONFIG_ARCH_MULTIPLATFORM=y
	CONFIG_ARCH_MULTI_V7=y
	CONFIG_JC_SCHED=y
	CONFIG_JC_SCHED_TOGGLE=y
	CONFIG_JC_SCHED_PERF=y
	CONFIG_NET=y
	CONFIG_LITEFLOW=y
	CONFIG_LITEFLOW_COLLECT=y
	CONFIG_LITEFLOW_NETLINK=y
	CONFIG_LITEFLOW_DEBUGFS=y
	CONFIG_LITEFLOW_LEGACY=y
	CONFIG_INET=y
	CONFIG_TCP_CONG_ADVANCED=y
	CONFIG_TCP_CONG_LITEFLOW=y
	END
}

# one NAME ARCH PREFIX
one()
{
	local name=$1 arch=$2 out=$BUILD/cross/$1 option object bad='' n=0

	CROSS=$3
	command -v "${CROSS}gcc" >/dev/null ||
		die "${CROSS}gcc is not installed" "run 'make deps'"
	mkdir -p "$out"
	fragment >"$out/fragment"
	logged "cross-$name-config" kmake "$LINUX" "$out" ARCH="$arch" CROSS_COMPILE="$CROSS" \
		KCONFIG_ALLCONFIG="$out/fragment" allnoconfig
	for option in JC_SCHED JC_SCHED_FXDPT JC_SCHED_PERF LITEFLOW LITEFLOW_NETLINK \
		LITEFLOW_COLLECT TCP_CONG_LITEFLOW SMP TRACEPOINTS DEBUG_FS; do
		grep -qx "CONFIG_$option=y" "$out/.config" ||
			die "CONFIG_$option is not y in the configuration for $name"
	done
	logged "cross-$name" kmake "$LINUX" "$out" ARCH="$arch" CROSS_COMPILE="$CROSS" \
		kernel/sched/ kernel/sys_ni.o kernel/liteflow/ \
		net/ipv4/tcp_liteflow_{main,law,path,compete}.o
	if grep -n 'warning:' "$BUILD/logs/cross-$name.log"; then
		die "a part of the series has warnings for $name"
	fi
	while IFS= read -r object; do
		n=$((n + 1))
		bad+=$("${CROSS}nm" -u "$object" | grep -E "$DIVISION" | sed "s,^,$object: ,") || true
	done < <(find "$out/kernel/sched" "$out/kernel/liteflow" "$out/net/ipv4" -name 'jc_*.o' \
		-o -path "$out/kernel/sched/fair.o" -o -name 'tcp_liteflow_*.o' \
		-o -path "$out/kernel/liteflow/*.o" ! -name built-in.a)
	[ "$n" -ge 9 ] || die "too few objects of the series were built for $name"
	[ -z "$bad" ] || die "64-bit division for $name:" "$bad"
	say "cross: $name: $n objects, no warning, no 64-bit division helper"
}

main()
{
	lock cross
	one arm64 arm64 aarch64-linux-gnu-
	one arm arm arm-linux-gnueabi-
}

main
