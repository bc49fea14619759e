#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154
# contrib/hooks: each through smtpd -H, with the tools that it needs.

load lib

setup_file() {
	stage
	mkdir -m 755 "$STAGE/bin"
	cp "$BATS_TEST_DIRNAME"/../contrib/hooks/* "$STAGE/bin"
	chmod 755 "$STAGE/bin"/*

	# A name server: names and what to answer are in the file ZONE, a word
	# each; an address, nxdomain, servfail or silence. What it was asked is in
	# ZONE.asked.
	cat >"$BATS_FILE_TMPDIR/dns.py" <<-'END'
		import socket, sys
		zone = sys.argv[1]
		server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		server.bind(("127.0.0.1", 0))
		with open(zone + ".port", "w") as file:
		    print(server.getsockname()[1], file=file)
		while True:
		    query, client = server.recvfrom(512)
		    labels, at = [], 12
		    while query[at]:
		        labels.append(query[at + 1:at + 1 + query[at]].decode())
		        at += 1 + query[at]
		    name, end = ".".join(labels), at + 5
		    with open(zone + ".asked", "a") as file:
		        print(name, file=file, flush=True)
		    with open(zone) as file:
		        words = dict(line.split(None, 1) for line in file)
		    answer = words.get(name, "nxdomain").split()
		    if answer == ["silence"]:
		        continue
		    code = {"nxdomain": 3, "servfail": 2}.get(answer[0], 0)
		    records = [] if code else answer
		    server.sendto(
		        query[:2] + bytes((0x85, 0x80 | code)) + b"\0\1" +
		        len(records).to_bytes(2, "big") + b"\0\0\0\0" + query[12:end] +
		        b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(a)
		                 for a in records), client)
	END
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
	BIN=$STAGE/bin HOOKS=$STAGE/hooks NOTES=$STAGE/notes
	export BIN HOOKS NOTES
	rm -rf "$HOOKS" "$NOTES"
	mkdir -m 755 "$HOOKS"
	mkdir -m 1777 "$NOTES"
	said=$BATS_TEST_TMPDIR/said errors=$BATS_TEST_TMPDIR/log.errors
	# Who the client is, as a launcher says it.
	export PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=40312
	hello=('<220' '>EHLO me.example.org' '<250')
	mail=('>MAIL FROM:<ann@example.com>' '<250')
	command=("$RECORD" "$MAIL")
}

teardown() {
	end_all
}

# hook NAME LINE ...: a hook of these lines of sh.
hook() {
	local name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$HOOKS/$name"
	chmod 755 "$HOOKS/$name"
}

# ask STEP ...: what smtpd said is in $said, with LF, its log in $errors.
ask() {
	if ! talk -t 20 pair "$@" -- "$SMTPD" -q -A -u -H "$HOOKS" "${command[@]}" \
		>"$said.crlf" 2>"$errors"; then
		cat "$said.crlf" "$errors" >&2
		return 1
	fi
	tr -d '\r' <"$said.crlf" >"$said"
}

# silent: no hook complained.
silent() {
	diff -u /dev/null <(grep -v '^recorded ' "$errors")
}

@test "each says at its top how it is installed, and is sh" {
	for file in "$BATS_TEST_DIRNAME"/../contrib/hooks/*; do
		name=${file##*/}
		[ "$(head -n 1 "$file")" = '#!/bin/sh' ]
		sed -n 2p "$file" | grep -q "^# $name"
		sed -n '/^#/!q;p' "$file" | grep -qE "smtpd/hooks|^# qmail-spp-headers"
		dash -n "$file"
		shellcheck -s sh "$file"
	done
}

@test "README.md: the commands that install them put each in its place" {
	contrib=$BATS_TEST_DIRNAME/../contrib
	cd "$BATS_TEST_TMPDIR"
	mkdir bin contrib
	cp -R "$contrib/hooks" contrib
	sed -n '/^    mkdir -p .*hooks/,/^$/p' "$contrib/README.md" |
		sed "s|/usr/local/bin|$PWD/bin|; s|/etc|$PWD/etc|g" >install
	(cd contrib && sh -e ../install && sh -e ../install)
	[ "$(cd etc/smtpd/hooks && echo *)" = 'AUTH-XOAUTH2 PING' ]
	(cd contrib/hooks && printf '%s\n' *) >all
	(cd bin && printf '%s\n' * ping xoauth2) | LC_ALL=C sort | diff -u all -
}

