# SPDX-License-Identifier: Apache-2.0
"""Kernels, processors, memory, interrupt controllers, and the ways to end."""

import pytest

from conftest import CMDLINE, config_of, facts

GIB = 1 << 30
GAP_START = 3 * GIB
GAP_END = 4 * GIB
TRIPLE_FAULT = 3
# What a guest sees of its machine
LOOK = """
echo fact: cpus $(nproc)
echo fact: total_kib $(awk '/MemTotal/ { print $2 }' /proc/meminfo)
echo fact: ram $(awk '/System RAM/ { print $1 }' /proc/iomem)
echo fact: cmdline $(cat /proc/cmdline)
echo fact: random $(head -c 32 /dev/hwrng | sha256sum)
"""
INTERRUPTS = """
echo fact: disk $(grep virtio /proc/interrupts | head -1)
echo fact: serial $(grep ttyS0 /proc/interrupts)
echo fact: acpi $(ls /sys/firmware/acpi | wc -l)
"""


def ram_ranges(words):
    """[(start, end)] of "0-fff 1000-1fff", ends excluded."""
    pairs = (word.split("-") for word in words.split())
    return [(int(start, 16), int(end, 16) + 1) for start, end in pairs]


@pytest.mark.parametrize("vcpus, memory, mib", [
    (1, "128M", 128), (4, "4G", 4096),
], ids=["1cpu-128M", "4cpu-4G"])
@pytest.mark.parametrize("kernel", [
    "debian", "vmlinux", "vmlinux_nopvh", "bzimage",
])
def test_kernel(request, run_vm, guest_runs, kernel, vcpus, memory, mib):
    guest = request.getfixturevalue(kernel)
    end = run_vm(config_of(guest, guest_runs(LOOK), vcpus=vcpus,
                           memory=memory))
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["cpus"] == str(vcpus)
    ranges = ram_ranges(seen["ram"])
    # But for the BIOS's area and the page that Linux keeps
    total = sum(end - start for start, end in ranges)
    assert mib - 1 <= total / (1 << 20) <= mib
    assert not any(start < GAP_END and end > GAP_START for start, end in ranges)
    assert (ranges[-1][1] == GAP_END + GIB) == (mib == 4096)
    # Linux needs some of it for itself, the more the more there is
    assert mib * 0.7 <= int(seen["total_kib"]) / 1024 < mib
    assert len(seen["random"].split()[0]) == 64
    assert "Power down" in end.output
    assert end.errors == ""


def test_default_command_line(run_vm, guest_runs, vmlinux):
    """As kiln.ini(5) tells it; what is appended comes after it."""
    run = guest_runs(LOOK).split()[-1]
    config = config_of(vmlinux, "")
    del config["kernel"]["cmdline"]
    config["kernel"]["cmdline_append"] = ["quiet", run]
    end = run_vm(config)
    assert end.status == 0, end
    assert facts(end.output)["cmdline"].startswith(
        "console=ttyS0 reboot=k panic=1 i8042.noaux i8042.nomux "
        f"i8042.dumbkbd quiet {run} pci=off virtio_mmio.device=")


def test_command_line_arrives_whole(run_vm, guest_runs, vmlinux):
    wanted = guest_runs(LOOK, "x=" + "y" * 900)
    config = config_of(vmlinux, wanted)
    config["kernel"]["cmdline_append"] = ["z=1", "z=2"]
    end = run_vm(config)
    line = facts(end.output)["cmdline"]
    assert line.startswith(wanted + " z=1 z=2 pci=off virtio_mmio.device=")
    # No drive: nothing to say of a root
    assert "root=" not in line


@pytest.mark.parametrize("words, controller", [
    ((), "IO-APIC"), (("noapic",), "XT-PIC"),
], ids=["ioapic", "pic"])
@pytest.mark.parametrize("irqchip", ["split", "full"])
def test_without_acpi(run_vm, guest_runs, vmlinux, irqchip, words, controller):
    """MP table and virtio_mmio.device= instead; it ends by a reboot."""
    vcpus = 4 if controller == "IO-APIC" else 1
    cmdline = guest_runs(LOOK + INTERRUPTS, "acpi=off", *words)
    end = run_vm(config_of(vmlinux, cmdline, vcpus=vcpus, irqchip=irqchip))
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["cpus"] == str(vcpus)
    assert seen["acpi"] == "0"
    for source in ("disk", "serial"):
        assert controller in seen[source]
    assert len(seen["random"].split()[0]) == 64


@pytest.mark.parametrize("kernel", ["debian", "vmlinux"])
def test_all_interrupt_controllers_in_kvm(request, run_vm, guest_runs, kernel):
    guest = request.getfixturevalue(kernel)
    end = run_vm(config_of(guest, guest_runs(LOOK + INTERRUPTS), vcpus=2,
                           irqchip="full"))
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["cpus"] == "2"
    assert "IO-APIC" in seen["disk"] and "IO-APIC" in seen["serial"]
    assert len(seen["random"].split()[0]) == 64


@pytest.mark.parametrize("smt, threads, cores", [
    ("no", ["0", "1", "2", "3"], "4"), ("yes", ["0-1", "0-1", "2-3", "2-3"], "2"),
])
def test_topology(run_vm, guest_runs, vmlinux, smt, threads, cores):
    look = """
    echo fact: threads $(cat /sys/devices/system/cpu/cpu[0-9]*/topology/thread_siblings_list)
    echo fact: cores $(awk '/^cpu cores/ { print $4 }' /proc/cpuinfo | sort -u)
    echo fact: packages $(awk '/^physical id/ { print $4 }' /proc/cpuinfo | sort -u)
    """
    end = run_vm(config_of(vmlinux, guest_runs(look), vcpus=4, smt=smt))
    seen = facts(end.output)
    assert seen["threads"].split() == threads
    assert seen["cores"] == cores
    assert seen["packages"] == "0"


@pytest.mark.parametrize("kernel", ["debian", "vmlinux"])
def test_reboot(request, run_vm, guest_runs, kernel):
    guest = request.getfixturevalue(kernel)
    end = run_vm(config_of(guest, guest_runs("true", end="reboot")))
    assert end.status == 0, end
    assert "Restarting system" in end.output
    assert end.errors == ""


def test_panic_that_reboots(run_vm, guest_runs, vmlinux):
    end = run_vm(config_of(vmlinux, guest_runs("echo c > /proc/sysrq-trigger")))
    assert end.status == 0, end
    assert "Kernel panic" in end.output


def test_triple_fault(run_vm, guest_runs, vmlinux):
    cmdline = guest_runs("true", "reboot=t", end="reboot")
    end = run_vm(config_of(vmlinux, cmdline.replace("reboot=k ", "")))
    assert end.status == TRIPLE_FAULT
    assert end.errors.count("\n") == 1
    assert "triple fault" in end.errors and "rip" in end.errors


def test_no_init_is_a_panic(run_vm, vmlinux):
    """A kernel without anything to run ends as well."""
    end = run_vm(config_of(vmlinux, CMDLINE, initrd=False))
    assert end.status == 0, end
    assert "Unable to mount root fs" in end.output
