#!/usr/bin/python3
"""Debian's aiosmtpd.

    aio.py PORT smtp|lmtp|short [LINE [SIZE]]

short is LMTP with one reply, however many recipients. Lines have at most LINE
octets (aiosmtpd's own: 1001), messages SIZE. A recipient no... is not known. A
sender NNN@... is told the code NNN after the data, and raise@... raises an
exception. What else comes is left in the files got and got.envelope.
"""

import sys
import time

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = envelope.mail_from.partition("@")[0]
        if name == "raise":
            raise RuntimeError("out of order")
        if name.isdigit():
            return f"{name} {name[0]}.7.1 Not {name}"
        with open("got", "wb") as file:
            file.write(envelope.content)
        with open("got.envelope", "w") as file:
            print(envelope.mail_from, envelope.rcpt_tos,
                  envelope.mail_options, file=file)
        if len(envelope.rcpt_tos) > 1 and sys.argv[2] == "lmtp":
            return "250 2.0.0 aio\r\n250 2.0.0 two"
        return "250 2.0.0 aio"


class Server(Controller):
    def factory(self):
        kind = SMTP if sys.argv[2] == "smtp" else LMTP
        limits = [int(word) for word in sys.argv[3:]]
        kind.line_length_limit = limits[0] if limits else 1001
        return kind(self.handler, enable_SMTPUTF8=True,
                    data_size_limit=limits[1] if limits[1:] else 1 << 26)


Server(Handler(), hostname="127.0.0.1", port=int(sys.argv[1])).start()
time.sleep(600)
