# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the end-to-end tests: kiln, the guests, and running a VM.

The tests know nothing of where they run; tests/e2e/run chooses the place.
Nothing here is skipped for want of a file: what is not built is an error.
"""

import base64
import collections
import os
import pathlib
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("KILN_BUILD", ROOT / "build"))
# Only against hangs: an emulated machine may be a hundred times slower
TIMEOUT_S = 180
# For a guest that prints on the serial port and ends with its machine
CMDLINE = "console=ttyS0 quiet panic=-1 reboot=k"

Ended = collections.namedtuple("Ended", "status output errors")
Guest = collections.namedtuple("Guest", "kernel initrd")


def pytest_report_header(config):
    return f"kvm: {os.environ.get('KILN_KVM', 'native, not by tests/e2e/run')}"


def built(name, maker):
    """A path below the build directory; the test fails when it is not there."""
    path = BUILD / name
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
    source = built("guest/rootfs.ext4", "tests/lab/images")
    subprocess.run(["cp", "--sparse=always", source, copy], check=True)
    return copy


def guest(kernel, initrd):
    return Guest(*(built(f"guest/{x}", "tests/lab/images")
                   for x in (kernel, initrd)))


@pytest.fixture(scope="session")
def guest_runs():
    """Function: kernel command line that runs a shell command in the guest."""
    def cmdline(command, end=None):
        words = [CMDLINE]
        words += ["kiln.run=" + base64.b64encode(command.encode()).decode()]
        words += [f"kiln.end={end}"] if end else []
        return " ".join(words)
    return cmdline


@pytest.fixture
def run_vm(kiln, tmp_path):
    """Function: run a VM by `kiln run FILE` to its end; gives an Ended.

    config: INI text, or {section: {key: value}}; arguments go before FILE.
    """
    def run(config, *arguments, timeout_s=TIMEOUT_S):
        ini = tmp_path / "vm.ini"
        ini.write_text(config if isinstance(config, str) else ini_text(config))
        return ended([kiln, "run", *arguments, ini], timeout_s)
    return run


def ini_text(config):
    """INI text of {section: {key: value}}; a list repeats its key."""
    lines = []
    for section, keys in config.items():
        lines.append(f"[{section}]")
        for key, value in keys.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{key} = {one}" for one in values]
    return "\n".join(lines) + "\n"


def ended(command, timeout_s):
    """Runs a command in a process group of its own, to end all of it."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        pytest.fail(
            f"no end after {timeout_s} s\n--- output\n{text(output)}"
            f"--- errors\n{text(errors)}", pytrace=False,
        )
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Ended(process.returncode, text(output), text(errors))


def text(data):
    return data.decode(errors="replace").replace("\r\n", "\n")
