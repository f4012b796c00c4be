# SPDX-License-Identifier: Apache-2.0
"""Disks: a root file system, data both ways, what is refused, names."""

import os
import struct
import subprocess

import pytest

from conftest import config_of, facts, sha256

MIB = 1 << 20
SECTOR = 512
# No multiple of a page
DATA_BYTES = 24 * MIB + SECTOR
NO_INPUT = 66
LOOK = r"""
echo fact: root $(awk '$2 == "/" && $1 != "rootfs" { print $1, $3, $4 }' /proc/mounts)
echo fact: cmdline $(cat /proc/cmdline)
for disk in vda vdb; do
    [ -e /sys/block/$disk ] || continue
    echo fact: $disk $(cat /sys/block/$disk/serial) \
        $(cat /sys/block/$disk/size /sys/block/$disk/ro)
done
"""


@pytest.fixture
def data(tmp_path):
    """A disk of random bytes."""
    path = tmp_path / "data"
    path.write_bytes(os.urandom(DATA_BYTES))
    return path


def serial(path):
    """What the guest reads for it (backend/disk.h)."""
    is_in = os.stat(path)
    return f"{is_in.st_dev}{is_in.st_rdev}{is_in.st_ino}"[:20]


def on_disk(guest, cmdline, rootfs, **drive):
    """A configuration that boots from a disk alone."""
    return {**config_of(guest, cmdline, initrd=False),
            "drive rootfs": {"path": rootfs, "root": "yes", **drive}}


def check_file_system(path):
    subprocess.run(["/sbin/e2fsck", "-fn", path], check=True,
                   capture_output=True)


