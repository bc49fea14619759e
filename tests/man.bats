#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2094
# The pages say what the program does: what can be read off a page by a script
# is read off and tried.

load lib.bash

setup() {
	root=$BATS_TEST_DIRNAME/..
	smtpd=$SMTPD_BIN/smtpd
	page=$root/man/smtpd.8
	delivery=$root/man/smtpd-delivery.7
	hooks=$root/man/smtpd-hooks.7
	cd "$BATS_TEST_TMPDIR" || return
	# No launcher speaks here but the one a test names.
	unset RELAYCLIENT PROTO TCPREMOTEIP TCPREMOTEPORT TCPLOCALIP \
		TCPLOCALPORT REMOTE_ADDR REMOTE_PORT REMOTE_HOST \
		SOCAT_PEERADDR SOCAT_PEERPORT
}

# session ARGUMENT...: runs smtpd with the dialogue on standard input, in LF;
# the replies are in the file out, the log in err.
session() {
	sed 's/$/\r/' >in
	"$smtpd" -n "$@" <in >out.crlf 2>err
	tr -d '\r' <out.crlf >out
}

# with_tls COMMAND ...: with the descriptors of UCSPI-TLS, which lead nowhere.
with_tls() {
	SSLCTLFD=7 SSLREADFD=8 SSLWRITEFD=9 "$@" 7</dev/null 8</dev/null 9</dev/null
}

# transaction [SUBJECT]: the client's half of one message.
transaction() {
	printf '%s\n' 'MAIL FROM:<ann@example.com>' \
		'RCPT TO:<bob@example.org>' DATA "Subject: ${1-}" '' text .
}

message() {
	echo 'EHLO client.example'
	transaction "$@"
	echo QUIT
}

# What was said after each DATA.
verdicts() {
	awk '/^354/ { getline; print }' out
}

# The text of a page, as a reader sees it, lines unbroken.
text() {
	mandoc -T ascii -O width=250 "$1" | sed 's/.\x08//g'
}

# section NAME: the source of one section or subsection of standard input.
section() {
	awk -v name="$1" '/^\.S[hs] / { on = substr($0, 5) == name } on'
}

# table NAME [PAGE]: rows of a table of smtpd-delivery(7), columns separated
# by |.
table() {
	awk -v name="$1" '$0 == ".\\\" table: " name { on = 1 }
		/^\.El/ { on = 0 }
		on && sub(/^\.It Li /, "")' "${2-$delivery}" |
		sed 's/ *Ta Li */|/g; s/ *Ta */|/g'
}

# block KIND PAGE: the literal blocks of that kind, one file each.
blocks() {
	rm -f block.*
	awk -v kind="$1" -v page="$(basename "$2")" '
		/^\.Bd -literal/ { on = last ~ "^\\.\\\\\" " kind "(:|$)" ? ++n : 0; next }
		/^\.Ed/ { on = 0 }
		on { gsub(/\\e/, "\\"); gsub(/\\&/, ""); print >"block." page "." on }
		{ last = $0 }' "$2"
}

# example KIND NAME PAGE: one block, by its name.
example() {
	awk -v mark="\" $1: $2" '
		substr(last, 3) == mark { on = 1; last = ""; next }
		/^\.Ed/ { on = 0 }
		on { gsub(/\\e/, "\\"); print }
		{ last = $0 }' "$3"
}

# same FILE FILE: equal and not empty.
same() {
	[ -s "$1" ] && diff -u "$1" "$2"
}

@test "mandoc finds nothing to say about any page" {
	run -0 mandoc -T lint -W warning "$root"/man/*
	[ -z "$output" ]
}

@test "every page that the Makefile installs has its name in NAME" {
	for file in "$root"/man/*; do
		name=$(basename "$file")
		grep -qx ".Nm ${name%.*}" "$file"
		grep -qix ".Dt ${name%.*} ${name##*.}" "$file"
	done
}

@test "smtpd(8) and --help have the same options" {
	"$smtpd" --help >help 2>err
	[ ! -s err ]
	sed -n 's/^ \{1,\}\(-[^ ].*\)/\1/p' help | sed 's/  .*//' |
		sort >program
	# What is short has its text on the same line.
	text "$page" | sed -n '/^OPTIONS/,/^   [A-Z]/s/^     \(-.*\)/\1/p' |
		sed 's/   .*//' | sort >manual
	same program manual
	[ "$(wc -l <manual)" -ge 20 ]
}

