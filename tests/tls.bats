#!/usr/bin/env bats
# shellcheck shell=bats
# STARTTLS by UCSPI-TLS and by tlswrapper, and TLS from the start: the real
# tlswrapper, stunnel and clients, and parents on Python's ssl module
# (ucspitls.py) that fail, stall and lie.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154,SC2317

load lib

setup_file() {
	stage
	PEM=$STAGE/pem
	export PEM
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-keyout "$STAGE/key" -out "$STAGE/cert" 2>/dev/null
	cat "$STAGE/key" "$STAGE/cert" >"$PEM"
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

# wrapped OPTION ...: smtpd behind the real tlswrapper, its port in $port.
wrapped() {
	port=$(free_port)
	log=$BATS_TEST_TMPDIR/log.${#started[@]}
	start "$log" tcpserver -HR -l0 127.0.0.1 "$port" \
		tlswrapper "${wrapper[@]}" -q -f "$PEM" "$SMTPD" "$@"
	eventually listening "$port"
}

# ucspi OPTION ...: smtpd behind a UCSPI-TLS parent.
ucspi() {
	port=$(free_port)
	log=$BATS_TEST_TMPDIR/log.${#started[@]}
	start "$log" "$PYTHON" "$BATS_TEST_DIRNAME/ucspitls.py" \
		"${parent[@]}" "$PEM" "$port" "$SMTPD" "$@"
	eventually listening "$port"
}

# The clients, against $port; each leaves one message, over TLS.
clients() {
	printf 'Subject: x\r\n\r\nby curl\r\n' >mail
	curl -sS --ssl-reqd --cacert "$STAGE/cert" --url "smtp://localhost:$port" \
		--mail-from a@b.example --mail-rcpt c@d.example --user ann:x -T mail
	came_encrypted "$1" ESMTPSA
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example --tls \
		--auth LOGIN --auth-user ann --auth-password x >swaks.log
	came_encrypted "$1" ESMTPSA
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example --tls >swaks.log
	came_encrypted "$1" ESMTPS
	msmtp -C /dev/null --host=localhost --port="$port" --tls=on --tls-trust-file="$STAGE/cert" \
		--auth=off --from=a@b c@d <mail
	came_encrypted "$1" ESMTPS
	PEM=$STAGE/cert port=$port py <<-'PY'
	import os, smtplib, ssl
	context = ssl.create_default_context(cafile=os.environ["PEM"])
	with smtplib.SMTP("localhost", int(os.environ["port"])) as client:
	    client.ehlo()
	    assert client.has_extn("starttls") and not client.has_extn("auth")
	    client.starttls(context=context)
	    client.ehlo()
	    assert not client.has_extn("starttls") and client.has_extn("auth")
	    client.login("ann", "x")
	    client.sendmail("a@b", "c@d", b"Subject: big\r\n\r\n" + b"0123456789abcdef\r\n" * 200000)
	PY
	came_encrypted "$1" ESMTPSA 3600016
	# crlf: a line at a time, as a person would.
	printf '%s\n' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' DATA 'Subject: x' '' . QUIT >said
	"$PYTHON" - <<-'PY' | openssl s_client -quiet -crlf -starttls smtp -connect "localhost:$port" \
		-CAfile "$STAGE/cert" -verify_return_error >heard 2>/dev/null || true
	import sys, time
	for line in open("said"):
	    time.sleep(0.1)
	    sys.stdout.write(line), sys.stdout.flush()
	PY
	grep -q '^250 2.0.0 ' heard
	came_encrypted "$1" ESMTPS
}

# came_encrypted REGEX PROTOCOL [SIZE]: the only message, and that no
# descriptor of TLS's is left to the command.
came_encrypted() {
	eventually only >/dev/null
	local folder
	folder=$(only)
	recorded SMTP_TLS | grep -qxE "$1"
	[ "$(recorded SMTP_PROTOCOL)" = "$2" ]
	[ "$(recorded TCPREMOTEIP)" = 127.0.0.1 ]
	tr -d '\n' <"$folder/message" | grep -q "with $2 id"
	[ "$(paste -sd' ' "$folder/fd")" = "0 1 2 3" ]
	[ -z "${3:-}" ] || [ "$(sed 1,4d "$folder/message" | wc -c)" -ge $((${3} - ${3} / 18 - 200)) ]
	forget_messages
}

### The real ones

@test "tlswrapper -n: curl, swaks, msmtp, smtplib, openssl s_client" {
	need_root
	wrapper=(-n)
	wrapped --tlswrapper -a true "$RECORD" "$MAIL"
	clients 1
}

@test "tlswrapper -n: a session without STARTTLS, and what is thrown away behind it" {
	need_root
	wrapper=(-n)
	wrapped --tlswrapper -a true --no-trust -D example.org "$RECORD" "$MAIL"
	talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>AUTH PLAIN' '<538 5.7.11' \
		'>MAIL FROM:<a@b>' '<250' '>STARTTLS' '<503 5.5.1' \
		'>RCPT TO:<x@example.org>' '<250' '>DATA' '<354' '>x' . '<250' '>QUIT' '<221' '<eof'
	port=$port py <<-'PY'
	import os, time, threading
	from talk import Conversation, Unexpected
	from ucspitls import TlsTalk
	evil = b"EHLO evil\r\nMAIL FROM:<evil@example.net>\r\nRCPT TO:<x@example.org>\r\n"
	wrong = []
	# tlswrapper passes on what it can before it looks at what it is told:
	# so much, too, that a pipe and smtpd's buffer do not hold it.
	for padding in (0, 5, 4000, 20000, 65000, 70000, 140000, 400000):
	    c = Conversation.connect(f"127.0.0.1:{os.environ['port']}")
	    c.expect("220"), c.ask("EHLO me", "250")
	    c.send(b"STARTTLS\r\n" + b"NOOP\r\n" * (padding // 6) + evil)
	    try:
	        c.expect("220 2.0.0")
	        c = TlsTalk(c)
	        c.ask("RCPT TO:<x@example.org>", "503 5.5.1 Send")
	        c.ask("EHLO me", "250"), c.ask("RCPT TO:<x@example.org>", "503 5.5.1 Need"), c.ask("QUIT", "221")
	    except (Unexpected, OSError) as error:
	        wrong.append((padding, error))
	# One that goes on talking gets no TLS, and no answer.
	c = Conversation.connect(f"127.0.0.1:{os.environ['port']}")
	c.expect("220"), c.ask("EHLO me", "250")
	def drip():
	    try:
	        c.send(b"STARTTLS\r\n")
	        while True:
	            c.send(b"NOOP\r\n")
	            time.sleep(0.003)
	    except OSError:
	        pass
	threading.Thread(target=drip, daemon=True).start()
	rest = c.eof()
	if rest:
	    wrong.append(rest)
	raise SystemExit("\n".join(map(str, wrong)) or 0)
	PY
}

@test "tlswrapper without -n, with --tls: TLS from the start" {
	need_root
	wrapper=()
	wrapped --tls -a true "$RECORD" "$MAIL"
	curl -sS --cacert "$STAGE/cert" --url "smtps://localhost:$port" --mail-from a@b \
		--mail-rcpt c@d --user ann:x -T - <<<$'Subject: x\r\n\r\nx\r'
	came_encrypted 1 ESMTPSA
}

@test "stunnel in front, with --tls: nobody is trusted for being the proxy" {
	port=$(free_port)
	cat >conf <<-CONF
		foreground = yes
		pid =
		debug = err
		[smtps]
		accept = 127.0.0.1:$port
		cert = $PEM
		exec = $SMTPD
		execArgs = smtpd --tls -a true -D d $RECORD $MAIL
	CONF
	start "$BATS_TEST_TMPDIR/log" stunnel4 conf
	eventually listening "$port"
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@d --tls-on-connect >swaks.log
	came_encrypted 1 ESMTPS
	serve --tls -a true -D d "$RECORD" "$MAIL"
	local behind=$port
	port=$(free_port)
	cat >conf <<-CONF
		foreground = yes
		pid =
		debug = err
		[smtps]
		accept = 127.0.0.1:$port
		cert = $PEM
		connect = 127.0.0.1:$behind
	CONF
	start "$BATS_TEST_TMPDIR/log2" stunnel4 conf
	eventually listening "$port"
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@d --tls-on-connect >swaks.log
	came_encrypted 1 ESMTPS
	run -24 swaks --server "127.0.0.1:$port" --from a@b.example --to c@far.example --tls-on-connect
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@far.example --tls-on-connect \
		--auth-user ann --auth-password x >swaks.log
	came_encrypted 1 ESMTPSA
}

@test "UCSPI-TLS: curl, swaks, msmtp, smtplib, openssl s_client" {
	parent=()
	ucspi -a true "$RECORD" "$MAIL"
	clients 'TLSv1\.3 TLS_[A-Z0-9_]+'
}

@test "tlswrapper -n as of 2025: curl, swaks, msmtp, smtplib, openssl s_client" {
	parent=(-k wrapper)
	ucspi --tlswrapper -a true "$RECORD" "$MAIL"
	clients 1
}

@test "contrib/tcpserver/submission: STARTTLS, a password, and then anywhere" {
	need_root
	port=$(free_port)
	mkdir -p "$STAGE/service"
	cp "$PEM" "$STAGE/service/pem"
	sed -e "s/^host=.*/host=127.0.0.1/; s/^port=.*/port=$port/; s/^user=.*/user=nobody/; s/^checker=.*/checker='cat <\&3 >\/dev\/null'/" \
		-e "s|/usr/local/bin/smtpd |$SMTPD |; s|-- /usr/local/bin/smtpd-print|-- $RECORD $MAIL|" \
		"$BATS_TEST_DIRNAME/../contrib/tcpserver/submission" >"$STAGE/service/run"
	start "$BATS_TEST_TMPDIR/log" sh "$STAGE/service/run" "$STAGE/service"
	eventually listening "$port"
	run -23 swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example --tls
	run -28 swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example --auth-user ann --auth-password x
	swaks --server "127.0.0.1:$port" --from a@b.example --to c@d.example --tls \
		--auth-user ann --auth-password x >swaks.log
	came_encrypted 1 ESMTPSA
}

### What it is to be

@test "SSL_PROTOCOL in the environment means TLS; what else there is does not" {
	py <<-'PY'
	from auth import *
	wrong = []
	for more, options, tls in (
	    ({}, [], None),
	    ({"SSL_PROTOCOL": ""}, [], None),
	    ({"SSL_CIPHER": "X", "SSL_CERT_FILE": "/x", "SSL_TLS_SNI_SERVERNAME": "x", "UCSPITLS": "1", "SMTP_TLS": "1"}, [], None),
	    ({"SSL_PROTOCOL": "TLSv1.2"}, [], "TLSv1.2"),
	    ({"SSL_PROTOCOL": "TLSv1.2", "SSL_CIPHER": "ECDHE"}, [], "TLSv1.2 ECDHE"),
	    ({"SSL_PROTOCOL": "TLS\nx", "SSL_CIPHER": "\u00e4" * 200}, [], None),
	    ({}, ["--tls"], "1"),
	    ({"SSL_PROTOCOL": "TLSv1.2"}, ["--tls"], "TLSv1.2"),
	    ({"SSL_PROTOCOL": "TLSv1.2", "SSLCTLFD": "0", "SSLREADFD": "0", "SSLWRITEFD": "1"}, [], "TLSv1.2"),
	):
	    env = {k: v for k, v in os.environ.items() if not k.startswith("SSL")}
	    s = Session(*options, "-A", "sh", "-c", 'cat >/dev/null; echo "250 2.0.0 $SMTP_PROTOCOL/$SMTP_TLS"',
	                env=env | more)
	    words = keywords(s)
	    reply = s.message(b"x\n").decode()[10:-2]
	    if "\n" in more.get("SSL_PROTOCOL", ""):
	        assert re.fullmatch(r"ESMTPS/TLS\?x \?{100,122}", reply), reply
	    elif reply != (f"ESMTPS/{tls}" if tls else "ESMTP/"):
	        wrong.append((more, options, reply))
	    if "STARTTLS" in words:
	        wrong.append((more, options, words))
	    s.talk.ask("STARTTLS", "502 5.5.1")
	    s.quit()
	show(wrong)
	PY
	# A listener's own environment says nothing of its connections.
	SSL_PROTOCOL=TLSv1.3 SSLCTLFD=5 SSLREADFD=6 SSLWRITEFD=7 serve "$RECORD" "$MAIL" 5</dev/null 6</dev/null 7</dev/null
	talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>STARTTLS' '<502 5.5.1' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<c@d>' '<250' '>DATA' '<354' . '<250' '>QUIT' '<221'
	[ "$(recorded SMTP_PROTOCOL)" = ESMTP ]
	[ -z "$(recorded SSL_PROTOCOL)" ]
}

@test "descriptors that are named and not there: an error line, and no STARTTLS" {
	py <<-'PY'
	from auth import *
	for words in ({"SSLCTLFD": "77"}, {"SSLCTLFD": "x", "SSLREADFD": "", "SSLWRITEFD": "-1"},
	              {"SSLCTLFD": "0", "SSLREADFD": "1", "SSLWRITEFD": "2"},
	              {"SSLCTLFD": "99999999999999999999"}):
	    s = Session("true", env=dict(os.environ, **words))
	    assert "STARTTLS" not in keywords(s)
	    s.talk.ask("STARTTLS", "502 5.5.1")
	    assert "is no open descriptor: no STARTTLS" in s.quit()
	PY
}

@test "STARTTLS in its place, and out of it; --hide; --require-tls" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    def begin(*options):
	        p = Parent([SMTPD, "-n", *more, *options], os.environ["PEM"], kind)
	        p.talk.expect("220")
	        return p, p.talk
	    SMTPD = os.environ["SMTPD"]
	    p, t = begin("-a", "true", "--auth-plaintext", "true")
	    t.ask("STARTTLS", "503 5.5.1")
	    t.ask("EHLO me", "250")
	    t.ask("STARTTLS x", "501 5.5.4")
	    t.ask("HELP STARTTLS", "214")
	    t.ask("MAIL FROM:<a@b>", "250"), t.ask("STARTTLS", "503 5.5.1")
	    t.ask("RCPT TO:<a@b>", "250"), t.ask("STARTTLS", "503 5.5.1"), t.ask("RSET", "250")
	    p.starttls()
	    t = p.talk
	    t.ask("STARTTLS", "503 5.5.1")
	    t.ask("MAIL FROM:<a@b>", "503 5.5.1 Send")
	    assert b"STARTTLS" not in t.ask("EHLO me", "250")
	    t.ask("STARTTLS", "503 5.5.1")
	    t.ask("QUIT", "221"), t.eof(), p.ended()
	    # After AUTH, and not offered any more.
	    p, t = begin("-a", "true", "--auth-plaintext", "true")
	    assert b"STARTTLS" in t.ask("EHLO me", "250")
	    t.ask("AUTH PLAIN " + plain("a", "b"), "235")
	    t.ask("STARTTLS", "503 5.5.1")
	    assert b"STARTTLS" not in t.ask("EHLO me", "250")
	    t.ask("QUIT", "221"), p.ended()
	    # Hidden, and there.
	    p, t = begin("--hide", "STARTTLS", "true")
	    assert b"STARTTLS" not in t.ask("EHLO me", "250")
	    p.starttls()
	    p.talk.ask("QUIT", "221"), p.ended()
	    # HELO will do.
	    p, t = begin("true")
	    t.ask("HELO me", "250"), p.starttls(), p.talk.ask("HELO me", "250"), p.talk.ask("QUIT", "221"), p.ended()
	    p, t = begin("--require-tls", "-a", "true", "--max-errors", "0", "-H", os.environ["STAGE"] + "/ping", "true") \
	        if hook(os.environ["STAGE"] + "/ping", "PING", "echo 250 2.0.0 pong\n") else None
	    for line, code in (("MAIL FROM:<a@b>", "530 5.7.0"), ("EHLO me", "250"), ("HELO me", "250"), ("NOOP", "250"),
	                       ("RSET", "250"), ("MAIL FROM:<a@b>", "530 5.7.0"), ("RCPT TO:<a@b>", "530 5.7.0"),
	                       ("DATA", "530 5.7.0"), ("VRFY a", "530 5.7.0"), ("EXPN a", "530 5.7.0"),
	                       ("HELP", "530 5.7.0"), ("AUTH PLAIN", "530 5.7.0"), ("PING", "530 5.7.0"),
	                       ("FOO", "500 5.5.2"), ("XCLIENT NAME=x", "5")):
	        t.ask(line, code)
	    p.starttls()
	    t = p.talk
	    for line, code in (("EHLO me", "250"), ("AUTH PLAIN " + plain("a", "b"), "235"), ("PING", "250 2.0.0 pong"),
	                       ("MAIL FROM:<a@b>", "250"), ("RCPT TO:<a@b>", "250"), ("QUIT", "221")):
	        t.ask(line, code)
	    p.ended()
	    p, t = begin("--require-tls", "true")
	    t.ask("QUIT", "221"), p.ended()
	    # LMTP begins with LHLO.
	    p, t = begin("--require-tls", "-L", "true")
	    assert b"STARTTLS" in t.ask("LHLO me", "250")
	    t.ask("MAIL FROM:<a@b>", "530 5.7.0"), p.starttls()
	    t = p.talk
	    t.ask("LHLO me", "250"), t.ask("MAIL FROM:<a@b>", "250"), t.ask("QUIT", "221"), p.ended()
	PY
}

@test "injection: plain text behind STARTTLS is never a command, nor what came before it" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent, TlsTalk
	from talk import Unexpected
	import time
	SMTPD, wrong = os.environ["SMTPD"], []
	evil = b"EHLO evil\r\nMAIL FROM:<e@x>\r\nRCPT TO:<f@y>\r\n"
	def injected(kind, more, first, later=(), before=()):
	    p = Parent([SMTPD, "-n", *more, "-a", "true", "--auth-plaintext", "-A", "true"], os.environ["PEM"], kind)
	    t = p.talk
	    t.expect("220"), t.ask("EHLO me", "250")
	    for line in before:
	        t.ask(line, "250")
	    t.send(b"STARTTLS\r\n" + first)
	    for piece in later:
	        time.sleep(0.01)
	        t.send(piece)
	    try:
	        found = t.reply()
	        assert found.startswith(b"220"), found
	        t = TlsTalk(t)
	        assert kind == "wrapper", "a handshake in spite of it"
	        for line in ("RCPT TO:<a@b>", "MAIL FROM:<a@b>", "DATA", "AUTH PLAIN"):
	            t.ask(line, "503 5.5.1 Send")
	        t.ask("EHLO me", "250")
	        t.ask("RCPT TO:<a@b>", "503 5.5.1"), t.ask("QUIT", "221")
	    except OSError as error:
	        # To a TLS library what comes late is no TLS.
	        assert later or kind == "ucspi", error
	    p.ended()
	# UCSPI-TLS: smtpd has read some of it, or the other has the rest.
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    for first, later in ((evil, ()), (b"RSET\r\n" * 2000 + evil, ()), (b"", (evil,)), (b"E", (evil[1:],)),
	                         (b"EHLO evil\r\n", (b"MAIL FROM:<e@x>\r\n",)), (b"MAIL", (b" FROM:<e@x>\r\n",))):
	        if kind == "ucspi" and not first.startswith(b"RSET") and not later:
	            continue
	        try:
	            injected(kind, more, first, later)
	        except (Unexpected, AssertionError) as error:
	            wrong.append((kind, first[:20], later, error))
	# All of it was read with STARTTLS: then TLS is good, and it is gone.
	p = Parent([SMTPD, "-n", "-A", "true"], os.environ["PEM"])
	p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	p.talk.send(b"STARTTLS\r\n" + evil), p.talk.expect("220")
	p.talk = TlsTalk(p.talk)
	p.talk.ask("RCPT TO:<a@b>", "503 5.5.1 Send"), p.talk.ask("EHLO me", "250")
	p.talk.ask("RCPT TO:<a@b>", "503 5.5.1 Need"), p.talk.ask("QUIT", "221"), p.ended()
	# A partial line, or the skipped rest of a long one, goes too.
	for rest in (b"MAIL FROM:<e@", b"x" * 3000, b"NOOP\nMAIL"):
	    p = Parent([SMTPD, "-n", "-A", "true"], os.environ["PEM"])
	    p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	    p.talk.send(b"STARTTLS\r\n" + rest), p.talk.expect("220")
	    p.talk = TlsTalk(p.talk)
	    p.talk.ask("EHLO me", "250"), p.talk.ask("QUIT", "221"), p.ended()
	show(wrong)
	PY
}

@test "after UCSPI-TLS descriptors 0 and 1 are never used again" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	def calls(*options, end, begins="DATA"):
	    path = os.environ["STAGE"] + "/strace"
	    p = Parent(["strace", "-f", "-e", "trace=read,write,recvfrom,sendto,shutdown", "-o", path,
	                os.environ["SMTPD"], "-n", "-q", "-A", *options, "cat"], os.environ["PEM"],
	               env=dict(os.environ, ASAN_OPTIONS="detect_leaks=0"))
	    p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	    p.starttls()
	    p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<c@d>", "250")
	    if begins == "DATA":
	        p.talk.ask("DATA", "354")
	    else:
	        p.talk.line(begins)
	    p.talk.send(b"half of a mess")
	    end(p)
	    p.ended()
	    with open(path) as file:
	        calls = file.read()
	    begun = calls[calls.index('"220 2.0.0'):].split("\n", 1)[1]
	    assert "half of a mess" in begun and "evil" not in calls
	    assert not re.search(r" (read|recvfrom|shutdown)\([01],|write\([01],", begun), begun
	# The parent's TLS ends, and the client goes on in plain text on the same
	# connection, as of CVE-2026-45185: nobody reads it.
	def half(p):
	    plainly = p.talk.half()
	    try:
	        plainly.sendall(b"age\r\n.\r\nMAIL FROM:<evil@x>\r\n" + b"evil" * 25)
	    except OSError:
	        pass
	calls(end=half)
	calls(end=half, begins="BDAT 100 LAST")
	# smtpd ends it, with a client that may still be sending.
	calls("-t", "1", end=lambda p: p.talk.expect("421"))
	PY
}

@test "end of file on the TLS descriptor ends the session: no message, exit 0" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	mail = os.environ["MAIL"]
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    for last in (b"", b"MAIL FR", b"DATA", b"DATA\r\nx\r\n", b"DATA\r\nx\r\n.", b"DATA\r\nx\r\n.\r",
	                 # CVE-2026-45185, CVE-2020-28018
	                 b"BDAT 100 LAST\r\n" + b"x" * 20, b"BDAT 10\r\n" + b"x" * 10, b"NOOP\r\n" * 3000 + b"NO"):
	        p = Parent([os.environ["SMTPD"], "-n", "-q", *more, "-A", os.environ["RECORD"], mail], os.environ["PEM"], kind)
	        p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	        p.starttls()
	        p.talk.ask("EHLO me", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<c@d>", "250")
	        p.talk.send(last)
	        p.talk.half()
	        p.ended()
	assert not os.listdir(mail), os.listdir(mail)
	PY
}

@test "parents that fail: the session ends, nothing more is said, exit 0" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent, TlsTalk
	import signal, time
	def begin(kind, mode, *options):
	    more = ["--tlswrapper"] if kind == "wrapper" else []
	    p = Parent([os.environ["SMTPD"], "-n", "-d", *more, *options, "true"], os.environ["PEM"], kind, mode,
	               stderr=open(os.environ["STAGE"] + "/errors", "w"))
	    p.talk.expect("220"), p.talk.ask("EHLO me", "250"), p.talk.ask("STARTTLS", "220")
	    return p
	def ended(p):
	    assert p.talk.eof() == b"", p.talk.seen
	    p.ended()
	    with open(os.environ["STAGE"] + "/errors") as file:
	        log = file.read()
	    assert "event=end reason=tls" in log or "reason=stop" in log, log
	for kind, mode in (("ucspi", "close"), ("ucspi", "half"), ("wrapper", "close"), ("wrapper", "bad")):
	    p = begin(kind, mode)
	    if mode == "half":
	        p.talk = TlsTalk(p.talk)
	    since = time.monotonic()
	    p.ended()
	    assert time.monotonic() - since < 3, (kind, mode)
	# A handshake that fails.
	p = begin("ucspi", "")
	p.talk.line("EHLO in plain text")
	p.ended()
	p = begin("ucspi", "flood")
	p.talk = TlsTalk(p.talk)
	p.ended()
	# No variables at all are good.
	p = begin("ucspi", "none")
	p.talk = TlsTalk(p.talk)
	p.talk.ask("EHLO me", "250"), p.talk.ask("QUIT", "221"), p.ended()
	# The word about it ends, and nothing else does.
	p = begin("ucspi", "mute")
	assert p.process.wait(10) == 0
	p.end()
	# Nothing happens: --timeout; a signal.
	for kind in ("ucspi", "wrapper"):
	    since = time.monotonic()
	    p = begin(kind, "silent", "-t", "1")
	    p.ended()
	    assert 0.5 < time.monotonic() - since < 5
	    p = begin(kind, "silent")
	    since = time.monotonic()
	    time.sleep(0.2)
	    p.process.send_signal(signal.SIGTERM)
	    p.ended()
	    assert time.monotonic() - since < 5
	PY
}

@test "the older tlswrapper: plain text that comes late is thrown away, or ends it" {
	py <<-'PY'
	import array, fcntl, os, select, subprocess, termios, time
	def begin():
	    global process, tell, said, control
	    theirs, tell = os.pipe()
	    said, out = os.pipe()
	    control, five = os.pipe()
	    high = os.dup2(five, 100, True)
	    process = subprocess.Popen(
	        [os.environ["SMTPD"], "-n", "-q", "-A", "--tlswrapper", "true"], stdin=theirs, stdout=out,
	        close_fds=False, preexec_fn=lambda: os.dup2(high, 5))
	    for fd in theirs, out, five, high:
	        os.close(fd)
	    os.write(tell, b"EHLO me\r\n")
	    while b"250 HELP" not in os.read(said, 4096):
	        pass
	    os.write(tell, b"STARTTLS\r\n")
	    select.select([control], [], [], 10)
	def unread(fd):
	    count = array.array("i", [0])
	    fcntl.ioctl(fd, termios.FIONREAD, count)
	    return count[0]
	def end():
	    for fd in tell, said, control:
	        os.close(fd)
	    assert process.wait(10) == 0
	# While what is to be said to the client has not been read, that cannot have
	# begun, and all that comes is plain.
	begin()
	assert unread(control) == len(b"220 2.0.0 Ready to start TLS\r\n")
	for i in range(10):
	    os.write(tell, b"EHLO evil\r\nMAIL FROM:<evil@example.net>\r\n")
	    time.sleep(0.02)
	assert os.read(control, 100).startswith(b"220 2.0.0") and os.read(control, 1) == b""
	time.sleep(0.1)
	os.write(tell, b"RCPT TO:<c@d>\r\n")
	assert os.read(said, 4096).startswith(b"503 5.5.1 Send"), "told apart"
	end()
	# What comes before a handshake can be over is plain, too.
	begin()
	os.read(control, 100), os.read(control, 1)
	os.write(tell, b"EHLO evil\r\n")
	assert os.read(said, 4096) == b""
	end()
	PY
}

@test "time-outs after STARTTLS: --timeout, --session-timeout, SIGTERM, told in TLS" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	import signal
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    for options, code in ((["-t", "1"], "421 4.4.2 Timed"), (["--session-timeout", "2"], "421 4.4.2 Session"),
	                          ([], "421 4.3.2")):
	        p = Parent([os.environ["SMTPD"], "-n", "-q", *more, *options, "true"], os.environ["PEM"], kind)
	        p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	        p.starttls()
	        p.talk.ask("EHLO me", "250")
	        if not options:
	            p.process.send_signal(signal.SIGTERM)
	        p.talk.expect(code)
	        assert p.talk.eof() == b""
	        p.ended()
	PY
}

