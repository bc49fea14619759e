#!/usr/bin/env python3
r"""Plays golden transcripts against smtpd, octet for octet.

    transcript.py play SMTPD FILE ...    exit status 1 if anything differs
    transcript.py unpack FOLDER FILE ... leaves NAME, what the client sends, and
                                         NAME.options, one a line
    transcript.py record SMTPD FILE      prints FILE with the S: lines that
                                         smtpd gives; to be read, then kept

A transcript is lines of

    # TEXT            why it is here: RFC section, CVE or bug
    # options: ...    options for smtpd
    # command: ...    what smtpd runs for a message, instead of keeping it
    C: TEXT           the client sends TEXT and CRLF
    C> TEXT           the client sends TEXT as it stands
    S: TEXT           the server says exactly TEXT and CRLF
    M: FROM TO ... "TEXT"
                      the command got this message
    EOF               the server hangs up by itself

TEXT knows \r \n \t \0 \\ \xHH and \{TEXT*N}, which is TEXT N times.

Each is played three times: line by line on a socket pair (a line goes out when
everything before it has been answered), in one write through pipes, and, where
it is not long, octet by octet. Every octet of the server is compared, and every message.
"""

import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TIMEOUT = 10
OPTIONS = ["--hostname", "mx.example.org", "--no-received", "--any", "--quiet"]
# Keeps sender, recipients and message where the transcript can be compared.
KEEP = """
{ printf 'M: <%s>' "$SENDER"
  printf '%s\n' "$RECIPIENTS" | while IFS= read -r r; do printf ' <%s>' "$r"; done
  printf ' "'; cat; printf '"\\0'; } >>"$0"
"""
ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}


class Wrong(Exception):
    """The server did not do what the transcript says."""


def octets(text):
    """The octets that a TEXT stands for."""
    out = b""
    at = 0
    while at < len(text):
        if text[at] != "\\":
            out += text[at].encode()
            at += 1
        elif text[at + 1] == "x":
            out += bytes([int(text[at + 2 : at + 4], 16)])
            at += 4
        elif text[at + 1] == "{":
            part = re.compile(r"(.*?)\*(\d+)}").match(text, at + 2)
            out += octets(part[1]) * int(part[2])
            at = part.end()
        else:
            out += ESCAPES[text[at + 1]]
            at += 2
    return out


def escaped(text):
    """A TEXT that stands for the octets, runs of one octet made short."""
    text = text.removesuffix(b"\0").decode("latin-1")
    text = text.encode("unicode_escape").decode()
    return re.sub(r"(\w)\1{39,}", lambda m: f"\\{{{m[1]}*{len(m[0])}}}", text)


class Transcript:
    """The lines of a file, parsed."""

    def __init__(self, path):
        self.path = path
        self.options = []
        self.command = None
        self.steps = []  # ("C" or "S", octets)
        self.messages = b""
        self.hangs_up = False
        with open(path, encoding="utf-8") as file:
            self.lines = file.read().splitlines()
        if not self.lines or not self.lines[0].startswith("# "):
            raise Wrong(f"{path}: its first line does not say why it is here")
        for line in self.lines:
            self.parse(line)

    def parse(self, line):
        kind, _, text = line.partition(" ")
        if line.startswith("# options: "):
            self.options += shlex.split(line[11:])
        elif line.startswith("# command: "):
            self.command = shlex.split(line[11:])
        elif kind in ("C:", "S:"):
            self.steps.append((kind[0], octets(text) + b"\r\n"))
        elif kind == "C>":
            self.steps.append(("C", octets(text)))
        elif kind == "M:":
            self.messages += b"M: " + octets(text) + b"\0"
        elif line == "EOF":
            self.hangs_up = True
        elif line and kind != "#":
            raise Wrong(f"{self.path}: what is this: {line}")

    def is_long(self):
        return len(self.said("C")) > 50000

    def said(self, who):
        return b"".join(text for by, text in self.steps if by == who)


