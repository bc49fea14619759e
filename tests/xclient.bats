#!/usr/bin/env bats
# shellcheck shell=bats
# --xclient: a proxy that speaks SMTP names the peer; smtpd(8), XCLIENT. The
# parser's own tests are units_xclient.c, the machine's are events.bats.
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

@test "every attribute: to the command, in Received and in the log" {
	py <<-'PY'
		from introduced import *
		names = (*NAMES, "SMTP_AUTH_USER", "SMTP_AUTH_MECHANISM", "SMTP_HELO", "SMTP_PROTOCOL")
		rest = {"SMTP_HELO": "me.example.org", "SMTP_PROTOCOL": "ESMTP"}
		client = {"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7"}
		joe = {"SMTP_AUTH_USER": "joe", "SMTP_AUTH_MECHANISM": "XCLIENT", "SMTP_PROTOCOL": "ESMTPA"}
		here = ("TCPLOCALIP", "TCPLOCALPORT")
		wrong = []
		for text, expected, keeps in (
		    ("ADDR=192.0.2.7", client, here),
		    ("addr=192.0.2.7 port=40312", {**client, "TCPREMOTEPORT": "40312"}, here),
		    ("ADDR=::FFFF:192.0.2.7 PORT=040312", {**client, "TCPREMOTEPORT": "40312"}, here),
		    ("ADDR=IPV6:2001:DB8:0::7", {**client, "TCPREMOTEIP": "2001:db8::7"}, here),
		    ("ADDR=2001:db8::7 DESTADDR=IPv6:2001:db8::25 DESTPORT=587",
		     {**client, "TCPREMOTEIP": "2001:db8::7", "TCPLOCALIP": "2001:db8::25", "TCPLOCALPORT": "587"}, ()),
		    ("ADDR=192.0.2.7 NAME=client.example", {**client, "TCPREMOTEHOST": "client.example"}, here),
		    ("ADDR=192.0.2.7 NAME=[UNAVAILABLE]", client, here),
		    ("ADDR=192.0.2.7 NAME=[tempunavail] DESTADDR=[UNAVAILABLE] DESTPORT=[UNAVAILABLE]", client, ()),
		    ("ADDR=192.0.2.7 LOGIN=joe", {**client, **joe}, here),
		    ("ADDR=192.0.2.7 LOGIN=jo+2Be+40x", {**client, **joe, "SMTP_AUTH_USER": "jo+e@x"}, here),
		    ("ADDR=192.0.2.7 LOGIN=[UNAVAILABLE]", client, here),
		    ("ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE]", {}, ()),
		    ("NAME=x", {"TCPREMOTEHOST": "x"}, ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", *here)),
		    ("ADDR=192.0.2.7 HELO=other PROTO=SMTP", client, here),  # EHLO follows
		):
		    smtp = begin(b"", "--xclient", "127.0.0.1", env=WORDS)
		    assert b"250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n" in smtp.talk.seen
		    expected = {**rest, **expected, **only(own(smtp), keeps)}
		    greeting = smtp.talk.ask(f"XCLIENT {text}", "220 ")
		    assert smtp.talk.seen.startswith(greeting), greeting
		    smtp.talk.ask("EHLO me.example.org", "250")
		    env, message, log = sent(smtp)
		    ip = expected.get("TCPREMOTEIP", "")
		    clause = " ([%s%s])" % ("IPv6:" if ":" in ip else "", ip) if ip else ""
		    connects, end = events(log, "connect"), events(log, "message")[0]
		    seen = (only(env, names), message.split(b"\n")[0].decode(), len(connects), connects[-1]["peer"],
		            connects[-1]["proxy"], end["peer"], end["user"], errors(log))
		    right = (expected, "Received: from me.example.org" + clause, 2, ip or "unknown", "127.0.0.1",
		             ip or "unknown", expected.get("SMTP_AUTH_USER", ""), [])
		    if seen != right:
		        wrong.append((text, seen, right))
		show(wrong)
	PY
}

@test "what several say together; HELO, PROTO and LOGIN are of the last" {
	py <<-'PY'
		from introduced import *
		def after(*commands):
		    smtp = begin(b"", "--xclient", "127.0.0.1", env=WORDS)
		    local = only(own(smtp), ("TCPLOCALIP", "TCPLOCALPORT"))
		    for command in commands:
		        smtp.talk.ask(command, "220" if command.startswith("XCLIENT") else "250")
		    env, message, log = sent(smtp)
		    return {k: v for k, v in only(env, (*NAMES, "SMTP_AUTH_USER", "SMTP_HELO", "SMTP_PROTOCOL")).items()
		            if local.get(k) != v}
		base = {"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.7", "SMTP_HELO": "x", "SMTP_PROTOCOL": "ESMTP"}
		wrong = []
		for commands, expected in (
		    # As Dovecot sends them, where one line is too short.
		    (("XCLIENT NAME=a.example PORT=7", "XCLIENT ADDR=192.0.2.7", "XCLIENT LOGIN=joe", "EHLO x"),
		     {**base, "TCPREMOTEHOST": "a.example", "TCPREMOTEPORT": "7", "SMTP_AUTH_USER": "joe",
		      "SMTP_PROTOCOL": "ESMTPA"}),
		    (("XCLIENT ADDR=192.0.2.7 LOGIN=joe", "XCLIENT PORT=7", "EHLO x"), {**base, "TCPREMOTEPORT": "7"}),
		    (("XCLIENT ADDR=192.0.2.8 NAME=b PORT=7", "XCLIENT ADDR=192.0.2.7 NAME=[UNAVAILABLE]", "EHLO x"),
		     {**base, "TCPREMOTEPORT": "7"}),
		    # HELO and PROTO hold until HELO or EHLO: no other is needed.
		    (("XCLIENT ADDR=192.0.2.7 HELO=y PROTO=ESMTP",), {**base, "SMTP_HELO": "y"}),
		    (("XCLIENT ADDR=192.0.2.7 HELO=y",), {**base, "SMTP_HELO": "y", "SMTP_PROTOCOL": "SMTP"}),
		    (("XCLIENT ADDR=192.0.2.7 HELO=y PROTO=smtp LOGIN=j",),
		     {**base, "SMTP_HELO": "y", "SMTP_PROTOCOL": "SMTP", "SMTP_AUTH_USER": "j"}),
		    (("XCLIENT ADDR=192.0.2.7 HELO=y PROTO=SMTP", "EHLO x"), base),
		    (("XCLIENT ADDR=192.0.2.7 HELO=y PROTO=ESMTP", "HELO x"), {**base, "SMTP_PROTOCOL": "SMTP"}),
		    (("XCLIENT ADDR=192.0.2.7 HELO=+FFy",), {**base, "SMTP_HELO": "?y", "SMTP_PROTOCOL": "SMTP"}),
		):
		    found = after(*commands)
		    if found != expected:
		        wrong.append((commands, found, expected))
		# Without HELO nobody has said hello.
		for command in ("XCLIENT ADDR=192.0.2.7", "XCLIENT HELO=[UNAVAILABLE] PROTO=ESMTP"):
		    smtp = begin(b"", "--xclient", "127.0.0.1")
		    smtp.talk.ask("XCLIENT HELO=y", "220")
		    smtp.talk.ask(command, "220")
		    smtp.talk.ask("MAIL FROM:<a@b>", "503 5.5.1")
		    smtp.quit()
		show(wrong)
	PY
}

@test "who may send it: those whom --xclient lists, whoever they say they are" {
	py <<-'PY'
		from introduced import *
		wrong = []
		words = {"TCPREMOTEIP": "192.0.2.9"}
		for code, options, kind, env, header in (
		    ("502 5.5.1", (), "tcp", {}, b""),
		    ("220 ", ("--xclient", "127.0.0.1"), "tcp", {}, b""),
		    ("220 ", ("--xclient=127.0.0.0/8",), "mapped", {}, b""),
		    ("220 ", ("--xclient", "192.0.2.9", "--xclient", "::1", "--xclient", "127.0.0.1"), "tcp", {}, b""),
		    ("550 5.7.0", ("--xclient", "127.0.0.2"), "tcp", {}, b""),
		    ("550 5.7.0", ("--xclient", "192.0.2.9"), "tcp", words, b""),
		    ("220 ", ("--xclient", "192.0.2.9"), "pipe", words, b""),
		    ("550 5.7.0", ("--xclient", "127.0.0.1"), "pipe", words, b""),
		    ("550 5.7.0", ("--xclient", "0.0.0.0/0", "--xclient", "::/0"), "pipe", {}, b""),
		    ("550 5.7.0", ("--xclient", "0.0.0.0/0", "--xclient", "::/0"), "unix", {}, b""),
		    # Behind a PROXY header: who that names.
		    ("550 5.7.0", ("-p", "--xclient", "127.0.0.1"), "tcp", {}, V1),
		    ("220 ", ("-p", "--xclient", "192.0.2.7"), "tcp", {}, V1),
		    ("550 5.7.0", ("-p", "--xclient", "127.0.0.1"), "tcp", {}, UNKNOWN),
		    ("550 5.7.0", ("-p", "--xclient", "127.0.0.1"), "tcp", {}, LOCAL),
		    ("550 5.7.0", ("-p", "--xclient", "127.0.0.1"), "pipe", {"TCPREMOTEIP": "127.0.0.1"}, UNKNOWN),
		    ("550 5.7.0", ("-p", "--xclient", "127.0.0.1"), "tcp", {}, unix()),
		):
		    smtp = begin(header, *options, kind=kind, env=env)
		    offered = b"XCLIENT" in smtp.talk.seen
		    smtp.talk.line("XCLIENT ADDR=198.51.100.1 LOGIN=root")
		    reply = smtp.talk.reply()
		    if not reply.startswith(code.encode()) or offered != (code == "220 "):
		        wrong.append((options, kind, env, header, reply, offered))
		    if code == "220 ":
		        # Judged by who it was before: again, whoever it is now.
		        smtp.talk.ask("EHLO x", "250")
		        again = smtp.talk.ask("XCLIENT ADDR=198.51.100.2", "220")
		        smtp.talk.ask("EHLO x", "250")
		        env, message, log = sent(smtp)
		        first, second = events(log, "connect")[-2:]
		        if env["TCPREMOTEIP"] != "198.51.100.2" or b"XCLIENT" not in smtp.talk.seen or \
		                second["proxy"] != first["proxy"]:
		            wrong.append((options, env, log))
		    else:
		        # It has changed nothing.
		        env, message, log = sent(smtp)
		        if "SMTP_AUTH_USER" in env or env.get("TCPREMOTEIP") == "198.51.100.1" or \
		                not any(e["command"].startswith("XCLIENT") for e in events(log, "refused")):
		            wrong.append((options, env, log))
		# Nobody becomes one who may by being said to be one.
		smtp = begin(b"", "--xclient", "127.0.0.1")
		smtp.talk.ask("XCLIENT ADDR=127.0.0.1", "220")
		smtp.quit()
		show(wrong)
	PY
}

@test "nobody behind it is trusted for being local, or for RELAYCLIENT; LOGIN and -r are" {
	py <<-'PY'
		from introduced import *
		from policy import ANYWHERE, NOWHERE
		wrong = []
		for expected, options, commands in (
		    (ANYWHERE, (), ()),  # the proxy itself
		    (NOWHERE, (), ("ADDR=192.0.2.7",)),
		    (NOWHERE, (), ("ADDR=127.0.0.1",)),
		    (NOWHERE, (), ("ADDR=IPV6:::1",)),
		    (NOWHERE, (), ("ADDR=[UNAVAILABLE]",)),
		    (NOWHERE, (), ("NAME=localhost",)),
		    (NOWHERE, (), ("HELO=x",)),
		    (NOWHERE, (), ("LOGIN=[UNAVAILABLE]",)),
		    (ANYWHERE, (), ("ADDR=192.0.2.7 LOGIN=joe",)),
		    (ANYWHERE, (), ("LOGIN=joe",)),
		    (NOWHERE, (), ("ADDR=192.0.2.7 LOGIN=joe", "ADDR=192.0.2.7")),
		    (NOWHERE, (), ("LOGIN=joe", "LOGIN=[UNAVAILABLE]")),
		    (ANYWHERE, ("-r", "192.0.2.7"), ("ADDR=192.0.2.7",)),
		    (ANYWHERE, ("-r", "192.0.2.7"), ("ADDR=192.0.2.7", "NAME=x")),
		    (NOWHERE, ("-r", "192.0.2.7"), ("ADDR=192.0.2.7", "ADDR=192.0.2.8")),
		    (NOWHERE, ("-r", "192.0.2.7"), ("ADDR=192.0.2.7", "ADDR=[UNAVAILABLE]")),
		    (ANYWHERE, ("-r", "2001:db8::/32"), ("ADDR=IPV6:2001:db8::7",)),
		    (ANYWHERE, ("-r", "127.0.0.1"), ("ADDR=127.0.0.1",)),
		    # The address of the proxy is not the client's.
		    (NOWHERE, ("-r", "127.0.0.0/8"), ("ADDR=192.0.2.7",)),
		    (NOWHERE, ("-r", "127.0.0.0/8"), ("NAME=x",)),
		    (NOWHERE, ("-r", "127.0.0.0/8"), ("ADDR=[UNAVAILABLE]",)),
		):
		    for header, kind, peer in ((b"", "tcp", "127.0.0.1"), (V1, "tcp", "192.0.2.7")):
		        if header and expected == ANYWHERE and not commands:
		            continue
		        if header and "NAME=x" in commands:
		            options = ("-r", "192.0.2.7")
		            if len(commands) == 2:
		                continue
		        proxy = ("-p",) if header else ()
		        smtp = begin(header, *proxy, "-q", *options, "--xclient", peer, "--max-errors", "0",
		                     "-D", "example.org", "--", "true", env=WORDS)
		        for command in commands:
		            smtp.talk.ask(f"XCLIENT {command}", "220")
		        smtp.talk.ask("EHLO x", "250")
		        for what in may(expected, smtp):
		            wrong.append((header, options, commands, *what))
		show(wrong)
	PY
}

@test "it resets the session: a login, what hooks found out, the transaction" {
	py <<-'PY'
		from introduced import *
		hooks = os.environ["HOOKS"]
		hook(hooks, "CONNECT", f'echo "$TCPREMOTEIP ${{SMTP_HELO-none}} ${{SMTP_AUTH_USER-none}} ${{X_HELO-none}} '
		     f'${{X_OLD-none}} ${{TCPREMOTEHOST-none}}" >>{MAIL}/.ran\n'
		     'case $TCPREMOTEIP in 192.0.2.*) echo X_NEW=new; echo "220 hello $TCPREMOTEIP";; *) echo X_OLD=old;; esac\n')
		hook(hooks, "EHLO", "echo X_HELO=$SMTP_HELO\n")
		options = ("--xclient", "127.0.0.1", "-H", hooks, "-a", "cat <&3 >/dev/null", "--auth-plaintext")
		smtp = begin(b"", *options)
		smtp.talk.ask("AUTH PLAIN AHUAcA==", "235")
		reply = smtp.talk.ask("XCLIENT ADDR=192.0.2.7 NAME=a.example LOGIN=joe", "220 ")
		assert reply == b"220 hello 192.0.2.7\r\n", reply
		smtp.talk.ask("XCLIENT ADDR=192.0.2.8 HELO=said", "220 hello 192.0.2.8")
		# Nobody is logged in any more: he may be, and is offered it.
		smtp.talk.ask("EHLO second.example", "250")
		assert smtp.talk.seen.count(b"AUTH PLAIN") == 2
		env, message, log = sent(smtp)
		assert "SMTP_AUTH_USER" not in env and env["SMTP_PROTOCOL"] == "ESMTP", env
		assert {k: v for k, v in env.items() if k.startswith("X_")} == \
		    {"X_NEW": "new", "X_HELO": "second.example"}, env
		assert env["TCPREMOTEHOST"] == "a.example"
		assert open(f"{MAIL}/.ran").read().splitlines() == [
		    "127.0.0.1 none none none none none",
		    "192.0.2.7 none joe none none a.example",
		    "192.0.2.8 said none none none a.example"]
		smtp = begin(b"", *options)
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7 LOGIN=joe", "220 ")
		smtp.talk.ask("EHLO x", "250")
		smtp.talk.ask("AUTH PLAIN AHUAcA==", "503 5.5.1")
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "220 ")
		smtp.talk.ask("EHLO x", "250")
		smtp.talk.ask("AUTH PLAIN AHUAcA==", "235")
		smtp.talk.ask("MAIL FROM:<a@b>", "250")
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "503 5.5.1")
		smtp.talk.ask("RCPT TO:<c@d>", "250")
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "503 5.5.1")
		smtp.talk.ask("RSET", "250")
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "220 ")
		smtp.quit()
	PY
}

