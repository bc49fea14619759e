#!/usr/bin/env bats
# shellcheck shell=bats
# What PROXY, XCLIENT, STARTTLS, AUTH, LMTP, BDAT and hooks do to each other.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154

load lib

setup_file() {
	stage
	PEM=$STAGE/pem
	export PEM
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -subj /CN=localhost -keyout "$STAGE/key" -out "$STAGE/cert" \
		2>/dev/null
	cat "$STAGE/key" "$STAGE/cert" >"$PEM"
	cp "$BATS_TEST_DIRNAME/checker" "$STAGE/checker"
	chmod 755 "$STAGE/checker"
}

teardown_file() {
	unstage
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	forget_messages
	HOOKS=$STAGE/hooks.$BATS_TEST_NUMBER
	export HOOKS
}

teardown() {
	end_all
}

@test "PROXY, then STARTTLS, then AUTH: the client named is the client in TLS" {
	py <<-'PY'
	from together import *
	for kind in "ucspi", "wrapper":
	    for header, expected in ((V1, TCP4), (six(), TCP6), (four() + b"EHLO me\r\n", TCP4)):
	        p = Parent(kind, "-p", *LOGINS, "--require-tls", header=header)
	        if b"EHLO" not in header:
	            p.talk.line("EHLO me")
	        assert b"250-STARTTLS" in p.talk.expect("250")
	        p.talk.ask("MAIL FROM:<a@b>", "530 5.7.0"), p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "530 5.7.0")
	        p.starttls()
	        assert b"AUTH PLAIN LOGIN" in p.talk.ask("EHLO again", "250")
	        p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	        env = p.sends()
	        assert only(env) == expected and env["SMTP_PROTOCOL"] == "ESMTPSA" and env["SMTP_TLS"], env
	        # The header came in plain text, and comes once.
	        p = Parent(kind, "-p", *LOGINS, header=header)
	        if b"EHLO" not in header:
	            p.talk.line("EHLO me")
	        p.talk.expect("250"), p.starttls(), p.talk.send(V1), p.talk.expect("500 5.5.2"), p.quits()
	# TLS by the header: none is offered, and all of it is there.
	tls = four(tlv(0x20, b"\1\0\0\0\0" + tlv(0x21, b"TLSv1.3")))
	for more in ((), ("--require-tls",)):
	    p = Parent("ucspi", "-p", *LOGINS, *more, header=tls)
	    seen = p.talk.ask("EHLO me", "250")
	    assert b"STARTTLS" not in seen and b"AUTH PLAIN LOGIN" in seen, seen
	    p.talk.ask("STARTTLS", "503 5.5.1"), p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	    env = p.sends()
	    assert env["SMTP_TLS"] == "TLSv1.3" and env["SMTP_PROTOCOL"] == "ESMTPSA", env
	# Nobody is trusted behind it, in TLS or not, but for logging in.
	p = Parent("ucspi", "-p", *LOGINS[:2], "-D", "example.org", command=("true",), header=V1, env={"RELAYCLIENT": ""})
	p.talk.ask("EHLO me", "250"), p.starttls(), p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250")
	p.talk.ask("RCPT TO:<c@d>", "550 5.7.1"), p.talk.ask("RSET", "250"), p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<c@d>", "250"), p.quits()
	PY
}

@test "PROXY through the real tlswrapper, under tcpserver" {
	need_root
	port=$(free_port)
	log=$BATS_TEST_TMPDIR/log
	start "$log" tcpserver -HR -l0 127.0.0.1 "$port" tlswrapper -n -q -f "$PEM" \
		"$SMTPD" --tlswrapper -p -a 'cat <&3 >/dev/null' "$RECORD" "$MAIL"
	eventually listening "$port"
	port=$port py <<-'PY'
	from together import *
	talk = Conversation(socket.create_connection(("127.0.0.1", int(os.environ["port"]))))
	talk.send(V1), talk.expect("220"), talk.ask("EHLO me", "250"), talk.ask("STARTTLS", "220 2.0.0")
	talk = TlsTalk(talk)
	talk.ask("EHLO me", "250"), talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	for line, code in (("MAIL FROM:<a@b>", "250"), ("RCPT TO:<c@d>", "250"), ("DATA", "354"), ("x\r\n.", "250"), ("QUIT", "221")):
	    talk.ask(line, code)
	env, message = recorded()
	assert only(env) == TCP4 and env["SMTP_PROTOCOL"] == "ESMTPSA" and env["SMTP_AUTH_USER"] == "ann", env
	PY
}

