#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-maildir: to the octet, all or none, on the disk before it exits 0, and
# never outside of its directory. tests/maildir.py has what needs more than a
# shell.
# shellcheck disable=SC2016,SC2030,SC2031,SC2088,SC2154

load lib

setup() {
	maildir=$SMTPD_BIN/smtpd-maildir
	page=$BATS_TEST_DIRNAME/../man/smtpd-maildir.8
	# Tests become other users, to whom bats' own directory is closed.
	here=$(mktemp -d "${TMPDIR:-/tmp}/smtpd-maildir.XXXXXX") || return
	chmod 755 "$here" && cd "$here" || return
	unset SMTP_SIZE SMTP_UTF8 RECIPIENT SMTP_RCPT_OPTIONS
	export SENDER=ann@example.com RECIPIENTS=bob@example.org \
		SMTP_HOSTNAME=mx.example.org
	# Leaks are looked for by ptrace(2), which is strace's.
	traced_options=$(printf '%s:' "${ASAN_OPTIONS:-}")detect_leaks=0
	printf 'Subject: hi\n\ntext\n' >message
}

teardown() {
	! mountpoint -q disk || umount disk
	end_all
	cd / && rm -rf "$here"
}

check() {
	"$PYTHON" "$BATS_TEST_DIRNAME/maildir.py" "$@"
}

# new_maildir PATH ...
new_maildir() {
	for path; do
		mkdir -p "$path"/tmp "$path"/new "$path"/cur
	done
}

# gives STATUS ARGUMENT ...: runs smtpd-maildir on the file message; its output
# is in the files out and err. 0 means no word on either; anything else is a
# line, or more, on standard error.
gives() {
	local wanted=$1 status=0
	shift
	"$maildir" "$@" <message >out 2>err || status=$?
	if [ "$status" -ne "$wanted" ]; then
		echo "status $status, not $wanted: $*" >&2
		cat err >&2
		return 1
	fi
	if [ "$wanted" -eq 0 ]; then
		[ ! -s out ] && [ ! -s err ]
	else
		[ "$(grep -c '^smtpd-maildir: ' err)" -ge 1 ] &&
			! grep -v '^smtpd-maildir: ' err
	fi
}

# replies LINE: what the client is told.
replies() {
	printf '%s\n' "$1" | diff -u - out >&2
}

# holds MAILDIR COUNT: so many messages in new, none in tmp.
holds() {
	local new tmp
	new=$(find "$1/new" -type f | wc -l)
	tmp=$(find "$1/tmp" -type f | wc -l)
	if [ "$new" -ne "$2" ] || [ "$tmp" -ne 0 ]; then
		echo "$1: $new in new, $tmp in tmp" >&2
		return 1
	fi
}

# traced FILE ARGUMENT ...: smtpd-maildir under strace.
traced() {
	local file=$1
	shift
	command -v strace >/dev/null || skip "no strace"
	strace -o /dev/null true 2>/dev/null || skip "strace may not trace here"
	ASAN_OPTIONS=$traced_options strace -qq -o "$file" "$@"
}

