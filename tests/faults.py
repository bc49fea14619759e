#!/usr/bin/env python3
"""One fault at a time: faults.py [-f] [-j JOBS] [-s SCENARIO] [-r RUN] ...

A session with smtpd is run once as it is, which tells what calls its processes
make, and then once for each of these calls and each way in which it can fail
(faults.c). Without -f: each call with the first of its errors. -r runs one
of them, SCENARIO:FAULT, and shows the log.

However it goes: a message for which the client was told 250 was delivered once
and whole. One that was told 4xx was not delivered, and is when it is sent
again. Nobody is told 5xx. A connection that breaks before there is a verdict
may be either. No process, descriptor or file is left, nothing hangs and
nothing dies of a signal.
"""

import argparse
import collections
import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from talk import adopt_orphans, children

STAGE = os.environ["STAGE"]
PATIENCE = 8
SLOW = 6

# How each call can fail here, the likeliest first. "on": and all that follow.
ERRORS = {
    "accept4": "EMFILE ECONNABORTED ENOMEM EINTR EAGAIN",
    "bind": "EACCES", "listen": "EOPNOTSUPP",
    "calloc": "ENOMEM", "malloc": "ENOMEM", "realloc": "ENOMEM",
    "close_range": "ENOSYS",
    "connect": "ECONNREFUSED ETIMEDOUT EINTR EAGAIN",
    "dup2": "EMFILE",
    "execve": "ENOMEM ETXTBSY EIO",
    "faccessat": "ENOMEM EACCES EIO",
    "fcntl": "EMFILE EPERM",
    "fork": "EAGAIN ENOMEM",
    "fstat": "EIO ENOMEM", "fstatat": "EIO ENOMEM", "stat": "EIO ENOMEM",
    "fsync": "EIO ENOSPC EDQUOT EINTR",
    "getpwnam": "ENOMEM EIO",
    "getpeername": "ENOBUFS ENOTCONN", "getsockname": "ENOBUFS",
    "getsockopt": "ENOBUFS",
    "hear": "ENOMEM EINTR",
    "initgroups": "ENOMEM EPERM", "setgroups": "ENOMEM EPERM",
    "linkat": "EIO ENOSPC EDQUOT EPERM EROFS",
    "lseek": "EINVAL",
    "madvise": "ENOMEM EAGAIN EINVAL",
    "mkdirat": "ENOSPC EIO EEXIST",
    "mkostemp": "EMFILE ENOSPC",
    "mmap": "ENOMEM",
    "open": "EMFILE EIO ENOMEM ENOSPC EOPNOTSUPP",
    "openat": "EMFILE EIO ENOMEM ENOSPC",
    "pipe2": "EMFILE ENFILE",
    "poll": "ENOMEM EINTR", "ppoll": "ENOMEM EINTR",
    "prctl": "EINVAL",
    "pread": "EIO EINTR short",
    "read": "EIO EINTR ENOMEM short",
    "readlink": "EIO",
    "renameat": "EIO ENOSPC",
    "send": "ECONNRESET EAGAIN",
    "setitimer": "EINVAL",
    "setpgid": "EPERM",
    "setresgid": "EPERM", "setresuid": "EAGAIN EPERM",
    "setsockopt": "ENOMEM",
    "shutdown": "ENOTCONN",
    "sigaltstack": "ENOMEM",
    "socket": "EMFILE ENOBUFS", "socketpair": "EMFILE ENOMEM",
    "splice": "EIO EINVAL ENOMEM EINTR EAGAIN short",
    "tell": "ENOBUFS EINTR",
    "unlink": "EIO", "unlinkat": "EIO EROFS",
    "vfork": "EAGAIN ENOMEM",
    "waitpid": "EINTR",
    "write": "ENOSPC EIO EINTR EAGAIN short",
}
# What may go on failing: a full disk or table, no memory.
LASTING = ("calloc fork fsync linkat malloc mkdirat mkostemp mmap open openat pipe2 "
           "realloc socket socketpair vfork").split()


class Closed(Exception):
    """The other side has closed the connection."""


class Refused(Exception):
    """A reply that is not the one that was hoped for."""


