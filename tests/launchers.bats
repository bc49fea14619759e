#!/usr/bin/env bats
# shellcheck shell=bats
# The same binary under every launcher: ten connections at once, two messages
# on each, every octet and the peer's address as they were sent.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154,SC2317

load lib

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
	# A command that waits until it is told to go on: gate DIR.
	cat >"$STAGE/gate" <<-'GATE'
		#!/bin/sh
		: >"$1/started"
		tries=1000
		until [ -e "$1/go" ]; do
			[ $((tries -= 1)) -gt 0 ] || exit 75
			sleep 0.02
		done
		cat >"$1/message"
		: >"$1/done"
	GATE
	chmod 755 "$STAGE/gate"
}

teardown_file() {
	unstage
}

setup() {
	if [ "$(id -u)" -eq 0 ]; then
		user=nobody
	else
		user=$(id -un)
	fi
	started_as=$(id -un)
	forget_messages
}

teardown() {
	end_all
}

# all_at_once ADDRESS [OPTION ...]: ten connections, two messages on each.
all_at_once() {
	local address=$1
	shift
	deliver -c 10 -m 2 --user "$user" "$@" "$address" "$MAIL"
}

# transcript: a session of two messages in one go.
transcript() {
	printf '%s\r\n' 'EHLO client.example.org' \
		'MAIL FROM:<from@example.org>' 'RCPT TO:<to@example.net>' DATA \
		'Subject: in one go' '' '..stuffed' 'last' . \
		'MAIL FROM:<>' 'RCPT TO:<second@example.net>' DATA \
		'Subject: second' '' '.' QUIT
}

