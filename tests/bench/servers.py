"""The servers that bench.py compares: how each is started, watched and ended.

Each listens at a port of its own of 127.0.0.1, from the first round to the end
of the last; one that nobody talks to uses no processor.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from load import tree  # noqa: E402

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
TICK = os.sysconf("SC_CLK_TCK")
LAUNCHED, LISTENING = "limit-exec-musl", "limit-fork"
WALLED = (f"{LAUNCHED} -w", f"{LISTENING} -w")  # by two processes, one of which is confined
SPOOLING = "smtpd -l, spool in memory"  # what is large costs no disk
TCPSERVER = ("tcpserver", "-HRl0", "-b512", "-c500", "127.0.0.1")
# To what tests/postfix.bash settles: discards all, and says so at once.
POSTFIX_SETTINGS = """\
mynetworks = 127.0.0.0/8
default_transport = discard:
relay_transport = discard:
message_size_limit = 0
"""
POSTFIX_SERVICES = """\
127.0.0.1:{port} inet n - n - 250 smtpd
pickup unix n - n 60 1 pickup
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
discard unix - - n - - discard
"""


class Failed(Exception):
    """A server or a client of it did not do what it should."""


@contextlib.contextmanager
def held():
    """A clean-up, before whose end no signal ends us."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Server:
    """One of them: its command, and the limit program that it is held against.

    One that keeps has processes that outlive a connection."""

    def __init__(self, name, command, limit=LISTENING, keeps=False, environment=None):
        self.name, self.command, self.limit, self.keeps = name, command, limit, keeps
        self.environment = environment or {}
        self.rates = {}  # what was measured last, by the kind of load
        self.port = self.process = None

    def start(self, place):
        """Until it greets; what it says goes into a file of the place. Its environment
        is as small as one of init(8): each exec copies it."""
        self.port = free_port()
        self.settle()
        command = [word.replace("{port}", str(self.port)) for word in self.command]
        path = f"{place}/log.{self.name.replace(' ', '_')}"
        with open(path, "wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env={"PATH": os.environ["PATH"], **self.environment},
                start_new_session=True)
        end = time.monotonic() + 10
        while not self.greets():
            if time.monotonic() > end or self.process.poll() is not None:
                with open(path, encoding="utf-8", errors="replace") as log:
                    raise Failed(f"it does not start: {log.read()[-500:].strip()}")
            time.sleep(0.05)
        self.rest()

    def settle(self):
        """What it needs when its port is known."""

    def greets(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as client:
                return client.recv(512).startswith(b"220")
        except OSError:
            return False

    def below(self):
        """The processes below the first one."""
        return [pid for pid, _, _ in tree(self.process.pid)]

    def ticks(self):
        """Processor time of all its processes, those that have ended, too."""
        total = 0
        for pid in (self.process.pid, *self.below()):
            with contextlib.suppress(OSError), \
                    open(f"/proc/{pid}/stat", encoding="latin-1") as stat:
                fields = stat.read().rpartition(")")[2].split()
                total += sum(map(int, fields[11:15]))
        return total

    def rest(self, seconds=8):
        """Waits until it has nothing to do; a queue is emptied after the 250."""
        end, before = time.monotonic() + seconds, None
        while time.monotonic() < end:
            now = self.ticks() if self.keeps else self.below()
            if now == (before if self.keeps else []):
                return
            before = now
            time.sleep(0.1 if self.keeps else 0.005)

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def launched(name, *program, **options):
    return Server(name, (*TCPSERVER, "{port}", *program), LAUNCHED, **options)


def own(place, musl, glibc, build):
    """The limit programs and smtpd, from a place that every user may enter."""
    deliver, listen = f"{place}/limit-deliver", ("-c", "500", "-l", "127.0.0.1:{port}")
    for name in ("limit-deliver", "limit-queue", LAUNCHED, LISTENING):
        shutil.copy(f"{build}/bench/{name}", place)
    shutil.copy(musl, f"{place}/smtpd")
    shutil.copy(glibc, f"{place}/smtpd-glibc")
    smtpd, other = (f"{place}/smtpd", "-s", "0"), (f"{place}/smtpd-glibc", "-s", "0")
    return [
        launched(LAUNCHED, f"{place}/{LAUNCHED}", deliver),
        Server(LISTENING, (f"{place}/{LISTENING}", deliver, "{port}")),
        launched(WALLED[0], f"{place}/{LAUNCHED}", "-w", deliver),
        Server(WALLED[1], (f"{place}/{LISTENING}", "-w", deliver, "{port}")),
        launched("smtpd", *smtpd, "--", deliver),
        launched("smtpd -C", *smtpd, "-C", "--", deliver),
        Server("smtpd -l", (*smtpd, *listen, "--", deliver)),
        launched("smtpd glibc", *other, "--", deliver),
        Server(SPOOLING, (*smtpd, *listen, "--", deliver), environment={"TMPDIR": "/dev/shm"}),
        Server("smtpd -l glibc", (*other, *listen, "--", deliver)),
    ]


def mailfront(place, peers):
    root = f"{peers}/mailfront/usr"
    if not (os.access(f"{root}/sbin/mailfront", os.X_OK) and
            os.path.isdir(f"{peers}/libbg2")):
        return "mailfront, libbg2 of Debian, which tests/bench/peers unpacks"
    os.makedirs(f"{place}/qmail/control")
    with open(f"{place}/qmail/control/me", "w", encoding="ascii") as file:
        file.write("mailfront.example\n")
    return launched("mailfront", f"{root}/sbin/mailfront", "smtp", "qmail", "accept", environment={
        "MODULE_PATH": f"{root}/lib/mailfront", "LD_LIBRARY_PATH": f"{peers}/libbg2/usr/lib",
        "QMAILHOME": f"{place}/qmail", "QMAILQUEUE": f"{place}/limit-queue"})


def has_module(module):
    return subprocess.run(["/usr/bin/python3", "-W", "ignore", "-c", f"import {module}"],
                          stderr=subprocess.DEVNULL, check=False).returncode == 0


def aiosmtpd(_place, _peers):
    if not has_module("aiosmtpd"):
        return "python3-aiosmtpd of Debian"
    return Server("aiosmtpd", ("/usr/bin/python3", "-m", "aiosmtpd", "-n", "-s", "0",
                               "-c", "aiosmtpd.handlers.Sink", "-l", "127.0.0.1:{port}"),
                  keeps=True)


def python_smtpd(_place, _peers):
    if not has_module("smtpd"):
        return "a Python that has smtpd, which is 3.11 at most"
    return Server("python-smtpd", ("/usr/bin/python3", "-W", "ignore",
                                   f"{HERE}/python_smtpd.py", "{port}"), keeps=True)


class Postfix(Server):
    """Its master, whose daemons are users that every Debian has, not root."""

    def __init__(self, place, peers):
        root, self.build = f"{peers}/postfix", os.path.dirname(peers)
        super().__init__(
            "postfix", (f"{root}/usr/lib/postfix/sbin/master",), keeps=True, environment={
                "LD_LIBRARY_PATH": f"{root}/usr/lib/postfix",
                "MAIL_CONFIG": f"{place}/postfix/config"})
        self.home = f"{place}/postfix"

    def settle(self):
        subprocess.run(["bash", "-c", '. "$0"; postfix_settle "$1"',
                        f"{HERE}/../postfix.bash", self.home], check=True,
                       env=dict(os.environ, BUILD=self.build))
        for name, text in (("main", POSTFIX_SETTINGS), ("master", POSTFIX_SERVICES)):
            with open(f"{self.home}/config/{name}.cf", "a", encoding="ascii") as file:
                file.write(text.format(port=self.port))


def postfix(place, peers):
    if os.geteuid() != 0:
        return "root: its master does not run without"
    return Postfix(place, peers)


def smtp_sink(_place, peers):
    root = f"{peers}/postfix/usr"
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    return Server("smtp-sink", (f"{root}/sbin/smtp-sink", *user, "127.0.0.1:{port}", "512"),
                  keeps=True, environment={"LD_LIBRARY_PATH": f"{root}/lib/postfix"})


def smtp_server(_place, peers):
    modules = f"{peers}/smtp-server/node_modules"
    if not shutil.which("node") or not os.path.isdir(modules):
        return "node, and smtp-server of npm, which tests/bench/peers fetches"
    return Server("smtp-server", ("node", f"{HERE}/node_smtp.js", "{port}"), keeps=True,
                  environment={"NODE_PATH": modules})


PEERS = {"mailfront": mailfront, "aiosmtpd": aiosmtpd, "python-smtpd": python_smtpd,
         "postfix": postfix, "smtp-sink": smtp_sink, "smtp-server": smtp_server}
