#!/usr/bin/env python3
"""Measures smtpd beside the least that an SMTP server can do, and beside others.

    bench.py MUSL-SMTPD GLIBC-SMTPD

make bench builds what it needs and runs it. All servers are there from the first
round to the last and take turns in each, so the ratios of a round compare like
with like; what is printed is the median of ROUNDS (5) rounds. PEERS names the
other servers to compare with (all that there are). SCALE (1) makes all numbers
smaller, for tests. $BUILD/bench has the limit programs and the load generator,
$BUILD/peers the others. With 2 cores it takes about six minutes. Only
127.0.0.1 is talked to; what it has started it ends. smtpd-maildir and smtpd-relay
are taken from beside MUSL-SMTPD.
"""

import math
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import filters
from servers import (ENDINGS, HERE, LAUNCHED, LISTENING, PEERS, SPOOLING, WALLED, Failed, held,
                     own)

from talk import adopt_orphans, children

ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
SOURCE = f"{BUILD}/peers/postfix/usr/sbin/smtp-source"


def setting(name, usual):
    """A number above 0 of the environment."""
    text = os.environ.get(name) or str(usual)
    try:
        number_of = type(usual)(text)
    except ValueError:
        number_of = 0
    if not 0 < number_of < math.inf:
        sys.exit(f"bench.py: {name}: {text} is no number above 0")
    return number_of


ROUNDS, SCALE = setting("ROUNDS", 5), setting("SCALE", 1.0)
MEBI = 1 << 20
# What smtpd is measured by where others are not.
VARIANTS = {"smtpd -C": {"large"}, "smtpd glibc": {"idle"}, "smtpd -l glibc": {"idle"},
            SPOOLING: {"32 MiB", "1 GiB"},
            **{name: {"once", "many", "greeting", "idle"} for name in WALLED}}
GROWING = (LAUNCHED, LISTENING, "smtpd", "smtpd -l")
AT_ONCE = (1, 20, 100, 400)
# Octets of a message, and how many are sent behind one another.
SIZES = {"4 KiB": (4096, 50), "64 KiB": (65536, 20), "1 MiB": (MEBI, 10),
         "32 MiB": (32 * MEBI, 1), "1 GiB": (1024 * MEBI, 1)}


def scaled(number, least=1):
    return max(least, round(number * SCALE))


