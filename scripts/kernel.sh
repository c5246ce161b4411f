#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Builds one kernel and puts it into build/images: its name says what it is.
# All but the debug one share build/kernel, so that another mode costs only the
# objects that depend on it. So does the stock kernel, which has the options of
# the series off: check-off.sh proves that its scheduler is the untouched one.

set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

usage()
{
	cat <<-'END'
	usage: kernel.sh [mode=toggle|replace|test|stock] [fxdpt=y|n] [perf=y|n]
	                 [debug=y|n] [--name] [--config] [--make TARGET...]
	  --name    print the image's file name, build nothing
	  --config  stop when the configuration is made
	  --make    build these targets of the kernel's make instead of the image
	END
}

mode=toggle fxdpt=y perf=y debug=n only='' targets=(bzImage)

while [ $# -gt 0 ]; do
	arg=$1
	shift
	case $arg in
	mode=toggle | mode=replace | mode=test | mode=stock) mode=${arg#*=} ;;
	fxdpt=[yn]) fxdpt=${arg#*=} ;;
	perf=[yn]) perf=${arg#*=} ;;
	debug=[yn]) debug=${arg#*=} ;;
	--name | --config) only=$arg ;;
	--make)
		only=$arg
		targets=("$@")
		[ $# -gt 0 ] || die "--make needs a target, as kernel/sched/fair.o"
		break
		;;
	-h | --help) show_help ;;
	*) die "'$arg' is not understood" \
		"MODE is toggle, replace, test or stock; FXDPT, PERF, DEBUG are y or n" ;;
	esac
done

out=$BUILD/kernel
fragments=("$ROOT/kconfig/guest.config")
if [ "$mode" = stock ]; then
	name=bzImage-stock
else
	name=bzImage-$mode
	targets+=(modules)
	fragments+=("$ROOT/kconfig/liteflow.config" "$ROOT/kconfig/lemu.config" "$ROOT/kconfig/mode-$mode.config")
	if [ "$fxdpt" = y ]; then
		name+=-fixed
		fragments+=("$ROOT/kconfig/fxdpt.config")
	else
		name+=-float
		fragments+=("$ROOT/kconfig/float.config")
	fi
	if [ "$perf" = y ]; then
		name+=-perf
		fragments+=("$ROOT/kconfig/perf.config")
	else
		fragments+=("$ROOT/kconfig/noperf.config")
	fi
fi
if [ "$debug" = y ]; then
	name+=-debug
	out=$BUILD/debug
	fragments+=("$ROOT/kconfig/debug.config")
fi
image=$BUILD/images/$name
if [ "$only" = --name ]; then
	echo "$image"
	exit
fi
for f in "${fragments[@]}"; do
	[ -r "$f" ] || die "$f is missing"
done

# Everything that the image depends on, in one sum.
key()
{
	{
		cat "$BUILD/pristine.origin" "${fragments[@]}"
		gcc --version
		echo "$KBUILD_BUILD_TIMESTAMP"
		"$ROOT/scripts/series.py" touched --all |
			(cd "$LINUX" && xargs -d '\n' -r sha256sum)
	} | sha256sum | cut -d ' ' -f 1
}

# The configuration is made anew only when a fragment or a Kconfig file of the
# series has changed; kbuild then rebuilds what depends on a changed option.
configure()
{
	local want

	want=$({
		printf '%s\n' "${fragments[@]}"
		cat "$BUILD/pristine.origin" "${fragments[@]}"
		"$ROOT/scripts/series.py" touched --all | grep Kconfig |
			(cd "$LINUX" && xargs -d '\n' -r cat) || true
	} | sha256sum)
	if [ -f "$out/.config" ] && [ "$(cat "$out/.jc-config" 2>/dev/null)" = "$want" ]; then
		return
	fi
	rm -f "$out/.jc-config"
	kconfigure kernel "$LINUX" "$out" "${fragments[@]}"
	"$ROOT/scripts/config-check.sh" "${fragments[@]}" "$out/.config" ||
		die "the configuration is not the one that was asked for"
	echo "$want" >"$out/.jc-config"
}

# The few modules of the series, for insmod in the guest.
modules()
{
	rm -rf "$image.modules"
	[ "$mode" != stock ] || return 0
	mkdir "$image.modules"
	find "$out/kernel/liteflow" "$out/samples/liteflow" "$out/net/ipv4" "$out/net/sched" \
		-name '*.ko' -exec cp -t "$image.modules" {} +
}

main()
{
	local t0=$SECONDS key have

	mkdir -p "$BUILD/logs" "$BUILD/images"
	key=$(key)
	have=$(cat "$image.key" 2>/dev/null || true)
	if [ -z "$only" ] && [ -f "$image" ] && [ "$have" = "$key" ]; then
		say "kernel: $image is up to date"
		return
	fi
	lock "${out##*/}"
	configure
	[ "$only" != --config ] || return 0
	say "kernel: building ${targets[*]} for $name in $out"
	logged "${name/bzImage/kernel}" kmake "$LINUX" "$out" "${targets[@]}"
	[ "$only" != --make ] || return 0
	rm -f "$image.key"
	modules
	cp "$out/arch/x86/boot/bzImage" "$image.new"
	cp "$out/.config" "$image.config"
	mv "$image.new" "$image"
	echo "$key" >"$image.key"
	say "kernel: $image, $(elapsed "$t0")"
}

main
