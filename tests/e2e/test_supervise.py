# SPDX-License-Identifier: Apache-2.0
"""Signals at several moments, names, the console both ways, slow readers."""

import fcntl
import itertools
import os
import signal
import subprocess
import time

import pytest

from conftest import built, config_of

CREATE = 73
KILLED = 128 + signal.SIGKILL
LINE = "x" * 63 + "\n"
FLOOD_LINES = 500
# More than the pipes and buffers between guest and reader together, if the
# reader's is a small one
BARE_FLOOD_KIB = 112
SMALL_PIPE_BYTES = 8192
CTRL_D = "\x04"
MOMENTS = {
    "at once": lambda running: None,
    "with an entry": lambda running: running.entry("pid"),
    "with a VMM": lambda running: running.vmm_pid(),
    "with a kernel": lambda running: running.wait_for("virtio-mmio"),
    "with an init": lambda running: running.wait_for("Hello from kiln"),
}
VICTIMS = ("kiln", "vmm")
SIGNALS = (signal.SIGTERM, signal.SIGKILL)
SHELL = """echo shell is up
exec setsid -c sh -i </dev/ttyS0 >/dev/ttyS0 2>&1"""


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_death(pid):
    for _ in range(1000):
        if not alive(pid):
            return
        time.sleep(0.01)
    pytest.fail(f"process {pid} lives on")


def kill(running, victim, signo):
    os.kill(running.process.pid if victim == "kiln" else running.vmm_pid(),
            signo)


def noisy(guest, cmdline):
    """The kernel's own messages show how far it is."""
    return config_of(guest, cmdline.replace(" quiet", ""))


@pytest.mark.parametrize("moment", MOMENTS)
def test_ended_then_started_again(start_vm, guest_runs, vmlinux, moment):
    """Each victim and signal in turn, always with the same id."""
    config = noisy(vmlinux, guest_runs("true", end="wait"))
    for victim, signo in itertools.product(VICTIMS, SIGNALS):
        running = start_vm(config)
        MOMENTS[moment](running)
        pid = running.vmm_pid() if victim == "vmm" else None
        kill(running, victim, signo)
        if victim == "vmm" and signo == signal.SIGTERM:
            # A VMM takes orders from its supervisor alone
            assert alive(pid)
            running.process.terminate()
        end = running.end()
        assert "in use" not in end.errors and "running" not in end.errors
        assert end.status != 0, (victim, signo, end)
        if victim == "kiln" and signo == signal.SIGKILL:
            assert end.status == -signal.SIGKILL
        if pid is not None:
            wait_for_death(pid)
    config["kernel"]["cmdline"] = guest_runs("true")
    end = start_vm(config).end()
    assert end.status == 0 and "kiln-guest: exit status 0" in end.output, end


def test_stopped_by_sigterm(start_vm, guest_runs, vmlinux):
    running = start_vm(config_of(vmlinux, guest_runs("true", end="wait")))
    running.wait_for("Hello from kiln")
    pid = running.vmm_pid()
    running.process.terminate()
    end = running.end()
    assert end.status == KILLED
    assert end.errors.count("\n") == 1 and "stopped" in end.errors
    assert not alive(pid) and not running.run_dir.exists()


def test_one_id_one_machine(start_vm, run_vm, guest_runs, vmlinux, vm_id):
    config = config_of(vmlinux, guest_runs("read line; echo got $line"))
    first = start_vm(config)
    first.wait_for("Hello from kiln")
    second = run_vm(config)
    assert second.status == CREATE
    assert second.errors.count("\n") == 1
    assert f"'{vm_id}' is running already (pid {first.process.pid})" \
        in second.errors
    first.type("go on\n")
    end = first.end()
    assert end.status == 0 and "got go on" in end.output, end


class TestTerminal:
    """A shell in the guest, on a terminal of the host."""

    @pytest.fixture
    def started(self, start_vm, guest_runs, vmlinux):
        """As (Running, the terminal's mode before)."""
        running = start_vm(config_of(vmlinux, guest_runs(SHELL)),
                           terminal=True)
        before = running.mode()
        running.wait_for("shell is up")
        assert running.mode() != before
        running.type("echo $((6 * 7)) is it\n")
        running.wait_for("42 is it")
        return running, before

    def test_keys_reach_the_guest(self, started):
        running, before = started
        # Ctrl-C is for what runs in the guest's terminal, not for kiln
        running.type("sh -c 'echo $((1 + 1)) cats; exec cat'\n")
        running.wait_for("2 cats")
        running.type("\x03")
        running.type("echo $((7 * 8)) is after\n")
        running.wait_for("56 is after")
        running.type("exit 7\n")
        end = running.end()
        assert end.status == 0 and "kiln-guest: exit status 7" in end.output
        assert running.mode() == before

    @pytest.mark.parametrize("victim, signo", [
        ("kiln", signal.SIGTERM), ("vmm", signal.SIGKILL),
    ])
    def test_terminal_comes_back(self, started, victim, signo):
        running, before = started
        kill(running, victim, signo)
        assert running.end().status == KILLED
        assert running.mode() == before

    def test_ctrl_a_x_leaves(self, started):
        running, before = started
        running.type("\x01x")
        assert running.end().status == KILLED
        assert running.mode() == before


def test_a_flood_arrives_whole(run_vm, guest_runs, vmlinux):
    flood = f"yes {LINE.strip()} | head -n {FLOOD_LINES}; echo it is over"
    end = run_vm(config_of(vmlinux, guest_runs(flood)))
    assert end.status == 0
    assert end.output.count(LINE) == FLOOD_LINES
    assert "it is over" in end.output


class TestBareFlood:
    """A guest that writes as fast as it can, a little of which is waited for.

    It is no Linux, for that would take minutes in an emulated machine.
    """

    def config(self, kib):
        kernel = built("guest/bare/serial-echo.elf", "make bare")
        return {"machine": {"memory": "16M"},
                "kernel": {"image": kernel, "cmdline": f"kib={kib}"}}

    def flood(self, running):
        running.type("ready" + CTRL_D)
        end = running.end()
        assert end.status == 0, end
        assert end.errors == ""

    def test_a_reader_that_sleeps(self, start_vm):
        """The guest is not held up, it loses what nobody takes."""
        read, write = os.pipe()
        fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, SMALL_PIPE_BYTES)
        self.flood(start_vm(self.config(BARE_FLOOD_KIB), stdout=write))
        os.close(write)
        with open(read, "rb") as file:
            got = file.read()
        assert got.startswith(b"say ready\nreadysay flood\n")
        assert len(got) < BARE_FLOOD_KIB * 1024

    def test_a_reader_that_leaves(self, start_vm):
        read, write = os.pipe()
        running = start_vm(self.config(16), stdout=write)
        os.close(write)
        os.close(read)
        self.flood(running)

    def test_no_output_at_all(self, start_vm):
        self.flood(start_vm(
            self.config(16), stdout=subprocess.DEVNULL,
            prefix=["sh", "-c", 'exec "$@" >&-', "sh"]))