@test "XCLIENT and STARTTLS: who was named before is the client behind" {
	py <<-'PY'
	from together import *
	listed = ("--xclient", "127.0.0.1", "-A", *LOGINS)
	for kind in "ucspi", "wrapper":
	    p = Parent(kind, *listed)
	    p.talk.ask("XCLIENT ADDR=192.0.2.7 PORT=40312 DESTADDR=192.0.2.25 DESTPORT=25 NAME=client.example HELO=said PROTO=ESMTP", "220")
	    p.starttls()
	    # Of HELO nothing is left; peer and name are.
	    p.talk.ask("MAIL FROM:<a@b>", "503 5.5.1 Send")
	    assert b"250-XCLIENT " in p.talk.ask("EHLO me", "250")
	    env = p.sends()
	    assert only(env) == {**TCP4, "TCPREMOTEHOST": "client.example"} and env["SMTP_HELO"] == "me", env
	    # The peer may say so again, in TLS, which stays; a login goes.
	    p = Parent(kind, *listed)
	    p.talk.ask("XCLIENT ADDR=192.0.2.7", "220"), p.talk.ask("EHLO me", "250"), p.starttls()
	    p.talk.ask("EHLO me", "250"), p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	    p.talk.ask("XCLIENT ADDR=192.0.2.8", "220")
	    seen = p.talk.ask("EHLO me", "250")
	    assert b"STARTTLS" not in seen and b"AUTH PLAIN LOGIN" in seen, seen
	    p.talk.ask("STARTTLS", "503 5.5.1")
	    env = p.sends()
	    assert env["TCPREMOTEIP"] == "192.0.2.8" and env["SMTP_PROTOCOL"] == "ESMTPS" and "SMTP_AUTH_USER" not in env, env
	    # Logged in by it, before TLS: as behind AUTH.
	    p = Parent(kind, *listed)
	    p.talk.ask("XCLIENT LOGIN=joe", "220")
	    seen = p.talk.ask("EHLO me", "250")
	    assert b"STARTTLS" not in seen and b"250-AUTH" not in seen, seen
	    p.talk.ask("STARTTLS", "503 5.5.1"), p.talk.ask("AUTH PLAIN", "503 5.5.1")
	    p.talk.ask("XCLIENT NAME=x", "220"), p.talk.ask("EHLO me", "250"), p.starttls(), p.quits()
	    p = Parent(kind, *listed, "--require-tls", "--require-auth")
	    p.talk.ask("XCLIENT LOGIN=joe", "530 5.7.0"), p.talk.ask("EHLO me", "250"), p.starttls()
	    p.talk.ask("XCLIENT LOGIN=joe HELO=said PROTO=ESMTP", "220")
	    env = p.sends()
	    assert (env["SMTP_AUTH_USER"], env["SMTP_AUTH_MECHANISM"], env["SMTP_PROTOCOL"]) == ("joe", "XCLIENT", "ESMTPSA"), env
	# Behind a PROXY header that speaks of TLS.
	p = Parent("ucspi", "-p", "--xclient", "192.0.2.7", "-A", header=four(tlv(0x20, b"\1\0\0\0\0")))
	p.talk.ask("XCLIENT ADDR=192.0.2.8 HELO=x PROTO=ESMTP", "220")
	env = p.sends()
	assert env["SMTP_PROTOCOL"] == "ESMTPS" and env["TCPREMOTEIP"] == "192.0.2.8", env
	PY
}

