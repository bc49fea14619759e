#!/usr/bin/env bats
# shellcheck shell=bats
# -p: the PROXY header names the peer; smtpd(8), "The peer". The parser's own
# tests are units_proxy.c; here is what comes of it, and the real haproxy.
# shellcheck disable=SC2030,SC2031,SC2154

load lib

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
	HOOKS=$STAGE/hooks.$BATS_TEST_NUMBER
	export HOOKS
}

teardown() {
	end_all
}

@test "the header names the client to the command, in Received and in the log" {
	py <<-'PY'
		from introduced import *
		wrong = []
		cases = ((V1, TCP4), (V1_SIX, TCP6), (four(), TCP4), (six(), TCP6),
		         (four(tlv(4, b"noop") + tlv(5, b"id")), TCP4),
		         (b"PROXY TCP6 ::ffff:192.0.2.7 ::ffff:192.0.2.25 40312 25\r\n", TCP4),
		         (unix(), {"PROTO": "UNIX"}))
		for kind in "tcp", "pair", "pipe":
		    for header, expected in cases:
		        smtp = begin(header, "-p", kind=kind, env=WORDS)
		        env, message, log = sent(smtp)
		        ip = expected.get("TCPREMOTEIP", "")
		        clause = " ([%s%s])" % ("IPv6:" if ":" in ip else "", ip) if ip else ""
		        line = message.split(b"\n")[0].decode()
		        connect, = events(log, "connect")
		        end, = events(log, "message")
		        seen = (only(env), line, connect["peer"], end["peer"], connect.get("port"),
		                connect["proxy"], errors(log))
		        # The proxy of a pipe is whom the launcher names.
		        right = (expected, "Received: from me.example.org" + clause, ip or "unix", ip or "unix",
		                 expected.get("TCPREMOTEPORT"), "127.0.0.1", [])
		        if seen != right:
		            wrong.append((kind, header, seen, right))
		show(wrong)
	PY
}

@test "UNKNOWN, unspecified and LOCAL leave the proxy as the peer" {
	py <<-'PY'
		from introduced import *
		wrong = []
		for header in (UNKNOWN, b"PROXY UNKNOWN ::1 junk\r\n", LOCAL, v2(0), four(command=0),
		               v2(0, tlv(4, b"x"))):
		    smtp = begin(header, "-p", env=WORDS)
		    expected = own(smtp)
		    env, message, log = sent(smtp)
		    connect, = events(log, "connect")
		    if only(env) != expected or connect["peer"] != "127.0.0.1" or \
		            connect["proxy"] != "127.0.0.1" or errors(log):
		        wrong.append((header, only(env), expected, log))
		# Nor does a launcher's word for a pipe become more than it was.
		smtp = begin(LOCAL, "-p", kind="pipe")
		env, message, log = sent(smtp)
		if only(env) or not message.startswith(b"Received: from me.example.org\n"):
		    wrong.append((env, message))
		show(wrong)
	PY
}

@test "nobody behind a proxy is trusted for being local, or for RELAYCLIENT" {
	py <<-'PY'
		from introduced import *
		from policy import ANYWHERE, NOWHERE
		wrong = []
		home = b"PROXY TCP4 127.0.0.1 127.0.0.1 40312 25\r\n"
		home_six = b"PROXY TCP6 ::1 ::1 40312 25\r\n"
		nobody = (UNKNOWN, LOCAL, v2(0), unix())
		everyone = (V1, V1_SIX, four(), six(), home, home_six, *nobody)
		cases = [(NOWHERE, (), header, kind) for header in everyone
		         for kind in ("tcp", "unix", "pair", "pipe")]
		cases += [(ANYWHERE, ("-r", "192.0.2.7"), V1, "tcp"),
		          (ANYWHERE, ("-r", "192.0.2.0/24"), four(), "unix"),
		          (ANYWHERE, ("-r", "2001:db8::/64"), six(), "pipe"),
		          (ANYWHERE, ("-r", "127.0.0.1"), home, "tcp"),
		          (NOWHERE, ("-r", "192.0.2.25"), V1, "tcp"),
		          (ANYWHERE, ("-A",), V1, "tcp")]
		# The address of the proxy is not the client's.
		cases += [(NOWHERE, ("-r", "127.0.0.0/8"), header, kind)
		          for header in (V1, six(), *nobody) for kind in ("tcp", "pipe")]
		for expected, options, header, kind in cases:
		    more = ("--", "true") if "-A" in options else ("-D", "example.org", "--", "true")
		    smtp = begin(header, "-p", "-q", *options, "--max-errors", "0", *more,
		                 kind=kind, env=WORDS)
		    for what in may(expected, smtp):
		        wrong.append((options, header, kind, *what))
		show(wrong)
	PY
}

