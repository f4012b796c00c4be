# SPDX-License-Identifier: Apache-2.0
"""Start, supervision, ends, and what is left after each."""

import fcntl
import os
import pathlib
import pty
import random
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import (BUILD, TIMEOUT_S, USER, alive, cgroup_has, cgroup_root,
                      taps, wait_for)

STEPS = ["identity", "kvm", "kernel", "drives", "vmm", "registry", "locks",
         "cgroup", "taps", "channels", "description", "namespaces", "id-maps",
         "session", "root", "limits", "descriptors", "capabilities", "flags",
         "seccomp", "exec"]
PLANNED_ONLY = {"identity"}  # it does nothing, so it cannot fail to


def started(vm, *script, **options):
    """A run whose VMM has reached its script."""
    run = vm.start("ready", *script, **options)
    pid = vm.vmm_pid()
    wait_for(lambda: pathlib.Path(f"/proc/{pid}/comm").exists() and
             os.readlink(f"/proc/{pid}/exe").endswith("fake_vmm"), "exec")
    return run, pid


@pytest.mark.parametrize("step", STEPS)
def test_a_failing_step_leaves_nothing(make_vm, folder, step):
    vm = make_vm(program="integration/kiln-fail")
    (folder / "disk").write_bytes(bytes(4096))
    vm.add("drive d", f"path = {folder}/disk")
    if os.path.exists("/dev/net/tun"):
        vm.add("net n", "tap = auto", "address = 192.0.2.1/30")
    vm.env = {"KILN_FAIL_STEP": step}
    status, _, errors = vm.run("exit 0")
    if step in PLANNED_ONLY:
        assert status == 0
        return
    assert status in (66, 69, 73, 125, 126), errors
    assert errors.count("\n") == 1
    assert "told to fail" in errors and "Input/output error" in errors
    assert vm.remains() == []
    # And nothing is in the way of the next start.
    vm.env = {}
    assert vm.run("exit 0")[0] == 0


def test_steps_are_all_listed_above(vm):
    _, out, _ = vm.run(command="explain")
    names = [line.split()[1] for line in out.splitlines()
             if line[:2].strip().isdigit() and line[2] == " "]
    assert names == STEPS


@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 5, 42])
def test_exit_status_of_the_vmm_passes_through(vm, status):
    found, _, errors = vm.run(f"exit {status}")
    assert found == status
    assert errors.count("\n") == (0 if status == 0 else 1), errors
    assert vm.remains() == []


@pytest.mark.parametrize("status", [64, 78, 125, 137, 255])
def test_a_vmm_cannot_forge_a_status_of_kiln(vm, status):
    found, _, errors = vm.run(f"exit {status}")
    assert found == 1
    assert f"the VMM ended with status {status}" in errors


@pytest.mark.parametrize("section", ["jail", "net.e"])
def test_a_pipe_as_network_namespace_is_refused_at_once(vm, tmp_path, section):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    status, _, errors = vm.run(arguments=["--set", f"{section}.netns={pipe}"])
    assert status in (73, 125)
    assert f"'{pipe}' is not a network namespace" in errors
    assert vm.remains() == []


def test_reason_of_the_end_is_said_once(vm):
    status, _, errors = vm.run("reason 3", "exit 3")
    assert status == 3
    assert errors == f"kiln: {vm.id}: told to\n"


def test_death_by_signal(vm):
    status, _, errors = vm.run("crash")
    assert status == 128 + signal.SIGSEGV
    assert "killed by signal 11 (SIGSEGV)" in errors
    run, pid = started(vm, "wait")
    os.kill(pid, signal.SIGKILL)
    _, errors = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == 128 + signal.SIGKILL
    assert b"killed by signal 9 (SIGKILL)" in errors
    assert vm.remains() == []


def test_hostile_bytes_are_made_harmless(vm):
    status, out, errors = vm.run("noise", "exit 1")
    assert status == 1 and out == ""
    assert "\\x1b[31mred" in errors and "\\xff\\xfe back\\x08space" in errors
    assert all(32 <= ord(c) < 127 or c == "\n" for c in errors), errors


