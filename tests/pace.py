#!/usr/bin/env python3
"""Clients that send message data at all speeds, at once: takes 75 seconds.

A minute is a minute, and no clock can be hurried: the dialogue has its own.
"""

import select
import threading
import time

from session import Session, show
from talk import Unexpected

LONG = 72
MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"
wrong = []


def begin(kind, *options):
    smtp = Session("-A", *options, "true", kind=kind, timeout=20)
    smtp.talk.send(MAIL)
    for _ in range(2):
        smtp.talk.expect("250")
    return smtp


def spoken(smtp):
    return select.select([smtp.talk.source], [], [], 0)[0]


def send(smtp, octets, every):
    """Sends the octets, so often, for so long, or until there is a reply."""
    begun = time.monotonic()
    while time.monotonic() < begun + LONG and not spoken(smtp):
        if octets:
            smtp.talk.send(octets)
        if octets.startswith(b"BDAT"):
            smtp.talk.expect("250")
        time.sleep(every)
    return time.monotonic() - begun


def refused(smtp, took):
    smtp.talk.expect("421 4.4.2 Message data")
    if smtp.talk.eof():
        raise Unexpected("more behind 421")
    log = smtp.ended()
    if not 59 < took < 68 or "reason=min-rate" not in log:
        raise Unexpected(f"421 after {took:.1f} seconds; {log}")


def too_slow(kind, octets, every, *options):
    smtp = begin(kind, *options)
    if not octets.startswith(b"BDAT"):
        smtp.talk.ask("DATA", "354")
    refused(smtp, send(smtp, octets, every))


def fast_enough(kind, octets, every, *options):
    smtp = begin(kind, *options)
    if octets:
        smtp.talk.ask("DATA", "354")
    send(smtp, octets, every)
    smtp.talk.ask("\r\n." if octets else "NOOP", "250")
    smtp.quit()


CASES = {
    "a drip": (too_slow, "tcp", b"x", 0.5),
    "a drip into a pipe": (too_slow, "pipe", b"x", 0.5),
    "nothing": (too_slow, "tcp", b"", 0.5),
    "nothing into a pipe, -t 70": (too_slow, "pipe", b"", 0.5, "-t", "70"),
    "chunks of one octet": (too_slow, "tcp", b"BDAT 1\r\nx", 1),
    "45 octets every half second": (too_slow, "tcp", b"x" * 43 + b"\r\n", 0.5),
    "--min-rate 2000": (too_slow, "tcp", b"x" * 900, 0.5,
                        "--min-rate", "2000"),
    "60 octets every half second": (fast_enough, "tcp", b"x" * 58 + b"\r\n", 0.5),
    "--min-rate 0": (fast_enough, "tcp", b"x", 0.5, "--min-rate", "0"),
    "--min-rate 1": (fast_enough, "pipe", b"x", 0.5, "--min-rate", "1"),
    "no data, but RCPT": (fast_enough, "tcp", b"", 0.5),
}


def guarded(name):
    function, *arguments = CASES[name]
    try:
        function(*arguments)
    except (Unexpected, OSError) as error:
        wrong.append(f"{name}: {error}")
    except BaseException as error:  # of a thread nobody else hears
        wrong.append(f"{name}: {error!r}")
        raise


def main():
    threads = [threading.Thread(target=guarded, args=(n,)) for n in CASES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    show(wrong)


if __name__ == "__main__":
    main()
