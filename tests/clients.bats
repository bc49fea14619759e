#!/usr/bin/env bats
# shellcheck shell=bats
# Real clients against smtpd -l: every message octet for octet what was sent.
# A test is a subshell to shellcheck, and bats and lib.bash set variables:
# shellcheck disable=SC2030,SC2031,SC2154

load lib

setup_file() {
	"$BATS_TEST_DIRNAME/peers"
	stage
	# Dots, an empty line, blanks at the ends, 8 bits, a long line.
	message=$STAGE/message
	export message
	{
		printf 'From: Sender <from@example.org>\nTo: <to@example.net>\n'
		printf 'Date: Thu, 01 Jan 2026 00:00:00 +0000\n'
		printf 'Message-ID: <1@example.org>\nSubject: a real client\n'
		printf 'MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
		printf 'Content-Transfer-Encoding: 8bit\n\n'
		printf '.\n..\n.leading\n\nblanks \t \nKäse — ☃\nFrom here on\n'
		printf '%0998d\n' 7
		printf '%05000d\n' 9
		printf 'last\n'
	} >"$message"
	sed 's/$/\r/' "$message" >"$message.crlf"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
}

teardown() {
	end_all
}

# arrived [FILE]: the only message is FILE, octet for octet.
arrived() {
	cmp "$(only)/message" "${1:-$message}"
	forget_messages
}

@test "Python's smtplib: two messages on one connection, and all that is odd" {
	serve -u --no-received "$RECORD" "$MAIL"
	py "$port" "$MAIL" <<-'PY'
		import os, shutil, smtplib, sys
		port, mail = int(sys.argv[1]), sys.argv[2]

		def delivered():
		    "The one message delivered, and its environment."
		    name, = os.listdir(mail)
		    folder = os.path.join(mail, name)
		    with open(folder + "/message", "rb") as file:
		        octets = file.read()
		    with open(folder + "/env", "rb") as file:
		        env = dict(v.split(b"=", 1) for v in file.read().split(b"\0") if v)
		    shutil.rmtree(folder)
		    return octets, {k.decode(): v.decode() for k, v in env.items()}

		client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.example", timeout=20)
		client.ehlo()
		assert client.has_extn("size") and client.has_extn("8bitmime"), client.esmtp_features
		assert client.has_extn("smtputf8") and client.has_extn("pipelining")

		# Dots and 8 bits.
		sent = b"Subject: one\r\n\r\n.\r\n..\r\n.x\r\n\r\n" + bytes(range(128, 256)) + b"\r\n"
		refused = client.sendmail("a@example.org", ["b@example.net", "c@example.net"],
		                          sent, mail_options=["BODY=8BITMIME"])
		assert not refused, refused
		octets, env = delivered()
		assert octets == sent.replace(b"\r\n", b"\n"), octets
		assert env["SENDER"] == "a@example.org"
		assert env["RECIPIENTS"] == "b@example.net\nc@example.net"
		assert "RECIPIENT" not in env
		assert env["SMTP_BODY"] == "8BITMIME"
		assert env["SMTP_MAIL_OPTIONS"] == "SIZE=%d BODY=8BITMIME" % len(sent), env["SMTP_MAIL_OPTIONS"]
		assert env["SMTP_HELO"] == "client.example"
		session = env["SMTP_SESSION"]

		# A long line, the null sender, the same connection.
		sent = b"Subject: two\r\n\r\n" + b"y" * 100000 + b"\r\n"
		client.sendmail("", "b@example.net", sent)
		octets, env = delivered()
		assert octets == sent.replace(b"\r\n", b"\n")
		assert env["SENDER"] == "" and env["RECIPIENT"] == "b@example.net"
		assert env["SMTP_SESSION"] == session

		# SMTPUTF8.
		sent = "Subject: Grüße\r\n\r\n☃\r\n".encode()
		client.sendmail("jörg@exämple.org", ["用户@例え.jp"], sent,
		                mail_options=["SMTPUTF8", "BODY=8BITMIME"])
		octets, env = delivered()
		assert octets == sent.replace(b"\r\n", b"\n")
		assert env["SENDER"] == "jörg@exämple.org"
		assert env["RECIPIENT"] == "用户@例え.jp"
		assert env["SMTP_UTF8"] == "1"
		assert env["SMTP_PROTOCOL"] == "UTF8SMTP", env["SMTP_PROTOCOL"]

		# An empty message, then one of 5 MB.
		client.sendmail("a@example.org", "b@example.net", b"")
		assert delivered()[0] == b"\n"
		sent = b"Subject: big\r\n\r\n" + (b"z" * 76 + b"\r\n") * 65536
		client.sendmail("a@example.org", "b@example.net", sent)
		assert delivered()[0] == sent.replace(b"\r\n", b"\n")

		assert client.rset()[0] == 250
		assert client.noop()[0] == 250
		assert client.vrfy("b@example.net")[0] == 252
		assert client.quit()[0] == 221
	PY
	stop "$pid"
}

@test "Python's smtplib with HELO alone" {
	serve --no-received "$RECORD" "$MAIL"
	py "$port" <<-'PY'
		import smtplib, sys
		client = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=20)
		client.helo("old.example")
		client.sendmail("a@example.org", "b@example.net", b"Subject: old\r\n\r\nold\r\n")
		client.quit()
	PY
	stop "$pid"
	[ "$(recorded SMTP_PROTOCOL)" = SMTP ]
	[ "$(recorded SMTP_HELO)" = old.example ]
	printf 'Subject: old\n\nold\n' >"$BATS_TEST_TMPDIR/sent"
	arrived "$BATS_TEST_TMPDIR/sent"
}

