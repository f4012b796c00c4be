# SPDX-License-Identifier: Apache-2.0
"""profiles/examples/: each does what its text says, as it is."""

import subprocess

import pytest

from conftest import ROOT

FOLDER = ROOT / "profiles/examples"
EXAMPLES = sorted(FOLDER.glob("*.ini"))
# Those that root cannot run as they are
NEEDS_A_USER = {"rootless"}


def test_there_are_some():
    assert {path.stem for path in EXAMPLES} >= {"hello", "disk", "network",
                                                "limits", "rootless"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_right(kiln, path):
    done = subprocess.run([kiln, "check", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout + done.stderr


@pytest.mark.parametrize("path", [
    path for path in EXAMPLES if path.stem not in NEEDS_A_USER
], ids=lambda path: path.stem)
def test_it_runs(run_vm, path):
    end = run_vm(path)
    assert end.status == 0, end
    assert "Hello from kiln: Linux" in end.output
    assert "kiln-guest: exit status 0" in end.output
    assert end.errors == ""


def test_network_example_is_on_the_network(start_vm):
    """The guest answers while it runs."""
    path = FOLDER / "network.ini"
    running = start_vm(path, "--set", "kernel.cmdline_append=quiet "
                       "ip=172.16.0.2::172.16.0.1:255.255.255.252:x:eth0:off "
                       "kiln.end=wait")
    running.wait_for("kiln-guest: exit status 0")
    done = subprocess.run(["ping", "-c", "3", "172.16.0.2"], check=False,
                          capture_output=True, text=True)
    assert "3 received" in done.stdout
    running.process.terminate()
    running.end()
