#!/usr/bin/env bats
# shellcheck shell=bats
# The state machine and smtpd itself against transcripts, every way of cutting
# what arrives, every command in every state, and random sessions.

load lib

setup_file() {
	EVENTS=$BUILD/tests/events
	export EVENTS
	stage
	sanitized
	OCTETS=$BATS_FILE_TMPDIR/octets
	export OCTETS
	mkdir "$OCTETS"
	"$PYTHON" "$BATS_TEST_DIRNAME/transcript.py" unpack "$OCTETS" \
		"$BATS_TEST_DIRNAME"/transcripts/*.txt
}

teardown_file() {
	unstage
}

# Each transcript as bats sees it: $name, its octets in $octets, its options in
# the array options.
each_transcript() {
	local file
	for file in "$OCTETS"/*.options; do
		octets=${file%.options}
		name=$(basename "$octets")
		mapfile -t options <"$file"
		[ "${options[*]}" ] || options=()
		"$@"
	done
}

# log TEXT OPTION ...: what happens, TEXT by printf's rules.
log() {
	local text=$1
	shift
	# shellcheck disable=SC2059 # that is the point
	printf "$text" | "$EVENTS" --every "$@"
}

# happens OPTION ... : the log of the client's lines behind "--" has, from the
# line that follows the greeting, the lines on standard input.
happens() {
	diff -u - <(log "$@" | tail -n +3)
}

@test "units of the pure rooms" {
	run "$BUILD/tests/units"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^units:\ [0-9]{6,}\ checks,\ 0\ failed$ ]]
}

@test "units of the pure rooms, sanitized" {
	run "$SANITIZED/tests/units"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} =~ ^units:\ [0-9]{6,}\ checks,\ 0\ failed$ ]]
}

@test "transcripts, octet for octet: line by line, at once, octet by octet" {
	"$PYTHON" "$BATS_TEST_DIRNAME/transcript.py" play "$SMTPD" \
		"$BATS_TEST_DIRNAME"/transcripts/*.txt
}

# A transcript's own options, however it is cut; whole and with more behind it.
cut_it() {
	log=$BATS_TEST_TMPDIR/log
	"$EVENTS" "${options[@]}" --every "$octets" >"$log" || {
		echo "$name" >&2
		return 1
	}
	{ cat "$octets"; printf 'NOOP x\r\nRSET\r\n'; } >"$BATS_TEST_TMPDIR/more"
	"$EVENTS" "${options[@]}" "$BATS_TEST_TMPDIR/more" >"$log.more"
	# What happened before is the same; only the last line tells of the end.
	size=$(head -n -1 "$log" | wc -c)
	cmp -n "$size" "$log" "$log.more"
	grep -q '^END' "$log"
}

@test "transcripts: the same events however they are cut, and with more behind" {
	each_transcript cut_it
}

@test "transcripts: the machine says what smtpd says" {
	compare() {
		# Where the command's verdict is not 250, smtpd alone knows.
		# Not all that is repeated is written out.
		case $name in
		verdict-* | lmtp-replies | max-errors-refused | pipelining-many) return ;;
		esac
		diff <(grep -a '^S: ' "$BATS_TEST_DIRNAME/transcripts/$name.txt" |
			cut -c 4-) \
			<("$EVENTS" "${options[@]}" "$octets" |
				sed -n 's/^S: //p') || {
			echo "$name" >&2
			return 1
		}
	}
	each_transcript compare
}

# Under every policy and with both line ends, whatever the transcript says.
cut_it_otherwise() {
	local policy
	for policy in reject normalize terminal; do
		"$EVENTS" -b "$policy" --every "$octets" >/dev/null
		"$EVENTS" -b "$policy" --every --crlf --smtputf8 "$octets" \
			>/dev/null
	done
}

@test "transcripts: the same under every bare-newline policy and line end" {
	each_transcript cut_it_otherwise
}

@test "events tell who, to whom and what" {
	happens 'ehlo Me and more\r\nMAIL FROM:<@r:"a b"@c> size=3 BODY=8bitmime\r\nrcpt to:<D@[192.0.2.1]>\r\nRCPT TO:postmaster\r\nDATA\r\na\r\n..\r\n.\r\nNOOP  x y  \r\n' \
		--size 100 --max-recipients 5 <<-'END'
		HELO verb=EHLO argument="Me and more" text="Me"
		S: 250-mx.example.org
		S: 250-PIPELINING
		S: 250-SIZE 100
		S: 250-8BITMIME
		S: 250-ENHANCEDSTATUSCODES
		S: 250-CHUNKING
		S: 250-DSN
		S: 250-LIMITS RCPTMAX=5
		S: 250 HELP
		MAIL verb=MAIL argument="FROM:<@r:\"a b\"@c> size=3 BODY=8bitmime" address="\"a b\"@c" local=5 domain="c" params="size=3 BODY=8bitmime"
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="to:<D@[192.0.2.1]>" address="D@[192.0.2.1]" local=1 domain="[192.0.2.1]" params=""
		S: 250 2.1.5 Recipient OK
		RCPT verb=RCPT argument="TO:postmaster" address="postmaster" local=10 domain="" params=""
		S: 250 2.1.5 Recipient OK
		DATA verb=DATA argument=""
		S: 354 End data with <CR><LF>.<CR><LF>
		MESSAGE octets=4 content="a\n.\n"
		S: 250 2.0.0 OK
		COMMAND verb=NOOP argument="x y"
		S: 250 2.0.0 OK
		END, 0 octets unused
	END
}

@test "events tell what UTF-8 an address and a transaction have" {
	happens 'HELO x\r\nMAIL FROM:<\xc3\xa4@b> SMTPUTF8\r\nRCPT TO:<c@d>\r\nRCPT TO:<\xe2\x82\xac@d>\r\nRSET\r\nMAIL FROM:<a@b> smtputf8\r\n' \
		--smtputf8 <<-'END'
		HELO verb=HELO argument="x" text="x"
		S: 250 mx.example.org
		MAIL verb=MAIL argument="FROM:<\xc3\xa4@b> SMTPUTF8" address="\xc3\xa4@b" local=2 domain="b" params="SMTPUTF8" utf8-address utf8
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		RCPT verb=RCPT argument="TO:<\xe2\x82\xac@d>" address="\xe2\x82\xac@d" local=3 domain="d" params="" utf8-address
		S: 250 2.1.5 Recipient OK
		RESET verb=RSET argument=""
		S: 250 2.0.0 OK
		MAIL verb=MAIL argument="FROM:<a@b> smtputf8" address="a@b" local=1 domain="b" params="smtputf8" utf8
		S: 250 2.1.0 Sender OK
		END, 0 octets unused
	END
}

@test "a step that is refused has not happened" {
	happens 'HELO x\r\nMAIL FROM:<a@b>\r\nHELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nRCPT TO:<c@d>\r\nDATA\r\nDATA\r\n.\r\nRCPT TO:<c@d>\r\n' \
		-a HELO:1='550 5.7.1 Not you' -a MAIL:1='451 4.7.1 Later' \
		-a RCPT:1='550-5.1.1 No
550 5.1.1 body' -a DATA:1='450 Not yet' -a MESSAGE='554 5.0.0 No' <<-'END'
		HELO verb=HELO argument="x" text="x"
		S: 550 5.7.1 Not you
		REFUSED verb=MAIL argument="FROM:<a@b>" line="MAIL FROM:<a@b>"
		S: 503 5.5.1 Send HELO or EHLO first
		HELO verb=HELO argument="x" text="x"
		S: 250 mx.example.org
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 451 4.7.1 Later
		REFUSED verb=RCPT argument="TO:<c@d>" line="RCPT TO:<c@d>"
		S: 503 5.5.1 Need MAIL command
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 550-5.1.1 No
		S: 550 5.1.1 body
		REFUSED verb=DATA argument="" line="DATA"
		S: 503 5.5.1 Need RCPT command
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		DATA verb=DATA argument=""
		S: 450 Not yet
		DATA verb=DATA argument=""
		S: 354 End data with <CR><LF>.<CR><LF>
		MESSAGE octets=0 content=""
		S: 554 5.0.0 No
		REFUSED verb=RCPT argument="TO:<c@d>" line="RCPT TO:<c@d>"
		S: 503 5.5.1 Need MAIL command
		END, 0 octets unused
	END
}

@test "answers: none to a message is 451; none that is a reply, too; 421 ends" {
	local text='HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n.\r\nNOOP\r\n'
	log "$text" -a MESSAGE | grep -A 1 '^MESSAGE' | tail -n 1 |
		diff - <(echo 'S: 451 4.3.0 Temporary failure, try again later')
	for answer in nonsense '250-unfinished' '354 Go on' '' '250 5.0.0 x' \
		$'250 a\n250 b'; do
		log "$text" -a MESSAGE="$answer" | grep -A 1 '^MESSAGE' |
			tail -n 1 |
			diff - <(echo 'S: 451 4.3.0 Temporary failure, try again later')
	done
	for answer in {HELO,MAIL,RCPT,COMMAND}={421,221} {DATA,MESSAGE}=421; do
		log "$text" -a "$answer x" >"$BATS_TEST_TMPDIR/log"
		tail -n 2 "$BATS_TEST_TMPDIR/log" | head -n 1 |
			diff - <(echo "S: ${answer#*=} x")
		tail -n 1 "$BATS_TEST_TMPDIR/log" | grep -q '^END closed'
	done
	# As a verdict 221 is a 2xx like others: NOOP is answered.
	log "$text" -a MESSAGE='221 x' | tail -n 2 | grep -q '^S: 250 2.0.0 OK'
	# A 2xx at DATA means 354.
	log "$text" -a DATA='250 2.0.0 Yes' | grep -q '^S: 354 '
}

@test "LMTP: an event for each recipient; unanswered ones are 451" {
	happens 'LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n.\r\nDATA\r\n' \
		--lmtp --hide PIPELINING --hide SIZE --hide 8BITMIME --hide DSN --hide HELP \
		--hide ENHANCEDSTATUSCODES --hide LIMITS --hide CHUNKING \
		-a MESSAGE='550 5.1.1 No' -a VERDICT:1 <<-'END'
		HELO verb=LHLO argument="x" text="x"
		S: 250 mx.example.org
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		RCPT verb=RCPT argument="TO:<e@f>" address="e@f" local=1 domain="f" params=""
		S: 250 2.1.5 Recipient OK
		DATA verb=DATA argument=""
		S: 354 End data with <CR><LF>.<CR><LF>
		MESSAGE octets=0 content=""
		S: 550 5.1.1 No
		VERDICT
		S: 451 4.3.0 Temporary failure, try again later
		VERDICT
		S: 250 2.0.0 OK
		REFUSED verb=DATA argument="" line="DATA"
		S: 503 5.5.1 Need RCPT command
		END, 0 octets unused
	END
}

@test "BDAT: DATA's event before its octets; refused there, they are discarded" {
	happens 'HELO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 2\r\nxyBDAT 1 LAST\r\nz' \
		-a DATA:1='450 4.7.1 Later' -a DATA:2='250 2.0.0 Yes' <<-'END'
		HELO verb=HELO argument="x" text="x"
		S: 250 mx.example.org
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		DATA verb=BDAT argument="6"
		S: 450 4.7.1 Later
		REFUSED verb=BDAT argument="6 LAST" line="BDAT 6 LAST"
		S: 503 5.5.1 Need RCPT command
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 250 2.1.0 Sender OK
		RCPT verb=RCPT argument="TO:<c@d>" address="c@d" local=1 domain="d" params=""
		S: 250 2.1.5 Recipient OK
		DATA verb=BDAT argument="2"
		S: 250 2.0.0 Chunk OK
		CHUNK verb=BDAT argument="1 LAST"
		MESSAGE octets=3 content="xyz"
		S: 250 2.0.0 OK
		END, 0 octets unused
	END
}

@test "every command in every state" {
	"$EVENTS" --matrix | sed 's/ *$//' >"$BATS_TEST_TMPDIR/matrix"
	diff -u "$BATS_TEST_DIRNAME/matrix.txt" "$BATS_TEST_TMPDIR/matrix"
	"$EVENTS" --lmtp --matrix | sed 's/ *$//' >"$BATS_TEST_TMPDIR/matrix"
	diff -u "$BATS_TEST_DIRNAME/matrix-lmtp.txt" "$BATS_TEST_TMPDIR/matrix"
}

@test "every command in every state, where there are AUTH and STARTTLS" {
	"$EVENTS" --matrix --auth x --auth-plaintext --starttls |
		sed 's/ *$//' >"$BATS_TEST_TMPDIR/matrix"
	diff -u "$BATS_TEST_DIRNAME/matrix-auth.txt" "$BATS_TEST_TMPDIR/matrix"
}

@test "events tell who logs in and how, and that TLS begins" {
	happens 'EHLO x\r\nSTARTTLS\r\nMAIL FROM:<evil@x>\r\n<TLS>MAIL FROM:<a@b>\r\nEHLO y\r\nAUTH LOGIN YQ==\r\nYiBj\r\nAUTH PLAIN AGEAYg==\r\nSTARTTLS\r\n' \
		--starttls --auth x --hide HELP --hide LIMITS --hide SIZE --hide 8BITMIME --hide PIPELINING --hide CHUNKING --hide DSN <<-'END'
		HELO verb=EHLO argument="x" text="x"
		S: 250-mx.example.org
		S: 250-ENHANCEDSTATUSCODES
		S: 250 STARTTLS
		STARTTLS verb=STARTTLS argument=""
		S: 220 2.0.0 Ready to start TLS
		REFUSED verb=MAIL argument="FROM:<a@b>" line="MAIL FROM:<a@b>"
		S: 503 5.5.1 Send HELO or EHLO first
		HELO verb=EHLO argument="y" text="y"
		S: 250-mx.example.org
		S: 250-ENHANCEDSTATUSCODES
		S: 250 AUTH PLAIN LOGIN
		ASKED verb=AUTH text="LOGIN"
		S: 334 UGFzc3dvcmQ6
		LOGIN verb=AUTH text="LOGIN" user="a" password="b c"
		S: 235 2.7.0 Authentication successful
		REFUSED verb=AUTH
		S: 503 5.5.1 Bad sequence of commands
		REFUSED verb=STARTTLS argument="" line="STARTTLS"
		S: 503 5.5.1 Bad sequence of commands
		END, 0 octets unused
	END
}

@test "events of mechanisms that the caller knows, and of CRAM-MD5" {
	happens 'HELO x\r\nAUTH x =\r\n*\r\nAUTH X\r\n\r\nQQ==\r\nAUTH LOGIN\r\n!\r\nAUTH CRAM-MD5\r\nYSAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n' \
		--auth-plaintext --auth x --auth-cram-md5 --mechanism X --mechanism LOGIN <<-'END'
		HELO verb=HELO argument="x" text="x"
		S: 250 mx.example.org
		CHALLENGE verb=AUTH text="X" password="="
		S: 454 4.7.0 Temporary authentication failure
		REFUSED line="*"
		S: 500 5.5.2 Command not recognized
		CHALLENGE verb=AUTH text="X"
		S: 334 QUJD
		RESPONSE verb=AUTH text="X" password=""
		S: 454 4.7.0 Temporary authentication failure
		REFUSED line="QQ=="
		S: 500 5.5.2 Command not recognized
		CHALLENGE verb=AUTH text="LOGIN"
		S: 334 QUJD
		REFUSED verb=AUTH text="LOGIN"
		S: 501 5.5.2 Cannot decode base64
		CHALLENGE verb=AUTH text="CRAM-MD5"
		S: 334 QUJD
		LOGIN verb=AUTH text="CRAM-MD5" user="a" password="0123456789abcdef0123456789abcdef"
		S: 235 2.7.0 Authentication successful
		END, 0 octets unused
	END
}

@test "XCLIENT in every state, where it is taken" {
	"$EVENTS" --takes-xclient --matrix | grep ^XCLIENT | sed 's/ *$//' |
		diff -u - <(cat <<-'END'
		XCLIENT           501 5.5.4             501 5.5.4             503 5.5.1             503 5.5.1             501 5.5.4             501 5.5.4             503 5.5.1
		XCLIENT NAME=x    220                   220 > start           503 5.5.1             503 5.5.1             220 > start           220 > start           503 5.5.1
		END
		)
}

@test "XCLIENT is another client: greeted, unknown, perhaps with HELO and LOGIN" {
	happens 'EHLO x\r\nXCLIENT addr=192.0.2.1 NAME=[unavailable]\r\nMAIL FROM:<a@b>\r\nXCLIENT HELO=y LOGIN=z\r\nMAIL FROM:<a@b>\r\nXCLIENT NAME=x\r\nRSET\r\nXCLIENT PORT=70000\r\n' \
		--takes-xclient --hide PIPELINING --hide LIMITS --hide CHUNKING --hide DSN <<-'END'
		HELO verb=EHLO argument="x" text="x"
		S: 250-mx.example.org
		S: 250-SIZE 33554432
		S: 250-8BITMIME
		S: 250-ENHANCEDSTATUSCODES
		S: 250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT
		S: 250 HELP
		XCLIENT verb=XCLIENT argument="addr=192.0.2.1 NAME=[unavailable]"
		S: 220 mx.example.org ESMTP
		REFUSED verb=MAIL argument="FROM:<a@b>" line="MAIL FROM:<a@b>"
		S: 503 5.5.1 Send HELO or EHLO first
		XCLIENT verb=XCLIENT argument="HELO=y LOGIN=z" greets logs-in
		S: 220 mx.example.org ESMTP
		MAIL verb=MAIL argument="FROM:<a@b>" address="a@b" local=1 domain="b" params=""
		S: 250 2.1.0 Sender OK
		REFUSED verb=XCLIENT argument="NAME=x" line="XCLIENT NAME=x"
		S: 503 5.5.1 Bad sequence of commands
		RESET verb=RSET argument=""
		S: 250 2.0.0 OK
		REFUSED verb=XCLIENT argument="PORT=70000" line="XCLIENT PORT=70000"
		S: 501 5.5.4 Bad XCLIENT attribute
		END, 0 octets unused
	END
	# Refused, it is no client to whom anything is said but 503.
	happens 'XCLIENT NAME=x\r\nXCLIENT NAME=x\r\nEHLO x\r\nQUIT\r\n' \
		--takes-xclient -a XCLIENT='554 5.7.1 No' <<-'LOG'
		XCLIENT verb=XCLIENT argument="NAME=x"
		S: 554 5.7.1 No
		REFUSED verb=XCLIENT argument="NAME=x" line="XCLIENT NAME=x"
		S: 503 5.5.1 Bad sequence of commands
		REFUSED verb=EHLO argument="x" line="EHLO x"
		S: 503 5.5.1 Bad sequence of commands
		QUIT verb=QUIT argument=""
		S: 221 2.0.0 Bye
		END closed, 0 octets unused
	LOG
}

@test "20000 random sessions: legal replies, messages only after CRLF.CRLF" {
	"$EVENTS" --random 20000 >"$BATS_TEST_TMPDIR/out"
	# Not all of them in vain.
	read -r _ _ messages _ <"$BATS_TEST_TMPDIR/out"
	[ "$messages" -gt 1000 ]
}

@test "20000 more, sanitized" {
	seed=${EPOCHSECONDS}00000
	echo "--seed $seed"
	"$SANITIZED/tests/events" --random 20000 --seed "$seed"
}
