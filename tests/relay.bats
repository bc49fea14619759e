#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-relay: what upstream says is what the client is told; what upstream
# gets is what was sent. tests/upstream.py refuses, stalls, lies and hangs up.
# shellcheck disable=SC2016,SC2030,SC2031,SC2053,SC2094,SC2153,SC2154

load lib
load relay

setup_file() {
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$STAGE"
}

teardown_file() {
	unstage
}

setup() {
	page=$BATS_TEST_DIRNAME/../man/smtpd-relay.8
	relay_setup
}

teardown() {
	end_all
}

# upstream ARGUMENT ...: tests/upstream.py in the folder up, its port in $port.
upstream() {
	rm -rf up
	mkdir up
	start "$BATS_TEST_TMPDIR/log.up" "$PYTHON" \
		"$BATS_TEST_DIRNAME/upstream.py" up "$@"
	eventually [ -e up/port ]
	port=$(cat up/port)
}

# told STAGE=ACTION ...: what the upstream that runs does from now on.
told() {
	printf '%s\n' "$@" >up/actions
}

# accepted COUNT: so many connections have got their actions.
accepted() {
	[ -e up/accepted ] && [ "$(wc -l <up/accepted)" -eq "$1" ]
}

# said: the commands that upstream got.
said() {
	printf '%s\n' "$@" | diff -u - up/commands >&2
}

@test "a message: octets, commands and reply" {
	export SMTP_SIZE SMTP_MAIL_OPTIONS='RET=HDRS ENVID=x BODY=8BITMIME' \
		SMTP_RCPT_OPTIONS=$'NOTIFY=NEVER\nORCPT=rfc822;c@x NOTIFY=DELAY'
	SMTP_SIZE=$(wc -c <message)
	upstream
	RECIPIENTS=$two relayed 0
	replied '250 2.0.0 Queued as 4711'
	[ ! -s err ]
	printf 'Subject: hi\r\n\r\n..\r\n...dot\r\ntext\r\n.\r\n' |
		cmp - up/content.1
	said 'EHLO me.example' \
		'MAIL FROM:<ann@example.com> SIZE=31 RET=HDRS ENVID=x' \
		'RCPT TO:<bob@example.org> NOTIFY=NEVER' \
		'RCPT TO:<cid@example.org> ORCPT=rfc822;c@x NOTIFY=DELAY' \
		DATA QUIT
}

@test "no EHLO: HELO, and no parameter of any kind" {
	export SMTP_MAIL_OPTIONS='RET=HDRS' SMTP_RCPT_OPTIONS=NOTIFY=NEVER \
		SENDER=''
	upstream 'ehlo=502 5.5.1 no'
	relayed 0
	said 'EHLO me.example' 'HELO me.example' 'MAIL FROM:<>' \
		'RCPT TO:<bob@example.org>' DATA QUIT
}

@test "upstream's refusal at each stage is the client's" {
	upstream
	for class in 4 5; do
		local status=75
		[ "$class" = 4 ] || status=69
		for stage in greeting mail rcpt data end; do
			told "$stage=${class}50-$class.7.1 One\r\n${class}50 $class.7.1 two"
			relayed "$status"
			replied "${class}50-$class.7.1 One" "${class}50 $class.7.1 two"
		done
	done
	told 'ehlo=502 a' 'helo=550 5.5.0 b'
	relayed 69
	replied '550 5.5.0 b'
}

@test "nothing is sent where a recipient is refused; 4xx wins; who it was" {
	upstream 'rcpt1=550 5.1.1 No such user' 'rcpt2=250 ok' \
		'rcpt3=450 4.2.1 <dee@example.org>: later' 'rcpt4=452 later, too'
	RECIPIENTS=$two relayed 69
	replied '550 5.1.1 <bob@example.org>: No such user'
	RECIPIENTS=$two$'\ndee@example.org\neve@example.org' relayed 75
	replied '450-4.2.1 <dee@example.org>: later' \
		'450 <eve@example.org>: later, too'
	RECIPIENTS=x@example.org relayed 69
	replied '550 5.1.1 No such user'
	[ ! -e up/content.1 ]
	run ! grep -x DATA up/commands
}

@test "421 from upstream is no 421 for the client" {
	upstream
	for stage in greeting ehlo mail rcpt data end; do
		told "$stage=421 4.3.2 going down"
		relayed 75
		replied '451 4.3.2 going down'
	done
}