def test_a_flood_of_messages_is_cut(vm):
    status, _, errors = vm.run("flood", "exit 0")
    assert status == 0
    assert len(errors) < 256 * 1024
    assert errors.count("too many messages") == 1


def test_same_id_twice_names_the_owner(vm):
    run, _ = started(vm, "wait")
    status, _, errors = vm.run("wait")
    assert status == 73
    assert f"(pid {run.pid})" in errors and vm.id in errors
    assert (vm.run_dir / "pid").read_text() == f"{run.pid}\n"
    run.communicate(b"x", timeout=TIMEOUT_S)
    assert run.returncode == 0
    assert vm.remains() == []


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a\nb", "", "-x",
                                  "x" * 65, "../../etc"])
def test_ids_that_are_no_names_are_refused(vm, name):
    status, _, errors = vm.run("exit 0", arguments=["--id", name])
    assert status in (64, 78), errors
    assert errors != ""
    assert vm.remains() == []


def test_links_in_the_run_directory_are_not_followed(vm, folder):
    victim = folder / "victim"
    victim.mkdir()
    (victim / "pid").write_text("precious")
    vm.run_dir.parent.mkdir(mode=0o700, exist_ok=True)
    vm.run_dir.symlink_to(victim)
    try:
        status, _, errors = vm.run("exit 0")
        assert status == 73, errors
        assert (victim / "pid").read_text() == "precious"
    finally:
        vm.run_dir.unlink()


def test_a_run_directory_of_others_is_refused(rootless):
    base = rootless.run_dir.parent
    base.mkdir(mode=0o777)
    base.chmod(0o777)
    status, _, errors = rootless.run("exit 0")
    assert status == 77 and "only uid" in errors


def test_no_kvm_device(vm):
    vm.prefix = ["unshare", "--mount", "sh", "-ec",
                 'mount -t tmpfs dev /dev; exec "$@"', "sh"]
    status, _, errors = vm.run("exit 0")
    assert status == 69
    assert "no /dev/kvm" in errors
    assert vm.remains() == []


def test_kvm_device_without_permission(rootless):
    rootless.prefix[4] = rootless.prefix[4].replace(
        "mknod -m 666 /dev/kvm", "mknod -m 660 /dev/kvm")
    status, _, errors = rootless.run("exit 0")
    assert status == 77
    assert "no permission to open /dev/kvm" in errors and "group" in errors


def test_a_file_in_place_of_the_kvm_device(vm):
    vm.prefix = ["unshare", "--mount", "sh", "-ec",
                 'mount -t tmpfs dev /dev; : > /dev/kvm; exec "$@"', "sh"]
    status, _, errors = vm.run("exit 0")
    assert status == 69 and "not the KVM device" in errors


def without_cgroups(vm):
    vm.prefix = ["unshare", "--mount", "sh", "-ec",
                 'mount -t tmpfs none /sys/fs/cgroup; exec "$@"', "sh"]
    return vm


def test_no_cgroup_is_fine_without_limits(vm):
    status, out, _ = without_cgroups(vm).run(command="explain")
    assert status == 0 and "no cgroup v2 is mounted" in out
    assert vm.run("exit 0")[0] == 0


def test_no_cgroup_with_a_limit_is_an_error(vm):
    vm.add("cgroup", "memory = 300M")
    status, _, errors = without_cgroups(vm).run("exit 0")
    assert status == 73 and "no cgroup v2" in errors
    assert vm.remains() == []


@pytest.mark.skipif(cgroup_root() is None or cgroup_has("memory"),
                    reason="cgroup v2 has the memory controller here")
def test_missing_controller_is_named(vm):
    vm.add("cgroup", "memory = 300M")
    status, _, errors = vm.run("exit 0")
    assert status == 73 and "no controller 'memory'" in errors
    assert vm.remains() == []


@pytest.mark.skipif(not cgroup_has("cpu", "memory", "pids"),
                    reason="cgroup v2 lacks cpu, memory or pids here")
