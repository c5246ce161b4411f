#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Builds and boots configurations that the other tests do not have.

Real-time preemption, clang with CONFIG_WERROR, NR_CPUS of 2 and 8192, no NUMA, no SMP,
32 bits. Some are built whole and booted, and run kselftests; of the others the objects of the
series are compiled.  A warning fails, and so does a splat in the kernel's log.

Prints "configs_VARIANT_WHAT VALUE UNIT", and a verdict for each variant.
Exit status: 0 passed, 1 failed.
"""
import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
import time

import ktap
from pylib.arguments import Parser
from pylib.errors import Problem, run
from pylib.paths import BUILD, ROOT

WORK = BUILD / "configs"
LINUX = BUILD / "linux"

# Options: "NAME" is y, "-NAME" is off, "NAME=VALUE" another value.

# Not needed by the kselftests, and a quarter of the time that a kernel takes.
LEAN = """-SCHED_CLASS_EXT -DEBUG_INFO_BTF -IKHEADERS -GDB_SCRIPTS DEBUG_INFO_NONE
    -DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT -BPF_SYSCALL -BPF_JIT -BPF_JIT_ALWAYS_ON -BPF_EVENTS
    -CGROUP_BPF -IPV6 -KPROBES -KPROBE_EVENTS -UPROBES -UPROBE_EVENTS -HUGETLBFS
    -FUNCTION_GRAPH_TRACER -FUNCTION_GRAPH_RETVAL -FUNCTION_PROFILER"""
UBSAN = "UBSAN UBSAN_BOUNDS UBSAN_SHIFT"
KUNIT = """KUNIT KUNIT_DEFAULT_ENABLED JC_SCHED_KUNIT_TEST LITEFLOW_ENGINE_KUNIT_TEST LITEFLOW_KUNIT_TEST
    TCP_CONG_LITEFLOW_KUNIT_TEST"""
NO_NUMA = "-NUMA -X86_64_ACPI_NUMA -ACPI_NUMA -NUMA_BALANCING -NUMA_BALANCING_DEFAULT_ENABLED"
# With EXPERT these are not on by themselves any more.
EXPERT = "EXPERT MULTIUSER BUG POSIX_TIMERS FHANDLE KCMP DMI VM_EVENT_COUNTERS"
# The real-time kernel has neither of the last three.
RT = f"""{EXPERT} PREEMPT_RT -PREEMPT_VOLUNTARY PROVE_LOCKING DEBUG_ATOMIC_SLEEP
    LOCKDEP_BITS=17 LOCKDEP_CHAINS_BITS=18 LOCKDEP_STACK_TRACE_BITS=20
    RCU_CPU_STALL_TIMEOUT=200 DEFAULT_HUNG_TASK_TIMEOUT=600
    -NUMA_BALANCING -NUMA_BALANCING_DEFAULT_ENABLED
    -TRANSPARENT_HUGEPAGE -TRANSPARENT_HUGEPAGE_MADVISE"""

# Without vmemmap, pages have no room for a CPU's number, and mm/memory.c warns.
MAX = "MAXSMP NR_CPUS=8192 CPUMASK_OFFSTACK SPARSEMEM_VMEMMAP"

# What the objects of the series need, on any architecture; merged onto allnoconfig.
OBJECTS = f"""SMP NUMA NUMA_BALANCING MULTIUSER PRINTK BUG PROC_FS SYSCTL PROC_SYSCTL SYSFS
    DEBUG_KERNEL DEBUG_FS SCHED_DEBUG SCHEDSTATS SCHED_MC SCHED_SMT SCHED_CORE
    CGROUPS CGROUP_SCHED FAIR_GROUP_SCHED CFS_BANDWIDTH CPUSETS MIGRATION FTRACE FUNCTION_TRACER
    JUMP_LABEL PERF_EVENTS MODULES NET INET NAMESPACES NET_NS KUNIT WERROR
    JC_SCHED JC_SCHED_TOGGLE JC_SCHED_FXDPT JC_SCHED_PERF JC_SCHED_GUARD
    LITEFLOW LITEFLOW_COLLECT LITEFLOW_NETLINK LITEFLOW_DEBUGFS LITEFLOW_LEGACY
    LITEFLOW_TORTURE_TEST=m TCP_CONG_ADVANCED TCP_CONG_LITEFLOW=m {KUNIT}"""
OBJECTS_64 = "64BIT ACPI PCI X86_64_ACPI_NUMA ACPI_NUMA "
TARGETS = ("kernel/sched/", "kernel/liteflow/", "kernel/sys_ni.o",
           *(f"net/ipv4/tcp_liteflow_{part}.o" for part in (
               "main", "law", "path", "compete", "test", "modes_test", "path_test",
               "compete_test")))
OF_JC = "JC_SCHED JC_SCHED_TOGGLE JC_SCHED_FXDPT JC_SCHED_PERF JC_SCHED_GUARD JC_SCHED_APP"

JC_ALL = "-c jc_sched"
# Every file of the interface, every harm and every CPU, in a third of the time.
JC_SOME = " ".join(f"-t jc_sched:{name}" for name in (
    "jc_sched_test", "jc_model_test", "state.sh", "decisions.sh", "hotplug.sh", "dmesg.sh"))
JC_FEW = " ".join(f"-t jc_sched:{name}" for name in ("jc_sched_test", "state.sh", "dmesg.sh"))
LF_ALL = "-c liteflow -c liteflow_cc"


@dataclasses.dataclass
class Boot:
    """options of qemu/start.sh, and of scripts/kselftest.sh for the run and for --quick"""
    guest: str
    tests: str
    quick: str = JC_FEW
    slow: int = 3


@dataclasses.dataclass
class Variant:
    """A kernel with boots, or objects"""
    name: str
    options: str
    boots: list = dataclasses.field(default_factory=list)
    fragments: tuple = ()
    folder: str = ""            # shared with those of the same name
    clang: bool = False
    arch: str = ""
    make: tuple = ()
    gone: str = ""              # options that do not survive

    def objects_only(self):
        """Nothing to boot"""
        return not self.boots


def kernel(name, options, boots, arithmetic="fxdpt", **more):
    """A kernel for the guest"""
    return Variant(name, f"{LEAN} {options}", boots,
                   ("guest", "liteflow", "mode-toggle", arithmetic, "perf"), **more)


def objects(name, options="", **more):
    """Only the objects of the series"""
    base = OBJECTS if more.get("arch") else OBJECTS_64 + OBJECTS
    more.setdefault("folder", "objects-clang" if more.get("clang") else "objects")
    return Variant(name, f"{base} {options}", **more)


VARIANTS = (
    kernel("rt", f"{RT} {KUNIT}", [
        Boot("--smp 4 --timeout 3000 --append jc_sched_perf=sw", JC_ALL, JC_SOME),
        Boot("--smp 4 --timeout 3000", LF_ALL, "-c liteflow_cc")]),
    kernel("rt-float", f"{RT} {KUNIT}", [
        Boot("--smp 4 --timeout 1800", JC_SOME)], arithmetic="float", folder="rt"),
    kernel("clang-8192", f"WERROR {MAX} {UBSAN}", [
        Boot("--smp 8 --timeout 1800", JC_SOME),
        Boot("--nodes 1 --smp 3 --timeout 900", JC_FEW)], clang=True),
    kernel("small", f"WERROR NR_CPUS=2 {NO_NUMA} {UBSAN}", [
        Boot("--nodes 1 --smp 2 --timeout 1800", JC_SOME),
        Boot("--nodes 1 --smp 1 --timeout 900", JC_FEW)]),

    objects("objects"),
    objects("no-schedstats", "-SCHEDSTATS"),
    objects("no-debugfs", "-DEBUG_FS -SCHED_DEBUG -LITEFLOW_DEBUGFS"),
    objects("no-proc", f"{EXPERT} -PROC_FS -PROC_SYSCTL -SYSCTL -SCHED_DEBUG -SCHEDSTATS -CPUSETS"),
    objects("float", "-JC_SCHED_FXDPT"),
    objects("float-clang", "-JC_SCHED_FXDPT", clang=True),
    objects("no-guard", "-JC_SCHED_GUARD"),
    objects("no-liteflow", "-LITEFLOW -LITEFLOW_COLLECT -LITEFLOW_NETLINK -LITEFLOW_DEBUGFS"
            " -LITEFLOW_LEGACY -LITEFLOW_TORTURE_TEST -TCP_CONG_LITEFLOW -LITEFLOW_KUNIT_TEST"),
    objects("no-netlink", "-NET -INET -NET_NS -LITEFLOW_NETLINK -TCP_CONG_ADVANCED"
            " -TCP_CONG_LITEFLOW -TCP_CONG_LITEFLOW_KUNIT_TEST"),
    objects("no-groups", "-FAIR_GROUP_SCHED -CFS_BANDWIDTH"),
    objects("no-core-sched", "-SCHED_CORE"),
    objects("no-numa-balancing", "-NUMA_BALANCING"),
    objects("no-numa", "-NUMA -NUMA_BALANCING -MIGRATION -X86_64_ACPI_NUMA -ACPI_NUMA NR_CPUS=2"),
    objects("no-smp", "-SMP -NUMA -NUMA_BALANCING -MIGRATION -X86_64_ACPI_NUMA -ACPI_NUMA -SCHED_MC"
            " -SCHED_SMT -SCHED_CORE -CPUSETS", gone=OF_JC),
    objects("rt-objects", f"{EXPERT} PREEMPT_RT -NUMA_BALANCING"),
    objects("clang-2", "NR_CPUS=2", clang=True),
    objects("max", MAX),
    objects("max-clang", MAX, clang=True),
    objects("clang-trap", "UBSAN UBSAN_TRAP UBSAN_BOUNDS UBSAN_SHIFT", clang=True),
    # More warnings than the rest of the kernel passes: those of the series count.
    objects("w1", "-WERROR", make=("W=1",), folder="objects-w1"),
    objects("w1-clang", "-WERROR", make=("W=1",), clang=True, folder="objects-w1-clang"),
    objects("i386", "-NUMA -NUMA_BALANCING -MIGRATION -64BIT", arch="i386",
            folder="objects-i386"),
)


def fragment(options):
    """The lines of a .config; of a name that stands twice the last one holds."""
    lines = {}
    for word in options.split():
        name, _, value = word.lstrip("-").partition("=")
        if word.startswith("-"):
            lines[name] = f"# CONFIG_{name} is not set"
        else:
            lines[name] = f"CONFIG_{name}={value or 'y'}"
    return "# SPDX-License-Identifier: GPL-2.0\n" + "\n".join(lines.values()) + "\n"


def lib(variant, words):
    """A function of scripts/lib.sh, with the variant's compiler and architecture"""
    env = dict(os.environ)
    env.pop("LLVM", None)
    if variant.clang:
        env["LLVM"] = "1"
    export = f"export ARCH={variant.arch}; " if variant.arch else ""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'. "$0"; {export}"$@"',
         ROOT / "scripts/lib.sh", *words], env=env, check=False)
    if done.returncode:
        raise Problem(f"{variant.name}: {shlex.join(map(str, words[:2]))} failed")