# transcript_arrived: both messages of transcript, octet for octet.
transcript_arrived() {
	printf 'Subject: in one go\n\n.stuffed\nlast\n' >"$BATS_TEST_TMPDIR/first"
	printf 'Subject: second\n\n' >"$BATS_TEST_TMPDIR/second"
	[ "$(messages)" -eq 2 ]
	local folder
	for folder in "$MAIL"/*; do
		if grep -qz '^RECIPIENT=second@' "$folder/env"; then
			cmp "$folder/message" "$BATS_TEST_TMPDIR/second"
			grep -qzx 'SENDER=' "$folder/env"
		else
			cmp "$folder/message" "$BATS_TEST_TMPDIR/first"
			grep -qzx 'SENDER=from@example.org' "$folder/env"
		fi
		run ! grep -zE '^(PROTO|TCPREMOTEIP|TCPREMOTEPORT|TCPLOCALIP|TCPLOCALPORT)=' "$folder/env"
		[ "$(paste -sd' ' "$folder/fd")" = "0 1 2 3" ]
	done
}

# child_of PID: prints its only child.
child_of() {
	pgrep -P "$1"
}

### The launchers

@test "inetd nowait" {
	port=$(free_port)
	echo "127.0.0.1:$port stream tcp nowait $started_as $SMTPD smtpd --no-received -- $RECORD $MAIL" >"$BATS_TEST_TMPDIR/conf"
	start "$BATS_TEST_TMPDIR/log" "$BUILD/peers/openbsd-inetd/usr/sbin/inetd" -i -R 0 "$BATS_TEST_TMPDIR/conf"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
}

@test "inetd wait: one smtpd accepts for all, and SIGTERM ends it" {
	port=$(free_port)
	echo "127.0.0.1:$port stream tcp wait $started_as $SMTPD smtpd --no-received -- $RECORD $MAIL" >"$BATS_TEST_TMPDIR/conf"
	start "$BATS_TEST_TMPDIR/log" "$BUILD/peers/openbsd-inetd/usr/sbin/inetd" -i -R 0 "$BATS_TEST_TMPDIR/conf"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	local child
	child=$(child_of "$pid")
	kill -TERM "$child"
	ended "$child"
	# Inetd listens on; the next connection starts another.
	all_at_once "127.0.0.1:$port"
	child=$(child_of "$pid")
	kill -TERM "$child"
	ended "$child"
}

@test "xinetd" {
	port=$(free_port)
	cat >"$BATS_TEST_TMPDIR/conf" <<-CONF
		service smtpd
		{
			type = UNLISTED
			socket_type = stream
			protocol = tcp
			bind = 127.0.0.1
			port = $port
			wait = no
			user = $started_as
			instances = 100
			cps = 1000 1
			log_type = FILE $BATS_TEST_TMPDIR/sessions
			log_on_success = PID EXIT
			server = $SMTPD
			server_args = --no-received -- $RECORD $MAIL
		}
	CONF
	start "$BATS_TEST_TMPDIR/log" "$BUILD/peers/xinetd/usr/sbin/xinetd" \
		-dontfork -f "$BATS_TEST_TMPDIR/conf" -pidfile "$BATS_TEST_TMPDIR/pid"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	ended_well() {
		[ "$(grep -c 'EXIT: .*status=0' "$BATS_TEST_TMPDIR/sessions")" -eq 10 ]
	}
	eventually ended_well
}

@test "tcpserver, and descriptors that it leaks" {
	port=$(free_port)
	# Anything on 7 and 23 must not reach the command.
	start "$BATS_TEST_TMPDIR/log" tcpserver -v -HR -l0 127.0.0.1 "$port" \
		"$SMTPD" --no-received "$RECORD" "$MAIL" 7</dev/null 23>/dev/null
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	ended_well() {
		[ "$(grep -c '^tcpserver: end [0-9]* status 0$' "$BATS_TEST_TMPDIR/log")" -eq 10 ]
	}
	eventually ended_well
}

@test "tcpsvd" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" tcpsvd -v -l0 127.0.0.1 "$port" \
		"$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	ended_well() {
		[ "$(grep -c ': end [0-9]* exit 0$' "$BATS_TEST_TMPDIR/log")" -eq 10 ]
	}
	eventually ended_well
}

@test "systemd, Accept=yes" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" systemd-socket-activate -l "127.0.0.1:$port" \
		--accept --inetd "$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	ended_well() {
		[ "$(grep -c 'died with code 0$' "$BATS_TEST_TMPDIR/log")" -eq 10 ]
	}
	eventually ended_well
}

@test "systemd, Accept=no: LISTEN_FDS" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" systemd-socket-activate -l "127.0.0.1:$port" \
		"$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	stop "$pid"
}

@test "systemd, Accept=no: two sockets in LISTEN_FDS" {
	local other
	port=$(free_port) other=$(free_port)
	start "$BATS_TEST_TMPDIR/log" systemd-socket-activate -l "127.0.0.1:$port" \
		-l "127.0.0.1:$other" "$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually listening "$port"
	eventually listening "$other"
	all_at_once "127.0.0.1:$port"
	all_at_once "127.0.0.1:$other"
	stop "$pid"
}

@test "systemd, Accept=no, the listening socket as descriptor 0" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" systemd-socket-activate -l "127.0.0.1:$port" \
		--inetd "$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
	stop "$pid"
}

@test "a connected socket in LISTEN_FDS" {
	# Accepts so many connections, hands each to a command of its own as
	# descriptor 3, and exits 0 if all of them do.
	cat >"$BATS_TEST_TMPDIR/served.py" <<-'SERVED'
		import os, socket, sys
		listener = socket.create_server(("127.0.0.1", 0), backlog=32)
		print("listening on 127.0.0.1:%d" % listener.getsockname()[1], flush=True)
		for _ in range(int(sys.argv[1])):
		    connection, _ = listener.accept()
		    if os.fork() == 0:
		        null = os.open("/dev/null", os.O_RDWR)
		        os.dup2(null, 0)
		        os.dup2(null, 1)
		        os.dup2(connection.fileno(), 3)
		        os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()),
		                          LISTEN_FDNAMES="connection", NOTIFY_SOCKET="/nowhere")
		        os.execv(sys.argv[2], sys.argv[2:])
		    connection.close()
		statuses = [os.wait()[1] for _ in range(int(sys.argv[1]))]
		sys.exit(any(statuses))
	SERVED
	start "$BATS_TEST_TMPDIR/log" "$PYTHON" "$BATS_TEST_TMPDIR/served.py" 10 \
		"$SMTPD" --no-received "$RECORD" "$MAIL"
	eventually grep -q listening "$BATS_TEST_TMPDIR/log"
	port=$(sed -n 's/^listening on 127.0.0.1://p' "$BATS_TEST_TMPDIR/log")
	all_at_once "127.0.0.1:$port"
	reap "$pid"
}

@test "LISTEN_FDS meant for another process is ignored" {
	transcript >"$BATS_TEST_TMPDIR/in"
	# A socket waits on descriptor 3; were it served, 0 would not be.
	py "$BATS_TEST_TMPDIR/in" "$SMTPD" --no-received "$RECORD" "$MAIL" <<-'PY'
		import os, socket, subprocess, sys
		ours, theirs = socket.socketpair()
		os.dup2(theirs.fileno(), 3)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		with open(sys.argv[1]) as transcript:
		    process = subprocess.run(sys.argv[2:], stdin=transcript, pass_fds=[3],
		                             stdout=subprocess.DEVNULL, timeout=10)
		sys.exit(process.returncode)
	PY
	transcript_arrived
}

@test "socat EXEC, a socket pair" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" socat -d \
		"TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,backlog=32" \
		"EXEC:$SMTPD --no-received $RECORD $MAIL"
	eventually listening "$port"
	# That the peer is trusted, too, comes from SOCAT_PEERADDR.
	all_at_once "127.0.0.1:$port" --peer remote
}

@test "socat EXEC,nofork, the connection itself" {
	port=$(free_port)
	start "$BATS_TEST_TMPDIR/log" socat -d \
		"TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,backlog=32" \
		"EXEC:$SMTPD --no-received $RECORD $MAIL,nofork"
	eventually listening "$port"
	all_at_once "127.0.0.1:$port"
}

@test "a pipe" {
	transcript | "$SMTPD" -A --no-received "$RECORD" "$MAIL" >"$BATS_TEST_TMPDIR/out"
	transcript_arrived
	tail -n 1 "$BATS_TEST_TMPDIR/out" | grep -q '^221 2\.'
}

@test "a pipe may carry anyone: without -A it is not trusted" {
	transcript | "$SMTPD" --no-received "$RECORD" "$MAIL" >"$BATS_TEST_TMPDIR/out"
	[ "$(messages)" -eq 0 ]
	[ "$(grep -c '^550 5\.7\.1 ' "$BATS_TEST_TMPDIR/out")" -eq 2 ]
}

@test "a regular file" {
	transcript >"$BATS_TEST_TMPDIR/in"
	"$SMTPD" --no-received "$RECORD" "$MAIL" \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	transcript_arrived
	tail -n 1 "$BATS_TEST_TMPDIR/out" | grep -q '^221 2\.'
}

@test "a terminal, where LF is the line end" {
	py "$SMTPD" --no-received "$RECORD" "$MAIL" <<-'PY'
		import os, pty, subprocess, sys
		from talk import Conversation
		master, slave = pty.openpty()
		process = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave)
		os.close(slave)
		talk = Conversation(fds=(master, master))
		def until(code):
		    # The terminal echoes what we send.
		    while not talk.reply().startswith(code):
		        pass
		until(b"220")
		for text, code in (
		        ("EHLO me", b"250"), ("MAIL FROM:<from@example.org>", b"250 2"),
		        ("RCPT TO:<to@example.net>", b"250 2"), ("DATA", b"354"),
		        ("Subject: in one go\n\n..stuffed\nlast\n.", b"250 2"),
		        ("MAIL FROM:<>", b"250 2"), ("RCPT TO:<second@example.net>", b"250 2"),
		        ("DATA", b"354"), ("Subject: second\n\n.", b"250 2"), ("QUIT", b"221")):
		    talk.send(text.encode() + b"\n")
		    until(code)
		sys.exit(process.wait(10))
	PY
	transcript_arrived
}

### The listener

@test "-l with an IPv4 address" {
	serve --no-received "$RECORD" "$MAIL"
	all_at_once "127.0.0.1:$port"
	stop "$pid"
}

@test "-l with an IPv6 address" {
	[ -e /proc/net/if_inet6 ] || skip "no IPv6 here"
	serve_at '[::1]:0' --no-received "$RECORD" "$MAIL"
	all_at_once "[::1]:$port"
	stop "$pid"
}

@test "-l without a host: IPv4 peers are written as IPv4" {
	port=$(free_port)
	serve_at ":$port" --no-received "$RECORD" "$MAIL"
	all_at_once "127.0.0.1:$port"
	[ ! -e /proc/net/if_inet6 ] || all_at_once "[::1]:$port"
	stop "$pid"
}

@test "-l unix:PATH, also where an earlier run left the socket" {
	serve_at "unix:$BATS_TEST_TMPDIR/socket" --no-received "$RECORD" "$MAIL"
	all_at_once "unix:$BATS_TEST_TMPDIR/socket"
	stop "$pid"
	serve_at "unix:$BATS_TEST_TMPDIR/socket" --no-received "$RECORD" "$MAIL"
	all_at_once "unix:$BATS_TEST_TMPDIR/socket"
	kill -KILL "$pid"
	ended "$pid"
	serve_at "unix:$BATS_TEST_TMPDIR/socket" --no-received "$RECORD" "$MAIL"
	all_at_once "unix:$BATS_TEST_TMPDIR/socket"
}

@test "-l several times" {
	local other
	other=$(free_port)
	serve_at "unix:$BATS_TEST_TMPDIR/socket" -l "127.0.0.1:$other" \
		--listen=127.0.0.1:0 --no-received "$RECORD" "$MAIL"
	eventually grep -q "listening on 127.0.0.1:$other" "$log"
	[ "$(grep -c 'listening on ' "$log")" -eq 3 ]
	all_at_once "127.0.0.1:$other"
	all_at_once "127.0.0.1:$port"
	all_at_once "unix:$BATS_TEST_TMPDIR/socket"
	stop "$pid"
}

@test "a listener ignores what its own environment says of a peer" {
	PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPREMOTEPORT=25 TCPREMOTEHOST=liar.example \
		RELAYCLIENT='' REMOTE_ADDR=192.0.2.2 SSL_PROTOCOL=TLSv1.3 SENDER=liar@example \
		serve_at 127.0.0.1:0 --no-trust --no-received "$RECORD" "$MAIL"
	talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>MAIL FROM:<a@example.org>' \
		'<250' '>RCPT TO:<b@example.net>' '<550 5.7.1' '>QUIT' '<221' '<eof'
	stop "$pid"
	PROTO=TCP TCPREMOTEIP=192.0.2.1 TCPREMOTEPORT=25 RELAYCLIENT='' SSL_PROTOCOL=TLSv1.3 \
		serve --no-received "$RECORD" "$MAIL"
	all_at_once "127.0.0.1:$port"
	stop "$pid"
}

@test "-C hands CRLF over, octet for octet" {
	serve -C --no-received "$RECORD" "$MAIL"
	all_at_once "127.0.0.1:$port" --crlf
	stop "$pid"
}

@test "the command starts with what the launcher left, and default signals" {
	cat >"$STAGE/start" <<-'START'
		#!/bin/sh
		{
			umask
			pwd
			ulimit -S -n
			ulimit -S -f
			echo "$COLOUR, $PATH"
		} >"$1/start"
	START
	chmod 755 "$STAGE/start"
	umask 027
	ulimit -S -n 200
	cd "$STAGE" || return
	printf 'Subject: x\n\n' >"$BATS_TEST_TMPDIR/sent"
	COLOUR=green PATH=$PATH:/nowhere talk pair '<220' '>EHLO me' '<250' \
		'>MAIL FROM:<a@example.org>' '<250' '>RCPT TO:<b@example.net>' '<250' \
		'>DATA' '<354' "=$BATS_TEST_TMPDIR/sent" '<250' '>QUIT' '<221' '<eof' \
		-- "$SMTPD" -A "$STAGE/start" "$MAIL"
	cat >"$BATS_TEST_TMPDIR/expected" <<-EXPECTED
		0027
		$STAGE
		200
		$(ulimit -S -f)
		green, $PATH:/nowhere
	EXPECTED
	diff "$BATS_TEST_TMPDIR/expected" "$MAIL/start"
	# No shell in between, which might set its signals itself.
	talk pair '<220' '>EHLO me' '<250' \
		'>MAIL FROM:<a@example.org>' '<250' '>RCPT TO:<b@example.net>' '<250' \
		'>DATA' '<354' "=$BATS_TEST_TMPDIR/sent" '<250' '>QUIT' '<221' '<eof' \
		-- "$SMTPD" -A cp /proc/self/status "$MAIL/status"
	grep -qx 'SigBlk:	0000000000000000' "$MAIL/status"
	# PIPE, ALRM, TERM and CHLD, whatever else the launcher ignored.
	local ignored
	ignored=$(sed -n 's/^SigIgn:	//p' "$MAIL/status")
	[ $((16#$ignored & 0x17000)) -eq 0 ]
}

@test "no PATH from the launcher: the command has the usual one" {
	cat >"$STAGE/path" <<-'START'
		#!/bin/sh
		printenv PATH >"$1/path"
	START
	chmod 755 "$STAGE/path"
	transcript | env -u PATH "$SMTPD" -A "$STAGE/path" "$MAIL" >"$BATS_TEST_TMPDIR/out"
	echo /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin | cmp - "$MAIL/path"
}

@test "a Received line on top, with session, peer and names" {
	serve --hostname mx.example.org "$RECORD" "$MAIL"
	printf 'Subject: traced\n\nbody\n' >"$BATS_TEST_TMPDIR/sent"
	talk "127.0.0.1:$port" '<220 mx.example.org' '>EHLO client.example' '<250' \
		'>MAIL FROM:<a@example.org>' '<250' '>RCPT TO:<b@example.net>' '<250' \
		'>DATA' '<354' "=$BATS_TEST_TMPDIR/sent" '<250' '>QUIT' '<221' '<eof'
	stop "$pid"
	local folder session
	folder=$(only)
	session=$(recorded SMTP_SESSION)
	[ -n "$session" ]
	[ "$(recorded SMTP_SIZE)" -eq "$(wc -c <"$folder/message")" ]
	tail -n 3 "$folder/message" | cmp - "$BATS_TEST_TMPDIR/sent"
	local line
	line=$(sed '/^Subject:/,$d' "$folder/message" | tr -d '\n' | tr -s ' \t' ' ')
	[[ $line == "Received: from client.example "*"127.0.0.1"* ]]
	[[ $line == *" by mx.example.org "* ]]
	[[ $line == *" with ESMTP "* ]]
	[[ $line == *" id $session"* ]]
	[[ $line == *" for <b@example.net>; "* ]]
	date -d "${line##*; }" >/dev/null
	[[ ${line##*; } =~ \ [+-][0-9]{4}( |$) ]]
}

### Who smtpd becomes

# serve_with_groups ARGUMENT ...: serve, from a root with groups to lose.
serve_with_groups() {
	cat >"$STAGE/with-groups" <<-'GROUPS'
		#!/bin/sh
		exec setpriv --groups=0,1,4 "${0%/*}/smtpd" "$@"
	GROUPS
	chmod 755 "$STAGE/with-groups"
	SMTPD=$STAGE/with-groups serve "$@"
}

@test "root becomes nobody, and the log says so" {
	need_root
	serve_with_groups "$RECORD" "$MAIL"
	grep -q nobody "$log"
	swap_one
	read -r who group groups <"$(only)/id"
	[ "$who $group $groups" = "nobody nogroup nogroup" ]
}

# swap_one: one message to the listener, then stops it.
swap_one() {
	printf 'Subject: who\n\n' >"$BATS_TEST_TMPDIR/sent"
	talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' '>MAIL FROM:<a@example.org>' \
		'<250' '>RCPT TO:<b@example.net>' '<250' '>DATA' '<354' \
		"=$BATS_TEST_TMPDIR/sent" '<250' '>QUIT' '<221' '<eof'
	stop "$pid"
}

@test "-n stays root" {
	need_root
	serve -n "$RECORD" "$MAIL"
	swap_one
	read -r who _ <"$(only)/id"
	[ "$who" = root ]
}

@test "-U USER takes the groups of that user, -U USER:GROUP that group alone" {
	need_root
	serve_with_groups -U daemon "$RECORD" "$MAIL"
	grep -q daemon "$log"
	swap_one
	[ "$(cat "$(only)/id")" = "daemon daemon daemon" ]
	forget_messages
	serve_with_groups --user=daemon:mail "$RECORD" "$MAIL"
	swap_one
	[ "$(cat "$(only)/id")" = "daemon mail mail" ]
}

@test "a user or group that is not there: exit 78, one line, no greeting" {
	need_root
	local who
	for who in no-such-user daemon:no-such-group; do
		run --separate-stderr "$SMTPD" -U "$who" "$RECORD" "$MAIL" </dev/null
		[ "$status" -eq 78 ]
		[ -z "$output" ]
		[ "${#stderr_lines[@]}" -eq 1 ]
		[[ $stderr == *"${who#daemon:}"* ]]
	done
}

@test "a session started as root becomes nobody, too" {
	need_root
	transcript | "$SMTPD" -A --no-received "$RECORD" "$MAIL" >"$BATS_TEST_TMPDIR/out"
	transcript_arrived
	local id
	for id in "$MAIL"/*/id; do
		[ "$(cat "$id")" = "nobody nogroup nogroup" ]
	done
}

