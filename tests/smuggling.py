#!/usr/bin/env python3
"""SMTP smuggling: smuggling.py POLICY lf|crlf DIR COMMAND ...

The command is smtpd with tests/keep-sender and DIR, run with -b POLICY, and
with --crlf for crlf. Whatever a sequence of line ends, dots and the rest of a
second transaction look like, nothing but CRLF.CRLF ends a message. So exactly
one message comes out, or none, and no command inside it is executed.
"""

import os
import re
import subprocess
import sys

from talk import Unexpected, spawn

# What some server took, or takes, for the end of a message.
SEQUENCES = (
    b"\n.\n",               # CVE-2023-51764 Postfix, CVE-2023-51765 Sendmail
    b"\n.\r\n",             # Postfix, CVE-2024-27305 aiosmtpd, Haraka
    b"\r\n.\n",             # Postfix, mailfront
    b"\r.\r", b"\r.\n", b"\n.\r", b"\r\n.\r",
    b"\n\r.\n",             # mailfront
    b"\r.\r\n",             # CVE-2023-51766 Exim
    b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\r.\r\r\n",
    b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n\0.\n",
    b"\n\n.\n\n", b"\n.\n\r\n",
    b"\r\n..\r\n", b"\r\n. \r\n", b"\r\n .\r\n", b"\r\n.\t\r\n",
    b"\r\n.\x0b\r\n", b"\xc2\x85.\xc2\x85", b"\x85.\x85",
    b"\xe2\x80\xa8.\xe2\x80\xa8",
)
END = b"\r\n.\r\n"
SECOND = b"Subject: smuggled\r\n\r\nsmuggled\r\n"
EMBEDDED = (b"MAIL FROM:<evil@example.org>\r\nRCPT TO:<victim@example.net>\r\n"
            b"DATA\r\n" + SECOND + b".\r\n")
BOUNDARIES = (1024, 4096, 8192, 16384, 65536, 262144)
COMMANDS = (b"EHLO me\r\nMAIL FROM:<first@example.org> BODY=8BITMIME\r\n"
            b"RCPT TO:<first@example.net>\r\nDATA\r\n")


class Case:
    """What is sent after 354 (or at once, without waiting for it), in pieces
    between which the server has read all, and whether the embedded commands
    are real."""

    def __init__(self, name, pieces, real=False, at_once=False):
        self.name, self.pieces = name, pieces
        self.real, self.at_once = real, at_once


def decode(octets, policy, line_end):
    """The message that comes out of what stood before CRLF.CRLF; None where
    it is to be refused."""
    if re.search(rb"\r(?!\n)", octets):
        return None
    if policy == "reject" and re.search(rb"(?<!\r)\n", octets):
        return None
    octets = (b"\r\n" + octets).replace(b"\r\n.", b"\r\n")[2:]
    return re.sub(rb"\r?\n", line_end, octets)


