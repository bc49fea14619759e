#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016,SC2030,SC2031,SC2154
# contrib/python-smtpd: the command line of python -m smtpd, held against
# Python's own where it is at hand; and the README's table of Python's names.

load lib

setup_file() {
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$SMTPD_BIN/smtpd-mailman" \
		"$BATS_TEST_DIRNAME/../contrib/python-smtpd" "$STAGE"
	chmod 755 "$STAGE"/*
	# A program that leaves its arguments, a line each, for what it is
	# called: smtpd's own pipe is called PIPE.
	mkdir "$STAGE/stub"
	cat >"$STAGE/stub/smtpd" <<-'END'
		#!/bin/sh
		printf '%s\n' "$@" |
			sed 's|^/tmp/python-smtpd\..*/stdout$|PIPE|' >"$ARGUMENTS"
	END
	chmod 755 "$STAGE/stub" "$STAGE/stub/smtpd"
	for name in print relay mailman; do
		cp "$STAGE/stub/smtpd" "$STAGE/stub/smtpd-$name"
	done
}

teardown_file() {
	unstage
}

setup() {
	readme=$BATS_TEST_DIRNAME/../README.md
	cd "$BATS_TEST_TMPDIR" || return
	chmod 755 .
	unset MAILMAN_LMTP MAILMAN_WRAPPER MAILMAN_LISTS
	bare=$PATH
	PATH=$STAGE:$PATH
	port=$(free_port)
	local=127.0.0.1:$port
	# Options that smtpd is given whatever the command line.
	always=(--bare-newline=normalize)
}

teardown() {
	end_all
}

# runs ARGUMENT ...: python-smtpd at $local, when it listens; its standard
# output and error are in the files out and err.
runs() {
	runs_into out "$@"
}

# runs_into FILE ARGUMENT ...: the same with another standard output.
runs_into() {
	start log sh -c 'exec python-smtpd "$@" >"$0" 2>err' "$@"
	eventually listening "$port"
}

# pipe_of PID: the directory that it was given to print to.
pipe_of() {
	tr '\0' '\n' <"/proc/$1/cmdline" |
		sed -n 's|^\(/tmp/python-smtpd\..*\)/stdout$|\1|p'
}

# children PID
children() {
	ps -o pid= --ppid "$1" | tr -d ' '
}

# helpers PID: the processes besides smtpd; those of its child.
helpers() {
	local child
	for child in $(children "$1"); do
		echo "$child"
		children "$child"
	done
}

# user PID: its number.
user() {
	sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$1/status"
}

# mail: one message by smtplib, from standard input, the octets as they are.
mail() {
	"$PYTHON" -c 'import smtplib, sys
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=20) as client:
    client.sendmail("ann@example.com", ["bob@example.org"], sys.stdin.buffer.read())
' "$port"
}

# ends: the file out ends with the end of a message.
ends() {
	tail -n 1 out | grep -q '^------------ END MESSAGE -'
}

# given STATUS ARGUMENT ...: python-smtpd with the stubs ends so; the arguments
# that smtpd had are in the file arguments.
given() {
	local wanted=$1 status=0
	shift
	rm -f arguments
	ARGUMENTS=$PWD/arguments PATH=$STAGE/stub:$bare \
		"$STAGE/python-smtpd" "$@" >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || {
		echo "exit status $status, not $wanted: $*" >&2
		cat err >&2
		return 1
	}
}

# had WORD ...: those arguments.
had() {
	printf '%s\n' "$@" | diff - arguments
}

# runs_as NUMBER ARGUMENT ...: runs, as that user.
runs_as() {
	start log sh -c 'exec "$@" >out 2>err' - setpriv --reuid="$1" --regid="$1" \
		--clear-groups python-smtpd "${@:2}"
}

# each_user COMMAND ...: with $words -n, and, where there is root to become
# somebody else, with none.
each_user() {
	local words
	for words in -n ''; do
		[ -n "$words" ] || [ "$(id -u)" -eq 0 ] || continue
		"$@"
	done
}

# --- what smtpd is told

