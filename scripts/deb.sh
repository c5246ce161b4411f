#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds the Debian packages into build/deb: the kernel's by its own bindeb-pkg
# rules, the tools' by debhelper with scripts/deb as their debian folder.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: deb.sh [config=FILE] [--config] [kernel|tools]...   (default: both)
	  config=FILE  base the kernel's configuration on FILE, as /boot/config-6.12.0-1-amd64,
	               instead of on the guest's
	  --config     stop when the kernel's configuration is made
	Also: make deb CONFIG=FILE
	END
}

OUT=$BUILD/deb
KERNEL=$OUT/kernel      # bindeb-pkg puts its packages into the folder above
export -n CONFIG
PARTS=() CONFIG='' ONLY_CONFIG=n
while [ $# -gt 0 ]; do
	case $1 in
	config=) ;;
	config=*) CONFIG=$(realpath -- "${1#*=}") ;;
	--config) ONLY_CONFIG=y ;;
	kernel | tools) PARTS+=("$1") ;;
	-h | --help) show_help ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done
[ ${#PARTS[@]} -gt 0 ] || PARTS=(kernel tools)
# The tools are compiled with a kernel that --config does not build.
[ "$ONLY_CONFIG" = n ] || PARTS=(kernel)
[ -z "$CONFIG" ] || KERNEL+=-own
[ -z "$CONFIG" ] || [ -r "$CONFIG" ] || die "cannot read the configuration $CONFIG"

# Both packages' times are that of the changelog, so that they are reproducible.
CHANGELOG=$ROOT/scripts/deb/changelog
VERSION=$(dpkg-parsechangelog -l "$CHANGELOG" -S Version)
MAINTAINER=$(dpkg-parsechangelog -l "$CHANGELOG" -S Maintainer)
DATE=$(dpkg-parsechangelog -l "$CHANGELOG" -S Date)
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -l "$CHANGELOG" -S Timestamp)
export SOURCE_DATE_EPOCH

FRAGMENTS=("$ROOT"/kconfig/{deb,mode-toggle,fxdpt,perf}.config)

# A configuration of one's own keeps what it says; the options of the series are
# added, and the distribution's certificates, which are not here, are left out.
configure_own()
{
	mkdir -p "$KERNEL"
	grep -vE '^CONFIG_(SYSTEM_TRUSTED_KEYS|SYSTEM_REVOCATION_KEYS|BUILD_SALT)=' \
		"$CONFIG" >"$KERNEL/base.config"
	(cd "$KERNEL" && KCONFIG_CONFIG=.config \
		"$LINUX/scripts/kconfig/merge_config.sh" -m -Q base.config "${FRAGMENTS[@]}") \
		>"$BUILD/logs/deb-merge.log" 2>&1 ||
		die "merge_config.sh failed, see $BUILD/logs/deb-merge.log"
	logged deb-config kmake "$LINUX" "$KERNEL" olddefconfig
}

configure()
{
	local want

	[ -n "$CONFIG" ] || FRAGMENTS=("$ROOT"/kconfig/{guest,liteflow}.config \
		"${FRAGMENTS[@]}" "$ROOT/kconfig/deb-guest.config")
	want=$({
		echo "$CONFIG"
		cat "$BUILD/pristine.origin" "${FRAGMENTS[@]}" ${CONFIG:+"$CONFIG"}
		"$ROOT/scripts/series.py" touched --all | grep Kconfig |
			(cd "$LINUX" && xargs -d '\n' -r cat) || true
	} | sha256sum)
	if [ -f "$KERNEL/.config" ] && [ "$(cat "$KERNEL/.jc-config" 2>/dev/null)" = "$want" ]; then
		return
	fi
	rm -f "$KERNEL/.jc-config"
	if [ -n "$CONFIG" ]; then
		configure_own
	else
		kconfigure deb "$LINUX" "$KERNEL" "${FRAGMENTS[@]}"
	fi
	"$ROOT/scripts/config-check.sh" "${FRAGMENTS[@]}" "$KERNEL/.config" ||
		die "the kernel's configuration is not the one that was asked for"
	echo "$want" >"$KERNEL/.jc-config"
}

# bindeb-pkg in two steps: the changelog that it makes bears the time of the day.
# linux-libc-dev stays the distribution's own.
kernel()
{
	configure
	[ "$ONLY_CONFIG" = n ] || return 0
	say "deb: building the kernel in $KERNEL"
	# The revision is what bindeb-pkg's rules take for it: else they link anew.
	logged deb-kernel kmake "$LINUX" "$KERNEL" KBUILD_BUILD_VERSION="$VERSION" all
	rm -f "$OUT"/linux-*.deb
	export DEBFULLNAME=${MAINTAINER% <*} DEBEMAIL=${MAINTAINER##*<}
	DEBEMAIL=${DEBEMAIL%>}
	export KDEB_SOURCENAME=linux-jc KDEB_CHANGELOG_DIST=unstable
	KDEB_PKGVERSION=$(tree_version "$LINUX")-$VERSION
	export KDEB_PKGVERSION
	export DEB_BUILD_PROFILES=pkg.$KDEB_SOURCENAME.nokerneldbg
	# shellcheck disable=SC2016 # make's variable
	logged deb-debian kmake "$LINUX" "$KERNEL" run-command \
		KBUILD_RUN_COMMAND='$(srctree)/scripts/package/mkdebian'
	sed -i "s/^ -- .*/ -- $MAINTAINER  $DATE/" "$KERNEL/debian/changelog"
	# -R splits at blanks, whatever the quotes.
	printf '#!/bin/sh\nexec make CC="%s" -f debian/rules "$@"\n' "$(compiler gcc)" \
		>"$KERNEL/.jc-rules"
	logged deb-linux package "$KERNEL" "sh ./.jc-rules" -j"$JOBS"
	rm -f "$OUT"/linux-libc-dev_*.deb
}

# package FOLDER RULES [OPTIONS]
package()
{
	cd "$1" && CCACHE_BASEDIR=$BUILD nice dpkg-buildpackage --build=binary --no-pre-clean \
		--unsigned-changes --no-check-builddeps -R"$2" "${@:3}"
}

# debhelper wants a folder of its own: what the tools are made of is copied there.
# The kernel's types, for the recorder, are those of the packaged kernel.
tools()
{
	local source=$OUT/tools

	[ -f "${JC_BTF:=$KERNEL/vmlinux}" ] ||
		die "the recorder is compiled with the kernel's types: build the kernel first"
	say "deb: building the tools in $source"
	rm -rf "$source" "$OUT"/{liteflow-tools,liteflow-dev,jc-sched-tools,flowmage,lemu}_*.deb
	mkdir -p "$source"
	cp -a "$ROOT"/{Makefile,scripts,patches,docs,liteflow,mllb} "$source"
	cp -a "$ROOT/scripts/deb" "$source/debian"
	export JC_BTF
	logged deb-tools package "$source" debian/rules
}

main()
{
	local t0=$SECONDS part

	command -v dh >/dev/null || die "debhelper is missing: scripts/deps.sh deb installs it"
	lock deb
	mkdir -p "$OUT" "$BUILD/logs"
	for part in "${PARTS[@]}"; do
		"$part"
	done
	[ "$ONLY_CONFIG" = n ] || return 0
	say "deb: done after $(elapsed "$t0"):"
	ls -sh1 "$OUT"/*.deb
}

main
