# SPDX-License-Identifier: Apache-2.0
"""RAM where it should be, and nothing elsewhere."""

import pytest

import vmm

MIB = 1 << 20
GAP = 0xC0000000
AFTER_GAP = 1 << 32

CHECKS = (
    "fresh",
    "distinct",
    "hole-gap",
    "hole-below-ioapic",
    "hole-end-of-gap",
    "hole-after-ram",
    "hole-far",
    "straddle",
)


@pytest.mark.parametrize("mib", [16, 128, 3071, 3072, 3073, 4096, 8192])
def test_ram(mib):
    size = mib * MIB
    result = vmm.run("memory", memory=size)
    result.require(*CHECKS)
    ranges = [(0x100000, min(size, GAP))]
    if size > GAP:
        ranges.append((AFTER_GAP, AFTER_GAP + size - GAP))
    assert result.said("ram") == [f"{hex(a)} {hex(b)}" for a, b in ranges]


def test_transparent_huge_pages():
    vmm.run("memory", memory=128 * MIB, huge_pages="transparent").require(*CHECKS)
