#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2059,SC2154
# Hooks and what extends SMTP: STARTTLS, AUTH, XCLIENT, LMTP. What a hook is
# told before and behind each; smtpd-hooks(7).

load lib

setup_file() {
	stage
	PEM=$STAGE/pem
	export PEM
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -subj /CN=localhost -keyout "$STAGE/key" \
		-out "$STAGE/cert" 2>/dev/null
	cat "$STAGE/key" "$STAGE/cert" >"$PEM"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
	HOOKS=$STAGE/hooks NOTES=$STAGE/notes
	export HOOKS NOTES
	rm -rf "$HOOKS" "$NOTES"
	mkdir -m 755 "$HOOKS"
	mkdir -m 1777 "$NOTES"
	said=$BATS_TEST_TMPDIR/said errors=$BATS_TEST_TMPDIR/log.errors
	options=(-A -q -L --hostname mx.example.net)
	hello=('<220' '>LHLO me.example.org' '<250')
	transaction=('>MAIL FROM:<ann@example.com>' '<250' \
		'>RCPT TO:<bob@example.org>' '<250')
}

teardown() {
	end_all
}

# hook NAME ...: standard input is a shell script that becomes these hooks.
hook() {
	local script name
	script=$(cat)
	for name; do
		printf '#!/bin/sh\n%s\n' "$script" >"$HOOKS/$name"
		chmod 755 "$HOOKS/$name"
	done
}

# ask STEP ...: talk.py's steps with a smtpd that has the hooks and the options.
ask() {
	if ! talk -t 20 pair "$@" -- "$SMTPD" "${options[@]}" -H "$HOOKS" \
		"$RECORD" "$MAIL" >"$said.crlf" 2>"$errors"; then
		cat "$said.crlf" "$errors" >&2
		return 1
	fi
	tr -d '\r' <"$said.crlf" >"$said"
}

# --- TLS, logins, other clients

@test "every hook, through TLS, a login and XCLIENT: verb, argument, environment" {
	hook CONNECT EHLO LHLO STARTTLS AUTH MAIL RCPT DATA NOOP RSET QUIT DISCONNECT <<-'END'
		echo "$SMTP_VERB|$SMTP_ARGUMENT|$SMTP_PROTOCOL|${SMTP_HELO-unset}|${SMTP_TLS-unset}|${SMTP_AUTH_USER-unset}|${SMTP_AUTH_MECHANISM-unset}|$TCPREMOTEIP" >>"$NOTES/notes"
	END
	hook AUTH-X <<-'END'
		echo "$SMTP_VERB-X|$SMTP_ARGUMENT|$SMTP_PROTOCOL|${SMTP_HELO-unset}|${SMTP_TLS-unset}|${SMTP_AUTH_USER-unset}|${SMTP_AUTH_MECHANISM-unset}|$TCPREMOTEIP" >>"$NOTES/notes"
		read -r a; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 in
	END
	py <<-'PY'
		import os, re
		from session import show
		from ucspitls import Parent
		notes = os.environ["NOTES"] + "/notes"
		wrong = []
		for kind, more in (("ucspi", []), ("wrapper", ["--tlswrapper"])):
		    p = Parent([os.environ["SMTPD"], "-n", "-q", "-A", *more, "--xclient", "127.0.0.1",
		                "-H", os.environ["HOOKS"], "true"], os.environ["PEM"], kind)
		    ask = p.talk.ask
		    p.talk.expect("220"), ask("EHLO one two", "250"), ask("NOOP", "250")
		    p.starttls()
		    ask = p.talk.ask
		    ask("NOOP x", "250"), ask("EHLO three", "250"), ask("AUTH x eA==", "235"), ask("AUTH X", "503")
		    ask("MAIL FROM:<a@b>", "250"), ask("RCPT TO:<c@d>", "250"), ask("DATA", "354"), p.talk.data(b"x\n")
		    p.talk.expect("250"), ask("XCLIENT ADDR=192.0.2.7", "220"), ask("NOOP", "250")
		    ask("XCLIENT ADDR=192.0.2.8 LOGIN=joe HELO=four PROTO=ESMTP", "220"), ask("RSET", "250"), ask("QUIT", "221")
		    p.ended()
		    tls = r"TLSv1\.[23] [A-Z0-9_-]+" if kind == "ucspi" else "1"
		    plain, before = "unset|unset|unset|127.0.0.1", "ESMTP|one|unset|unset|unset|127.0.0.1"
		    secure = "ESMTPS|three|TLS|unset|unset|127.0.0.1"
		    known = "ESMTPSA|three|TLS|ann|X|127.0.0.1"
		    joe = "ESMTPSA|four|TLS|joe|XCLIENT|192.0.2.8"
		    wanted = f"""CONNECT||SMTP|unset|{plain}
		EHLO|one two|{before}
		NOOP||{before}
		STARTTLS||{before}
		NOOP|x|SMTP|unset|TLS|unset|unset|127.0.0.1
		EHLO|three|{secure}
		AUTH-X|X|{secure}
		AUTH|X|{known}
		MAIL|FROM:<a@b>|{known}
		RCPT|TO:<c@d>|{known}
		DATA||{known}
		CONNECT||SMTP|unset|TLS|unset|unset|192.0.2.7
		NOOP||SMTP|unset|TLS|unset|unset|192.0.2.7
		CONNECT||{joe}
		RSET||{joe}
		QUIT||{joe}
		DISCONNECT||{joe}"""
		    with open(notes, encoding="utf-8") as file:
		        found = file.read().splitlines()
		    os.unlink(notes)
		    wanted = [re.escape(line.strip()).replace("TLS\\|", tls + "\\|") if "STARTTLS" not in line
		              else re.escape(line.strip()) for line in wanted.splitlines()]
		    if len(wanted) != len(found):
		        wrong.append((kind, found))
		    wrong += [(kind, w, f) for w, f in zip(wanted, found) if not re.fullmatch(w, f)]
		show(wrong)
	PY
}

