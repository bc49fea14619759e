#!/usr/bin/env python3
"""Parents that begin TLS for smtpd when it asks for it, on Python's ssl module.

    ucspitls.py [-k KIND] [-m MODE] PEM PORT COMMAND [ARGUMENT ...]

listens on 127.0.0.1:PORT and starts the command for each connection. PEM has
key and certificate. KIND is

    ucspi    UCSPI-TLS, as sslserver -n and s6-ucspitlsd: the command's 0 and 1
             are the connection, SSLCTLFD takes y or Y, and what is decrypted
             comes from SSLREADFD and goes to SSLWRITEFD
    wrapper  tlswrapper -n as of 2025: 0 and 1 are pipes, a zero octet to 5
             asks for TLS, one from 6 says that it begins

MODE is what the parent does instead: "close" ends the control descriptor,
"silent" never answers, "half" ends it within the variables, "flood" sends more
variables than anyone wants, "none" sends no variable.
"""

import argparse
import array
import fcntl
import os
import select
import socket
import ssl
import subprocess
import sys
import termios
import threading
import time

from talk import Conversation, Unexpected, tcp_pair

VARIABLES = b"SSL_PROTOCOL=%s\0SSL_CIPHER=%s\0SSL_TLS_SNI_SERVERNAME=\0\0"


