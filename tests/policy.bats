#!/usr/bin/env bats
# shellcheck shell=bats
# Who may send where, and who the peer is: smtpd(8), "Who may send where" and
# "The peer". A test is a table of cases for policy.py.

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

# in_network: as py, in a network of its own, which has loopback and the
# addresses 192.0.2.1, 192.0.2.2, 198.51.100.7, 2001:db8::1 and 2001:db8:1::7.
in_network() {
	need_root
	# shellcheck disable=SC2016 # the inner shell expands it
	unshare -n sh -c 'set -e
		ip link set lo up
		for address in 192.0.2.1 192.0.2.2 198.51.100.7; do
			ip address add "$address/32" dev lo
		done
		for address in 2001:db8::1 2001:db8:1::7; do
			ip address add "$address/128" dev lo nodad
		done
		exec "$PYTHON" -'
}

# Trusted for being local.

@test "trusted: a loopback TCP peer" {
	py <<-'PY'
		from policy import ANYWHERE, NOWHERE, check
		check(
		    (ANYWHERE, (), "tcp", {}),
		    (ANYWHERE, (), "tcp", {}, {"host": "127.0.0.1", "source": "127.9.8.7"}),
		    (ANYWHERE, (), "tcp", {}, {"host": "::1"}),
		    (ANYWHERE, (), "mapped", {}),
		    (NOWHERE, ("--no-trust",), "tcp", {}),
		    (NOWHERE, ("--no-trust",), "tcp", {}, {"host": "::1"}),
		    (NOWHERE, ("--no-trust",), "mapped", {}),
		    # The kernel's word counts, the launcher's does not.
		    (ANYWHERE, (), "tcp", {"TCPREMOTEIP": "192.0.2.1", "REMOTE_ADDR": "192.0.2.1"}),
		)
	PY
}

@test "not trusted: any other TCP peer, whatever the launcher says" {
	in_network <<-'PY'
		from policy import ANYWHERE, NOWHERE, check
		four = {"host": "192.0.2.1", "source": "192.0.2.2"}
		six = {"host": "2001:db8::1", "source": "2001:db8:1::7"}
		words = {"TCPREMOTEIP": "127.0.0.1", "REMOTE_ADDR": "127.0.0.1",
		         "REMOTE_HOST": "127.0.0.1", "SOCAT_PEERADDR": "127.0.0.1"}
		check(
		    (NOWHERE, (), "tcp", {}, four),
		    (NOWHERE, (), "tcp", {}, six),
		    (NOWHERE, (), "mapped", {}, four),
		    (NOWHERE, (), "tcp", {}, {"host": "192.0.2.1"}),  # itself, but not by loopback
		    (NOWHERE, (), "tcp", words, four),
		    (NOWHERE, (), "tcp", words, six),
		    (ANYWHERE, (), "tcp", {"RELAYCLIENT": ""}, four),
		    (ANYWHERE, (), "tcp", {"RELAYCLIENT": "@example"}, six),
		    (ANYWHERE, ("-r", "192.0.2.2"), "tcp", {}, four),
		    (ANYWHERE, ("-r", "192.0.2.2"), "mapped", {}, four),
		    (NOWHERE, ("-r", "192.0.2.1"), "tcp", {}, four),
		    (NOWHERE, ("-r", "192.0.2.2"), "tcp", words, six),
		    (ANYWHERE, ("-r", "2001:db8:1::/48"), "tcp", {}, six),
		    (NOWHERE, ("-r", "2001:db8::/48"), "tcp", {}, six),
		    (ANYWHERE, ("-A",), "tcp", {}, four),
		)
	PY
}

@test "trusted: a Unix socket with a name, a terminal, a regular file" {
	py <<-'PY'
		from policy import ANYWHERE, NOWHERE, check
		check(
		    (ANYWHERE, (), "unix", {}),
		    (NOWHERE, ("--no-trust",), "unix", {}),
		    (NOWHERE, (), "abstract", {}),
		    (ANYWHERE, (), "tty", {}),
		    (NOWHERE, ("--no-trust",), "tty", {}),
		    (ANYWHERE, (), "file", {}),
		    (NOWHERE, ("--no-trust",), "file", {}),
		)
	PY
}

