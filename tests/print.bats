#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-print: its two formats to the octet, whole messages or none, and its
# page. tests/print.py has what needs more than a shell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2154

load lib

setup() {
	print=$SMTPD_BIN/smtpd-print
	page=$BATS_TEST_DIRNAME/../man/smtpd-print.8
	cd "$BATS_TEST_TMPDIR" || return
	unset SENDER RECIPIENTS RECIPIENT SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS \
		SMTP_HELO SMTP_PROTOCOL SMTP_SIZE SMTP_BODY SMTP_UTF8 \
		SMTP_SESSION PROTO TCPREMOTEIP TCPREMOTEPORT
}

teardown() {
	! mountpoint -q disk || umount disk
}

check() {
	"$PYTHON" "$BATS_TEST_DIRNAME/print.py" "$@"
}

# printed: runs smtpd-print on standard input; what it prints is in the file
# err, and nothing may be on standard output.
printed() {
	"$print" "$@" >out 2>err
	[ ! -s out ]
}

# section NAME: of the page, as it is in the source.
section() {
	sed -n "/^\.S[hs] $1\$/,/^\.S[hs] /{/^\.S[hs] /!p;}" "$page"
}

# block KIND NAME: the literal block of the page that is marked so.
block() {
	awk -v mark="$1: $2" '
		substr(last, 5) == mark && /^\.Bd/ { on = 1; next }
		/^\.Ed/ { on = 0 }
		on { gsub(/\\e/, "\\"); print }
		{ last = $0 }' "$page"
}

@test "the message of the page" {
	export TCPREMOTEIP=192.0.2.7 RECIPIENTS=bob@example.org \
		SMTP_MAIL_OPTIONS='SIZE=229 BODY=8BITMIME' \
		SMTP_RCPT_OPTIONS=NOTIFY=NEVER
	printf 'Subject: hello\n\ntext\n' | printed
	block log plain >expected
	[ -s expected ]
	cmp err expected
}

@test "no parameters: no lines and no empty line" {
	export TCPREMOTEIP=2001:db8::1 RECIPIENTS=bob@example.org
	printf 'Subject: hello\n\ntext\n' | printed
	cat >expected <<-'END'
	---------- MESSAGE FOLLOWS ----------
	Subject: hello
	X-Peer: 2001:db8::1

	text
	------------ END MESSAGE ------------
	END
	cmp err expected
}

@test "parameters of MAIL only; of RCPT only, the second of three recipients" {
	SMTP_MAIL_OPTIONS=SIZE=1 printed <<<'A: b'
	cat >expected <<-'END'
	---------- MESSAGE FOLLOWS ----------
	mail options: ['SIZE=1']
	A: b
	------------ END MESSAGE ------------
	END
	cmp err expected
	export RECIPIENTS=$'a@example.org\nb@example.org\nc@example.org'
	SMTP_RCPT_OPTIONS=$'\nNOTIFY=NEVER ORCPT=rfc822;b@example.org\n' \
		printed <<<'A: b'
	cat >expected <<-'END'
	---------- MESSAGE FOLLOWS ----------
	rcpt options: ['NOTIFY=NEVER', 'ORCPT=rfc822;b@example.org']

	A: b
	------------ END MESSAGE ------------
	END
	cmp err expected
}

@test "what Python's own DebuggingServer prints" {
	run check reference
	[ "$status" -ne 77 ] || skip "this Python has no smtpd module"
	[ "$status" -eq 0 ]
}

@test "no peer: unknown, behind an X-Peer: that the client made up" {
	printf 'X-Peer: 127.0.0.1\n\n' | printed
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' \
		'X-Peer: 127.0.0.1' 'X-Peer: unknown' '' \
		'------------ END MESSAGE ------------' | cmp err -
}

@test "CRLF, NUL and octets above 127 as they came; a last line without end" {
	export TCPREMOTEIP=192.0.2.7
	printf 'A: \377\r\n\r\n\0\r\n\r\nx\ry\nz' | printed
	{
		printf -- '---------- MESSAGE FOLLOWS ----------\n'
		printf 'A: \377\r\nX-Peer: 192.0.2.7\r\n\r\n\0\r\n\r\nx\ry\nz\n'
		printf -- '------------ END MESSAGE ------------\n'
	} | cmp err -
}

@test "the empty message; one line only; an empty line only" {
	printed </dev/null
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' \
		'------------ END MESSAGE ------------' | cmp err -
	printf x | printed
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' x \
		'------------ END MESSAGE ------------' | cmp err -
	echo | printed
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' 'X-Peer: unknown' \
		'' '------------ END MESSAGE ------------' | cmp err -
}

