#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2059,SC2154
# Hooks (-H DIR): when they run, what they get, what they may say and what it
# does: smtpd-hooks(7).

load lib

# Every name that smtpd asks a hook by, but those of AUTH, STARTTLS and LMTP:
# they are in hooks-extensions.bats.
ALL=(CONNECT HELO EHLO MAIL RCPT DATA VRFY EXPN HELP NOOP RSET QUIT DISCONNECT)

setup_file() {
	stage
	export ALL_HOOKS="${ALL[*]}"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
	# The hooks, and a place that they may write to.
	HOOKS=$STAGE/hooks NOTES=$STAGE/notes
	export HOOKS NOTES
	rm -rf "$HOOKS" "$NOTES"
	mkdir -m 755 "$HOOKS"
	mkdir -m 1777 "$NOTES"
	said=$BATS_TEST_TMPDIR/said errors=$BATS_TEST_TMPDIR/log.errors
	options=(-A -q --hostname mx.example.net)
	transaction=('>MAIL FROM:<ann@example.com>' '<250' \
		'>RCPT TO:<bob@example.org>' '<250')
	hello=('<220' '>EHLO me.example.org' '<250')
	message=('>DATA' '<354' '>Subject: x' '>' '>text' .)
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

# ask STEP ...: talk.py's steps with a smtpd that has the hooks; exit 0 at its
# end. What it said is in $said, with LF, its log in $errors.
ask() {
	if ! talk -t 20 "${kind:-pair}" "$@" -- "$SMTPD" "${options[@]}" \
		-H "$HOOKS" "$RECORD" "$MAIL" >"$said.crlf" 2>"$errors"; then
		cat "$said.crlf" "$errors" >&2
		return 1
	fi
	tr -d '\r' <"$said.crlf" >"$said"
}

# silent: smtpd had nothing to complain of.
silent() {
	diff -u /dev/null <(grep -v '^recorded ' "$errors")
}

# notes: what hooks have written down, one line each.
notes() {
	cat "$NOTES/notes" 2>/dev/null
}

# --- when

@test "each hook runs once for its command, with verb and argument, in order" {
	hook "${ALL[@]}" PING XCLIENT BDAT \
		<<<'echo "$SMTP_VERB|$SMTP_ARGUMENT" >>"$NOTES/notes"'
	ask '<220' '>HELO  one ' '<250' '>ehlo two and more' '<250' \
		'>nOOp  "x" $(y) ' '<250' '>VRFY ann' '<252' '>EXPN list' '<502' \
		'>HELP mail' '<214' '>ping PoNg' '<250' \
		'>MAIL from:<Ann@Example.com> size=10' '<250' '>RSET' '<250' \
		"${transaction[@]}" "${message[@]}" '<250' \
		"${transaction[@]}" '+BDAT 3 LAST\r\nx\r\n' '<250' '>XCLIENT ADDR=192.0.2.1' '<502' \
		'>QUIT bye' '<221' '<eof'
	diff -u - "$NOTES/notes" <<-'END'
		CONNECT|
		HELO|one
		EHLO|two and more
		NOOP|"x" $(y)
		VRFY|ann
		EXPN|list
		HELP|mail
		PING|PoNg
		MAIL|from:<Ann@Example.com> size=10
		RSET|
		MAIL|FROM:<ann@example.com>
		RCPT|TO:<bob@example.org>
		DATA|
		MAIL|FROM:<ann@example.com>
		RCPT|TO:<bob@example.org>
		BDAT|3 LAST
		QUIT|bye
		DISCONNECT|
	END
	[ "$(messages)" -eq 2 ]
}

@test "BDAT and XCLIENT have no file: one that is there is an error line" {
	hook BDAT XCLIENT </dev/null
	ask "${hello[@]}" '>QUIT' '<221'
	grep -q '/BDAT has no effect' "$errors"
	grep -q '/XCLIENT has no effect' "$errors"
}

@test "a hook runs after smtpd's own checks: what they refuse, it never sees" {
	hook "${ALL[@]}" PING <<<'echo "$SMTP_VERB" >>"$NOTES/notes"'
	options=(-q -D example.org -s 1000 --max-recipients 1 --max-errors 0)
	long=$(printf '%600s' x)
	# Bad syntax, bad sequence.
	ask '<220' '>HELO' '<501' '>EHLO' '<501' '>MAIL FROM:<a@b>' '<503' \
		'>RCPT TO:<a@b>' '<503' '>DATA' '<503' '>VRFY' '<501' '>RSET x' '<501' \
		'>NOOP \x01' '<501' '>EXPN \x7f' '<501' '>PING \t\x02' '<501' \
		">NOOP $long" '<500 5.5.6' '>NOOP x\ny' '<500' \
		'>HELO me' '<250' '>MAIL FROM:<a@@b>' '<501' '>DATA' '<503' \
		'>MAIL FROM:<a@b> SIZE=1001' '<552' '>MAIL FROM:<a@b> X=1' '<555' \
		'>MAIL FROM:<a@b>' '<250' '>MAIL FROM:<a@b>' '<503' \
		'>RCPT TO:<a@b>' '<550 5.7.1' '>RCPT TO:<a%b@example.org>' '<550' \
		'>RCPT TO:<a>' '<550' '>RCPT TO:<a@example.org> X=1' '<555' \
		'>RCPT TO:<a@example.org>' '<250' '>DATA x' '<501' '>RCPT TO:<b@example.org>' '<452' \
		'>GARBAGE' '<500' '>QUIT' '<221'
	[ "$(notes | paste -sd ' ')" = 'CONNECT HELO MAIL RCPT QUIT DISCONNECT' ]
}

@test "a hook runs before the client is answered, CONNECT before the greeting" {
	hook CONNECT EHLO NOOP MAIL <<-'END'
		until [ -e "$NOTES/go.$SMTP_VERB" ]; do sleep 0.02; done
		echo 250 "waited at $SMTP_VERB"
	END
	py <<-'PY'
		import os
		from session import Session
		hooks, notes = os.environ["HOOKS"], os.environ["NOTES"]
		smtp = Session("-A", "-q", "-H", hooks, "true", hello=None)

		def waits(verb):
		    smtp.talk.timeout = 0.3
		    try:
		        early = smtp.talk.reply()
		    except Exception:
		        early = None
		    assert early is None, (verb, early)
		    smtp.talk.timeout = 20
		    open(f"{notes}/go.{verb}", "w").close()
		    smtp.talk.expect("250 waited at " + verb)

		waits("CONNECT")
		for line in ("EHLO me", "NOOP", "MAIL FROM:<a@b>"):
		    smtp.talk.line(line)
		    waits(line.split()[0])
		smtp.quit()
	PY
}

@test "pipelined commands are answered in their order, with hooks and without" {
	hook RCPT <<-'END'
		case $RECIPIENT in
		no*) echo "550 5.1.1 not $RECIPIENT" ;;
		slow*) sleep 0.2; echo "250 2.1.5 at last $RECIPIENT" ;;
		esac
	END
	ask "${hello[@]}" '+MAIL FROM:<a@b>\r\nRCPT TO:<slow1@c>\r\nVRFY x\r\nRCPT TO:<no2@c>\r\nRCPT TO:<c3@c>\r\nNOOP\r\nDATA\r\nx\r\n.\r\nRCPT TO:<late@c>\r\nQUIT\r\n' '<eof'
	sed '1,/^250 HELP/d' "$said" | sed 's/\(.\{9\}\).*/\1/' | diff -u - <(
		printf '%s\n' '250 2.1.0' '250 2.1.5' '252 2.0.0' '550 5.1.1' \
			'250 2.1.5' '250 2.0.0' '354 End d' '250 2.0.0' '503 5.5.1' '221 2.0.0'
	)
	grep -qx '250 2.1.5 at last slow1@c' "$said"
	[ "$(recorded RECIPIENTS)" = 'slow1@c c3@c' ] ||
		[ "$(tr '\0\n' '\n,' <"$(only)/env" | grep ^RECIPIENTS=)" = RECIPIENTS=slow1@c,c3@c ]
}