### Limits of the listener

@test "-c: one connection more is told 421 4.3.2" {
	serve -c 2 "$RECORD" "$MAIL"
	py "127.0.0.1:$port" <<-'PY'
		import sys, time
		from talk import Conversation
		address = sys.argv[1]
		two = [Conversation.connect(address) for _ in range(2)]
		for talk in two:
		    talk.expect("220")
		third = Conversation.connect(address)
		third.expect("421 4.3.2")
		assert third.eof() == b""
		two[0].ask("NOOP", "250")
		two[0].ask("QUIT", "221")
		two[0].eof()
		two[0].close()
		# Its place is free as soon as the listener has noticed.
		end = time.monotonic() + 10
		while not Conversation.connect(address).expect("220", "421").startswith(b"220"):
		    assert time.monotonic() < end
		two[1].ask("NOOP", "250")
	PY
	stop "$pid"
}

@test "--per-client: one connection more from an address is told 421 4.7.0" {
	serve --per-client 1 "$RECORD" "$MAIL"
	py "127.0.0.1:$port" <<-'PY'
		import sys, time
		from talk import Conversation
		address = sys.argv[1]
		first = Conversation.connect(address, source="127.0.0.1")
		first.expect("220")
		second = Conversation.connect(address, source="127.0.0.1")
		second.expect("421 4.7.0")
		assert second.eof() == b""
		other = Conversation.connect(address, source="127.0.0.2")
		other.expect("220")
		first.ask("QUIT", "221")
		first.eof()
		first.close()
		end = time.monotonic() + 10
		while not Conversation.connect(address, source="127.0.0.1").expect("220", "421").startswith(b"220"):
		    assert time.monotonic() < end
		other.ask("QUIT", "221")
	PY
	stop "$pid"
}