def test_limits_are_written(vm):
    vm.add("cgroup", "memory = 300M", "cpu = 150%", "pids = 40")
    run, _ = started(vm, "wait")
    leaf = pathlib.Path((vm.run_dir / "cgroup").read_text())
    assert (leaf / "memory.max").read_text() == f"{300 << 20}\n"
    assert (leaf / "memory.oom.group").read_text() == "1\n"
    assert (leaf / "cpu.max").read_text() == "150000 100000\n"
    assert (leaf / "pids.max").read_text() == "40\n"
    run.communicate(b"x", timeout=TIMEOUT_S)
    assert vm.remains() == []


@pytest.mark.skipif(not cgroup_has("memory"),
                    reason="cgroup v2 lacks memory here")
def test_out_of_memory_is_said(vm):
    vm.add("cgroup", "memory = 16M", "memory.swap.max = 0")
    status, _, errors = vm.run("eat 64", "exit 0")
    assert status == 137
    assert "out of the memory its cgroup allows" in errors
    assert vm.remains() == []


@pytest.fixture
def delegated():
    """A cgroup that a plain user may divide, with the test's shell in it."""
    root = cgroup_root()
    if root is None or not cgroup_has("memory", "pids"):
        pytest.skip("cgroup v2 lacks memory or pids here")
    group = root / f"kiln-test-{os.getpid()}"
    (root / "cgroup.subtree_control").write_text("+memory +pids")
    group.mkdir()
    for path in (group, group / "cgroup.procs",
                 group / "cgroup.subtree_control"):
        os.chown(path, USER, USER)
    yield group
    for leaf in sorted(group.glob("**/*"), reverse=True):
        if leaf.is_dir():
            leaf.rmdir()
    group.rmdir()


def test_limits_without_root_in_a_delegated_cgroup(rootless, delegated):
    """kiln moves out of the group that it then divides."""
    rootless.prefix = ["sh", "-ec", f"echo 0 > {delegated}/cgroup.procs;"
                       'exec "$@"', "sh", *rootless.prefix]
    rootless.add("cgroup", "memory = 300M", "pids = 40")
    run, pid = started(rootless, "wait")
    leaf = delegated / rootless.id
    assert (leaf / "memory.max").read_text() == f"{300 << 20}\n"
    assert (leaf / "cgroup.procs").read_text() == f"{pid}\n"
    run.communicate(b"x", timeout=TIMEOUT_S)
    assert run.returncode == 0
    assert not leaf.exists()


@pytest.mark.skipif(cgroup_root() is None, reason="no cgroup v2 here")
def test_limits_without_root_or_delegation_are_refused(rootless):
    rootless.add("cgroup", "pids = 40")
    status, _, errors = rootless.run("exit 0")
    assert status in (73, 77), errors
    assert "cgroup" in errors
    assert rootless.remains() == []


@pytest.mark.skipif(not cgroup_has("hugetlb"), reason="no hugetlb controller")
def test_raw_controller_files(vm):
    vm.add("cgroup", "hugetlb.2MB.max = 0")
    run, _ = started(vm, "wait")
    leaf = pathlib.Path((vm.run_dir / "cgroup").read_text())
    assert (leaf / "hugetlb.2MB.max").read_text() == "0\n"
    run.communicate(b"x", timeout=TIMEOUT_S)
    assert vm.remains() == []


def test_two_writers_of_one_drive(make_vm, folder):
    (folder / "disk").write_bytes(bytes(4096))
    first, second, reader = make_vm(), make_vm(), make_vm()
    for each in (first, second, reader):
        each.add("drive root", f"path = {folder}/disk",
                 f"read_only = {'yes' if each is reader else 'no'}")
    run, _ = started(first, "wait")
    for other in (second, reader):
        status, _, errors = other.run("exit 0")
        assert status == 66
        assert "drive 'root'" in errors and "in use" in errors
        assert other.remains() == []
    run.communicate(b"x", timeout=TIMEOUT_S)
    run, _ = started(reader, "wait")
    assert second.run("exit 0")[0] == 66
    run.communicate(b"x", timeout=TIMEOUT_S)
    assert second.run("exit 0")[0] == 0


def test_two_readers_of_one_drive(make_vm, folder):
    (folder / "disk").write_bytes(bytes(4096))
    first, second = make_vm(), make_vm()
    for each in (first, second):
        each.add("drive root", f"path = {folder}/disk", "read_only = yes")
    run, _ = started(first, "wait")
    assert second.run("exit 0")[0] == 0
    run.communicate(b"x", timeout=TIMEOUT_S)


