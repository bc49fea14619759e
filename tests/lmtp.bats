#!/usr/bin/env bats
# shellcheck shell=bats
# LMTP (RFC 2033): smtpd -L, what each recipient is told, real clients.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154

load lib

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$STAGE"
	mkdir -m 755 "$STAGE/cases"
	CASES=$STAGE/cases
	export CASES
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

# lmtp: as py, with what the programs below share.
lmtp() {
	{
		cat <<-'PY'
			import time
			from session import STAGE, Session, Unexpected, log_lines, show

			def begin(*options, command=("sh", "-c", f". {STAGE}/cases/say"), **more):
			    return Session("-A", "-L", *options, *command, hello="LHLO me.example.org", **more)

			def act(status, output):
			    "What the command does at the next messages."
			    with open(f"{STAGE}/cases/output", "wb") as file:
			        file.write(output)
			    with open(f"{STAGE}/cases/say", "w", encoding="ascii") as file:
			        file.write(f"cat >/dev/null\ncat $CASES/output\nexit {status}\n")

			def names(count):
			    return [f"{n}@example.net" for n in range(count)]

			def replies(smtp, count, octets=b"Subject: x\n"):
			    smtp.offer(*names(count))
			    smtp.talk.data(octets)
			    return [smtp.talk.reply() for _ in range(count)]
		PY
		cat
	} | py
}

@test "one reply for all, or one for each in order; anything else by section 4" {
	lmtp <<-'PY'
		OK, LATER = b"250 2.0.0 OK\r\n", b"451 4.3.0 "
		three = b"250 2.1.5 a\n550 5.1.1 b\n450-4.2.0 c\n450 4.2.0 d\n"
		parts = [b"250 2.1.5 a\r\n", b"550 5.1.1 b\r\n", b"450-4.2.0 c\r\n450 4.2.0 d\r\n"]
		long = b"250-" + b"x" * 506 + b"\n"
		full = long * 8 + b"250 " + b"y" * (4096 - 8 * len(long) - 5) + b"\n"
		assert len(full) == 4096
		cases = [
		    (0, b"", [OK] * 3), (99, b"", [OK] * 3), (0, b"stored\n", [OK] * 3),
		    (67, b"", [b"550 5.1.1 "] * 3), (67, b"who?\nwho?\nwho?\n", [b"550 5.1.1 who?\r\n"] * 3),
		    (75, b"", [LATER] * 3), (1, b"", [LATER] * 3), (64, b"", [b"451 4.3.5 "] * 3),
		    (0, b"250 2.1.5 a\n", [b"250 2.1.5 a\r\n"] * 3),
		    (0, b"550 5.7.1 a\n", [b"550 5.7.1 a\r\n"] * 3),
		    (0, three, parts), (0, three.replace(b"\n", b"\r\n"), parts), (99, three[:-1], parts),
		    # Another number.
		    (0, three + b"250 2.1.5 e\n", [LATER] * 3), (0, b"250 a\n250 b\n", [LATER] * 3),
		    (67, b"550 5.1.1 a\n550 5.1.1 b\n", [LATER] * 3),
		    # More than the status.
		    (67, three, [LATER] * 3), (75, three, [LATER] * 3), (67, b"250 2.0.0 a\n", [LATER] * 3),
		    (75, b"450 a\n550 b\n450 c\n", [LATER] * 3),
		    (67, b"550 5.1.1 a\n550 5.1.2 b\n450 4.1.1 c\n",
		     [b"550 5.1.1 a\r\n", b"550 5.1.2 b\r\n", b"450 4.1.1 c\r\n"]),
		    # No replies at all: one of them is none.
		    (0, b"250 a\nb\n250 c\n", [OK] * 3), (0, b"250 a\n350 b\n250 c\n", [OK] * 3),
		    (0, b"250 a\n250 b\n250-c\n", [OK] * 3), (68, b"250 a\n\n250 c\n", [b"550 5.1.2 250 a\r\n"] * 3),
		    (0, b"250 a\n250 b\n250 5.0.0 c\n", [OK] * 3),
		    # 4 KiB each, and an octet more.
		    (0, full * 3, [full.replace(b"\n", b"\r\n")] * 3),
		    (0, full * 2 + full[:-1] + b"y\n", [OK] * 3), (0, full * 3 + b"\n", [OK] * 3),
		    (0, full * 3 + full, [OK] * 3), (0, b"x" * 100000, [OK] * 3),
		]
		wrong = []
		smtp = begin("-q")
		for status, output, wanted in cases:
		    act(status, output)
		    got = replies(smtp, 3)
		    if not all(g == w if w.endswith(b"\n") else g.startswith(w) for g, w in zip(got, wanted)):
		        wrong.append((status, output[:60], [g[:60] for g in got]))
		# One recipient is as in SMTP, but for two replies.
		for output, wanted in ((b"250 2.1.5 a\n", b"250 2.1.5 a\r\n"), (b"250 a\n250 b\n", LATER),
		                       (b"", OK)):
		    act(0, output)
		    got, = replies(smtp, 1)
		    if not got.startswith(wanted):
		        wrong.append((output, got))
		smtp.quit()
		show(wrong)
	PY
}

