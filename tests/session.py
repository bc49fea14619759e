"""Sessions with a smtpd that was started for them, for the tests.

$SMTPD is the program; as root it becomes nobody, and so do its commands.
"""

import contextlib
import os
import pty
import re
import socket
import subprocess
import tempfile
import termios
import time

from talk import PATIENCE, Conversation, Unexpected, children

SMTPD = os.environ.get("SMTPD", "")
STAGE = os.environ.get("STAGE", "")


def until(what, *arguments, timeout=10):
    """Waits until the function returns something true, and returns that."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        found = what(*arguments)
        if found:
            return found
        if time.monotonic() > end:
            raise Unexpected(f"never came true: {what.__name__} {arguments}")
        time.sleep(0.005)


def gone(pid):
    """True if there is no such process, or nothing but its exit status."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
            return stat.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def tcp(host="127.0.0.1", source=None):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((host, 0))
    listener.listen(1)
    with listener:
        ours = socket.socket(family, socket.SOCK_STREAM)
        if source:
            ours.bind((source, 0))
        ours.connect(listener.getsockname()[:2])
        return ours, listener.accept()[0]


def mapped(host="127.0.0.1", source=None):
    """An IPv4 connection to an IPv6 socket."""
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(("::", 0))
        listener.listen(1)
        ours = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if source:
            ours.bind((source, 0))
        ours.connect((host, listener.getsockname()[1]))
        return ours, listener.accept()[0]


def unix(name):
    """A connection to a Unix socket; with a NUL in front it has no file."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(name)
        listener.listen(1)
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.connect(name)
        return ours, listener.accept()[0]


def terminal():
    """Descriptors of both ends, without echo; a CR stays one."""
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[0] &= ~termios.ICRNL
    mode[1] &= ~termios.OPOST
    mode[3] &= ~termios.ECHO
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    return ours, theirs


def ends(kind, **where):
    """Our end as a Conversation, the server's as two descriptors."""
    if kind == "pipe":
        (stdin, sink), (source, stdout) = os.pipe(), os.pipe()
        return Conversation(fds=(source, sink)), stdin, stdout
    if kind == "tty":
        ours, theirs = terminal()
        return Conversation(fds=(ours, ours)), theirs, os.dup(theirs)
    if kind == "unix":
        name = os.path.join(tempfile.mkdtemp(dir=STAGE), "socket")
        ours, theirs = unix(name)
    elif kind == "abstract":
        ours, theirs = unix(f"\0smtpd-test.{os.getpid()}.{time.monotonic()}")
    elif kind == "pair":
        ours, theirs = socket.socketpair()
    else:
        ours, theirs = {"tcp": tcp, "mapped": mapped}[kind](**where)
    stdin = theirs.detach()
    return Conversation(ours), stdin, os.dup(stdin)


class Session:
    """smtpd on a connection of ours. Its standard error is kept."""

    def __init__(self, *arguments, kind="pair", where=None, timeout=20,
                 hello="EHLO me.example.org", **options):
        self.errors = tempfile.TemporaryFile()
        options.setdefault("stderr", self.errors)
        self.talk, stdin, stdout = ends(kind, **(where or {}))
        self.talk.timeout = timeout * PATIENCE
        if options["stderr"] == "connection":
            options["stderr"] = stdout
        self.process = subprocess.Popen([SMTPD, *arguments], stdin=stdin,
                                        stdout=stdout, **options)
        os.close(stdin)
        os.close(stdout)
        if hello:
            self.talk.expect("220 ")
            self.talk.ask(hello, "250")

    def offer(self, *recipients, sender="<from@example.org>", rest=""):
        """The envelope, and DATA."""
        self.talk.send(f"MAIL FROM:{sender}{rest}\r\n".encode() +
                       b"".join(b"RCPT TO:<%b>\r\n" % r.encode()
                                for r in recipients))
        self.talk.expect("250 2.1.0")
        for _ in recipients:
            self.talk.expect("250 2.1.5")
        self.talk.ask("DATA", "354")

    def message(self, octets, *recipients, **options):
        """Sends one, in LF or CRLF; the reply."""
        self.offer(*(recipients or ("to@example.net",)), **options)
        self.talk.data(octets)
        return self.talk.reply()

    def log(self):
        size = os.fstat(self.errors.fileno()).st_size
        return os.pread(self.errors.fileno(), size, 0).decode()

    def ended(self, status=0, timeout=20):
        """Waits for the end, however it came; the log."""
        with contextlib.suppress(OSError):
            self.talk.close()
        found = self.process.wait(timeout * PATIENCE)
        if found != status:
            raise Unexpected(f"exit status {found}, not {status}; "
                             f"log: {self.log()[-2000:]}")
        return self.log()

    def quit(self):
        self.talk.ask("QUIT", "221 2.0.0")
        rest = self.talk.eof()
        if rest:
            raise Unexpected(f"behind 221: {rest!r}")
        return self.ended()

    def dialogue(self):
        """The process id of the one child that there is between messages."""
        def only():
            found = children(self.process.pid)
            return found if len(found) == 1 else None
        return until(only)[0]


def wire(octets):
    """A message, its line ends LF or CRLF, as it is sent: with the final dot."""
    octets = octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    octets = octets.replace(b"\r\n.", b"\r\n..")
    return (b"." if octets.startswith(b".") else b"") + octets + b".\r\n"


def filler(size, seed=0, end=b"\n"):
    """A message of so many octets, the last of them a line end (CRLF: of 2 at
    least): header, dots at the start of lines, every 8-bit octet, no period."""
    if size == 0:
        return b""
    head = b"Subject: filler\n\n.dot\n..\n"
    high = bytes(range(128, 256))
    block = b"".join(b"%d " % (number * number + seed) + high[number % 128:] +
                     b"\n" for number in range(400))
    text = head + block * ((size - len(head)) // len(block) + 1)
    text = text.replace(b"\n", end)[:max(size, len(end)) - len(end)]
    return (text[:-1] + b"x" if text.endswith(b"\r") else text) + end


def log_lines(log):
    """The log's events, each as a dictionary; anything else is an error
    line and comes as text."""
    value = (r'(?:"(?:[^"\\\x00-\x1f\x7f-\xff]|\\["\\]|\\x[0-9a-f]{2})*"'
             r'|[^\s"\\=]*(?![^ ]))')
    for line in log.splitlines():
        if not line.startswith("smtpd: "):
            raise Unexpected(f"no line of the log: {line!r}")
        line = line[7:]
        if not re.match(r"(session|event)=", line):
            yield line
        elif not re.fullmatch(rf"[a-z]+={value}(?: [a-z]+={value})*", line):
            raise Unexpected(f"not key=value: {line!r}")
        else:
            yield {key: unquote(text) for key, text
                   in re.findall(rf"([a-z]+)=({value})", line)}


def unquote(text):
    if not text.startswith('"'):
        return text
    return re.sub(r'\\(x[0-9a-f]{2}|.)',
                  lambda m: chr(int(m[1][1:], 16)) if len(m[1]) > 1 else m[1],
                  text[1:-1])


def show(wrong):
    """Fails with what is in the list, if anything is."""
    if wrong:
        raise SystemExit("\n".join(str(w) for w in wrong[:20]))
