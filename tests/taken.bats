#!/usr/bin/env bats
# shellcheck shell=bats disable=SC2016
# What the agent does for a dialogue process that someone has taken over, who
# sends on its channel whatever he likes: nothing that a sound one could not
# have got, and it never crashes. tests/taken.py.

load lib

setup_file() {
	stage
}

teardown_file() {
	unstage
}

setup() {
	HOOKS=$STAGE/hooks NOTES=$STAGE/notes
	export HOOKS NOTES
	rm -rf "$HOOKS" "$NOTES"
	mkdir -m 755 "$HOOKS"
	mkdir -m 1777 "$NOTES"
	for name in CONNECT EHLO MAIL RCPT DATA NOOP RSET AUTH STARTTLS \
		AUTH-X DISCONNECT QUIT PING; do
		printf '#!/bin/sh\necho "$SMTP_VERB $(wc -c)" >>"$NOTES/notes"\n' \
			>"$HOOKS/$name"
	done
	# It logs in whoever says c2VzYW1l.
	cat >"$HOOKS/AUTH-X" <<-'END'
		#!/bin/sh
		read -r line
		while [ "$line" != c2VzYW1l ]; do echo 334; read -r line; done
		echo SMTP_AUTH_USER=ann; echo 235 2.7.0 in
	END
	chmod 755 "$HOOKS"/*
	# Root may always, others where the system lets them.
	py <<-'PY' || skip 'no descriptor can be had of another process'
		import subprocess, sys
		from taken import channels
		child = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
		found = channels(child.pid)
		child.stdin.close()
		child.wait(10)
		sys.exit(found is None)
	PY
}

teardown() {
	end_all
}

# caught: from standard input rows of ("what", before, records): the agent ends
# the session as broken at the last of the records, and no hook has run for it.
caught() {
	py <(cat) <<-'PY'
		import os, sys
		from session import show
		from taken import *
		notes, hooks = os.environ["NOTES"] + "/notes", os.environ["HOOKS"]
		wrong = []
		def ran():
		    with open(notes, encoding="utf-8") as file:
		        return file.read().splitlines()
		helo = (hook("EHLO", "me"), record("HELO", "me", number=1))
		mail = (hook("MAIL", "FROM:<a@b>"), record("MAIL", "a@b"))
		rcpt = (hook("RCPT", "TO:<c@d>"), record("RCPT", "c@d"))
		data = (hook("DATA"), record("STEP"))
		with open(sys.argv[1], encoding="utf-8") as file:
		    rows = eval("(" + file.read() + ")")
		for what, before, records in rows:
		    open(notes, "w").close(), os.chmod(notes, 0o666)
		    smtp = Taken("-A", "-q", "--auth-plaintext", "-H", hooks, "true")
		    for step in before:
		        smtp.tell(*step)
		        smtp.answer()
		    count = len(ran())
		    try:
		        for one in records:
		            smtp.tell(one)
		    except OSError:
		        pass
		    try:
		        smtp.caught()
		    except Exception as error:
		        wrong.append((what, error))
		        smtp.process.kill()
		        continue
		    if ran()[count:] != ["DISCONNECT 0"]:
		        wrong.append((what, ran()[count:]))
		show(wrong)
	PY
}

@test "what a sound dialogue sends is taken" {
	py <<-'PY'
		import os
		from taken import *
		smtp = Taken("-A", "-q", "--auth-plaintext", "-H", os.environ["HOOKS"], "true")
		for records in ((hook("NOOP", "x"), record("STEP")), (hook("EHLO", "me"), record("TEXT", "250 x"), record("HELO", "me", number=1)),
		                (hook("PING"), record("STEP")), (hook("MAIL", "FROM:<a@b>"), record("MAIL", "a@b")),
		                (hook("RCPT", "TO:<c@d>"), record("RCPT", "c@d")), (hook("BDAT", "0 LAST"), record("STEP")),
		                (hook("RSET"), record("RESET"))):
		    smtp.tell(*records)
		    assert smtp.answer()[0] == "", records
		smtp.tell(record("CHALLENGE", "X"))
		assert smtp.answer() == ("", 2)
		smtp.tell(record("RESPONSE", "c2VzYW1l"))
		assert smtp.answer() == ("235 2.7.0 in\n", 1)
		smtp.tell(hook("QUIT"), record("STEP"))
		assert smtp.answer() == ("", 0)
		smtp.ended()
		with open(os.environ["NOTES"] + "/notes", encoding="utf-8") as file:
		    ran = file.read().split("\n")
		assert int(ran.pop(1).split()[1]) > 100
		assert ran == ["CONNECT 0", "NOOP 0", "EHLO 5", "PING 0", "MAIL 0", "RCPT 0", "BDAT 0", "RSET 0",
		               "AUTH 0", "QUIT 0", "DISCONNECT 0", ""], ran
	PY
}

@test "hooks that are no command's cannot be asked for, nor in another's place" {
	caught <<-'END'
		[(verb, [helo], (hook(verb), record("STEP"))) for verb in
		 ("CONNECT", "DISCONNECT", "AUTH", "AUTH-X", "auth", "noop", "NoSuch", "", "EHLO", "MAIL", "RCPT", "RSET")] +
		[("two", [helo], (hook("NOOP"), hook("NOOP"))),
		 ("another", [helo], (hook("NOOP"), record("MAIL", "a@b"))),
		 ("none", [helo], (record("MAIL", "a@b"),)),
		 ("no recipient", [helo, mail], data),
		 ("not again", [helo, mail, rcpt, data], data),
		 ("behind DATA", [helo, mail, rcpt, data], rcpt),
		 ("no sender", [helo], rcpt),
		 ("line end", [helo], (hook("NOOP", "a\nb"), record("STEP"))),
		 ("refused with 250", [helo, mail, rcpt, data], [record("DROPPED", "250 2.0.0 OK")]),
		 ("content", [helo, mail, rcpt], (record("MESSAGE"),))]
	END
}

@test "records that are longer than what they are for" {
	caught <<-'END'
		[("text", [], [hook("EHLO", "me")] + 100 * [record("TEXT", 5000 * "x")]),
		 ("text for none", [], [record("TEXT", "x")]),
		 ("text for another", [], [hook("NOOP"), record("TEXT", "x"), record("STEP")]),
		 ("argument", [], [hook("NOOP", 12289 * "x")]),
		 ("verb", [], [hook(300 * "x")]),
		 ("recipient", [helo, mail], [hook("RCPT", 12288 * "x"), record("RCPT", 16300 * "x" + "@d")]),
		 ("shorter", [helo, mail], [hook("RCPT", "x"), record("RCPT", 1600 * "x" + "@d")]),
		 ("initial", [helo], [record("CHALLENGE", "X", 16000 * "A")]),
		 ("one more", [helo], [record("CHALLENGE", "X", 12289 * "A")]),
		 ("mechanism", [helo], [record("CHALLENGE", 300 * "X")]),
		 ("response", [helo, [record("CHALLENGE", "X")]], [record("RESPONSE", 12292 * "A")])]
	END
}

@test "logins: what a hook reads is base64, and one login is enough" {
	caught <<-'END'
		[("initial", [helo], [record("CHALLENGE", "X", "a\nc2VzYW1l")]),
		 ("no base64", [helo], [record("CHALLENGE", "X", "a")]),
		 ("response", [helo, [record("CHALLENGE", "X")]], [record("RESPONSE", "a\nc2VzYW1l")]),
		 ("empty name", [helo], [record("CHALLENGE", "")]),
		 ("none begun", [], [record("RESPONSE", "c2VzYW1l")]),
		 ("two at once", [helo, [record("CHALLENGE", "X")]], [record("CHALLENGE", "X")]),
		 ("mail meanwhile", [helo, [record("CHALLENGE", "X")]], mail),
		 ("twice", [helo, [record("CHALLENGE", "X", "c2VzYW1l")]], [record("CHALLENGE", "X", "c2VzYW1l")])]
	END
}

@test "behind the 421 or 221 of a hook there is nothing more" {
	for reply in '421 4.3.2 end' '221 2.0.0 end'; do
		printf '#!/bin/sh\necho %s\n' "$reply" >"$HOOKS/NOOP"
		caught <<-'END'
			[("again", [helo, (hook("NOOP"), record("STEP"))], (hook("PING"), record("STEP"))),
			 ("mail", [helo, (hook("NOOP"), record("STEP"))], mail),
			 ("helo", [(hook("NOOP"), record("STEP"))], helo),
			 ("login", [helo, (hook("NOOP"), record("STEP"))], [record("CHALLENGE", "X", "c2VzYW1l")])]
		END
	done
}

@test "whom CONNECT refuses gets nothing but QUIT" {
	printf '#!/bin/sh\necho 554 5.7.1 no\n' >"$HOOKS/CONNECT"
	py <<-'PY'
		import os
		from taken import *
		from session import show
		wrong = []
		notes = os.environ["NOTES"] + "/notes"
		for records in ((hook("NOOP"), record("STEP")), (hook("EHLO", "x"), record("HELO", "x", number=1)),
		                (hook("MAIL"), record("MAIL", "a@b")), (record("CHALLENGE", "X", "c2VzYW1l"),), None):
		    open(notes, "w").close(), os.chmod(notes, 0o666)
		    smtp = Taken("-A", "-q", "--auth-plaintext", "-H", os.environ["HOOKS"], "true", hello=None)
		    smtp.talk.expect("554")
		    if records is None:
		        smtp.tell(hook("QUIT"), record("STEP"))
		        assert smtp.answer() == ("", 0)
		        smtp.ended()
		        continue
		    smtp.tell(*records)
		    try:
		        smtp.caught()
		    except Exception as error:
		        wrong.append((records, error))
		    if open(notes).read() != "DISCONNECT 0\n":
		        wrong.append((records, open(notes).read()))
		show(wrong)
	PY
}

@test "whom CONNECT refuses behind XCLIENT cannot log in; TLS begins past no hook" {
	printf '#!/bin/sh\n[ "$TCPREMOTEIP" = 127.0.0.1 ] || echo 554 5.7.1 no\n' >"$HOOKS/CONNECT"
	py <<-'PY'
		import os, socket
		from taken import *
		options = ["-A", "-q", "--auth-plaintext", "--xclient", "127.0.0.1", "-H", os.environ["HOOKS"], "true"]
		env = dict(os.environ, PROTO="TCP", TCPREMOTEIP="127.0.0.1", TCPREMOTEPORT="4")
		smtp = Taken(*options, env=env)
		smtp.tell(record("XCLIENT", "ADDR=192.0.2.7 HELO=x PROTO=ESMTP"))
		assert smtp.answer()[0] == "554 5.7.1 no\n"
		smtp.tell(record("CHALLENGE", "X", "c2VzYW1l"))
		smtp.caught()
		ours, theirs = socket.socketpair()
		fd = theirs.fileno()
		for before, good in (([], False), ([hook("STARTTLS"), record("STEP")], True)):
		    smtp = Taken(*options, pass_fds=[fd], env=dict(env, SSLCTLFD=str(fd), SSLREADFD=str(fd), SSLWRITEFD=str(fd)))
		    if before:
		        smtp.tell(*before)
		        assert smtp.answer() == ("", 0)
		    smtp.tell(record("STARTTLS"))
		    if good:
		        ours.settimeout(10)
		        assert ours.recv(1) == b"Y"
		        ours.send(b"\0")
		        assert smtp.answer() == ("", 1)
		        smtp.tell(record("STARTTLS"))
		    smtp.caught()
	PY
}
