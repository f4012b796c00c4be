# SPDX-License-Identifier: Apache-2.0
"""kiln for a user without any privilege but the group of /dev/kvm."""

import os
import pathlib
import pwd
import shutil

import pytest

from conftest import ROOT, config_of
from host_state import cgroup_root

USER = "kilntest"
MIB = 1 << 20
PERMISSION, CREATE = 77, 73
EXAMPLES = ROOT / "profiles/examples"


class User:
    """Who runs kiln, from where, and how to become that."""

    def __init__(self, entry, folder):
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        self.folder = folder
        self.runtime = f"/run/user/{self.uid}"
        self.options = {
            "prefix": ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}",
                       "--init-groups", "--inh-caps=-all"],
            "run_base": f"{self.runtime}/kiln", "folder": folder,
            "env": {"XDG_RUNTIME_DIR": self.runtime,
                    "PATH": os.environ["PATH"]},
        }

    def owns(self, *paths):
        for path in paths:
            os.chown(path, self.uid, self.gid)


@pytest.fixture
def user(vm_id):
    """That user; the lab has one."""
    try:
        entry = pwd.getpwnam(USER)
    except KeyError:
        pytest.skip(f"no user {USER} on this host")
    folder = pathlib.Path(entry.pw_dir) / vm_id
    folder.mkdir()
    who = User(entry, folder)
    who.owns(folder)
    yield who
    shutil.rmtree(folder)
    shutil.rmtree(f"{who.runtime}/kiln", ignore_errors=True)


@pytest.fixture
def delegated(user, vm_id):
    """A cgroup that the user may divide, as systemd's Delegate= makes one."""
    top = cgroup_root() / f"delegated-{vm_id}"
    job = top / "job"
    job.mkdir(parents=True)
    (top / "cgroup.subtree_control").write_text("+cpu +memory +pids")
    for group in (top, job):
        user.owns(group, *(group / name for name in (
            "cgroup.procs", "cgroup.threads", "cgroup.subtree_control")))
    user.options["prefix"] = [
        "sh", "-c", f'echo $$ >{job}/cgroup.procs; exec "$@"', "sh",
        *user.options["prefix"]]
    yield job
    for group in sorted(job.glob("*/"), reverse=True):
        group.rmdir()
    job.rmdir()
    top.rmdir()


@pytest.mark.parametrize("name", ["hello", "rootless"])
def test_example(run_vm, user, vm_id, name):
    """As it is."""
    end = run_vm(EXAMPLES / f"{name}.ini", **user.options)
    assert end.status == 0, end
    assert "Hello from kiln: Linux" in end.output
    assert end.errors == ""
    assert not os.path.exists(f"{user.runtime}/kiln/{vm_id}")


def test_runs_as_the_caller(start_vm, user, guest_runs, vmlinux):
    running = start_vm(config_of(vmlinux, guest_runs("read line")),
                       **user.options)
    running.wait_for("Hello from kiln")
    status = pathlib.Path(f"/proc/{running.vmm_pid()}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines())
    assert fields["Uid"].split() == [str(user.uid)] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapBnd"], 16) == 0
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    running.type("go on\n")
    assert running.end().status == 0


def test_limits_without_delegation(run_vm, user, guest_runs, vmlinux):
    config = config_of(vmlinux, guest_runs("true"))
    end = run_vm({**config, "cgroup": {"memory": "200M"}}, **user.options)
    assert end.status in (PERMISSION, CREATE)
    assert end.output == ""
    assert end.errors.count("\n") == 1
    assert "cgroup" in end.errors


def test_limits_with_delegation(delegated, user, start_vm, guest_runs, vmlinux,
                                vm_id):
    config = config_of(vmlinux, guest_runs("read line"))
    running = start_vm({**config, "cgroup": {"memory": "200M", "pids": "30"}},
                       **user.options)
    running.wait_for("Hello from kiln")
    group = pathlib.Path(running.entry("cgroup"))
    assert delegated in group.parents and group.name == vm_id
    assert (group / "memory.max").read_text().strip() == str(200 * MIB)
    assert (group / "pids.max").read_text().strip() == "30"
    members = (group / "cgroup.procs").read_text().split()
    assert str(running.vmm_pid()) in members
    assert int((group / "memory.current").read_text()) > 8 * MIB
    running.type("go on\n")
    assert running.end().status == 0
    assert not group.exists()


def test_a_tap_needs_an_owner(run_vm, user, guest_runs, vmlinux):
    """No privilege, no tap = auto; it says what to do instead."""
    config = config_of(vmlinux, guest_runs("true"))
    end = run_vm({**config, "net eth0": {"tap": "auto"}}, **user.options)
    assert end.status == PERMISSION
    assert end.errors.count("\n") == 1
    assert "CAP_NET_ADMIN" in end.errors and "ip tuntap add" in end.errors
