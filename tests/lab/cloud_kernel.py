# SPDX-License-Identifier: Apache-2.0
"""Debian's cloud kernel, unmodified and not installed.

The package is fetched as apt would fetch it and unpacked into the cache: the
same kernel is the lab's own and the guest that stands for "what users have".
"""

import pathlib
import subprocess

import cache

META = "linux-image-cloud-amd64"
APT_LISTS = pathlib.Path("/var/lib/apt/lists")


class FetchError(Exception):
    """No kernel: apt does not know it, or it could not be fetched."""


class CloudKernel:
    """An unpacked kernel package: its image and its modules."""

    def __init__(self, directory):
        self.modules = next((directory / "lib/modules").iterdir())
        self.release = self.modules.name
        self.image = directory / "boot" / f"vmlinuz-{self.release}"

    def module_files(self, names):
        """Files of the modules `names` and of all they need, in load order."""
        lines = (self.modules / "modules.dep").read_text().splitlines()
        needs = dict(line.split(":", 1) for line in lines)
        paths = {_module_name(path): path for path in needs}
        ordered = {}
        for name in names:
            path = paths[_module_name(name)]
            for one in [*reversed(needs[path].split()), path]:
                ordered[one] = None
        return [self.modules / path for path in ordered]


def fetch():
    """The newest cloud kernel that apt knows of."""
    answer = cache.entry(f"cloud-newest-{_apt_state()}", _note_newest_package)
    package = (answer / "package").read_text()
    name = "cloud-" + package.replace("=", "-")
    return CloudKernel(cache.entry(name, lambda to: _unpack(package, to)))


def _apt_state():
    """Changes when apt's lists do: asking apt itself takes seconds."""
    return APT_LISTS.stat().st_mtime_ns


def _note_newest_package(to):
    (to / "package").write_text(_newest_package())


def _newest_package():
    """`package=version` of the kernel behind the meta package."""
    meta = _apt_show(META)
    depends = meta["Depends"].split(",")
    names = [word.split()[0] for word in depends]
    name = next(n for n in names if n.startswith("linux-image-"))
    return f"{name}={_apt_show(name)['Version']}"


def _apt_show(package):
    done = subprocess.run(
        ["apt-cache", "--no-all-versions", "show", package],
        capture_output=True, text=True,
    )
    if done.returncode or not done.stdout:
        raise FetchError(f"apt does not know {package}: run apt-get update")
    lines = done.stdout.split("\n\n")[0].splitlines()
    return dict(x.split(": ", 1) for x in lines if ": " in x and x[0] != " ")


def _unpack(package, to):
    deb = _download(package, to)
    subprocess.run(["dpkg", "-x", deb, to], check=True)
    deb.unlink()
    release = next((to / "lib/modules").iterdir()).name
    subprocess.run(["/usr/sbin/depmod", "-b", to, release], check=True)


def _download(package, to):
    # apt's own sandbox user cannot write to a cache below a home directory
    done = subprocess.run(
        ["apt-get", "-qq", "-o", "APT::Sandbox::User=root",
         "download", package],
        cwd=to, capture_output=True, text=True,
    )
    if done.returncode:
        raise FetchError(f"apt-get download {package}: {done.stderr.strip()}")
    return next(pathlib.Path(to).glob("*.deb"))


def _module_name(path):
    return pathlib.Path(path).name.split(".")[0].replace("-", "_")