@test "a client whom the CONNECT hook refuses gets nowhere" {
	py <<-'PY'
		from introduced import *
		hooks = os.environ["HOOKS"]
		hook(hooks, "CONNECT", 'case $TCPREMOTEIP in 192.0.2.7) echo "554 5.7.1 Not you";; '
		     '192.0.2.8) exit 75;; 192.0.2.9) echo "421 4.7.0 Go";; esac\n')
		options = ("--xclient", "127.0.0.1", "-H", hooks)
		for ip, code in (("192.0.2.7", "554 5.7.1 Not you"), ("192.0.2.8", "451 4.3.0")):
		    smtp = begin(b"", *options)
		    smtp.talk.ask(f"XCLIENT ADDR={ip} LOGIN=root HELO=x", code)
		    for command in "MAIL FROM:<a@b>", "EHLO x", "XCLIENT ADDR=192.0.2.1", "NOOP":
		        smtp.talk.ask(command, "503 5.5.1")
		    log = smtp.quit()
		    first = events(log, "refused")[0]
		    assert (first["peer"], first["command"], first["reply"][:9]) == (ip, "CONNECT", code[:9]), log
		smtp = begin(b"", *options)
		smtp.talk.ask("XCLIENT ADDR=192.0.2.9", "421 4.7.0 Go")
		assert smtp.talk.eof() == b""
		smtp.ended()
	PY
}

