# SPDX-License-Identifier: Apache-2.0
"""The cache of downloaded and built things, outside the tree.

An entry is a directory that is whole or absent: it is filled under another
name and renamed when done, under a lock, so neither an interrupted download
nor two runs at once leave half of one. Names carry what the entry was made
of (a package version, a hash), so an entry is never out of date.
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import tempfile


def root():
    """The cache directory: KILN_CACHE, or kiln below the user's cache."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("KILN_CACHE") or home + "/kiln")


def entry(name, fill):
    """Path of the entry `name`; fill(directory) makes its contents."""
    path = root() / name
    if path.is_dir():
        return path
    root().mkdir(parents=True, exist_ok=True)
    with open(root() / (name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.is_dir():
            _fill(path, fill)
    return path


def digest(*parts):
    """A short name for contents: strings, or paths of files to read."""
    sha = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.read_bytes()
        sha.update(b"%d:" % len(data) + data)
    return sha.hexdigest()[:16]


def _fill(path, fill):
    prefix = path.name + ".part."
    for stale in path.parent.glob(prefix + "*"):
        shutil.rmtree(stale)  # ours by the lock: its maker was killed
    part = pathlib.Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent))
    try:
        fill(part)
        part.chmod(0o755)
        part.rename(path)
    finally:
        shutil.rmtree(part, ignore_errors=True)
