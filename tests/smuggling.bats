#!/usr/bin/env bats
# shellcheck shell=bats
# SMTP smuggling (CVE-2023-51764 and its kin): exactly one message, or none,
# and no command inside a message is ever executed.

load lib

setup_file() {
	stage
	cat >"$STAGE/keep-sender" <<-'KEEP'
		#!/bin/sh
		{ printf '%s\n' "$SENDER"; exec cat; } >"$1/$SMTP_SESSION.$$"
	KEEP
	chmod 755 "$STAGE/keep-sender"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
}

# smuggle POLICY lf|crlf OPTION ...
smuggle() {
	local policy=$1 ends=$2
	shift 2
	"$PYTHON" "$BATS_TEST_DIRNAME/smuggling.py" "$policy" "$ends" "$MAIL" \
		"$SMTPD" -A -q --no-received "$@" "$STAGE/keep-sender" "$MAIL"
}


@test "-b reject, the default: one message, or 550 5.6.0 and none" {
	smuggle reject lf
}

@test "-b reject -C" {
	smuggle reject crlf -b reject -C
}

@test "-b normalize: a bare LF is a line end, never the end" {
	smuggle normalize lf -b normalize
}

@test "-b normalize -C" {
	smuggle normalize crlf --bare-newline=normalize --crlf
}

@test "a bare LF in a command line: nothing of the line is executed" {
	talk pair '<220' '>EHLO me' '<250' \
		'+NOOP\nMAIL FROM:<evil@example.org>\r\n' '<500 5.5.2' \
		'>RCPT TO:<victim@example.net>' '<503 5.5.1' \
		'+MAIL FROM:<a@example.org>\nRCPT TO:<b@example.net>\nDATA\r\nNOOP\r\n' \
		'<500 5.5.2' '<500 5.5.2' '<250 2.0.0' \
		'+\n\n\n\r\nNOOP\r\n' '<500 5.5.2' '<500 5.5.2' '<500 5.5.2' '<250' \
		'>DATA' '<503 5.5.1' '>QUIT' '<221' '<eof' \
		-- "$SMTPD" -A -q "$STAGE/keep-sender" "$MAIL"
	[ "$(messages)" -eq 0 ]
}

@test "-b normalize: a bare LF ends a command line" {
	printf 'Subject: x\n\n' >"$BATS_TEST_TMPDIR/sent"
	talk pair '<220' '+EHLO me\n' '<250' \
		'+MAIL FROM:<a@example.org>\nRCPT TO:<b@example.net>\r\n' '<250' '<250' \
		'+DATA\n' '<354' "=$BATS_TEST_TMPDIR/sent" '<250' '+QUIT\n' '<221' '<eof' \
		-- "$SMTPD" -A -q -b normalize "$STAGE/keep-sender" "$MAIL"
	[ "$(messages)" -eq 1 ]
}

@test "a bare CR in a command line is one error, whatever the policy" {
	local policy
	for policy in reject normalize; do
		talk pair '<220' '>EHLO me' '<250' \
			'+NOOP\rMAIL FROM:<evil@example.org>\r\n' '<50' \
			'+MAIL FROM:<a@example.org>\rRCPT TO:<b@example.net>\r\n' '<50' \
			'>RCPT TO:<victim@example.net>' '<503 5.5.1' '>QUIT' '<221' '<eof' \
			-- "$SMTPD" -A -q -b "$policy" "$STAGE/keep-sender" "$MAIL"
	done
	[ "$(messages)" -eq 0 ]
}

@test "a message that is refused for a bare LF leaves the session in step" {
	printf 'Subject: fine\n\n' >"$BATS_TEST_TMPDIR/sent"
	talk pair '<220' '>EHLO me' '<250' \
		'>MAIL FROM:<a@example.org>' '<250' '>RCPT TO:<b@example.net>' '<250' \
		'>DATA' '<354' '+Subject: bare\n\r\n.\r\n' '<550 5.6.0' \
		'>RCPT TO:<b@example.net>' '<503 5.5.1' \
		'>MAIL FROM:<c@example.org>' '<250' '>RCPT TO:<d@example.net>' '<250' \
		'>DATA' '<354' "=$BATS_TEST_TMPDIR/sent" '<250' '>QUIT' '<221' '<eof' \
		-- "$SMTPD" -A -q --no-received "$STAGE/keep-sender" "$MAIL"
	[ "$(messages)" -eq 1 ]
	printf 'c@example.org\nSubject: fine\n\n' | cmp - "$MAIL"/*
}
