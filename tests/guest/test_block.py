# SPDX-License-Identifier: Apache-2.0
"""Block devices, of drivers that behave and of one that does not."""

import os

import pytest

import vmm
from conftest import DISK_SECTORS, SECTOR_BYTES

BOTH = (
    "capacity",
    "read-first-data",
    "read-last-data",
    "read-past-end",
    "read-wraps",
    "flush",
    "get-id",
    "discard",
    "framings-in",
    "segments-256-data",
    "wrap-small",
    "wrap-65536",
    "event-raised",
)
WRITABLE = ("read-back-data", "write-past-end", "unwritten-data", "framings-out")


def expected_id(path):
    """Decimal numbers of the file, cut to the 20 bytes there are."""
    st = os.stat(path)
    return f"{st.st_dev}{st.st_rdev}{st.st_ino}"[:20]


@pytest.mark.parametrize("cache", ["unsafe", "writeback", None])
def test_writable(disk, pattern_bytes, cache):
    drive = disk(cache=cache)
    # A description that says nothing gets the safe way.
    words = "" if cache == "unsafe" else "flush"
    result = vmm.run(
        "block", cmdline=f"sectors={DISK_SECTORS} {words}", drives=[drive]
    )
    result.require(*BOTH, *WRITABLE)
    assert result.said("id") == [expected_id(drive["path"])]
    # On the host: what was written is there and nothing else has changed.
    after = drive["path"].read_bytes()
    assert len(after) == len(pattern_bytes)
    written = bytes((i * 5 + 1) & 0xFF for i in range(2 * SECTOR_BYTES))
    at = 100 * SECTOR_BYTES
    assert after[at : at + len(written)] == written
    changed = {
        i
        for i in range(DISK_SECTORS)
        if after[i * SECTOR_BYTES : (i + 1) * SECTOR_BYTES]
        != pattern_bytes[i * SECTOR_BYTES : (i + 1) * SECTOR_BYTES]
    }
    assert changed == {100, 101, 200, 201}


def test_read_only(disk, pattern_bytes):
    drive = disk(read_only=True)
    result = vmm.run("block", cmdline=f"sectors={DISK_SECTORS} ro", drives=[drive])
    result.require(*BOTH, "write-refused", "read-after-data")
    assert drive["path"].read_bytes() == pattern_bytes


def test_odd_size_is_cut_to_whole_sectors(disk):
    drive = disk()
    os.truncate(drive["path"], DISK_SECTORS * SECTOR_BYTES + 100)
    result = vmm.run("block", cmdline=f"sectors={DISK_SECTORS}", drives=[drive])
    result.require("capacity", "read-past-end")


def test_sixteen_drives(disk):
    drives = [disk(f"disk{i}", read_only=i % 2 == 1) for i in range(16)]
    result = vmm.run("block", cmdline=f"sectors={DISK_SECTORS}", drives=drives)
    result.require("capacity")


@pytest.mark.parametrize("irqchip", ["split", "full"])
def test_hostile_driver(disk, pattern_bytes, irqchip):
    drives = [disk("victim"), disk("bystander")]
    result = vmm.run(
        "block-hostile",
        cmdline="mib=16",
        drives=drives,
        entropy=True,
        irqchip=irqchip,
    )
    result.require(
        "data-wraps",
        "loop-of-all",
        "chain-huge",
        "index-jumps",
        "indirect-nested",
        "rings-wrap",
        "size-65552",
        "setup-twice-works",
        "reset-in-the-middle",
        "quiet-after-reset",
        "mended",
    )
    for drive in drives:
        assert drive["path"].read_bytes() == pattern_bytes
