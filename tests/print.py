"""What tests/print.bats asks of smtpd-print, and a model of its JSON."""
import base64
import datetime
import fcntl
import json
import os
import pty
import random
import re
import resource
import signal
import subprocess
import sys
import time

PRINT = os.environ["SMTPD_BIN"] + "/smtpd-print"
MEMBERS = ["session", "received", "peer", "port", "helo", "protocol", "sender",
           "recipients", "mail_options", "rcpt_options", "size", "headers",
           "body", "encoding"]
FIELD = re.compile(rb"([!-9;-~]{1,998})[ \t]*:(.*)", re.DOTALL)


def run(message, *arguments, environment=None, **more):
    more.setdefault("stderr", subprocess.PIPE)
    return subprocess.run([PRINT, *arguments], input=message, env=environment or {},
                          stdout=subprocess.PIPE, timeout=60, **more)


def strict(line):
    """The object, and nothing but what RFC 8259 allows, no name twice."""
    def no_constant(name):
        raise ValueError(name)

    def once(pairs):
        assert len(dict(pairs)) == len(pairs)
        return dict(pairs)
    assert line.endswith(b"\n") and line.count(b"\n") == 1
    assert not re.search(rb"[\0-\x09\x0b-\x1f\x7f]", line)
    assert not re.search("[\x80-\x9f]", line.decode("utf-8", "strict"))
    return json.loads(line.decode("utf-8", "strict"), strict=True,
                      parse_constant=no_constant, object_pairs_hook=once)


def model(message):
    """headers, body and encoding as smtpd-print(8) says."""
    headers, rest = [], message
    while rest:
        line, newline, behind = rest.partition(b"\n")
        bare = line[:-1] if newline and line.endswith(b"\r") else line
        if headers and line[:1] in (b" ", b"\t"):
            headers[-1][1] += bare
        elif field := FIELD.fullmatch(bare):
            headers.append([field[1], field[2]])
        else:
            if newline and not bare:
                rest = behind
            break
        rest = behind
    headers = [[name, value.lstrip(b" \t")] for name, value in headers]
    try:
        message.decode("utf-8")
        encoding, text = "utf-8", lambda octets: octets.decode("utf-8")
    except UnicodeDecodeError:
        encoding, text = "base64", lambda octets: base64.b64encode(octets).decode()
    return {"headers": [[name.decode(), text(value)] for name, value in headers],
            "body": text(rest), "encoding": encoding, "size": len(message)}


def check_json(message, environment=None):
    before = int(time.time())
    result = run(message, "--json", environment=environment)
    assert (result.returncode, result.stdout) == (0, b""), result
    seen = strict(result.stderr)
    assert list(seen) == MEMBERS
    expected = model(message)
    for name, value in expected.items():
        assert seen[name] == value, (name, message[:200], seen[name][:200], value[:200])
    received = datetime.datetime.strptime(seen["received"], "%Y-%m-%dT%H:%M:%SZ")
    received = received.replace(tzinfo=datetime.timezone.utc).timestamp()
    # The coarse clock of time(2) may be a tick behind.
    assert before - 1 <= received <= time.time()
    return seen


NASTY = [
    b"", b"\n", b"\r\n", b"\r", b"\n\n", b"\0", b"A", b"A:", b"A:\n", b"A: \n\n",
    b"A: b", b"A: b\r", b"A: b\r\r\n\r\n", b" leading\nA: b\n\n", b"A: b\n c\n\td\n \n\nx",
    b"A:\r\n b\r\n\r\nbody\r\n", b"A : b\n\n", b": x\n\nbody", b"A b: c\n\n",
    b"Subject: \xc3\xa4\xf0\x9f\x98\x80\n\n\xe2\x82\xac", b"\xc3\xa4: b\n\n",
    b"A: \xff\n\nplain", b"A: b\n\n\xc3", b"A: b\n\n\xed\xa0\x80", b"A: b\n\n\xc0\x80",
    b"A: \"\\\b\f\x1b[2J\x7f\xc2\x9b\n\n\0\x01\x02\x1f\x7f\xc2\x80\xc2\x9f\xe2\x80\xa8",
    b"From x\nA: b\n\n", b"A: b\nno field\nC: d\n\ne", b"A: b\n\n\n\nx\n",
    b"A" * 998 + b": b\n\n", b"A" * 999 + b": b\n\n",
    b"A" * 998 + b" : b\n\n", b"A: b\rc\n\n", b"A:b\n\r\n\n",
]