@test "a port that is taken: one line that names it, and no exit 0" {
	serve "$RECORD" "$MAIL"
	run --separate-stderr timeout 10 "$SMTPD" -l "127.0.0.1:$port" "$RECORD" "$MAIL"
	[ "$status" -ne 0 ]
	[ "$status" -ne 124 ]
	[ "${#stderr_lines[@]}" -eq 1 ]
	[[ $stderr == *"$port"* ]]
	stop "$pid"
}

@test "clients that connect and reset at once" {
	serve --no-received "$RECORD" "$MAIL"
	py "127.0.0.1:$port" "$pid" <<-'PY'
		import sys, time
		from talk import Conversation, children
		for _ in range(50):
		    Conversation.connect(sys.argv[1]).reset()
		for _ in range(50):
		    Conversation.connect(sys.argv[1]).close()
		end = time.monotonic() + 10
		while children(int(sys.argv[2])):
		    assert time.monotonic() < end, "sessions stay behind"
		    time.sleep(0.01)
	PY
	all_at_once "127.0.0.1:$port"
	run ! grep -iE 'assert|signal|segmentation' "$log"
	stop "$pid"
}

### Signals

@test "SIGTERM to a listener: sessions finish the message in hand, exit 0" {
	serve --no-received "$RECORD" "$MAIL"
	py "127.0.0.1:$port" "$pid" <<-'PY'
		import os, signal, sys, time
		from talk import Conversation
		address, pid = sys.argv[1], int(sys.argv[2])
		idle = Conversation.connect(address)
		idle.expect("220")
		busy = Conversation.connect(address)
		busy.expect("220")
		busy.ask("EHLO me", "250")
		busy.ask("MAIL FROM:<a@example.org>", "250")
		busy.ask("RCPT TO:<b@example.net>", "250")
		busy.ask("DATA", "354")
		busy.send(b"Subject: in hand\r\n\r\nfirst\r\n")
		os.kill(pid, signal.SIGTERM)
		idle.expect("421 4.3.2")
		assert idle.eof() == b""
		try:
		    while True:
		        late = Conversation.connect(address)
		        assert not late.eof(), "a new connection after SIGTERM"
		except ConnectionRefusedError:
		    pass
		os.kill(pid, 0)
		busy.send(b"second\r\n.\r\n")
		busy.expect("250 2.")
		busy.expect("421 4.3.2")
		assert busy.eof() == b""
	PY
	reap "$pid"
	printf 'Subject: in hand\n\nfirst\nsecond\n' | cmp - "$(only)/message"
}