@test "what it refuses: 501 and nothing has changed" {
	py <<-'PY'
		from introduced import *
		wrong = []
		smtp = begin(b"", "--xclient", "127.0.0.1", "--max-errors", "0")
		for text in ("", "ADDR", "ADDR=", "=x", "NOSUCH=x", "REVERSE_NAME=x", "ADDR=192.0.2.7 ADDR=192.0.2.7",
		             "ADDR=192.0.2", "ADDR=localhost", "ADDR=[192.0.2.7]", "ADDR=192.0.2.7/32", "ADDR=IPV6:192.0.2.7",
		             "PORT=65536", "PORT=-1", "PORT=x", "PROTO=LMTP", "PROTO=HTTP", "NAME=a_b@", "NAME=a+0Ab",
		             "NAME=a+0Ab ADDR=192.0.2.7", "NAME=[192.0.2.7]", "HELO=a+20b", "HELO=a+0D+0Ab", "HELO=a+00",
		             "LOGIN=a+0Ab", "LOGIN=a+00b", "LOGIN=+FF", "LOGIN=+4", "LOGIN=+2b", "LOGIN=" + 256 * "x",
		             "ADDR=192.0.2.7\tPORT=1", "ADDR=192.0.2.7, PORT=1", "LOGIN=root ADDR=x"):
		    smtp.talk.line(f"XCLIENT {text}".rstrip())
		    reply = smtp.talk.reply()
		    if not reply.startswith(b"501 5.5.4"):
		        wrong.append((text, reply))
		for text, code in (("LOGIN=" + 505 * "x", "500 5.5.6"),):
		    smtp.talk.line(f"XCLIENT {text}")
		    reply = smtp.talk.reply()
		    if not reply.startswith(code.encode()):
		        wrong.append((text, reply))
		expected = own(smtp)
		env, message, log = sent(smtp)
		if only(env) != expected or "SMTP_AUTH_USER" in env or "TCPREMOTEHOST" in env:
		    wrong.append(env)
		smtp = begin(b"", "--xclient", "127.0.0.1")
		smtp.talk.ask("XCLIENT LOGIN=" + 255 * "x", "220")
		smtp.talk.ask("EHLO x", "250")
		env, message, log = sent(smtp)
		if env["SMTP_AUTH_USER"] != 255 * "x":
		    wrong.append(env)
		show(wrong)
	PY
}

