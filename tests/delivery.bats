#!/usr/bin/env bats
# shellcheck shell=bats
# What the command gets (environment, descriptors, octets) and what its end
# means for the client: smtpd-delivery(7).

load lib

setup_file() {
	stage
	cp "$BATS_TEST_DIRNAME/act" "$STAGE"
	mkdir -m 755 "$STAGE/cases"
	export CASES=$STAGE/cases
	cat >"$STAGE/keep" <<-'KEEP'
		#!/bin/sh
		# keep DIR: the message, named after the recipient, and its size as told.
		cat >"$1/${RECIPIENT%%@*}" && echo "$SMTP_SIZE" >"$1/${RECIPIENT%%@*}.size"
	KEEP
	chmod 755 "$STAGE/keep"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
}

teardown() {
	end_all
}

# in_namespace: the same as py, with mounts that nobody else sees.
in_namespace() {
	unshare -m --propagation private "$PYTHON" -
}

sanitized() {
	grep -q __asan_init "$SMTPD"
}

# The environment and the descriptors.

@test "descriptors: 0, 1 and 2, whatever the launcher left open" {
	py <<-'PY'
		import os, signal
		from session import SMTPD, STAGE, Session, show, until
		from talk import Conversation
		import subprocess
		command = ("sh", "-c", 'ls -l /proc/self/fd >"$0/fd.new" && mv "$0/fd.new" "$0/fd"',
		           f"{STAGE}/mail")
		leaked = []
		for number in (3, 4, 7, 20, 255, 900):
		    file = os.open("/etc/passwd", os.O_RDONLY)
		    os.dup2(file, number, inheritable=True)
		    os.close(file) if file != number else None
		    leaked.append(number)
		wrong = []

		def check(what):
		    with open(f"{STAGE}/mail/fd") as file:
		        found = [line.split()[8:] for line in file if "->" in line]
		    os.unlink(f"{STAGE}/mail/fd")
		    numbers = [words[0] for words in found]
		    # 3 is the folder that ls reads.
		    if numbers != ["0", "1", "2", "3"] or "/proc/" not in found[3][2]:
		        wrong.append((what, found))
		    # 1 is what the shell was told to write to.
		    if not found[0][2].startswith("pipe:"):
		        wrong.append((what, found))

		for kind in ("pair", "pipe", "tcp"):
		    smtp = Session("-A", "-q", *command, kind=kind, pass_fds=leaked)
		    for _ in range(2):
		        assert smtp.message(b"x\n").startswith(b"250"), kind
		        check(kind)
		    smtp.quit()
		listener = subprocess.Popen([SMTPD, "-A", "-l", "127.0.0.1:0", *command],
		                            pass_fds=leaked, stderr=subprocess.PIPE)
		try:
		    line = b""
		    while b"listening on " not in line:
		        line = listener.stderr.readline()
		    talk = Conversation.connect(line.split()[-1].decode())
		    talk.expect("220")
		    talk.send(b"EHLO me\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n")
		    talk.expect("250"), talk.expect("250"), talk.expect("250"), talk.expect("354")
		    talk.data(b"x\n")
		    talk.expect("250")
		    check("listener")
		    talk.close()
		finally:
		    listener.terminate()
		    listener.wait(10)
		show(wrong)
	PY
}

@test "signals: the command has the default actions and none blocked" {
	py <<-'PY'
		import os, signal
		from session import STAGE, Session
		ignored = (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)

		def ignore():
		    for number in ignored:
		        signal.signal(number, signal.SIG_IGN)
		    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})

		smtp = Session("-A", "-q", "cp", "/proc/self/status", f"{STAGE}/mail/status",
		               preexec_fn=ignore)
		assert smtp.message(b"x\n").startswith(b"250")
		smtp.quit()
		with open(f"{STAGE}/mail/status") as file:
		    words = dict(line.split(":", 1) for line in file)
		for name in ("SigBlk", "SigIgn", "SigPnd"):
		    # 32 and 33 are the C library's.
		    assert int(words[name], 16) & ~(3 << 31) == 0, (name, words[name])
	PY
}

@test "the environment is the table's, whatever the launcher set" {
	py <<-'PY'
		import os, socket
		from session import STAGE, Session, show
		OURS = """SENDER RECIPIENTS RECIPIENT SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS SMTP_HELO
		SMTP_PROTOCOL SMTP_SIZE SMTP_BODY SMTP_UTF8 SMTP_SESSION SMTP_HOSTNAME
		SMTP_AUTH_USER SMTP_AUTH_MECHANISM SMTP_TLS PROTO TCPREMOTEIP TCPREMOTEPORT
		TCPLOCALIP TCPLOCALPORT SMTP_VERB SMTP_ARGUMENT LISTEN_FDS LISTEN_PID
		LISTEN_FDNAMES NOTIFY_SOCKET""".split()
		out = f"{STAGE}/mail/env"
		wrong, sessions = [], set()
		passed = {"PATH": os.environ["PATH"], "FOO": "bar = baz\n\xff", "EMPTY": "",
		          "TCPREMOTEHOST": "host.example", "TCPREMOTEINFO": "ident"}

		def run(what, wanted, mail, recipients, octets=b"x\n", kind="pair",
		        hello="EHLO me.example.org", leaked="leaked", options=()):
		    env = dict.fromkeys(OURS, leaked) if leaked is not None else {}
		    env.update(passed)
		    smtp = Session("-A", "-q", "--hostname", "mx.example.net", *options,
		                   "cp", "/proc/self/environ", out, kind=kind, env=env, hello=hello)
		    peer = {}
		    if kind == "tcp":
		        name, far = smtp.talk.sock.getsockname(), smtp.talk.sock.getpeername()
		        peer = {"PROTO": "TCP", "TCPREMOTEIP": name[0], "TCPREMOTEPORT": str(name[1]),
		                "TCPLOCALIP": far[0], "TCPLOCALPORT": str(far[1])}
		    elif kind == "unix":
		        peer = {"PROTO": "UNIX"}
		    smtp.talk.send(f"MAIL FROM:{mail}\r\n".encode())
		    smtp.talk.expect("250")
		    for recipient in recipients:
		        smtp.talk.send(f"RCPT TO:{recipient}\r\n".encode())
		        smtp.talk.expect("250")
		    smtp.talk.ask("DATA", "354")
		    smtp.talk.data(octets)
		    smtp.talk.expect("250")
		    smtp.quit()
		    with open(out, "rb") as file:
		        pairs = [v.split("=", 1) for v in file.read().decode("utf-8", "surrogateescape")
		                 .split("\0")[:-1]]
		    os.unlink(out)
		    found = dict(pairs)
		    if len(found) != len(pairs):
		        wrong.append((what, "a name stands twice", pairs))
		    sessions.add(found.get("SMTP_SESSION"))
		    wanted = {"SMTP_HELO": "me.example.org", "SMTP_PROTOCOL": "ESMTP",
		              "SMTP_BODY": "7BIT", "SMTP_MAIL_OPTIONS": "",
		              "SMTP_HOSTNAME": "mx.example.net",
		              "SMTP_SESSION": found.get("SMTP_SESSION"),
		              "SMTP_SIZE": found.get("SMTP_SIZE"), **passed, **peer, **wanted}
		    wanted["FOO"] = wanted["FOO"].encode().decode("utf-8", "surrogateescape")
		    for key in found.keys() | wanted.keys():
		        if found.get(key) != wanted.get(key):
		            wrong.append((what, key, found.get(key), wanted.get(key)))

		one = {"RECIPIENTS": "to@example.net", "RECIPIENT": "to@example.net"}
		run("plain", {"SENDER": "from@example.org", **one},
		    "<from@example.org>", ["<to@example.net>"])
		run("null sender", {"SENDER": "", **one}, "<>", ["<to@example.net>"], kind="tcp")
		run("no words", {"SENDER": "", **one}, "<>", ["<to@example.net>"], kind="tcp",
		    leaked=None)
		run("unix", {"SENDER": "", **one}, "<>", ["<to@example.net>"], kind="unix")
		run("tty", {"SENDER": "", **one}, "<>", ["<to@example.net>"], kind="tty")
		run("HELO", {"SENDER": "a@b", **one, "SMTP_PROTOCOL": "SMTP", "SMTP_HELO": "[::1]"},
		    "<a@b>", ["<to@example.net>"], hello="HELO [::1] more", kind="pipe")
		run("twice", {"SENDER": "a@b", "RECIPIENTS": "x@y\nz@w\nx@y"},
		    "<a@b>", ["<x@y>", "<z@w>", "<x@y>"])
		run("quoted", {"SENDER": '"a b;$(id)"@x', "RECIPIENTS": '"\\" -x"@y\n|id@z',},
		    '<"a b;$(id)"@x>', ['<"\\" -x"@y>', "<|id@z>"])
		run("parameters", {"SENDER": "a@b", **one, "SMTP_BODY": "8BITMIME",
		                   "SMTP_MAIL_OPTIONS": "BODY=8BITMIME SIZE=3"},
		    "<a@b> body=8bitmime  Size=3".replace("8bitmime", "8BITMIME"), ["<to@example.net>"])
		run("utf8", {"SENDER": "\u00e4@b\u00fc.example", "RECIPIENT": "\u00f6@y",
		             "RECIPIENTS": "\u00f6@y", "SMTP_UTF8": "1", "SMTP_PROTOCOL": "UTF8SMTP",
		             "SMTP_MAIL_OPTIONS": "SMTPUTF8"},
		    "<\u00e4@b\u00fc.example> smtputf8", ["<\u00f6@y>"], options=["-u"])
		run("dsn", {"SENDER": "a@b", "RECIPIENTS": "x@y\nz@w\nv@u",
		            "SMTP_MAIL_OPTIONS": "RET=hdrs ENVID=q AUTH=c+3Dd@e",
		            "SMTP_RCPT_OPTIONS": "NOTIFY=Never\n\nORCPT=rfc822;a+2Bb@c NOTIFY=DELAY,FAILURE"},
		    "<a@b> ret=hdrs Envid=q auth=c+3Dd@e",
		    ["<x@y> notify=Never", "<z@w>", "<v@u>  orcpt=rfc822;a+2Bb@c Notify=DELAY,FAILURE"])
		if len(sessions) != 11 or None in sessions:
		    wrong.append(sessions)
		show(wrong)
	PY
}

