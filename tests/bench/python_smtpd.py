#!/usr/bin/python3
"""Python's own smtpd (up to 3.11), which drops what it gets: python_smtpd.py PORT"""

import asyncore
import smtpd
import sys


class Discard(smtpd.SMTPServer):
    def process_message(self, *arguments, **options):
        return None


# Its own backlog is 5: of 20 clients at once some would wait a second.
Discard(("127.0.0.1", int(sys.argv[1])), None, data_size_limit=0).listen(512)
asyncore.loop()