@test "a pipe or a socket pair may carry anyone: the launcher's word decides" {
	py <<-'PY'
		from policy import ANYWHERE, NOWHERE, check
		cases = []
		for kind in ("pipe", "pair"):
		    cases += [
		        (NOWHERE, (), kind, {}),
		        (ANYWHERE, (), kind, {"TCPREMOTEIP": "127.0.0.1"}),
		        (ANYWHERE, (), kind, {"TCPREMOTEIP": "127.255.0.9"}),
		        (ANYWHERE, (), kind, {"TCPREMOTEIP": "::1"}),
		        (ANYWHERE, (), kind, {"TCPREMOTEIP": "::ffff:127.0.0.1"}),
		        (NOWHERE, ("--no-trust",), kind, {"TCPREMOTEIP": "127.0.0.1"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "192.0.2.1"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "128.0.0.1"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "126.255.255.255"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "::2"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "::"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "::7f00:1"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "localhost"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "127.1"}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "127.0.0.1 "}),
		        (NOWHERE, (), kind, {"TCPREMOTEIP": ""}),
		        (NOWHERE, (), kind, {"TCPREMOTEHOST": "localhost", "TCPLOCALIP": "127.0.0.1"}),
		        (ANYWHERE, (), kind, {"REMOTE_ADDR": "127.0.0.1"}),
		        (NOWHERE, (), kind, {"REMOTE_ADDR": "192.0.2.1"}),
		        (ANYWHERE, (), kind, {"REMOTE_HOST": "127.0.0.1"}),
		        (NOWHERE, (), kind, {"REMOTE_HOST": "localhost"}),
		        (ANYWHERE, (), kind, {"SOCAT_PEERADDR": "127.0.0.1"}),
		        (ANYWHERE, (), kind, {"SOCAT_PEERADDR": "[0000:0000:0000:0000:0000:0000:0000:0001]"}),
		        (NOWHERE, (), kind, {"SOCAT_PEERADDR": "192.0.2.1"}),
		        # In this order.
		        (NOWHERE, (), kind, {"TCPREMOTEIP": "192.0.2.1", "REMOTE_ADDR": "127.0.0.1"}),
		        (NOWHERE, (), kind, {"REMOTE_ADDR": "192.0.2.1", "REMOTE_HOST": "127.0.0.1"}),
		        (NOWHERE, (), kind, {"REMOTE_HOST": "192.0.2.1", "SOCAT_PEERADDR": "127.0.0.1"}),
		        (ANYWHERE, (), kind, {"RELAYCLIENT": ""}),
		        (ANYWHERE, ("--no-trust",), kind, {"RELAYCLIENT": "x"}),
		    ]
		# A name says where the socket is, the launcher who sits behind it.
		cases.append((NOWHERE, (), "unix", {"TCPREMOTEIP": "192.0.2.1"}))
		check(*cases)
	PY
}

@test "-A: everything goes" {
	py <<-'PY'
		from policy import ALL, check
		check(
		    (ALL, ("-A",), "pipe", {}),
		    (ALL, ("--any",), "pair", {"TCPREMOTEIP": "192.0.2.1"}),
		    (ALL, ("-A", "--no-trust"), "tcp", {}),
		)
	PY
}

# Networks.

