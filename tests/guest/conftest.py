# SPDX-License-Identifier: Apache-2.0
"""Every test here runs a machine. Without /dev/kvm that is a failure, unless
KILN_KVM=none says that it is known; then each test is skipped, and says why.
"""

import os
import struct

import pytest

import vmm

SECTOR_BYTES = 512
DISK_SECTORS = 2048


def kvm_trouble():
    try:
        os.close(os.open("/dev/kvm", os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        return f"/dev/kvm: {error.strerror}"
    return None


def pytest_configure(config):
    if not vmm.VMM.exists():
        pytest.exit(f"{vmm.VMM} is missing: make check-guest", 1)
    trouble = kvm_trouble()
    if trouble and os.environ.get("KILN_KVM") != "none":
        pytest.exit(
            f"{trouble}: bare guests need it; KILN_KVM=none skips them", 1
        )


def pytest_collection_modifyitems(items):
    trouble = kvm_trouble()
    if trouble:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=f"KILN_KVM=none, {trouble}"))


def open_fds():
    fds = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            fds[name] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            pass  # the directory's own descriptor is gone by now
    return fds


@pytest.fixture(autouse=True)
def no_fd_leaks():
    before = open_fds()
    yield
    after = open_fds()
    assert set(after) == set(before), (before, after)


def pattern(sectors=DISK_SECTORS):
    """Each 32-bit word holds its own number."""
    count = sectors * SECTOR_BYTES // 4
    return struct.pack(f"<{count}I", *range(count))


@pytest.fixture(scope="session")
def pattern_bytes():
    return pattern()


@pytest.fixture
def disk(tmp_path, pattern_bytes):
    """A function that makes a disk of DISK_SECTORS and describes it; with
    cache=None the description leaves that to the VMM."""

    def make(name="disk0", cache="unsafe", **drive):
        path = tmp_path / name
        path.write_bytes(pattern_bytes)
        if cache is not None:
            drive["cache"] = cache
        return {"id": name, "path": path, **drive}

    return make
