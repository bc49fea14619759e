#!/usr/bin/env bats
# shellcheck shell=bats
# Each call of a whole session that can fail fails once (faults.py, faults.c):
# the message is delivered once, or the client is told 4xx; nothing is left. All
# errors of all calls, in all sessions, are make faults.

load lib

setup_file() {
	stage
	ldd "$SMTPD" 2>/dev/null | grep -q 'libc\.so\.6' || return 0
	! grep -q __asan_init "$SMTPD" || return 0
	cp "$BUILD/tests/faults.so" "$SMTPD_BIN/smtpd-maildir" \
		"$SMTPD_BIN/smtpd-relay" "$STAGE"
	chmod 755 "$STAGE"/*
}

teardown_file() {
	unstage
}

# faults SCENARIO ...: the first error of each call; as make faults has it, all.
faults() {
	[ -e "$STAGE/faults.so" ] || skip "nothing can be loaded before it"
	"$PYTHON" "$BATS_TEST_DIRNAME/faults.py" ${FAULTS_ALL:+-f} "${@/#/-s}"
}

@test "one message: in memory, in a file" {
	faults small medium
}

@test "LMTP, logins, a PROXY header" {
	faults lmtp auth proxy
}

@test "a listener, which goes on" {
	faults listener
}

@test "smtpd-maildir: all or none" {
	faults maildir longmaildir maildirs
}

@test "smtpd-maildir as root, for users" {
	need_root
	faults workers
}

@test "smtpd-relay to a second smtpd" {
	faults relay
}

@test "larger than a pipe, in chunks" {
	[ -n "${FAULTS_ALL:-}" ] || skip "make faults"
	faults large bdat
}

@test "hooks at each step, a mechanism" {
	[ -n "${FAULTS_ALL:-}" ] || skip "make faults"
	faults hooks mechanism
}