class Session:
    """smtpd at work on a socket pair or on pipes."""

    def __init__(self, smtpd, transcript, pipes):
        self.folder = tempfile.mkdtemp()
        self.kept = os.path.join(self.folder, "kept")
        # smtpd may become nobody.
        os.chmod(self.folder, 0o711)
        with open(self.kept, "wb"):
            os.chmod(self.kept, 0o666)
        command = transcript.command or ["/bin/sh", "-c", KEEP, self.kept]
        command = [smtpd, *OPTIONS, *transcript.options, "--", *command]
        if pipes:
            near_in, far_out = os.pipe()
            far_in, near_out = os.pipe()
        else:
            near, far = socket.socketpair()
            near_in = near_out = near.detach()
            far_in = far_out = far.detach()
        self.process = subprocess.Popen(
            command, stdin=far_in, stdout=far_out, stderr=subprocess.PIPE
        )
        for descriptor in {far_in, far_out}:
            os.close(descriptor)
        self.source, self.sink = near_in, near_out
        os.set_blocking(self.sink, False)
        self.deadline = time.monotonic() + TIMEOUT
        self.got = b""
        self.open = True

    def read(self, timeout=None):
        """What the server says next; empty when it has hung up."""
        left = self.deadline - time.monotonic() if timeout is None else timeout
        if not select.select([self.source], [], [], max(left, 0))[0]:
            if timeout is None:
                raise Wrong(f"silence after {self.got[-200:]!r}")
            return b""
        try:
            text = os.read(self.source, 65536)
        except ConnectionResetError:
            text = b""
        self.open = self.open and text != b""
        self.got += text
        return text

    def write(self, text):
        """Sends, and takes what the server says meanwhile."""
        while text:
            reads, writes, _ = select.select(
                [self.source] if self.open else [], [self.sink], [], TIMEOUT
            )
            if reads:
                self.read()
            if writes:
                try:
                    text = text[os.write(self.sink, text) :]
                except (BrokenPipeError, ConnectionResetError):
                    return
            if not reads and not writes:
                raise Wrong("the server does not read")

    def expect(self, octet_count):
        while len(self.got) < octet_count and self.open:
            self.read()

    def finish(self, hangs_up):
        """Reads to the end. Whoever should hang up does."""
        if not hangs_up:
            if self.sink == self.source:
                shut = socket.socket(fileno=os.dup(self.sink))
                try:
                    shut.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                shut.close()
            else:
                os.close(self.sink)
                self.sink = None
        while self.open:
            self.read()
        for descriptor in {self.source, self.sink} - {None}:
            os.close(descriptor)
        try:
            _, errors = self.process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Wrong("smtpd does not end") from None
        if self.process.returncode != 0:
            raise Wrong(
                f"exit status {self.process.returncode}: {errors.decode()}"
            )
        with open(self.kept, "rb") as file:
            return file.read()

    def discard(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


def play(smtpd, transcript, mode):
    session = Session(smtpd, transcript, pipes=mode == "whole")
    try:
        said = 0
        if mode == "whole":
            session.write(transcript.said("C"))
        for by, text in transcript.steps:
            if by == "S":
                said += len(text)
                continue
            if mode == "lines":
                session.expect(said)
                session.write(text)
            elif mode == "octets":
                for i in range(len(text)):
                    session.write(text[i : i + 1])
        session.expect(len(transcript.said("S")))
        messages = session.finish(transcript.hangs_up)
        compare(transcript.said("S"), session.got, "the server")
        if not transcript.command:
            compare(transcript.messages, messages, "the command")
    except Wrong as wrong:
        raise Wrong(f"{transcript.path}, {mode}: {wrong}") from None
    finally:
        session.discard()


def compare(wanted, got, who):
    if wanted == got:
        return
    lines = wanted.splitlines(keepends=True)
    other = got.splitlines(keepends=True)
    for i in range(max(len(lines), len(other))):
        want = lines[i] if i < len(lines) else None
        have = other[i] if i < len(other) else None
        if want != have:
            raise Wrong(f"{who}, line {i + 1}: {have!r:.200} not {want!r:.200}")


def record(smtpd, transcript):
    """The transcript with the server's lines as they are, line by line."""
    session = Session(smtpd, transcript, pipes=False)
    try:
        shown = 0

        def show():
            nonlocal shown
            while session.open and session.read(0.15):
                pass
            for line in session.got[shown:].decode().splitlines():
                print("S: " + line.replace("\\", "\\\\"))
            shown = len(session.got)

        for line in transcript.lines:
            if line.startswith(("S: ", "M: ")) or line == "EOF":
                continue
            if line.startswith("C"):
                show()
                print(line)
                tail = b"\r\n" if line[1] == ":" else b""
                session.write(octets(line[3:]) + tail)
            else:
                print(line)
        show()
        hangs_up = not session.open
        kept = session.finish(hangs_up)
        for message in kept.split(b"\0M: ") if kept else []:
            print("M: " + escaped(message.removeprefix(b"M: ")))
        if hangs_up:
            print("EOF")
    finally:
        session.discard()


def unpack(folder, path):
    transcript = Transcript(path)
    name = os.path.join(folder, os.path.basename(path).removesuffix(".txt"))
    with open(name, "wb") as file:
        file.write(transcript.said("C"))
    with open(f"{name}.options", "w", encoding="utf-8") as file:
        file.write("\n".join(transcript.options) + "\n")


def main(arguments):
    if arguments[0] == "unpack":
        for path in arguments[2:]:
            unpack(arguments[1], path)
    elif arguments[0] == "record":
        record(arguments[1], Transcript(arguments[2]))
    else:
        wrong = 0
        for path in arguments[2:]:
            for mode in ("lines", "whole", "octets"):
                try:
                    transcript = Transcript(path)
                    if mode == "octets" and transcript.is_long():
                        continue
                    play(arguments[1], transcript, mode)
                except Wrong as reason:
                    print(reason, file=sys.stderr)
                    wrong += 1
        return 1 if wrong else 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
