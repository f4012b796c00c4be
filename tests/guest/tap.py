# SPDX-License-Identifier: Apache-2.0
"""A tap in a network namespace of its own, with a packet socket at its host
end. Both are descriptors made in a child that is gone at once; the namespace
lives as long as they do, and nothing of the host's network is touched.
"""

import ctypes
import fcntl
import os
import select
import socket
import struct
import time

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

# linux/if_tun.h, linux/sockios.h
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000
SIOCSIFFLAGS = 0x8914
SIOCSIFMTU = 0x8922
IFF_UP = 1

ETH_P_ALL = 0x0003
ETHER_TYPE = 0x88B5  # IEEE 802, local experiments
MTU = 9000
NAME = b"tap0"


def _ifreq(value, kind="h"):
    return struct.pack(f"16s{kind}", NAME, value).ljust(40, b"\0")


def _make(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    spaces = CLONE_NEWNET | (CLONE_NEWUSER if os.geteuid() != 0 else 0)
    if libc.unshare(spaces) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    fcntl.ioctl(tap, TUNSETIFF, _ifreq(flags))
    # Up before the bind: a packet socket remembers that its link was down.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, SIOCSIFMTU, _ifreq(MTU, "i"))
        fcntl.ioctl(control, SIOCSIFFLAGS, _ifreq(IFF_UP))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.bind((NAME.decode(), 0))
    return tap, wire.detach()


def _child(theirs, flags):
    try:
        socket.send_fds(theirs, [b"."], _make(flags))
    except OSError as error:
        theirs.send(f"{error}".encode())


class Tap:
    """fd: the tap, for the VMM; frames go in and out by send() and receive()."""

    def __init__(self, flags=IFF_TAP | IFF_NO_PI | IFF_VNET_HDR):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            pid = os.fork()
            if pid == 0:
                try:
                    _child(theirs, flags)
                finally:
                    os._exit(0)
            os.waitpid(pid, 0)
            said, fds, _, _ = socket.recv_fds(ours, 256, 2)
        if not fds:
            raise OSError(f"tap: {said.decode()}")
        self.fd, wire = fds
        self._wire = socket.socket(fileno=wire)

    def send(self, frame):
        self._wire.send(frame)

    def receive(self, timeout_s=60):
        """The next frame of our EtherType; the kernel's own are let pass."""
        deadline = time.monotonic() + timeout_s
        while True:
            left = max(0, deadline - time.monotonic())
            if not select.select([self._wire], [], [], left)[0]:
                raise AssertionError("no frame from the guest")
            frame = self._wire.recv(65536)
            if frame[12:14] == struct.pack("!H", ETHER_TYPE):
                return frame

    def close(self):
        os.close(self.fd)
        self._wire.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