@test "whoever has read where it listens may stop it: exit 0, no socket file" {
	py "$STAGE" <<'END'
import os, signal, subprocess, sys
path = sys.argv[1] + "/early"
for _ in range(50):
    smtpd = subprocess.Popen([os.environ["SMTPD"], "-n", "-l", "unix:" + path],
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    assert b"listening on" in smtpd.stderr.readline()
    smtpd.send_signal(signal.SIGTERM)
    assert smtpd.wait(10) == 0, smtpd.returncode
    assert not os.path.exists(path)
END
}

@test "a second SIGTERM ends the sessions at once" {
	serve "$RECORD" "$MAIL"
	py "127.0.0.1:$port" "$pid" <<-'PY'
		import os, signal, sys
		from talk import Conversation
		address, pid = sys.argv[1], int(sys.argv[2])
		idle = Conversation.connect(address)
		idle.expect("220")
		busy = Conversation.connect(address)
		busy.expect("220")
		busy.ask("EHLO me", "250")
		busy.ask("MAIL FROM:<a@example.org>", "250")
		busy.ask("RCPT TO:<b@example.net>", "250")
		busy.ask("DATA", "354")
		busy.send(b"Subject: in hand\r\n\r\nfirst\r\n")
		os.kill(pid, signal.SIGTERM)
		idle.expect("421 4.3.2")
		os.kill(pid, signal.SIGTERM)
		busy.eof()
	PY
	reap "$pid"
	[ "$(messages)" -eq 0 ]
}

@test "no signal interrupts a command that runs" {
	local gate=$STAGE/gate.d signals signal client listener
	ended_listening() { ! listening "$port"; }
	for signals in TERM INT 'TERM TERM' 'INT INT'; do
		rm -rf "$gate"
		mkdir -m 1777 "$gate"
		serve --no-received "$STAGE/gate" "$gate"
		listener=$pid
		start "$BATS_TEST_TMPDIR/client" talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' \
			'>MAIL FROM:<a@example.org>' '<250' '>RCPT TO:<b@example.net>' '<250' \
			'>DATA' '<354' '>Subject: in hand' '>' . '<eof'
		client=$pid
		eventually test -e "$gate/started"
		for signal in $signals; do
			kill "-$signal" "$listener"
			# The first must have been taken before the second is sent.
			eventually ended_listening
		done
		touch "$gate/go"
		eventually test -e "$gate/done"
		printf 'Subject: in hand\n\n' | cmp - "$gate/message"
		reap "$listener"
		reap "$client"
		# After a second signal nobody need be there to say it.
		if [ "$signals" = "$signal" ]; then
			[ "$(tail -n 2 "$BATS_TEST_TMPDIR/client" | cut -c 1-9 | paste -sd/)" = '250 2.0.0/421 4.3.2' ]
		fi
	done
}

@test "SIGTERM and SIGINT to a single session" {
	local signal
	for signal in SIGTERM SIGINT; do
		forget_messages
		py "$signal" "$SMTPD" -A --no-received "$RECORD" "$MAIL" <<-'PY'
			import os, signal, sys
			from talk import spawn
			number = getattr(signal, sys.argv[1])
			for kind in "pair", "pipe", "tcp":
			    # idle
			    talk, process = spawn(kind, sys.argv[2:])
			    talk.forget()
			    talk.expect("220")
			    talk.ask("EHLO me", "250")
			    os.kill(process.pid, number)
			    talk.expect("421 4.3.2")
			    assert talk.eof() == b""
			    talk.close()
			    assert process.wait(10) == 0, (kind, process.returncode)
			    # a message in hand
			    talk, process = spawn(kind, sys.argv[2:])
			    talk.forget()
			    talk.expect("220")
			    talk.ask("EHLO me", "250")
			    talk.ask("MAIL FROM:<a@example.org>", "250")
			    talk.ask("RCPT TO:<b@example.net>", "250")
			    talk.ask("DATA", "354")
			    talk.send(b"Subject: in hand\r\n\r\n")
			    os.kill(process.pid, number)
			    talk.send(b"rest\r\n.\r\n")
			    talk.expect("250 2.")
			    talk.expect("421 4.3.2")
			    assert talk.eof() == b""
			    talk.close()
			    assert process.wait(10) == 0, (kind, process.returncode)
		PY
		[ "$(messages)" -eq 3 ]
	done
}

@test "a second SIGTERM does not cut off what a command is being given" {
	cat >"$STAGE/slow" <<-'SH'
		#!/bin/sh
		: >"$1.begun"
		sleep 1
		wc -c >"$1.tmp" && mv "$1.tmp" "$1"
	SH
	chmod 755 "$STAGE/slow"
	serve --no-received "$STAGE/slow" "$MAIL/count"
	py "127.0.0.1:$port" "$pid" "$MAIL/count" <<-'PY'
		import os, signal, sys, time
		from talk import Conversation
		address, pid, count = sys.argv[1], int(sys.argv[2]), sys.argv[3]
		talk = Conversation.connect(address)
		talk.expect("220")
		talk.ask("EHLO me", "250")
		talk.ask("MAIL FROM:<a@example.org>", "250")
		talk.ask("RCPT TO:<b@example.net>", "250")
		talk.ask("DATA", "354")
		talk.send((b"x" * 98 + b"\r\n") * 40000 + b".\r\n")
		while not os.path.exists(count + ".begun"):
		    time.sleep(0.01)
		os.kill(pid, signal.SIGTERM)
		time.sleep(0.1)
		os.kill(pid, signal.SIGTERM)
		talk.eof()
	PY
	reap "$pid"
	eventually [ -e "$MAIL/count" ]
	[ "$(tr -d ' ' <"$MAIL/count")" -eq 3960000 ]
	grep -q 'event=message .*reply="none: told twice to stop"' "$log"
	grep -q 'event=end reason=stop' "$log"
}

@test "one SIGINT to the whole process group is one stop" {
	cat >"$STAGE/slow" <<-'SH'
		#!/bin/sh
		: >"$1.begun"
		sleep 1
	SH
	chmod 755 "$STAGE/slow"
	log=$BATS_TEST_TMPDIR/log.group
	: >"$log"
	start "$log" setsid "$SMTPD" -l 127.0.0.1:0 "$STAGE/slow" "$MAIL/one"
	eventually grep -q 'listening on ' "$log"
	port=$(sed -n 's/.*listening on .*:\([0-9]*\).*/\1/p' "$log")
	py "127.0.0.1:$port" "$pid" "$MAIL/one" <<-'PY'
		import os, signal, sys, time
		from talk import Conversation
		address, pid, one = sys.argv[1], int(sys.argv[2]), sys.argv[3]
		talk = Conversation.connect(address)
		talk.expect("220")
		talk.ask("EHLO me", "250")
		talk.ask("MAIL FROM:<a@example.org>", "250")
		talk.ask("RCPT TO:<b@example.net>", "250")
		talk.ask("DATA", "354")
		talk.send(b"x\r\n.\r\n")
		while not os.path.exists(one + ".begun"):
		    time.sleep(0.01)
		os.killpg(pid, signal.SIGINT)
		talk.expect("250 2.0.0")
		talk.expect("421 4.3.2")
		talk.eof()
	PY
	reap "$pid"
}

@test "what cannot be listened on is a line that says why, and what to do" {
	need_root
	mkdir -m 700 "$BATS_TEST_TMPDIR/closed"
	nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups
		--bounding-set -all "$SMTPD")
	for place in 127.0.0.1:25 "unix:$BATS_TEST_TMPDIR/closed/socket"; do
		# Where the system lets anyone have port 25 there is nothing to see.
		[ "$place" != 127.0.0.1:25 ] ||
			[ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 25 ] || continue
		run -71 --separate-stderr timeout 10 "${nobody[@]}" -l "$place" true
		case $place in
		unix:*) hint='(smtpd makes a file there)' ;;
		*) hint='(ports below 1024 need root or CAP_NET_BIND_SERVICE)' ;;
		esac
		[ "${stderr##*$'\n'}" = "smtpd: cannot listen on $place: Permission denied $hint" ]
	done
}

