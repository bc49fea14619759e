#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-relay against real servers: Postfix, its smtp-sink, aiosmtpd. What they
# get is what was sent; what they say is what the client is told, and nobody is
# told 250 unless they have said so behind the data.
# shellcheck disable=SC2030,SC2031,SC2094,SC2153,SC2154

load lib
load relay
load postfix

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$STAGE"
	large_message "$STAGE/large"
	[ "$(id -u)" -ne 0 ] || postfix_start
}

teardown_file() {
	postfix_end
	unstage
}

setup() {
	relay_setup
	rm -f "$STAGE"/postfix/mail/*/new/*
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] || [ -z "${MASTER:-}" ] ||
		tail -n 10 "$STAGE/postfix/log/maillog" >&2
	end_all
}

# large_message FILE: 32 MiB with CRLF, which is as large as smtpd takes unless
# told; lines of dots and of 100,000 octets, empty ones, all octets but NUL.
large_message() {
	py "$1" <<-'PY'
		import random, sys
		random.seed(7)
		every = bytes(n for n in range(1, 256) if n not in (10, 13))
		lines = [b"Subject: large", b""] + [b".", b"..", b"...", b""] * 1000
		lines += [b"." * 100000, b"x" * 100000, (every * 400)[:100000]] * 3
		left = (1 << 25) - sum(len(line) + 2 for line in lines)
		while left > 200000:
		    lines.append(random.choice((b".", b"", b"..")) + every[random.randrange(200):] *
		                 random.choice((0, 1, 4, 390)))
		    left -= len(lines[-1]) + 2
		for size in 100000, left - 100002 - 2:
		    lines.append(b"." * size)
		octets = b"".join(line + b"\r\n" for line in lines)
		assert len(octets) == 1 << 25
		with open(sys.argv[1], "wb") as file:
		    file.write(octets)
	PY
}

# postfix_start: Postfix in $STAGE/postfix, process $MASTER. Each of its smtpds
# has a line "NAME PORT" in the file ports. It delivers into mail/bob and
# mail/joerg.
postfix_start() {
	local home=$STAGE/postfix
	local smtpds=(plain narrow ascii small blunt slow) ports
	postfix_settle "$home"
	cat >>"$home/config/main.cf" <<-CF
		mynetworks =
		smtpd_relay_restrictions = reject_unauth_destination
		smtpd_end_of_data_restrictions = check_sender_access inline:{
		    {never@example.com = REJECT Not wanted}, {later@example.com = DEFER Not now},
		    {away@example.com = 421 4.7.0 Go away}}
		header_checks = regexp:{{/^Subject: refuse/ REJECT Read and refused}}
		virtual_mailbox_domains = example.org
		virtual_mailbox_maps = inline:{bob@example.org=bob/, jörg@example.org=joerg/}
		virtual_mailbox_base = $home/mail
		virtual_uid_maps = static:8
		virtual_gid_maps = static:8
		virtual_minimum_uid = 8
		virtual_mailbox_limit = 0
		message_size_limit = 40000000
	CF
	mapfile -t ports < <(py "${#smtpds[@]}" <<-'PY'
		import socket, sys
		sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
		print(*(s.getsockname()[1] for s in sockets), sep="\n")
	PY
	)
	{
		# narrow: 7 bits; ascii: no SMTPUTF8; small: SIZE 2000; blunt:
		# the same unsaid; slow: a minute to think behind the data.
		local options=("" "-o smtpd_discard_ehlo_keywords=8bitmime"
			"-o smtputf8_enable=no" "-o message_size_limit=2000"
			"-o message_size_limit=2000 -o smtpd_discard_ehlo_keywords=size"
			"-o {smtpd_end_of_data_restrictions = sleep 60}")
		for i in "${!smtpds[@]}"; do
			echo "127.0.0.1:${ports[i]} inet n - n - - smtpd ${options[i]}"
		done
		echo "virtual unix - n n - - virtual"
	} >>"$home/config/master.cf"
	for i in "${!smtpds[@]}"; do
		echo "${smtpds[i]} ${ports[i]}"
	done >"$home/ports"
	postfix_master "$home" "${ports[@]}"
}

# postfix NAME: the port of that smtpd of Postfix in $port.
postfix() {
	[ -n "${MASTER:-}" ] || skip "needs root"
	port=$(sed -n "s/^$1 //p" "$STAGE/postfix/ports")
	[ -n "$port" ]
}

# queue: the messages that Postfix has in hand.
queue() {
	find "$STAGE"/postfix/queue/{incoming,active,deferred,hold,maildrop} -type f
}

queue_empty() {
	[ -z "$(queue)" ]
}

# in_mailbox: what Postfix has delivered.
in_mailbox() {
	find "$STAGE/postfix/mail" -path '*/new/*'
}

# delivered FILE [REPLY]: Postfix has delivered FILE, octet for octet behind its
# own lines, and nothing else; REPLY is its word on it, with the queue's name of
# it.
delivered() {
	eventually queue_empty
	[ "$(in_mailbox | wc -l)" -eq 1 ]
	py "$(in_mailbox)" "$@" <<-'PY'
		import re, sys
		with open(sys.argv[1], "rb") as file:
		    got = file.read()
		with open(sys.argv[2], "rb") as file:
		    sent = re.sub(rb"\r?\n", b"\n", file.read())
		head = re.match(rb"Return-Path: <.*>\nX-Original-To: .*\nDelivered-To: .*\n"
		                rb"Received: .*\n\tby postfix\.example \(Postfix\) with \w+ id (\w+)\n"
		                rb"(?:\t.*\n)*", got)
		assert head, got[:500]
		assert got[head.end():] == sent
		if sys.argv[3:]:
		    assert sys.argv[3] == f"250 2.0.0 Ok: queued as {head[1].decode()}", sys.argv[3]
	PY
}

# chained ARGUMENT ...: smtpd with these in front of smtpd-relay to $port; now
# $port is its own.
chained() {
	serve --no-received "$@" "$relay" "127.0.0.1:$port"
}

# mail SENDER RECIPIENT FILE [OPTION ...]: what smtplib is told by $port behind
# the data, is in the file reply.
mail() {
	py "$port" "$@" >reply <<-'PY'
		import re, smtplib, sys
		port, sender, recipient, name, *options = sys.argv[1:]
		with open(name, "rb") as file, \
		        smtplib.SMTP("127.0.0.1", int(port), "client.example", timeout=100) as client:
		    client.ehlo()
		    if "SMTPUTF8" in options:
		        client.command_encoding = "utf-8"
		    for code, text in (client.mail(sender, options), client.rcpt(recipient)):
		        assert code == 250, (code, text)
		    code, text = client.data(re.sub(rb"\r?\n", b"\r\n", file.read()))
		    print(code, text.decode())
	PY
}

# told LINE: that was it.
told() {
	printf '%s\n' "$1" | diff -u - reply >&2
}

@test "Postfix: every octet of 32 MiB, end to end, and its word" {
	postfix plain
	chained
	mail ann@example.com bob@example.org "$STAGE/large" BODY=8BITMIME
	delivered "$STAGE/large" "$(cat reply)"
}

@test "Postfix: an unknown recipient, and one that is not its own" {
	postfix plain
	local unknown='550 5.1.1 <eve@example.org>: Recipient address rejected: User unknown in virtual mailbox table' \
		foreign='554 5.7.1 <bob@example.net>: Relay access denied'
	RECIPIENT=bob@example.org relayed 0 --check
	[ ! -s out ]
	RECIPIENT=eve@example.org relayed 69 --check
	replied "$unknown"
	RECIPIENT=bob@example.net relayed 69 --check
	replied "$foreign"
	RECIPIENTS=eve@example.org relayed 69
	replied "$unknown"
	RECIPIENTS=$'bob@example.org\neve@example.org' relayed 69
	replied "$unknown"
	chained
	mail ann@example.com bob@example.net message
	told "$foreign"
	# The one that it knows has got nothing.
	mail ann@example.com bob@example.org message
	delivered message "$(cat reply)"
}

@test "Postfix: too large, before the data where it says SIZE, else behind" {
	postfix small
	local size='552 5.3.4 Message too big for upstream'
	SMTP_MAIL_OPTIONS=SIZE=2001 RECIPIENT=bob@example.org relayed 69 --check
	replied "$size"
	SMTP_MAIL_OPTIONS=SIZE=2000 RECIPIENT=bob@example.org relayed 0 --check
	# 2000 octets with CRLF, and one more.
	printf 'Subject: hi\n\n%01983d\n' 1 >message
	relayed 0
	delivered message "$(cat out)"
	printf 'Subject: hi\n\n%01984d\n' 1 >message
	relayed 69
	replied "$size"
	postfix blunt
	head -c 100000 /dev/zero | tr '\0' x >message
	relayed 69
	replied '552 5.3.4 Error: message file too big'
	queue_empty
	[ "$(in_mailbox | wc -l)" -eq 1 ]
}

@test "Postfix: SMTPUTF8 where it is needed, and refused where there is none" {
	printf 'Subject: Gr\303\274\303\237e\n\n\342\230\203\n' >message
	for name in ascii plain; do
		postfix "$name"
		chained -u
		mail jörg@example.com jörg@example.org message SMTPUTF8 BODY=8BITMIME
		[ "$name" = plain ] || grep -qx '550 5\.6\.7 .*' reply
	done
	delivered message "$(cat reply)"
	# What is ASCII needs none.
	postfix ascii
	rm -f "$STAGE"/postfix/mail/*/new/*
	printf 'Subject: hi\n\nx\n' >message
	chained -u
	mail ann@example.com bob@example.org message SMTPUTF8
	delivered message "$(cat reply)"
}

@test "Postfix without 8BITMIME: 8 bits are refused, 7 are not" {
	postfix narrow
	chained
	printf 'Subject: hi\n\n\303\244\n' >message
	mail ann@example.com bob@example.org message BODY=8BITMIME
	grep -qx '554 5\.6\.3 .*' reply
	printf 'Subject: hi\n\nae\n' >message
	mail ann@example.com bob@example.org message BODY=8BITMIME
	delivered message "$(cat reply)"
}

@test "Postfix refuses behind the data: never 250" {
	postfix plain
	chained
	mail never@example.com bob@example.org message
	told '554 5.7.1 <never@example.com>: Sender address rejected: Not wanted'
	mail later@example.com bob@example.org message
	told '450 4.7.1 <later@example.com>: Sender address rejected: Not now'
	mail away@example.com bob@example.org message
	told '451 4.7.0 <away@example.com>: Sender address rejected: Go away'
	printf 'Subject: refuse\n\nx\n' >refused
	mail ann@example.com bob@example.org refused
	told '550 5.7.1 Read and refused'
	mail ann@example.com bob@example.org message
	delivered message "$(cat reply)"
}

# thinking: Postfix's smtpd at $port has had the data (what it keeps in a buffer
# aside), and is not done.
thinking() {
	[ -n "$(find "$STAGE/postfix/queue/incoming" -type f -size +60k)" ]
}

@test "Postfix dies behind the data: 451, and the message is sent again" {
	postfix slow
	local smtpd=127.0.0.1:$port
	head -c 100000 /dev/zero | tr '\0' '\n' >message
	chained
	mail ann@example.com bob@example.org message 3>&- &
	local client=$!
	started+=("$client")
	eventually thinking
	smtpd=$(pgrep -P "$MASTER" -f "smtpd -n $smtpd ")
	kill -KILL "$smtpd"
	reap "$client"
	grep -qx '451 4\.4\.2 .*' reply
	postfix plain
	chained
	mail ann@example.com bob@example.org message
	delivered message "$(cat reply)"
}

# sink_start OPTION ...: Postfix's smtp-sink at $port.
sink_start() {
	need_root
	local usr=$BUILD/peers/postfix/usr
	port=$(free_port)
	mkdir -p sunk
	LD_LIBRARY_PATH=$usr/lib/postfix MAIL_CONFIG=$PWD/config \
		start "$BATS_TEST_TMPDIR/log.sink" \
		"$usr/sbin/smtp-sink" -u root "$@" "127.0.0.1:$port" 100
	eventually listening "$port"
}

# sunk FILE: smtp-sink has got one message, behind its own lines FILE octet for
# octet. It puts an empty line behind it.
sunk() {
	{ sed 's/\r$//' "$1" && echo; } >sent
	[ "$(find sunk -type f | wc -l)" -eq 1 ]
	sed '1,/^\tby smtp-sink/d' sunk/* | sed 1d | cmp - sent
}

@test "smtp-sink: every octet of 32 MiB, from swaks a small one" {
	sink_start -d "$PWD/sunk/%s."
	chained
	mail ann@example.com bob@example.org "$STAGE/large" BODY=8BITMIME
	told '250 2.0.0 Ok'
	sunk "$STAGE/large"
	rm sunk/*
	swaks --server "127.0.0.1:$port" --from ann@example.com \
		--to bob@example.org,cid@example.org --data @message >swaks
	grep -q '^<-  250 2\.0\.0 Ok' swaks
	grep -qx 'X-Rcpt-Args: <cid@example.org>' sunk/*
	sed '1,/^\tby smtp-sink/d' sunk/* | grep -qx '\.\.dot'
}

@test "smtp-sink refuses, and hangs up, at each stage: never 250" {
	local stage option
	for stage in CONNECT EHLO,HELO MAIL RCPT DATA .; do
		for option in f r Q q; do
			sink_start "-$option" "$stage"
			chained
			mail ann@example.com bob@example.org message
			case $option in
			f) grep -qx '5[05]0 5\.[37]\.0 .*' reply ;;
			*) grep -qx '45[01] 4\..*' reply ;;
			esac
			end_all
		done
	done
}

# aio KIND [LINE [SIZE]]: aiosmtpd at $port.
aio() {
	/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || skip "no aiosmtpd"
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log.aio" /usr/bin/python3 \
		"$BATS_TEST_DIRNAME/aio.py" "$port" "$@"
	eventually listening "$port"
}

@test "aiosmtpd: --check as the RCPT hook: who is not known, nobody there, and mail" {
	aio smtp
	mkdir hooks
	chmod 755 . hooks
	printf '#!/bin/sh\nexec "%s" --check "127.0.0.1:%s"\n' "$relay" "$port" >hooks/RCPT
	chmod 755 hooks/RCPT
	session() { # STEP ...
		talk -t 20 pair '<220' '>EHLO me' '<250' '>MAIL FROM:<ann@example.com>' '<250' "$@" '>QUIT' '<221' \
			-- "$SMTPD" -q -n -A -H "$PWD/hooks" "$relay" "127.0.0.1:$port" | tr -d '\r' >said
	}
	# The transaction goes on without him.
	session '>RCPT TO:<no@example.org>' '<550 5.1.1 No such user' '>DATA' '<503' \
		'>RCPT TO:<bob@example.org>' '<250 2.1.5' '>RCPT TO:<nobody@example.org>' '<550 5.1.1 No such user' \
		'>RCPT TO:<cid@example.org>' '<250 2.1.5' '>DATA' '<354' '=message' '<250 2.0.0 aio'
	grep -qF "ann@example.com ['bob@example.org', 'cid@example.org']" got.envelope
	cp got before
	# It is asked with the sender, too: aiosmtpd takes no message now.
	kill "$pid"
	ended "$pid"
	session '>RCPT TO:<bob@example.org>' '<451 4.4.1' '>DATA' '<503' '>RCPT TO:<cid@example.org>' '<451 4.4.1'
	cmp before got
}

@test "smtp-sink: --check as the RCPT hook is told later, never, or nothing" {
	local option code
	mkdir hooks
	chmod 755 . hooks
	for option in '' -fRCPT -rRCPT -QRCPT -qRCPT -rMAIL -fCONNECT; do
		case $option in
		'') code=250 ;;
		-f*) code=5 ;;
		*) code=4 ;;
		esac
		# shellcheck disable=SC2086 # nothing, if there is none
		sink_start ${option:+"${option:0:2}" "${option:2}"}
		printf '#!/bin/sh\nexec "%s" --check "127.0.0.1:%s"\n' "$relay" "$port" >hooks/RCPT
		chmod 755 hooks/RCPT
		talk -t 20 pair '<220' '>EHLO me' '<250' '>MAIL FROM:<ann@example.com>' '<250' \
			'>RCPT TO:<bob@example.org>' "<$code" '>RSET' '<250' '>QUIT' '<221' \
			-- "$SMTPD" -q -n -A -H "$PWD/hooks" true >said
		end_all
	done
}

@test "aiosmtpd: every octet of 32 MiB, end to end, and its word" {
	aio smtp 1000000
	chained
	mail ann@example.com bob@example.org "$STAGE/large" BODY=8BITMIME
	told '250 2.0.0 aio'
	cmp "$STAGE/large" got
	grep -q BODY=8BITMIME got.envelope
	mail ann@example.com no@example.org message
	told '550 5.1.1 No such user'
}

@test "aiosmtpd refuses behind the data: never 250" {
	aio smtp 1001 5000
	chained
	mail 450@example.com bob@example.org message
	told '450 4.7.1 Not 450'
	mail 554@example.com bob@example.org message
	told '554 5.7.1 Not 554'
	mail 421@example.com bob@example.org message
	told '451 4.7.1 Not 421'
	mail raise@example.com bob@example.org message
	told '500 Error: (RuntimeError) out of order'
	# Lines have 1001 octets at most, with CRLF, and all of them 5000.
	printf 'Subject: x\n\n%01000d\n' 1 >message
	mail ann@example.com bob@example.org message
	told '500 Line too long (see RFC5321 4.5.3.1.6)'
	seq 2000 >message
	mail ann@example.com bob@example.org message
	grep -qx '552 5\.3\.4 .*' reply
	[ ! -e got ]
	printf 'Subject: x\n\n%0999d\n' 1 >message
	mail ann@example.com bob@example.org message
	told '250 2.0.0 aio'
	sed 's/$/\r/' message | cmp - got
}

@test "aiosmtpd's LMTP: a reply each, and one for two recipients" {
	aio lmtp
	RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 0 --lmtp
	replied '250 2.0.0 aio' '250 2.0.0 two'
	end_all
	aio short
	RECIPIENTS=$two relayed 75 --lmtp -t 2
	replied '451 4.4.2 *'
	[ -s got ]
	relayed 0 --lmtp
	replied '250 2.0.0 aio'
}