@test "--help has a line an option, that fits 80 columns and says something" {
	run -0 "$smtpd" --help
	grep '^ *-' <<<"$output" >help
	run -1 grep -vE '^  (-[A-Za-z0-9], |    )--[a-z0-9-]+( [^ ]+)?  +[^ ]' help
	run -1 grep -E '^.{81}' help
}

@test "--help and --version: all of it in one piece, or an error" {
	for option in --help --version; do
		run -74 bash -c '"$1" "$2" >/dev/full' - "$smtpd" "$option"
		[ "$output" = "smtpd: cannot write to standard output: No space left on device" ]
		strace -qq -o trace -e trace=write "$smtpd" "$option" >out 2>/dev/null ||
			continue # the sanitizers' build, or no strace here
		[ "$(grep -c '^write(1, ' trace)" -eq 1 ]
	done
}

@test "an option takes an argument where its page says so, and only there" {
	text "$page" | sed -n '/^OPTIONS/,/^   [A-Z]/s/^     \(-.*\)/\1/p' |
		sed 's/   .*//' | tr -d , >manual
	[ -s manual ]
	while read -r first second third; do
		case $first in
		--*) long=$first short='' argument=$second ;;
		*) long=$second short=$first argument=$third ;;
		esac
		for option in $long $short; do
			if [ -n "$argument" ]; then
				# Nothing follows that could be the argument.
				run -64 "$smtpd" "$option" </dev/null
			else
				run -0 "$smtpd" "$option" -n true </dev/null
			fi
		done
		[ -n "$argument" ] || run -64 "$smtpd" "$long=x" </dev/null
	done <manual
}

@test "the defaults that smtpd(8) names are those of the program" {
	session true <<<'EHLO me'
	size=$(text "$page" | sed -n 's/.*advertised as SIZE (\([0-9]*\);.*/\1/p')
	count=$(text "$page" | sed -n 's/.*recipients of one message (\([0-9]*\)).*/\1/p')
	grep -qx "250[- ]SIZE $size" out
	grep -qx "250[- ]LIMITS RCPTMAX=$count" out
	# --max-errors: that many, and the next command is the last.
	errors=$(text "$page" | sed -n 's/.*connection ends (\([0-9]*\);.*/\1/p')
	for _ in $(seq $((errors + 2))); do echo NOSUCH; done | session true
	[ "$(grep -c '^500 5\.5\.2 ' out)" = "$errors" ]
	tail -n 1 out | grep -q '^421 4\.7\.0 '
}

@test "smtpd(8) has the commands that HELP lists" {
	sed -n 's/^\.It Ic \([A-Z]*\).*/\1/p' "$page" | sort >manual
	printf 'EHLO me\nHELP\nQUIT\n' | with_tls session --xclient 192.0.2.7 -a true true
	cat out >both
	printf 'LHLO me\nHELP\nQUIT\n' | session -L true
	cat out >>both
	sed -n '/^214/s/^214[- ][0-9.]* *//p' both |
		grep -owE '[A-Z]{4,}' | sort -u >program
	same program manual
}

@test "smtpd(8) and HELP have the same arguments" {
	for verb in DATA BDAT RSET NOOP QUIT HELP VRFY EXPN; do
		sed -n "s/^\.It Ic \($verb\b.*\)/\1/p" "$page" |
			sed -E 's/ Op (Ar|Cm) ([^ ]*)/ [\2]/; s/ Ar / /' >>manual
		session true <<<"HELP $verb"
		sed -n 's/^214 2\.0\.0 //p' out >>program
	done
	same program manual
	[ "$(wc -l <manual)" -eq 8 ]
}

