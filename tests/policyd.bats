#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-policy: what a policy server is asked, and what its answer becomes.
# Debian's postgrey and policyd-spf are the real programs; tests/policyd.py is
# the server that misbehaves.
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154

load lib

setup_file() {
	stage
	cp "$SMTPD_BIN/smtpd-policy" "$STAGE"
	"$BATS_TEST_DIRNAME/peers" || true
}

teardown_file() {
	unstage
}

setup() {
	policy=$STAGE/smtpd-policy
	page=$BATS_TEST_DIRNAME/../man/smtpd-policy.8
	cd "$BATS_TEST_TMPDIR" || return
	for name in $(compgen -e); do
		case $name in
		SMTP_* | TCP* | X_* | PROTO | SENDER | RECIPIENT*) unset "$name" ;;
		esac
	done
	export SMTP_VERB=RCPT SMTP_SESSION=s1 SMTP_PROTOCOL=ESMTP \
		SMTP_HELO=client.example PROTO=TCP TCPREMOTEIP=192.0.2.1 \
		SENDER=ann@example.com RECIPIENT=bob@example.org RECIPIENTS=
}

teardown() {
	end_all
}

# server [ADDRESS]: tests/policyd.py, its questions in the folder up.
server() {
	place=unix:$PWD/up/socket
	mkdir -p up
	start "$BATS_TEST_TMPDIR/log.up" "$PYTHON" \
		"$BATS_TEST_DIRNAME/policyd.py" "${1:-$PWD/up/socket}" up
	eventually [ -e up/port ]
	port=$(cat up/port)
}

# asked STATUS ARGUMENT ...: asks $place; the reply is in the file out, what
# is handed on in the file variables.
asked() {
	local wanted=$1 status=0
	shift
	"$policy" "$@" "$place" </dev/null >all 2>err || status=$?
	grep -a '^X_[A-Z0-9_]*=' all >variables || true
	grep -av '^X_[A-Z0-9_]*=' all >out || true
	[ "$status" -eq "$wanted" ] || {
		echo "exit status $status, not $wanted:" >&2
		cat all err >&2
		return 1
	}
}

# passed ACTION: no reply, nothing in the log.
passed() {
	asked 0 -c "action=$1\n\n"
	[ ! -s out ] && [ ! -s err ]
}

# refused STATUS ACTION REPLY: that one line.
refused() {
	asked "$1" -c "action=$2\n\n"
	printf '%s\n' "$3" | diff -u - out
	[ ! -s err ]
}

# ignored ACTION LOG: no reply, that line of log.
ignored() {
	asked 0 -c "action=$1\n\n"
	[ ! -s out ]
	printf 'smtpd-policy: %s: %s\n' "$place" "$2" | diff -u - err
}

