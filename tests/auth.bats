#!/usr/bin/env bats
# shellcheck shell=bats
# AUTH: what is offered, what is said, who is asked, who is let in, and that no
# password stays anywhere. Real clients, and a real checkpassword program.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154,SC2317

load lib

setup_file() {
	stage
	cp "$BATS_TEST_DIRNAME/checker" "$STAGE/checker"
	chmod 755 "$STAGE/checker"
}

teardown_file() {
	unstage
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	forget_messages
}

teardown() {
	end_all
}

# logins: smtpd with tests/checker, listening; its password in $password.
logins() {
	mkdir -p "$STAGE/logins"
	chmod 777 "$STAGE/logins"
	password='opn ssm "42 \&?'
	printf %s "$password" >"$STAGE/logins/password"
	rm -f "$STAGE/logins/asked"
	serve --auth-plaintext --auth-cram-md5 --no-trust \
		-a "'$STAGE/checker' '$STAGE/logins'" -- "$RECORD" "$MAIL"
}

# came_by MECHANISM: the only message is from ann, logged in so.
came_by() {
	[ "$(recorded SMTP_AUTH_USER)" = ann ]
	[ "$(recorded SMTP_AUTH_MECHANISM)" = "$1" ]
	[ "$(recorded SMTP_PROTOCOL)" = ESMTPA ]
	forget_messages
}

### What is offered

@test "AUTH is offered where it can be used, and only there" {
	py <<-'PY'
	from auth import *
	tls = dict(os.environ, SSL_PROTOCOL="TLSv1.3")
	option, _ = checker()
	wrong = []
	#  options, environment, keywords, reply to AUTH PLAIN
	for options, env, offered, reply in (
	    ([], None, None, "502 5.5.1"),
	    ([], tls, None, "502 5.5.1"),
	    (option, None, None, "502 5.5.1"),
	    (option, tls, ["PLAIN", "LOGIN"], "334 "),
	    (option + ["--tls"], None, ["PLAIN", "LOGIN"], "334 "),
	    (option + PLAINTEXT, None, ["PLAIN", "LOGIN"], "334 "),
	    (option + ["--auth-cram-md5"], tls,
	     ["PLAIN", "LOGIN", "CRAM-MD5"], "334 "),
	    (option + ["--hide", "AUTH"], tls, None, "334 "),
	    (option + ["--require-tls"], None, None, "502 5.5.1"),
	):
	    s = Session(*options, "true", env=env)
	    if keywords(s).get("AUTH") != offered:
	        wrong.append((options, env is tls, keywords(s)))
	    s.talk.line("AUTH PLAIN")
	    found = s.talk.reply().decode()
	    if not found.startswith(reply):
	        wrong.append((options, env is tls, found))
	    if reply == "334 ":
	        s.talk.ask("*", "501 5.7.0")
	        help = s.talk.ask("HELP AUTH", "214").decode()
	    else:
	        s.talk.ask("HELP AUTH", "501", "530")
	    s.quit()
	# CRAM-MD5 where it is not offered; no longer once one is in.
	s = Session(*option, *PLAINTEXT, "true")
	s.talk.ask("AUTH CRAM-MD5", "504 5.5.4")
	login(s)
	assert "AUTH" not in keywords(s), keywords(s)
	s.quit()
	show(wrong)
	PY
}

@test "options that can have no effect, or refuse all mail, are error lines" {
	py <<-'PY'
	from auth import *
	tls = dict(os.environ, SSL_PROTOCOL="TLSv1.3")
	hooks = os.path.join(STAGE, "named")
	hook(hooks, "AUTH-X", "")
	wrong = []
	for options, env, line in (
	    (["-a", "true"], None, "--auth has no effect: there is no TLS, nor --auth-plaintext"),
	    (["-a", "true"], tls, None),
	    (["-a", "true", "--tls"], None, None),
	    (["-a", "true", *PLAINTEXT], None, None),
	    (["-a", "true", *PLAINTEXT], tls, "--auth-plaintext has no effect: there is TLS from the start"),
	    (PLAINTEXT, None, "--auth-plaintext has no effect: there is no --auth, and no hook AUTH-NAME"),
	    (["-H", hooks], None, "the hooks AUTH-NAME have no effect: there is no TLS, nor --auth-plaintext"),
	    (["-H", hooks, *PLAINTEXT], None, None),
	    (["--auth-cram-md5"], None, "--auth-cram-md5 has no effect without --auth"),
	    (["--auth-cram-md5", "-H", hooks], tls, "--auth-cram-md5 has no effect without --auth"),
	    (["--require-auth"], None, "--require-auth refuses all mail: there is no AUTH"),
	    (["--require-auth"], tls, "--require-auth refuses all mail: there is no AUTH"),
	    (["--require-auth", "-a", "true"], tls, None),
	    (["--require-tls"], None, "--require-tls refuses all mail: there is no TLS"),
	    (["--require-tls"], tls, "--require-tls has no effect: there is TLS from the start"),
	    *((["--hide", name], None, f"--hide {name} has no effect: it is not offered") for name in
	      ("SMTPUTF8", "BINARYMIME", "STARTTLS", "AUTH", "XCLIENT")),
	    (["--hide", "AUTH", "-a", "true", *PLAINTEXT], None, None),
	    (["--hide", "CHUNKING", "--hide", "BINARYMIME", "-C"], None, "--hide BINARYMIME has no effect: it is not offered"),
	    (["--hide", "BINARYMIME", "-C", "--hide", "SMTPUTF8", "-u", "--hide", "XCLIENT", "--xclient", "::1",
	      "--hide", "LIMITS", "--hide", "SIZE"], None, None),
	    (["--tls", "--tlswrapper"], None, "--tlswrapper has no effect with --tls"),
	    (["--tlswrapper"], tls, "--tlswrapper has no effect: SSL_PROTOCOL says that there is TLS already"),
	    (["--tlswrapper"], None, "--tlswrapper has no effect: descriptor 5 is not open (tlswrapper -n opens it)"),
	):
	    s = Session(*options, "true", env=env)
	    s.talk.ask("QUIT", "221")
	    lines = [l for l in s.ended().splitlines() if "effect" in l or "refuses" in l]
	    if lines != ([f"smtpd: {line}"] if line else []):
	        wrong.append((options, env is tls, lines))
	show(wrong)
	PY
}

### What is said

