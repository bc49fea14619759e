#!/usr/bin/python3
"""What Mailman's LMTP runner has put into its queues: queues.py QUEUES

A line for each message, sorted: queue, list, subaddress, sender, Subject, and
the octets of its body. For Debian's own Python, which has mailman's classes.
"""
import glob
import pickle
import sys

lines = []
for path in glob.glob(sys.argv[1] + "/*/*.pck"):
    with open(path, "rb") as file:
        message, data = pickle.load(file), pickle.load(file)
    if isinstance(message, bytes):
        message = pickle.loads(message)
    lines.append(" ".join((
        path.split("/")[-2], data["listid"], data.get("subaddress", "post"),
        message["X-MailFrom"] or "<>", str(message["Subject"]),
        str(len(message.get_payload(decode=True))))))
print("\n".join(sorted(lines)))
