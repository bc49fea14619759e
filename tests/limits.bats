#!/usr/bin/env bats
# shellcheck shell=bats
# Clocks, counts, options, the log, memory.

# shellcheck disable=SC2154

load lib

setup_file() {
	stage
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

# Clocks.

@test "-t: a client that says nothing gets 421 4.4.2, wherever it stopped" {
	"$PYTHON" "$BATS_TEST_DIRNAME/clocks.py" silent
	[ "$(messages)" -eq 0 ]
}

@test "--session-timeout: a client that goes on talking gets 421 4.4.2" {
	"$PYTHON" "$BATS_TEST_DIRNAME/clocks.py" chatty
	[ "$(messages)" -eq 0 ]
}

@test "--session-timeout: nor does it help to be fast, in commands and in data" {
	"$PYTHON" "$BATS_TEST_DIRNAME/clocks.py" flood
	[ "$(messages)" -eq 0 ]
}

@test "a client that never reads does not hold a session" {
	"$PYTHON" "$BATS_TEST_DIRNAME/clocks.py" deaf
}

@test "a client that drips within -t is waited for" {
	"$PYTHON" "$BATS_TEST_DIRNAME/clocks.py" drip
}

# Counts.

@test "--max-recipients: n are taken, n + 1 are not, and those taken stay" {
	py <<-'PY'
		from session import STAGE, Session
		for n, options in ((1, ("--max-recipients", "1")), (3, ("--max-recipients=3",)),
		                   (1000, ())):
		    # One that is too many is no error that would count.
		    smtp = Session("-A", "-q", "--max-errors", "2", *options, "cp",
		                   "/proc/self/environ", f"{STAGE}/mail/env{n}", hello=None)
		    smtp.talk.expect("220")
		    assert b"250-LIMITS RCPTMAX=%d\r\n" % n in smtp.talk.ask("EHLO me", "250")
		    for _ in range(2):
		        smtp.talk.send(b"MAIL FROM:<a@b>\r\n" +
		                       b"".join(b"RCPT TO:<r%d@d>\r\n" % i for i in range(n + 3)))
		        smtp.talk.expect("250 2.1.0")
		        for _ in range(n):
		            smtp.talk.expect("250 2.1.5")
		        for _ in range(3):
		            smtp.talk.expect("452 4.5.3")
		        smtp.talk.ask("RSET", "250")
		    smtp.talk.send(b"MAIL FROM:<a@b>\r\n" +
		                   b"".join(b"RCPT TO:<r%d@d>\r\n" % i for i in range(n + 1)))
		    for _ in range(n + 2):
		        smtp.talk.reply()
		    smtp.talk.ask("DATA", "354")
		    smtp.talk.data(b"x\n")
		    smtp.talk.expect("250")
		    smtp.quit()
		    with open(f"{STAGE}/mail/env{n}", "rb") as file:
		        wanted = b"RECIPIENTS=" + b"\n".join(b"r%d@d" % i for i in range(n))
		        assert wanted in file.read().split(b"\0"), n
	PY
}

@test "--max-messages: n are taken, then 421" {
	py <<-'PY'
		from session import Session
		for n in (1, 3):
		    smtp = Session("-A", "-q", "--max-messages", str(n), "true")
		    for _ in range(n):
		        assert smtp.message(b"x\n").startswith(b"250")
		    smtp.talk.ask("NOOP", "250")
		    smtp.talk.ask("MAIL FROM:<a@b>", "421 4.")
		    assert smtp.talk.eof() == b""
		    smtp.ended()
		    smtp = Session("-A", "-q", "--max-messages", str(n), "true")
		    for _ in range(n):
		        assert smtp.message(b"x\n").startswith(b"250")
		    smtp.quit()
		smtp = Session("-A", "-q", "--max-messages", "0", "true")
		for _ in range(200):
		    assert smtp.message(b"x\n").startswith(b"250")
		smtp.quit()
	PY
}

@test "--max-errors: behind n refused commands the next one is the last" {
	py <<-'PY'
		from session import Session
		for n, options in ((1, ("--max-errors", "1")), (3, ("--max-errors=3",)), (20, ())):
		    bad = (b"WHAT\r\n", b"MAIL\r\n", b"EXPN x\r\n", b"bare\nline\r\n", b"x" * 13000 + b"\r\n")
		    for last in (b"NOOP\r\n", b"WHAT\r\n", b"EHLO me\r\n", b"bare\n", b"x" * 13000):
		        smtp = Session("-A", "-q", *options, "true")
		        for i in range(n):
		            smtp.talk.send(bad[i % len(bad)])
		            smtp.talk.expect("50")
		        smtp.talk.send(last)
		        smtp.talk.expect("421 4.7.0")
		        assert smtp.talk.eof() == b"", (n, last)
		        smtp.ended()
		    # One fewer is none too many, and an accepted message forgives.
		    smtp = Session("-A", "-q", *options, "true")
		    for _ in range(3):
		        for _ in range(n - 1):
		            smtp.talk.ask("WHAT", "500")
		        assert smtp.message(b"x\n").startswith(b"250")
		    smtp.quit()
		# A message that was refused, or never came to be, forgives nothing.
		smtp = Session("-A", "-q", "--max-errors", "2", "false")
		smtp.talk.ask("WHAT", "500")
		assert smtp.message(b"x\n").startswith(b"451")
		smtp.talk.ask("RSET", "250")
		smtp.talk.ask("EHLO me", "250")
		smtp.talk.ask("WHAT", "500")
		smtp.talk.ask("NOOP", "421 4.7.0")
		assert smtp.talk.eof() == b""
		smtp.ended()
		# Recipients that are refused count.
		smtp = Session("-q", "-D", "b", "--max-errors", "2", "true", kind="pipe")
		smtp.talk.ask("MAIL FROM:<a@b>", "250")
		smtp.talk.ask("RCPT TO:<a@c>", "550")
		smtp.talk.ask("RCPT TO:<a@c>", "550")
		smtp.talk.ask("RCPT TO:<a@b>", "421 4.7.0")
		smtp.ended()
	PY
}

@test "pipelined, the limits are the same" {
	py <<-'PY'
		from session import Session
		smtp = Session("-A", "-q", "--max-errors", "3", "true")
		smtp.talk.send(b"WHAT\r\n" * 1000 + b"QUIT\r\n")
		replies = smtp.talk.eof().splitlines()
		assert [r[:3] for r in replies] == [b"500"] * 3 + [b"421"], replies
		smtp.ended()
	PY
}

@test "-c and --per-client: n are served, one more is told why and is gone, exactly" {
	serve -c 3 --per-client 2 true
	py "127.0.0.1:$port" "$pid" <<-'PY'
		import sys
		from session import until
		from talk import Conversation, children
		address = sys.argv[1]
		def all_gone():
		    return not children(int(sys.argv[2]))
		def come(source):
		    talk = Conversation.connect(address, source=source)
		    return talk, talk.reply()
		full = b"421 4.3.2 Too many connections, try again later\r\n"
		yours = b"421 4.7.0 Too many connections from your address\r\n"
		for _ in range(3):
		    served = []
		    def one(source):
		        talk, reply = come(source)
		        if reply.startswith(b"220 "):
		            served.append(talk)
		            return True
		        assert reply in (full, yours) and talk.eof() == b"", reply
		        talk.close()
		    until(one, "127.0.0.1"), until(one, "127.0.0.1")
		    # As many of the others as like.
		    for _ in range(20):
		        talk, reply = come("127.0.0.1")
		        assert reply == yours and talk.eof() == b"", reply
		    until(one, "127.0.0.2")
		    for source in ("127.0.0.2", "127.0.0.3") * 10:
		        talk, reply = come(source)
		        assert reply == full and talk.eof() == b"", reply
		    for talk in served:
		        talk.ask("NOOP", "250")
		        talk.close()
		    # Their places are free as soon as the listener has noticed.
		    until(all_gone)
	PY
	stop "$pid"
}

@test "SMTP_RCPT_OPTIONS may have 120 KiB and no octet more" {
	py <<-'PY'
		import os
		from session import STAGE, Session
		MAX, option = 120 * 1024, b"ORCPT=rfc822;%0483d"
		for over in (0, 1):
		    smtp = Session("-A", "-q", "cp", "/proc/self/environ", f"{STAGE}/mail/options")
		    options = [option % n for n in range(MAX // 497)]
		    assert {len(o) for o in options} == {496}
		    options.append(b"ORCPT=rfc822;%0*d" % (MAX - 497 * len(options) - 13 + over, 1))
		    smtp.talk.ask("MAIL FROM:<a@b>", "250")
		    smtp.talk.send(b"".join(b"RCPT TO:<c@d> %b\r\n" % o for o in options))
		    for _ in options[:-1]:
		        smtp.talk.expect("250 2.1.5")
		    smtp.talk.expect("452 4.5.3 Too many recipients\r\n" if over else "250 2.1.5")
		    smtp.talk.ask("DATA", "354")
		    smtp.talk.data(b"x\n")
		    smtp.talk.expect("250")
		    smtp.quit()
		    with open(f"{STAGE}/mail/options", "rb") as file:
		        found = [v for v in file.read().split(b"\0") if v.startswith(b"SMTP_RCPT_OPTIONS=")]
		    os.unlink(f"{STAGE}/mail/options")
		    assert found == [b"SMTP_RCPT_OPTIONS=" + b"\n".join(options[:-1] if over else options)], over
	PY
}

# The command line.

@test "a bad value is one line and 64, before any greeting: every option" {
	py <<-'PY'
		from policy import usage
		cases = []
		numbers = {  # least, most that makes sense to nobody
		    "--concurrency": 1, "--per-client": 0, "--timeout": 1, "--session-timeout": 0,
		    "--command-timeout": 1, "--size": 0, "--max-recipients": 1, "--max-messages": 0,
		    "--max-errors": 0, "--max-hops": 0}
		for name, least in numbers.items():
		    for bad in ("", "x", "1x", " 1", "1 ", "-1", "+1", "1.5", "0x10", "1e3",
		                "18446744073709551616", "99999999999999999999999999"):
		        cases += [(name, bad), (f"{name}={bad}",)]
		    if least:
		        cases.append((name, "0"))
		for letter in "cts":
		    cases += [(f"-{letter}", "x"), (f"-{letter}x",), (f"-{letter}=1",)]
		for name in ("-b", "--bare-newline"):
		    cases += [(name, bad) for bad in ("", "x", "Reject", "normalise", "reject ")]
		cases += [("--hostname", bad) for bad in
		          ("", "a b", "a\nb", "a..b", "-a", "<a>", "x" * 300, "a\r\nSubject:", "\u00e9")]
		cases += [("-l", bad) for bad in
		          ("", ":", "x", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
		           "127.0.0.1:-1", "[::1]", "[::1:25", "::1:25", "unix:")]
		cases += [("--hide", bad) for bad in ("", "x", "SIZE ", "SIZ", "SIZES", "SIZE,HELP")]
		usage(*cases)
	PY
}

@test "unknown options and missing values: one line that names them" {
	py <<-'PY'
		import subprocess
		from policy import usage
		from session import SMTPD
		unknown = ("--what", "--what=x", "-Z", "-qZ", "-", "--=x", "--quiet=x", "--any=1", "-q0")
		usage(*((name,) for name in unknown if name != "-"))
		takes = ("-l", "-c", "-U", "-t", "-s", "-b", "-D", "-r", "--listen", "--concurrency",
		         "--per-client", "--user", "--timeout", "--session-timeout", "--command-timeout",
		         "--hostname", "--size", "--bare-newline", "--domain", "--relay-from",
		         "--max-recipients", "--max-messages", "--max-errors", "--max-hops")
		for name in unknown[:3] + takes:
		    done = subprocess.run([SMTPD, name], input=b"", capture_output=True, timeout=20)
		    assert done.returncode == 64 and done.stdout == b"", (name, done)
		    line = done.stderr.decode()
		    assert line.count("\n") == 1 and name.split("=")[0] in line, (name, line)
	PY
}

@test "--name=value and --name value, -n value and -nvalue are the same" {
	py <<-'PY'
		from session import Session
		for options in (("--size=1000",), ("--size", "1000"), ("-s", "1000"), ("-s1000",),
		                ("-Aqs1000",), ("-s", "7", "--size", "1000"), ("-s", "1000", "--"),
		                ("-s", "00001000")):
		    smtp = Session("-A", "-q", *options, "true", hello=None)
		    smtp.talk.expect("220")
		    assert b"SIZE 1000\r\n" in smtp.talk.ask("EHLO me", "250"), options
		    smtp.quit()
	PY
}

@test "behind the command's name, options are the command's; -- ends smtpd's" {
	py <<-'PY'
		from session import Session
		for arguments in (("-A", "-q", "sh", "-c", "exit 67", "-s", "1", "--what"),
		                  ("-A", "-q", "--", "sh", "-c", "exit 67", "-s", "1", "--what")):
		    smtp = Session(*arguments)
		    assert smtp.message(b"Subject: x\n").startswith(b"550 5.1.1"), arguments
		    smtp.quit()
		# A command whose name is like an option.
		smtp = Session("-A", "-q", "--", "-x")
		assert smtp.message(b"x\n").startswith(b"451 4.3.5")
		smtp.quit()
	PY
}

@test "a user or a group that cannot be taken on: 78, one line, no greeting" {
	py <<-'PY'
		import os
		from policy import refused
		cases = [("-U", "no-such-user"), ("-U", "no-such-user:nogroup"), ("-U", ""),
		         ("-U", ":"), ("-U", "4294967296"), ("--user=" + "x" * 300,),
		         ("-U", "nobody:no-such-group"), ("-U", "nobody:4294967296"), ("-U", "nobody:")]
		if os.getuid() != 0:
		    cases.append(("-U", "root"))
		refused(78, *cases)
	PY
}

@test "-U takes user, user:group and numbers; -n stays root" {
	need_root
	py <<-'PY'
		import grp, pwd
		from session import Session
		daemon = pwd.getpwnam("daemon")
		mail = grp.getgrnam("mail")
		for option, uid, gid in (
		        ("-Udaemon", daemon.pw_uid, daemon.pw_gid),
		        ("-Udaemon:mail", daemon.pw_uid, mail.gr_gid),
		        (f"--user={daemon.pw_uid}:{mail.gr_gid}", daemon.pw_uid, mail.gr_gid),
		        ("-n", 0, 0)):
		    smtp = Session("-A", option, "true")
		    for pid in (smtp.process.pid, smtp.dialogue()):
		        with open(f"/proc/{pid}/status") as file:
		            words = dict(line.split(":", 1) for line in file)
		        assert set(words["Uid"].split()) == {str(uid)}, (option, words["Uid"])
		        assert set(words["Gid"].split()) == {str(gid)}, (option, words["Gid"])
		        if uid and ":" in option:
		            assert words["Groups"].split() in ([], [str(gid)]), words["Groups"]
		    log = smtp.quit()
		    assert ("running as user daemon" in log) == (uid != 0), log
	PY
}

@test "an option that can have no effect: an error line, with -q too, and on it goes" {
	py <<-'PY'
		from session import Session, show
		wrong = []
		for options, name in ((("-c", "5"), "--concurrency"), (("--per-client", "5"), "--per-client"),
		                      (("-A", "-D", "example.org"), "--domain"),
		                      (("-A", "-r", "192.0.2.1"), "--relay-from"),
		                      (("-A", "--no-trust"), "--no-trust"),
		                      (("-n", "-U", "nobody"), "--user"),
		                      (("-1", "--max-recipients", "5"), "--max-recipients"),
		                      (("-d", "-q"), "--debug")):
		    smtp = Session("-q", *options, "true")
		    log = smtp.quit()
		    lines = [line for line in log.splitlines() if name in line and "no effect" in line]
		    if len(lines) != 1 or not lines[0].startswith("smtpd: "):
		        wrong.append((options, log))
		# And none where there is nothing to say.
		smtp = Session("-q", "-D", "example.org", "-r", "192.0.2.1", "--no-trust", "-C", "-u",
		               "--max-hops", "3", "true")
		if smtp.quit() != "":
		    wrong.append(smtp.log())
		show(wrong)
	PY
}

# The log.

@test "the log: one line an event, key=value, all of one session" {
	py <<-'PY'
		from session import Session, log_lines
		smtp = Session("-D", "example.org", "sh", "-c",
		               'cat >/dev/null; case $RECIPIENTS in no*) exit 67; esac', kind="tcp")
		port = str(smtp.talk.sock.getsockname()[1])
		smtp.message(b"Subject: secret\n\nsecret\n", "one@example.org", "two@example.net",
		             sender='<"a b\\"c"@example.com>')
		smtp.message(b"x\n", "no@example.org", sender="<>")
		smtp.offer("bare@example.org", sender="<a=b@x>")
		smtp.talk.send(b"bare\nline\r\n.\r\n")
		smtp.talk.expect("550 5.6.0")
		smtp.talk.ask("NONSENSE with words", "500")
		smtp.talk.ask("MAIL FROM:<x", "501")
		log = smtp.quit()
		lines = [line for line in log_lines(log) if isinstance(line, dict)]
		assert "secret" not in log
		assert len({line["session"] for line in lines}) == 1, lines
		events = [line["event"] for line in lines]
		assert events == ["connect"] + ["message"] * 3 + ["refused"] * 2 + ["end"], events
		assert lines[0]["peer"] == "127.0.0.1" and lines[0]["port"] == port
		keys = ["session", "event", "number", "peer", "port", "user", "helo", "sender",
		        "recipients", "count", "size", "seconds", "reply"]
		want = [
		    ("1", '"a b\\"c"@example.com', "one@example.org,two@example.net", "2", "250 2.0.0 OK"),
		    ("2", "", "no@example.org", "1", "550 5.1.1 "),
		    ("3", "a=b@x", "bare@example.org", "1", "550 5.6.0 ")]
		for line, (number, sender, recipients, count, reply) in zip(lines[1:4], want):
		    assert list(line) == keys, line
		    assert (line["number"], line["sender"], line["recipients"], line["count"]) == \
		        (number, sender, recipients, count), line
		    assert line["reply"].startswith(reply) and line["helo"] == "me.example.org", line
		    assert line["peer"] == "127.0.0.1" and line["port"] == port, line
		    assert float(line["seconds"]) < 10 and line["size"].isdigit(), line
		assert [line["command"] for line in lines[4:6]] == \
		    ["NONSENSE with words", "MAIL FROM:<x"], lines
		assert lines[5]["reply"].startswith("501 5.5.4"), lines
		assert lines[6]["reason"] == "quit" and lines[6]["messages"] == "3", lines
	PY
}

@test "no client can forge a line of the log, or a field" {
	py <<-'PY'
		from session import Session, log_lines
		smtp = Session("-A", "-u", "-d", "--max-errors", "0", "sh", "-c",
		               "printf '550 \"%0480d\" event=end' 1; exit 67", hello=None)
		smtp.talk.expect("220")
		forged = 'x" event=message sender=forged\\'
		lines = [b"EHLO a\x01b", b"EHLO a\tb", b"HELO \x1b[2J", b"NOOP \x7f\x80\xff",
		         b"EHLO x\rsmtpd: session=1 event=forged", b"WHAT \0 event=forged",
		         forged.encode(), b"event=forged", b'MAIL FROM:<"\xff" event=forged>',
		         b"EHLO " + forged.encode().replace(b" ", b"") + b" event=forged",
		         b"EHLO " + b'"' * 500]
		for line in lines:
		    smtp.talk.send(line + b"\r\n")
		    smtp.talk.reply()
		# All fields as long as they can be, and each octet escaped.
		smtp.offer('"' + '\\"' * 230 + '"@x', *['"' + "\\\\" * 200 + '"@y'] * 20,
		           sender='<"' + "\u20ac" * 150 + '"@x>', rest=" SMTPUTF8")
		smtp.talk.send(b".\r\n")
		smtp.talk.expect("550 ")
		log = smtp.quit()
		assert all(c == "\n" or " " <= c <= "~" for c in log), "not printable ASCII"
		assert not log.startswith("event") and "\nsession" not in log
		found = [line for line in log_lines(log) if isinstance(line, dict)]
		assert not [line for line in found if line["event"] in ("forged", "message") and
		            line.get("number") != "1"], found
		refused = [line["command"] for line in found if line["event"] == "refused"]
		assert "EHLO a\x01b" in refused and forged in refused and "event=forged" in refused, refused
		message = next(line for line in found if line["event"] == "message")
		assert message["count"] == "21" and message["reply"].startswith('550 "000'), message
		assert message["sender"].endswith("..."), message
		assert len({line["session"] for line in found}) == 1, found
	PY
}

@test "-q: errors only; -d: every line of the dialogue, never the data" {
	py <<-'PY'
		from session import Session, log_lines
		def talk(*options):
		    smtp = Session("-A", *options, "sh", "-c", "cat >/dev/null; echo 250-one; echo 250 two")
		    smtp.talk.ask("nonsense", "500")
		    smtp.offer("to@example.net")
		    smtp.talk.send(b"Subject: secret\r\n\r\n..secret\r\nMAIL FROM:<x>\r\n.\r\n")
		    smtp.talk.expect("250-one")
		    return smtp, smtp.quit()
		smtp, log = talk("-q")
		assert log == "", log
		smtp, log = talk("-d")
		assert "secret" not in log and "MAIL FROM:<x>" not in log
		lines = [line for line in log_lines(log) if isinstance(line, dict)]
		said = [line["line"] for line in lines if line["event"] == "server"]
		heard = [line["line"] for line in lines if line["event"] == "client"]
		# The greeting is said before there is a dialogue.
		seen = smtp.talk.seen.decode().splitlines()
		assert said in (seen, seen[1:]), (said, seen)
		assert heard == ["EHLO me.example.org", "nonsense", "MAIL FROM:<from@example.org>",
		                 "RCPT TO:<to@example.net>", "DATA", "QUIT"], heard
		_, log = talk()
		assert "event=client" not in log and "event=server" not in log, log
	PY
}

# Memory.

@test "memory: an idle connection, 2,000 messages, a message of 32 MiB" {
	grep -q __asan_init "$SMTPD" && skip "built with AddressSanitizer"
	"$PYTHON" "$BATS_TEST_DIRNAME/memory" "$SMTPD" 2000 >"$BATS_TEST_TMPDIR/memory"
	cat "$BATS_TEST_TMPDIR/memory"
	awk -F '[:,] +' '
		/^idle|^the same/ { idle++; if ($NF >= 320) exit bad = 1 }
		/^its own .* 10 messages/ { first = $2 }
		/^its own .* 2000 messages/ { last = $2 }
		/^peak with 64 KiB/ { split($2 " " $3, a, " "); small = a[2] + a[4] }
		/^peak with 32 MiB/ { split($2 " " $3, a, " "); large = a[2] + a[4] }
		END {
			if (bad || idle != 3 || !first || !last || !small || !large)
				exit 1
			exit last > first + 16 || large > small + 1024
		}' "$BATS_TEST_TMPDIR/memory"
}

@test "a password that AUTH was given is in no log, refused or with -d" {
	secret=AGFubgBzZWNyZXQ=
	printf '%s\r\n' 'EHLO me' "AUTH PLAIN $secret" "auth plain $secret" QUIT |
		"$SMTPD" -n -d true >"$BATS_TEST_TMPDIR/replies" 2>"$BATS_TEST_TMPDIR/log"
	[ "$(grep -c '^502 5.5.1' "$BATS_TEST_TMPDIR/replies")" -eq 2 ]
	grep -q 'event=refused .*command="AUTH PLAIN"' "$BATS_TEST_TMPDIR/log"
	run -1 grep -F "$secret" "$BATS_TEST_TMPDIR/log"
}

@test "--session-timeout: what was pipelined before its end is not done after it" {
	mail='MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\n'
	# shellcheck disable=SC2059 # it is the format
	printf "HELO me\r\n$mail$mail${mail}QUIT\r\n" >"$BATS_TEST_TMPDIR/in"
	"$SMTPD" -n -q --session-timeout 1 sh -c 'cat >/dev/null; sleep 1.5' \
		<"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	[ "$(grep -c '^250 2.0.0' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
	[[ $(tail -n 1 "$BATS_TEST_TMPDIR/out") == "421 4.4.2 "* ]]
}