@test "hanging up, resetting, stalling at each stage: 451 4.4" {
	upstream
	count=0
	for action in close reset hang sink drip; do
		for stage in greeting ehlo mail rcpt data end; do
			told "$stage=$action"
			count=$((count + 1))
			mkdir "$count"
			# All at once: each waits for its time-out.
			(
				status=0
				"$relay" -t 2 "127.0.0.1:$port" <message \
					>"$count/out" 2>"$count/err" || status=$?
				echo "$status $stage $action" >"$count/status"
			) 3>&- &
			eventually accepted "$count"
		done
	done
	for n in $(seq "$count"); do
		eventually [ -s "$n/status" ]
		cat "$n/status" "$n/out" "$n/err"
		[ "$(cut -d ' ' -f 1 "$n/status")" = 75 ]
		# Reset at once, there was no connection.
		grep -q '^451 4\.4\.[12] ' "$n/out"
		[ "$(wc -l <"$n/out")" = 1 ]
		grep -q "127.0.0.1:$port: " "$n/err"
	done
}

@test "in the middle of the content: its word or 451, and no final dot" {
	# More than sockets hold: the rest waits for upstream.
	seq -f "line %.0f" 2000000 >message
	upstream
	for action in close reset hang sink '552 5.3.4 Too much' \
		'250 2.0.0 Queued as 4711' '354 Go on' 'garbage'; do
		rm -f up/content.*
		told "mid=$action"
		relayed "$([ "${action:0:1}" = 5 ] && echo 69 || echo 75)" -t 1
		case $action in
		5*) replied '552 5.3.4 Too much' ;;
		*) replied '451 4.4.2 *' ;;
		esac
		run ! grep -ax $'\\.\r' up/content.*
	done
}

@test "what is no reply, at each stage: 451, never 250" {
	upstream
	for reply in '25' '250x' '' '+250-a\r\n251 b\r\n' '250 a\0b' 'HTTP/1.1 200 OK' \
		'650 x' '150 x' '300 x' flood '+250-unfinished\r\n' '200-\n250 ok'; do
		for stage in greeting ehlo mail rcpt data end; do
			# The end ends what is not finished.
			told "$stage=$reply"
			[ "$reply" != '+250-unfinished\r\n' ] ||
				[ "$stage" = end ] || continue
			relayed 75 -t 1
			replied '451 4.4.2 *'
		done
	done
}

@test "accepted before it was sent: 451, never 250" {
	upstream '+data=' 'data=+354 go\r\n250 2.0.0 Queued\r\n'
	relayed 75
	replied '451 4.4.2 *'
	end_all
	upstream 'greeting=+220 x\r\n250 x\r\n250 s\r\n250 r\r\n354 go\r\n250 done\r\n'
	relayed 75
	replied '451 4.4.2 *'
	end_all
	upstream 'data=250 2.0.0 Queued'
	relayed 75
	replied '451 4.4.2 *'
}

@test "accepted before it was sent, and read later: 451, never 250" {
	# Go on fills what is read at once; the verdict waits behind it.
	for lines in 63 127 255 511; do
		upstream "data=+$(
			for ((n = 0; n < lines; n++)); do
				printf '354-%058d\\r\\n' 0
			done
			printf '354 %058d\\r\\n' 0
		)250 2.0.0 Queued\r\n"
		relayed 75
		replied '451 4.4.2 *'
		end_all
	done
}

@test "a text that lies, shouts or paints is cleaned" {
	upstream 'end=550 2.0.0 \x1b[2J\x9b\xc3\xa4 ok'
	relayed 69
	replied '550 ?[2J??? ok'
	SMTP_UTF8=1 relayed 69
	replied $'550 ?[2J?\xc3\xa4 ok'
	end_all
	upstream 'end=571 5.7.1 no'
	relayed 69
	replied '550 5.7.1 no'
	end_all
	upstream "end=550 $(head -c 1500 /dev/zero | tr '\0' x)"
	relayed 69
	[ "$(wc -c <out)" = 511 ]
}