@test "--require-auth, --require-tls, --hide, HELP" {
	py <<-'PY'
		from introduced import *
		smtp = begin(b"", "--xclient", "127.0.0.1", "--require-auth", "-a", "true", "--auth-plaintext")
		smtp.talk.ask("MAIL FROM:<a@b>", "530 5.7.0")
		smtp.talk.ask("XCLIENT LOGIN=joe", "220")
		smtp.talk.ask("EHLO x", "250")
		smtp.talk.ask("MAIL FROM:<a@b>", "250")
		smtp.talk.ask("RSET", "250")
		smtp.talk.ask("XCLIENT NAME=x", "220")
		smtp.talk.ask("EHLO x", "250")
		smtp.talk.ask("MAIL FROM:<a@b>", "530 5.7.0")
		smtp.quit()
		smtp = begin(b"", "--xclient", "127.0.0.1", "--require-tls")
		smtp.talk.ask("XCLIENT LOGIN=joe", "530 5.7.0")
		smtp.quit()
		smtp = begin(b"", "--xclient", "127.0.0.1", "--hide", "xclient")
		assert b"XCLIENT" not in smtp.talk.seen
		assert b" XCLIENT" in smtp.talk.ask("HELP", "214")
		smtp.talk.ask("HELP xclient", "214 2.0.0 XCLIENT attribute=value ...")
		smtp.talk.ask("XCLIENT ADDR=192.0.2.7", "220")
		smtp.quit()
		smtp = begin(b"")
		assert b" XCLIENT" not in smtp.talk.ask("HELP", "214")
		smtp.quit()
	PY
}

