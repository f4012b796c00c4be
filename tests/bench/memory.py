# SPDX-License-Identifier: Apache-2.0
"""Row 5: memory of the VMM without the guest's, and of its supervisor."""

import os
import pathlib
import re

import measure
from jailed import Jailed
from report import Goal, Table

HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ (\S+) \S+ \S+ \S+ *(.*)$")
VALUE = re.compile(r"^(\w+): +(\d+) kB$")
RUNS = 3
LARGEST = 6


def _areas(pid):
    """[{name, perms, Size, Rss, Private_Dirty, ...}] in KiB."""
    areas = []
    path = pathlib.Path(f"/proc/{pid}/smaps")
    for line in path.read_text(encoding="ascii").splitlines():
        head, value = HEAD.match(line), VALUE.match(line)
        if head:
            areas.append({"name": head[2] or "anonymous", "perms": head[1]})
        elif value:
            areas[-1][value[1]] = int(value[2])
    return areas


def _own(pid):
    """Without guest memory: the one area of its size."""
    areas = _areas(pid)
    own = [a for a in areas if a["Size"] != measure.GUEST_MIB << 10]
    if len(own) + 1 != len(areas):
        raise measure.Failed("guest memory is not one area")
    return own


def _sum(areas, key):
    return sum(area[key] for area in areas)


def _measured(vcpus, keep):
    """Medians by key over some machines; keep gets the areas of the last."""
    found = {"Rss": [], "Private_Dirty": [], "kiln Rss": [], "kiln dirty": []}
    for _ in range(RUNS):
        with Jailed(vcpus) as machine:
            keep["vmm"], keep["kiln"] = _own(machine.vmm), _areas(machine.kiln)
        for key in ("Rss", "Private_Dirty"):
            found[key].append(_sum(keep["vmm"], key))
        found["kiln Rss"].append(_sum(keep["kiln"], "Rss"))
        found["kiln dirty"].append(_sum(keep["kiln"], "Private_Dirty"))
    return {key: measure.Figure(values) for key, values in found.items()}


def _note_largest(table, who, areas):
    largest = sorted(areas, key=lambda a: -a["Rss"])[:LARGEST]
    for area in largest:
        table.note(f"{who}: {area['Rss']:5} RSS {area['Private_Dirty']:5} dirty"
                   f" of {area['Size']:5}  {area['perms']} {area['name']}")


def show():
    os.sync()  # a program just built would count as dirty memory
    keep, most = {}, {}
    one = _measured(1, keep)
    four = _measured(4, most)
    each = (four["Private_Dirty"].median - one["Private_Dirty"].median) / 3
    table = Table(
        5, "memory beside the guest's", "KiB",
        f"smaps of a running `kiln run`, {RUNS} machines each: idle guest,"
        f" {measure.GUEST_MIB} MiB, disk, network, entropy, serial",
    )
    table.add("VMM: RSS", one["Rss"], Goal(384, 0), digits=0)
    table.add("VMM: private dirty", one["Private_Dirty"], Goal(192, 0),
              digits=0)
    table.add("VMM: RSS for each further vCPU (4 for 1)",
              (four["Rss"].median - one["Rss"].median) / 3, Goal(24, 0),
              digits=1)
    table.add("VMM: private dirty for each further vCPU", each, digits=1)
    table.add("supervisor: RSS", one["kiln Rss"], Goal(512, 0), digits=0)
    table.add("supervisor: private dirty", one["kiln dirty"], digits=0)
    _note_largest(table, "VMM", keep["vmm"])
    _note_largest(table, "supervisor", keep["kiln"])
    table.show()