@test "each class has its command; localhost:8025 and localhost:25" {
	given 0 -n
	had --quiet --listen=localhost:8025 "${always[@]}" --nosetuid -- \
		smtpd-relay --x-peer -- localhost:25
	given 0 -n -c PureProxy :2500 '[::1]:26'
	had --quiet --listen=:2500 "${always[@]}" --nosetuid -- \
		smtpd-relay --x-peer -- '[::1]:26'
	# What anybody may send to prints, and relays nothing.
	given 0 -n -c DebuggingServer '[::1]:1025'
	had --quiet '--listen=[::1]:1025' "${always[@]}" --nosetuid --any --no-received -- \
		smtpd-print PIPE
	given 0 -n -c MailmanProxy localhost:1025 :26
	had --quiet --listen=localhost:1025 "${always[@]}" --nosetuid -- \
		smtpd-mailman --lmtp localhost:8024 -- localhost:26
}

@test "options in every spelling that Python's getopt takes" {
	given 0 --nosetuid --size=7 --smtputf8 --debug --class=PureProxy
	had --debug --listen=localhost:8025 "${always[@]}" --size=7 \
		--smtputf8 --nosetuid -- \
		smtpd-relay --x-peer -- localhost:25
	mv arguments long
	for words in '-n -s 7 -u -d -c PureProxy' '-nudcPureProxy -s7' \
		'-nuds7 --class PureProxy' '-dcsmtpd.PureProxy -nus 7 --' \
		'--class smtpd.PureProxy --size 7 -und' \
		'-s 9 -c DebuggingServer -nud --size=7 -cPureProxy'; do
		# shellcheck disable=SC2086 # words
		given 0 $words
		diff long arguments
	done
	given 0 -nc DebuggingServer -- localhost:1
	given 0 -ncDebuggingServer localhost:1 localhost:2
	had --quiet --listen=localhost:1 "${always[@]}" --nosetuid --any --no-received -- \
		smtpd-print PIPE
}

@test "bad usage: Python's words, 64, and nothing is started" {
	while IFS='|' read -r words said; do
		# shellcheck disable=SC2086 # words
		given 64 $words
		[ ! -e arguments ] && [ ! -s out ]
		[ "$(wc -l <err)" -eq 2 ]
		grep -q '^usage: python-smtpd ' err
		diff <(echo "$said") <(tail -n 1 err)
	done <<-'END'
		-n nowhere|Bad local spec: nowhere
		-n nowhere:|Bad local port: nowhere:
		-n a:b|Bad local port: a:b
		-n ::1:25|Bad local port: ::1:25
		-n a:65536|Bad local port: a:65536
		-n a:99999999999999999999|Bad local port: a:99999999999999999999
		-n a:-1|Bad local port: a:-1
		-n a:1 b|Bad remote spec: b
		-n a:1 b:|Bad remote port: b:
		-n a:1 -n|Bad remote spec: -n
		-n -c DebuggingServer a:1 b:x|Bad remote port: b:x
		-n a:1 b:2 c:3|Invalid arguments: a:1, b:2, c:3
		-n -s|option -s requires argument
		-nc|option -c requires argument
		-n -s 1k|Invalid size: 1k
		-n -s -1|Invalid size: -1
		-x|option -x not recognized
		-nx|option -x not recognized
		--no-such|option --no-such not recognized
		--no=such|option --no not recognized
		--debug=1|option --debug must not have an argument
	END
	given 64 -n --size=
	[ "$(tail -n 1 err)" = 'Invalid size: ' ]
}

@test "a class that is not there: what is, and what to do" {
	for class in SMTPServer mymodule.MyServer debuggingserver smtpd. ''; do
		given 64 -n -c "$class"
		[ ! -e arguments ] && [ ! -s out ]
		tail -n 1 err >said
		grep -qF "no class $class: " said
		for word in DebuggingServer PureProxy MailmanProxy \
			'smtpd -l localhost:8025 COMMAND' 'smtpd-delivery(7)'; do
			grep -qF "$word" said
		done
	done
}