class Client:
    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buffer = b""

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except (BrokenPipeError, ConnectionResetError):
            pass  # what was said before can still be read

    def reply(self):
        while True:
            while b"\n" not in self.buffer:
                try:
                    octets = self.sock.recv(65536)
                except ConnectionResetError:
                    octets = b""
                if not octets:
                    raise Closed
                self.buffer += octets
            line, _, self.buffer = self.buffer.partition(b"\n")
            if line[3:4] != b"-":
                return line.decode().strip()

    def ask(self, text, code):
        self.send(text if isinstance(text, bytes) else text.encode() + b"\r\n")
        reply = self.reply()
        if not reply.startswith(code):
            raise Refused(reply)

    def close(self):
        self.sock.close()


def wired(message):
    return message.replace(b"\n", b"\r\n") + b".\r\n"


# The message's octets, as the command is to read them, behind Received.
SMALL = b"Subject: small\n\nOne line.\n"
MEDIUM = b"Subject: medium\n\n" + b"%059d\n" % 7 * 5000
LARGE = b"Subject: large\n\n" + b"%059d\n" % 8 * 25000


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Scenario:
    """smtpd on a socket pair, with a command that notes what it was given."""
    options = ["-A"]
    message = SMALL
    recipients = 1
    roles = ("smtpd.0", "smtpd.1")
    hello = "EHLO me.example.org"
    doubtful = ()  # calls whose failure may hide that it was delivered
    second = None  # another process
    lives = True  # it has not ended by itself, where it should not
    env = {}

    def __init__(self):
        self.name = type(self).__name__.lower()
        self.dir = tempfile.mkdtemp(prefix="faults.", dir=STAGE)
        self.tmp = f"{self.dir}/tmp"
        # Much is synced.
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else STAGE
        self.box = tempfile.mkdtemp(prefix="faults.", dir=memory)
        self.report = f"{self.dir}/report"
        os.chmod(self.dir, 0o755)
        os.mkdir(self.tmp)
        for path in (self.box, self.tmp):
            os.chmod(path, 0o1777)
        self.prepare()

    def prepare(self):
        pass

    def remove(self):
        shutil.rmtree(self.dir)
        shutil.rmtree(self.box)

    def command(self):
        return ["sh", "-c", 'set -- /proc/self/fd/*; [ $# -eq 4 ] || exit 100;'
                'cat >"$0/.$$" && mv "$0/.$$" "$0/$$"', self.box]

    def arguments(self):
        return [*self.options, "--command-timeout", "10", "-t", "10",
                "--", *self.command()]

    def script(self, name, text):
        path = f"{self.dir}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(path, 0o755)
        return path

    def start(self, env, log):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen([f"{STAGE}/smtpd", *self.arguments()],
                                        stdin=theirs, stdout=theirs, stderr=log, env=env)
        theirs.close()
        return Client(ours)

    def agent(self):
        return self.process.pid

    def greet(self, client):
        client.ask(b"", "220")
        client.ask(self.hello, "250")

    def envelope(self, client):
        client.ask("MAIL FROM:<a@example.org>", "250")
        for number in range(self.recipients):
            client.ask(f"RCPT TO:<{self.recipient(number)}>", "250")

    def recipient(self, number):
        return f"box{number}@example.net"

    def content(self, client):
        """Sends the message; as many verdicts as there are."""
        client.ask("DATA", "354")
        client.send(wired(self.message))
        return [client.reply()]

    def delivered(self):
        """The messages; whatever else there is, is among them."""
        return self.read(self.box)

    def read(self, folder):
        found = []
        for name in os.listdir(folder):
            if not name.startswith("."):
                with open(f"{folder}/{name}", "rb") as file:
                    found.append(file.read())
        return found

    def left(self):
        return os.listdir(self.tmp)

    def clean(self):
        for name in os.listdir(self.box):
            os.unlink(f"{self.box}/{name}")

    def whole(self, octets):
        return octets.startswith(b"Received: ") and octets.endswith(self.message)

    def copies(self):
        return 1

    def end(self):
        return self.process.wait(PATIENCE)


class Small(Scenario):
    pass


class Medium(Scenario):
    message = MEDIUM


class Large(Scenario):
    message = LARGE


class Bdat(Scenario):
    options = ["-A", "-C"]
    message = MEDIUM.replace(b"\n", b"\r\n")

    def content(self, client):
        half = len(self.message) // 2 + 1
        client.ask(b"BDAT %d\r\n" % half + self.message[:half], "250")
        client.send(b"BDAT %d LAST\r\n" % (len(self.message) - half) + self.message[half:])
        return [client.reply()]


