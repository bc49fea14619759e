#!/usr/bin/env python3
"""An upstream server that does what it is told, be it good or not.

    upstream.py DIR [--listen ADDRESS] [--port PORT] [--lmtp] [--offer WORDS]
                [STAGE=ACTION ...]

Listens on ADDRESS (127.0.0.1; any port) or unix:PATH and writes the port to
DIR/port. What it is sent it writes to DIR/commands (a line a command, all
connections) and DIR/content.N (the octets of the N-th DATA, dots and all, the
final dot too where it came).

STAGE is greeting, ehlo, lhlo, helo, auth, user, password, mail, rcpt, rcptN
(the N-th of a transaction), data, mid (after the first 1000 octets of content),
end (the verdict), messageN (that of the N-th message of a connection), rset, quit. ACTION is a reply, whose \\r \\n \\0 and \\xHH
are meant, with CRLF added; +TEXT, sent as it stands; or hang (say nothing more
and take nothing more), sink (say nothing more, but read), close, reset,
flood (an endless reply), drip (a reply that never gets done).
Several ACTIONs for one STAGE are for one connection after the other. Where
there is a file DIR/actions its lines are what is to be done, read anew for each
connection; after that DIR/accepted has a line more.
"""

import os
import re
import socket
import struct
import sys
import threading
import time

REPLIES = {
    "greeting": "220 upstream.example ESMTP",
    "helo": "250 upstream.example",
    "auth": "235 2.7.0 In",
    "mail": "250 2.1.0 Sender ok",
    "rcpt": "250 2.1.5 Recipient ok",
    "data": "354 Go ahead",
    "end": "250 2.0.0 Queued as 4711",
    "rset": "250 2.0.0 Reset",
    "quit": "221 2.0.0 Bye",
}


class Over(Exception):
    """This connection is done with."""


def unescape(text):
    names = {"r": "\r", "n": "\n", "0": "\0", "\\": "\\"}
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: names.get(m[1]) or chr(int(m[1][1:], 16)),
                  text).encode("latin-1")


def gather(words):
    """Lists of ACTIONs by STAGE."""
    actions = {}
    for word in words:
        stage, _, action = word.partition("=")
        actions.setdefault(stage, []).append(action)
    return actions


class Upstream:
    def __init__(self, folder, actions, offer, lmtp):
        self.folder, self.actions = folder, actions
        self.offer, self.lmtp = offer, lmtp
        self.lock = threading.Lock()
        self.contents = 0

    def note(self, line):
        with self.lock, open(f"{self.folder}/commands", "ab") as file:
            file.write(line + b"\n")

    def serve(self, sock, number):
        try:
            Session(self, sock, number).run()
        except (Over, OSError):
            pass
        finally:
            sock.close()