@test "a header comes from loopback and from what is no TCP socket, or else from --proxy-from" {
	need_root
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -n sh -c 'set -e
		ip link set lo up
		ip address add 192.0.2.1/32 dev lo
		ip address add 192.0.2.2/32 dev lo
		ip address add 2001:db8::1/128 dev lo nodad
		exec "$PYTHON" -' <<-'PY'
		import socket
		from introduced import *
		far = {"host": "192.0.2.1", "source": "192.0.2.2"}
		far_six = {"host": "2001:db8::1"}
		me, me_six = {}, {"host": "::1"}
		hook(os.environ["HOOKS"], "CONNECT", f"echo ran >>{MAIL}/.ran\n")
		hook(os.environ["HOOKS"], "DISCONNECT", f"echo ran >>{MAIL}/.ran\n")
		cases = (
		    (True, (), "tcp", me), (True, (), "tcp", me_six), (True, (), "mapped", me),
		    (True, (), "unix", None), (True, (), "abstract", None), (True, (), "pair", None),
		    (True, (), "pipe", None),
		    (False, (), "tcp", far), (False, (), "tcp", far_six), (False, (), "mapped", far),
		    (False, ("--no-trust",), "tcp", far), (False, ("-A",), "tcp", far),
		    (False, ("-r", "192.0.2.2"), "tcp", far),
		    (True, ("--proxy-from", "192.0.2.2"), "tcp", far),
		    (True, ("--proxy-from=192.0.2.0/24",), "mapped", far),
		    (True, ("--proxy-from", "198.51.100.7", "--proxy-from", "2001:db8::/32"), "tcp", far_six),
		    (False, ("--proxy-from", "192.0.2.1"), "tcp", far),
		    (False, ("--proxy-from", "192.0.2.2"), "tcp", far_six),
		    # It takes the place of the default.
		    (False, ("--proxy-from", "192.0.2.2"), "tcp", me),
		    (False, ("--proxy-from", "192.0.2.2"), "pair", None),
		    (False, ("--proxy-from", "192.0.2.2"), "unix", None),
		)
		wrong = []
		for good, options, kind, where in cases:
		    smtp = Session("-p", "-H", os.environ["HOOKS"], *options, "true", hello=None, kind=kind,
		                   where=where)
		    if good:
		        smtp.talk.send(V1)
		        smtp.talk.expect("220 ")
		        log = smtp.quit()
		        if errors(log) and "--no-trust" not in options:
		            wrong.append((options, kind, where, log))
		    # Of the others nothing is read: they are told so before they have said anything.
		    else:
		        said = smtp.talk.eof()
		        log = smtp.ended()
		        found = [line for line in errors(log) if "may not send a PROXY header" in line]
		        if said or len(found) != 1 or events(log, "connect"):
		            wrong.append((options, kind, where, said, log))
		ran = open(f"{MAIL}/.ran").read().count("ran")
		if ran != 2 * sum(case[0] for case in cases):
		    wrong.append(f"hooks ran {ran} times")
		# A pipe is from whom the launcher names.
		for address, good in (("192.0.2.2", True), ("192.0.2.3", False)):
		    smtp = Session("-p", "--proxy-from", "192.0.2.2", "true", hello=None, kind="pipe",
		                   env=policy.environment({"TCPREMOTEIP": address}))
		    if good:
		        smtp.talk.send(V1)
		        smtp.talk.expect("220 ")
		    elif smtp.talk.eof():
		        wrong.append(address)
		    smtp.ended()
		# Whoever may not is not waited for, and what it had sent is not answered.
		smtp = Session("-p", "true", hello=None, kind="tcp", where=far)
		smtp.talk.send(V1 + b"EHLO x\r\n")
		if smtp.talk.eof():
		    wrong.append("answered")
		smtp.ended()
		show(wrong)
	PY
}