def nasty():
    for message in NASTY:
        check_json(message)


def rand(seed):
    """Octets at random: all of them, and those that the syntax is made of."""
    print("seed", seed)
    generator = random.Random(seed)
    alphabets = [bytes(range(256)), b"A:\n\r \t", b"a: \n\"\\\0\xc3\xa4\xe2\x82\xac"]
    for _ in range(300):
        alphabet = generator.choice(alphabets)
        length = generator.choice([5, 20, 200, 3000])
        check_json(bytes(generator.choices(alphabet, k=generator.randrange(length))))


def edges():
    """Long messages whose interesting octets lie about the ends of the buffers
    (65536 octets), and whose name does."""
    for at in list(range(65530, 65541)) + [131071, 131072, 131073]:
        for tail in (b"\r\n\r\nbody\r\n", b"\n\nbody", b"\r\n x\r\nB: c\r\n\r\nd", b"\n x\n",
                     b"\rx\n\n", b"\xf0\x9f\x98\x80\n\n\xe2\x82\xac", b"\nName : v\n\n"):
            message = b"A: " + b"x" * (at - 3) + tail
            check_json(message)
            check_plain(message)
        check_json(b"A: b\n\n" + b"x" * (at - 6) + b"\xf0\x9f\x98\x80")
        check_json(b"A: b\n\n" + b"x" * (at - 6) + b"\xf0\x9f\x98")
        check_plain(b"A: b\n" + b"x" * (at - 5))
    for size in (65534, 65535, 65536, 65537):
        check_json(b"A: b\n\n" + b"x" * (size - 6))
        check_plain(b"A: b\n\n" + b"x" * (size - 6))


def check_plain(message):
    lines = message.splitlines(keepends=True) if b"\r" not in message else \
        re.findall(rb"[^\n]*\n|[^\n]+", message)
    for i, line in enumerate(lines):
        if line in (b"\n", b"\r\n"):
            lines.insert(i, b"X-Peer: 192.0.2.7" + line)
            break
    text = b"".join(lines)
    if text and not text.endswith(b"\n"):
        text += b"\n"
    result = run(message, environment={"TCPREMOTEIP": "192.0.2.7"})
    assert (result.returncode, result.stdout) == (0, b""), result
    assert result.stderr == (b"---------- MESSAGE FOLLOWS ----------\n" + text +
                             b"------------ END MESSAGE ------------\n"), message[:100]


def reference():
    """CPython's own DebuggingServer; exit status 77 where there is none."""
    import contextlib
    import io
    import warnings
    warnings.simplefilter("ignore")
    try:
        import smtpd
    except ImportError:
        sys.exit(77)
    server = object.__new__(smtpd.DebuggingServer)
    options = [[], ["SIZE=20"], ["SIZE=20", "BODY=8BITMIME"], ["A='", "B=\"", "C='\"", "D=\\"]]
    messages = ["A: b\n\nc", "A: b\n c\nX-Peer: forged\n\n\n.dot\n\nX: y", "\nbody", "no empty line"]
    for mail in options:
        for rcpt in options:
            for message in messages:
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    server.process_message(("192.0.2.7", 1), "a", ["b", "c"], message,
                                           mail_options=mail, rcpt_options=rcpt)
                environment = {"TCPREMOTEIP": "192.0.2.7", "RECIPIENTS": "b\nc"}
                if mail:
                    environment["SMTP_MAIL_OPTIONS"] = " ".join(mail)
                if rcpt:
                    environment["SMTP_RCPT_OPTIONS"] = rcpt[0] + "\n" + " ".join(rcpt[1:])
                # Python had dropped the last line end already.
                result = run(message.encode() + b"\n", environment=environment)
                assert result.stderr.decode() == out.getvalue(), (result.stderr, out.getvalue())


