# SPDX-License-Identifier: Apache-2.0
"""Row 3: from an accepted launch to the first instruction of the guest, and
which ioctls that takes."""

import os
import re
import statistics
import tempfile

import measure
from measure import Figure
from ready import M_INSTRUCTIONS, MS
from report import Goal, Table

OVER_MS = 1.0
TRACES = 7
IOCTL = re.compile(r"ioctl\(\d+, (\w+)(?:.*<([0-9.]+)>$)?")
# ARCHITECTURE.md: nothing that KVM puts on a bus before the last slot,
# doorbells after the vCPUs.
ORDER = (
    "KVM_CREATE_VM KVM_SET_USER_MEMORY_REGION KVM_ENABLE_CAP KVM_CREATE_VCPU"
    " KVM_IOEVENTFD KVM_GET_SUPPORTED_CPUID KVM_SET_CPUID2 KVM_RUN"
).split()


def _floor(mode, count):
    read_end, write_end = os.pipe()
    try:
        return measure.spawn([measure.BENCH / "floor", "3", mode], count,
                             {3: write_end}, [read_end])
    finally:
        os.close(read_end)
        os.close(write_end)


def _first(run):
    """The guest's second instruction ends the machine; that line is the
    earliest that can be seen from outside."""
    return run.heard("exit 0") - run.wall("launch")


def _times(machine, count):
    unit, scale = ("ms", MS)
    goal = Goal(1.5)
    if measure.IN_LAB:
        unit, scale, goal = ("M instructions", M_INSTRUCTIONS, Goal(1.2))
    runs = machine.spawn(count)
    floor = _floor("split", count)
    late = _floor("late", count)
    least = Figure([r.wall("first", "main") / scale for r in floor])
    ours = Figure([_first(r) / scale for r in runs])
    table = Table(
        3, "start of the VM to its first guest instruction", unit,
        f"{len(runs)} runs; the guest's second instruction is an OUT that ends"
        " it, heard from outside",
    )
    table.add("launch accepted to first instruction", ours, goal)
    previous = "launch"
    for phase in "memory devices kernel vcpus confined started".split():
        table.add(f"  {previous} to {phase}",
                  Figure([r.wall(phase, previous) / scale for r in runs]))
        previous = phase
    table.add("the least KVM asks for (floor.c)", least)
    table.add("the same, interrupt controllers first (floor.c late)",
              Figure([r.wall("first", "main") / scale for r in late]))
    # In the lab the first touch of guest memory clears huge pages: no ratio.
    if not measure.IN_LAB:
        table.add("ratio to the least", ours.median / least.median, Goal(1.3))
    table.show()


def _trace(machine):
    """[(ioctl, ms)] of one run under strace."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as out:
        plain = machine.argv
        machine.argv = ["/usr/bin/strace", "-f", "-T", "-e", "trace=ioctl",
                        "-o", out.name, *plain]
        try:
            machine.spawn(1)
        finally:
            machine.argv = plain
        matches = [IOCTL.search(line) for line in out]
    return [(m[1], float(m[2] or 0) * 1000) for m in matches if m]


def _follows(names, order):
    at = iter(names)
    return all(name in at for name in order)


def _ioctls(machine):
    traces = [_trace(machine) for _ in range(TRACES)]
    names = [name for name, _ in traces[0]]
    same = [t for t in traces if [n for n, _ in t] == names]
    table = Table(
        3, "ioctls until the guest has run", "count",
        f"strace -T, {len(same)} runs with the same {len(names)} calls; over"
        f" {OVER_MS:g} ms counts where the median of the runs is",
    )
    medians = [
        (statistics.median(t[i][1] for t in same), name)
        for i, name in enumerate(names)
    ]
    over = [m for m in medians if m[0] > OVER_MS]
    table.add(f"ioctls over {OVER_MS:g} ms", len(over), Goal(0, 0), digits=0)
    table.add("calls out of the order of ARCHITECTURE.md",
              0 if _follows(names, ORDER) else 1, Goal(0, 0), digits=0)
    for ms, name in sorted(medians, reverse=True)[:4]:
        table.note(f"{name}: {ms:.3f} ms")
    table.show()


def show(machine, count):
    _times(machine, count)
    if not measure.IN_LAB:
        _ioctls(machine)
