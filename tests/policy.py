"""Tables of who may send where: the helpers of policy.bats."""

import os
import subprocess
import tempfile

from session import SMTPD, STAGE, Session, show

# What is asked of a case: recipients with the beginning of the reply.
LOCAL = {"x@example.org": b"250 2.1.5", "x@sub.example.org": b"550 5.7.1",
         "postmaster": b"250 2.1.5"}
NOWHERE = {**LOCAL, "x@example.net": b"550 5.7.1", "x%y@example.org": b"550 5.7.1",
           "x": b"550 5.7.1"}
ANYWHERE = dict.fromkeys(NOWHERE, b"250 2.1.5")
ALL = ANYWHERE

WORDS = ("RELAYCLIENT", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT",
         "TCPREMOTEHOST", "REMOTE_ADDR", "REMOTE_PORT", "REMOTE_HOST", "PROTO",
         "SOCAT_PEERADDR", "SOCAT_PEERPORT", "SOCAT_SOCKADDR", "SOCAT_SOCKPORT")


def environment(more):
    env = {k: v for k, v in os.environ.items() if k not in WORDS}
    return {**env, **more}


def ask(recipients, options, kind="pipe", env=None, where=None):
    """The reply to RCPT for each recipient."""
    # Not all of a table of refusals may be too many errors.
    options = (*options, "--max-errors", "1000")
    lines = ["EHLO me", "MAIL FROM:<from@example.com>",
             *(f"RCPT TO:<{r}>" for r in recipients), "QUIT"]
    sent = "".join(f"{line}\r\n" for line in lines).encode()
    if kind == "file":
        with tempfile.TemporaryFile() as file:
            file.write(sent)
            file.seek(0)
            done = subprocess.run([SMTPD, "-q", *options, "true"], stdin=file, timeout=20,
                                  stdout=subprocess.PIPE, env=environment(env or {}), check=True)
        found = done.stdout.split(b"\r\n")
        first = next(i for i, line in enumerate(found) if line.startswith(b"250 2.1.0"))
        return found[first + 1:first + 1 + len(recipients)]
    smtp = Session("-q", *options, "true", kind=kind, where=where,
                   env=environment(env or {}))
    smtp.talk.send(sent[len(b"EHLO me\r\n"):])
    smtp.talk.expect("250 2.1.0")
    found = [smtp.talk.reply() for _ in recipients]
    smtp.talk.expect("221")
    smtp.ended()
    return found


def check(*cases):
    """(expected, options, kind, environment of the launcher[, where])."""
    wrong = []
    for expected, options, kind, env, *where in cases:
        # Without -D there would be no difference to see for some.
        more = () if "-A" in options or "--any" in options else ("-D", "example.org")
        replies = ask(expected, (*options, *more), kind, env, *where)
        for (recipient, code), reply in zip(expected.items(), replies):
            if not reply.startswith(code):
                wrong.append((options, kind, env, where, recipient, reply, code))
    show(wrong)


def domains(options, taken, refused, kind="pipe", env=None):
    """Which recipients are taken, and which are not."""
    wrong = []
    for recipients, code in ((taken, b"250 2.1.5"), (refused, b"550 5.7.1")):
        for recipient, reply in zip(recipients, ask(recipients, options, kind, env)):
            if not reply.startswith(code):
                wrong.append((options, recipient, reply, code))
    show(wrong)


def refused(status, *cases):
    """Options with which smtpd says one line and does not greet."""
    wrong = []
    for options in cases:
        try:
            done = subprocess.run([SMTPD, *options, "true"], input=b"QUIT\r\n", timeout=4,
                                  capture_output=True, check=False)
        except subprocess.TimeoutExpired as error:
            wrong.append((options, "it runs", error.stdout, error.stderr))
            continue
        if done.returncode != status or done.stdout or \
                not done.stderr.startswith(b"smtpd: ") or \
                done.stderr.count(b"\n") != 1 or not done.stderr.endswith(b"\n"):
            wrong.append((options, done.returncode, done.stdout, done.stderr[:200]))
    show(wrong)


def usage(*cases):
    refused(64, *cases)


def peers(*cases):
    """(kind, environment of the launcher, what the command's has); None: the
    connection's own addresses."""
    names = ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT")
    wrong = []
    for kind, env, expected in cases:
        path = f"{STAGE}/mail/peer"
        smtp = Session("-q", "-A", "cp", "/proc/self/environ", path, kind=kind,
                       env=environment(env))
        if expected is None:
            ours, theirs = smtp.talk.sock.getsockname(), smtp.talk.sock.getpeername()
            expected = dict(zip(names, ("TCP", ours[0], str(ours[1]), theirs[0],
                                        str(theirs[1]))))
        reply = smtp.message(b"x\n")
        smtp.quit()
        if not reply.startswith(b"250"):
            wrong.append((kind, env, reply))
            continue
        with open(path, "rb") as file:
            pairs = [v.split(b"=", 1) for v in file.read().split(b"\0")[:-1]]
        os.unlink(path)
        found = {k.decode(): v.decode() for k, v in pairs if k.decode() in names}
        if found != expected:
            wrong.append((kind, env, found, expected))
    show(wrong)
