#!/usr/bin/env python3
"""Talks SMTP byte for byte, and prints what comes back.

    talk.py [-t SECONDS] [-s SOURCE] ADDRESS STEP ...
    talk.py [-t SECONDS] pair|pipe|tcp STEP ... -- COMMAND [ARGUMENT ...]

ADDRESS is HOST:PORT, [IPV6]:PORT or unix:PATH. With pair, pipe and tcp the
command is started with an unnamed socket pair, two pipes or a TCP connection
over loopback at its descriptors 0 and 1, and its exit status must be 0.

A step is one of

    >TEXT     send TEXT and CRLF
    +TEXT     send TEXT as it stands
    @FILE     send the octets of FILE
    =FILE     send FILE, LF or CRLF, as DATA wants it: dots doubled, CRLF
    .         send CRLF.CRLF's last three octets
    <CODE     read one reply, which must begin with CODE
    <eof      read until the other side closes
    half      say that nothing more will be sent
    close     close
    reset     close so that the other side is reset

TEXT knows \\r \\n \\t \\0 \\\\ and \\xHH. Exit status 1 and a line on
stderr if a step fails or nothing arrives for SECONDS (10).
"""

import array
import ctypes
import fcntl
import os
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time


# How much longer than usual everything may take.
PATIENCE = float(os.environ.get("PATIENCE", 1))


class Unexpected(Exception):
    """The other side did not do what it should."""


def parse(address):
    """A socket family and address from HOST:PORT, [IPV6]:PORT or unix:PATH."""
    if address.startswith("unix:"):
        return socket.AF_UNIX, address[5:]
    host, _, port = address.rpartition(":")
    if host.startswith("["):
        return socket.AF_INET6, (host[1:-1], int(port))
    return socket.AF_INET, (host, int(port))


class Conversation:
    """One connection. Every wait is bounded by self.timeout seconds."""

    def __init__(self, sock=None, fds=None, timeout=10):
        self.sock = sock
        self.source, self.sink = fds or (sock.fileno(), sock.fileno())
        os.set_blocking(self.source, False)
        os.set_blocking(self.sink, False)
        self.timeout = timeout * PATIENCE
        self.buffer = b""
        self.seen = b""  # all that has been read so far
        self.far = None  # our copy of the server's end, where we made it

    @classmethod
    def connect(cls, address, timeout=10, source=None):
        family, where = parse(address)
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(timeout)
        if source:
            sock.bind((source, 0))
        sock.connect(where)
        if family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock, timeout=timeout)

    def _wait(self, fd, event):
        poll = select.poll()
        poll.register(fd, event)
        if not poll.poll(self.timeout * 1000):
            raise Unexpected(f"nothing for {self.timeout} seconds; "
                             f"so far: {self.seen[-200:]!r}")

    def send(self, octets):
        view = memoryview(octets)
        while view:
            try:
                view = view[os.write(self.sink, view):]
            except BlockingIOError:
                self._wait(self.sink, select.POLLOUT)

    def line(self, text):
        self.send(text.encode() + b"\r\n")

    def data(self, octets):
        """Sends a message (LF or CRLF line ends) and the final dot."""
        octets = re.sub(rb"\r?\n", b"\r\n", octets)
        octets = re.sub(rb"(?m)^\.", b"..", octets)
        if octets and not octets.endswith(b"\n"):
            octets += b"\r\n"
        self.send(octets + b".\r\n")

    def _more(self):
        """Reads once; False at the end."""
        while True:
            try:
                octets = os.read(self.source, 65536)
                break
            except BlockingIOError:
                self._wait(self.source, select.POLLIN)
            except (ConnectionResetError, OSError):
                # OSError: the far end of a terminal is gone
                octets = b""
                break
        self.buffer += octets
        self.seen += octets
        return octets != b""

    def reply(self):
        """One whole reply, all its lines."""
        reply = b""
        while True:
            while b"\n" not in self.buffer:
                if not self._more():
                    raise Unexpected(f"closed after {self.seen[-200:]!r}")
            line, _, self.buffer = self.buffer.partition(b"\n")
            reply += line + b"\n"
            if not re.match(rb"\d\d\d-", line):
                return reply

    def expect(self, *codes):
        """Reads a reply; it must begin with one of the codes."""
        reply = self.reply()
        if not reply.startswith(tuple(c.encode() for c in codes)):
            raise Unexpected(f"wanted {' or '.join(codes)}, got {reply!r}")
        return reply

    def ask(self, text, *codes):
        self.line(text)
        return self.expect(*codes)

    def eof(self):
        """All that comes until the other side closes."""
        while self._more():
            pass
        rest, self.buffer = self.buffer, b""
        return rest

    def half(self):
        if self.sock:
            self.sock.shutdown(socket.SHUT_WR)
        elif self.sink != self.source:
            os.close(self.sink)
            self.sink = self.source

    def close(self):
        if self.sock:
            self.sock.close()
        else:
            for fd in {self.source, self.sink}:
                os.close(fd)
        self.forget()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        self.close()

    def forget(self):
        """Gives up our copy of the server's end."""
        if self.far is not None:
            os.close(self.far)
            self.far = None

    def drained(self):
        """Waits until the server has read all that we sent."""
        end = time.monotonic() + self.timeout
        count = array.array("i", [0])
        while True:
            fcntl.ioctl(self.far, termios.FIONREAD, count)
            if count[0] == 0:
                return
            if time.monotonic() > end:
                raise Unexpected(f"the server left {count[0]} octets unread")
            time.sleep(0.0005)


