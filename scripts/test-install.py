#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Run every command of docs/install.md: build, install, boot, use and remove.

The word behind "sh" of a fenced block says where it runs: "build" in a clone of
the repository, "own-config" there, too, but as far as the configuration; "target"
in a fresh Debian; "qemu" is the command that boots that; "guest" in it, where
"reboot" ends one boot and begins the next, and "lockdown" boots with
lockdown=confidentiality.  A comment <!-- expect: REGEX --> behind a block has to
match its output.

Exit status: 0 passed, 1 failed, 4 skipped (not root, or a tool is missing).
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

from pylib.arguments import Parser
from pylib.paths import BUILD, ROOT

PAGE = ROOT / "docs" / "install.md"
WORK = BUILD / "deb" / "test"
PLACES = ("build", "own-config", "target", "qemu", "guest", "reboot", "lockdown")
# ca-certificates: what the packages recommend brings it, and then it stays, as apt recommends it
INCLUDE = "systemd-sysv,udev,kmod,procps,ca-certificates"
LINTIAN_OFF = "bogus-mail-host,bogus-mail-host-in-debian-changelog"     # the authors have none
BOOT_SECONDS = 1800     # emulated, and the machine may be busy

# What a boot leaves in any Debian, whatever is installed.
CHURN = re.compile(r"/(dev|proc|run|sys|tmp|var/(log|cache|tmp|lib/(apt|dpkg|systemd|ucf)|backups))(/|$)"
                   r"|/etc/(machine-id|resolv\.conf|ld\.so\.cache|\.updated|\.pwd\.lock|hostname)$"
                   r"|/var/\.updated$|/root/|/lost\+found|.*\.(dpkg-\w+|pyc)$|/etc/mailcap")


class Failure(Exception):
    """A command, or what it printed, is not as the page says."""


class Block:
    def __init__(self, place, line, text):
        self.place, self.line, self.text = place, line, text
        self.expect = []

    def judge(self, output, status):
        if status != 0:
            raise Failure(f"line {self.line}: status {status}:\n{output}")
        for pattern in self.expect:
            if not re.search(pattern, output):
                raise Failure(f"line {self.line}: no '{pattern}' in:\n{output}")


def parse(text):
    blocks, inside = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            if inside:
                blocks.append(inside)
                inside = None
                continue
            words = line[3:].split()
            if len(words) != 2 or words[0] != "sh" or words[1] not in PLACES:
                raise Failure(f"line {number}: '{line}' does not say where its commands run")
            inside = Block(words[1], number + 1, "")
        elif inside:
            inside.text += line + "\n"
        elif line.startswith("    ") and line.strip() and not text.splitlines()[number - 2].strip():
            raise Failure(f"line {number}: an indented block would not be run")
        else:
            for pattern in re.findall(r"<!-- expect: (.*?) -->", line):
                blocks[-1].expect.append(pattern)
    return blocks


def run(args, **options):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, check=False, **options)
    return done.stdout, done.returncode


def must(args, **options):
    output, status = run(args, **options)
    if status:
        raise Failure(f"{shlex.join(map(str, args))}: status {status}:\n{output[-3000:]}")
    return output


def say(text):
    print(f"{time.monotonic() - BEGIN:6.0f} s  {text}", flush=True)


# --- on the machine that builds -------------------------------------------------

def expected():
    """Names of all packages; the kernel's say which."""
    control = (ROOT / "scripts" / "deb" / "control").read_text()
    kernel = must(["make", "-s", "-C", BUILD / "linux", f"O={BUILD}/deb/kernel", "kernelrelease"])
    return {*re.findall(r"^Package: (.*)$", control, re.M),
            *(f"linux-{kind}-{kernel.strip()}" for kind in ("image", "headers"))}


def build(blocks):
    clone = WORK / "clone"
    shutil.rmtree(clone, ignore_errors=True)
    clone.mkdir(parents=True)
    env = dict(os.environ, URL=str(ROOT), BUILD=str(BUILD), DEPS="no")
    for block in blocks:
        text = block.text.replace("build/deb/", f"{BUILD}/deb/")
        if block.place == "own-config":
            text = text.replace("/boot/config-$(uname -r)", str(own_config()))
            env["DEB_FLAGS"] = "--config"
        say(f"build: line {block.line}")
        block.judge(*run(["bash", "-euc", text], cwd=clone, env=env))
    debs = sorted((BUILD / "deb").glob("*.deb"))
    if shutil.which("lintian"):
        say("lintian")
        # linux-* are made by the kernel's own rules, which leave programs unstripped
        must(["lintian", "--allow-root", "--fail-on", "error", "--suppress-tags", LINTIAN_OFF,
              *(deb for deb in debs if not deb.name.startswith("linux-"))])
    return debs