@test "swaks, with and without pipelining" {
	serve --no-received "$RECORD" "$MAIL"
	local pipeline
	for pipeline in '' --pipeline; do
		swaks --server "127.0.0.1:$port" ${pipeline:+"$pipeline"} --helo client.example \
			--from from@example.org --to to@example.net,other@example.net \
			--suppress-data --data "@$message" >"$BATS_TEST_TMPDIR/out" 2>&1
		[ "$(recorded SENDER)" = from@example.org ]
		[ "$(recorded RECIPIENTS)" = "to@example.net other@example.net" ]
		# swaks puts an empty line behind the message.
		[ "$(recorded SMTP_SIZE)" -eq "$(wc -c <"$(only)/message")" ]
		cmp -n "$(wc -c <"$message")" "$(only)/message" "$message"
		forget_messages
	done
	stop "$pid"
}

@test "swaks sees a refusal" {
	serve --no-received "$RECORD" "$MAIL" 67
	run swaks --server "127.0.0.1:$port" --from from@example.org --to to@example.net
	[ "$status" -eq 26 ]
	[[ $output == *'<** 550 5.1.1 '* ]]
	stop "$pid"
}

@test "curl" {
	serve --no-received "$RECORD" "$MAIL"
	curl -sS --max-time 30 "smtp://127.0.0.1:$port/client.example" \
		--mail-from from@example.org --mail-rcpt to@example.net \
		--mail-rcpt other@example.net --upload-file "$message.crlf"
	[ "$(recorded SENDER)" = from@example.org ]
	[ "$(recorded RECIPIENTS)" = "to@example.net other@example.net" ]
	[ "$(recorded SMTP_HELO)" = client.example ]
	arrived
	# From a pipe: no SIZE is known.
	curl -sS --max-time 30 "smtp://127.0.0.1:$port/client.example" \
		--mail-from '' --mail-rcpt to@example.net --upload-file - <"$message.crlf"
	[ "$(recorded SENDER)" = '' ]
	arrived
	stop "$pid"
}

@test "msmtp" {
	serve --no-received "$RECORD" "$MAIL"
	: >"$BATS_TEST_TMPDIR/msmtprc"
	msmtp -C "$BATS_TEST_TMPDIR/msmtprc" --host=127.0.0.1 --port="$port" \
		--domain=client.example --timeout=20 --from=from@example.org \
		to@example.net other@example.net <"$message"
	[ "$(recorded SENDER)" = from@example.org ]
	[ "$(recorded RECIPIENTS)" = "to@example.net other@example.net" ]
	arrived
	stop "$pid"
}

# source_mail ARGUMENT ...: Postfix's smtp-source, from the unpacked package.
source_mail() {
	LD_LIBRARY_PATH=$BUILD/peers/postfix/usr/lib/postfix timeout 60 \
		"$BUILD/peers/postfix/usr/sbin/smtp-source" "$@"
}

# all_alike NUMBER FILE: so many messages, each octet for octet FILE.
all_alike() {
	[ "$(messages)" -eq "$1" ]
	local each
	for each in "$MAIL"/*/message; do
		cmp "$each" "$2"
	done
}

@test "Postfix's smtp-source: 300 messages on 10 connections at once" {
	serve --no-received "$RECORD" "$MAIL"
	# It puts an empty line behind the file.
	{ cat "$message" && echo; } >"$BATS_TEST_TMPDIR/all"
	# One message a connection, then (-d) many on each.
	source_mail -s 10 -m 300 -F "$message" -f from@example.org -t to@example.net "127.0.0.1:$port"
	all_alike 300 "$BATS_TEST_TMPDIR/all"
	[ "$(cat "$MAIL"/*/env | tr '\0' '\n' | grep '^SMTP_SESSION=' | sort -u | wc -l)" -eq 300 ]
	forget_messages
	source_mail -d -s 10 -m 300 -F "$message" -f from@example.org -t to@example.net "127.0.0.1:$port"
	all_alike 300 "$BATS_TEST_TMPDIR/all"
	[ "$(cat "$MAIL"/*/env | tr '\0' '\n' | grep '^SMTP_SESSION=' | sort -u | wc -l)" -eq 10 ]
	stop "$pid"
}

@test "Postfix's smtp-source: five recipients each, and large messages" {
	serve --no-received "$RECORD" "$MAIL"
	source_mail -d -s 4 -m 20 -r 5 -l 2000000 -f from@example.org -t to@example.net "127.0.0.1:$port"
	[ "$(messages)" -eq 20 ]
	local folder
	for folder in "$MAIL"/*; do
		# More than 2,000,000 octets of its own, all as SMTP_SIZE says.
		[ "$(wc -c <"$folder/message")" -gt 1900000 ]
		grep -qzx "SMTP_SIZE=$(wc -c <"$folder/message")" "$folder/env"
		[ "$(grep -z '^RECIPIENTS=' "$folder/env" | tr '\0' '\n' | grep -c '@example.net$')" -eq 5 ]
	done
	stop "$pid"
}