@test "PLAIN, LOGIN and CRAM-MD5, with and without initial response, to the octet" {
	py <<-'PY'
	from auth import *
	option, folder = checker("said")
	for say in (
	    lambda t: t.ask("AUTH PLAIN " + plain("ann", PASSWORD), "235 2.7.0"),
	    lambda t: t.ask("auth plain  " + plain("ann", PASSWORD, "ann") + "  ", "235 2.7.0"),
	    lambda t: (t.line("AUTH PLAIN"), expect(t, b"334 \r\n"),
	               t.ask(plain("ann", PASSWORD), "235 2.7.0")),
	    lambda t: (t.line("AUTH LOGIN"), expect(t, b"334 VXNlcm5hbWU6\r\n"),
	               t.line(b64("ann")), expect(t, b"334 UGFzc3dvcmQ6\r\n"),
	               t.ask(b64(PASSWORD), "235 2.7.0")),
	    lambda t: (t.line("Auth Login " + b64("ann")),
	               expect(t, b"334 UGFzc3dvcmQ6\r\n"),
	               t.ask(b64(PASSWORD), "235 2.7.0")),
	):
	    def expect(t, octets):
	        found = t.reply()
	        assert found == octets, (found, octets)
	    s = Session(*option, *PLAINTEXT, "true")
	    say(s.talk)
	    fields = left(folder, "fields").split(b"\0")
	    assert fields[:2] == [b"ann", PASSWORD.encode()], fields
	    assert fields[2].isdigit() and fields[3:] == [b""], fields
	    assert left(folder, "stdin") == b""
	    assert left(folder, "fd").split() == b"0 1 2 3".split()  # ls's own
	    env = environment(left(folder, "env"))
	    assert env["SMTP_HELO"] == "me.example.org", env
	    assert env["SMTP_PROTOCOL"] == "ESMTP"
	    assert "SMTP_AUTH_USER" not in env and "SENDER" not in env, env
	    s.quit()
	    assert left(folder, "asked") == b"asked\n"
	# Every challenge is another, and is asked about with its response.
	seen = set()
	for _ in range(3):
	    s = Session(*option, "--auth-cram-md5", *PLAINTEXT, "--hostname", "mx.example.org", "true")
	    s.talk.ask("AUTH CRAM-MD5 " + b64("x"), "501 5.7.0")
	    challenge = s.talk.ask("auth cram-md5", "334 ")
	    assert re.fullmatch(rb"<[0-9a-f]{32}\.\d+@mx\.example\.org>",
	                        base64.b64decode(challenge[4:])), challenge
	    seen.add(challenge)
	    s.talk.ask(cram(challenge, "ann", PASSWORD), "235 2.7.0")
	    fields = left(folder, "fields").split(b"\0")
	    assert fields[:2] == [b"ann", base64.b64decode(challenge[4:])], fields
	    s.quit()
	assert len(seen) == 3
	s = Session(*option, "--auth-cram-md5", *PLAINTEXT, "true")
	s.talk.ask(cram(s.talk.ask("AUTH CRAM-MD5", "334"), "ann", "wrong"), "535 5.7.8")
	# An old challenge's response is good for nothing.
	old = cram(s.talk.ask("AUTH CRAM-MD5", "334"), "ann", PASSWORD)
	s.talk.ask("*", "501 5.7.0")
	s.talk.ask("AUTH CRAM-MD5", "334")
	s.talk.ask(old, "535 5.7.8")
	s.quit()
	PY
}

@test "who is refused without being asked about" {
	py <<-'PY'
	from auth import *
	option, folder = checker("refused")
	s = Session(*option, "--auth-cram-md5", *PLAINTEXT, "--max-errors", "0", "true")
	wrong = []
	def refused(reply, *lines):
	    for line in lines[:-1]:
	        s.talk.ask(line, "334")
	    s.talk.line(lines[-1])
	    found = s.talk.reply().decode()
	    if not found.startswith(reply):
	        wrong.append((lines, found))
	for octets in (b"", b"ann", b"\0ann", b"\0\0secret", b"\0ann\0secret\0", b"\0ann\0se\0cret",
	               b"eve\0ann\0secret", b"u\0u\0p\0", b"\0a\nb\0secret", b"\0a\x7fb\0secret", b"\0a\rb\0secret",
	               b"\0" + b"a" * 1025 + b"\0secret", b"an\0ann\0secret", b"ann\0an\0secret", b"\0\xff\0p"):
	    refused("535 5.7.8", "AUTH PLAIN", b64(octets))
	    refused("535 5.7.8", "AUTH PLAIN " + (b64(octets) or "="))
	for octets in (b"", b"a\0b", b"a\nb", b"a" * 1025):
	    refused("535 5.7.8", "AUTH LOGIN", b64(octets))
	    refused("535 5.7.8", "AUTH LOGIN " + (b64(octets) or "="))
	refused("535 5.7.8", "AUTH LOGIN", b64("ann"), b64("p\0q"))
	for text in ("ann", "ann 0123", " " + "0" * 32, "ann" + "0" * 32, "ann " + "g" * 32, "a\0n " + "0" * 32):
	    refused("535 5.7.8", "AUTH CRAM-MD5", b64(text))
	for text in ("x", "=", "====", "AGFubgBz ZWNyZXQ=", "AGFubgBzZWNyZXQ", "AGFubgBzZWNyZXQ=x", "AGFu-gBzZWNyZXQ=",
	             "AGFubgBzZWNyZXQ==", "AGFu=gBzZWNy", " AGFubgBzZWNyZXQ="):
	    refused("501 5.5.2", "AUTH PLAIN", text)
	    if text not in ("=", " AGFubgBzZWNyZXQ="):
	        refused("501 5.5.2", "AUTH PLAIN " + text)
	    refused("501 5.5.2", "AUTH LOGIN", b64("ann"), text)
	    refused("501 5.5.2", "AUTH CRAM-MD5", text)
	for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
	    refused("501 5.7.0", "AUTH " + mechanism, "*")
	refused("501 5.7.0", "AUTH LOGIN", b64("ann"), "*")
	refused("501 5.5.2", "AUTH LOGIN", "**")
	refused("501 5.7.0", "AUTH CRAM-MD5 =")
	# CVE-2018-6789: 4n+3 octets.
	refused("501 5.5.2", "AUTH CRAM-MD5", "A" * 4095)
	# A bare LF is no line end; what it ends is void, and the exchange over.
	s.talk.send(b"AUTH LOGIN\r\n")
	s.talk.expect("334")
	s.talk.send(b64("ann").encode() + b"\nNOOP\r\n")
	s.talk.expect("500 5.5.2")
	s.talk.ask("NOOP", "250")
	refused("501 5.5.4", "AUTH")
	refused("501 5.5.4", "AUTH PLAIN\tx")
	for name in ("X", "PLAI", "PLAINX", "DIGEST-MD5", "EXTERNAL", "ANONYMOUS", "="):
	    refused("504 5.5.4", "AUTH " + name)
	    refused("504 5.5.4", f"AUTH {name} {b64('ann')}")
	s.quit()
	show(wrong)
	assert left(folder, "asked") is None, left(folder, "fields")
	PY
}

@test "lines of 12288 octets, and one more" {
	py <<-'PY'
	from auth import *
	option, folder = checker("long")
	def text(line, head=""):
	    """base64 that fills a line of so many octets, CRLF and all."""
	    room = line - 2 - len(head)
	    return "A" * (room - room % 4) if room % 4 == 0 else None
	s = Session(*option, *PLAINTEXT, "--max-errors", "0", "true")
	for head in ("", "AUTH PLAIN ", "AUTH  PLAIN ", "AUTH   PLAIN ", "AUTH PLAIN   "):
	    for size, replies in ((12288, ("535 5.7.8",)), (12289, ("500 5.5.6",)),
	                          (12290, ("500 5.5.6",)), (100000, ("500 5.5.6",))):
	        room = size - 2 - len(head)
	        line = head + "A" * room
	        if size == 12288 and room % 4:
	            replies = ("501 5.5.2",)
	        if not head:
	            s.talk.ask("AUTH PLAIN", "334")
	        s.talk.ask(line, *replies)
	        s.talk.ask("NOOP", "250 2.0.0")
	# The longest password there is room for arrives whole.
	# A line has 12286 octets besides CRLF, so 12284 of base64: 9213.
	password = "p" * (9213 - 5)
	response = plain("ann", password)
	assert len(response) == 12284
	s.talk.ask("AUTH PLAIN", "334")
	s.talk.ask(response, "535 5.7.8")
	assert left(folder, "fields").split(b"\0")[1].decode() == password
	s.quit()
	PY
}

