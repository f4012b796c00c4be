# SPDX-License-Identifier: Apache-2.0
"""The registers of virtio-mmio."""

import pytest

import vmm
from conftest import DISK_SECTORS


@pytest.mark.parametrize("irqchip", ["split", "full"])
def test_transport(disk, irqchip):
    vmm.run(
        "transport",
        cmdline=f"sectors={DISK_SECTORS}",
        drives=[disk()],
        irqchip=irqchip,
    ).require(
        "magic",
        "write-only",
        "read-8",
        "driver-first",
        "legacy-refused",
        "features-unknown",
        "queue-too-early",
        "config-page-end",
        "kick-nothing",
    )
