#!/usr/bin/env bats
# shellcheck shell=bats
# Mail servers as clients of smtpd: Postfix's lmtp(8) and smtp(8), and Exim, which
# sends BDAT. What they are told of each recipient they have understood; what
# they say, envelope and content, arrives.
# shellcheck disable=SC2030,SC2031,SC2094,SC2153,SC2154

load lib
load postfix

setup_file() {
	[ "$(id -u)" -eq 0 ] || return 0
	"$BATS_TEST_DIRNAME/peers"
	stage
	cp "$SMTPD_BIN/smtpd-relay" "$STAGE"
	mkdir "$STAGE/hooks"
	cat >"$STAGE/hooks/RCPT" <<-'END'
		#!/bin/sh
		case $RECIPIENT in
		refused*) echo "550 5.7.1 <$RECIPIENT> refused" ;;
		esac
	END
	# judge DIR: keeps a message as tests/record does, and has a reply for
	# each recipient.
	cat >"$STAGE/judge" <<-'END'
		#!/bin/sh
		"${0%/*}/record" "$1" >/dev/null || exit
		printf '%s\n' "$RECIPIENTS" | while read -r r; do
			case $r in
			no*) echo "550 5.1.1 <$r> no" ;;
			later*) echo "450 4.2.0 <$r> later" ;;
			*) echo "250 2.1.5 <$r> yes" ;;
			esac
		done
	END
	chmod 755 "$STAGE/judge" "$STAGE/hooks" "$STAGE/hooks/RCPT"
	content >"$STAGE/content"
	LMTP=$(free_port) SMTP=$(free_port) INLET=$(free_port)
	export LMTP SMTP INLET
	postfix_start
	exim_settle
}

teardown_file() {
	postfix_end
	unstage
}