@test "what upstream cannot carry is refused before data" {
	printf 'Subject: hi\n\n\303\244\n' >message
	upstream --offer 'SIZE_20'
	relayed 69
	replied '554 5.6.3 *'
	printf 'Subject: \303\244\n\nx\n' >message
	relayed 69
	replied '550 5.6.7 *'
	printf 'Subject: hello\n\n' >message
	relayed 0
	printf 'Subject: hello\n\nx\n' >message
	relayed 69
	replied '552 5.3.4 *'
	echo x >message
	SENDER=$'\303\244@example.org' relayed 69
	replied '550 5.6.7 *'
	RECIPIENTS=$'\303\244@example.org' relayed 69
	replied '550 5.6.7 *'
	# Declared, but not so.
	SMTP_UTF8=1 SMTP_BODY=8BITMIME SMTP_MAIL_OPTIONS='BODY=8BITMIME SMTPUTF8' \
		relayed 0
	[ "$(find up -name 'content.*' | wc -l)" = 2 ]
}

@test "8BITMIME and SMTPUTF8 are said where they are needed and offered" {
	upstream
	printf 'Subject: \303\244\n\n\377\n' >message
	SENDER=$'\303\244@example.org' relayed 0
	grep -qx $'MAIL FROM:<\303\244@example.org> SIZE=18 BODY=8BITMIME SMTPUTF8' \
		up/commands
	printf 'Subject: \303\244\r\n\r\n\377\r\n.\r\n' | cmp - up/content.1
	# A client that has said SMTPUTF8 may have it there, too.
	echo x >message
	SMTP_UTF8=1 relayed 0
	grep -qx 'MAIL FROM:<ann@example.com> SIZE=3 SMTPUTF8' up/commands
}

@test "what SMTP cannot carry: 5.6.0, and no connection" {
	port=1
	for text in 'a\0b\n' 'a\rb\n' 'a\n\r' 'a\r\r\n'; do
		# shellcheck disable=SC2059 # printf's rules
		printf "Subject: x\n\n$text" >message
		relayed 65
		replied '554 5.6.0 *'
	done
	for text in 'a\r\nb\n' 'a\r\nb'; do
		# shellcheck disable=SC2059
		printf "$text" >message
		SMTP_BODY=BINARYMIME relayed 65
		replied '554 5.6.3 *'
	done
}

@test "fewer octets than SMTP_SIZE: 75, and no connection" {
	port=1
	SMTP_SIZE=$(($(wc -c <message) + 1)) relayed 75
	[ ! -s out ]
	grep -q 'shorter than SMTP_SIZE' err
	SMTP_SIZE=x relayed 75
	grep -q 'SMTP_SIZE' err
}

@test "every octet arrives: 32 MiB, lines of 100,000 octets, dots, 8 bit" {
	upstream
	"$PYTHON" - <<'END'
import random
random.seed(7)
line = bytes(n for n in range(1, 256) if n not in (10, 13))
with open("message", "wb") as file:
    file.write(b"Subject: x\r\n\r\n" + b".\n..\n...\n" * 1000)
    file.write((b"." * 100000 + b"\r\n") * 3)
    size = 0
    while size < 1 << 25:
        text = random.choice((b".", b"", b"..")) + \
            line[random.randrange(200):] * random.choice((0, 1, 4, 400))
        file.write(text + random.choice((b"\n", b"\r\n")))
        size += len(text)
END
	relayed 0
	"$PYTHON" - <<'END'
import re
sent = re.sub(rb"\r?\n", b"\r\n", open("message", "rb").read())
wire = open("up/content.1", "rb").read()
assert not re.search(rb"(?<!\r)\n|\r(?!\n)", wire)
assert wire.endswith(b"\r\n.\r\n") and wire.count(b"\r\n.\r\n") == 1
assert re.sub(rb"(?m)^\.(?=[^\r])", b"", wire[:-3]) == sent
size = re.search(rb"SIZE=(\d+)", open("up/commands", "rb").read())[1]
assert int(size) == len(sent)
END
}

@test "memory does not grow with the message" {
	! grep -q __asan_init "$relay" || skip "built with AddressSanitizer"
	head -c 40000000 /dev/zero | tr '\0' x >message
	upstream
	bash -c 'ulimit -v 16384 && exec "$@"' - \
		"$relay" "127.0.0.1:$port" <message >out
	replied '250 2.0.0 Queued as 4711'
	[ "$(stat -c %s up/content.1)" = 40000005 ]
}