@test "SMTP_HELO: octets outside printable ASCII are question marks" {
	py <<-'PY'
		from session import STAGE, Session
		smtp = Session("-A", "-q", "cp", "/proc/self/environ", f"{STAGE}/mail/env", hello=None)
		smtp.talk.expect("220")
		smtp.talk.send(b"EHLO n\xc3\xa4me\xff() rest\r\n")
		smtp.talk.expect("250")
		assert smtp.message(b"x\n").startswith(b"250")
		smtp.quit()
		with open(f"{STAGE}/mail/env", "rb") as file:
		    assert b"SMTP_HELO=n??me?()" in file.read().split(b"\0")
	PY
}

@test "the second message has nothing of the first" {
	py <<-'PY'
		import os
		from session import STAGE, Session
		smtp = Session("-A", "-q", "-u", "cp", "/proc/self/environ", f"{STAGE}/mail/env")
		def sent(rest, *recipients):
		    assert smtp.message(b"x\n", *recipients, rest=rest).startswith(b"250")
		    with open(f"{STAGE}/mail/env", "rb") as file:
		        os.unlink(f"{STAGE}/mail/env")
		        return dict(v.split("=", 1) for v in file.read().decode().split("\0")[:-1])
		first = sent(" BODY=8BITMIME SMTPUTF8 SIZE=10", "a@b")
		smtp.talk.send(b"MAIL FROM:<evil@x> SIZE=4\r\nRCPT TO:<evil@y>\r\nRSET\r\n"
		               b"MAIL FROM:<evil@x> SIZE=4\r\nRCPT TO:<evil@y>\r\nEHLO me.example.org\r\n")
		for _ in range(6):
		    smtp.talk.expect("250")
		second = sent("", "c@d", "e@f")
		smtp.quit()
		assert first["RECIPIENT"] == "a@b" and first["SMTP_UTF8"] == "1", first
		assert "RECIPIENT" not in second and "SMTP_UTF8" not in second, second
		assert second["RECIPIENTS"] == "c@d\ne@f", second
		assert second["SMTP_MAIL_OPTIONS"] == "" and second["SMTP_BODY"] == "7BIT", second
		assert first["SMTP_SESSION"] == second["SMTP_SESSION"]
	PY
}

@test "no PATH: the default one, for the command and to find it" {
	py <<-'PY'
		from session import STAGE, Session
		want = b"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
		smtp = Session("-A", "-q", "cp", "/proc/self/environ", f"{STAGE}/mail/env", env={})
		assert smtp.message(b"x\n").startswith(b"250")
		smtp.quit()
		with open(f"{STAGE}/mail/env", "rb") as file:
		    assert want in file.read().split(b"\0")
	PY
}

@test "the command is found on PATH; a name with a slash is not looked for" {
	mkdir -p "$STAGE/path/one" "$STAGE/path/two"
	printf '#!/bin/sh\nexit 67\n' >"$STAGE/path/one/deliver-it"
	printf '#!/bin/sh\nexit 68\n' >"$STAGE/path/two/deliver-it"
	chmod 755 "$STAGE/path/two/deliver-it"
	chmod 644 "$STAGE/path/one/deliver-it"
	py <<-'PY'
		import os
		from session import STAGE, Session, show
		wrong = []
		def reply(path, command, cwd="/"):
		    smtp = Session("-A", "-q", command, env={"PATH": path}, cwd=cwd)
		    found = smtp.message(b"x\n")[:9]
		    smtp.quit()
		    return found
		both = f"{STAGE}/path/one:{STAGE}/path/two:/usr/bin:/bin"
		for path, command, cwd, want in (
		        (both, "deliver-it", "/", b"550 5.1.2"),
		        ("/nowhere:" + both, "deliver-it", "/", b"550 5.1.2"),
		        ("/usr/bin", "deliver-it", "/", b"451 4.3.5"),
		        ("/usr/bin", "./deliver-it", f"{STAGE}/path/two", b"550 5.1.2"),
		        (both, "./deliver-it", "/", b"451 4.3.5"),
		        ("/usr/bin", f"{STAGE}/path/two/deliver-it", "/", b"550 5.1.2"),
		        ("", "sh", "/", b"451 4.3.5")):
		    found = reply(path, command, cwd)
		    if found != want:
		        wrong.append((path, command, cwd, found, want))
		show(wrong)
	PY
}

