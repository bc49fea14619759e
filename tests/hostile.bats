#!/usr/bin/env bats
# shellcheck shell=bats
# The agent does not trust the dialogue: records out of place, twice, too long,
# and such as the options forbid (hostile.c, hostile.py). It ends the session
# with exit status 70, and runs nothing that a sound dialogue would not have
# asked for. Beside each group is what a sound one may say.
# shellcheck disable=SC2154

load lib

setup_file() {
	stage
	local tool=$SMTPD_BIN/tests/hostile
	[ -x "$tool" ] || tool=$BUILD/tests/hostile
	cp "$tool" "$STAGE/hostile"
	chmod 755 "$STAGE/hostile"
}

teardown_file() {
	unstage
}

@test "MAIL, RCPT, content: in their order, within the limits and the policy" {
	py <<-'PY'
		from hostile import *
		A = ("-A",)
		whole = [HELO, MAILED, RCPT, MESSAGE, WAIT]
		sound(A, whole, whole[1:], RSET, whole[1:], ran=["command c@d"] * 3, says="1 250 2.0.0")
		sound(A, HELO, HELO, MAILED, HELO, MAILED, RSET, MAILED, VOID, MAILED, RCPT, CONTENT, MESSAGE, WAIT,
		      ran=["command c@d"])
		for script in ([MAILED], [HELO, RCPT], [HELO, MESSAGE], [HELO, MAILED, MESSAGE], [HELO, MAILED, CONTENT],
		               [HELO, MAILED, MAILED], [HELO, MAILED, RCPT, MAILED], [HELO, MAILED, RSET, RCPT],
		               [HELO, MAILED, RCPT, VOID, MESSAGE], [HELO, MAILED, RCPT, CONTENT, RCPT],
		               [HELO, MAILED, RCPT, rec("MESSAGE", 256 * 1024 + 1)], [HELO, MAILED, RCPT, rec("CONTENT", 5)],
		               [HELO, rec("DROPPED", 1, "550 5.0.0 x")], [rec("HELO", 2, "me")], [rec("HELO", 1)],
		               [HELO, rec("MAIL", 0, "a@b", "BODY=BINARYMIME")], [HELO, rec("MAIL", 0, "a@b\n")],
		               [HELO, rec("MAIL", 0, "a b"), RCPT], [HELO, rec("MAIL", 0, "\xe4@b")],
		               [HELO, rec("MAIL", 0, "a@b", "SIZE=1\nX=Y")], [HELO, MAILED, rec("RCPT")],
		               [HELO, MAILED, rec("RCPT", 0, "c@d\ne@f")], [HELO, MAILED, rec("RCPT", 0, "c@d", "X=\t")],
		               [rec("VERDICT")], [rec("SAID", 0, "x")], [rec("END", 0, "x" * 32)], [rec("WINDOW")],
		               [rec("REPLY", 1, "250 2.0.0 x")], [rec("HELO", 1, "m\0e")]):
		    unsound(A, script)
		unsound(("-A", "--max-messages", "1"), whole, whole[1:], ran=["command c@d"])
		unsound(("-A", "--max-recipients", "1"), HELO, MAILED, RCPT, RCPT)
		unsound(("-A", "-1"), HELO, MAILED, RCPT, RCPT)
		unsound(("-A", "-s", "9"), HELO, MAILED, RCPT, rec("MESSAGE", 10))
		sound(("-A", "-s", "9"), HELO, MAILED, RCPT, rec("MESSAGE", 9), WAIT, ran=["command c@d"])
		# Who may send where.
		unsound((), HELO, MAILED, RCPT)
		unsound(("-D", "example.org"), HELO, MAILED, rec("RCPT", 0, "c@example.net"))
		unsound(("-D", "example.org"), HELO, MAILED, rec("RCPT", 0, "c%d@example.org"))
		sound(("-D", "example.org"), HELO, MAILED, rec("RCPT", 0, "c@example.org"), MESSAGE, WAIT, ran=["command c@example.org"])
		unsound(("-A", "--require-auth"), HELO, MAILED)
		unsound(("-A", "--require-tls"), HELO, MAILED)
		# A verdict that ends the session does.
		says = ("-A", "--", "sh", "-c", f"echo 421 4.3.2 bye; echo x >>{RAN}; exit 75")
		unsound(says, whole, HELO, ran=["x"])
		sound(says, whole, rec("END", 0, "closed"), ran=["x"])
		# LMTP: as many verdicts as there are recipients.
		L = ("-A", "-L", "--", "sh", "-c", f"echo x >>{RAN}; echo 250 2.0.0 a; echo 550 5.0.0 b")
		two = [HELO, MAILED, RCPT, RCPT, MESSAGE, WAIT, rec("VERDICT"), WAIT]
		sound(L, two, ran="x", says="1 550 5.0.0 b")
		unsound(L, two, rec("VERDICT"), ran="x")
		unsound(L, rec("HELO", 0, "me"))
		show()
	PY
}