@test "--x-peer: behind the header; a header without end; no address" {
	upstream
	TCPREMOTEIP=192.0.2.7 relayed 0 --x-peer
	printf 'Subject: hi\r\nX-Peer: 192.0.2.7\r\n\r\n..\r\n...dot\r\ntext\r\n.\r\n' |
		cmp - up/content.1
	printf 'Subject: hi' >message
	relayed 0 -x
	printf 'Subject: hi\r\nX-Peer: unknown\r\n.\r\n' | cmp - up/content.2
	[ "$(grep ^MAIL up/commands | tail -n 1)" = \
		'MAIL FROM:<ann@example.com> SIZE=30' ]
	: >message
	TCPREMOTEIP=::1 relayed 0 -x
	printf 'X-Peer: ::1\r\n.\r\n' | cmp - up/content.3
	# A body without end has its line end behind it, not before the field.
	printf 'a: b\r\n\r\nc' >message
	TCPREMOTEIP=$'::1\nb: c' relayed 0 -x
	printf 'a: b\r\nX-Peer: unknown\r\n\r\nc\r\n.\r\n' | cmp - up/content.4
	[ "$(grep ^MAIL up/commands | tail -n 1)" = \
		'MAIL FROM:<ann@example.com> SIZE=28' ]
	# Under a UCSPI client TCPREMOTEIP is upstream's address.
	export TCPREMOTEIP=192.0.2.7
	run -0 bash -c 'exec 6<>"/dev/tcp/127.0.0.1/$2" 7>&6
		exec "$1" -x - <message' - "$relay" "$port"
	printf 'a: b\r\nX-Peer: unknown\r\n\r\nc\r\n.\r\n' | cmp - up/content.5
}

@test "1000 recipients, with and without PIPELINING" {
	export RECIPIENTS
	RECIPIENTS=$(printf 'user%d@example.org\n' $(seq 1000))
	for offer in PIPELINING 8BITMIME; do
		upstream --offer "$offer"
		relayed 0
		[ "$(grep -c '^RCPT' up/commands)" = 1000 ]
		[ "$(sort -u up/commands | grep -c '^RCPT')" = 1000 ]
		end_all
	done
}

@test "--lmtp: a reply for each recipient where smtpd speaks LMTP" {
	upstream --lmtp 'end1=250 2.1.5 One' 'end2=550 5.2.2 Full'
	RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 0 --lmtp
	replied '250 2.1.5 One' '550 5.2.2 Full'
	head -n 1 up/commands | grep -qx 'LHLO me.example'
	# Else the worst.
	RECIPIENTS=$two SMTP_PROTOCOL=ESMTP relayed 69 --lmtp
	replied '550 5.2.2 Full'
	end_all
	upstream --lmtp 'end1=550 5.2.2 Full' 'end2=450 4.2.1 Later' 'end3=250 ok'
	RECIPIENTS=$two$'\ndee@example.org' SMTP_PROTOCOL=ESMTP relayed 75 --lmtp
	replied '450 4.2.1 Later'
	RECIPIENTS=$two SMTP_PROTOCOL=LMTPS relayed 69 --lmtp
	replied '550 5.2.2 Full' '450 4.2.1 Later'
	end_all
	upstream --lmtp 'end1=450 4.2.1 Later' 'end2=451 4.3.0 Later'
	RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 75 --lmtp
	replied '450 4.2.1 Later' '451 4.3.0 Later'
	end_all
	upstream --lmtp
	RECIPIENTS=$two SMTP_PROTOCOL=ESMTP relayed 0 --lmtp
	replied '250 2.0.0 Queued as 4711'
	# An SMTP upstream says one thing for all.
	RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 0
	replied '250 2.0.0 Queued as 4711'
}

@test "--lmtp: fewer replies than recipients do not hang" {
	for action in hang close; do
		upstream --lmtp 'end1=250 2.1.5 One' "end2=$action"
		RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 0 --lmtp -t 1
		[ "$(head -n 1 out)" = '250 2.1.5 One' ]
		[[ $(tail -n +2 out) = '451 4.4.2 '* ]]
		[ "$(wc -l <out)" = 2 ]
		RECIPIENTS=$two SMTP_PROTOCOL=ESMTP relayed 75 --lmtp -t 1
		replied '451 4.4.2 *'
		end_all
	done
}

@test "--check: upstream's word on one recipient, and no message" {
	upstream 'rcpt=250 ok' 'rcpt=550 5.1.1 No such user' \
		'rcpt=450 4.2.1 Later' rcpt=close
	export RECIPIENT=cid@example.org SMTP_MAIL_OPTIONS='SIZE=77 BODY=8BITMIME'
	relayed 0 --check
	[ ! -s out ]
	said 'EHLO me.example' 'MAIL FROM:<ann@example.com> SIZE=77' \
		'RCPT TO:<cid@example.org>' QUIT
	# He alone is asked about, however many were accepted before.
	RECIPIENTS=$two relayed 69 --check
	replied '550 5.1.1 No such user'
	relayed 75 --check
	replied '450 4.2.1 Later'
	relayed 75 --check
	replied '451 4.4.2 *'
}