# with_users COMMAND ...: where there are the users una, duo and, with uid 0,
# toor, their homes in ./home. For root only.
with_users() {
	need_root
	unshare -m true 2>/dev/null || skip "cannot unshare"
	mkdir -p home
	{
		cat /etc/passwd
		echo "una:x:64001:64001::$PWD/home/una:/bin/sh"
		echo "duo:x:64002:64002::$PWD/home/duo:/bin/sh"
		echo "toor:x:0:0::$PWD/home/toor:/bin/sh"
		echo "lost:x:64003:64003::$PWD/home/lost:/bin/sh"
		echo "rel:x:64004:64004::home:/bin/sh"
	} >passwd
	{
		cat /etc/group
		printf '%s\n' una:x:64001: duo:x:64002: mail:x:64009:una
	} >group
	for user in una:64001 duo:64002 toor:0; do
		[ -d "home/${user%:*}" ] || {
			mkdir -m 700 "home/${user%:*}"
			chown "${user#*:}:${user#*:}" "home/${user%:*}"
		}
	done
	unshare -m --propagation private sh -c '
		mount --bind passwd /etc/passwd && mount --bind group /etc/group &&
		exec "$@"' - "$@"
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

@test "every octet of a message, the name and the mode of its file" {
	new_maildir bob
	printf 'Subject: \303\244\377\0\n\n\n.\n..\rx' >message
	(umask 0 && gives 0 bob)
	holds bob 1
	{
		printf 'Return-Path: <ann@example.com>\nDelivered-To: bob@example.org\n'
		cat message
	} | cmp - bob/new/*
	[ "$(stat -c %a bob/new/*)" = 600 ]
	[ "$(stat -c %h bob/new/*)" = 1 ]
	now=$(date +%s)
	name=$(ls bob/new)
	[[ $name =~ ^([0-9]{10})\.M[0-9]{6}P[0-9]+Q1\.$(uname -n)$ ]]
	[ "${BASH_REMATCH[1]}" -gt $((now - 10)) ]
	[ "${BASH_REMATCH[1]}" -le "$now" ]
}

@test "CRLF: the lines that are added end as the first of the message does" {
	new_maildir bob
	printf 'A: b\r\n\r\nc\n' >message
	gives 0 bob
	printf 'Return-Path: <ann@example.com>\r\nDelivered-To: bob@example.org\r\nA: b\r\n\r\nc\n' |
		cmp - bob/new/*
	rm bob/new/*
	printf 'A: b\n\r\nc\r\n' >message
	gives 0 bob
	printf 'Return-Path: <ann@example.com>\nDelivered-To: bob@example.org\nA: b\n\r\nc\r\n' |
		cmp - bob/new/*
	rm bob/new/*
	printf '\nc\r\n' >message
	gives 0 bob
	printf 'Return-Path: <ann@example.com>\nDelivered-To: bob@example.org\n\nc\r\n' |
		cmp - bob/new/*
}

@test "the null sender, no sender, a quoted recipient, an empty message" {
	new_maildir bob
	SENDER='' RECIPIENTS='"b \"ob"@Example.org' gives 0 bob
	(
		unset SENDER
		RECIPIENTS=Bob@x gives 0 bob
	)
	[ "$(cat bob/new/* | grep -c '^Return-Path: <>$')" = 2 ]
	cat bob/new/* | grep -qxF 'Delivered-To: "b \"ob"@Example.org'
	cat bob/new/* | grep -qx 'Delivered-To: Bob@x'
	rm bob/new/*
	: >message
	SENDER='' gives 0 bob
	printf 'Return-Path: <>\nDelivered-To: bob@example.org\n' |
		cmp - bob/new/*
}

@test "Return-Path and Delivered-To of the message stay, below ours" {
	new_maildir bob
	printf 'Return-Path: <x@y>\nDelivered-To: z\n\n' >message
	gives 0 bob
	printf '%s\n' 'Return-Path: <ann@example.com>' \
		'Delivered-To: bob@example.org' 'Return-Path: <x@y>' \
		'Delivered-To: z' '' | cmp - bob/new/*
}

@test "long messages, about the size of the buffer, for two recipients" {
	new_maildir a b
	export RECIPIENTS=$'a@x\nb@x'
	head -c 3000000 /dev/urandom >random
	for size in 65535 65536 65537 131072 3000000; do
		head -c "$size" random >message
		gives 0 %u
		for user in a b; do
			tail -n +3 "$user"/new/* | cmp - message
			head -n 2 "$user"/new/* | tail -n 1 |
				grep -qx "Delivered-To: $user@x"
			rm "$user"/new/*
		done
	done
}

@test "a long message on a pipe, for one recipient: whole, or nothing is left" {
	new_maildir bob
	head -c 3000000 /dev/urandom >random
	for size in 65535 65536 65537 3000000; do
		head -c "$size" random >message
		# shellcheck disable=SC2002 # a pipe
		cat message | SMTP_SIZE=$size "$maildir" bob
		tail -n +3 bob/new/* | cmp - message
		rm bob/new/*
		status=0
		# shellcheck disable=SC2002
		cat message | SMTP_SIZE=$((size + 1)) "$maildir" bob 2>err || status=$?
		[ "$status" -eq 75 ]
		grep -q 'shorter than SMTP_SIZE' err
		holds bob 0
	done
}

# in_tmp OCTETS: bob's file has so many at least.
in_tmp() {
	[ -n "$(find bob/tmp -type f -size +"$1"c)" ]
}

@test "a long message that does not go on: SIGTERM ends it, nothing is left" {
	new_maildir bob
	mkfifo pipe
	exec 7<>pipe
	"$maildir" bob <&7 2>err 3>&- &
	pid=$!
	started+=("$pid")
	head -c 200000 /dev/zero >&7
	eventually in_tmp 199999
	kill -TERM "$pid"
	status=0
	reap "$pid" || status=$?
	exec 7>&-
	[ "$status" -eq 75 ]
	grep -q 'a signal came\|Interrupted' err
	holds bob 0
}

@test "memory does not grow with the message" {
	! grep -q __asan_init "$maildir" || skip "built with AddressSanitizer"
	new_maildir bob
	head -c 67108864 /dev/zero >message
	bash -c 'ulimit -v 16384 && exec "$@"' - "$maildir" bob <message
	[ "$(stat -c %s bob/new/*)" -gt 67108864 ]
}

@test "what %u, %d, %a and %% stand for" {
	mkdir root
	while read -r pattern recipient path; do
		RECIPIENTS=$recipient gives 0 --create "root/$pattern"
		holds "root/$path" 1
		rows=$((${rows:-0} + 1))
		rm -r root/*
	done <<-'END'
		%u            bob@example.org        bob
		%d/%u         Bob@Example.ORG        example.org/Bob
		%d/%u/        bob@[IPv6:::1]         [ipv6:::1]/bob
		%a            Bob@Example.ORG        Bob@example.org
		%a            "bob"@example.org      bob@example.org
		%u%%%d%%d     bob@x                  bob%x%d
		v-%u/.%d      bob@x                  v-bob/.x
		%u            postmaster             postmaster
		%d/%u         PostMaster             mx.example.org/postmaster
		%a            POSTMASTER@x           postmaster@x
		%u            %d@x                   %d
		%d/%u/%u      a@x                    x/a/a
	END
	[ "$rows" = 12 ]
	SMTP_HOSTNAME=MX.Example RECIPIENTS=bob gives 0 -c root/%a
	holds root/bob@mx.example 1
}

@test "--lower-case: one mailbox, however it is written" {
	new_maildir bob BOB
	RECIPIENTS=$'Bob@x\nbOB@x' gives 0 --lower-case %u
	holds bob 1
	grep -qx 'Delivered-To: Bob@x' bob/new/*
	RECIPIENTS='"BOB"@x' gives 0 -l %u
	holds bob 2
	RECIPIENTS=BOB@x gives 0 %u
	holds BOB 1
}

@test "no recipient leads out of the directory: 550 5.1.3, nothing is made" {
	mkdir -p srv/mail srv/etc
	new_maildir srv srv/etc/x
	: >out
	: >err
	before=$(find . | sort)
	while IFS= read -r recipient; do
		for pattern in %d/%u %a .%u %d/x; do
			# Only the domain is bad, or only the local part.
			case $recipient$pattern in
			*@d%d/x | *@c%d/x) continue ;;
			esac
			RECIPIENTS=$recipient gives 67 --create \
				"$PWD/srv/mail/$pattern"
			replies "550 5.1.3 <$recipient> cannot be the name of a mailbox"
		done
	done <<-'END'
		"../../etc/x"@d
		../../etc/x@d
		"\.\./etc"@d
		..@d
		.@d
		".."@d
		"."@d
		"\.."@d
		.bob@d
		a/../b@d
		a/b@d
		/@d
		/etc/passwd@c
		-X/tmp/x@c
		":include:/etc/passwd"@c
		""@d
		"/"@d
		"a\/b"@d
		bob@[x:/../../etc]
		bob@[x:a/b]
	END
	diff -u - <(find . | sort) <<<"$before" >&2
}

@test "what no parser of smtpd's lets through is refused here, too" {
	mkdir mail
	for recipient in '' '@d' 'a@' 'a b@d' $'a\tb@d' $'a\rb@d' $'a\x01@d' \
		$'"a\x7f"@d' '<a@d>' 'a@d ' 'a@..' 'a@.' 'a@d/e' 'a@../e' \
		$'"a\x1b[2J"@d' $'a\xff@d' $'a\xc2\x9b@d' \
		'${run{\x2Fbin\x2Fsh\t-c\t\x22id\x22}}@localhost'; do
		RECIPIENTS=$recipient$'\nok@d' gives 67 --create mail/%a
		grep -q '^550 5\.1\.3 ' out
		LC_ALL=C tr -d '\n -~' <out >odd
		[ ! -s odd ]
	done
	SMTP_HOSTNAME=../../x RECIPIENTS=postmaster gives 67 -c mail/%d
	[ -z "$(ls -A mail)" ]
}

@test "what other programs would obey is a name like any other" {
	mkdir mail
	rows=0
	while IFS= read -r line; do
		rm -rf mail/*
		RECIPIENTS=${line%%$'\t'*} gives 0 --create mail/%u
		[ "$(ls -A mail)" = "${line#*$'\t'}" ]
		holds "mail/${line#*$'\t'}" 1
		rows=$((rows + 1))
	done <<-'END'
		|id@c	|id
		-OQueueDirectory=@x	-OQueueDirectory=
		`id`@c	`id`
		%2e%2e@d	%2e%2e
		%2f@d	%2f
		~@d	~
		~root@d	~root
		*@d	*
		"a b;id"@c	a b;id
		"$(id)"@c	$(id)
		"() { :; }; echo x"@c	() { :; }; echo x
		"a\" -X "@y	a" -X 
		"a\\..\\b"@c	a\..\b
	END
	[ "$rows" = 13 ]
}

@test "a recipient named twice gets it once, two in one Maildir get it twice" {
	new_maildir bob
	RECIPIENTS=$'bob@Example.org\nbob@example.org\n"bob"@EXAMPLE.ORG' \
		gives 0 %u
	holds bob 1
	grep -qx 'Delivered-To: bob@Example.org' bob/new/*
	rm bob/new/*
	RECIPIENTS=$'bob@a\nbob@b\neve@b' gives 0 bob
	holds bob 3
	cat bob/new/* | grep '^Delivered-To' | sort | paste -sd ' ' |
		grep -qx 'Delivered-To: bob@a Delivered-To: bob@b Delivered-To: eve@b'
}

@test "a missing Maildir: 550 5.1.1; a directory that is none, too" {
	mkdir mail
	gives 67 mail/%u
	replies '550 5.1.1 <bob@example.org> has no mailbox here'
	grep -q 'cannot open mail/bob: No such file' err
	mkdir mail/bob
	gives 67 mail/%u
	replies '550 5.1.1 <bob@example.org> has no mailbox here'
	gives 67 mail/x
	gives 67 mail/%d/%u
	gives 67 "mail/x%%"
}

@test "a reply never holds what cannot stand in one" {
	mkdir mail
	RECIPIENTS=$'\xc3\xa4@x' gives 67 mail/%u
	replies '550 5.1.1 The recipient has no mailbox here'
	SMTP_UTF8=1 RECIPIENTS=$'\xc3\xa4@x' gives 67 mail/%u
	replies $'550 5.1.1 <\xc3\xa4@x> has no mailbox here'
	long=$(head -c 252 /dev/zero | tr '\0' a)
	RECIPIENTS=$long@$long gives 67 mail/%u
	replies '550 5.1.1 The recipient has no mailbox here'
	RECIPIENTS=$long$long$long@x gives 67 mail/%u
	replies '550 5.1.3 The recipient cannot be the name of a mailbox'
	RECIPIENTS=$long@abcd gives 67 mail/%a
	replies "550 5.1.3 <$long@abcd> is too long for a mailbox"
}

@test "a missing directory in front of it: 75, whether to be made or not" {
	for pattern in mail/%u mail/%d/%u mail/v-%u mail/Maildir \
		"$PWD/mail/%u" no/mail/%u "mail%%/%u"; do
		for option in -- --create; do
			gives 75 "$option" "$pattern"
			[ ! -s out ]
			grep -q 'is a disk not mounted' err
		done
	done
	[ ! -e mail ]
}

@test "any other error: 75" {
	mkdir mail
	touch mail/file
	gives 75 mail/file
	gives 75 mail/file/%u
	gives 75 --create mail/file
	RECIPIENTS=file@x gives 75 mail/%u
	RECIPIENTS=file@x gives 75 mail/%u/x
	# Damaged: one of the two is missing.
	mkdir -p mail/bob/tmp mail/eve/new
	gives 75 mail/%u
	RECIPIENTS=eve@x gives 75 mail/%u
	# A link that leads to a disk which is not mounted.
	ln -s "$PWD/not/mounted" mail/far
	for option in -- --create; do
		RECIPIENTS=far@x gives 75 $option mail/%u
		grep -q 'follow the symbolic link' err
	done
	ln -s loop mail/loop
	RECIPIENTS=loop@x gives 75 mail/%u
	[ ! -s out ]
}

@test "directories that may not be entered, read or written: 75" {
	new_maildir mail/bob
	# The checkout may be closed to others.
	cp "$maildir" program
	chmod 755 program
	run_as() {
		"$@"
	}
	if [ "$(id -u)" -eq 0 ]; then
		chown -R 64001 mail message
		run_as() {
			setpriv --reuid 64001 --regid 64001 --clear-groups "$@"
		}
	fi
	for mode in mail:000 mail/bob:000 mail/bob/tmp:000 mail/bob/tmp:500 \
		mail/bob/new:000 mail/bob/new:500; do
		chmod "${mode#*:}" "${mode%:*}"
		run -75 run_as ./program mail/%u <message
		[[ "$output" = 'smtpd-maildir: cannot '*': Permission denied (smtpd -U names the user it runs as)' ]]
		run -75 run_as ./program --create mail/%u <message
		chmod 700 "${mode%:*}"
		holds mail/bob 0
	done
	# To look names up is enough on the way there.
	chmod 111 mail
	chmod 300 mail/bob
	run -0 run_as ./program mail/%u <message
	chmod 700 mail mail/bob
	holds mail/bob 1
}

@test "the Maildir may be a symbolic link, its tmp and new may not" {
	new_maildir real elsewhere
	ln -s real bob
	gives 0 %u
	holds real 1
	for sub in tmp new; do
		new_maildir "eve-$sub"
		rmdir "eve-$sub/$sub"
		ln -s "../elsewhere/$sub" "eve-$sub/$sub"
		for option in -- --create; do
			RECIPIENTS=eve-$sub@x gives 75 $option %u
			grep -q 'no symbolic links' err
		done
	done
	holds elsewhere 0
	ln -s nowhere real/dangling
	rmdir real/cur
	ln -s elsewhere real/cur
	gives 0 --create %u
}

@test "--create makes what is missing behind the fixed part, for its user" {
	mkdir mail
	(umask 0 && gives 0 --create mail/%d/v/%u)
	holds mail/example.org/v/bob 1
	find mail -mindepth 1 -type d -printf '%m %P\n' | sort >made
	printf '700 %s\n' example.org example.org/v example.org/v/bob \
		example.org/v/bob/{cur,new,tmp} | diff -u - made
	# What is there stays as it is.
	chmod 750 mail/example.org mail/example.org/v/bob/new
	rmdir mail/example.org/v/bob/cur
	gives 0 --create mail/%d/v/%u
	holds mail/example.org/v/bob 2
	[ "$(stat -c %a mail/example.org)" = 750 ]
	[ "$(stat -c %a mail/example.org/v/bob/new)" = 750 ]
	[ -d mail/example.org/v/bob/cur ]
	# Without a value the parent is the fixed part.
	gives 0 --create mail/all
	holds mail/all 1
}

@test "--create: 20 at once make one Maildir" {
	mkdir mail
	local pids=()
	for _ in $(seq 20); do
		"$maildir" --create mail/%d/%u <message &
		pids+=($!)
	done
	# Not a bare wait: bats has a child of its own, the time limit.
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	holds mail/example.org/bob 20
}

@test "--create: what another made between two looks is no broken link" {
	mkdir -p mail/example.org
	# The first look comes too early.
	traced trace -P example.org -e trace=openat,mkdirat \
		-e inject=openat:error=ENOENT:when=1 \
		"$maildir" --create mail/%d/%u <message
	grep -q 'openat.*"example.org".*ENOENT.*INJECTED' trace
	grep -q 'mkdirat.*"example.org".*EEXIST' trace
	holds mail/example.org/bob 1
}

@test "all or none: one is missing, damaged or cannot be written" {
	new_maildir a c
	export RECIPIENTS=$'a@x\nb@x\nc@x'
	gives 67 %u
	replies '550 5.1.1 <b@x> has no mailbox here'
	mkdir -p b/tmp
	gives 75 %u
	rm -r b
	# 4xx wins: it may yet be delivered to all, or be refused for good.
	rmdir c/tmp
	gives 75 %u
	[ ! -s out ]
	mkdir c/tmp
	RECIPIENTS=$'a@x\n..@x' gives 67 --create %u
	holds a 0
	holds c 0
	[ ! -e b ]
}

@test "all or none: the second Maildir is read-only" {
	need_root
	new_maildir a disk
	mount -t tmpfs tmpfs disk 2>/dev/null || skip "cannot mount"
	new_maildir disk/b
	mount -o remount,ro disk
	ln -s disk/b b
	RECIPIENTS=$'a@x\nb@x' gives 75 %u
	grep -q 'Read-only file system (is it mounted read-only?)' err
	holds a 0
}

@test "all or none: whichever call fails, nothing is left anywhere" {
	new_maildir a b
	export RECIPIENTS=$'a@x\nb@x'
	for call in openat:ENOSPC write:ENOSPC write:EDQUOT write:EIO fsync:EIO \
		close:EIO linkat:EIO linkat:ENOSPC linkat:EEXIST; do
		failed=0
		for when in $(seq 60); do
			status=0
			traced trace -e "inject=${call%:*}:error=${call#*:}:when=$when" \
				"$maildir" %u <message >out 2>err || status=$?
			if [ "$status" = 0 ]; then
				# Nothing that matters: a library, the closing of a
				# directory.
				holds a 1
				holds b 1
				rm a/new/* b/new/*
				grep -q INJECTED trace || break
				continue
			fi
			grep -qx 'smtpd-maildir: cannot .*' err || continue
			[ "$status" = 75 ]
			failed=$((failed + 1))
			case $call in
			write:ENOSPC | linkat:ENOSPC)
				replies '452 4.3.1 Insufficient storage, try again later' ;;
			*:EDQUOT) grep -qE '^452 4\.2\.2 <[ab]@x> has a full mailbox, try again later$' out ;;
			openat:*) ;;
			*) [ ! -s out ] ;;
			esac
			echo "$call, the ${when}th" >&2
			holds a 0
			holds b 0
		done
		[ "$when" -lt 60 ]
		# Each of the two can fail.
		[ "$failed" -ge 2 ]
	done
}

@test "what is taken back is gone from the disk, too" {
	new_maildir a b
	RECIPIENTS=$'a@x\nb@x' run -75 traced trace -y -e trace=linkat,unlinkat,fsync \
		-e inject=linkat:error=EIO:when=2 "$maildir" %u <message
	sed -nE 's|^(\w+)\([0-9]+<[^>]*/([ab]/(tmp\|new))/?[^>]*>.*|\1 \2|p' trace |
		sed '1,/linkat b/d' | diff -u - <(printf '%s\n' 'unlinkat a/new' \
			'fsync a/new' 'unlinkat a/tmp' 'unlinkat b/tmp') >&2
}

@test "what cannot be taken back is said" {
	new_maildir a b
	export RECIPIENTS=$'a@x\nb@x'
	# The second link fails, and the first removal.
	run -75 traced /dev/null -e inject=linkat:error=EIO:when=2 \
		-e inject=unlinkat:error=EIO:when=1 "$maildir" %u <message
	[[ "$output" = *'cannot create b/new/'*'cannot take back a/new/'*'(it will come twice)'* ]]
	holds b 0
}

@test "a name that is taken is not used" {
	new_maildir bob
	traced trace -e trace=openat "$maildir" bob <message
	at=$(sed -n '/O_EXCL/=' trace)
	rm bob/new/*
	traced trace -e trace=openat -e "inject=openat:error=EEXIST:when=$at" \
		"$maildir" bob <message
	[ "$(grep -c O_EXCL trace)" = 2 ]
	holds bob 1
	[[ $(ls bob/new) = *Q2.* ]]
}

@test "a file system without hard links: renamed, and never over another" {
	new_maildir bob
	for error in EPERM EOPNOTSUPP EXDEV ENOSYS; do
		traced /dev/null -e inject=linkat:error=$error "$maildir" bob <message
	done
	holds bob 4
	new_maildir a b
	RECIPIENTS=$'a@x\nb@x' run -75 traced /dev/null \
		-e inject=linkat:error=EPERM \
		-e inject=renameat,renameat2:error=EIO:when=2 "$maildir" %u <message
	holds a 0
	holds b 0
}

@test "the order: file written, synced, linked, directory synced, exit" {
	new_maildir a b
	RECIPIENTS=$'a@x\nb@x' traced trace -y \
		-e trace=write,fsync,linkat,unlinkat,exit_group "$maildir" %u <message
	sed -nE 's|^(\w+)\([0-9]+<[^>]*/([ab]/(tmp\|new))/?[^>]*>.*|\1 \2|p; s/^exit_group\((.*)\).*/exit \1/p' \
		trace >order
	diff -u - order <<-'END'
		write a/tmp
		write a/tmp
		fsync a/tmp
		write b/tmp
		write b/tmp
		fsync b/tmp
		linkat a/tmp
		linkat b/tmp
		fsync a/new
		fsync b/new
		unlinkat a/tmp
		unlinkat b/tmp
		exit 0
	END
	[ "$(grep -c 'linkat(.*<.*/tmp>.*<.*/new>' trace)" = 2 ]
}

@test "--create: each directory that is made, its parent is synced before use" {
	mkdir mail
	traced trace -y -e trace=mkdirat,fsync,linkat "$maildir" --create mail/%d/%u \
		<message
	sed -nE 's|^(\w+)\([0-9]+<[^>]*/(mail[^>]*)>(, "([^"]*)")?.*|\1 \2 \4|p' trace |
		sed 's|/[0-9]*\.M[^ ]*| FILE|; s| [0-9]*\.M.*| FILE|; s/ *$//' >order
	diff -u - order <<-'END'
		mkdirat mail example.org
		fsync mail
		mkdirat mail/example.org bob
		fsync mail/example.org
		mkdirat mail/example.org/bob tmp
		fsync mail/example.org/bob
		mkdirat mail/example.org/bob cur
		fsync mail/example.org/bob
		mkdirat mail/example.org/bob new
		fsync mail/example.org/bob
		fsync mail/example.org/bob/tmp FILE
		linkat mail/example.org/bob/tmp FILE
		fsync mail/example.org/bob/new
	END
}

@test "1,000 deliveries by 20 processes: all unique, all whole" {
	check crowd 1000 20
}

@test "kill -9 at any moment leaves whole messages in new only" {
	check interrupted SIGKILL 100
}

@test "kill -9 before each call: whole messages in new only" {
	new_maildir bob
	for call in openat write fsync linkat unlinkat; do
		killed=0
		for when in $(seq 60); do
			status=0
			traced trace -y -e "inject=$call:signal=KILL:when=$when" \
				"$maildir" bob <message >out 2>err || status=$?
			for file in bob/new/*; do
				[ -e "$file" ] || continue
				tail -n +3 "$file" | cmp - message
			done
			rm -f bob/new/* bob/tmp/*
			[ "$status" -ne 0 ] || break
			killed=$((killed + 1))
		done
		[ "$killed" -ge 1 ] && [ "$when" -lt 60 ]
	done
}

@test "SIGTERM at any moment: delivered to all and 0, or to none, tmp empty" {
	check interrupted SIGTERM 80
}

@test "a file that may grow no further: 75, nothing left" {
	new_maildir a b
	head -c 50000 /dev/zero >message
	export RECIPIENTS=$'a@x\nb@x'
	for room in 0 1 60 4096 50000; do
		run -75 check limited "$room" %u <message
		[[ "$output" = *': File too large (the limit of ulimit -f is reached)' ]]
		holds a 0
		holds b 0
	done
	run -0 check limited 51000 %u <message
	holds a 1
	# There is no room for a copy, either.
	head -c 100000 /dev/zero >message
	run -75 check limited 60000 %u <message
	[[ "$output" = 'smtpd-maildir: cannot take in the message: File too large'* ]]
}

@test "a full disk: 75, nothing left, and room made is used" {
	need_root
	mkdir disk
	mount -t tmpfs -o size=256k tmpfs disk 2>/dev/null ||
		skip "cannot mount"
	new_maildir disk/a disk/b
	head -c 100000 /dev/urandom >message
	export RECIPIENTS=$'a@x\nb@x'
	# Room for one of them.
	head -c 100000 /dev/zero >disk/fill
	gives 75 disk/%u
	replies '452 4.3.1 Insufficient storage, try again later'
	grep -q 'cannot write disk/b/tmp/.*: No space left on device (make room' err
	holds disk/a 0
	holds disk/b 0
	# No room for a file at all.
	head -c 300000 /dev/zero >disk/fill 2>/dev/null || true
	gives 75 disk/%u
	holds disk/a 0
	rm disk/fill
	gives 0 disk/%u
	tail -n +3 disk/b/new/* | cmp - message
	# No room for more directories.
	umount disk
	mount -t tmpfs -o nr_inodes=4 tmpfs disk
	gives 75 --create disk/%u
	[ -z "$(find disk -type f)" ]
}

@test "fewer octets than SMTP_SIZE: 75, nothing is delivered" {
	new_maildir bob
	SMTP_SIZE=$(($(stat -c %s message) + 1)) gives 75 bob
	grep -q 'shorter than SMTP_SIZE' err
	: >message
	SMTP_SIZE=1 gives 75 bob
	holds bob 0
	echo >message
	SMTP_SIZE=x gives 78 bob
	holds bob 0
	SMTP_SIZE=$(stat -c %s message) gives 0 bob
	SMTP_SIZE=1 gives 0 bob
	holds bob 2
}

@test "~/: for users, in their homes, as them, in all their groups" {
	chmod 644 message
	export RECIPIENTS=$'una@x\nduo@x'
	traced trace true
	with_users "$maildir" --create '~/Maildir/' <message
	for user in una duo; do
		holds home/$user/Maildir 1
		[ "$(find home/$user/Maildir ! -uid "$(stat -c %u home/$user)" | wc -l)" = 0 ]
		grep -qx "Delivered-To: $user@x" home/$user/Maildir/new/*
		tail -n +3 home/$user/Maildir/new/* | cmp - message
	done
	# Everything is given up before anything of the user's is touched.
	with_users env ASAN_OPTIONS="$traced_options" strace -f -qq -o trace \
		-e "trace=setgroups,setresgid,setresuid,?open,openat,linkat" \
		"$maildir" '~/Maildir' <message
	sed -nE 's/^[0-9]+ +(set[a-z]+\(.*\)|openat|linkat).*/\1/p' trace >order
	grep -qx 'setgroups(2, \[64001, 64009\])' order
	grep -qx 'setresgid(64001, 64001, 64001)' order
	for uid in 64001 64002; do
		worker=$(sed -n "s/^\([0-9]*\) *setresuid($uid, $uid, $uid).*/\1/p" trace)
		[ -n "$worker" ]
		grep "^$worker " trace | sed '/setresuid/,$d' >before
		[ -s before ]
		run -1 grep "$PWD/home" before
		grep "^$worker " trace | grep -q "linkat"
	done
	[ "$(sed -n '/setres/d; s/ .*home.*//p' trace | sort -u | wc -l)" = 2 ]
}

@test "~/: with a long message, its file is shared with the workers" {
	head -c 300000 /dev/urandom >message
	chmod 644 message
	RECIPIENTS=$'una@x\nduo@y\n"una"@x' with_users "$maildir" -c '~/%d/M' \
		<message
	tail -n +3 home/una/x/M/new/* | cmp - message
	tail -n +3 home/duo/y/M/new/* | cmp - message
}

@test "~/: not for root, nor uid 0, nor strangers; not to a lost home" {
	with_users true
	for recipient in root@x toor@x stranger@x 0@x 64001@x Una@x; do
		RECIPIENTS=$'una@x\n'$recipient run -67 with_users "$maildir" \
			--create '~/Maildir' <message
		[[ "$output" = *"550 5.1.1 <$recipient> has no mailbox here"* ]]
	done
	RECIPIENTS=../una@x run -67 with_users "$maildir" '~/Maildir' <message
	[[ "$output" = *"550 5.1.3 "* ]]
	RECIPIENTS=una@x run -67 with_users "$maildir" '~/Maildir' <message
	[[ "$output" = *"550 5.1.1 "* ]]
	for recipient in lost rel; do
		RECIPIENTS=$recipient@x run -75 with_users "$maildir" --create \
			'~/Maildir' <message
		[[ "$output" = 'smtpd-maildir: cannot '* ]]
	done
	[ -z "$(find home -type f)" ]
	RECIPIENTS=Una@x with_users "$maildir" -cl '~/Maildir' <message
	holds home/una/Maildir 1
}

@test "~/: all or none, whatever one of the users has made of his" {
	export RECIPIENTS=$'una@x\nduo@x'
	with_users true
	new_maildir home/una/Maildir home/duo/Maildir
	chown -R 64001:64001 home/una/Maildir
	chown -R 64002:64002 home/duo/Maildir
	# He cannot have it written where only others may write.
	chown 0:0 home/duo/Maildir/new
	run -75 with_users "$maildir" '~/Maildir' <message
	[[ "$output" = *'duo/Maildir/new/'*': Permission denied'* ]]
	holds home/una/Maildir 0
	holds home/duo/Maildir 0
	rm -r home/duo/Maildir
	ln -s "$PWD/home/una/Maildir" home/duo/Maildir
	chmod 711 home/una
	run -75 with_users "$maildir" '~/Maildir' <message
	[[ "$output" = *'Permission denied'* ]]
	holds home/una/Maildir 0
}

@test "~/: when the parent is killed, the workers take back what they did" {
	traced trace true
	with_users "$PYTHON" "$BATS_TEST_DIRNAME/maildir.py" widowed una@x,duo@x
}

@test "~/: SIGTERM, with workers: delivered to all and 0, or to none" {
	with_users "$PYTHON" "$BATS_TEST_DIRNAME/maildir.py" \
		interrupted_home SIGTERM 30 una duo
}

@test "~/: without root for the own user alone" {
	cp "$maildir" program
	chmod 755 program
	with_users true
	mkdir home/una/Maildir home/una/Maildir/{tmp,new,cur}
	chown -R 64001:64001 home/una
	as_una='exec setpriv --reuid 64001 --regid 64001 --clear-groups "$@"'
	RECIPIENTS=una@x with_users sh -c "$as_una" - ./program '~/Maildir' \
		<message
	holds home/una/Maildir 1
	RECIPIENTS=$'una@x\nduo@x' run -75 with_users sh -c "$as_una" - \
		./program '~/Maildir' <message
	[[ "$output" = *'(only root can: smtpd -n)' ]]
	RECIPIENTS=toor@x run -67 with_users sh -c "$as_una" - \
		./program '~/Maildir' <message
	holds home/una/Maildir 1
}

@test "behind smtpd: a client's message, to two, by SMTP; CRLF with -C" {
	mkdir mail
	printf 'Subject: real\r\n\r\n.dot\r\n' >sent
	send() {
		curl -sS --mail-from '<ann@example.com>' "$@" \
			--upload-file sent "smtp://127.0.0.1:$port/client.example"
	}
	SMTPD=$SMTPD_BIN/smtpd
	serve -n --no-received "$maildir" --create "$PWD/mail/%d/%u"
	send --mail-rcpt bob@Example.org --mail-rcpt eve@example.net
	for path in example.org/bob example.net/eve; do
		holds "mail/$path" 1
		tail -n +3 "mail/$path"/new/* | cmp - <(tr -d '\r' <sent)
	done
	head -n 2 mail/example.org/bob/new/* | diff -u - <(
		printf '%s\n' 'Return-Path: <ann@example.com>' \
			'Delivered-To: bob@Example.org') >&2
	run send --mail-rcpt ..@example.org
	[ "$status" -ne 0 ]
	grep -q 'reply="550 5\.1\.3 <\.\.@example\.org> cannot be' "$log"
	[ "$(find mail -type f | wc -l)" = 2 ]
	# The reply and the log say why.
	{
		printf '%s\r\n' 'EHLO me' 'MAIL FROM:<>' \
			'RCPT TO:<"../../etc/x"@d>' DATA '' . \
			'MAIL FROM:<>' $'RCPT TO:<a\001b@d>' 'RCPT TO:<postmaster>' \
			DATA 'A: b' . QUIT
	} | "$SMTPD" -n -A --hostname mx.example.org --no-received "$maildir" \
		--create "$PWD/mail/%d/%u" >replies 2>log
	tr -d '\r' <replies | grep -qx \
		'550 5\.1\.3 <"../../etc/x"@d> cannot be the name of a mailbox'
	grep -q 'smtpd-maildir: cannot deliver to <"../../etc/x"@d>' log
	printf '%s\n' 'Return-Path: <>' 'Delivered-To: postmaster' 'A: b' |
		cmp - mail/mx.example.org/postmaster/new/*
	printf '%s\r\n' 'HELO me' 'MAIL FROM:<a@b>' 'RCPT TO:<crlf@d>' DATA \
		'A: b' '' '..' . QUIT >dialogue
	"$SMTPD" -n -A -C --no-received "$maildir" --create "$PWD/mail/%u" \
		<dialogue >replies 2>log ||
		skip "this smtpd has no -C"
	printf '%s\r\n' 'Return-Path: <a@b>' 'Delivered-To: crlf@d' 'A: b' '' . |
		cmp - mail/crlf/new/*
}

@test "bad usage: 64 and one line, nothing delivered" {
	new_maildir bob a
	while IFS= read -r arguments; do
		# shellcheck disable=SC2086 # they are words
		run -64 "$maildir" $arguments <message
		[ "${#lines[@]}" = 1 ]
	done <<-'END'

		--no-such bob
		-x bob
		--create=x bob
		bob a
		%
		bob%
		bob%%%
		%x
		%U
		~
		~bob/Maildir
		~/
		~%u
	END
	run -64 "$maildir" '' <message
	run -64 "$maildir" 'bob% ' <message
	holds bob 0
	(
		unset RECIPIENTS
		gives 64 bob
	)
	RECIPIENTS='' gives 64 bob
	SENDER=$'a\nX: y' gives 64 bob
	(
		unset SMTP_HOSTNAME
		RECIPIENTS=postmaster gives 78 bob
	)
	holds bob 0
}

@test "-- ends the options, ./~ is a name" {
	new_maildir ./-c ./~
	gives 0 -- -c
	holds ./-c 1
	gives 0 ./~
	holds ./~ 1
}

@test "closed descriptors: 75 without a message, nothing in it of a diagnostic" {
	new_maildir bob
	run -75 bash -c '"$1" bob <&-' - "$maildir"
	holds bob 0
	run -75 "$maildir" bob <.
	bash -c '"$1" bob >&- 2>&-' - "$maildir" <message
	holds bob 1
	tail -n +3 bob/new/* | cmp - message
	run -67 bash -c '"$1" eve >&- 2>&-' - "$maildir" <message
	run -67 bash -c '"$1" eve >/dev/full 2>/dev/full' - "$maildir" <message
}

@test "--help and --version are on standard output" {
	for option in --help -h --version -V; do
		"$maildir" "$option" >out 2>err </dev/null
		[ -s out ] && [ ! -s err ]
		run -75 bash -c '"$1" "$2" >/dev/full' - "$maildir" "$option"
	done
	"$maildir" -V >out
	grep -qE '^smtpd-maildir [0-9]+(\.[0-9]+)*$' out
}

@test "the page and --help have the same options, and each is taken" {
	"$maildir" --help | sed -n 's/^  -\(.\), --\([a-z-]*\)  .*/\1 \2/p' >program
	sed -n 's/^\.It Fl \(.\) , -\([a-z-]*\)$/\1 \2/p' "$page" >manual
	[ "$(wc -l <manual)" = 4 ]
	cmp program manual
	while read -r short long; do
		new_maildir bob
		gives_any "-$short" bob
		gives_any "--$long" bob
	done <manual
	run -1 bash -c '"$1" --help | grep -E "^.{81}"' - "$maildir"
}

gives_any() {
	"$maildir" "$@" <message >out 2>err
}

@test "the page has every variable that the program reads" {
	section ENVIRONMENT | sed -n 's/^\.It Ev //p' | tr -s ' ,' '\n' |
		sort >manual
	cd "$BATS_TEST_DIRNAME/.."
	# Those of getenv(3), in all that the program is made of.
	sed -n 's/.*\(environment_value\|getenv\)("\([A-Z0-9_]*\)").*/\2/p' \
		filters/maildir.c lib/{recipient,batch,maildir,folder,intake,tempfile}.c |
		cat - <(echo RECIPIENTS) | sort -u | diff -u "$here/manual" -
}

@test "the page has the exit statuses that the tests above have seen" {
	section 'EXIT STATUS' | sed -n 's/^\.It Li //p' | paste -sd ' ' >manual
	[ "$(cat manual)" = '0 64 67 75 78' ]
}

@test "the page shows the two lines as they are" {
	new_maildir bob
	gives 0 bob
	block log top >expected
	[ "$(wc -l <expected)" = 2 ]
	head -n 2 bob/new/* | diff -u expected -
}

@test "the examples of the page" {
	mandoc -T lint -W warning "$page"
	mkdir bin
	# What would listen for ever only shows its arguments.
	printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >bin/smtpd
	chmod 755 bin/smtpd
	for name in virtual users trap; do
		block sh "$name" >example
		PATH=$PWD/bin:$PATH sh ./example >arguments
		grep -qx smtpd-maildir arguments
		# The arguments of smtpd-maildir are good ones.
		pattern=$(tail -n 1 arguments)
		mapfile -t words < <(sed '1,/^smtpd-maildir$/d' arguments)
		case $name in
		virtual) [ "$pattern" = /srv/mail/%d/%u ] ;;
		users) [ "$pattern" = '~/Maildir' ] ;;
		trap)
			gives 0 "${words[@]}"
			holds Maildir 1
			;;
		esac
		run "$maildir" "${words[@]}" <message
		[ "$status" -ne 64 ]
	done
	block sh file >example
	PATH=$SMTPD_BIN:$PATH sh ./example
	holds mail-bob 1
}