def server_context(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def client_context():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsTalk(Conversation):
    """A Conversation that is encrypted from now on."""

    def __init__(self, plain):
        plain.sock.settimeout(plain.timeout)
        self.sock = client_context().wrap_socket(plain.sock)
        self.timeout = plain.timeout
        self.buffer = self.seen = b""
        self.far = None

    def send(self, octets):
        self.sock.sendall(octets)

    def _more(self):
        try:
            octets = self.sock.recv(65536)
        except TimeoutError:
            raise Unexpected(f"nothing for {self.timeout} seconds; "
                             f"so far: {self.seen[-200:]!r}") from None
        except OSError:
            octets = b""
        self.buffer += octets
        self.seen += octets
        return octets != b""

    def half(self):
        """Ends TLS, and leaves the connection open: the plain socket."""
        self.sock.settimeout(self.timeout)
        try:
            return self.sock.unwrap()
        except (OSError, ssl.SSLError):
            return self.sock


def relay(source, sink, source2, sink2):
    """From source to sink and from source2 to sink2: pairs of (descriptor to
    poll, function to read) and functions to write. Ends with either."""
    while True:
        ready, _, _ = select.select([source[0], source2[0]], [], [])
        for (polled, read), write in ((source, sink), (source2, sink2)):
            if polled not in ready:
                continue
            try:
                octets = read()
                if octets is None:
                    continue
                if octets:
                    write(octets)
                # What came last and the end of TLS may come together.
                if not octets or getattr(read, "over", False):
                    return
            except OSError:
                return


def write_all(fd):
    def write(octets):
        while octets:
            octets = octets[os.write(fd, octets):]
    return write


class Parent:
    """smtpd on a connection of ours, and who holds the keys."""

    def __init__(self, command, pem, kind="ucspi", mode="", net=None,
                 timeout=20, **options):
        self.pem, self.kind, self.mode = pem, kind, mode
        self.talk = None
        if net is None:
            ours, net = tcp_pair()
            self.talk = Conversation(ours, timeout=timeout)
        self.net = net
        self.asked = b""  # what came on the control descriptor
        start = self.ucspi if kind == "ucspi" else self.wrapper
        serve = start(command, options)
        self.thread = threading.Thread(target=serve, daemon=True)
        self.thread.start()

    # UCSPI-TLS

    def ucspi(self, command, options):
        self.control, control = socket.socketpair()
        read, self.to_child = os.pipe()
        self.from_child, write = os.pipe()
        theirs = (control.fileno(), read, write)
        env = dict(options.pop("env", os.environ))
        env.update(zip(("SSLCTLFD", "SSLREADFD", "SSLWRITEFD"),
                       map(str, theirs)))
        self.process = subprocess.Popen(
            command, stdin=self.net, stdout=self.net, pass_fds=theirs,
            env=env, **options)
        control.close()
        os.close(read)
        os.close(write)
        return self.serve_ucspi

    def serve_ucspi(self):
        self.asked = self.control.recv(1)
        if not self.asked or self.mode == "close":
            self.end_ucspi()
            return
        if self.mode == "mute":
            self.control.close()
            return
        if self.mode == "silent":
            return
        try:
            tls = server_context(self.pem).wrap_socket(
                self.net.dup(), server_side=True)
        except OSError:
            self.end_ucspi()
            return
        if self.asked == b"Y":
            variables = VARIABLES % (tls.version().encode(),
                                     tls.cipher()[0].encode())
            if self.mode == "half":
                variables = variables[:20]
            elif self.mode == "none":
                variables = b"\0"
            elif self.mode == "flood":
                variables = b"X=%b\0" % (b"x" * 200000)
            # In pieces, as a pipe may give them.
            try:
                for at in range(0, len(variables), 7000):
                    self.control.sendall(variables[at:at + 7000][:3])
                    self.control.sendall(variables[at:at + 7000][3:])
            except OSError:
                pass
        if self.mode == "half":
            self.end_ucspi()
            return
        tls.setblocking(False)
        self.relay_tls(tls)
        self.end_ucspi()

    def relay_tls(self, tls):
        def read_tls():
            got = b""
            try:
                while piece := tls.recv(65536):
                    got += piece
                read_tls.over = True
                return got
            except ssl.SSLWantReadError:
                return got or None

        def write_tls(octets):
            while octets:
                try:
                    octets = octets[tls.send(octets):]
                except ssl.SSLWantWriteError:
                    select.select([], [tls], [], 10)

        relay((tls, read_tls), write_all(self.to_child),
              (self.from_child, lambda: os.read(self.from_child, 65536)),
              write_tls)
        try:
            tls.setblocking(True)
            tls.settimeout(2)
            tls.unwrap()
        except (OSError, ValueError):
            pass

    def end_ucspi(self):
        self.control.close()
        self.end()

    def end(self):
        for fd in (self.to_child, self.from_child):
            os.close(fd)
        self.net.close()

    # tlswrapper -n, newer

    def wrapper(self, command, options):
        read, self.to_child = os.pipe()
        self.from_child, write = os.pipe()
        self.control, control = os.pipe()
        ack, self.ack = os.pipe()
        high = [os.dup2(fd, 100 + i, True) for i, fd in
                enumerate((control, ack))]

        def place():
            os.dup2(high[0], 5)
            os.dup2(high[1], 6)

        peer = self.net.getpeername()
        env = dict(options.pop("env", os.environ), PROTO="TCP",
                   TCPREMOTEIP=peer[0], TCPREMOTEPORT=str(peer[1]))
        self.process = subprocess.Popen(
            command, stdin=read, stdout=write, close_fds=False,
            preexec_fn=place, env=env, **options)
        for fd in [read, write, control, ack] + high:
            os.close(fd)
        return self.serve_wrapper

    def plain(self):
        """Passes plain text on until TLS is asked for; True if it is. What the
        child says comes first, then what it asks for, as in the original."""
        while True:
            ready, _, _ = select.select(
                [self.net, self.from_child, self.control], [], [])
            if self.from_child in ready:
                octets = os.read(self.from_child, 65536)
                if not octets:
                    return False
                self.net.sendall(octets)
                # The client may be quicker than the child's second write.
                if b"220 2.0.0 Ready" in octets:
                    select.select([self.control], [], [], 5)
            elif self.control in ready:
                self.asked = os.read(self.control, 2)
                return self.asked == b"\0"
            else:
                octets = self.net.recv(65536)
                if not octets:
                    return False
                write_all(self.to_child)(octets)

    def serve_wrapper(self):
        try:
            good = self.plain()
        except OSError:
            good = False
        if good and self.mode == "silent":
            return
        if good and self.mode != "close":
            try:
                time.sleep(0.02)
                os.write(self.ack, b"x" if self.mode == "bad" else b"\0")
                # On a busy machine a client can be quicker than the child.
                count = array.array("i", [1])
                while count[0]:
                    time.sleep(0.001)
                    fcntl.ioctl(self.ack, termios.FIONREAD, count)
                tls = server_context(self.pem).wrap_socket(
                    self.net.dup(), server_side=True)
                tls.setblocking(False)
                self.relay_tls(tls)
            except OSError:
                pass
        for fd in (self.control, self.ack):
            os.close(fd)
        self.end()

    # For tests in this process

    def starttls(self):
        self.talk.ask("STARTTLS", "220 2.0.0")
        self.talk = TlsTalk(self.talk)

    def ended(self, status=0):
        found = self.process.wait(20)
        if found != status:
            raise Unexpected(f"exit status {found}, not {status}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-k", default="ucspi")
    parser.add_argument("-m", default="")
    parser.add_argument("pem")
    parser.add_argument("port", type=int)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    o = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", o.port))
    while True:
        net, _ = listener.accept()
        Parent(o.command, o.pem, o.k, o.m, net)



if __name__ == "__main__":
    sys.exit(main())
