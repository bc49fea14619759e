#!/usr/bin/env python3
"""Mixed traffic and faults for a while: soak.py [SECONDS [SEED]]

Three servers at once: smtpd -l and tcpserver with tests/ledger.c, whose moods
are bad at times, and smtpd -l with smtpd-maildir on a small disk. Clients of
every kind come: sound ones, smtplib, Postfix's smtp-source where tests/peers
has it, such as drip, idle, send garbage, and reset or hang up at any octet.
Meanwhile processes are killed (-9), stopped and continued, launchers ended and
started again, the disk is full, and the limits of processes and descriptors
are low.

A message that was told 250 is delivered, once, whole; one that was told 4xx or
5xx, or was not sent whole, is not; one without an answer is at most once. Every
reply is one that may come there. In the end all servers still serve, end with
exit status 0 when told to, and leave nothing: no process, no descriptor, no
memory, no core. The last line is a summary; before it, a line for each thing
that is wrong, and then the exit status is 1.

$SMTPD_BIN has the programs, $BUILD/tests/ledger is the command. As root it has
a mount namespace of its own, for the disk; else there is no full disk, and no
lack of processes. Only what it has started is ended or limited.
"""

import collections
import contextlib
import ctypes
import glob
import itertools
import os
import random
import re
import resource
import shutil
import signal
import smtplib
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BIN = os.environ.get("SMTPD_BIN", ROOT)
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
POSTFIX = f"{BUILD}/peers/postfix/usr"
HOST = "mx.example.org"
DISK = 6 << 20  # octets of the small disk
PATIENCE = 40  # seconds in which every reply comes
TIMEOUT = 3  # -t, and --command-timeout of the ledger
CLIENTS = 20
# What may come in place of any reply, and in place of a verdict.
TROUBLE = re.compile(rb"421 4\.(3\.[02]|4\.2) [ -~]+\r\n")
DOUBT = re.compile(rb"(421 4\.(3\.[02]|4\.2)|451 4\.3\.[05]|452 4\.3\.1) [ -~]+\r\n")
# The moods of the ledger: how often, and how the verdict begins.
MOODS = {"take": (50, None), "soft": (4, b"451 4.3.0 "), "hard": (4, b"550 5.1.1 "),
         "crash": (3, b"451 4.3.0 "), "hang": (1, b"451 4.3.0 "), "flood": (3, b"250 2.0.0 OK"),
         "deaf": (3, b"250 2.0.0 OK"), "orphan": (2, None), "slow": (3, b"250 2.0.0 OK"),
         "lie": (3, b"451 4.3.0 ")}

counts = collections.Counter()
wrong = []
content = []  # the runs of smtp-source that were told 250 for everything
finished = threading.Event()


def blame(what):
    wrong.append(f"{time.monotonic() - BEGUN:.1f} s: {what}")


class Gone(Exception):
    """The server has ended the connection, or is not there."""