@test "--auth-file: PLAIN, LOGIN, neither, refused" {
	umask 077
	echo 'us:er:pass' >secret
	upstream --offer 'AUTH_LOGIN_PLAIN'
	relayed 0 -a secret
	grep -qx 'AUTH PLAIN AHVzAGVyOnBhc3M=' up/commands
	end_all
	upstream --offer 'AUTH_LOGIN'
	relayed 0 --auth-file secret
	grep -qx 'dXM=' up/commands
	grep -qx 'ZXI6cGFzcw==' up/commands
	end_all
	upstream --offer 'AUTH_CRAM-MD5'
	relayed 75 -a secret
	replied '451 4.7.0 *'
	end_all
	upstream --offer 'AUTH_PLAIN' 'auth=535 5.7.8 Wrong'
	relayed 75 -a secret
	replied '451 4.7.8 Upstream refuses our login'
	grep -q 'it said 535' err
	run ! grep -q 'Wrong' err
	end_all
	upstream --offer 'AUTH_PLAIN' 'auth=421 4.7.0 Bad pass'
	relayed 75 -a secret
	replied '451 4.7.8 Upstream refuses our login'
	run ! grep -q 'pass\|AHVz' out err
	run ! grep -q '^MAIL' up/commands
}

@test "--lmtp at an SMTP port is our mistake, not the message's: 451" {
	upstream 'lhlo=500 5.5.2 What?'
	relayed 75 --lmtp
	replied '451 4.3.5 Upstream does not speak LMTP'
	grep -q 'it said 500' err
	upstream 'lhlo=550 5.7.1 No'
	relayed 69 --lmtp
	replied '550 5.7.1 No'
}

@test "LMTP: fewer verdicts than recipients do not hang: QUIT tells" {
	upstream --lmtp 'end2=+'
	RECIPIENTS=$two relayed 75 --lmtp
	replied '451 4.4.2 Upstream answers for too few recipients'
	grep -qx QUIT up/commands
	told 'end1=221 bye'
	RECIPIENTS=$two relayed 75 --lmtp
	told 'end2=+'
	RECIPIENTS=$two SMTP_PROTOCOL=LMTP relayed 0 --lmtp
	replied '250 2.0.0 Queued as 4711' \
		'451 4.4.2 Upstream answers for too few recipients'
}

@test "--auth-file: one that others may read, or is no login, is exit 78" {
	port=1
	for mode in 640 604 660 620 601; do
		echo user:password >secret
		chmod "$mode" secret
		relayed 78 -a secret
		[ ! -s out ]
	done
	chmod 600 secret
	for text in '' user :password 'user:a\nb' 'us\0er:b' 'u:p\r\n'; do
		# shellcheck disable=SC2059
		printf "$text" >secret
		relayed 78 -a secret
	done
	relayed 78 -a missing
	relayed 78 -a .
	printf '%0512d:%0512d\n' 1 2 >secret
	relayed 75 -a secret
	printf '%0513d:%0512d\n' 1 2 >secret
	relayed 78 -a secret
	printf '%0512d:%0513d\n' 1 2 >secret
	relayed 78 -a secret
}

@test "a login goes over no network unless told" {
	# An address of this machine that is not loopback.
	address=$(hostname -I | tr ' ' '\n' | grep -m 1 -F . || true)
	[ -n "$address" ] || skip "no network"
	umask 077
	echo user:password >secret
	upstream --listen "$address" --offer AUTH_PLAIN
	run -75 "$relay" -a secret "$address:$port" <message
	[[ $output = *'451 4.3.5 '* ]]
	[ ! -e up/commands ]
	run -0 "$relay" -a secret --auth-plaintext "$address:$port" <message
	grep -q '^AUTH PLAIN ' up/commands
}

@test "a login goes over loopback, Unix sockets and -" {
	umask 077
	echo user:password >secret
	for place in 127.0.0.2 ::1 "unix:$PWD/socket"; do
		[ "$place" != ::1 ] || grep -q . /proc/net/if_inet6 || continue
		upstream --listen "$place" --offer AUTH_PLAIN
		case $place in
		unix:*) run -0 "$relay" -a secret "$place" <message ;;
		*) run -0 "$relay" -a secret "[$place]:$port" <message ;;
		esac
		grep -q '^AUTH PLAIN ' up/commands
		end_all
	done
	upstream --offer AUTH_PLAIN
	run -0 bash -c 'exec 6<>"/dev/tcp/127.0.0.1/$2" 7>&6
		exec "$1" -a secret - <message' - "$relay" "$port"
	grep -q '^AUTH PLAIN ' up/commands
}

