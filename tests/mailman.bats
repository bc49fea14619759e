#!/usr/bin/env bats
# shellcheck shell=bats
# smtpd-mailman: what Mailman knows goes to Mailman, the rest upstream, all or
# none. Mailman 3 is the real LMTP runner; Mailman 2.1 is a wrapper that notes
# what it was given; tests/upstream.py is where either misbehaves.
# shellcheck disable=SC2016,SC2030,SC2031,SC2053,SC2094,SC2153,SC2154

load lib

setup_file() {
	stage
	cp "$SMTPD_BIN/smtpd-mailman" "$STAGE"
	! can_mailman || mailman_make
}

teardown_file() {
	unstage
}

setup() {
	mailman=$STAGE/smtpd-mailman
	page=$BATS_TEST_DIRNAME/../man/smtpd-mailman.8
	cd "$BATS_TEST_TMPDIR" || return
	chmod 755 .
	unset SENDER RECIPIENTS RECIPIENT SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS \
		SMTP_PROTOCOL SMTP_SIZE SMTP_BODY SMTP_UTF8 SMTP_HOSTNAME
	export SENDER=ann@example.com RECIPIENTS=news@example.org
	printf 'Subject: hi\nMessage-ID: <1@example.com>\n\n.\ntext\n' >message
}

teardown() {
	end_all
}

can_mailman() {
	[ "$(id -u)" -eq 0 ] && [ -x /usr/lib/mailman3/bin/runner ]
}

# as_list COMMAND ...: as Mailman's user; it refuses to be root.
as_list() {
	env -u PYTHONPATH setpriv --reuid=list --regid=list --clear-groups "$@"
}

# mailman_make: a private Mailman 3 in $STAGE/mailman with three lists.
mailman_make() {
	local list
	mkdir "$STAGE/mailman"
	cat >"$STAGE/mailman.cfg" <<-END
		[mailman]
		layout: here
		[paths.here]
		var_dir: $STAGE/mailman
		bin_dir: /usr/lib/mailman3/bin
		log_dir: $STAGE/mailman/logs
		lock_dir: $STAGE/mailman/locks
		pid_file: $STAGE/mailman/master.pid
		lock_file: $STAGE/mailman/master.lck
		[database]
		class: mailman.database.sqlite.SQLiteDatabase
		url: sqlite:///$STAGE/mailman/mailman.db
		[mta]
		incoming: mailman.mta.null.NullMTA
		lmtp_host: 127.0.0.1
		lmtp_port: 0
	END
	chown list:list "$STAGE/mailman"
	for list in news news-join dev-team; do
		(cd "$STAGE" && as_list /usr/lib/mailman3/bin/mailman \
			-C "$STAGE/mailman.cfg" create "$list@example.org")
	done >/dev/null
}

# mailman_start: its LMTP runner at $lmtp, its queues empty.
mailman_start() {
	can_mailman || skip "needs root and Debian's mailman3"
	local port
	port=$(free_port)
	sed "s/^lmtp_port: .*/lmtp_port: $port/" "$STAGE/mailman.cfg" \
		>"$STAGE/run.cfg"
	find "$STAGE/mailman/queue" -name '*.pck' -delete
	start "$BATS_TEST_TMPDIR/log.mailman" env -u PYTHONPATH setpriv \
		--reuid=list --regid=list --clear-groups /usr/lib/mailman3/bin/runner \
		-C "$STAGE/run.cfg" --runner=lmtp:0:1
	eventually listening "$port"
	lmtp=127.0.0.1:$port
}

# queued LINE ...: what Mailman has, sorted (tests/queues.py).
queued() {
	env -u PYTHONPATH /usr/bin/python3 "$BATS_TEST_DIRNAME/queues.py" \
		"$STAGE/mailman/queue" >queues
	printf '%s\n' "$@" | diff -u - queues >&2
}

