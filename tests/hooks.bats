#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016
# Hooks (-H DIR): when they run, what they get, what they may say and what it
# does: smtpd-hooks(7).

load lib

# Every name that smtpd asks a hook by, but those of AUTH, STARTTLS and LMTP.
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

@test "what is cut from a flood of variables is no consent" {
	hook NOOP <<<'yes X_A=1 | head -n 5000; echo 550 5.7.1 no'
	ask "${hello[@]}" '>NOOP' '<451 4.3.0' '>QUIT' '<221'
	hook NOOP <<<'yes X_A=1 | head -n 2500; echo 550 5.7.1 no'
	ask "${hello[@]}" '>NOOP' '<550 5.7.1 no' '>QUIT' '<221'
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
	# Killed: what it had printed is ignored, variables too.
	hook NOOP <<<'echo X_A=1; echo 250 fine; kill -KILL $$'
	hook VRFY <<<'echo "250 [$X_A]"'
	ask "${hello[@]}" '>NOOP' '<451 4.3.0 Temporary failure' \
		'>VRFY x' '<250 []' '>QUIT' '<221'
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

@test "SMTP_HELO is not set by a HELO or EHLO that was refused" {
	hook HELO EHLO <<<'exit 1'
	hook NOOP <<<'echo "250 2.0.0 ${SMTP_HELO-none} $SMTP_PROTOCOL"'
	ask '<220' '>EHLO me' '<451' '>NOOP' '<250 2.0.0 none SMTP' \
		'>HELO me' '<451' '>NOOP' '<250 2.0.0 none SMTP' '>QUIT' '<221'
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
	[ "$(notes | tail -n 1)" != done ]
	touch "$NOTES/go"
	eventually grep -q done "$NOTES/notes"
	[ "$(notes | paste -sd ' ')" = 'connect begun done' ]
	stop "$pid"
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
	ask '<220' '>EXPN x' '<451 4.3.5' '>HELP' '<451 4.3.5' '>QUIT' '<221'
	for how in 644 755; do
		rm -rf "$HOOKS/CONNECT"
		printf '#!/no/such/interpreter\n' >"$HOOKS/CONNECT"
		chmod "$how" "$HOOKS/CONNECT"
		ask '<421 4.3.5' '<eof'
	done
}

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
	grep -q 'time-out' "$errors"
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