def configure(variant, out):
    """Makes .config unless what it depends on is unchanged, and checks it."""
    own = WORK / f"{variant.name}.config"
    own.write_text(fragment(variant.options))
    asked = [ROOT / "kconfig" / f"{name}.config" for name in variant.fragments] + [own]
    lib(variant, ["kconfigure", f"configs-{variant.name}", LINUX, out, *asked])
    if variant.gone:
        gone = WORK / f"{variant.name}-gone.config"
        gone.write_text(fragment(" ".join(f"-{name}" for name in variant.gone.split())))
        asked.append(gone)
    check = subprocess.run([ROOT / "scripts/config-check.sh", *asked, out / ".config"],
                           check=False)
    if check.returncode:
        raise Problem(f"{variant.name}: the configuration is not the one that was asked for")


def warnings(variant):
    """The warnings of a build that count, one line each"""
    log = BUILD / "logs" / f"configs-{variant.name}.log"
    ours = re.compile(r"(jc_\w+|kernel/liteflow/\S+|tcp_liteflow\w*|liteflow\w*)\.[ch]:")
    for line in log.read_text(errors="replace").splitlines():
        if "warning:" in line and ("W=1" not in variant.make or ours.search(line)):
            yield line


def build(variant):
    """Returns the image, or nothing for objects."""
    out = WORK / (variant.folder or variant.name)
    began = time.monotonic()
    configure(variant, out)
    if variant.objects_only():
        targets = [target for target in TARGETS
                   if "tcp_liteflow" not in target or "-INET" not in variant.options]
        if "-TCP_CONG_LITEFLOW" in variant.options:
            targets = [target for target in targets if target != "net/ipv4/tcp_liteflow_main.o"]
    else:
        targets = ["bzImage", "modules"]
    lib(variant, ["logged", f"configs-{variant.name}", "kmake", LINUX, out, *variant.make,
                  *targets])
    figure(variant, "build", round(time.monotonic() - began), "s")
    found = list(warnings(variant))
    if found:
        raise Problem(f"{variant.name}: {len(found)} warnings, the first: {found[0]}")
    if variant.objects_only():
        return None
    image = WORK / f"bzImage-{variant.name}"
    shutil.copy(out / "arch/x86/boot/bzImage", image)
    modules = image.with_name(image.name + ".modules")
    shutil.rmtree(modules, ignore_errors=True)
    modules.mkdir()
    for folder in ("kernel/liteflow", "samples/liteflow", "net/ipv4"):
        for module in (out / folder).rglob("*.ko"):
            shutil.copy(module, modules)
    return image