@test "Unix socket, IPv6, a name" {
	upstream --listen "unix:$PWD/socket"
	run -0 "$relay" "unix:$PWD/socket" <message
	end_all
	upstream --listen ::1
	run -0 "$relay" "[::1]:$port" <message
	end_all
	upstream
	run -0 "$relay" "localhost:$port" <message
	[ "$output" = '250 2.0.0 Queued as 4711' ]
}

@test "every address is tried: not now, refused; 5xx ends it" {
	need_root
	grep -q . /proc/net/if_inet6 2>/dev/null || skip "no IPv6"
	unshare -m true 2>/dev/null || skip "cannot unshare"
	upstream 'greeting=421 4.3.2 not now'
	first=$port
	"$PYTHON" - "$first" >log.two 2>&1 <<'END' &
import socket, sys
listener = socket.socket(socket.AF_INET6)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
listener.bind(("::1", int(sys.argv[1])))
listener.listen(5)
print("ready", flush=True)
listener.settimeout(20)
sock, _ = listener.accept()
sock.sendall(b"220 six\r\n")
file = sock.makefile("rb")
for line in file:
    if line.startswith(b"DATA"):
        sock.sendall(b"354 go\r\n")
        while file.readline() != b".\r\n":
            pass
    sock.sendall(b"250 2.0.0 six\r\n")
END
	started+=("$!")
	eventually grep -q ready log.two
	# Nobody listens at the last; glibc's order is its own.
	printf '%s twofold.test\n' 127.0.0.1 127.0.0.2 ::1 >hosts
	run -0 unshare -m sh -c 'mount --bind hosts /etc/hosts && exec "$@"' - \
		"$relay" "twofold.test:$first" <message
	[ "$output" = '250 2.0.0 six' ]
	# Now the one that greeted is gone.
	run -75 unshare -m sh -c 'mount --bind hosts /etc/hosts && exec "$@"' - \
		"$relay" "twofold.test:$first" <message
	[[ $output = *'451 4.3.2 not now'* ]]
	told 'greeting=554 5.3.2 never'
	printf '%s twofold.test\n' 127.0.0.1 127.0.0.2 >hosts
	run -69 unshare -m sh -c 'mount --bind hosts /etc/hosts && exec "$@"' - \
		"$relay" "twofold.test:$first" <message
	[ "${lines[0]}" = '554 5.3.2 never' ]
}

@test "two addresses in any order: not now is not final, never is" {
	need_root
	unshare -m true 2>/dev/null || skip "cannot unshare"
	upstream
	mkdir two
	start "$BATS_TEST_TMPDIR/log.two" "$PYTHON" \
		"$BATS_TEST_DIRNAME/upstream.py" two --listen 127.0.0.2 --port "$port"
	eventually [ -e two/port ]
	printf '%s twofold.test\n' 127.0.0.1 127.0.0.2 >hosts
	# by GREETING GREETING: the reply, and what went to the log.
	by() {
		printf 'greeting=%s\n' "$1" >up/actions
		printf 'greeting=%s\n' "$2" >two/actions
		unshare -m sh -c 'mount --bind hosts /etc/hosts && exec "$@"' - \
			"$relay" "twofold.test:$port" <message 2>&1 || true
	}
	good='220 upstream.example' queued='250 2.0.0 Queued as 4711'
	[ "$(by "$good" '421 4.3.2 not now')" = "$queued" ]
	[ "$(by '450 4.3.2 not now' "$good")" = "$queued" ]
	# One of the two is asked first.
	{
		by "$good" '554 5.3.2 never'
		by '554 5.3.2 never' "$good"
	} | grep -v '^smtpd-relay: ' | sort >out
	replied "$queued" '554 5.3.2 never'
}