@test "AUTH out of place: 503, and after --max-errors 421" {
	py <<-'PY'
	from auth import *
	option, folder = checker("place")
	s = Session(*option, *PLAINTEXT, "-A", "true", hello=None)
	s.talk.expect("220")
	login(s, code="503 5.5.1")
	s.talk.ask("HELO me", "250")
	s.talk.ask("MAIL FROM:<a@b>", "250")
	login(s, code="503 5.5.1")
	s.talk.ask("RCPT TO:<a@b>", "250")
	login(s, code="503 5.5.1")
	s.talk.ask("RSET", "250")
	assert left(folder, "asked") is None
	login(s)
	login(s, code="503 5.5.1")
	s.talk.ask("AUTH LOGIN", "503 5.5.1")
	# Neither RSET nor EHLO undoes it.
	s.talk.ask("RSET", "250")
	s.talk.ask("EHLO me", "250")
	login(s, code="503 5.5.1")
	s.quit()
	s = Session("-a", "exit 2", *PLAINTEXT, "--max-errors", "3", "true")
	s.talk.ask("AUTH LOGIN", "334")
	s.talk.ask("x", "501 5.5.2")
	login(s, code="454 4.7.0")
	login(s, code="454 4.7.0")
	login(s, code="421 4.7.0")
	assert s.talk.eof() == b""
	s.ended()
	PY
}

@test "AUTH in a pipeline: each line is answered once, in order" {
	py <<-'PY'
	from auth import *
	option, folder = checker("pipe")
	lines = ["EHLO me", "AUTH LOGIN", b64("ann"), b64(PASSWORD), "MAIL FROM:<a@b>", "AUTH LOGIN",
	         "RSET", "AUTH PLAIN", "NOOP", "QUIT"]
	want = ["250", "334 VX", "334 UG", "235", "250", "503", "250", "503", "250", "221"]
	octets = "".join(line + "\r\n" for line in lines).encode()
	for size in (len(octets), 1, 7):
	    s = Session(*option, *PLAINTEXT, "true", hello=None)
	    s.talk.expect("220")
	    for at in range(0, len(octets), size):
	        s.talk.send(octets[at:at + size])
	    for code in want:
	        s.talk.expect(code)
	    assert s.talk.eof() == b""
	    s.ended()
	# A verb is no command while a response is awaited.
	s = Session(*option, *PLAINTEXT, "true")
	s.talk.send(b"AUTH LOGIN\r\nQUIT\r\nNOOP x\r\nAUTH LOGIN\r\nMAIL FROM:<a@b>\r\n")
	# QUIT is base64, but of no user.
	for code in ("334 VX", "535", "250", "334", "501 5.5.2"):
	    s.talk.expect(code)
	s.quit()
	PY
}

### Who is asked

@test "the checker's exit status: 0, 1, all others; signals; a command that is not there" {
	py <<-'PY'
	from auth import *
	import time
	status = os.path.join(STAGE, "status")
	s = Session("-a", f'read -r n <{status}; [ "$n" ] && exit "$n"; kill -SEGV $$',
	            *PLAINTEXT, "--max-errors", "0", "true")
	wrong = []
	for n in [""] + list(range(256)):
	    with open(status, "w") as out:
	        out.write(f"{n}\n")
	    os.chmod(status, 0o644)
	    if n == 0:
	        continue
	    since = time.monotonic()
	    s.talk.line("AUTH PLAIN " + plain("ann", "x"))
	    found, seconds = s.talk.reply().decode(), time.monotonic() - since
	    if not found.startswith("535 5.7.8" if n == 1 else "454 4.7.0"):
	        wrong.append((n, found))
	    if n == 1 and not 1 <= seconds < 3:
	        wrong.append((n, seconds))
	log = s.quit()
	assert "login checker (--auth) was killed" in log, log[-500:]
	assert "login checker (--auth) failed: exit status 111" in log
	for command in (f"{STAGE}/nothing", "exit 2 3 (", "kill -KILL $$"):
	    s = Session("-a", command, *PLAINTEXT, "true")
	    login(s, code="454 4.7.0")
	    s.quit()
	# One that reads nothing, floods both, is left by a child, is still good.
	for command in ("exit 0", "exec 3<&-; exit 0", "yes | head -c 3000000; yes | head -c 100000 >&2; exit 0",
	                "sleep 30 & exit 0"):
	    s = Session("-a", command, *PLAINTEXT, "true")
	    login(s)
	    s.quit()
	show(wrong)
	PY
}

@test "a checker that hangs is killed with its group, and has not accepted" {
	py <<-'PY'
	from auth import *
	from session import gone, until
	pids = os.path.join(STAGE, "pids")
	s = Session("-a", f"sleep 60 & echo $$ $! >{pids}.new; mv {pids}.new {pids}; wait; exit 0",
	            *PLAINTEXT, "--command-timeout", "1", "true", preexec_fn=lambda: os.chdir(STAGE))
	os.chmod(STAGE, 0o777)
	login(s, code="454 4.7.0")
	os.chmod(STAGE, 0o755)
	with open(pids) as file:
	    for pid in file.read().split():
	        until(gone, int(pid))
	log = s.quit()
	assert re.search("^smtpd: session [^ ]+: login checker killed: it ran into its time-out", log, re.M), log
	PY
}

@test "a real checkpassword program: checkpw" {
	need_root
	# It looks users up and becomes them.
	local home user=smtpdtest$$
	home=$STAGE/home
	mkdir -p "$home/Maildir"
	useradd -M -d "$home" -s /bin/sh "$user"
	printf 'right\n' >"$home/Maildir/.password"
	chmod 600 "$home/Maildir/.password"
	chown -R "$user" "$home"
	install -o root -g nogroup -m 4750 "$(command -v checkpw)" "$STAGE/checkpw"
	SMTPDUSER=$user py <<-'PY' || { userdel "$user"; false; }
	from auth import *
	user = os.environ["SMTPDUSER"]
	s = Session("-n", "-a", "checkpw true", *PLAINTEXT, "true")
	login(s, user, "wrong", "535 5.7.8")
	login(s, "nosuch", "right", "535 5.7.8")
	login(s, user, "right")
	s.quit()
	s = Session("-n", "-a", "checkpw sh -c 'exit 1'", *PLAINTEXT, "true")
	login(s, user, "right", "535 5.7.8")
	s.quit()
	# As nobody, who has no right to the passwords but by the program.
	s = Session("-a", "checkpw true", *PLAINTEXT, "true")
	login(s, user, "right", "454 4.7.0")
	s.quit()
	s = Session("-U", "nobody", "-a", os.environ["STAGE"] + "/checkpw true", *PLAINTEXT, "true")
	login(s, user, "right")
	s.quit()
	PY
	userdel "$user"
}

### Who may send

