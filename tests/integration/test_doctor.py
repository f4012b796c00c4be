# SPDX-License-Identifier: Apache-2.0
"""kiln doctor on the host of the tests, and in the lab, whose KVM can."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("KILN_BUILD", ROOT / "build"))
KILN = BUILD / "kiln"
LAB = [ROOT / "tests/lab/run", "--timeout", "120", "--"]
TIMEOUT_S = 150  # only against hangs
HOST = 69


def doctor(*arguments, prefix=()):
    """(status, standard output); nothing on standard error."""
    ended = subprocess.run(
        [*prefix, KILN, "doctor", *arguments], capture_output=True, text=True,
        timeout=TIMEOUT_S, check=False, stdin=subprocess.DEVNULL)
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


@pytest.fixture(scope="module")
def report():
    status, text = doctor("--json")
    return status, json.loads(text)


def test_json_has_one_row_for_each_line(report):
    _, told = report
    _, text = doctor()
    lines = [line.split(None, 2) for line in text.splitlines()[:-1]
             if not line.startswith(" ")]
    assert told["version"] == 1
    assert [[row["verdict"], row["name"]] for row in told["checks"]] == [
        line[:2] for line in lines]
    for row in told["checks"]:
        assert set(row) == {"name", "question", "verdict", "finding", "fix"}
        assert (row["fix"] == "") == (row["verdict"] == "ok"), row


def test_status_follows_the_verdicts(report):
    status, told = report
    able = all(row["verdict"] != "FAIL" for row in told["checks"])
    assert told["able"] == able
    assert status == (0 if able else HOST)


def test_the_probe_and_the_report_agree(report):
    _, told = report
    row = next(r for r in told["checks"] if r["name"] == "linux")
    status, text = doctor("--probe", "linux")
    assert text == row["finding"] + "\n"
    assert status == (HOST if row["verdict"] == "FAIL" else 0)
    if row["verdict"] == "FAIL":
        assert "cannot run Linux: " in text or "/dev/kvm" in text


def test_every_bad_finding_is_followed_by_its_fix():
    _, text = doctor()
    lines = text.splitlines()
    for line, after in zip(lines, lines[1:]):
        if line.startswith(("warn", "FAIL")):
            assert after.startswith("      fix: "), line


def test_the_lab_is_able_to_run_linux():
    status, text = doctor(prefix=LAB)
    assert "\nok    linux         able to run Linux: " in text
    assert text.endswith("\nmicroVMs can run Linux on this host\n")
    assert status == 0


def test_without_the_right_to_kvm_it_says_who_may():
    status, text = doctor("--probe", "kvm", prefix=[
        "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert status == HOST
    assert text.startswith("open /dev/kvm: Permission denied; you are nobody, ")


@pytest.mark.parametrize("sysctl", ["user.max_user_namespaces=0"])
def test_namespaces_that_are_forbidden_are_told(sysctl):
    """The limit of a user namespace of the test's own, not the host's."""
    name, value = sysctl.split("=")
    path = "/proc/sys/" + name.replace(".", "/")
    ended = subprocess.run(
        ["unshare", "-Ur", "sh", "-c",
         f"echo {value} > {path} && exec {KILN} doctor --probe namespaces"],
        capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert ended.returncode == HOST
    assert f"{name} is {value}" in ended.stdout


@pytest.mark.parametrize("arguments, says", [
    (["--probe", "nonsense"], "no check 'nonsense'"),
    (["--nonsense"], "'--nonsense' is no option"),
    (["--probe"], "'--probe' is no option or lacks its argument"),
    (["vm.ini"], "takes no 'vm.ini'"),
])
def test_wrong_arguments_are_refused(arguments, says):
    ended = subprocess.run([KILN, "doctor", *arguments], capture_output=True,
                           text=True, timeout=TIMEOUT_S, check=False)
    assert ended.returncode == 64
    assert says in ended.stderr
    assert ended.stdout == ""
