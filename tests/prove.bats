#!/usr/bin/env bats
# What tests/prove does not let pass. The proof itself is make prove.

bats_require_minimum_version 1.5.0

setup() {
	command -v frama-c >/dev/null || skip "frama-c is not installed"
	PLACE=$BATS_TEST_TMPDIR
	mkdir "$PLACE/lib" "$PLACE/proof"
	cd "$BATS_TEST_DIRNAME/.." || return 1
	cp lib/content.[ch] "$PLACE/lib"
	cp -R tests/proof/models tests/proof/prove.h tests/proof/content.c "$PLACE/proof"
	sed -i 's/LENGTH = [0-9]*/LENGTH = 6/' "$PLACE/proof/content.c"
	: >"$PLACE/proof/alarms"
}

# prove: the room and the harness of the test.
prove() {
	tests/prove -l "$PLACE/lib" -p "$PLACE/proof" content >"$PLACE/said" 2>&1
}

@test "an octet too far is an alarm, and no longer one where it is known" {
	# Reads the next octet, too, where there may be none.
	sed -i 's/one(content, text\[i++\])/one(content, text[i + (text[i] == 7)]), i++/' \
		"$PLACE/lib/content.c"
	run ! cmp -s lib/content.c "$PLACE/lib/content.c"
	run -1 prove
	grep -q '^content: alarm: content.c content_look mem_access: ' "$PLACE/said"
	tail -n 1 "$PLACE/said" | grep -q '^0 rooms proved, [1-9][0-9]* alarms, 0 known$'
	sed -n 's/^content: alarm: //p' "$PLACE/said" >"$PLACE/proof/alarms"
	prove
	tail -n 1 "$PLACE/said" | grep -q '^1 rooms proved, 0 alarms, [1-9][0-9]* known$'
}

@test "a harness that does not reach a function of its room proves nothing" {
	sed -i '/content_end(/d' "$PLACE/proof/content.c"
	run -1 prove
	grep -qx 'content: content_end() was not reached' "$PLACE/said"
	tail -n 1 "$PLACE/said" | grep -qx '0 rooms proved, 0 alarms, 0 known'
}

@test "nor does one that ends halfway, or an analysis that is cut short" {
	sed -i 's/content_end(.*/&\n\tfor (;;)\n\t\tcontinue;/' "$PLACE/proof/content.c"
	run -1 prove
	grep -qx 'content: once() was not reached to its end' "$PLACE/said"
	PROVE_TIMEOUT=0.1 run -1 prove
	grep -q '^content: the analysis was cut short' "$PLACE/said"
}

@test "a room without a harness, one unproved in vain and a known alarm that has gone" {
	sed -i '/content_end(/d' "$PLACE/proof/content.c" # fails anyway, but soon
	printf '%s\n' 'content.c nowhere mem_access: \valid(nothing)' >"$PLACE/proof/alarms"
	printf '%s\n' content smtp >"$PLACE/proof/unproved"
	run -1 tests/prove -l "$PLACE/lib" -p "$PLACE/proof"
	said=$output
	grep -qx 'gone: content.c nowhere mem_access: \\valid(nothing)' <<<"$said"
	grep -qx 'in no harness, or unproved in vain: line' <<<"$said"
	grep -qx 'in no harness, or unproved in vain: content' <<<"$said"
	run ! grep -q ': smtp' <<<"$said"
}
