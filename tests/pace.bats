#!/usr/bin/env bats
# shellcheck shell=bats
# --min-rate: message data slower than that, over a minute, is 421 4.4.2.
# shellcheck disable=SC2154

load lib

setup_file() {
	stage
}

teardown_file() {
	unstage
}

@test "--min-rate: who drips or stalls in message data gets 421 4.4.2 after a minute; who is fast enough does not" {
	"$PYTHON" "$BATS_TEST_DIRNAME/pace.py"
}
