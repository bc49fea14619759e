# bash completion for smtpd(8): into /usr/share/bash-completion/completions as
# smtpd, or source it in ~/.bashrc. It needs bash alone.

# The two lists of options: without a value, and with one. Short ones follow
# their long names.
_smtpd_flags='--nosetuid -n --proxy-protocol -p --smtputf8 -u --crlf -C --no-received --no-trust
	--any -A --auth-plaintext --auth-cram-md5 --tlswrapper --tls
	--require-auth --require-tls --require-sandbox --single -1 --lmtp -L --debug -d --quiet -q --syslog --version -V --help -h'
_smtpd_valued='--listen -l --concurrency -c --per-client --user -U
	--proxy-from --xclient --timeout -t
	--session-timeout --min-rate --command-timeout --hostname --size -s
	--bare-newline -b --domain -D --relay-from -r --auth -a --hooks -H --max-recipients
	--max-messages --max-errors --max-hops --hide'

# Is $1 a word of the list $2?
_smtpd_among() {
	[[ " ${2//[$'\n\t']/ } " == *" $1 "* ]]
}

# The words of $1 that begin with $2.
_smtpd_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

# What can stand behind the option $1, of which $2 is there already.
_smtpd_value() {
	case $1 in
	--bare-newline | -b) _smtpd_words 'reject normalize' "$2" ;;
	--hide)
		_smtpd_words 'PIPELINING SIZE 8BITMIME ENHANCEDSTATUSCODES
			CHUNKING BINARYMIME DSN SMTPUTF8 LIMITS STARTTLS AUTH XCLIENT HELP' "$2"
		;;
	--auth | -a) mapfile -t COMPREPLY < <(compgen -c -- "$2" | sort -u) ;;
	--hostname) mapfile -t COMPREPLY < <(compgen -A hostname -- "$2") ;;
	--user | -U) mapfile -t COMPREPLY < <(compgen -u -- "$2") ;;
	--hooks | -H)
		mapfile -t COMPREPLY < <(compgen -d -- "$2")
		compopt -o filenames 2>/dev/null
		;;
	--domain | -D)
		# @FILE
		if [[ $2 == @* ]]; then
			mapfile -t COMPREPLY < <(compgen -P @ -f -- "${2#@}")
			compopt -o filenames 2>/dev/null
		else
			mapfile -t COMPREPLY < <(compgen -A hostname -- "$2")
		fi
		;;
	esac
}

_smtpd() {
	local i word option='' command=0 words last
	COMPREPLY=()

	# Words as the user typed them: COMP_WORDS is split at = and : as well.
	read -ra words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} != *[[:blank:]] ]] || words+=('')
	last=$((${#words[@]} - 1))

	# Up to the cursor: which word is an option's value, where is the command?
	for ((i = 1; i < last; i++)); do
		word=${words[i]}
		if [[ -n $option ]]; then
			option=''
		elif [[ $word == -- ]]; then
			command=$((i + 1))
			break
		elif _smtpd_among "$word" "$_smtpd_valued"; then
			option=$word
		elif [[ $word != -* ]]; then
			command=$i
			break
		fi
	done

	word=${words[last]}
	if ((command && last > command)); then
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		compopt -o filenames 2>/dev/null
	elif [[ -n $option ]]; then
		_smtpd_value "$option" "$word"
	elif ((command)) || [[ $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$word" | sort -u)
	elif [[ $word == --*=* ]]; then
		_smtpd_value "${word%%=*}" "${word#*=}"
	else
		_smtpd_words "$_smtpd_flags $_smtpd_valued" "$word"
	fi
}

complete -F _smtpd smtpd
