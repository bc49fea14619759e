"""What broke other mail servers, for field.bats."""

import os
import re

from session import SMTPD, STAGE, Session, show, until  # noqa: F401
from smuggling import EMBEDDED, END, SEQUENCES  # noqa: F401
from talk import Unexpected  # noqa: F401

MAIL = os.environ.get("MAIL", "")
CANARY = f"{MAIL}/canary"
TOUCH = f"touch {CANARY}"
SPACES = TOUCH.replace(" ", "${IFS}")
# Taken, and handed on as they are.
INERT = (
    f"|{SPACES}@c",
    f"`{SPACES}`@c",
    f"$({SPACES})@c".replace("(", "{").replace(")", "}"),
    f'"$({TOUCH})"@c',
    f'"a b;{TOUCH}"@c',
    f'"() {{ :; }}; {TOUCH}"@c',                 # CVE-2014-6271 bash
    f'"a\\" -X{CANARY} "@y',                     # CVE-2016-10045 PHPMailer
    f"-X{CANARY}@y",                             # CVE-2016-10033
    f"-OQueueDirectory={MAIL}@x", "-bd@x", "--@x", "-@x",
    "/etc/passwd@c", f"{CANARY}@c", f'">{CANARY}"@c', f'":include:{CANARY}"@c',
    # CVE-2015-7611, CVE-2022-22931 James
    '"../../etc/x"@d', "../../etc/x@d", "..@d", "a/../b@d", "%2e%2e@d", "%2f..%2fx@d",
    '""@d', '"."@d', '"\\/"@d', "~root@d", "*@d", "?@d", "$HOME@d", "!id@d", "a&b@d",
    '"%s%n%x"@d', "#@d", '"a,b"@d', '"<a@b>"@d', "a'b@d", "'@d",
)
# Refused.
BAD = (
    f";{TOUCH};", f"() {{ :; }}; {TOUCH}",       # CVE-2020-7247 OpenSMTPD
    f"${{run{{{TOUCH}}}}}@localhost",            # CVE-2019-10149 Exim
    f"a@b$({TOUCH})", "a@b`id`", f"a@b;{TOUCH}", ":include:/etc/passwd@c",
    ":@d", "a\0b@d", "a@b\rX: y", '"a\rX: y"@b', '"a\0b"@d', "a@b\0.c", "a@../b", "a@b/../c",
)


def environ(path):
    with open(path, "rb") as file:
        return dict(v.split(b"=", 1) for v in file.read().split(b"\0") if b"=" in v)


def each_address(smtp, check):
    """Sends a message to and from each; the reply goes to check."""
    wrong = []
    for address in INERT:
        try:
            problem = check(address, smtp.message(
                b"Subject: x\n\nx\n", address, sender=f"<{address}>"))
        except Unexpected as error:
            problem = error
        if problem:
            wrong.append((address, problem))
    for address in BAD:
        smtp.talk.ask(f"MAIL FROM:<{address}>", "501 5.5.4", "500 5.5.2")
        smtp.talk.ask("MAIL FROM:<>", "250")
        smtp.talk.ask(f"RCPT TO:<{address}>", "501 5.5.4", "500 5.5.2")
        smtp.talk.ask("RSET", "250")
    return wrong


def memory(smtp, file, name):
    """KiB of it that agent and dialogue have."""
    found = 0
    for pid in (smtp.process.pid, smtp.dialogue()):
        with open(f"/proc/{pid}/{file}", encoding="ascii") as lines:
            found += sum(int(n) for n in re.findall(rf"^{name}:\s*(\d+)", lines.read(), re.M))
    return found


def own(smtp):
    """Theirs alone: the kernel walks the page tables for it."""
    return memory(smtp, "smaps_rollup", "Private_Dirty")


def peak(smtp):
    """The most they have had. The counters behind it are added up from each
    processor's, and off by up to 64 pages a processor."""
    return memory(smtp, "status", "VmHWM")