class Letter:
    """A message: who is to get it, what it is, what has become of it."""
    numbers = itertools.count(1)
    all = {}

    def __init__(self, chance, server):
        self.server = server
        self.mood = "take" if server.maildir else chance.choices(
            list(MOODS), [often for often, _ in MOODS.values()])[0]
        number = next(Letter.numbers)
        self.recipient = f"{self.mood}-{number}@example.net"
        line = b"%d .\xc3\xa4%b\n" % (number, chance.randbytes(30).hex().encode())
        size = chance.choices((100, 4000, 70000, 300000, 600000), (60, 30, 5, 3, 1))[0]
        self.text = b"Subject: %d\n\n.\n" % number + line * (size // len(line))
        self.octets, self.crc = len(self.text), zlib.crc32(self.text)
        if self.mood in ("deaf", "hang"):
            self.octets = self.crc = 0
        self.sent = False  # all of it, perhaps
        self.over = False  # nothing will be heard of it any more
        self.reply = None
        self.found = 0
        Letter.all[self.recipient] = self

    def commands(self):
        return [(b"MAIL FROM:<soak@example.org> BODY=8BITMIME\r\n", b"250 2.1.0 Sender OK\r\n"),
                (f"RCPT TO:<{self.recipient}>\r\n".encode(), b"250 2.1.5 Recipient OK\r\n")]

    def wire(self):
        return self.text.replace(b"\n", b"\r\n")

    def dotted(self):
        return self.wire().replace(b"\r\n.", b"\r\n..") + b".\r\n"

    def told(self, reply):
        """The verdict; true if it is one that may be."""
        self.reply = reply
        right = MOODS[self.mood][1]
        if self.server.maildir:
            right = b"250 2.0.0 OK\r\n"
        elif right is None:
            right = f"250 2.0.0 {self.recipient} {self.octets} {self.crc:08x}\r\n".encode()
        if not reply.startswith(right):
            counts["doubted"] += 1
            if not DOUBT.fullmatch(reply):
                blame(f"{self.recipient} at {self.server.name}: told {reply!r}, not {right!r}")

    def arrived(self, octets, crc):
        self.found += 1
        if (octets, crc) != (self.octets, self.crc):
            blame(f"{self.recipient}: {octets} octets, {crc:08x} were delivered, "
                  f"not {self.octets}, {self.crc:08x}")


class Talk:
    """A client's end of a connection."""

    def __init__(self, server):
        self.buffer = b""
        try:
            self.sock = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        except OSError as error:
            if not server.away:
                blame(f"{server.name}: {error}")
            raise Gone from error
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        counts["connections"] += 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, octets):
        try:
            self.sock.sendall(octets)
        except TimeoutError as error:
            blame(f"could not send for {PATIENCE} seconds")
            raise Gone from error
        except OSError as error:
            raise Gone from error

    def reply(self):
        found = b""
        while True:
            while b"\n" not in self.buffer:
                try:
                    octets = self.sock.recv(65536)
                except TimeoutError as error:
                    blame(f"no reply for {PATIENCE} seconds")
                    raise Gone from error
                except OSError as error:
                    raise Gone from error
                if not octets:
                    if found or self.buffer:
                        counts["torn replies"] += 1
                    raise Gone
                self.buffer += octets
            line, _, self.buffer = self.buffer.partition(b"\n")
            found += line + b"\n"
            if not re.match(rb"\d\d\d-", line):
                return found

    def expect(self, right):
        """A reply that begins so, or the end."""
        found = self.reply()
        if not found.startswith(right):
            counts["sent off"] += 1
            if not TROUBLE.fullmatch(found):
                blame(f"got {found!r}, not {right!r}")
            raise Gone

    def ask(self, octets, right):
        self.send(octets)
        self.expect(right)

    def greeted(self):
        self.expect(f"220 {HOST} ESMTP\r\n".encode())
        self.ask(b"EHLO client.example\r\n", b"250-")

    def quit(self):
        self.ask(b"QUIT\r\n", b"221 2.0.0 Bye\r\n")
        self.sock.close()


# The clients.

def stepwise(talk, letter):
    for line, right in letter.commands():
        talk.ask(line, right)
    talk.ask(b"DATA\r\n", b"354 ")
    letter.sent = True
    talk.send(letter.dotted())


def pipelined(talk, letter):
    talk.send(b"".join(line for line, _ in letter.commands()) + b"DATA\r\n")
    for _, right in letter.commands():
        talk.expect(right)
    talk.expect(b"354 ")
    letter.sent = True
    talk.send(letter.dotted())


def chunked(talk, letter):
    text = letter.wire()
    half = len(text) // 2
    letter.sent = True
    talk.send(b"".join(line for line, _ in letter.commands()) +
              b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (half, text[:half], len(text) - half,
                                                    text[half:]))
    for _, right in letter.commands():
        talk.expect(right)
    talk.expect(b"250 2.0.0 Chunk OK\r\n")


def sound(chance, server):
    with Talk(server) as talk:
        talk.greeted()
        for _ in range(chance.randint(1, 6)):
            letter = Letter(chance, server)
            try:
                chance.choice((stepwise, pipelined, chunked))(talk, letter)
                letter.told(talk.reply())
            finally:
                letter.over = True
            if letter.reply.startswith(b"421") or finished.is_set():
                return
        talk.quit()


