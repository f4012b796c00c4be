# SPDX-License-Identifier: Apache-2.0
"""Network cards, by frames to and from a tap."""

import struct

import pytest

import tap
import vmm

GUEST = bytes.fromhex("0600ac100002")
HOST = bytes.fromhex("0600ac100001")
TYPE = struct.pack("!H", tap.ETHER_TYPE)


def frame(length):
    body = bytes((i * 7 + length) & 0xFF for i in range(length - 14 - 1))
    return GUEST + HOST + TYPE + b"f" + body


def echoed(sent):
    return sent[6:12] + sent[0:6] + sent[12:]


def net(link, **more):
    return {"id": "eth0", "mac": GUEST.hex(":"), "fd": link.fd, **more}


@pytest.mark.parametrize("irqchip", ["split", "full"])
@pytest.mark.parametrize("words", ["", "mergeable"])
def test_frames_in_both_directions(words, irqchip):
    lengths = [60, 61, 243, 244, 245, 256, 512, 1514, 9014]
    with tap.Tap() as link, vmm.Vmm(
        guest="net", cmdline=words, nets=[net(link)], irqchip=irqchip
    ) as vm:
        vm.expect("say ready\n")
        hello = b"\xff" * 6 + GUEST + TYPE + b"hello from the guest"
        assert [link.receive() for _ in range(3)] == [
            hello.ljust(60, b"\0"),
            hello.ljust(60, b"\0"),
            hello.ljust(61, b"\0"),
        ]
        for length in lengths:
            link.send(frame(length))
            assert link.receive() == echoed(frame(length)), length
        link.send(GUEST + HOST + TYPE + b"end".ljust(46, b"\0"))
        result = vm.wait()
        assert len(link.receive()) == 60  # after the reset
    result.require("transmit", "transmit-split", "transmit-runt", "echo", "after-reset")
    assert result.said("mac") == ["0x6 0x2"]
    # 9014 bytes and a header of 12 in buffers of 256.
    assert result.said("buffers") == ["36" if words else "1"]


def test_many_frames_at_once_stay_whole_and_in_order():
    """More than there are buffers: some may be lost, none may be changed."""
    with tap.Tap() as link, vmm.Vmm(guest="net", nets=[net(link)]) as vm:
        vm.expect("say ready\n")
        for _ in range(3):
            link.receive()
        sent = [frame(60 + i) for i in range(300)]
        for one in sent:
            link.send(one)
        end = GUEST + HOST + TYPE + b"end".ljust(46, b"\0")
        expected = iter([echoed(one) for one in sent])
        got = 0
        link.send(end)
        for _ in range(len(sent) + 1):
            back = link.receive(timeout_s=20)
            if back[14:17] == b"end":  # sent after the reset
                break
            assert any(back == one for one in expected), "changed, or out of order"
            got += 1
        result = vm.wait()
    result.require("echo")
    assert got >= 64


@pytest.mark.parametrize(
    "flags",
    [tap.IFF_TAP | tap.IFF_NO_PI, tap.IFF_TUN | tap.IFF_NO_PI | tap.IFF_VNET_HDR],
)
def test_tap_of_the_wrong_kind_is_refused(flags):
    with tap.Tap(flags) as link, vmm.Vmm(guest="hello", nets=[net(link)]) as vm:
        result = vm.wait()
    assert result.code == vmm.EXIT_VMM, result
    assert "eth0" in result.stderr, result


def test_no_tap_at_all():
    def launch(fds):
        null = fds.open("/dev/null", 2)
        return vmm.Launch(fds, guest="hello", nets=[{"id": "eth0", "fd": null}])

    with vmm.Vmm(launch) as vm:
        result = vm.wait()
    assert result.code == vmm.EXIT_VMM, result
    assert "eth0" in result.stderr, result
