"""Logins, for the tests."""

import array
import base64
import fcntl
import hashlib
import hmac
import os
import re
import termios

from session import Session, show, until

STAGE = os.environ.get("STAGE", "")
PASSWORD = "opn ssm \"42' \\&?%$~`=!"
PLAINTEXT = ["--auth-plaintext"]


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes)
                            else text.encode()).decode()


def plain(user, password, identity=""):
    return b64(f"{identity}\0{user}\0{password}")


def cram(reply, user, password):
    """The response to the challenge of CRAM-MD5."""
    challenge = base64.b64decode(reply[4:])
    digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
    return b64(f"{user} {digest}")


def checker(name="logins"):
    """A folder for tests/checker: the option, and the folder."""
    folder = os.path.join(STAGE, name)
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    with open(os.path.join(folder, "password"), "w", encoding="utf-8") as out:
        out.write(PASSWORD)
    return ["-a", f"'{STAGE}/checker' '{folder}'"], folder


def left(folder, name):
    """What the checker left in its folder, once; nothing if it did not."""
    path = os.path.join(folder, name)
    try:
        with open(path, "rb") as file:
            octets = file.read()
    except FileNotFoundError:
        return None
    os.unlink(path)
    return octets


def environment(octets):
    return dict(v.split("=", 1) for v in octets.decode().split("\0") if v)


def keywords(session, hello="EHLO me"):
    reply = session.talk.ask(hello, "250").decode()
    return {line[4:].split()[0]: line[4:].split()[1:]
            for line in reply.splitlines()[1:]}


def hook(folder, name, text):
    """A hook, a shell script."""
    path = os.path.join(folder, name)
    os.makedirs(folder, exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    os.chmod(folder, 0o755)
    return path


def taken(talk):
    """Waits until the other end of a socket pair has read all of it."""
    def nothing_left():
        count = array.array("i", [1])
        fcntl.ioctl(talk.sink, termios.TIOCOUTQ, count)
        return count[0] == 0
    until(nothing_left)


def logged(log, event):
    return [line for line in log.splitlines() if f"event={event} " in line]


def field(line, key):
    found = re.search(rf' {key}=("(?:[^"\\]|\\.)*"|\S*)', line)
    return found and found[1].strip('"')


def login(session, user="ann", password=PASSWORD, code="235 2.7.0"):
    return session.talk.ask("AUTH PLAIN " + plain(user, password), code)


__all__ = [name for name in globals() if not name.startswith("_")]
