# SPDX-License-Identifier: Apache-2.0
"""The jail of a running Linux guest, seen from outside; what it may use.

What is found goes as a table to jail-table.txt in the results' directory.
"""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import RESULTS, config_of, image, ini_text
from host_state import cgroup_root, executable
from running import Running

NAME = f"jailed-{os.getpid()}"
VCPUS = 2
MIB = 1 << 20
NAMESPACES = ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup")
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
# What the VMM makes for itself, all without a name
OWN = re.compile(r"anon_inode:(kvm-vm|kvm-vcpu:\d+|\[eventfd\]|\[eventpoll\])")
LIMITS = {"cpu": "150%", "memory": "300M", "pids": "40", "cpu.weight": "50"}
KILLED = 128 + 9


class Process:
    """A process by what /proc says of it."""

    def __init__(self, pid):
        self.pid = pid
        self.directory = pathlib.Path(f"/proc/{pid}")

    def threads(self):
        """{name: {field: value}} of status, for each thread."""
        tasks = [Process.status(task / "status")
                 for task in (self.directory / "task").iterdir()]
        return {task["Name"]: task for task in tasks}

    @staticmethod
    def status(path):
        lines = (line.split(":", 1) for line in path.read_text().splitlines())
        return {name: value.strip() for name, value in lines}

    def namespace(self, kind):
        return os.readlink(self.directory / "ns" / kind)

    def root(self):
        return os.listdir(self.directory / "root")

    def mounts(self):
        return (self.directory / "mountinfo").read_text().splitlines()

    def descriptors(self):
        folder = self.directory / "fd"
        return {int(name): os.readlink(folder / name)
                for name in os.listdir(folder)}

    def interfaces(self):
        lines = (self.directory / "net/dev").read_text().splitlines()[2:]
        return [line.split(":")[0].strip() for line in lines]


@pytest.fixture(scope="module")
def jailed(kiln, guest_runs, vmlinux, tmp_path_factory):
    """A running guest with one of each, as (Running, Process of the VMM)."""
    folder = tmp_path_factory.mktemp("jailed")
    rootfs = folder / "rootfs.ext4"
    rootfs.write_bytes(image("rootfs.ext4").read_bytes())
    config = config_of(vmlinux, guest_runs("read line"), initrd=False,
                       vcpus=VCPUS)
    config["drive rootfs"] = {"path": rootfs, "root": "yes"}
    config["net eth0"] = {"tap": "auto"}
    config["cgroup"] = LIMITS
    ini = folder / f"{NAME}.ini"
    ini.write_text(ini_text(config))
    running = Running([kiln, "run", ini], f"/run/kiln/{NAME}")
    try:
        running.wait_for("Hello from kiln")
        yield running, Process(running.vmm_pid())
        running.type("go on\n")
        assert running.end().status == 0
    finally:
        running.destroy()


def explained(kiln, running):
    """{descriptor: role} that `kiln explain` announces."""
    ini = running.process.args[-1]
    text = subprocess.run([kiln, "explain", ini], check=True,
                          capture_output=True, text=True).stdout
    block = re.search(r"^17 descriptors(.*?)^18 ", text, re.M | re.S)[1]
    return {int(number): role for number, role in
            re.findall(r"^\s+(\d+) (\S+.*)$", block, re.M)}


def targets(running):
    """What a role's descriptor has to be."""
    image = str(pathlib.Path(running.process.args[-1]).parent)
    return {
        "/dev/null": "/dev/null", "messages": "pipe:", "kvm": "/dev/kvm",
        "kernel": "vmlinux", "status": "pipe:", "console-in": "pipe:",
        "console-out": "pipe:", "drive:rootfs": image, "net:eth0": "/dev/net",
    }


def test_every_thread_is_nobody(jailed):
    _, vmm = jailed
    threads = vmm.threads()
    vcpus = {f"fc_vcpu {i}" for i in range(VCPUS)}
    assert vcpus < set(threads) and len(threads) == VCPUS + 1
    for status in threads.values():
        for ids in (status["Uid"], status["Gid"]):
            assert len(set(ids.split())) == 1 and "0" not in ids.split()
        assert status["Groups"] == ""
        for name in CAPABILITIES:
            assert int(status[name], 16) == 0
        assert status["NoNewPrivs"] == "1"
        assert status["Seccomp"] == "2"
        # The one of the launch, and the thread's own over it
        assert int(status["Seccomp_filters"]) >= 2