@test "-r: addresses and networks" {
	py <<-'PY'
		from policy import ANYWHERE, NOWHERE, check
		def ip(address):
		    return {"TCPREMOTEIP": address}
		cases = []
		for network, inside, outside in (
		        ("192.0.2.1", ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"),
		         ("192.0.2.0", "192.0.2.2", "2001:db8::1", "::192.0.2.1")),
		        ("192.0.2.1/32", ("192.0.2.1",), ("192.0.2.0", "192.0.2.2")),
		        ("192.0.2.0/31", ("192.0.2.0", "192.0.2.1"), ("192.0.2.2", "192.0.1.255")),
		        ("192.0.2.64/26", ("192.0.2.64", "192.0.2.127"), ("192.0.2.63", "192.0.2.128")),
		        ("192.0.2.99/24", ("192.0.2.0", "192.0.2.255"), ("192.0.1.255", "192.0.3.0")),
		        ("10.0.0.0/8", ("10.0.0.0", "10.255.255.255"), ("9.255.255.255", "11.0.0.0")),
		        ("128.0.0.0/1", ("128.0.0.0", "255.255.255.255"), ("127.0.0.9", "8000::")),
		        ("0.0.0.0/0", ("192.0.2.1", "1.2.3.4", "::ffff:1.2.3.4"), ("2001:db8::1", "::1")),
		        ("2001:db8::1", ("2001:db8::1", "2001:DB8:0:0::1"), ("2001:db8::2", "192.0.2.1")),
		        ("[2001:db8::1]", ("2001:db8::1",), ("2001:db8::2",)),
		        ("2001:db8::/32", ("2001:db8::", "2001:db8:ffff::1"), ("2001:db7::", "2001:db9::")),
		        ("2001:db8::/127", ("2001:db8::", "2001:db8::1"), ("2001:db8::2",)),
		        ("2001:db8::/29", ("2001:dbf:ffff::",), ("2001:dc0::", "2001:db7::")),
		        ("2001:db8::1/128", ("2001:db8::1",), ("2001:db8::", "2001:db8::3")),
		        ("::ffff:192.0.2.0/120", ("192.0.2.1", "::ffff:192.0.2.255"),
		         ("192.0.3.0", "2001:db8::1")),
		        # IPv4 clients are in no network of IPv6.
		        ("::/0", ("2001:db8::1", "8000::1"), ("192.0.2.1",)),
		        ("::1/64", ("::2",), ("192.0.2.1",))):
		    # --no-trust, so that ::1 and 127.0.0.9 are like any other.
		    cases += [(ANYWHERE, ("--no-trust", "-r", network), "pipe", ip(a)) for a in inside]
		    cases += [(NOWHERE, ("--no-trust", "-r", network), "pipe", ip(a)) for a in outside]
		two = ("-r", "192.0.2.0/24", "--relay-from=2001:db8::/32", "-r", "198.51.100.7")
		for address in ("192.0.2.1", "2001:db8::1", "198.51.100.7"):
		    cases.append((ANYWHERE, two, "pair", ip(address)))
		cases.append((NOWHERE, two, "pair", ip("198.51.100.8")))
		# Nobody has no address, and a network socket that is none has neither.
		cases.append((NOWHERE, ("-r", "0.0.0.0/0", "-r", "::/0"), "pipe", {}))
		cases.append((NOWHERE, ("-r", "0.0.0.0/0", "-r", "::/0"), "abstract", {}))
		check(*cases)
	PY
}

@test "-r: what is no network is a usage error" {
	py <<-'PY'
		from policy import usage
		usage(*(("-r", bad) for bad in (
		    "", "/", "/24", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/", "192.0.2.0/8x",
		    "192.0.2.0/ 8", "192.0.2.0/8/8", "192.0.2", "192.0.2.0.1", "192.0.2.256",
		    "192.0.2.0/4294967296", "2001:db8::/129", "2001:db8::g", "2001::db8::1", "localhost",
		    "example.org", " 192.0.2.1", "192.0.2.1 ", "192.0.2.0/255.255.255.0", "*",
		    "192.0.2.1,192.0.2.2", "1" * 300, "::" + "1" * 300)))
	PY
}

# Domains.

@test "-D: domains, whatever the case" {
	py <<-'PY'
		from policy import domains
		domains(("-D", "example.org"),
		        ["a@example.org", "a@EXAMPLE.ORG", "A@Example.oRg", '"a b"@example.org',
		         "@relay.example,@other.example:a@example.org", "-x@example.org",
		         "a+b=c@example.org", "a/../b@example.org", "|id@example.org"],
		        ["a@example.net", "a@sub.example.org", "a@xexample.org", "a@org", "a@example",
		         "a@example.org.example.net", "a@[127.0.0.1]", "a@[IPv6:::1]", "a", "local",
		         "@example.org:a@example.net"])
		domains(("-D", "EXAMPLE.org", "--domain=Example.NET"),
		        ["a@example.org", "a@example.net"], ["a@example.com"])
		domains((), [], ["a@example.org", "a@localhost", "a"])
	PY
}