def library(chance, server):
    """Python's smtplib."""
    letter = Letter(chance, server)
    try:
        with smtplib.SMTP("127.0.0.1", server.port, "lib.example", timeout=PATIENCE) as client:
            counts["connections"] += 1
            for code, _ in (client.ehlo(), client.mail("soak@example.org"),
                            client.rcpt(letter.recipient)):
                if code != 250:
                    return
            letter.sent = True
            code, text = client.data(letter.wire())
            letter.told(b"%d %b\r\n" % (code, text))
    except (OSError, smtplib.SMTPException):
        pass  # as others find out, too
    finally:
        letter.over = True


def drip(chance, server):
    """A line now and then, or an octet."""
    letter = Letter(chance, server)
    with Talk(server) as talk:
        try:
            talk.greeted()
            for line, right in letter.commands() + [(b"DATA\r\n", b"354 ")]:
                talk.send(line[:3])
                time.sleep(chance.random() * 0.3)
                talk.ask(line[3:], right)
            text, at = letter.dotted(), 0
            for _ in range(chance.randint(2, 12)):
                size = chance.choice((1, 1, 60, 3000))
                talk.send(text[at:min(at + size, len(text) - 1)])
                at = min(at + size, len(text) - 1)
                time.sleep(chance.random() * 0.3)
            letter.sent = True
            talk.send(text[at:])
            letter.told(talk.reply())
        finally:
            letter.over = True


def idle(chance, server):
    """Says nothing, for longer than -t or not."""
    with Talk(server) as talk:
        talk.greeted()
        if chance.random() < 0.3:
            talk.expect(b"421 4.4.2 Timed out, closing connection\r\n")
        else:
            time.sleep(chance.random() * TIMEOUT * 0.7)
            talk.ask(b"NOOP\r\n", b"250 2.0.0 OK\r\n")
            if chance.random() < 0.5:
                talk.quit()


def cut(chance, server):
    """Resets or hangs up at any octet."""
    letters = [Letter(chance, server) for _ in range(chance.randint(1, 3))]
    stream, ends = b"EHLO client.example\r\n", []
    for letter in letters:
        stream += b"".join(line for line, _ in letter.commands()) + b"DATA\r\n" + letter.dotted()
        ends.append(len(stream))
    at = chance.choice(ends) - chance.choice((0, 0, 1, 2, 3, chance.randint(0, len(stream))))
    at = min(max(at, 0), len(stream))
    try:
        with Talk(server) as talk:
            for letter, end in zip(letters, ends):
                letter.sent = end <= at
            talk.send(stream[:at])
            time.sleep(chance.choice((0, 0.001, 0.01, 0.05)))
            if chance.random() < 0.5:
                talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
    finally:
        for letter in letters:
            letter.over = True


def garbage(chance, server):
    """No mail client, or none that knows how."""
    with Talk(server) as talk:
        for _ in range(chance.randint(1, 40)):
            talk.send(chance.choice((
                b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                chance.randbytes(chance.randint(1, 3000)), b"x" * 15000 + b"\r\n",
                b"MAIL FROM:<a@b>\r\n", b"RCPT TO:<>\r\n", b"BDAT 99999999999999999999\r\n",
                b"EHLO \x00\r\n", b"BDAT 10\r\n", b"DATA\r\n", b"\r\n.\r\n", b"QUIT\r", b"\n")))
        if chance.random() < 0.5:
            talk.sock.shutdown(socket.SHUT_WR)
        with contextlib.suppress(OSError):
            talk.sock.settimeout(0.2)
            while talk.sock.recv(65536):
                pass


KINDS = {sound: 50, cut: 25, library: 8, drip: 8, garbage: 6, idle: 5}


def client(seed):
    chance = random.Random(seed)
    while not finished.is_set():
        kind = chance.choices(list(KINDS), list(KINDS.values()))[0]
        server = chance.choice(servers)
        counts[kind.__name__] += 1
        try:
            kind(chance, server)
        except Gone:
            time.sleep(0.02)
        except OSError:
            pass  # of a socket that the server has reset
        except BaseException as error:
            blame(f"{kind.__name__}: {error!r}")
            raise


