# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the jail's tests: kiln with a fake VMM that says what it sees.

Every test has its own ids, so nothing it leaves behind can be somebody
else's; no_remains() looks for it.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import uuid

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("KILN_BUILD", ROOT / "build"))
FAKE_VMM = BUILD / "integration/fake_vmm"
TIMEOUT_S = 30  # only against hangs
USER = 51234  # nobody of that number exists; files are made for it
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def cgroup_root():
    """Where cgroup v2 is mounted, or None."""
    for place in (CGROUPS, CGROUPS / "unified"):
        if (place / "cgroup.controllers").exists():
            return place
    return None


def cgroup_has(*controllers):
    root = cgroup_root()
    return root is not None and set(controllers) <= set(
        (root / "cgroup.controllers").read_text().split())


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the jail's tests need root", returncode=1)


def taps():
    links = json.loads(subprocess.run(
        ["ip", "-json", "link"], check=True, capture_output=True).stdout)
    return {link["ifname"] for link in links}


def alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state.rpartition(")")[2].split()[0] not in "ZX"


def wait_for(condition, what):
    for _ in range(TIMEOUT_S * 200):
        if condition():
            return
        time.sleep(0.005)
    pytest.fail(f"in vain: {what}")


class VM:
    """One microVM with a fake VMM: its files, its runs, its remains."""

    def __init__(self, folder, program="kiln"):
        self.id = "t" + uuid.uuid4().hex[:6]
        self.folder = folder
        self.program = BUILD / program
        self.kernel = folder / f"{self.id}.script"
        self.ini = folder / f"{self.id}.ini"
        self.sections = {"kernel": [f"image = {self.kernel}"],
                         "machine": ["memory = 128M"], "jail": []}
        self.runs = []
        self.run_dir = pathlib.Path("/run/kiln") / self.id
        self.prefix = []
        self.env = {}

    def add(self, section, *lines):
        self.sections.setdefault(section, []).extend(lines)
        return self

    def write(self, *script):
        text = "".join(f"[{name}]\n" + "".join(f"{row}\n" for row in rows)
                       for name, rows in self.sections.items() if rows)
        self.ini.write_text(text)
        self.kernel.write_text("".join(f"{word}\n" for word in script))

    def start(self, *script, arguments=(), command="run", **options):
        self.write(*script)
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, **options}
        run = subprocess.Popen(
            [*self.prefix, self.program, command, self.ini,
             "--id", self.id, "--vmm", FAKE_VMM, *arguments],
            env={**os.environ, **self.env}, **options)
        self.runs.append(run)
        return run

    def run(self, *script, check=None, **options):
        """Run to the end: (status, stdout, stderr), texts."""
        run = self.start(*script, **{"stdin": subprocess.DEVNULL, **options})
        out, errors = run.communicate(timeout=TIMEOUT_S)
        out = (out or b"").decode("utf-8", "backslashreplace")
        errors = (errors or b"").decode("utf-8", "backslashreplace")
        if check is not None:
            assert run.returncode == check, (run.returncode, errors)
        return run.returncode, out, errors

    def vmm_pid(self):
        """Once it runs; its pid on the host."""
        path = self.run_dir / "vmm_pid"
        wait_for(lambda: path.exists() and path.read_text().endswith("\n"),
                 f"{path}")
        return int(path.read_text())

    def report(self, **options):
        status, out, errors = self.run("report", **options)
        assert status == 0, errors
        return json.loads(out)

    def remains(self):
        """What it left on the host, as a list of words."""
        found = []
        if self.run_dir.exists():
            found.append(str(self.run_dir))
        root = cgroup_root()
        if root is not None:
            found += [str(p) for p in root.glob(f"**/{self.id}")]
        found += [name for name in taps() if self.id in name]
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                line = (process / "cmdline").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if self.id.encode() in line:
                found.append(f"process {process.name}")
        mounts = pathlib.Path("/proc/self/mountinfo").read_text()
        if " tmpfs kiln " in mounts:
            found.append("a mount")
        return found

    def close(self):
        for run in self.runs:
            if run.poll() is None:
                run.send_signal(signal.SIGKILL)
                run.wait()


@pytest.fixture
def folder(tmp_path):
    """A directory that other users can read."""
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == 0 and path.stat().st_mode & 0o5 == 0:
            path.chmod(0o755)
    return tmp_path


@pytest.fixture
def vm(folder):
    made = VM(folder)
    yield made
    made.close()


@pytest.fixture
def make_vm(folder):
    made = []

    def make(**options):
        made.append(VM(folder, **options))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.fixture
def logged(vm):
    """A VM whose filter lets everything pass: a report needs much."""
    return vm.add("jail", "seccomp = log")


@pytest.fixture
def rootless(logged, folder):
    """The same, started by a user without any privilege or group, who may
    use the KVM device of a /dev of the test's own."""
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    os.chown(runtime, USER, USER)
    logged.run_dir = runtime / "kiln" / logged.id
    logged.env = {"XDG_RUNTIME_DIR": str(runtime)}
    logged.prefix = [
        "unshare", "--mount", "sh", "-ec",
        "mount -t tmpfs dev /dev; mknod -m 666 /dev/kvm c 10 232;"
        "mknod -m 666 /dev/null c 1 3;"
        f"exec setpriv --reuid {USER} --regid {USER} --clear-groups "
        '--inh-caps=-all --ambient-caps=-all --bounding-set=-all -- "$@"',
        "sh"]
    return logged


@pytest.fixture
def python():
    return sys.executable