@test "MailmanProxy: which Mailman" {
	export MAILMAN_WRAPPER=$PWD/wrapper
	given 0 -n -c MailmanProxy
	had --quiet --listen=localhost:8025 "${always[@]}" --nosetuid -- smtpd-mailman \
		--wrapper "$PWD/wrapper" --lists /var/lib/mailman/lists -- \
		localhost:25
	MAILMAN_LISTS='/srv/my lists' given 0 -n -c MailmanProxy
	grep -qx '/srv/my lists' arguments
	MAILMAN_LMTP=lists.example:24 given 0 -n -c MailmanProxy
	had --quiet --listen=localhost:8025 "${always[@]}" --nosetuid -- smtpd-mailman \
		--lmtp lists.example:24 -- localhost:25
}

@test "-h and -V on standard output; -h has the options and the classes" {
	for option in -h --help -nh; do
		given 0 "$option"
		[ ! -s err ]
		for word in -n --nosetuid -V --version -c --class -s --size -u \
			--smtputf8 -d --debug -h --help DebuggingServer \
			PureProxy MailmanProxy; do
			grep -qE -- "(^|[ ,])$word([ ,]|\$)" out
		done
	done
	for option in -V --version; do
		run -0 --separate-stderr python-smtpd "$option"
		[ "$output" = "$("$SMTPD" --version)" ]
	done
}

@test "programs that are missing: 78, before anything listens" {
	mkdir bin
	for name in smtpd smtpd-print smtpd-relay smtpd-mailman; do
		cp "$STAGE/stub/smtpd" bin
		for other in print relay mailman; do
			cp "$STAGE/stub/smtpd" "bin/smtpd-$other"
		done
		rm "bin/$name"
		case $name in
		*print) class=DebuggingServer ;;
		*mailman) class=MailmanProxy ;;
		*) class=PureProxy ;;
		esac
		ARGUMENTS=$PWD/arguments PATH=$PWD/bin:/usr/bin:/bin \
			run -78 "$STAGE/python-smtpd" -n -c "$class" "$local"
		[ "$output" = "python-smtpd: no $name on PATH" ]
		[ ! -e arguments ]
	done
}

@test "in a checkout, its programs; elsewhere those of PATH" {
	[ -x "$BATS_TEST_DIRNAME/../contrib/python-smtpd" ]
	mkdir -p checkout/contrib checkout/other
	cp "$STAGE/python-smtpd" checkout/contrib
	cp "$STAGE/python-smtpd" checkout/other/python-smtpd
	cp "$STAGE"/stub/* checkout
	sed -i 's/^printf.*/echo checkout |/' checkout/smtpd
	export ARGUMENTS=$PWD/arguments PATH=$STAGE/stub:$bare
	for path in "$PWD/checkout/contrib/python-smtpd" \
		checkout/contrib/python-smtpd; do
		"$path" -n
		had checkout
		rm arguments
	done
	(cd checkout && contrib/python-smtpd -n)
	had checkout
	checkout/other/python-smtpd -n
	grep -qx -- --nosetuid arguments
	# A checkout that is not built.
	rm checkout/smtpd
	checkout/contrib/python-smtpd -n
	grep -qx -- --nosetuid arguments
}

# --- who it is

@test "without -n: nobody, or an error for anybody else but root" {
	need_root
	for words in '' '-c DebuggingServer'; do
		# shellcheck disable=SC2086 # words
		runs_as 1 $words "$local"
		status=0
		reap "$pid" || status=$?
		[ "$status" -eq 1 ]
		diff <(echo 'Cannot setuid "nobody"; try running with -n option.') err
		[ ! -s out ]
	done
	for class in PureProxy DebuggingServer; do
		runs -c "$class" "$local"
		[ "$(user "$pid")" = "$(id -u nobody)" ]
		stop "$pid"
	done
	runs -n -c DebuggingServer "$local"
	[ "$(user "$pid")" = 0 ]
	stop "$pid"
	# nobody is nobody already, and daemon stays daemon.
	for words in "$(id -u nobody)" '1 -n'; do
		# shellcheck disable=SC2086 # words
		runs_as $words -c DebuggingServer "$local"
		eventually listening "$port"
		[ "$(user "$pid")" = "${words% -n}" ]
		mail <<<'A: b'
		eventually ends
		stop "$pid"
	done
}