def source(seed):
    """Postfix's smtp-source, again and again: 20 messages by 4 sessions."""
    chance = random.Random(seed)
    program = f"{POSTFIX}/sbin/smtp-source"
    for run in itertools.count(1):
        if finished.wait(2):
            return
        server = chance.choice(servers[:2])
        size = chance.choice((10, 5000, 300000))
        try:
            done = subprocess.run(
                [program, "-A", "-N", "-s", "4", "-m", "20", "-l", str(size), "-M", "src.example",
                 "-f", "soak@example.org", "-t", f"@run{run}.example",
                 f"127.0.0.1:{server.port}"],
                env={**os.environ, "LD_LIBRARY_PATH": f"{POSTFIX}/lib/postfix"},
                stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE / 2)
            counts["source"] += 1
            if done.returncode == 0 and not done.stderr and not done.stdout:
                content.append(f"run{run}.example")
        except subprocess.TimeoutExpired:
            pass  # it waits for ever at times


# The servers.

class Server:
    def __init__(self, name, command, tcpserver=False, maildir=None, env=None):
        self.name, self.command, self.tcpserver, self.maildir = name, command, tcpserver, maildir
        self.env = {**os.environ, **(env or {}), "ASAN_OPTIONS": "detect_leaks=0"}
        self.log = f"{STAGE}/log.{name}"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.away = True
        self.busy = threading.Lock()  # for one fault at a time
        self.start()

    def listening(self, before):
        """It says so; then signals are its own."""
        if not self.tcpserver:
            with open(self.log, "rb") as log:
                log.seek(before)
                return b"listening on " in log.read()
        wanted = f": 0100007F:{self.port:04X} 00000000:0000 0A "
        with open("/proc/net/tcp", encoding="ascii") as lines:
            return any(wanted in line for line in lines)

    def start(self):
        launch = ["tcpserver", "-HRl0", "-c60", "127.0.0.1", str(self.port), f"{STAGE}/smtpd"] \
            if self.tcpserver else [f"{STAGE}/smtpd", "-l", f"127.0.0.1:{self.port}", "-c60"]
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with open(self.log, "ab") as log:
                before = log.tell()
                self.process = subprocess.Popen([*launch, *self.command], stdin=subprocess.DEVNULL,
                                                stdout=log, stderr=log, cwd=STAGE, env=self.env)
            while self.process.poll() is None and time.monotonic() < end:
                if self.listening(before):
                    self.away = False
                    return
                time.sleep(0.01)
            # One that is being started still holds the socket.
            time.sleep(0.05)
        blame(f"{self.name} does not start")

    def stop(self, *signals):
        """Its exit status is 0, in time."""
        self.away = True
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.05)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            blame(f"{self.name} does not end")
            self.process.kill()
            status = self.process.wait()
        if status != (-signal.SIGKILL if signals[0] == signal.SIGKILL else 0):
            blame(f"{self.name}: exit status {status}")


