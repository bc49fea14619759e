#!/usr/bin/env python3
"""A DNS server for one test: names.py DIR NAME=TEXT ...

Answers TXT questions for these names, and that no other name is there, on
127.0.0.1 and any port, which it writes to DIR/names.
"""

import os
import socket
import struct
import sys

TXT, NO_SUCH_NAME = 16, 3


def answer(message, texts):
    end = message.index(b"\0", 12) + 1
    labels, at = [], 12
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode().lower())
        at += 1 + message[at]
    text = texts.get(".".join(labels))
    kind = struct.unpack("!H", message[end:end + 2])[0]
    records = b""
    if text and kind == TXT:
        value = bytes([len(text)]) + text.encode()
        records = struct.pack("!HHHIH", 0xC00C, TXT, 1, 60, len(value)) + value
    flags = 0x8580 if text else 0x8580 | NO_SUCH_NAME
    return (message[:2] +
            struct.pack("!HHHHH", flags, 1, 1 if records else 0, 0, 0) +
            message[12:end + 4] + records)


def main():
    folder = sys.argv[1]
    texts = dict(word.split("=", 1) for word in sys.argv[2:])
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    with open(os.path.join(folder, "names.new"), "w") as file:
        file.write(f"{server.getsockname()[1]}\n")
    os.rename(os.path.join(folder, "names.new"), os.path.join(folder, "names"))
    while True:
        message, peer = server.recvfrom(4096)
        server.sendto(answer(message, texts), peer)


main()