@test "smtpd(8): what an address with UTF-8 is told" {
	printf '%s\n' 'EHLO me' 'MAIL FROM:<jörg@example.com>' >given
	session true <given
	tail -n 1 out | grep -q '^501 5\.5\.4 '
	session -u true <given
	tail -n 1 out | grep -q '^553 5\.6\.7 '
	sed -n '/^An address with UTF-8/,/^What/p' "$page" | tr '\n' ' ' |
		grep -qF 'told 501 5.5.4, and with .Fl u 553 5.6.7 where'
}

# keys: of lines of the log, each event with those of its line.
keys() {
	sed -E 's/"([^"\\]|\\.)*"/x/g; s/=(x|[^ ]*)/=/2g; s/session=[^ ]*/session=/' |
		sort -u
}

@test "smtpd(8): the lines of the log have what those of the sample have" {
	{
		printf '%s\n' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<x@y>'
		transaction | sed 1d
		echo QUIT
	} | TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=40312 session -D example.org true
	sed -E 's/event=([a-z]*)/\1/' err | keys >program
	awk '/^\.\\" log/ { on = 1; next } on && /^\.Ed/ { exit }
		on && !/^\./ { sub(/^    /, " "); printf "%s%s", /^smtpd/ ? "\n" : "", $0 }' "$page" |
		sed -E '/^$/d; s/event=([a-z]*)/\1/' | keys >manual
	same program manual
	[ "$(wc -l <manual)" -eq 4 ]
}

@test "smtpd(8) has the extensions that EHLO offers" {
	section Extensions <"$page" | sed -n 's/^\.It Cm \([A-Z0-9]*\).*/\1/p' |
		sort >manual
	TCPREMOTEIP=192.0.2.7 with_tls session --xclient 192.0.2.7 -u -C -a true --auth-plaintext true <<<'EHLO me'
	sed -n '1,2d; s/^250[- ]\([A-Z0-9]*\).*/\1/p' out | sort >program
	same program manual
	session true <<<'EHLO me'
	run -1 grep -E 'SMTPUTF8|BINARYMIME' out
}

@test "the exit statuses of smtpd(8)" {
	section 'EXIT STATUS' <"$page" | sed -n 's/^\.It Li //p' >manual
	printf '%s\n' 0 64 70 71 78 >tried
	same tried manual
	run -0 "$smtpd" true <<<QUIT
	run -64 "$smtpd" --no-such-option </dev/null
	[ "${#lines[@]}" = 1 ]
	# An address that is no interface's (RFC 5737).
	run -71 "$smtpd" -n -l 192.0.2.1:0 true </dev/null
	run -78 "$smtpd" -U no-such-user true </dev/null
	run -64 "$smtpd" -n -D @no-such-file true </dev/null
	# 70 is our own fault: there is no way to ask for it.
}

@test "every variable of smtpd-delivery(7) is set by a delivery, and no other" {
	section Environment <"$delivery" | sed -n 's/^\.It Ev //p' |
		sort >manual
	cat >transcript <<-'END'
	EHLO client.example
	AUTH PLAIN AGFubgBzZWNyZXQ=
	MAIL FROM:<ann@example.com> BODY=8BITMIME SMTPUTF8
	RCPT TO:<bob@example.org> NOTIFY=NEVER
	DATA

	.
	QUIT
	END
	sed 's/$/\r/' transcript |
		env -i PATH="$PATH" DUMP="$PWD/dump" PROTO=TCP \
		SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=AES TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=40312 \
		TCPLOCALIP=192.0.2.25 TCPLOCALPORT=25 \
		"$smtpd" -n -u -A -a true env sh -c 'env -0 >"$DUMP"' >out
	tr '\n\0' ' \n' <dump | sed 's/=.*//' |
		grep -vxE 'PATH|DUMP|PWD|OLDPWD|SHLVL|_|SSL_.*' | sort >program
	same manual program
	# And what is said of each is so.
	tr '\n\0' '|\n' <dump >values
	for value in SENDER=ann@example.com RECIPIENT=bob@example.org \
		RECIPIENTS=bob@example.org SMTP_HELO=client.example \
		SMTP_BODY=8BITMIME SMTP_UTF8=1 SMTP_PROTOCOL=UTF8SMTPSA \
		SMTP_AUTH_USER=ann SMTP_AUTH_MECHANISM=PLAIN \
		'SMTP_TLS=TLSv1.3 AES' \
		'SMTP_MAIL_OPTIONS=BODY=8BITMIME SMTPUTF8' \
		SMTP_RCPT_OPTIONS=NOTIFY=NEVER PROTO=TCP \
		TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=40312 \
		TCPLOCALIP=192.0.2.25 TCPLOCALPORT=25; do
		grep -qxF "$value" values
	done
}

