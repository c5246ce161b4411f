# SPDX-License-Identifier: GPL-2.0
"""The host's side of lfd in the laboratory.

lfd runs in User Mode Linux, and decides there (lfd-beside). Its hook asks the host (ask-host):
here the congestion control's hook answers, natively, and tells what CPU time that took.
"""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import tarfile
import tempfile
import time

from pylib import files
from pylib.errors import Problem
import uml

HOOK = pathlib.Path(__file__).resolve().parent.parent / "hook" / "hook"
LOOKS_S = 0.5           # as in lfd-beside
WORD = re.compile(r'([^\s=]+)=("[^"]*"?|\S*)')


def config(every):
    """Of lfd, in the laboratory: in a third of 20 minutes there is time for more than one trial."""
    return {"app": "cc", "hook": "/tmp/lfd/hook", "hook_user": "nobody", "history_mib": 4,
            "adapt_interval_s": every, "adapt_records": 300, "stability_window": 2,
            "necessity_inputs": 1000, "hold_off_s": 60, "trial_s": 120}


def call(command, request, folder):
    """(object that the hook answered or None, what it said, CPU seconds that it took)"""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said, \
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
                             text=True, cwd=folder) as process:
        process.stdin.write(json.dumps(request))
        process.stdin.close()
        out = process.stdout.read()
        # of this one and what it waited for, while other runs have theirs
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().strip()
    cost = usage.ru_utime + usage.ru_stime
    if process.returncode:
        return None, text or f"status {process.returncode}", cost
    return json.loads(out), text, cost


@dataclasses.dataclass
class Host:
    """talk: folder that is shared with User Mode Linux; work: that the hook runs in."""
    talk: pathlib.Path
    work: pathlib.Path
    plan: int
    each: int
    rule: str = "pull"
    threads: int = 1
    costs: dict = dataclasses.field(default_factory=dict)

    def begin(self, model, every):
        """model: JSON of the one that is active at the begin."""
        self.talk.mkdir()
        self.talk.chmod(0o777)
        self.work.mkdir()
        (self.work / "begin.json").write_bytes(model.read_bytes())
        files.save(self.talk / "cc.json", config(every))

    def request(self, n):
        """Request n with paths as they are here."""
        request = files.load(self.talk / f"request-{n}")
        out = self.talk / f"out-{n}"
        out.mkdir()
        request["folder"] = str(out)
        request.pop("history", None)
        packed = self.talk / f"history-{n}.tar"
        if packed.exists():
            with tarfile.open(packed) as tar:
                tar.extractall(out)
            request["history"] = str(out / "history")
            packed.unlink()
        flows = self.talk / f"flows-{n}.json"
        if flows.exists():
            request |= {"flows": str(flows), "flows_s": LOOKS_S}
        request["active"].pop("file", None)
        active = self.talk / f"active-{n}.lfm"
        if active.exists():
            request["active"]["file"] = str(active)
        return request

    def answer(self, n):
        """What the hook in User Mode Linux is to do for request n"""
        request = self.request(n)
        command = [HOOK, request["verb"], "--plan", str(self.plan), "--each", str(self.each),
                   "--rule", self.rule, "--threads", str(self.threads)]
        out, said, cost = call(command, request, self.work)
        self.costs[n] = round(cost, 2)
        reply = {"cpu_s": cost}
        if out is None:
            return reply | {"error": said}
        if "model" in out:
            pathlib.Path(request["folder"], out["model"]).rename(self.talk / f"model-{n}")
            out["model"] = "model.json"
        return reply | {"answer": out}

    def serve(self, process, failures):
        """Answer requests as they come, until the run is over. What fails here, and not in the
        hook, spoils the run; it goes to its end all the same."""
        n = 1
        while process.poll() is None:
            if not (self.talk / f"request-{n}").exists():
                time.sleep(0.1)
                continue
            try:
                with uml.paused(process):
                    reply = self.answer(n)
            except (Problem, OSError, KeyError, ValueError) as error:
                failures.append(f"request {n} of lfd: {error}")
                reply = {"cpu_s": 0, "error": str(error)}
            files.save(self.talk / f"answer-{n}", reply)
            n += 1

    def log(self):
        """[[seconds, line]] of lfd"""
        path = self.talk / "log"
        if not path.exists():
            raise Problem("lfd has logged nothing")
        return [[float(at), line] for at, line in
                (text.split(" ", 1) for text in path.read_text(encoding="utf-8").splitlines())]


def fields(line):
    """{key: value} of a line of lfd's log"""
    return {key: value.strip('"') for key, value in WORD.findall(line)}