@test "what is pipelined behind it is the client's" {
	py <<-'PY'
		from introduced import *
		smtp = begin(b"EHLO proxy\r\nXCLIENT ADDR=192.0.2.7\r\nEHLO me.example.org\r\nMAIL FROM:<a@b>\r\n"
		             b"RCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nXCLIENT ADDR=192.0.2.8\r\nEHLO other\r\nMAIL FROM:<a@b>\r\n"
		             b"RCPT TO:<c@d>\r\nDATA\r\ny\r\n.\r\nQUIT\r\n",
		             "--xclient", "127.0.0.1", "-A", "--", "sh", "-c",
		             f'echo "$TCPREMOTEIP $SMTP_HELO" >>{MAIL}/.ran', hello=None)
		for code in "220 250 220 250 250 250 354 250 220 250 250 250 354 250 221".split():
		    smtp.talk.expect(code)
		smtp.ended()
		assert open(f"{MAIL}/.ran").read() == "192.0.2.7 me.example.org\n192.0.2.8 other\n"
	PY
}

@test "swaks --xclient" {
	serve --xclient 127.0.0.1 -- "$RECORD" "$MAIL"
	swaks --server "127.0.0.1:$port" --from a@example.org --to c@example.net --helo swaks.example \
		--xclient-name client.example --xclient-addr 192.0.2.7 --xclient-port 40312 \
		--xclient-proto ESMTP --xclient-login joe@example.org --xclient-helo proxied.example \
		--xclient-destaddr 192.0.2.25 --xclient-destport 587 >"$BATS_TEST_TMPDIR/out"
	[ "$(recorded TCPREMOTEIP) $(recorded TCPREMOTEPORT)" = '192.0.2.7 40312' ]
	[ "$(recorded TCPLOCALIP) $(recorded TCPLOCALPORT)" = '192.0.2.25 587' ]
	[ "$(recorded TCPREMOTEHOST)" = client.example ]
	[ "$(recorded SMTP_AUTH_USER) $(recorded SMTP_AUTH_MECHANISM)" = 'joe@example.org XCLIENT' ]
	[ "$(recorded SMTP_HELO) $(recorded SMTP_PROTOCOL)" = 'swaks.example ESMTPA' ]
	forget_messages
	# Of one who may not it is not even asked: swaks sends what was offered.
	serve --xclient 192.0.2.1 -- "$RECORD" "$MAIL"
	run -0 swaks --server "127.0.0.1:$port" --from a@example.org --to c@example.net \
		--xclient-addr 192.0.2.7 --xclient-optional
	[ "$(recorded TCPREMOTEIP)" = 127.0.0.1 ]
}