# --- what a hook gets

@test "the environment of each hook: what is known, nothing of the launcher's" {
	hook "${ALL[@]}" PING <<-'END'
		n=$(ls "$NOTES" | wc -l)
		cat "/proc/$$/environ" >"$NOTES/$(printf %02d "$n").$SMTP_VERB"
	END
	py <<-'PY'
		import os
		from session import Session, show
		hooks, notes = os.environ["HOOKS"], os.environ["NOTES"]
		OURS = """SENDER RECIPIENTS RECIPIENT SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS SMTP_HELO
		SMTP_PROTOCOL SMTP_SIZE SMTP_BODY SMTP_UTF8 SMTP_SESSION SMTP_HOSTNAME
		SMTP_AUTH_USER SMTP_AUTH_MECHANISM SMTP_TLS PROTO TCPREMOTEIP TCPREMOTEPORT
		TCPLOCALIP TCPLOCALPORT SMTP_VERB SMTP_ARGUMENT LISTEN_FDS LISTEN_PID
		LISTEN_FDNAMES NOTIFY_SOCKET""".split()
		env = dict.fromkeys(OURS, "leaked")
		env.update(PATH=os.environ["PATH"], NOTES=notes, FOO="bar = baz",
		           X_LAUNCHER="yes", TCPREMOTEHOST="host.example")
		smtp = Session("-A", "-q", "-u", "--hostname", "mx.example.net", "-H", hooks,
		               "true", kind="tcp", env=env, hello=None)
		talk = smtp.talk
		talk.expect("220")
		for line, code in (("PING", "250"), ("HELO he\xe4lo", "250"), ("NOOP", "250"),
		                   ("EHLO me", "250"),
		                   ("MAIL FROM:<ann@b> body=8BITMIME SMTPUTF8", "250"),
		                   ("RCPT TO:<\"q x\"@b>", "250"), ("NOOP x", "250"),
		                   ("RCPT TO:<two@b>", "250"), ("DATA", "354"), (".", "250"),
		                   ("NOOP", "250"), ("MAIL FROM:<>", "250"), ("QUIT", "221")):
		    talk.ask(line, code)
		peer = talk.sock.getsockname()[1]
		smtp.ended()
		always = {"PROTO": "TCP", "TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": str(peer),
		          "TCPLOCALIP": "127.0.0.1", "SMTP_HOSTNAME": "mx.example.net"}
		helo = {"SMTP_HELO": "he??lo", "SMTP_PROTOCOL": "SMTP"}
		ehlo = {"SMTP_HELO": "me", "SMTP_PROTOCOL": "ESMTP"}
		mail = {"SENDER": "ann@b", "SMTP_MAIL_OPTIONS": "BODY=8BITMIME SMTPUTF8",
		        "SMTP_BODY": "8BITMIME", "SMTP_UTF8": "1", "SMTP_HELO": "me",
		        "SMTP_PROTOCOL": "UTF8SMTP"}
		one = dict(mail, RECIPIENTS='"q x"@b')
		empty = dict(ehlo, SENDER="", SMTP_MAIL_OPTIONS="", SMTP_BODY="7BIT")
		none = {"SMTP_PROTOCOL": "SMTP"}
		wanted = [
		    ("CONNECT", "", none), ("PING", "", none),
		    ("HELO", "he\xe4lo", helo), ("NOOP", "", helo), ("EHLO", "me", ehlo),
		    ("MAIL", "FROM:<ann@b> body=8BITMIME SMTPUTF8", mail),
		    ("RCPT", "TO:<\"q x\"@b>", dict(mail, RECIPIENT='"q x"@b')),
		    ("NOOP", "x", dict(one, RECIPIENT='"q x"@b')),
		    ("RCPT", "TO:<two@b>", dict(one, RECIPIENT="two@b")),
		    ("DATA", "", dict(mail, RECIPIENTS='"q x"@b\ntwo@b')),
		    ("NOOP", "", ehlo), ("MAIL", "FROM:<>", empty), ("QUIT", "", empty),
		    ("DISCONNECT", "", empty)]
		wrong, ids = [], set()
		for (verb, argument, words), name in zip(wanted, sorted(os.listdir(notes)), strict=True):
		    with open(f"{notes}/{name}", encoding="utf-8", errors="surrogateescape") as file:
		        found = [v.split("=", 1) for v in file.read().split("\0") if v]
		    if len(found) != len(dict(found)):
		        wrong.append((name, "a variable twice", found))
		    found = dict(found)
		    words = dict(always, SMTP_VERB=verb, SMTP_ARGUMENT=argument, **words)
		    ids.add(found.pop("SMTP_SESSION", None))
		    found.pop("TCPLOCALPORT")
		    ours = {key: value for key, value in found.items() if key in OURS}
		    if ours != words:
		        wrong.append((name, sorted(set(ours.items()) ^ set(words.items()))))
		    for key in ("PATH", "NOTES", "FOO", "X_LAUNCHER", "TCPREMOTEHOST"):
		        if found.get(key) != env[key]:
		            wrong.append((name, key, found.get(key)))
		show(wrong)
		assert len(ids) == 1 and None not in ids, ids
	PY
}

@test "descriptors of a hook: 0 is empty, 1, 2, no others, whatever is leaked" {
	hook CONNECT MAIL DISCONNECT <<-'END'
		ls -l /proc/self/fd | sed -n 's/.* \([0-9]*\) -> \([a-z]*\).*/\1 \2/p' >"$NOTES/$SMTP_VERB"
		wc -c >>"$NOTES/$SMTP_VERB"
		echo "said at $SMTP_VERB" >&2
	END
	exec 7</etc/passwd 20</etc/passwd
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' '>QUIT' '<221' '<eof'
	exec 7<&- 20<&-
	for verb in CONNECT MAIL DISCONNECT; do
		# 3 is the folder that ls reads.
		run -0 sed 's/^\([02-9]\) .*/\1/' "$NOTES/$verb"
		[ "$output" = "$(printf '%s\n' 0 '1 pipe' 2 3 0)" ]
		grep -qx "said at $verb" "$errors"
	done
	[ "$(wc -l <"$errors")" -eq 3 ]
}

@test "a hook is a group of its own, with the default signals and smtpd's directory" {
	hook NOOP <<-'END'
		cut -d ' ' -f 5 /proc/$$/stat >"$NOTES/group"
		echo $$ >"$NOTES/pid"
		pwd >"$NOTES/pwd"
		umask >"$NOTES/umask"
		grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2 >"$NOTES/signals"
	END
	(
		trap '' PIPE HUP
		cd "$STAGE"
		umask 026
		ask "${hello[@]}" '>NOOP' '<250' '>QUIT' '<221'
	)
	diff "$NOTES/group" "$NOTES/pid"
	[ "$(cat "$NOTES/pwd")" = "$(cd "$STAGE" && pwd -P)" ]
	[ "$(cat "$NOTES/umask")" = 0026 ]
	# 32 and 33 are the C library's.
	run -1 grep -vE '^0*(00000000|80000000|180000000)$' "$NOTES/signals"
}