@test "STARTTLS and AUTH: 2xx goes on with smtpd's own reply, what they print is not sent" {
	hook STARTTLS AUTH <<<'echo X_A=1; echo "250-2.0.0 not to be seen"; echo 250 2.0.0 nor this'
	py <<-'PY'
		import os
		from ucspitls import Parent, TlsTalk
		p = Parent([os.environ["SMTPD"], "-n", "-q", "-A", "-H", os.environ["HOOKS"], "-a", "cat <&3 >/dev/null", "true"],
		           os.environ["PEM"])
		p.talk.expect("220"), p.talk.ask("EHLO me", "250"), p.talk.line("STARTTLS")
		assert p.talk.reply() == b"220 2.0.0 Ready to start TLS\r\n"
		p.talk = TlsTalk(p.talk)
		p.talk.ask("EHLO me", "250"), p.talk.line("AUTH PLAIN AGFubgB4")
		assert p.talk.reply() == b"235 2.7.0 Authentication successful\r\n"
		p.talk.ask("QUIT", "221"), p.ended()
	PY
}

@test "SMTP_AUTH_USER is gone where the hook AUTH has refused it" {
	hook AUTH <<<'echo 535 5.7.8 no'
	hook NOOP <<<'echo "250 2.0.0 ${SMTP_AUTH_USER-unset} ${SMTP_AUTH_MECHANISM-unset} $SMTP_PROTOCOL"'
	hook AUTH-X <<<'read -r a; echo X_SAID=1; echo SMTP_AUTH_USER=ann; echo 235 2.7.0 in'
	options=(-A -q --auth-plaintext)
	ask '<220' '>EHLO me' '<250' '>AUTH X' '<535 5.7.8 no' \
		'>NOOP' '<250 2.0.0 unset unset ESMTP' '>QUIT' '<221'
}

# --- LMTP

@test "LMTP: LHLO's reply is the hook's to rewrite, EHLO and HELO have none" {
	ask "${hello[@]}" '>QUIT' '<221'
	cp "$said" "$BATS_TEST_TMPDIR/plain"
	hook LHLO <<<'tee "$NOTES/input" | sed "/SIZE/d"'
	hook HELO EHLO <<<'touch "$NOTES/run"'
	ask '<220' '>EHLO me' '<500 5.5.1' '>HELO me' '<500 5.5.1' \
		'>LHLO me.example.org' '<250' "${transaction[@]}" '>QUIT' '<221'
	diff -u <(sed '1d; $d' "$BATS_TEST_TMPDIR/plain") "$NOTES/input"
	diff -u <(sed '1d; $d; /SIZE/d' "$BATS_TEST_TMPDIR/plain") \
		<(sed '1,3d; $d; /^250 2\.1/d' "$said")
	[ ! -e "$NOTES/run" ]
	# Refused, it has not happened.
	hook LHLO <<<'exit 75'
	ask '<220' '>LHLO me' '<451 4.3.0' '>MAIL FROM:<a@b>' '<503' '>QUIT' '<221'
	# LHLO has no hook where LMTP is not spoken.
	hook LHLO <<<'touch "$NOTES/run"'
	options=(-A -q)
	ask '<220' '>LHLO me' '<500 5.5.1' '>QUIT' '<221'
	[ ! -e "$NOTES/run" ]
}

