#!/usr/bin/env bats
# shellcheck shell=bats
# BDAT (RFC 3030) against smtpd itself, and large: what the transcripts, which
# have every rule, are too small for.

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

# The helper for the programs below: chunks() sends a message in chunks.
bdat() {
	{
		cat <<-'PY'
			import os, random, signal
			from session import STAGE, Session, Unexpected, filler
			out = f"{STAGE}/mail/out"

			def begin(smtp, rest=""):
			    smtp.talk.send(f"MAIL FROM:<a@b>{rest}\r\nRCPT TO:<c@d>\r\n".encode())
			    smtp.talk.expect("250 2.1.0")
			    smtp.talk.expect("250 2.1.5")

			def chunk(smtp, octets, last=False):
			    smtp.talk.send(b"BDAT %d%b\r\n" % (len(octets), b" LAST" * last) + octets)

			def chunks(smtp, octets, sizes):
			    "In chunks of these sizes, and the rest in the last, pipelined."
			    for size in sizes:
			        chunk(smtp, octets[:size])
			        octets = octets[size:]
			    chunk(smtp, octets, last=True)
			    for _ in sizes:
			        smtp.talk.expect("250 2.0.0 Chunk OK")
			    return smtp.talk.reply()

			def delivered():
			    with open(out, "rb") as file:
			        return file.read()
		PY
		cat
	} | py
}