@test "-l unix:PATH leaves a file alone that is no socket" {
	printf 'keep me\n' >"$STAGE/precious"
	run -71 timeout 10 "$SMTPD" -n -l "unix:$STAGE/precious" true
	[[ $output == *"$STAGE/precious"* ]]
	printf 'keep me\n' | cmp - "$STAGE/precious"
}

@test "SIGTERM: what is pipelined behind the message in hand is not done" {
	serve --no-received "$RECORD" "$MAIL"
	py "127.0.0.1:$port" "$pid" <<-'PY'
		import os, signal, sys, time
		from talk import Conversation
		address, pid = sys.argv[1], int(sys.argv[2])
		talk = Conversation.connect(address)
		talk.expect("220")
		talk.ask("EHLO me", "250")
		talk.ask("MAIL FROM:<a@example.org>", "250")
		talk.ask("RCPT TO:<b@example.net>", "250")
		talk.ask("DATA", "354")
		idle = Conversation.connect(address)
		idle.expect("220")
		os.kill(pid, signal.SIGTERM)
		idle.expect("421 4.3.2")
		time.sleep(0.5)  # the other session's turn: it says nothing yet
		mail = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nsecond\r\n.\r\n"
		talk.send(b"first\r\n.\r\nNOOP\r\n" + mail)
		talk.expect("250 2.0.0")
		talk.expect("421 4.3.2")
		talk.eof()
	PY
	reap "$pid"
	[ "$(messages)" -eq 1 ]
}