@test "killed, timed out, not run: 451 for each, whatever was printed" {
	lmtp <<-'PY'
		for command, wanted in ((("sh", "-c", "printf '250 a\n250 b\n'; kill -9 $$"), b"451 4.3.0 "),
		                        (("sh", "-c", "printf '250 a\n250 b\n'; sleep 60"), b"451 4.3.0 "),
		                        (("no-such-command",), b"451 4.3.5 ")):
		    smtp = begin("--command-timeout", "1", command=command)
		    got = replies(smtp, 2)
		    assert all(g.startswith(wanted) for g in got), got
		    smtp.quit()
	PY
}

@test "smtpd's own refusals are said to each, behind DATA and BDAT; DATA for none is 503" {
	lmtp <<-'PY'
		smtp = begin("-s", "100", "--max-hops", "0", "-q", command=("true",))
		for octets, wanted in ((b"x" * 101 + b"\r\n", b"552 5.3.4 "), (b"a\nb\r\n", b"550 5.6.0 "),
		                       (b"Received: x\r\n", b"554 5.4.6 ")):
		    for last in (octets + b".\r\n", None):
		        smtp.talk.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n")
		        for _ in range(4):
		            smtp.talk.expect("250")
		        if last:
		            smtp.talk.ask("DATA", "354")
		            smtp.talk.send(last)
		        else:
		            smtp.talk.send(b"BDAT 0\r\nBDAT %d LAST\r\n" % len(octets) + octets)
		            smtp.talk.expect("250 2.0.0 Chunk OK")
		        for _ in range(3):
		            reply = smtp.talk.reply()
		            assert reply.startswith(wanted), (wanted, reply)
		        # And not once more.
		        smtp.talk.ask("NOOP", "250 2.0.0 OK")
		for line, code in (("MAIL FROM:<a@b>", "250"), ("RCPT TO:<bad", "501"), ("DATA", "503 5.5.1"),
		                   ("BDAT 0 LAST", "503 5.5.1"), ("NOOP", "250")):
		    smtp.talk.ask(line, code)
		smtp.quit()
	PY
}

@test "thousands of recipients, a reply each, to a client that is slow to read" {
	lmtp <<-'PY'
		count = 3000
		smtp = begin("-q", "-s", "1000", "--max-recipients", str(count))
		act(0, b"".join(b"250-2.1.5 %d %b\n250 2.1.5 %d\n" % (n, b"x" * 480, n) for n in range(count)))
		for octets in (b"x\n", b"y" * 1001 + b"\n"):
		    smtp.offer(*names(count))
		    smtp.talk.data(octets)
		    smtp.talk.send(b"NOOP\r\n")
		    time.sleep(0.3)  # it is stuck, and so is not in a hurry
		    for n in range(count):
		        reply = smtp.talk.reply()
		        assert reply.startswith(b"250-2.1.5 %d x" % n if octets[0] == 120 else b"552 5.3.4 "), reply
		    smtp.talk.expect("250 2.0.0 OK")
		smtp.quit()
	PY
}