@test "EHLO's standard input is smtpd's own reply with LF; what it prints replaces it" {
	ask "${hello[@]}" '>QUIT' '<221'
	cp "$said" "$BATS_TEST_TMPDIR/plain"
	hook EHLO <<<'tee "$NOTES/input"'
	ask "${hello[@]}" '>QUIT' '<221'
	diff -u "$BATS_TEST_TMPDIR/plain" "$said"
	diff -u <(sed '1d; $d' "$said") "$NOTES/input"
	[ "$(wc -l <"$NOTES/input")" -gt 5 ]
	run -1 grep -q $'\r' "$NOTES/input"
	# A keyword left out, and one put in; what is left out is still understood.
	hook EHLO <<<'sed "/SIZE/d; s/^250 \(.*\)/250-\1\\
250 X-OURS a=b/"'
	ask "${hello[@]}" '>MAIL FROM:<a@b> SIZE=10' '<250' '>QUIT' '<221'
	diff -u <(sed '/SIZE/d; s/^250 HELP/250-HELP\n250 X-OURS a=b/' \
		"$BATS_TEST_TMPDIR/plain" | sed '$d') <(sed '/2\.[01]\.0/d' "$said")
	# Nothing printed: as if there were no hook; HELO has nothing to read.
	hook EHLO <<<'cat >/dev/null'
	hook HELO <<<'wc -c >"$NOTES/helo"'
	ask "${hello[@]}" '>QUIT' '<221'
	diff -u "$BATS_TEST_TMPDIR/plain" "$said"
	ask '<220' '>HELO me' '<250 mx.example.net' '>QUIT' '<221'
	[ "$(cat "$NOTES/helo")" -eq 0 ]
}

@test "an EHLO hook that never reads is not waited for" {
	hook EHLO <<<'echo 250 mine'
	ask '<220' '>EHLO me' '<250 mine' "${transaction[@]}" '>QUIT' '<221'
}

# --- variables

@test "X_ variables: for later hooks and the command, over RSET and messages" {
	hook CONNECT <<<'echo X_A=at connect; echo X_B1_=; echo "X_C=a=b \$(c) \"d\""'
	hook MAIL <<<'printf "X_D=%s\r\n250 2.1.0 hi\r\n" "$SENDER"'
	hook RCPT <<<'printf "X_A=later\nX_A=last"'
	hook NOOP <<<'env | grep "^X_" | sort >>"$NOTES/notes"; echo --- >>"$NOTES/notes"'
	ask "${hello[@]}" '>NOOP' '<250' '>MAIL FROM:<ann@b>' '<250 2.1.0 hi' \
		'>NOOP' '<250' '>RSET' '<250' '>NOOP' '<250' \
		"${transaction[@]}" "${message[@]}" '<250' '>EHLO again' '<250' \
		'>NOOP' '<250' '>QUIT' '<221'
	first='X_A=at connect
X_B1_=
X_C=a=b $(c) "d"'
	diff -u - "$NOTES/notes" <<-END
		$first
		---
		$first
		X_D=ann@b
		---
		$first
		X_D=ann@b
		---
		X_A=last
		${first#*
}
		X_D=ann@example.com
		---
	END
	[ "$(recorded X_A)" = last ]
	[ "$(recorded X_B1_)" = '' ]
	[ "$(recorded X_C)" = 'a=b $(c) "d"' ]
	[ "$(recorded X_D)" = ann@example.com ]
	[ "$(tr '\0\n' '\n ' <"$(only)/env" | grep -c '^X_A=')" -eq 1 ]
	silent
}

@test "X_ variables take the place of the launcher's, and count beside a refusal" {
	hook NOOP <<<'echo X_A="[$X_A]"; exit 75'
	hook VRFY <<<'tr "\0" "\n" <"/proc/$$/environ" | grep "^X_A=" >"$NOTES/notes"'
	X_A=launcher ask "${hello[@]}" '>NOOP' '<451' '>NOOP' '<451' '>VRFY x' '<252' \
		"${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
	[ "$(recorded X_A)" = '[[launcher]]' ]
	# Nor are both there, for a program that sees the first one.
	[ "$(notes)" = 'X_A=[[launcher]]' ]
}

@test "a line that is no X_ variable, or holds control characters: 451" {
	hook NOOP <<<'cat "$NOTES/say"; exit "$SMTP_ARGUMENT"'
	hook VRFY <<<'env | grep "^X_BAD\|^x_\|^SENDER\|^PATH=evil" >>"$NOTES/notes"; true'
	for line in 'X_=1' 'x_BAD=1' 'X_bad=1' 'X_BAD' 'X_BAD =1' ' X_BAD=1' 'X-BAD=1' \
		'SENDER=x@y' 'PATH=evil' 'X_BAD-1=1' '=1' 'Y_BAD=1' 'X_BAD=a\tb' \
		'X_BAD=a\033b' 'X_BAD=a\177b' 'X_BAD=a\rb' 'X_BAD=\000' '\n' '250\n' \
		'\nX_BAD=1'; do
		case $line in
		'250\n') continue ;; # that is a reply
		esac
		printf "$line\n" >"$NOTES/say"
		ask "${hello[@]}" '>NOOP 0' '<451 4.3.0' '>VRFY x' '<252' '>QUIT' '<221' ||
			{ echo "line: $line"; return 1; }
		grep -q '/NOOP printed ' "$errors"
	done
	[ ! -s "$NOTES/notes" ]
	# Behind a reply it is no variable, but part of what is no reply.
	printf '250 OK\nX_BAD=1\n' >"$NOTES/say"
	ask "${hello[@]}" '>NOOP 0' '<451' '>VRFY x' '<252' '>QUIT' '<221'
	[ ! -s "$NOTES/notes" ]
}

@test "X_ variables: 64 and 16 KiB in all, and not one more" {
	hook NOOP <<-'END'
		i=0
		while [ $((i += 1)) -le "$SMTP_ARGUMENT" ]; do echo "X_$i=1"; done
	END
	# X_A= and NUL are 5 octets.
	hook VRFY <<<'printf X_A=; head -c "$SMTP_ARGUMENT" /dev/zero | tr "\0" x; echo'
	ask "${hello[@]}" '>NOOP 64' '<250' '>NOOP 64' '<250' '>NOOP 65' '<451 4.3.0' \
		"${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
	[ "$(tr '\0\n' '\n ' <"$(only)/env" | grep -c '^X_[0-9]*=1$')" -eq 64 ]
	grep -q 'variables that are too many, too long' "$errors"
	forget_messages
	ask "${hello[@]}" '>VRFY 16379' '<252' '>VRFY 16380' '<451 4.3.0' \
		"${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
	[ "$(recorded X_A | tr -d '\n' | wc -c)" -eq 16379 ]
}

# --- what a hook may say