# --- DebuggingServer

at_once() {
	runs ${words:+"$words"} -c DebuggingServer "$local"
	printf 'Subject: hello\r\n\r\nIt works.\r\n' | mail
	printf '%s\n' '---------- MESSAGE FOLLOWS ----------' \
		"mail options: ['SIZE=29']" 'Subject: hello' \
		'X-Peer: 127.0.0.1' '' 'It works.' \
		'------------ END MESSAGE ------------' >expected
	eventually cmp -s expected out
	# Nor is there more to come.
	stop "$pid"
	diff expected out
	[ ! -s err ]
}

@test "DebuggingServer: a message is printed at once, without a log" {
	each_user at_once
}

@test "DebuggingServer: what Python's own prints, message by message" {
	"$PYTHON" -W ignore -c 'import smtpd' 2>/dev/null ||
		skip "this Python has no smtpd module"
	runs -n -u -c DebuggingServer "$local"
	theirs=$(free_port)
	# Without -s it offers no SIZE, and smtplib names none.
	start log.python sh -c 'exec "$@" >theirs 2>errors' - "$PYTHON" \
		-W ignore -u -m smtpd -n -u -s 33554432 -c DebuggingServer \
		"127.0.0.1:$theirs"
	eventually listening "$theirs"
	py "$port" "$theirs" <<-'END'
		import smtplib, sys
		messages = [
		    b"Subject: one\r\n\r\ntext\r\n",
		    b"Subject: two\r\n folded\r\nX-Peer: forged\r\n\r\n\r\n.\r\n..dot\r\n\r\nno end",
		    b"\r\nno header\r\n",
		    b"no empty line",
		    "Subject: h\u00e4h\r\n\r\n\u20ac and \ttab, 'quote', \"quotes\", back\\slash\r\n".encode(),
		    b"Subject: octets\r\n\r\n" + bytes(range(128, 256)) + b"\x01\x07\x1b[0m\x7f\r\n",
		    b"Subject: long\r\n\r\n" + b"x" * 100000 + b"\r\n",
		    b"---------- MESSAGE FOLLOWS ----------\r\n\r\n------------ END MESSAGE ------------\r\n",
		]
		for port in map(int, sys.argv[1:]):
		    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
		        for message in messages:
		            for options in [], ["body=8BITMIME"], ["BODY=8BITMIME", "smtputf8"]:
		                client.sendmail("ann@example.com", ["bob@example.org", "eve@example.org"],
		                                message, mail_options=options)
	END
	# What differs: Python prints the repr of bytes. And what is not tried:
	# it drops the last line end of a message, which may be its empty line,
	# and has the values of options in upper case, too.
	py <<-'END'
		import ast
		with open("theirs", "rb") as theirs, open("expected", "wb") as expected:
		    for line in theirs.read().splitlines():
		        if line[:2] in (b"b'", b'b"'):
		            line = ast.literal_eval(line.decode())
		        expected.write(line + b"\n")
	END
	[ "$(grep -c '^mail options: ' expected)" -eq 24 ]
	eventually cmp -s expected out || diff expected out
	[ ! -s err ]
}

@test "DebuggingServer -d: the dialogue on standard error, and only there" {
	runs -ndc DebuggingServer "$local"
	mail <<<'A: b'
	eventually ends
	run ! grep '^smtpd: ' out
	grep -q 'event=client line="mail FROM:' err
	grep -q 'event=message ' err
}

@test "DebuggingServer: 20 clients at once, and whole messages" {
	runs -n -c DebuggingServer "$local"
	py "$port" <<-'END'
		import smtplib, sys, threading
		def send(number):
		    with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=60) as client:
		        for _ in range(2):
		            client.sendmail("a@b", ["c@d"], f"{number:02}\n" * 70000)
		threads = [threading.Thread(target=send, args=(n,)) for n in range(20)]
		[thread.start() for thread in threads]
		[thread.join() for thread in threads]
	END
	stop "$pid"
	# A message: two lines, 70000 that are the same, and one.
	whole() {
		awk '/^-+ MESSAGE FOLLOWS/ { first = ""; n = 0; next }
			/^mail options/ { next }
			/^-+ END/ { messages++; bad += n != 70000; next }
			n++ == 0 { first = $0 }
			$0 != first { bad++ }
			END { exit bad > 0 || messages != 40 }' out
	}
	eventually whole
}

