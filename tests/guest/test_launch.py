# SPDX-License-Identifier: Apache-2.0
"""The launch contract: everything that is not exactly right is refused, before
anything is done, and by name (vmm/launch/handoff.h)."""

import fcntl
import json
import os

import pytest

import vmm

ALL_SEALS = {
    "F_SEAL_SEAL": fcntl.F_SEAL_SEAL,
    "F_SEAL_SHRINK": fcntl.F_SEAL_SHRINK,
    "F_SEAL_GROW": fcntl.F_SEAL_GROW,
    "F_SEAL_WRITE": fcntl.F_SEAL_WRITE,
}


def refused(bend, *words, code=vmm.EXIT_LAUNCH, **machine):
    """Launch hello as `bend` has left it; it must be refused in one line that
    has all of the words."""

    def launch(fds):
        one = vmm.Launch(fds, guest="hello", **machine)
        bend(one)
        return one

    with vmm.Vmm(launch) as vm:
        return judge(vm.wait(), code, words)


def judge(result, code, words):
    assert result.code == code, result
    assert result.console == b"", result
    assert result.stderr.startswith("kiln-vmm: "), result
    assert result.stderr.count("\n") == 1, result
    for word in words:
        assert word in result.stderr, result
    return result


def document(fds):
    """A document that would be accepted, with its descriptors' numbers."""
    return vmm.Launch(fds, guest="hello").document


# ---- the memfd ---------------------------------------------------------------


def launch_with_memfd(make, *words):
    with vmm.Vmm(launch_fd=make(), guest="hello") as vm:
        judge(vm.wait(), vmm.EXIT_LAUNCH, words)


@pytest.fixture
def ready_bytes():
    """What the launcher would send for hello with the usual descriptors."""
    numbers = ["kvm", "kernel", "status", "console-in", "console-out"]
    return json.dumps(
        {
            "version": 1,
            "vm": {"id": "test"},
            "fds": [{"role": r, "fd": 3 + i} for i, r in enumerate(numbers)],
        }
    ).encode()


@pytest.fixture
def memfd():
    made = []

    def make(data, seals=vmm.SEALS):
        made.append(vmm.sealed_memfd(data, seals))
        return made[-1]

    yield make
    for fd in made:
        os.close(fd)


def test_this_memfd_is_fine_when_sealed(memfd, ready_bytes):
    with vmm.Vmm(launch_fd=memfd(ready_bytes), guest="hello") as vm:
        vm.wait().require("hello")


def test_unsealed(memfd, ready_bytes):
    launch_with_memfd(lambda: memfd(ready_bytes, 0), "not sealed", "0x0")


@pytest.mark.parametrize("missing", ALL_SEALS)
def test_one_seal_missing(memfd, ready_bytes, missing):
    seals = vmm.SEALS & ~ALL_SEALS[missing]
    launch_with_memfd(lambda: memfd(ready_bytes, seals), "not sealed", hex(seals))


def test_a_file_is_no_memfd(tmp_path, ready_bytes):
    path = tmp_path / "launch.json"
    path.write_bytes(ready_bytes)
    fd = os.open(path, os.O_RDONLY)
    try:
        launch_with_memfd(lambda: fd, "no sealed memfd")
    finally:
        os.close(fd)


def test_a_pipe_is_no_memfd():
    r, w = os.pipe()
    try:
        launch_with_memfd(lambda: r, "no sealed memfd")
    finally:
        os.close(r)
        os.close(w)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--launch-fd"],
        ["--launch-fd", "2"],
        ["--launch-fd", "256"],
        ["--launch-fd", "-1"],
        ["--launch-fd", "7x"],
        ["--launch-fd", ""],
        ["--launch-fd", "7", "more"],
        ["--api-sock", "/x"],
    ],
)
def test_bad_command_line(argv):
    with vmm.Vmm(argv=[str(vmm.VMM), *argv], guest="hello") as vm:
        result = vm.wait()
    assert result.code == vmm.EXIT_USAGE
    assert result.stderr.startswith("usage: ")


def test_launch_fd_that_is_closed():
    with vmm.Vmm(argv=[str(vmm.VMM), "--launch-fd", "200"], guest="hello") as vm:
        judge(vm.wait(), vmm.EXIT_LAUNCH, ["200", "Bad file descriptor"])


