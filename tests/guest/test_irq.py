# SPDX-License-Identifier: Apache-2.0
"""Interrupts by each controller, with the IOAPIC and PIC in the VMM or in KVM."""

import pytest

import vmm

IRQCHIPS = pytest.mark.parametrize("irqchip", ["split", "full"])


@IRQCHIPS
def test_ioapic(irqchip):
    vmm.run("ioapic-irq", irqchip=irqchip).require(
        "pins",
        "masked",
        "masked-edge-is-gone",
        "delivered",
        "once-each",
        "moved",
        "wakes-from-halt",
    )


@IRQCHIPS
def test_ioapic_rewritten_under_load(irqchip):
    vmm.run(
        "ioapic-storm", cmdline="rounds=300", vcpus=2, entropy=True, irqchip=irqchip
    ).require("none-lost", "rewritten", "by-both", "other-pin")


@IRQCHIPS
def test_pic(irqchip):
    vmm.run("pic-irq", irqchip=irqchip).require(
        "lint0-extint", "first", "second", "masked", "wakes-from-halt"
    )