@pytest.mark.parametrize("kind", ["pipe", "directory", "nothing"])
def test_a_drive_or_kernel_that_is_none(vm, folder, kind):
    path = folder / "thing"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    vm.add("drive d", f"path = {path}", "read_only = yes")
    status, _, errors = vm.run("exit 0")
    assert status == 66 and "drive 'd'" in errors and "thing" in errors
    vm.sections.pop("drive d")
    vm.sections["kernel"] = [f"image = {path}"]
    status, _, errors = vm.run("exit 0")
    assert status == 66 and "kernel" in errors and "thing" in errors


def test_sigterm_reaches_a_vmm_that_listens(vm):
    run, _ = started(vm, "term", "wait", "wait")
    wait_for(lambda: catches(vm.vmm_pid(), signal.SIGTERM), "its handler")
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == 0
    assert vm.remains() == []


def state_of(pid):
    text = pathlib.Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]


def catches(pid, signo):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> (signo - 1) & 1 == 1
    return False


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGINT,
                                   signal.SIGHUP, signal.SIGQUIT])
def test_a_vmm_that_does_not_listen_is_killed(vm, signo):
    run, pid = started(vm, "wait")
    run.send_signal(signo)
    _, errors = run.communicate(timeout=TIMEOUT_S)
    assert run.returncode == 137
    assert b"stopped (SIGKILL)" in errors
    assert not alive(pid)
    assert vm.remains() == []


def test_death_of_kiln_is_death_of_the_vmm(vm):
    run, pid = started(vm, "wait")
    run.kill()
    run.wait()
    wait_for(lambda: not alive(pid), "death of the VMM")
    assert vm.run_dir.exists()
    assert vm.run("exit 0")[0] == 0
    assert vm.remains() == []


@pytest.mark.parametrize("seed", range(12))
def test_killed_at_any_moment_then_started_again(vm, folder, seed):
    dice = random.Random(seed)
    (folder / "disk").write_bytes(bytes(4096))
    vm.add("drive d", f"path = {folder}/disk")
    if os.path.exists("/dev/net/tun"):
        vm.add("net n", "tap = auto")
    run = vm.start("wait")
    time.sleep(dice.uniform(0, 0.012))
    victim = dice.choice(["kiln", "vmm"])
    path = vm.run_dir / "vmm_pid"
    try:
        pid = int(path.read_text())
    except (FileNotFoundError, ValueError):
        victim = "kiln"
    if victim == "kiln":
        run.send_signal(dice.choice([signal.SIGKILL, signal.SIGTERM]))
    else:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    run.communicate(timeout=TIMEOUT_S)
    status, _, errors = vm.run("exit 0")
    assert status == 0, errors
    assert vm.remains() == []


@pytest.mark.skipif(not os.path.exists("/dev/net/tun"),
                    reason="no /dev/net/tun here")