@test "the same with --debug: every reply is logged" {
	lmtp <<-'PY'
		smtp = begin("-d")
		act(0, b"".join(b"250 2.1.5 %d %b\n" % (n, b"x" * 400) for n in range(100)))
		got = replies(smtp, 100)
		log = [line["line"] for line in log_lines(smtp.quit())
		       if isinstance(line, dict) and line.get("event") == "server"]
		said = [line[:20] for line in log if line.startswith("250 2.1.5 ") and "xxx" in line]
		assert said == [reply[:20].decode() for reply in got], said
	PY
}

@test "421 ends the session: nothing is said behind it" {
	lmtp <<-'PY'
		for output, before in ((b"421 4.3.2 Gone\n", 0), (b"250 a\n421 4.3.2 Gone\n250 c\n", 1)):
		    smtp = begin("-q")
		    act(0, output)
		    smtp.offer(*names(3))
		    smtp.talk.data(b"x\n")
		    for _ in range(before):
		        smtp.talk.expect("250 a")
		    smtp.talk.expect("421 4.3.2 Gone")
		    assert smtp.talk.eof() == b""
		    smtp.ended()
	PY
}

@test "told to stop while the command runs: each has its verdict, then 421" {
	lmtp <<-'PY'
		command = ("sh", "-c", f"cat >/dev/null; kill -TERM $PPID; "
		           "for r in $RECIPIENTS; do echo 250 2.1.5 $r; done")
		smtp = begin("-q", command=command)
		smtp.offer(*names(500))
		smtp.talk.send(b"x\r\n.\r\n" + b"NOOP\r\n" * 20)  # which is not done any more
		for name in names(500):
		    smtp.talk.expect(f"250 2.1.5 {name}")
		smtp.talk.expect("421 4.3.2")
		assert smtp.talk.eof() == b""
		smtp.ended()
	PY
}

@test "what the command and the log are told" {
	lmtp <<-'PY'
		out = f"{STAGE}/mail/out"
		smtp = begin("-u", "--hostname", "mx.example.net",
		             command=("sh", "-c", f'{{ echo "$SMTP_PROTOCOL"; cat; }} >{out}; '
		                      "printf '250 a\n550 5.1.1 b\n250 c\n'"))
		for rest, protocol in (("", b"LMTP"), (" SMTPUTF8", b"UTF8LMTP")):
		    smtp.offer(*names(3), rest=rest)
		    smtp.talk.data(b"x\n")
		    for code in ("250 a", "550 5.1.1 b", "250 c"):
		        smtp.talk.expect(code)
		    with open(out, "rb") as file:
		        first, rest = file.read().split(b"\n", 1)
		    assert first == protocol, first
		    assert b"by mx.example.net with %b id " % protocol in rest, rest
		lines = [line for line in log_lines(smtp.quit()) 
		         if isinstance(line, dict) and line["event"] == "message"]
		assert [(line["count"], line["reply"]) for line in lines] == [("3", "550 5.1.1 b")] * 2, lines
	PY
}

@test "a hook that refuses the last chunk is heard by each, any other chunk and DATA by all" {
	mkdir -p "$STAGE/refusing"
	# shellcheck disable=SC2016 # sh expands it
	printf '#!/bin/sh\necho "450 4.7.1 $SMTP_VERB not now"\n' >"$STAGE/refusing/DATA"
	chmod 755 "$STAGE/refusing/DATA"
	lmtp <<-'PY'
		smtp = begin("-q", "-d", "-H", f"{STAGE}/refusing", "--max-errors", "6", command=("true",))
		envelope = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n"
		for command, count in ((b"BDAT 6 LAST\r\nQUIT\r\n", 3), (b"BDAT 0 LAST\r\n", 3),
		                       (b"BDAT 6\r\nQUIT\r\n", 1)):
		    smtp.talk.send(envelope + command + b"NOOP\r\n")
		    for _ in range(4):
		        smtp.talk.expect("250 2.1.")
		    for _ in range(count):
		        smtp.talk.expect("450 4.7.1 BDAT not now")
		    smtp.talk.expect("250 2.0.0")
		# One that is not there yet is not answered, nor behind it.
		smtp.talk.send(envelope + b"BDAT 6 LAST\r\nQUIT")
		for _ in range(4):
		    smtp.talk.expect("250 2.1.")
		smtp.talk.timeout = 0.2
		try:
		    raise SystemExit(f"too early: {smtp.talk.reply()}")
		except Unexpected:
		    pass
		smtp.talk.timeout = 10
		smtp.talk.send(b"\r\nBDAT 6 LAST\r\nQUIT\r\n" + envelope + b"DATA\r\nNOOP\r\n")
		# What was said to each was one error.
		for code in ["450 4.7.1 BDAT"] * 3 + ["503 5.5.1"] + ["250 2.1."] * 4 + \
		        ["450 4.7.1 DATA", "421 4.7.0"]:
		    smtp.talk.expect(code)
		smtp.ended()
		smtp = begin("-q", "-H", f"{STAGE}/refusing", command=("true",))
		smtp.talk.send(envelope + b"DATA\r\nNOOP\r\n")
		for code in ["250 2.1."] * 4 + ["450 4.7.1 DATA not now", "250 2.0.0"]:
		    smtp.talk.expect(code)
		smtp.quit()
	PY
}