@test "XCLIENT in LMTP, in AUTH, and what counts against the peer counts on" {
	py <<-'PY'
	from together import *
	smtp = begin(b"", "-L", "--xclient", "127.0.0.1", hello="LHLO me")
	assert smtp.talk.ask("XCLIENT LOGIN=joe", "220 ").endswith(b" LMTP\r\n")
	smtp.talk.ask("MAIL FROM:<a@b>", "503 5.5.1"), smtp.talk.ask("EHLO me", "500 5.5.1"), smtp.talk.ask("LHLO me", "250")
	env, message, log = sent(smtp)
	assert env["SMTP_PROTOCOL"] == "LMTPA" and b"with LMTPA id" in message, env
	smtp = begin(b"", "-L", "--xclient", "127.0.0.1", hello="LHLO me")
	smtp.talk.ask("XCLIENT LOGIN=joe HELO=said", "220 ")
	env, message, log = sent(smtp)
	assert env["SMTP_PROTOCOL"] == "LMTPA" and env["SMTP_HELO"] == "said", env
	# The line behind a challenge is a response, whatever it says.
	smtp = begin(b"", "--xclient", "127.0.0.1", "-a", "true", "--auth-plaintext", "--auth-cram-md5")
	for command in "AUTH LOGIN", "AUTH PLAIN", "AUTH CRAM-MD5":
	    smtp.talk.ask(command, "334"), smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "501 5.5.2")
	env, message, log = sent(smtp)
	assert env["TCPREMOTEIP"] == "127.0.0.1" and len(events(log, "connect")) == 1, log
	# Errors are the connection's; so are messages.
	smtp = begin(b"", "--xclient", "127.0.0.1", "--max-errors", "3", "--max-messages", "1")
	smtp.talk.ask("FOO", "500"), smtp.talk.ask("XCLIENT ADDR=x", "501"), smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "220")
	smtp.talk.ask("FOO", "500"), smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "421 4.7.0"), smtp.ended()
	smtp = begin(b"", "--xclient", "127.0.0.1", "--max-messages", "1")
	smtp.message(b"x\n"), recorded(), smtp.talk.ask("XCLIENT ADDR=192.0.2.7 HELO=x", "220")
	smtp.talk.ask("MAIL FROM:<a@b>", "421"), smtp.ended()
	PY
}

@test "behind a BDAT that is refused AUTH, STARTTLS, XCLIENT and hooks find no transaction" {
	py <<-'PY'
	from together import *
	hooks = os.environ["HOOKS"]
	hook(hooks, "VRFY", 'echo "250 2.0.0 ${SENDER-none} ${RECIPIENTS-none}"\n')
	refusing = hooks + ".data"
	hook(refusing, "DATA", "echo 554 5.7.1 no\n")
	hook(refusing, "VRFY", 'echo "250 2.0.0 ${SENDER-none} ${RECIPIENTS-none}"\n')
	for more, chunks in ((("-H", hooks), (b"BDAT x\r\n",)), (("-H", hooks), (b"BDAT 3 FIRST\r\nabc",)),
	                     (("-H", hooks, "-s", "5"), (b"BDAT 3\r\nabc", b"BDAT 3 x\r\nabc")),
	                     (("-H", hooks), (b"BDAT 300000\r\n" + b"x" * 300000, b"BDAT x\r\n")),
	                     (("-H", hooks), (b"BDAT 3\r\nabc", b"NOOP\nBDAT 3\r\n")),
	                     (("-H", refusing), (b"BDAT 3\r\nabc",))):
	    for then in ("AUTH PLAIN " + plain("ann", "x"), "XCLIENT ADDR=192.0.2.7", "STARTTLS", "VRFY x", "MAIL FROM:<e@f>"):
	        p = Parent("ucspi", *LOGINS, "--auth-plaintext", "--xclient", "127.0.0.1", "-A", *more)
	        p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<c@d>", "250")
	        for chunk in chunks:
	            p.talk.send(chunk)
	            reply = p.talk.reply()
	        assert reply[:1] == b"5", reply
	        if then == "STARTTLS":
	            p.starttls()
	        else:
	            reply = p.talk.ask(then, "2")
	            assert not then.startswith("VRFY") or reply == b"250 2.0.0 none none\r\n", reply
	        # Nothing of it is in what comes next.
	        p.talk.ask("EHLO me", "250")
	        if "DATA" in os.listdir(more[1]):
	            p.quits()
	            continue
	        p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<new@d>", "250")
	        p.talk.send(b"BDAT 5 LAST\r\nnew\r\n"), p.talk.expect("250"), p.quits()
	        env, message = recorded()
	        assert env["RECIPIENTS"] == "new@d" and message.endswith(b"\nnew\n"), message
	PY
}