def load(kind, server, *numbers):
    """Seconds, and the peak of the connection's processes, KiB, before it ends."""
    with subprocess.Popen(
            [f"{BUILD}/bench/load", kind, str(server.port), *map(str, numbers)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        line = client.stdout.readline()
        peak = sum(kib(pid, "status", "VmHWM") for pid in server.below())
        client.stdin.close()
        if client.wait(60) != 0:
            raise Failed(f"{server.name}: load {kind}")
    server.rest()
    return float(line), peak


def kib(pid, file, name):
    """A field of a file of /proc; 0 where the process has ended."""
    try:
        with open(f"/proc/{pid}/{file}", encoding="ascii") as text:
            return int(re.search(rf"^{name}:\s+(\d+)", text.read(), re.M)[1])
    except (OSError, TypeError):
        return 0


def rate(server, kind, most, *options):
    """Messages of 4 KiB a second, by smtp-source; about a second's worth."""
    known = server.rates.get(kind) or server.rates.get("once")
    count = min(most, max(20, int(known))) if known else 60
    begun = time.monotonic()
    client = subprocess.run(
        [SOURCE, *options, "-m", str(scaled(count, 20)),
         "-l", "4096", "-f", "a@example.org", "-t", "b@example.org",
         f"inet:127.0.0.1:{server.port}"], capture_output=True, timeout=60, check=False,
        env=dict(os.environ, LD_LIBRARY_PATH=f"{BUILD}/peers/postfix/usr/lib/postfix"))
    found = scaled(count, 20) / (time.monotonic() - begun)
    if client.returncode or client.stderr:
        raise Failed(f"{server.name}: smtp-source: {client.stderr.decode()[-200:].strip()}")
    server.rest()
    server.rates[kind] = found
    return found


def once(server):
    return rate(server, "once", 3000, "-s", "20")


def many(server):
    return rate(server, "many", 6000, "-d", "-s", "20")


def large(server):
    """MB a second of one message of 32 MiB."""
    octets = scaled(32 * MEBI)
    return octets / 1e6 / load("message", server, octets, 1, 1)[0]


def greeting(server):
    """Microseconds from connect(2) to the greeting."""
    known = server.rates.get("greeting", 100000)
    count = scaled(max(5, min(200, 1000000 / known)), 5)
    server.rates["greeting"] = 1e6 * load("greeting", server, count)[0]
    return server.rates["greeting"]


def idle(server):
    """KiB (Pss) of each of 200 connections that have said EHLO, all processes."""
    count, before = scaled(200, 5), pss(server)
    clients = [socket.create_connection(("127.0.0.1", server.port), 10) for _ in range(count)]
    try:
        for client in clients:
            client.recv(512)
            client.sendall(b"EHLO client.example.org\r\n")
        for client in clients:
            if not client.recv(2048).startswith(b"250"):
                raise Failed(f"{server.name}: no reply to EHLO")
        return (pss(server) - before) / count
    finally:
        for client in clients:
            client.close()
        server.rest()


def pss(server):
    return sum(kib(pid, "smaps_rollup", "Pss") for pid in (server.process.pid, *server.below()))


def at_once(count):
    return lambda server: rate(server, f"at {count}", 3000, "-s", str(scaled(count)))


def recipients(count):
    """Milliseconds of a message to so many, all in one write."""
    return lambda server: 1e3 * load("message", server, 100, count, 20)[0]


def seconds(octets, count):
    return lambda server: load("message", server, scaled(octets, 100), 1, count)


COLUMNS = {"idle": idle, "once": once, "many": many, "large": large, "greeting": greeting}
GROWTH = {**{f"{n} at once": at_once(n) for n in AT_ONCE},
          "one recipient": recipients(1), "1,000 recipients": recipients(1000),
          **{size: seconds(*numbers) for size, numbers in SIZES.items()}}


class Figures:
    """What the rounds have found: a value of each, medians, median ratios. A
    server that fails once is left alone."""

    def __init__(self):
        self.found, self.trouble = {}, {}

    def note(self, name, column, value):
        self.found.setdefault((name, column), []).append(value)

    def take(self, server, column, measure):
        value = None
        try:
            if server.name not in self.trouble:
                value = measure(server)
        except (Failed, OSError, ValueError, subprocess.TimeoutExpired) as error:
            self.trouble[server.name] = f"{column}: {error}"
        values = value if isinstance(value, tuple) else (value,)
        for name, one in zip((column, f"peak {column}"), values):
            self.note(server.name, name, one)

    def combined(self, function, *keys):
        """The median of the function of these figures, round by round."""
        rounds = zip(*(self.found.get(key, ()) for key in keys))
        values = [function(*values) for values in rounds if None not in values]
        return statistics.median(values) if values else None

    def median(self, name, column):
        return self.combined(lambda value: value, (name, column))

    def ratio(self, name, column, other):
        return self.combined(lambda a, b: a / b, (name, column), (other, column))

    def more(self, name, column, base):
        return self.combined(lambda a, b: a - b, (name, column), (name, base))

    def behind(self, name, limit):
        """By how many per cent a server falls behind the limit program's curve:
        the most over AT_ONCE, where both are alike at 20."""
        def fall(mine, its, mine_at_20, its_at_20):
            return 100 * (1 - mine / its / (mine_at_20 / its_at_20))
        columns = [f"{n} at once" for n in AT_ONCE]
        falls = [self.combined(fall, (name, c), (limit, c), (name, "20 at once"),
                               (limit, "20 at once")) for c in columns]
        return None if None in falls else max(falls)

    def pace(self, name):
        """The time of an octet of 1 GiB, of that of 32 MiB."""
        return self.combined(lambda a, b: a / b / 32, (name, "1 GiB"), (name, "32 MiB"))


def goals(figures):
    """Each of the goals: its number, what, the figure, the bound, its kind."""
    def ratios(number, what, column, kind, *rows):
        for name, other, bound in rows:
            yield (number, f"{what}: {name} / {other}",
                   figures.ratio(name, column, other), bound, kind)
    yield from ratios(1, "one a connection", "once", "least",
                      ("smtpd", LAUNCHED, 0.72), ("smtpd", "mailfront", 2))
    yield from ratios(2, "one a connection", "once", "least", ("smtpd -l", LISTENING, 0.78),
                      ("smtpd -l", "aiosmtpd", 1.8), ("smtpd -l", "python-smtpd", 0.95))
    yield from ratios(3, "many a connection", "many", "least",
                      ("smtpd", LAUNCHED, 0.92), ("smtpd", "smtp-server", 1))
    yield from ratios(4, "32 MiB", "large", "least", ("smtpd", LAUNCHED, 1.4),
                      ("smtpd -C", LAUNCHED, 1.4), ("smtpd", "mailfront", 4))
    yield from ratios(5, "greeting", "greeting", "most",
                      ("smtpd", LAUNCHED, 1.1), ("smtpd -l", LISTENING, 1.2))
    for name, bound in (("smtpd", 48), ("smtpd -l", 48), ("smtpd glibc", 160),
                        ("smtpd -l glibc", 160)):
        yield 6, f"idle: {name}, KiB", figures.median(name, "idle"), bound, "most"
    for name, limit in (("smtpd", LAUNCHED), ("smtpd -l", LISTENING)):
        yield (6, f"peak of 32 MiB over 64 KiB: {name}, KiB",
               figures.more(name, "peak 32 MiB", "peak 64 KiB"), 1024, "most")
        yield (7, f"1 to 400 at once: {name} behind {limit}, %",
               figures.behind(name, limit), 15, "most")
        yield (7, f"1,000 recipients over one: {name}, ms",
               figures.more(name, "1,000 recipients", "one recipient"), 5, "most")
        yield 7, f"an octet of 1 GiB / of 32 MiB: {name}", figures.pace(name), 1.15, "most"
        yield (7, f"peak of 1 GiB over 64 KiB: {name}, KiB",
               figures.more(name, "peak 1 GiB", "peak 64 KiB"), 1024, "most")
    yield (7, f"an octet of 1 GiB / of 32 MiB: {SPOOLING}", figures.pace(SPOOLING), 1.15,
           "most")
    for what, value in filters.worst(figures):
        yield 8, what, value, filters.BOUND, "most"


def number(value):
    """Three digits at least, and no more than are worth it."""
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def show(rows):
    """A table; its columns as wide as they have to be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for at, row in enumerate(rows):
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("| " + " | ".join(cells) + " |")
        if at == 0:
            rule = ["-" * widths[0]] + ["-" * (w - 1) + ":" for w in widths[1:]]
            print("| " + " | ".join(rule) + " |")
    print()


def main_table(figures, servers):
    def cell(server, column):
        value = number(figures.median(server.name, column))
        ratio = figures.ratio(server.name, column, server.limit)
        return value if ratio is None else f"{value} ({ratio:.{0 if ratio >= 100 else 2}f})"
    columns = ("once", "many", "large", "greeting", "idle")
    rows = [["", "one, msg/s", "many, msg/s", "32 MiB, MB/s", "greeting, µs", "idle, KiB"]]
    for server in servers:
        if VARIANTS.get(server.name, COLUMNS.keys()).isdisjoint(COLUMNS):
            continue
        launch = ", tcpserver" if server.limit == LAUNCHED else ""
        rows.append([server.name + launch, *(cell(server, column) for column in columns)])
    print(f"Rounds: {ROUNDS}; {os.cpu_count()} cores. Medians, and behind them the ratio to "
          f"{LAUNCHED}\n(under tcpserver) or {LISTENING}: messages of 4 KiB, one or many a "
          "connection, 20\nconnections at once; one message of 32 MiB; from connect to the "
          "greeting; Pss of an\nidle connection. With -w the limit is two processes, of which "
          "one is confined: the\nwall that smtpd has, and no more.\n")
    show(rows)


def growth_table(figures):
    def cell(name, column):
        value = figures.median(name, column)
        if column in SIZES and value is not None:
            value *= 1000
        return number(value)
    def unit(column):
        return ("msg/s" if column.endswith("at once") else
                "KiB" if column.startswith("peak") else "ms")
    columns = [*GROWTH, *(f"peak {size}" for size in ("64 KiB", "32 MiB", "1 GiB"))]
    rows = [["", *GROWING]]
    for column in columns:
        rows.append([f"{column}, {unit(column)}", *(cell(name, column) for name in GROWING)])
    print("Connections at once; recipients of a message, in one write; octets of one, and\n"
          "what the processes of its connection have had in memory (VmHWM), all together.\n")
    show(rows)


def goals_table(figures):
    rows = [["goal", "figure", "bound", ""]]
    for which, what, value, bound, kind in sorted(goals(figures), key=lambda goal: goal[0]):
        met = value is not None and (value >= bound if kind == "least" else value <= bound)
        rows.append([f"{which} {what}", number(value), f"at {kind} {bound}",
                     "met" if met else "–" if value is None else "missed"])
    show(rows)


def choose(place):
    """The servers that are to be compared, and that are there."""
    wanted = os.environ.get("PEERS")
    servers = own(place, *sys.argv[1:], BUILD)
    for name in PEERS if wanted is None else wanted.split():
        if name not in PEERS:
            sys.exit(f"bench.py: PEERS: {name} is none of {' '.join(PEERS)}")
        peer = PEERS[name](place, f"{BUILD}/peers")
        if isinstance(peer, str):
            print(f"{name} is left out. It needs {peer}.", flush=True)
        else:
            servers.append(peer)
    return servers


def start(servers, place):
    """All of them; those that did."""
    started = []
    for server in servers:
        try:
            server.start(place)
            started.append(server)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            if server.name not in PEERS:
                raise Failed(f"{server.name}: {error}") from error
            server.stop()
            print(f"{server.name} is left out: {error}", flush=True)
    return started


def measure(servers, figures):
    for server in servers:
        if server.keeps:  # whatever it has got, so once, and before all else
            figures.take(server, "idle", idle)
        for function in (once, many, greeting):  # how fast it is, about
            figures.take(server, "at first", function)
    begun = time.monotonic()
    for done in range(1, ROUNDS + 1):
        for column, function in COLUMNS.items():
            for server in servers:
                if column in VARIANTS.get(server.name, COLUMNS) and not (
                        column == "idle" and server.keeps):
                    figures.take(server, column, function)
        for column, function in GROWTH.items():
            for server in servers:
                if server.name in GROWING or column in VARIANTS.get(server.name, ()):
                    figures.take(server, column, function)
        print(f"bench.py: round {done} of {ROUNDS}, {time.monotonic() - begun:.0f} s",
              file=sys.stderr, flush=True)


def told_to_end(number, _):
    """Once: make hands a signal on that the terminal has sent to all already."""
    for ending in ENDINGS:
        signal.signal(ending, signal.SIG_IGN)
    sys.exit(128 + number)


def end(servers):
    """Ends all of them, and what they leave behind."""
    for server in servers:
        server.stop()
    while left := children():
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def main():
    for program, package in (("tcpserver", "ucspi-tcp"), ("setpriv", "util-linux")):
        if not shutil.which(program):
            sys.exit(f"bench.py: needs {package} of Debian")
    for ending in ENDINGS:
        signal.signal(ending, told_to_end)
    adopt_orphans()
    if not os.access(SOURCE, os.X_OK):
        sys.exit(f"bench.py: needs {SOURCE}, which tests/bench/peers unpacks")
    place = tempfile.mkdtemp(prefix="smtpd-bench.")
    os.chmod(place, 0o755)
    servers, figures = [], Figures()
    try:
        servers = choose(place)
        started = start(servers, place)
        measure(started, figures)
        filters.measure(figures, place, sys.argv[1], BUILD, ROUNDS, scaled)
    except Failed as error:
        sys.exit(f"bench.py: {error}")
    finally:
        with held():
            end(servers)
            filters.sweep()
            shutil.rmtree(place)
    main_table(figures, started)
    growth_table(figures)
    print(filters.LEGEND)
    show(list(filters.rows(figures, number)))
    goals_table(figures)
    for name, why in figures.trouble.items():
        print(f"{name} was not measured any more: {why}")
    sys.exit(1 if figures.trouble else 0)


if __name__ == "__main__":
    main()