def own_config():
    """Debian's own configuration, if its package is here; else that of the packages."""
    packed = pathlib.Path("/usr/src/linux-config-6.12/config.amd64_none_amd64.xz")
    if not packed.exists():
        return BUILD / "deb" / "kernel" / ".config"
    plain = WORK / "config-debian"
    plain.write_text(must(["xz", "-dc", packed]))
    return plain


def same_bytes(debs):
    """Built again, elsewhere, the packages of the tools are the same files."""
    say("the tools' packages once more, in another folder")
    other = WORK / "again"
    shutil.rmtree(other, ignore_errors=True)
    other.mkdir(parents=True)
    must([ROOT / "scripts" / "deb.sh", "tools"],
         env=dict(os.environ, BUILD=str(other), JC_BTF=str(BUILD / "deb/kernel/vmlinux"),
                  DEPS="no"))
    for deb in debs:
        if deb.name.startswith("linux-"):
            continue
        if deb.read_bytes() != (other / "deb" / deb.name).read_bytes():
            raise Failure(f"{deb.name} differs when it is built again")


# --- the machine that they are installed on ----------------------------------------

def make_root(debs):
    root = WORK / "root"
    base = WORK / "base"
    if not (base / "etc/debian_version").exists():
        say(f"a minimal Debian: {base}")
        shutil.rmtree(base, ignore_errors=True)
        must(["mmdebstrap", "--variant=minbase", f"--include={INCLUDE}", "bookworm", base])
    shutil.rmtree(root, ignore_errors=True)
    must(["cp", "-a", base, root])
    (root / "etc/apt/apt.conf.d/90-test").write_text('APT::Get::Assume-Yes "true";\n')
    (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    for deb in debs:
        shutil.copy(deb, root / "root")
    return root


def chroot(root, text):
    """In a mount namespace of its own, so that nothing stays mounted."""
    inner = shlex.join(["exec", "chroot", str(root), "/usr/bin/env", "-i", "HOME=/root",
                        "TERM=dumb", "DEBIAN_FRONTEND=noninteractive",
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-euc",
                        "cd /root\n" + text])
    mounts = "".join(f"mount -t {kind} {kind} {shlex.quote(str(root))}/{where} && "
                     for kind, where in (("proc", "proc"), ("sysfs", "sys")))
    return run(["unshare", "--mount", "--propagation", "private", "sh", "-c", mounts + inner])


LIST_FILES = "find / -xdev \\( -path /proc -o -path /sys -o -path /dev \\) -prune -o -print"


def install(root, blocks):
    chroot(root, "apt-get -q update")
    before = set(chroot(root, LIST_FILES)[0].splitlines())
    for block in blocks:
        say(f"target: line {block.line}")
        block.judge(*chroot(root, block.text))
    return before


# --- boots ----------------------------------------------------------------------------

RUNNER = """[Unit]
Description=The commands of docs/install.md
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/session.sh
StandardOutput=null
StandardError=null
[Install]
WantedBy=graphical.target
"""

SESSION = """export HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
exec > /dev/ttyS1 2>&1
stty -F /dev/ttyS1 raw
boot=$(cat /root/boot 2>/dev/null || echo 0)
echo $((boot + 1)) > /root/boot
for block in /root/blocks/$boot/*; do
	echo "@@begin ${block##*/}"
	cd /root
	bash -eu "$block" < /dev/null
	echo "@@end ${block##*/} $?"
done
if [ ! -d /root/blocks/$((boot + 1)) ]; then
	echo "@@files"
	%s
	echo "@@done"
fi
sync
systemctl poweroff
""" % LIST_FILES


def sessions(blocks):
    """[(words for the kernel, [block])], one for each boot"""
    found = [["", []]]
    for block in blocks:
        if block.place == "reboot":
            found[-1][1].append(block)
            found.append(["", []])
        elif block.place == "lockdown":
            found.append(["lockdown=confidentiality", [block]])
            found.append(["", []])
        else:
            found[-1][1].append(block)
    return [item for item in found if item[1]]


def make_disk(root, boots):
    for number, (_, blocks) in enumerate(boots):
        folder = root / "root" / "blocks" / str(number)
        folder.mkdir(parents=True)
        for block in blocks:
            (folder / f"{block.line:04d}").write_text(block.text)
    (root / "root" / "session.sh").write_text(SESSION)
    unit = root / "etc/systemd/system/session.service"
    unit.write_text(RUNNER)
    must(["systemctl", "--root", root, "enable", "session.service"])
    must(["systemctl", "--root", root, "set-default", "graphical.target"])
    disk = WORK / "disk.img"
    disk.unlink(missing_ok=True)
    with disk.open("wb") as image:
        image.truncate(2 << 30)
    must(["mke2fs", "-q", "-F", "-t", "ext4", "-d", root, disk])
    image = sorted((root / "boot").glob("vmlinuz-*-jc"))[-1]
    shutil.copy(image, WORK / "vmlinuz")


def boot(command, number, words):
    args = shlex.split(command)
    at = args.index("-append") + 1
    args[at] += f" ignore_loglevel panic=-1 tsc=reliable no_timer_check watchdog_thresh=30 {words}"
    console, output = WORK / f"console-{number}.log", WORK / f"output-{number}.log"
    output.write_bytes(b"")
    # Emulated, so that it runs wherever this does; qemu/start.sh says more of the words.
    if "kvm" in args:
        at = args.index("kvm")
        del args[at - 1:at + 1]
    args += ["-no-reboot", "-machine", "q35", "-cpu", "max", "-nodefaults",
             "-serial", f"file:{console}", "-serial", f"file:{output}", "-monitor", "none"]
    say(f"boot {number} {words}")
    try:
        done = run(args, cwd=WORK, timeout=BOOT_SECONDS)
    except subprocess.TimeoutExpired:
        raise Failure(f"boot {number}: no end after {BOOT_SECONDS} s, see {console}") from None
    if done[1]:
        raise Failure(f"boot {number}: QEMU ended with status {done[1]}: {done[0]}")
    must([ROOT / "qemu" / "check-dmesg.sh", console])
    return output.read_text(errors="replace").replace("\r\n", "\n")


def judge_boot(blocks, output, number):
    for block in blocks:
        name = f"{block.line:04d}"
        begin = f"@@begin {name}\n"
        if begin not in output:
            raise Failure(f"boot {number}: line {block.line} did not begin:\n{output[-2000:]}")
        text = output.split(begin, 1)[1]
        end = re.search(rf"@@end {name} (\d+)\n", text)
        if block.place == "reboot":
            block.judge(text, 0)
        elif not end:
            raise Failure(f"boot {number}: line {block.line} did not end:\n{text[-2000:]}")
        else:
            block.judge(text[:end.start()], int(end.group(1)))
            say(f"guest: line {block.line}: as the page says")


def leftovers(before, output):
    """Files that no purge has removed and that were not there before."""
    if "@@done" not in output:
        raise Failure("the last boot did not list its files")
    after = set(output.split("@@files\n", 1)[1].split("@@done", 1)[0].splitlines())
    left = sorted(path for path in after - before
                  if not CHURN.match(path) and not path.endswith("session.service")
                  and path not in ("/etc/systemd/system/graphical.target.wants",
                                   "/etc/systemd/system/default.target"))
    return left


def main():
    parser = Parser(description=__doc__.splitlines()[0])
    parser.add_argument("--parse", action="store_true", help="only read the page")
    parser.add_argument("--no-build", action="store_true", help="take the packages that are there")
    args = parser.parse_args()
    blocks = parse(PAGE.read_text())
    print(f"{len(blocks)} blocks of commands in {PAGE.relative_to(ROOT)}")
    if args.parse:
        return 0
    missing = [tool for tool in ("mmdebstrap", "mke2fs", "qemu-system-x86_64", "dh")
               if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        print("skipped: " + (f"no {', '.join(missing)}" if missing else "not root"))
        return 4
    of = {place: [b for b in blocks if b.place == place] for place in PLACES}
    WORK.mkdir(parents=True, exist_ok=True)
    if args.no_build:
        debs = sorted((BUILD / "deb").glob("*.deb"))
    else:
        debs = build([b for b in blocks if b.place in ("build", "own-config")])
        same_bytes(debs)
    found, wanted = {deb.name.split("_")[0] for deb in debs}, expected()
    if len(debs) != len(found) or found != wanted:
        raise Failure(f"expected are {sorted(wanted)}, there are {[d.name for d in debs]}")
    root = make_root(debs)
    before = install(root, of["target"])
    boots = sessions([b for b in blocks if b.place in ("guest", "reboot", "lockdown")])
    make_disk(root, boots)
    for number, (words, inside) in enumerate(boots):
        output = boot(of["qemu"][0].text, number, words)
        judge_boot(inside, output, number)
    left = leftovers(before, output)
    if left:
        raise Failure("purging has left: " + " ".join(left))
    say("packages: built, installed, booted and removed in the guest")
    return 0


if __name__ == "__main__":
    BEGIN = time.monotonic()
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
