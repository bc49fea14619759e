#!/usr/bin/env bats
# shellcheck shell=bats
# What broke other mail servers, and is too large, too long or too much of a
# program for a transcript. tests/CVES says where each of them is tested.
# shellcheck disable=SC2016,SC2028,SC2030,SC2031,SC2153,SC2154

load lib
load relay

setup_file() {
	stage
	cp "$SMTPD_BIN"/smtpd-{relay,maildir,mailman} \
		"$BATS_TEST_DIRNAME/../contrib/deliver/to-sendmail" "$STAGE"
	chmod 755 "$STAGE/to-sendmail"
}

teardown_file() {
	unstage
}

setup() {
	forget_messages
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	end_all
}

# upstream ARGUMENT ...: tests/upstream.py in the folder $up, its port in $port.
upstream() {
	up=$BATS_TEST_TMPDIR/up
	rm -rf "$up"
	mkdir "$up"
	start "$BATS_TEST_TMPDIR/log.up" "$PYTHON" \
		"$BATS_TEST_DIRNAME/upstream.py" "$up" "$@"
	eventually [ -e "$up/port" ]
	port=$(cat "$up/port")
	export up port
}

@test "every line of tests/CVES names a test, or a transcript, that is there" {
	local id what where name rows=0
	while IFS=$'\t' read -r id what where name; do
		[ -n "$id" ] && [ -n "$what" ] || {
			echo "no id or class: $id $what" >&2
			return 1
		}
		case $where in
		*.bats) grep -qFx "@test \"$name\" {" "$BATS_TEST_DIRNAME/$where" ;;
		transcripts/*) [ -f "$BATS_TEST_DIRNAME/$where" ] && [ -z "$name" ] ;;
		units_*.c) grep -qF "$name" "$BATS_TEST_DIRNAME/$where" && [ -n "$name" ] ;;
		*) false ;;
		esac || {
			echo "$id: no $name in $where" >&2
			return 1
		}
		rows=$((rows + 1))
	done < <(grep -v '^#' "$BATS_TEST_DIRNAME/CVES")
	[ "$rows" -gt 100 ]
}

@test "each CVE that a test speaks of is in tests/CVES" {
	grep -rhoE 'CVE-[0-9]{4}-[0-9]+' --include='*.bats' --include='*.c' \
		--include='*.py' --include='*.txt' --include=SECURITY.md \
		"$BATS_TEST_DIRNAME" "$BATS_TEST_DIRNAME/../SECURITY.md" | sort -u >said
	[ "$(wc -l <said)" -gt 40 ]
	grep -oE '^CVE-[0-9]{4}-[0-9]+' "$BATS_TEST_DIRNAME/CVES" | sort -u >listed
	[ -z "$(comm -23 said listed)" ] || {
		comm -23 said listed >&2
		return 1
	}
}

# --- commands

@test "every octet in each place of a command: one reply, and in step" {
	py <<-'PY'
		from field import *
		wrong, count = [], 0
		lines = (b"NOOP x", b"EHLO a", b"MAIL FROM:<a@b> SIZE=1", b'RCPT TO:<"a"@b>', b"HELP NOOP",
		         b"VRFY a", b"EXPN a", b"RSET", b"DATA", b"BDAT x", b"AUTH X", b"XCLIENT a=b",
		         b"STARTTLS", b"")
		for policy, first in ("reject", b"HELO me"), ("normalize", b"MAIL FROM:<s@t>"):
		    smtp = Session("-A", "-u", "-q", "--max-errors", "0", "-b", policy, "true")
		    smtp.talk.ask(first.decode(), "250")
		    # Each octet is replaced, and put behind the last one.
		    for line, at in ((line, at) for line in lines for at in range(len(line) + 1)):
		        tried = [line[:at] + bytes([octet]) + line[at + 1:] for octet in range(256)]
		        # A size is no syntax error, and takes what follows.
		        tried = [text for text in tried if not re.match(rb"BDAT \d", text)]
		        smtp.talk.send(b"".join(b"%b\r\nRSET\r\n%b\r\n" % (text, first) for text in tried))
		        for text in tried:
		            # With normalize LF is the end of a line, and there are two.
		            more = policy == "normalize" and b"\n" in text
		            for _ in range(1 + more):
		                reply = smtp.talk.reply()
		            if not more and reply[:1] != b"5" and re.search(rb"[\0-\x1f\x7f]", text.rstrip(b"\t")):
		                wrong.append((policy, text, reply))
		            for code in b"250 2.0.0", b"250":
		                reply = smtp.talk.reply()
		                if not reply.startswith(code):
		                    raise SystemExit(f"out of step behind {text}: {reply} {wrong}")
		            count += 1
		    smtp.quit()
		show(wrong)
		assert count > 60000, count
	PY
}

# CVE-2005-1513 qmail's command of 2 GB, CVE-2019-16928 Exim's EHLO, CVE-2026-38728
# smtp-server's data without a line end, CVE-2020-28020 Exim's folded header,
# CVE-2020-28017 Exim's, and qmail's, recipients by the million.
@test "what never ends costs no memory: lines, data, headers, chunks, recipients, floods" {
	grep -q __asan_init "$SMTPD" && skip "built with AddressSanitizer"
	py <<-'PY'
		import threading
		from field import *
		from auth import PLAINTEXT
		smtp = Session("-A", "-q", "-s", "0", "--max-errors", "0", "-a", "true", *PLAINTEXT, "true")
		assert smtp.message(b"x\n" * 300000).startswith(b"250")
		# The longest line, that of a login, has room of its own.
		for start in "AUTH PLAIN ", "AUTH LOGIN":
		    smtp.talk.ask(start + "x" * (1 << 20), "500 5.5.6")
		before, most = own(smtp), peak(smtp)
		block = b"x" * (1 << 20)
		def endless(head, tail, code, piece=block, times=64):
		    """Sends it from a thread: what is refused is answered at once."""
		    def send():
		        smtp.talk.send(head)
		        for _ in range(times):
		            smtp.talk.send(piece)
		        smtp.talk.send(tail)
		    thread = threading.Thread(target=send)
		    thread.start()
		    if isinstance(code, str):
		        code = {code: 1}
		    for reply, number in code.items():
		        for _ in range(number):
		            smtp.talk.expect(reply)
		    assert own(smtp) < before + 128, (head, piece[:20], before, own(smtp))
		    thread.join()
		for head in b"", b"EHLO ", b"MAIL FROM:<", b"MAIL FROM:<a@b> AUTH=", b"AUTH PLAIN ", b" ", b"\0":
		    endless(head, b"\r\n", "500 5.5.6", times=16)
		smtp.talk.ask("AUTH LOGIN", "334")
		endless(b"", b"\r\n", "500 5.5.6")
		# Valid commands without end are what --session-timeout is for; errors, --max-errors.
		for line, code in ((b"NOOP\r\n", "250"), (b"RSET\r\n", "250"), (b"VRFY a\r\n", "252"),
		                   (b"\r\n", "500 5.5.2"), (b"\n", "500 5.5.2")):
		    endless(b"", b"\r\n" if line == b"\n" else b"", {code: 10000}, piece=line * 1000, times=10)
		smtp.talk.ask("MAIL FROM:<a@b>", "250")
		# RFC 5321 4.5.3.1.10: those beyond the limit are refused, the others stay.
		endless(b"", b"", {"250 2.1.5": 1000, "452 4.5.3": 99000}, piece=b"RCPT TO:<r@d>\r\n" * 1000, times=100)
		smtp.talk.ask("RSET", "250")
		for head, piece in ((b"Subject: x\r\n\r\n", block), (b"", block), (b"X: y\r\n", b" folded \r\n" * 100000),
		                    (b"", b"From: <><><><>\r\n" * 60000), (b"From: ", b"<>" * 500000)):
		    smtp.offer("to@example.net")
		    endless(head, b"\r\n.\r\n", "250 2.0.0", piece, 32)
		smtp.talk.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n")
		smtp.talk.expect("250"), smtp.talk.expect("250")
		endless(b"BDAT %d\r\n" % (64 << 20), b"", "250 2.0.0")
		smtp.talk.ask("RSET", "250")
		assert peak(smtp) < most + 1024, (most, peak(smtp))
		smtp.quit()
	PY
}

# --- what a shell, an option parser or a path might obey

@test "hostile addresses, names and logins: nothing runs, in shells and in hooks" {
	mkdir -m 755 "$STAGE/hooks"
	for shell in bash sh; do
		cat >"$STAGE/$shell" <<-END
			#!/usr/bin/env $shell
			# As careless as can be without asking for it.
			cat >/dev/null
			set -- \$SENDER \$RECIPIENTS \$SMTP_HELO \$SMTP_ARGUMENT
			$shell -c : "\$@"
			cat /proc/self/environ >"\$MAIL/\$SMTP_SESSION.$shell\${SMTP_VERB+.\$SMTP_VERB}"
		END
	done
	chmod 755 "$STAGE/bash" "$STAGE/sh"
	for name in HELO MAIL VRFY NOOP AUTH PING; do
		ln -s ../bash "$STAGE/hooks/$name"
	done
	py <<-'PY'
		from field import *
		from auth import PLAINTEXT, plain
		wrong = []
		for shell in "bash", "sh":
		    hooks = ("-H", f"{STAGE}/hooks") if shell == "bash" else ()
		    smtp = Session("-A", *hooks, "--max-errors", "0", "-a", "true", *PLAINTEXT,
		                   f"{STAGE}/{shell}", hello=None)
		    smtp.talk.expect("220")
		    odd = f"() {{ :; }}; {TOUCH}"
		    smtp.talk.ask("HELO " + odd, "250")
		    smtp.talk.ask("EHLO " + odd, "250")
		    smtp.talk.ask("AUTH PLAIN " + plain(odd, "x"), "235")
		    for verb in ("NOOP", "VRFY", "PING") if hooks else ():
		        for text in odd, f"`{TOUCH}`", f"$({TOUCH})", f"-c {TOUCH}", f"';{TOUCH};'":
		            smtp.talk.ask(f"{verb} {text}", "25")
		    def check(address, reply):
		        path, = (p for p in os.listdir(MAIL) if p.endswith("." + shell))
		        found = environ(f"{MAIL}/{path}")
		        os.unlink(f"{MAIL}/{path}")
		        if not reply.startswith(b"250") or os.path.exists(CANARY):
		            return reply, os.path.exists(CANARY)
		        for name in b"SENDER", b"RECIPIENT", b"RECIPIENTS":
		            if found[name] != address.encode():
		                return name, found[name]
		        if found[b"SMTP_HELO"] != b"()" or found[b"SMTP_AUTH_USER"] != odd.encode():
		            return found
		        # What bash before 2014 took for a function: an administrator's checker has let it in.
		        return [name for name, value in found.items()
		                if value.startswith(b"() {") and name != b"SMTP_AUTH_USER" and b"BASH_FUNC" not in name]
		    wrong += each_address(smtp, check)
		    smtp.quit()
		assert not os.path.exists(CANARY)
		verbs = {name.rpartition(".")[2] for name in os.listdir(MAIL)}
		assert verbs == {"HELO", "AUTH", "NOOP", "VRFY", "PING", "MAIL"}, verbs
		show(wrong)
	PY
}

@test "hostile addresses, to each program: a name, an argument, a line, and no more" {
	upstream
	mkdir -m 1777 "$STAGE/root" "$STAGE/root/mail"
	mkdir -m 755 "$STAGE/lists" "$STAGE/lists/news"
	for name in sendmail wrapper; do
		cat >"$STAGE/$name" <<-END
			#!/bin/sh
			cat >/dev/null
			printf '%s\\0' "\$@" >"$MAIL/$name"
		END
		chmod 755 "$STAGE/$name"
	done
	PATH=$STAGE:$PATH py <<-'PY'
		import shutil
		from field import *
		up, wrong = os.environ["up"], []
		def play(check, *command):
		    smtp = Session("-A", "-q", "--max-errors", "0", "--hostname", "mx.example.org", "--no-received", *command)
		    found = each_address(smtp, check)
		    smtp.quit()
		    wrong.extend((command[0], *problem) for problem in found)
		def arguments(name):
		    with open(f"{MAIL}/{name}", "rb") as file:
		        found = file.read().decode().split("\0")[:-1]
		    os.unlink(f"{MAIL}/{name}")
		    return found
		def relayed(address, reply):
		    with open(f"{up}/commands") as file:
		        said = [line for line in file.read().splitlines() if line != "QUIT"]
		    os.truncate(f"{up}/commands", 0)
		    want = ["EHLO mx.example.org", f"MAIL FROM:<{address}>", f"RCPT TO:<{address}>", "DATA"]
		    said[1:2] = [line.split("> SIZE")[0] + ">" for line in said[1:2]]
		    return None if reply.startswith(b"250") and said == want else (reply, said)
		play(relayed, f"{STAGE}/smtpd-relay", f"127.0.0.1:{os.environ['port']}")
		def sent(address, reply):
		    found = arguments("sendmail")
		    return None if found == ["-i", "-f", address, "--", address] else (reply, found)
		play(sent, f"{STAGE}/to-sendmail")
		def listed(address, reply):
		    if reply.startswith(b"550 5.1.1 No such mailing list") and not os.path.exists(f"{MAIL}/wrapper"):
		        return None
		    return reply
		play(listed, f"{STAGE}/smtpd-mailman", "--wrapper", f"{STAGE}/wrapper", "--lists", f"{STAGE}/lists")
		def filed(address, reply):
		    # One name in one folder, nothing beside it; or a refusal.
		    names = [os.path.relpath(os.path.join(path, file), f"{STAGE}/root")
		             for path, _, files in os.walk(f"{STAGE}/root") for file in files]
		    depth = [name.count("/") for name in names]
		    for name in os.listdir(f"{STAGE}/root/mail"):
		        shutil.rmtree(f"{STAGE}/root/mail/{name}")
		    if reply.startswith(b"550 5.1.3") and not names:
		        return None
		    ok = reply.startswith(b"250") and depth == [4] and names[0].startswith("mail/") and "/new/" in names[0]
		    return None if ok else (reply, names)
		play(filed, f"{STAGE}/smtpd-maildir", "--create", f"{STAGE}/root/mail/%d/%u")
		show(wrong)
		assert not os.path.exists(CANARY)
	PY
}

# --- messages

@test "BDAT: what ends a message elsewhere is octets in a chunk" {
	py <<-'PY'
		from field import *
		from smuggling import decode
		wrong = []
		for options, policy, body in (((), "reject", ""), (("-b", "normalize"), "normalize", ""),
		                              (("-C",), "", " BODY=BINARYMIME")):
		    smtp = Session("-A", "-q", "--no-received", *options, "cp", "/dev/stdin", f"{MAIL}/message")
		    for sequence in (*SEQUENCES, END):
		        text = b"Subject: first\r\n\r\nfirst" + sequence + EMBEDDED
		        # No dot is doubled, and none is undone.
		        want = decode(text.replace(b"\r\n.", b"\r\n.."), policy, b"\n") if policy else text
		        for cut in 0, len(text) - len(EMBEDDED), len(text) - len(EMBEDDED) - 1, len(text):
		            smtp.talk.send(b"MAIL FROM:<a@b>%b\r\nRCPT TO:<c@d>\r\nBDAT %d\r\n%bBDAT %d LAST\r\n%bNOOP\r\n" %
		                           (body.encode(), cut, text[:cut], len(text) - cut, text[cut:]))
		            replies = [smtp.talk.reply() for _ in range(5)]
		            codes = [reply[:9] for reply in replies]
		            found = None
		            if os.path.exists(f"{MAIL}/message"):
		                with open(f"{MAIL}/message", "rb") as file:
		                    found = file.read()
		                os.unlink(f"{MAIL}/message")
		            if found != want or codes != [b"250 2.1.0", b"250 2.1.5", b"250 2.0.0",
		                                          b"550 5.6.0" if want is None else b"250 2.0.0", b"250 2.0.0"]:
		                wrong.append((policy, sequence, cut, codes, found))
		    smtp.quit()
		show(wrong)
	PY
}

@test "smtpd-relay: no bare CR or LF goes out, and one end of a message" {
	upstream
	export SENDER=ann@example.com RECIPIENTS=bob@example.org
	unset SMTP_SIZE SMTP_PROTOCOL SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS
	py <<-'PY'
		import glob, subprocess
		from field import *
		wrong, up = [], os.environ["up"]
		relay = (f"{STAGE}/smtpd-relay", f"127.0.0.1:{os.environ['port']}")
		sent = 0
		for sequence in (*SEQUENCES, END):
		    # As a command is given it: LF, or with -C CRLF, and whatever else is in it.
		    for text in (b"Subject: x\n\nfirst" + sequence + EMBEDDED.replace(b"\r\n", b"\n"),
		                 sequence, b"Subject: x\r\n\r\n" + sequence + EMBEDDED, b"x\n" + sequence[:-1]):
		        done = subprocess.run(relay, input=text, capture_output=True, timeout=20)
		        found = glob.glob(f"{up}/content.*")
		        if done.returncode == 65 and done.stdout.startswith(b"554 5.6.0") and not found and \
		                re.search(rb"\r(?!\n)|\0", text):
		            continue
		        sent += 1
		        path, = found
		        with open(path, "rb") as file:
		            octets = file.read()
		        os.unlink(path)
		        if done.returncode != 0 or re.search(rb"\r(?!\n)|(?<!\r)\n", octets) or \
		                (b"\r\n" + octets).index(END) != len(octets) - 3:
		            wrong.append((sequence, done, octets))
		        lines = text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n")
		        if octets[:-3] != b"".join((b"." if line[:1] == b"." else b"") + line + b"\r\n" for line in lines):
		            wrong.append((sequence, text, octets))
		show(wrong)
		with open(f"{up}/commands") as file:
		    assert file.read().count("MAIL FROM:<ann@example.com>") == sent > 40
	PY
}

# CVE-2020-8794 OpenSMTPD, CVE-2026-43964 Postfix: the other server is a
# stranger, too.
@test "smtpd-relay: replies of a code alone, of a megabyte, with NUL, that never end" {
	relay_setup
	upstream --offer 'AUTH_PLAIN_LOGIN'
	# A code is a reply.
	printf '%s\n' greeting=220 mail=250 rcpt=250 data=354 end=250 quit=221 >"$up/actions"
	relayed 0
	replied '250 OK'
	for reply in 550 '550 ' '550 5.7.2' '550-5.7.2\r\n550 5.7.2'; do
		for stage in greeting mail rcpt data end; do
			echo "$stage=$reply" >"$up/actions"
			relayed 69
			case $reply in
			*5.7.2) printf '%b\n' "${reply//'\r'/}" | cmp - out ;;
			*) replied '550 Upstream gives no reason' ;;
			esac
		done
	done
	long=$(head -c 1000000 /dev/zero | tr '\0' x)
	for stage in greeting end; do
		for reply in "250 $long" "250-$long\\r\\n250 x" "+250-$long" "+$long" \
			'250\0' '+250 a\0\r\n' '+\n250 x\r\n' '251-x\r\n250 x'; do
			echo "$stage=$reply" >"$up/actions"
			relayed 75 -t 1
			replied '451 4.4.2 *'
			[ "$(wc -c <out)" -le 512 ]
		done
	done
	# What is behind the reply is none of ours, nor the next hop's.
	for stage in mail rcpt data end; do
		echo "$stage="'553-\r\n553\r\n\nRCPT TO:<x@y>\r\nDATA' >"$up/actions"
		relayed 69
		[ "$(cat out)" = '553 ' ]
	done
	# Challenges that were not asked for.
	umask 077
	echo user:password >secret
	for challenge in '334 ' '334 AAAA' '334 %' "334 $long" '+334 \r\n334 \r\n334 \r\n'; do
		echo "auth=$challenge" >"$up/actions"
		relayed 75 -t 1 -a secret
		replied '451 4.*'
	done
}

@test "odd messages, through each program: every octet, and nothing happens" {
	upstream
	unset SMTP_SIZE SMTP_PROTOCOL SMTP_MAIL_OPTIONS SMTP_RCPT_OPTIONS SMTP_BODY
	export SENDER=ann@example.com RECIPIENTS=bob@example.org
	mkdir box
	py <<-'PY'
		import glob, json, subprocess
		from field import *
		wrong = []
		messages = {
		    "CVE-2002-1337": b"From: " + b"<>" * 100000 + b"\nTo: " + b"(" * 5000 + b"\n\nx\n",
		    "CVE-2003-0161": b"From: " + b"\xff" * 2000 + b"\n\xff: \xff\n\n" + bytes(range(128, 256)) + b"\n",
		    "CVE-2014-6271": b"To:() { :; }; %b\nSubject: () { :;}; %b\n\nx\n" % ((TOUCH.encode(),) * 2),
		    "CVE-2016-1000282": b'Content-Disposition: attachment; filename="x\\";%b;\\".zip"\n\nx\n' % TOUCH.encode(),
		    "CVE-2026-34752": b"__proto__: x\nconstructor: y\nprototype: z\ntoString: \n__proto__: {}\n\nx\n",
		    "CVE-2020-12100": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
		                               for n in range(5000)),
		    "CVE-2020-7247": b"#include <x>\n# exec\n\n#\n|" + TOUCH.encode() + b"\n#!/bin/sh\n",
		    "no header": b"\n", "no line end": b"x" * 100000, "a colon": b":\n: \n :\n\n", "folded": b" a\n\tb\n c: d\n\n",
		}
		def run(text, *command):
		    done = subprocess.run(command, input=text, capture_output=True, timeout=20)
		    if done.returncode:
		        wrong.append((command, name, done))
		    return done.stderr
		for name, text in messages.items():
		    run(text, f"{STAGE}/smtpd-relay", f"127.0.0.1:{os.environ['port']}")
		    for path in glob.glob(f"{os.environ['up']}/content.*"):
		        with open(path, "rb") as file:
		            octets = file.read().removesuffix(b".\r\n").replace(b"\r\n", b"\n")
		        os.unlink(path)
		        if re.sub(rb"(?m)^\.", b"", octets).removesuffix(b"\n") != text.removesuffix(b"\n"):
		            wrong.append(("relay", name))
		    run(text, f"{STAGE}/smtpd-maildir", "-c", "box/%u")
		    path, = glob.glob("box/bob/new/*")
		    with open(path, "rb") as file:
		        if not file.read().endswith(b"Delivered-To: bob@example.org\n" + text):
		            wrong.append(("maildir", name))
		    os.unlink(path)
		    if text.split(b"\n")[0] not in run(text, f"{STAGE}/smtpd-print"):
		        wrong.append(("print", name))
		    found = json.loads(run(text, f"{STAGE}/smtpd-print", "--json"))
		    if name == "CVE-2026-34752" and found["headers"][0] != ["__proto__", "x"]:
		        wrong.append(found)
		assert not os.path.exists(CANARY)
		show(wrong)
	PY
}

# --- sessions

@test "AUTH: behind a mechanism that was cancelled another, and each its own challenge" {
	py <<-'PY'
		# CVE-2011-1720 Postfix
		from field import *
		from auth import PLAINTEXT, cram
		smtp = Session("-q", "-A", "-a", "true", *PLAINTEXT, "--auth-cram-md5", "--max-errors", "0", "true")
		seen = set()
		for _ in range(50):
		    seen.add(smtp.talk.ask("AUTH CRAM-MD5", "334 "))
		    smtp.talk.ask("*", "501 5.7.0")
		    smtp.talk.ask("AUTH DIGEST-MD5", "504 5.5.4")
		    smtp.talk.ask("AUTH LOGIN", "334 VXNlcm5hbWU6")
		    smtp.talk.ask("*", "501 5.7.0")
		assert len(seen) == 50
		smtp.talk.ask(cram(smtp.talk.ask("AUTH CRAM-MD5", "334 "), "ann", "x"), "235")
		smtp.quit()
	PY
}

@test "AUTH and RCPT: who guesses is told 421 after --max-errors, a refused login a second later" {
	py <<-'PY'
		import time
		from field import *
		from auth import PLAINTEXT, plain
		smtp = Session("-q", "-D", "example.org", "-a", "exit 1", *PLAINTEXT, "--max-errors", "1", "true")
		since = time.monotonic()
		smtp.talk.ask("AUTH PLAIN " + plain("ann", "a"), "535 5.7.8")
		assert time.monotonic() - since > 0.9
		smtp.talk.ask("AUTH PLAIN " + plain("ann", "c"), "421 4.7.0")
		assert smtp.talk.eof() == b""
		smtp.ended()
		smtp = Session("-q", "-D", "example.org", "true", kind="pipe")
		smtp.talk.ask("MAIL FROM:<>", "250")
		smtp.talk.send(b"".join(b"RCPT TO:<user%d@example.com>\r\n" % n for n in range(1000)))
		replies = smtp.talk.eof().splitlines()
		assert [reply[:9] for reply in replies] == [b"550 5.7.1"] * 20 + [b"421 4.7.0"], replies
		smtp.ended()
	PY
}

@test "what launchers say of a name may be long, or odd, and is nobody's line" {
	py <<-'PY'
		# spamdyke, CVE-2020-28022 and other holes of names from the DNS; CVE-2019-15846 of SNI.
		from field import *
		from policy import environment
		odd = {"long": "x." * 5000, "function": f"() {{ :; }}; {TOUCH}", "lines": "a\nReceived: b\r\nX: y",
		       "slash": "x\\", "percent": "%s%n"}
		for name, value in odd.items():
		    env = environment({"PROTO": "TCP", "TCPREMOTEIP": "192.0.2.1", "TCPREMOTEHOST": value,
		                       "TCPREMOTEINFO": value, "TCPREMOTEPORT": "25", "SSL_PROTOCOL": value,
		                       "SSL_CIPHER": value, "SSL_TLS_SNI_SERVERNAME": value})
		    smtp = Session("-A", f"{STAGE}/record", MAIL, kind="pipe", env=env)
		    assert smtp.message(b"Subject: x\n\nx\n").startswith(b"250"), name
		    log = smtp.quit()
		    folder, = os.listdir(MAIL)
		    found = environ(f"{MAIL}/{folder}/env")
		    with open(f"{MAIL}/{folder}/message", "rb") as file:
		        lines = file.read().split(b"\n")
		    assert found[b"TCPREMOTEHOST"].decode() == value
		    assert re.fullmatch(rb"[ -~]{1,200}", found[b"SMTP_TLS"]), found[b"SMTP_TLS"]
		    assert len(lines) == 8 and lines[4] == b"Subject: x" and len(max(lines)) < 100, lines
		    assert value not in log and "X: y" not in log
		    os.system(f"rm -r {MAIL}/{folder}")
		assert not os.path.exists(CANARY)
	PY
}

@test "probes: behind PROXY, before a greeting that is late, in pieces, over a socket" {
	mkdir -m 755 "$STAGE/late"
	printf '#!/bin/sh\nsleep 0.3\n' >"$STAGE/late/CONNECT"
	chmod 755 "$STAGE/late/CONNECT"
	serve -p "$RECORD" "$MAIL"
	py "127.0.0.1:$port" <<-'PY'
		import sys
		from field import *
		from introduced import V1, LOCAL, four
		from talk import Conversation
		hello = b"\x16\3\1\2\0\1\0\1\xfc\3\3" + bytes(200)
		for probe in b"GET / HTTP/1.1\r\n", b"post /\r\n", b"CONNECT x:25 HTTP/1.0\r\n\r\n", hello:
		    for header in V1, four(), LOCAL:
		        for pieces in [header + probe], [header, probe], [bytes([o]) for o in header + probe]:
		            talk = Conversation.connect(sys.argv[1])
		            for piece in pieces:
		                try:
		                    talk.send(piece)
		                except OSError:
		                    break  # after the first octet of TLS
		            talk.expect("220")
		            talk.expect("421 4.7.0 This is a mail server")
		            assert talk.eof() == b""
		            talk.close()
		    if probe[:1] not in b"G\x16":
		        continue
		    smtp = Session("-H", f"{STAGE}/late", "true", kind="tcp", hello=None)
		    smtp.talk.send(probe)
		    smtp.talk.expect("220")
		    smtp.talk.expect("421 4.7.0")
		    assert smtp.talk.eof() == b""
		    smtp.ended()
		assert not os.listdir(MAIL)
	PY
	stop "$pid"
}

# CVE-2025-62875 OpenSMTPD: anyone on the machine could end it by its socket.
@test "a Unix socket: garbage, descriptors, hang-ups; the next client is served" {
	serve_at "unix:$BATS_TEST_TMPDIR/socket" -c 5 "$RECORD" "$MAIL"
	chmod 777 socket
	py "$BATS_TEST_TMPDIR/socket" <<-'PY'
		import array, random, socket, sys
		from field import *
		from talk import Conversation
		random.seed(1)
		def connect():
		    sock = socket.socket(socket.AF_UNIX)
		    sock.settimeout(10)
		    sock.connect(sys.argv[1])
		    return sock
		def served():
		    talk = Conversation.connect(f"unix:{sys.argv[1]}")
		    reply = talk.expect("220", "421 4.3.2")
		    good = reply.startswith(b"220") and talk.ask("QUIT", "221")
		    talk.close()
		    return good
		for n in range(40):
		    sock = connect()
		    try:
		        if n % 4 == 0:
		            sock.sendall(random.randbytes(5000))
		        elif n % 4 == 1:
		            # Descriptors on the way are nobody's.
		            fds = array.array("i", [0, 1, 2] * 50)
		            sock.sendmsg([b"NOOP\r\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
		        elif n % 4 == 2:
		            sock.shutdown(socket.SHUT_RDWR)
		    except OSError:
		        pass
		    sock.close()
		until(served)
		assert not os.listdir(MAIL)
	PY
	stop "$pid"
}