# fake NAME ARGUMENT ...: tests/upstream.py in the folder NAME, its place in
# $fake.
fake() {
	local name=$1
	shift
	rm -rf "$name"
	mkdir "$name"
	start "$BATS_TEST_TMPDIR/log.$name" "$PYTHON" \
		"$BATS_TEST_DIRNAME/upstream.py" "$name" "$@"
	eventually [ -e "$name/port" ]
	fake=127.0.0.1:$(cat "$name/port")
}

# said NAME LINE ...: the commands that a fake got, but QUIT, which it need not
# have read yet.
said() {
	local name=$1
	shift
	printf '%s\n' "$@" | diff -u - <(sed '/^QUIT/d' "$name/commands") >&2
}

# hands STATUS ARGUMENT ...: hands over the file message; the reply is in out.
hands() {
	local wanted=$1 status=0
	shift
	"$mailman" -n me.example "$@" <message >out 2>err || status=$?
	[ "$status" -eq "$wanted" ] || {
		echo "exit status $status, not $wanted:" >&2
		cat out err >&2
		return 1
	}
}

# replied LINE: that was the reply; one that ends in * is the beginning of it.
replied() {
	[[ $(cat out) == $1 ]] || {
		cat out >&2
		return 1
	}
}

# for_all ADDRESS ...: they are the recipients.
for_all() {
	RECIPIENTS=$(printf '%s\n' "$@")
}

# two LIST ...: a Mailman 2.1 with these lists; its wrapper notes its arguments
# in called, and what it read in read.N. The file status has its exit status.
two() {
	rm -rf lists called read.*
	mkdir -p lists "${@/#/lists/}"
	echo 0 >status
	cat >wrapper <<-'END'
		#!/bin/sh
		echo "$# $*" >>called
		cat >"read.$(wc -l <called)"
		echo "550 5.7.1 I am not the reply"
		exit "$(cat status)"
	END
	chmod 755 wrapper
	old=(--wrapper "$PWD/wrapper" --lists "$PWD/lists")
}

# called LINE ...: so the wrapper was.
called() {
	printf '%s\n' "$@" | diff -u - called >&2
}

@test "Mailman 3: a post, each word behind a hyphen, the longest name, any case" {
	mailman_start
	for word in '' -owner -request -join -leave -subscribe -unsubscribe \
		-bounces -confirm; do
		RECIPIENTS=dev-team$word@example.org hands 0 --lmtp "$lmtp"
		replied '250 Ok'
	done
	queued 'bounces dev-team.example.org bounces ann@example.com hi 9' \
		'command dev-team.example.org confirm ann@example.com hi 9' \
		'command dev-team.example.org join ann@example.com hi 9' \
		'command dev-team.example.org join ann@example.com hi 9' \
		'command dev-team.example.org leave ann@example.com hi 9' \
		'command dev-team.example.org leave ann@example.com hi 9' \
		'command dev-team.example.org request ann@example.com hi 9' \
		'in dev-team.example.org owner ann@example.com hi 9' \
		'in dev-team.example.org post ann@example.com hi 9'
	find "$STAGE/mailman/queue" -name '*.pck' -delete
	for_all News@Example.ORG news-join@example.org \
		news-join-join+bob=x@example.org news-leave+y@example.org
	SENDER='' hands 0 --lmtp "$lmtp"
	queued 'command news-join.example.org join <> hi 9' \
		'command news.example.org leave <> hi 9' \
		'in news-join.example.org post <> hi 9' \
		'in news.example.org post <> hi 9'
}

@test "Mailman 3: long addresses, long messages" {
	mailman_start
	{
		cat message
		head -c 3000000 /dev/zero | tr '\0' x | fold -w 100
		echo
	} >big
	mv big message
	RECIPIENTS=news-confirm+$(printf '%0200d' 7)@example.org \
		hands 0 --lmtp "$lmtp"
	queued "command news.example.org confirm ann@example.com hi 3060009"
}

