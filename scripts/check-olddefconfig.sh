#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The route of a user who never touches this Makefile: a configured tree, the
# patches, 'make olddefconfig'.  That must change nothing but add the option,
# off; turned on, it must compile.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

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
	local added

	lock olddefconfig
	[ -s "$ROOT/patches/series" ] || die "patches/series is missing or empty" "run 'make patches'"
	fresh_tree
	logged olddefconfig-defconfig kmake "$TREE" "$OUT" defconfig
	cp "$OUT/.config" "$WORK/config.before"
	apply
	logged olddefconfig kmake "$TREE" "$OUT" olddefconfig
	added=$(diff "$WORK/config.before" "$OUT/.config" | grep '^[<>]' || true)
	if [ "$added" != "> # CONFIG_JC_SCHED is not set" ]; then
		die "'make olddefconfig' changes more than '# CONFIG_JC_SCHED is not set':" "$added"
	fi
	say "olddefconfig: adds '# CONFIG_JC_SCHED is not set' to defconfig, nothing else"

	"$TREE/scripts/config" --file "$OUT/.config" -e JC_SCHED
	logged olddefconfig kmake "$TREE" "$OUT" olddefconfig
	for option in JC_SCHED JC_SCHED_TOGGLE JC_SCHED_FXDPT; do
		grep -qx "CONFIG_$option=y" "$OUT/.config" ||
			die "with JC_SCHED on, CONFIG_$option is not y"
	done
	say "olddefconfig: JC_SCHED=y gives TOGGLE and FXDPT"
	logged olddefconfig-build kmake "$TREE" "$OUT" kernel/sched/ kernel/sys_ni.o
	if grep -n 'warning:' "$BUILD/logs/olddefconfig-build.log"; then
		die "kernel/sched/ compiles with warnings"
	fi
	say "olddefconfig: kernel/sched/ compiles without a warning"
	rm -rf "$TREE"
}

main