class TestTaps:
    @pytest.fixture
    def netns(self):
        """A network namespace of the test's own."""
        name = f"kiln-test-{os.getpid()}"
        subprocess.run(["ip", "netns", "add", name], check=True)
        yield name
        subprocess.run(["ip", "netns", "del", name], check=True)

    @staticmethod
    def ip(netns, *arguments):
        return subprocess.run(["ip", "-n", netns, *arguments], check=True,
                              capture_output=True, text=True).stdout

    def test_auto_tap_is_made_and_removed(self, vm, netns):
        vm.prefix = ["ip", "netns", "exec", netns]
        vm.add("net eth0", "tap = auto", "address = 192.0.2.1/30",
               "mtu = 1400")
        run, _ = started(vm, "wait")
        text = self.ip(netns, "addr", "show", f"kiln-{vm.id}-0")
        assert "192.0.2.1/30" in text and "mtu 1400" in text
        assert ",UP," in text
        details = self.ip(netns, "-d", "link", "show", f"kiln-{vm.id}-0")
        assert "tun type tap" in details and "user root" in details
        assert f"alias {vm.id}" in details and "vnet_hdr on" in details
        assert "persist on" in details
        run.communicate(b"x", timeout=TIMEOUT_S)
        assert "kiln" not in self.ip(netns, "link")
        assert vm.remains() == []

    def test_tap_in_a_namespace_given_by_path(self, logged, netns):
        logged.add("net eth0", "tap = auto", f"netns = /run/netns/{netns}")
        before = taps()
        seen = logged.report()
        assert seen["fds"]["5"]["rdev"] == os.makedev(10, 200)
        assert seen["interfaces"] == ["lo"]
        assert taps() == before
        assert "kiln" not in self.ip(netns, "link")

    def test_stale_tap_of_a_killed_kiln_is_swept(self, vm, netns):
        vm.add("net eth0", "tap = auto", f"netns = /run/netns/{netns}")
        run, pid = started(vm, "wait")
        run.kill()
        run.wait()
        wait_for(lambda: not alive(pid), "death of the VMM")
        assert f"kiln-{vm.id}-0" in self.ip(netns, "link")
        assert vm.run("exit 0")[0] == 0
        assert "kiln" not in self.ip(netns, "link")

    def test_a_tap_that_is_there_is_used_and_stays(self, make_vm, netns):
        first, second = make_vm(), make_vm()
        self.ip(netns, "tuntap", "add", "tap7", "mode", "tap", "vnet_hdr")
        for each in (first, second):
            each.prefix = ["ip", "netns", "exec", netns]
            each.add("net eth0", "tap = tap7")
        run, pid = started(first, "wait")
        status, _, errors = second.run("exit 0")
        assert status == 73
        assert f"tap 'tap7' is in use by process {pid}" in errors
        run.communicate(b"x", timeout=TIMEOUT_S)
        assert "tap7" in self.ip(netns, "link")
        assert second.run("exit 0")[0] == 0

    def test_a_tap_that_is_not_there(self, vm, netns):
        vm.prefix = ["ip", "netns", "exec", netns]
        vm.add("net eth0", "tap = nix0")
        status, _, errors = vm.run("exit 0")
        assert status == 73
        assert "no interface 'nix0'" in errors and "ip tuntap add" in errors
        assert "nix0" not in self.ip(netns, "link")

    def test_an_interface_that_is_no_tap(self, vm, netns):
        vm.prefix = ["ip", "netns", "exec", netns]
        vm.add("net eth0", "tap = lo")
        status, _, errors = vm.run("exit 0")
        assert status == 73 and "is no tap" in errors

    def test_the_name_is_taken(self, vm, netns):
        vm.prefix = ["ip", "netns", "exec", netns]
        vm.add("net eth0", "tap = auto")
        self.ip(netns, "tuntap", "add", f"kiln-{vm.id}-0", "mode", "tap")
        status, _, errors = vm.run("exit 0")
        assert status == 73 and "exists already" in errors
        assert f"kiln-{vm.id}-0" in self.ip(netns, "link")


def test_console_both_ways(vm):
    run = vm.start("echo")
    out, errors = run.communicate(b"hello\x01x guest\n", timeout=TIMEOUT_S)
    # Not a terminal, so that every byte passes, Ctrl-A included.
    assert out == b"hello\x01x guest\n", errors
    assert run.returncode == 0


def test_end_of_input_does_not_end_the_vm(vm):
    run, pid = started(vm, "wait", stdin=subprocess.DEVNULL)
    time.sleep(0.05)
    assert alive(pid) and run.poll() is None
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=TIMEOUT_S)


def test_a_reader_that_sleeps_does_not_hang_the_vm(vm):
    read, write = os.pipe()
    run = vm.start("output", "exit 7", stdout=write)
    os.close(write)
    assert run.wait(timeout=TIMEOUT_S) == 7
    os.close(read)
    assert vm.remains() == []


def test_a_reader_that_leaves_does_not_hang_the_vm(vm):
    read, write = os.pipe()
    os.close(read)
    run = vm.start("output", "exit 7", stdout=write)
    os.close(write)
    assert run.wait(timeout=TIMEOUT_S) == 7