@test "Mailman 3: who is no list's is refused, or goes upstream; nobody twice" {
	mailman_start
	RECIPIENTS=bob@example.org hands 69 --lmtp "$lmtp"
	replied '550 5.1.1 No such mailing list'
	for_all news@example.org bob@example.org news@example.net
	hands 69 --lmtp "$lmtp"
	printf '%s\n' '550-5.1.1 <bob@example.org>: No such mailing list' \
		'550 5.1.1 <news@example.net>: No such mailing list' | cmp - out
	queued ''
	fake up
	SMTP_RCPT_OPTIONS=$'NOTIFY=DELAY\nNOTIFY=NEVER\nNOTIFY=FAILURE\n'
	export SMTP_RCPT_OPTIONS
	for_all news@example.org bob@example.org NEWS@example.org \
		'"b b"@example.net'
	hands 0 --lmtp "$lmtp" "$fake"
	replied '250 2.0.0 Queued as 4711'
	queued 'in news.example.org post ann@example.com hi 9'
	said up 'EHLO me.example' \
		"MAIL FROM:<ann@example.com> SIZE=$(sed 's/$/\r/' message | wc -c)" \
		'RCPT TO:<bob@example.org> NOTIFY=NEVER' \
		'RCPT TO:<"b b"@example.net>' DATA
	sed 's/$/\r/; s/^\./../' message | (
		cat
		printf '.\r\n'
	) | cmp - up/content.1
}

@test "Mailman 3: nobody is sent anything before all were asked" {
	mailman_start
	fake up 'rcpt=550 5.7.1 No' 'data=452 4.3.1 Full' 'end=554 5.7.1 Spam'
	for_all news@example.org bob@example.org
	hands 69 --lmtp "$lmtp" "$fake"
	replied '550 5.7.1 <bob@example.org>: No'
	run ! grep -q DATA up/commands
	fake up 'data=452 4.3.1 Full'
	hands 75 --lmtp "$lmtp" "$fake"
	replied '452 4.3.1 Full'
	fake up 'end=554 5.7.1 Spam'
	hands 69 --lmtp "$lmtp" "$fake"
	replied '554 5.7.1 Spam'
	hands 75 --lmtp "$lmtp" 127.0.0.1:1
	replied '451 4.4.1 *'
	queued ''
}

@test "Mailman 3: one answer for a broken message ends it; none has it" {
	mailman_start
	printf 'Content-Type: multipart/mixed\nSubject: hi\n\nx\n' >message
	for_all news@example.org dev-team@example.org
	hands 69 --lmtp "$lmtp"
	replied '501 Message has defects'
	fake up
	for_all news@example.org bob@example.org
	hands 75 --lmtp "$lmtp" "$fake"
	replied '451 Message has defects'
	queued ''
}

@test "Mailman 3 has no SMTPUTF8: refused for lists, no matter for others" {
	mailman_start
	fake up
	export SMTP_UTF8=1
	RECIPIENTS=bü@example.org hands 69 --lmtp "$lmtp"
	replied '550 5.1.1 *'
	export SENDER=ü@example.com
	RECIPIENTS=bü@example.org hands 0 --lmtp "$lmtp" "$fake"
	hands 69 --lmtp "$lmtp" "$fake"
	replied '550 5.6.7 *'
	for_all news@example.org bü@example.org
	hands 69 --lmtp "$lmtp" "$fake"
	[ "$(grep -c '^DATA' up/commands)" = 1 ]
	queued ''
}

@test "Mailman 3, smtpd and smtplib: each client is told its own" {
	mailman_start
	serve -n -A "$mailman" --lmtp "$lmtp"
	py "$port" <<'END'
import smtplib, sys
text = "Subject: x\n\nbody\n"
with smtplib.SMTP("127.0.0.1", int(sys.argv[1])) as client:
    assert client.sendmail("a@example.com", "news@example.org", text) == {}
    try:
        client.sendmail("a@example.com", ["news@example.org", "b@c"], text)
        raise AssertionError
    except smtplib.SMTPDataError as refusal:
        assert refusal.smtp_code == 550, refusal
        assert b"<b@c>" in refusal.smtp_error, refusal
END
	queued 'in news.example.org post a@example.com x 6'
}

