#!/usr/bin/env bats
# shellcheck shell=bats
# A chain: client, smtpd, smtpd-relay, smtpd, smtpd-maildir. What the client was
# told 250 for is in the Maildir, once, and nothing else is, whatever happens to
# the second smtpd.
# shellcheck disable=SC2030,SC2031,SC2154

load lib

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$SMTPD_BIN/smtpd-maildir" "$STAGE"
	# The command of the second: slowly SECONDS MAILDIR. It is slow so that
	# there are always messages in hand.
	cat >"$STAGE/slowly" <<-'END'
		#!/bin/sh
		sleep "$1" && exec "${0%/*}/smtpd-maildir" --create "$2"
	END
	chmod 755 "$STAGE/slowly"
}

teardown_file() {
	unstage
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	forget_messages
	maildir=$MAIL/box second_port=0
	# By 16 clients: long enough for three stops. More is make faults.
	count=400 pause=0.25
	[ -z "${FAULTS_ALL:-}" ] || count=2000 pause=0.05
}

teardown() {
	end_all
}

# first: the beginning of the chain, at $port; its end is at $second_port.
first() {
	serve "$STAGE/smtpd-relay" "127.0.0.1:$second_port"
}

# second: its end, process $second, at $second_port (0: any).
second() {
	serve_at "127.0.0.1:$second_port" "$STAGE/slowly" "$pause" "$maildir"
	second=$pid second_port=$port
}

# arrived [FILE]: every message, once, octet for octet.
arrived() {
	"$PYTHON" "$BATS_TEST_DIRNAME/chain.py" check "$maildir" "$count" "$@"
}

# disturbed SERVER: $count messages by a client that does not give up, while
# what SERVER started is stopped and started every second: all arrive. There were
# three stops, with messages in hand and on their way, which were told 451; the
# first never hung up.
disturbed() {
	local client stops=0 report=$BATS_TEST_TMPDIR/log.client
	start "$report" "$PYTHON" "$BATS_TEST_DIRNAME/chain.py" \
		send "$port" "$count" 16
	client=$pid
	until gone "$client"; do
		sleep 1
		"stop_$1"
		"$1"
		stops=$((stops + 1))
	done
	tail -n 1 "$report"
	reap "$client"
	arrived
	[ "$stops" -ge 3 ]
	grep -q 'event=end reason=stop messages=1' "$BATS_TEST_TMPDIR"/log.*
	tail -n 1 "$report" | grep -qx "$count accepted, [1-9][0-9]* refused, 0 lost"
	run ! grep -vE '^[0-9]+: 451 |^[0-9]+ accepted, ' "$report"
}

stop_second() {
	stop "$second"
}

@test "smtp-source, smtpd, smtpd-relay, smtpd, smtpd-maildir: none lost, none twice" {
	pause=0.05
	second
	first
	printf 'Subject: 8 bits and dots\n\n\303\244\377\n.\n..\n.x\n' >sent
	LD_LIBRARY_PATH=$BUILD/peers/postfix/usr/lib/postfix timeout 100 \
		"$BUILD/peers/postfix/usr/sbin/smtp-source" -N -s 16 -m "$count" \
		-F sent -f a@example.org -t to@example.net "127.0.0.1:$port"
	arrived sent
}

@test "the second is stopped and started every second: none lost, none twice" {
	second
	first
	disturbed second
}

# launched: the same under tcpserver.
launched() {
	[ "$second_port" -ne 0 ] || second_port=$(free_port)
	start "$BATS_TEST_TMPDIR/log.${#started[@]}" tcpserver -HRl0 -c 100 \
		127.0.0.1 "$second_port" "$SMTPD" "$STAGE/slowly" "$pause" "$maildir"
	second=$pid
	eventually listening "$second_port"
}

deaf() {
	! listening "$1"
}

# stop_launched: tcpserver, and each of its smtpds. One that is being started
# still holds the socket.
stop_launched() {
	local sessions session
	mapfile -t sessions < <(pgrep -P "$second")
	kill -TERM "$second"
	for session in "${sessions[@]}"; do
		kill -TERM "$session" 2>/dev/null || continue # it has ended
	done
	reap "$second"
	eventually deaf "$second_port"
}

@test "the same under tcpserver" {
	launched
	first
	disturbed launched
}
