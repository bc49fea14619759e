#!/usr/bin/env bats
# shellcheck shell=bats
# The fuzz targets of tests/fuzz on their corpus, with the sanitizers; and that
# each of them can fail.

load lib

setup_file() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	sanitized
	FUZZ=$SANITIZED/tests/fuzz
	export FUZZ
	export ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
}

setup() {
	cd "$BATS_TEST_DIRNAME/.." || return 1
	dir=$BATS_TEST_TMPDIR
}

@test "the corpus: no crash, no leak, nothing that may not be" {
	for corpus in tests/fuzz/corpus/*/; do
		target=$(basename "$corpus")
		count=$(find "$corpus" -type f | wc -l)
		[ "$count" -gt 5 ]
		run -0 "$FUZZ/$target" "$corpus"
		[ "${lines[-1]}" = "$count inputs" ]
	done
}

@test "each target has a corpus, and each corpus a target" {
	diff <(basename -s .c tests/fuzz/*.c | grep -vx replay) \
		<(basename -a tests/fuzz/corpus/*)
}

@test "each target finds a bug that is planted" {
	ROOMS=$SANITIZED tests/fuzz/bugs
}

@test "make fuzz names an input that fails, and leaves the tree alone" {
	mkdir "$dir/tests" "$dir/tests/fuzz"
	cat >"$dir/tests/fuzz/data" <<-'END'
		#!/bin/sh
		for word; do
			case $word in
			-artifact_prefix=*) echo bad >"${word#*=}crash-1" ;;
			esac
		done
		exit 77
	END
	chmod +x "$dir/tests/fuzz/data"
	run -1 tests/fuzz/run libfuzzer 1 "$dir" data
	grep -q "build/sanitize/tests/fuzz/data $dir/found/data/crash-1" <<<"$output"
}