class Session:
    def __init__(self, upstream, sock, number):
        self.upstream, self.sock, self.number = upstream, sock, number
        self.actions = upstream.actions
        if os.path.exists(f"{upstream.folder}/actions"):
            with open(f"{upstream.folder}/actions") as file:
                self.actions = gather(file.read().splitlines())
        with upstream.lock, open(f"{upstream.folder}/accepted", "a") as file:
            print(number, file=file)
        self.buffer = b""
        self.recipients = self.messages = 0
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def action(self, stage):
        told = self.actions.get(stage)
        return told[min(self.number, len(told) - 1)] if told else None

    def line(self):
        while b"\n" not in self.buffer:
            octets = self.sock.recv(65536)
            if not octets:
                raise Over
            self.buffer += octets
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def answer(self, *stages):
        """Does what is to be done at the first of the stages that has
        something to do."""
        for stage in stages:
            what = self.action(stage)
            if what is not None:
                break
        else:
            what = REPLIES[stages[-1]]
        if what == "hang":
            time.sleep(3600)
        if what == "sink":
            while self.sock.recv(65536):
                pass
            raise Over
        if what == "close":
            raise Over
        if what == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
            raise Over
        if what == "flood":
            while True:
                self.sock.sendall(b"250-more\r\n" * 1000)
        if what == "drip":
            while True:
                self.sock.sendall(b"250-")
                self.sock.sendall(b"more\r\n")
                time.sleep(0.05)
        if what.startswith("+"):
            self.sock.sendall(unescape(what[1:]))
        else:
            self.sock.sendall(unescape(what) + b"\r\n")
        return what

    def ehlo(self, stage):
        if self.action(stage) is not None:
            self.answer(stage)
            return
        lines = ["upstream.example"] + self.upstream.offer
        self.sock.sendall("".join(
            f"250{' ' if n == len(lines) - 1 else '-'}{line}\r\n"
            for n, line in enumerate(lines)).encode())

    def content(self):
        """Takes the content to its end; it is filed even if there is none."""
        with self.upstream.lock:
            self.upstream.contents += 1
            name = f"{self.upstream.folder}/content.{self.upstream.contents}"
        taken, tail, mid = 0, b"\r\n", "mid" in self.actions
        with open(name, "wb") as file:
            while not tail.endswith(b"\r\n.\r\n"):
                octets = self.buffer or self.sock.recv(65536)
                self.buffer = b""
                if not octets:
                    raise Over
                file.write(octets)
                file.flush()
                taken += len(octets)
                tail = (tail + octets)[-5:]
                if mid and taken > 1000:
                    mid = False
                    self.answer("mid")

    def data(self):
        reply = self.answer("data")
        if not reply.lstrip("+").startswith("354"):
            return
        self.content()
        self.messages += 1
        for n in range(self.recipients if self.upstream.lmtp else 1):
            self.answer(f"message{self.messages}", f"end{n + 1}", "end")
        self.recipients = 0

    def run(self):
        self.answer("greeting")
        while True:
            line = self.line()
            self.upstream.note(line)
            verb = line.split(b" ")[0].upper()
            if verb in (b"MAIL", b"RSET"):
                self.recipients = 0
            if verb in (b"EHLO", b"LHLO"):
                self.ehlo(verb.decode().lower())
            elif line.upper() == b"AUTH LOGIN":
                self.sock.sendall(b"334 VXNlcm5hbWU6\r\n")
                self.upstream.note(self.line())
                self.sock.sendall(b"334 UGFzc3dvcmQ6\r\n")
                self.upstream.note(self.line())
                self.answer("auth")
            elif verb == b"RCPT":
                self.recipients += 1
                self.answer(f"rcpt{self.recipients}", "rcpt")
            elif verb == b"DATA":
                self.data()
            elif verb.decode("latin-1").lower() in REPLIES:
                self.answer(verb.decode().lower())
            else:
                self.sock.sendall(b"500 5.5.2 What?\r\n")
            if verb == b"QUIT":
                return


def main():
    arguments = sys.argv[1:]
    folder, listen, lmtp, offer, told = arguments.pop(0), "127.0.0.1", \
        False, ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE"], []
    port = 0
    while arguments:
        word = arguments.pop(0)
        if word == "--listen":
            listen = arguments.pop(0)
        elif word == "--port":
            port = int(arguments.pop(0))
        elif word == "--lmtp":
            lmtp = True
        elif word == "--offer":
            offer = [w.replace("_", " ") for w in arguments.pop(0).split()]
        else:
            told.append(word)
    if listen.startswith("unix:"):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(listen[5:])
        port = 0
    else:
        listener = socket.socket(
            socket.AF_INET6 if ":" in listen else socket.AF_INET)
        listener.bind((listen, port))
        port = listener.getsockname()[1]
    listener.listen(100)
    with open(f"{folder}/port.new", "w") as file:
        file.write(str(port))
    os.rename(f"{folder}/port.new", f"{folder}/port")
    upstream, number = Upstream(folder, gather(told), offer, lmtp), 0
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=upstream.serve, args=(sock, number),
                         daemon=True).start()
        number += 1


main()