@test "the command's arguments are its own, and no shell is between" {
	# shellcheck disable=SC2016 # nothing may expand it
	printf '%s\n' -A '$(id)' '*' 'a  b;c' '' --help >"$BATS_TEST_TMPDIR/want"
	local separator
	for separator in -- ''; do
		: >"$STAGE/mail/arguments"
		chmod 666 "$STAGE/mail/arguments"
		# shellcheck disable=SC2016,SC2086 # the command expands; an empty word is none
		talk pair '<220' '>EHLO me' '<250' '>MAIL FROM:<a@b>' '<250' \
			'>RCPT TO:<c@d>' '<250' '>DATA' '<354' . '<250' '>QUIT' '<221' '<eof' \
			-- "$SMTPD" -A -q $separator sh -c 'printf "%s\n" "$@" >"$0"' \
			"$STAGE/mail/arguments" -A '$(id)' '*' 'a  b;c' '' --help
		cmp "$BATS_TEST_TMPDIR/want" "$STAGE/mail/arguments"
	done
}

@test "RECIPIENTS may have 120 KiB and no octet more" {
	py <<-'PY'
		import os
		from session import STAGE, Session
		MAX = 120 * 1024
		for over in (0, 1):
		    smtp = Session("-A", "-q", "cp", "/proc/self/environ", f"{STAGE}/mail/env")
		    # 306 of 400 octets, each with the newline behind it, and what is left.
		    addresses = [b"%0388d@example.org" % n for n in range(306)]
		    assert {len(a) for a in addresses} == {400}
		    rest = MAX - 306 * 401 + over
		    addresses.append(b"%0*d@example.org" % (rest - 12, 1))
		    smtp.talk.ask("MAIL FROM:<a@b>", "250")
		    smtp.talk.send(b"".join(b"RCPT TO:<%b>\r\n" % a for a in addresses))
		    for _ in addresses[:-1]:
		        smtp.talk.expect("250 2.1.5")
		    last = smtp.talk.reply()
		    assert last.startswith(b"452 4.5.3" if over else b"250"), (over, last)
		    if over:
		        addresses.pop()
		        addresses.append(b"c@example.org") # there is room for a smaller one
		        smtp.talk.ask("RCPT TO:<c@example.org>", "250")
		    smtp.talk.ask("DATA", "354")
		    smtp.talk.data(b"x\n")
		    smtp.talk.expect("250")
		    smtp.quit()
		    with open(f"{STAGE}/mail/env", "rb") as file:
		        found = [v for v in file.read().split(b"\0") if v.startswith(b"RECIPIENTS=")]
		    os.unlink(f"{STAGE}/mail/env")
		    assert found == [b"RECIPIENTS=" + b"\n".join(addresses)], over
	PY
}

# The message.

@test "every octet arrives, and SMTP_SIZE says how many: sizes around all buffers" {
	py <<-'PY'
		import os
		from session import STAGE, Session, filler, show, wire
		wrong = []
		K = 1024
		sizes = [0, 1, 2, 64 * K - 1, 64 * K, 64 * K + 1, 256 * K - 1, 256 * K, 256 * K + 1,
		         512 * K - 1, 512 * K, 512 * K + 1, 768 * K, 33 << 20]
		for options in ((), ("-C",), ("--no-received",), ("-C", "--no-received")):
		    smtp = Session("-A", "-q", "-s", "40000000", *options, f"{STAGE}/keep",
		                   f"{STAGE}/mail")
		    for size in sizes:
		        if options == ("--no-received",) and size > 1 << 20:
		            continue
		        want = filler(size, size, b"\r\n" if "-C" in options else b"\n")
		        smtp.offer(f"m{size}@example.net")
		        smtp.talk.send(wire(want))
		        reply = smtp.talk.reply()
		        if not reply.startswith(b"250"):
		            wrong.append((options, size, reply))
		            continue
		        with open(f"{STAGE}/mail/m{size}", "rb") as file:
		            got = file.read()
		        with open(f"{STAGE}/mail/m{size}.size") as file:
		            told = int(file.read())
		        os.unlink(f"{STAGE}/mail/m{size}")
		        if told != len(got):
		            wrong.append((options, size, f"SMTP_SIZE {told}, {len(got)} read"))
		        if "--no-received" not in options:
		            end = b"\r\n" if "-C" in options else b"\n"
		            lines = got[:len(got) - len(want)].split(end)
		            if not got.startswith(b"Received: ") or lines.pop() or \
		                    any(line[:1] != b"\t" for line in lines[1:]):
		                wrong.append((options, size, got[:300]))
		            got = got[len(got) - len(want):]
		        if got != want:
		            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), -1)
		            wrong.append((options, size, f"{len(got)}, not {len(want)} octets; from {at}",
		                          got[at:at + 40]))
		    smtp.quit()
		show(wrong)
	PY
}

@test "a message behind one that was refused keeps its octets" {
	# The refused one had been in both windows and in the file.
	py <<-'PY'
		import os
		from session import STAGE, Session, filler, show, wire
		wrong = []
		envelope = b"MAIL FROM:<a@b>\r\nRCPT TO:<m@d>\r\nDATA\r\n"
		bare = wire(filler(700000))[:-3] + b"bare\nline\r\n.\r\n"
		large = wire(filler(900000))
		hops = wire(b"Received: x\n" * 5 + b"\n" + filler(700000))
		for first, code in ((bare, "550 5.6.0"), (large, "552 5.3.4"), (hops, "554 5.4.6")):
		    for size in (1000, 60000, 300000):
		        smtp = Session("-A", "-q", "-s", "800000", "--max-hops", "4", "--no-received",
		                       f"{STAGE}/keep", f"{STAGE}/mail")
		        want = filler(size, 7)
		        smtp.talk.send(envelope + first + envelope + wire(want))
		        for expected in ("250", "250", "354", code, "250", "250", "354", "250"):
		            smtp.talk.expect(expected)
		        smtp.quit()
		        with open(f"{STAGE}/mail/m", "rb") as file:
		            got = file.read()
		        os.unlink(f"{STAGE}/mail/m")
		        if got != want:
		            wrong.append((code, size, len(got), f"{got.count(0)} NULs in it"))
		show(wrong)
	PY
}

@test "-C --no-received: the message octet for octet, dots undone" {
	py <<-'PY'
		from session import STAGE, Session
		smtp = Session("-A", "-q", "-C", "--no-received", f"{STAGE}/keep", f"{STAGE}/mail")
		smtp.offer("m@d")
		smtp.talk.send(b"..\r\n...x\r\n. \r\n\r\n\0\xff\t\r\n.\r\n")
		smtp.talk.expect("250")
		smtp.quit()
		with open(f"{STAGE}/mail/m", "rb") as file:
		    assert file.read() == b".\r\n..x\r\n \r\n\r\n\0\xff\t\r\n"
	PY
}

# The log.

@test "the command's standard error is the log and never the client's" {
	cat >"$CASES/complain" <<-'CASE'
		echo "complaint $SMTP_SESSION" >&2
		echo "501 5.0.0 not for you" >&2
		exit 67
	CASE
	py <<-'PY'
		from session import STAGE, Session
		smtp = Session("-A", f"{STAGE}/act")
		reply = smtp.message(b"x\n", "complain@d")
		log = smtp.quit()
		assert reply.startswith(b"550 5.1.1 ") and b"complaint" not in reply, reply
		assert b"not for you" not in smtp.talk.seen
		assert "complaint " in log and "501 5.0.0 not for you\n" in log, log
	PY
}

