#!/usr/bin/env bats
# shellcheck shell=bats
# kill -9 of agents, dialogues, feeders and commands at random moments, while
# messages come in (kills.py): what was told 250 is there once, what was told
# 4xx is not, and nothing is there in part.

load lib

setup_file() {
	stage
}

teardown_file() {
	unstage
}

@test "messages under kill -9: none lost, none twice, none cut" {
	local count=400
	[ -z "${FAULTS_ALL:-}" ] || count=5000
	! grep -q __asan_init "$SMTPD" ||
		skip "a process killed between vfork and exec takes the sanitizers' locks with it"
	"$PYTHON" "$BATS_TEST_DIRNAME/kills.py" "$count" 4
}
