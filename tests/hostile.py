"""The agent alone with a hostile dialogue (hostile.c): records as a script."""

import os
import shutil
import socket
import subprocess
import threading

MAIL, STAGE = os.environ["MAIL"], os.environ["STAGE"]
RAN = f"{MAIL}/.ran"
COMMAND = ("--", "sh", "-c", f'echo "command $RECIPIENTS" >>{RAN}')


def rec(name, number=0, first="", second=""):
    def spell(text):
        octets = text if isinstance(text, bytes) else text.encode()
        return "".join(chr(c) if 32 < c < 127 and c != 37 else f"%{c:02x}" for c in octets)
    return f"{name}\t{number}\t{spell(first)}\t{spell(second)}"


HELO, MAILED, VOID = rec("HELO", 1, "me"), rec("MAIL", 0, "a@b"), rec("VOID")
RCPT, MESSAGE, WAIT = rec("RCPT", 0, "c@d"), rec("MESSAGE", 5), "?"
CONTENT, RSET = rec("CONTENT", 256 * 1024), rec("RESET")
LOGIN = rec("LOGIN", 1, "ann", "secret")
XCLIENT = rec("XCLIENT", 0, "NAME=x")
ADDRESSES = "ADDR=192.0.2.7 PORT=1 DESTADDR=192.0.2.8 DESTPORT=25"
PROXY = rec("PROXY", 2, ADDRESSES)
STARTTLS = rec("STARTTLS")


def step(verb, argument="", record=rec("STEP")):
    return [rec("HOOK", 0, verb, argument), record, WAIT]


def hooks(name, **scripts):
    """A folder of hooks; each notes that it was run."""
    folder = f"{STAGE}/{name}"
    os.makedirs(folder, exist_ok=True)
    for verb, script in scripts.items():
        path = f"{folder}/{verb.replace('_', '-')}"
        with open(path, "w", encoding="ascii") as file:
            file.write(f'#!/bin/sh\necho "$SMTP_VERB $SMTP_ARGUMENT" >>{RAN}\n{script}')
        os.chmod(path, 0o755)
    os.chmod(folder, 0o755)
    return "-H", folder


class Tls:
    """What a launcher leaves for STARTTLS; the answer is there before it is
    asked for. kind: ucspi, wrapper (the older), ack (the newer, which then says
    what it may not)."""

    def __init__(self, kind):
        self.kind, self.options, self.env = kind, (), {}
        self.ours, self.theirs = socket.socketpair()
        pipe = self.pipe = os.pipe()
        if kind == "ucspi":
            self.ours.send(b"\0")
            self.env = {"SSLCTLFD": "5", "SSLREADFD": "6", "SSLWRITEFD": "7"}
            self.wanted = {5: self.theirs.fileno(), 6: pipe[0], 7: pipe[1]}
        else:
            self.options = ("--tlswrapper",)
            self.ours.send(b"x")
            self.wanted = {5: self.theirs.fileno()}
            if kind == "ack":
                self.wanted[6] = self.theirs.fileno()
            else:
                self.wanted[5] = pipe[1]
                threading.Thread(target=os.read, args=(pipe[0], 4096), daemon=True).start()

    def place(self):
        high = {fd: os.dup2(now, fd + 100) for fd, now in self.wanted.items()}
        for fd in (5, 6, 7):
            if fd in high:
                os.dup2(high[fd], fd)
            else:
                os.close(fd) if os.path.exists(f"/proc/self/fd/{fd}") else None
        os.closerange(8, 200)

    def end(self):
        for fd in self.pipe:
            os.close(fd)
        self.ours.close()
        self.theirs.close()


def played(options, *script, env=None, tls=None):
    """Exit status, what was printed, what ran."""
    if os.path.exists(RAN):
        os.unlink(RAN)
    launcher = Tls(tls) if tls else None
    more = launcher.options if launcher else ()
    lines = [line for part in script
             for line in (part if isinstance(part, list) else [part])]
    command = () if "--" in options else COMMAND
    # It stays open, as from a client that waits.
    script, ours = os.pipe()
    os.write(ours, "".join(line + "\n" for line in [*lines, "."]).encode())
    done = subprocess.run(
        [f"{STAGE}/hostile", *more, *options, *command], stdin=script,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, check=False,
        preexec_fn=launcher.place if launcher else None, close_fds=not launcher,
        env={**os.environ, **(launcher.env if launcher else {}), **(env or {})})
    os.close(script), os.close(ours)
    if launcher:
        launcher.end()
    try:
        with open(RAN, encoding="utf-8") as file:
            ran = [" ".join(line.split()) for line in file.read().splitlines()]
    except FileNotFoundError:
        ran = []
    return done.returncode, done.stdout.decode(), ran, done.stderr.decode()


WRONG = []


def unsound(options, *script, ran=(), **more):
    """The agent ends the session, 70, and nothing runs but what is named."""
    status, out, found, err = played(options, *script, **more)
    if status != 70 or found != list(ran) or \
            err.count("the dialogue process sent a record that it may not") != 1:
        WRONG.append(("unsound", options, script, status, out[-300:], found, err[-300:]))


def sound(options, *script, ran=(), says="", **more):
    """The session goes on to its end, and those run."""
    status, out, found, err = played(options, *script, **more)
    if status != 0 or found != list(ran) or says not in out or "script:" in out:
        WRONG.append(("sound", options, script, status, out[-300:], found, err[-300:]))


def show():
    shutil.rmtree(MAIL + "/left", ignore_errors=True)
    if WRONG:
        raise SystemExit("\n".join(map(str, WRONG[:20])))
