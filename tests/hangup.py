#!/usr/bin/env python3
"""A client that hangs up at every octet: hangup.py KIND HOW DIR COMMAND ...

The command is smtpd with tests/keep and DIR. KIND is pair, pipe or tcp (see
talk.py); HOW is close, reset or half (nothing more is sent, replies are read
to the end). After every run: exit status 0, no process left, and exactly
those messages delivered whose CRLF.CRLF had been sent.
"""

import os
import sys

from talk import adopt_orphans, no_orphans, spawn

ENVELOPE = (b"EHLO me\r\nMAIL FROM:<a@example.org>\r\n"
            b"RCPT TO:<b@example.net>\r\nDATA\r\n")
KEPT = b"Subject: hang up\n\n.dot\n"
SENT = b"Subject: hang up\r\n\r\n..dot\r\n.\r\n"


def run(kind, how, octets, command):
    talk, process = spawn(kind, command)
    talk.send(octets)
    talk.drained()
    if how == "half":
        talk.half()
        talk.forget()
        talk.eof()
        talk.close()
    else:
        getattr(talk, how)()
    return process.wait(10)


def collect(directory):
    """The messages delivered, and the folder empty again."""
    messages = []
    for name in os.listdir(directory):
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            messages.append(file.read())
        os.unlink(path)
    return messages


def main():
    kind, how, directory, *command = sys.argv[1:]
    adopt_orphans()
    small = ENVELOPE + SENT
    # Past the memory that holds a message: into a file.
    line = b"x" * 998 + b"\r\n"
    large = ENVELOPE + line * 700 + b".\r\n"
    kept = line.replace(b"\r", b"") * 700
    cases = [(small[:n], [KEPT] if n == len(small) else [])
             for n in range(len(small) + 1)]
    # The first message is whole, the second never is.
    cases += [(small + small[len(b"EHLO me\r\n"):-n], [KEPT])
              for n in range(1, 8)]
    cases += [(large[:n], [kept] if n == len(large) else [])
              for n in (65536, 262143, 262144, 262145, 524288, 600000,
                        len(large) - 3, len(large) - 1, len(large))]
    wrong = []
    for octets, expected in cases:
        status = run(kind, how, octets, command)
        left = no_orphans()
        delivered = collect(directory)
        if status != 0 or left or delivered != expected:
            wrong.append(f"hangup.py: {len(octets)} octets, ...{octets[-30:]!r}: "
                         f"exit status {status}, {left} processes left, "
                         f"{[m[:60] for m in delivered]} delivered")
    print(f"{len(cases)} hang-ups, {len(wrong)} wrong")
    if wrong:
        raise SystemExit("\n".join(wrong[:20]))


if __name__ == "__main__":
    main()
