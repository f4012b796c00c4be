# SPDX-License-Identifier: Apache-2.0
"""What a VMM finds in its jail."""

import ctypes
import json
import os
import pathlib
import subprocess

import pytest

from conftest import FAKE_VMM, USER, cgroup_root, wait_for

NOBODY = 65534
EPERM, ENOENT, ENXIO, EACCES, EINVAL, EROFS = 1, 2, 6, 13, 22, 30
TMPFS_MAGIC = 0x01021994  # linux/magic.h
RDONLY, NOSUID, NODEV, NOEXEC = 1, 2, 4, 8  # statvfs(3)
# NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, all four locks
SECUREBITS = 0xef
SIGKILL = 9
MACHINE = os.uname().machine


@pytest.fixture(params=["logged", "rootless"])
def seen(request):
    """The report of a VMM started by root, and by a plain user."""
    vm = request.getfixturevalue(request.param)
    found = vm.report()
    found["who"] = NOBODY if request.param == "logged" else USER
    assert vm.remains() == []
    return found


def test_runs_as_its_user_without_groups(seen):
    assert seen["uids"] == [seen["who"]] * 3
    assert seen["gids"] == [seen["who"]] * 3
    assert seen["groups"] == []
    assert seen["setuid_errno"] == EINVAL  # 0 has no mapping


def test_has_no_capability_and_no_way_to_one(seen):
    for name in ("effective", "permitted", "inheritable", "bounding",
                 "ambient"):
        assert seen[f"cap_{name}"] == 0, name
    assert seen["securebits"] == SECUREBITS
    assert seen["no_new_privs"] == 1
    assert seen["seccomp"] == 2
    assert seen["mount_errno"] == EPERM
    assert seen["mdwe"] in (1, -1)  # -1: older than Linux 6.3


def test_dies_with_kiln(seen):
    assert seen["parent_death_signal"] == SIGKILL


def test_root_is_empty_and_read_only(seen):
    assert seen["root_entries"] == 2  # "." and ".."
    assert seen["root_magic"] == TMPFS_MAGIC
    flags = RDONLY | NOSUID | NODEV | NOEXEC
    assert seen["root_flags"] & flags == flags
    assert seen["mkdir_errno"] in (EROFS, EACCES)
    assert seen["cwd"] == "/"
    assert seen["proc_errno"] == ENOENT
    assert seen["dev_errno"] == ENOENT
    assert seen["dotdot_errno"] == ENOENT


def test_is_the_first_process_of_a_session_without_terminal(seen):
    assert (seen["pid"], seen["ppid"]) == (1, 0)
    assert (seen["sid"], seen["pgid"]) == (1, 1)
    assert seen["tty_errno"] in (ENOENT, ENXIO)
    assert seen["umask"] == 0o77


def test_inherits_neither_environment_nor_signals_nor_names(seen):
    assert seen["environ"] == 0
    assert seen["signals_ignored"] == 0
    assert seen["signals_caught"] == 0
    assert seen["signals_blocked"] == 0
    assert seen["hostname"] == "kiln"
    assert seen["domainname"] == ""


def test_sees_no_interface_but_its_own_loopback(seen):
    assert seen["interfaces"] == ["lo"]


def test_limits(seen):
    assert seen["rlimits"]["nofile"] == [256, 256]
    assert seen["rlimits"]["core"] == [0, 0]
    assert seen["rlimits"]["fsize"] == [0, 0]


def test_descriptors_are_the_listed_ones(seen):
    kinds = {int(fd): (row["kind"], row["access"])
             for fd, row in seen["fds"].items()}
    read, write, both = os.O_RDONLY, os.O_WRONLY, os.O_RDWR
    # The description has been read and closed by then.
    assert kinds == {0: ("character", both), 1: ("pipe", write),
                     2: ("pipe", write), 3: ("character", both),
                     4: ("file", read), 5: ("pipe", write),
                     6: ("pipe", read), 7: ("pipe", write)}
    assert seen["fds"]["0"]["rdev"] == os.makedev(1, 3)
    assert seen["fds"]["3"]["rdev"] == os.makedev(10, 232)
    for fd in ("1", "5", "6", "7"):
        assert seen["fds"][fd]["nonblock"] == 1, fd