@test "after AUTH a client may send to anyone, and not before" {
	py <<-'PY'
	from auth import *
	option, folder = checker("relay")
	far = "RCPT TO:<far@example.net>"
	s = Session(*option, *PLAINTEXT, "--no-trust", "-D", "example.org", "true")
	def attempt(code):
	    s.talk.ask("MAIL FROM:<a@b>", "250")
	    s.talk.ask(far, code)
	    s.talk.ask("RSET", "250")
	attempt("550 5.7.1")
	login(s, password="wrong", code="535 5.7.8")
	attempt("550 5.7.1")
	s.talk.ask("AUTH PLAIN", "334")
	s.talk.ask("*", "501")
	attempt("550 5.7.1")
	login(s)
	attempt("250 2.1.5")
	s.talk.ask("EHLO again", "250")
	attempt("250 2.1.5")
	# Other limits stay.
	s.talk.ask("MAIL FROM:<a@b> SIZE=99999999999", "552")
	s.quit()
	# --require-auth: no MAIL, all else.
	s = Session(*option, *PLAINTEXT, "--require-auth", "-A", "true")
	s.talk.ask("MAIL FROM:<a@b>", "530 5.7.0")
	s.talk.ask("RCPT TO:<a@b>", "503 5.5.1")
	s.talk.ask("VRFY a", "252")
	s.talk.ask("NOOP", "250")
	s.talk.ask("HELP", "214")
	login(s)
	s.message(b"x\n")
	s.quit()
	PY
}

@test "the command knows who it was, Received says so, and the log" {
	py <<-'PY'
	from auth import *
	option, folder = checker("known")
	seen = os.path.join(STAGE, "seen")
	os.mkdir(seen), os.chmod(seen, 0o777)
	s = Session(*option, "--auth-cram-md5", *PLAINTEXT, "-u", "sh", "-c",
	            f"cat >{seen}/message; env -0 >{seen}/env")
	s.talk.ask(cram(s.talk.ask("AUTH CRAM-MD5", "334"), "ann", PASSWORD), "235")
	s.message(b"Subject: x\n\n", rest=" SMTPUTF8")
	log = s.quit()
	env = environment(left(seen, "env"))
	assert env["SMTP_AUTH_USER"] == "ann" and env["SMTP_AUTH_MECHANISM"] == "CRAM-MD5", env
	assert env["SMTP_PROTOCOL"] == "UTF8SMTPA", env
	assert b"with UTF8SMTPA" in left(seen, "message").replace(b"\n\t", b" ")
	(line,) = logged(log, "message")
	assert field(line, "user") == "ann", line
	# Before AUTH, and what a launcher says of it: nothing.
	s = Session(*option, *PLAINTEXT, "-A", "sh", "-c", f"cat >{seen}/message; env -0 >{seen}/env",
	            env=dict(os.environ, SMTP_AUTH_USER="root", SMTP_AUTH_MECHANISM="X"))
	s.message(b"x\n")
	(line,) = logged(s.quit(), "message")
	assert field(line, "user") == "", line
	env = environment(left(seen, "env"))
	assert not any(name.startswith("SMTP_AUTH") for name in env), env
	assert b"with ESMTP id" in left(seen, "message").replace(b"\n\t", b" ")
	PY
}

@test "the log has a line for each refused login: peer and mechanism" {
	py <<-'PY'
	from auth import *
	option, folder = checker("log")
	s = Session(*option, "--auth-cram-md5", *PLAINTEXT, "true", kind="tcp")
	secret, count = b64("se-cret-word"), 0
	for lines, code, mechanism in (
	    (["AUTH PLAIN " + plain("ann", "se-cret-word")], "535", "PLAIN"),
	    (["auth plain", plain("ann", "se-cret-word")], "535", "PLAIN"),
	    (["AUTH LOGIN", b64("ann"), secret], "535", "LOGIN"),
	    (["AUTH LOGIN " + b64("ann"), secret + "x"], "501", "LOGIN"),
	    (["AUTH CRAM-MD5", b64("ann " + "0" * 32)], "535", "CRAM-MD5"),
	    (["AUTH CRAM-MD5", "*"], "501", "CRAM-MD5"),
	    (["AUTH LOGIN", "A" * 13000], "500", "LOGIN"),
	    (["AUTH   LOGIN   " + secret, secret + "x y"], "501", "LOGIN"),
	    (["AUTH  NTLM " + secret], "504", " NTLM"),
	    (["AUTH XSECRET " + secret], "504", ""),
	):
	    for line in lines[:-1]:
	        s.talk.ask(line, "334")
	    s.talk.ask(lines[-1], code)
	    count += 1
	    line = until(lambda: logged(s.log(), "refused")[count - 1:])[0]
	    assert field(line, "peer") == "127.0.0.1", line
	    assert field(line, "command").upper() == ("AUTH " + mechanism if mechanism else "AUTH"), line
	    assert field(line, "reply").startswith(code), line
	log = s.quit()
	assert "se-cret" not in log and secret[:8] not in log, log
	PY
}

### Secrets

@test "no credentials in the log with -d, not even of a client that does not wait" {
	py <<-'PY'
	from auth import *
	option, folder = checker("debug")
	secrets = [b64("ann"), b64(PASSWORD), plain("ann", PASSWORD), PASSWORD]
	#  what the client sends in one go; lines that the log has to have
	for lines, has in (
	    (["AUTH PLAIN " + secrets[2]], ["AUTH PLAIN"]),
	    (["AUTH  PLAIN  " + secrets[2]], ["AUTH  PLAIN"]),
	    (["AUTH PLAIN", secrets[2]], ["AUTH PLAIN", "(hidden)"]),
	    (["AUTH LOGIN", secrets[0], secrets[1]], ["AUTH LOGIN", "(hidden)", "(hidden)"]),
	    (["AUTH LOGIN " + secrets[0], secrets[1]], ["AUTH LOGIN", "(hidden)"]),
	    (["AUTH NTLM", secrets[0], secrets[1]], ["AUTH NTLM", "(hidden)", "(hidden)"]),
	    (["AUTH XX", "AUTH hunter2", "AUTH U1VQRVJTRUNSRVQ=", "AUTH am9l x"], ["AUTH"] * 4),
	    (["AUTH LOGIN", secrets[0] + "=", secrets[1]], ["AUTH LOGIN", "(hidden)", "(hidden)"]),
	    (["AUTH LOGIN x", secrets[0], secrets[1], "NOOP"], ["AUTH LOGIN", "(hidden)", "(hidden)", "NOOP"]),
	    (["MAIL FROM:<a@b>", "AUTH LOGIN", secrets[0], secrets[1]],
	     ["MAIL FROM:<a@b>", "AUTH LOGIN", "(hidden)", "(hidden)"]),
	    ([f"{verb} {secrets[2]}" for verb in ("AUHT PLAIN", "AUTHPLAIN", "XAUTH\tlogin", "A AUTH PLAIN", "authenticate", "PASS")],
	     ["(hidden)"] * 6),
	    (["FOO bar"], ["FOO bar"]),
	    (["AUTH XX", "NOOP", "FOO bar"], ["AUTH", "NOOP", "FOO bar"]),
	):
	    for options in ([], ["--max-errors", "1"]):
	        s = Session(*option, *PLAINTEXT, *options, "-d", "true")
	        s.talk.send("".join(line + "\r\n" for line in lines + ["QUIT"]).encode())
	        s.talk.eof()
	        log = s.ended()
	        for secret in secrets:
	            assert secret not in log, (lines, log)
	        found = [field(l, "line") for l in logged(log, "client")]
	        if not options:
	            assert found == ["EHLO me.example.org"] + has + ["QUIT"], (has, found)
	            # Each line is there before its answer.
	            said = [l.split("event=")[1].split()[0] for l in log.splitlines() if "line=" in l]
	            assert said.count("client") == len(lines) + 2, log
	# Where AUTH is not offered at all.
	s = Session("-d", "true")
	s.talk.send("".join(line + "\r\n" for line in ("AUTH PLAIN " + secrets[2], "AUTH LOGIN", *secrets[:2], "QUIT")).encode())
	s.talk.eof()
	log = s.ended()
	assert not [secret for secret in secrets if secret in log], log
	PY
}

