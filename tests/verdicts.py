#!/usr/bin/env python3
"""Every rule for what a delivery command prints: smtpd-delivery(7), The reply.

A case is an exit status, the output and the reply. A reply that is no whole
line (no CRLF at its end) is the beginning of one, whose text is smtpd's own.
"""

from session import STAGE, Session, show

OK = b"250 2.0.0 OK\r\n"
LATER = b"451 4.3.0 "


def lines(size, end=b"\n"):
    """A reply of so many octets, its lines as long as they may be."""
    full = b"250-" + b"x" * (506 - (2 - len(end))) + end
    count = -(-(size - len(full)) // len(full))
    rest = size - count * len(full)
    return full * count + b"250 " + b"y" * (rest - 4 - len(end)) + end


def many(size):
    """The same, its lines as short as they may be."""
    count = (size - 10) // 5
    return b"250-\n" * count + b"250 " + b"y" * (size - 5 * count - 5) + b"\n"


def crlf(octets):
    octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return octets if octets.endswith(b"\n") else octets + b"\r\n"


# One well-formed reply that says no more than the status: as it stands.
STANDS = [
    (0, b"250 2.6.0 Queued as 42\n"),
    (0, b"250 2.6.0 Queued as 42\r\n"),
    (0, b"250 2.6.0 no line end"),
    (99, b"250 2.6.0 Queued\n"),
    (0, b"250 Queued, without an enhanced code\n"),
    (0, b"251 2.1.5 forwarded\n"),
    (0, b"250\n"),
    (0, b"250 \n"),
    (0, b"250 2.0.0\n"),
    (0, b"250 2.0\n"),
    (0, b"250 2.0.0.0 no enhanced code, but text\n"),
    (0, b"250 5.1 is a number\n"),
    (0, b"250-2.0.0 one\n250-2.0.0 two\n250 2.0.0 three\n"),
    (0, b"250-2.0.0 one\r\n250-2.0.0 two\r\n250 2.0.0 three\r\n"),
    (0, b"250-one\r\n250 two\n"),
    (0, b"250-one\n250\n"),
    (0, b"550 5.7.1 Not wanted\n"),
    (0, b"451 4.7.1 Later\n"),
    (99, b"554 5.6.0 Not wanted\n"),
    (65, b"554 5.6.0 A virus\n"),
    (67, b"550 no enhanced code\n"),
    (67, b"451 4.2.0 Greylisted\n"),
    (75, b"452 4.2.2 Mailbox full\n"),
    (111, b"451 4.2.0 Locked\n"),
    (100, b"451 4.7.1 Try later\n"),
    (64, b"550 5.1.1 a 5xx beside any other status\n"),
    (1, b"550 5.1.1 a 5xx beside any other status\n"),
    (0, b"250 " + b"x" * 506 + b"\r\n"),  # 512 octets
    (0, b"250 " + b"x" * 506 + b"\n"),
    (0, b"250 " + b"x" * 506),
    (0, b"250-" + b"x" * 506 + b"\n250 2.0.0 y\n"),
    (0, lines(4096, b"\r\n")),
    (0, lines(4096)),
    (0, lines(4096)[:-1] + b"z"),
    (0, many(4096)),
    (67, lines(4096).replace(b"250", b"550")),
]

# A reply that says more than the status, whatever its text.
TOO_MUCH = [
    (65, b"250 2.0.0 OK\n"),
    (75, b"250 2.0.0 OK\n"),
    (111, b"250 OK"),
    (1, b"250 2.0.0 OK\n"),
    (64, b"250 2.0.0 OK\n"),
    (100, b"250-2.0.0 OK\n250 2.0.0 OK\n"),
    (255, b"251 2.1.5 OK\n"),
    (75, b"550 5.1.1 Unknown mailbox\n"),
    (111, b"550 5.1.1 Unknown mailbox\n"),
    (75, b"550\n"),
    (111, b"554-5.0.0 a\n554 5.0.0 b\n"),
]

# No reply.
NONE = [
    b"stored",
    b"250 5.1.1 wrong class\n",
    b"250 4.0.0 wrong class\n",
    b"550 2.0.0 wrong class\n",
    b"451 5.0.0 wrong class\n",
    b"250-2.0.0 right\n250 5.0.0 wrong\n",
    b"250-5.0.0 wrong\n250 2.0.0 right\n",
    b"350 go on\n",
    b"354 go on\n",
    b"150 wait\n",
    b"650 what\n",
    b"050 what\n",
    b"25 too short\n",
    b"2500 too long\n",
    b"25x no digit\n",
    b"250x no space\n",
    b"250\ttab\n",
    b" 250 OK\n",
    b"\n250 OK\n",
    b"250-unfinished\n",
    b"250-unfinished",
    b"250 OK\n\n",
    b"250 OK\nmore\n",
    b"250 OK\n250 OK\n",
    b"250-a\n251 b\n",
    b"250-a\n550 b\n",
    b"250-a\nb\n250 c\n",
    b"250 a\rb\n",
    b"250 a\r\r\n",
    b"250 a\r",
    b"250 nul \0 inside\n",
    b"250 OK\n\0",
    b"250 escape \x1b[2J\n",
    b"250 delete \x7f\n",
    b"250 latin \xe9\n",
    b"250 utf-8 \xc3\xa9\n",
    b"250 " + b"x" * 507 + b"\r\n",  # 513 octets
    b"250 " + b"x" * 507 + b"\n",
    b"250 " + b"x" * 507,
    b"250-" + b"x" * 507 + b"\n250 2.0.0 y\n",
    lines(4097),
    lines(4097, b"\r\n"),
    many(4097),
    lines(70000),
    b"\n" * 5000,
]

# The text of the mapped reply: what comes behind 550 5.1.1 and a space.
TEXTS = [
    (b"Unknown mailbox", b"Unknown mailbox\r\n"),
    (b"Unknown mailbox\n", b"Unknown mailbox\r\n"),
    (b"Unknown mailbox\r\n", b"Unknown mailbox\r\n"),
    (b"first\nsecond\nthird\n", b"first\r\n"),
    (b"first\n250 2.0.0 OK\n", b"first\r\n"),
    (b"a\x1b[31mb\x00c\x07d\x7fe", b"a[31mbcde\r\n"),
    (b"a\r250 2.0.0 OK", b"a250 2.0.0 OK\r\n"),
    (b"gr\xc3\xbc\xc3\x9fe \xff\x80.", b"gre .\r\n"),
    (b"354 go on", b"354 go on\r\n"),
    (b"250 5.1.1 wrong class", b"250 5.1.1 wrong class\r\n"),
    (b"x" * 498, b"x" * 498 + b"\r\n"),  # of 500 that there is room for
    (b"x" * 500, b"x" * 500 + b"\r\n"),
    (b"x" * 501, b"x" * 500 + b"\r\n"),
    (b"x" * 100000, b"x" * 500 + b"\r\n"),
]

# With SMTPUTF8 and without, where -u offers it.
UTF8 = [
    (0, "250 2.0.0 gr\u00fc\u00df\n".encode(), True),
    (0, "250 2.0.0 \u20ac \U0001f600\n".encode(), True),
    (0, b"250 2.0.0 latin \xe9\n", False),
    (0, b"250 2.0.0 overlong \xc0\xae\n", False),
    (0, b"250 2.0.0 surrogate \xed\xa0\x80\n", False),
    (0, b"250 2.0.0 control \xc2\x85\n", False),
    (0, b"250 2.0.0 cut \xc3", False),
]


def run(smtp, status, output, rest=""):
    with open(f"{STAGE}/cases/output", "wb") as file:
        file.write(output)
    with open(f"{STAGE}/cases/say", "w", encoding="ascii") as file:
        file.write(f"cat $CASES/output\nexit {status}\n")
    return smtp.message(b"Subject: x\n", "say@example.net", rest=rest)


def check(wrong, got, expected, *case):
    good = got == expected if expected.endswith(b"\n") else \
        got.startswith(expected) and got.count(b"\n") == 1
    if not good or any(len(line) > 512 for line in got.splitlines(True)):
        wrong.append(f"{[c if len(str(c)) < 90 else str(c)[:90] for c in case]}: "
                     f"{got[:90]!r} ({len(got)}), not {expected[:90]!r} "
                     f"({len(expected)})")


def main():
    wrong = []
    smtp = Session("-A", "-q", f"{STAGE}/act")
    for status, output in STANDS:
        check(wrong, run(smtp, status, output), crlf(output), status, output)
    for status, output in TOO_MUCH:
        check(wrong, run(smtp, status, output), LATER, status, output)
    for output in NONE:
        check(wrong, run(smtp, 0, output), OK, 0, output)
        # Behind a failure it is no more than text, if that.
        check(wrong, run(smtp, 67, output), b"550 5.1.1 ", 67, output)
        check(wrong, run(smtp, 75, output), LATER, 75, output)
    for output, text in TEXTS:
        check(wrong, run(smtp, 67, output), b"550 5.1.1 " + text, 67, output)
        check(wrong, run(smtp, 75, output), LATER + text, 75, output)
    for output in (b"", b"\n", b"\r\n", b"\0", b" ", b"\xff"):
        got = run(smtp, 67, output)
        check(wrong, got, b"550 5.1.1 ", 67, output)
        if len(got) < 16:
            wrong.append(f"{output}: a reply without a text: {got}")
    smtp.quit()

    smtp = Session("-A", "-q", "-u", f"{STAGE}/act")
    for status, output, valid in UTF8:
        check(wrong, run(smtp, status, output, " SMTPUTF8"),
              crlf(output) if valid else OK, "SMTPUTF8", output)
        check(wrong, run(smtp, status, output), OK, "without SMTPUTF8", output)
    text = "gr\u00fc\u00df\n".encode()
    check(wrong, run(smtp, 67, text, " SMTPUTF8"),
          b"550 5.1.1 " + crlf(text), "SMTPUTF8", text)
    check(wrong, run(smtp, 67, text), b"550 5.1.1 gr\r\n", "without", text)
    # Cut between characters, never inside one.
    long = "\u20ac".encode() * 400
    got = run(smtp, 67, long, " SMTPUTF8")
    try:
        got.decode("utf-8")
    except UnicodeDecodeError as error:
        wrong.append(f"cut inside a character: {error}")
    check(wrong, got, b"550 5.1.1 \xe2\x82\xac", "SMTPUTF8", long)
    smtp.quit()
    show(wrong)


if __name__ == "__main__":
    main()