class Lmtp(Scenario):
    options = ["-A", "-L"]
    recipients = 2
    hello = "LHLO me.example.org"

    def command(self):
        script = super().command()
        script[2] += " && echo 250 2.0.0 one && echo 250 2.0.0 two"
        return script

    def content(self, client):
        verdicts = super().content(client)
        if verdicts[0].startswith("421"):
            return verdicts
        try:
            return verdicts + [client.reply()]
        except Closed:
            return verdicts + [None]


class Hooks(Scenario):
    def prepare(self):
        for verb in ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "RSET", "QUIT",
                     "DISCONNECT"):
            self.script(f"hooks/{verb}", "#!/bin/sh\n" + ("exec cat" if verb == "EHLO" else
                                                         f"echo X_{verb}=1\n"))
        os.chmod(f"{self.dir}/hooks", 0o755)
        self.options = ["-A", "-H", f"{self.dir}/hooks"]


class Auth(Scenario):
    def prepare(self):
        self.options = ["--no-trust", "--require-auth", "--auth-plaintext", "-a", "cat <&3 >/dev/null"]

    def greet(self, client):
        super().greet(client)
        client.ask("AUTH PLAIN AGFubgBzZWNyZXQ=", "235")


class Mechanism(Scenario):
    def prepare(self):
        self.script("hooks/AUTH-X", "#!/bin/sh\nread x; echo 334 YWJj; read y;"
                    "echo SMTP_AUTH_USER=ann; echo 235 2.7.0 in\n")
        os.chmod(f"{self.dir}/hooks", 0o755)
        self.options = ["--no-trust", "--auth-plaintext", "-H", f"{self.dir}/hooks"]

    def greet(self, client):
        super().greet(client)
        client.ask("AUTH X", "334")
        client.ask("YWJj", "235")


class Proxy(Scenario):
    options = ["-A", "-p"]

    def greet(self, client):
        client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 25\r\n")
        super().greet(client)


class Listener(Scenario):
    """Which goes on listening, whatever happens once it does."""
    roles = ("smtpd.0", "smtpd.1", "smtpd.2")
    def prepare(self):
        self.port = free_port()
        self.options = ["-A", "-l", f"127.0.0.1:{self.port}"]

    def start(self, env, log):
        self.process = subprocess.Popen([f"{STAGE}/smtpd", *self.arguments()],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        while True:
            try:
                return self.connect()
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise Closed from None
                time.sleep(0.001)

    def connect(self):
        return Client(socket.create_connection(("127.0.0.1", self.port)))

    def agent(self):
        found = children(self.process.pid)
        return found[0] if found else 0

    def serves(self):
        """True if it still does; a first connection may meet the fault."""
        for _ in range(2):
            try:
                client = self.connect()
            except ConnectionRefusedError:
                return False
            with contextlib.suppress(Closed, Refused):
                self.greet(client)
                return True
        return False

    def end(self):
        self.lives = self.lasting or self.serves()
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE)


class Maildir(Scenario):
    roles = ("smtpd-maildir.0", "smtpd.0")

    def command(self):
        return [f"{STAGE}/smtpd-maildir", "--create", f"{self.box}/%u"]

    def copies(self):
        return self.recipients

    def folders(self, sub):
        return [path for path, _, _ in os.walk(self.box)
                if os.path.basename(path) == sub]

    def delivered(self):
        return [octets for folder in self.folders("new") for octets in self.read(folder)]

    def left(self):
        return super().left() + [name for folder in self.folders("tmp")
                                 for name in os.listdir(folder)]

    def clean(self):
        for name in os.listdir(self.box):
            shutil.rmtree(f"{self.box}/{name}")

    def whole(self, octets):
        return octets.startswith(b"Return-Path: ") and octets.endswith(self.message)


class LongMaildir(Maildir):
    """A large message for one goes into its file as it comes."""
    roles = ("smtpd-maildir.0",)
    message = MEDIUM


class Maildirs(Maildir):
    """Large messages, for two."""
    roles = ("smtpd-maildir.0",)
    recipients = 2
    message = MEDIUM


class Workers(Maildir):
    """Each in the home directory of a user, by a process of that user. What one
    of them has done may be unknown."""
    doubtful = ("hear", "tell")
    roles = ("smtpd-maildir.0", "smtpd-maildir.1")
    options = ["-A", "-n"]
    recipients = 2

    def prepare(self):
        self.env = {"HOMES": self.box}
        self.clean()

    def clean(self):
        super().clean()
        for number in range(self.recipients):
            os.mkdir(f"{self.box}/user{number}", 0o700)
            os.chown(f"{self.box}/user{number}", 20000 + number, 20000 + number)

    def command(self):
        return [f"{STAGE}/smtpd-maildir", "--create", "~/box"]

    def recipient(self, number):
        return f"user{number}@example.net"