@test "where descriptor 2 is the connection, nothing is written there" {
	printf 'echo complaint >&2; exit 67\n' >"$CASES/complain"
	py <<-'PY'
		from session import STAGE, Session
		for kind in ("pair", "tcp", "unix"):
		    for options in ((), ("-d",), ("-D", "@/nowhere/domains"), ("--what",)):
		        smtp = Session("-A", *options, f"{STAGE}/act", kind=kind,
		                       stderr="connection", hello=None)
		        if len(options) and options[0] != "-d":
		            rest = smtp.talk.eof()
		            assert rest == b"", (kind, rest)
		            assert smtp.process.wait(10) in (64, 78)
		            continue
		        smtp.talk.expect("220")
		        smtp.talk.send(b"NOOP\r\nBAD\r\nEHLO me\r\nMAIL FROM:<a@b>\r\n"
		                       b"RCPT TO:<complain@d>\r\nDATA\r\n.\r\nQUIT\r\n")
		        for code in ("250 2", "500 5", "250-", "250 2.1.0", "250 2.1.5", "354 ",
		                     "550 5.1.1", "221 2.0.0"):
		            smtp.talk.expect(code)
		        assert smtp.talk.eof() == b""
		        smtp.ended()
	PY
}

@test "there the log, and the command's standard error, go to syslog" {
	need_root
	printf 'echo "complaint one" >&2; printf "no newline\001" >&2; exit 67\n' >"$CASES/complain"
	in_namespace <<-'PY'
		import os, re, socket, subprocess
		from session import STAGE, Session
		# A /dev of our own, so that no system log is in the way.
		dev = f"{STAGE}/dev"
		os.mkdir(dev, 0o755)
		subprocess.run(["mount", "-t", "tmpfs", "none", dev], check=True)
		for name in ("null", "zero", "urandom"):
		    open(f"{dev}/{name}", "w").close()
		    subprocess.run(["mount", "--bind", f"/dev/{name}", f"{dev}/{name}"], check=True)
		log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		log.bind(f"{dev}/log")
		os.chmod(f"{dev}/log", 0o666)
		log.settimeout(5)
		subprocess.run(["mount", "--rbind", dev, "/dev"], check=True)

		def lines():
		    found = []
		    while not any("event=end" in line for line in found):
		        found.append(log.recv(9000).decode())
		    return found

		for options in ({"stderr": "connection"}, {}):
		    smtp = Session("-A", *([] if options else ["--syslog"]), f"{STAGE}/act",
		                   kind="tcp", **options)
		    assert smtp.message(b"x\n", "complain@d").startswith(b"550 5.1.1")
		    assert smtp.quit() == "" or not options
		    found = lines()
		    # Facility mail is 2 * 8; info 6, notice 5.
		    assert all(re.match(r"<2[0-2]>.*smtpd\[\d+\]: ", line) for line in found), found
		    session = {re.search(r"session=(\S+)", line)[1] for line in found
		               if "session=" in line}
		    assert len(session) == 1, found
		    assert any("event=message" in line and "550 5.1.1" in line for line in found), found
		    assert any("event=stderr" in line and '"complaint one"' in line
		               for line in found), found
		    assert any("event=stderr" in line and "no newline" in line
		               for line in found), ("the last line, which had no end", found)
		    assert "\x01" not in "".join(found)
	PY
}

# The verdict.

@test "every exit status has its row of the table" {
	py <<-'PY'
		import os
		from session import STAGE, Session, show
		rows = {0: b"250 2.0.0 OK\r\n", 99: b"250 2.0.0 OK\r\n", 65: b"550 5.6.0 ",
		        67: b"550 5.1.1 ", 68: b"550 5.1.2 ", 69: b"550 5.3.0 ", 76: b"550 5.5.0 ",
		        77: b"550 5.7.1 ", 100: b"554 5.0.0 ", 64: b"451 4.3.5 ", 78: b"451 4.3.5 "}
		wrong = []
		for status in range(256):
		    with open(f"{STAGE}/cases/e{status}", "w") as file:
		        file.write(f"exit {status}\n")
		smtp = Session("-A", "-q", f"{STAGE}/act")
		for status in range(256):
		    reply = smtp.message(b"x\n", f"e{status}@d")
		    if not reply.startswith(rows.get(status, b"451 4.3.0 ")) or \
		            reply.count(b"\n") != 1 or not 12 < len(reply) <= 512:
		        wrong.append((status, reply))
		smtp.quit()
		show(wrong)
	PY
}

@test "what the command prints: a reply as it stands, else the text of one" {
	"$PYTHON" "$BATS_TEST_DIRNAME/verdicts.py"
}

@test "code 421 hangs up, behind any status that allows it" {
	py <<-'PY'
		from session import STAGE, Session, show
		wrong = []
		for status, text in ((0, "421 4.3.2 Going down"), (75, "421 4.3.2 Going down"),
		                     (67, "421 Bye"), (0, "421-4.3.2 a\n421 4.3.2 b")):
		    with open(f"{STAGE}/cases/bye", "w") as file:
		        file.write(f"cat <<'X'\n{text}\nX\nexit {status}\n")
		    smtp = Session("-A", "-q", f"{STAGE}/act", kind="tcp")
		    smtp.offer("bye@d")
		    smtp.talk.send(b".\r\nNOOP\r\n")
		    found = smtp.talk.eof()
		    if found != text.replace("\n", "\r\n").encode() + b"\r\n":
		        wrong.append((status, text, found))
		    smtp.ended()
		show(wrong)
	PY
}

@test "a verdict of the command is no error of the client's" {
	printf 'exit 67\n' >"$CASES/no"
	py <<-'PY'
		from session import STAGE, Session
		smtp = Session("-A", "-q", "--max-errors", "2", f"{STAGE}/act")
		for _ in range(5):
		    assert smtp.message(b"x\n", "no@d").startswith(b"550 5.1.1")
		smtp.quit()
	PY
}

# Commands that cannot be run.

