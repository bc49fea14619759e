#!/usr/bin/env python3
"""A policy server that answers what the question asks for, be it good or not.

    policyd.py ADDRESS DIR

Listens on ADDRESS, HOST:PORT or a path, and writes the port to DIR/port. Each
question is appended to DIR/questions as it came.

What is answered stands in the question's policy_context: answers with "|"
between them, one for each time that this very question is asked, the last one
for every further time. An answer is octets, whose \\n \\r \\t \\0 and \\xHH are
meant, and {CxN} N times the character C; or close, reset, hang, flood (endless,
with line ends), stream (endless, without), drip (never done).
"""

import os
import re
import socket
import struct
import sys
import threading
import time

LOCK = threading.Lock()
ASKED = {}


def unescape(text):
    names = {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}
    text = re.sub(r"\{(.)x(\d+)\}", lambda m: m[1] * int(m[2]), text)
    return re.sub(r"\\(x[0-9a-fA-F]{2}|.)",
                  lambda m: names.get(m[1]) or chr(int(m[1][1:], 16)),
                  text).encode("latin-1")


def act(connection, answer):
    if answer == "hang":
        connection.recv(1)  # until the other side gives up
    elif answer == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                              struct.pack("ii", 1, 0))
    elif answer in ("flood", "stream"):
        while True:
            connection.sendall(b"a=b\n" * 999 if answer == "flood"
                               else b"a" * 3999)
    elif answer == "drip":
        while True:
            connection.sendall(b"a")
            time.sleep(0.1)
    elif answer != "close":
        connection.sendall(unescape(answer))
        connection.recv(1)


def serve(connection, folder):
    question = b""
    while not question.endswith(b"\n\n"):
        octets = connection.recv(65536)
        if not octets:
            return
        question += octets
    context = re.search(rb"^policy_context=(.*)$", question, re.M)[1].decode()
    with LOCK:
        with open(os.path.join(folder, "questions"), "ab") as questions:
            questions.write(question)
        times = ASKED[question] = ASKED.get(question, 0) + 1
    answers = context.split("|")
    try:
        act(connection, answers[min(times, len(answers)) - 1])
    except OSError:
        pass
    connection.close()


def listen(address, folder):
    if "/" in address:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        port = ""
    else:
        host, _, port = address.rpartition(":")
        listener = socket.create_server((host, int(port)))
        port = listener.getsockname()[1]
    listener.listen(50)
    with open(os.path.join(folder, "port.new"), "w") as file:
        file.write(f"{port}\n")
    os.rename(os.path.join(folder, "port.new"), os.path.join(folder, "port"))
    return listener


def main():
    listener = listen(sys.argv[1], sys.argv[2])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, sys.argv[2]),
                         daemon=True).start()


main()