@test "STARTTLS is no command in a chunk, and 503 between two" {
	py <<-'PY'
	from together import *
	for kind in "ucspi", "wrapper":
	    p = Parent(kind, "-A")
	    p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<c@d>", "250")
	    p.talk.send(b"BDAT 10\r\nSTARTTLS\r\nSTARTTLS\r\nBDAT 10 LAST\r\nSTARTTLS\r\n")
	    p.talk.expect("250"), p.talk.expect("503 5.5.1"), p.talk.expect("250")
	    p.starttls(), p.talk.ask("EHLO me", "250"), p.quits()
	    env, message = recorded()
	    assert message.endswith(b"\nSTARTTLS\nSTARTTLS\n") and env["SMTP_PROTOCOL"] == "ESMTP", message
	    # BDAT behind STARTTLS, chunk and all, is thrown away. (Of UCSPI-TLS
	    # only what smtpd has read is; the rest would be no handshake.)
	    p = Parent(kind, "-A")
	    p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RSET", "250")
	    p.talk.send(b"STARTTLS\r\nMAIL FROM:<e@f>\r\nRCPT TO:<c@d>\r\nBDAT 100000 LAST\r\nRSET\r\n")
	    p.talk.expect("220"), p.in_tls()
	    p.talk.ask("RSET", "250"), p.talk.ask("BDAT 0 LAST", "503 5.5.1"), p.talk.ask("EHLO me", "250"), p.quits()
	PY
}

@test "what is pipelined behind a STARTTLS that a hook refuses is SMTP" {
	py <<-'PY'
	from together import *
	hooks = os.environ["HOOKS"]
	hook(hooks, "STARTTLS", "echo 454 4.7.0 not now\n")
	for kind in "ucspi", "wrapper":
	    p = Parent(kind, "-H", hooks, *LOGINS, "--auth-plaintext", "-A")
	    p.talk.ask("EHLO me", "250")
	    p.talk.send(b"STARTTLS\r\nAUTH PLAIN " + plain("ann", "x").encode() + b"\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"
	                b"BDAT 3 LAST\r\nx\r\nSTARTTLS\r\nRSET\r\nQUIT\r\n")
	    for code in ("454 4.7.0 not now", "235", "250", "250", "250", "503", "250", "221"):
	        p.talk.expect(code)
	    p.talk.eof(), p.ended()
	    env, message = recorded()
	    assert env["SMTP_PROTOCOL"] == "ESMTPA" and "SMTP_TLS" not in env, env
	PY
}

@test "221 by the hooks STARTTLS and AUTH is the end" {
	py <<-'PY'
	from together import *
	hooks = os.environ["HOOKS"]
	for code in "221 2.0.0 bye", "421 4.3.0 bye":
	    for name in "STARTTLS", "AUTH":
	        hook(hooks, name, f"echo {code}\n")
	    for line in "STARTTLS", "AUTH PLAIN " + plain("ann", "x"):
	        p = Parent("ucspi", "-H", hooks, *LOGINS, "--auth-plaintext")
	        p.talk.ask("EHLO me", "250")
	        p.talk.send(line.encode() + b"\r\nNOOP\r\n"), p.talk.expect(code)
	        assert p.talk.eof() == b""
	        p.ended()
	PY
}

