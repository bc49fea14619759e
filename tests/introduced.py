"""Clients that a proxy names: the helpers of proxy.bats and xclient.bats."""

import os
import shutil
import socket
import struct

import policy
from session import Session, log_lines, show, unquote  # noqa: F401

MAIL = os.environ.get("MAIL", "")
RECORD = os.environ.get("RECORD", "")
V1 = b"PROXY TCP4 192.0.2.7 192.0.2.25 40312 25\r\n"
V1_SIX = b"PROXY TCP6 2001:db8::7 2001:DB8:0::25 40312 25\r\n"
UNKNOWN = b"PROXY UNKNOWN\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
# What launchers say of the proxy.
WORDS = {"RELAYCLIENT": "", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "99",
         "TCPREMOTEHOST": "proxy", "TCPREMOTEINFO": "root", "TCPLOCALHOST": "here",
         "REMOTE_ADDR": "127.0.0.1", "REMOTE_PORT": "99", "REMOTE_HOST": "127.0.0.1",
         "SOCAT_PEERADDR": "127.0.0.1", "SOCAT_PEERPORT": "99"}


def v2(family, octets=b"", command=1, length=None):
    size = len(octets) if length is None else length
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, size) + octets


def tlv(kind, value):
    return struct.pack("!BH", kind, len(value)) + value


def four(more=b"", **options):
    return v2(0x11, socket.inet_aton("192.0.2.7") + socket.inet_aton("192.0.2.25") +
              struct.pack("!HH", 40312, 25) + more, **options)


def six(more=b"", **options):
    return v2(0x21, socket.inet_pton(socket.AF_INET6, "2001:db8::7") +
              socket.inet_pton(socket.AF_INET6, "2001:db8::25") +
              struct.pack("!HH", 40312, 25) + more, **options)


def unix(**options):
    return v2(0x31, b"/client".ljust(108, b"\0") + b"/server".ljust(108, b"\0"), **options)


LOCAL = v2(0, command=0)
TCP4 = {"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7", "TCPREMOTEPORT": "40312",
        "TCPLOCALIP": "192.0.2.25", "TCPLOCALPORT": "25"}
TCP6 = {**TCP4, "TCPREMOTEIP": "2001:db8::7", "TCPLOCALIP": "2001:db8::25"}
NAMES = ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT", *WORDS)


def own(smtp):
    """The variables of the connection itself."""
    ours, theirs = smtp.talk.sock.getsockname(), smtp.talk.sock.getpeername()
    return {"PROTO": "TCP", "TCPREMOTEIP": ours[0], "TCPREMOTEPORT": str(ours[1]),
            "TCPLOCALIP": theirs[0], "TCPLOCALPORT": str(theirs[1])}


def begin(header, *options, hello="EHLO me.example.org", env=None, **more):
    """A session behind a header: with options, and a command if one is among
    them, else tests/record."""
    more.setdefault("kind", "tcp")
    command = () if "--" in options else ("-A", RECORD, MAIL)
    smtp = Session(*options, *command, hello=None, env=policy.environment(env or {}), **more)
    smtp.talk.send(header)
    if hello:
        smtp.talk.expect("220 ")
        smtp.talk.ask(hello, "250")
    return smtp


def recorded():
    """Environment and message of the only message, which is forgotten."""
    folder, = (name for name in os.listdir(MAIL) if not name.startswith("."))
    with open(f"{MAIL}/{folder}/env", "rb") as file:
        env = dict(pair.decode().split("=", 1) for pair in file.read().split(b"\0")[:-1])
    with open(f"{MAIL}/{folder}/message", "rb") as file:
        message = file.read()
    shutil.rmtree(f"{MAIL}/{folder}")
    return env, message


def sent(smtp):
    """Sends a message; what the command was told, the message, the log."""
    reply = smtp.message(b"Subject: x\n\ntext\n")
    assert reply.startswith(b"250 2.0.0"), reply
    log = smtp.quit()
    return (*recorded(), log)


def only(env, names=NAMES):
    return {name: env[name] for name in names if name in env}


def may(expected, smtp):
    """What is wrong with the answers to each recipient of policy.py."""
    smtp.talk.ask("MAIL FROM:<from@example.com>", "250")
    wrong = []
    for recipient, code in expected.items():
        smtp.talk.line(f"RCPT TO:<{recipient}>")
        reply = smtp.talk.reply()
        if not reply.startswith(code):
            wrong.append((recipient, reply, code))
    smtp.quit()
    return wrong


def lines(log):
    """The log, without what tests/record says and who smtpd has become."""
    return log_lines("\n".join(line for line in log.splitlines() if not
                               line.startswith(("recorded ", "smtpd: running as user "))))


def events(log, name):
    """The log's lines of that event."""
    return [line for line in lines(log) if isinstance(line, dict) and line["event"] == name]


def errors(log):
    return [line for line in lines(log) if isinstance(line, str)]


def hook(folder, name, script):
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\n" + script)
    os.chmod(path, 0o755)