def test_inherited_descriptors_and_ignored_signals_do_not_get_in(logged):
    logged.prefix = ["bash", "-c", "trap '' TERM USR1 CHLD PIPE; exec 9</etc"
                     "/passwd 77</etc/passwd; exec \"$@\"", "sh"]
    seen = logged.report()
    assert max(int(fd) for fd in seen["fds"]) == 7
    assert seen["signals_ignored"] == 0


def keyctl(*arguments):
    # keyctl(2) has the same number on no two architectures.
    number = {"x86_64": 250, "aarch64": 219}[MACHINE]
    return ctypes.CDLL(None).syscall(number, *arguments)


def test_has_a_session_keyring_of_its_own(logged):
    join, get_id, session = 1, 0, -3  # linux/keyctl.h
    logged.write("report")
    serial = keyctl(join, None)
    assert serial > 0 and keyctl(get_id, session, 0) == serial
    assert logged.report()["keyring"] not in (serial, -1)


def test_groups_of_root_are_dropped(logged):
    logged.prefix = ["setpriv", "--groups", "7777,4"]
    assert logged.report()["groups"] == []


def test_closed_standard_descriptors_do_not_confuse(logged, folder):
    out = folder / "out"
    logged.prefix = ["sh", "-c", f'exec "$@" <&- 2>&- >{out}', "sh"]
    logged.run("report", check=0)
    seen = json.loads(out.read_text())
    assert {int(fd) for fd in seen["fds"]} == set(range(8))
    assert seen["fds"]["4"]["kind"] == "file"


def test_drives_have_their_numbers_and_modes(logged, folder):
    for name in ("a", "b"):
        (folder / name).write_bytes(bytes(4096))
    logged.add("drive a", f"path = {folder}/a", "root = yes")
    logged.add("drive b", f"path = {folder}/b", "read_only = yes")
    seen = logged.report()
    kinds = {int(fd): (row["kind"], row["access"])
             for fd, row in seen["fds"].items()}
    assert ("file", os.O_RDWR) in kinds.values()
    assert list(kinds.values()).count(("file", os.O_RDONLY)) == 2
    # A drive that is written may grow as large as it is.
    assert seen["rlimits"]["fsize"][0] != 0


def test_user_and_group_by_name_and_number(logged):
    logged.add("jail", "user = daemon", "group = 4321")
    seen = logged.report()
    assert seen["uids"] == [1, 1, 1]
    assert seen["gids"] == [4321] * 3


def test_uid_0_only_when_asked_twice(logged):
    logged.add("jail", "user = root")
    status, _, errors = logged.run("report")
    assert status == 78 and "allow_root" in errors
    logged.add("jail", "allow_root = yes")
    seen = logged.report()
    assert seen["uids"] == [0, 0, 0]
    for name in ("effective", "permitted", "bounding"):
        assert seen[f"cap_{name}"] == 0, name
    assert seen["mount_errno"] == EPERM


def test_namespaces_are_all_its_own(vm):
    run = vm.start("wait")
    pid = vm.vmm_pid()
    wait_for(lambda: os.readlink(f"/proc/{pid}/exe").endswith("fake_vmm"),
             "exec")
    for name in ("user", "mnt", "pid", "net", "ipc", "uts", "cgroup"):
        theirs = os.stat(f"/proc/{pid}/ns/{name}").st_ino
        if name == "cgroup" and cgroup_root() is None:
            continue
        assert theirs != os.stat(f"/proc/self/ns/{name}").st_ino, name
    maps = pathlib.Path(f"/proc/{pid}/uid_map").read_text().split()
    assert maps == [str(NOBODY), str(NOBODY), "1"]
    mounts = pathlib.Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
    assert len(mounts) == 1 and " / / ro" in mounts[0]
    run.stdin.write(b"x")
    run.stdin.close()
    assert run.wait() == 0


@pytest.mark.skipif(cgroup_root() is None, reason="no cgroup v2 here")
def test_is_in_its_cgroup(vm):
    run = vm.start("wait")
    pid = vm.vmm_pid()
    assert f"0::/kiln/{vm.id}\n" in pathlib.Path(
        f"/proc/{pid}/cgroup").read_text()
    leaf = pathlib.Path((vm.run_dir / "cgroup").read_text())
    assert (leaf / "cgroup.procs").read_text().split() == [str(pid)]
    run.stdin.write(b"x")
    run.stdin.close()
    assert run.wait() == 0
    assert not leaf.exists()


