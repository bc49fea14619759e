#!/usr/bin/env python3
"""kill -9 while mail comes in: kills.py [-s SEED] MESSAGES CLIENTS

A listener and its command, which appends the id of each message to a journal
by one write, with what it has read of it. Meanwhile one of the listener's
descendants after the other is killed: agents, dialogues, feeders, commands and
what they have started. Then, of each message:

- told 250: it is in the journal once;
- told 4xx: it is not, unless its command was killed itself, which is when
  nobody can know whether that was before it had delivered or after;
- told nothing, because the connection broke: it may be;
- whatever is in the journal is there whole and once;

and the listener lives, and nothing is left when it has been told to end.
"""

import argparse
import collections
import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time

from session import gone
from talk import adopt_orphans, children, no_orphans

SMTPD, STAGE = os.environ["SMTPD"], os.environ["STAGE"]

# A reader that is slow to begin: the message waits in pipe and agent.
COMMAND = ('[ "$SMTP_SIZE" -lt 200000 ] || sleep 0.0$(($$ % 8));'
           'n=$(wc -c) || exit 75;'
           'echo "$RECIPIENT $$ $n $SMTP_SIZE" >>"$0"')
LINE = b"%061d\r\n" % 7
LIMIT = 300


def message(number):
    """Mostly in memory, some in a file, some of them larger than a pipe."""
    lines = 40000 if number % 25 == 0 else 6000 if number % 10 == 0 else number % 50
    return b"Subject: %d\r\n\r\n" % number + LINE * lines


class Broken(Exception):
    """The connection is gone."""


class Client:
    def __init__(self, port):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")
        self.reply()
        self.say(b"EHLO me.example.org\r\n")
        self.reply()

    def say(self, octets):
        with contextlib.suppress(OSError):  # what was said before can be read
            self.sock.sendall(octets)

    def reply(self):
        while True:
            try:
                line = self.file.readline()
            except (ConnectionError, OSError) as error:
                if isinstance(error, TimeoutError):
                    raise
                raise Broken from error
            if not line.endswith(b"\n"):
                raise Broken
            if line[3:4] != b"-":
                return line.decode().strip()

    def deliver(self, number):
        """The reply that decided."""
        self.say(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<%d@example.net>\r\nDATA\r\n" % number)
        replies = [self.reply() for _ in range(3)]
        if not replies[2].startswith("354"):
            return replies[2]
        self.say(message(number) + b".\r\n")
        return self.reply()

    def close(self):
        self.file.close()
        self.sock.close()


class Test:
    def __init__(self, seed, count):
        self.folder = tempfile.mkdtemp(prefix="kills.", dir=STAGE)
        os.chmod(self.folder, 0o1777)
        self.journal = f"{self.folder}/journal"
        self.random = random.Random(seed)
        self.numbers = iter(range(1, count + 1))
        self.lock = threading.Lock()
        self.verdicts = {}
        self.killed = collections.Counter()
        self.victims = set()
        self.trouble = []
        self.done = False
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.listener = subprocess.Popen(
            [SMTPD, "-l", f"127.0.0.1:{self.port}", "-A", "-q", "--", "sh", "-c", COMMAND,
             self.journal], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def connect(self):
        end = time.monotonic() + 10
        while True:
            try:
                return Client(self.port)
            except (Broken, ConnectionError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def send(self):
        client = None
        try:
            while True:
                with self.lock:
                    number = next(self.numbers, None)
                if number is None:
                    return
                client = client or self.connect()
                try:
                    self.verdicts[number] = client.deliver(number)
                except Broken:
                    self.verdicts[number] = None
                if (self.verdicts[number] or "421").startswith("421"):
                    client.close()
                    client = None
        except Exception as error:  # pylint: disable=broad-except
            self.trouble.append(repr(error))
            raise

    def descendants(self):
        """Of the listener, by their part."""
        found = []
        for agent in direct(self.listener.pid):
            found.append(("agent", agent))
            own = ["dialogue", "feeder"]
            for child in direct(agent):
                smtpd = name(child) == "smtpd"
                found.append((own.pop(0) if smtpd and own else "command", child))
                found += [("reader", grandchild) for grandchild in direct(child)]
        return found

    def kill(self):
        """Each part as often as the others."""
        while not self.done:
            time.sleep(self.random.random() * 0.03)
            parts = collections.defaultdict(list)
            for part, pid in self.descendants():
                parts[part].append(pid)
            if not parts:
                continue
            part = self.random.choice(sorted(parts))
            pid = self.random.choice(parts[part])
            with contextlib.suppress(ProcessLookupError):
                self.victims.add(pid)
                os.kill(pid, signal.SIGKILL)
                self.killed[part] += 1
                # Who is left to end the command must have had the time to.
                while part == "feeder" and not gone(pid):
                    time.sleep(0.001)

    def run(self, clients):
        killer = threading.Thread(target=self.kill)
        senders = [threading.Thread(target=self.send) for _ in range(clients)]
        self.connect().close()
        for thread in (killer, *senders):
            thread.start()
        for thread in senders:
            thread.join(LIMIT)
        self.done = True
        killer.join()
        if self.listener.poll() is not None:
            self.trouble.append("the listener has ended")
        self.listener.terminate()
        if self.listener.wait(30) != 0:
            self.trouble.append(f"the listener's exit status is {self.listener.returncode}")
        if no_orphans(20):
            self.trouble.append("processes are left")

    def check(self):
        lines = collections.defaultdict(list)
        counts = collections.Counter()
        with open(self.journal, encoding="ascii") as journal:
            for line in journal:
                address, pid, read, size = line.split()
                lines[int(address.partition("@")[0])].append(int(pid))
                if read != size:
                    self.trouble.append(f"read {read} of {size} octets: {line.strip()}")
        for number, verdict in sorted(self.verdicts.items()):
            pids = lines.pop(number, [])
            kind = "told nothing" if verdict is None else verdict[:3]
            counts[f"{kind}, delivered" if pids else kind] += 1
            if len(pids) > 1 or (verdict or "").startswith("5") or \
                    (verdict or "4").startswith("2") and not pids and verdict or \
                    (verdict or "").startswith("4") and pids and pids[0] not in self.victims:
                self.trouble.append(f"message {number}: told {verdict}, delivered by {pids}")
        if lines:
            self.trouble.append(f"nobody sent {dict(lines)}")
        print(f"{dict(counts)}; killed: {dict(self.killed)}")


def direct(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(child) for child in file.read().split()]
    except FileNotFoundError:
        return []


def name(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("messages", type=int)
    parser.add_argument("clients", type=int)
    arguments = parser.parse_args()
    adopt_orphans()
    test = Test(arguments.seed, arguments.messages)
    test.run(arguments.clients)
    test.check()
    for part in ("agent", "dialogue", "command"):
        if test.killed[part] < arguments.messages // 100:
            test.trouble.append(f"few were killed of those that are {part}s")
    if len(test.verdicts) != arguments.messages:
        test.trouble.append(f"{len(test.verdicts)} were sent")
    if test.trouble:
        raise SystemExit(f"seed {arguments.seed}\n" + "\n".join(test.trouble[:20]))


if __name__ == "__main__":
    main()
