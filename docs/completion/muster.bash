# Completion of muster for bash
# shellcheck shell=bash

_muster() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local options="--help
        --input
        --input-format
        --output
        --body
        --in-order
        --summary
        --no-progress
        --silent
        --concurrency
        --per-host
        --connect-timeout
        --max-time
        --read-timeout
        --queue-timeout
        --deadline
        --request
        --header
        --data
        --data-binary
        --user
        --user-agent
        --http1.0
        --http1.1
        --compressed
        --no-compressed
        --fail
        --location
        --no-location
        --max-redirs
        --allow-https-to-http
        --max-filesize
        --retry
        --retry-unsafe
        --insecure
        --cacert
        --cert
        --key
        --resolve
        --dns-server"

    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "fetch --help --version" -- "$word")
        return
    fi
    case $before in
    -i | -o | -E | --input | --output | --cacert | --cert | --key)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --body)
        mapfile -t COMPREPLY < <(compgen -W "inline none" -d -- "$word")
        return
        ;;
    --input-format)
        mapfile -t COMPREPLY < <(compgen -W "auto lines jsonl" -- "$word")
        return
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
}

complete -F _muster muster
