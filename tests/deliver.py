#!/usr/bin/env python3
"""Sends messages and holds what tests/record left against what was sent.

    deliver.py [option ...] ADDRESS DIR

Opens all connections first, so that they are there at once, then sends every
message, then looks into DIR: each message must be there exactly once, octet
for octet, with the right envelope, peer and descriptors. DIR is emptied.
"""

import argparse
import hashlib
import os
import re
import shutil
import socket
import sys
import threading

from talk import Conversation, Unexpected

PEER = ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT")


def message(connection, number):
    """A message of its own for each: dots, 8-bit octets, long lines, no end
    of line like any other; the sizes lie on both sides of all buffers."""
    name = f"{connection}.{number}"
    seed = hashlib.sha256(name.encode()).hexdigest()
    lines = [f"From: <{name}@example.org>", f"X-Test: {name}", "",
             ".", "..", ".leading dot", "", "tab\t and blanks  ",
             "From here", seed, "x" * (900 + connection), ""]
    text = "\r\n".join(lines).encode()
    text += bytes(range(128, 256)) + b"\r\n"
    sizes = (0, 100, 4000, 70000, 300000, 600000)
    filler = (seed + "\r\n").encode()
    text += filler * (sizes[(connection + number) % len(sizes)] // len(filler))
    return name, text


class Client:
    """One connection and the messages it sends."""

    def __init__(self, address, number, options):
        self.options = options
        self.number = number
        self.sent = {}
        self.talk = Conversation.connect(address, timeout=30)
        sock = self.talk.sock
        self.peer = dict.fromkeys(PEER)
        if sock.family == socket.AF_UNIX:
            self.peer["PROTO"] = "UNIX"
        else:
            self.peer.update(zip(PEER, (
                "TCP", sock.getsockname()[0], str(sock.getsockname()[1]),
                sock.getpeername()[0], str(sock.getpeername()[1]))))
        self.error = None

    def greet(self):
        self.talk.expect("220")
        self.talk.ask(f"EHLO client{self.number}.example.org", "250")

    def send(self):
        for number in range(self.options.messages):
            name, text = message(self.number, number)
            self.talk.ask(f"MAIL FROM:<{name}@example.org> BODY=8BITMIME",
                          "250 2.")
            self.talk.ask(f"RCPT TO:<to.{name}@example.net>", "250 2.")
            self.talk.ask("DATA", "354")
            self.talk.data(text)
            self.talk.expect("250 2.")
            self.sent[name] = text
        self.talk.ask("QUIT", "221 2.")
        if self.talk.eof():
            raise Unexpected("something after 221")

    def run(self, what):
        try:
            what()
        except (Unexpected, OSError) as error:
            self.error = f"connection {self.number}: {error}"


def at_once(clients, what):
    threads = [threading.Thread(target=c.run, args=(getattr(c, what),))
               for c in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    errors = [c.error for c in clients if c.error]
    if errors:
        raise SystemExit("deliver.py: " + "; ".join(errors))


def records(directory):
    """What tests/record wrote: (message, environment, fds, id) of each."""
    for name in sorted(os.listdir(directory)):
        folder = os.path.join(directory, name)
        if name.startswith("."):
            raise SystemExit(f"deliver.py: {folder} was never finished")
        parts = []
        for part in ("message", "env", "fd", "id"):
            with open(os.path.join(folder, part), "rb") as file:
                parts.append(file.read())
        text = parts[1].decode("utf-8", "surrogateescape")
        env = dict(v.split("=", 1) for v in text.split("\0") if v)
        yield parts[0], env, parts[2].decode().split(), parts[3].decode()


def differences(record, client, name, options):
    """What is wrong with one recorded message, as lines."""
    octets, env, fds, user = record
    sent = client.sent[name]
    if not options.crlf:
        sent = sent.replace(b"\r\n", b"\n")
    if octets != sent:
        at = next((i for i, (a, b) in enumerate(zip(octets, sent)) if a != b),
                  min(len(octets), len(sent)))
        yield (f"{len(octets)} octets, not {len(sent)}; from {at} on: "
               f"{octets[at:at + 40]!r}, not {sent[at:at + 40]!r}")
    wanted = {
        "SENDER": f"{name}@example.org",
        "RECIPIENT": f"to.{name}@example.net",
        "RECIPIENTS": f"to.{name}@example.net",
        "SMTP_HELO": f"client{client.number}.example.org",
        "SMTP_PROTOCOL": "ESMTP",
        "SMTP_MAIL_OPTIONS": "BODY=8BITMIME",
        "SMTP_RCPT_OPTIONS": None,
        "SMTP_BODY": "8BITMIME",
        "SMTP_SIZE": str(len(sent)),
        "SMTP_AUTH_USER": None,
        "SMTP_TLS": None,
        "LISTEN_FDS": None,
        "LISTEN_PID": None,
        "LISTEN_FDNAMES": None,
        "NOTIFY_SOCKET": None,
    }
    if options.peer == "exact":
        wanted.update(client.peer)
    elif options.peer == "remote":
        for key in PEER[:3]:
            wanted[key] = client.peer[key]
    elif options.peer == "none":
        wanted.update(dict.fromkeys(PEER))
    for key, value in wanted.items():
        if env.get(key) != value:
            yield f"{key} is {env.get(key)!r}, not {value!r}"
    # 3 is the folder /proc/self/fd itself, open in ls.
    if fds != ["0", "1", "2", "3"]:
        yield f"open descriptors: {' '.join(fds)}"
    if options.user and user.split()[0] != options.user:
        yield f"ran as {user.strip()}, not {options.user}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("directory")
    parser.add_argument("-c", "--connections", type=int, default=1)
    parser.add_argument("-m", "--messages", type=int, default=1)
    parser.add_argument("--peer", default="exact",
                        choices=("exact", "remote", "none", "any"),
                        help="what the environment says of the peer")
    parser.add_argument("--user", help="who the command must run as")
    parser.add_argument("--crlf", action="store_true",
                        help="smtpd runs with --crlf")
    options = parser.parse_args()

    clients = [Client(options.address, n, options)
               for n in range(options.connections)]
    at_once(clients, "greet")
    at_once(clients, "send")

    wrong, seen, sessions = [], set(), {}
    for record in records(options.directory):
        found = re.search(rb"^X-Test: (\d+)\.(\d+)", record[0], re.M)
        if not found:
            wrong.append(f"not one of ours: {record[0][:80]!r}")
            continue
        number, name = int(found[1]), (found[1] + b"." + found[2]).decode()
        if name in seen or name not in clients[number].sent:
            wrong.append(f"{name}: delivered twice, or never sent")
            continue
        seen.add(name)
        sessions.setdefault(record[1].get("SMTP_SESSION"), set()).add(number)
        wrong += [f"{name}: {line}" for line in
                  differences(record, clients[number], name, options)]
    for client in clients:
        wrong += [f"{name}: not delivered" for name in client.sent
                  if name not in seen]
    if len(sessions) != len(clients) or max(map(len, sessions.values())) > 1:
        wrong.append(f"{len(clients)} connections, SMTP_SESSION: {sessions}")
    for name in os.listdir(options.directory):
        shutil.rmtree(os.path.join(options.directory, name))
    if wrong:
        raise SystemExit("deliver.py: " + "\ndeliver.py: ".join(wrong[:20]))


if __name__ == "__main__":
    sys.exit(main())