class TestTerminal:
    @pytest.fixture
    def terminal(self, vm):
        """kiln in front on a terminal of its own."""
        self.main, side = pty.openpty()
        self.before = termios.tcgetattr(side)
        self.side = side

        def start(*script):
            def take_terminal():
                os.setsid()
                fcntl.ioctl(side, termios.TIOCSCTTY, 0)
            run = vm.start("ready", *script, stdin=side, stdout=side,
                           preexec_fn=take_terminal)
            vm.vmm_pid()
            wait_for(lambda: not self.echoes(), "raw mode")
            return run
        yield start
        os.close(side)
        os.close(self.main)

    def echoes(self):
        return termios.tcgetattr(self.side)[3] & termios.ECHO != 0

    def read_all(self):
        text = b""
        while select.select([self.main], [], [], 0.2)[0]:
            text += os.read(self.main, 4096)
        return text

    def test_keys_pass_and_the_terminal_comes_back(self, terminal):
        run = terminal("echo")
        # Raw: Ctrl-C and Ctrl-Z are for the guest; Ctrl-A Ctrl-A is one.
        os.write(self.main, b"a\x03\x1a\x01\x01b\n")
        run.communicate(timeout=TIMEOUT_S)
        assert run.returncode == 0
        assert self.read_all() == b"a\x03\x1a\x01b\r\n"
        assert termios.tcgetattr(self.side) == self.before

    def test_ctrl_a_x_leaves(self, terminal):
        run = terminal("wait", "wait")
        os.write(self.main, b"\x01x")
        run.communicate(timeout=TIMEOUT_S)
        assert run.returncode == 137
        assert termios.tcgetattr(self.side) == self.before

    @pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGSEGV,
                                       signal.SIGABRT])
    def test_comes_back_after_a_signal(self, vm, terminal, signo):
        run = terminal("wait")
        run.send_signal(signo)
        run.communicate(timeout=TIMEOUT_S)
        assert run.returncode != 0
        assert termios.tcgetattr(self.side) == self.before
        # What a crash of kiln leaves, the next start sweeps.
        assert vm.run("exit 0")[0] == 0
        assert vm.remains() == []

    def test_comes_back_for_a_stop_and_goes_after(self, terminal):
        run = terminal("echo")
        run.send_signal(signal.SIGTSTP)
        wait_for(lambda: state_of(run.pid) == "T", "its stop")
        assert termios.tcgetattr(self.side) == self.before
        run.send_signal(signal.SIGCONT)
        wait_for(lambda: not self.echoes(), "raw mode")
        os.write(self.main, b"z\n")
        run.communicate(timeout=TIMEOUT_S)
        assert run.returncode == 0
        assert termios.tcgetattr(self.side) == self.before


def test_in_the_background_of_a_terminal(vm):
    """No stop by SIGTTIN or SIGTTOU, and the terminal is left alone."""
    main, side = pty.openpty()
    before = termios.tcgetattr(side)

    def front():
        os.setsid()
        fcntl.ioctl(side, termios.TIOCSCTTY, 0)
    vm.prefix = ["sh", "-c", "set -m; \"$@\" & wait $!", "sh"]
    run = vm.start("wait", stdin=side, stdout=side, preexec_fn=front)
    pid = vm.vmm_pid()
    os.write(main, b"x\n")
    time.sleep(0.1)
    assert termios.tcgetattr(side) == before
    assert alive(pid)
    supervisor = int((vm.run_dir / "pid").read_text())
    assert state_of(supervisor) == "S"
    os.kill(supervisor, signal.SIGTERM)
    run.communicate(timeout=TIMEOUT_S)
    os.close(main)
    os.close(side)


def test_timings(vm):
    _, _, errors = vm.run("ready", "exit 0", arguments=["--timings"])
    for word in ("configuration", "namespaces", "exec", "main", "started",
                 "guest ran", "total", "KiB at most"):
        assert word in errors, word


def test_the_real_vmm_accepts_the_hand_over(vm):
    """Its complaint is about the kernel, which is none, and no earlier."""
    status, _, errors = vm.run("no kernel", arguments=[
        "--vmm", BUILD / "kiln-vmm"])
    assert status != 0
    assert "kernel" in errors and "descriptor" not in errors
    assert errors.count("\n") == 1
    assert vm.remains() == []
