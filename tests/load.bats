#!/usr/bin/env bats
# shellcheck shell=bats
# Many connections to one listener at once (load.py), a listener on a machine
# that has nothing left, and a few seconds of the soak.
# CONNECTIONS and MESSAGES say how many: make load has 1,000.

load lib

setup_file() {
	stage
	local tool=$SMTPD_BIN/tests/ledger
	[ -x "$tool" ] || tool=$BUILD/tests/ledger
	cp "$tool" "$STAGE/ledger"
	chmod 755 "$STAGE/ledger"
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

@test "connections idle, drip, send, and come beyond the limit, all at once" {
	kib=320
	! grep -q __asan_init "$SMTPD" || kib=0 CONNECTIONS=${CONNECTIONS:-60}
	"$PYTHON" "$BATS_TEST_DIRNAME/load.py" "${CONNECTIONS:-200}" "${MESSAGES:-3}" "$kib" \
		>"$BATS_TEST_TMPDIR/log.load"
	echo "# $(tail -n 1 "$BATS_TEST_TMPDIR/log.load")" >&3
}

@test "no process for a connection, a dialogue or a command: 4xx, and the listener lives on" {
	need_root
	py <<-'PY'
		from scarce import *
		# A listener and two sessions of two processes.
		with Listener(resource.RLIMIT_NPROC, 5) as smtpd:
		    one, two = smtpd.greeted(), smtpd.greeted()
		    for _ in range(20):
		        assert smtpd.connect().eof() == BROKEN
		    smtpd.rests()
		    # Nor for a command.
		    for talk in (one, two):
		        assert message(talk).startswith(b"451 4.3."), talk.seen
		    assert smtpd.delivered() == 0
		    one.ask("QUIT", "221")
		    smtpd.has(2)
		    assert message(two).startswith(b"250 2.0.0 take-")
		    assert smtpd.delivered() == 1
		    # There is one for the agent, but none for the dialogue.
		    three = smtpd.greeted()
		    two.ask("QUIT", "221")
		    smtpd.has(2)
		    assert message(three).startswith(b"250 2.0.0 take-")
		    three.ask("QUIT", "221")
		    smtpd.has(0)
		    log = smtpd.ended()
		    assert log.count("cannot fork: Resource temporarily unavailable") == 20, log
		    assert log.count("event=turned-away") == 20, log
		with Listener(resource.RLIMIT_NPROC, 6) as smtpd:
		    one, two = smtpd.greeted(), smtpd.greeted()
		    for _ in range(20):
		        talk = smtpd.connect()
		        talk.expect("220")
		        assert talk.eof() == BROKEN
		        talk.close()  # it lingers, for what may still be sent
		        smtpd.has(4)
		    assert message(one).startswith(b"250 2.0.0 take-")
		    smtpd.rests()
		    one.close()
		    smtpd.has(2)
		    smtpd.greeted().ask("QUIT", "221")
		    two.ask("QUIT", "221")
		    smtpd.has(0)
		    log = smtpd.ended()
		    assert log.count("cannot start the dialogue process") == 20, log
		    assert log.count("event=connect") == log.count("event=end") == 23, log
		    assert log.count("event=end reason=error messages=0") == 20, log
	PY
}

@test "no descriptor for a connection: it waits, at no cost, until there is one" {
	py <<-'PY'
		from scarce import *
		with Listener(resource.RLIMIT_NOFILE, 4) as smtpd:
		    waiting = [smtpd.connect() for _ in range(20)]
		    until(lambda: "cannot accept: " in smtpd.log())
		    smtpd.rests(2)
		    # It says so, but not for each of them, nor at each moment.
		    assert smtpd.log().count("cannot accept") < 10, smtpd.log()
		    smtpd.limit(64)
		    for talk in waiting:
		        talk.expect("220")
		        talk.ask("EHLO me", "250")
		        assert message(talk).startswith(b"250 2.0.0 take-")
		        talk.ask("QUIT", "221")
		    assert smtpd.delivered() == 20
		    smtpd.has(0)
		    assert smtpd.descriptors() == 4, smtpd.descriptors()
		    smtpd.limit(4)
		    smtpd.connect()
		    until(lambda: smtpd.log().rpartition("event=end")[2].count("cannot accept"))
		    smtpd.ended()
	PY
}

@test "fewer descriptors than a session needs: 4xx or all of it, never a half" {
	py <<-'PY'
		from scarce import *
		told = []
		for most in range(5, 12):
		    with Listener(resource.RLIMIT_NOFILE, most) as smtpd:
		        for size in (10, 400000):
		            talk, before = smtpd.greeted(), smtpd.delivered()
		            reply = message(talk, size)
		            assert reply.startswith((b"250 2.0.0 take-", b"45")), (most, reply)
		            assert smtpd.delivered() - before == reply.startswith(b"250"), (most, reply)
		            told.append(reply[:3])
		            talk.ask("QUIT", "221")
		        smtpd.has(0)
		        assert smtpd.descriptors() == 4, smtpd.descriptors()
		        smtpd.ended()
		assert told[0] != b"250" and told[-2:] == [b"250"] * 2, told
	PY
}

@test "a few seconds of the soak" {
	! grep -q __asan_init "$SMTPD" ||
		skip "a process killed between vfork and exec takes the sanitizers' locks with it"
	nice "$PYTHON" "$BATS_TEST_DIRNAME/soak.py" 3 >"$BATS_TEST_TMPDIR/log.soak"
	grep -q '; 0 wrong$' "$BATS_TEST_TMPDIR/log.soak"
}
