#!/usr/bin/env python3
"""Many connections to one listener, all at once.

    load.py CONNECTIONS [MESSAGES [KIB]]

$SMTPD listens with --concurrency CONNECTIONS; the command is $STAGE/ledger. A
fifth of the connections say EHLO and then nothing, a fifth drip an octet or a
line now and then, the rest send MESSAGES (5) messages each, in every way that
there is. Every octet that comes back is held against the one that has to come.
Meanwhile clients beyond the limit are told 421. When all have sent theirs, some
leave, and as many new ones are taken. In the end each message that was told
250, and no other, is in the ledger, once, whole. The memory of all processes
of smtpd is less than KIB (0: any) for each connection, whenever it is looked at.

The last line is a summary. Exit status 1, and a line for each thing that is
wrong, before it.
"""

import collections
import heapq
import os
import random
import re
import resource
import select
import socket
import subprocess
import sys
import time
import zlib

import session

HOST = "mx.example.org"
GREETING = f"220 {HOST} ESMTP\r\n".encode()
EHLO = "".join(f"250-{line}\r\n" for line in (
    HOST, "PIPELINING", "SIZE 33554432", "8BITMIME", "ENHANCEDSTATUSCODES",
    "CHUNKING", "DSN", "LIMITS RCPTMAX=1000")).encode() + b"250 HELP\r\n"
OK = b"250 2.0.0 OK\r\n"
SENDER = b"250 2.1.0 Sender OK\r\n"
RECIPIENT = b"250 2.1.5 Recipient OK\r\n"
CHUNK = b"250 2.0.0 Chunk OK\r\n"
DATA = b"354 End data with <CR><LF>.<CR><LF>\r\n"
BYE = b"221 2.0.0 Bye\r\n"
BUSY = b"421 4.3.2 Too many connections, try again later\r\n"
# Each is refused, and changes nothing: the line, the reply.
MISTAKES = (
    (b"DATA\r\n", b"503 5.5.1 Need RCPT command\r\n"),
    (b"RCPT TO:<take-0@example.net>\r\n", b"503 5.5.1 Need MAIL command\r\n"),
    (b"WHAT now\r\n", b"500 5.5.2 Command not recognized\r\n"),
    (b"EXPN list\r\n", b"502 5.5.1 EXPN not implemented\r\n"),
)
PAUSE = 0.25  # seconds between two drops
SECONDS = 100  # that all of it may take


def tree(root):
    """Of each process below root its id, name and state."""
    parents = collections.defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="latin-1") as stat:
                    text = stat.read()
            except OSError:
                continue
            state, parent = text.rpartition(")")[2].split()[:2]
            parents[int(parent)].append(
                (int(name), text.partition("(")[2].rpartition(")")[0], state))
    found, todo = [], [root]
    while todo:
        below = parents[todo.pop()]
        found += below
        todo += [process[0] for process in below]
    return found


def watch_memory(listener):
    """Until standard input ends: a line with the number of processes of smtpd
    and their Pss in KiB, again and again."""
    watched = select.poll()
    watched.register(0, select.POLLIN)
    while not watched.poll(100):
        count = total = 0
        for pid, name, _ in tree(listener):
            try:
                with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                    pss = int(re.search(rb"\nPss: *(\d+)", file.read())[1])
            except (OSError, TypeError):
                continue  # it has ended
            if name == "smtpd":
                count += 1
                total += pss
        print(count, total, flush=True)


