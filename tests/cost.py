#!/usr/bin/env python3
"""What sessions of smtpd cost that is not time, for tests/cost.bats.

    cost.py calls SMTPD COMMAND PLACE    system calls: of a session of one message,
                                         and of ten more of its messages
    cost.py faults SMTPD COMMAND         minor page faults of 20 such sessions
    cost.py memory SMTPD                 KiB of 100 idle connections, as greeted and
                                         behind EHLO, but for files

All processes count: agent, dialogue, COMMAND. smtpd is started as tcpserver does
it, in an environment that is always the same. PLACE gets strace's tables.
"""

import os
import resource
import sys

from load import tree
from session import until
from talk import spawn

ENVIRONMENT = {
    "PATH": "/usr/bin:/bin", "PROTO": "TCP", "TCPLOCALIP": "127.0.0.1", "TCPLOCALPORT": "25",
    "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "50000"}
MESSAGE = b"Subject: cost\n\n" + (b"x" * 75 + b"\n") * 54


def begin(smtpd, command, *tracer):
    """A session that has been greeted."""
    talk, process = spawn("tcp", [*tracer, smtpd, "-q", "-A", "-n", "--hostname",
                                  "mx.example.org", command], env=ENVIRONMENT)
    talk.forget()
    talk.expect("220 ")
    return talk, process


def end(talk, process):
    talk.ask("QUIT", "221 ")
    talk.eof()
    talk.close()
    if process.wait(talk.timeout) != 0:
        raise SystemExit(f"cost.py: exit status {process.returncode}")


def session(smtpd, command, count, *tracer):
    talk, process = begin(smtpd, command, *tracer)
    talk.ask("HELO client.example.org", "250 ")
    for _ in range(count):
        talk.ask("MAIL FROM:<ann@example.com>", "250 ")
        talk.ask("RCPT TO:<bob@example.org>", "250 ")
        talk.ask("DATA", "354 ")
        talk.data(MESSAGE)
        talk.expect("250 2.0.0 ")
    end(talk, process)


def total(table):
    """Of strace's table; the last line ends in calls, errors, "total"."""
    with open(table, encoding="ascii") as file:
        return int(file.read().splitlines()[-1].split()[3])


def calls(smtpd, command, place):
    """The least of five: on a busy machine some are interrupted, and made again."""
    least = {}
    for count in (1, 11) * 5:
        table = f"{place}/{count}-messages"
        session(smtpd, command, count,
                "strace", "-f", "-qq", "-c", "-S", "calls", "-o", f"{table}.new")
        if count not in least or total(f"{table}.new") < least[count]:
            os.rename(f"{table}.new", table)
            least[count] = total(table)
    print(least[1], least[11] - least[1])


def faults(smtpd, command):
    """Of many: where the kernel puts the stack, one has a page more or less."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    for _ in range(20):
        session(smtpd, command, 1)
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt - before)


def own(pid):
    """KiB of a process, but for files: what these cost depends on who else has them."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        fields = dict(line.split(":") for line in file.read().splitlines()[1:])
    return sum(int(fields[name].split()[0]) for name in ("Pss_Anon", "Pss_Shmem"))


def idle(processes):
    """Those below us, when each of them sleeps."""
    found = tree(os.getpid())
    if len(found) == processes and all(state == "S" for _, _, state in found):
        return [pid for pid, _, _ in found]
    return None


def memory(smtpd):
    sessions = [begin(smtpd, "true") for _ in range(100)]
    greeted = sum(map(own, until(idle, 200)))
    for talk, _ in sessions:
        talk.ask("EHLO client.example.org", "250")
    print(greeted, sum(map(own, until(idle, 200))))
    for each in sessions:
        end(*each)


if __name__ == "__main__":
    {"calls": calls, "faults": faults, "memory": memory}[sys.argv[1]](*sys.argv[2:])
