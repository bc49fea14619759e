#!/usr/bin/env python3
"""A client that does not give up, and what has become of its messages.

    chain.py send PORT COUNT CLIENTS
    chain.py check MAILDIR COUNT [FILE]

send: COUNT messages, each with a recipient and octets of its own, to PORT of
127.0.0.1 by CLIENTS connections at once. A message that is told 4xx, or
nothing, is sent again until it is told 250. A line for each such failure; the
last is "N accepted, N refused, N lost": lost are connections. Exit status 1
if a message is told 5xx, or not all are accepted within 90 seconds.

check: MAILDIR has each of these messages once, octet for octet behind two
Received lines, and nothing else. With FILE they are those of smtp-source -N -t
to@example.net, which all have the octets of FILE and an empty line. Exit
status 1 and a line each if not so.
"""

import collections
import os
import re
import smtplib
import sys
import threading
import time

LIMIT = 90


def message(number):
    """Dots and 8 bits; some are larger than a window of smtpd's."""
    text = (b".%d\r\n..\r\n.\r\nline %d \xc3\xa4\xff\r\n" % (number, number))
    copies = 16000 if number % 50 == 0 else number % 7 * 10 + 1
    return b"Subject: %d\r\n\r\n" % number + text * copies


class Sender:
    def __init__(self, port, count):
        self.port = port
        self.begun = time.monotonic()
        self.lock = threading.Lock()
        self.numbers = iter(range(1, count + 1))
        self.counts = collections.Counter()
        self.failure = None

    def note(self, what, line=None):
        with self.lock:
            self.counts[what] += 1
            if line is not None:
                print(line, flush=True)

    def elapsed(self):
        return time.monotonic() - self.begun

    def next_number(self):
        with self.lock:
            return next(self.numbers, None)

    def attempt(self, client, number):
        """The reply that decided; the transaction is over."""
        steps = (lambda: client.mail("a@example.org", ["BODY=8BITMIME"]),
                 lambda: client.rcpt(f"{number}@example.net"),
                 lambda: client.data(message(number)))
        try:
            for step in steps:
                code, text = step()
                if code // 100 != 2:
                    break
        except smtplib.SMTPDataError as error:
            code, text = error.smtp_code, error.smtp_error
        if code // 100 != 2:
            client.rset()
        return code, text

    def deliver(self, client, number):
        """Until it is accepted; the client, which may be another then."""
        while self.failure is None and self.elapsed() < LIMIT:
            try:
                if client is None:
                    client = smtplib.SMTP("127.0.0.1", self.port, "client.example",
                                          timeout=30)
                    client.ehlo()
                code, text = self.attempt(client, number)
            except (OSError, smtplib.SMTPException) as error:
                self.note("lost", f"{number}: {error!r}")
                client = None
            else:
                if code == 250:
                    self.note("accepted")
                    return client
                self.note("refused", f"{number}: {code} {text}")
                if code // 100 != 4:
                    self.failure = number
            time.sleep(0.05)
        return client

    def run(self):
        client = None
        while (number := self.next_number()) is not None:
            client = self.deliver(client, number)
        if client is not None:
            client.quit()


def send(port, count, clients):
    sender = Sender(port, count)
    threads = [threading.Thread(target=sender.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sender.counts
    print(f"{counts['accepted']} accepted, {counts['refused']} refused, "
          f"{counts['lost']} lost")
    return counts["accepted"] == count


HEAD = re.compile(rb"Return-Path: <a@example\.org>\n"
                  rb"Delivered-To: (\d+)(?:to)?@example\.net\n"
                  rb"(?:Received: .*\n(?:[ \t].*\n)*){2}")


def check(maildir, count, same=None):
    found, wrong = collections.Counter(), []
    if same is not None:
        with open(same, "rb") as file:
            same = file.read() + b"\n"
    for name in os.listdir(f"{maildir}/new"):
        with open(f"{maildir}/new/{name}", "rb") as file:
            octets = file.read()
        head = HEAD.match(octets)
        if head is None:
            wrong.append(f"{name}: not one of these")
            continue
        number = int(head[1])
        found[number] += 1
        sent = same or message(number).replace(b"\r\n", b"\n")
        if octets[head.end():] != sent:
            wrong.append(f"{name}: message {number} is altered")
    for number in sorted(found.keys() | set(range(1, count + 1))):
        wanted = 1 if 1 <= number <= count else 0
        if found[number] != wanted:
            wrong.append(f"message {number} is there {found[number]} times")
    wrong += [f"left over: {name}" for part in ("tmp", "cur")
              for name in os.listdir(f"{maildir}/{part}")]
    print("\n".join(wrong[:20]))
    return not wrong


def main():
    verb, arguments = sys.argv[1], sys.argv[2:]
    if verb == "send":
        good = send(*map(int, arguments))
    else:
        good = check(arguments[0], int(arguments[1]), *arguments[2:])
    sys.exit(0 if good else 1)


main()