@test "-D .domain: its subdomains and not itself" {
	py <<-'PY'
		from policy import domains
		domains(("-D", ".example.org"),
		        ["a@sub.example.org", "a@a.b.c.example.org", "a@SUB.Example.Org"],
		        ["a@example.org", "a@xexample.org", "a@x.example.net", "a@sub.example.org.net"])
		domains(("-D", ".example.org", "-D", "example.org", "-D", ".a.example"),
		        ["a@sub.example.org", "a@example.org", "a@b.a.example"],
		        ["a@a.example", "a@b.example"])
		domains(("-D", ".org"), ["a@example.org", "a@a.b.org"], ["a@org", "a@example.com"])
	PY
}

@test "-D @FILE: one a line, comments, spaces, either line end" {
	local list=$BATS_TEST_TMPDIR/list
	{
		printf '# one.example\n\n   \nexample.org # the first\n'
		printf '\texample.net\t\n.sub.example\r\nEXAMPLE.COM\r\n#%01500d six.example\n' 0
		printf '# %01021d\n# %01022d\n# %01023d\n' 1 2 3
		printf 'last.example'
	} >"$list"
	LIST=$list py <<-'PY'
		import os
		from policy import domains
		domains(("-D", "@" + os.environ["LIST"], "-D", "other.example"),
		        ["a@example.org", "a@example.net", "a@x.sub.example", "a@example.com",
		         "a@last.example", "a@other.example"],
		        ["a@one.example", "a@sub.example", "a@first", "a@six.example", "a@the"])
	PY
	: >"$list"
	LIST=$list py <<-'PY'
		import os
		from policy import domains
		domains(("-D", "@" + os.environ["LIST"]), [], ["a@example.org", "a"])
	PY
}

@test "-D @FILE: ten thousand domains, each found" {
	local list=$BATS_TEST_TMPDIR/list
	seq -f 'd%.0f.example' 10000 -1 1 >"$list"
	LIST=$list py <<-'PY'
		import os
		from policy import domains
		domains(("-D", "@" + os.environ["LIST"], "--max-errors", "1000"),
		        [f"a@d{n}.example" for n in (1, 2, 17, 4096, 4097, 9999, 10000)],
		        [f"a@d{n}.example" for n in ("", 0, 10001, "1x")])
	PY
}

@test "-D: what is no domain, or no file, is refused at the start" {
	printf 'example.org\nexam ple.net\n' >"$BATS_TEST_TMPDIR/list"
	LIST=$BATS_TEST_TMPDIR/list py <<-'PY'
		import os
		from policy import refused, usage
		usage(*(("-D", bad) for bad in (
		    "", ".", "..", "example..org", "-x.example", "x-.example", "a b", "a@b", "<a>",
		    "a/b", "*", "*.example.org", "x" * 300, "..example.org", "example.org,example.net",
		    "#x", "@" + os.environ["LIST"])))
		# A file that cannot be read is no mistake of the command line: EX_CONFIG.
		refused(64, *(("-D", bad) for bad in ("@/nowhere/at/all", "@", "@/")))
	PY
}

# Recipients.

@test "a local part that the next hop might route on, and an unqualified one" {
	py <<-'PY'
		from policy import domains
		domains(("-D", "example.org"),
		        ["postmaster", "POSTMASTER", "PostMaster", "postmaster@example.org"],
		        ["a%b@example.org", "a!b@example.org", '"a@b"@example.org',
		         '"a%b"@example.org', '"a!b"@example.org', r'"a\@b"@example.org',
		         r'"a\%b"@example.org', "%@example.org", "!@example.org",
		         "postmaster@example.net", "postmasterx", "xpostmaster", "root", "abuse",
		         "@relay.example:a%b@example.org"])
		# Whoever may send anywhere may do this too.
		everything = ["a%b@example.org", "a!b@example.org", '"a@b"@example.org', "root", "a%b",
		              "postmaster", "a%b@example.net", "a@[192.0.2.1]", "a@example.net"]
		domains((), everything, [], kind="tcp")
		domains(("-A",), everything, [])
		domains(("-r", "192.0.2.1"), everything, [], env={"TCPREMOTEIP": "192.0.2.1"})
		domains((), everything, [], env={"RELAYCLIENT": ""})
		# Nobody else is; the sender may be any.
		domains((), ["postmaster"], ["postmaster@localhost", "a"])
	PY
}

