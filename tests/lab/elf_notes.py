# SPDX-License-Identifier: Apache-2.0
"""Takes the PVH entry out of an ELF kernel.

A loader finds it as the note "Xen", type 18 (XEN_ELFNOTE_PHYS32_ENTRY), in
the PT_NOTE segment. Turning that segment into PT_NULL leaves every byte that
is loaded as it was, so the kernel is the same one, offered the old way.
"""

import struct

PT_NULL = 0
PT_NOTE = 4
PHYS32_ENTRY = struct.pack("<III4s", 4, 8, 18, b"Xen\0")


def without_pvh(image):
    """The bytes of the ELF64 `image` with no PT_NOTE that names PVH."""
    out = bytearray(image)
    (table,) = struct.unpack_from("<Q", out, 32)
    size, count = struct.unpack_from("<HH", out, 54)
    found = 0
    for at in range(table, table + size * count, size):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", out, at)
        if kind == PT_NOTE and PHYS32_ENTRY in out[offset:offset + length]:
            struct.pack_into("<I", out, at, PT_NULL)
            found += 1
    if not found:
        raise ValueError("the kernel has no PVH note to take out")
    return bytes(out)
