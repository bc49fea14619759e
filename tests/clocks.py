#!/usr/bin/env python3
"""Clients that the clocks are for: clocks.py silent|chatty|flood|deaf|drip

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
    "chunk": (b"EHLO me\r\n" + MAIL + RCPT + b"BDAT 99999 LAST\r\nSubject: x\r\n", 3),
    "chunks": (b"EHLO me\r\n" + MAIL + RCPT + b"BDAT 3\r\nx\r\n", 4),
    "refused chunk": (b"EHLO me\r\nBDAT 99999\r\nSubject: x\r\n", 1),
    "long line": (b"EHLO " + b"x" * 600 + b"\r\n" + b"NOOP x", 1),
    "login": (b"EHLO me\r\nAUTH LOGIN\r\n", 2),
    "half a login": (b"EHLO me\r\nAUTH LOGIN\r\nYW5u\r\nc2Vj", 3),
}
KINDS = ("tcp", "pair", "unix", "pipe", "tty")
RECORD = (f"{STAGE}/record", f"{STAGE}/mail")
LOGINS = ("-a", "true", "--auth-plaintext")
wrong = []


def begin(kind, state, *options):
    smtp = Session("-A", *LOGINS, *options, *RECORD, kind=kind, hello=None, timeout=10)
    smtp.talk.expect("220")
    octets, replies = STATES[state]
    smtp.talk.send(octets)
    for _ in range(replies):
        smtp.talk.expect("250", "354", "334", "500 5.5.6")
    return smtp


def silent(kind, state):
    begun = time.monotonic()
    smtp = begin(kind, state, "-t", "1")
    if state == "refused chunk":
        smtp.talk.expect("503 5.5.1")  # which it is due
    smtp.talk.expect("421 4.4.2 Timed out, closing connection\r\n")
    took = time.monotonic() - begun
    if smtp.talk.eof():
        raise Unexpected("more behind 421")
    log = smtp.ended()
    if not 0.9 < took < 4 or "reason=timeout" not in log:
        raise Unexpected(f"421 after {took:.1f} seconds; {log}")


def chatty(kind, state):
    smtp = begin(kind, state, "-t", "9", "--session-timeout", "2")
    begun = time.monotonic()
    words = {"half a line": b"x", "data": b"more\r\n", "nearly": b"more\r\n",
             "chunk": b"x", "refused chunk": b"\r\n", "long line": b"x",
             "login": b"x", "half a login": b"x"}
    while time.monotonic() < begun + 8:
        if select.select([smtp.talk.source], [], [], 0.1)[0]:
            reply = smtp.talk.reply()
            if reply.startswith(b"421"):
                break
            continue
        smtp.talk.send(words.get(state, b"NOOP\r\n"))
    took = time.monotonic() - begun
    if reply != b"421 4.4.2 Session took too long\r\n" or not 1 < took < 5:
        raise Unexpected(f"{reply} after {took:.1f} seconds")
    log = smtp.ended()
    if "reason=session-timeout" not in log:
        raise Unexpected(log)


def flood(kind, state):
    """Sends valid commands, or data, as fast as they are taken. Where replies
    are in the way of the last one, it is not said."""
    smtp = begin(kind, state, "-s", "0", "--session-timeout", "1")
    words = (b"x" * 62 + b"\r\n" if state == "data" else
             {"hello": b"NOOP\r\nRSET\r\nVRFY x\r\n", "recipient": RCPT}[state]) * 300
    left, last, end = b"", b"", time.monotonic() + 5
    while time.monotonic() < end:
        readable, writable, _ = select.select([smtp.talk.source], [smtp.talk.sink], [], 5)
        try:
            if readable:
                octets = os.read(smtp.talk.source, 1 << 20)
                if not octets:
                    break
                last = (last + octets)[-100:]
            elif writable:
                left = left or words
                left = left[os.write(smtp.talk.sink, left):]
        except OSError:
            if not readable:
                continue  # it takes no more; what has it said?
            break
    took = time.monotonic() - end + 5
    told = last.endswith(b"421 4.4.2 Session took too long\r\n")
    log = smtp.ended()
    good = (told and "reason=session-timeout" in log if state == "data" else
            "timeout messages=0" in log)
    if took > 4 or not good:
        raise Unexpected(f"{last} after {took:.1f} seconds; {log}")


def deaf(kind, state):
    """Sends as much as there is room for and reads nothing. state says what
    time is left: that of the wait, or of the session, too."""
    times = {"wait": ("-t", "1"),
             "both": ("-t", "2", "--session-timeout", "1"),
             "session": ("-t", "60", "--session-timeout", "1")}[state]
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
    reason = "timeout" if state == "wait" else "session-timeout"
    log = smtp.ended()
    if f"reason={reason}" not in log:
        raise Unexpected(log)


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
    states = {"deaf": ("wait", "both", "session"), "drip": ("command", "data"),
              "flood": ("hello", "recipient", "data")}
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