def test_its_world_is_empty(jailed):
    _, vmm = jailed
    me = Process("self")
    for kind in NAMESPACES:
        assert vmm.namespace(kind) != me.namespace(kind), kind
    assert vmm.root() == []
    mounts = vmm.mounts()
    assert len(mounts) == 1
    assert mounts[0].split()[4] == "/"
    options = set(mounts[0].split()[5].split(","))
    assert {"ro", "nosuid", "nodev", "noexec"} <= options
    assert vmm.interfaces() == ["lo"]
    assert (vmm.directory / "environ").read_bytes() == b""
    assert os.readlink(vmm.directory / "cwd") == "/"


def test_descriptors_are_what_explain_says(jailed, kiln):
    running, vmm = jailed
    found = vmm.descriptors()
    told = explained(kiln, running)
    kinds = targets(running)
    # The description was read and closed
    assert told.pop(max(told)) == "description"
    assert max(told) + 1 not in found or OWN.fullmatch(found[max(told) + 1])
    for number, role in told.items():
        # Read once and closed: the guest has its kernel in memory
        if role == "kernel" and number not in found:
            continue
        assert kinds[role] in found[number], (number, role)
    others = {n: name for n, name in found.items() if n not in told}
    for number, name in others.items():
        assert OWN.fullmatch(name), (number, name)


def test_limits_hold(jailed):
    _, vmm = jailed
    path = (vmm.directory / "cgroup").read_text().strip().rpartition(":")[2]
    assert path == f"/kiln/{NAME}"
    group = cgroup_root() / path[1:]
    wanted = {"memory.max": str(300 * MIB), "pids.max": "40",
              "cpu.max": "150000 100000", "cpu.weight": "50"}
    for file, value in wanted.items():
        assert (group / file).read_text().strip() == value
    # Guest memory is accounted there, and every thread counted; KVM has one
    # of its own there on some kernels
    assert int((group / "memory.current").read_text()) > 8 * MIB
    members = (group / "cgroup.procs").read_text().split()
    assert [pid for pid in members if executable(pid)] == [str(vmm.pid)]
    assert int((group / "pids.current").read_text()) >= VCPUS + 1


def test_too_little_memory(run_vm, guest_runs, vmlinux):
    command = "dd if=/dev/zero of=/tmp/file bs=1M count=100; echo survived"
    config = config_of(vmlinux, guest_runs(command), memory="256M")
    end = run_vm({**config, "cgroup": {"memory": "80M"}})
    assert end.status == KILLED, end
    assert "Hello from kiln" in end.output and "survived" not in end.output
    foreseen, killed = end.errors.splitlines()
    assert "warning: [cgroup] memory: 80 MiB" in foreseen
    assert "out of the memory its cgroup allows" in killed


def rows(vmm, running, kiln):
    """The table's, as (what, what the jailed process has of it)."""
    threads = vmm.threads()
    one = threads["fc_vcpu 0"]
    yield "uid, gid", f"{one['Uid'].split()[0]}, {one['Gid'].split()[0]}"
    yield "capabilities", "none, in all five sets"
    yield "no_new_privs", one["NoNewPrivs"]
    for name, status in sorted(threads.items()):
        yield (f"seccomp of '{name}'",
               f"mode {status['Seccomp']}, {status['Seccomp_filters']} filters")
    for kind in NAMESPACES:
        yield f"namespace {kind}", "its own"
    yield "files below /", ", ".join(vmm.root()) or "none"
    for mount in vmm.mounts():
        yield "mount", mount
    yield "interfaces", ", ".join(vmm.interfaces())
    environ = (vmm.directory / "environ").read_bytes()
    yield "environment", environ.decode() or "empty"
    yield "cgroup", (vmm.directory / "cgroup").read_text().splitlines()[-1]
    told = explained(kiln, running)
    for number, name in sorted(vmm.descriptors().items()):
        role = told.get(number) if not OWN.fullmatch(name) else None
        yield f"descriptor {number}", f"{name}{f' ({role})' if role else ''}"


def test_table_for_the_record(jailed, kiln):
    running, vmm = jailed
    lines = [f"{what:24} {value}" for what, value in rows(vmm, running, kiln)]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "jail-table.txt").write_text("\n".join(lines) + "\n")
    assert len(lines) > 20