@test "chunks of any size, messages on both sides of every buffer" {
	bdat <<-'PY'
		smtp = Session("-A", "-q", "--no-received", "cp", "/dev/stdin", out)
		random.seed(1)
		for size in (0, 1, 4095, 4097, 65536, 262143, 262144, 262145, 524288, 1000000):
		    sent = filler(size, seed=size)
		    wire = sent.replace(b"\n", b"\r\n")
		    # Whole; in two; in the middle of a CRLF; in many; in random ones.
		    middle = wire.find(b"\r", len(wire) // 2) + 1
		    for sizes in ([], [0, len(wire) // 3], [middle], [len(wire) // 40] * 40,
		                  [random.randrange(len(wire) // 8 + 1) for _ in range(8)]):
		        begin(smtp)
		        reply = chunks(smtp, wire, sizes)
		        assert reply == b"250 2.0.0 OK\r\n", reply
		        assert delivered() == sent, (size, sizes)
		smtp.quit()
	PY
}

@test "octet for octet with -C, and anything with BODY=BINARYMIME" {
	bdat <<-'PY'
		for options in ((), ("-b", "normalize")):
		    smtp = Session("-A", "-q", "--no-received", "-C", *options, "cp", "/dev/stdin", out)
		    sent = filler(700000, end=b"\r\n")
		    begin(smtp)
		    assert chunks(smtp, sent, [262144, 5, 299999]) == b"250 2.0.0 OK\r\n"
		    assert delivered() == sent
		    sent = random.Random(2).randbytes(700000) + b"\r"
		    begin(smtp, " BODY=BINARYMIME")
		    assert chunks(smtp, sent, [262144, 5, 299999]) == b"250 2.0.0 OK\r\n"
		    assert delivered() == sent
		    begin(smtp)
		    assert chunks(smtp, sent, [262144, 5, 299999]).startswith(b"550 5.6.0 ")
		    # LF alone becomes CRLF, and so the message grows.
		    begin(smtp)
		    reply = chunks(smtp, filler(700000), [300000])
		    if options:
		        assert delivered() == filler(700000).replace(b"\n", b"\r\n")
		    assert reply.startswith(b"250" if options else b"550 5.6.0"), reply
		    smtp.quit()
	PY
}

@test "what the command is told: SMTP_BODY, SMTP_SIZE, Received with its line ends" {
	bdat <<-'PY'
		smtp = Session("-A", "-q", "-C", "sh", "-c",
		               f'{{ echo "$SMTP_BODY $SMTP_SIZE"; cat; }} >{out}')
		begin(smtp, " BODY=BINARYMIME")
		assert chunks(smtp, b"a\nb", [1]) == b"250 2.0.0 OK\r\n"
		first, rest = delivered().split(b"\n", 1)
		assert first == b"BINARYMIME %d" % len(rest), first
		assert rest.startswith(b"Received: ") and rest.endswith(b"\r\na\nb"), rest
		assert rest.count(b"\n") == rest.count(b"\r\n") + 1, rest
		smtp.quit()
	PY
}

@test "a message that is given up, however large, leaves nothing to the next" {
	bdat <<-'PY'
		smtp = Session("-A", "-q", "--no-received", "-s", "900000", "cp", "/dev/stdin", out)
		wire = filler(900001, end=b"\r\n")
		small = filler(50, end=b"\r\n")
		ends = ((b"RSET\r\n", "250 2.0.0"),
		        (b"EHLO me\r\n", "250-"),
		        (b"BDAT 5 x\r\nQUIT\nBDAT 900001 LAST\r\n" + wire, "501 5.5.4", "503 5.5.1"),
		        (b"BDAT 900001 LAST\r\n" + wire, "552 5.3.4"),
		        (b"BDAT 2 LAST\r\nx\n", "550 5.6.0"))
		for octets, *codes in ends:
		    for size in (0, 40, 262144, 600000):
		        begin(smtp)
		        # Whole lines, so that only what is meant to be bare is.
		        chunk(smtp, wire[:wire.find(b"\n", size) + 1 if size else 0])
		        smtp.talk.send(octets)
		        for code in ["250 2.0.0 Chunk OK"] + codes:
		            smtp.talk.expect(code)
		        begin(smtp)
		        assert chunks(smtp, small, [7]) == b"250 2.0.0 OK\r\n"
		        assert delivered() == small.replace(b"\r\n", b"\n"), (size, codes)
		        os.unlink(out)
		smtp.quit()
	PY
}

@test "a refused chunk is answered when it has been read, not before" {
	bdat <<-'PY'
		smtp = Session("-A", "-q", "true")
		smtp.talk.send(b"BDAT 100000 LAST\r\n" + b"x" * 99999)
		smtp.talk.timeout = 0.3
		try:
		    raise SystemExit(f"too early: {smtp.talk.reply()}")
		except Unexpected:
		    pass
		smtp.talk.timeout = 10
		smtp.talk.send(b"x")
		smtp.talk.expect("503 5.5.1")
		smtp.quit()
	PY
}

@test "told to stop between two chunks: the message is finished, then 421" {
	bdat <<-'PY'
		smtp = Session("-A", "-q", "--no-received", "cp", "/dev/stdin", out)
		begin(smtp)
		chunk(smtp, b"one ")
		smtp.talk.expect("250 2.0.0 Chunk OK")
		smtp.process.send_signal(signal.SIGTERM)
		for _ in range(200):  # meanwhile it gets the signal
		    smtp.talk.ask("NOOP", "250")
		chunk(smtp, b"two", last=True)
		smtp.talk.expect("250 2.0.0 OK")
		smtp.talk.expect("421 4.3.2")
		smtp.ended()
		assert delivered() == b"one two"
	PY
}

@test "a client that is gone in a chunk leaves no trace of a message" {
	bdat <<-'PY'
		for octets in (b"BDAT 5 LAST\r\n1234", b"BDAT 5\r\n12345", b"BDAT 5\r\n12345BDAT 1 LAST\r\n",
		               b"BDAT 18446744073709551615 LAST\r\n" + b"x" * 400000):
		    smtp = Session("-A", "cp", "/dev/stdin", out)
		    begin(smtp)
		    smtp.talk.send(octets)
		    smtp.talk.half()
		    assert smtp.talk.eof() in (b"", b"250 2.0.0 Chunk OK\r\n")
		    log = smtp.ended()
		    assert "reason=hangup messages=0" in log, log
		    assert not os.path.exists(out)
	PY
}

@test "--debug logs each BDAT and its reply, and nothing of the octets" {
	bdat <<-'PY'
		smtp = Session("-A", "-d", "true")
		begin(smtp)
		chunk(smtp, b"secret\r\n")
		chunk(smtp, b"secret\r\n")
		smtp.talk.send(b"BDAT 7 secrecy\r\nsecret\n")
		for code in ("250", "250", "501"):
		    smtp.talk.expect(code)
		log = smtp.quit()
		lines = [line.split("line=", 1)[1] for line in log.splitlines() if "line=" in line]
		at = lines.index('"BDAT 8"')
		assert lines[at:at + 6] == ['"BDAT 8"', '"250 2.0.0 Chunk OK"'] * 2 + [
		    '"BDAT 7 secrecy"', '"501 5.5.4 Syntax: BDAT octets [LAST]"'], lines
		assert "secret" not in log, log
	PY
}
