"""The dialogue process in strange hands: its end of the channel to the agent,
and records of our own on it."""

import ctypes
import errno
import os
import re
import socket
import stat
import struct

from session import Session, until

PIDFD_GETFD = 438  # the same number on every machine
PACKET_MAX = 16384
LIBRARY = os.path.join(os.path.dirname(__file__), "..", "lib")


def numbers():
    """The records by their names, as lib/record.h counts them."""
    with open(os.path.join(LIBRARY, "record.h"), encoding="ascii") as file:
        body = re.search(r"enum record_type \{(.*?)\};", file.read(), re.S)[1]
    names = re.findall(r"RECORD_(\w+)", re.sub(r"/\*.*?\*/", "", body, flags=re.S))
    return {name: number for number, name in enumerate(names, 1)}


TYPES = numbers()


def record(name, first=b"", second=b"", number=0):
    first, second = (t if isinstance(t, bytes) else t.encode()
                     for t in (first, second))
    return struct.pack("=QIHH", number, TYPES[name], len(first),
                       len(second)) + first + second


def hook(verb, argument=""):
    return record("HOOK", verb, argument)


def channels(pid):
    """Copies of such sockets of another process; None if that is forbidden."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    found = []
    try:
        other = os.pidfd_open(pid)
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return found  # it is gone
    for name in names:
        fd = call(PIDFD_GETFD, other, int(name), 0)
        if fd < 0 and ctypes.get_errno() == errno.EPERM:
            os.close(other)
            return None
        if fd < 0:
            continue
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            os.close(fd)
            continue
        end = socket.socket(fileno=fd)
        if (end.family, end.type) == (socket.AF_UNIX, socket.SOCK_SEQPACKET):
            found.append(end)
        else:
            end.close()
    os.close(other)
    return found


class Taken(Session):
    """A session whose dialogue only waits for its client."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, kind="pair", **options)
        self.channel = until(self.only_channel)
        self.channel.settimeout(10)

    def only_channel(self):
        """Of a dialogue that has closed what it does not need: the agent's end,
        too."""
        found = channels(self.dialogue())
        if len(found) == 1:
            return found[0]
        for end in found:
            end.close()
        return None

    def tell(self, *records):
        """In one packet."""
        octets = b"".join(records)
        assert len(octets) <= PACKET_MAX, len(octets)
        self.channel.send(octets)

    def answer(self):
        """The text and the number of the next RECORD_REPLY."""
        while True:
            octets = self.channel.recv(PACKET_MAX)
            if not octets:
                return None
            number, kind, first, _ = struct.unpack("=QIHH", octets[:16])
            if kind == TYPES["REPLY"]:
                return octets[16:16 + first].decode(), number

    def ended(self, *arguments, **options):
        self.channel.close()
        return super().ended(*arguments, **options)

    def caught(self):
        """The agent has seen that this is no sound dialogue."""
        self.process.wait(5)
        log = self.ended(70)
        assert "the dialogue process sent a record that it may not" in log, log