@test "hooks: those of the step that comes, in its place, once" {
	py <<-'PY'
		from hostile import *
		verbs = ("HELO", "EHLO", "MAIL", "RCPT", "DATA", "RSET", "VRFY", "QUIT", "PING", "AUTH", "AUTH_X", "STARTTLS")
		H = ("-A", *hooks("all", **dict.fromkeys(verbs, "")))
		few = ("-A", *hooks("few", NOOP="", VRFY=""))
		greeted = step("EHLO", "me", HELO)
		sent = [*step("MAIL", "FROM:<a@b>", MAILED), *step("RCPT", "TO:<c@d>", RCPT)]
		sound(H, step("PING", "x"), greeted, sent, step("BDAT", "1"), MESSAGE, WAIT, step("RSET", "", RSET), step("QUIT"),
		      rec("END", 0, "quit"), ran=["PING x", "EHLO me", "MAIL FROM:<a@b>", "RCPT TO:<c@d>", "BDAT 1",
		                                  "command c@d", "RSET", "QUIT"])
		sound(H, rec("HOOK", 0, "EHLO", "me"), rec("TEXT", 0, "250 x"), HELO, WAIT, ran=["EHLO me"])
		for script in ([HELO], [rec("STEP")], [rec("TEXT", 0, "x")], step("NOSUCH"), step("NOOP"), step("CONNECT"),
		               step("DISCONNECT"), step("AUTH", "PLAIN"), step("AUTH-X"), step("XCLIENT"), step("ping"),
		               step("STARTTLS"), step("PING", "a\nb"), step("PING", "x" * 13000), step("MAIL", "FROM:<a@b>"),
		               step("EHLO", "me"), step("RSET"), step("HELO", "me", HELO), step("PING", "", RSET),
		               step("PING", "", rec("SAID", 0, "x")), step("PING", "", rec("END", 0, "x")),
		               [rec("HOOK", 0, "PING"), *step("PING")], step("MAIL", "", MAILED), step("DATA"),
		               [rec("HOOK", 0, "PING"), rec("TEXT", 0, "x"), rec("STEP")],
		               [rec("HOOK", 0, "HELO", "me"), rec("TEXT", 0, "x"), rec("HELO", 0, "me")],
		               [rec("HOOK", 0, "EHLO", "me"), rec("TEXT", 0, "x" * 6000), HELO]):
		    unsound(H, script)
		# What is read twice would not fit where it is kept.
		unsound(H, rec("HOOK", 0, "EHLO", "me"), *[rec("TEXT", 0, "x" * 5000)] * 3, HELO)
		ran = ["EHLO me"]
		for script in (step("RCPT", "", RCPT), step("DATA"), step("MAIL", "FROM:<a@b>"), [MAILED],
		               step("VRFY", "a", MAILED), step("QUIT", "", RSET)):
		    unsound(H, greeted, script, ran=ran)
		ran += ["MAIL FROM:<a@b>", "RCPT TO:<c@d>"]
		for script in ([MESSAGE], step("RCPT", "TO:<c@d>"), [RCPT], step("MAIL", "FROM:<a@b>", MAILED), [RSET]):
		    unsound(H, greeted, sent, script, ran=ran)
		# An address that no environment holds, or parameters that are none.
		for record in (rec("RCPT", 0, "x" * 15000 + "@d"), rec("RCPT", 0, "c@d", "A=b\n")):
		    unsound(H, greeted, sent[:3], step("RCPT", "x" * 12000, record), ran=ran[:2])
		unsound(H, greeted, sent, step("DATA"), step("DATA"), ran=[*ran, "DATA"])
		unsound(H, greeted, sent, step("DATA"), step("RCPT", "TO:<c@d>", RCPT), ran=[*ran, "DATA"])
		# Beside a step that has no hook.
		sound(few, step("VRFY", "a"), HELO, MAILED, step("NOOP"), RSET, ran=["VRFY a", "NOOP"])
		for record in (HELO, RSET):
		    unsound(few, rec("HOOK", 0, "NOOP"), record)
		# Nothing is asked before TLS where that is asked for.
		for script in (step("VRFY", "a"), step("PING")):
		    unsound((*H, "--require-tls"), greeted, script, ran=["EHLO me"])
		unsound((*few, "-L"), step("EHLO", "x", HELO))
		# What refuses a greeting refuses all but QUIT; 421 and 221 are the end.
		R = ("-A", *hooks("refusing", CONNECT="echo 554 5.7.1 no\n", NOOP="", QUIT=""))
		sound(R, step("QUIT"), rec("END", 0, "quit"), ran=["CONNECT", "QUIT"], says="554 5.7.1 no")
		unsound(R, step("NOOP"), ran=["CONNECT"])
		unsound(R, HELO, ran=["CONNECT"])
		unsound(R, RSET, ran=["CONNECT"])
		unsound(H, step("QUIT"), greeted, ran=["QUIT"])
		for last in ("421 4.3.0 go", "221 2.0.0 go"):
		    E = ("-A", *hooks("end" + last[:3], NOOP=f"echo {last}\n"))
		    sound(E, HELO, step("NOOP"), rec("END", 0, "closed"), ran=["NOOP"], says=last)
		    unsound(E, HELO, step("NOOP"), MAILED, ran=["NOOP"])
		    unsound(E, HELO, step("NOOP"), step("NOOP"), ran=["NOOP"])
		show()
	PY
}

