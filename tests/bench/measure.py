# SPDX-License-Identifier: Apache-2.0
"""Starts programs many times and gives what their lines say, as figures.

`spawn` (spawn.c) starts the program and stamps its lines; here its output
becomes `Run`s, and many runs become a `Figure`: a median with the tenth and
the ninetieth of a hundred.
"""

import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "guest"))

import vmm  # noqa: E402 # tests/guest: how a launch looks
from tap import Tap  # noqa: E402, F401

BUILD = vmm.BUILD
BENCH = BUILD / "bench"
KILN = BUILD / "kiln"
VMM = BUILD / "kiln-vmm"
IN_LAB = os.environ.get("KILN_IN_LAB") == "1"
GUEST_MIB = 128

# Above what a launch may use (HANDOFF_FD_LIMIT), below where vmm.spawn parks.
HEARD_FD = 300


class Failed(Exception):
    """What was to be measured did not run."""


class Figure:
    def __init__(self, values):
        self.values = sorted(values)
        if not self.values:
            raise Failed("nothing was measured")
        self.median = statistics.median(self.values)

    def at(self, percent):
        last = len(self.values) - 1
        return self.values[round(last * percent / 100)]

    def text(self, digits=3):
        if len(self.values) < 3:
            return f"{self.median:.{digits}f}"
        return (
            f"{self.median:.{digits}f}  ({self.at(10):.{digits}f} to"
            f" {self.at(90):.{digits}f})"
        )


class Run:
    """One life of a program; times in microseconds since it was started."""

    def __init__(self, start_ns):
        self.start_ns = start_ns
        self.lines = []  # (fd, wall us, CPU us, text)
        self.stamps = {}  # phase -> wall us by the program's own clock
        self.cpu = {}  # phase -> CPU us when its line was read
        self.end_us = self.cpu_us = self.status = self.faults = None

    def add_line(self, fd, at_ns, cpu_ns, text):
        at_us = (at_ns - self.start_ns) / 1000
        self.lines.append((fd, at_us, cpu_ns / 1000, text))
        words = text.split()
        if len(words) == 3 and words[0] == "phase":
            self.stamps[words[1]] = int(words[2]) - self.start_ns / 1000
            self.cpu[words[1]] = cpu_ns / 1000

    def heard(self, word):
        """When the first line with this word was read."""
        for _, at_us, _, text in self.lines:
            if word in text:
                return at_us
        raise Failed(f"no line with '{word}' among {self.lines}")

    def wall(self, to, start=None):
        """Microseconds to a phase, from one or from the start."""
        if to not in self.stamps:
            raise Failed(f"no phase '{to}' among {self.lines}")
        return self.stamps[to] - (self.stamps[start] if start else 0)


def _parse(text):
    runs = []
    for line in text.splitlines():
        word, *rest = line.split(" ", 4)
        if word == "start":
            runs.append(Run(int(rest[0])))
        elif word == "line":
            runs[-1].add_line(int(rest[0]), int(rest[1]), int(rest[2]), rest[3])
        elif word == "end":
            at, cpu, status, tail = rest
            runs[-1].end_us = (int(at) - runs[-1].start_ns) / 1000
            runs[-1].cpu_us = int(cpu) / 1000
            runs[-1].status = int(status)
            runs[-1].faults = int(tail.split()[0])
    return runs


def _read_all(fd):
    with open(fd, "r", encoding="ascii", errors="replace") as file:
        return file.read()


def spawn(argv, count, at=None, heard=(), one_cpu=False, kill=None, err=None):
    """Runs of argv. at: {number: fd} it inherits; heard: fds to listen to;
    kill: the word at which a run ends. Warm: the first run is left out."""
    read_end, write_end = os.pipe2(os.O_CLOEXEC)
    null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
    at = dict(at or {})
    command = [str(BENCH / "spawn"), "-n", str(count + 1)]
    for i, fd in enumerate(heard):
        at[HEARD_FD + i] = fd
        command += ["-f", str(HEARD_FD + i)]
    if not IN_LAB:
        command += ["-1"] if one_cpu else ["-r"]
    command += ["-k", kill] if kill else []
    command += ["--", *map(str, argv)]
    pid = vmm.spawn(command, at, null, write_end, null if err is None else err)
    os.close(write_end)
    os.close(null)
    text = _read_all(read_end)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise Failed(f"{' '.join(command)}: status {status}")
    return _parse(text)[1:]


def devices(fds, drive, tap):
    """The three devices of the goals: disk, network, entropy."""
    return {
        "memory": GUEST_MIB << 20,
        "drives": [{"id": "root", "root": True, "read_only": True, "path": drive}],
        "nets": [{"id": "eth0", "fd": os.dup(tap.fd)}],
        "entropy": True,
    }


class Machine:
    """A launch that spawn() can repeat: descriptors at their numbers, and the
    read ends of status, console and messages."""

    def __init__(self, kernel, **settings):
        self.fds = vmm.Fds()
        launch = vmm.Launch(self.fds, kernel=str(kernel), **settings)
        self.status, theirs = self.fds.pipe()
        launch.roles["status"] = theirs
        self.console = None
        if launch.serial:
            self.console, console = self.fds.pipe()
            keyboard, self._keys = self.fds.pipe()
            launch.roles["console-in"] = keyboard
            launch.roles["console-out"] = console
        self.errors, self._messages = self.fds.pipe()
        numbers = launch.numbers()
        self.at = {numbers[role]: fd for role, fd in launch.roles.items()}
        memfd = self.fds.own(vmm.sealed_memfd(launch.bytes()))
        self.argv = [VMM, "--launch-fd", str(3 + len(numbers))]
        self.at[3 + len(numbers)] = memfd

    def spawn(self, count, **options):
        heard = [self.status] + ([self.console] if self.console else [])
        runs = spawn(
            self.argv, count, self.at, heard, err=self._messages, **options
        )
        for run in runs:
            if not run.stamps:
                raise Failed(self._words())
        return runs

    def _words(self):
        os.set_blocking(self.errors, False)
        try:
            return os.read(self.errors, 4096).decode(errors="replace")
        except BlockingIOError:
            return "kiln-vmm said nothing"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.fds.close()
