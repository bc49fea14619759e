"""What tests/maildir.bats asks of smtpd-maildir and a shell cannot do."""
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time

MAILDIR = os.environ["SMTPD_BIN"] + "/smtpd-maildir"
NAME = re.compile(r"\d+\.M\d{6}P\d+Q\d+\.[^/:]+")


def make(path):
    for sub in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(path, sub), exist_ok=True)


def listed(path, sub):
    names = os.listdir(os.path.join(path, sub))
    assert all(NAME.fullmatch(name) for name in names), names
    return names


def texts(path, sub="new"):
    found = []
    for name in listed(path, sub):
        with open(os.path.join(path, sub, name), "rb") as file:
            found.append(file.read())
    return found


def environment(recipients, **more):
    return {**os.environ, "SENDER": "ann@example.org", "RECIPIENTS": "\n".join(recipients), **more}


def stored(recipient, message):
    return b"Return-Path: <ann@example.org>\nDelivered-To: " + recipient.encode() + b"\n" + message


def body(number, size):
    """A message that says which it is, at its beginning and at its end."""
    mark = b"%06d" % number
    return b"Subject: " + mark + b"\n\n" + b"x" * size + b"\n" + mark + b"\n"


def crowd(total, processes):
    """So many deliveries by so many processes at once: all there, all whole."""
    make("crowd")
    expected, running = [], []
    for number in range(int(total)):
        if len(running) == int(processes):
            child = running.pop(0)
            assert child.wait() == 0
        message = body(number, random.Random(number).randrange(3000))
        expected.append(stored("bob@example.org", message))
        child = subprocess.Popen([MAILDIR, "crowd"], stdin=subprocess.PIPE,
                                 env=environment(["bob@example.org"]))
        child.stdin.write(message)
        child.stdin.close()
        running.append(child)
    assert all(child.wait() == 0 for child in running)
    assert sorted(texts("crowd")) == sorted(expected)
    assert not listed("crowd", "tmp") and not listed("crowd", "cur")


def interrupted(name, rounds):
    """A signal at any moment: whole messages in new, and none in tmp unless it
    was SIGKILL. Two recipients; the message spills into a file."""
    recipients = {"a@example.org": "a", "b@example.org": "b"}
    for path in recipients.values():
        make(path)
    moments(getattr(signal, name), int(rounds), "%u", recipients)


def interrupted_home(name, rounds, *users):
    """The same with a process for each user."""
    recipients = {f"{user}@x": os.path.expanduser(f"~{user}/Maildir") for user in users}
    moments(getattr(signal, name), int(rounds), "~/Maildir", recipients, "--create")


def moments(number, rounds, pattern, recipients, *options):
    message = body(1, 400000)
    whole = {r: stored(r, message) for r in recipients}
    with open("message", "wb") as file:
        file.write(message)
    delivered = ended = 0
    longest = 0.002
    for _ in range(rounds):
        child = subprocess.Popen([MAILDIR, *options, pattern], stdin=open("message", "rb"),
                                 stderr=subprocess.DEVNULL, env=environment(recipients))
        time.sleep(random.uniform(0, longest))
        child.send_signal(number)
        status = child.wait()
        if status == 0:
            delivered += 1
            longest = min(0.5, max(longest * 0.9, 0.002))
        else:
            ended += 1
            longest = min(0.5, longest * 1.2)
            assert status in (75, -number), status
        for recipient, path in recipients.items():
            if not os.path.isdir(path + "/new"):
                assert status != 0
                continue
            found = texts(path)
            assert all(text == whole[recipient] for text in found)
            if number == signal.SIGKILL:
                assert len(found) >= (status == 0)
            else:
                assert len(found) == (status == 0), (status, len(found))
                assert not listed(path, "tmp")
            for sub in ("tmp", "new"):
                for entry in listed(path, sub):
                    os.unlink(os.path.join(path, sub, entry))
    # The moments were not all before the beginning or behind the end.
    assert delivered > 0 and ended > 0, (delivered, ended)


def limited(octets, *arguments):
    """smtpd-maildir, which may write files of so many octets at most."""
    limit = int(octets)
    # Python ignores it, and children inherit that.
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    os.execv(MAILDIR, [MAILDIR, *arguments])


def widowed(recipients):
    """The parent of the workers is killed between any two of their steps: what
    they have done they take back; once one was told that all is done, it keeps it."""
    recipients = recipients.split(",")
    seen = set()
    for step in range(1, 30):
        trace = ["strace", "-qq", "-o", "/dev/null", "-e", "trace=write",
                 "-e", f"inject=write:signal=KILL:when={step}"]
        # Without -f: the parent alone.
        child = subprocess.run([*trace, MAILDIR, "--create", "~/Maildir"], input=b"A: b\n",
                               env=environment(recipients, ASAN_OPTIONS="detect_leaks=0"),
                               stderr=subprocess.PIPE)
        time.sleep(0.05)
        counts = []
        for recipient in recipients:
            path = os.path.expanduser("~" + recipient.partition("@")[0]) + "/Maildir"
            if os.path.isdir(path + "/new"):
                counts.append(len(listed(path, "new")))
                assert not listed(path, "tmp"), step
                for entry in listed(path, "new"):
                    os.unlink(f"{path}/new/{entry}")
        seen.add((child.returncode == 0, tuple(counts)))
        if child.returncode == 0:
            break
    else:
        raise AssertionError("never came to its end")
    # Killed before, killed between the last two words, and not at all.
    none, some, every = (False, (0, 0)), (False, (1, 0)), (True, (1, 1))
    assert {none, every} <= seen and all(n <= 1 for _, c in seen for n in c), seen
    assert all(sum(counts) == 0 for good, counts in seen - {some, every}), seen


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