def tcp_pair():
    """Two ends of a TCP connection over loopback: ours, the server's."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
        return ours, theirs


def spawn(kind, command, timeout=10, **options):
    """Starts the command on a connection: (Conversation, Popen)."""
    if kind == "pipe":
        (stdin, sink), (source, stdout) = os.pipe(), os.pipe()
        process = subprocess.Popen(command, stdin=stdin, stdout=stdout,
                                   **options)
        os.close(stdout)
        talk = Conversation(fds=(source, sink), timeout=timeout)
        talk.far = stdin
        return talk, process
    ours, theirs = tcp_pair() if kind == "tcp" else socket.socketpair()
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs,
                               **options)
    talk = Conversation(ours, timeout=timeout)
    talk.far = theirs.detach()
    return talk, process


def adopt_orphans():
    """Whatever our children leave behind becomes a child of ours."""
    PR_SET_CHILD_SUBREAPER = 36
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER,
                                               1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def no_orphans(timeout=5):
    """Waits until we have no children; those that do not end are ended, and
    their number is returned."""
    end = time.monotonic() + timeout
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == 0 and time.monotonic() > end:
            break
        if pid == 0:
            time.sleep(0.001)
    left = children()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(left)


def children(pid="self"):
    """The processes that a process is the parent of."""
    wanted = os.getpid() if pid == "self" else pid
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as stat:
                    parent = stat.read().rpartition(")")[2].split()[1]
            except OSError:
                continue
            if int(parent) == wanted:
                found.append(int(name))
    return found


def unescape(text):
    names = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    text = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: names.get(m[1]) or chr(int(m[1][1:], 16)),
                  text).encode("latin-1")


def step(talk, what):
    if what[0] == ">":
        talk.send(unescape(what[1:]) + b"\r\n")
    elif what[0] == "+":
        talk.send(unescape(what[1:]))
    elif what[0] in "@=":
        with open(what[1:], "rb") as file:
            octets = file.read()
        talk.send(octets) if what[0] == "@" else talk.data(octets)
    elif what == ".":
        talk.send(b".\r\n")
    elif what == "<eof":
        talk.eof()
    elif what[0] == "<":
        talk.expect(what[1:])
    elif what in ("half", "close", "reset"):
        getattr(talk, what)()
    else:
        raise SystemExit(f"talk.py: no such step: {what}")


def main():
    arguments = sys.argv[1:]
    timeout, source = 10, None
    while arguments and arguments[0] in ("-t", "-s"):
        if arguments[0] == "-t":
            timeout = float(arguments[1])
        else:
            source = arguments[1]
        del arguments[:2]
    if not arguments:
        raise SystemExit(__doc__)
    where, steps, process = arguments[0], arguments[1:], None
    if where in ("pair", "pipe", "tcp"):
        cut = steps.index("--")
        talk, process = spawn(where, steps[cut + 1:], timeout)
        talk.forget()
        del steps[cut:]
    else:
        talk = Conversation.connect(where, timeout, source)
    failed = None
    try:
        for what in steps:
            step(talk, what)
    except (Unexpected, OSError) as error:
        failed = f"{what}: {error}"
    sys.stdout.buffer.write(talk.seen)
    talk.close()
    if process:
        try:
            if process.wait(timeout) != 0 and not failed:
                failed = f"exit status {process.returncode}"
        except subprocess.TimeoutExpired:
            process.kill()
            failed = failed or "did not end"
    if failed:
        sys.stdout.flush()
        raise SystemExit(f"talk.py: {failed}")


if __name__ == "__main__":
    main()