@test "a client that never reads does not hold a session in TLS" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	import contextlib, socket, subprocess, threading
	parents = []
	def flood(talk):
	    with contextlib.suppress(OSError):
	        talk.send(b"HELP\r\n" * 400000)
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    p = Parent([os.environ["SMTPD"], "-n", *more, "-t", "1", "true"], os.environ["PEM"], kind,
	               stderr=subprocess.PIPE)
	    p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	    p.talk.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	    p.starttls()
	    parents.append(p)
	    # More replies than there is room for on the way.
	    threading.Thread(target=flood, args=(p.talk,), daemon=True).start()
	for p in parents:
	    assert p.process.wait(15) == 0
	    assert b"reason=timeout" in p.process.stderr.read()
	    p.talk.sock.close()
	PY
}

@test "the descriptors of TLS are the agent's: no hook, command or dialogue has them" {
	need_root
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	from talk import children
	hooks, out = os.path.join(STAGE, "fdhooks"), os.path.join(STAGE, "fds")
	os.makedirs(out), os.chmod(out, 0o777)
	for name in ("CONNECT", "EHLO", "STARTTLS", "AUTH", "MAIL"):
	    hook(hooks, name, f"ls /proc/self/fd >{out}/{name}.$$\n")
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    p = Parent([os.environ["SMTPD"], "-n", "-q", *more, "-H", hooks, "-A", "-a", f"ls /proc/self/fd >{out}/checker",
	                "sh", "-c", f"ls /proc/self/fd >{out}/command"], os.environ["PEM"], kind)
	    p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	    (dialogue,) = until(lambda: children(p.process.pid))
	    theirs = {name: os.readlink(f"/proc/{p.process.pid}/fd/{name}") for name in os.listdir(f"/proc/{p.process.pid}/fd")}
	    mine = {os.readlink(f"/proc/{dialogue}/fd/{name}") for name in os.listdir(f"/proc/{dialogue}/fd")}
	    control = theirs["5"] if kind == "wrapper" else os.readlink(f"/proc/{p.process.pid}/fd/" +
	        [n for n, t in theirs.items() if t.startswith("socket:") and int(n) > 2 and t not in mine][0])
	    assert control not in mine, (theirs, mine)
	    if kind == "wrapper":
	        assert theirs["6"] not in mine, (theirs, mine)
	    p.starttls()
	    p.talk.ask("EHLO me", "250"), p.talk.ask("AUTH PLAIN " + plain("a", "b"), "235")
	    p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<a@b>", "250"), p.talk.ask("DATA", "354")
	    p.talk.data(b"x\n"), p.talk.expect("250"), p.talk.ask("QUIT", "221")
	    p.ended()
	    found = {name: left(out, name) for name in os.listdir(out)}
	    assert len(found) == 8, found
	    for name, octets in found.items():
	        assert octets.split() == b"0 1 2 3".split() or \
	            (name == "checker" and octets.split() == b"0 1 2 3 4".split()), (kind, name, octets)
	PY
}