def figure(variant, what, value, unit):
    print(f"configs_{variant.name}_{what} {value} {unit}", flush=True)


def results(path):
    """The counts of a log with KTAP"""
    with open(path, errors="replace", encoding="utf-8") as log:
        return ktap.read(log)


def boot(variant, number, item, image, quick):
    """Runs the tests; raises what failed."""
    label = f"{variant.name}-boot{number}"
    guest, output = BUILD / "logs" / f"{label}-kernel.log", BUILD / "logs" / f"{label}.log"
    command = [ROOT / "scripts/kselftest.sh", *shlex.split(item.quick if quick else item.tests),
               image, *shlex.split(item.guest), "--log", guest]
    print(f"{label}: {item.guest}, log {output}", flush=True)
    began = time.monotonic()
    with output.open("w", encoding="utf-8") as file:
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False,
                                env=dict(os.environ, KSFT_MACHINE_SLOW=str(item.slow))).returncode
    count = results(output)
    figure(variant, f"boot{number}", round(time.monotonic() - began), "s")
    figure(variant, f"boot{number}_passed", len(count.passed), "tests")
    figure(variant, f"boot{number}_failed", len(count.failed), "tests")
    figure(variant, f"boot{number}_skipped", len(count.skipped), "tests")
    for name in count.failed:
        print(f"not ok: {name}")
    if "KUNIT" in variant.options:
        kunit = results(guest)
        figure(variant, f"boot{number}_kunit", len(kunit.passed), "tests")
        if kunit.failed or not kunit.passed:
            raise Problem(f"{label}: KUnit: {kunit.failed[0] if kunit.failed else 'no result'}")
    if status or count.failed or not count.passed:
        tail = output.read_text(errors="replace").splitlines()[-3:]
        raise Problem(f"{label}: status {status}, {len(count.failed)} failed: " + " / ".join(tail))


