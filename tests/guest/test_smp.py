# SPDX-License-Identifier: Apache-2.0
"""Processors are started by INIT and SIPI, and know who they are."""

import pytest

import vmm


@pytest.mark.parametrize("irqchip", ["split", "full"])
@pytest.mark.parametrize("vcpus", [1, 2, 3, 8, 32])
def test_every_processor_arrives(vcpus, irqchip):
    result = vmm.run("smp", cmdline=f"vcpus={vcpus}", vcpus=vcpus, irqchip=irqchip)
    result.require("boot-cpu", "cpuid-count", "cpuid-b", "arrived")
    assert sorted(int(cpu) for cpu in result.said("cpu")) == list(range(vcpus))


def test_threads_of_one_core():
    result = vmm.run("smp", cmdline="vcpus=4", vcpus=4, smt=True)
    result.require("arrived")