### Hooks

@test "the hook STARTTLS: what it refuses has not happened, its 2xx goes on" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	hooks = os.path.join(STAGE, "tlshook")
	for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
	    for text, code in (("exit 0\n", None), ("echo 220 2.0.0 mine\n", None), ("echo 250 fine\n", None),
	                       ("echo 454 4.7.0 No\n", "454 4.7.0 No"), ("exit 77\n", "550 5.7.1"), ("exit 75\n", "451 4.3.0"),
	                       ("echo 354 x\n", "451 4.3.0"), ("kill -SEGV $$\n", "451 4.3.0"), ("", "451 4.3.5"),
	                       ("echo 421 4.7.0 Go\n", "421 4.7.0 Go")):
	        path = hook(hooks, "STARTTLS", text)
	        if not text:
	            os.chmod(path, 0o644)
	        p = Parent([os.environ["SMTPD"], "-n", "-q", *more, "-H", hooks, "true"], os.environ["PEM"], kind,
	                   stderr=open(os.devnull, "w"))
	        p.talk.expect("220"), p.talk.ask("EHLO me", "250")
	        if code:
	            p.talk.ask("STARTTLS", code)
	            if code.startswith("421"):
	                assert p.talk.eof() == b""
	                p.ended()
	                continue
	            # Nothing has changed; asked again, asked again.
	            p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RSET", "250"), p.talk.ask("STARTTLS", code)
	        else:
	            p.talk.line("STARTTLS")
	            assert p.talk.reply() == b"220 2.0.0 Ready to start TLS\r\n"
	            from ucspitls import TlsTalk
	            p.talk = TlsTalk(p.talk)
	            p.talk.ask("EHLO me", "250")
	        p.talk.ask("QUIT", "221"), p.ended()
	PY
}