setup() {
	need_root
	cd "$BATS_TEST_TMPDIR" || return
	forget_messages
	: >"$STAGE/postfix/log/maillog"
	find "$STAGE"/postfix/queue/{defer,deferred} -type f -delete
	rm -rf "$STAGE"/exim/spool/*
}

teardown() {
	[ -n "${BATS_TEST_COMPLETED:-}" ] ||
		tail -n 20 "$STAGE/postfix/log/maillog" "$STAGE/exim/mainlog" >&2
	end_all
}

# content: lines of dots and of 5000 octets, 8 bits, an empty line at the end.
content() {
	py <<-'PY'
		import sys
		high = bytes(range(128, 256))
		lines = [b".", b"..", b"", b".dot", high, high * 39, b"x" * 990, b"BDAT 6 LAST", b""] * 40
		sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
	PY
}

# postfix_start: Postfix in $STAGE/postfix: what comes in at $INLET for
# tcp.example and unix.example goes out to smtpd by LMTP, for smtp.example by
# SMTP, and the rest nowhere.
postfix_start() {
	local home=$STAGE/postfix
	postfix_settle "$home"
	cat >>"$home/config/main.cf" <<-CF
		mynetworks = 127.0.0.0/8
		transport_maps = inline:{tcp.example=lmtp:inet:127.0.0.1:$LMTP,
		    unix.example=lmtp:unix:$STAGE/lmtp.sock, smtp.example=smtp:[127.0.0.1]:$SMTP,
		    bücher.example=smtp:[127.0.0.1]:$SMTP}
		default_transport = discard:
		message_size_limit = 40000000
		smtp_line_length_limit = 0
		lmtp_line_length_limit = 0
		disable_mime_output_conversion = yes
	CF
	cat >>"$home/config/master.cf" <<-CF
		127.0.0.1:$INLET inet n - n - - smtpd
		showq unix n - n - - showq
		discard unix - - n - - discard
		lmtp unix - - n - - lmtp
		smtp unix - - n - - smtp
	CF
	postfix_master "$home" "$INLET"
}

# hand_over FILE [OPTION ...] -- RECIPIENT ...: to Postfix, options of MAIL
# first, of RCPT behind "-r".
hand_over() {
	py "$INLET" "$@" <<-'PY'
		import re, smtplib, sys
		port, name, *words = sys.argv[1:]
		at = words.index("--")
		options, recipients = words[:at], words[at + 1:]
		split = options.index("-r") if "-r" in options else len(options)
		with open(name, "rb") as file, \
		        smtplib.SMTP("127.0.0.1", int(port), "client.example", timeout=20) as client:
		    client.ehlo()
		    client.command_encoding = "utf-8"
		    sender = "jörg@grüße.example" if "SMTPUTF8" in options else "ann@example.com"
		    for code, text in [client.mail(sender, options[:split])] + [
		            client.rcpt(r, options[split + 1:]) for r in recipients]:
		        assert code == 250, (code, text)
		    code, text = client.data(re.sub(rb"\n", b"\r\n", file.read()))
		    assert code == 250, (code, text)
	PY
}

# understood RECIPIENT DSN STATUS TEXT: by Postfix.
understood() {
	eventually grep -qF "to=<$1>, " "$STAGE/postfix/log/maillog"
	grep -F "to=<$1>, " "$STAGE/postfix/log/maillog" >line
	[ "$(wc -l <line)" -eq 1 ]
	grep -qF ", dsn=$2, status=$3 " line
	grep -qF "$4" line
}

# waiting: the recipients of the mail that Postfix still has.
waiting() {
	LD_LIBRARY_PATH=$BUILD/peers/postfix/usr/lib/postfix MAIL_CONFIG=$STAGE/postfix/config \
		"$BUILD/peers/postfix/usr/sbin/postqueue" -j | jq -r '.recipients[].address'
}

# through_lmtp DOMAIN: five recipients, who come to four ends.
through_lmtp() {
	printf 'Subject: hi\n\n' | cat - "$STAGE/content" >message
	hand_over message BODY=8BITMIME RET=HDRS ENVID=id+2B1 -- \
		"yes@$1" "no@$1" "later@$1" "refused@$1" "too@$1"
	understood "yes@$1" 2.1.5 sent "(250 2.1.5 <yes@$1> yes)"
	understood "too@$1" 2.1.5 sent "(250 2.1.5 <too@$1> yes)"
	understood "no@$1" 5.1.1 bounced "said: 550 5.1.1 <no@$1> no (in reply to end of DATA command)"
	understood "later@$1" 4.2.0 deferred "said: 450 4.2.0 <later@$1> later (in reply to end of DATA command)"
	understood "refused@$1" 5.7.1 bounced "said: 550 5.7.1 <refused@$1> refused (in reply to RCPT TO command)"
	eventually waits "later@$1"
	[ "$(recorded RECIPIENTS | wc -w)" -eq 4 ]
	[ "$(recorded SMTP_PROTOCOL)" = LMTP ]
	said 'BODY=8BITMIME ENVID=id+2B1 RET=HDRS'
	sed '1,/^$/d' "$(only)/message" | cmp - "$STAGE/content"
}

# said PARAMETERS: of MAIL, in the order of the alphabet and without SIZE.
said() {
	[ "$(recorded SMTP_MAIL_OPTIONS | tr ' ' '\n' | grep -v '^SIZE=' | sort |
		paste -sd ' ')" = "$1" ]
}

# waits RECIPIENT: he and nobody else.
waits() {
	[ "$(waiting)" = "$1" ]
}

@test "Postfix's lmtp(8) over TCP: what each recipient was told is what it takes it for" {
	serve_at "127.0.0.1:$LMTP" -L -A -H "$STAGE/hooks" "$STAGE/judge" "$MAIL"
	through_lmtp tcp.example
	stop "$pid"
}

@test "Postfix's lmtp(8) over a Unix socket, as a user of its own" {
	umask 0 # which lets in others
	serve_at "unix:$STAGE/lmtp.sock" -L -A -H "$STAGE/hooks" "$STAGE/judge" "$MAIL"
	through_lmtp unix.example
	stop "$pid"
}

@test "Postfix's lmtp(8): smtpd's own refusal is each recipient's" {
	serve_at "127.0.0.1:$LMTP" -L -A --max-hops 1 "$RECORD" "$MAIL"
	printf 'Received: by x\nReceived: by x\nSubject: hi\n\n' >message
	hand_over message -- a@tcp.example b@tcp.example
	for name in a b; do
		understood "$name@tcp.example" 5.4.6 bounced "said: 554 5.4.6"
	done
	stop "$pid"
	[ "$(messages)" -eq 0 ]
}

@test "Postfix's smtp(8): DSN and SMTPUTF8 arrive in the environment" {
	serve_at "127.0.0.1:$SMTP" -u -A "$RECORD" "$MAIL"
	printf 'Subject: Gr\303\274\303\237e\n\n\342\230\203\n' >message
	hand_over message SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=x+2By -r NOTIFY=SUCCESS,DELAY \
		'ORCPT=rfc822;c+2Bd@e' -- jörg@smtp.example bob@smtp.example
	understood jörg@smtp.example 2.0.0 sent '(250 2.0.0 OK)'
	[ "$(recorded SENDER)" = jörg@grüße.example ]
	[ "$(recorded RECIPIENTS)" = 'bob@smtp.example jörg@smtp.example' ]
	[ "$(recorded SMTP_PROTOCOL) $(recorded SMTP_UTF8)" = 'UTF8SMTP 1' ]
	said 'BODY=8BITMIME ENVID=x+2By RET=FULL SMTPUTF8'
	local each='ORCPT=rfc822;c+2Bd@e NOTIFY=SUCCESS,DELAY'
	[ "$(recorded SMTP_RCPT_OPTIONS)" = "$each $each" ]
	tail -n 2 "$(only)/message" | cmp - <(printf '\n\342\230\203\n')
	stop "$pid"
}

@test "Postfix's smtp(8), SMTPUTF8 end to end: smtpd, smtpd-relay, aiosmtpd" {
	/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || skip "no aiosmtpd"
	local upstream
	upstream=$(free_port)
	start log.aio /usr/bin/python3 "$BATS_TEST_DIRNAME/aio.py" "$upstream" smtp
	eventually listening "$upstream"
	serve_at "127.0.0.1:$SMTP" -u -A "$STAGE/smtpd-relay" "127.0.0.1:$upstream"
	printf 'Subject: Gr\303\274\303\237e\n\n\342\230\203\n' >message
	hand_over message SMTPUTF8 BODY=8BITMIME -- jörg@bücher.example
	understood jörg@bücher.example 2.0.0 sent '(250 2.0.0 aio)'
	grep -q "^jörg@grüße.example \['jörg@bücher.example'\] .*'SMTPUTF8'" got.envelope
	grep -q $'^Subject: Gr\303\274\303\237e\r$' got
	grep -q '^	by .* with UTF8SMTP id ' got
	stop "$pid"
	# Where there is no SMTPUTF8 it is Postfix that refuses.
	serve_at "127.0.0.1:$SMTP" -A "$RECORD" "$MAIL"
	: >"$STAGE/postfix/log/maillog"
	hand_over message SMTPUTF8 BODY=8BITMIME -- jörg@bücher.example
	understood jörg@bücher.example 5.6.7 bounced 'SMTPUTF8 is required'
	stop "$pid"
}

# exim_settle: Exim in $STAGE/exim, which sends to $SMTP by SMTP, and by LMTP what
# is for lmtp.example. It wants a user of its name, which libnss_wrapper has.
exim_settle() {
	local home=$STAGE/exim
	mkdir -p "$home/spool"
	touch "$home/mainlog"
	chown mail "$home" "$home"/{spool,mainlog}
	{ cat /etc/passwd && echo 'Debian-exim:x:8:8::/nonexistent:/bin/false'; } >"$home/passwd"
	{ cat /etc/group && echo 'Debian-exim:x:8:'; } >"$home/group"
	cat >"$home/configure" <<-CF
		exim_path = $BUILD/peers/exim4-daemon-light/usr/sbin/exim4
		exim_user = mail
		exim_group = mail
		spool_directory = $home/spool
		log_file_path = $home/%slog
		primary_hostname = exim.example
		keep_environment =
		never_users =
		dsn_advertise_hosts = *
		smtputf8_advertise_hosts = *
		acl_smtp_rcpt = accept
		acl_smtp_data = accept
		acl_smtp_dkim =
		disable_ipv6
		begin routers
		lmtp:
		  driver = manualroute
		  domains = lmtp.example
		  transport = lmtp
		  route_list = * 127.0.0.1 byname
		  self = send
		smtp:
		  driver = manualroute
		  domains = smtp.example
		  transport = smtp
		  route_list = * 127.0.0.1 byname
		  self = send
		nowhere:
		  driver = redirect
		  data = :blackhole:
		begin transports
		smtp:
		  driver = smtp
		  port = $SMTP
		  hosts_avoid_tls = *
		  hosts_try_fastopen =
		  message_linelength_limit = 100000
		lmtp:
		  driver = smtp
		  protocol = lmtp
		  port = $LMTP
		  hosts_avoid_tls = *
		  hosts_try_fastopen =
		  message_linelength_limit = 100000
		begin retry
		* * F,1h,1h
	CF
	NSS_WRAPPER=$(find "$BUILD/peers/libnss-wrapper" -name libnss_wrapper.so)
	export NSS_WRAPPER
}

exim() {
	LD_PRELOAD=$NSS_WRAPPER NSS_WRAPPER_PASSWD=$STAGE/exim/passwd \
		NSS_WRAPPER_GROUP=$STAGE/exim/group timeout 20 \
		"$BUILD/peers/exim4-daemon-light/usr/sbin/exim4" \
		-C "$STAGE/exim/configure" "$@"
}

# by_exim FILE MAIL RCPT ...: Exim takes the message, and sends it. What it made
# of that is in the file mainlog, a line for each recipient.
by_exim() {
	local name=$1 rcpt
	: >"$STAGE/exim/mainlog"
	chown mail "$STAGE/exim/mainlog"
	{
		printf '%s\r\n' 'EHLO client.example' "MAIL FROM:$2"
		for rcpt in "${@:3}"; do
			printf 'RCPT TO:%s\r\n' "$rcpt"
		done
		printf 'DATA\r\n'
		sed 's/^\./../; s/$/\r/' "$name"
		printf '.\r\nQUIT\r\n'
	} >dialogue
	exim -odq -bs <dialogue >taken
	grep -q '^250 OK id=' taken
	exim -q
	sed -n 's/^[^ ]* [^ ]* [^ ]* \(=>\|->\|\*\*\|==\) /\1 /p' "$STAGE/exim/mainlog" >mainlog
}

@test "Exim's BDAT, with DSN and SMTPUTF8: octet for octet, a recipient refused" {
	serve_at "127.0.0.1:$SMTP" -u -A -d -H "$STAGE/hooks" --no-received "$RECORD" "$MAIL"
	printf 'Subject: Gr\303\274\303\237e\n\n' | cat - "$STAGE/content" >message
	by_exim message '<jörg@bücher.example> SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=x+2By' \
		'<bob@smtp.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c+2Bd@e' \
		'<refused@smtp.example>' '<jörg@smtp.example> NOTIFY=NEVER'
	grep -q '^=> bob@smtp.example .* K C="250 2\.0\.0 OK"' mainlog
	grep -q '^-> jörg@smtp.example .* K C="250 2\.0\.0 OK"' mainlog
	grep -q '^\*\* refused@smtp.example .*: 550 5\.7\.1 <refused@smtp.example> refused' mainlog
	grep -q 'line="BDAT [0-9]*"' "$log"
	grep -q 'line="BDAT [0-9]* LAST"' "$log"
	[ "$(recorded SENDER)" = jörg@bücher.example ]
	[ "$(recorded RECIPIENTS)" = 'bob@smtp.example jörg@smtp.example' ]
	[ "$(recorded SMTP_RCPT_OPTIONS)" = 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c+2Bd@e NOTIFY=NEVER' ]
	said 'ENVID=x+2By RET=HDRS SMTPUTF8'
	sed '1,/^$/d' "$(only)/message" | cmp - "$STAGE/content"
	stop "$pid"
}

@test "Exim's BDAT, pipelined behind recipients who are all refused: 503, and on" {
	serve_at "127.0.0.1:$SMTP" -A -d -H "$STAGE/hooks" "$RECORD" "$MAIL"
	cp "$STAGE/content" message
	by_exim message '<>' '<refused1@smtp.example>' '<refused2@smtp.example>'
	[ "$(grep -c '^\*\* refused' mainlog)" -eq 2 ]
	grep -q 'line="503 5\.5\.1' "$log"
	stop "$pid"
	[ "$(messages)" -eq 0 ]
}

@test "Exim's LMTP, with BDAT: a reply for each recipient" {
	serve_at "127.0.0.1:$LMTP" -L -A -d -H "$STAGE/hooks" "$STAGE/judge" "$MAIL"
	printf 'Subject: hi\n\n' | cat - "$STAGE/content" >message
	by_exim message '<ann@example.com>' '<yes@lmtp.example>' '<no@lmtp.example>' \
		'<refused@lmtp.example>' '<later@lmtp.example>' '<too@lmtp.example>'
	grep -q '^[-=]> yes@lmtp.example .* C="250 2\.1\.5 <yes@lmtp.example> yes"' mainlog
	grep -q '^[-=]> too@lmtp.example .* C="250 2\.1\.5 <too@lmtp.example> yes"' mainlog
	grep -q '^\*\* no@lmtp.example .*: 550 5\.1\.1 <no@lmtp.example> no' mainlog
	grep -q '^\*\* refused@lmtp.example .*: 550 5\.7\.1' mainlog
	grep -q '^== later@lmtp.example .*: 450 4\.2\.0' mainlog
	grep -q 'line="BDAT [0-9]* LAST"' "$log"
	sed '1,/^$/d' "$(only)/message" | cmp - "$STAGE/content"
	stop "$pid"
}
