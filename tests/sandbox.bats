#!/usr/bin/env bats
# shellcheck shell=bats
# The process that faces the network can read, write and exit, and has nothing
# that others could use: under strict seccomp, under a filter where there is one
# already, and what is said where there is neither.
# shellcheck disable=SC2154

load lib

setup_file() {
	local tool
	stage
	for tool in planted filtered; do
		if [ -x "$SMTPD_BIN/tests/$tool" ]; then
			cp "$SMTPD_BIN/tests/$tool" "$STAGE"
		else
			cp "$BUILD/tests/$tool" "$STAGE"
		fi
	done
	chmod 755 "$STAGE"/*
}

teardown_file() {
	unstage
}

confined() {
	[ "$SMTPD_BIN" = "${SMTPD_BIN%sanitize*}" ] || skip "the sanitizers' reports need more than read and write"
}

@test "both ways: no new privileges, seccomp, no resources, descriptors of its own; the agent" {
	confined
	py <<-'PY'
	from session import *
	import session
	wrong = []
	def status(pid):
	    with open(f"/proc/{pid}/status") as file:
	        return dict(line.rstrip("\n").split(":\t", 1) for line in file)
	def limits(pid):
	    with open(f"/proc/{pid}/limits") as file:
	        return {line[:26].rstrip(): line[26:].split()[:2] for line in file}
	def files(pid):
	    return sorted(int(x) for x in os.listdir(f"/proc/{pid}/fd"))
	plain = SMTPD
	for mode, prefix in (("1", ()), ("2", (f"{STAGE}/filtered", "allow"))):
	    for kind in "tcp", "pair", "pipe":
	        session.SMTPD = (prefix or (plain,))[0]
	        s = Session(*prefix[1:], *(prefix and (plain,)), "-A", "true", kind=kind)
	        dialogue, agent = s.dialogue(), s.process.pid
	        about, of_agent, has = status(dialogue), status(agent), limits(dialogue)
	        if about["NoNewPrivs"] != "1" or about["Seccomp"] != mode:
	            wrong.append((mode, kind, about["NoNewPrivs"], about["Seccomp"]))
	        for name in ("open files", "processes", "core file size", "file size", "address space"):
	            if has["Max " + name] != ["0", "0"]:
	                wrong.append((mode, kind, name, has["Max " + name]))
	        if len(files(dialogue)) != 3:
	            wrong.append((mode, kind, "descriptors", files(dialogue)))
	        # Nobody but root may deliver as someone else: root may not, here.
	        if of_agent["NoNewPrivs"] != "1" or of_agent["Uid"].startswith("0"):
	            wrong.append((mode, kind, "the agent", of_agent["NoNewPrivs"], of_agent["Uid"]))
	        s.message(b"Subject: x\n\nx\n")
	        s.quit()
	show(wrong)
	PY
}

@test "the agent may gain rights where root delivers, with a checker, with a program that has set-user-ID" {
	need_root
	py <<-'PY'
	from session import *
	import shutil
	gains, hooks = f"{STAGE}/gains", f"{STAGE}/hooks"
	os.mkdir(hooks)
	for path in gains, f"{hooks}/NOOP":
	    shutil.copy("/bin/true", path)
	    os.chmod(path, 0o755)
	def new(*arguments):
	    s = Session(*arguments)
	    with open(f"/proc/{s.process.pid}/status") as file:
	        found = re.search(r"NoNewPrivs:\t(.)", file.read())[1] == "0"
	    s.quit()
	    return found
	assert not new("-A", gains) and not new("-A", "-H", hooks, "true")
	assert new("-A", "-n", "true"), "root"
	assert new("-A", "-a", "false", "--auth-plaintext", "true"), "a checker"
	for path, arguments in ((gains, (gains,)), (f"{hooks}/NOOP", ("-H", hooks, "true"))):
	    for mode in 0o4755, 0o2755:
	        os.chmod(path, mode)
	        assert new("-A", *arguments), (path, oct(mode))
	PY
}

@test "40 system calls, both ways: each kills the dialogue; the agent says nothing, logs it, ends with 70" {
	confined
	py <<-'PY'
	from session import *
	import platform, signal, subprocess, tempfile
	with tempfile.NamedTemporaryFile("w", suffix=".c") as source:
	    names = """open openat creat execve execveat fork vfork clone clone3 socket connect bind listen accept4
	        sendto sendmsg recvmsg mmap mprotect mremap brk ioctl fcntl dup dup3 pipe2 kill tgkill ptrace
	        process_vm_writev setuid chmod unlinkat renameat getdents64 io_uring_setup bpf prctl seccomp exit_group
	        getpid pread64 writev restart_syscall""".split()
	    source.write("#include <sys/syscall.h>\n" + "".join(
	        f"#ifdef SYS_{n}\n{n} SYS_{n}\n#endif\n" for n in names))
	    source.flush()
	    text = subprocess.run(["cc", "-E", "-P", source.name], capture_output=True, text=True, check=True).stdout
	calls = re.findall(rf"^({'|'.join(names)}) (\d+)$", text, re.M)
	assert len(calls) >= 40, calls
	wrong = []
	import session
	for prefix, by in (((f"{STAGE}/planted",), signal.SIGKILL),
	                   ((f"{STAGE}/filtered", "allow", f"{STAGE}/planted"), signal.SIGSYS)):
	    session.SMTPD = prefix[0]
	    for name, number in calls:
	        s = Session(*prefix[1:], "-A", "touch", f"{STAGE}/ran")
	        s.offer("x@y.example")
	        s.talk.send(f"SYSCALL {number} 0 0 0\r\n".encode())
	        rest = s.talk.eof()
	        log = s.ended(status=70)
	        if rest or f"killed by signal {int(by)}; session ended" not in log:
	            wrong.append((name, prefix, rest, log[-300:]))
	    # What it may do does no harm: it reads nothing from the channel, and ends.
	    s = Session(*prefix[1:], "-A", "true")
	    s.talk.send(b"SYSCALL 999999\r\n")
	    s.talk.eof()
	    s.ended(status=70)
	if os.path.exists(f"{STAGE}/ran"):
	    wrong.append("a command ran")
	show(wrong)
	PY
}

@test "no octet of the launcher's environment, nor of what a hook printed, is in the dialogue" {
	need_root
	confined
	py <<-'PY'
	from session import *
	needle = b"WxYzWxYz"
	hooks = f"{STAGE}/secret"
	os.mkdir(hooks)
	with open(f"{hooks}/CONNECT", "w") as file:
	    file.write("#!/bin/sh\nprintf 'X_SECRET=WxYz%s\\n' WxYz1234\n")
	os.chmod(f"{hooks}/CONNECT", 0o755)
	def memory(pid):
	    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
	        for line in maps:
	            begin, end = (int(x, 16) for x in line.split()[0].split("-"))
	            if "r" in line.split()[1] and "[v" not in line:
	                mem.seek(begin)
	                try:
	                    yield line.split()[-1], mem.read(end - begin)
	                except OSError:
	                    pass
	wrong = []
	for arguments in ((), ("-H", hooks)):
	    s = Session("-n", "-A", *arguments, "sh", "-c", f"env >{STAGE}/environment",
	                env={**os.environ, "SECRET": "WxYzWxYz1234", "WxYzWxYz": "1"})
	    s.message(b"x: y\n\n")
	    found = [where for where, octets in memory(s.dialogue()) if needle in octets]
	    if found:
	        wrong.append((arguments, found))
	    # The search finds what is there.
	    if not any(needle in octets for _, octets in memory(s.process.pid)):
	        wrong.append("the agent has forgotten its environment")
	    s.quit()
	    with open(f"{STAGE}/environment") as file:
	        if file.read().count("WxYzWxYz") != (3 if arguments else 2):
	            wrong.append("the command's environment is not whole")
	show(wrong)
	PY
}

@test "no sandbox: a line says so once; --require-sandbox: 78, and no greeting" {
	confined
	py <<-'PY'
	from session import *
	import session, signal
	plain = SMTPD
	denied = (f"{STAGE}/filtered", "deny", plain)
	session.SMTPD = denied[0]
	s = Session(*denied[1:], "-A", "true")
	s.talk.ask("NOOP", "250")
	assert s.message(b"x: y\n\n").startswith(b"250")
	s.talk.ask("QUIT", "221")
	log = s.ended()
	assert log.count("no sandbox: ") == 1 and "Operation not permitted" in log, log
	for prefix, status in ((denied, 78), ((f"{STAGE}/filtered", "allow", plain), 0), ((plain,), 0)):
	    done = subprocess.run([*prefix, "--require-sandbox", "-A", "true"], input=b"QUIT\r\n", capture_output=True)
	    assert done.returncode == status, (prefix, done)
	    assert done.stdout.startswith(b"220 ") == (status == 0), done
	    lines = [l for l in done.stderr.splitlines() if b"sandbox" in l]
	    assert len(lines) == (status != 0), done
	    done = subprocess.run(["timeout", "-s", "TERM", "1", *prefix, "--require-sandbox", "-l", "127.0.0.1:0", "true"],
	                          capture_output=True)
	    assert done.returncode == (78 if status else 124), done
	    assert (b"listening" in done.stderr) == (status == 0), done
	# A listener says it at its start, and not for each connection.
	listener = subprocess.Popen([*denied, "-l", "127.0.0.1:0", "-A", "true"], stderr=subprocess.PIPE)
	said = b""
	while b"listening on" not in said.splitlines()[-1:][0] if said else True:
	    said += listener.stderr.readline()
	port = int(said.split(b":")[-1])
	for _ in range(2):
	    with socket.create_connection(("127.0.0.1", port)) as client:
	        client.sendall(b"QUIT\r\n")
	        while client.recv(4096):
	            pass
	listener.send_signal(signal.SIGTERM)
	said += listener.stderr.read()
	assert listener.wait() == 0 and said.count(b"no sandbox: ") == 1, said
	PY
}

@test "what cannot be written to a file any more can still be: smtpd <transcript >replies" {
	printf 'EHLO me\r\nMAIL FROM:<a@b>\r\nQUIT\r\n' >"$BATS_TEST_TMPDIR/transcript"
	"$SMTPD" -A true <"$BATS_TEST_TMPDIR/transcript" >"$BATS_TEST_TMPDIR/replies"
	grep -q '^221 ' "$BATS_TEST_TMPDIR/replies"
}