# nginx: the real mail proxy in front of port $port: $plain without AUTH, $auth
# with, both on 127.0.0.1 and ::1. Whom to let in it asks a web server of ours.
nginx() {
	local http peers=$BUILD/peers
	http=$(free_port) plain=$(free_port) auth=$(free_port)
	cat >"$BATS_TEST_TMPDIR/who.py" <<-'PY'
		import http.server, sys
		class Handler(http.server.BaseHTTPRequestHandler):
		    def do_GET(self):
		        good = self.headers.get("Auth-Method") == "none" or \
		            (self.headers["Auth-User"], self.headers["Auth-Pass"]) == ("joe@example.org", "secret")
		        self.send_response(200)
		        self.send_header("Auth-Status", "OK" if good else "Invalid login")
		        self.send_header("Auth-Server", "127.0.0.1")
		        self.send_header("Auth-Port", sys.argv[2])
		        self.end_headers()
		http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
	PY
	start "$BATS_TEST_TMPDIR/log.http" "$PYTHON" "$BATS_TEST_TMPDIR/who.py" "$http" "$port"
	cat >"$BATS_TEST_TMPDIR/nginx.conf" <<-CONF
		daemon off;
		master_process off;
		pid $BATS_TEST_TMPDIR/nginx.pid;
		error_log stderr;
		load_module $peers/libnginx-mod-mail/usr/lib/nginx/modules/ngx_mail_module.so;
		events {}
		mail {
		    server_name nginx.example;
		    auth_http 127.0.0.1:$http/;
		    xclient on;
		    server {
		        listen 127.0.0.1:$plain;
		        listen [::1]:$plain;
		        protocol smtp;
		        smtp_auth none;
		    }
		    server {
		        listen 127.0.0.1:$auth;
		        protocol smtp;
		        smtp_auth plain login;
		    }
		}
	CONF
	start "$BATS_TEST_TMPDIR/log.nginx" "$peers/nginx/usr/sbin/nginx" \
		-p "$BATS_TEST_TMPDIR" -e stderr -c "$BATS_TEST_TMPDIR/nginx.conf"
	eventually listening "$http"
	eventually listening "$auth"
	eventually listening "$plain"
}

