# SPDX-License-Identifier: Apache-2.0
"""Lays out a small root file system and packs it, without root.

What goes in is a table: path in the guest -> its source, which is a file of
the host (Path), contents (bytes), the target of a symbolic link (str) or an
empty directory (None). The same contents give the same bytes: owners are
0:0, times are 0, and the order is by name. /dev/console is not needed: every
kernel with initrd support carries that node in its built-in archive.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

BUSYBOX = pathlib.Path("/bin/busybox")


def pack(files):
    """The files as the bytes of an initramfs (a newc cpio archive)."""
    with tempfile.TemporaryDirectory(prefix="kiln-initramfs.") as tree:
        stage(files, pathlib.Path(tree))
        return _cpio(pathlib.Path(tree))


def stage(files, tree):
    """Lays `files` out below the directory `tree`."""
    for name, source in files.items():
        to = tree / name
        to.parent.mkdir(parents=True, exist_ok=True)
        _place(source, to)
    for path in [*tree.rglob("*"), tree]:
        os.utime(path, (0, 0), follow_symlinks=False)


def _place(source, to):
    if source is None:
        to.mkdir()
    elif isinstance(source, str):
        to.symlink_to(source)
    elif isinstance(source, bytes):
        to.write_bytes(source)
        to.chmod(0o755)
    else:
        shutil.copyfile(source, to)
        to.chmod(0o755)


def with_modules(files, kernel, names):
    """`files` plus the modules `names` of `kernel` and /modules/order."""
    modules = kernel.module_files(names)
    order = "".join(path.name + "\n" for path in modules)
    packed = {f"modules/{path.name}": path for path in modules}
    return {**files, **packed, "modules/order": order.encode()}


def _cpio(tree):
    names = sorted(str(x.relative_to(tree)) for x in tree.rglob("*"))
    packed = subprocess.run(
        ["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0",
         "--reproducible"],
        cwd=tree, input="\n".join(names).encode(), stdout=subprocess.PIPE,
        check=True,
    )
    return packed.stdout