@test "no credentials in the environment of checker, hooks and command" {
	py <<-'PY'
	from auth import *
	hooks, out = os.path.join(STAGE, "envhooks"), os.path.join(STAGE, "envs")
	os.mkdir(out), os.chmod(out, 0o777)
	note = 'cat /proc/$$/environ /proc/$$/cmdline >>%s/%s\n'
	for name in ("CONNECT", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT", "DISCONNECT"):
	    hook(hooks, name, note % (out, name))
	s = Session("-H", hooks, "-a", note % (out, "checker") + "cat <&3 >/dev/null", *PLAINTEXT,
	            "sh", "-c", note % (out, "command") + "cat >/dev/null")
	login(s)
	s.message(b"x\n")
	s.quit()
	found = {name: left(out, name) for name in os.listdir(out)}
	assert len(found) == 10, found.keys()
	for name, octets in found.items():
	    assert b"SMTP_SESSION" in octets
	    for secret in (PASSWORD.encode(), plain("ann", PASSWORD).encode(), b64(PASSWORD).encode()):
	        assert secret not in octets, (name, octets)
	    # The candidate's name only once he is let in.
	    after = name in ("AUTH", "MAIL", "RCPT", "DATA", "QUIT", "DISCONNECT", "command")
	    assert (b"SMTP_AUTH_USER=ann\0" in octets) == after, (name, octets)
	verb = hook(hooks, "AUTH", 'test "$SMTP_VERB $SMTP_ARGUMENT" = "AUTH PLAIN" || exit 1\n')
	s = Session("-H", hooks, "-a", "true", *PLAINTEXT, "true")
	login(s)
	s.quit()
	PY
}

@test "no password in the memory of either process after the login" {
	need_root
	[ "$SMTPD_BIN" != "${SMTPD_BIN%sanitize*}" ] && skip "the sanitizers keep what is freed"
	py <<-'PY'
	from auth import *
	import random
	# Of two letters, so that one pattern finds any eight octets of it, and any
	# twelve of its base64, wherever that begins.
	letters, needles = "^~", re.compile(rb"[\^~]{8}|[Xfln5e+]{12}")
	assert all(needles.fullmatch(b64(x * 9).encode()[:12]) for x in ("^", "~"))
	def memory(pid):
	    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
	        for line in maps:
	            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
	            if "r" not in line.split()[1] or "[v" in line:
	                continue
	            mem.seek(begin)
	            try:
	                yield line.split()[-1], mem.read(end - begin)
	            except OSError:
	                continue
	hooks = os.path.join(STAGE, "memhooks")
	hook(hooks, "AUTH-XTOK", "read -r first; echo 334; read -r second; echo SMTP_AUTH_USER=u; echo 235 2.7.0 OK\n")
	wrong = []
	for how in ("plain", "plain-later", "login", "pieces", "one-octet", "wrong", "undecodable", "refused",
	            "too-long", "hook", "behind-a-message", "behind-a-large-one", "behind-a-refused-chunk",
	            "behind-a-chunk", "hang"):
	    secret = "".join(random.choice(letters) for _ in range(400))
	    good = how not in ("wrong", "undecodable", "refused", "too-long")
	    s = Session("-a", "cat <&3; exit " + ("0" if good else "1"), *PLAINTEXT, "-d", "-n", "-A", "-H", hooks, "true")
	    one = plain("ann", secret)
	    t = s.talk
	    if how == "plain" or how == "wrong":
	        t.ask("AUTH PLAIN " + one, "235" if good else "535")
	    elif how == "plain-later":
	        t.ask("AUTH PLAIN", "334"), t.ask(one, "235")
	    elif how == "login":
	        t.ask("AUTH LOGIN", "334"), t.ask(b64("ann"), "334"), t.ask(b64(secret), "235")
	    elif how == "pieces":
	        t.ask("AUTH PLAIN", "334")
	        for part in (one[:300], one[300:310], one[310:] + "\r\n"):
	            t.send(part.encode()), taken(t)
	        t.expect("235")
	    elif how == "one-octet":
	        for part in "AUTH PLAIN " + one + "\r\n":
	            t.send(part.encode()), taken(t)
	        t.expect("235")
	    elif how == "undecodable":
	        t.ask("AUTH PLAIN " + one + "x", "501")
	    elif how == "refused":
	        t.ask("MAIL FROM:<a@b>", "250")
	        t.ask("AUTH PLAIN " + one, "503")
	    elif how == "too-long":
	        t.ask("AUTH PLAIN " + one * 40, "500")
	    elif how == "hook":
	        t.ask("AUTH XTOK " + one, "334"), t.ask(b64(secret[::-1]), "235")
	    elif how in ("behind-a-message", "behind-a-large-one"):
	        s.offer("x@y")
	        t.send(b"x\r\n" * (20000 if "large" in how else 20) + b".\r\nAUTH PLAIN " + one.encode() + b"\r\n")
	        t.expect("250"), t.expect("235")
	    elif how == "behind-a-refused-chunk":
	        t.send(b"BDAT 5\r\n"), taken(t)
	        t.send(b"xxxxxAUTH PLAIN " + one[:300].encode())
	        t.expect("503"), taken(t)
	        t.send(one[300:].encode() + b"\r\n")
	        t.expect("235")
	    elif how == "behind-a-chunk":
	        t.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 5\r\n"), taken(t)
	        t.send(b"xxx\r\nRSET\r\nAUTH PLAIN " + one.encode() + b"\r\n")
	        for code in ("250", "250", "250", "250", "235"):
	            t.expect(code)
	    elif how == "hang":
	        t.ask("AUTH LOGIN", "334"), t.ask(b64("ann"), "334")
	        t.send(b64(secret).encode() + b"\r\nNOOP\r\n")
	        t.expect("235"), t.expect("250")
	    t.ask("NOOP", "250")
	    for name, pid in (("agent", s.process.pid), ("dialogue", s.dialogue())):
	        total = 0
	        for where, octets in memory(pid):
	            total += len(octets)
	            found = needles.search(octets)
	            if found:
	                wrong.append((how, name, where, found.start(), found[0]))
	        assert total > 100000, total
	    s.quit()
	# The search finds what is there.
	s = Session("-n", "true")
	s.talk.ask("NOOP wxyzwxyz1234", "250")
	assert any(b"wxyzwxyz1234" in octets for _, octets in memory(s.dialogue()))
	s.quit()
	show(wrong)
	PY
}

@test "no core file of a process that may have a password" {
	need_root
	py <<-'PY'
	from auth import *
	import resource, signal, subprocess, pwd
	nobody = pwd.getpwnam("nobody")
	def as_nobody():
	    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2)
	    os.setgroups([]), os.setgid(nobody.pw_gid), os.setuid(nobody.pw_uid)
	    os.chdir(os.environ["MAIL"])
	def owner(pid):
	    return os.stat(f"/proc/{pid}/environ").st_uid
	# Of others, the process is its user's: the kernel would dump it.
	s = Session("true", preexec_fn=as_nobody)
	assert owner(s.process.pid) == nobody.pw_uid
	s.quit()
	hooks = os.path.join(STAGE, "corehooks")
	hook(hooks, "AUTH-X", "exec sleep 30\n")
	for options in (["-a", "sleep 30"], ["-H", hooks]):
	    for victim in ("agent", "dialogue"):
	        s = Session(*options, *PLAINTEXT, "true", preexec_fn=as_nobody)
	        pids = {"agent": s.process.pid, "dialogue": s.dialogue()}
	        for name, pid in pids.items():
	            assert owner(pid) == 0, (options, name)
	        s.talk.line("AUTH " + ("PLAIN" if "-a" in options else "X") + " " + plain("ann", PASSWORD))
	        from session import until, children
	        (sleeper,) = until(lambda: [p for p in children(s.process.pid) if p != pids["dialogue"]])
	        os.kill(pids[victim], signal.SIGABRT)
	        if victim == "agent":
	            _, status = os.waitpid(s.process.pid, 0)
	            assert os.WIFSIGNALED(status) and not os.WCOREDUMP(status), status
	            s.process.returncode = -signal.SIGABRT
	        os.kill(sleeper, signal.SIGKILL)
	        if victim == "dialogue":
	            assert "killed by signal 6" in s.ended(70)
	assert not os.listdir(os.environ["MAIL"]), os.listdir(os.environ["MAIL"])
	PY
}