@test "nginx's mail proxy: who is behind it, with HELO and EHLO, IPv4 and IPv6" {
	serve --xclient 127.0.0.1 -D example.net -- "$RECORD" "$MAIL"
	nginx
	for hello in EHLO HELO; do
		for address in 127.0.0.1 '[::1]'; do
			talk "$address:$plain" '<220' ">$hello me.example.org" '<250' '>MAIL FROM:<a@example.org>' '<250' \
				'>RCPT TO:<b@example.com>' '<550 5.7.1' '>RCPT TO:<c@example.net>' '<250 2.1.5' '>DATA' '<354' \
				'>Subject: x' '>' '>..dot' '.' '<250 2.0.0' '>QUIT' '<221'
			address=${address//[\[\]]/}
			[ "$(recorded TCPREMOTEIP)" = "$address" ]
			# nginx tells no port: its own is not the client's.
			run -0 recorded TCPREMOTEPORT
			[ -z "$output" ]
			[ "$(recorded SMTP_HELO)" = me.example.org ]
			[ "$(recorded SMTP_PROTOCOL)" = "$([ $hello = HELO ] && echo SMTP || echo ESMTP)" ]
			grep -q '^\.dot' "$(only)/message"
			forget_messages
		done
	done
	grep -q 'event=connect peer=::1 proxy=127.0.0.1' "$log"
}

@test "nginx's mail proxy: contrib/nginx.conf" {
	serve -p -D example.net -- "$RECORD" "$MAIL"
	front=$(free_port) http=$(free_port)
	mail=$BUILD/peers/libnginx-mod-mail
	# Debian's nginx has such a link in the folder that its files are in.
	ln -s "$mail/usr/lib/nginx/modules" "$BATS_TEST_TMPDIR/modules"
	{
		echo 'daemon off; master_process off; pid nginx.pid; error_log stderr;'
		# The directories of the package are not there.
		sed "s|/etc/nginx/modules-enabled|$mail/usr/share/nginx/modules-available|
			s/listen 25;/listen 127.0.0.1:$front;/; s/listen \[::\]:25;/listen [::1]:$front;/
			s/:8025/:$http/; s/Auth-Port 2525/Auth-Port $port/
			s/^http {/&client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;/" \
			"$BATS_TEST_DIRNAME/../contrib/nginx.conf"
	} >"$BATS_TEST_TMPDIR/nginx.conf"
	start "$BATS_TEST_TMPDIR/log.nginx" "$BUILD/peers/nginx/usr/sbin/nginx" \
		-p "$BATS_TEST_TMPDIR" -e stderr -c "$BATS_TEST_TMPDIR/nginx.conf"
	eventually listening "$front"
	eventually listening "$http"
	run -0 swaks --server "[::1]:$front" --from a@example.org --to c@example.net
	[ "$(recorded TCPREMOTEIP)" = ::1 ]
	run ! swaks --server "127.0.0.1:$front" --from a@example.org --to c@example.com
	[ "$(messages)" -eq 1 ]
	# What it offers is there, behind it too.
	forget_messages
	py "$front" <<-'PY'
		import sys
		from talk import Conversation
		talk = Conversation.connect("127.0.0.1:" + sys.argv[1])
		talk.expect("220")
		offered = talk.ask("EHLO me.example.org", "250").decode().split("\r\n")
		assert [line[4:] for line in offered[1:] if line] == \
		    ["SIZE", "8BITMIME", "PIPELINING", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING"], offered
		talk.ask("MAIL FROM:<a@example.org> SIZE=8 BODY=8BITMIME RET=HDRS ENVID=x\r\n"
		         "RCPT TO:<c@example.net> NOTIFY=NEVER\r\nBDAT 3 LAST\r\nx\r\nQUIT", "250")
		for code in "250 2.1.5", "250 2.0.0", "221":
		    talk.expect(code)
		# Nor is what nginx says to be had by who is behind it.
		talk = Conversation.connect("127.0.0.1:" + sys.argv[1])
		talk.expect("220")
		for line, code in (("EHLO me.example.org", "250"), ("MAIL FROM:<a@example.org>", "250"),
		                   ("RCPT TO:<c@example.net>", "250"), ("RSET", "250"),
		                   ("XCLIENT LOGIN=admin", "502"), ("MAIL FROM:<a@example.org>", "250"),
		                   ("RCPT TO:<c@example.com>", "550 5.7.1")):
		    talk.ask(line, code)
	PY
	[ "$(messages)" -eq 1 ]
	[ "$(recorded SMTP_BODY) $(recorded SMTP_RCPT_OPTIONS)" = '8BITMIME NOTIFY=NEVER' ]
}

@test "nginx's mail proxy: a login there is one here" {
	serve --xclient 127.0.0.1 -D example.net -- "$RECORD" "$MAIL"
	nginx
	run -0 swaks --server "127.0.0.1:$auth" --from a@example.org --to c@example.com \
		--auth PLAIN --auth-user joe@example.org --auth-password secret
	[ "$(recorded SMTP_AUTH_USER) $(recorded SMTP_AUTH_MECHANISM)" = 'joe@example.org XCLIENT' ]
	[ "$(recorded SMTP_PROTOCOL)" = ESMTPA ]
	forget_messages
	run ! swaks --server "127.0.0.1:$auth" --from a@example.org --to c@example.com \
		--auth PLAIN --auth-user joe@example.org --auth-password wrong
	[ "$(messages)" -eq 0 ]
	# It is no proxy of ours: nobody may be named.
	serve --xclient 192.0.2.1 -D example.net -- "$RECORD" "$MAIL"
	nginx
	run ! swaks --server "127.0.0.1:$plain" --from a@example.org --to c@example.net
	[ "$(messages)" -eq 0 ]
}