@test "the deadline holds where nobody takes the connection" {
	"$PYTHON" - >log.full 2>&1 3>&- <<'END' &
import socket, time
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
waiting = []
while True:  # until no more are taken
    sock = socket.socket()
    sock.settimeout(0.5)
    waiting.append(sock)
    try:
        sock.connect(listener.getsockname())
    except OSError:
        break
print(listener.getsockname()[1], flush=True)
time.sleep(600)
END
	started+=("$!")
	eventually [ -s log.full ]
	port=$(cat log.full)
	status=0
	timeout 15 "$relay" -t 1 "127.0.0.1:$port" <message >out 2>err || status=$?
	[ "$status" -eq 75 ]
	replied '451 4.4.1 *'
	grep -q 'timed out' err
}

@test "QUIT: whoever does not answer it is not waited for" {
	upstream quit=hang
	run -0 timeout 15 "$relay" "127.0.0.1:$port" <message
	[ "$output" = '250 2.0.0 Queued as 4711' ]
	eventually grep -qx QUIT up/commands
}

@test "MAIL refused: what is said of recipients does not count" {
	upstream 'mail=550 5.7.1 No' 'rcpt=450 4.5.1 Sender first'
	RECIPIENTS=$two relayed 69
	replied '550 5.7.1 No'
	end_all
	upstream --offer 8BITMIME 'mail=550 5.7.1 No'
	RECIPIENTS=$two relayed 69
	replied '550 5.7.1 No'
	said 'EHLO me.example' 'MAIL FROM:<ann@example.com>' QUIT
}

@test "hanging up while as many commands wait as may: 451" {
	RECIPIENTS=$(printf 'user%d@example.org\n' $(seq 200))
	for action in close '421 4.3.2 going down'; do
		upstream "rcpt60=$action"
		relayed 75
		replied '451 4.*'
		end_all
	done
}

@test "our name: --hostname, SMTP_HOSTNAME, the host's, or its address" {
	upstream
	export SMTP_HOSTNAME=mx.example
	relayed 0
	run -0 "$relay" "127.0.0.1:$port" <message
	printf 'EHLO %s\n' me.example mx.example |
		diff -u - <(grep ^EHLO up/commands)
	unshare -u true 2>/dev/null || skip "cannot unshare"
	rm up/commands
	SMTP_HOSTNAME='a b'
	for name in host.example 'a b'; do
		run -0 unshare -u sh -c \
			'echo "$0" >/proc/sys/kernel/hostname && exec "$@"' \
			"$name" "$relay" "127.0.0.1:$port" <message
	done
	printf 'EHLO %s\n' host.example '[127.0.0.1]' |
		diff -u - <(grep ^EHLO up/commands)
}

@test "nobody there: 451 4.4.1, with the reason in the log" {
	port=$(free_port)
	relayed 75
	replied '451 4.4.1 *'
	grep -qx "smtpd-relay: 127.0.0.1:$port: Connection refused" err
	run -75 "$relay" unix:/no/such/socket <message
	[[ $output = *'451 4.4.1 '* ]]
	run -75 "$relay" no-such-host.invalid <message
	[[ $output = *'451 4.4.1 '* ]]
}

@test "-: descriptors 6 and 7, of a UCSPI client" {
	upstream
	run -0 "$PYTHON" - "$relay" "$port" <<'END'
import os, socket, subprocess, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
def place():
    os.dup2(sock.fileno(), 6)
    os.dup2(sock.fileno(), 7)
sys.exit(subprocess.run([sys.argv[1], "-"], stdin=open("message", "rb"),
    preexec_fn=place, close_fds=False).returncode)
END
	[ "$output" = '250 2.0.0 Queued as 4711' ]
	# Pipes, as of s6-tlsclient's children.
	mkfifo to from
	start log.socat socat "TCP:127.0.0.1:$port" 'SYSTEM:cat to & cat >from'
	run -0 bash -c 'exec 7>to 6<from; exec "$1" - <message' - "$relay"
	[ "$output" = '250 2.0.0 Queued as 4711' ]
	run -75 bash -c 'exec 6<&- 7>&-; exec "$1" - <message' - "$relay"
	[[ $output = *'descriptor 6'* ]]
}