# ---- the text ------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b" ",
        b"\0",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"version":1}',
        b'{"version":1,"vm":{}}',
        b"[" * 20000,
        b'{"vm":' * 4000 + b"1" + b"}" * 4000,
        b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"version":1,"vm":{},"fds":[]}x',
        b"\xff\xfe{}",
        b'{"version":1e0,"vm":{},"fds":[]}',
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_not_a_launch_description(raw):
    refused(lambda launch: setattr(launch, "raw", raw))


def test_truncated_at_every_byte(memfd, ready_bytes):
    for length in range(1, len(ready_bytes)):
        launch_with_memfd(lambda n=length: memfd(ready_bytes[:n]))


def test_empty():
    refused(lambda launch: setattr(launch, "raw", b""), "0 bytes")


def test_oversized(ready_bytes):
    text = ready_bytes.ljust(32769)
    refused(lambda launch: setattr(launch, "raw", text), "32769", "32768")


def test_largest_that_is_allowed(memfd, ready_bytes):
    with vmm.Vmm(launch_fd=memfd(ready_bytes.ljust(32768)), guest="hello") as vm:
        vm.wait().require("hello")


# ---- its members ---------------------------------------------------------------

OBJECTS = [
    [],
    ["vm"],
    ["vm", "machine"],
    ["vm", "kernel"],
    ["vm", "entropy"],
    ["vm", "serial"],
    ["vm", "confine"],
    ["vm", "drive", 0],
    ["vm", "net", 0],
]


def reach(value, path):
    for step in path:
        value = value[step]
    return value


def with_devices(launch):
    launch.document["vm"]["drive"] = [{"id": "d"}]
    launch.document["vm"]["net"] = [{"id": "n"}]


@pytest.mark.parametrize("path", OBJECTS, ids=str)
def test_unknown_member_at_every_level(path):
    def bend(launch):
        with_devices(launch)
        reach(launch.document, path)["surprise"] = 1

    refused(bend, "unknown member 'surprise'")


def test_unknown_member_of_a_descriptor():
    def bend(launch):
        launch.document["fds"] = [{"role": "kvm", "fd": 3, "surprise": 1}]

    refused(bend, "fds")


WRONG = [
    (["version"], 2, "version"),
    (["version"], "1", "version"),
    (["vm"], [], "object"),
    (["vm", "id"], 7, "id"),
    (["vm", "id"], "", "1 to 64"),
    (["vm", "id"], "-dash", "-dash"),
    (["vm", "id"], "a/b", "a/b"),
    (["vm", "id"], "x" * 65, "64"),
    (["vm", "machine"], 1, "machine"),
    (["vm", "machine", "vcpus"], 0, "vcpus"),
    (["vm", "machine", "vcpus"], 33, "vcpus"),
    (["vm", "machine", "vcpus"], -1, "vcpus"),
    (["vm", "machine", "vcpus"], 1.5, "vcpus"),
    (["vm", "machine", "vcpus"], "1", "vcpus"),
    (["vm", "machine", "vcpus"], 1 << 64, "vcpus"),
    (["vm", "machine", "memory"], 7 << 20, "memory"),
    (["vm", "machine", "memory"], (8 << 20) + 4096, "memory"),
    (["vm", "machine", "memory"], 256 << 30, "memory"),
    (["vm", "machine", "memory"], "16M", "memory"),
    (["vm", "machine", "smt"], 1, "smt"),
    (["vm", "machine", "irqchip"], "none", "irqchip"),
    (["vm", "machine", "huge_pages"], "1G", "huge_pages"),
    (["vm", "kernel", "cmdline"], None, "cmdline"),
    (["vm", "kernel", "cmdline"], "a\tb", "cmdline"),
    (["vm", "drive"], {}, "drive"),
    (["vm", "drive"], [1], "drive"),
    (["vm", "drive"], [{}], "drive"),
    (["vm", "drive"], [{"id": "d"}] * 2, "twice"),
    (["vm", "drive"], [{"id": f"d{i}"} for i in range(17)], "drive"),
    (["vm", "net"], [{"id": "n", "mac": "01:00:00:00:00:00"}], "mac"),
    (["vm", "net"], [{"id": "n", "mac": "06:00"}], "mac"),
    (["vm", "net"], [{"id": "n", "mtu": 67}], "mtu"),
    (["vm", "net"], [{"id": f"n{i}"} for i in range(9)], "net"),
    (["vm", "entropy", "enabled"], "yes", "enabled"),
    (["vm", "confine", "seccomp"], "maybe", "seccomp"),
]