@test "Mailman 3 as a unix socket, and under no name at all" {
	fake list --lmtp --listen "unix:$PWD/socket"
	hands 0 -l "unix:$PWD/socket"
	replied '250 2.0.0 Queued as 4711'
	listening 8024 && skip "something listens on port 8024"
	hands 75
	replied '451 4.4.1 *'
	grep -q localhost:8024 err
}

@test "what Mailman is asked, and in which order" {
	fake list --lmtp 'rcpt=250 Ok' --offer '8BITMIME SIZE_33554432'
	size=$(sed 's/$/\r/' message | wc -c)
	hands 0 -l "$fake"
	said list 'LHLO me.example' 'MAIL FROM:<>' 'RCPT TO:<news@example.org>' \
		RSET "MAIL FROM:<ann@example.com> SIZE=$size" \
		'RCPT TO:<news@example.org>' DATA
	rm list/commands
	for_all a@x.example b@x.example
	hands 0 -l "$fake"
	said list 'LHLO me.example' 'MAIL FROM:<>' 'RCPT TO:<a@x.example>' RSET \
		'MAIL FROM:<>' 'RCPT TO:<b@x.example>' RSET \
		"MAIL FROM:<ann@example.com> SIZE=$size" 'RCPT TO:<a@x.example>' \
		RSET "MAIL FROM:<ann@example.com> SIZE=$size" \
		'RCPT TO:<b@x.example>' \
		RSET "MAIL FROM:<ann@example.com> SIZE=$size" \
		'RCPT TO:<a@x.example>' DATA \
		"MAIL FROM:<ann@example.com> SIZE=$size" \
		'RCPT TO:<b@x.example>' DATA
	cmp list/content.2 list/content.3
}

@test "Mailman that fails, refuses or vanishes: nobody has it; never 250" {
	fake up
	up=$fake
	for_all a@x.example b@x.example
	# STAGE=ACTION, exit status, reply
	while IFS='|' read -r action status reply; do
		fake list --lmtp "$action"
		hands "$status" -t 3 -l "$fake" "$up"
		replied "$reply"
		run ! grep -q '^DATA' up/commands
	done <<-'END'
		greeting=554 5.3.2 No|69|554 5.3.2 No
		greeting=421 No|75|451 No
		greeting=hang|75|451 4.4.2 *
		lhlo=550 No|69|550 No
		mail=550 5.7.1 No|69|550 5.7.1 No
		mail=451 No|75|451 No
		rcpt=451 No|75|451 No
		rcpt=close|75|451 4.4.2 *
		rcpt=hang|75|451 4.4.2 *
		rset=500 What|69|500 What
		rset=close|75|451 4.4.2 *
	END
	for_all a@x.example
	for action in 'data=554 5.1.0 No|69|554 5.1.0 No' 'end=501 No|69|501 No' \
		'end=451 No|75|451 No' 'end=close|75|451 4.4.2 *' \
		'mid=close|75|451 4.4.2 *'; do
		IFS='|' read -r action status reply <<<"$action"
		{
			cat message
			head -c 5000 /dev/zero | tr '\0' x
			echo
		} >long
		fake list --lmtp "$action"
		mv message short && mv long message
		hands "$status" -l "$fake"
		mv short message
		replied "$reply"
	done
}

@test "a list that fails after another has it: 4xx, and no more are sent it" {
	for_all a@x.example b@x.example c@x.example
	while IFS='|' read -r action reply; do
		fake list --lmtp "$action"
		hands 75 -l "$fake"
		replied "$reply"
		[ ! -e list/content.3 ]
	done <<-'END'
		message2=554 5.6.1 No|451 4.6.1 No
		message2=501 No|451 No
		message2=452 4.3.1 Full|452 4.3.1 Full
		message2=close|451 4.4.2 *
	END
	fake list --lmtp 'message3=554-5.6.1 No\r\n554 5.6.1 not this'
	hands 75 -l "$fake"
	printf '451-4.6.1 No\n451 4.6.1 not this\n' | cmp - out
	fake list --lmtp 'message1=554 5.6.1 No'
	hands 69 -l "$fake"
	replied '554 5.6.1 No'
	[ ! -e list/content.2 ]
}