### Hooks

@test "the hook AUTH refuses whom the checker let in; its 2xx goes on" {
	py <<-'PY'
	from auth import *
	hooks = os.path.join(STAGE, "authhook")
	option, folder = checker("withhook")
	for text, code, trusted in (
	    ("exit 0\n", "235 2.7.0 Authentication", True),
	    ("echo 250 2.0.0 fine\n", "235 2.7.0 Authentication", True),
	    ("echo 235 5.7.0 fine\n", "451 4.3.0", False),
	    ("echo 535 5.7.8 Not you\n", "535 5.7.8 Not you", False),
	    ("echo 421 4.7.0 Go\n", "421 4.7.0 Go", None),
	    ("exit 77\n", "550 5.7.1", False),
	    ("exit 75\n", "451 4.3.0", False),
	    ("kill -SEGV $$\n", "451 4.3.0", False),
	    ("echo nonsense\n", "451 4.3.0", False),
	    ("echo 250 2.0.0 fine; exit 1\n", "451 4.3.0", False),
	    ("echo SMTP_AUTH_USER=root\n", "451 4.3.0", False),
	    (None, "451 4.3.5", False),
	):
	    path = hook(hooks, "AUTH", text or "")
	    if text is None:
	        os.chmod(path, 0o644)
	    s = Session(*option, *PLAINTEXT, "-H", hooks, "--no-trust", "true")
	    login(s, code=code)
	    if trusted is None:
	        assert s.talk.eof() == b""
	        s.ended()
	        continue
	    s.talk.ask("MAIL FROM:<a@b>", "250")
	    s.talk.ask("RCPT TO:<c@d>", "250" if trusted else "550 5.7.1")
	    s.talk.ask("RSET", "250")
	    # Who was refused may try again.
	    login(s, code="503" if trusted else code)
	    (line, *rest) = logged(s.quit(), "refused") or [""]
	    if not trusted:
	        assert field(line, "command") == "AUTH PLAIN", line
	    # One whom the checker refuses never comes so far.
	    hook(hooks, "AUTH", "echo 535 5.5.5 from the hook\n")
	s = Session(*option, *PLAINTEXT, "-H", hooks, "true")
	login(s, password="x", code="535 5.7.8 Auth")
	s.quit()
	# X_ variables of it reach the command.
	hook(hooks, "AUTH", 'echo "X_WHO=$SMTP_AUTH_USER by $SMTP_AUTH_MECHANISM"\n')
	s = Session(*option, *PLAINTEXT, "-H", hooks, "-A", "sh", "-c", 'cat >/dev/null; echo "250 2.0.0 $X_WHO"')
	login(s)
	assert s.message(b"x\n") == b"250 2.0.0 ann by PLAIN\r\n"
	s.quit()
	PY
}