@test "a reply of 2xx, 4xx or 5xx, of lines and line ends of any kind, is the answer" {
	hook NOOP VRFY EXPN HELP PING <<<'cat "$NOTES/say"'
	for reply in '250 2.0.0 hello' '200' '250' '259 x' '450 4.2.1 wait' '559 5.9.9' \
		'250-one\n250-\n250 2.0.0 three' '550-5.7.1 no\r\n550 5.7.1 never\r' \
		'214 x: ~!"#$%%'; do
		printf "$reply\n" >"$NOTES/say"
		tr -d '\r' <"$NOTES/say" >"$NOTES/lf"
		for verb in NOOP 'VRFY x' EXPN HELP PING; do
			ask "${hello[@]}" ">$verb" "<${reply%%[ -]*}" '>QUIT' '<221'
			diff <(sed '1,/^250 HELP/d; $d' "$said") "$NOTES/lf" >&2
		done
	done
	# The last line end may be missing, 512 octets with CRLF are the longest.
	printf 250 >"$NOTES/say"
	ask "${hello[@]}" '>NOOP' '<250' '>QUIT' '<221'
	printf '250 %0506d' 0 >"$NOTES/say"
	ask "${hello[@]}" '>NOOP' '<250 0' '>QUIT' '<221'
	printf '250 %0507d' 0 >"$NOTES/say"
	ask "${hello[@]}" '>NOOP' '<451 4.3.0' '>QUIT' '<221'
}

@test "what is no reply beside success is 451, never the answer" {
	hook NOOP <<<'cat "$NOTES/say"'
	for reply in hello '354 go' '150 x' '650 x' '25' '250x' '250-unfinished' \
		'250 2.0.0 a\n251 b' '250 5.0.0 x' '550 2.0.0 x' '250 a\033b' '250 \344' \
		'250 \303\244' '250 a\rb' '250 a\r\r' '250 \000' '250 a\000b' '\000' '250 a\n\n' '\n' '250 OK\nrest' '250 OK\n250 OK'; do
		printf "$reply\n" >"$NOTES/say"
		ask "${hello[@]}" '>NOOP' '<451 4.3.0 Temporary failure' '>QUIT' '<221' ||
			{ echo "reply: $reply"; return 1; }
		grep -qxE "smtpd: session [0-9a-f]+-[0-9a-f]+: hook $HOOKS/NOOP printed what is no reply" "$errors"
	done
	# 4 KiB are the longest reply; more than is ever looked at hides nothing.
	{ yes 250-x | head -n 682; echo 2; } | head -c 4092 >"$NOTES/say"
	sed -i '$s/.*/250/' "$NOTES/say"
	[ "$(wc -c <"$NOTES/say")" -le 4096 ]
	ask "${hello[@]}" '>NOOP' '<250' '>QUIT' '<221'
	{ yes 250-x | head -n 700; echo 250; } >"$NOTES/say"
	ask "${hello[@]}" '>NOOP' '<451' '>QUIT' '<221'
}

@test "a hook may print 16 KiB, and not one octet more" {
	# X_A= and the line ends, and 250.
	hook NOOP <<<'printf X_A=; head -c "$SMTP_ARGUMENT" /dev/zero | tr "\0" x; printf "\n250"; exit 0'
	ask "${hello[@]}" '>NOOP 16376' '<250' '>NOOP 16377' '<451 4.3.0' '>QUIT' '<221'
	hook VRFY <<<'echo "250 2.0.0 ${#X_A}"'
	ask "${hello[@]}" '>NOOP 16377' '<451 4.3.0' '>VRFY x' '<250 2.0.0 0' \
		'>NOOP 16376' '<250' '>VRFY x' '<250 2.0.0 16376' '>QUIT' '<221'
}

@test "what is cut from a flood of variables is no consent" {
	hook NOOP <<<'yes X_A=1 | head -n 5000; echo 550 5.7.1 no'
	ask "${hello[@]}" '>NOOP' '<451 4.3.0' '>QUIT' '<221'
	hook NOOP <<<'yes X_A=1 | head -n 2500; echo 550 5.7.1 no'
	ask "${hello[@]}" '>NOOP' '<550 5.7.1 no' '>QUIT' '<221'
}

@test "UTF-8 in a reply: only where MAIL said SMTPUTF8" {
	hook MAIL RCPT NOOP DATA RSET <<<'echo "450 4.2.1 für $SMTP_VERB"'
	options+=(-u)
	ask "${hello[@]}" '>NOOP' '<451 4.3.0' '>MAIL FROM:<a@b>' '<451 4.3.0' \
		'>MAIL FROM:<a@b> SMTPUTF8' '<450 4.2.1 für MAIL' '>QUIT' '<221'
	rm "$HOOKS/MAIL"
	ask "${hello[@]}" '>MAIL FROM:<a@b> SMTPUTF8' '<250' \
		'>RCPT TO:<c@d>' '<450 4.2.1 für RCPT' '>NOOP' '<450 4.2.1 für NOOP' \
		'>RSET' '<250' '>NOOP' '<451 4.3.0' '>MAIL FROM:<a@b>' '<250' \
		'>RCPT TO:<c@d>' '<451 4.3.0' '>QUIT' '<221'
}

@test "without a reply the exit status is the answer, by the delivery table" {
	hook NOOP <<<'exit "$SMTP_ARGUMENT"'
	options+=(--max-errors 0)
	py <<-'PY'
		import os
		from session import Session, show
		OWN = {0: "250 2.0.0 OK", 99: "250 2.0.0 OK", 65: "550 5.6.0", 67: "550 5.1.1",
		       68: "550 5.1.2", 69: "550 5.3.0", 76: "550 5.5.0", 77: "550 5.7.1",
		       100: "554 5.0.0", 64: "451 4.3.5", 78: "451 4.3.5"}
		smtp = Session("-A", "-q", "--max-errors", "0", "-H", os.environ["HOOKS"], "true")
		wrong = []
		for status in range(256):
		    smtp.talk.line(f"NOOP {status}")
		    reply = smtp.talk.reply().decode()
		    if not reply.startswith(OWN.get(status, "451 4.3.0")):
		        wrong.append((status, reply))
		smtp.quit()
		show(wrong)
	PY
}

@test "a reply may not say more than the status; other output is its text" {
	hook NOOP <<<'cat "$NOTES/say"; exit "$SMTP_ARGUMENT"'
	check() { # STATUS OUTPUT REPLY
		printf "$2" >"$NOTES/say"
		ask "${hello[@]}" ">NOOP $1" "<$3" '>QUIT' '<221'
		[ -z "${4-}" ] || run -1 grep -qF "$4" "$said"
	}
	check 1 '250 2.0.0 fine\n' '451 4.3.0 Temporary failure'
	check 100 '250 fine\n' '451 4.3.0 Temporary failure'
	check 75 '550 5.1.1 no\n' '451 4.3.0 Temporary failure'
	check 111 '550 no\n' '451 4.3.0 Temporary failure'
	check 75 '452 4.3.1 full\n' '452 4.3.1 full'
	check 100 '451 4.7.1 later\n' '451 4.7.1 later'
	check 1 '550 5.7.1 no\n' '550 5.7.1 no'
	check 67 'gone fishing\nand more\n' '550 5.1.1 gone fishing'
	check 3 'a\033b\302\205c\n' '451 4.3.0 abc'
	check 67 'X_A=1\nnobody\n' '550 5.1.1 nobody'
	check 0 '550 5.7.1 no\n' '550 5.7.1 no'
	check 99 '250 2.0.0 nn\n' '250 2.0.0 nn'
	silent
	check 1 '250 2.0.0 fine\n' '451 4.3.0 Temporary failure'
	grep -qxE "smtpd: session [0-9a-f]+-[0-9a-f]+: hook $HOOKS/NOOP printed a reply that says more than its exit status" "$errors"
	# Killed: what it had printed is ignored, variables too.
	hook NOOP <<<'echo X_A=1; echo 250 fine; kill -KILL $$'
	hook VRFY <<<'echo "250 [$X_A]"'
	ask "${hello[@]}" '>NOOP' '<451 4.3.0 Temporary failure' \
		'>VRFY x' '<250 []' '>QUIT' '<221'
	grep -qxE "smtpd: session [0-9a-f]+-[0-9a-f]+: hook $HOOKS/NOOP was killed" "$errors"
}