@pytest.mark.parametrize("path, value, word", WRONG, ids=lambda v: str(v)[:32])
def test_wrong_value(path, value, word):
    def bend(launch):
        reach(launch.document, path[:-1])[path[-1]] = value

    refused(bend, word)


def test_odd_number_of_threads():
    def bend(launch):
        launch.document["vm"]["machine"].update(vcpus=3, smt=True)

    refused(bend, "smt", "even")


@pytest.mark.parametrize(
    "text",
    [
        b'{"version":1,"version":1,"vm":{"id":"x"},"fds":[]}',
        b'{"version":1,"vm":{"id":"x","id":"x"},"fds":[]}',
        b'{"version":1,"vm":{"id":"x","machine":{"vcpus":1,"vcpus":2}},"fds":[]}',
        b'{"version":1,"vm":{"id":"x"},"fds":[{"role":"kvm","role":"kvm","fd":3}]}',
    ],
)
def test_member_that_occurs_twice(text):
    refused(lambda launch: setattr(launch, "raw", text), "twice")


# ---- descriptors ---------------------------------------------------------------


@pytest.mark.parametrize("role", ["kvm", "kernel"])
def test_role_that_is_missing(role):
    refused(lambda launch: launch.roles.pop(role), f"'{role}'")


@pytest.mark.parametrize(
    "kind, value", [("drive", {"id": "rootfs"}), ("net", {"id": "eth0"})]
)
def test_device_without_a_descriptor(kind, value):
    refused(
        lambda launch: launch.document["vm"].update({kind: [value]}),
        f"{kind}:{value['id']}",
    )


@pytest.mark.parametrize("role", ["drive:rootfs", "net:eth0", "surprise", "kvm2"])
def test_descriptor_without_a_device(role):
    def bend(launch):
        launch.roles[role] = launch.fds.open("/dev/null", os.O_RDWR)

    refused(bend, f"'{role}'", "belongs to no device")


def test_console_without_a_serial_port():
    def bend(launch):
        launch.roles["console-in"] = launch.fds.open("/dev/null", os.O_RDWR)

    refused(bend, "console-in", serial=False)


@pytest.mark.parametrize("number", [100, 255])
def test_open_but_not_listed(number):
    def bend(launch):
        launch.extra_fds[number] = launch.fds.open("/dev/null", os.O_RDWR)

    refused(bend, f"descriptor {number} is open but not listed")


def fds_of(*pairs):
    def bend(launch):
        launch.document["fds"] = [{"role": r, "fd": n} for r, n in pairs]

    return bend


@pytest.mark.parametrize(
    "pairs, words",
    [
        ([("kvm", 3), ("kvm", 4)], ["'kvm'", "twice"]),
        ([("kvm", 3), ("kernel", 3)], ["descriptor 3", "twice"]),
        ([("kvm", 2)], ["'kvm'", "from 3"]),
        ([("kvm", 256)], ["'kvm'", "255"]),
        ([("kvm", "3")], ["fds"]),
        ([("kvm", -3)], ["fds"]),
        ([("", 3)], ["fds"]),
        ([("r" * 80, 3)], ["fds"]),
        ([(f"r{i}", 3 + i) for i in range(41)], ["40"]),
    ],
    ids=lambda v: str(v)[:32],
)
def test_list_that_is_wrong(pairs, words):
    refused(fds_of(*pairs), *words)


def test_listed_but_not_open():
    def bend(launch):
        launch.document["fds"] = [
            {"role": role, "fd": 3 + i}
            for i, role in enumerate(
                ["kvm", "kernel", "status", "console-in", "console-out"]
            )
        ] + [{"role": "initrd", "fd": 77}]

    refused(bend, "descriptor 77", "'initrd'", "not open")


def test_kvm_that_is_not_kvm():
    def bend(launch):
        launch.roles["kvm"] = launch.fds.open("/dev/null", os.O_RDWR)

    refused(bend, "KVM", code=vmm.EXIT_VMM)


def test_the_refusal_is_told_on_the_status_pipe_too():
    result = refused(
        lambda launch: launch.document["vm"].update(drive=[{"id": "rootfs"}]),
        "drive:rootfs",
    )
    assert result.status == ["exit 5 " + result.stderr[len("kiln-vmm: ") : -1]]