@test "no variable of smtpd-delivery(7) is the launcher's" {
	set --
	for name in $(section Environment <"$delivery" |
		sed -n 's/^\.It Ev //p' | grep -v '^TCP\|^PROTO'); do
		set -- "$@" "$name=launcher"
	done
	[ $# -ge 10 ]
	{
		echo 'HELO client.example'
		printf '%s\n' 'MAIL FROM:<>' 'RCPT TO:<a@example.org>' \
			'RCPT TO:<a@example.org>' DATA '' . QUIT
	} | sed 's/$/\r/' | env -i PATH="$PATH" DUMP="$PWD/dump" "$@" PROTO=TCP \
		"$smtpd" -n -A sh -c 'env -0 >"$DUMP"' >out
	tr '\n\0' '|\n' <dump >values
	run -1 grep launcher values
	grep -qx 'SENDER=' values
	grep -qx 'RECIPIENTS=a@example.org|a@example.org' values
	grep -qx 'SMTP_PROTOCOL=SMTP' values
	grep -qx 'SMTP_BODY=7BIT' values
	for name in RECIPIENT SMTP_UTF8 PROTO TCPREMOTEIP; do
		run -1 grep "^$name=" values
	done
}

@test "SMTP_SIZE, directory, umask and process group are as described" {
	umask 027
	message | session sh -c '
		{ wc -c; echo "$SMTP_SIZE"; pwd; umask
		cut -d " " -f 5 /proc/$$/stat; echo $$; } >seen'
	{
		read -r counted
		read -r size
		read -r directory
		read -r mask
		read -r group
		read -r process
	} <seen
	[ "$counted" = "$size" ] && [ "$size" -gt 0 ]
	[ "$directory" = "$(pwd -P)" ]
	[ "$mask" = 0027 ]
	[ "$group" = "$process" ]
}

@test "every exit status is answered as smtpd-delivery(7) says" {
	table status >rows
	other=$(sed -n 's/^any other||//p' rows)
	[ -n "$other" ]
	{
		echo 'EHLO client.example'
		for status in $(seq 0 255); do
			transaction "$status"
			row=$(sed -n "s/^$status|.*|//p" rows)
			echo "${row:-$other}" >>expected
		done
		echo QUIT
	} | session sh -c 'exit "$(sed -n "s/^Subject: //p")"'
	# The page says the code and the enhanced code, and all of success.
	verdicts | sed '/^2/!s/^\([0-9]* [0-9.]*\).*/\1/' >program
	same expected program
}

@test "the other rows of the exit status table of smtpd-delivery(7)" {
	table status | sed '/^[0-9]/d; s/|.*|/|/' >rows
	[ "$(wc -l <rows)" = 4 ]
	while IFS='|' read -r row reply; do
		case $row in
		'any other') message | session sh -c 'exit 1' ;;
		'cannot be run') message | session ./no-such-command ;;
		'killed by a signal') message | session sh -c 'kill -9 $$' ;;
		'timed out') message |
			session --command-timeout 1 sleep 60 ;;
		*) echo "no test for: $row"; return 1 ;;
		esac
		run -0 verdicts
		[[ "$output" = "$reply "* ]]
	done <rows
}

