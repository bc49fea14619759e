#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016
# contrib/: the units are sound, the scripts hand on every octet, and never say
# 0 for a message that nobody has taken.

load lib

setup_file() {
	# Octets that a shell, a header or a path might read as more than octets.
	cat >"$BATS_FILE_TMPDIR/hostile" <<-'END'
		bob@example.org
		-oQ/tmp@example.org
		--config@example.org
		|touch`touch`{pwned}@example.org
		*@example.org
		$HOME@example.org
		%s&#!?~'x=1@example.org
		"a  b"@example.org
		"$(touch pwned);touch pwned"@example.org
		"<x>, <y>: \"q\" \\"@example.org
		"[a-z]* > pwned # "@example.org
		jürgen@exämple.org
		postmaster
	END
	# Every octet there is, twice, and no line end at the end.
	"$PYTHON" -c 'import sys
sys.stdout.buffer.write(b"Subject: x\n\n" + bytes(range(256)) * 2 + b".")' \
		>"$BATS_FILE_TMPDIR/message"

	# A web server, one request at a time: leaves request (its head) and body
	# in the folder $1, answers with the status that the path names and with
	# the files type and text.
	cat >"$BATS_FILE_TMPDIR/server.py" <<-'END'
		import os, socketserver, sys
		os.chdir(sys.argv[1])
		class Handler(socketserver.StreamRequestHandler):
		    def handle(self):
		        head = length = b""
		        for line in self.rfile:
		            head += line
		            if line.lower().startswith(b"content-length:"):
		                length = line.split(b":")[1]
		            if line == b"\r\n":
		                break
		        body = self.rfile.read(int(length or 0))
		        open("body", "wb").write(body)
		        open("request", "wb").write(head)
		        path = head.split()[1].decode().strip("/")
		        if path == "hang":
		            self.rfile.read()
		        if path in ("hang", "nothing"):
		            return
		        text = open("text", "rb").read()
		        extra = 1 if path == "cut" else 0
		        self.wfile.write(b"HTTP/1.1 %d X\r\nContent-Type: %b\r\n"
		            b"Content-Length: %d\r\nLocation: /200\r\n"
		            b"Connection: close\r\n\r\n%b"
		            % (int(path) if path.isdigit() else 200,
		               open("type", "rb").read().strip(),
		               len(text) + extra, text))
		server = socketserver.TCPServer(("127.0.0.1", 0), Handler)
		open("port.new", "w").write(str(server.server_address[1]))
		os.rename("port.new", "port")
		server.serve_forever()
	END
}

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
	contrib=$top/contrib
	deliver=$contrib/deliver
	hostile=$BATS_FILE_TMPDIR/hostile
	message=$BATS_FILE_TMPDIR/message
	here=$BATS_TEST_TMPDIR
	# What an address would be matched against, if one were a pattern.
	mkdir "$here/cwd"
	cd "$here/cwd" || return
	touch bob@example.org a@example.org z
	export SENDER=ann@example.com
	RECIPIENTS=$(cat "$hostile")
	export RECIPIENTS
	unset SMTP_SIZE SMTP_SESSION SMTP_HELO SMTP_AUTH_USER TCPREMOTEIP
}

teardown() {
	end_all
}

# gives STATUS COMMAND ...: fed with the message, the command exits so; what it
# printed is in out and err.
gives() {
	local expected=$1 actual=0
	shift
	"$@" <"$message" >"$here/out" 2>"$here/err" || actual=$?
	if [ "$actual" -ne "$expected" ]; then
		echo "exit status $actual, not $expected: $*"
		cat "$here/err"
		return 1
	fi
}