@test "the header cut anywhere, octet by octet, and what is behind it" {
	py <<-'PY'
		import subprocess
		from introduced import *
		from session import SMTPD
		from talk import spawn
		wrong = []
		rest = b"EHLO early.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r\nQUIT\r\n"
		codes = [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]
		def answers(pieces):
		    talk, process = spawn("tcp", [SMTPD, "-p", "-q", "-A", "true"])
		    for piece in pieces[:-1]:
		        talk.send(piece)
		        talk.drained()
		    talk.forget()
		    talk.send(pieces[-1])
		    found = [talk.reply()[:3] for _ in codes]
		    talk.close()
		    return found, process.wait(10)
		for header in (V1, UNKNOWN, LOCAL, four(tlv(5, b"x")), six()):
		    places = range(1, len(header) + 3) if len(header) < 50 else \
		        (1, 5, 6, 7, 12, 13, 15, 16, 17, 40, len(header) - 1, len(header), len(header) + 5)
		    for at in places:
		        octets = header + rest
		        if answers([octets[:at], octets[at:]]) != (codes, 0):
		            wrong.append((header, at))
		    if answers([bytes([octet]) for octet in header + rest]) != (codes, 0):
		        wrong.append((header, "octet by octet"))
		show(wrong)
	PY
}

@test "no header, or a bad one: hung up on without a word, and an error line" {
	py <<-'PY'
		from introduced import *
		wrong = []
		line = b"PROXY TCP4 192.0.2.7 192.0.2.25 40312 25"
		checked = four(tlv(3, b"\0\0\0\0"))
		cases = [
		    b"EHLO me\r\n", b"\r\n", b"\n", b"x", b"GET / HTTP/1.0\r\n\r\n", b"\x16\3\1\2\0\1\0\1",
		    b"proxy TCP4 192.0.2.7 192.0.2.25 40312 25\r\n", b" " + V1, b"\r\n" + V1,
		    b"PROXY\r\n", b"PROXY \r\n", b"PROXY TCP4\r\n", b"PROXY TCP5 1.2.3.4 1.2.3.4 1 1\r\n",
		    line + b"\n", line + b"\r\r\n", line + b" \r\n", line + b"\0\r\n", line + b" x\r\n",
		    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 99999\r\n", b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 1\r\n",
		    b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", b"PROXY TCP4 1.1.1 2.2.2.2 1 1\r\n",
		    b"PROXY TCP4 ::1 ::1 1 1\r\n", b"PROXY TCP6 1.1.1.1 2.2.2.2 1 1\r\n",
		    b"PROXY TCP4  1.1.1.1 2.2.2.2 1 1\r\n", b"PROXY TCP4\t1.1.1.1 2.2.2.2 1 1\r\n",
		    b"PROXY TCP4 localhost 2.2.2.2 1 1\r\n", b"PROXY TCP4 01.1.1.1 2.2.2.2 1 1\r\n",
		    b"PROXY UNKNOWN junk\n", b"PROXY TCP4 1.2.3.4\r" + 200 * b"x",  # CVE-2023-42117
		    b"PROXY UNKNOWN " + 92 * b"x" + b"\r\n\r\n", b"PROXY " + 5000 * b"x",
		    SIGNATURE + b"\x11\x11\0\x0c" + 12 * b"x", SIGNATURE + b"\x31\x11\0\x0c" + 12 * b"x",
		    SIGNATURE + b"\x22\x11\0\x0c" + 12 * b"x", v2(0x12, 12 * b"x"), v2(0x41, 12 * b"x"),
		    v2(0x11, 11 * b"x"), v2(0x21, 35 * b"x"), v2(0x31, 215 * b"x"),
		    v2(0x11, length=65535), v2(0x11, length=2049), four(b"\4"), four(b"\4\0"), four(b"\4\0\1"),
		    four(tlv(4, b"")[:-1] + b"\1"), checked, four(tlv(0x20, b"\1\0\0\0")),
		    four(tlv(0x20, b"\1\0\0\0\0" + tlv(0x21, b"TLS\n1"))),
		    four(tlv(0x20, b"\1\0\0\0\0" + tlv(0x23, 64 * b"x"))),
		    SIGNATURE[:-1] + b"\r", SIGNATURE[:5] + b"\r",
		]
		hook(os.environ["HOOKS"], "CONNECT", f"echo ran >>{MAIL}/.ran\n")
		hook(os.environ["HOOKS"], "DISCONNECT", f"echo ran >>{MAIL}/.ran\n")
		for header in cases:
		    # What follows is not waited for, and not taken for commands.
		    smtp = begin(header + b"EHLO x\r\nQUIT\r\n", "-p", "-H", os.environ["HOOKS"], hello=None)
		    said = smtp.talk.eof()
		    log = smtp.ended()
		    if said or [("PROXY header" in e and "127.0.0.1" in e) for e in errors(log)] != [True] or \
		            [e["reason"] for e in events(log, "end")] != ["proxy"]:
		        wrong.append((header, said, log))
		# Cut short, too.
		for header in (V1, four(), six()):
		    for at in (1, 5, 6, 11, len(header) - 1):
		        smtp = begin(header[:at], "-p", hello=None)
		        smtp.talk.half()
		        said = smtp.talk.eof()
		        if said or len(errors(smtp.ended())) != 1:
		            wrong.append((header, at, said))
		if os.path.exists(f"{MAIL}/.ran"):
		    wrong.append("a hook ran")
		show(wrong)
	PY
}