@test "LMTP: LHLO before TLS, and CONNECT knows the protocol" {
	py <<-'PY'
	from together import *
	hooks = os.environ["HOOKS"]
	hook(hooks, "CONNECT", 'echo "220 me $SMTP_PROTOCOL"\n')
	hook(hooks, "LHLO", 'echo "X_SEEN=$SMTP_PROTOCOL"\n')
	for header, more in ((b"", ()), (V1, ("-p",))):
	    p = Parent("ucspi", "-L", "--require-tls", "--require-auth", *LOGINS, *more, "-H", hooks, header=header)
	    assert p.greeting == b"220 me LMTP\r\n", p.greeting
	    p.talk.ask("LHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "530 5.7.0"), p.talk.ask("AUTH PLAIN", "530 5.7.0")
	    p.starttls(), p.talk.ask("LHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "530 5.7.0")
	    p.talk.ask("AUTH PLAIN " + plain("ann", "x"), "235")
	    env = p.sends()
	    assert env["SMTP_PROTOCOL"] == "LMTPSA" and env["X_SEEN"] == "LMTPS", env
	PY
}

@test "options whose effect hangs on what may still come" {
	py <<-'PY'
	from together import *
	hook(os.environ["HOOKS"], "AUTH-X", "")
	no_auth = ["--require-auth refuses all mail: there is no AUTH"]
	wrong = []
	for options, said in (
	    # TLS may come by the header, a login by XCLIENT.
	    (("-p", "-a", "true"), []), (("-p", "-H", os.environ["HOOKS"]), []), (("-p", "--require-tls"), []),
	    (("-p", "--require-auth"), no_auth), (("-p", "-a", "true", "--require-auth"), []),
	    (("--xclient", "192.0.2.7", "--require-auth"), []), (("-a", "true", "--auth-plaintext", "-p"), []),
	    (("--xclient", "192.0.2.7", "-a", "true"), ["--auth has no effect: there is no TLS, nor --auth-plaintext"]),
	    (("--xclient", "192.0.2.7", "--require-tls"), ["--require-tls refuses all mail: there is no TLS"]),
	    (("-p", "--tls", "--require-tls"), ["--require-tls has no effect: there is TLS from the start"]),
	    (("--proxy-from", "192.0.2.7"), ["--proxy-from has no effect without --proxy-protocol"]),
	    (("-p", "--no-trust"), ["--no-trust has no effect with --any", "--no-trust has no effect with --proxy-protocol"]),
	    (("-p", "--tlswrapper"), ["--tlswrapper has no effect: descriptor 5 is not open (tlswrapper -n opens it)"]),
	    (("-p", "-L", "-a", "true", "--require-auth", "--require-tls", "--xclient", "192.0.2.7"), []),
	):
	    smtp = begin(LOCAL if "-p" in options else b"", *options, hello=None)
	    smtp.talk.expect("220")
	    found = [line for line in errors(smtp.quit())]
	    if found != said:
	        wrong.append((options, found, said))
	show(wrong)
	PY
	# A listener's connections have no TLS but what a header says.
	for more in '' -p; do
		serve -a true --require-auth $more -- true
		run grep -c 'no effect\|refuses all' "$log"
		[ "$output" -eq $((${#more} > 0 ? 0 : 2)) ]
	done
}

@test "time-outs behind PROXY and STARTTLS are told in TLS; STARTTLS that stalls ends it" {
	py <<-'PY'
	from together import *
	waiting = []
	for kind in "ucspi", "wrapper":
	    p = Parent(kind, "-p", "-t", "1", header=V1)
	    p.talk.ask("EHLO me", "250"), p.starttls()
	    q = Parent(kind, "-p", "-t", "1", header=V1, mode="silent")
	    q.talk.ask("EHLO me", "250"), q.talk.ask("STARTTLS", "220")
	    waiting += [(p, "421 4.4.2"), (q, None)]
	for p, says in waiting:
	    if says:
	        p.talk.expect(says)
	    ucspitls.Parent.ended(p)
	PY
}

@test "no password in a log with -d: not offered, before TLS, before HELO, in LMTP, refused, misspelt" {
	py <<-'PY'
	from together import *
	hooks, secret = os.environ["HOOKS"], b64("\0ann\0se-cret-word")
	hook(hooks, "AUTH-EARLY", "read a; echo 535 5.7.8 no\n")
	hook(hooks, "AUTH-GOOD", "read a; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 ok\n")
	unwelcome = hooks + ".no"
	hook(unwelcome, "CONNECT", "echo 554 5.7.1 no\n")
	plaintext = ("-a", "cat <&3 >/dev/null", "--auth-plaintext")
	lines = (f"AUTH PLAIN {secret}", f" AUTH PLAIN {secret}", f"AUTH\tPLAIN {secret}", f"\tauth  PLAIN\t{secret}",
	         f"AUTH PLAIN\r\n{secret}", f"AUTH LOGIN\r\n{secret}\r\n{secret}", f"AUTH XX {secret}", f"AUTH EARLY\r\n{secret}",
	         f" AUTH LOGIN\r\n{secret}\r\n{secret}", f"AUTH GOOD\r\n{secret}", f"AUTH PLAIN {secret} {secret}",
	         f"AUTH PLAIN\n{secret}\r\nNOOP", f"AUTH={secret}", f"AUTH PLAIN\t{secret}", f"AUTH PLAIN={secret}",
	         f"AUTH {secret}", f"AUTH PLAIN {secret}" + "x" * 13000)
	wrong = []
	for options, header, before in (((), b"", ""), (("-H", hooks), b"", "EHLO me"), (plaintext, b"", ""),
	                                ((*plaintext, "-H", hooks), b"", "EHLO me"), (("-L", *plaintext), b"", "LHLO me"),
	                                (("-p", *plaintext, "-H", hooks, "--auth-plaintext"), V1, "EHLO me"),
	                                (("-H", unwelcome, *plaintext), b"", ""), (plaintext, b"", "EHLO me\r\nMAIL FROM:<a@b>"),
	                                (("--require-tls", *plaintext), b"", "EHLO me"),
	                                ((*plaintext, "--xclient", "127.0.0.1"), b"", "XCLIENT LOGIN=joe HELO=x")):
	    for line in lines:
	        said = (before and before + "\r\n") + line + "\r\nQUIT\r\n"
	        smtp = begin(header + said.encode(), "-d", *options, hello=None)
	        smtp.talk.eof()
	        log = smtp.ended()
	        if secret[:8] in log or "event=end" not in log:
	            wrong.append((options, before, line[:30], [l for l in log.splitlines() if secret[:8] in l]))
	# 538: TLS can come; then in TLS; and XCLIENT in between.
	for line in lines:
	    p = Parent("ucspi", "-d", "--xclient", "127.0.0.1", "-a", "true", "-H", hooks, stderr=subprocess.PIPE)
	    p.talk.send(f"EHLO me\r\n{line}\r\nXCLIENT NAME=x\r\nEHLO me\r\nSTARTTLS\r\n".encode())
	    while not (reply := p.talk.reply()).startswith(b"220 2.0.0"):
	        pass
	    p.in_tls(), p.talk.send(f"EHLO me\r\n{line}\r\nQUIT\r\n".encode()), p.talk.eof()
	    log = p.process.stderr.read().decode()
	    p.ended()
	    if secret[:8] in log or "STARTTLS" not in log:
	        wrong.append((line[:30], [l for l in log.splitlines() if secret[:8] in l]))
	show(wrong)
	PY
}

@test "no password in an environment, whoever named the client" {
	py <<-'PY'
	from together import *
	hooks, secret = os.environ["HOOKS"], "se-cret-word"
	seen = f"{MAIL}/.seen"
	for name in ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "QUIT", "DISCONNECT"):
	    hook(hooks, name, f"(echo; env; tr '\\0' ' ' </proc/$PPID/cmdline) >>{seen}\n")
	hook(hooks, "AUTH-X", f"read a; env >>{seen}; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 ok\n")
	check = ("-a", f"cat <&3 >/dev/null; env >>{seen}", "-H", hooks, "--xclient", "192.0.2.7", "-A")
	for line in "AUTH PLAIN " + plain("ann", secret), "AUTH X " + b64(secret):
	    p = Parent("ucspi", "-p", *check, header=V1)
	    p.talk.ask("XCLIENT ADDR=192.0.2.8", "220"), p.talk.ask("EHLO me", "250"), p.starttls()
	    p.talk.ask("EHLO me", "250"), p.talk.ask(line, "235")
	    env = p.sends()
	    assert env["SMTP_AUTH_USER"] == "ann" and env["TCPREMOTEIP"] == "192.0.2.8"
	    with open(seen, encoding="utf-8") as file:
	        text = file.read()
	    os.unlink(seen)
	    assert "SMTP_VERB=DISCONNECT" in text and not [s for s in (secret, b64(secret), line.split()[-1]) if s in text], text
	    arguments = {a for v, a in re.findall(r"SMTP_VERB=(\S*)[^\0]*?SMTP_ARGUMENT=(\S*)", text) if v == "AUTH"}
	    assert f"SMTP_ARGUMENT={line.split()[1]}\n" in text, text
	PY
}