to_a_pipe() {
	rm -f reader
	mkfifo reader
	cat reader >out 3>&- &
	local cat=$!
	started+=("$cat")
	runs_into reader ${words:+"$words"} -c DebuggingServer "$local"
	mail <<<'A: 1'
	eventually grep -q '^A: 1' out
	mail <<<'A: 2'
	eventually grep -q '^A: 2' out
	stop "$pid"
	ended "$cat"
	ends
}

@test "DebuggingServer: a pipe gets each message, and its end" {
	each_user to_a_pipe
}

on_a_terminal() {
	py "$words" "$local" <<-'END'
		import os, pty, smtplib, sys, time
		words, local = sys.argv[1:]
		pid, terminal = pty.fork()
		if pid == 0:
		    os.execvp("sh", ["sh", "-c", "exec python-smtpd $0 -c DebuggingServer $1 2>err",
		                     words, local])
		for _ in range(500):
		    try:
		        client = smtplib.SMTP(*local.split(":"), timeout=20)
		        break
		    except ConnectionRefusedError:
		        time.sleep(0.02)
		helper = int(open(f"/proc/{pid}/task/{pid}/children").read().split()[0])
		pipe = open(f"/proc/{pid}/cmdline").read().split("\0")[-2]
		client.ehlo_or_helo_if_needed()
		del client.esmtp_features["size"]
		client.sendmail("a@b", ["c@d"], b"A: \x1b[2J\a\x7f\tb\r\n\r\n\xc2\x9b2J \xc3\xa4\xe2\x82\xac\0\r\n")
		seen = b""
		while b"END MESSAGE" not in seen:
		    seen += os.read(terminal, 65536)
		while not seen.endswith(b"\n"):
		    seen += os.read(terminal, 65536)
		client.quit()
		assert seen.decode() == ("---------- MESSAGE FOLLOWS ----------\r\n"
		    "A: ?[2J??\tb\r\nX-Peer: 127.0.0.1\r\n\r\n?2J ä€?\r\n"
		    "------------ END MESSAGE ------------\r\n"), seen
		# Control-C is for all of it.
		os.write(terminal, b"\x03")
		assert os.waitpid(pid, 0)[1] == 0
		for _ in range(500):
		    if not os.path.exists(f"/proc/{helper}"):
		        break
		    time.sleep(0.02)
		else:
		    raise SystemExit("it left a process behind")
		assert pipe.startswith("/tmp/python-smtpd.") and not os.path.exists(pipe)
	END
	[ ! -s err ]
}

@test "DebuggingServer: a terminal gets no control characters, and gives ^C" {
	each_user on_a_terminal
}

# --- how it ends

@test "SIGTERM, SIGINT, SIGHUP: 0, and nothing is left behind" {
	for signal in TERM INT HUP; do
		for words in '-n -c DebuggingServer' '-c DebuggingServer' -n; do
			[[ $words = *-n* ]] || [ "$(id -u)" -eq 0 ] || continue
			# shellcheck disable=SC2086 # words
			runs $words "$local"
			directory=$(pipe_of "$pid")
			left=$(helpers "$pid")
			case $words in
			*Debugging*) [ -p "$directory/stdout" ] && [ -n "$left" ] ;;
			*) [ -z "$directory$left" ] ;;
			esac
			kill -"$signal" "$pid"
			reap "$pid"
			for process in $left; do
				ended "$process"
			done
			[ ! -e "$directory" ]
		done
	done
}

@test "a stop waits for the message in hand, and that is printed" {
	runs -nc DebuggingServer "$local"
	py "$local" "$pid" <<-'END'
		import os, signal, sys
		from talk import Conversation
		talk = Conversation.connect(sys.argv[1])
		talk.expect("220")
		talk.ask("EHLO me", "250")
		talk.ask("MAIL FROM:<a@b>", "250")
		talk.ask("RCPT TO:<c@d>", "250")
		talk.ask("DATA", "354")
		talk.send(b"A: first\r\n")
		os.kill(int(sys.argv[2]), signal.SIGTERM)
		talk.send(b"\r\nlast\r\n.\r\n")
		talk.expect("250 2.0.0")
		talk.expect("421")
	END
	reap "$pid"
	eventually grep -qx last out
}