@test "logins: where they are offered, one at a time, and nothing else meanwhile" {
	py <<-'PY'
		from hostile import *
		checks = ("-a", f"cat <&3 >/dev/null; echo asked >>{RAN}", "-D", "example.org")
		P = (*checks, "--auth-plaintext", "--auth-cram-md5")
		X = ("--auth-plaintext", *hooks("mechanism", AUTH_X="read a; echo 334 aGk=; read b; echo \"$a $b\" >>" + RAN +
		     "\necho SMTP_AUTH_USER=ann; echo 235 2.7.0 ok\n"))
		away = rec("RCPT", 0, "c@example.net")
		cram = rec("CHALLENGE", 0, "CRAM-MD5")
		digest = rec("LOGIN", 3, "ann", "0" * 32)
		begun = [HELO, rec("CHALLENGE", 0, "X", "YQ=="), WAIT]
		good = rec("RESPONSE", 0, "Yg==")
		sound(P, HELO, LOGIN, WAIT, MAILED, away, MESSAGE, WAIT, ran=["asked", "command c@example.net"], says="1 235 2.7.0")
		sound(P, HELO, cram, WAIT, digest, WAIT, HELO, ran=["asked"])
		sound(P, HELO, cram, WAIT, rec("CANCEL"), LOGIN, WAIT, ran=["asked"])
		sound((*X, "--max-errors", "1"), begun, rec("REFUSED", 0, "AUTH X", "x"), good, WAIT, MAILED, away, MESSAGE, WAIT,
		      ran=["AUTH X", "YQ== Yg==", "command c@example.net"])
		sound(X, begun, rec("CANCEL"), begun[1:], ran=["AUTH X"] * 2)
		for script in ([LOGIN], [HELO, MAILED, LOGIN], [HELO, rec("LOGIN", 0, "ann")], [HELO, rec("LOGIN", 4, "ann")],
		               [HELO, rec("LOGIN", 1)], [HELO, rec("LOGIN", 1, "a\nb", "x")], [HELO, digest], [HELO, good],
		               [HELO, MAILED, away], [HELO, rec("LOGIN", 1, "x" * 1025, "x")], [HELO, rec("CHALLENGE", 0, "X")],
		               [HELO, rec("CHALLENGE", 0, "")], [HELO, rec("CHALLENGE", 0, "CRAM-MD5", "YQ==")],
		               [HELO, cram, WAIT, LOGIN], [HELO, cram, WAIT, cram], [HELO, cram, WAIT, HELO],
		               [HELO, cram, WAIT, MAILED], [HELO, cram, WAIT, good], [HELO, cram, WAIT, rec("CANCEL"), digest],
		               # Nothing stands behind it in its packet.
		               [HELO, rec("CANCEL"), rec("CHALLENGE", 0, "CRAM-MD5"), MAILED]):
		    unsound(P, script)
		unsound(P, HELO, LOGIN, WAIT, LOGIN, ran=["asked"])
		unsound(P, HELO, LOGIN, WAIT, cram, ran=["asked"])
		unsound(P, HELO, LOGIN, MAILED, ran=["asked"])
		# Not offered: no TLS, no --auth, no --auth-cram-md5.
		unsound(checks, HELO, LOGIN)
		unsound(("--auth-plaintext",), HELO, LOGIN)
		unsound((*checks, "--auth-plaintext"), HELO, cram)
		unsound((*P, "--require-tls"), HELO, LOGIN)
		# A hook has taken the place of PLAIN: the checker is not asked for it.
		unsound((*P, *hooks("plain", AUTH_PLAIN="")), HELO, LOGIN)
		for record in (HELO, MAILED, LOGIN, RSET, STARTTLS, XCLIENT, MESSAGE, VOID, begun[1], step("VRFY", "x")):
		    unsound((*X, "--xclient", "192.0.2.9", *checks[:2]), begun, record, ran=["AUTH X"], env={"TCPREMOTEIP": "192.0.2.9"})
		# One line of base64 each, or there would be more for the hook to read.
		for text in ("Yg==\nYg==", "Yg=", "A" * 12292, "A" * 12290, "*"):
		    unsound(X, begun, rec("RESPONSE", 0, text), ran=["AUTH X"])
		    unsound(X, HELO, rec("CHALLENGE", 0, "X", text))
		unsound(X, begun, good, WAIT, good, ran=["AUTH X", "YQ== Yg=="])
		unsound(X, begun, good, WAIT, LOGIN, ran=["AUTH X", "YQ== Yg=="])
		unsound(X, begun, rec("CANCEL"), good, ran=["AUTH X"])
		# The hook AUTH that ends the session.
		unsound((*P, *hooks("bye", AUTH="echo 221 2.0.0 bye\n")), HELO, LOGIN, WAIT, MAILED, ran=["asked", "AUTH PLAIN"])
		show()
	PY
}