@test "the names of all protocols, in the environment and in Received:" {
	lmtp <<-'PY'
		from itertools import product
		import base64
		out = f"{STAGE}/mail/out"
		command = ("sh", "-c", f'{{ echo "$SMTP_PROTOCOL"; cat; }} >{out}')
		login = "AUTH PLAIN " + base64.b64encode(b"\0u\0p").decode()
		wrong = []
		for lmtp, tls, auth in product((False, True), repeat=3):
		    options = ["-u", "-a", "true", "--auth-plaintext"] + ["-L"] * lmtp + ["--tls"] * tls
		    smtp = Session("-A", "-q", *options, *command, hello="LHLO me" if lmtp else "EHLO me")
		    if auth:
		        smtp.talk.ask(login, "235")
		    for utf8 in (False, True):
		        reply = smtp.message(b"x\n", rest=" SMTPUTF8" if utf8 else "")
		        name = ("UTF8" if utf8 else "" if lmtp else "E") + ("LMTP" if lmtp else "SMTP") \
		            + "S" * tls + "A" * auth
		        with open(out, "rb") as file:
		            first, rest = file.read().split(b"\n", 1)
		        if first != name.encode() or b" with %b id " % first not in rest.replace(b"\n\t", b" "):
		            wrong.append((name, reply, first, rest))
		    smtp.quit()
		show(wrong)
	PY
}

@test "--single, --max-recipients, --max-messages and --max-errors in LMTP" {
	lmtp <<-'PY'
		smtp = begin("-q", "-1", "--max-messages", "2", "--max-errors", "3", command=("true",))
		smtp.talk.ask("LHLO again", "250")
		for _ in range(2):
		    smtp.talk.ask("FOO", "500")
		    smtp.talk.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n" + b"RCPT TO:<c@d>\r\n" * 5 + b"DATA\r\n")
		    for code in ["250 2.1.0", "250 2.1.5"] + ["452 4.5.3"] * 5 + ["354"]:
		        smtp.talk.expect(code)
		    smtp.talk.send(b"x\r\n.\r\nNOOP\r\n")
		    smtp.talk.expect("250 2.0.0 OK")
		    smtp.talk.expect("250 2.0.0 OK")
		smtp.talk.ask("MAIL FROM:<a@b>", "421 4.7.0")
		smtp.ended()
		# A refusal for each is a verdict: none of them is an error, and one that
		# is accepted sets the count to 0.
		smtp = begin("-q", "--max-errors", "3", "--max-recipients", "3")
		for output, codes in ((b"550 5.1.1 a\n550 5.1.1 b\n550 5.1.1 c\n", ["550"] * 3),
		                      (b"550 5.1.1 a\n250 b\n550 5.1.1 c\n", ["550", "250", "550"])):
		    act(0, output)
		    smtp.talk.ask("FOO", "500")
		    assert [reply[:3].decode() for reply in replies(smtp, 3)] == codes
		    if codes[1] == "550":
		        smtp.talk.ask("NOOP", "250")
		for line, code in (("FOO", "500"), ("FOO", "500"), ("NOOP", "250"), ("FOO", "500"), ("NOOP", "421 4.7.0")):
		    smtp.talk.ask(line, code)
		smtp.ended()
	PY
}