@test "SIGTERM while a command runs: nor is what was pipelined meanwhile" {
	cat >"$STAGE/slow" <<-'SH'
		#!/bin/sh
		: >"$1.begun"
		sleep 0.5
		cat >/dev/null
		echo done >>"$1.done"
	SH
	chmod 755 "$STAGE/slow"
	for octets in 10000 400000 3000000; do
		rm -f "$MAIL"/two.*
		serve --no-received "$STAGE/slow" "$MAIL/two"
		py "127.0.0.1:$port" "$pid" "$MAIL/two" "$octets" <<-'PY'
			import os, signal, sys, time
			from talk import Conversation
			address, pid, two, octets = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
			talk = Conversation.connect(address)
			talk.expect("220")
			talk.ask("EHLO me", "250")
			mail = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
			talk.send(mail + (b"x" * 98 + b"\r\n") * (octets // 100) + b".\r\n" +
			          mail + b"second\r\n.\r\n")
			while not os.path.exists(two + ".begun"):
			    time.sleep(0.01)
			os.kill(pid, signal.SIGTERM)
			for code in "250 2.1.0", "250 2.1.5", "354", "250 2.0.0", "421 4.3.2":
			    talk.expect(code)
			talk.eof()
		PY
		reap "$pid"
		[ "$(wc -l <"$MAIL/two.done")" -eq 1 ]
	done
}
