# SPDX-License-Identifier: Apache-2.0
"""Network: packets and streams between a guest and a namespace of the test."""

import contextlib
import ctypes
import hashlib
import json
import os
import socket
import subprocess
import threading

import pytest

from conftest import config_of, facts, sha256

MIB = 1 << 20
HOST, GUEST = "172.16.0.1", "172.16.0.2"
PORT = 5000
CREATE = 73
UP = f"""
ip link set eth0 up; ip addr add {GUEST}/30 dev eth0
echo fact: mac $(cat /sys/class/net/eth0/address)
echo fact: mtu $(cat /sys/class/net/eth0/mtu)
ping -c 3 {HOST} | grep received
"""
# What it gets it sends back.
STREAMS = f"""
nc -l -p {PORT} </dev/null >/tmp/data &
echo ready to receive
wait
echo fact: received $(md5sum /tmp/data)
nc {HOST} {PORT} </tmp/data
"""


class Namespace:
    """A network namespace, and sockets in it."""

    def __init__(self, name):
        self.name = name
        self.path = f"/run/netns/{name}"

    def ip(self, *arguments):
        return subprocess.run(["ip", "-n", self.name, *arguments], check=True,
                              capture_output=True, text=True).stdout

    def links(self):
        """{name: link} but for the loopback."""
        links = json.loads(self.ip("-json", "-details", "link"))
        return {x["ifname"]: x for x in links if x["ifname"] != "lo"}

    def ping(self, address):
        run = ["ip", "netns", "exec", self.name, "ping", "-c", "3", address]
        return subprocess.run(run, capture_output=True, text=True).stdout

    def socket(self):
        """A TCP socket in it: made by a thread that moved there and ended."""
        made = []
        thread = threading.Thread(target=self._make, args=(made,))
        thread.start()
        thread.join()
        made[0].settimeout(120)
        return made[0]

    def _make(self, made):
        fd = os.open(self.path, os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(fd, 0) == 0:
            made.append(socket.socket())
        os.close(fd)


@pytest.fixture
def netns(vm_id):
    """A namespace of the test's own."""
    subprocess.run(["ip", "netns", "add", vm_id], check=True)
    try:
        yield Namespace(vm_id)
    finally:
        subprocess.run(["ip", "netns", "del", vm_id], check=True)


def card(netns, **more):
    return {"tap": "auto", "netns": netns.path, "address": f"{HOST}/30",
            **more}


def send(netns, data):
    with contextlib.closing(netns.socket()) as to:
        to.connect((GUEST, PORT))
        to.sendall(data)
        to.shutdown(socket.SHUT_WR)
        while to.recv(4096):
            pass


def receive(listener):
    """All that one peer sends."""
    found = bytearray()
    source, _ = listener.accept()
    with contextlib.closing(source):
        while piece := source.recv(MIB):
            found += piece
    return bytes(found)


@pytest.mark.parametrize("kernel, keys, mac, mtu, mib", [
    ("vmlinux", {"mac": "06:00:ac:10:00:02", "mtu": 1400},
     "06:00:ac:10:00:02", 1400, 32),
    ("debian", {}, None, 1500, 4),
], ids=["vmlinux-mac-mtu", "debian"])
def test_packets_and_streams(request, start_vm, guest_runs, netns, vm_id,
                             kernel, keys, mac, mtu, mib):
    guest = request.getfixturevalue(kernel)
    config = config_of(guest, guest_runs(UP + STREAMS), vcpus=2)
    running = start_vm({**config, "net eth0": card(netns, **keys)})
    running.wait_for("ready to receive")

    assert "3 received" in netns.ping(GUEST)
    tap = netns.links()[f"kiln-{vm_id}-0"]
    assert tap["mtu"] == mtu and tap["ifalias"] == vm_id
    data = os.urandom(mib * MIB)
    with contextlib.closing(netns.socket()) as listener:
        listener.bind((HOST, PORT))
        listener.listen(1)
        send(netns, data)
        assert sha256(receive(listener)) == sha256(data)

    end = running.end()
    assert end.status == 0, end
    seen = facts(end.output)
    assert "3 packets received" in end.output
    assert seen["received"].split()[0] == hashlib.md5(data).hexdigest()
    assert seen["mtu"] == str(mtu)
    assert mac is None or seen["mac"] == mac
    assert netns.links() == {}


def test_a_tap_that_is_there(start_vm, run_vm, guest_runs, vmlinux, netns,
                             vm_id):
    """It is used under its name, by one at a time, and stays."""
    netns.ip("tuntap", "add", "mytap", "mode", "tap", "vnet_hdr")
    netns.ip("addr", "add", f"{HOST}/30", "dev", "mytap")
    netns.ip("link", "set", "mytap", "up")
    config = {**config_of(vmlinux, guest_runs(UP + "echo up; read line")),
              "net eth0": {"tap": "mytap", "netns": netns.path}}
    first = start_vm(config)
    first.wait_for("\nup")
    second = run_vm(config, name=f"{vm_id}-2")
    assert second.status == CREATE
    assert second.errors.count("\n") == 1
    busy = f"tap 'mytap' is in use by process {first.vmm_pid()}"
    assert busy in second.errors
    # The first one did not notice
    assert "3 received" in netns.ping(GUEST)
    first.type("go on\n")
    end = first.end()
    assert end.status == 0 and "3 packets received" in end.output, end
    assert set(netns.links()) == {"mytap"}


def test_two_cards_in_order(run_vm, guest_runs, vmlinux, netns):
    """The guest numbers them as the file does."""
    look = """for card in eth0 eth1; do
    echo fact: $card $(cat /sys/class/net/$card/address)
    done; ip link set eth1 up; ip addr add 172.16.1.2/30 dev eth1
    ping -c 1 172.16.1.1 | grep received"""
    config = config_of(vmlinux, guest_runs(look))
    config["net second"] = card(netns, mac="06:00:00:00:00:0a")
    config["net first"] = card(netns, mac="06:00:00:00:00:0b",
                               address="172.16.1.1/30")
    end = run_vm(config)
    assert end.status == 0, end
    seen = facts(end.output)
    assert seen["eth0"] == "06:00:00:00:00:0a"
    assert seen["eth1"] == "06:00:00:00:00:0b"
    assert "1 packets received" in end.output
    assert netns.links() == {}