# prints TEXT: that and a line end was all the output; without TEXT, nothing.
prints() {
	: >"$here/expected"
	[ $# -eq 0 ] || printf '%s\n' "$@" >"$here/expected"
	diff "$here/expected" "$here/out"
}

unharmed() {
	[ "$(printf '%s ' *)" = 'a@example.org bob@example.org z ' ]
}

need_smtpd() {
	[ -x "$SMTPD_BIN/smtpd" ] || skip "no $SMTPD_BIN/smtpd"
}

# session FILE COMMAND ...: the transcript, with the options in $options and the
# command; the replies are left in FILE, with LF line ends.
session() {
	local replies=$1
	shift
	# shellcheck disable=SC2086 # options are words
	"$SMTPD_BIN/smtpd" -n -q --hostname=mx.example.org $options -- "$@" \
		<"$here/transcript" >"$replies.crlf" 2>"$here/err"
	tr -d '\r' <"$replies.crlf" >"$replies"
}

transcript() {
	printf '%s\r\n' 'EHLO client.example.com' \
		'MAIL FROM:<> BODY=8BITMIME SMTPUTF8' >"$here/transcript"
	sed $'s/.*/RCPT TO:<&>\r/' "$hostile" >>"$here/transcript"
	printf '%s\r\n' DATA 'Subject: häh' '' '..dot' last . QUIT \
		>>"$here/transcript"
	printf '%s\n' 'Subject: häh' '' .dot last >"$here/sent"
}

# --- the files

@test "shellcheck finds nothing in the shell scripts of contrib and tests" {
	command -v shellcheck >/dev/null || skip "no shellcheck"
	mapfile -t files < <(
		grep -rlE --binary-files=without-match \
			'^#!.*[ /](sh|bash)$|^# shellcheck shell=' \
			"$contrib" "$BATS_TEST_DIRNAME"
		printf '%s\n' "$contrib"/completions/*.bash
	)
	[ "${#files[@]}" -ge 6 ]
	cd "$BATS_TEST_DIRNAME"
	for file in "${files[@]}"; do
		case $file in
		*.bats) shellcheck -S warning -s bats -e SC2030,SC2031 "$file" ;;
		*.bash) shellcheck -s bash "$file" ;;
		*) shellcheck "$file" ;;
		esac
	done
}

@test "each script can be run and starts with what it is for" {
	for file in "$deliver"/*; do
		[ -x "$file" ]
		[ "$(sed -n 1p "$file")" = '#!/bin/sh' ]
		name=$(basename "$file")
		sed -n 2p "$file" | grep -qE "^# $name( .*)?: [a-zA-Z]"
		grep -q '^# Exit: ' "$file"
	done
	[ -x "$contrib/tcpserver/run" ]
	[ -x "$contrib/tcpsvd/run" ]
}

@test "every file of contrib is named in its README" {
	cd "$contrib"
	find . -type f ! -name README.md -printf '%P\n' >"$here/files"
	while read -r file; do
		case $file in
		deliver/*) grep -q -- "-- ${file#deliver/} " README.md ;;
		hooks/*) grep -q "^    .* ${file#hooks/} " README.md ;;
		*) grep -qF "\`$file\`" README.md ;;
		esac
	done <"$here/files"
}

# --- systemd

# units: copies of them, where ExecStart is there.
units() {
	mkdir "$here/units"
	cp "$contrib"/systemd/* "$here/units"
	printf '#!/bin/sh\n' >"$here/units/program"
	chmod +x "$here/units/program"
	sed -i "s|/usr/local/bin/smtpd|$here/units/program|" \
		"$here"/units/*.service
	cd "$here/units" || return
}

@test "systemd-analyze verify finds nothing in the units" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	units
	for unit in smtpd.socket smtpd@.service smtpd-listen.socket \
		smtpd-listen.service; do
		[ -f "$unit" ]
		systemd-analyze verify --man=no "./$unit" >"$here/out" 2>&1
		prints
	done
}

@test "systemd-analyze security says 1.5 or better of both services" {
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	units
	for unit in smtpd@.service smtpd-listen.service; do
		systemd-analyze security --offline=yes --no-pager "./$unit" \
			>"$here/security"
		exposure=$(sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p' \
			"$here/security")
		echo "$unit: $exposure tenths"
		[ "$exposure" -le 15 ]
	done
}

@test "both services share everything behind what they start" {
	for unit in smtpd@ smtpd-listen; do
		sed -n '/^# A command may run/,$p' "$contrib/systemd/$unit.service" \
			>"$here/$unit"
		[ -s "$here/$unit" ]
	done
	diff "$here/smtpd@" "$here/smtpd-listen"
}

@test "the units let a delivery end, and keep the log off the connection" {
	for unit in smtpd@ smtpd-listen; do
		file=$contrib/systemd/$unit.service
		grep -qx KillMode=mixed "$file"
		grep -qx TimeoutStopSec=600 "$file"
		grep -qx OOMPolicy=continue "$file"
		grep -qx StandardError=journal "$file"
		run ! grep -qE '^(RuntimeMaxSec|MemoryMax|WatchdogSec|NoExecPaths)' "$file"
	done
	grep -qx StandardInput=socket "$contrib/systemd/smtpd@.service"
	grep -qx CollectMode=inactive-or-failed "$contrib/systemd/smtpd@.service"
	grep -qx Accept=yes "$contrib/systemd/smtpd.socket"
	run ! grep -q '^Accept=' "$contrib/systemd/smtpd-listen.socket"
}

# --- the other launchers

# A stand-in for smtpd and smtpd-print in $here/bin, which tells how it was run.
stand_in() {
	mkdir "$here/bin"
	cat >"$here/bin/smtpd" <<-'END'
		#!/bin/sh
		echo "${PROTO:-none} ${RELAYCLIENT-no relay} $(id -un) $*"
	END
	chmod -R a+rx "$here/bin"
	cp "$here/bin/smtpd" "$here/bin/smtpd-print"
	user=$(id -un)
	port=$(free_port)
}

# placeholders FILE: on standard output, with this test's user, port, folder.
# Only root can become somebody: else no -u and -g.
placeholders() {
	sed -e "s|/usr/local/bin|$here/bin|g" -e "s|nobody|$user|g" \
		-e "s/^port=.*/port=$port/" -e 's/^host=.*/host=127.0.0.1/' \
		"$1" |
		if [ "$user" = root ]; then
			cat
		else
			sed -e 's/ -u "$user"//' -e 's/-u.*-g[^)]*)"//'
		fi
}

# connects: one connection to $port; what came is in out.
connects() {
	"$PYTHON" -c 'import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
sys.stdout.buffer.write(s.makefile("rb").read())' "$port" >"$here/out"
}

@test "tcpserver/run: rules, limits and arguments reach smtpd" {
	command -v tcpserver >/dev/null || skip "no tcpserver"
	stand_in
	mkdir "$here/service"
	cp "$contrib/tcpserver/tcp" "$here/service"
	placeholders "$contrib/tcpserver/run" >"$here/service/run"
	start "$here/log" sh "$here/service/run" "$here/service"
	eventually listening "$port"
	connects
	prints "TCP  $user -D example.org -- $here/bin/smtpd-print"
	echo '127.:deny' >"$here/service/tcp"
	(cd "$here/service" && tcprules tcp.cdb tcp.tmp <tcp)
	connects
	prints
}

@test "tcpsvd/run: arguments and peer rules reach smtpd" {
	command -v tcpsvd >/dev/null || skip "no tcpsvd"
	stand_in
	mkdir -p "$here/service/peers"
	echo '+RELAYCLIENT=' >"$here/service/peers/127.0.0"
	placeholders "$contrib/tcpsvd/run" |
		sed 's|^exec tcpsvd|& -i ./peers|' >"$here/service/run"
	start "$here/log" sh "$here/service/run" "$here/service"
	eventually listening "$port"
	connects
	prints "TCP  $user -D example.org -- $here/bin/smtpd-print"
}

@test "inetd.conf: openbsd-inetd runs each of its lines, more than 256 times a minute" {
	inetd=$BUILD/peers/openbsd-inetd/usr/sbin/inetd
	[ -x "$inetd" ] || skip "no openbsd-inetd: tests/peers"
	stand_in
	# The second line is for a program that accepts: launchers.bats.
	placeholders "$contrib/inetd.conf" | sed -n 's/^#*smtp\t/smtp\t/p' |
		grep -v tcp6 | grep 'nowait' | sed "s/^smtp/127.0.0.1:$port/" \
		>"$here/inetd.conf"
	[ "$(wc -l <"$here/inetd.conf")" -eq 1 ]
	start "$here/log" "$inetd" -d -i "$here/inetd.conf"
	eventually listening "$port"
	"$PYTHON" -c 'import socket, sys
for i in range(300):
    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
    assert s.makefile("rb").read(), i' "$port"
	connects
	prints "none no relay $user -D example.org -- $here/bin/smtpd-print"
}

@test "xinetd.d/smtpd: xinetd runs it" {
	xinetd=$BUILD/peers/xinetd/usr/sbin/xinetd
	[ -x "$xinetd" ] || skip "no xinetd: tests/peers"
	stand_in
	placeholders "$contrib/xinetd.d/smtpd" |
		sed -E "s/(port[[:blank:]]*=).*/\1 $port/" >"$here/xinetd.conf"
	start "$here/log" "$xinetd" -dontfork -f "$here/xinetd.conf" \
		-pidfile "$here/xinetd.pid"
	eventually listening "$port"
	connects
	prints "none no relay $user -D example.org -- $here/bin/smtpd-print"
	run ! grep -iE 'error|warning|unknown' "$here/log"
}

@test "smtpd takes the options that units and launchers' lines give it" {
	need_smtpd
	{
		sed -n 's/^#* *ExecStart=[^ ][^ ]*//p' "$contrib"/systemd/*.service
		sed -n 's/^#*smtp\t.*\tsmtpd //p' "$contrib/inetd.conf"
		sed -n 's/.*server_args.*= //p' "$contrib/xinetd.d/smtpd"
		sed -n 's|^\t/usr/local/bin/smtpd ||p' "$contrib"/tcp*/run
		sed -n 's/^#   smtpd //p' "$deliver"/*
	} >"$here/lines"
	[ "$(wc -l <"$here/lines")" -eq 14 ]
	printf 'QUIT\r\n' >"$here/quit"
	while read -r line; do
		# shellcheck disable=SC2086 # options are words
		"$SMTPD_BIN/smtpd" -n $line <"$here/quit" >"$here/out" 2>"$here/err"
		grep -q '^221 ' "$here/out"
	done <"$here/lines"
}

# --- to-sendmail

# A sendmail that leaves its arguments (NUL behind each) and its input.
sendmail() {
	mkdir -p "$here/bin"
	cat >"$here/bin/sendmail" <<-END
		#!/bin/sh
		printf '%s\\0' "\$@" >'$here/arguments'
		cat >'$here/input'
		echo 'for the log'
		$1
	END
	chmod +x "$here/bin/sendmail"
	PATH=$here/bin:$PATH
}

@test "to-sendmail: every octet of addresses and message arrives" {
	sendmail 'exit 0'
	gives 0 "$deliver/to-sendmail"
	prints
	{
		printf '%s\0' -i -f ann@example.com --
		tr '\n' '\0' <"$hostile"
	} | cmp - "$here/arguments"
	cmp "$message" "$here/input"
	unharmed
}

@test "to-sendmail: options come first, the null sender is <>" {
	sendmail 'exit 0'
	RECIPIENTS=-bd SENDER='' gives 0 "$deliver/to-sendmail" -oem '-B 8BITMIME'
	printf '%s\0' -oem '-B 8BITMIME' -i -f '<>' -- -bd |
		cmp - "$here/arguments"
	SENDER='-bd "x' gives 0 "$deliver/to-sendmail"
	printf '%s\0' -i -f '-bd "x' -- >"$here/expected"
	head -c "$(wc -c <"$here/expected")" "$here/arguments" |
		cmp "$here/expected" -
}

@test "to-sendmail: sendmail's exit status is its own" {
	for status in 0 1 2 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 100 111; do
		sendmail "exit $status"
		gives "$status" "$deliver/to-sendmail"
		prints
	done
	sendmail 'kill -KILL $$'
	gives 137 "$deliver/to-sendmail"
}

@test "to-sendmail: no sendmail is 78, no envelope 64 and nothing sent" {
	[ ! -e /usr/sbin/sendmail ] && [ ! -e /usr/lib/sendmail ] ||
		skip "there is a sendmail"
	PATH=$here gives 78 "$deliver/to-sendmail"
	sendmail 'exit 0'
	RECIPIENTS='' gives 64 "$deliver/to-sendmail"
	(unset SENDER && gives 64 "$deliver/to-sendmail")
	(unset RECIPIENTS && gives 64 "$deliver/to-sendmail")
	[ ! -e "$here/arguments" ]
}

@test "to-sendmail: where a sendmail with a set-id bit can gain no rights it is 78, and nothing sent" {
	sendmail 'exit 0'
	chmod u+s "$here/bin/sendmail"
	gives 0 "$deliver/to-sendmail"
	rm "$here/arguments"
	gives 78 setpriv --no-new-privs "$deliver/to-sendmail"
	[ ! -e "$here/arguments" ]
	chmod u-s "$here/bin/sendmail"
	gives 0 setpriv --no-new-privs "$deliver/to-sendmail"
}

@test "to-sendmail behind smtpd: the envelope arrives, its status is the reply" {
	need_smtpd
	options='--smtputf8 --no-received'
	transcript
	sendmail 'exit 0'
	session "$here/replies" "$deliver/to-sendmail"
	grep -q '^250 2\.0\.0 ' "$here/replies"
	{
		printf '%s\0' -i -f '<>' --
		tr '\n' '\0' <"$hostile"
	} | cmp - "$here/arguments"
	cmp "$here/sent" "$here/input"
	sendmail 'exit 67'
	session "$here/replies" "$deliver/to-sendmail"
	grep -q '^550 5\.1\.1 ' "$here/replies"
	unharmed
}

# --- to-webhook

# web: the server; $url is its address.
web() {
	web=$here/web
	mkdir "$web"
	answer_text application/json '{"not": "for the client"}'
	start "$here/web.log" "$PYTHON" "$BATS_FILE_TMPDIR/server.py" "$web"
	eventually test -e "$web/port"
	url=http://127.0.0.1:$(cat "$web/port")
}

# answer_text TYPE TEXT: what the server's answers hold from now on.
answer_text() {
	printf '%s' "$1" >"$web/type"
	printf '%s' "$2" >"$web/text"
}

# asked HEADER: prints the values that the request had of it.
asked() {
	tr -d '\r' <"$web/request" | LC_ALL=C sed -n "s/^$1: //p"
}

# envelope FILE: the header that names the recipients in it.
envelope() {
	sed 's/.*/<&>/' "$1" | paste -sd, | sed 's/>,</>, </g'
}

@test "to-webhook: every octet of envelope and message arrives" {
	web
	export SMTP_SESSION=abc.1 SMTP_HELO='[*] a' TCPREMOTEIP=2001:db8::1
	gives 0 "$deliver/to-webhook" "$url/200"
	prints
	sed -n 1p "$web/request" | grep -q '^POST /200 HTTP'
	cmp "$message" "$web/body"
	diff <(envelope "$hostile") <(asked Smtp-Recipients)
	diff <(echo '<ann@example.com>') <(asked Smtp-Sender)
	diff <(echo message/rfc822) <(asked Content-Type)
	diff <(echo abc.1) <(asked Smtp-Session)
	diff <(echo '[*] a') <(asked Smtp-Helo)
	diff <(echo 2001:db8::1) <(asked Smtp-Peer)
	[ "$(grep -ci '^smtp-' "$web/request")" -eq 5 ]
	unharmed
}

@test "to-webhook: null sender, empty and big messages, options of curl" {
	web
	SENDER='' gives 0 "$deliver/to-webhook" "$url/200" -H 'X-Key: a b'
	diff <(echo '<>') <(asked Smtp-Sender)
	diff <(echo 'a b') <(asked X-Key)
	message=/dev/null gives 0 "$deliver/to-webhook" "$url/200"
	[ ! -s "$web/body" ]
	head -c 5000000 /dev/zero | tr '\0' '\n' >"$here/big"
	message=$here/big gives 0 "$deliver/to-webhook" "$url/200"
	cmp "$here/big" "$web/body"
}

@test "to-webhook: the HTTP status decides" {
	web
	while read -r http status; do
		gives "$status" "$deliver/to-webhook" "$url/$http"
		prints
	done <<-END
		200 0
		202 0
		204 0
		299 0
		301 75
		302 75
		307 75
		400 69
		401 78
		402 69
		403 69
		404 78
		405 78
		406 69
		407 78
		408 75
		410 69
		422 69
		425 75
		429 75
		451 69
		499 69
		500 75
		502 75
		503 75
		599 75
		600 75
	END
	gives 69 "$deliver/to-webhook" "$url/413"
	prints '552 5.3.4 Message too big for the web server'
}

@test "to-webhook: no whole answer is 75" {
	web
	gives 75 "$deliver/to-webhook" "$url/cut"
	gives 75 "$deliver/to-webhook" "$url/nothing"
	gives 75 "$deliver/to-webhook" "$url/hang" --max-time 1
	# The body of a cut answer that looks like the end of a good one.
	answer_text text/plain $'x\ntext/plain\n200 0\n'
	gives 75 "$deliver/to-webhook" "$url/cut"
	gives 75 "$deliver/to-webhook" "http://127.0.0.1:$(free_port)/"
	gives 75 "$deliver/to-webhook" http://no-such-host.invalid/
	# FTP and SMTP have a 2xx of their own: curl is not even to try.
	for scheme in ftp smtp file; do
		gives 75 "$deliver/to-webhook" "$scheme://127.0.0.1/"
		grep -q disabled "$here/err"
	done
	gives 75 "$deliver/to-webhook" --version
	gives 75 "$deliver/to-webhook" "$url/200" --no-such-option
	prints
}

@test "to-webhook: without curl or what it needs, 75; no envelope or URL, 64" {
	web
	for missing in curl fold awk; do
		rm -rf "${here:?}/bin"
		mkdir "$here/bin"
		for program in curl fold awk; do
			[ "$program" = "$missing" ] ||
				ln -s "$(command -v "$program")" "$here/bin"
		done
		PATH=$here/bin gives 75 "$deliver/to-webhook" "$url/200"
	done
	rm -f "$web/request"
	RECIPIENTS='' gives 64 "$deliver/to-webhook" "$url/200"
	(unset SENDER && gives 64 "$deliver/to-webhook" "$url/200")
	gives 64 "$deliver/to-webhook"
	[ ! -e "$web/request" ]
}

@test "to-webhook: a control character in the envelope sends nothing" {
	web
	SENDER=$'a\rX-Evil: 1' gives 75 "$deliver/to-webhook" "$url/200"
	SENDER=$'a\nX-Evil: 1' gives 75 "$deliver/to-webhook" "$url/200"
	RECIPIENTS=$'a\rb' gives 75 "$deliver/to-webhook" "$url/200"
	SMTP_HELO=$'a\nb' gives 75 "$deliver/to-webhook" "$url/200"
	[ ! -e "$web/request" ]
}

@test "to-webhook: only text of the verdict's class becomes a reply" {
	web
	while IFS='|' read -r http status text reply; do
		answer_text 'text/plain; charset=utf-8' "$text"
		gives "$status" "$deliver/to-webhook" "$url/$http"
		# shellcheck disable=SC2086 # none or one argument
		prints ${reply:+"$reply"}
	done <<-'END'
		422|69|Who is that?|Who is that?
		422|69|550 5.1.1 Who is that?|550 5.1.1 Who is that?
		422|69|250 2.0.0 Fine|
		422|69|451 4.0.0 Later|
		422|69|250|
		422|69|5500 errors|
		503|75|Come back later|Come back later
		503|75|450 4.2.1 Busy|450 4.2.1 Busy
		503|75|550 5.0.0 Never|
		200|0|250 2.0.0 Queued as 7|250 2.0.0 Queued as 7
		200|0|550 5.0.0 No|
		200|0|thanks|
	END
	# One line, printable, bounded; nothing from other types.
	answer_text text/plain $'tab\there \xc3\xa4 \e[1m\r\n550 second\n'
	gives 69 "$deliver/to-webhook" "$url/422"
	prints 'tab?here ?? ?[1m'
	answer_text TEXT/PLAIN "$(head -c 5000 /dev/zero | tr '\0' x)"
	gives 69 "$deliver/to-webhook" "$url/422"
	[ "$(wc -c <"$here/out")" -eq 401 ]
	answer_text text/html 'Who is that?'
	gives 69 "$deliver/to-webhook" "$url/422"
	prints
}

@test "to-webhook: a ~/.curlrc has no say" {
	web
	printf '%s\n' 'output = pwned' 'user-agent = from-curlrc' >"$here/.curlrc"
	gives 0 env HOME="$here" "$deliver/to-webhook" "$url/200"
	run ! grep from-curlrc "$web/request"
	unharmed
}

@test "to-webhook behind smtpd: envelope, message and verdict" {
	need_smtpd
	web
	options='--smtputf8 --no-received'
	transcript
	session "$here/replies" "$deliver/to-webhook" "$url/200"
	grep -q '^250 2\.0\.0 ' "$here/replies"
	diff <(envelope "$hostile") <(asked Smtp-Recipients)
	diff <(echo '<>') <(asked Smtp-Sender)
	diff <(echo client.example.com) <(asked Smtp-Helo)
	cmp "$here/sent" "$web/body"
	unharmed

	answer_text text/plain 'Not here'
	while IFS='|' read -r path reply; do
		session "$here/replies" "$deliver/to-webhook" "$path"
		tail -n 2 "$here/replies" | head -n 1 | grep -qE "^$reply"
	done <<-END
		$url/422|550 5\.3\.0 Not here$
		$url/413|552 5\.3\.4
		$url/404|451 4\.3\.5
		$url/503|451 4\.3\.0 Not here$
		http://127.0.0.1:$(free_port)/|451 4\.3\.0
	END
}

# --- scan

@test "scan: what passes reaches the command whole, and only then" {
	gives 0 "$deliver/scan" cmp -s - "$message" -- cat
	cmp "$message" "$here/out"
	gives 0 "$deliver/scan" true -- "$deliver/scan" cat - -- cat
	cmp "$message" "$here/out"
	# The command's status and words are its own, -- included.
	gives 3 "$deliver/scan" true -- sh -c 'printf "%s\n" "$@"; exit 3' -- \
		'a b' -- '*'
	printf '%s\n' 'a b' -- '*' | cmp - "$here/out"
	# Words of the filter stay words.
	gives 0 "$deliver/scan" sh -c '[ "$#:$2" = "2:* " ]' x '' '* ' -- cat
	message=/dev/null gives 0 "$deliver/scan" true -- cat
	prints
}

@test "scan: the filter's exit status is the verdict" {
	for status in 65 67 68 69 76 77 100; do
		gives "$status" "$deliver/scan" sh -c "exit $status" -- touch pwned
		prints
	done
	for status in 1 2 5 64 66 70 75 78 99 111 126 127 137 255; do
		gives 75 "$deliver/scan" sh -c "exit $status" -- touch pwned
		prints
	done
	gives 75 "$deliver/scan" sh -c 'kill -SEGV $$' -- touch pwned
	gives 75 "$deliver/scan" no-such-filter -- touch pwned
	# No function or built-in of the script.
	gives 75 "$deliver/scan" exit 0 -- touch pwned
	gives 75 "$deliver/scan" : -- touch pwned
	unharmed
}

@test "scan: -r names one status more that refuses" {
	gives 77 "$deliver/scan" -r 1 grep -q nowhere-in-it -- touch pwned
	prints '550 5.7.1 Message refused'
	gives 75 "$deliver/scan" -r 1 sh -c 'exit 2' -- touch pwned
	gives 0 "$deliver/scan" -r 1 true -- cat
	cmp "$message" "$here/out"
	unharmed
}

@test "scan: nothing of the filter's output, no descriptor of the script's" {
	gives 0 "$deliver/scan" sh -c 'cat; echo log >&2; ls /proc/self/fd >fds' -- \
		sh -c 'ls /proc/self/fd >>fds; cat'
	cmp "$message" "$here/out"
	echo log | diff - "$here/err"
	# ls itself has 3 open; bats leaves some above 9.
	run ! grep -qE '^[4-9]$' fds
	rm fds
	unharmed
}

@test "scan: bad usage is 64 and runs nothing" {
	gives 64 "$deliver/scan"
	gives 64 "$deliver/scan" true
	gives 64 "$deliver/scan" true touch pwned
	gives 64 "$deliver/scan" true --
	gives 64 "$deliver/scan" -- touch pwned
	gives 64 "$deliver/scan" -x true -- touch pwned
	gives 64 "$deliver/scan" -r
	for status in '' 0 x 126 -1 1x; do
		gives 64 "$deliver/scan" -r "$status" true -- touch pwned
	done
	unharmed
}

@test "scan: what cannot be spooled whole is not delivered" {
	TMPDIR=$here/none gives 75 "$deliver/scan" true -- touch pwned
	head -c 3000000 /dev/zero >"$here/big"
	gives 75 bash -c 'ulimit -f 1000; "$0" true -- touch pwned <"$1"' \
		"$deliver/scan" "$here/big"
	size=$(wc -c <"$message")
	SMTP_SIZE=$((size + 1)) gives 75 "$deliver/scan" true -- touch pwned
	SMTP_SIZE=nonsense gives 75 "$deliver/scan" true -- touch pwned
	SMTP_SIZE=$size gives 0 "$deliver/scan" true -- cat
	cmp "$message" "$here/out"
	unharmed
}

@test "scan: no file is left behind" {
	mkdir "$here/tmp"
	export TMPDIR=$here/tmp
	gives 0 "$deliver/scan" true -- cat
	gives 75 "$deliver/scan" false -- cat
	gives 75 "$deliver/scan" sh -c 'ls "$TMPDIR" >seen; exit 75' -- cat
	[ ! -s seen ]
	[ -z "$(ls "$here/tmp")" ]
}

@test "scan behind smtpd: passes, refuses, and crashes into 451" {
	need_smtpd
	options='--smtputf8 --no-received'
	transcript
	session "$here/replies" "$deliver/scan" -r 1 grep -q dot -- \
		sh -c 'cat >"$0"' "$here/got"
	grep -q '^250 2\.0\.0 ' "$here/replies"
	cmp "$here/sent" "$here/got"
	rm "$here/got"
	session "$here/replies" "$deliver/scan" -r 1 grep -q nowhere -- \
		sh -c 'cat >"$0"' "$here/got"
	grep -q '^550 5\.7\.1 Message refused' "$here/replies"
	session "$here/replies" "$deliver/scan" sh -c 'kill -9 $$' -- \
		sh -c 'cat >"$0"' "$here/got"
	grep -q '^451 4\.3\.0 ' "$here/replies"
	[ ! -e "$here/got" ]
}

# --- completion

# completes LINE: prints what bash would offer at its end, sorted.
completes() {
	env -u BASH_ENV bash --norc -c '
		set -u
		. "$1"
		COMP_LINE=$2 COMP_POINT=${#2} COMP_CWORD=0 COMP_WORDS=()
		_smtpd
		[ "${#COMPREPLY[@]}" -eq 0 ] || printf "%s\n" "${COMPREPLY[@]}"
	' completes "$contrib/completions/smtpd.bash" "$1" | sort
}

# offers LINE WORD ...: exactly these, in this order.
offers() {
	local line=$1
	shift
	completes "$line" >"$here/out"
	prints "$@"
}

@test "completion: options, by their beginning" {
	offers 'smtpd --max' --max-errors --max-hops --max-messages --max-recipients
	offers 'smtpd -n --no' --no-received --no-trust --nosetuid
	offers 'smtpd --size=1 -l [::1]:25 --bare' --bare-newline
	offers 'smtpd --zzz'
	completes 'smtpd -' >"$here/out"
	[ "$(wc -l <"$here/out")" -gt 40 ]
	[ -z "$(uniq -d "$here/out")" ]
}

@test "completion: values, then the command" {
	offers 'smtpd -b ' normalize reject
	offers 'smtpd --bare-newline=r' reject
	offers 'smtpd --bare-newline n' normalize
	offers 'smtpd -U nobod' nobody
	offers 'smtpd -c '
	offers 'smtpd -D @bo' @bob@example.org
	mkdir "$here/cwd/hooks.d"
	touch "$here/cwd/hooks.txt"
	offers 'smtpd -H hoo' hooks.d
	offers 'smtpd --hooks=hoo' hooks.d
	touch "$here/cwd/zzz-program"
	chmod +x zzz-program
	PATH=$here/cwd:$PATH
	offers 'smtpd zzz' zzz-program
	offers 'smtpd -d -c 5 -- zzz' zzz-program
	offers 'smtpd -l localhost:25 zzz' zzz-program
	offers 'smtpd -d zzz-program bo' bob@example.org
	offers 'smtpd -- zzz-program -'
	rm zzz-program
}

@test "completion: bash knows it, and smtpd knows every option it offers" {
	bash --norc -c '. "$1" && complete -p smtpd' x \
		"$contrib/completions/smtpd.bash" >"$here/out"
	prints 'complete -F _smtpd smtpd'
	need_smtpd
	"$SMTPD_BIN/smtpd" --help >"$here/help"
	completes 'smtpd -' >"$here/offered"
	while read -r option; do
		grep -qE -- "(^|[ ,])$option([ ,=]|\$)" "$here/help"
	done <"$here/offered"
	# And the other way round.
	grep -oE -- '(^|[ ,])--?[a-zA-Z0-9][-a-z0-9]*' "$here/help" | tr -d ' ,' |
		sort -u >"$here/known"
	diff <(sort -u "$here/offered") "$here/known"
}