@test "the replies of smtpd-delivery(7) become what it says" {
	table reply >rows
	[ "$(wc -l <rows)" -ge 10 ]
	while IFS='|' read -r status said reply; do
		export status said
		message | session sh -c \
			'cat >/dev/null; printf "%s\n" "$said"; exit "$status"'
		verdicts >program
		case $reply in
		??????????*) echo "$reply" | diff -u - program ;;
		*) grep -q "^$reply " program ;;
		esac
		case $reply in
		421*) run -1 grep '^221' out ;;
		*) grep -q '^221' out ;;
		esac
	done <rows
}

@test "every literal block says what is in it, and commands parse" {
	checked=0
	for file in "$page" "$delivery" "$hooks"; do
		run -0 awk '/^\.Bd -literal/ &&
			last !~ /^\.\\" (sh|c|conf|log)(:|$)/ { print FILENAME ":" FNR }
			{ last = $0 }' "$file"
		[ -z "$output" ]
		blocks sh "$file"
		for block in block.*; do
			sh -n "$block"
			checked=$((checked + 1))
		done
		if command -v shellcheck >/dev/null; then
			shellcheck -s sh block.*
		fi
	done
	[ "$checked" -ge 10 ]
}

@test "smtpd(8): the transcript of the example is a message" {
	blocks sh "$page"
	block=$(grep -l transcript block.*)
	sed '/^smtpd /d' "$block" >script
	sh script
	"$smtpd" -n cat <transcript >out
	grep -q '^250 2\.0\.0 OK' out
	grep -q '^221 ' out
}

@test "smtpd-delivery(7): the C example compiles and stores a message" {
	example c store "$delivery" >store.c
	cc -Wall -Wextra -Werror -o store store.c
	message hi | session --no-received ./store
	verdicts | grep -qx '250 2\.0\.0 OK'
	printf 'Subject: hi\n\ntext\n' | cmp - message.??????
}

@test "smtpd-delivery(7): a file for each message" {
	example sh store "$delivery" >store
	chmod +x store
	mkdir spool
	message hi | SPOOL=$PWD/spool session --no-received ./store
	verdicts | grep -qx '250 2\.0\.0 OK'
	printf 'Subject: hi\n\ntext\n' | cmp - spool/new.*
	[ "$(find spool -type f | wc -l)" = 1 ]
	message hi | SPOOL=$PWD/missing session ./store
	verdicts | grep -q '^451 4\.3\.0 '
}

@test "smtpd-delivery(7): refuse unknown recipients" {
	example sh known "$delivery" | sed 's/^exec deliver$/exec cat/' >known
	grep -qx 'exec cat' known
	chmod +x known
	echo bob@example.org >list
	message | KNOWN=$PWD/list session ./known
	verdicts | grep -qx '250 2\.0\.0 OK'
	echo boab@example.org >list
	message | KNOWN=$PWD/list session ./known
	verdicts | grep -qx '550 5\.1\.1 <bob@example.org> is not known here'
	message | KNOWN=$PWD/missing session ./known
	verdicts | grep -q '^451 4\.3\.0 '
}

@test "smtpd-delivery(7): pass it to the system's mailer" {
	example sh sendmail "$delivery" >pass
	printf '#!/bin/sh\nprintf "%%s\\n" "$@" >arguments\ncat >body\n' >mailer
	chmod +x pass mailer
	{
		echo 'HELO me'
		printf '%s\n' 'MAIL FROM:<-oQ/tmp@example.com>' \
			'RCPT TO:<-bob@example.org>' 'RCPT TO:<*@example.org>' \
			DATA 'Subject: hi' '' . QUIT
	} | SENDMAIL=./mailer session --no-received ./pass
	verdicts | grep -qx '250 2\.0\.0 OK'
	printf '%s\n' -i -f -oQ/tmp@example.com -- \
		-bob@example.org '*@example.org' | diff -u - arguments
	printf 'Subject: hi\n\n' | cmp - body
}

