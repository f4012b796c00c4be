# SPDX-License-Identifier: Apache-2.0
"""What a guest finds when it starts, by both boot protocols."""

import pytest

import vmm

PHASES = (
    "main launch memory devices kernel vcpus confined started".split()
)


def test_hello():
    result = vmm.run("hello")
    result.require("hello")
    assert result.lines == ["ok hello", "done 1 ok 0 failed"]


def test_status_lines_tell_phases_and_end():
    result = vmm.run("hello")
    assert result.phases == PHASES
    times = [int(s.split()[2]) for s in result.status if s.startswith("phase")]
    assert times == sorted(times)
    assert result.status[-1] == "exit 0 reset by the guest"


@pytest.mark.parametrize("mib", [8, 16, 128, 4096])
def test_linux64(mib):
    result = vmm.run(
        "hello64", cmdline=f"word=64 mib={mib}", memory=mib << 20
    )
    result.require("no-pvh", "rsi", "rsp", "cr3", "cmdline", "e820-ram")


@pytest.mark.parametrize("mib", [8, 16, 128, 4096])
def test_pvh(mib):
    result = vmm.run(
        "pvh-info", cmdline=f"word=pvh mib={mib}", memory=mib << 20
    )
    result.require(
        "magic", "cmdline", "memmap-ram", "rsdp-sum", "xsdt-sum", "mp-table-sum"
    )
    assert {"FACP", "APIC"} <= set(result.said("table"))


def test_cmdline_is_what_was_given_and_the_additions(disk):
    result = vmm.run(
        "pvh-info",
        cmdline="word=pvh mib=16",
        drives=[disk("other"), disk("rootfs", root=True)],
        entropy=True,
    )
    result.require("cmdline")
    assert result.said("cmdline") == [
        "word=pvh mib=16 pci=off root=/dev/vda rw "
        "virtio_mmio.device=4K@0xc0001000:5 "
        "virtio_mmio.device=4K@0xc0002000:6 "
        "virtio_mmio.device=4K@0xc0003000:7"
    ]


@pytest.mark.parametrize("size", [17, 4096, 100_001])
def test_initrd(tmp_path, size):
    initrd = tmp_path / "initrd"
    initrd.write_bytes(b"initrd begins".ljust(size - 4, b".") + b"ends")
    result = vmm.run(
        "pvh-info", cmdline=f"word=pvh mib=16 initrd={size}", initrd=initrd
    )
    result.require("initrd-size", "initrd-aligned", "initrd-text", "initrd-end")
    # Page-aligned, at the end of the first range of RAM.
    place = ((16 << 20) - size) & ~4095
    assert result.said("initrd") == [hex(place)]


@pytest.mark.parametrize("seccomp", ["on", "log", "off"])
@pytest.mark.parametrize("irqchip", ["split", "full"])
def test_every_kind_of_machine(seccomp, irqchip):
    vmm.run("hello", seccomp=seccomp, irqchip=irqchip).require("hello")


def test_without_a_serial_port():
    result = vmm.run("hello", serial=False)
    assert result.console == b""
    assert result.code == vmm.EXIT_OK