@test "headers with an octet changed: a greeting or a hang-up, never anything else" {
	py <<-'PY'
		import random
		from introduced import *
		wrong, greeted = [], 0
		random.seed(42)
		for header in (V1, four(tlv(5, b"unique") + tlv(0x20, b"\1\0\0\0\0" + tlv(0x21, b"TLSv1.3")))):
		    for at in range(len(header)):
		        octets = bytearray(header)
		        octets[at] = random.randrange(256)
		        smtp = begin(bytes(octets) + b"QUIT\r\n", "-p", hello=None)
		        smtp.talk.half()
		        said = smtp.talk.eof()
		        log = smtp.ended()  # and it exits 0
		        good = said.startswith(b"220 ")
		        greeted += good
		        if (said and not good) or bool(errors(log)) == good or \
		                any("killed" in e or "may not" in e for e in errors(log)):
		            wrong.append((bytes(octets), said, log))
		if not 10 < greeted < 100:
		    wrong.append(greeted)
		show(wrong)
	PY
}

@test "a connection of which nothing comes is a health check: no error, no hook" {
	py <<-'PY'
		from introduced import *
		hook(os.environ["HOOKS"], "CONNECT", "exit 0\n")
		hook(os.environ["HOOKS"], "DISCONNECT", f"echo ran >>{MAIL}/.ran\n")
		for how in "half", "close", "reset":
		    smtp = begin(b"", "-p", "-H", os.environ["HOOKS"], hello=None)
		    getattr(smtp.talk, how)()
		    said = smtp.talk.eof() if how == "half" else b""
		    log = smtp.ended()
		    assert not said and not errors(log), (how, said, log)
		    assert [e["reason"] for e in events(log, "end")] == ["hangup"], log
		assert not os.path.exists(f"{MAIL}/.ran")
	PY
}