@test "a command that cannot be run: a log line at the start, 451 4.3.5 each time" {
	mkdir -p "$STAGE/directory"
	printf 'exit 0\n' >"$STAGE/no-interpreter"
	printf '#!/nowhere/sh\n' >"$STAGE/bad-interpreter"
	printf '#!/bin/sh\n' >"$STAGE/not-executable"
	printf '#!/bin/sh\n' >"$STAGE/not-yours"
	printf 'x\177ELF' >"$STAGE/garbage"
	chmod 755 "$STAGE/no-interpreter" "$STAGE/bad-interpreter" "$STAGE/garbage"
	chmod 644 "$STAGE/not-executable"
	chmod 700 "$STAGE/not-yours"
	[ "$(id -u)" -eq 0 ] || chmod 600 "$STAGE/not-yours"
	: >"$STAGE/empty"
	printf '#! \t\n' >"$STAGE/no-name"
	printf '#!%0247d/bin/sh\n' 0 | tr 0 / >"$STAGE/too-long"
	printf '#! \t/nowhere/x\ty z\n' >"$STAGE/spaces"
	printf '#!%s/not-yours\n' "$STAGE" >"$STAGE/closed"
	printf '#!%s\n' "$STAGE" >"$STAGE/folder"
	chmod 755 "$STAGE"/{empty,no-name,too-long,spaces,closed,folder}
	py <<-'PY'
		from session import STAGE, Session, show
		wrong = []
		# Of those that are found at the start, the reason.
		for name, reason in (("nowhere", "No such file"), ("nowhere/deeper", "No such file"),
		                     ("keep/file", "Not a directory"), ("directory", "Permission denied"),
		                     ("not-executable", "Permission denied"),
		                     ("not-yours", "Permission denied"), ("no-interpreter", None),
		                     ("bad-interpreter", "interpreter /nowhere/sh: No such file"),
		                     ("garbage", None), ("empty", "Exec format error"),
		                     ("no-name", "Exec format error"), ("too-long", "Exec format error"),
		                     ("spaces", "interpreter /nowhere/x: No such"),
		                     ("closed", f"interpreter {STAGE}/not-yours: Permission denied"),
		                     ("folder", f"interpreter {STAGE}: Permission denied")):
		    smtp = Session("-A", f"{STAGE}/{name}")
		    before = smtp.log()
		    replies = [smtp.message(b"x\n"), smtp.message(b"y\n" * 200000)]
		    log = smtp.quit()
		    for reply in replies:
		        if not reply.startswith(b"451 4.3.5 "):
		            wrong.append((name, reply))
		    errors = [line for line in before.splitlines() if f"{STAGE}/{name}" in line]
		    if reason and (len(errors) != 1 or reason not in errors[0]):
		        wrong.append((name, before))
		    if "cannot run" not in log or f"{STAGE}/{name}" not in log:
		        wrong.append((name, log))
		smtp = Session("-A", "no-such-command-anywhere", env={"PATH": "/usr/bin:/nowhere:/bin"})
		before = smtp.log()
		if "no-such-command-anywhere" not in before or "No such file" not in before:
		    wrong.append(before)
		if not smtp.message(b"x\n").startswith(b"451 4.3.5"):
		    wrong.append("no-such-command-anywhere")
		smtp.quit()
		show(wrong)
	PY
}

@test "a command that can be run is nothing to complain of at the start" {
	printf '#! /bin/sh -e\nexit 68\n' >"$STAGE/runs"
	printf '#!%s/runs\n' "$STAGE" >"$STAGE/of-a-script"
	# A name of which the kernel sees the last octet and the one behind it.
	printf '#!%0246d/bin/sh\nexit 68\n' 0 | tr 0 / >"$STAGE/long"
	printf '#!%s/runs' "$STAGE" >"$STAGE/no-line-end"
	cp /bin/false "$STAGE/unread"
	chmod 755 "$STAGE"/{runs,of-a-script,long,no-line-end}
	chmod 711 "$STAGE/unread"
	py <<-'PY'
		from session import STAGE, Session, show
		wrong = []
		for name in ("runs", "of-a-script", "long", "unread", "no-line-end"):
		    smtp = Session("-A", "-q", f"{STAGE}/{name}")
		    reply = smtp.message(b"x\n")
		    log = smtp.quit()
		    if not reply.startswith(b"550 5.1.2 " if name != "unread" else b"451 4.3.0 ") or log:
		        wrong.append((name, reply, log))
		show(wrong)
	PY
}

@test "a command that turns up later is run" {
	py <<-'PY'
		import os
		from session import STAGE, Session
		path = f"{STAGE}/later"
		smtp = Session("-A", "-q", path)
		assert smtp.message(b"x\n").startswith(b"451 4.3.5")
		with open(path, "w") as file:
		    file.write("#!/bin/sh\nexit 68\n")
		os.chmod(path, 0o755)
		assert smtp.message(b"x\n").startswith(b"550 5.1.2")
		os.unlink(path)
		assert smtp.message(b"x\n").startswith(b"451 4.3.5")
		smtp.quit()
	PY
}

@test "no descriptor is left for the command: 451, and the session goes on" {
	py <<-'PY'
		import resource
		from session import STAGE, Session
		def limit():
		    resource.setrlimit(resource.RLIMIT_NOFILE, (6, 6))
		smtp = Session("-A", f"{STAGE}/keep", f"{STAGE}/mail", preexec_fn=limit)
		for size in (1, 100000):
		    reply = smtp.message(b"x\n" * size)
		    assert reply.startswith(b"451 4.3."), reply
		log = smtp.quit()
		assert log.count("cannot run") == 2, log
	PY
}

# Commands that behave badly.

@test "killed by a signal: 451 4.3.0, whatever it had printed" {
	py <<-'PY'
		from session import STAGE, Session, show
		wrong = []
		smtp = Session("-A", "-q", f"{STAGE}/act")
		for name in ("KILL", "TERM", "SEGV", "PIPE", "USR1", "XFSZ", "ALRM"):
		    for output in ("", "echo 250 2.0.0 OK;", "echo 550 5.1.1 no;", "echo words;"):
		        with open(f"{STAGE}/cases/die", "w") as file:
		            file.write(f"ulimit -c 0; {output} kill -{name} $$; exit 0\n")
		        reply = smtp.message(b"x\n", "die@d")
		        if not reply.startswith(b"451 4.3.0 ") or b"words" in reply:
		            wrong.append((name, output, reply))
		smtp.quit()
		show(wrong)
	PY
}

@test "hangs: its whole process group is killed, 451 4.3.0, in time" {
	cat >"$CASES/hang" <<-'CASE'
		trap '' TERM
		sleep 300 &
		echo $! $$ >"$STAGE/mail/pids"
		echo "250 2.0.0 half a verdict"
		sleep 300
		exit 0
	CASE
	py <<-'PY'
		import re, time
		from session import STAGE, Session, gone, until
		for octets in (b"x\n", b"y\n" * 500000):
		    smtp = Session("-A", "--command-timeout", "1", f"{STAGE}/act")
		    smtp.offer("hang@d")
		    begun = time.monotonic()
		    smtp.talk.data(octets)
		    reply = smtp.talk.reply()
		    took = time.monotonic() - begun
		    assert reply.startswith(b"451 4.3.0 ") and b"half" not in reply, reply
		    assert 0.9 < took < 4, took
		    with open(f"{STAGE}/mail/pids") as file:
		        pids = file.read().split()
		    assert len(pids) == 2
		    for pid in pids:
		        until(gone, pid)
		    assert smtp.message(b"x\n", "hang@d").startswith(b"451 4.3.0")
		    errors = [line for line in smtp.quit().splitlines() if "time-out" in line]
		    assert len(errors) == 2, errors
		    for line in errors:
		        assert re.fullmatch("smtpd: session [^ ]+: command killed: it ran .*", line), line
	PY
}

@test "the clocks of the session and signals leave a command alone" {
	cat >"$CASES/slow" <<-'CASE'
		: >"$STAGE/mail/started$NUMBER"
		tries=500
		until [ -e "$STAGE/mail/go$NUMBER" ]; do
			[ $((tries -= 1)) -gt 0 ] || exit 75
			sleep 0.02
		done
		echo 250 2.0.0 done
	CASE
	py <<-'PY'
		import os, select, signal, time
		from session import STAGE, Session, until
		begun = time.monotonic()
		sessions = []
		for number, stop in enumerate((None, signal.SIGTERM, signal.SIGINT, None)):
		    smtp = Session("-A", "-t", "1", "--session-timeout", "60" if stop else "1",
		                   f"{STAGE}/act", kind="tcp" if number < 3 else "pipe",
		                   env={**os.environ, "NUMBER": str(number)})
		    sessions.append((number, stop, smtp))
		    smtp.offer("slow@d")
		    smtp.talk.data(b"x\n")
		    until(os.path.exists, f"{STAGE}/mail/started{number}")
		    if stop:
		        smtp.process.send_signal(stop)
		# Past both time-outs, whose ticks come each second.
		time.sleep(max(0, begun + 2.5 - time.monotonic()))
		for number, stop, smtp in sessions:
		    poll = select.poll()
		    poll.register(smtp.talk.source, select.POLLIN)
		    assert not poll.poll(0), (number, smtp.talk.reply())
		    open(f"{STAGE}/mail/go{number}", "w").close()
		    smtp.talk.expect("250 2.0.0 done")
		    assert smtp.talk.eof().startswith(b"421 4.3.2" if stop else b"421 4.4.2")
		    smtp.ended()
	PY
}