class Process:
    """One of ours; pinned, so that it is no other of the same number."""

    def __init__(self, pid):
        self.pid, self.fd = pid, os.pidfd_open(pid)
        self.program = os.path.basename(ours(pid) or "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, number)

    def recipient(self):
        try:
            with open(f"/proc/{self.pid}/environ", "rb") as file:
                found = re.search(rb"(?:^|\0)RECIPIENT=([^\0]*)", file.read())
        except OSError:
            return None
        return found and found[1].decode()


def ours(pid):
    """The program of a process, if it is one of those that we have started."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return None
    return path if path.startswith(STAGE + "/") else None


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and ours(name)]


def some_process(chance, *programs):
    """One of them by chance, pinned; or None. None of our own children: they
    are the listeners, one that is just being started, too."""
    launched = below(os.getpid())
    found = [pid for pid in processes() if pid not in launched]
    chance.shuffle(found)
    for pid in found:
        with contextlib.suppress(OSError):
            process = Process(pid)
            if process.program in programs:
                return process
            os.close(process.fd)
    return None


# The faults. Each is undone when it returns.

COMMANDS = ("ledger", "smtpd-maildir")
filling = threading.Lock()
killed = set()  # recipients whose command was
identity = {}  # who the servers are, for prlimit


def kill_session(chance):
    process = some_process(chance, "smtpd")
    if process:
        with process:
            process.signal(signal.SIGKILL)


def kill_command(chance):
    process = some_process(chance, *COMMANDS)
    if process:
        with process:
            # Not before it has its environment: it has done nothing then.
            killed.add(process.recipient())
            process.signal(signal.SIGKILL)


def halt(chance):
    process = some_process(chance, "smtpd", *COMMANDS)
    if process:
        with process:
            process.signal(signal.SIGSTOP)
            time.sleep(chance.random() * 0.8)
            process.signal(signal.SIGCONT)


def fill_disk(chance):
    if not FULL or not filling.acquire(blocking=False):
        return
    with contextlib.suppress(OSError), open(f"{FULL}/filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    time.sleep(chance.random() * 2)
    os.unlink(f"{FULL}/filler")
    filling.release()


def limited(chance, name, least, most):
    """A limit that is low for a while: that of a listener or of a session, and
    of what they start."""
    server = chance.choice([server for server in servers if not server.tcpserver])
    with server.busy:
        process = Process(server.process.pid) if chance.random() < 0.5 else \
            some_process(chance, "smtpd")
        if not process:
            return
        with process:
            if process.program != "smtpd":
                return
            for value in (chance.randint(least, most), UNLIMITED[name]):
                subprocess.run(["prlimit", f"--pid={process.pid}", f"--{name}={value}:"],
                               stderr=subprocess.DEVNULL, check=False, **identity)
                time.sleep(chance.random() if value != UNLIMITED[name] else 0)


def few_processes(chance):
    if identity:
        limited(chance, "nproc", 1, 2)


def few_descriptors(chance):
    limited(chance, "nofile", 3, 9)


def restart(chance):
    # The first goes on all the time: what it keeps is seen.
    server = chance.choice(servers[1:])
    how = chance.choice(((signal.SIGTERM,), (signal.SIGTERM,), (signal.SIGTERM, signal.SIGINT),
                         (signal.SIGKILL,)))
    with server.busy:
        server.stop(*(how if not server.tcpserver else (signal.SIGTERM,)))
        time.sleep(chance.random() * 0.3)
        server.start()


FAULTS = {kill_session: 10, kill_command: 8, halt: 8, fill_disk: 2, few_processes: 2,
          few_descriptors: 2, restart: 2}


def disturb(seed):
    chance = random.Random(seed)
    while not finished.wait(chance.random() * 0.3):
        fault = chance.choices(list(FAULTS), list(FAULTS.values()))[0]
        try:
            fault(chance)
            counts[fault.__name__] += 1
        except BaseException as error:
            blame(f"{fault.__name__}: {error!r}")
            raise


# What is counted.

DELIVERED = re.compile(rb"Return-Path: <soak@example\.org>\nDelivered-To: (\S+)\n")


def drain(everything=False):
    """Takes out of the Maildir what nobody will take back."""
    box = servers[2].maildir
    for name in os.listdir(f"{box}/new") if os.path.isdir(f"{box}/new") else []:
        with open(f"{box}/new/{name}", "rb") as file:
            octets = file.read()
        head = DELIVERED.match(octets)
        letter = Letter.all.get(head[1].decode()) if head else None
        if letter is None:
            blame(f"in the Maildir: {octets[:200]!r}")
        elif not letter.over and not everything:
            continue
        else:
            text = octets[head.end():]
            letter.arrived(len(text), zlib.crc32(text))
        os.unlink(f"{box}/new/{name}")
    # What was killed has left something behind.
    for name in os.listdir(f"{box}/tmp") if os.path.isdir(f"{box}/tmp") else []:
        if everything or not os.path.exists("/proc/" + re.search(r"P(\d+)Q", name)[1]):
            counts["left in tmp"] += 1
            with contextlib.suppress(OSError):
                os.unlink(f"{box}/tmp/{name}")


class Watch:
    """What the first listener holds."""

    def __init__(self, seconds):
        self.first_at = BEGUN + min(60, seconds / 4)
        self.first = self.last = None
        self.descriptors = collections.Counter()

    def look(self):
        pid = servers[0].process.pid
        # Its own: pages of the program come when they are first needed.
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            self.last = int(re.search(r"RssAnon:\s*(\d+)", file.read())[1])
        if self.first is None and time.monotonic() >= self.first_at:
            self.first = self.last
        self.descriptors[len(os.listdir(f"/proc/{pid}/fd"))] += 1

    def judge(self):
        self.look()
        now = len(os.listdir(f"/proc/{servers[0].process.pid}/fd"))
        # While it accepts, it has one more.
        if now != min(self.descriptors) or max(self.descriptors) > now + 1:
            blame(f"descriptors of the listener: {dict(self.descriptors)}")
        if self.last > self.first + 64:
            blame(f"memory of the listener: {self.first}, in the end {self.last} KiB")


def read_ledger():
    """The messages that the ledger has; those of smtp-source by their runs."""
    runs = collections.defaultdict(set)
    with open(f"{STAGE}/mail/ledger", encoding="ascii") as file:
        for line in file:
            if len(line.split()) != 5:
                blame(f"in the ledger: {line!r}")
                continue
            recipient, octets, crc, _, session = line.split()
            letter = Letter.all.get(recipient)
            if letter:
                letter.session = session
                letter.arrived(int(octets), int(crc, 16))
            elif re.fullmatch(r"\d+@run\d+\.example", recipient):
                number, run = recipient.split("@")
                if number in runs[run]:
                    blame(f"{recipient}: delivered twice")
                runs[run].add(number)
            else:
                blame(f"in the ledger: {line!r}")
    for run in content:
        if len(runs[run]) != 20:
            blame(f"{run}: {len(runs[run])} of 20 messages were delivered")
    return sum(map(len, runs.values()))


def check_letters(logs):
    late = set(re.findall(r"session (\S+): command killed: it ran into its time-out", logs))
    for letter in Letter.all.values():
        told = letter.reply[:1] if letter.reply else b"none" if letter.sent else b"unsent"
        counts[f"told {told.decode()}"] += 1
        least = most = 0
        if told == b"2":
            least = most = 1
        elif told == b"none":
            most = 1
            counts["delivered unanswered"] += letter.found
        elif told in b"45" and letter.found == 1 and letter.mood != "hang" and (
                letter.recipient in killed or getattr(letter, "session", None) in late):
            # It had done its work, but not said so.
            counts["killed behind its work"] += 1
            continue
        if not least <= letter.found <= most:
            blame(f"{letter.recipient} at {letter.server.name}: told {letter.reply!r} ({told}), "
                  f"delivered {letter.found} times")


def check_logs():
    logs = ""
    for server in servers:
        with open(server.log, encoding="utf-8", errors="replace") as file:
            logs += file.read()
    bad = re.compile(r"killed by signal (?!9\b)|that it may not|report it|Sanitizer|"
                     r"runtime error|Assertion")
    for line in logs.splitlines():
        if bad.search(line):
            blame(line)
    return logs


def settle():
    """All is quiet: the servers serve, have no children, and end."""
    chance = random.Random(0)
    for server in servers:
        for _ in range(3):
            letter = Letter(chance, server)
            while letter.mood != "take":
                letter = Letter(chance, server)
            try:
                with Talk(server) as talk:
                    talk.greeted()
                    stepwise(talk, letter)
                    letter.told(talk.reply())
                    letter.over = True
                    talk.quit()
            except Gone:
                pass
            if not letter.reply or not letter.reply.startswith(b"250"):
                blame(f"{server.name} in the end: {letter.reply!r}")


def below(pid):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", encoding="latin-1") as file:
            if int(file.read().rpartition(")")[2].split()[1]) == pid:
                found.append(int(name))
    return found


def wait_for(what, done, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            blame(what())
            return
        time.sleep(0.05)


def reap():
    """Those that others left to us; true if there is nobody any more."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return not processes()


def end_servers(watch):
    wait_for(lambda: f"processes of the listener: {below(servers[0].process.pid)}",
             lambda: not below(servers[0].process.pid))
    watch.judge()
    for server in servers:
        server.stop(signal.SIGTERM)
    wait_for(lambda: f"processes left: {[(pid, ours(pid)) for pid in processes()]}", reap)
    for core in glob.glob(f"{STAGE}/**/*core*", recursive=True):
        blame(f"a core: {core}")


def stage():
    """The programs where all may use them, and the small disk."""
    os.makedirs(f"{STAGE}/mail")
    for path in (f"{BIN}/smtpd", f"{BIN}/smtpd-maildir", f"{BUILD}/tests/ledger"):
        shutil.copy(path, STAGE)
    os.makedirs(f"{STAGE}/disk")
    if FULL:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=1777", "tmpfs", FULL],
                       check=True)
    for path in (STAGE, f"{STAGE}/mail", f"{STAGE}/disk"):
        os.chmod(path, 0o1777)
    # Not of us: whoever gave up root may have no core elsewhere.
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def run(seconds, seed):
    options = ["-A", "--hostname", HOST, "--no-received", "-t", str(TIMEOUT)]
    ledger = [*options, "--command-timeout", str(TIMEOUT), f"{STAGE}/ledger",
              f"{STAGE}/mail/ledger"]
    box = f"{STAGE}/disk/box"
    servers.append(Server("listener", ledger, env={"TMPDIR": f"{STAGE}/disk"}))
    servers.append(Server("tcpserver", ledger, tcpserver=True))
    servers.append(Server("maildir", [*options, f"{STAGE}/smtpd-maildir", "--create", box],
                          maildir=box))
    UNLIMITED.update(nproc=resource.getrlimit(resource.RLIMIT_NPROC)[0],
                     nofile=resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    watch = Watch(seconds)
    threads = [threading.Thread(target=client, args=(f"{seed}.{n}",)) for n in range(CLIENTS)]
    threads += [threading.Thread(target=disturb, args=(f"{seed}.fault.{n}",)) for n in range(2)]
    if os.path.exists(f"{POSTFIX}/sbin/smtp-source"):
        threads.append(threading.Thread(target=source, args=(f"{seed}.source",)))
    for thread in threads:
        thread.start()
    while time.monotonic() < BEGUN + seconds:
        time.sleep(0.2)
        watch.look()
        drain()
    finished.set()
    for thread in threads:
        thread.join()
    settle()
    end_servers(watch)
    drain(everything=True)
    sourced = read_ledger()
    check_letters(check_logs())
    return watch, sourced


def summary(watch, sourced, seed):
    faults = ", ".join(f"{counts[f.__name__]} {f.__name__}" for f in FAULTS)
    clients = ", ".join(f"{counts[k.__name__]} {k.__name__}" for k in KINDS)
    return (f"soak: {time.monotonic() - BEGUN:.0f} s, seed {seed}; {counts['connections']} "
            f"connections ({clients}, {counts['source']} smtp-source); {len(Letter.all)} messages: "
            f"{counts['told 2']} told 250, {counts['told 4']} 4xx, {counts['told 5']} 5xx, "
            f"{counts['told none']} nothing ({counts['delivered unanswered']} of them delivered), "
            f"{counts['told unsent']} not sent whole; {sourced} of smtp-source ({len(content)} runs "
            f"without a complaint); {counts['doubted']} doubted, "
            f"{counts['killed behind its work']} commands killed behind their work; {faults}; "
            f"listener {watch.first} KiB, in the end {watch.last}, {min(watch.descriptors)} descriptors; {len(wrong)} wrong")


def main():
    seconds = float(sys.argv[1]) if sys.argv[1:] else 600
    seed = sys.argv[2] if sys.argv[2:] else str(time.time_ns() % 1000000)
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    if os.getuid() == 0:
        identity.update(user="nobody", group="nogroup", extra_groups=[])
    stage()
    try:
        watch, sourced = run(seconds, seed)
    finally:
        for pid in processes():
            with contextlib.suppress(OSError), Process(pid) as process:
                if process.program:
                    process.signal(signal.SIGKILL)
        if FULL:
            subprocess.run(["umount", "-l", FULL], check=False)
    if not wrong:
        shutil.rmtree(STAGE)
    for line in wrong[:40]:
        print(line)
    if wrong:
        print(f"the logs are in {STAGE}")
    print(summary(watch, sourced, seed))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if os.getuid() == 0 and "SOAK_INSIDE" not in os.environ:
        os.environ["SOAK_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])
    BEGUN = time.monotonic()
    STAGE = tempfile.mkdtemp(prefix="smtpd-soak.")
    FULL = f"{STAGE}/disk" if os.getuid() == 0 else None
    UNLIMITED = {}
    servers = []
    main()
