#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The route of a user who never touches this Makefile: a configured tree, the
# patches, 'make olddefconfig'.  That must change nothing but add the option,
# off; turned on, it must compile.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
no_options "$@"

WORK=$BUILD/olddefconfig
TREE=$WORK/linux
OUT=$WORK/out

# patch replaces the files that it changes, but that is its business: no file
# that it may touch is left shared with build/pristine.
fresh_tree()
{
	rm -rf "$TREE"
	mkdir -p "$WORK"
	cp -al "$PRISTINE" "$TREE"
	sed -n 's,^+++ b/,,p' "$ROOT"/patches/[0-9]*.patch | sort -u |
		while IFS= read -r path; do
			[ -f "$PRISTINE/$path" ] || continue
			cp --remove-destination -p "$PRISTINE/$path" "$TREE/$path"
		done
}

apply()
{
	local name

	while IFS= read -r name; do
		patch -d "$TREE" -p1 -F0 -s -f --no-backup-if-mismatch \
			-i "$ROOT/patches/$name" || die "patches/$name does not apply"
	done <"$ROOT/patches/series"
}

main()
{
	local added options=(JC_SCHED LITEFLOW) want option

	lock olddefconfig
	[ -s "$ROOT/patches/series" ] || die "patches/series is missing or empty" "run 'make patches'"
	fresh_tree
	logged olddefconfig-defconfig kmake "$TREE" "$OUT" defconfig
	cp "$OUT/.config" "$WORK/config.before"
	apply
	logged olddefconfig kmake "$TREE" "$OUT" olddefconfig
	added=$(diff "$WORK/config.before" "$OUT/.config" | grep '^[<>]' || true)
	want=$(printf '> # CONFIG_%s is not set\n' "${options[@]}")
	if [ "$added" != "$want" ]; then
		die "'make olddefconfig' is to add nothing but that these are off: ${options[*]}" "$added"
	fi
	say "olddefconfig: adds to defconfig that these are off, nothing else: ${options[*]}"

	"$TREE/scripts/config" --file "$OUT/.config" -e JC_SCHED -e LITEFLOW
	logged olddefconfig kmake "$TREE" "$OUT" olddefconfig
	for option in JC_SCHED JC_SCHED_TOGGLE JC_SCHED_FXDPT LITEFLOW LITEFLOW_COLLECT \
		LITEFLOW_NETLINK; do
		grep -qx "CONFIG_$option=y" "$OUT/.config" ||
			die "with ${options[*]} on, CONFIG_$option is not y"
	done
	say "olddefconfig: JC_SCHED=y gives TOGGLE and FXDPT, LITEFLOW=y netlink and records"
	logged olddefconfig-build kmake "$TREE" "$OUT" kernel/sched/ kernel/sys_ni.o \
		kernel/liteflow/
	if grep -n 'warning:' "$BUILD/logs/olddefconfig-build.log"; then
		die "kernel/sched/ or kernel/liteflow/ compile with warnings"
	fi
	say "olddefconfig: kernel/sched/ and kernel/liteflow/ compile without a warning"
	rm -rf "$TREE"
}

main