@test "421 and 221 end the session, whatever the command" {
	hook HELO EHLO MAIL RCPT DATA VRFY EXPN HELP NOOP RSET PING <<-'END'
		[ ! -e "$NOTES/at.$SMTP_VERB" ] || cat "$NOTES/say"
	END
	for reply in '421 4.3.2 going' '221 2.0.0 bye'; do
		echo "$reply" >"$NOTES/say"
		for line in 'HELO me' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<a@b>' DATA \
			'VRFY x' EXPN HELP NOOP RSET PING; do
			rm -f "$NOTES"/at.*
			touch "$NOTES/at.${line%% *}"
			steps=('<220')
			[ "${line%% *}" = EHLO ] || steps+=('>EHLO me' '<250')
			case $line in
			RCPT*) steps+=('>MAIL FROM:<a@b>' '<250') ;;
			DATA*) steps+=("${transaction[@]}") ;;
			esac
			# What is pipelined behind it is not answered.
			ask "${steps[@]}" "+$line\\r\\nNOOP\\r\\nQUIT\\r\\n" '<eof'
			[ "$(tail -n 1 "$said")" = "$reply" ] || { cat "$said"; return 1; }
		done
	done
	[ "$(messages)" -eq 0 ]
}

@test "a refusal by RSET or QUIT is ignored: it has happened" {
	hook RSET QUIT <<<'echo 550 5.7.1 no'
	ask "${hello[@]}" "${transaction[@]}" '>RSET' '<250 2.0.0 OK' '>DATA' '<503' \
		'>QUIT' '<221 2.0.0 Bye' '<eof'
	hook RSET QUIT <<<'exit 1'
	ask "${hello[@]}" "${transaction[@]}" '>RSET' '<250 2.0.0 OK' '>DATA' '<503' \
		'>QUIT' '<221 2.0.0 Bye' '<eof'
	hook RSET QUIT <<<'echo 250 2.0.0 "as you say, $SMTP_VERB"'
	ask "${hello[@]}" "${transaction[@]}" '>RSET' '<250 2.0.0 as you say, RSET' \
		'>DATA' '<503' '>QUIT' '<250 2.0.0 as you say, QUIT' '<eof'
}

@test "4xx and 5xx mean that the step has not happened" {
	hook HELO EHLO MAIL RCPT DATA <<-'END'
		[ ! -e "$NOTES/no.$SMTP_VERB" ] || { rm -f "$NOTES/no.$SMTP_VERB"; exit "$(cat "$NOTES/status")"; }
	END
	for status in 75 100; do
		echo "$status" >"$NOTES/status"
		[ "$status" = 75 ] && code=451 || code=554
		chmod 1777 "$NOTES"
		no() { rm -f "$NOTES"/no.*; (umask 0; touch "$NOTES/no.$1"); chmod 777 "$NOTES"; }
		no EHLO
		ask '<220' '>EHLO me' "<$code" '>MAIL FROM:<a@b>' '<503' '>EHLO me' '<250' \
			'>MAIL FROM:<a@b>' '<250' '>QUIT' '<221'
		# The second one: the transaction is as it was.
		no HELO
		ask "${hello[@]}" "${transaction[@]}" '>HELO you' "<$code" "${message[@]}" '<250' '>QUIT' '<221'
		[ "$(recorded SMTP_HELO) $(recorded SMTP_PROTOCOL)" = 'me.example.org ESMTP' ]
		forget_messages
		no MAIL
		ask "${hello[@]}" '>MAIL FROM:<x@y>' "<$code" '>RCPT TO:<a@b>' '<503' \
			"${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
		[ "$(recorded SENDER)" = ann@example.com ]
		forget_messages
		no RCPT
		ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' '>RCPT TO:<x@y>' "<$code" '>DATA' '<503' \
			'>RCPT TO:<bob@example.org>' '<250' "${message[@]}" '<250' '>QUIT' '<221'
		[ "$(recorded RECIPIENTS)" = bob@example.org ]
		forget_messages
		no DATA
		ask "${hello[@]}" "${transaction[@]}" '>DATA' "<$code" '>RSET' '<250' '>DATA' '<503' \
			"${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
		[ "$(messages)" -eq 1 ]
		forget_messages
		# Asked again at once, it may think better of it.
		no DATA
		ask "${hello[@]}" "${transaction[@]}" '>DATA' "<$code" "${message[@]}" '<250' '>QUIT' '<221'
		[ "$(messages)" -eq 1 ]
		forget_messages
	done
}

@test "SMTP_HELO is not set by a HELO or EHLO that was refused" {
	hook HELO EHLO <<<'exit 1'
	hook NOOP <<<'echo "250 2.0.0 ${SMTP_HELO-none} $SMTP_PROTOCOL"'
	ask '<220' '>EHLO me' '<451' '>NOOP' '<250 2.0.0 none SMTP' \
		'>HELO me' '<451' '>NOOP' '<250 2.0.0 none SMTP' '>QUIT' '<221'
}

@test "at DATA a 2xx means go on, and smtpd's own 354 is sent" {
	hook DATA <<<'echo X_A=1; echo 250 2.0.0 please'
	ask "${hello[@]}" "${transaction[@]}" \
		'>DATA' '<354 End data with <CR><LF>.<CR><LF>' '>x' . '<250' \
		"${transaction[@]}" '>DATA' '<354' '>x' . '<250' '>QUIT' '<221'
	[ "$(messages)" -eq 2 ]
	run -1 grep -q please "$said"
}

@test "replies of hooks count as errors where they refuse" {
	hook NOOP <<<'echo 550 5.7.1 no'
	options+=(--max-errors 3)
	ask "${hello[@]}" '>NOOP' '<550' '>NOOP' '<550' '>NOOP' '<550' '>NOOP' '<421 4.7.0' '<eof'
	hook NOOP <<<'echo 452 4.5.3 enough'
	ask "${hello[@]}" '>NOOP' '<452' '>NOOP' '<452' '>NOOP' '<452' '>NOOP' '<452' '>QUIT' '<221'
}

@test "recipients that a hook refuses take no room of those that it takes" {
	hook RCPT <<<'case $RECIPIENT in no*) exit 67 ;; esac'
	options+=(--max-errors 0)
	# Together more than the 120 KiB that RECIPIENTS can have.
	long=$(printf '%480s' x | tr ' ' x)
	steps=()
	for _ in $(seq 260); do steps+=(">RCPT TO:<no$long@b>" '<550 5.1.1'); done
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' "${steps[@]}" \
		'>RCPT TO:<yes@b>' '<250' "${message[@]}" '<250' '>QUIT' '<221'
	[ "$(recorded RECIPIENTS)" = yes@b ]
}

# --- CONNECT and DISCONNECT