@test "upstream has it and a list refuses: 4xx, in its words" {
	two news
	fake up
	for_all bob@example.org news@example.org
	for status in 65:'451 4.6.0 *' 67:'451 4.1.1 *' 69:'451 4.3.0 *' \
		75:'451 4.3.0 *' 1:'451 4.3.0 *' 100:'451 4.0.0 *'; do
		echo "${status%%:*}" >status
		hands 75 "${old[@]}" "$fake"
		replied "${status#*:}"
	done
	[ "$(grep -c '^DATA' up/commands)" = 6 ]
}

@test "Mailman 2.1: what is a list, and what is wanted of it" {
	two news news-join dev-team a-b-c news-bounces+x owner a=b
	# address, arguments
	while read -r address wanted; do
		rm -f called
		RECIPIENTS=$address hands 0 "${old[@]}"
		replied '250 2.0.0 OK'
		called "2 $wanted"
	done <<-'END'
		news@example.org post news
		NEWS@EXAMPLE.ORG post news
		news@elsewhere.example post news
		"news"@example.org post news
		"n\ews"@example.org post news
		news post news
		news-admin@x admin news
		news-bounces@x bounces news
		news-Confirm@x confirm news
		news-confirm+0123-4567@x confirm news
		news-bounces+bob=example.com@x bounces news
		news-bounces+a-request@x bounces news
		news-bounces+x-owner@x owner news-bounces+x
		news-bounces+x@x post news-bounces+x
		news-join@x post news-join
		news-join+y@x join news
		news-join-join@x join news-join
		news-leave@x leave news
		news-owner@x owner news
		news-request@x request news
		news-subscribe@x subscribe news
		news-unsubscribe+1+2@x unsubscribe news
		dev-team@x post dev-team
		dev-team-owner@x owner dev-team
		a-b-c-join@x join a-b-c
		a=b-join@x join a=b
		owner@x post owner
		owner-owner@x owner owner
	END
	[ "$(cat err)" = '550 5.7.1 I am not the reply' ]
}

@test "Mailman 2.1: what is no list is refused, and nothing is run" {
	two news dev-team a-b
	mkdir -p lists/.hidden-list lists/sub/news 'lists/-x' outside
	: >lists/file
	for address in bob@x dev@x team@x news-@x news-post@x -join@x \
		news-joint@x news-owner-x@x news+x@x newsx@x ../lists@x \
		.hidden-list@x sub/news@x '"sub/news"@x' '"../outside"@x' \
		'"."@x' '".."@x' file@x file-join@x b@x a@x '""@x' \
		"$(printf '%0256d' 1)@x" "$(printf '%0250d' 1)-join@x"; do
		RECIPIENTS=$address hands 69 "${old[@]}"
		replied '550 5.1.1 No such mailing list'
	done
	[ ! -e called ]
}

@test "Mailman 2.1: the octets, each time from the first; environment as it is" {
	two one two
	sed -i 's/^cat .*/&\necho "$SENDER $SMTP_SESSION" >>env/' wrapper
	export SMTP_SESSION=5-7
	for_all one@x two-owner@x one@x ONE@x one@y '"one"@x' two-owner+a@z
	for lines in 3 40000; do
		yes $'line\xff' | head -n "$lines" >>message
		hands 0 "${old[@]}"
		cmp message read.1
		cmp message read.2
		called '2 post one' '2 owner two'
		rm called read.*
	done
	[ "$(sort -u env)" = 'ann@example.com 5-7' ]
}

@test "Mailman 2.1: exit statuses are smtpd-delivery(7)'s; the first ends it" {
	two one two
	for_all one@x two@x
	for status in 64:75:451 65:69:550 67:69:550 68:69:550 69:69:550 \
		75:75:451 76:69:550 77:69:550 78:75:451 100:69:554 1:75:451; do
		rm -f called
		echo "${status%%:*}" >status
		IFS=: read -r _ exit code <<<"$status"
		hands "$exit" "${old[@]}"
		replied "$code *"
		called '2 post one'
	done
	sed -i 's/^exit.*/[ "$2" = one ] || exit 67/' wrapper
	hands 75 "${old[@]}"
	replied '451 4.1.1 No such user'
	sed -i 's/^\[.*/kill -9 $$/' wrapper
	hands 75 "${old[@]}"
	replied '451 4.3.0 *'
}

