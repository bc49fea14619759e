#!/usr/bin/env python3
"""The Received line by the grammar of RFC 5321 4.4, and by Python's parser."""

import email
import email.policy
import email.utils
import re
import time

from session import STAGE, Session, show

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
ATOM = rf"{ATEXT}+"
LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
DOMAIN = rf"{LABEL}(?:\.{LABEL})*"
LITERAL = r"\[(?:\d+(?:\.\d+){3}|IPv6:[0-9A-Fa-f:.]+)\]"
QUOTED = r'"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"'
FWS = r"(?:[ \t]+|[ \t]*\r?\n[ \t]+)"
# Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time. Where the
# client's name is none, what stands for it is one word that breaks nothing.
STAMP = re.compile(
    rf"from{FWS}(?P<helo>[^\s()<>;\\\",]+)(?:{FWS}\((?P<ip>{LITERAL})\))?"
    rf"{FWS}by{FWS}(?P<by>{DOMAIN})"
    rf"{FWS}with{FWS}(?P<with>{ATOM})"
    rf"{FWS}id{FWS}(?P<id>{ATOM}|<[^\s<>]+@[^\s<>]+>)"
    rf"(?:{FWS}for{FWS}(?P<for><(?:(?:{QUOTED}|[^\s<>\"@;()\\]+)(?:@(?:{DOMAIN}|{LITERAL}))?)>))?"
    rf";{FWS}(?P<date>[A-Z][a-z]{{2}}, \d\d? [A-Z][a-z]{{2}} \d{{4}} "
    r"\d\d:\d\d:\d\d [+-]\d{4})")

NAMES = {
    "me.example.org": "me.example.org",
    "localhost": "localhost",
    "[192.0.2.1]": "[192.0.2.1]",
    "[IPv6:2001:db8::1]": "[IPv6:2001:db8::1]",
    "a_b-c": "a_b-c",
}
HOSTILE = ["() { :; }; id", "(comment", "x)", "x;y", "a\\b", "a\"b", "<x@y>", "a,b",
           "x(y)z", ";", "\\", "\"", "=?utf-8?q?x?=", "by", "x\xe9y", "'$(id)`"]


class Case:
    def __init__(self, wrong, *options, kind="tcp", where=None):
        self.wrong, self.kind, self.where = wrong, kind, where
        self.options = options

    def run(self, hello, recipients, with_, name=None, rest=""):
        smtp = Session("-A", "-q", "--hostname", "mx.example.net", *self.options,
                       "sh", "-c", 'cat >"$0"; echo "250 2.0.0 $SMTP_SESSION"',
                       f"{STAGE}/mail/m", kind=self.kind, where=self.where,
                       hello=None)
        smtp.talk.expect("220")
        smtp.talk.send(hello.encode("latin-1") + b"\r\n")
        smtp.talk.expect("250")
        before = int(time.time()) - 1  # smtpd may read a coarser clock
        reply = smtp.message(b"Subject: x\n\nbody\n", *recipients, rest=rest)
        after = time.time()
        smtp.quit()
        session = reply.split()[2].decode()
        with open(f"{STAGE}/mail/m", "rb") as file:
            octets = file.read()
        text = octets.decode("utf-8")
        case = (self.options, self.kind, hello, recipients)
        end = "\r\n" if "-C" in self.options else "\n"
        if end == "\r\n" and text.count("\n") != text.count("\r\n"):
            self.wrong.append((*case, "not all CRLF", text))
        if not text.endswith(f"{end}Subject: x{end}{end}body{end}"):
            self.wrong.append((*case, "not on top", text))
        if any(len(line) > 998 for line in text.splitlines()):
            self.wrong.append((*case, "a line over 998 octets"))
        parsed = email.message_from_bytes(octets, policy=email.policy.SMTP)
        if parsed.keys() != ["Received", "Subject"] or parsed.defects or \
                parsed["Received"].defects:
            self.wrong.append((*case, parsed.keys(), parsed.defects))
        head = text[:text.index(f"{end}Subject:")]
        stamp = STAMP.fullmatch(head[len("Received: "):])
        if not head.startswith("Received: ") or not stamp:
            self.wrong.append((*case, "not by the grammar", head))
            return
        want = {"with": with_, "by": "mx.example.net", "id": session,
                "for": f"<{recipients[0]}>" if len(recipients) == 1 else None}
        if self.where:
            ip = self.where.get("source") or self.where["host"]
            want["ip"] = f"[IPv6:{ip}]" if ":" in ip else f"[{ip}]"
        elif self.kind != "tcp":
            want["ip"] = None
        if name:
            want["helo"] = name
        for key, value in want.items():
            if stamp[key] != value:
                self.wrong.append((*case, key, stamp[key], value))
        date = email.utils.parsedate_to_datetime(stamp["date"])
        if not before <= date.timestamp() <= after:
            self.wrong.append((*case, stamp["date"], before))


def main():
    wrong = []
    here = {"host": "127.0.0.1", "source": "127.0.0.2"}
    one, two = ["to@example.net"], ["to@example.net", "cc@example.net"]
    for options in ((), ("-C",)):
        case = Case(wrong, *options, where=here)
        case.run("EHLO me.example.org", one, "ESMTP")
        case.run("EHLO me.example.org", two, "ESMTP")
        case.run("HELO me.example.org", one, "SMTP")
        case.run("EHLO me", ['"a b;)(\\""@example.net'], "ESMTP")
        case.run("EHLO me", ["x@[192.0.2.1]"], "ESMTP")
        case.run("EHLO me", ["x" * 400 + "@example.net"], "ESMTP")
        case.run("EHLO " + "n" * 500, one, "ESMTP")
    Case(wrong, "-u", where=here).run("EHLO me", ["gr\u00fc\u00df@example.net"],
                                      "UTF8SMTP", rest=" SMTPUTF8")
    for name, shown in NAMES.items():
        Case(wrong, where=here).run(f"EHLO {name}", one, "ESMTP", shown)
        Case(wrong, where={"host": "::1"}).run(f"EHLO {name}", two, "ESMTP", shown)
    for name in HOSTILE:
        Case(wrong, where=here).run(f"EHLO {name}", one, "ESMTP")
        Case(wrong, kind="pair").run(f"HELO {name}", two, "SMTP")
    Case(wrong, kind="mapped", where=here).run("EHLO me", one, "ESMTP")
    for kind in ("pair", "pipe", "unix"):
        Case(wrong, kind=kind).run("EHLO me", one, "ESMTP", "me")
    show(wrong)


if __name__ == "__main__":
    main()
