# SPDX-License-Identifier: Apache-2.0
"""Row 1: from the exec of kiln-vmm until it could serve, filters on."""

import measure
from measure import Figure
from report import Goal, Table

PHASES = "main launch memory devices kernel vcpus confined started".split()
MS = 1000
# QEMU counts 500 instructions as one microsecond (-icount shift=1).
M_INSTRUCTIONS = 2000


def _served(run, times):
    """A VMM with an API socket would be ready after its launch is accepted
    and its threads are confined; building the machine comes between here."""
    return times["launch"] + times["confined"] - times["vcpus"]


def _cpu_table(runs, number):
    table = Table(
        number, "exec of kiln-vmm to ready, filters on", "ms of CPU",
        f"{len(runs)} runs on one CPU; the listener reads the process's CPU"
        " clock as each line is written",
    )
    table.add(
        "ready: launch accepted, then threads behind filters",
        Figure([_served(r, r.cpu) / MS for r in runs]), Goal(0.5),
    )
    table.add("  launch accepted", Figure([r.cpu["launch"] / MS for r in runs]))
    table.add("  confined, machine built too",
              Figure([r.cpu["confined"] / MS for r in runs]))
    table.show()


def _wall_table(runs, without, goal, unit, scale):
    table = Table(
        1, "exec of kiln-vmm to ready, filters on", unit,
        f"{len(runs)} runs, spawn to the phase lines of kiln-vmm; there is no"
        " API socket yet: ready is",
    )
    table.note("launch accepted + every thread made and behind its filter,"
               " the machine's own building left out")
    table.add("ready", Figure([_served(r, r.stamps) / scale for r in runs]),
              goal)
    table.add("  the same without filters (seccomp = off)",
              Figure([_served(r, r.stamps) / scale for r in without]))
    table.add("  page faults in the whole life",
              Figure([r.faults for r in runs]), digits=0)
    previous = None
    for phase in PHASES:
        table.add(
            f"  {previous or 'exec'} to {phase}",
            Figure([r.wall(phase, previous) / scale for r in runs]),
            digits=3,
        )
        previous = phase
    table.add("  exec to confined, machine built too",
              Figure([r.wall("confined") / scale for r in runs]), digits=3)
    table.show()


def show(machine, bare, count):
    """bare: the same machine without filters."""
    runs, without = machine.spawn(count), bare.spawn(count)
    if measure.IN_LAB:
        _wall_table(runs, without, Goal(0.45), "M instructions",
                    M_INSTRUCTIONS)
        return
    _wall_table(runs, without, Goal(0.5), "ms", MS)
    _cpu_table(machine.spawn(count, one_cpu=True), 1)