@test "-: who takes nothing more may still say why" {
	run -69 "$PYTHON" - "$relay" <<'END'
import fcntl, os, struct, subprocess, sys, termios, time
to_read, to_write = os.pipe()
from_read, from_write = os.pipe()
def place():
    spare = os.dup(to_write)
    os.dup2(from_read, 6)
    os.dup2(spare, 7)
child = subprocess.Popen([sys.argv[1], "-t", "20", "-"], close_fds=False,
    stdin=open("message", "rb"), preexec_fn=place)
os.close(to_write)
os.write(from_write, b"220 x\r\n")
assert os.read(to_read, 100).startswith(b"EHLO")
os.close(to_read)
os.write(from_write, b"250 x\r\n")
def settled():
    # It has read that, and waits again: it has tried to write.
    left = struct.unpack("i", fcntl.ioctl(from_write, termios.FIONREAD, "1234"))
    with open(f"/proc/{child.pid}/stat") as file:
        return left[0] == 0 and file.read().rpartition(") ")[2][0] in "SZ"
end = time.monotonic() + 10
while not settled() and time.monotonic() < end:
    time.sleep(0.01)
if not settled():
    child.kill()
    sys.exit("it waits for nothing")
os.write(from_write, b"554 5.7.1 Go away\r\n")
sys.exit(child.wait())
END
	[ "$output" = '554 5.7.1 Go away' ]
}

@test "closed descriptors: upstream is told no reply, and no empty message" {
	upstream 'data=452 4.3.1 Full'
	run -75 bash -c 'exec "$@" <message >&- 2>&-' - "$relay" "127.0.0.1:$port"
	eventually grep -qx QUIT up/commands
	run ! grep -q '^4\|^smtpd' up/commands
	rm up/commands
	for n in '<&-' '<&- >&-' '<&- >&- 2>&-'; do
		run -75 bash -c "exec \"\$@\" $n" - "$relay" "127.0.0.1:$port"
	done
	[ ! -e up/commands ]
	# A hook reads nothing.
	RECIPIENT=cid@example.org run -0 bash -c 'exec "$@" <&- >&- 2>&-' - \
		"$relay" --check "127.0.0.1:$port"
}

@test "addresses that are none never reach upstream" {
	upstream
	for bad in $'a@b>\nRCPT TO:<c@d' 'a b@c' '<a@b>' 'a@'; do
		SENDER=$bad relayed 69
		replied '553 5.1.7 *'
	done
	RECIPIENTS=$'a@b\n' relayed 69
	replied '553 5.1.3 *'
	run ! grep -q '^DATA' up/commands
	run -64 env -u RECIPIENTS "$relay" "127.0.0.1:$port" <message
	RECIPIENTS='' run -64 "$relay" "127.0.0.1:$port" <message
	run -64 "$relay" --check "127.0.0.1:$port"
}

@test "through smtpd: upstream's refusals are the client's replies" {
	upstream 'end=450 4.7.1 Greylisted' 'end=554 5.7.1 Spam' end=close \
		'end=250 2.0.0 Queued as 4711'
	up_port=$port
	serve -n "$relay" "127.0.0.1:$up_port"
	for reply in '450 4.7.1 Greylisted' '554 5.7.1 Spam' '451 4.4.2' \
		'250 2.0.0 Queued as 4711'; do
		talk "127.0.0.1:$port" '<220' '>EHLO me' '<250' \
			'>MAIL FROM:<a@example.org>' '<250' \
			'>RCPT TO:<b@example.org>' '<250' '>DATA' '<354' \
			'=message' "<$reply" '>QUIT' '<221'
	done
}

@test "bad usage: 64 and one line; nothing is read" {
	for arguments in '' 'a b' '--no-such x' ':25' 'host:' 'host:0' 'host:65536' \
		'::1' '[::1' '[::1]x' 'unix:' 'host:2x' '-t 0 x' '-t x x' \
		'-n a_b> x' '--lmtp host' '-t 86401 x'; do
		# shellcheck disable=SC2086 # they are words
		run -64 "$relay" $arguments <message
		[ "${#lines[@]}" = 1 ]
	done
	# So long and no longer; nobody is there.
	x() {
		printf '%*s' "$1" '' | tr ' ' x
	}
	for place in "unix:/$(x 106)" "$(x 255)" "localhost:$(x 31)"; do
		run -75 "$relay" -t 86400 "$place" <message
		run -64 "$relay" -t 86400 "${place}x" <message
	done
}

@test "--help and --version are on standard output" {
	tells "$relay"
}

@test "the page and --help have the same options" {
	page_and_help "$page" "$relay"
}

@test "the page's exit statuses, variables and examples" {
	page_is_sound "$page" '0 64 65 69 75 78' SENDER RECIPIENTS RECIPIENT \
		SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS SMTP_UTF8 SMTP_BODY \
		SMTP_SIZE SMTP_PROTOCOL SMTP_HOSTNAME TCPREMOTEIP TMPDIR
}