@test "smtpd-hooks(7): every variable that it names is set at some step" {
	mkdir dir
	for verb in CONNECT EHLO MAIL RCPT DATA; do
		printf '#!/bin/sh\nenv -0 >>"$DUMP"\n' >dir/$verb
	done
	chmod +x dir/*
	printf '%s\n' 'EHLO me' 'MAIL FROM:<a@b> SMTPUTF8' \
		'RCPT TO:<c@d> NOTIFY=NEVER' \
		DATA . QUIT |
		TCPREMOTEIP=192.0.2.7 DUMP=$PWD/dump session -u -A -H dir true
	tr '\n\0' ' \n' <dump | sed 's/=.*//' | sort -u >program
	section Environment <"$hooks" | grep '^\.It Ev' | tr -d , | grep -v X_ |
		tr ' ' '\n' | grep '^[A-Z][A-Z_]*[A-Z]$' | sort -u >manual
	[ "$(wc -l <manual)" -ge 12 ]
	# Which no hook sees.
	run -0 comm -13 program manual
	[ "$output" = SMTP_SIZE ]
}

@test "smtpd-hooks(7): the rows of its table" {
	mkdir dir
	printf '#!/bin/sh\n[ -z "$said" ] || echo "$said"\nexit "$status"\n' >dir/NOOP
	chmod +x dir/NOOP
	table hooks "$hooks" | sed '1!s/|\{2,\}/||/' >rows
	[ "$(wc -l <rows)" -ge 10 ]
	while IFS='|' read -r status said reply; do
		export status said
		printf 'NOOP\nQUIT\n' | session -A -H dir true
		case $reply in
		as*) reply='250 2.0.0 OK' ;;
		esac
		sed -n 2p out | grep -q "^$reply\( \|$\)" ||
			{ echo "$status|$said|$reply"; cat out; return 1; }
	done <rows
}

@test "smtpd-hooks(7): its examples do what it says" {
	mkdir dir checks
	for verb in RCPT MAIL EHLO CONNECT PING NOOP AUTH-ONCE; do
		example sh "${verb,,}" "$hooks" >dir/$verb
		[ -s dir/$verb ]
	done
	printf '#!/bin/sh\n[ "$*" = strict ] || exit 100\n[ "$SENDER" != no@b ] || exit 77\n' >checks/one
	printf '#!/bin/sh\n[ "$SENDER" != never@b ] || exit 67\n' >checks/other
	chmod +x dir/* checks/*
	printf '%s\n' 'EHLO me' PING 'MAIL FROM:<no@b>' 'MAIL FROM:<never@b>' \
		'MAIL FROM:<a@b>' 'RCPT TO:<root@b>' 'RCPT TO:<root+x@b>' \
		'RCPT TO:<no-such-user@b>' DATA . NOOP NOOP NOOP NOOP NOOP |
		TCPREMOTEIP=192.0.2.7 CHECKS=$PWD/checks session -A -H dir \
			sh -c 'echo "250 2.0.0 $X_NETWORK"'
	sed '1,/^250 HELP/d; s/\(^...\) \(.....\).*/\1 \2/' out | diff -u - <(
		printf '%s\n' '259 2.0.0' '550 5.7.1' '550 5.1.1' '250 2.1.0' '250 2.1.5' \
			'250 2.1.5' '550 5.1.1' '354 End d' '250 2.0.0' '250 2.0.0' '250 2.0.0' \
			'250 2.0.0' '421 4.7.0')
	grep -qx '250 2.0.0 ours' out
	run -1 grep 8BITMIME out
}