class Relay(Scenario):
    """To a second smtpd. The verdict of that one may be lost on its way."""
    roles = ("smtpd-relay.0",)
    message = MEDIUM
    doubtful = ("read", "poll")

    def prepare(self):
        self.port = free_port()
        self.second = subprocess.Popen(
            [f"{STAGE}/smtpd", "-l", f"127.0.0.1:{self.port}", "-A", "-q",
             "--", *super().command()], stdin=subprocess.DEVNULL)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.01)

    def command(self):
        return [f"{STAGE}/smtpd-relay", f"127.0.0.1:{self.port}"]

    def remove(self):
        self.second.terminate()
        self.second.wait()
        super().remove()


SCENARIOS = (Small, Medium, Large, Bdat, Lmtp, Hooks, Auth, Mechanism, Proxy,
             Listener, Maildir, LongMaildir, Maildirs, Workers,
             Relay)

ROLES, ROLE, MOST, NAME = 16, 32, 96, 16


class Report:
    """struct report of faults.c."""
    SIZE = 8 + ROLES * (ROLE + 4 * MOST) + MOST * NAME

    def __init__(self, path):
        with open(path, "wb") as file:
            file.truncate(self.SIZE)
        os.chmod(path, 0o666)
        self.path = path

    def clear(self):
        with open(self.path, "r+b") as file:
            file.write(bytes(self.SIZE))

    def read(self):
        """Whether the fault has come; the calls of each role."""
        with open(self.path, "rb") as file:
            octets = file.read()
        names = [octets[at:at + NAME].rstrip(b"\0").decode()
                 for at in range(len(octets) - MOST * NAME, len(octets), NAME)]
        calls = {}
        for number in range(ROLES):
            at = 8 + number * (ROLE + 4 * MOST)
            role = octets[at:at + ROLE].rstrip(b"\0").decode()
            counts = memoryview(octets)[at + ROLE:at + ROLE + 4 * MOST].cast("I")
            if role:
                calls[role] = {name: count for name, count in zip(names, counts) if count}
        return octets[0] != 0, calls


Result = collections.namedtuple("Result", "verdicts delivered status log wrong seconds fired calls")


def no_orphans(second):
    """Waits until no process is left, but this one; how many there are."""
    end = time.monotonic() + PATIENCE
    while True:
        left = [pid for pid in children() if not second or pid != second.pid]
        for pid in left:
            os.waitpid(pid, os.WNOHANG)
        if not left:
            return 0
        if time.monotonic() > end:
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            return len(left)
        time.sleep(0.001)


def descriptors(pid):
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None


def as_before(scenario, before):
    """True if the agent has no more of them, or soon has not: it may be ending."""
    end = time.monotonic() + 1
    while (descriptors(scenario.agent()) or 0) > (before or 0):
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def transact(scenario, client):
    """A message; its verdicts, or the reply that refused it."""
    try:
        scenario.envelope(client)
        return scenario.content(client)
    except Refused as refused:
        return [str(refused)]


def converse(scenario, client, wrong):
    """The whole session; the verdicts of each attempt, None for none."""
    attempts = []
    before = None
    try:
        scenario.greet(client)
        before = descriptors(scenario.agent())
    except Refused as refused:
        return [[str(refused)]]
    except Closed:
        return [[None]]
    try:
        for _ in range(2):
            attempts.append(transact(scenario, client))
            last = attempts[-1][-1] or "421"
            if last[0] == "2" or last.startswith("421"):
                break
            client.ask("RSET", "250")
        if last[:3] != "421" and not as_before(scenario, before):
            wrong.append(f"there were {before} descriptors, there are more")
        client.ask("QUIT", "221")
    except Closed:
        if not attempts or attempts[-1][-1] is not None and attempts[-1][-1][0] == "4":
            attempts.append([None])
    except Refused as refused:
        if not str(refused).startswith("4"):
            wrong.append(f"QUIT: {refused}")
    return attempts