@test "bad usage is 451 4.3.5 and a line of the log, and takes nothing" {
	for name in recipients greylist dnsbl tarpit chaos rcptcheck; do
		hook RCPT "exec $BIN/$name"
		ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<451 4.3.5' '>QUIT' '<221'
		grep -q '^usage: \|: usage: ' "$errors"
	done
}

# --- recipients

@test "recipients: those in the list, with extensions; domains without case" {
	hook RCPT "exec $BIN/recipients $NOTES/list"
	printf '%s\n' '# a comment' '' '  ann@example.org  ' 'Bob@Example.ORG' \
		'list+owner@example.org' '@open.example' '"q x"@example.org' 'bare' \
		'10@example.org' 'jürgen@exämple.org' '.*@example.org' >"$NOTES/list"
	printf 'last@example.org\r\nend@example.org' >>"$NOTES/list"
	check() { # CODE ADDRESS ...
		local code=$1 steps=() address
		shift
		for address; do steps+=(">RCPT TO:<$address>" "<$code"); done
		ask "${hello[@]}" '>MAIL FROM:<x@y> SMTPUTF8' '<250' "${steps[@]}" '>QUIT' '<221'
	}
	check '250 2.1.5' ann@example.org ann@EXAMPLE.org ann+x@example.org \
		ann+x+y@example.org ann+@example.org Bob@example.org list+owner@example.org \
		list+owner@example.org any+thing@open.example x@OPEN.example \
		'\x22q x\x22@example.org' bare bare+x postmaster Postmaster POSTMASTER 10@example.org \
		last@example.org end@example.org jürgen@exämple.org jürgen+1@exämple.org
	silent
	check '550 5.1.1 No such user' Ann@example.org bob@example.org list@example.org annx@example.org \
		ann@example.com ann@sub.example.org x@sub.open.example +ann@example.org +@example.org \
		'\x22ann\x22@example.org' '\x22ann+x\x22@example.org' '\x22q x+y\x22@example.org' \
		1e1@example.org axb@example.org '\x22#\x22@x'
	check '550 5.1.1' ann ann@a.comment '\x22a@b\x22@example.org' postmaster@example.org
	# -i: local parts without case, too.
	hook RCPT "exec $BIN/recipients -i $NOTES/list"
	check '250' ANN@example.org bob+x@example.org
	check '550' anna@example.org
	# Behind another check.
	hook RCPT "$BIN/recipients $NOTES/list || exit" 'echo 250 2.1.5 and more'
	check '250 2.1.5 and more' ann@example.org
	check '550 5.1.1' nobody@example.org
	# A list that cannot be read delays mail.
	rm "$NOTES/list"
	check '451 4.3.0' ann@example.org
	grep -q "recipients: cannot read $NOTES/list" "$errors"
	mkdir "$NOTES/list"
	check '451 4.3.0' ann@example.org
}

# --- greylist

# rcpt CODE [SENDER [RECIPIENT]]
rcpt() {
	ask "${hello[@]}" ">MAIL FROM:<${2-ann@example.com}>" '<250' \
		">RCPT TO:<${3-bob@example.org}>" "<$1" '>QUIT' '<221'
}