def check(variant, args):
    """None, or what is wrong"""
    try:
        image = build(variant)
        if args.build_only:
            return None
        for number, item in enumerate(variant.boots, 1):
            boot(variant, number, item, image, args.quick)
    except Problem as problem:
        return str(problem)
    return None


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="only say which there are")
    parser.add_argument("--build-only", action="store_true", help="boot nothing")
    parser.add_argument("--quick", action="store_true", help="fewer tests in each boot")
    parser.add_argument("--objects", action="store_true", help="only what is not booted")
    parser.add_argument("variant", nargs="*", help="default: all")
    args = parser.parse_args()
    known = {variant.name: variant for variant in VARIANTS}
    for name in args.variant:
        if name not in known:
            raise Problem(f"no variant '{name}': there are {' '.join(known)}")
    chosen = [known[name] for name in args.variant] or \
        [variant for variant in VARIANTS if variant.objects_only() or not args.objects]
    if args.list:
        for variant in chosen:
            print(variant.name, "objects" if variant.objects_only() else "boots")
        return 0
    WORK.mkdir(parents=True, exist_ok=True)
    # a tree without the series would be configured, and lose its options
    try:
        subprocess.run([ROOT / "scripts" / "series.py", "sync"], check=True)
    except subprocess.CalledProcessError:
        raise Problem("the kernel's tree cannot be made: 'make source' fetches it") from None
    failed = []
    for variant in chosen:
        wrong = check(variant, args)
        print(f"{variant.name}: {'FAILED: ' + wrong if wrong else 'passed'}", flush=True)
        failed += [variant.name] if wrong else []
    figure_line = f"{len(chosen) - len(failed)} of {len(chosen)} configurations passed"
    print(figure_line + (f", not {' '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