@test "floods its output: the exit status decides, memory does not grow" {
	cat >"$CASES/flood" <<-'CASE'
		dd if=/dev/zero bs=65536 count=1600 2>/dev/null
		exit 0
	CASE
	cat >"$CASES/text" <<-'CASE'
		printf 'Unknown\n'
		dd if=/dev/zero bs=65536 count=1600 2>/dev/null
		exit 67
	CASE
	# Before it reads: neither may wait for the other.
	cat >"$CASES/first" <<-'CASE'
		dd if=/dev/zero bs=65536 count=160 2>/dev/null
		cat >"$STAGE/mail/first"
	CASE
	py <<-'PY'
		from session import STAGE, Session, filler, wire
		smtp = Session("-A", "-q", "--no-received", f"{STAGE}/act")
		def peak():
		    with open(f"/proc/{smtp.process.pid}/status") as file:
		        return next(int(l.split()[1]) for l in file if l.startswith("VmHWM"))
		assert smtp.message(b"x\n", "nothing@d").startswith(b"451")
		before = peak()
		assert smtp.message(b"x\n", "flood@d") == b"250 2.0.0 OK\r\n"
		reply = smtp.message(b"x\n", "text@d")
		assert reply == b"550 5.1.1 Unknown\r\n", reply
		sent = filler(3 << 20)
		smtp.offer("first@d")
		smtp.talk.send(wire(sent))
		assert smtp.talk.reply() == b"250 2.0.0 OK\r\n"
		with open(f"{STAGE}/mail/first", "rb") as file:
		    assert file.read() == sent
		assert peak() < before + 1024, (before, peak())
		smtp.quit()
	PY
}

@test "reads nothing, or not all: its exit status is the verdict all the same" {
	printf 'exit 0\n' >"$CASES/none"
	printf 'exec <&-; exit 67\n' >"$CASES/closes"
	printf 'exec <&-; sleep 0.2; echo 250 2.0.0 later\n' >"$CASES/closes-first"
	printf 'head -c 100000 >/dev/null; exit 68\n' >"$CASES/some"
	py <<-'PY'
		from session import STAGE, Session, filler, show, wire
		wrong = []
		smtp = Session("-A", "-q", f"{STAGE}/act")
		for size in (10, 200000, 30 << 20):
		    sent = wire(filler(size))
		    for name, want in (("none", b"250 2.0.0 OK\r\n"), ("closes", b"550 5.1.1 "),
		                       ("closes-first", b"250 2.0.0 later\r\n"),
		                       ("some", b"550 5.1.2 ")):
		        if size > 1 << 20 and name == "closes":
		            continue
		        smtp.offer(f"{name}@d")
		        smtp.talk.send(sent)
		        reply = smtp.talk.reply()
		        if not reply.startswith(want):
		            wrong.append((size, name, reply))
		smtp.quit()
		show(wrong)
	PY
}

@test "closes its output early and goes on: its exit status counts" {
	printf 'echo 250 2.6.0 early; exec >&-; cat >/dev/null; sleep 0.3; exit 0\n' >"$CASES/early"
	printf 'exec >&-; cat >/dev/null; sleep 0.3; exit 67\n' >"$CASES/early-no"
	py <<-'PY'
		from session import STAGE, Session, filler
		smtp = Session("-A", "-q", f"{STAGE}/act")
		for size in (10, 2 << 20):
		    assert smtp.message(filler(size), "early@d") == b"250 2.6.0 early\r\n"
		    assert smtp.message(filler(size), "early-no@d").startswith(b"550 5.1.1 ")
		smtp.quit()
	PY
}

@test "reads slowly, prints before it has read all: every octet all the same" {
	cat >"$CASES/slow" <<-'CASE'
		echo 250 2.6.0 said first
		exec 3>"$STAGE/mail/slow"
		for n in 1 2 3 4 5 6 7 8; do
			dd bs=20000 count=10 iflag=fullblock 2>/dev/null >&3
			sleep 0.05
		done
		cat >&3
	CASE
	py <<-'PY'
		from session import STAGE, Session, filler, wire
		smtp = Session("-A", "-q", "--no-received", f"{STAGE}/act")
		for size in (250000, 5 << 20):
		    sent = filler(size)
		    smtp.offer("slow@d")
		    smtp.talk.send(wire(sent))
		    assert smtp.talk.reply() == b"250 2.6.0 said first\r\n"
		    with open(f"{STAGE}/mail/slow", "rb") as file:
		        assert file.read() == sent
		smtp.quit()
	PY
}

@test "a process left behind with all its descriptors: the verdict comes at once" {
	cat >"$CASES/behind" <<-'CASE'
		sleep 120 &
		echo $! >"$STAGE/mail/pid"
		echo 250 2.0.0 at once
		exit 0
	CASE
	py <<-'PY'
		import os, signal, time
		from session import STAGE, Session, gone
		for options in ((), ("--command-timeout", "5")):
		    smtp = Session("-A", "-q", *options, f"{STAGE}/act")
		    # It cannot be in the pipe: something of it is left to write.
		    for octets in (b"x\n", b"y\n" * 1000000):
		        begun = time.monotonic()
		        smtp.offer("behind@d")
		        smtp.talk.data(octets)
		        reply = smtp.talk.reply()
		        took = time.monotonic() - begun
		        with open(f"{STAGE}/mail/pid") as file:
		            pid = int(file.read())
		        alive = not gone(pid)
		        os.kill(pid, signal.SIGKILL)
		        assert reply == b"250 2.0.0 at once\r\n", reply
		        assert took < 4, took
		        assert alive, "nobody told us to kill it"
		    smtp.quit()
	PY
}

# The spool.

@test "no room for the spool: 452 4.3.1, and the next small message is taken" {
	need_root
	in_namespace <<-'PY'
		import os, subprocess
		from session import STAGE, Session, filler, wire
		small = f"{STAGE}/small"
		os.mkdir(small)
		subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k,mode=1777", "none", small],
		               check=True)
		def free():
		    about = os.statvfs(small)
		    return about.f_bfree, about.f_ffree
		smtp = Session("-A", "--no-received", f"{STAGE}/keep", f"{STAGE}/mail",
		               env={**os.environ, "TMPDIR": small})
		empty = free()
		for _ in range(2):
		    smtp.offer("large@d")
		    smtp.talk.send(wire(filler(3 << 20)))
		    reply = smtp.talk.reply()
		    assert reply.startswith(b"452 4.3.1"), reply
		    assert not os.path.exists(f"{STAGE}/mail/large")
		    assert free() == empty and os.listdir(small) == [], "something stays behind"
		    # In memory, and in the file where there is room for it.
		    for size in (10, 200000, 500000):
		        smtp.offer("m@d")
		        smtp.talk.send(wire(filler(size)))
		        smtp.talk.expect("250 2.0.0")
		        with open(f"{STAGE}/mail/m", "rb") as file:
		            assert file.read() == filler(size)
		        assert free() == empty and os.listdir(small) == [], "something stays behind"
		assert "spool" in smtp.quit()
	PY
}