@test "what a connection brought that has been reset is from nobody" {
	py <<-'PY'
		# It could be read still; who sent it is no longer known.
		import socket, struct, subprocess
		from introduced import *
		from session import SMTPD, tcp
		for header, options in ((V1, ("-p",)), (V1, ("-p", "--proxy-from", "127.0.0.1"))):
		    ours, theirs = tcp()
		    ours.sendall(header + b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n\r\n.\r\n")
		    ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
		    ours.close()
		    done = subprocess.run([SMTPD, *options, "-r", "192.0.2.7", RECORD, MAIL], stdin=theirs,
		                          stdout=theirs, stderr=subprocess.PIPE, timeout=20, check=True)
		    theirs.close()
		    assert os.listdir(MAIL) == [], done.stderr
		    assert not errors(done.stderr.decode()), done.stderr
	PY
}

@test "the whole header has to come within --timeout; then clients have it anew" {
	py <<-'PY'
		import time
		from concurrent.futures import ThreadPoolExecutor
		from introduced import *
		def silent(kind, pace):
		    """Nothing; or an octet now and then."""
		    since = time.monotonic()
		    smtp = begin(b"", "-p", "-t", "2", hello=None, kind=kind)
		    for octet in V1 if pace else ():
		        if time.monotonic() - since > 5:
		            break
		        try:
		            smtp.talk.send(bytes([octet]))
		        except OSError:
		            break
		        time.sleep(pace)
		    smtp.talk.expect("421 4.4.2")
		    assert smtp.talk.eof() == b""
		    log = smtp.ended()
		    took = time.monotonic() - since
		    assert 1.5 < took < 8, took
		    assert not errors(log), log
		    assert [e["reason"] for e in events(log, "end")] == ["timeout"], log
		def behind_it(kind):
		    smtp = begin(V1, "-p", "-t", "2", kind=kind)
		    since = time.monotonic()
		    smtp.talk.expect("421 4.4.2")
		    assert 0.9 < time.monotonic() - since < 6, time.monotonic() - since
		    smtp.ended()
		def talking():
		    """Whoever goes on talking is not cut off."""
		    smtp = begin(V1, "-p", "-t", "1")
		    for _ in range(6):
		        time.sleep(0.3)
		        smtp.talk.ask("NOOP", "250")
		    smtp.quit()
		def whole_session():
		    smtp = begin(b"", "-p", "--session-timeout", "1", hello=None)
		    smtp.talk.expect("421 4.4.2")
		    smtp.ended()
		cases = [(silent, kind, pace) for kind in ("tcp", "pipe") for pace in (None, 0.3)]
		cases += [(behind_it, "tcp"), (behind_it, "pipe"), (talking,), (whole_session,)]
		# They wait, all at once.
		with ThreadPoolExecutor(len(cases)) as pool:
		    for done in [pool.submit(*case) for case in cases]:
		        done.result()
	PY
}

@test "SIGTERM while the header is waited for" {
	py <<-'PY'
		import signal
		from introduced import *
		for octets in (b"", V1[:7]):
		    smtp = begin(octets, "-p", hello=None)
		    smtp.dialogue()
		    smtp.process.send_signal(signal.SIGTERM)
		    smtp.talk.expect("421 4.3.2")
		    assert smtp.talk.eof() == b""
		    log = smtp.ended()
		    assert [e["reason"] for e in events(log, "end")] == ["stop"], log
	PY
}

@test "a second header, and one without -p, is an unknown command" {
	py <<-'PY'
		from introduced import *
		smtp = begin(V1, "-p")
		smtp.talk.send(b"PROXY TCP4 198.51.100.1 192.0.2.25 1 25\r\n")
		smtp.talk.expect("500 5.5.2")
		env, message, log = sent(smtp)
		assert env["TCPREMOTEIP"] == "192.0.2.7"
		smtp = begin(V1, hello=None)
		smtp.talk.expect("220 ")
		smtp.talk.expect("500 5.5.2")
		smtp.talk.ask("EHLO x", "250")
		expected = own(smtp)
		env, message, log = sent(smtp)
		assert only(env) == expected, env
		# The client who talks behind it is the client, whatever he says.
		smtp = begin(V1 + V1 + b"GET / HTTP/1.0\r\n", "-p", hello=None)
		smtp.talk.expect("220 ")
		smtp.talk.expect("500 5.5.2")
		smtp.talk.expect("500 5.5.2")
		smtp.quit()
		smtp = begin(V1 + b"GET / HTTP/1.0\r\n", "-p", hello=None)
		smtp.talk.expect("220 ")
		smtp.talk.expect("421 4.7.0")
		smtp.ended()
	PY
}

@test "CONNECT and DISCONNECT hooks are about the client that was named" {
	py <<-'PY'
		from introduced import *
		hooks = os.environ["HOOKS"]
		names = "$TCPREMOTEIP $TCPREMOTEPORT $TCPLOCALIP $PROTO ${TCPREMOTEHOST-none} ${RELAYCLIENT-none}"
		for name in "CONNECT", "DISCONNECT":
		    hook(hooks, name, f'echo "{name} {names}" >>{MAIL}/.ran\n'
		         f'case $TCPREMOTEIP in 2001:*) echo "554 5.7.1 Not you";; 192.0.2.8) echo "421 4.7.1 Go";; '
		         '*) echo X_SEEN=$TCPREMOTEIP; echo "220 me ESMTP hello";; esac\n')
		smtp = begin(V1, "-p", "-H", hooks, env=WORDS)
		assert b"220 me ESMTP hello\r\n" in smtp.talk.seen
		env, message, log = sent(smtp)
		assert env["X_SEEN"] == "192.0.2.7"
		assert open(f"{MAIL}/.ran").read().splitlines() == [
		    f"{name} 192.0.2.7 40312 192.0.2.25 TCP none none" for name in ("CONNECT", "DISCONNECT")]
		# Refused: everything but QUIT is 503.
		smtp = begin(six() + b"EHLO x\r\nMAIL FROM:<a@b>\r\n", "-p", "-H", hooks, hello=None)
		smtp.talk.expect("554 5.7.1 Not you")
		smtp.talk.expect("503 5.5.1")
		smtp.talk.expect("503 5.5.1")
		log = smtp.quit()
		assert [(e["peer"], e["command"], e["reply"]) for e in events(log, "refused")][0] == (
		    "2001:db8::7", "CONNECT", "554 5.7.1 Not you"), log
		smtp = begin(b"PROXY TCP4 192.0.2.8 192.0.2.25 1 25\r\nEHLO x\r\n", "-p", "-H", hooks, hello=None)
		smtp.talk.expect("421 4.7.1 Go")
		assert smtp.talk.eof() == b""
		log = smtp.ended()
		assert [e["reason"] for e in events(log, "end")] == ["refused"], log
	PY
}

@test "the header may say that the client speaks TLS" {
	py <<-'PY'
		from introduced import *
		full = tlv(0x20, b"\1\0\0\0\0" + tlv(0x21, b"TLSv1.3") + tlv(0x23, b"TLS_AES_128_GCM_SHA256"))
		wrong = []
		for header, secure in ((V1, None), (four(), None), (four(tlv(0x20, b"\0\0\0\0\0")), None),
		                       (four(tlv(0x20, b"\6\0\0\0\0" + tlv(0x21, b"TLSv1.3"))), None),
		                       (four(tlv(0x20, b"\1\0\0\0\0")), "1"),
		                       (six(tlv(0x20, b"\7\0\0\0\0" + tlv(0x21, b"TLSv1.2"))), "TLSv1.2"),
		                       (four(tlv(0x20, b"\1\0\0\0\0" + tlv(0x23, b"AES"))), "AES"),
		                       (four(tlv(5, b"x") + full), "TLSv1.3 TLS_AES_128_GCM_SHA256"),
		                       (v2(0x11, four(full)[16:], command=0), None)):
		    smtp = begin(header, "-p", "-a", "true")
		    offered = b"250-AUTH PLAIN LOGIN" in smtp.talk.seen
		    env, message, log = sent(smtp)
		    found = env.get("SMTP_TLS"), env["SMTP_PROTOCOL"], offered
		    # TLS can come, so --auth has an effect.
		    if found != (secure, "ESMTPS" if secure else "ESMTP", bool(secure)) or errors(log):
		        wrong.append((header, found, log))
		    smtp = begin(header, "-p", "--require-tls", hello=None)
		    smtp.talk.expect("220 ")
		    smtp.talk.ask("EHLO x", "250")
		    smtp.talk.ask("MAIL FROM:<a@b>", "250" if secure else "530 5.7.0")
		    smtp.quit()
		show(wrong)
	PY
}

@test "bad and useless options" {
	py <<-'PY'
		from policy import usage
		usage(("--proxy-from", "localhost"), ("--proxy-from=1.2.3.4/33",), ("--proxy-from", ""),
		      ("-p=x",), ("--xclient", "x"), ("--xclient=::1/129",), ("--proxy-from",))
	PY
	local err=$BATS_TEST_TMPDIR/err
	for options in '--proxy-from 192.0.2.1' '-p --no-trust'; do
		# shellcheck disable=SC2086 # words
		talk pair half -- "$SMTPD" $options true 2>"$err"
		grep -c 'has no effect' "$err" | grep -qx 1
	done
	talk pair half -- "$SMTPD" -p --proxy-from 192.0.2.1 true 2>"$err"
	run -1 grep 'no effect' "$err"
}

@test "-l: --per-client and --concurrency count proxies" {
	serve -p --per-client 1 -- true
	py "$port" <<-'PY'
		import sys
		from talk import Conversation
		from introduced import *
		first = Conversation.connect(f"127.0.0.1:{sys.argv[1]}")
		first.send(V1)
		first.expect("220")
		second = Conversation.connect(f"127.0.0.1:{sys.argv[1]}")
		second.expect("421 4.7.0")
		first.ask("QUIT", "221")
	PY
}

# haproxy BACKEND-LINES ...: the real one in front of port $port, at $front on
# 127.0.0.1 and ::1.
haproxy() {
	front=$(free_port)
	cat >"$BATS_TEST_TMPDIR/haproxy.cfg" <<-CFG
		global
		    log stderr format raw local0
		defaults
		    mode tcp
		    timeout connect 5s
		    timeout check 5s
		    timeout client 20s
		    timeout server 20s
		frontend in
		    bind 127.0.0.1:$front
		    bind [::1]:$front
		    unique-id-format %pid.%rt
		    default_backend smtpd
		backend smtpd
		$(printf '    %s\n' "$@")
	CFG
	# Its own -dM and such are not needed; -db keeps it in the foreground.
	start "$BATS_TEST_TMPDIR/log.haproxy" \
		"$BUILD/peers/haproxy/usr/sbin/haproxy" -db -f "$BATS_TEST_TMPDIR/haproxy.cfg"
	eventually listening "$front"
}

# through ADDRESS: a message by that address of haproxy's; prints what the
# command was told of the client, and the first line of Received.
through() {
	py "$1" "$front" <<-'PY'
		import sys
		from introduced import *
		from talk import Conversation
		talk = Conversation.connect(f"{sys.argv[1]}:{sys.argv[2]}")
		talk.expect("220")
		for line, code in (("EHLO me.example.org", "250"), ("MAIL FROM:<a@example.org>", "250"),
		                   ("RCPT TO:<c@example.net>", "250"), ("DATA", "354"),
		                   ("x\r\n.", "250 2.0.0"), ("QUIT", "221")):
		    talk.ask(line, code)
		ours = talk.sock.getsockname()
		env, message = recorded()
		theirs = talk.sock.getpeername()
		assert (env["TCPREMOTEIP"], env["TCPREMOTEPORT"]) == (ours[0], str(ours[1])), env
		assert (env["TCPLOCALIP"], env["TCPLOCALPORT"]) == (theirs[0], str(theirs[1])), env
		assert env["PROTO"] == "TCP"
		line = "Received: from me.example.org ([%s])" % ("IPv6:::1" if ":" in ours[0] else ours[0])
		assert message.startswith(line.encode() + b"\n"), message
		sys.stdout.write("ok\n")
	PY
}

@test "haproxy: version 1, version 2, with unique-id, CRC32C and TLS; IPv6 too" {
	serve -p -A -- "$RECORD" "$MAIL"
	for how in send-proxy send-proxy-v2 \
		'send-proxy-v2 proxy-v2-options unique-id,crc32c' \
		'send-proxy-v2-ssl-cn' 'send-proxy-v2 proxy-v2-options ssl,cert-cn,crc32c,unique-id'; do
		haproxy "server s 127.0.0.1:$port $how"
		through 127.0.0.1
		through '[::1]'
		kill "$pid"
		ended "$pid"
	done
	run -1 grep -v 'event=\|listening on\|running as user\|recorded' "$log"
	grep -q 'event=connect peer=::1 port=[0-9]* proxy=127.0.0.1$' "$log"
}

@test "haproxy: contrib/haproxy.cfg" {
	serve -p -A -- "$RECORD" "$MAIL"
	front=$(free_port)
	# Port 25 is for root, who is left behind with it. The package's user is
	# not there, and nobody but root can become another or has a chroot.
	local user group
	user=$(id -un) group=$(id -gn)
	if [ "$(id -u)" -eq 0 ]; then
		user=nobody group=nogroup
	fi
	sed "s/bind :::25 v4v6/bind :::$front v4v6/; s/192\.0\.2\.2[56]:25/127.0.0.1:$port/
		s/^\tuser haproxy$/\tuser $user/; s/^\tgroup haproxy$/\tgroup $group/
		$([ "$user" = nobody ] || echo /chroot/d)
		s|chroot /var/lib/haproxy|chroot $BATS_TEST_TMPDIR|" \
		"$BATS_TEST_DIRNAME/../contrib/haproxy.cfg" >"$BATS_TEST_TMPDIR/haproxy.cfg"
	start "$BATS_TEST_TMPDIR/log.haproxy" \
		"$BUILD/peers/haproxy/usr/sbin/haproxy" -db -f "$BATS_TEST_TMPDIR/haproxy.cfg"
	eventually listening "$front"
	through 127.0.0.1
	through '[::1]'
	[ "$(ps -o user= -o group= -p "$pid" | tr -s ' ')" = "$user $group" ]
	[ "$user" != nobody ] || [ "$(readlink "/proc/$pid/root")" = "$BATS_TEST_TMPDIR" ]
	run -1 grep -iE 'warning|alert|DOWN' "$BATS_TEST_TMPDIR/log.haproxy"
}

@test "haproxy: who is behind it may not relay, though all is local, but for -r" {
	serve -p -D example.org -- "$RECORD" "$MAIL"
	haproxy "server s 127.0.0.1:$port send-proxy-v2"
	talk "127.0.0.1:$front" '<220' '>EHLO x' '<250' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<c@example.net>' '<550 5.7.1' '>RCPT TO:<c@example.org>' '<250' '>QUIT' '<221'
	serve -p -D example.org -r ::1 -- "$RECORD" "$MAIL"
	haproxy "server s 127.0.0.1:$port send-proxy"
	talk "127.0.0.1:$front" '<220' '>EHLO x' '<250' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<c@example.net>' '<550 5.7.1' '>QUIT' '<221'
	through '[::1]'
}

@test "haproxy under tcpserver and systemd-socket-activate" {
	need_root
	for launcher in tcpserver systemd-socket-activate; do
		port=$(free_port)
		case $launcher in
		tcpserver) set -- tcpserver -HR -l 0 127.0.0.1 "$port" ;;
		*) set -- systemd-socket-activate -l "127.0.0.1:$port" --inetd --accept \
			-E PATH -E MAIL ;;
		esac
		start "$BATS_TEST_TMPDIR/log.$launcher" "$@" "$SMTPD" -p -A "$RECORD" "$MAIL"
		eventually listening "$port"
		haproxy "server s 127.0.0.1:$port send-proxy-v2"
		through 127.0.0.1
		through '[::1]'
		end_all
	done
}

