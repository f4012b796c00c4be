# SPDX-License-Identifier: Apache-2.0
"""Row 4: from the start of the VM to the guest's first process, counted; and
QEMU's smallest machine with the same kernel, disk and devices."""

import os
import shutil
import subprocess
import tempfile

import measure
from measure import Figure
from ready import M_INSTRUCTIONS
from report import Goal, Table

KERNEL = measure.ROOT / "build" / "guest" / "small" / "vmlinux"
RUNS = 2  # they agree to a tenth of a percent; a first one is left out
CMDLINE = (
    "console=ttyS0 quiet reboot=k panic=-1 tsc=reliable no_timer_check"
    " random.trust_cpu=on cryptomgr.notests mitigations=off i8042.noaux"
    " i8042.nomux i8042.dumbkbd 8250.nr_uarts=1"
)
QEMU_MACHINE = "microvm,accel=kvm,pit=off,pic=off,rtc=off"
DISK_KIB = 1024


def _make_disk(directory):
    """A root file system with nothing but the first process."""
    root = os.path.join(directory, "root")
    disk = os.path.join(directory, "root.ext4")
    for name in ("dev", "sbin"):
        os.makedirs(os.path.join(root, name))
    shutil.copy(measure.BENCH / "init", os.path.join(root, "sbin", "init"))
    subprocess.run(
        ["/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root,
         disk, f"{DISK_KIB}k"], check=True, stdout=subprocess.DEVNULL,
    )
    return disk


# The guest's ACPI interpreter is a seventh of the boot, so both ways count.
ACPI = {"on": "", "off": " acpi=off"}


def _qemu(disk, tap, acpi):
    read_end, write_end = os.pipe()
    command = [
        "/usr/bin/qemu-system-x86_64", "-M", f"{QEMU_MACHINE},acpi={acpi}", "-cpu", "host",
        "-m", str(measure.GUEST_MIB), "-nodefaults", "-no-user-config",
        "-display", "none", "-no-reboot", "-kernel", KERNEL,
        "-append", f"{CMDLINE}{ACPI[acpi]} root=/dev/vda ro",
        "-chardev", "file,id=con,path=/dev/fd/3", "-serial", "chardev:con",
        "-drive", f"id=root,file={disk},format=raw,if=none,readonly=on",
        "-device", "virtio-blk-device,drive=root",
        "-netdev", "tap,id=net,fd=4", "-device", "virtio-net-device,netdev=net",
        "-device", "virtio-rng-device",
    ]
    try:
        return measure.spawn(command, RUNS, {3: write_end, 4: tap.fd},
                             [read_end], kill="init")
    finally:
        os.close(read_end)
        os.close(write_end)


def _kiln(disk, tap, acpi, **settings):
    fds = measure.vmm.Fds()
    devices = measure.devices(fds, disk, tap)
    with measure.Machine(KERNEL, cmdline=CMDLINE + ACPI[acpi], **devices,
                         **settings) as machine:
        return machine.spawn(RUNS, kill="init")


def _to_init(runs, start=None):
    return Figure([
        (r.heard("init") - (r.wall(start) if start else 0)) / M_INSTRUCTIONS
        for r in runs
    ])


def _measure(work):
    """In a new disk and a new tap: QEMU locks the one and keeps the other."""
    with tempfile.TemporaryDirectory() as directory, measure.Tap() as tap:
        return work(_make_disk(directory), tap)


def show():
    ours, theirs = {}, {}
    for acpi in ACPI:
        ours[acpi] = _measure(lambda disk, tap: _kiln(disk, tap, acpi))
        theirs[acpi] = _measure(lambda disk, tap: _qemu(disk, tap, acpi))
    table = Table(
        4, "start to the guest's first process", "M instructions",
        f"{RUNS} runs: small kernel (ELF), {measure.GUEST_MIB} MiB, disk as"
        " root, network, entropy; until init's line is read from the console",
    )
    for acpi, runs in ours.items():
        table.add(f"launch accepted to init, acpi={acpi}",
                  _to_init(runs, "launch"), Goal(52))
        previous = "launch"
        for phase in "memory devices kernel vcpus confined started".split():
            table.add(f"  {previous} to {phase}", Figure(
                [r.wall(phase, previous) / M_INSTRUCTIONS for r in runs]))
            previous = phase
        table.add("  started to init: the guest, its exits and faults",
                  _to_init(runs, "started"))
    for acpi in ACPI:
        whole, qemu = _to_init(ours[acpi]), _to_init(theirs[acpi])
        table.add(f"exec of kiln-vmm to init, acpi={acpi}", whole)
        table.add(f"exec of QEMU to init, acpi={acpi}", qemu)
        table.add("  ratio of the two", whole.median / qemu.median, Goal(0.35))
    table.note(f"QEMU: -M {QEMU_MACHINE}")
    table.note(f"guest command line: {CMDLINE}")
    table.show()