@test "a refused recipient is not among RECIPIENTS, and without one there is no DATA" {
	py <<-'PY'
		from session import STAGE, Session
		smtp = Session("-D", "example.org", "cp", "/proc/self/environ", f"{STAGE}/mail/env")
		smtp.talk.send(b"MAIL FROM:<a@b>\r\nRCPT TO:<x@example.net>\r\nDATA\r\n"
		               b"RCPT TO:<one@example.org>\r\nRCPT TO:<y%z@example.org>\r\n"
		               b"RCPT TO:<two@Example.org>\r\nRCPT TO:<root>\r\nDATA\r\n")
		for code in ("250 2.1.0", "550 5.7.1", "503 5.5.1", "250 2.1.5", "550 5.7.1",
		             "250 2.1.5", "550 5.7.1", "354"):
		    smtp.talk.expect(code)
		smtp.talk.data(b"x\n")
		smtp.talk.expect("250")
		log = smtp.quit()
		with open(f"{STAGE}/mail/env", "rb") as file:
		    assert b"RECIPIENTS=one@example.org\ntwo@Example.org" in file.read().split(b"\0")
		assert log.count("event=refused") == 4, log
	PY
}

# The peer in the environment.

@test "the peer: of the network, else the launcher's words, in their order" {
	py <<-'PY'
		from policy import peers
		ucspi = {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEPORT": "1", "TCPLOCALIP": "192.0.2.2",
		         "TCPLOCALPORT": "2"}
		systemd = {"REMOTE_ADDR": "192.0.2.3", "REMOTE_PORT": "3"}
		host = {"REMOTE_HOST": "192.0.2.4"}
		socat = {"SOCAT_PEERADDR": "192.0.2.5", "SOCAT_PEERPORT": "5",
		         "SOCAT_SOCKADDR": "192.0.2.6", "SOCAT_SOCKPORT": "6"}
		def tcp(*values):
		    return dict(zip(("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP",
		                     "TCPLOCALPORT"), ("TCP", *values)))
		cases = []
		for kind in ("pipe", "pair", "abstract"):
		    none = {"PROTO": "UNIX"} if kind == "abstract" else {}
		    cases += [
		        (kind, {}, none),
		        (kind, {"PROTO": "TCP", "TCPREMOTEPORT": "7", "TCPLOCALIP": "127.0.0.1",
		                "REMOTE_PORT": "9"}, none),
		        (kind, ucspi, tcp("192.0.2.1", "1", "192.0.2.2", "2")),
		        (kind, systemd, tcp("192.0.2.3", "3")),
		        (kind, host, tcp("192.0.2.4")),
		        (kind, socat, tcp("192.0.2.5", "5", "192.0.2.6", "6")),
		        (kind, {**socat, **host, **systemd, **ucspi},
		         tcp("192.0.2.1", "1", "192.0.2.2", "2")),
		        (kind, {**socat, **host, **systemd}, tcp("192.0.2.3", "3")),
		        (kind, {**socat, **host}, tcp("192.0.2.4")),
		        (kind, {**socat, "REMOTE_HOST": "client.example"},
		         tcp("192.0.2.5", "5", "192.0.2.6", "6")),
		        (kind, {"REMOTE_HOST": "client.example"}, none),
		        # UCSPI words of an IPv6 launcher, mapped and not.
		        (kind, {**ucspi, "TCPREMOTEIP": "::ffff:192.0.2.9", "TCPLOCALIP": "::FFFF:c000:20a"},
		         tcp("192.0.2.9", "1", "192.0.2.10", "2")),
		        (kind, {"TCPREMOTEIP": "2001:DB8:0:0:0::1"}, tcp("2001:db8::1")),
		        (kind, {"SOCAT_PEERADDR": "[2001:0db8:0000:0000:0000:0000:0000:0001]"},
		         tcp("2001:db8::1")),
		        # What is no port is none.
		        (kind, {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEPORT": "x; id"}, tcp("192.0.2.1")),
		        (kind, {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEPORT": "65536"}, tcp("192.0.2.1")),
		        (kind, {"TCPREMOTEIP": "192.0.2.1", "TCPREMOTEPORT": "65535"},
		         tcp("192.0.2.1", "65535")),
		        (kind, {"TCPREMOTEIP": "1.2.3.4\nX: y"}, none),
		    ]
		cases += [("unix", {}, {"PROTO": "UNIX"}), ("tty", {}, {})]
		# The kernel's word is above all of them.
		for kind in ("tcp", "mapped"):
		    cases.append((kind, {**socat, **host, **systemd, **ucspi}, None))
		peers(*cases)
	PY
}

@test "a listener ignores such words, and RELAYCLIENT, in its own environment" {
	in_network <<-'PY'
		import os, subprocess
		from session import SMTPD, STAGE, show, until
		from talk import Conversation
		wrong = []
		words = {"TCPREMOTEIP": "127.0.0.1", "TCPREMOTEPORT": "1", "REMOTE_ADDR": "127.0.0.1",
		         "REMOTE_PORT": "1", "REMOTE_HOST": "127.0.0.1", "SOCAT_PEERADDR": "127.0.0.1",
		         "TCPREMOTEHOST": "localhost", "TCPREMOTEINFO": "root", "PROTO": "TCP",
		         "TCPLOCALIP": "1.2.3.4"}
		path = f"{STAGE}/socket"
		os.umask(0)
		def listen(env, *options):
		    return subprocess.Popen(
		        [SMTPD, "-l", "192.0.2.1:2525", "-l", "127.0.0.1:2525", "-l", ":2526",
		         "-l", f"unix:{path}", *options, "cp", "/proc/self/environ", f"{STAGE}/mail/env"],
		        env={**os.environ, **env}, stderr=subprocess.PIPE)
		def ready(listener):
		    line = b"unix:"
		    while b"listening on unix:" not in line:
		        assert line, "it has ended"
		        line = listener.stderr.readline()
		def rcpt(talk):
		    talk.expect("220")
		    talk.ask("EHLO me", "250")
		    talk.ask("MAIL FROM:<a@b>", "250")
		    return talk.ask("RCPT TO:<x@example.net>", "250", "550 5.7.1")[:3]
		four = "192.0.2.1:2525", "192.0.2.2"
		for env, options, cases in (
		        ({**words, "RELAYCLIENT": ""}, (), (
		            (*four, b"550"), ("127.0.0.1:2525", None, b"250"),
		            ("[2001:db8::1]:2526", "2001:db8:1::7", b"550"), ("[::1]:2526", None, b"250"),
		            ("192.0.2.1:2526", "192.0.2.2", b"550"), ("127.0.0.1:2526", None, b"250"),
		            (f"unix:{path}", None, b"250"))),
		        ({"RELAYCLIENT": "x"}, ("--no-trust",), (
		            (*four, b"550"), ("127.0.0.1:2525", None, b"550"),
		            (f"unix:{path}", None, b"550"))),
		        ({}, ("-r", "192.0.2.2", "--no-trust"), (
		            (*four, b"250"), ("192.0.2.1:2526", "192.0.2.2", b"250"),
		            ("192.0.2.1:2525", "198.51.100.7", b"550"),
		            ("127.0.0.1:2525", None, b"550")))):
		    with listen(env, *options) as listener:
		        try:
		            ready(listener)
		            for address, source, want in cases:
		                talk = Conversation.connect(address, source=source)
		                code = rcpt(talk)
		                if code != want:
		                    wrong.append((options, address, source, code, want))
		                if code != b"250":
		                    talk.close()
		                    continue
		                talk.ask("DATA", "354")
		                talk.data(b"x\n")
		                talk.expect("250")
		                with open(f"{STAGE}/mail/env", "rb") as file:
		                    found = dict(v.split("=", 1) for v in
		                                 file.read().decode().split("\0")[:-1])
		                os.unlink(f"{STAGE}/mail/env")
		                name, far = talk.sock.getsockname(), talk.sock.getpeername()
		                peer = {"PROTO": "UNIX"} if address.startswith("unix") else \
		                    {"PROTO": "TCP", "TCPREMOTEIP": name[0], "TCPREMOTEPORT": str(name[1]),
		                     "TCPLOCALIP": far[0], "TCPLOCALPORT": str(far[1])}
		                for key in ("PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP",
		                            "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO"):
		                    if found.get(key) != peer.get(key):
		                        wrong.append((address, key, found.get(key), peer.get(key)))
		                talk.close()
		        finally:
		            listener.terminate()
		            listener.stderr.read()
		show(wrong)
	PY
}