# checked: three connections have come and gone.
checked() {
	[ "$(grep -c event=end "$log")" -ge 3 ]
}

@test "haproxy's health checks: TCP, SMTP and LOCAL are quiet" {
	local checks='check inter 100 fastinter 100 downinter 100 rise 1 fall 5'
	for how in send-proxy send-proxy-v2; do
		for check in '' 'option smtpchk EHLO haproxy.example' \
			'option tcp-check|tcp-check expect rstring ^220|tcp-check send QUIT\r\n|tcp-check expect rstring ^221'; do
			serve -p -A -- "$RECORD" "$MAIL"
			IFS='|' read -ra lines <<<"$check"
			haproxy "${lines[@]}" \
				"server s 127.0.0.1:$port $how check-send-proxy $checks"
			# Several checks, and mail meanwhile.
			eventually checked
			through 127.0.0.1
			kill "$pid"
			ended "$pid"
			# Nothing but events, and those of nothing worse.
			run -1 grep -v 'event=\|listening on\|running as user\|recorded' "$log"
			run -1 grep -E 'event=end reason=(proxy|timeout|agent)' "$log"
			run -1 grep -E 'DOWN' "$BATS_TEST_TMPDIR/log.haproxy"
			end_all
		done
	done
	# Checks without a header are hung up on quietly.
	serve -p -A -- "$RECORD" "$MAIL"
	haproxy "server s 127.0.0.1:$port send-proxy no-check-send-proxy $checks"
	eventually checked
	run -1 grep -v 'event=\|listening on\|running as user' "$log"
}