def crowd(kind, *arguments):
    """20 at once, of 300 KB each; kind is file, shared or apart."""
    out = open("out", "wb")
    reader = None
    if kind == "pipe":
        r, w = os.pipe()
        reader = subprocess.Popen(["cat"], stdin=r, stdout=out)
        os.close(r)
        errors = [os.fdopen(w, "wb")] * 20
    elif kind == "shared":
        errors = [out] * 20
    elif kind == "apart":
        errors = [open("out", "ab") for _ in range(20)]
    else:
        errors = [None] * 20
        arguments += ("out",)
    printers = []
    for i in range(20):
        with open(f"in{i}", "wb") as file:
            file.write(b"N: %d\n\n" % i + (b"%02d-" % i * 20 + b"\n") * 5000)
        printers.append(subprocess.Popen([PRINT, *arguments], stdin=open(f"in{i}", "rb"),
                                         stderr=errors[i], env={"TCPREMOTEIP": "::1"}))
    assert [p.wait(60) for p in printers] == [0] * 20
    if reader:
        errors[0].close()
        assert reader.wait(60) == 0
    seen = open("out", "rb").read()
    if "--json" in arguments:
        lines = seen.splitlines(keepends=True)
        numbers = [int(strict(line)["headers"][0][1]) for line in lines]
        bodies = [strict(line)["body"].encode() for line in lines]
    else:
        whole = re.compile(rb"-{10} MESSAGE FOLLOWS -{10}\nN: (\d+)\nX-Peer: ::1\n\n"
                           rb"((?:[0-9-]{60}\n)*)-{12} END MESSAGE -{12}\n")
        found = whole.findall(seen)
        assert whole.sub(b"", seen) == b""
        numbers, bodies = [int(n) for n, _ in found], [body for _, body in found]
    assert sorted(numbers) == list(range(20))
    for number, body in zip(numbers, bodies):
        assert body == (b"%02d-" % number * 20 + b"\n") * 5000


def terminal(*arguments):
    """What the message on standard input makes a terminal show."""
    message = sys.stdin.buffer.read()
    master, slave = pty.openpty()
    process = subprocess.Popen([PRINT, *arguments], stdin=subprocess.PIPE, stderr=slave,
                               env={"TCPREMOTEIP": "::1"})
    os.close(slave)
    process.stdin.write(message)
    process.stdin.close()
    shown = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert process.wait(10) == 0
    # The terminal itself makes CRLF of LF.
    sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))


def waits(how):
    """Somebody holds the lock: nothing is written until it is given up, and
    a signal ends the wait."""
    with open("out", "wb") as out:
        out.write(b"before\n")
    with open("out", "ab") as out:
        fcntl.lockf(out, fcntl.LOCK_EX)
        process = subprocess.Popen([PRINT, "out"], stdin=subprocess.PIPE, env={})
        process.stdin.write(b"A: b\n\n")
        process.stdin.close()
        try:
            process.wait(0.5)
            raise AssertionError("did not wait")
        except subprocess.TimeoutExpired:
            pass
        assert os.path.getsize("out") == 7
        if how == "signal":
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == -signal.SIGTERM
            assert os.path.getsize("out") == 7
    if how == "release":
        assert process.wait(10) == 0
        assert os.path.getsize("out") > 7


def interrupted():
    """SIGTERM at any time: all of the message, or nothing of it."""
    message = b"A: b\n\n" + b"x" * 20000000
    with open("in", "wb") as file:
        file.write(message)
    cut = whole = 0
    for i in range(40):
        with open("out", "wb") as out:
            out.write(b"before\n")
        process = subprocess.Popen([PRINT, "out"], stdin=open("in", "rb"), env={})
        # Until it writes, then a little more.
        while os.path.getsize("out") == 7 and process.poll() is None:
            pass
        time.sleep(i * 0.0005)
        process.send_signal(signal.SIGTERM)
        status = process.wait(20)
        size = os.path.getsize("out")
        assert size == 7 or size > len(message), (status, size)
        cut += size == 7
        whole += size > 7
        assert status != 0 or size > 7
    assert cut > 0, "never hit"
    print(cut, "cut back,", whole, "whole")


def nonblocking():
    """A standard error that somebody made non-blocking, and a slow reader."""
    r, w = os.pipe()
    os.set_blocking(w, False)
    message = b"A: b\n\n" + b"x" * 1000000 + b"\n"
    with open("in", "wb") as file:
        file.write(message)
    process = subprocess.Popen([PRINT], stdin=open("in", "rb"), stderr=w, env={})
    os.close(w)
    time.sleep(0.3)
    with os.fdopen(r, "rb") as reader:
        seen = reader.read()
    assert process.wait(10) == 0
    assert seen.endswith(b"x\n------------ END MESSAGE ------------\n")
    assert len(seen) == len(message) + 38 + 38 + len("X-Peer: unknown\n")


def limited(size, *arguments):
    """Runs it where no file can become longer than that many octets."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size), int(size)))
    result = run(sys.stdin.buffer.read(), *arguments, preexec_fn=limit)
    sys.stderr.buffer.write(result.stderr)
    sys.exit(result.returncode)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