@test "Mailman 2.1: one that hangs is killed, one that reads nothing is fine" {
	two news
	yes | head -c 300000 >>message
	printf '#!/bin/sh\necho $$ >pid\nexec sleep 1000\n' >wrapper
	hands 75 "${old[@]}" -t 1
	replied '451 4.3.0 *'
	gone "$(cat pid)"
	printf '#!/bin/sh\nexit 0\n' >wrapper
	hands 0 "${old[@]}"
	# SIGCHLD that the launcher ignores reaps children unseen.
	(
		trap '' CHLD
		hands 0 "${old[@]}"
	)
}

@test "Mailman 2.1: no file for the message: upstream does not have it either" {
	two news
	fake up
	for_all bob@example.org news@example.org
	run -75 bash -c 'trap "" XFSZ; ulimit -f 0; exec "$@" <message' - \
		"$mailman" "${old[@]}" "$fake"
	[[ $output == *'temporary file: File too large'*'451 4.3.0 '* ]]
	run ! grep -q '^DATA' up/commands
	[ ! -e called ]
}

@test "Mailman 2.1: what cannot be used is 78 and a line" {
	two news
	for arguments in "-w $PWD/none -d lists" "-w $PWD/status -d lists" \
		"-w $PWD/wrapper -d none" "-w $PWD/wrapper -d $PWD/status"; do
		# shellcheck disable=SC2086 # they are words
		hands 78 $arguments
		[ ! -s out ]
		[ "$(wc -l <err)" = 1 ]
	done
	printf 'no interpreter' >wrapper
	hands 75 "${old[@]}"
	replied '451 4.3.5 *'
}

@test "Mailman 2.1: a directory that cannot be looked into refuses nobody" {
	need_root
	mkdir "$STAGE/old"
	cd "$STAGE/old"
	two news
	as_nobody() {
		setpriv --reuid=nobody --clear-groups "$mailman" "${old[@]}" <message
	}
	cp "$BATS_TEST_TMPDIR/message" .
	chmod 744 lists
	run -75 as_nobody
	[[ $output == *'lists: Permission denied'*'451 4.3.0 '* ]]
	chmod 700 lists
	run -78 as_nobody
	[[ $output == *'lists: Permission denied' ]]
}

@test "--check: who is accepted, by whom, and no message is sent" {
	two news
	fake up 'rcpt=250 2.1.5 Yes'
	export RECIPIENT
	unset RECIPIENTS
	for RECIPIENT in news@x news-owner@x bob@x; do
		hands 0 -k "${old[@]}" "$fake"
		[ ! -s out ]
	done
	said up 'EHLO me.example' 'MAIL FROM:<ann@example.com>' 'RCPT TO:<bob@x>'
	hands 69 -k "${old[@]}"
	replied '550 5.1.1 No such mailing list'
	fake up 'rcpt=450 4.2.0 Later'
	hands 75 -k "${old[@]}" "$fake"
	replied '450 4.2.0 Later'
	fake list --lmtp
	RECIPIENT=news@x hands 0 -k -l "$fake"
	run ! grep -q DATA list/commands
	unset RECIPIENT
	hands 64 -k -l "$fake"
	[ ! -e called ]
}