# handed_on [NAME=VALUE ...]: those variables, but for the instance.
handed_on() {
	{ [ $# -eq 0 ] || printf '%s\n' "$@"; } |
		diff -u - <(grep -av '^X_[A-Z0-9_]*_INSTANCE=' variables)
}

# attribute NAME: its value in the last question.
attribute() {
	grep -a "^$1=" up/questions | tail -n 1 | cut -d= -f2-
}

# question LINE ...: these lines, in any order, are in the last question.
question() {
	tac up/questions | awk 'NR > 1 && !NF { exit } NF' | sort >last
	printf '%s\n' "$@" | sort | comm -23 - last | diff -u /dev/null -
}

# no_answer: the default action is the whole reply; why is in the log.
no_answer() {
	[ "$(cat out)" = '451 4.3.5 Server configuration problem' ]
	[ "$(wc -l <out)" -eq 1 ]
	[ "$(wc -l <err)" -eq 1 ]
	grep -q "^smtpd-policy: $place: ." err
}

@test "silence: DUNNO, OK, RELAY, a number; no reply, no header" {
	server
	for action in DUNNO dunno 'DUNNO whatever' OK 'ok yes' RELAY 1234567890 \
		' DUNNO'; do
		passed "$action"
		handed_on
	done
}

@test "REJECT, DEFER, DEFER_IF_PERMIT, with text and enhanced code or without" {
	server
	refused 69 REJECT '554 5.7.1 Access denied'
	refused 69 'reject Go away' '554 5.7.1 Go away'
	refused 69 'REJECT 5.1.8 Bad sender' '554 5.1.8 Bad sender'
	refused 69 'REJECT 5.1.8' '554 5.1.8 Access denied'
	refused 75 DEFER '450 4.7.1 Access denied'
	refused 75 'Defer later' '450 4.7.1 later'
	refused 75 DEFER_IF_PERMIT '450 4.7.1 Service unavailable'
	refused 75 'defer_if_permit 4.2.0 Greylisted' '450 4.2.0 Greylisted'
	# The class is the code's.
	refused 75 'DEFER 5.1.8 x' '450 4.1.8 x'
	refused 69 'REJECT 2.0.0 x' '554 5.0.0 x'
}

@test "4xx and 5xx, with text and enhanced code or without" {
	server
	refused 69 '550 5.1.1 No such user' '550 5.1.1 No such user'
	refused 69 '550 No such user' '550 5.7.1 No such user'
	refused 69 '550' '550 5.7.1 Access denied'
	refused 75 '450 4.7.1 later' '450 4.7.1 later'
	refused 75 '451 5.3.0 later' '451 4.3.0 later'
	refused 75 '421 4.7.0 Bye' '421 4.7.0 Bye'
	refused 75 '499 x' '450 4.7.1 x'
	refused 69 '599 x' '550 5.7.1 x'
	ignored '250 2.0.0 fine' 'ignored: 250 2.0.0 fine'
	ignored '350 go' 'ignored: 350 go'
	ignored '5501 x' 'ignored: 5501 x'
	ignored '55 x' 'ignored: 55 x'
}

@test "INFO and WARN are for the log; what no hook can do is logged, and no more" {
	server
	ignored 'INFO seen' 'INFO seen'
	ignored 'warn careful' 'warn careful'
	for action in DISCARD 'HOLD now' 'FILTER smtp:x' 'REDIRECT a@example.org' \
		'BCC a@example.org' DEFER_IF_REJECT reject_unlisted_sender; do
		ignored "$action" "ignored: $action"
	done
}

@test "PREPEND: the field is handed on, one variable for each stage" {
	server
	for verb in MAIL RCPT DATA; do
		SMTP_VERB=$verb asked 0 -c 'action=PREPEND X-Seen: yes\n\n'
		[ ! -s out ] && [ ! -s err ]
		handed_on "X_POLICY_$verb=X-Seen: yes"
	done
	SMTP_VERB=BDAT asked 0 -c 'action=prepend X-Seen:\n\n'
	handed_on 'X_POLICY_DATA=X-Seen:'
	asked 0 -n X_SPF -c 'action=PREPEND X-Seen: yes\n\n'
	handed_on 'X_SPF_RCPT=X-Seen: yes'
	# No field, and no place for one.
	ignored 'PREPEND yes' 'ignored: PREPEND yes'
	ignored 'PREPEND' 'ignored: PREPEND'
	ignored 'PREPEND : yes' 'ignored: PREPEND : yes'
	ignored 'PREPEND a b: yes' 'ignored: PREPEND a b: yes'
	for verb in CONNECT EHLO VRFY; do
		SMTP_VERB=$verb ignored 'PREPEND X-Seen: yes' \
			'ignored: PREPEND X-Seen: yes'
		[ ! -s variables ]
	done
	unset SMTP_VERB
	ignored 'PREPEND X-Seen: yes' 'ignored: PREPEND X-Seen: yes'
	[ ! -s variables ]
}

@test "a field that an earlier message has left is emptied, none of this one's" {
	server
	export X_POLICY_MAIL=X-M:1 X_POLICY_RCPT=X-R:1 X_POLICY_DATA=X-D:1
	SMTP_VERB=MAIL asked 0 -c 'action=DUNNO\n\n'
	handed_on X_POLICY_MAIL=
	asked 0 -c 'action=DUNNO\n\n'
	handed_on X_POLICY_RCPT=
	asked 0 -c 'action=HOLD\n\n'
	handed_on X_POLICY_RCPT=
	RECIPIENTS=cid@example.org asked 0 -c 'action=DUNNO\n\n'
	handed_on
	RECIPIENTS=cid@example.org asked 0 -c 'action=PREPEND X-R: 2\n\n'
	handed_on 'X_POLICY_RCPT=X-R: 2'
	SMTP_VERB=DATA RECIPIENTS=$RECIPIENT asked 0 -c 'action=DUNNO\n\n'
	handed_on X_POLICY_DATA=
	# No server, but a default that lets it pass: as well.
	place=unix:$PWD/none asked 0 -d DUNNO
	handed_on X_POLICY_RCPT=
	# Nothing but the reply where it is refused.
	asked 69 -c 'action=REJECT\n\n'
	[ ! -s variables ]
	X_POLICY_RCPT='' asked 0 -c 'action=DUNNO\n\n'
	handed_on
}

# instance: what was asked; it is remembered, as smtpd would, if handed on.
instance() {
	asked 0 -c 'action=DUNNO\n\n'
	while IFS='=' read -r name value; do
		export "$name=$value"
	done <variables
	attribute instance >>instances
}

@test "instance: the same for one message, another for each" {
	server
	# Without MAIL: two messages of two recipients, from the same sender.
	for _ in 1 2; do
		RECIPIENTS='' instance
		RECIPIENTS=bob@example.org instance
		SMTP_VERB=DATA RECIPIENTS=$'bob@example.org\ncid@example.org' \
			instance
		(unset SMTP_VERB && instance)
	done
	# With MAIL, which has the first word: two more.
	for _ in 1 2; do
		SMTP_VERB=MAIL instance
		RECIPIENTS='' instance
		RECIPIENTS='' instance
		SMTP_VERB=DATA RECIPIENTS=bob@example.org instance
	done
	[ "$(wc -l <instances)" -eq 16 ]
	uniq -c instances | awk '{ print $1 }' | diff -u <(printf '4\n4\n4\n4\n') -
	[ "$(sort -u instances | wc -l)" -eq 4 ]
	grep -vq '^s1\.' instances && false
	# At the other stages, and where DATA asks alone, it is any.
	unset X_POLICY_INSTANCE
	rm instances
	for verb in CONNECT EHLO DATA DATA; do
		SMTP_VERB=$verb instance
		[ ! -s variables ]
	done
	[ "$(sort -u instances | wc -l)" -eq 4 ]
}

@test "the question at each stage" {
	server
	for pair in CONNECT:CONNECT HELO:HELO EHLO:EHLO LHLO:EHLO MAIL:MAIL \
		RCPT:RCPT rcpt:RCPT DATA:DATA BDAT:DATA VRFY:VRFY ETRN:ETRN; do
		SMTP_VERB=${pair%:*} passed DUNNO
		question "protocol_state=${pair#*:}" 'recipient_count=0'
	done
	unset SMTP_VERB
	passed DUNNO
	question protocol_state=END-OF-MESSAGE
	for verb in QUIT AUTH NOOP PING DISCONNECT ''; do
		SMTP_VERB=$verb asked 64
		[ ! -s all ] && [ "$(wc -l <err)" -eq 1 ]
	done
}

@test "the question: client, session, envelope" {
	server
	export TCPREMOTEPORT=1234 TCPLOCALIP=192.0.2.25 TCPLOCALPORT=25 \
		TCPREMOTEHOST=mx.example.com SMTP_MAIL_OPTIONS='BODY=7BIT SIZE=99'
	asked 0 -c 'action=DUNNO\n\n'
	question request=smtpd_access_policy protocol_state=RCPT \
		protocol_name=ESMTP helo_name=client.example queue_id=s1 \
		sender=ann@example.com recipient=bob@example.org \
		recipient_count=0 client_address=192.0.2.1 \
		client_name=unknown reverse_client_name=mx.example.com \
		size=99 etrn_domain= stress= sasl_method= sasl_username= \
		sasl_sender= ccert_subject= ccert_issuer= ccert_fingerprint= \
		ccert_pubkey_fingerprint= encryption_protocol= \
		encryption_cipher= encryption_keysize=0 client_port=1234 \
		server_address=192.0.2.25 server_port=25 \
		'policy_context=action=DUNNO\n\n'
	# No attribute twice, and the request first.
	cut -d= -f1 last | uniq -d | diff -u /dev/null -
	[ "$(head -n 1 up/questions)" = request=smtpd_access_policy ]
	asked 0 -v -c 'action=DUNNO\n\n'
	question client_name=mx.example.com reverse_client_name=mx.example.com
	unset TCPREMOTEHOST
	asked 0 -v -c 'action=DUNNO\n\n'
	question client_name=unknown reverse_client_name=unknown
	SENDER='' SMTP_PROTOCOL=SMTP SMTP_MAIL_OPTIONS='' passed DUNNO
	question sender= protocol_name=SMTP size=0
	SMTP_PROTOCOL=UTF8SMTPSA SENDER='"a b"@exämple.com' passed DUNNO
	question protocol_name=ESMTP 'sender="a b"@exämple.com'
}

@test "the question: recipients at DATA and after the message; login and TLS" {
	server
	export SMTP_AUTH_USER=ann SMTP_AUTH_MECHANISM=PLAIN \
		SMTP_TLS='TLSv1.3 TLS_AES_128_GCM_SHA256' \
		SMTP_MAIL_OPTIONS=SIZE=99 SMTP_SIZE=123
	SMTP_VERB=DATA RECIPIENTS=bob@example.org passed DUNNO
	question recipient_count=1 recipient=bob@example.org size=99 \
		sasl_username=ann sasl_method=PLAIN \
		encryption_protocol=TLSv1.3 \
		encryption_cipher=TLS_AES_128_GCM_SHA256
	RECIPIENTS=cid@example.org passed DUNNO
	question recipient_count=0
	unset SMTP_VERB RECIPIENT
	SMTP_TLS=1 RECIPIENTS=$'a@example.org\nb@example.org' passed DUNNO
	question recipient_count=2 recipient= size=123 encryption_protocol=TLS \
		encryption_cipher=
}

@test "the question: the name at HELO and EHLO, the argument of VRFY and ETRN" {
	server
	export SMTP_ARGUMENT='new.example more'
	for verb in HELO EHLO LHLO; do
		SMTP_VERB=$verb passed DUNNO
		question helo_name=new.example
	done
	SMTP_VERB=VRFY SMTP_ARGUMENT=ann passed DUNNO
	question helo_name=client.example recipient=ann etrn_domain=
	SMTP_VERB=ETRN SMTP_ARGUMENT=example.org passed DUNNO
	question etrn_domain=example.org recipient=bob@example.org
}

@test "the question: a client on a Unix socket, and one that nobody knows" {
	server
	unset TCPREMOTEIP
	PROTO=UNIX passed DUNNO
	question client_address=127.0.0.1 client_name=localhost \
		reverse_client_name=localhost
	unset PROTO
	passed DUNNO
	question client_name=unknown reverse_client_name=unknown
	run ! grep client_address last
}

@test "no value begins a line of the question" {
	server
	attack=$'x\nrecipient=root\r\n\naction=OK\x01\x7f\tend\xff'
	clean='x?recipient=root???action=OK?? end?'
	passed DUNNO
	count=$(wc -l <up/questions)
	for name in SENDER RECIPIENT SMTP_HELO SMTP_SESSION SMTP_AUTH_USER \
		TCPREMOTEIP TCPREMOTEHOST TCPREMOTEPORT TCPLOCALIP TCPLOCALPORT \
		SMTP_AUTH_MECHANISM SMTP_TLS SMTP_PROTOCOL; do
		rm -f up/questions
		(export "$name=$attack" && passed DUNNO)
		[ "$(grep -c '^recipient=' up/questions)" -eq 1 ]
		[ "$(grep -c '^$' up/questions)" -eq 1 ]
		[ "$(wc -l <up/questions)" -eq "$count" ]
		run ! grep '^action=' up/questions
	done
	(export SENDER=$attack && passed DUNNO)
	question "sender=$clean"
	rm up/questions
	asked 0 -c $'action=DUNNO\\n\\n\nrecipient=root'
	[ "$(grep -c '^recipient=' up/questions)" -eq 1 ]
	SMTP_VERB=EHLO SMTP_ARGUMENT=$'a\nb=c' passed DUNNO
	question 'helo_name=a?b=c'
}

@test "a question that is too long is not asked" {
	server
	long=$(head -c 32000 /dev/zero | tr '\0' x)
	(export SENDER=$long && passed DUNNO)
	[ "$(attribute sender)" = "$long" ]
	rm up/questions
	(export SENDER=$long$long && asked 75)
	no_answer
	[ ! -e up/questions ]
}

@test "the reply is one clean line, whatever the server says" {
	server
	refused 69 'REJECT a\x01b\x7fc\x1b[2J\td\xff\xc3\xa4' \
		'554 5.7.1 a?b?c?[2J d???'
	SMTP_UTF8=1 refused 69 'REJECT \xc3\xa4\xff\xc2\x9b' '554 5.7.1 ä???'
	refused 69 'REJECT a\r250 ok' '554 5.7.1 a?250 ok'
	ignored 'WARN \x1b[2J\r250' 'WARN ?[2J?250'
	ignored 'X_A=b' 'ignored: X_A=b'
	asked 0 -c 'action=PREPEND X-A: \x1b\xc3\xa4\rX_B=c\n\n'
	handed_on 'X_POLICY_RCPT=X-A: ????X_B=c'
	# At most 512 octets with CRLF, at most 998 of a field.
	asked 69 -c 'action=550 5.7.1 {ax5000}\n\n'
	[ "$(wc -l <out)" -eq 1 ] && [ "$(wc -c <out)" -eq 511 ]
	asked 0 -c 'action=PREPEND X-A: {ax5000}\n\n'
	[ "$(wc -c <variables)" -lt 1200 ]
	[ "$(sed -n 's/^X_POLICY_RCPT=//p' variables | tr -d '\n' | wc -c)" -eq 998 ]
	asked 0 -c 'action=WARN {ax5000}\n\n'
	[ "$(wc -l <err)" -eq 1 ] && [ "$(wc -c <err)" -lt 1200 ]
}

@test "CRLF, other attributes, what follows the answer: all the same" {
	server
	asked 69 -c 'action=REJECT no\r\n\r\n'
	[ "$(cat out)" = '554 5.7.1 no' ]
	asked 69 -c 'x=y\nreaction=OK\naction=REJECT no\nz=\n\naction=OK\n\n\0'
	[ "$(cat out)" = '554 5.7.1 no' ]
}

# each ANSWER ...: none of them is one; all at once, since each takes a second.
each() {
	local answer pids=() number=0
	for answer; do
		number=$((number + 1))
		"$policy" -t "${seconds:-20}" -c "$answer" "$place" \
			>"out.$number" 2>"err.$number" </dev/null &
		pids+=("$!")
	done
	for number in $(seq $#); do
		status=0
		reap "${pids[number - 1]}" || status=$?
		mv "out.$number" out
		mv "err.$number" err
		if [ "$status" -ne 75 ] || ! no_answer; then
			echo "${!number}: status $status" >&2
			cat out err >&2
			return 1
		fi
	done
	# Each was asked twice.
	[ "$(grep -c '^$' up/questions)" -eq $(($# * 2)) ]
}

@test "what is no answer is the default action" {
	server
	each '\n' '\n\n' 'action=\n\n' 'action=  \n\n' 'x=y\n\n' DUNNO\\n\\n \
		'action=DUNNO\ngarbage\n\n' 'garbage\naction=DUNNO\n\n' \
		'action=DUNNO\naction=REJECT\n\n' 'action=OK\naction=OK\n\n' \
		'action=DU\0NNO\n\n' '\0=x\naction=DUNNO\n\n' \
		'ACTION=DUNNO\n\n' '=\n\n' \
		'action=DUNNO {xx100000}\n\n' '{xx100000}' flood stream \
		'250 2.0.0 OK\r\n'
}

@test "hanging up before the answer is whole" {
	server
	each close reset
	# Half of it, and then the end: nothing that came counts.
	"$PYTHON" - up/half <<'END' 3>&- &
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
for answer in (b"action=DUNNO", b"action=DUNNO\n"):
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall(answer)
    connection.close()
END
	started+=("$!")
	eventually [ -S up/half ]
	place=unix:$PWD/up/half
	asked 75
	no_answer
}

@test "silence and dripping end with --timeout" {
	server
	before=$(date +%s)
	seconds=1 each hang drip 'action=DUNNO\n' ''
	[ $(($(date +%s) - before)) -lt 8 ]
	grep -q 'no answer in time' err
}

@test "once more, on a fresh connection" {
	server
	for answer in close reset '\n' 'action=DUNNO\n\0\n'; do
		asked 69 -c "$answer|action=REJECT no\n\n"
		[ "$(cat out)" = '554 5.7.1 no' ]
		[ ! -s err ]
	done
}

@test "a server that is not there is tried again after a second" {
	for place in unix:"$PWD/none" inet:127.0.0.1:"$(free_port)"; do
		before=${EPOCHREALTIME/[.,]/}
		asked 75
		[ $((${EPOCHREALTIME/[.,]/} - before)) -ge 900000 ]
		[ "$(cat out)" = '451 4.3.5 Server configuration problem' ]
		grep -qxE "smtpd-policy: ${place#inet:}: (Connection refused|No such file or directory)" err
	done
}

@test "--default: any action that says what happens" {
	place=unix:$PWD/none
	asked 0 --default DUNNO
	[ ! -s out ]
	[ "$(wc -l <err)" -eq 1 ]
	asked 69 -d 'REJECT closed'
	[ "$(cat out)" = '554 5.7.1 closed' ]
	asked 75 -d '421 4.3.2 Later'
	[ "$(cat out)" = '421 4.3.2 Later' ]
	for action in '' ' ' 'PREPEND X-A: b' 'WARN x' HOLD typo '250 ok'; do
		asked 64 -d "$action"
		[ ! -s all ]
	done
}

@test "inet:HOST:PORT, HOST:PORT, every address of a host" {
	server 127.0.0.1:0
	for place in "inet:127.0.0.1:$port" "127.0.0.1:$port" \
		"inet:localhost:$port"; do
		asked 69 -c 'action=REJECT no\n\n'
		[ "$(cat out)" = '554 5.7.1 no' ]
	done
}

@test "what cannot be printed is left to the exit status" {
	server
	status=0
	"$policy" -c 'action=REJECT no\n\n' "$place" >/dev/full 2>err || status=$?
	[ "$status" -eq 69 ]
	grep -q 'standard output' err
	# A pipe that nobody reads
	"$PYTHON" - "$policy" "$place" <<'END'
import os, subprocess, sys
reader, writer = os.pipe()
os.close(reader)
assert subprocess.run([sys.argv[1], "-c", r"action=REJECT no\n\n", sys.argv[2]],
                      stdout=writer).returncode == 69
END
}

# postgrey ARGUMENT ...: the real one, at $place; it does not run as root.
postgrey() {
	local user group
	[ -x /usr/sbin/postgrey ] || skip "no postgrey"
	user=$(id -un) group=$(id -gn)
	# Others may not enter where the tests are.
	grey=$STAGE/grey.$BATS_TEST_NUMBER
	mkdir -m 700 "$grey"
	if [ "$user" = root ]; then
		user=postgrey group=postgrey
		chown postgrey "$grey"
	fi
	place=unix:$grey/socket
	printf 'good.example\n' >whitelist
	: >nobody
	start "$BATS_TEST_TMPDIR/log.grey" /usr/sbin/postgrey --user="$user" \
		--group="$group" --unix="$grey/socket" --dbdir="$grey" \
		--whitelist-clients=whitelist --whitelist-recipients=nobody \
		--hostname=mx.example.org "$@"
	eventually [ -S "$grey/socket" ]
}

@test "postgrey: later, then a header, then nothing more" {
	postgrey --delay=1
	asked 75
	[ "$(cat out)" = '450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/example.org.html' ]
	[ ! -s variables ]
	# Until its second is over.
	passes() { asked 0 2>>tries; }
	eventually passes
	[ ! -s out ] && [ ! -s err ]
	grep -q '^X_POLICY_RCPT=X-Greylist: delayed [0-9]* seconds by postgrey-' \
		variables
	# One header a message, as the instance tells it. The next recipient was
	# greylisted too, in vain: postgrey knows it now.
	export X_POLICY_INSTANCE
	X_POLICY_INSTANCE=$(sed -n 's/^X_POLICY_INSTANCE=//p' variables)
	export RECIPIENTS=bob@example.org RECIPIENT=cid@example.org
	asked 75
	eventually passes
	[ ! -s variables ]
	# The same triplet, another message
	RECIPIENTS='' asked 0
	handed_on
	grep -q 'action=pass, reason=triplet found' log.grey
	grep -q '^s1: action=greylist, reason=new, .*client_address=192.0.2.1' log.grey
}

@test "postgrey: a client's name is believed with --verified only" {
	postgrey
	export TCPREMOTEHOST=mx.good.example
	asked 75
	asked 0 --verified
	[ ! -s out ]
	# A client without an address does not end it.
	(unset TCPREMOTEIP TCPREMOTEHOST PROTO && asked 0)
	asked 0 --verified
	run ! grep -q "Can't" log.grey
}

# policyd_spf LINE ...: the real one behind socat, at $place, its
# configuration these lines. It asks tests/names.py: good.example sends from
# 192.0.2.1, and no other domain is there.
policyd_spf() {
	local program=$BUILD/peers/postfix-policyd-spf-python/usr/bin/policyd-spf
	[ -x "$program" ] || skip "no policyd-spf: tests/peers"
	/usr/bin/python3 -c 'import spf_engine, dns.resolver' 2>/dev/null ||
		skip "no python3-spf-engine, or no python3-dnspython"
	mkdir spf
	start log.names "$PYTHON" "$BATS_TEST_DIRNAME/names.py" spf \
		'good.example=v=spf1 ip4:192.0.2.1 -all'
	eventually [ -e spf/names ]
	# Python reads this before any program.
	cat >spf/sitecustomize.py <<-END
		import dns.resolver
		resolver = dns.resolver.Resolver(configure=False)
		resolver.nameservers = ["127.0.0.1"]
		resolver.port = $(cat spf/names)
		dns.resolver.default_resolver = resolver
	END
	printf '%s\n' 'debugLevel = 1' 'TestOnly = 1' 'HELO_reject = Fail' \
		'Mail_From_reject = Fail' 'Authserv_Id = mx.example.org' "$@" \
		>spf/conf
	place=unix:$PWD/spf/socket
	PYTHONPATH=$PWD/spf start log.spf socat \
		"UNIX-LISTEN:$PWD/spf/socket,fork" "EXEC:$program $PWD/spf/conf"
	eventually [ -S spf/socket ]
}

@test "policyd-spf: a pass is a header, a fail is 550 5.7.23" {
	policyd_spf
	SENDER=ann@good.example asked 0
	[ ! -s out ] && [ ! -s err ]
	grep -q '^X_POLICY_RCPT=Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=client.example; envelope-from=ann@good.example; ' \
		variables
	SENDER=ann@good.example TCPREMOTEIP=192.0.2.2 asked 69
	[ ! -s variables ] && [ "$(wc -l <out)" -eq 1 ]
	grep -q '^550 5.7.23 Message rejected due to: SPF fail' out
	# Nobody says anything of this one, and a notification has HELO alone.
	asked 0
	grep -q '^X_POLICY_RCPT=Received-SPF: None ' variables
	SENDER='' SMTP_HELO=good.example TCPREMOTEIP=192.0.2.2 asked 69
	grep -q '^550 5.7.23 ' out
}

@test "policyd-spf: addresses that it skips, and no header where it adds none" {
	policyd_spf 'skip_addresses = 127.0.0.0/8,192.0.2.2' 'Header_Type = None'
	SENDER=ann@good.example TCPREMOTEIP=192.0.2.2 asked 0
	handed_on
	SENDER=ann@good.example TCPREMOTEIP=192.0.2.3 asked 69
	unset TCPREMOTEIP
	SENDER=ann@good.example PROTO=UNIX asked 0
	handed_on
}

# gate NAME ...: smtpd-policy asks $place as these hooks of smtpd, in
# session(); the fields that are handed on are put on top of the message.
gate() {
	rm -rf hooks
	mkdir hooks
	for name; do
		printf '#!/bin/sh\nexec "%s" "%s"\n' "$policy" "$place" >"hooks/$name"
	done
	cat >deliver <<-'END'
		#!/bin/sh
		{
			for field in "$X_POLICY_MAIL" "$X_POLICY_RCPT" "$X_POLICY_DATA"; do
				[ -z "$field" ] || printf '%s\n' "$field"
			done
			cat
		} | "$RECORD" "$MAIL"
	END
	chmod 755 hooks/* deliver
	forget_messages
}

# session STEP ...: with a client at 192.0.2.1, or $client; root stays root, as
# postgrey's socket is closed to others.
session() {
	PROTO=TCP TCPREMOTEIP=${client:-192.0.2.1} talk -t 20 pair '<220' \
		'>EHLO client.example' '<250' "$@" '>QUIT' '<221' \
		-- "$SMTPD" -q -n -A -H "$PWD/hooks" "$PWD/deliver" >said 2>err
}

# field NAME: how often the only message has it.
field() {
	sed '/^$/q' "$(only)/message" | grep -c "^$1: "
}

@test "through smtpd: postgrey as RCPT hook: later, and then a field" {
	postgrey --delay=1
	gate RCPT
	session '>MAIL FROM:<ann@example.com>' '<250' \
		'>RCPT TO:<bob@example.org>' '<450 4.2.0 Greylisted, see ' '>DATA' '<503' \
		'>RCPT TO:<cid@example.org>' '<450 4.2.0 Greylisted' '>RSET' '<250'
	[ "$(messages)" -eq 0 ]
	# Until its second is over; and then no message of the connection but the
	# first has the field.
	taken() {
		session '>MAIL FROM:<ann@example.com>' '<250' \
			'>RCPT TO:<bob@example.org>' '<250' '>RCPT TO:<cid@example.org>' '<250' \
			'>DATA' '<354' '>Subject: one' '>' . '<250' 2>/dev/null
	}
	eventually taken
	[ "$(field X-Greylist)" -eq 1 ]
	[ "$(recorded RECIPIENTS)" = 'bob@example.org cid@example.org' ]
	forget_messages
	session '>MAIL FROM:<dan@example.com>' '<250' '>RCPT TO:<bob@example.org>' '<450' \
		'>RSET' '<250' '>MAIL FROM:<ann@example.com>' '<250' '>RCPT TO:<bob@example.org>' '<250' \
		'>DATA' '<354' '>Subject: two' '>' . '<250'
	run -1 field X-Greylist
	diff -u /dev/null <(grep -v '^recorded ' err)
	# Nobody there: 451 4.3.5, and why is in the log.
	end_all
	session '>MAIL FROM:<ann@example.com>' '<250' '>RCPT TO:<bob@example.org>' '<451 4.3.5 Server conf'
	grep -q '^smtpd-policy: ' err
}

@test "through smtpd: policyd-spf as RCPT hook: a field, a refusal, and no more" {
	policyd_spf
	gate RCPT
	session '>MAIL FROM:<ann@good.example>' '<250' '>RCPT TO:<bob@example.org>' '<250' \
		'>RCPT TO:<cid@example.org>' '<250' '>DATA' '<354' '>Subject: one' '>' . '<250'
	[ "$(field Received-SPF)" -eq 1 ]
	grep -q '^Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=client.example; ' "$(only)/message"
	forget_messages
	# The next one of the connection is judged anew; the transaction goes on.
	client=192.0.2.2 session '>MAIL FROM:<ann@good.example>' '<250' '>RCPT TO:<bob@example.org>' '<550 5.7.23 ' \
		'>RCPT TO:<cid@example.org>' '<550 5.7.23 ' '>DATA' '<503' '>RSET' '<250' \
		'>MAIL FROM:<ann@example.com>' '<250' '>RCPT TO:<bob@example.org>' '<250' \
		'>DATA' '<354' '>Subject: two' '>' . '<250' \
		'>EHLO good.example' '<250' '>MAIL FROM:<>' '<250' '>RCPT TO:<bob@example.org>' '<550 5.7.23 '
	grep -q '^Received-SPF: None ' "$(only)/message"
	[ "$(field Received-SPF)" -eq 1 ]
	diff -u /dev/null <(grep -v '^recorded ' err)
}

# example NAME: that block of the page.
example() {
	awk -v name="$1" '$0 == ".\\\" sh: " name { on = 1; next }
		/^\.Ed/ { on = 0 }
		on && !/^\.Bd/ { gsub(/\\e/, "\\"); print }' "$page"
}

@test "the page: two servers in one hook" {
	server
	example two >hook
	# The servers are ours; $SPF and $GREY are what they say.
	cat >smtpd-policy <<-'END'
		#!/bin/bash
		case $* in
		*/run/policyd-spf) answer=$SPF ;;
		*:127.0.0.1:10023) answer=$GREY ;;
		esac
		exec "$POLICY" "${@:1:$#-1}" -c "action=$answer\n\n" "$PLACE"
	END
	chmod +x hook smtpd-policy
	export POLICY=$policy PLACE=$place PATH=$PWD:$PATH
	hook() { env "$@" ./hook >all 2>err; }
	hook 'SPF=PREPEND X-SPF: pass' 'GREY=PREPEND X-Grey: no'
	grep -qx 'X_SPF_RCPT=X-SPF: pass' all
	grep -qx 'X_POLICY_RCPT=X-Grey: no' all
	run -69 hook 'SPF=REJECT spf' GREY=DUNNO
	[ "$(cat all)" = '554 5.7.1 spf' ]
	run -75 hook 'SPF=PREPEND X-SPF: pass' 'GREY=DEFER grey'
	[ "$(tail -n 1 all)" = '450 4.7.1 grey' ]
	# Who has logged in is not asked about, and has no field of who had not.
	hook SPF=REJECT GREY=REJECT SMTP_AUTH_USER=ann
	printf '%s=\n' X_SPF_RCPT X_POLICY_RCPT | diff -u - all
	[ ! -s err ]
	gate RCPT
	cp hook hooks/RCPT
	sed -i 's/X_POLICY_MAIL/X_SPF_RCPT/' deliver
	printf '#!/bin/sh\necho SMTP_AUTH_USER=ann; echo 235 2.7.0 in\n' >hooks/AUTH-X
	chmod 755 hooks/AUTH-X smtpd-policy
	send() { # NUMBER
		steps+=('>MAIL FROM:<a@b>' '<250' '>RCPT TO:<c@d>' '<250' '>DATA' '<354'
			"> $1" . '<250')
	}
	steps=()
	send one
	steps+=('>AUTH X' '<235')
	send two
	export SPF='PREPEND X-SPF: pass' GREY='PREPEND X-Grey: no'
	TCPREMOTEIP=192.0.2.1 PROTO=TCP talk -t 20 pair '<220' '>EHLO me' '<250' \
		"${steps[@]}" '>QUIT' '<221' -- "$SMTPD" -q -n -A --auth-plaintext \
		-H "$PWD/hooks" "$PWD/deliver" >said 2>err
	[ "$(messages)" -eq 2 ]
	for file in "$MAIL"/*/message; do
		{ grep -E '^X-|^ (one|two)' "$file" || true; } | paste -sd ,
	done | sort | diff -u - <(printf '%s\n' ' two' 'X-SPF: pass,X-Grey: no, one')
}

@test "the page: a command that adds the fields" {
	example prepend >deliver
	printf '#!/bin/sh\ncat\nexit 7\n' >smtpd-maildir
	chmod +x deliver smtpd-maildir
	run -7 env "PATH=$PWD:$PATH" X_SPF_RCPT='X-A: a\n' X_POLICY_RCPT= \
		sh ./deliver <<<'Subject: hi'
	[ "$output" = $'X-A: a\\n\nSubject: hi' ]
}

@test "the page: policyd-spf behind socat" {
	example spawn >page
	sed "s|/run|$PWD|" page >spawn
	[ "$(id -u)" -eq 0 ] || sed -i 's/,su=nobody//' spawn
	printf '#!/bin/sh\nid -un >&2\nsed /^$/q >"%s"\nprintf "action=REJECT no\\n\\n"\n' \
		"$STAGE/asked" >"$STAGE/policyd-spf"
	chmod 755 "$STAGE/policyd-spf"
	: >"$STAGE/asked"
	chmod 666 "$STAGE/asked"
	sed -i '1s/^/exec /' spawn
	PATH=$STAGE:$PATH start log.spawn sh ./spawn
	place=unix:$PWD/policyd-spf
	eventually [ -S policyd-spf ]
	asked 69
	[ "$(cat out)" = '554 5.7.1 no' ]
	grep -qx recipient=bob@example.org "$STAGE/asked"
	need_root
	grep -qx nobody log.spawn
}

@test "bad usage: 64 and one line" {
	for arguments in '' 'unix:a unix:b' '--no-such unix:a' '-' 'inet:25' \
		'host' 'host:' 'host:0' 'inet:host:65536' 'unix:' ':25' \
		'-t 0 unix:a' '-t x unix:a' '-t 86401 unix:a' '-n X_ unix:a' \
		'-n Y_A unix:a' '-n X_a unix:a' '-n X_A=B unix:a'; do
		# shellcheck disable=SC2086 # they are words
		run -64 "$policy" $arguments </dev/null
		[ "${#lines[@]}" = 1 ]
	done
	run -64 "$policy" -n "X_$(head -c 62 /dev/zero | tr '\0' A)" unix:a
	run -75 "$policy" -n "X_$(head -c 61 /dev/zero | tr '\0' A)" unix:a
}

@test "--help and --version are on standard output" {
	tells "$policy"
}

@test "the page and --help have the same options" {
	page_and_help "$page" "$policy"
}

@test "the page's exit statuses, variables and examples" {
	page_is_sound "$page" '0 64 69 75' SMTP_VERB SMTP_ARGUMENT SENDER \
		RECIPIENT RECIPIENTS SMTP_MAIL_OPTIONS SMTP_HELO SMTP_PROTOCOL \
		SMTP_SIZE SMTP_SESSION SMTP_AUTH_USER SMTP_AUTH_MECHANISM \
		SMTP_TLS SMTP_UTF8 PROTO TCPREMOTEIP TCPREMOTEPORT \
		TCPREMOTEHOST TCPLOCALIP TCPLOCALPORT X_POLICY_MAIL \
		X_POLICY_RCPT X_POLICY_DATA X_POLICY_INSTANCE
}