@test "SIGKILL to it: what it started goes, too" {
	runs -nc DebuggingServer "$local"
	directory=$(pipe_of "$pid")
	left=$(helpers "$pid")
	[ -n "$left" ]
	kill -KILL "$pid"
	for process in $left; do
		ended "$process"
	done
	[ ! -e "$directory" ]
}

@test "a signal before smtpd runs: it ends, and its pipe goes" {
	cat >./mkfifo <<-'END'
		#!/bin/sh
		for pipe; do :; done
		echo "$pipe" >pipe
		kill -TERM "$PPID"
		exec /usr/bin/mkfifo "$@"
	END
	chmod 755 ./mkfifo
	PATH=$PWD:$PATH run -1 python-smtpd -nc DebuggingServer "$local"
	[ -z "$output" ]
	pipe=$(cat pipe)
	[[ $pipe = /tmp/python-smtpd.*/stdout ]]
	[ ! -e "${pipe%/stdout}" ]
}

# A reader of standard output that has gone is noticed when it is missed.
@test "a standard output that takes no more ends it" {
	mkfifo reader
	head -n 1 <reader >out 3>&- &
	started+=("$!")
	runs_into reader -nc DebuggingServer "$local"
	directory=$(pipe_of "$pid")
	mail <<<'A: b'
	ended "${started[0]}"
	# 250 may be the last thing that this client is told.
	mail <<<'A: b' || true
	reap "$pid"
	[ ! -e "$directory" ]
	diff <(echo 'python-smtpd: cannot write to standard output: stopping') err

	runs_into /dev/full -nc DebuggingServer "$local"
	mail <<<'A: b' || true
	reap "$pid"
	grep -q 'No space left on device' err
}

@test "a port that is taken: smtpd's status and words, and nothing is left" {
	runs -n "$local"
	TMPDIR=/no/such run -71 --separate-stderr python-smtpd \
		-nc DebuggingServer "$local"
	[ -z "$output" ]
	[[ $stderr = "smtpd: cannot listen on $local: "* ]]
	# Its pipe has a name that its own error line would not tell.
	cat >smtpd <<-'END'
		#!/bin/sh
		for pipe; do :; done
		echo "$pipe" >pipe
		exit 71
	END
	chmod 755 smtpd
	PATH=$PWD:$PATH run -71 python-smtpd -nc DebuggingServer "$local"
	pipe=$(cat pipe)
	[[ $pipe = /tmp/python-smtpd.*/stdout ]]
	eventually test ! -e "${pipe%/stdout}"
}

# --- the proxies

# upstream ACTION ...: tests/upstream.py in the folder up, its port in $up.
upstream() {
	rm -rf up
	mkdir up
	start log.up "$PYTHON" "$BATS_TEST_DIRNAME/upstream.py" up "$@"
	eventually [ -e up/port ]
	up=$(cat up/port)
}

# told REPLY: that is the verdict on one message.
told() {
	talk "$local" '<220' '>EHLO me' '<250' '>MAIL FROM:<ann@example.com>' \
		'<250' '>RCPT TO:<bob@example.net>' '<250' '>DATA' '<354' \
		'>A: b' '>' '>..text' '>.' "<$1" '>QUIT' '<221'
}

proxied() {
	upstream
	runs ${words:+"$words"} "$local" "localhost:$up"
	told '250 2.0.0 Queued as 4711'
	printf '%s\r\n' 'A: b' 'X-Peer: 127.0.0.1' '' ..text . >expected
	# PureProxy had no Received line.
	sed -n 1p up/content.1 | grep -q '^Received: '
	sed '/^Received: /d; /^\t/d' up/content.1 | diff expected -
	printf '%s\n' 'MAIL FROM:<ann@example.com>' 'RCPT TO:<bob@example.net>' |
		diff - <(grep -E '^(MAIL|RCPT)' up/commands | sed 's/> .*/>/')
	stop "$pid"
	[ ! -s out ] && [ ! -s err ]
}

