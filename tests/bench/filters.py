"""Goal 8 of bench.py: smtpd-maildir and smtpd-relay, each beside the least that
makes the same promises (maildir.c, relay.c), in turns, on a message of smtpd's.
"""

import os
import shutil
import subprocess
import tempfile

from servers import Failed, held, smtp_sink

BOUND = 1.3
SIZES = {"4 KiB": (4096, 50), "1 MiB": (1 << 20, 16)}
# A Maildir where writing to the disk takes its time, and where it takes none.
PLACES = {"disk": "/var/tmp", "memory": "/dev/shm"}
FIGURES = ("time", "processor", "faults")
LEGEND = """\
A delivery to one recipient, the start of the program included: microseconds from
its start to its end, those of the processor, page faults; behind them the ratio to
the least program with the same promises. Upstream is Postfix's smtp-sink.
"""


LEFT = []  # Maildirs that are still there


def sweep():
    """Removes them. Where something was cut short: when no process is left."""
    while LEFT:
        shutil.rmtree(LEFT[-1])
        LEFT.pop()


def take(figures, name, column, build, program, octets, count, argument):
    """One round of it: both in turn, a delivery each, count times."""
    command = [f"{build}/bench/runs", str(count), str(octets), program,
               f"{build}/bench/{name}", argument]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if found.returncode:
        raise Failed(f"smtpd-{name}: {found.stderr[-200:].strip()}")
    for which, line in zip((f"smtpd-{name}", name), found.stdout.splitlines()):
        for figure, value in zip(FIGURES, line.split()):
            figures.note(which, f"{column}: {figure}", float(value))


def maildirs(figures, build, program, scaled):
    for where, directory in PLACES.items():
        if not os.access(directory, os.W_OK):
            continue
        for size, (octets, count) in SIZES.items():
            place = tempfile.mkdtemp(prefix="smtpd-bench.", dir=directory)
            LEFT.append(place)
            for sub in ("tmp", "cur", "new"):
                os.mkdir(f"{place}/{sub}")
            take(figures, "maildir", f"{size}, {where}", build, program, octets,
                 scaled(count, 3), place)
            sweep()


def measure(figures, place, smtpd, build, rounds, scaled):
    sink = smtp_sink(place, f"{build}/peers")
    sink.name = "smtp-sink of filters"
    try:
        sink.start(place)
        for _ in range(rounds):
            maildirs(figures, build, f"{smtpd}-maildir", scaled)
            for size, (octets, count) in SIZES.items():
                take(figures, "relay", size, build, f"{smtpd}-relay", octets,
                     scaled(count, 3), f"127.0.0.1:{sink.port}")
    finally:
        with held():
            sink.stop()


def columns(figures, name):
    return [column for least, column in figures.found if least == name]


def rows(figures, number):
    yield ["", *FIGURES]
    for name in ("maildir", "relay"):
        for column in dict.fromkeys(c.rpartition(":")[0] for c in columns(figures, name)):
            cells = []
            for figure in FIGURES:
                key = f"{column}: {figure}"
                ratio = figures.ratio(f"smtpd-{name}", key, name)
                cells.append(f"{number(figures.median(f'smtpd-{name}', key))} ({ratio:.2f})")
            yield [f"smtpd-{name}, {column}", *cells]


def worst(figures):
    """What the goal is about: the largest ratio of each program."""
    for name in ("maildir", "relay"):
        for figure in FIGURES[:2]:
            ratios = [figures.ratio(f"smtpd-{name}", column, name)
                      for column in columns(figures, name) if column.endswith(figure)]
            yield f"a delivery, {figure}: smtpd-{name} / the least", max(ratios, default=None)