def test_a_call_outside_the_policy_ends_the_vmm(vm):
    status, _, errors = vm.run("open", "exit 0")
    assert status == 128 + 31  # SIGSYS
    assert "seccomp" in errors
    assert vm.remains() == []


def test_seccomp_off(vm):
    vm.add("jail", "seccomp = off")
    assert vm.report()["seccomp"] == 0


def test_vmm_must_be_static(vm):
    status, _, errors = vm.run("report", arguments=["--vmm", "/bin/true"])
    assert status == 126 and "not static" in errors


def test_vmm_must_be_a_program(vm, folder):
    script = folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    status, _, errors = vm.run("report", arguments=["--vmm", script])
    assert status == 126 and "not a 64-bit ELF" in errors


def test_vmm_that_others_can_write_is_refused(vm, folder):
    copy = folder / "vmm"
    copy.write_bytes(FAKE_VMM.read_bytes())
    copy.chmod(0o777)
    status, _, errors = vm.run("report", arguments=["--vmm", copy])
    assert status == 126 and "changed by others" in errors


def test_execute_only_vmm_runs_and_is_not_dumpable(vm, folder):
    copy = folder / "vmm"
    copy.write_bytes(FAKE_VMM.read_bytes())
    copy.chmod(0o711)
    status, _, errors = vm.run("exit 0", arguments=["--vmm", copy])
    assert status == 0, errors


def test_explain_names_every_step_and_changes_nothing(vm):
    status, out, _ = vm.run(command="explain")
    assert status == 0
    for word in ("/dev/kvm", f"/run/kiln/{vm.id}", "uid 65534", "memfd",
                 f'"id":"{vm.id}"', "rlimit nofile = 256", "execveat",
                 "policy 'launch'", "vcpu:", "Exit status"):
        assert word in out, word
    assert vm.remains() == []


def test_explain_as_json_says_the_same(vm):
    _, text, _ = vm.run(command="explain")
    plan = json.loads(vm.run(command="explain", arguments=["--json"])[1])
    assert plan["id"] == vm.id
    assert len(plan["steps"]) >= 21
    for step in plan["steps"]:
        assert step["does"], step["name"]
        for line in step["does"]:
            assert line in text
    assert {"launch", "loop", "vcpu"} == {
        rule["policy"] for rule in plan["syscalls"]}


def test_explain_and_run_walk_the_same_steps(vm):
    _, out, _ = vm.run(command="explain")
    steps = [line.split()[1] for line in out.splitlines()
             if line[:2].strip().isdigit() and line[2] == " "]
    timed = [line.split()[1] for line in
             vm.run("exit 0", arguments=["--timings"])[2].splitlines()
             if line.startswith("  jail ")]
    assert len(steps) >= 21
    assert [name for name in steps if name in timed] == timed


def test_rootless_cannot_take_another_user(rootless):
    rootless.add("jail", "user = daemon")
    status, _, errors = rootless.run("report")
    assert status == 78 and "CAP_SETUID" in errors


def test_service_with_two_capabilities_takes_another_user(rootless):
    """CAP_SETUID and CAP_SETGID are enough to drop every id and group."""
    rootless.add("jail", "user = 61001", "group = 61002")
    rootless.prefix[4] = rootless.prefix[4].replace(
        "--inh-caps=-all --ambient-caps=-all --bounding-set=-all",
        "--inh-caps=+setuid,+setgid --ambient-caps=+setuid,+setgid")
    seen = rootless.report()
    assert seen["uids"] == [61001] * 3
    assert seen["gids"] == [61002] * 3
    assert seen["groups"] == []


def test_groups_of_a_plain_user_mean_nothing_inside(rootless):
    rootless.prefix[4] = rootless.prefix[4].replace("--clear-groups",
                                                    "--groups 7777")
    assert rootless.report()["groups"] == [NOBODY]


def test_kiln_needs_no_path_or_environment(vm):
    vm.write("exit 0")
    run = subprocess.run([vm.program, "run", vm.ini, "--vmm", FAKE_VMM],
                         env={}, check=False, capture_output=True)
    assert run.returncode == 0, run.stderr