class Message:
    """What is to arrive: a recipient of its own, octets of its own."""
    count = 0
    sent = {}  # recipient: what the ledger says of it

    def __init__(self, size):
        Message.count += 1
        self.recipient = f"take-{Message.count}@example.net"
        line = b"%d .%s\n" % (Message.count, bytes(range(128, 190)))
        text = b"Subject: %d\n\n.\n..x\n" % Message.count
        self.text = text + line * (max(0, size - len(text)) // len(line))
        self.rcpt = f"RCPT TO:<{self.recipient}>\r\n".encode()

    def told(self):
        """The reply to it, which it will have got."""
        line = f"{len(self.text)} {zlib.crc32(self.text):08x}"
        Message.sent[self.recipient] = line
        return f"250 2.0.0 {self.recipient} {line}\r\n".encode()

    def wire(self):
        return self.text.replace(b"\n", b"\r\n")

    def dotted(self):
        return self.wire().replace(b"\r\n.", b"\r\n..") + b".\r\n"


class Phase:
    """How far all of it is; clients wait for it."""
    greeted, working, finishing, leaving = range(4)
    now = greeted


MAIL = b"MAIL FROM:<load@example.org> BODY=8BITMIME\r\n"


def stepwise(message):
    """Each command by itself."""
    yield MAIL, SENDER
    yield message.rcpt, RECIPIENT
    yield b"DATA\r\n", DATA
    yield message.dotted(), message.told()


def pipelined(message):
    yield MAIL + message.rcpt + b"DATA\r\n", SENDER + RECIPIENT + DATA
    yield message.dotted(), message.told()


def behind(message):
    """A transaction that is given up, and the message, behind one another."""
    other = Message(100)
    yield (MAIL + other.rcpt + b"RSET\r\nNOOP\r\n" + MAIL + message.rcpt + b"DATA\r\n",
           SENDER + RECIPIENT + OK + OK + SENDER + RECIPIENT + DATA)
    yield message.dotted() + b"NOOP\r\n", message.told() + OK


def chunked(message):
    """BDAT, all at once."""
    text, sent, told = message.wire(), MAIL + message.rcpt, SENDER + RECIPIENT
    third = len(text) // 3 + 1
    for at in range(0, len(text), third):
        part = text[at:at + third]
        sent += b"BDAT %d\r\n%b" % (len(part), part)
        told += CHUNK
    yield sent + b"BDAT 0 LAST\r\n", told + message.told()


def send(number, messages):
    """A client that sends."""
    chance = random.Random(number)
    for n in range(messages):
        size = chance.choice((200,) * 6 + (4096,) * 2)
        if number % 30 == 0 and n == messages // 2:
            size = chance.choice((262144, 300000, 700000))
        way = chance.choice((stepwise, pipelined, behind, chunked))
        yield from way(Message(size))
        if chance.random() < 0.2:
            yield chance.choice(MISTAKES)


def drip_data():
    """Lines, one now and then."""
    message = Message(0)
    yield MAIL + message.rcpt + b"DATA\r\n", SENDER + RECIPIENT + DATA
    yield message.dotted()[:-3], b""
    while Phase.now < Phase.finishing:
        line = b"x" * 62 + b"\n"
        message.text += line
        yield PAUSE
        yield line[:-1] + b"\r\n", b""
    yield b".\r\n", message.told()


def drip_chunks():
    message = Message(0)
    yield MAIL + message.rcpt, SENDER + RECIPIENT
    text = message.wire()
    yield b"BDAT %d\r\n%b" % (len(text), text), CHUNK
    while Phase.now < Phase.finishing:
        message.text += b"x" * 30 + b"\n"
        yield b"BDAT 32\r\n", b""
        for part in (b"x" * 20, b"x" * 10 + b"\r", b"\n"):
            yield PAUSE
            yield part, CHUNK if part == b"\n" else b""
    yield b"BDAT 0 LAST\r\n", message.told()


def drip_commands():
    """An octet now and then."""
    message = Message(300)
    while Phase.now < Phase.finishing:
        for octet in b"NOOP x\r\n":
            yield PAUSE
            yield bytes([octet]), OK if octet == 10 else b""
    yield from stepwise(message)


def idle():
    yield from ()


def script(number, work):
    """The whole of a client: what it sends and what it is told for it, seconds
    to wait, or a phase to wait for."""
    yield b"", GREETING
    yield b"EHLO client%d.example\r\n" % number, EHLO
    yield Phase.working
    yield from work
    yield Phase.leaving
    yield b"NOOP\r\n", OK
    yield b"QUIT\r\n", BYE
    yield None  # the end of the connection


def turned_away():
    yield b"", BUSY
    yield None


class Client:
    def __init__(self, load, steps):
        self.load, self.steps = load, steps
        self.wanted = self.unsent = b""
        self.waits = None  # a phase, "pause", "end"
        self.over = False
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.sock.connect_ex(load.address)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        load.clients[self.sock.fileno()] = self
        load.poll.register(self.sock, select.EPOLLIN)
        self.advance()

    def fail(self, what):
        self.load.wrong.append(f"client {self.sock.getsockname()[1]}: {what}")
        self.end()

    def end(self):
        self.over = True
        self.load.poll.unregister(self.sock)
        del self.load.clients[self.sock.fileno()]
        self.sock.close()

    def advance(self):
        """As far as it goes without the server."""
        while not (self.over or self.wanted or self.unsent or self.waits):
            step = next(self.steps)
            if step is None:
                self.waits = "end"
            elif isinstance(step, float):
                self.waits = "pause"
                self.load.later(step, self)
            elif isinstance(step, int):
                self.waits = step if Phase.now < step else None
            else:
                self.unsent, self.wanted = step
                self.write()

    def go_on(self):
        self.waits = None
        self.advance()

    def write(self):
        try:
            while self.unsent:
                self.unsent = self.unsent[self.sock.send(self.unsent):]
        except BlockingIOError:
            pass
        except OSError as error:
            return self.fail(f"sending {self.unsent[:40]!r}: {error}")
        self.load.poll.modify(self.sock, select.EPOLLIN |
                              (select.EPOLLOUT if self.unsent else 0))

    def read(self):
        try:
            octets = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError as error:
            return self.fail(f"waiting for {self.wanted[:60]!r}: {error}")
        if not octets and self.waits == "end":
            self.load.left += 1
            self.end()
        elif not octets or not self.wanted.startswith(octets):
            self.fail(f"got {octets[:200]!r} and not {self.wanted[:200]!r}")
        else:
            self.wanted = self.wanted[len(octets):]

    def ready(self, events):
        if events & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self.read()
        if not self.over and events & select.EPOLLOUT:
            self.write()
        self.advance()


class Load:
    def __init__(self, address):
        self.address = address
        self.poll = select.epoll()
        self.clients, self.wrong, self.pauses = {}, [], []
        self.left = 0  # connections that the server ended when it should
        self.end = time.monotonic() + SECONDS

    def later(self, seconds, client):
        heapq.heappush(self.pauses,
                       (time.monotonic() + seconds, id(client), client))

    def turn(self):
        """What there is to do, for a tenth of a second at most."""
        for descriptor, events in self.poll.poll(0.05):
            if descriptor in self.clients:
                self.clients[descriptor].ready(events)
        now = time.monotonic()
        while self.pauses and self.pauses[0][0] <= now:
            client = heapq.heappop(self.pauses)[2]
            if not client.over:
                client.go_on()

    def until(self, done, what):
        while not done():
            if self.wrong or time.monotonic() > self.end:
                waiting = collections.Counter(
                    (client.waits, client.wanted[:60])
                    for client in self.clients.values())
                self.wrong.append(f"{what}: never; clients wait for {waiting}")
                raise SystemExit("\n".join(self.wrong[:20]))
            self.turn()

    def enter(self, phase):
        Phase.now = phase
        for client in list(self.clients.values()):
            if isinstance(client.waits, int) and client.waits <= phase:
                client.go_on()

    def all_wait(self, clients, phase):
        return lambda: all(client.waits == phase or client.over
                           for client in clients)

    def open(self, count, works):
        """Connections at once, each with work of its own."""
        return [Client(self, script(n, works(n))) for n in range(count)]

    def beyond(self, count):
        """Clients that there is no room for."""
        before = self.left
        for _ in range(count):
            Client(self, turned_away())
        self.until(lambda: self.left == before + count, "421 beyond the limit")


def processes(listener, count):
    """True where smtpd has so many sessions: two processes each."""
    found = tree(listener)
    return [name for _, name, _ in found] == ["smtpd"] * 2 * count


def cramped(connections):
    """What this machine has too little of for so many connections, or None."""
    wanted = 3 * connections + 100
    for what, least in ((resource.RLIMIT_NOFILE, connections + 100),
                        (resource.RLIMIT_NPROC, wanted)):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY and hard < least:
            return f"needs {least} of limit {what} (of getrlimit), has {hard}"
    for path in ("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids/pids.max",
                 "/proc/sys/kernel/pid_max"):
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                most = file.read().strip()
            if most.isdigit() and int(most) < wanted:
                return f"needs {wanted} processes; {path} is {most}"
    return None


def run(load, listener, connections, messages):
    """The whole of it: what was seen of the memory, how many connections there
    were, and how many beyond the limit."""
    fifth, some = connections // 5, max(connections // 20, 1)

    def works(n):
        if n < fifth:
            return idle()
        if n < 2 * fifth:
            return (drip_data, drip_chunks, drip_commands)[n % 3]()
        return send(n, messages)

    clients = load.open(connections, works)
    load.until(load.all_wait(clients, Phase.working), "all are greeted")
    if not processes(listener.pid, connections):
        load.wrong.append(f"{len(tree(listener.pid))} processes")
    load.beyond(some)
    memory = subprocess.Popen(
        [sys.executable, __file__, "memory", str(listener.pid)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    first = memory.stdout.readline()
    load.enter(Phase.working)
    senders = clients[2 * fifth:]
    load.beyond(some)
    load.until(load.all_wait(senders, Phase.leaving), "all is sent")
    seen, _ = memory.communicate(b"")
    load.beyond(some)
    # Some go, others come.
    for client in senders[:some]:
        client.go_on()
    load.until(lambda: all(client.over for client in senders[:some]), "some leave")
    load.until(lambda: len(tree(listener.pid)) == 2 * (connections - some), "they are reaped")
    new = load.open(some, lambda n: send(n + connections, 1))
    load.until(load.all_wait(new, Phase.leaving), "new ones have sent")
    load.beyond(some)
    load.enter(Phase.finishing)
    load.until(load.all_wait(clients, Phase.leaving), "those that drip have sent")
    if not processes(listener.pid, connections):
        load.wrong.append(f"{len(tree(listener.pid))} processes at the end")
    load.enter(Phase.leaving)
    load.until(lambda: not load.clients, "all leave")
    load.until(lambda: not tree(listener.pid), "all processes end")
    return first + seen, connections + some, 4 * some


def check_ledger(path, wrong):
    """Every message once, as it was."""
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file]
    found = collections.Counter(line[0] for line in lines)
    for recipient, octets, crc, *_ in lines:
        if Message.sent.get(recipient) != f"{octets} {crc}":
            wrong.append(f"{recipient}: delivered {octets} {crc}, "
                         f"not {Message.sent.get(recipient)}")
    for recipient in Message.sent:
        if found[recipient] != 1:
            wrong.append(f"{recipient}: delivered {found[recipient]} times")


def check_memory(seen, connections, kib, wrong):
    """The most that was seen while all were there, for each; KiB."""
    looks = [tuple(map(int, line.split())) for line in seen.splitlines()]
    full = [total for count, total in looks if count >= 2 * connections]
    each = max(full, default=0) / connections
    if kib and not 0 < each < kib:
        wrong.append(f"{each:.0f} KiB a connection: {looks}")
    return each, len(full)


def port(log):
    """The one that the listener chose."""
    with open(log, "rb") as file:
        found = re.search(rb"listening on .*:(\d+)\n", file.read())
    return found and int(found[1])


def main():
    if sys.argv[1] == "memory":
        return watch_memory(int(sys.argv[2]))
    connections = int(sys.argv[1])
    messages = int(sys.argv[2]) if sys.argv[2:] else 5
    kib = int(sys.argv[3]) if sys.argv[3:] else 0
    if cramped(connections):
        sys.exit("load.py: " + cramped(connections))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ledger = os.path.join(os.environ["MAIL"], "ledger")
    begun = time.monotonic()
    log = os.path.join(os.environ["MAIL"], "log")
    with open(log, "wb") as file:
        listener = subprocess.Popen(
            [os.environ["SMTPD"], "-l", "127.0.0.1:0", "-c", str(connections), "-A",
             "--hostname", HOST, "--no-received",
             os.path.join(os.environ["STAGE"], "ledger"), ledger], stderr=file)
    try:
        load = Load(("127.0.0.1", session.until(port, log)))
        seen, opened, refused = run(load, listener, connections, messages)
        listener.terminate()
        if listener.wait(10) != 0:
            load.wrong.append(f"the listener exits {listener.returncode}")
    finally:
        listener.kill()
        listener.wait()
    check_ledger(ledger, load.wrong)
    each, looks = check_memory(seen, connections, kib, load.wrong)
    for line in load.wrong[:20]:
        print(line)
    print(f"{connections} connections at once, {opened} in all, {refused} turned away; "
          f"{len(Message.sent)} messages; {each:.0f} KiB a connection ({looks} looks); "
          f"{time.monotonic() - begun:.1f} s")
    sys.exit(1 if load.wrong else 0)


if __name__ == "__main__":
    main()