@test "nobody guesses on behind --max-errors, nor stays behind --session-timeout" {
	py <<-'PY'
		from hostile import *
		import time
		refuses = ("-A", "-a", f"cat <&3 >/dev/null; echo asked >>{RAN}; exit 1", "--auth-plaintext", "--auth-cram-md5")
		for n in 1, 2:
		    unsound((*refuses, "--max-errors", str(n)), HELO, [LOGIN, WAIT] * n, LOGIN, ran=["asked"] * n)
		unsound((*refuses, "--max-errors", "1"), HELO, LOGIN, WAIT, rec("CHALLENGE", 0, "CRAM-MD5"), ran=["asked"])
		sound((*refuses, "--max-errors", "0"), HELO, [LOGIN, WAIT] * 3, ran=["asked"] * 3)
		# A message that is accepted begins the count anew.
		sound((*refuses, "--max-errors", "1"), HELO, LOGIN, WAIT, MAILED, RCPT, MESSAGE, WAIT, LOGIN, WAIT,
		      ran=["asked", "command c@d", "asked"])
		# So does who ends an exchange that he has not lost.
		exchange = [rec("CHALLENGE", 0, "CRAM-MD5"), WAIT, rec("CANCEL")]
		sound((*refuses, "--max-errors", "2"), HELO, exchange * 2)
		unsound((*refuses, "--max-errors", "2"), HELO, exchange * 2, exchange[0])
		late = ("--session-timeout", "1", "-q", "-A", "--", "sh", "-c")
		def tardy(how):
		    begun = time.monotonic()
		    status, out, ran, err = played((*late, "sleep 2"), HELO, how)
		    took = time.monotonic() - begun
		    if status != 70 or not 5 < took < 18 or "went on after the end of the session" not in err:
		        WRONG.append((how, status, took, err[-300:]))
		def punctual():
		    """What was begun in time is finished."""
		    status, out, ran, err = played((*late, "sleep 13"), HELO, MAILED, RCPT, MESSAGE, WAIT)
		    if status != 0 or "1 250" not in out:
		        WRONG.append((status, out, err[-300:]))
		if os.path.exists(RAN):
		    os.unlink(RAN)
		threads = [threading.Thread(target=tardy, args=(how,)) for how in
		           (["HANG"], ["CHATTER"], ["FLOOD"], [MAILED, RCPT, MESSAGE, WAIT] * 12, [MAILED, RCPT, MESSAGE] * 40)]
		threads.append(threading.Thread(target=punctual))
		for thread in threads:
		    thread.start()
		for thread in threads:
		    thread.join()
		# Nor does who has said that he ends.
		for how in "HANG", "CHATTER":
		    status, out, ran, err = played(("-q", "-A", "--", "true"), HELO, rec("END", 0, "quit"), how)
		    if status != 70 or "went on after it had said that it ends" not in err:
		        WRONG.append((how, status, err[-300:]))
		show()
	PY
}