@test "the spool has no name while it is there, and is gone afterwards" {
	py <<-'PY'
		import os
		from session import STAGE, Session, filler, until, wire
		spool = f"{STAGE}/spool"
		os.mkdir(spool)
		os.chmod(spool, 0o1777)
		smtp = Session("-A", "-q", "true", env={**os.environ, "TMPDIR": spool})
		agent = smtp.process.pid
		def spools():
		    found = [os.readlink(f"/proc/{agent}/fd/{n}") for n in os.listdir(f"/proc/{agent}/fd")]
		    return [path for path in found if path.startswith(spool)]
		assert spools() == []
		smtp.offer("m@d")
		octets = wire(filler(2 << 20))
		smtp.talk.send(octets[:-10])
		until(spools)
		assert os.listdir(spool) == []
		smtp.talk.send(octets[-10:])
		smtp.talk.expect("250")
		assert spools() == []
		# One that is never finished.
		smtp.offer("m@d")
		smtp.talk.send(octets[:-10])
		until(spools)
		smtp.talk.close()
		assert smtp.process.wait(10) == 0
		assert os.listdir(spool) == []
	PY
}

@test "RLIMIT_FSIZE: 452 4.3.1, and the session goes on" {
	py <<-'PY'
		import os, resource
		from session import STAGE, Session, filler, wire
		def limit():
		    resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))
		smtp = Session("-A", "--no-received", f"{STAGE}/keep", f"{STAGE}/mail",
		               preexec_fn=limit)
		for _ in range(2):
		    smtp.offer("large@d")
		    smtp.talk.send(wire(filler(2 << 20)))
		    reply = smtp.talk.reply()
		    assert reply.startswith(b"452 4.3.1"), reply
		    assert not os.path.exists(f"{STAGE}/mail/large")
		    smtp.offer("m@d")
		    smtp.talk.send(wire(filler(300000)))
		    smtp.talk.expect("250")
		    with open(f"{STAGE}/mail/m", "rb") as file:
		        assert file.read() == filler(300000)
		log = smtp.quit()
		assert "File too large" in log, log
	PY
}

@test "a TMPDIR that is not there: another place is found" {
	py <<-'PY'
		import os
		from session import STAGE, Session, filler, wire
		smtp = Session("-A", "-q", "--no-received", f"{STAGE}/keep", f"{STAGE}/mail",
		               env={**os.environ, "TMPDIR": "/nowhere/at/all"})
		smtp.offer("m@d")
		smtp.talk.send(wire(filler(600000)))
		smtp.talk.expect("250")
		smtp.quit()
		with open(f"{STAGE}/mail/m", "rb") as file:
		    assert file.read() == filler(600000)
	PY
}

# Size and hops.

@test "--size: n is taken and n + 1 is not, declared and counted by RFC 1870" {
	py <<-'PY'
		import os
		from session import STAGE, Session, show
		wrong = []
		for options in ((), ("-C",), ("-b", "normalize")):
		    smtp = Session("-A", "-q", "--no-received", "-s", "1000", *options,
		                   f"{STAGE}/keep", f"{STAGE}/mail", hello=None)
		    smtp.talk.expect("220")
		    ehlo = smtp.talk.ask("EHLO me", "250")
		    if b"250-SIZE 1000\r\n" not in ehlo:
		        wrong.append(ehlo)
		    for size, code in ((0, "250"), (1000, "250"), (1001, "552 5.3.4"),
		                       (2**63, "552 5.3.4"), (2**64 - 1, "552 5.3.4")):
		        smtp.talk.ask(f"MAIL FROM:<a@b> SIZE={size}", code)
		        smtp.talk.ask("RSET", "250")
		    # CRLF counts two, the dot of dot-stuffing and the final one nothing.
		    lines = b"..234567\r\n" * 110
		    for name, sent, size in (
		            ("n", lines + b"x" * 8 + b"\r\n", 1000),
		            ("more", lines + b"x" * 9 + b"\r\n", 1001),
		            ("line", b"x" * 998 + b"\r\n", 1000),
		            ("longer", b"x" * 999 + b"\r\n", 1001)):
		        smtp.offer(f"{name}@d", rest=" SIZE=10")
		        smtp.talk.send(sent + b".\r\n")
		        reply = smtp.talk.reply()
		        kept = os.path.exists(f"{STAGE}/mail/{name}")
		        if kept:
		            os.unlink(f"{STAGE}/mail/{name}")
		        if not reply.startswith(b"250" if size <= 1000 else b"552 5.3.4") or \
		                kept != (size <= 1000):
		            wrong.append((options, name, reply, kept))
		    if options[:1] == ("-b",):
		        # A bare LF is a line end and counts two.
		        for more, want in ((b"", b"250"), (b"x", b"552 5.3.4")):
		            smtp.offer("n@d")
		            smtp.talk.send(more + b"12345678\n" * 99 + b"12345678\r\n.\r\n")
		            reply = smtp.talk.reply()
		            if not reply.startswith(want):
		                wrong.append((options, more, reply))
		    smtp.quit()
		show(wrong)
	PY
}

@test "--size 0: no limit; the default is 33554432" {
	py <<-'PY'
		from session import Session
		for options, line in (((), b"250-SIZE 33554432\r\n"), (("-s", "0"), b"250-SIZE 0\r\n")):
		    smtp = Session("-A", "-q", *options, "true", hello=None)
		    smtp.talk.expect("220")
		    assert line in smtp.talk.ask("EHLO me", "250"), options
		    smtp.talk.ask("MAIL FROM:<a@b> SIZE=33554432", "250")
		    smtp.talk.ask("RSET", "250")
		    smtp.talk.ask("MAIL FROM:<a@b> SIZE=33554433", "250" if options else "552 5.3.4")
		    smtp.quit()
	PY
}

@test "a message that is too big is read to its end, and the session goes on" {
	py <<-'PY'
		import os
		from session import STAGE, Session, filler, wire
		spool = f"{STAGE}/spool-size"
		os.mkdir(spool)
		os.chmod(spool, 0o1777)
		smtp = Session("-A", "--no-received", "-s", "600000", f"{STAGE}/keep", f"{STAGE}/mail",
		               env={**os.environ, "TMPDIR": spool})
		for size in (700000, 8 << 20):
		    smtp.offer("large@d")
		    smtp.talk.send(wire(filler(size)) + b"NOOP\r\n")
		    smtp.talk.expect("552 5.3.4")
		    smtp.talk.expect("250 2.0.0")
		    assert not os.path.exists(f"{STAGE}/mail/large")
		    for small in (300, 300000):
		        smtp.offer("m@d")
		        smtp.talk.send(wire(filler(small)))
		        smtp.talk.expect("250")
		        with open(f"{STAGE}/mail/m", "rb") as file:
		            assert file.read() == filler(small), size
		log = smtp.quit()
		assert log.count("552 5.3.4") == 2 and os.listdir(spool) == []
	PY
}

