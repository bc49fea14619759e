#!/usr/bin/env python3
"""Clients that the clocks are for: clocks.py silent|chatty|deaf|drip

All cases run at once, on every kind of connection and in every state of the
dialogue; what is waited for is the slowest of them.
"""

import os
import select
import sys
import threading
import time

from session import STAGE, Session, show
from talk import Unexpected

MAIL = b"MAIL FROM:<a@example.org>\r\n"
RCPT = b"RCPT TO:<b@example.net>\r\n"
# What has been said, and how many replies there are to it.
STATES = {
    "nothing": (b"", 0),
    "half a line": (b"EHL", 0),
    "hello": (b"EHLO me\r\n", 1),
    "recipient": (b"EHLO me\r\n" + MAIL + RCPT, 3),
    "data": (b"EHLO me\r\n" + MAIL + RCPT + b"DATA\r\nSubject: x\r\n", 4),
    "nearly": (b"EHLO me\r\n" + MAIL + RCPT + b"DATA\r\nSubject: x\r\n.\r", 4),
}
KINDS = ("tcp", "pair", "unix", "pipe", "tty")
RECORD = (f"{STAGE}/record", f"{STAGE}/mail")
wrong = []


def begin(kind, state, *options):
    smtp = Session("-A", *options, *RECORD, kind=kind, hello=None, timeout=10)
    smtp.talk.expect("220")
    octets, replies = STATES[state]
    smtp.talk.send(octets)
    for _ in range(replies):
        smtp.talk.expect("250", "354")
    return smtp


def silent(kind, state):
    begun = time.monotonic()
    smtp = begin(kind, state, "-t", "1")
    smtp.talk.expect("421 4.4.2")
    took = time.monotonic() - begun
    if smtp.talk.eof():
        raise Unexpected("more behind 421")
    log = smtp.ended()
    if not 0.9 < took < 4 or "reason=timeout" not in log:
        raise Unexpected(f"421 after {took:.1f} seconds; {log}")


def chatty(kind, state):
    smtp = begin(kind, state, "-t", "9", "--session-timeout", "2")
    begun = time.monotonic()
    words = {"half a line": b"x", "data": b"more\r\n", "nearly": b"more\r\n"}
    while time.monotonic() < begun + 8:
        if select.select([smtp.talk.source], [], [], 0.1)[0]:
            reply = smtp.talk.reply()
            if reply.startswith(b"421"):
                break
            continue
        smtp.talk.send(words.get(state, b"NOOP\r\n"))
    took = time.monotonic() - begun
    if not reply.startswith(b"421 4.4.2") or not 1 < took < 5:
        raise Unexpected(f"{reply} after {took:.1f} seconds")
    log = smtp.ended()
    if "reason=session-timeout" not in log:
        raise Unexpected(log)


def deaf(kind, state):
    """Sends as much as there is room for and reads nothing. state says what
    time is left: that of the wait, or of the session, too."""
    times = {"wait": ("-t", "1"),
             "both": ("-t", "2", "--session-timeout", "1")}[state]
    smtp = Session("-A", *times, "true", kind=kind, hello=None)
    end = time.monotonic() + 12
    while smtp.process.poll() is None:
        try:
            os.write(smtp.talk.sink, b"HELP\r\n" * 100)
        except BlockingIOError:
            time.sleep(0.05)
        except OSError:
            time.sleep(0.05)  # it has closed
        if time.monotonic() > end:
            raise Unexpected("still there after 12 seconds")
    smtp.ended()


def drip(kind, state):
    """An octet every 0.4 seconds, for longer than -t. A terminal has lines."""
    if kind == "tty":
        return
    smtp = begin(kind, "hello", "-t", "1", "-q")
    octets = {"command": b"NOOP x\r\n", "data": MAIL + RCPT + b"DATA\r\n"}[state]
    if state == "data":
        smtp.talk.send(octets)
        for code in ("250", "250", "354"):
            smtp.talk.expect(code)
        octets = b"x: y\r\n.\r\n"
    for n in range(len(octets)):
        smtp.talk.send(octets[n:n + 1])
        time.sleep(0.4)
    smtp.talk.expect("250")
    smtp.quit()


def guarded(function, kind, state):
    try:
        function(kind, state)
    except (Unexpected, OSError) as error:
        wrong.append(f"{function.__name__}, {kind}, {state}: {error}")
    except BaseException as error:  # of a thread nobody else hears
        wrong.append(f"{function.__name__}, {kind}, {state}: {error!r}")
        raise


def main():
    what = sys.argv[1]
    states = {"deaf": ("wait", "both"), "drip": ("command", "data")}
    threads = [threading.Thread(target=guarded,
                                args=(globals()[what], kind, state))
               for kind in KINDS for state in states.get(what, STATES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show(wrong)


if __name__ == "__main__":
    main()
