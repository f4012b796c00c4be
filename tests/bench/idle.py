# SPDX-License-Identifier: Apache-2.0
"""Row 15: size of the VMM, what an idle machine costs, and whether anything is
allocated once the guest runs."""

import os
import pathlib
import re
import subprocess
import tempfile
import time

import measure
from jailed import Jailed
from report import Goal, Table

IDLE_S = float(os.environ.get("KILN_IDLE_S", "10"))
SWITCHES = re.compile(r"ctxt_switches:\s+(\d+)")
ALLOCATES = re.compile(r"\b(mmap|brk|mremap|munmap|clone3?)\(")
DISK_BYTES = 1 << 20


def _switches(pid):
    """Times that any thread of a process was given a CPU."""
    return sum(
        int(count)
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir()
        for count in SWITCHES.findall((task / "status").read_text("ascii"))
    )


def _cpu_ms(pid):
    """The process's CPU clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2) * 1000


def _show_idle():
    with Jailed() as machine:
        pids = {"VMM": machine.vmm, "supervisor": machine.kiln}
        before = {n: (_switches(p), _cpu_ms(p)) for n, p in pids.items()}
        time.sleep(IDLE_S)
        after = {n: (_switches(p), _cpu_ms(p)) for n, p in pids.items()}
    table = Table(
        15, "an idle machine", f"in {IDLE_S:g} s",
        "`kiln run` with a halted guest: context switches of every thread, CPU"
        " clock of the process (KILN_IDLE_S=60 for a longer look)",
    )
    for name in pids:
        table.add(f"{name}: wake-ups", after[name][0] - before[name][0],
                  Goal(0, 0), digits=0)
        table.add(f"{name}: CPU, ms", after[name][1] - before[name][1],
                  Goal(0, 0), digits=3)
    table.show()


def _calls_after_start():
    """System calls of the VMM while a guest drives its disk."""
    with tempfile.NamedTemporaryFile() as disk, tempfile.NamedTemporaryFile(
        "r", encoding="utf-8"
    ) as out:
        disk.truncate(DISK_BYTES)
        drive = {"id": "d", "path": disk.name}
        kernel = measure.vmm.BARE / "block.elf"
        with measure.Machine(kernel, drives=[drive],
                             cmdline=f"sectors={DISK_BYTES >> 9}") as machine:
            machine.argv = ["/usr/bin/strace", "-f", "-o", out.name,
                            *machine.argv]
            machine.spawn(1)
        lines = out.read().splitlines()
    starts = [i for i, line in enumerate(lines) if '"phase started' in line]
    if not starts:
        raise measure.Failed("no start in the trace")
    return lines[starts[0]:]


def _show_size():
    words = subprocess.run(["size", measure.VMM], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()[1].split()
    calls = _calls_after_start()
    table = Table(15, "size and allocations", "KiB or count",
                  "the stripped file and size(1); strace -f of a guest that"
                  " reads and writes a disk")
    table.add("kiln-vmm: file, KiB", measure.VMM.stat().st_size / 1024,
              Goal(256, 0), digits=1)
    for name, value in zip(("text", "data", "bss"), words):
        table.add(f"  {name}, KiB", int(value) / 1024, digits=1)
    table.add("kiln: file, KiB", measure.KILN.stat().st_size / 1024, digits=1)
    table.add(f"mmap, brk, clone after the start, of {len(calls)} calls",
              sum(bool(ALLOCATES.search(line)) for line in calls),
              Goal(0, 0), digits=0)
    table.show()


def show():
    _show_size()
    _show_idle()