@test "FILE is appended to, created by the umask, and stderr stays empty" {
	umask 027
	printf 'A: b\n' | printed log
	[ ! -s err ]
	[ "$(stat -c %a log)" = 640 ]
	printf 'C: d\n' | printed log
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' 'A: b' \
		'------------ END MESSAGE ------------' \
		'---------- MESSAGE FOLLOWS ----------' 'C: d' \
		'------------ END MESSAGE ------------' | cmp log -
}

@test "--json: every octet of one object" {
	export SMTP_SESSION=s1 TCPREMOTEIP=::1 TCPREMOTEPORT=4711 SMTP_HELO=me \
		SMTP_PROTOCOL=ESMTP SENDER=ann@example.org \
		RECIPIENTS=$'"a b"@example.org\nc@example.org' \
		SMTP_MAIL_OPTIONS='BODY=8BITMIME SIZE=5' \
		SMTP_RCPT_OPTIONS=$'NOTIFY=NEVER ORCPT=rfc822;c\n'
	printf 'A: b\n c\nD:\n\n\tx\n' | printed --json
	sed -E 's/"20[0-9]{2}(-[0-9]{2}){2}T([0-9]{2}:){2}[0-9]{2}Z"/"DATE"/' \
		err >seen
	printf '%s' '{"session":"s1","received":"DATE","peer":"::1",' \
		'"port":4711,"helo":"me","protocol":"ESMTP",' \
		'"sender":"ann@example.org",' \
		'"recipients":["\"a b\"@example.org","c@example.org"],' \
		'"mail_options":["BODY=8BITMIME","SIZE=5"],' \
		'"rcpt_options":[["NOTIFY=NEVER","ORCPT=rfc822;c"],[]],' \
		'"size":15,"headers":[["A","b c"],["D",""]],' \
		'"body":"\tx\n","encoding":"utf-8"}' $'\n' >expected
	cmp seen expected
}

@test "--json: nothing set, and an empty sender" {
	printed --json </dev/null
	grep -qF '{"session":null,' err
	grep -qF '"peer":null,"port":null,"helo":null,"protocol":null,"sender":null,"recipients":[],"mail_options":[],"rcpt_options":[],"size":0,"headers":[],"body":"","encoding":"utf-8"}' err
	SENDER='' RECIPIENTS=$'a\nb' printed --json </dev/null
	grep -qF '"sender":"","recipients":["a","b"],"mail_options":[],"rcpt_options":[[],[]],' err
}

@test "--json: a port is a number of 16 bits, or null" {
	for port in 0 1 65535; do
		TCPREMOTEPORT=$port printed --json </dev/null
		grep -qF "\"port\":$port," err
	done
	for port in '' 65536 -1 1e3 0x10 ' 1' 99999999999999999999; do
		TCPREMOTEPORT=$port printed --json </dev/null
		grep -qF '"port":null,' err
	done
}

@test "--json: base64 where the message is no UTF-8, but for names" {
	printf 'A: b\n\n\377\n' | printed --json
	grep -qF '"headers":[["A","Yg=="]],"body":"/wo=","encoding":"base64"}' err
	printf 'A: \377\n\nb\n' | printed --json
	grep -qF '"headers":[["A","/w=="]],"body":"Ygo=","encoding":"base64"}' err
}

@test "--json: a variable that is no UTF-8, with controls, is still JSON" {
	SMTP_HELO=$'\377"\\\001\n\303' SENDER=$'\302\233' printed -j </dev/null
	grep -qF '"helo":"'$'\xEF\xBF\xBD''\"\\\u0001\n'$'\xEF\xBF\xBD''",' err
	grep -qF '"sender":"\u009b",' err
	"$PYTHON" -m json.tool <err >/dev/null
}

@test "--json: messages that are hard to take apart" {
	check nasty
}

@test "--json: random octets" {
	check rand "$RANDOM"
}

@test "both formats: whatever lies about the end of a buffer" {
	check edges
}

@test "20 at once never interleave in FILE" {
	check crowd file
	check crowd file --json
}

@test "20 at once never interleave on a standard error that they share" {
	check crowd shared
	check crowd pipe
	check crowd pipe --json
}

@test "20 at once never interleave in a file that each was given anew" {
	check crowd apart
}

@test "the lock is waited for, and a signal ends the wait" {
	check waits release
	check waits signal
}

@test "SIGTERM: all of a message in FILE, or nothing of it" {
	check interrupted
}

