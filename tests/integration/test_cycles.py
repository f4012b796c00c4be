# SPDX-License-Identifier: Apache-2.0
"""Start and stop, again and again: nothing of it may stay on the host.

A bare guest in the real jail with the real VMM, so that any /dev/kvm will do.
KILN_CYCLES: how many times.
"""

import os
import pathlib
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT

sys.path.append(str(ROOT / "tests"))
import host_state  # noqa: E402 (shared with other suites)

CYCLES = int(os.environ.get("KILN_CYCLES", "200"))
TIMEOUT_S = 60  # only against hangs
HELLO = b"ok hello\ndone 1 ok 0 failed\n"


@pytest.fixture
def netns():
    """A network namespace of the test's own, by its path."""
    name = f"kiln-cycles-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield pathlib.Path("/run/netns") / name
    subprocess.run(["ip", "netns", "del", name], check=True)


@pytest.fixture
def ini(tmp_path, netns):
    """A machine with one of each that kiln makes or holds."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4096))
    text = (f"[machine]\nmemory = 16M\nvcpus = 2\n"
            f"[kernel]\nimage = {BUILD}/guest/bare/hello.elf\n"
            f"[drive disk]\npath = {disk}\n")
    if os.path.exists("/dev/net/tun"):
        text += f"[net eth0]\ntap = auto\nnetns = {netns}\n"
    path = tmp_path / f"cycle{os.getpid()}.ini"
    path.write_text(text)
    return path


def links(netns):
    done = subprocess.run(["ip", "-n", netns.name, "-o", "link"], check=True,
                          capture_output=True, text=True)
    return done.stdout.count("\n")


def cycle(ini):
    done = subprocess.run([BUILD / "kiln", "run", ini], timeout=TIMEOUT_S,
                          stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, HELLO, b"")


def count_all(netns):
    """How much there is of what could leak, beyond what host_state compares."""
    return {"own descriptors": len(os.listdir("/proc/self/fd")),
            "links": links(netns)}


@pytest.mark.parametrize("ids", ["one id", "ever new ids"])
def test_nothing_leaks(ini, netns, ids):
    cycle(ini)  # what stays once and for all, such as kiln's own cgroup
    before, counts = host_state.snapshot(BUILD), count_all(netns)
    for i in range(CYCLES // 2):
        if ids != "one id":
            ini = ini.rename(ini.with_name(f"cycle{os.getpid()}-{i}.ini"))
        cycle(ini)
    assert host_state.new_since(before, BUILD) == {}
    assert count_all(netns) == counts