@test "Mailman 3, smtpd: --check as the RCPT hook; upstream for the rest" {
	mailman_start
	fake up 'rcpt=250 2.1.5 Yes' 'rcpt=550 5.1.1 Never heard of' 'rcpt=450 4.2.0 Later'
	mkdir hooks
	chmod 755 . hooks
	printf '#!/bin/sh\nexec "%s" -n me.example --check --lmtp "%s" "$UPSTREAM"\n' \
		"$mailman" "$lmtp" >hooks/RCPT
	printf '#!/bin/sh\nexec "%s" -n me.example --lmtp "%s" "$UPSTREAM"\n' "$mailman" "$lmtp" >deliver
	chmod 755 hooks/RCPT deliver
	session() { # STEP ...
		UPSTREAM=$fake talk -t 20 pair '<220' '>EHLO me' '<250' '>MAIL FROM:<ann@example.com>' '<250' "$@" '>QUIT' '<221' \
			-- "$SMTPD" -q -n -A -H "$PWD/hooks" "$PWD/deliver" >said
	}
	session '>RCPT TO:<bob@example.org>' '<250 2.1.5' '>RCPT TO:<cid@example.org>' '<550 5.1.1 Never heard of' \
		'>RCPT TO:<news@example.org>' '<250 2.1.5' '>RCPT TO:<dot@example.org>' '<450 4.2.0 Later' '>RSET' '<250' \
		'>MAIL FROM:<ann@example.com>' '<250' '>RCPT TO:<news@example.org>' '<250' '>DATA' '<354' '=message' '<250'
	queued 'in news.example.org post ann@example.com hi 9'
	# Neither is there: nobody is refused for good.
	kill "${started[@]}"
	for p in "${started[@]}"; do ended "$p"; done
	started=()
	session '>RCPT TO:<news@example.org>' '<451 4.' '>RCPT TO:<bob@example.org>' '<451 4.' '>DATA' '<503'
}

@test "many lists on a connection that breaks; many who are refused" {
	mapfile -t all < <(seq -f 'list%g@example.org' 300)
	for_all "${all[@]}"
	fake list --lmtp 'rcpt=250 Ok'
	hands 0 -l "$fake"
	[ "$(find list -name 'content.*' | wc -l)" = 300 ]
	fake list --lmtp --offer 'SIZE_10'
	hands 69 -l "$fake"
	replied '552 5.3.4 *'
	# It is about the message, so it is said once.
	[ "$(wc -l <out)" = 1 ]
	fake list --lmtp 'rset=250-x\r\n251 y'
	hands 75 -l "$fake"
	fake list --lmtp 'rcpt=550 No'
	hands 69 -l "$fake"
	[ "$(wc -c <out)" -le 4096 ]
}

@test "a login is for upstream, never for Mailman" {
	printf 'ann:secret\n' >login
	chmod 600 login
	fake up --offer AUTH_PLAIN 'rcpt=250 Ok'
	up=$fake
	fake list --lmtp --offer AUTH_PLAIN 'rcpt=550 No'
	RECIPIENTS=bob@x hands 0 -a login -l "$fake" "$up"
	grep -q '^AUTH PLAIN' up/commands
	run ! grep -q AUTH list/commands
	chmod 644 login
	hands 78 -a login -l "$fake" "$up"
}

@test "what cannot be sent: 65 and its reply; cut short: 75; neither is asked" {
	printf 'Subject: x\n\na\rb\n' >message
	two news
	hands 65 "${old[@]}"
	replied '554 5.6.0 *'
	SMTP_SIZE=1000 hands 75 "${old[@]}"
	[ ! -s out ]
	[ ! -e called ]
}

@test "bad usage: 64 and one line; nothing is read" {
	two news
	for arguments in 'a b' '--no-such' ':25' 'host:0' '-l host' '-l -' \
		"-w $PWD/wrapper" "-d $PWD/lists" '-w  -d x' '-t 0' '-n a_b>' \
		"-l localhost:1 -w $PWD/wrapper -d $PWD/lists"; do
		# shellcheck disable=SC2086 # they are words
		hands 64 $arguments
		[ ! -s out ]
		[ "$(wc -l <err)" = 1 ]
	done
	RECIPIENTS='' hands 64 "${old[@]}"
}

@test "--help and --version are on standard output" {
	tells "$mailman"
}

@test "the page and --help have the same options" {
	page_and_help "$page" "$mailman"
}

@test "the page's exit statuses, variables and examples" {
	page_is_sound "$page" '0 64 65 69 75 78' SENDER RECIPIENTS RECIPIENT \
		SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS SMTP_UTF8 SMTP_BODY \
		SMTP_SIZE SMTP_HOSTNAME TMPDIR
}