@test "on a terminal control characters are shown, not sent" {
	printf 'A: \033[2J\a\177\tb\n\n\302\2332J\2332J\377 \303\244\xe2\x82\xac\r\n\0\x0e' |
		check terminal >seen
	cat >expected <<-'END'
	---------- MESSAGE FOLLOWS ----------
	A: ^[[2J^G^?TABb
	X-Peer: ::1

	M-BM-^[2JM-^[2JM-^? ä€^M
	^@^N
	------------ END MESSAGE ------------
	END
	sed -i $'s/TAB/\t/' expected
	# The terminal's own expansion of tabs is off on Linux.
	cmp seen expected
}

@test "--json sends a terminal no control characters either" {
	printf 'A: \033\177\n\n\302\233 \233' | check terminal --json >seen
	[ "$(tr -d '\n' <seen | LC_ALL=C tr -d ' -~' | wc -c)" = 0 ]
	printf 'A: \033\177\n\n\302\233' | check terminal --json >seen
	grep -qF '"headers":[["A","\u001b\u007f"]],"body":"\u009b"' seen
}

@test "a FILE that is a terminal is treated as one" {
	script -qec "printf 'A: \\033c\\n' | $print /dev/tty" /dev/null \
		>seen </dev/null
	grep -qF 'A: ^[c' seen
}

@test "a full device: 75 and a line that says so" {
	for option in '' --json; do
		# shellcheck disable=SC2086 # no word where there is no option
		run -75 "$print" $option /dev/full <<<'A: b'
		[ "$output" = "smtpd-print: /dev/full: No space left on device" ]
		# shellcheck disable=SC2086
		run -75 bash -c 'exec "$@" 2>/dev/full' - "$print" $option \
			<<<'A: b'
	done
}

@test "a file that may grow no further: 75, and no half message" {
	head -c 50000 /dev/zero >message
	for option in '' --json; do
		for room in 0 1 100 32768 50000; do
			yes before | head -c 7000 >log
			cp log expected
			# shellcheck disable=SC2086
			run -75 check limited $((7000 + room)) $option log <message
			[ "$output" = "smtpd-print: log: File too large" ]
			cmp log expected
		done
	done
	run -0 check limited 60000 log <message
	[ "$(stat -c %s log)" -gt 57000 ]
}

@test "a full disk: 75, no half message, and room made is used" {
	need_root
	mkdir disk
	mount -t tmpfs -o size=256k tmpfs disk 2>/dev/null ||
		skip "cannot mount"
	echo before >disk/log
	head -c 200000 /dev/zero >disk/fill
	head -c 100000 /dev/zero >message
	for option in '' --json; do
		# shellcheck disable=SC2086
		run -75 "$print" $option disk/log <message
		[ "$output" = "smtpd-print: disk/log: No space left on device" ]
		echo before | cmp disk/log -
	done
	# There is no room for a copy of it, either.
	head -c 300000 /dev/zero >message
	TMPDIR=$PWD/disk run -75 "$print" <message
	[ "$output" = "smtpd-print: cannot take in the message: No space left on device" ]
	rm disk/fill
	printf 'A: b\n' | "$print" disk/log
	tail -n 1 disk/log | grep -qx -- '------------ END MESSAGE ------------'
}

@test "a file that somebody else writes to is not cut below what is theirs" {
	# 2>file without append: it starts where the offset is, not at the end.
	head -c 50000 /dev/zero >message
	yes before | head -c 7000 >log
	run -75 "$PYTHON" - "$print" <<'END'
import os, resource, subprocess, sys
log = os.open("log", os.O_WRONLY)
os.lseek(log, 3500, os.SEEK_SET)
sys.exit(subprocess.run([sys.argv[1]], stdin=open("message", "rb"), stderr=log,
    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (7000, 7000))).returncode)
END
	[ "$(stat -c %s log)" = 7000 ]
}

@test "a reader of standard error that has gone: 75, not a signal" {
	run -75 bash -c '{ sleep 0.2; "$1"; echo $? >&3; } 3>status 2>&1 >/dev/null <<<"A: b" | :
		exit "$(cat status)"' - "$print"
}

@test "a standard error that does not block" {
	check nonblocking
}

@test "closed descriptors: 75, and no diagnostic in FILE" {
	run -75 bash -c '"$1" <&-' - "$print"
	run -75 bash -c '"$1" 2>&- </dev/null' - "$print"
	run -0 bash -c '"$1" log 2>&- <<<"A: b"' - "$print"
	[ "$(wc -l <log)" = 3 ]
}

@test "what cannot be read or opened: 75" {
	run -75 "$print" <.
	run -75 "$print" . </dev/null
	run -75 "$print" no/such/directory </dev/null
	[ "${#lines[@]}" = 1 ]
}

@test "a TMPDIR that takes no file: the next one does" {
	head -c 65536 /dev/zero >message
	TMPDIR=/no/such "$print" log <message
	[ "$(tr -cd '\0' <log | wc -c)" = 65536 ]
}

@test "a long message leaves no file in TMPDIR" {
	mkdir tmp
	head -c 1000000 /dev/zero | TMPDIR=$PWD/tmp printed
	[ "$(stat -c %s err)" -gt 1000000 ]
	[ -z "$(ls -A tmp)" ]
}

@test "memory does not grow with the message" {
	! grep -q __asan_init "$print" || skip "built with AddressSanitizer"
	head -c 33554432 /dev/zero | tr '\0' x >half
	{ printf 'A: '; cat half; printf '\n\n'; cat half; } >message
	for option in '' --json; do
		# shellcheck disable=SC2086,SC2016
		bash -c 'ulimit -v 16384 && exec "$@"' - "$print" $option log \
			<message
	done
	[ "$(stat -c %s log)" -gt $((4 * 33554432)) ]
}

@test "bad usage: 64 and one line, nothing printed" {
	for arguments in --no-such -x '--json=x' 'a b' '--json a b'; do
		# shellcheck disable=SC2086 # they are words
		run -64 "$print" $arguments <<<'A: b'
		[ "${#lines[@]}" = 1 ]
	done
	run -64 "$print" '' <<<'A: b'
	[ "${#lines[@]}" = 1 ]
	[ ! -e a ] && [ ! -e b ]
}

@test "--help and --version are on standard output" {
	for option in --help -h --version -V; do
		"$print" "$option" >out 2>err </dev/null
		[ -s out ] && [ ! -s err ]
		run -75 bash -c '"$1" "$2" >/dev/full' - "$print" "$option"
	done
	"$print" -V >out
	grep -qE '^smtpd-print [0-9]+(\.[0-9]+)*$' out
}

@test "-- ends the options; a FILE may look like one" {
	printf 'A: b\n' | printed -- --json
	[ "$(wc -l <./--json)" = 3 ]
}

@test "the page and --help have the same options, and each is taken" {
	"$print" --help | sed -n 's/^  -\(.\), --\([a-z]*\)  .*/\1 \2/p' >program
	sed -n 's/^\.It Fl \(.\) , -\([a-z]*\)$/\1 \2/p' "$page" >manual
	[ -s manual ]
	cmp program manual
	while read -r short long; do
		run -0 "$print" "-$short" </dev/null
		run -0 "$print" "--$long" </dev/null
	done <manual
	run -1 bash -c '"$1" --help | grep -E "^.{81}"' - "$print"
}

@test "the page has the members of the object, in their order" {
	printed --json </dev/null
	"$PYTHON" -c 'import json; print(*json.load(open("err")), sep="\n")' >program
	section JSON | sed -n 's/^\.It Cm //p' >manual
	[ -s manual ]
	cmp program manual
}

@test "the page has every variable, and each can be seen" {
	section ENVIRONMENT | sed -n 's/^\.It Ev //p' | tr -s ' ,' '\n' |
		sort >manual
	printf '%s\n' RECIPIENTS SENDER SMTP_HELO SMTP_MAIL_OPTIONS \
		SMTP_PROTOCOL SMTP_RCPT_OPTIONS SMTP_SESSION TCPREMOTEIP \
		TCPREMOTEPORT TMPDIR >expected
	cmp manual expected
	export RECIPIENTS=one
	grep -vx 'TMPDIR' manual | while read -r name; do
		printed --json </dev/null
		grep -v 4711 err
		env "$name=4711" "$print" --json </dev/null 2>err
		grep 4711 err
	done
}

@test "the page has the exit statuses that the tests above have seen" {
	section 'EXIT STATUS' | sed -n 's/^\.It Li //p' | paste -sd ' ' >manual
	[ "$(cat manual)" = '0 64 75' ]
}

@test "the examples of the page" {
	mandoc -T lint -W warning "$page"
	for name in watch collect subjects file; do
		block sh "$name" >example
		[ -s example ]
		sh -n example
	done
	printf 'Subject: hi\n\ntext\n' >message
	PATH=$SMTPD_BIN:$PATH sh ./example 2>seen
	grep -qx 'Subject: hi' seen
	# The filter of the example, on what --json prints.
	command -v jq >/dev/null || skip "no jq for the last one"
	"$print" --json mail.json <message
	block sh subjects | sed 's|/tmp/mail.json|mail.json|' >example
	[ "$(sh ./example)" = hi ]
}