@test "LMTP: each hook runs once, and knows the protocol from CONNECT on" {
	hook CONNECT LHLO MAIL RCPT DATA VRFY EXPN HELP NOOP RSET QUIT DISCONNECT PING \
		<<<'echo "$SMTP_VERB|$SMTP_ARGUMENT|$SMTP_PROTOCOL" >>"$NOTES/notes"'
	ask "${hello[@]}" '>VRFY x' '<252' '>EXPN y' '<502' '>HELP' '<214' '>NOOP' '<250' '>PING' '<250' '>RSET' '<250' \
		"${transaction[@]}" '>RCPT TO:<two@example.org>' '<250' \
		'>DATA' '<354' '>x' . '<250' '<250' "${transaction[@]}" '+BDAT 1\r\nx' '<250' '+BDAT 2 LAST\r\n\r\n' '<250' \
		'>QUIT' '<221'
	diff -u - "$NOTES/notes" <<-'END'
		CONNECT||LMTP
		LHLO|me.example.org|LMTP
		VRFY|x|LMTP
		EXPN|y|LMTP
		HELP||LMTP
		NOOP||LMTP
		PING||LMTP
		RSET||LMTP
		MAIL|FROM:<ann@example.com>|LMTP
		RCPT|TO:<bob@example.org>|LMTP
		RCPT|TO:<two@example.org>|LMTP
		DATA||LMTP
		MAIL|FROM:<ann@example.com>|LMTP
		RCPT|TO:<bob@example.org>|LMTP
		BDAT|1|LMTP
		QUIT||LMTP
		DISCONNECT||LMTP
	END
}

@test "LMTP: what a hook refuses is said once, and who it refused has no verdict" {
	hook RCPT <<<'case $RECIPIENT in no*) exit 67 ;; esac'
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' '>RCPT TO:<one@x>' '<250' '>RCPT TO:<no@x>' '<550 5.1.1' \
		'>RCPT TO:<two@x>' '<250' '>DATA' '<354' '>x' . '<250' '<250' '>NOOP z' '<250 2.0.0 OK' '>QUIT' '<221'
	[ "$(tr '\0\n' '\n,' <"$(only)/env" | grep ^RECIPIENTS=)" = RECIPIENTS=one@x,two@x ]
	forget_messages
	# Before DATA there is one reply, whoever it is for; asked again.
	hook DATA <<<'[ -e "$NOTES/again" ] || { : >"$NOTES/again"; echo 450 4.7.1 later; exit; }; echo 250 2.0.0 please'
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' '>RCPT TO:<one@x>' '<250' '>RCPT TO:<two@x>' '<250' \
		'>DATA' '<450 4.7.1 later' '>NOOP' '<250 2.0.0 OK' \
		'>DATA' '<354 End data' '>x' . '<250' '<250' '>QUIT' '<221'
	[ "$(messages)" -eq 1 ]
	rm -f "$NOTES/again"
	# A chunk's octets are read; nothing of it stays.
	ask "${hello[@]}" "${transaction[@]}" '+BDAT 7 LAST\r\nNOOP x\n' '<450 4.7.1 later' \
		'>BDAT 0 LAST' '<503' '>QUIT' '<221'
	[ "$(messages)" -eq 1 ]
	hook DATA <<<'echo 421 4.3.2 going'
	ask "${hello[@]}" "${transaction[@]}" '>RCPT TO:<two@x>' '<250' '>DATA' '<421 4.3.2 going' '<eof'
	[ "$(grep -c '^421' "$said")" -eq 1 ]
}

# --- names

@test "AUTH-NAME: 1 to 20 characters of name; another one is an error line" {
	hook AUTH- AUTH-ABCDEFGHIJKLMNOPQRST AUTH-ABCDEFGHIJKLMNOPQRSTU <<<'read -r a; echo 535 5.7.8 no'
	options=(-A -q --auth-plaintext)
	ask '<220' '>EHLO me' '<250' '>AUTH ABCDEFGHIJKLMNOPQRST' '<535 5.7.8 no' \
		'>AUTH ABCDEFGHIJKLMNOPQRSTU' '<504' '>AUTH- x' '<500' '>QUIT' '<221'
	grep -qx '250-AUTH ABCDEFGHIJKLMNOPQRST' "$said"
	for name in AUTH- AUTH-ABCDEFGHIJKLMNOPQRSTU; do
		grep -q "/$name has no effect: the name of a mechanism has 1 to 20 characters" "$errors"
	done
	[ "$(wc -l <"$errors")" -eq 2 ]
}

@test "EHLO names the mechanisms that fit one line" {
	for n in $(seq 10 40); do hook "AUTH-ABCDEFGHIJKLMNOPQR$n" <<<'read -r a; echo 535 5.7.8 no'; done
	options=(-A -q --auth-plaintext)
	ask '<220' '>EHLO me' '<250' '>AUTH ABCDEFGHIJKLMNOPQR40' '<535' '>QUIT' '<221'
	[ "$(grep '^250-AUTH ' "$said" | wc -w)" -gt 20 ]
	run -1 grep -E '^.{511}' "$said"
}