@test "a client that stops in the data is told 421 once, however many recipients" {
	lmtp <<-'PY'
		sessions = []
		for begun in (b"DATA\r\nx\r\n", b"BDAT 10 LAST\r\nx\r\n", b"BDAT 3\r\nx\r\n"):
		    smtp = begin("-q", "-t", "1", command=("true",))
		    smtp.talk.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\n" + begun)
		    sessions.append(smtp)
		for smtp, said in zip(sessions, (["354"], [], ["250 2.0.0 Chunk OK"])):
		    for code in ["250 2.1."] * 3 + said + ["421 4.4.2"]:
		        smtp.talk.expect(code)
		    assert smtp.talk.eof() == b""
		    smtp.ended()
	PY
}

@test "Python's smtplib.LMTP" {
	serve -L --no-received "$RECORD" "$MAIL"
	py "$port" <<-'PY'
		import smtplib, sys
		client = smtplib.LMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example", timeout=20)
		# One recipient each: it reads one reply for all (cpython#76984).
		for n in range(2):
		    assert client.sendmail("a@example.org", "b@example.net", b"Subject: x\r\n\r\n.\r\n") == {}
		client.quit()
	PY
	[ "$(messages)" -eq 2 ]
	grep -qzx 'SMTP_PROTOCOL=LMTP' "$MAIL"/*/env
	stop "$pid"
}

@test "swaks --protocol LMTP, over a Unix socket, and what it says of a refusal" {
	serve_at "unix:$STAGE/mail/lmtp.sock" -L --no-received "$RECORD" "$MAIL"
	swaks --socket "$STAGE/mail/lmtp.sock" --protocol LMTP --from a@example.org \
		--to b@example.net --body hello
	rm "$STAGE/mail/lmtp.sock"
	[ "$(recorded RECIPIENT)" = b@example.net ]
	grep -qx hello "$(only)/message"
	run swaks --pipe "$SMTPD -q -n -L -A sh -c 'exit 67'" --protocol LMTP \
		--from a@example.org --to b@example.net
	[ "$status" -eq 26 ]
	[[ $output == *'<** 550 5.1.1 '* ]]
	stop "$pid"
}

@test "Postfix's smtp-source -L: three recipients each" {
	serve -L --no-received "$RECORD" "$MAIL"
	LD_LIBRARY_PATH=$BUILD/peers/postfix/usr/lib/postfix timeout 60 \
		"$BUILD/peers/postfix/usr/sbin/smtp-source" -L -d -s 4 -m 40 -r 3 -l 20000 \
		-f from@example.org -t to@example.net "127.0.0.1:$port"
	[ "$(messages)" -eq 40 ]
	stop "$pid"
}

@test "smtpd-relay --lmtp in front: each recipient's own reply comes through both" {
	# shellcheck disable=SC2016 # sh expands it
	serve -L -A sh -c 'cat >/dev/null; for r in $RECIPIENTS; do
		case $r in
		no*) echo "550 5.1.1 <$r> no" ;;
		later*) echo "450 4.2.0 <$r> later" ;;
		*) echo "250 2.1.5 <$r> yes" ;;
		esac
	done'
	local upstream=$pid upstream_port=$port
	serve -L -A "$STAGE/smtpd-relay" --lmtp "127.0.0.1:$upstream_port"
	talk -t 20 "127.0.0.1:$port" '<220' '>LHLO me' '<250' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<no@x>' '<250' '>RCPT TO:<yes@x>' '<250' '>RCPT TO:<later@x>' '<250' \
		'>DATA' '<354' '+Subject: x\r\n\r\n' '.' '<550 5.1.1' '<250 2.1.5' '<450 4.2.0' \
		'>QUIT' '<221'
	stop "$pid"
	# And to a client that speaks SMTP the worst of them.
	serve -A "$STAGE/smtpd-relay" --lmtp "127.0.0.1:$upstream_port"
	talk -t 20 "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<no@x>' '<250' '>RCPT TO:<yes@x>' '<250' '>RCPT TO:<later@x>' '<250' \
		'>DATA' '<354' '+Subject: x\r\n\r\n' '.' '<450 4.2.0' '>QUIT' '<221'
	stop "$pid"
	stop "$upstream"
}
