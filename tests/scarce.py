"""For load.bats: a listener on a machine that has little left."""

import contextlib
import os
import pwd
import resource
import subprocess
import tempfile
import time

from load import Message, port
from session import SMTPD, STAGE, until
from talk import Conversation, children

BROKEN = b"421 4.3.0 Internal error, try again later\r\n"


def unused():
    """A user without a process, whom no other test becomes."""
    busy = set()
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):  # it has just ended
            busy.add(os.stat(f"/proc/{name}").st_uid)
    return next(name for name in ("uucp", "irc", "games", "lp", "news")
                if pwd.getpwnam(name).pw_uid not in busy)


def message(talk, size=10):
    """Sends one; the reply."""
    one = Message(size)
    talk.ask("MAIL FROM:<a@example.org>", "250 2.1.0")
    talk.ask(one.rcpt.decode().strip(), "250 2.1.5")
    talk.ask("DATA", "354")
    one.told()
    talk.send(one.dotted())
    return talk.reply()


class Listener:
    """smtpd -l, by a user of its own, with a limit (of getrlimit)."""

    def __init__(self, what, most):
        self.what = what
        self.identity = {"user": unused(), "group": "nogroup", "extra_groups": []} \
            if os.getuid() == 0 else {}
        folder = tempfile.mkdtemp(dir=STAGE)
        os.chmod(folder, 0o777)
        self.ledger = os.path.join(folder, "ledger")
        self.errors = os.path.join(folder, "log")
        hard = resource.getrlimit(what)[1]
        with open(self.errors, "wb") as file:
            # Not started as root, whom this limit does not hold. The search for
            # leaks wants a process, too.
            self.process = subprocess.Popen(
                [SMTPD, "-A", "-l", "127.0.0.1:0", "--no-received", STAGE + "/ledger",
                 self.ledger], stderr=file, **self.identity,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
                preexec_fn=lambda: resource.setrlimit(what, (most, hard)))
        self.port = until(port, self.errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def limit(self, most):
        """Another one; only whoever runs it may say so."""
        subprocess.run(["prlimit", f"--pid={self.process.pid}", f"--nofile={most}:"],
                       check=True, **self.identity)

    def connect(self):
        return Conversation.connect(f"127.0.0.1:{self.port}")

    def greeted(self):
        talk = self.connect()
        talk.expect("220")
        talk.ask("EHLO me", "250")
        return talk

    def has(self, processes):
        """Waits until so many processes serve connections."""
        def count():
            agents = children(self.process.pid)
            return len(agents) + sum(len(children(agent)) for agent in agents)
        until(lambda: count() == processes)

    def rests(self, seconds=1):
        """Where nobody comes it costs nothing."""
        def spent():
            with open(f"/proc/{self.process.pid}/stat", encoding="latin-1") as file:
                words = file.read().rpartition(")")[2].split()
            return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
        before = spent()
        time.sleep(seconds)
        assert spent() - before < 0.1 * seconds, spent() - before

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def delivered(self):
        try:
            with open(self.ledger, encoding="ascii") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            return 0
        for line in lines:
            recipient, octets, crc, *_ = line.split()
            assert Message.sent[recipient] == f"{octets} {crc}", line
        return len(lines)

    def log(self):
        with open(self.errors, encoding="ascii") as file:
            return file.read()

    def ended(self):
        """SIGTERM ends it; the log."""
        self.process.terminate()
        assert self.process.wait(10) == 0, self.process.returncode
        return self.log()