@test "STARTTLS: once, in its place, and after its hook has spoken" {
	py <<-'PY'
		from hostile import *
		ready = rec("STARTTLS", 0, "220 2.0.0 Ready\r\n")
		for kind, begins in ("ucspi", STARTTLS), ("wrapper", ready), ("ack", ready):
		    other = ready if begins is STARTTLS else STARTTLS
		    for script in ([begins], [HELO, other], [HELO, MAILED, begins], [HELO, begins, WAIT, begins],
		                   [HELO, rec("STARTTLS", 0, "x" * 5000)]):
		        unsound(("-A",), script, tls=kind)
		    unsound(("-A",), HELO, begins)
		    unsound(("-A", "--auth-plaintext", "-a", "true"), HELO, LOGIN, WAIT, begins, tls=kind)
		for kind, begins in ("ucspi", STARTTLS), ("wrapper", ready):
		    sound(("-A", "--require-tls"), HELO, begins, WAIT, HELO, MAILED, RCPT, MESSAGE, WAIT, tls=kind, says="1 \n",
		          ran=["command c@d"])
		    unsound(("-A",), HELO, begins, WAIT, MAILED, tls=kind)
		    unsound(("-A",), HELO, begins, WAIT, HELO, begins, tls=kind)
		    H = ("-A", *hooks("tls", STARTTLS="", NOOP=""))
		    sound((*H, "-d"), HELO, step("STARTTLS"), rec("SAID", 1, "220 x"), begins, WAIT, HELO, tls=kind, ran=["STARTTLS"])
		    unsound(H, HELO, begins, tls=kind)
		    unsound(H, step("STARTTLS"), tls=kind)
		    for between in ([HELO], step("NOOP"), [RSET], [MAILED, RSET]):
		        unsound(H, HELO, step("STARTTLS"), between, begins, tls=kind,
		                ran=["STARTTLS", *(["NOOP"] if len(between) == 3 else [])])
		    unsound(H, HELO, step("STARTTLS"), begins, WAIT, HELO, step("STARTTLS"), tls=kind, ran=["STARTTLS"])
		    for no in ("550 5.7.1 no", "221 2.0.0 no"):
		        unsound(("-A", *hooks("tls" + no[:3], STARTTLS=f"echo {no}\n")), HELO, step("STARTTLS"), begins, tls=kind,
		                ran=["STARTTLS"])
		show()
	PY
}