@test "PureProxy: REMOTE gets the message with X-Peer, the client its answer" {
	each_user proxied
}

@test "PureProxy: no 250 without REMOTE's" {
	upstream 'rcpt=550 5.1.1 Nobody'
	runs -n "$local" "127.0.0.1:$up"
	told '550 5.1.1 Nobody'
	stop "$pid"
	runs -nd "$local" "127.0.0.1:$(free_port)"
	told '451 4.4.1'
	stop "$pid"
	grep -q 'event=client line="MAIL FROM:' err
}

@test "-d: the log is on standard error, be that a socket, and output too" {
	# smtpd takes one that is 0 or 1, and 2, for the client.
	for class in PureProxy DebuggingServer; do
		py "$class" "$local" <<-'END'
			import socket, subprocess, sys
			ours, theirs = socket.socketpair()
			ours.settimeout(20)
			process = subprocess.Popen(["python-smtpd", "-ndc", *sys.argv[1:]], stdin=theirs,
			                           stdout=theirs, stderr=theirs)
			theirs.close()
			seen = b""
			while b"smtpd: listening on" not in seen:
			    more = ours.recv(65536)
			    assert more, seen
			    seen += more
			# It catches signals when it accepts.
			host, _, port = sys.argv[2].partition(":")
			with socket.create_connection((host, int(port)), 20) as client:
			    assert client.recv(4) == b"220 "
			process.terminate()
			assert process.wait(20) == 0
		END
	done
}

@test "MailmanProxy: Mailman gets its lists' mail, REMOTE the rest" {
	mkdir -p lists/news
	printf '#!/bin/sh\necho "$@" >>said\ncat >posted\n' >wrapper
	chmod 755 wrapper
	upstream
	MAILMAN_WRAPPER=$PWD/wrapper MAILMAN_LISTS=$PWD/lists \
		runs -nc MailmanProxy "$local" "localhost:$up"
	told '250 2.0.0 Queued as 4711'
	[ ! -e said ]
	talk "$local" '<220' '>EHLO me' '<250' '>MAIL FROM:<ann@example.com>' \
		'<250' '>RCPT TO:<news-owner@example.org>' '<250' '>DATA' \
		'<354' '>A: b' '>' '>..text' '>.' '<250 2' '>QUIT' '<221'
	[ "$(cat said)" = 'owner news' ]
	[ "$(tail -n 1 posted)" = .text ]
	[ ! -e up/content.2 ]
	stop "$pid"
	# Mailman 3, which is not there.
	MAILMAN_LMTP=127.0.0.1:$(free_port) \
		runs -nc MailmanProxy "$local" "localhost:$up"
	told 451
}

@test "what -s and -u offer" {
	for class in PureProxy DebuggingServer; do
		runs -nuc "$class" "$local"
		talk "$local" '<220' '>EHLO me' '<250' '>QUIT' '<221' >said
		grep -q '250-SIZE 33554432' said
		grep -q '250-SMTPUTF8' said
		stop "$pid"
		runs -n -s 100 -c "$class" "$local"
		talk "$local" '<220' '>EHLO me' '<250' '>QUIT' '<221' >said
		grep -q '250-SIZE 100' said
		run ! grep SMTPUTF8 said
		stop "$pid"
	done
}

# --- what is beside it

# completes LINE: prints what bash would offer at its end, sorted.
completes() {
	env -u BASH_ENV bash --norc -c '
		. "$1"
		COMP_WORDS=($2)
		[[ $2 != *[[:blank:]] ]] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_python_smtpd python-smtpd "${COMP_WORDS[COMP_CWORD]}" \
			"${COMP_WORDS[COMP_CWORD - 1]}"
		printf "%s\n" "${COMPREPLY[@]}"' - \
		"$BATS_TEST_DIRNAME/../contrib/completions/python-smtpd.bash" "$1" |
		sort
}

