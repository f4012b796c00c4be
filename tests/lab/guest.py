# SPDX-License-Identifier: Apache-2.0
"""The guests of the tests: one init, as two initramfs and one root disk."""

import os
import pathlib
import shutil
import subprocess

import cache
import initramfs

INIT = pathlib.Path(__file__).parents[2] / "profiles/guest/init"
# What Debian's kernel has as modules and the small kernel has built in
MODULES = (
    "virtio_mmio", "virtio_blk", "virtio_net", "virtio_rng",
    "virtio_balloon", "vmw_vsock_virtio_transport",
)
TREE = {
    "bin/busybox": initramfs.BUSYBOX, "bin/sh": "busybox",
    "proc": None, "sys": None, "dev": None, "tmp": None, "mnt": None,
}
DISK_SIZE = "64M"
# In place of what mke2fs would take from the clock and at random
DISK_ID = "6b696c6e-0000-4000-8000-000000000001"
FIXED = {"E2FSPROGS_FAKE_TIME": "1"}


def small_initrd():
    """For a kernel without modules."""
    return initramfs.pack({**TREE, "init": INIT})


def debian_initrd(kernel):
    """For `kernel`, with the modules of virtio-mmio's devices."""
    files = {**TREE, "init": INIT}
    return initramfs.pack(initramfs.with_modules(files, kernel, MODULES))


def root_disk():
    """An ext4 file system with the same system, to boot without initrd.

    From the cache: mke2fs takes over times of change that no one can set.
    """
    key = cache.digest(INIT, initramfs.BUSYBOX, pathlib.Path(__file__))
    made = cache.entry(f"rootfs-{key}", _make_disk)
    return (made / "rootfs.ext4").read_bytes()


def _make_disk(to):
    tree = to / "tree"
    tree.mkdir(mode=0o755)
    initramfs.stage({**TREE, "sbin/init": INIT}, tree)
    options = f"hash_seed={DISK_ID},root_owner=0:0,lazy_itable_init=0"
    subprocess.run(
        ["/sbin/mke2fs", "-q", "-t", "ext4", "-d", tree, "-L", "kiln",
         "-U", DISK_ID, "-E", options, to / "rootfs.ext4", DISK_SIZE],
        env={**os.environ, **FIXED}, stdout=subprocess.DEVNULL, check=True,
    )
    shutil.rmtree(tree)
