#!/usr/bin/env bats
# shellcheck shell=bats
# A client that hangs up at every single octet of a transaction: the command
# has not run unless the final CRLF.CRLF had arrived, nothing stays behind,
# and the exit status is 0.

load lib

setup_file() {
	stage
	cp "$BATS_TEST_DIRNAME/keep" "$STAGE"
	mkdir -m 1777 "$STAGE/tmp"
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

# hang_up KIND HOW: at every octet; smtpd may leave no file anywhere.
hang_up() {
	cd "$STAGE/tmp" || return
	TMPDIR=$STAGE/tmp "$PYTHON" "$BATS_TEST_DIRNAME/hangup.py" "$1" "$2" "$MAIL" \
		"$SMTPD" -A -q --no-received "$STAGE/keep" "$MAIL"
	[ -z "$(ls -A "$STAGE/tmp")" ]
	[ -z "$(ls -A "$MAIL")" ]
}

@test "a socket pair that is closed" {
	hang_up pair close
}

@test "a socket pair, no more to come but all replies read" {
	hang_up pair half
}

@test "two pipes that are closed" {
	hang_up pipe close
}

@test "a TCP connection that is closed" {
	hang_up tcp close
}

@test "a TCP connection that is reset" {
	hang_up tcp reset
}

@test "a hang-up does not stop a command that runs" {
	cat >"$STAGE/gate" <<-'GATE'
		#!/bin/sh
		: >"$1/started"
		tries=1000
		until [ -e "$1/go" ]; do
			[ $((tries -= 1)) -gt 0 ] || exit 75
			sleep 0.02
		done
		cat >"$1/message"
	GATE
	chmod 755 "$STAGE/gate"
	local how
	for how in close reset; do
		rm -rf "$STAGE/d"
		mkdir -m 1777 "$STAGE/d"
		py "$how" "$STAGE/d" "$SMTPD" -A -q --no-received "$STAGE/gate" "$STAGE/d" <<-'PY'
			import os, sys, time
			from talk import adopt_orphans, no_orphans, spawn
			how, folder, *command = sys.argv[1:]
			adopt_orphans()
			talk, process = spawn("tcp", command)
			talk.send(b"EHLO me\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\n"
			          b"DATA\r\nSubject: last\r\n\r\n.\r\n")
			end = time.monotonic() + 10
			while not os.path.exists(folder + "/started"):
			    assert time.monotonic() < end
			    time.sleep(0.005)
			getattr(talk, how)()
			open(folder + "/go", "w").close()
			assert process.wait(10) == 0, process.returncode
			assert no_orphans() == 0
		PY
		printf 'Subject: last\n\n' | cmp - "$STAGE/d/message"
	done
}

@test "a connection that is gone before smtpd starts" {
	py "$SMTPD" -A -q "$STAGE/keep" "$MAIL" <<-'PY'
		import struct, socket, subprocess, sys
		from talk import adopt_orphans, no_orphans, tcp_pair
		adopt_orphans()
		for linger in (0, 1):
		    for kind in (tcp_pair, socket.socketpair):
		        ours, theirs = kind()
		        if kind is tcp_pair:
		            ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		                            struct.pack("ii", linger, 0))
		        ours.close()
		        process = subprocess.Popen(sys.argv[1:], stdin=theirs, stdout=theirs)
		        theirs.close()
		        assert process.wait(10) == 0, (linger, kind, process.returncode)
		        assert no_orphans() == 0
	PY
	[ "$(messages)" -eq 0 ]
}
