# SPDX-License-Identifier: Apache-2.0
"""Kernels, initrds and disks that are not fit: an error that names them, and
no machine."""

import os
import struct

import pytest

import vmm

EXEC, X86_64 = 2, 62
LOAD, NOTE = 1, 4
BASE = 0x100000
CODE = b"\xf4" * 64  # hlt


def phdr(kind=LOAD, offset=0x1000, address=BASE, filesz=len(CODE), memsz=None):
    memsz = filesz if memsz is None else memsz
    return struct.pack(
        "<IIQQQQQQ", kind, 7, offset, address, address, filesz, memsz, 0x1000
    )


def elf(*phdrs, entry=BASE, machine=X86_64, cls=2, data=1, phentsize=56, count=None):
    ident = b"\x7fELF" + bytes([cls, data, 1]) + bytes(9)
    header = ident + struct.pack(
        "<HHIQQQIHHHHHH",
        EXEC,
        machine,
        1,
        entry,
        64,
        0,
        0,
        64,
        phentsize,
        len(phdrs) if count is None else count,
        0,
        0,
        0,
    )
    return (header + b"".join(phdrs)).ljust(0x1000, b"\0") + CODE


def boot(tmp_path, content, **machine):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(content)
    return vmm.run(kernel=kernel, **machine)


def refused(result, *words):
    assert result.code == vmm.EXIT_VMM, result
    assert result.console == b""
    assert result.stderr.startswith("kiln-vmm: "), result
    assert result.stderr.count("\n") == 1, result
    for word in words:
        assert word in result.stderr, result
    assert result.status[-1].startswith("exit 1 "), result


U64 = 1 << 64

BAD_KERNELS = {
    "empty": (b"", "kernel"),
    "text": (b"hello, world\n" * 100, "text file"),
    "gzip": (b"\x1f\x8b" + bytes(2000), "gzip"),
    "zeros": (bytes(5000), "kernel"),
    "magic-only": (b"\x7fELF", "kernel"),
    "header-cut": (elf(phdr())[:40], "kernel"),
    "phdrs-cut": (elf(phdr())[:100], "program headers"),
    "segment-cut": (elf(phdr())[:-1], "truncated"),
    "segment-offset-wraps": (elf(phdr(offset=U64 - 16)), "truncated"),
    "segment-wraps": (
        elf(phdr(address=U64 - 32, filesz=32, memsz=64)),
        "segment 0 wraps",
    ),
    "segment-below": (elf(phdr(address=0x1000)), "segment 0"),
    "segment-beyond-ram": (elf(phdr(address=1 << 30)), "not in RAM"),
    "segment-in-gap": (elf(phdr(address=0xC0000000)), "not in RAM"),
    "segment-larger-than-ram": (elf(phdr(memsz=1 << 30)), "not in RAM"),
    "more-in-file-than-memory": (elf(phdr(memsz=16)), "segment 0"),
    "overlap": (elf(phdr(), phdr(address=BASE + 32)), "overlap"),
    "entry-outside": (elf(phdr(), entry=BASE + 4096), "entry point"),
    "entry-in-bss": (elf(phdr(memsz=4096), entry=BASE + 1000), "entry point"),
    "entry-zero": (elf(phdr(), entry=0), "entry point"),
    "no-segments": (elf(), "no program headers"),
    "many-segments": (elf(phdr(), count=65535), "65535"),
    "odd-headers": (elf(phdr(), phentsize=32), "32 bytes"),
    "arm64": (elf(phdr(), machine=183), "aarch64"),
    "32-bit": (elf(phdr(), cls=1), "32-bit"),
    "big-endian": (elf(phdr(), data=2), "big-endian"),
    "note-cut": (elf(phdr(), phdr(kind=NOTE, filesz=4096)), "note"),
    "note-runs-over": (
        elf(phdr(), phdr(kind=NOTE, filesz=20))[:-64]
        + struct.pack("<III4s", 4, 1 << 31, 18, b"Xen\0")
        + CODE[16:],
        "note",
    ),
}


@pytest.mark.parametrize("name", BAD_KERNELS)
def test_bad_kernel(tmp_path, name):
    content, word = BAD_KERNELS[name]
    refused(boot(tmp_path, content), "kernel", word)


def test_the_kernel_these_are_made_of_is_fine(tmp_path):
    kernel = tmp_path / "kernel"
    kernel.write_bytes(elf(phdr()))
    with vmm.Vmm(kernel=kernel) as vm:
        vm.expect("phase started", stream="status")


def test_kernel_that_is_no_file(tmp_path):
    refused(vmm.run(kernel=tmp_path), "kernel")
    refused(vmm.run(kernel="/dev/null"), "kernel")


def test_initrd_larger_than_ram(tmp_path):
    initrd = tmp_path / "initrd"
    with open(initrd, "wb") as f:
        f.truncate(64 << 20)
    refused(vmm.run("hello", initrd=initrd), "initrd", "16 MiB")


def test_initrd_of_absurd_size(tmp_path):
    initrd = tmp_path / "initrd"
    with open(initrd, "wb") as f:
        f.truncate(1 << 42)
    refused(vmm.run("hello", initrd=initrd), "initrd")


def test_cmdline_without_room_for_the_additions():
    refused(vmm.run("hello", cmdline="x" * 2045), "command line", "pci=off")


def test_cmdline_that_just_fits():
    cmdline = "x" * (2047 - len(" pci=off"))
    vmm.run("hello", cmdline=cmdline).require("hello")


def test_disk_that_is_a_directory(tmp_path):
    def launch(fds):
        one = vmm.Launch(fds, guest="hello")
        one.document["vm"]["drive"] = [{"id": "rootfs", "read_only": True}]
        one.roles["drive:rootfs"] = fds.open(tmp_path, os.O_RDONLY)
        return one

    with vmm.Vmm(launch) as vm:
        refused(vm.wait(), "rootfs")


def test_disk_that_cannot_be_written(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(4096))

    def launch(fds):
        one = vmm.Launch(fds, guest="hello")
        one.document["vm"]["drive"] = [{"id": "rootfs"}]
        one.roles["drive:rootfs"] = fds.open(path, os.O_RDONLY)
        return one

    with vmm.Vmm(launch) as vm:
        refused(vm.wait(), "rootfs")
