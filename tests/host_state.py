# SPDX-License-Identifier: Apache-2.0
"""What microVMs could leave on a host, to compare before and after."""

import os
import pathlib
import time

CGROUPS = (pathlib.Path("/sys/fs/cgroup"),
           pathlib.Path("/sys/fs/cgroup/unified"))
# kiln's own group and that of its supervisors stay, on purpose
KEPT_CGROUPS = {"kiln", "supervisor"}
RUN_DIRECTORIES = ("run/kiln", "run/user/*/kiln", "tmp/kiln-*")
SETTLE_S = 10


def cgroup_root():
    """Where cgroup v2 is mounted, or None."""
    for place in CGROUPS:
        if (place / "cgroup.controllers").exists():
            return place
    return None


def cgroups():
    root = cgroup_root()
    found = os.walk(root) if root else []
    return {path for path, _, _ in found
            if pathlib.Path(path).name not in KEPT_CGROUPS}


def run_directories():
    return {str(entry) for pattern in RUN_DIRECTORIES
            for base in pathlib.Path("/").glob(pattern)
            for entry in base.iterdir()}


def interfaces():
    return set(os.listdir("/sys/class/net"))


def mounts():
    """But for those of `ip netns`, which stay once one was made."""
    lines = pathlib.Path("/proc/self/mountinfo").read_text().splitlines()
    return {line for line in lines if " /run/netns" not in line}


def processes(build):
    """Those that run one of our programs, by number and name."""
    ours = {str(build / "kiln"), str(build / "kiln-vmm")}
    return {pid for pid in filter(str.isdigit, os.listdir("/proc"))
            if executable(pid) in ours}


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:  # it has ended, or is a thread of the kernel
        return None


def snapshot(build):
    """All of it, as something to compare."""
    return {
        "cgroups": cgroups(), "run directories": run_directories(),
        "interfaces": interfaces(), "mounts": mounts(),
        "processes": processes(build),
    }


def new_since(before, build):
    """What is there now and was not before: {kind: items}.

    A killed VMM is gone some time after its supervisor: wait for that.
    """
    for _ in range(SETTLE_S * 50):
        now = snapshot(build)
        new = {kind: sorted(set(items) - set(before[kind]))
               for kind, items in now.items()}
        new = {kind: items for kind, items in new.items() if items}
        if not new:
            break
        time.sleep(0.02)
    return new