@test "--max-hops: n Received lines are taken, n + 1 are a loop" {
	py <<-'PY'
		from session import STAGE, Session, show
		wrong = []
		hop = b"Received: from a\n\tby b;\n Received: folded\n"
		others = b"X-Received: x\nReceived-SPF: y\nSubject: Received: z\n"
		body = b"\n" + b"Received: in the body\n" * 200
		for n, options in ((100, ()), (3, ("--max-hops", "3")), (0, ("--max-hops=0",))):
		    smtp = Session("-A", "-q", *options, "true")
		    for octets, want in (
		            (others + hop * n + others + body, b"250"),
		            (others + hop * (n + 1) + body, b"554 5.4.6"),
		            (hop * n + b"RECEIVED: x\n", b"554 5.4.6"),
		            (hop * n + b"received:\n", b"554 5.4.6"),
		            (hop * n + others + b"\nReceived: x\n", b"250")):
		        reply = smtp.message(octets)
		        if not reply.startswith(want):
		            wrong.append((n, octets[-100:], reply))
		    smtp.quit()
		show(wrong)
	PY
}

# The Received line.

@test "Received: as RFC 5321 4.4 has it" {
	"$PYTHON" "$BATS_TEST_DIRNAME/received.py"
}

# Two processes.

@test "a session is two processes, and the dialogue can only read, write and exit" {
	sanitized && skip "built with AddressSanitizer: no sandbox"
	grep -q '^Seccomp:.0' /proc/self/status || skip "a filter is in force already"
	py <<-'PY'
		import os
		from session import Session, show
		from talk import children
		wrong = []
		for kind in ("tcp", "pipe"):
		    smtp = Session("-A", "-q", "true", kind=kind)
		    assert smtp.message(b"x\n").startswith(b"250")
		    agent, dialogue = smtp.process.pid, smtp.dialogue()
		    if children(dialogue):
		        wrong.append((kind, "the dialogue has children"))
		    def status(pid):
		        with open(f"/proc/{pid}/status") as file:
		            return dict(line.rstrip("\n").split(":\t", 1) for line in file
		                        if ":\t" in line)
		    its, ours = status(dialogue), status(agent)
		    if its["Seccomp"] != "1" or its["NoNewPrivs"] != "1":
		        wrong.append((kind, "dialogue", its["Seccomp"], its["NoNewPrivs"]))
		    if ours["Seccomp"] != "0" or ours["NoNewPrivs"] != "1":
		        wrong.append((kind, "agent", ours["Seccomp"], ours["NoNewPrivs"]))
		    if its["Threads"] != "1" or ours["Threads"] != "1":
		        wrong.append((kind, "threads"))
		    def descriptors(pid):
		        return {int(n): os.readlink(f"/proc/{pid}/fd/{n}")
		                for n in os.listdir(f"/proc/{pid}/fd")}
		    held, agents = descriptors(dialogue), descriptors(agent)
		    connection = {held.pop(0, None), held.pop(1, None)}
		    if connection != {agents[0], agents[1]} or len(held) != 1 or \
		            not all(path.startswith("socket:") for path in held.values()):
		        wrong.append((kind, held, agents))
		    # And besides 0 to 2 the agent has its end of the channel.
		    if len(agents) != 4:
		        wrong.append((kind, agents))
		    smtp.quit()
		show(wrong)
	PY
}

@test "as root: both processes and the command are the user's, with no way back" {
	need_root
	py <<-'PY'
		import pwd
		from session import STAGE, Session
		nobody = pwd.getpwnam("nobody")
		smtp = Session("-A", "cp", "/proc/self/status", f"{STAGE}/mail/status")
		assert smtp.message(b"x\n").startswith(b"250")
		for path in (f"/proc/{smtp.process.pid}/status", f"/proc/{smtp.dialogue()}/status",
		             f"{STAGE}/mail/status"):
		    with open(path) as file:
		        words = dict(line.split(":", 1) for line in file)
		    assert words["Uid"].split() == [str(nobody.pw_uid)] * 4, (path, words["Uid"])
		    assert words["Gid"].split() == [str(nobody.pw_gid)] * 4, (path, words["Gid"])
		    assert set(words["Groups"].split()) <= {str(nobody.pw_gid)}, (path, words["Groups"])
		    assert int(words["CapEff"], 16) == int(words["CapPrm"], 16) == 0, path
		assert "running as user nobody" in smtp.quit()
	PY
}

@test "the dialogue killed amid the data: nothing is run, the agent says so, exit 70" {
	py <<-'PY'
		import os, signal
		from session import STAGE, Session, until
		from talk import adopt_orphans, no_orphans
		adopt_orphans()
		for kind in ("tcp", "pipe"):
		    for octets in (b"", b"one line\r\n", b"x" * 62 + b"\r\n" + b"y" * 700000):
		        smtp = Session("-A", f"{STAGE}/keep", f"{STAGE}/mail", kind=kind)
		        smtp.offer("m@d")
		        smtp.talk.send(octets)
		        os.kill(smtp.dialogue(), signal.SIGKILL)
		        log = smtp.ended(70)
		        assert "killed by signal 9" in log, log
		        assert no_orphans() == 0
		        assert os.listdir(f"{STAGE}/mail") == []
	PY
}

@test "the agent killed: the dialogue goes with it, and nothing is run" {
	py <<-'PY'
		import os, signal
		from session import STAGE, Session, gone, until
		from talk import adopt_orphans, no_orphans
		adopt_orphans()
		for kind in ("tcp", "pipe"):
		    for octets in (None, b"one line\r\n", b"x" * 700000):
		        smtp = Session("-A", "-q", f"{STAGE}/keep", f"{STAGE}/mail", kind=kind)
		        dialogue = smtp.dialogue()
		        if octets:
		            smtp.offer("m@d")
		            smtp.talk.send(octets)
		        os.kill(smtp.process.pid, signal.SIGKILL)
		        smtp.process.wait(10)
		        until(gone, dialogue)
		        assert no_orphans() == 0
		        assert b"250 2.0.0" not in smtp.talk.eof()
		        smtp.talk.close()
		        assert os.listdir(f"{STAGE}/mail") == []
	PY
}

@test "a reply does not wait until the one before it has been acknowledged" {
	py "$SMTPD" <<-'PY'
		import socket, subprocess, sys
		from session import tcp
		ours, theirs = tcp()
		smtp = subprocess.Popen([sys.argv[1], "-n", "-q", "-A", "true"],
		                        stdin=theirs, stdout=theirs)
		# RFC 896, RFC 1122 4.2.3.2: with 40 ms for each, where the two meet.
		ours.sendall(b"NOOP\r\n")
		heard = b""
		while b"250 2.0.0" not in heard:
		    heard += ours.recv(4096)
		assert theirs.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
		ours.sendall(b"QUIT\r\n")
		assert smtp.wait() == 0
	PY
}

@test "the verdict on a message does not wait for the one pipelined behind it" {
	py "$SMTPD" <<-'PY'
		import subprocess, sys
		mail = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n"
		smtp = subprocess.Popen([sys.argv[1], "-n", "-q", "-A", "sh", "-c",
		                         "read line; cat; test -e /dev/null && sleep 1"],
		                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
		smtp.stdin.write(b"HELO me\r\n" + mail + mail + b"QUIT\r\n")
		smtp.stdin.flush()
		import time
		times = []
		for line in smtp.stdout:
		    if line.startswith(b"250 2.0.0"):
		        times.append(time.monotonic())
		assert smtp.wait() == 0
		assert len(times) == 2 and times[1] - times[0] > 0.5, times
	PY
}
