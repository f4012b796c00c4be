# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests: kiln, the guests, and running a VM.

The tests know nothing of where they run; tests/e2e/run chooses the place.
Nothing here is skipped for want of a file: what is not built is an error.
"""

import base64
import collections
import hashlib
import os
import pathlib
import subprocess
import sys
import uuid

import pytest

from running import TIMEOUT_S, Running

ROOT = pathlib.Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))
import host_state  # noqa: E402 (shared with other suites)

BUILD = ROOT / os.environ.get("KILN_BUILD", "build")
# tests/lab/images makes them in the tree, whatever is built elsewhere
IMAGES = ROOT / "build/guest"
# What a run leaves on purpose: records, for whoever reads them later
RESULTS = BUILD / "test"
# What the default command line is, and no more than errors from the kernel
CMDLINE = ("console=ttyS0 reboot=k panic=1 i8042.noaux i8042.nomux "
           "i8042.dumbkbd quiet")

Guest = collections.namedtuple("Guest", "kernel initrd")


def pytest_report_header(config):
    return f"kvm: {os.environ.get('KILN_KVM', 'native, not by tests/e2e/run')}"


def built(name, maker, below=BUILD):
    """A path below the build directory; the test fails when it is not there."""
    path = below / name
    if not path.exists():
        pytest.fail(f"{path} is not there: run {maker}", pytrace=False)
    return path


@pytest.fixture(scope="session")
def kiln():
    """Path of the kiln program."""
    return built("kiln", "make")


@pytest.fixture(scope="session")
def vmlinux():
    """The small kernel as ELF, with its initrd."""
    return guest("small/vmlinux", "small/initrd")


@pytest.fixture(scope="session")
def vmlinux_nopvh():
    """The small kernel as ELF without PVH entry, with its initrd."""
    return guest("small/vmlinux-nopvh", "small/initrd")


@pytest.fixture(scope="session")
def bzimage():
    """The small kernel as bzImage, with its initrd."""
    return guest("small/bzImage", "small/initrd")


@pytest.fixture(scope="session")
def debian():
    """Debian's own kernel, with its modules in an initrd."""
    return guest("debian/vmlinuz", "debian/initrd")


@pytest.fixture
def rootfs(tmp_path):
    """A root disk of the test's own, which it may write to."""
    copy = tmp_path / "rootfs.ext4"
    source = image("rootfs.ext4")
    subprocess.run(["cp", "--sparse=always", source, copy], check=True)
    return copy


def image(name):
    """A kernel, an initrd or a disk."""
    return built(name, "make guests", IMAGES)


def guest(kernel, initrd):
    return Guest(image(kernel), image(initrd))


@pytest.fixture(scope="session")
def guest_runs():
    """Function: kernel command line that runs a shell command in the guest."""
    def cmdline(command, *more, end=None):
        words = [CMDLINE, *more]
        words += ["kiln.run=" + base64.b64encode(command.encode()).decode()]
        words += [f"kiln.end={end}"] if end else []
        return " ".join(words)
    return cmdline


@pytest.fixture
def vm_id():
    """The id of the test's microVM; its fellows get it with more behind."""
    return "e" + uuid.uuid4().hex[:6]


@pytest.fixture
def start_vm(kiln, tmp_path, vm_id):
    """Function: start a VM by `kiln run`; gives a Running.

    config: INI text, {section: {key: value}}, or the path of a file; arguments
    go before it; other options are those of Running.
    """
    started = []

    def start(config, *arguments, name=vm_id, prefix=(), folder=tmp_path,
              run_base="/run/kiln", **options):
        ini = config
        if not isinstance(config, pathlib.Path):
            ini = folder / f"{name}.ini"
            ini.write_text(config if isinstance(config, str)
                           else ini_text(config))
            ini.chmod(0o644)
        command = [*prefix, kiln, "run", "--id", name, *arguments, ini]
        running = Running(command, f"{run_base}/{name}", **options)
        started.append(running)
        return running

    yield start
    for running in started:
        running.destroy()


@pytest.fixture
def run_vm(start_vm):
    """Function: as start_vm, to its end; gives an Ended."""
    def run(config, *arguments, timeout_s=TIMEOUT_S, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        return start_vm(config, *arguments, **options).end(timeout_s)
    return run


@pytest.fixture(autouse=True)
def nothing_is_left():
    """After each test the host is as it was before it."""
    before = host_state.snapshot(BUILD)
    yield
    assert host_state.new_since(before, BUILD) == {}


def facts(output):
    """What the guest told by lines "fact: NAME WORDS", as {name: words}."""
    lines = (line.split(" ", 2) for line in output.splitlines()
             if line.startswith("fact: "))
    return {line[1]: line[2] if len(line) > 2 else "" for line in lines}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def ini_text(config):
    """INI text of {section: {key: value}}; a list repeats its key."""
    lines = []
    for section, keys in config.items():
        lines.append(f"[{section}]")
        for key, value in keys.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{key} = {one}" for one in values]
    return "\n".join(lines) + "\n"


def config_of(guest, cmdline, initrd=True, **machine):
    """A configuration to add sections to: {section: {key: value}}."""
    kernel = {"image": guest.kernel, "cmdline": cmdline}
    if initrd:
        kernel["initrd"] = guest.initrd
    return {"machine": {"memory": "128M", **machine}, "kernel": kernel}
