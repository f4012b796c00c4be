# SPDX-License-Identifier: Apache-2.0
"""The emulated machine: QEMU with SVM, and virtiofsd for the host's files.

Every descriptor between the runner, QEMU and virtiofsd is made here and
inherited; nothing has a name in the file system, so nothing can be left
there. Both programs die with the runner (PDEATHSIG), however it ends.

Processor flags: la57, erms and fsrm are off, the first because five-level
paging slows the emulated walk, the others because the emulator counts every
iteration of a rep movsb, which falsifies measurements (--icount). xsave is off
because the emulated SVM does not intercept XSETBV: what a nested guest writes
to XCR0 is the lab kernel's XCR0 as well, and guests warned of it.

The timer is periodic (nohz=off highres=off): with one-shot timers the lab stood
still for ever after some ends of a nested guest, every processor idle, as if
the one interrupt that would have set the next timer had been lost.
"""

import os
import socket
import subprocess

VIRTIOFSD = "/usr/lib/qemu/virtiofsd"
DIE_WITH_RUNNER = ["setpriv", "--pdeathsig", "KILL"]
CPU = "max,+svm,+npt,-la57,-erms,-fsrm,-xsave"
CMDLINE = (
    "console=ttyS0 quiet panic=-1 mitigations=off nokaslr cryptomgr.notests"
    " nohz=off highres=off"
)
PORTS = ("stdout", "stderr", "session")


class Machine:
    """A running lab. `streams` maps a stream's name to its socket."""

    def __init__(self, settings, kernel, initramfs):
        self._settings = settings
        self._kernel = kernel
        self._inherited = []
        self._ours = []
        self._processes = []
        self.streams = {}
        self._arguments = self._base(initramfs)

    def start(self):
        """Starts both programs; close() ends them, also after a failure."""
        self._console()
        self._ports()
        self._share("root", "/", read_only=True)
        if self._settings.out:
            self._share("out", self._settings.out, read_only=False)
        self._spawn("QEMU", ["qemu-system-x86_64", *self._arguments],
                    self._inherited)
        for end in self._inherited:
            end.close()

    def ended(self):
        """Which program has ended, and its status; None while all run.

        QEMU, the last started, comes first: its end ends virtiofsd.
        """
        for program, process in reversed(self._processes):
            if process.poll() is not None:
                return program, process.returncode
        return None

    def close(self):
        """Ends every process that start() made."""
        for _, process in reversed(self._processes):
            process.kill()
            process.wait()
        for end in [*self._ours, *self._inherited]:
            end.close()

    def _base(self, initramfs):
        size = self._settings.mem
        accel = ["-accel", "tcg,thread=multi", "-smp", self._settings.cpus]
        if self._settings.icount:
            accel = ["-accel", "tcg,thread=single", "-smp", "1",
                     "-icount", "shift=1,sleep=off"]
        cmdline = f"{CMDLINE} lab_modules={self._kernel.modules}"
        return [
            "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-cpu", CPU, *accel, "-m", size,
            "-M", "q35,sata=off,smbus=off,memory-backend=mem",
            "-object", f"memory-backend-memfd,id=mem,size={size},share=on",
            "-kernel", str(self._kernel.image), "-append", cmdline,
            "-initrd", self._in_memory(initramfs),
        ]

    def _in_memory(self, data):
        fd = os.memfd_create("initramfs")
        with open(fd, "wb", closefd=False) as file:
            file.write(data)
        self._inherited.append(_Descriptor(fd))
        return f"/dev/fd/{fd}"

    def _chardev(self, name):
        """A character device whose other end is streams[name]."""
        ours, theirs = socket.socketpair()
        self._inherited.append(theirs)
        self._ours.append(ours)
        self.streams[name] = ours
        return ["-chardev", f"socket,id={name},fd={theirs.fileno()}"]

    def _console(self):
        self._arguments += self._chardev("console")
        self._arguments += ["-serial", "chardev:console"]

    def _ports(self):
        self._arguments += ["-device", "virtio-serial-pci"]
        for number, name in enumerate(PORTS, 1):
            port = f"virtserialport,chardev={name},nr={number},name={name}"
            self._arguments += [*self._chardev(name), "-device", port]

    def _share(self, tag, directory, read_only):
        """Shares a directory of the host under `tag`."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("")  # an abstract name that the kernel chooses
        listener.listen(1)
        # In a mount namespace of its own the host's files can be made
        # read-only for the server itself, whatever the lab asks of it.
        remount = "mount -o remount,bind,ro / && " if read_only else ""
        source = f"source={directory}"
        serve = [
            VIRTIOFSD, f"--fd={listener.fileno()}", "-o", source,
            "-o", "sandbox=chroot", "-o", "log_level=err",
            "-o", "cache=always" if read_only else "cache=auto",
        ]
        alone = ["unshare", "--mount", "sh", "-c", remount + 'exec "$@"', "sh"]
        self._spawn("virtiofsd", [*alone, *serve], [listener])
        client = socket.socket(socket.AF_UNIX)
        client.connect(listener.getsockname())
        listener.close()
        self._inherited.append(client)
        self._arguments += [
            "-chardev", f"socket,id={tag},fd={client.fileno()}",
            "-device", f"vhost-user-fs-pci,chardev={tag},tag={tag}",
        ]

    def _spawn(self, program, command, inherited):
        """Starts a process whose words go to a stream of its own."""
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [*DIE_WITH_RUNNER, *command],
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            pass_fds=[end.fileno() for end in inherited],
        )
        theirs.close()
        self._processes.append((program, process))
        self._ours.append(ours)
        self.streams[f"words of {process.pid}"] = ours


class _Descriptor:
    """A bare descriptor with the face of a socket."""

    def __init__(self, fd):
        self._fd = fd

    def fileno(self):
        return self._fd

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1