@test "after STARTTLS only the X_ variables of CONNECT are left" {
	py <<-'PY'
	from auth import *
	from ucspitls import Parent
	hooks = os.path.join(STAGE, "xhooks")
	for name in ("CONNECT", "EHLO", "NOOP", "STARTTLS"):
	    hook(hooks, name, f"[ $SMTP_VERB = EHLO ] && [ \"$SMTP_TLS\" ] && exit 0; echo X_{name}=1\n")
	p = Parent([os.environ["SMTPD"], "-n", "-q", "-H", hooks, "-A", "sh", "-c",
	            'cat >/dev/null; echo "250 2.0.0 $X_CONNECT/$X_EHLO/$X_NOOP/$X_STARTTLS/$SMTP_HELO"'], os.environ["PEM"])
	p.talk.expect("220"), p.talk.ask("EHLO evil", "250"), p.talk.ask("NOOP", "250")
	p.starttls()
	p.talk.ask("EHLO good", "250"), p.talk.ask("MAIL FROM:<a@b>", "250"), p.talk.ask("RCPT TO:<a@b>", "250")
	p.talk.ask("DATA", "354"), p.talk.data(b"x\n")
	p.talk.expect("250 2.0.0 1////good"), p.talk.ask("QUIT", "221"), p.ended()
	PY
}
