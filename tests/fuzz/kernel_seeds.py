#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Write the seeds of the kernel loaders' fuzz targets into corpus/."""

import pathlib
import struct

CORPUS = pathlib.Path(__file__).parent / "corpus"
CODE = 0x300


def elf(segments, notes=b"", entry=0x1000000, note_align=4):
    """An ELF file; segments: (paddr, file bytes, memory size)."""
    phdrs = b""
    count = len(segments) + bool(notes)
    offset = 64 + 56 * count
    body = b""
    for paddr, data, memsz in segments:
        phdrs += struct.pack("<IIQQQQQQ", 1, 7, offset + len(body), paddr,
                             paddr, len(data), memsz, 0x1000)
        body += data
    if notes:
        phdrs += struct.pack("<IIQQQQQQ", 4, 4, offset + len(body), 0, 0,
                             len(notes), len(notes), note_align)
        body += notes
    ident = b"\x7fELF\2\1\1" + bytes(9)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, entry, 64, 0, 0,
                               64, 56, count, 0, 0, 0) + phdrs + body


def note(name, kind, desc):
    """One ELF note, padded to four bytes."""
    return (struct.pack("<III", len(name), len(desc), kind) +
            name + bytes(-len(name) % 4) + desc + bytes(-len(desc) % 4))


def bzimage(pref=0x1000000, relocatable=1, align=0x200000, sects=1):
    """A bzImage of protocol 2.15."""
    image = bytearray(512 * (sects + 1) + CODE)
    struct.pack_into("<B", image, 0x1f1, sects)
    struct.pack_into("<I", image, 0x1f4, CODE // 16)
    struct.pack_into("<H", image, 0x1fe, 0xaa55)
    struct.pack_into("<BB4sH", image, 0x200, 0xeb, 0x6a, b"HdrS", 0x20f)
    struct.pack_into("<B", image, 0x211, 1)
    struct.pack_into("<I", image, 0x22c, 0x7fffffff)
    struct.pack_into("<IBBH", image, 0x230, align, relocatable, 21, 0x7f)
    struct.pack_into("<I", image, 0x238, 2047)
    struct.pack_into("<QI", image, 0x258, pref, 0x100000)
    return bytes(image)


SEEDS = {
    "elf/linux64": elf([(0x1000000, bytes(64), 4096)]),
    "elf/pvh": elf([(0x1000000, bytes(64), 4096),
                    (0x1200000, b"data", 64)],
                   note(b"GNU\0", 3, bytes(20)) +
                   note(b"Xen\0", 18, struct.pack("<Q", 0x1000020))),
    "elf/pvh-4": elf([(0x100000, bytes(16), 16)],
                     note(b"Xen\0", 18, struct.pack("<I", 0x10000f))),
    "elf/notes-8": elf([(0x100000, bytes(16), 16)],
                       note(b"GNU\0", 5, bytes(16)), note_align=8),
    "bzimage/usual": bzimage(),
    "bzimage/fixed": bzimage(relocatable=0, align=0),
    "bzimage/moves": bzimage(pref=1 << 40),
    "bzimage/old-sects": bzimage(sects=4).replace(b"\4", b"\0", 1),
}

for name, data in SEEDS.items():
    (CORPUS / name).write_bytes(data)