@test "completion: the options of -h, the classes" {
	diff <(python-smtpd -h | grep -oE '(^|[ ,])--?[a-zA-Z][a-z0-9]*' |
		tr -d ' ,' | sort) <(completes 'python-smtpd -')
	printf '%s\n' DebuggingServer MailmanProxy PureProxy >expected
	diff expected <(completes 'python-smtpd -n -c ')
	diff expected <(completes 'python-smtpd --class ')
	# bash cuts words at =.
	diff expected <(completes 'python-smtpd --class = ')
	diff <(echo PureProxy) <(completes 'python-smtpd -c Pu')
	run -0 completes 'python-smtpd -s '
	[ -z "$output" ]
	bash --norc -c '. "$1" && complete -p python-smtpd' - \
		"$BATS_TEST_DIRNAME/../contrib/completions/python-smtpd.bash" |
		grep -q -- '-F _python_smtpd '
}

# table: the rows of the README's table of Python's names.
table() {
	sed -n '/^## From Python/,/^## /s/^| \(.*\) |$/\1/p' "$readme" | sed 1,2d
}

@test "README: every name of Python's smtpd and aiosmtpd is in the table" {
	table | sed 's/ | .*//' | grep -o '`[^`]*`' |
		tr -d '`' | tr ' ' '\n' | sort -u >have
	[ "$(wc -l <have)" -gt 100 ]
	tr -s ' \t\n' '\n' <<-'END' | sed '/^$/d' | sort -u >names
		SMTPServer SMTPChannel process_message peer mailfrom rcpttos data
		mail_options rcpt_options DebuggingServer PureProxy MailmanProxy
		DATA_SIZE_DEFAULT DEBUGSTREAM localaddr remoteaddr
		map -n --nosetuid -V --version -c --class -s --size -u --smtputf8
		-d --debug -h --help

		SMTP handler data_size_limit enable_SMTPUTF8 decode_data hostname
		ident tls_context require_starttls timeout auth_required
		auth_require_tls auth_exclude_mechanism auth_callback authenticator
		command_call_limit proxy_protocol_timeout loop
		command_size_limit command_size_limits line_length_limit
		local_part_limit
		AuthResult success handled message LoginPassword login password

		handle_HELO handle_EHLO handle_NOOP handle_QUIT handle_RSET
		handle_VRFY handle_MAIL handle_RCPT handle_DATA handle_AUTH
		handle_PROXY handle_STARTTLS handle_exception auth_MECHANISM
		@auth_mechanism smtp_XXX @syntax

		Session ssl host_name extended_smtp proxy_data login_data auth_data
		authenticated
		Envelope mail_from smtp_utf8 content original_content rcpt_tos

		Debugging Proxy Sink Message AsyncMessage Mailbox
		X-Peer X-MailFrom X-RcptTo
		Controller UnthreadedController UnixSocketController
		UnixSocketUnthreadedController LMTP
		-v -l --listen --smtpscert --smtpskey --tlscert --tlskey
		--no-requiretls lmtp_host lmtp_port
	END
	comm -13 have names >missing
	diff /dev/null missing
}

@test "README: the table says of each name what there is, or that it is not" {
	table >rows
	run ! grep -vE '^`.* \| [^|]*[a-z`].*$' rows
	# Its variables are in smtpd-delivery(7), its hooks in smtpd-hooks(7), its
	# programs here.
	sed 's/.* | //' rows | grep -o '`[^`]*`' | tr -d '`' >there
	grep -E '^[A-Z][A-Z_]+$' there | sort -u >variables
	[ "$(wc -l <variables)" -ge 8 ]
	cat "$BATS_TEST_DIRNAME"/../man/smtpd-{delivery,hooks}.7 >pages
	while read -r name; do
		grep -qw "$name" pages
	done <variables
	# An option without a program in front is smtpd's.
	"$SMTPD" --help >help
	sed -nE 's/^smtpd (-)/\1/; /^-/p' there | grep -oE '(^| )--?[a-zA-Z][a-z-]*' |
		tr -d ' ' | sort -u >options
	[ "$(wc -l <options)" -ge 8 ]
	while read -r option; do
		grep -qE -- "(^|[ ,])$option([ ,]|\$)" help
	done <options
}