@test "CONNECT greets, in lines too; 4xx and 5xx: all but QUIT is 503" {
	hook CONNECT <<<'printf "220-mx.example.net ESMTP\n220 no spam\n"'
	ask '<220-mx.example.net ESMTP' '>EHLO me' '<250' '>QUIT' '<221'
	for reply in '554 5.7.1 no' '451 4.7.1 not now'; do
		hook CONNECT <<<"echo $reply"
		ask "<$reply" '>EHLO me' '<503 5.5.1' '>HELO me' '<503' '>NOOP' '<503' '>RSET' '<503' \
			'>MAIL FROM:<a@b>' '<503' '>HELP' '<503' '>GARBAGE' '<503' '>QUIT' '<221' '<eof'
	done
	hook CONNECT <<<'exit 77'
	hook EHLO QUIT <<<'echo "$SMTP_VERB" >>"$NOTES/notes"'
	ask '<550 5.7.1' '>EHLO me' '<503' '>QUIT' '<221' '<eof'
	[ "$(notes)" = QUIT ]
	# 421 and 221 are the end.
	for code in 421 221; do
		hook CONNECT <<<"echo $code no"
		ask "<$code no" '<eof'
	done
	# No reply: the greeting is smtpd's own.
	hook CONNECT <<<'echo X_A=1'
	ask '<220 mx.example.net ESMTP' '>QUIT' '<221'
}

@test "DISCONNECT runs once after every kind of end, and its reply is ignored" {
	hook DISCONNECT <<-'END'
		echo "$SMTP_VERB$SMTP_ARGUMENT ${SMTP_HELO-} ${SENDER-} ${X_A-}" >>"$NOTES/notes"
		echo 550 5.7.1 "never said"; exit 1
	END
	hook NOOP <<<'echo X_A=$SMTP_ARGUMENT; [ "$SMTP_ARGUMENT" != 421 ] || echo 421 4.3.2 end'
	parted() { # LINE: the one line that it wrote
		eventually test -s "$NOTES/notes"
		[ "$(notes)" = "DISCONNECT $1" ] || { notes; return 1; }
		run -1 grep -q 'never said' "$said"
		rm -f "$NOTES/notes"
	}
	ask "${hello[@]}" '>NOOP quit' '<250' '>QUIT' '<221' '<eof'
	parted 'me.example.org  quit'
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' close
	parted 'me.example.org a@b '
	ask "${hello[@]}" "${transaction[@]}" '>DATA' '<354' '>half a' close
	parted 'me.example.org ann@example.com '
	ask '<220' close
	parted '  '
	ask "${hello[@]}" '>NOOP 421' '<421' '<eof'
	parted 'me.example.org  421'
	ask '<220' '>GET / HTTP/1.0' '<421' '<eof'
	parted '  '
	options+=(-t 1)
	ask "${hello[@]}" '<421 4.4.2' '<eof'
	parted 'me.example.org  '
	options+=(-t 300 --session-timeout 1)
	ask "${hello[@]}" '<421 4.4.2' '<eof'
	parted 'me.example.org  '
	hook CONNECT <<<'echo 421 4.7.0 away'
	ask '<421' '<eof'
	parted '  '
	hook CONNECT <<<'exit 77'
	ask '<550' close
	parted '  '
	rm "$HOOKS/CONNECT"
	serve -A -H "$HOOKS" true
	exec 9<>"/dev/tcp/127.0.0.1/$port"
	read -r -t 10 line <&9
	kill -TERM "$pid"
	read -r -t 10 line <&9
	[[ $line == '421 4.3.2 '* ]]
	reap "$pid"
	exec 9<&-
	parted '  '
}

@test "a client does not wait for DISCONNECT, nor can it ask for it or CONNECT" {
	hook DISCONNECT <<-'END'
		echo begun >>"$NOTES/notes"
		until [ -e "$NOTES/go" ]; do sleep 0.02; done
		echo done >>"$NOTES/notes"
	END
	hook CONNECT <<<'echo connect >>"$NOTES/notes"'
	serve -A -H "$HOOKS" true
	talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>DISCONNECT' '<500 5.5.2' '>CONNECT' '<500 5.5.2' \
		'>CONNECT x' '<500' '>HELP' '<214' '>QUIT' '<221' '<eof' >"$said"
	run -1 grep -q CONNECT "$said"
	[ "$(notes | tail -n 1)" != "done" ]
	touch "$NOTES/go"
	eventually grep -q "done" "$NOTES/notes"
	[ "$(notes | paste -sd ' ')" = 'connect begun done' ]
	stop "$pid"
}

# --- new commands

@test "any other name is a new command, in any state, and HELP knows it" {
	hook PING <<<'echo "250 2.0.0 PONG $SMTP_ARGUMENT"'
	hook x-y2 <<<'echo 214 2.0.0 fine'
	ask '<220' '>PING' '<250 2.0.0 PONG' '>ping a b' '<250 2.0.0 PONG a b' '>X-Y2' '<214' \
		'>HELP' '<214' '>HELP ping' '<214 2.0.0 PING' '>PINGS' '<500 5.5.2' '>PIN' '<500' \
		'>EHLO me' '<250' "${transaction[@]}" '>PING' '<250' "${message[@]}" '<250' '>QUIT' '<221'
	grep -q '^214 2.0.0 Commands:.* PING' "$said"
	grep -q '^214 2.0.0 Commands:.* X-Y2' "$said"
	silent
	# Without a reply it is done.
	hook PING </dev/null
	ask '<220' '>PING' '<250 2.0.0 OK' '>QUIT' '<221'
	rm "$HOOKS/PING"
	ask '<220' '>PING' '<500 5.5.2' '>QUIT' '<221'
}

@test "names with other characters are no hooks; lower case is the same name" {
	hook noop.sh NOOP~ .NOOP 'NO OP' NOOP.bak no_op </dev/null
	printf 'not to be run\n' >"$HOOKS/README.md"
	hook noop <<<'echo 250 2.0.0 lower'
	ask '<220' '>NOOP' '<250 2.0.0 lower' '>no_op' '<500' '>NOOP.SH' '<500' '>NOOP~' '<500' \
		'>.NOOP' '<500' '>HELP' '<214' '>QUIT' '<221'
	run -1 grep '[_~]\|BAK\|README' "$said"
	silent
	hook NOOP <<<'echo 250 2.0.0 upper'
	ask '<220' '>NOOP' '<250 2.0.0 upper' '>QUIT' '<221'
	grep -q '/noop has no effect: there is another one in upper case' "$errors"
}

@test "a name may be as long as a file's can be: 255 octets" {
	name=$(printf '%255s' x | tr ' ' a)
	hook "$name" <<<'echo "250 2.0.0 ${#SMTP_VERB}"'
	run -1 mkdir "$HOOKS/a$name"
	ask '<220' ">$name" '<250 2.0.0 255' ">${name^^} x" '<250 2.0.0 255' ">a$name" '<500 5.5.2' \
		">${name#a}" '<500 5.5.2' ">HELP $name" '<214' '>HELP' '<214' '>QUIT' '<221'
	grep -qx "214 2.0.0 ${name^^}" "$said"
	grep -q "^214.* QUIT" "$said"
	silent
}