def judge(scenario, fault, attempts, delivered, wrong):
    verdicts = [verdict for attempt in attempts for verdict in attempt]
    codes = [verdict and verdict[0] for verdict in verdicts]
    copies = scenario.copies()
    if "5" in codes:
        wrong.append(f"told {verdicts}")
    if not all(map(scenario.whole, delivered)):
        wrong.append("delivered in part, or something else")
    if fault and fault.split(",")[1] in scenario.doubtful:
        good = range(copies if "2" in codes else 0, 2 * copies + 1)
    elif "2" in codes:
        good = (copies,)
    elif None in codes:
        good = (0, copies)
    else:
        good = (0,)
    if len(delivered) not in good:
        wrong.append(f"told {verdicts}, delivered {len(delivered)} times")


def run(scenario, fault=None):
    report = Report(scenario.report)
    env = dict(os.environ, PATH="/usr/bin:/bin", LD_PRELOAD=f"{STAGE}/faults.so", FAULTS=scenario.report,
               FAULT=fault or "", TMPDIR=scenario.tmp, **scenario.env)
    scenario.lasting = fault is not None and fault.endswith(",on")
    wrong, began = [], time.monotonic()
    with tempfile.TemporaryFile() as log:
        try:
            client = scenario.start(env, log)
        except Closed:
            attempts = [[None]]
        else:
            try:
                attempts = converse(scenario, client, wrong)
            except TimeoutError:
                wrong.append("hangs")
                attempts = [[None]]
            client.close()
        try:
            status = scenario.end()
        except (subprocess.TimeoutExpired, TimeoutError, Closed, Refused) as trouble:
            wrong.append(f"does not end: {trouble!r}")
            scenario.process.kill()
            status = scenario.process.wait()
        if status < 0:
            wrong.append(f"died of signal {-status}")
        left = no_orphans(scenario.second)
        log.seek(0)
        text = log.read().decode("utf-8", "replace")
    if left:
        wrong.append(f"{left} processes left")
    if not scenario.lives and attempts != [[None]]:
        wrong.append("the listener has ended")
    if "killed by signal" in text:
        wrong.append("the dialogue died")
    delivered = scenario.delivered()
    judge(scenario, fault, attempts, delivered, wrong)
    # What cannot be removed stays.
    if scenario.left() and not (fault and "unlink" in fault):
        wrong.append(f"left: {scenario.left()}")
    scenario.clean()
    seconds = time.monotonic() - began
    if seconds > SLOW:
        wrong.append(f"took {seconds:.1f} seconds")
    return Result(attempts, len(delivered), status, text, wrong, seconds, *report.read())


def faults(scenario, calls, full):
    """All that there are, by role and function."""
    for role in scenario.roles:
        for function, count in sorted(calls.get(role, {}).items()):
            errors = ERRORS[function].split()
            for n in range(1, count + 1):
                for error in errors if full else errors[:1]:
                    yield f"{role},{function},{n},{error}"
                if full and function in LASTING:
                    yield f"{role},{function},{n},{errors[0]},on"


def sweep(kind, full, verbose):
    """Every fault of a scenario; what was wrong."""
    scenario, wrong, silent, count = kind(), [], [], 0
    began = time.monotonic()
    try:
        plain = run(scenario)
        if plain.wrong or plain.status or plain.verdicts[-1][-1][0] != "2":
            return [f"{scenario.name}: without a fault: {plain}"]
        for fault in faults(scenario, plain.calls, full):
            result = run(scenario, fault)
            count += result.fired
            told = f"{scenario.name}:{fault}: {result.verdicts}, " \
                   f"{result.delivered} delivered, status {result.status}"
            if verbose:
                print(told, flush=True)
            if result.fired and result.verdicts[-1][-1] is None:
                silent.append(told)
            if result.wrong:
                wrong.append(f"{told}: {'; '.join(result.wrong)}")
    finally:
        scenario.remove()
    print(f"{scenario.name}: {count} faults, {len(silent)} without a verdict, "
          f"{len(wrong)} wrong, {time.monotonic() - began:.1f} s", flush=True)
    if verbose:
        print("\n".join(silent))
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-f", "--full", action="store_true")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("-s", "--scenario", action="append")
    parser.add_argument("-r", "--run", action="append")
    arguments = parser.parse_args()
    adopt_orphans()
    for what in arguments.run or []:
        name, fault = what.split(":")
        scenario = next(k for k in SCENARIOS if k.__name__.lower() == name)()
        result = run(scenario, fault)
        print(result.log, result._replace(log="", calls=""))
        scenario.remove()
    if arguments.run:
        return
    wrong = []
    for kind in SCENARIOS:
        if not arguments.scenario or kind.__name__.lower() in arguments.scenario:
            wrong += sweep(kind, arguments.full, arguments.verbose)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