@test "AUTH-NAME hooks: what they print, and what the client is told" {
	py <<-'PY'
	from auth import *
	hooks = os.path.join(STAGE, "named1")
	note = os.path.join(STAGE, "named1.note")
	os.mkdir(note), os.chmod(note, 0o777)
	wrong = []
	def session(text, name="AUTH-X"):
	    hook(hooks, name, text)
	    return Session(*PLAINTEXT, "-H", hooks, "--no-trust", "--max-errors", "0", "--command-timeout", "20", "-A",
	                   "sh", "-c", 'cat >/dev/null; echo "250 2.0.0 $SMTP_AUTH_USER/$SMTP_AUTH_MECHANISM/$X_A/$SMTP_PROTOCOL"')
	# The first line: the initial response, nothing, or =.
	for line, first in (("AUTH X " + b64("hi"), b64("hi")), ("AUTH x =", "="), ("AUTH X", "")):
	    s = session(f'read -r line; printf %s "$line" >{note}/line; env -0 >{note}/env; ls /proc/self/fd >{note}/fd; echo 535 5.7.8 no; exit 77\n')
	    assert keywords(s)["AUTH"] == ["X"], keywords(s)
	    s.talk.ask(line, "535 5.7.8 no")
	    assert left(note, "line").decode() == first
	    assert left(note, "fd") == b"0\n1\n2\n3\n"
	    env = environment(left(note, "env"))
	    assert env["SMTP_VERB"] == "AUTH" and env["SMTP_ARGUMENT"] == "X", env
	    s.quit()
	# Challenges, as many as it likes; empty ones and empty responses.
	s = session('read -r a; echo 334 QQ==; read -r b; echo "334 "; read -r c; echo 334; read -r d\n'
	            'echo "X_A=$a.$b.$c.$d"; echo SMTP_AUTH_USER=ann bee; echo 235-2.7.0 in; echo 235 2.7.0 you are\n')
	s.talk.line("AUTH X")
	for line, reply in (("QkI=", b"334 QQ==\r\n"), ("", b"334 \r\n"), ("Q0M=", b"334 \r\n")):
	    found = s.talk.reply()
	    assert found == reply, (found, reply)
	    s.talk.line(line)
	found = s.talk.reply()
	assert found == b"235-2.7.0 in\r\n235 2.7.0 you are\r\n", found
	assert s.message(b"x\n") == b"250 2.0.0 ann bee/X/.QkI=..Q0M=/ESMTPA\r\n"
	(line,) = logged(s.quit(), "message")
	assert field(line, "user") == "ann bee"
	# What counts as a login, and what does not.
	user = "read -r a; echo SMTP_AUTH_USER=ann; "
	for text, code in (
	    (user + "echo 235 2.7.0 OK\n", "235 2.7.0 OK"),
	    (user + "echo 235 OK\n", "235 OK"),
	    (user + "printf '235 2.7.0 OK'\n", "235 2.7.0 OK"),
	    (user + "printf '235 2.7.0 OK\\r\\n'\n", "235 2.7.0 OK"),
	    ("echo SMTP_AUTH_USER=ann; echo 235 2.7.0 OK\n", "235 2.7.0 OK"),
	    (user + "echo 235 2.7.0 OK; exit 1\n", "454 4.7.0"),
	    (user + "echo 235 2.7.0 OK; exit 99\n", "454 4.7.0"),
	    (user + "echo 235 2.7.0 OK; kill -KILL $$\n", "454 4.7.0"),
	    (user + "echo 235 2.7.0 OK; echo more\n", "454 4.7.0"),
	    (user + "echo 235 5.7.0 OK\n", "454 4.7.0"),
	    (user + "echo 250 2.7.0 OK\n", "454 4.7.0"),
	    (user + "exit 0\n", "454 4.7.0"),
	    (user + "kill -SEGV $$\n", "454 4.7.0"),
	    ("read -r a; echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("echo SMTP_AUTH_USER=; echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("printf 'SMTP_AUTH_USER=a\\tb\\n'; echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("printf 'SMTP_AUTH_USER=a\\377\\n'; echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("echo SMTP_AUTH_USER=$(head -c 1025 /dev/zero | tr '\\0' a); echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("echo; echo 235 2.7.0 OK\n", "454 4.7.0"),
	    ("echo hello\n", "454 4.7.0"),
	    ("echo 334 '*'; sleep 9\n", "454 4.7.0"),
	    ("echo 334-QQ==; sleep 9\n", "454 4.7.0"),
	    ("echo 354 x\n", "454 4.7.0"),
	    ("exec yes\n", "454 4.7.0"),
	    ("exec yes ''\n", "454 4.7.0"),
	    ("exec tr '\\0' A </dev/zero\n", "454 4.7.0"),
	    ("exec cat /dev/zero\n", "454 4.7.0"),
	    ("echo 334 $(head -c 3073 /dev/zero | base64 -w 0); sleep 9\n", "454 4.7.0"),
	    ("exit 1\n", "454 4.7.0"),
	    ("exit 77\n", "454 4.7.0"),
	    ("echo 535 5.7.8 no\n", "535 5.7.8 no"),
	    ("echo 535 5.7.8 no; exit 77\n", "535 5.7.8 no"),
	    ("echo 535 5.7.8 no; exit 75\n", "454 4.7.0"),
	    ("echo 535 5.7.8 no; exit 111\n", "454 4.7.0"),
	    ("echo 454 4.7.0 wait; exit 75\n", "454 4.7.0 wait"),
	    (user + "exec >&-; exit 0\n", "454 4.7.0"),
	    (user + "sleep 30 & echo 235 2.7.0 OK\n", "235 2.7.0 OK"),
	):
	    s = session(text)
	    s.talk.line("AUTH X " + b64("x"))
	    found = s.talk.reply().decode()
	    if not found.startswith(code):
	        wrong.append((text, found))
	    # Nothing is left of it: it can be begun again.
	    s.talk.ask("AUTH X", *(("503",) if found.startswith("235") else ("2", "4", "5", "334")))
	    s.talk.close()
	    s.ended()
	# The longest challenge, 4096 octets.
	s = session("read -r a; echo 334 $(head -c 3072 /dev/zero | base64 -w 0); read -r b; echo 535 5.7.8 no\n")
	assert len(s.talk.ask("AUTH X", "334 ")) == 4096 + 6
	s.talk.ask("", "535")
	s.quit()
	# Not executable; a 421 ends the session.
	s = session("")
	s.talk.ask("QUIT", "221"), s.ended()
	os.chmod(os.path.join(hooks, "AUTH-X"), 0o644)
	s = Session(*PLAINTEXT, "-H", hooks, "true")
	s.talk.ask("AUTH X", "451 4.3.5")
	assert "cannot run the hook" in s.quit()
	s = session("echo 421 4.7.0 Go away\n")
	s.talk.ask("AUTH X", "421 4.7.0 Go away")
	assert s.talk.eof() == b""
	s.ended()
	# Beside --auth, in place of one of its mechanisms, and with the hook AUTH.
	hook(hooks, "AUTH-PLAIN", "read -r a; echo SMTP_AUTH_USER=other; echo 235 2.7.0 mine\n")
	hook(hooks, "AUTH", '[ "$SMTP_AUTH_USER $SMTP_ARGUMENT" = "other PLAIN" ] || echo 535 5.7.8 not other\n')
	s = Session("-a", "exit 1", *PLAINTEXT, "-H", hooks, "true")
	assert sorted(keywords(s)["AUTH"]) == ["LOGIN", "PLAIN", "X"], keywords(s)
	s.talk.ask("AUTH PLAIN", "235 2.7.0 mine")
	s.quit()
	show(wrong)
	PY
}

@test "AUTH-NAME hooks: the client cancels, is wrong, leaves; time-outs; SIGTERM" {
	py <<-'PY'
	from auth import *
	from session import gone
	import signal, time
	hooks, pid = os.path.join(STAGE, "named2"), os.path.join(STAGE, "pid")
	os.mkdir(pid), os.chmod(pid, 0o777)
	ask = f"echo $$ >{pid}/pid.new; mv {pid}/pid.new {pid}/pid; read -r a; echo 334 QQ==\n"
	def session(rest, *options):
	    hook(hooks, "AUTH-X", ask + rest)
	    s = Session(*PLAINTEXT, "-H", hooks, *options, "true")
	    s.talk.ask("AUTH X", "334 QQ==")
	    return s, int(left(pid, "pid"))
	good = "read -r b; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 OK\n"
	# Answered by smtpd, and the end of the hook; then it can be tried again.
	for line, code in (("*", "501 5.7.0"), ("x", "501 5.5.2"), ("QQ= =", "501 5.5.2"), ("=", "501 5.5.2"),
	                   ("QQ==\nQQ==", "500 5.5.2"), ("A" * 12287, "500 5.5.6")):
	    s, hook_pid = session(good)
	    s.talk.ask(line, code)
	    until(gone, hook_pid)
	    s.talk.ask("AUTH X", "334 QQ==")
	    s.talk.ask("QUI=", "235")
	    s.quit()
	# The longest response arrives.
	s, _ = session('read -r b; echo 535 5.7.8 ${#b}\n')
	s.talk.ask("A" * 12284, "535 5.7.8 12284")
	s.talk.ask("AUTH X " + "A" * 12276, "334")
	s.talk.ask("*", "501")
	s.quit()
	# It asks and never listens.
	s, hook_pid = session("while :; do echo 334 QQ==; sleep 0.01; done\n", "--command-timeout", "20")
	for _ in range(20):
	    s.talk.line("A" * 12284)
	    if s.talk.reply().startswith(b"454 4.7.0"):
	        break
	else:
	    raise SystemExit("it never ended")
	until(gone, hook_pid)
	s.quit()
	# The client leaves, at once or half-way; the time-out for him; SIGTERM once and twice.
	s, hook_pid = session("exec sleep 60\n")
	s.talk.close()
	s.ended()
	until(gone, hook_pid)
	s, hook_pid = session("exec sleep 60\n")
	s.talk.send(b"QQ=")
	s.talk.half()
	s.talk.eof()
	s.ended()
	until(gone, hook_pid)
	s, hook_pid = session(good, "-t", "1")
	s.talk.expect("421 4.4.2")
	s.ended()
	until(gone, hook_pid)
	s, hook_pid = session(good)
	s.process.send_signal(signal.SIGTERM)
	s.talk.expect("421 4.3.2")
	s.ended()
	until(gone, hook_pid)
	# While it thinks a signal waits for its verdict; a second one does not.
	slow = f"read -r b; echo x >{pid}/new; mv {pid}/new {pid}/thinks; sleep 1; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 OK\n"
	s, hook_pid = session(slow)
	s.talk.line("QQ==")
	until(lambda: left(pid, "thinks"))
	s.process.send_signal(signal.SIGTERM)
	s.talk.expect("235", "421")
	s.ended()
	s, hook_pid = session(f"read -r b; echo x >{pid}/new; mv {pid}/new {pid}/thinks; exec sleep 30\n")
	s.talk.line("QQ==")
	until(lambda: left(pid, "thinks"))
	since = time.monotonic()
	while s.process.poll() is None and time.monotonic() - since < 10:
	    s.process.send_signal(signal.SIGTERM)
	    time.sleep(0.05)
	s.ended()
	assert time.monotonic() - since < 5
	os.kill(hook_pid, signal.SIGKILL) if not gone(hook_pid) else None
	# It hangs: --command-timeout, its group with it.
	s, hook_pid = session(f"sleep 60 & echo $! >{pid}/new; mv {pid}/new {pid}/child; read -r b; wait\n", "--command-timeout", "1")
	child = int(until(lambda: left(pid, "child")))
	s.talk.ask("QQ==", "454 4.7.0")
	until(gone, hook_pid), until(gone, child)
	assert ": hook killed: it ran into its time-out" in s.quit()
	PY
}

### Clients

@test "XOAUTH2 by the hook of contrib: curl --oauth2-bearer, smtplib, initial response or not" {
	local hooks=$STAGE/oauth
	mkdir "$hooks"
	cp "$BATS_TEST_DIRNAME/../contrib/hooks/xoauth2" "$hooks/AUTH-XOAUTH2"
	# shellcheck disable=SC2016 # the verifier expands it
	printf '#!/bin/sh\n[ "$1" = ann@example.org ] && [ "$(cat)" = tok-EN.1 ]\n' >"$STAGE/verify"
	chmod 755 "$hooks"/* "$STAGE/verify"
	OAUTH2_VERIFY=$STAGE/verify serve --auth-plaintext -H "$hooks" --no-trust -d -- "$RECORD" "$MAIL"
	printf 'Subject: x\r\n\r\nx\r\n' >mail
	curl -sS --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
		--login-options AUTH=XOAUTH2 --user ann@example.org: \
		--oauth2-bearer tok-EN.1 -T mail
	[ "$(recorded SMTP_AUTH_USER)" = ann@example.org ]
	[ "$(recorded SMTP_AUTH_MECHANISM)" = XOAUTH2 ]
	forget_messages
	run -67 curl -sS --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
		--login-options AUTH=XOAUTH2 --user ann@example.org: \
		--oauth2-bearer tok-WRONG -T mail
	run ! grep -E 'tok-|dXNlcj' "$log"
	# Nobody can tell: the client may come again, and the log says why.
	printf '#!/bin/sh\nexit 75\n' >"$STAGE/later"
	printf '#!/bin/sh\nkill -9 $$\n' >"$STAGE/dies"
	chmod 755 "$STAGE/later" "$STAGE/dies"
	for verify in '' "$STAGE/nothing" "$STAGE" "$STAGE/later" "$STAGE/dies"; do
		OAUTH2_VERIFY=$verify talk pair '<220' '>EHLO me' '<250' \
			">AUTH XOAUTH2 $(printf 'user=ann@example.org\1auth=Bearer tok-EN.1\1\1' | base64 -w 0)" \
			'<454 4.7.0' '>QUIT' '<221' -- \
			"$SMTPD" -q --auth-plaintext -H "$hooks" --no-trust true >said 2>err
		grep -q '^xoauth2: .' err
		run ! grep -E 'tok-|dXNlcj' err
	done
	cp "$hooks/AUTH-XOAUTH2" "$hooks/AUTH-OAUTHBEARER"
	OAUTH2_VERIFY=$STAGE/verify serve --auth-plaintext -H "$hooks" --no-trust -d -- "$RECORD" "$MAIL"
	curl -sS --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
		--login-options AUTH=OAUTHBEARER --user ann@example.org: \
		--oauth2-bearer tok-EN.1 --sasl-ir -T mail
	[ "$(recorded SMTP_AUTH_MECHANISM)" = OAUTHBEARER ]
	port=$port py <<-'PY'
	import os, smtplib
	def attempt(user, token, initial):
	    with smtplib.SMTP("127.0.0.1", int(os.environ["port"])) as client:
	        client.ehlo()
	        try:
	            return client.auth("XOAUTH2", lambda challenge=None: "" if challenge else
	                               f"user={user}\x01auth=Bearer {token}\x01\x01", initial_response_ok=initial)[0]
	        except smtplib.SMTPAuthenticationError as error:
	            return error.smtp_code
	for initial in (True, False):
	    assert attempt("ann@example.org", "tok-EN.1", initial) == 235
	    for user, token in (("eve@example.org", "tok-EN.1"), ("ann@example.org", "x"), ("", "tok-EN.1"),
	                        ("ann@example.org", ""), ("ann@example.org", "tok-EN.1;id"), ("$(id)", "tok-EN.1")):
	        assert attempt(user, token, initial) == 535, (user, token)
	PY
	run ! grep -E 'tok-|dXNlcj' "$log"
}

@test "swaks: PLAIN, LOGIN, CRAM-MD5, and with a wrong password" {
	logins
	local mechanism
	for mechanism in PLAIN LOGIN CRAM-MD5; do
		swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example \
			--auth "$mechanism" --auth-user ann --auth-password "$password" >swaks.log
		came_by "$mechanism"
		# swaks: 28 is a failed login.
		run -28 swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example \
			--auth "$mechanism" --auth-user ann --auth-password wrong
	done
	[ "$(messages)" -eq 0 ]
}

@test "smtplib, curl and msmtp log in, by each mechanism" {
	logins
	printf 'Subject: x\r\n\r\nx\r\n' >mail
	PASSWORD=$password port=$port py <<-'PY'
	import os, smtplib
	for mechanism in ("cram_md5", "plain", "login"):
	    with smtplib.SMTP("127.0.0.1", int(os.environ["port"])) as client:
	        client.ehlo()
	        client.user, client.password = "ann", os.environ["PASSWORD"]
	        client.auth(mechanism.replace("_", "-").upper(), getattr(client, "auth_" + mechanism))
	with smtplib.SMTP("127.0.0.1", int(os.environ["port"])) as client:
	    try:
	        client.login("ann", "wrong")
	    except smtplib.SMTPAuthenticationError as error:
	        assert error.smtp_code == 535, error
	    # The same connection, again.
	    client.login("ann", os.environ["PASSWORD"])
	    client.sendmail("a@b", "c@d", "Subject: x\n\n")
	PY
	came_by CRAM-MD5
	for mechanism in PLAIN LOGIN CRAM-MD5; do
		curl -sS --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
			--login-options "AUTH=$mechanism" --user "ann:$password" -T mail
		came_by "$mechanism"
		curl -sS --sasl-ir --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
			--login-options "AUTH=$mechanism" --user "ann:$password" -T mail
		came_by "$mechanism"
	done
	run -67 curl -sS --url "smtp://127.0.0.1:$port" --mail-from a@b --mail-rcpt c@d \
		--user ann:wrong -T mail
	for mechanism in plain login cram-md5; do
		msmtp -C /dev/null --host=127.0.0.1 --port="$port" --auth="$mechanism" --user=ann \
			--passwordeval="cat '$STAGE/logins/password'" --from=a@b --tls=off c@d <mail
		came_by "${mechanism^^}"
	done
}