@test "HELP lists all commands, in as many lines as it takes up to eight" {
	for n in $(seq 10 73); do ln -s /bin/true "$HOOKS/$(printf "%050d" "$n")"; done
	ask '<220' '>HELP' '<214' '>HELP x' '<501' '>QUIT' '<221'
	[ "$(grep -c '^214-2.0.0 Commands:' "$said")" -eq 7 ]
	[ "$(grep -c '^214 2.0.0 Commands:' "$said")" -eq 1 ]
	[ "$(grep -o ' QUIT' "$said" | wc -l)" -eq 2 ]
	[ "$(grep '^214' "$said" | grep -o ' 0[0-9]*' | sort -u | wc -l)" -eq 64 ]
	run -1 grep -E '^.{511}' "$said"
	rm "$HOOKS"/*
	# More than that is left out.
	for n in $(seq 10 73); do ln -s /bin/true "$HOOKS/$(printf "%0200d" "$n")"; done
	ask '<220' '>HELP' '<214' '>NOOP' '<250' '>QUIT' '<221'
	[ "$(grep -c '^214' "$said")" -eq 8 ]
}

@test "GET and POST are commands where there is a hook, but not as the first one" {
	hook GET POST <<<'echo "250 2.0.0 $SMTP_VERB"'
	ask '<220' '>NOOP' '<250' '>GET / HTTP/1.0' '<250 2.0.0 GET' '>post x' '<250 2.0.0 POST' '>QUIT' '<221'
	ask '<220' '>GET / HTTP/1.0' '<421' '<eof'
}

# --- failing closed

@test "a DIR that is missing or cannot be searched: an error line and 421" {
	rm -rf "$HOOKS"
	ask '<421 4.3.5' '<eof'
	grep -q "cannot use the hooks in $HOOKS as user .*: No such file" "$errors"
	touch "$HOOKS"
	ask '<421 4.3.5' '<eof'
	grep -q "cannot use the hooks in $HOOKS as user .*: Not a directory" "$errors"
	rm "$HOOKS"
	[ "$(id -u)" -eq 0 ] || skip 'the rest needs root'
	mkdir "$HOOKS"
	for mode in 700 711 744; do
		chmod "$mode" "$HOOKS"
		ask '<421 4.3.5' '<eof'
		grep -q "cannot use the hooks in $HOOKS as user 65534: Permission denied" "$errors"
	done
	chmod 755 "$HOOKS"
	ask '<220' '>QUIT' '<221'
	silent
}

@test "a file that is there and cannot be executed: an error line, 451 or 421" {
	hook NOOP MAIL PING RSET QUIT <<<'echo 250 2.0.0 run'
	chmod 644 "$HOOKS"/*
	ask '<220' '>EHLO me' '<250' '>NOOP' '<451 4.3.5' '>PING' '<451 4.3.5' \
		'>MAIL FROM:<a@b>' '<451 4.3.5' '>VRFY x' '<252' '>RSET' '<250' '>QUIT' '<221'
	for name in NOOP MAIL PING; do
		grep -q "cannot run the hook $HOOKS/$name as user .*: Permission denied (the command will get 451 4.3.5)" "$errors"
	done
	rm "$HOOKS"/*
	# A link to nowhere, a folder, a pipe, an interpreter that is missing.
	ln -s nowhere "$HOOKS/NOOP"
	mkdir "$HOOKS/PING"
	mkfifo -m 777 "$HOOKS/VRFY"
	ask '<220' '>NOOP' '<451 4.3.5' '>PING' '<451 4.3.5' '>VRFY x' '<451 4.3.5' '>QUIT' '<221'
	[ "$(grep -c 'cannot run the hook' "$errors")" -eq 3 ]
	printf '#!/no/such/interpreter\n' >"$HOOKS/EXPN"
	printf 'no magic\n' >"$HOOKS/HELP"
	chmod 755 "$HOOKS/EXPN" "$HOOKS/HELP"
	: >"$HOOKS/RCPT"
	chmod 755 "$HOOKS/RCPT"
	ask '<220' '>QUIT' '<221'
	grep -q "cannot run the hook $HOOKS/EXPN as user .*: interpreter /no/such/interpreter: No such file or directory (the command will get 451 4.3.5)" "$errors"
	grep -q "cannot run the hook $HOOKS/RCPT as user .*: Exec format error (the" "$errors"
	[ "$(grep -c 'cannot run the hook' "$errors")" -eq 5 ]
	ask '<220' '>EXPN x' '<451 4.3.5' '>HELP' '<451 4.3.5' '>QUIT' '<221'
	for how in 644 755; do
		rm -rf "$HOOKS/CONNECT"
		printf '#!/no/such/interpreter\n' >"$HOOKS/CONNECT"
		chmod "$how" "$HOOKS/CONNECT"
		ask '<421 4.3.5' '<eof'
	done
}

@test "a hook that goes after the start fails closed, too" {
	hook NOOP VRFY <<<'echo 250 2.0.0 run'
	serve -A -H "$HOOKS" true
	rm "$HOOKS/NOOP"
	chmod 644 "$HOOKS/VRFY"
	hook EXPN <<<'echo 250 2.0.0 new'
	talk "127.0.0.1:$port" '<220' '>NOOP' '<451 4.3.5' '>VRFY x' '<451 4.3.5' '>EXPN x' '<502' '>QUIT' '<221'
	stop "$pid"
}

@test "64 hooks, and not one more: then none is trusted to be the right one" {
	for n in $(seq 64); do ln -s /bin/true "$HOOKS/C$n"; done
	ask '<220' '>C64' '<250' '>NOOP' '<250' '>QUIT' '<221'
	silent
	ln -s /bin/true "$HOOKS/C65"
	ask '<421 4.3.5' '<eof'
	grep -q 'more than 64 hooks' "$errors"
}

# --- hooks that misbehave

@test "a hook that takes too long: its group is killed, 451, what it said is void" {
	hook NOOP <<-'END'
		sleep 60 & echo $! >"$NOTES/child"
		echo X_A=1; echo 250 2.0.0 fine
		wait
	END
	hook VRFY <<<'echo "250 [$X_A]"'
	options+=(--command-timeout 1)
	ask "${hello[@]}" '>NOOP' '<451 4.3.0 Temporary failure' '>VRFY x' '<250 []' '>QUIT' '<221'
	ended "$(cat "$NOTES/child")"
	grep -qE '^smtpd: session [^ ]+: hook killed: it ran into its time-out' "$errors"
}

@test "a hook that floods, that never reads, or that closes its output" {
	hook NOOP <<<'yes flood | head -c 3000000; exit 67'
	hook VRFY <<<'yes flood | head -c 3000000'
	hook EXPN <<<'exec >&- 2>&-; exit 65'
	hook EHLO <<<'exec <&-; sleep 0.1'
	ask "${hello[@]}" '>NOOP' '<550 5.1.1 flood' '>VRFY x' '<451 4.3.0' '>EXPN x' '<550 5.6.0' '>QUIT' '<221'
}

@test "a hook that leaves a child with its descriptors is not waited for" {
	hook NOOP CONNECT <<-'END'
		sleep 60 & echo $! >>"$NOTES/children"
		echo 250 2.0.0 gone
	END
	options+=(--command-timeout 40)
	ask '<250 2.0.0 gone' '>NOOP' '<250 2.0.0 gone' '>QUIT' '<221' '<eof'
	while read -r child; do kill "$child"; done <"$NOTES/children"
	[ "$(wc -l <"$NOTES/children")" -eq 2 ]
}

@test "a hang-up while a hook runs does not interrupt it, and ends the session" {
	hook NOOP <<-'END'
		touch "$NOTES/begun"
		until [ -e "$NOTES/go" ]; do sleep 0.02; done
		echo done >>"$NOTES/notes"
	END
	serve -A -H "$HOOKS" true
	talk "127.0.0.1:$port" '<220' '>NOOP' close
	eventually test -e "$NOTES/begun"
	touch "$NOTES/go"
	eventually grep -q "done" "$NOTES/notes"
	stop "$pid"
}

@test "a hook may take longer than the client, and than the session: it ends, then 421" {
	hook NOOP <<<'sleep 2.2; echo 250 2.0.0 done'
	options+=(-t 1)
	ask "${hello[@]}" '>NOOP' '<250 2.0.0 done' '<421 4.4.2' '<eof'
	options+=(-t 300 --session-timeout 1)
	ask "${hello[@]}" '>NOOP' '<250 2.0.0 done' '<421 4.4.2' '<eof'
}

@test "SIGTERM while a hook runs: it ends, its reply is said, then 421" {
	hook NOOP <<-'END'
		touch "$NOTES/begun"
		until [ -e "$NOTES/go" ]; do sleep 0.02; done
		echo 250 2.0.0 done
	END
	hook DISCONNECT <<<'echo end >>"$NOTES/notes"'
	py <<-'PY'
		import os, signal
		from session import Session, until
		notes = os.environ["NOTES"]
		smtp = Session("-A", "-q", "-H", os.environ["HOOKS"], "true")
		smtp.talk.line("NOOP")
		until(os.path.exists, f"{notes}/begun")
		smtp.process.send_signal(signal.SIGTERM)
		open(f"{notes}/go", "w").close()
		smtp.talk.expect("250 2.0.0 done")
		smtp.talk.expect("421 4.3.2")
		assert smtp.talk.eof() == b""
		smtp.ended()
	PY
	[ "$(notes)" = end ]
}

@test "SIGTERM while CONNECT runs: it ends, and the client is told" {
	hook CONNECT <<-'END'
		touch "$NOTES/begun"
		until [ -e "$NOTES/go" ]; do sleep 0.02; done
	END
	py <<-'PY'
		import os, signal
		from session import Session, until
		notes = os.environ["NOTES"]
		smtp = Session("-A", "-q", "-H", os.environ["HOOKS"], "true", hello=None)
		until(os.path.exists, f"{notes}/begun")
		smtp.process.send_signal(signal.SIGTERM)
		open(f"{notes}/go", "w").close()
		smtp.talk.expect("220")
		smtp.talk.expect("421 4.3.2")
		assert smtp.talk.eof() == b""
		smtp.ended()
	PY
}

@test "a second SIGTERM does not wait for a hook, and DISCONNECT is not run" {
	hook DISCONNECT <<<'touch "$NOTES/disconnected"'
	hook NOOP <<-'END'
		echo $$ >"$NOTES/pid"
		sleep 60
	END
	py <<-'PY'
		import os, signal
		from session import Session, until
		notes = os.environ["NOTES"]
		smtp = Session("-A", "-q", "-H", os.environ["HOOKS"], "true")
		smtp.talk.line("NOOP")
		until(lambda: os.path.exists(f"{notes}/pid") and open(f"{notes}/pid").read())
		smtp.process.send_signal(signal.SIGTERM)
		smtp.process.send_signal(signal.SIGINT)
		smtp.process.wait(10)
		os.killpg(int(open(f"{notes}/pid").read()), signal.SIGKILL)
		smtp.ended()
	PY
	[ ! -e "$NOTES/disconnected" ]
}

# --- who, where and what it costs

@test "hooks under -l, as nobody where smtpd is root" {
	need_root
	hook CONNECT MAIL <<<'id -un >"$NOTES/$SMTP_VERB"; echo "$TCPREMOTEIP $PROTO" >"$NOTES/peer"'
	serve -A -H "$HOOKS" "$RECORD" "$MAIL"
	talk -s 127.0.0.3 "127.0.0.1:$port" "${hello[@]}" "${transaction[@]}" "${message[@]}" '<250' '>QUIT' '<221'
	stop "$pid"
	[ "$(cat "$NOTES/CONNECT" "$NOTES/MAIL" | paste -sd ' ')" = 'nobody nobody' ]
	[ "$(cat "$NOTES/peer")" = '127.0.0.3 TCP' ]
	[ "$(messages)" -eq 1 ]
}

@test "the directory is read once, at the start; no file, no process, no wait" {
	hook EXPN </dev/null
	trace=$BATS_TEST_TMPDIR/trace
	grep -q __asan_init "$SMTPD" && skip 'sanitizers and strace'
	log=$BATS_TEST_TMPDIR/log.trace
	start "$log" strace -f -qq -o "$trace" \
		-e trace=%file,execve,vfork,clone,clone3,getdents64,fork \
		"$SMTPD" -n -A -l 127.0.0.1:0 -H "$HOOKS" cat
	eventually grep -q 'listening on' "$log"
	port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$log")
	for _ in 1 2; do
		talk "127.0.0.1:$port" "${hello[@]}" '>NOOP' '<250' '>HELP' '<214' '>VRFY x' '<252' \
			"${transaction[@]}" '>RSET' '<250' '>QUIT' '<221' '<eof'
	done
	tracer=$pid
	kill -TERM "$(pgrep -P "$tracer" -x smtpd | head -n 1)"
	reap "$tracer"
	# The path is touched at the start alone, and the folder opened once.
	[ "$(grep -cE "open(at)?\\(.*\"$HOOKS\"" "$trace")" -eq 1 ]
	first=$(head -n 1 "$trace" | cut -d ' ' -f 1)
	run -1 grep -E "^[0-9]+ .*\"$HOOKS" <(grep -v "^$first " "$trace")
	# One to try the sandbox, two for each session, and nothing run.
	[ "$(grep -cE '(clone3?|v?fork)\(' "$trace")" -eq 5 ]
	[ "$(grep -c 'execve(' "$trace")" -eq 1 ]
}

@test "a directory without hooks changes nothing that is said" {
	ask "${hello[@]}" "${transaction[@]}" "${message[@]}" '<250' '>HELP' '<214' '>QUIT' '<221'
	cp "$said" "$BATS_TEST_TMPDIR/with"
	talk pair "${hello[@]}" "${transaction[@]}" "${message[@]}" '<250' '>HELP' '<214' '>QUIT' '<221' \
		-- "$SMTPD" "${options[@]}" "$RECORD" "$MAIL" | tr -d '\r' >"$BATS_TEST_TMPDIR/without"
	diff -u "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/with"
}

@test "the log: what a hook refused, and with --debug every line" {
	hook CONNECT <<<'printf "220-one\n220 two\n"'
	hook RCPT <<<'printf "550-5.7.1 no\n550 5.7.1 never\n"'
	hook NOOP <<<'exit 75'
	options=(-A -d --hostname mx.example.net)
	ask "${hello[@]}" '>MAIL FROM:<a@b>' '<250' '>RCPT TO:<c@d> ' '<550' '>NOOP "x"' '<451' '>QUIT' '<221'
	py "$errors" <<-'PY'
		import sys
		from session import log_lines
		events = [e for e in log_lines(open(sys.argv[1]).read()) if isinstance(e, dict)]
		refused = [(e["command"], e["reply"]) for e in events if e["event"] == "refused"]
		assert refused == [("RCPT TO:<c@d>", "550-5.7.1 no"),
		                   ('NOOP "x"', "451 4.3.0 Temporary failure, try again later")], refused
		said = [e["line"] for e in events if e["event"] == "server"]
		assert said[:2] == ["220-one", "220 two"], said
		assert "250 2.1.0 Sender OK" in said and "550 5.7.1 never" in said, said
		assert said[-1] == "221 2.0.0 Bye", said
		heard = [e["line"] for e in events if e["event"] == "client"]
		assert heard == ["EHLO me.example.org", "MAIL FROM:<a@b>", "RCPT TO:<c@d> ",
		                 'NOOP "x"', "QUIT"], heard
		assert all(e["session"] == events[0]["session"] for e in events)
	PY
	hook CONNECT <<<'echo 554 5.7.1 no'
	options=(-A)
	ask '<554' '>QUIT' '<221'
	grep -q 'event=refused .*command=CONNECT reply="554 5.7.1 no"' "$errors"
}