def padded(length):
    """The beginning of a message, so long."""
    head = b"Subject: first\r\n\r\n"
    line = b"x" * 62 + b"\r\n"
    body = line * ((length - len(head)) // len(line))
    rest = length - len(head) - len(body)
    return head + body + b"y" * rest


def cases():
    head = b"Subject: first\r\n\r\nfirst"
    for sequence in SEQUENCES:
        text = head + sequence
        yield Case(f"{sequence!r} in one segment", [text + EMBEDDED])
        yield Case(f"{sequence!r}, a pause", [text, EMBEDDED])
        yield Case(f"{sequence!r}, octet by octet",
                   [bytes([b]) for b in text + EMBEDDED[:4]] + [EMBEDDED[4:]])
        # As the very first octets of the data: CRLF stands before them.
        yield Case(f"{sequence!r} first", [sequence + EMBEDDED])
        if sequence.startswith(b"\r\n"):
            yield Case(f"{sequence[2:]!r} first", [sequence[2:] + EMBEDDED])
        for boundary in BOUNDARIES:
            for before in range(1, len(sequence)):
                text = padded(boundary - before) + sequence
                yield Case(f"{sequence!r}, {before} before {boundary}",
                           [text + EMBEDDED])
        # The same where the content follows DATA in one segment.
        for before in range(1, len(sequence)):
            text = padded(4096 - len(COMMANDS) - before) + sequence
            yield Case(f"{sequence!r}, at once, {before} before 4096",
                       [text + EMBEDDED], at_once=True)
    # The same with the one true end: the second message is real then. It
    # also shows that this test would see a smuggled one.
    yield Case("the end, octet by octet",
               [bytes([b]) for b in head + END + EMBEDDED], real=True)
    for boundary in BOUNDARIES:
        for before in range(0, len(END) + 1):
            text = padded(boundary - before) + END
            yield Case(f"the end, {before} before {boundary}",
                       [text + EMBEDDED], real=True)
            yield Case(f"the end, {before} before {boundary}, a pause",
                       [text, EMBEDDED], real=True)
            if boundary >= 4096:
                text = padded(boundary - len(COMMANDS) - before) + END
                yield Case(f"the end, at once, {before} before {boundary}",
                           [text + EMBEDDED], real=True, at_once=True)
    yield Case("an empty message", [b".\r\n" + EMBEDDED], real=True)
    yield Case("an empty message, octet by octet",
               [b".", b"\r", b"\n", EMBEDDED], real=True)


def run(case, policy, line_end, directory, command):
    """What went wrong, or None."""
    data, _, rest = (b"\r\n" + b"".join(case.pieces)).partition(END)
    data = (data + b"\r\n")[2:]
    first = decode(data, policy, line_end)
    wanted = [] if first is None else [b"first@example.org\n" + first]
    replies = ["550 5.6.0" if first is None else "250 2."]
    if case.real:
        assert rest == EMBEDDED
        wanted.append(b"evil@example.org\n" + decode(SECOND, policy, line_end))
        replies += ["250 2.", "250 2.", "354 ", "250 2."]
    else:
        assert rest == b"", case.name
    replies.append("221 2.")

    talk, process = spawn("pair", command)
    try:
        talk.expect("220")
        if case.at_once:
            talk.send(COMMANDS + b"".join(case.pieces))
        else:
            talk.send(COMMANDS)
        for code in ("250", "250", "250", "354"):
            talk.expect(code)
        for piece in () if case.at_once else case.pieces:
            talk.send(piece)
            if piece is not case.pieces[-1]:
                talk.drained()
        talk.forget()
        talk.send(b"QUIT\r\n")
        got = talk.eof().decode("latin-1").splitlines()
        # Until we close, smtpd may wait for us to do so.
        talk.close()
        status = process.wait(10)
    except (Unexpected, OSError, subprocess.TimeoutExpired) as error:
        talk.close()
        process.kill()
        process.wait()
        return str(error)
    finally:
        kept = []
        for name in os.listdir(directory):
            path = os.path.join(directory, name)
            with open(path, "rb") as file:
                kept.append(file.read())
            os.unlink(path)
    if len(got) != len(replies) or not all(
            g.startswith(r) for g, r in zip(got, replies)):
        return f"replies {got}, not {replies}"
    if status != 0:
        return f"exit status {status}"
    if sorted(kept) != sorted(wanted):
        return (f"{len(kept)} messages: {[m[-200:] for m in kept]}, "
                f"not {len(wanted)}: {[m[-200:] for m in wanted]}")
    return None


def main():
    policy, ends, directory, *command = sys.argv[1:]
    line_end = b"\r\n" if ends == "crlf" else b"\n"
    wrong, total = [], 0
    for case in cases():
        # The line ends that come out matter to the boundaries only where LF
        # becomes CRLF, and the message longer than it was.
        if (ends == "crlf" and policy == "reject"
                and "before" in case.name and not case.real):
            continue
        total += 1
        problem = run(case, policy, line_end, directory, command)
        if problem:
            wrong.append(f"smuggling.py: {case.name}: {problem}")
            # Each may have waited for long.
            if len(wrong) == 5:
                break
    print(f"{total} attempts, {len(wrong)} wrong")
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
