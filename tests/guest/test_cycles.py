# SPDX-License-Identifier: Apache-2.0
"""Start, run, end, again and again: nothing stays behind."""

import os

import vmm
from conftest import open_fds

CYCLES = int(os.environ.get("KILN_CYCLES", "200"))
WARM_UP = 20


def resident_kib():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise AssertionError("no VmRSS")


def children():
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return file.read().split()


def test_cycles(record_testsuite_property, capsys):
    for _ in range(WARM_UP):
        vmm.run("hello").require("hello")
    fds, memory = set(open_fds()), resident_kib()
    for _ in range(CYCLES):
        result = vmm.run("hello")
        assert result.lines == ["ok hello", "done 1 ok 0 failed"], result
        assert result.code == vmm.EXIT_OK
    record_testsuite_property("cycles", CYCLES)
    with capsys.disabled():
        print(f"\n{CYCLES} start/stop cycles", end=" ")
    assert set(open_fds()) == fds
    assert children() == []
    # A leak of one page a cycle would show.
    assert resident_kib() - memory < max(2048, CYCLES * 2)