@test "smtpd-hooks(7): who is there is neither an option nor a number" {
	mkdir dir
	example sh rcpt "$hooks" >dir/RCPT
	chmod +x dir/RCPT
	for name in --help -V -sfiles -s -i -- - 0 00 65534 -1 '"-1"' '"0"' '" 0"' \
		'*' 'ro*' +x --help+x no-such-user postmasters; do
		printf '550 5.1.1 %s\n' "$name"
	done >want
	for name in root root+x nobody postmaster PostMaster+x; do
		printf '250 2.1.5 %s\n' "$name"
	done >>want
	{
		printf '%s\n' 'EHLO me' 'MAIL FROM:<a@b>'
		cut -d ' ' -f 3- <want | sed 's/.*/RCPT TO:<&@x.org>/'
		printf '%s\n' 'RCPT TO:<postmaster>' QUIT
	} | session -A --max-errors 0 -H dir true
	echo '250 2.1.5' >>want
	sed '1,/^250 2.1.0/d; /^221/d' out | cut -c 1-9 |
		diff -u <(cut -c 1-9 want) -
}

# once LINE ...: what AUTH ONCE and these lines are told at last.
once() {
	printf '%s\n' 'EHLO me' "$@" QUIT |
		ONCE=$PWD/once session --auth-plaintext -A -H dir true
	grep -v '^250\|^334\|^22' out
}

@test "smtpd-hooks(7): passwords that are good once" {
	mkdir dir once once/dir
	example sh auth-once "$hooks" >dir/AUTH-ONCE
	chmod +x dir/AUTH-ONCE
	encoded() { printf %b "$1" | base64 -w 0; }
	secret=$(encoded 'open $(sesame) *')
	echo 'open $(sesame) *' >once/ann
	cp once/ann once/bob
	cp once/ann once/Eve
	cp once/ann outside
	: >once/empty
	# The wrong word, the wrong user, names of other files: nothing is used up.
	for user in ann carl Eve ../outside once/bob .ann dir empty 'a\nn' -s; do
		wrong=$secret
		[ "$user" != ann ] || wrong=$(encoded wrong)
		[ "$(once "AUTH ONCE $(encoded "$user")" "$wrong")" = '535 5.7.8 No' ]
		# Nothing but smtpd's own log: the user's name may be a password.
		run -1 grep -v '^smtpd: session=' err
	done
	[ "$(once "AUTH ONCE =" "$secret")" = '535 5.7.8 No' ]
	[ "$(once "AUTH ONCE $(encoded empty)" '')" = '535 5.7.8 No' ]
	[ -s once/ann ] && [ -s once/bob ] && [ -e once/empty ] && [ -d once/dir ]
	# Once, with an initial response or without.
	[ "$(once "AUTH ONCE $(encoded ann)" "$secret")" = '235 2.7.0 Welcome' ]
	grep -qx '334 UGFzc3dvcmQ6' out
	run -1 grep VXNlcm5hbWU6 out
	[ "$(once "AUTH ONCE $(encoded ann)" "$secret")" = '535 5.7.8 No' ]
	[ "$(once 'AUTH ONCE' "$(encoded bob)" "$secret")" = '235 2.7.0 Welcome' ]
	grep -qx '334 VXNlcm5hbWU6' out
	[ "$(once 'AUTH ONCE' "$(encoded bob)" "$secret")" = '535 5.7.8 No' ]
	run -1 grep -r sesame err
}

@test "a test file that a page of the project names is there" {
	grep -ohE 'tests/[a-z_]+\.(bats|c)' "$root"/*.md | sort -u >named
	[ -s named ]
	while read -r file; do
		[ -e "$root/$file" ] || { echo "missing: $file"; return 1; }
	done <named
}

@test "an option of smtpd that a page of the project names is in smtpd(8)" {
	text "$page" | sed -n '/^OPTIONS/,/^   [A-Z]/s/^     \(-.*\)/\1/p' |
		grep -oE -- '--[a-z0-9-]+' | sort -u >manual
	# In the text an option stands alone between backquotes.
	grep -ohE -- '`--[a-z0-9-]+' "$root"/*.md | tr -d '`' | sort -u >named
	[ -s named ]
	run -0 comm -13 manual named
	[ -z "$output" ]
}