@test "PROXY and XCLIENT: from whom they may come, when, and nothing before" {
	py <<-'PY'
		from hostile import *
		checks = ("-a", f"cat <&3 >/dev/null; echo asked >>{RAN}", "--auth-plaintext")
		P = ("-p", "-A", *checks, *hooks("proxied", PING="", QUIT=""))
		tail = [HELO, MAILED, RCPT, MESSAGE, WAIT]
		sound(P, PROXY, WAIT, tail, ran=["command c@d"])
		sound((*P, "--require-tls"), rec("PROXY", 2, ADDRESSES, "TLSv1.3 X"), WAIT, tail, ran=["command c@d"])
		sound((*P, "-d"), rec("SAID", 1, "421 x"), rec("END", 0, "timeout"))
		for record in (HELO, RSET, VOID, LOGIN, XCLIENT, STARTTLS, rec("REFUSED", 0, "x", "y"), step("PING"), step("QUIT"),
		               rec("CHALLENGE", 0, "CRAM-MD5"), rec("CANCEL"), rec("VERDICT")):
		    unsound((*P, "--xclient", "127.0.0.1"), record, env={"TCPREMOTEIP": "127.0.0.1"})
		for record in (rec("PROXY", 3, ADDRESSES), rec("PROXY", 2), rec("PROXY", 0, ADDRESSES), rec("PROXY", 1, ADDRESSES),
		               rec("PROXY", 2, ADDRESSES + " LOGIN=root"), rec("PROXY", 2, ADDRESSES + " NAME=x"),
		               rec("PROXY", 2, "ADDR=192.0.2.7 PORT=1"), rec("PROXY", 2, ADDRESSES.replace("2.7", "2.777")),
		               rec("PROXY", 2, ADDRESSES, "TLS\n"), rec("PROXY", 2, ADDRESSES, "x" * 128)):
		    unsound(P, record)
		unsound(P, PROXY, WAIT, PROXY)
		unsound(("-A",), PROXY)
		unsound((*P, "--require-tls"), PROXY, WAIT, HELO, MAILED)
		# A header makes nobody more than he was.
		unsound(("-p", "-D", "example.org"), PROXY, WAIT, HELO, MAILED, RCPT, env={"RELAYCLIENT": ""})
		unsound(("-p", "-r", "127.0.0.1"), rec("PROXY", 0), WAIT, HELO, MAILED, RCPT, env={"TCPREMOTEIP": "127.0.0.1"})
		# XCLIENT.
		listed = {"TCPREMOTEIP": "192.0.2.9"}
		X = ("--xclient", "192.0.2.9", *checks)
		logs_in = rec("XCLIENT", 0, "LOGIN=joe HELO=x")
		sound(X, XCLIENT, WAIT, HELO, XCLIENT, WAIT, env=listed)
		sound((*X, "--require-auth"), logs_in, WAIT, MAILED, RCPT, MESSAGE, WAIT, env=listed, ran=["command c@d"], says="3 \n")
		unsound((*X, "--require-auth"), logs_in, WAIT, rec("XCLIENT", 0, "HELO=x"), WAIT, MAILED, env=listed)
		unsound(X, logs_in, WAIT, rec("XCLIENT", 0, "HELO=x"), WAIT, MAILED, RCPT, env=listed)
		unsound(X, HELO, LOGIN, WAIT, XCLIENT, WAIT, HELO, MAILED, RCPT, env=listed, ran=["asked"])
		unsound(X, logs_in, WAIT, LOGIN, env=listed)
		unsound(X, XCLIENT, WAIT, MAILED, env=listed)
		unsound(X, HELO, MAILED, XCLIENT, env=listed)
		unsound(X, XCLIENT, env={"TCPREMOTEIP": "192.0.2.8"})
		unsound(X, XCLIENT)
		unsound(checks, XCLIENT, env=listed)
		unsound((*X, "--require-tls"), XCLIENT, env=listed)
		for text in ("", "X=y", "ADDR=x", "NAME=a NAME=b", "LOGIN=a+0Ab", "LOGIN=" + "x" * 256):
		    unsound(X, rec("XCLIENT", 0, text), env=listed)
		# A peer whom only XCLIENT puts on the list is not on it.
		unsound(("-p", *X), rec("PROXY", 2, ADDRESSES), WAIT, rec("XCLIENT", 0, "ADDR=192.0.2.9"), env=listed)
		# Whom the hook does not welcome has nothing to say, but good-bye.
		R = (*X, *hooks("unwelcome", CONNECT='[ -z "$TCPREMOTEHOST" ] || echo 554 5.7.1 no\n', QUIT=""))
		sound(R, XCLIENT, WAIT, step("QUIT"), env=listed, ran=["CONNECT", "CONNECT", "QUIT"])
		for record in (HELO, logs_in, XCLIENT, LOGIN, RSET):
		    unsound(R, XCLIENT, WAIT, record, env=listed, ran=["CONNECT", "CONNECT"])
		# TLS begins behind an XCLIENT: the client is still he, and the peer who
		# may say so, too.
		sound((*X, "-A"), HELO, XCLIENT, WAIT, HELO, STARTTLS, WAIT, HELO, XCLIENT, WAIT, env=listed, tls="ucspi")
		unsound(X, HELO, logs_in, WAIT, STARTTLS, env=listed, tls="ucspi")
		show()
	PY
}
