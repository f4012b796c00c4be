# SPDX-License-Identifier: Apache-2.0
"""Packs an initramfs (newc cpio) out of files, without root.

The same contents give the same bytes: owners are 0:0, times are 0, and the
order is by name. /dev/console is not needed here: every kernel with initrd
support carries that node in its built-in archive.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

BUSYBOX = pathlib.Path("/bin/busybox")


def pack(files):
    """The archive as bytes; files: path in it -> host path, or bytes."""
    with tempfile.TemporaryDirectory(prefix="kiln-initramfs.") as tree:
        stage(files, pathlib.Path(tree))
        return _cpio(pathlib.Path(tree))


def stage(files, tree):
    """Lays `files` out below the directory `tree`, all executable."""
    for name, source in files.items():
        to = tree / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            to.write_bytes(source)
        else:
            shutil.copyfile(source, to)
        to.chmod(0o755)
    for path in [tree, *tree.rglob("*")]:
        os.utime(path, (0, 0))


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