@pytest.mark.parametrize("cache", ["unsafe", "writeback"])
def test_root_to_write(run_vm, guest_runs, vmlinux, rootfs, tmp_path, cache):
    command = LOOK + """
    dd if=/dev/urandom of=/mnt/data bs=1M count=16 conv=fsync 2>/dev/null
    echo fact: sum $(sha256sum /mnt/data)
    """
    end = run_vm(on_disk(vmlinux, guest_runs(command), rootfs, cache=cache))
    assert end.status == 0, end
    seen = facts(end.output)
    assert "root=/dev/vda rw" in seen["cmdline"]
    assert seen["root"].startswith("/dev/root ext4 rw,")
    assert seen["vda"].split() == [
        serial(rootfs), str(64 * MIB // SECTOR), "0"]
    # It was never unmounted: its journal is what e2fsck and debugfs see
    subprocess.run(["/sbin/e2fsck", "-fy", rootfs], check=False,
                   capture_output=True)
    check_file_system(rootfs)
    copy = tmp_path / "copy"
    subprocess.run(["/sbin/debugfs", "-R", f"dump /mnt/data {copy}", rootfs],
                   check=True, capture_output=True)
    written = copy.read_bytes()
    assert len(written) == 16 * MIB
    assert sha256(written) == seen["sum"].split()[0]


def test_root_to_read(run_vm, guest_runs, vmlinux, rootfs):
    before = sha256(rootfs.read_bytes())
    command = LOOK + """
    touch /mnt/file; echo fact: touch $?
    mount -o remount,rw /; echo fact: remount $?
    dd if=/dev/zero of=/dev/vda bs=512 count=1; echo fact: dd $?
    """
    end = run_vm(on_disk(vmlinux, guest_runs(command), rootfs,
                         read_only="yes"))
    assert end.status == 0, end
    seen = facts(end.output)
    assert "root=/dev/vda ro" in seen["cmdline"]
    assert seen["root"].startswith("/dev/root ext4 ro,")
    assert seen["vda"].split()[2] == "1"
    assert "0" not in (seen["touch"], seen["remount"], seen["dd"])
    assert sha256(rootfs.read_bytes()) == before


@pytest.mark.parametrize("kernel", ["debian", "vmlinux"])
def test_data_both_ways(request, run_vm, guest_runs, data, tmp_path, kernel):
    """The guest copies one disk to another; both are what they should be."""
    guest = request.getfixturevalue(kernel)
    given = sha256(data.read_bytes())
    copy = tmp_path / "copy"
    copy.write_bytes(bytes(DATA_BYTES + MIB))
    command = LOOK + """
    echo fact: sum $(sha256sum /dev/vda)
    dd if=/dev/vda of=/dev/vdb bs=64k conv=fsync
    echo fact: fsync $?
    """
    config = config_of(guest, guest_runs(command))
    config["drive given"] = {"path": data, "read_only": "yes"}
    config["drive copy"] = {"path": copy, "cache": "writeback"}
    end = run_vm(config)
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["vda"].split() == [
        serial(data), str(DATA_BYTES // SECTOR), "1"]
    assert seen["sum"].split()[0] == given
    assert seen["fsync"] == "0"
    written = copy.read_bytes()
    assert sha256(written[:DATA_BYTES]) == given
    assert written[DATA_BYTES:] == bytes(MIB)
    assert sha256(data.read_bytes()) == given


def test_root_comes_first(run_vm, guest_runs, vmlinux, rootfs, data):
    """Whatever the order in the file; the other one cannot be written."""
    before = sha256(data.read_bytes())
    command = LOOK + """
    dd if=/dev/zero of=/dev/vdb bs=1M count=1 conv=fsync; echo fact: dd $?
    blockdev --setrw /dev/vdb
    dd if=/dev/zero of=/dev/vdb bs=1M count=1 conv=fsync; echo fact: forced $?
    echo fact: sum $(sha256sum /dev/vdb)
    """
    config = config_of(vmlinux, guest_runs(command), initrd=False)
    config["drive data"] = {"path": data, "read_only": "yes"}
    config["drive system"] = {"path": rootfs, "root": "yes"}
    end = run_vm(config)
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["vda"].split()[0] == serial(rootfs)
    assert seen["vdb"].split() == [
        serial(data), str(DATA_BYTES // SECTOR), "1"]
    assert "root=/dev/vda rw" in seen["cmdline"]
    assert seen["dd"] != "0" and seen["forced"] != "0"
    assert seen["sum"].split()[0] == before == sha256(data.read_bytes())


def test_root_by_partition(run_vm, guest_runs, vmlinux, rootfs, tmp_path):
    """A disk with a partition table, which partuuid names (DOS: ID-NN)."""
    disk = tmp_path / "disk"
    system = rootfs.read_bytes()
    start, length = 2048, len(system) // SECTOR
    entry = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", start, length)
    table = bytes(440) + struct.pack("<IH", 0x6b696c6e, 0) + entry
    with open(disk, "wb") as file:
        file.write(table.ljust(510, b"\0") + b"\x55\xaa")
        file.seek(start * SECTOR)
        file.write(system)
    end = run_vm(on_disk(vmlinux, guest_runs(LOOK), disk,
                         partuuid="6b696c6e-01", read_only="yes"))
    assert end.status == 0, end
    seen = facts(end.output)
    assert "root=PARTUUID=6b696c6e-01 ro" in seen["cmdline"]
    assert "Hello from kiln" in end.output
    assert seen["root"].startswith("/dev/root ext4 ro,")


def test_a_disk_has_one_writer(start_vm, run_vm, guest_runs, vmlinux, data,
                               vm_id):
    """The second is refused and says why; the first goes on."""
    config = {**config_of(vmlinux, guest_runs("read line; sha256sum /dev/vda")),
              "drive data": {"path": data}}
    first = start_vm(config)
    first.wait_for("Hello from kiln")
    for read_only in ("no", "yes"):
        config["drive data"]["read_only"] = read_only
        second = run_vm(config, name=f"{vm_id}-2")
        assert second.status == NO_INPUT
        assert second.errors.count("\n") == 1
        assert f"drive 'data': '{data}' is in use" in second.errors
    first.type("go on\n")
    end = first.end()
    assert end.status == 0, end
    assert sha256(data.read_bytes()) in end.output
    # And afterwards it is free again
    config["kernel"]["cmdline"] = guest_runs("true")
    assert run_vm(config, name=f"{vm_id}-2").status == 0