# age SECONDS: what is noted was so long ago.
age() {
	local file word second
	for file in "$NOTES/grey"/*; do
		read -r word second <"$file"
		echo "$word $((second - $1))" >"$file"
	done
}

grey_files() {
	find "$NOTES/grey" -mindepth 1 | wc -l
}

@test "greylist: the first waits, the second passes, by network, sender, recipient" {
	mkdir -m 777 "$NOTES/grey"
	hook RCPT "exec $BIN/greylist $NOTES/grey"
	rcpt '451 4.7.1 Greylisted, come again in 300 seconds'
	rcpt '451 4.7.1 Greylisted, come again in '
	age 270
	rcpt '451 4.7.1'
	age 30
	rcpt '250'
	rcpt '250'
	silent
	# Another host of the same network passes; any other has to wait.
	TCPREMOTEIP=192.0.2.250 rcpt 250
	TCPREMOTEIP=192.0.3.7 rcpt '451 4.7.1'
	rcpt '451 4.7.1' other@example.com
	rcpt '451 4.7.1' ''
	rcpt '451 4.7.1' ann@example.com eve@example.org
	rcpt 250
	[ "$(grey_files)" -eq 5 ]
	# Nothing a client says is in a name.
	run -1 grep -vE '^[0-9a-f]{64}$' <(find "$NOTES/grey" -mindepth 1 -printf '%f\n')
	# Clients that nobody knows the address of do not wait.
	unset PROTO TCPREMOTEIP
	rcpt 250 new@example.com
	[ "$(grey_files)" -eq 5 ]
}

@test "greylist: the network of an IPv6 address is its /64" {
	mkdir -m 777 "$NOTES/grey"
	hook RCPT "exec $BIN/greylist -d 5 $NOTES/grey"
	TCPREMOTEIP=2001:db8:1:2:3:4:5:6 rcpt 451
	age 5
	for address in 2001:db8:1:2::1 2001:db8:1:2:ffff:: 2001:db8:1:2:3:4:5:6; do
		TCPREMOTEIP=$address rcpt 250
	done
	for address in 2001:db8:1:3::1 2001:db8:1::2 2001:db8::1:2:3 ::1:2 2001:db8:1:: fe80::1; do
		TCPREMOTEIP=$address rcpt 451
	done
	# The same /64, however many zeros are left out.
	age 5
	TCPREMOTEIP=2001:db8:0:0:9:9:9:9 rcpt 250
	TCPREMOTEIP=2001:db8:1:0:1:: rcpt 250
	[ "$(grey_files)" -eq 6 ] || { ls "$NOTES/grey"; false; }
}

@test "greylist: what is too old is forgotten, and cleaned up" {
	mkdir -m 777 "$NOTES/grey"
	hook RCPT "exec $BIN/greylist -d 10 -w 100 -e 1000 $NOTES/grey"
	rcpt 451
	age 101
	rcpt 451 # too late: the first one again
	age 60
	rcpt 250
	age 960
	rcpt 250
	age 1001
	rcpt 451
	# A clock that was set back, and a file that is no file of ours.
	age -1000
	rcpt 451
	printf 'junk' >"$(echo "$NOTES"/grey/*)"
	rcpt 451
	: >"$(echo "$NOTES"/grey/*)"
	rcpt 451
	age 10
	rcpt 250
	# One that is still in use is remembered from then on.
	hook RCPT "exec $BIN/greylist -d 10 -e 100000 $NOTES/grey"
	age 90000
	rcpt 250
	age 90000
	rcpt 250
	touch -d '40 days ago' "$NOTES/grey/old" "$NOTES/grey/new.abcdef"
	"$BIN/greylist" --expire "$NOTES/grey"
	[ "$(grey_files)" -eq 1 ]
	"$BIN/greylist" -w 1 -e 1 --expire "$NOTES/grey"
	[ "$(grey_files)" -eq 1 ]
}

@test "greylist: many at once make one file, whole, and nobody slips through" {
	mkdir -m 777 "$NOTES/grey"
	export RECIPIENT=bob@example.org SENDER=ann@example.com
	for _ in $(seq 20); do
		start "$BATS_TEST_TMPDIR/log" "$BIN/greylist" "$NOTES/grey"
	done
	for p in "${started[@]}"; do
		status=0
		reap "$p" || status=$?
		[ "$status" -eq 75 ]
	done
	[ "$(grey_files)" -eq 1 ]
	grep -qE '^new [0-9]+$' "$NOTES/grey"/*
}

@test "greylist: a directory that cannot be used delays mail, and says so" {
	hook RCPT "exec $BIN/greylist $NOTES/grey"
	rcpt '451 4.3.0'
	grep -q "greylist: cannot write to $NOTES/grey" "$errors"
	need_root
	mkdir -m 555 "$NOTES/grey"
	rcpt '451 4.3.0'
	grep -q "greylist: cannot write to $NOTES/grey" "$errors"
}

# --- dnsbl

# name_server: starts it; its zone file is $zone.
name_server() {
	zone=$BATS_TEST_TMPDIR/zone
	: >"$zone"
	start "$BATS_TEST_TMPDIR/log.dns" "$PYTHON" "$BATS_FILE_TMPDIR/dns.py" "$zone"
	eventually test -s "$zone.port"
	read -r dns_port <"$zone.port"
	hook CONNECT "exec $BIN/dnsbl -s 127.0.0.1 -p $dns_port -w 1 $*"
}

@test "dnsbl: a listed address is refused, an address in 127.0.0.0/8 says so" {
	name_server bl.example zen.example.
	ask "${hello[@]}" '>QUIT' '<221'
	silent
	diff -u - "$zone.asked" <<-'END'
		7.2.0.192.bl.example
		7.2.0.192.zen.example
	END
	echo '7.2.0.192.zen.example 127.0.0.4' >"$zone"
	ask '<554 5.7.1 192.0.2.7 is listed by zen.example' '>EHLO me' '<503' '>QUIT' '<221'
	echo '7.2.0.192.bl.example 127.0.0.2 127.0.0.10' >"$zone"
	ask '<554 5.7.1 192.0.2.7 is listed by bl.example' '>QUIT' '<221'
	TCPREMOTEIP=192.0.2.70 ask "${hello[@]}" '>QUIT' '<221'
	# No listing: another address, and what is wrong with the question.
	for answer in 192.0.2.1 10.0.0.2 127.255.255.254 127.255.255.252; do
		echo "7.2.0.192.bl.example $answer" >"$zone"
		ask "${hello[@]}" '>QUIT' '<221'
		grep -q '^dnsbl: bl.example' "$errors"
	done
}

@test "dnsbl: IPv6 addresses by nibbles, the last one first" {
	name_server bl.example
	TCPREMOTEIP=2001:db8:1:2:3:4:567:89ab ask "${hello[@]}" '>QUIT' '<221'
	TCPREMOTEIP=2001:db8::1 ask "${hello[@]}" '>QUIT' '<221'
	TCPREMOTEIP=::2 ask "${hello[@]}" '>QUIT' '<221'
	TCPREMOTEIP=2001:db8:: ask "${hello[@]}" '>QUIT' '<221'
	py >"$BATS_TEST_TMPDIR/wanted" <<-'PY'
		import ipaddress
		for text in ("2001:db8:1:2:3:4:567:89ab", "2001:db8::1", "::2", "2001:db8::"):
		    print(ipaddress.ip_address(text).reverse_pointer.replace("ip6.arpa", "bl.example"))
	PY
	diff -u "$BATS_TEST_TMPDIR/wanted" "$zone.asked"
	echo "$(sed -n 2p "$zone.asked") 127.0.0.2" >"$zone"
	TCPREMOTEIP=2001:db8::1 ask '<554 5.7.1 2001:db8::1 is listed by bl.example' '>QUIT' '<221'
}

@test "dnsbl: a DNS that fails lets mail in, and who need not be asked is not" {
	name_server bl.example other.example
	echo '7.2.0.192.bl.example servfail' >"$zone"
	ask "${hello[@]}" '>QUIT' '<221'
	grep -q '^dnsbl: bl.example: no answer' "$errors"
	# The next list is asked all the same.
	printf '%s\n' '7.2.0.192.bl.example silence' '7.2.0.192.other.example 127.0.0.2' >"$zone"
	ask '<554 5.7.1 192.0.2.7 is listed by other.example' '>QUIT' '<221'
	grep -q '^dnsbl: bl.example: no answer' "$errors"
	kill "$pid" && reap "$pid" || true
	ask "${hello[@]}" '>QUIT' '<221'
	[ "$(grep -c 'no answer' "$errors")" -eq 2 ]
	for address in 127.0.0.1 ::1; do
		TCPREMOTEIP=$address ask "${hello[@]}" '>QUIT' '<221'
		silent
	done
	unset PROTO TCPREMOTEIP
	ask "${hello[@]}" '>QUIT' '<221'
	silent
}

@test "dnsbl: no host command, or one that lies, lets mail in" {
	mkdir -m 755 "$STAGE/path"
	for tool in awk sh cat; do ln -s "$(command -v $tool)" "$STAGE/path/$tool"; done
	hook CONNECT "PATH=$STAGE/path exec $BIN/dnsbl bl.example"
	ask "${hello[@]}" '>QUIT' '<221'
	grep -q 'no answer (exit status 127)' "$errors"
	for lie in 'echo rubbish' 'kill -9 $$' 'exit 0'; do
		printf '#!/bin/sh\n%s\n' "$lie" >"$STAGE/path/host"
		chmod 755 "$STAGE/path/host"
		ask "${hello[@]}" '>QUIT' '<221'
		grep -q 'no answer' "$errors"
	done
	rm -rf "$STAGE/path"
}

# --- tarpit, ping, chaos

@test "tarpit: waits, at RCPT after N recipients, and no longer than it may" {
	mkdir -m 755 "$STAGE/path"
	# A sleep that only notes: how long it would have been is what is tested.
	printf '#!/bin/sh\necho "$1" >>"$NOTES/slept"\n' >"$STAGE/path/sleep"
	chmod 755 "$STAGE/path/sleep"
	hook CONNECT "PATH=$STAGE/path:\$PATH exec $BIN/tarpit -m 20 7"
	hook RCPT "PATH=$STAGE/path:\$PATH exec $BIN/tarpit -a 2 -m 20 9"
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250' '>RCPT TO:<b@b>' '<250' \
		'>RCPT TO:<c@b>' '<250' '>RCPT TO:<d@b>' '<250' '>RCPT TO:<e@b>' '<250' \
		'>DATA' '<354' '>x' . '<250' '>QUIT' '<221'
	silent
	# 7 at CONNECT, 9, and then what is left of 20.
	[ "$(paste -sd ' ' "$NOTES/slept")" = '7 9 4' ]
	[ "$(recorded X_TARPIT)" = 20 ]
	rm -rf "$STAGE/path"
	# And it really sleeps.
	hook CONNECT "exec $BIN/tarpit 1"
	rm "$HOOKS/RCPT"
	before=$EPOCHREALTIME
	ask '<220' '>QUIT' '<221'
	after=$EPOCHREALTIME
	[ $((${after/[.,]/} - ${before/[.,]/})) -ge 1000000 ]
}

@test "ping: PING is a command" {
	cp "$BIN/ping" "$HOOKS/PING"
	ask '<220' '>PING' '<259 2.0.0 Pong' '>HELP' '<214' '>QUIT' '<221'
	grep -q '^214 .* PING' "$said"
}

@test "chaos: as often as the file says, and what it says" {
	for verb in CONNECT EHLO MAIL RCPT DATA; do
		hook "$verb" "exec $BIN/chaos $NOTES/chaos"
	done
	always() { # LINE STEP ...
		printf '%s\n' '# comment' '' "$1" >"$NOTES/chaos"
		shift
		ask "$@"
		silent
	}
	always 'RCPT 0 550 5.1.1 never' "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250 2.1.5' \
		'>DATA' '<354' '>x' . '<250' '>QUIT' '<221'
	always 'CONNECT 100 421 4.3.2 Chaos: too busy' '<421 4.3.2 Chaos: too busy' '<eof'
	always 'EHLO 100 502 5.5.1 no' '<220' '>EHLO me' '<502 5.5.1 no' '>HELO me' '<250' '>QUIT' '<221'
	always 'MAIL 100 451 4.3.0 wait' "${hello[@]}" '>MAIL FROM:<a@b>' '<451 4.3.0 wait' '>QUIT' '<221'
	always 'DATA 100 421 4.4.2 gone' "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250' \
		'>DATA' '<421 4.4.2 gone' '<eof'
	# Half of them; all the same way: once in 2^59.
	printf 'RCPT 50 550 5.1.1 unlucky' >"$NOTES/chaos"
	steps=()
	for _ in $(seq 60); do steps+=('>RCPT TO:<a@b>'); done
	ask "${hello[@]}" "${mail[@]}" "${steps[@]}" '>RSET' '<' '>QUIT' half '<eof' || true
	run -0 grep -c '^550 5.1.1 unlucky' "$said"
	[ "$output" -ge 1 ]
	run -0 grep -c '^250 2.1.5' "$said"
	[ "$output" -ge 1 ]
	# What cannot be understood is said, and fails.
	for line in 'RCPT 101 550 no' 'RCPT x 550 no' 'RCPT 10 nonsense' 'RCPT 10'; do
		echo "$line" >"$NOTES/chaos"
		ask "${hello[@]}" "${mail[@]}" '>QUIT' '<221' && false
		ask '<451 4.3.5' '>QUIT' '<221'
		grep -q '^chaos: not ' "$errors"
	done
}

# --- rcptcheck

@test "rcptcheck: an unmodified RCPTCHECK program, each of its exit statuses" {
	cat >"$STAGE/bin/checker" <<-'END'
		#!/bin/sh
		# As the patch of qmail-smtpd runs it: no arguments, an environment.
		[ $# -eq 0 ] || exit 100
		echo "checking $RECIPIENT from <$SENDER>, $(wc -c) to read"
		case $RECIPIENT in
		no@*) exit 100 ;;
		later@*) exit 111 ;;
		broken@*) exit 120 ;;
		crash@*) kill -SEGV $$ ;;
		odd@*) exit 3 ;;
		esac
	END
	chmod 755 "$STAGE/bin/checker"
	hook RCPT "exec $BIN/rcptcheck $STAGE/bin/checker"
	ask "${hello[@]}" '>MAIL FROM:<>' '<250' '>RCPT TO:<yes@b>' '<250 2.1.5' '>RCPT TO:<odd@b>' '<250' \
		'>RCPT TO:<no@b>' '<550 5.1.1 Sorry, no mailbox here' '>DATA' '<354' '>x' . '<250' '>QUIT' '<221'
	grep -qx 'checking yes@b from <>, 0 to read' "$errors"
	[ "$(tr '\0\n' '\n,' <"$(only)/env" | grep ^RECIPIENTS=)" = RECIPIENTS=yes@b,odd@b ]
	for who in later broken crash; do
		ask "${hello[@]}" "${mail[@]}" ">RCPT TO:<$who@b>" '<421 4.3.0' '<eof'
	done
	hook RCPT "exec $BIN/rcptcheck $STAGE/bin/nothing"
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<421 4.3.0' '<eof'
}

# --- qmail-spp

# spp LINE ...: the list of plugins; each plugin NAME runs $NOTES/NAME.sh.
spp() {
	rm -rf "$STAGE/qmail"
	mkdir -p "$STAGE/qmail/control" "$STAGE/qmail/plugins"
	printf '%s\n' "$@" >"$STAGE/qmail/control/smtpplugins"
	for verb in CONNECT HELO EHLO MAIL RCPT DATA RSET; do
		hook "$verb" "exec $BIN/qmail-spp $STAGE/qmail"
	done
	chmod -R a+rX "$STAGE/qmail"
	command=("$BIN/qmail-spp-headers" "$RECORD" "$MAIL")
}

plugin() { # NAME LINE ...
	local file=$STAGE/qmail/plugins/$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$file"
	chmod 755 "$file"
}

@test "qmail-spp: plugins get its environment, no descriptor 0, in their order" {
	spp '# list' '[connection]' 'plugins/show' '[helo]' plugins/show '[mail]' '' 'plugins/show  ' \
		'[rcpt]' plugins/show ':echo "shell $SMTPRCPTTO" >>"$NOTES/notes"' '[data]' plugins/show \
		'[other]' plugins/never
	plugin never 'echo never >>"$NOTES/notes"'
	plugin show '[ ! -e /proc/self/fd/0 ] || ls -l /proc/$$/fd/0 >>"$NOTES/notes" 2>/dev/null' \
		'echo "$#|$SMTPHELOHOST|$SMTPMAILFROM|$SMTPRCPTTO|$SMTPRCPTCOUNT|$SMTPRCPTCOUNTALL|$SMTPRCPTHOSTSOK|$TCPREMOTEIP" >>"$NOTES/notes"' \
		'case $SMTPRCPTTO in no@*) echo E550 sorry, "no (#5.1.1)" ;; esac'
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250' '>RCPT TO:<no@b>' '<550 sorry, no (#5.1.1)' \
		'>RCPT TO:<c@b>' '<250' '>DATA' '<354' '>x' . '<250' \
		'>MAIL FROM:<>' '<250' '>RCPT TO:<d@b>' '<250' '>QUIT' '<221'
	silent
	cut -d '|' -f 1-7 "$NOTES/notes" | diff -u - <(cat <<-'END'
		0||||||
		0|me.example.org|||||
		0|me.example.org|ann@example.com||||
		0|me.example.org|ann@example.com|a@b|0|1|1
		shell a@b
		0|me.example.org|ann@example.com|no@b|1|2|1
		0|me.example.org|ann@example.com|c@b|1|3|1
		shell c@b
		0|me.example.org|ann@example.com|c@b|||
		0|me.example.org|||||
		0|me.example.org||d@b|0|1|1
		shell d@b
	END
	) || { cat "$NOTES/notes"; return 1; }
	[ "$(messages)" -eq 1 ]
}

@test "qmail-spp: A, N, O, E, R, D, P and C" {
	spp '[rcpt]' plugins/one plugins/two '[mail]' plugins/mail
	plugin one 'echo one >>"$NOTES/notes"; printf "%s\n" "$(sed -n "s/^$SMTPRCPTTO //p" "$NOTES/say")"'
	plugin two 'echo two >>"$NOTES/notes"'
	plugin mail 'echo mail >>"$NOTES/notes"'
	cat >"$NOTES/say" <<-'END'
		next@b N
		ok@b Oand ignored
		go@b Unknown
		e@b E553-one
		p@b P250 a line
		r@b R550 5.7.1 go away
		d@b D
		c@b Cother@b
		all@b A
	END
	did() { [ "$(paste -sd ' ' "$NOTES/notes")" = "$1" ] || { cat "$NOTES/notes"; false; }; rm "$NOTES/notes"; }
	go() { ask "${hello[@]}" "${mail[@]}" ">RCPT TO:<$1>" "<$2" '>QUIT' '<221'; }
	go next@b 250 && did 'mail one'
	go ok@b 250 && did 'mail one'
	go go@b 250 && did 'mail one two'
	go p@b '250 2.1.5' && did 'mail one two'
	grep -q 'qmail-spp: not said: 250 a line' "$errors"
	# What is no reply is none: the client may come again.
	go e@b '451 4.3.0' && did 'mail one'
	go c@b '451 4.3.5' && did 'mail one'
	grep -q 'cannot change an address: other@b' "$errors"
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<r@b>' '<421 4.7.0 go away' '<eof' && did 'mail one'
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<d@b>' '<421 4.7.0 Closing' '<eof' && did 'mail one'
	# A: none any more on this connection.
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<all@b>' '<250' '>RCPT TO:<e@b>' '<250' '>RSET' '<250' \
		"${mail[@]}" '>RCPT TO:<e@b>' '<250' '>QUIT' '<221'
	did 'mail one'
	NOSPP=1 ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<e@b>' '<250' '>QUIT' '<221'
	[ ! -e "$NOTES/notes" ]
}

@test "qmail-spp: S and U, late errors, and headers on top of the message" {
	spp '[connection]' plugins/connect '[helo]' plugins/helo '[mail]' plugins/mail '[rcpt]' plugins/rcpt \
		'[data]' plugins/data
	plugin connect 'echo "SFOO=100%  a=b"; echo SGONE=1; echo "HX-Connect: 50%0A"'
	plugin helo 'echo UGONE; echo "S1BAD=1"; echo "SBAR=$FOO"'
	plugin mail 'echo "HX-Mail: $FOO|${GONE-unset}|$BAR"' 'printf "HX-Tab:\ta\n"' \
		'case $SMTPMAILFROM in l*) echo "LR550-5.7.1 two"; echo LR550 5.7.1 lines; echo "LD451 4.7.1 data" ;; esac'
	plugin rcpt 'echo "HX-Rcpt: $SMTPRCPTTO"; [ "$SMTPRCPTTO" != m@b ] || echo "LM452 4.7.1 no more mail"'
	plugin data 'echo "HX-Data: here"'
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250' '>RCPT TO:<c@b>' '<250' \
		'>DATA' '<354' '>Subject: x' '>' '>text' . '<250' '>QUIT' '<221'
	silent
	sed '/^Received/,/;/d' "$(only)/message" | sed '/^\t/d' | diff -u - <(
		cat <<-'END'
			X-Connect: 50%0A
			X-Mail: 100%  a=b|unset|100%  a=b
			X-Tab:	a
			X-Rcpt: a@b
			X-Rcpt: c@b
			X-Data: here
			Subject: x

			text
		END
	) || { cat "$(only)/message"; return 1; }
	[ "$(wc -c <"$(only)/message")" -eq "$(recorded SMTP_SIZE)" ]
	forget_messages
	# The next message has none of it but that of the connection.
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<gone@b>' '<250' '>RSET' '<250' \
		'>MAIL FROM:<>' '<250' '>RCPT TO:<d@b>' '<250' '>DATA' '<354' '>x' . '<250' '>QUIT' '<221'
	run -1 grep -q 'gone@b\|X-Connect' "$(only)/message"
	grep -qx 'X-Rcpt: d@b' "$(only)/message"
	forget_messages
	# Late errors stay until RSET.
	ask "${hello[@]}" '>MAIL FROM:<late@x>' '<250' '>RCPT TO:<a@b>' '<550-5.7.1 two' \
		'>RCPT TO:<a@b>' '<550-5.7.1' '>RSET' '<250' "${mail[@]}" '>RCPT TO:<m@b>' '<250' \
		'>DATA' '<354' '>x' . '<250' '>MAIL FROM:<x@y>' '<452 4.7.1 no more mail' \
		'>RSET' '<250' '>MAIL FROM:<x@y>' '<250' '>QUIT' '<221'
	grep -qx '550 5.7.1 lines' "$said"
}

@test "qmail-spp: S as often as the client likes, the last one counts" {
	spp '[rcpt]' plugins/rcpt '[mail]' plugins/mail
	# Of many names, some like others; what is unset, and set once more.
	plugin mail 'for n in 1 2 3 4 5 6 7 8 9; do echo "SN=$n%0A"; echo "SN$n=$n $n"; echo "SxN=x=$n"; done' \
		'echo UN1; echo UN2; echo SN2=again; echo "UTCPREMOTEIP"'
	plugin rcpt 'echo "SLAST=$SMTPRCPTTO"' 'echo "$N|${N1-unset}|$N2|$N9|$xN|$LAST|${TCPREMOTEIP-unset}" >>"$NOTES/notes"'
	steps=()
	for n in {1..90}; do
		steps+=(">RCPT TO:<a$n@b>" '<250')
		[ $((n % 30)) -ne 0 ] || steps+=('>RSET' '<250' "${mail[@]}")
	done
	ask "${hello[@]}" "${mail[@]}" "${steps[@]}" '>QUIT' '<221'
	silent
	[ "$(wc -l <"$NOTES/notes")" -eq 90 ]
	for n in {0..89}; do
		[ "$n" -gt 0 ] && last=a$n@b || last=
		echo "9%0A|unset|again|9 9|x=9|$last|unset"
	done | diff -u - "$NOTES/notes"
	# What has no room is 451, and the connection goes on.
	plugin rcpt 'printf "SBIG=%20000d\n" 1'
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<451 4.3.0' '>RSET' '<250' "${mail[@]}" '>QUIT' '<221'
}

@test "qmail-spp: a plugin that crashes, exits 120 or is not there: 451" {
	spp '[rcpt]' plugins/bad
	for how in 'exit 120' 'kill -SEGV $$' 'echo "E250 fine"; exit 120' 'echo N; kill -9 $$'; do
		plugin bad "$how"
		ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<451 4.3.0' '>QUIT' '<221'
		grep -q '^qmail-spp: plugins/bad: exit status' "$errors"
	done
	plugin bad 'exit 1' # which means nothing there
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<250' '>QUIT' '<221'
	rm "$STAGE/qmail/plugins/bad"
	ask "${hello[@]}" "${mail[@]}" '>RCPT TO:<a@b>' '<451 4.3.0' '>QUIT' '<221'
	rm "$STAGE/qmail/control/smtpplugins"
	ask '<451 4.3.0' '>QUIT' '<221'
	grep -q 'cannot read control/smtpplugins' "$errors"
}
