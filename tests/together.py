"""For together.bats: smtpd behind a parent that has the keys, and whoever
names the client."""

import os
import re  # noqa: F401
import socket  # noqa: F401
import subprocess  # noqa: F401

import ucspitls
from auth import b64, plain  # noqa: F401
from introduced import (  # noqa: F401
    LOCAL, MAIL, RECORD, TCP4, TCP6, V1, begin, errors, events, four, hook,
    only, recorded, sent, show, six, tlv)
from talk import Conversation  # noqa: F401
from ucspitls import TlsTalk

LOGINS = ("-a", "cat <&3 >/dev/null")


class Parent(ucspitls.Parent):
    """Greeted already, behind a header if there is one."""

    def __init__(self, kind, *options, header=b"", command=(RECORD, MAIL),
                 env=None, **more):
        wrapper = ("--tlswrapper",) if kind == "wrapper" else ()
        super().__init__(
            [os.environ["SMTPD"], *wrapper, *options, *command],
            os.environ["PEM"], kind, env={**os.environ, **(env or {})}, **more)
        self.talk.send(header)
        self.greeting = self.talk.expect("220")

    def in_tls(self):
        self.talk = TlsTalk(self.talk)

    def ended(self, status=0):
        self.talk.sock.close()
        super().ended(status)

    def quits(self):
        self.talk.ask("QUIT", "221 2.0.0")
        self.ended()

    def sends(self):
        """A message; what the command was told."""
        for line, code in (("MAIL FROM:<a@b>", "250"), ("RCPT TO:<c@d>", "250"),
                           ("DATA", "354"), ("x\r\n.", "250 2.0.0")):
            self.talk.ask(line, code)
        self.quits()
        return recorded()[0]
