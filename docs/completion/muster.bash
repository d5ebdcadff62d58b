# Completion of muster for bash
# shellcheck shell=bash

# Words, or what else compgen offers, that begin as the word at the cursor.
_muster_offer() {
    mapfile -t COMPREPLY < <(compgen "$@" -- "${COMP_WORDS[COMP_CWORD]}")
}

_muster_fetch() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -i | -o | -E | -T | -K | --config | --upload-file | --input | --output | --cacert | --cert | --key | --record | --load-json | --ssl-sessions | --netrc-file | --hsts | --proxy-cacert | --proxy-cert | --proxy-key | --unix-socket)
        _muster_offer -f
        return
        ;;
    --output-dir)
        _muster_offer -d
        return
        ;;
    --body)
        _muster_offer -W "inline none" -d
        return
        ;;
    --process)
        _muster_offer -c
        return
        ;;
    --input-format)
        _muster_offer -W "auto lines jsonl csv tsv"
        return
        ;;
    --sync)
        _muster_offer -W "each second end"
        return
        ;;
    --cookie-scope)
        _muster_offer -W "run line"
        return
        ;;
    esac
    _muster_offer -W "--help
        --input
        --url
        --config
        --input-format
        --url-column
        --body-pipes
        --strict
        --output
        --resume
        --failed-only
        --append
        --sync
        --force
        --write-out
        --body
        --remote-name
        --remote-name-all
        --remote-header-name
        --output-dir
        --create-dirs
        --remote-time
        --in-order
        --summary
        --verbose
        --trace
        --no-progress
        --silent
        --show-error
        --concurrency
        --per-host
        --rate
        --rate-per-host
        --threads
        --requests
        --duration
        --ramp
        --load-json
        --charts
        --connect-timeout
        --max-time
        --read-timeout
        --speed-limit
        --speed-time
        --expect100-timeout
        --queue-timeout
        --deadline
        --request
        --header
        --data
        --data-ascii
        --data-binary
        --data-raw
        --data-urlencode
        --get
        --url-query
        --form
        --form-string
        --form-escape
        --upload-file
        --json
        --user
        --head
        --range
        --referer
        --basic
        --digest
        --anyauth
        --oauth2-bearer
        --netrc
        --netrc-optional
        --netrc-file
        --location-trusted
        --secret-header
        --user-agent
        --http1.0
        --http1.1
        --http2
        --http2-prior-knowledge
        --h2-conns
        --compressed
        --no-compressed
        --cookie
        --junk-session-cookies
        --cookie-jar
        --cookie-scope
        --fail
        --fail-with-body
        --location
        --no-location
        --max-redirs
        --allow-https-to-http
        --max-filesize
        --body-memory
        --retry
        --retry-delay
        --retry-max-time
        --retry-budget
        --retry-unsafe
        --process
        --process-lines
        --parse-json
        --jq
        --process-timeout
        --process-max-output
        --process-workers
        --process-inline
        --insecure
        --cacert
        --cert-status
        --cert
        --key
        --resolve
        --dns-server
        --ssl-sessions
        --hsts
        --proxy
        --proxy-user
        --noproxy
        --proxytunnel
        --proxy-header
        --proxy-basic
        --proxy-digest
        --proxy-anyauth
        --socks4
        --socks4a
        --socks5
        --socks5-hostname
        --proxy-cacert
        --proxy-cert
        --proxy-key
        --proxy-insecure
        --ipv4
        --ipv6
        --interface
        --local-port
        --unix-socket
        --abstract-unix-socket
        --connect-to
        --deny-private
        --allow-host
        --allow-port
        --untrusted-input
        --record
        --assert
        --confirm
        --confirm-rounds
        --confirm-unsafe"
}

_muster_explain() {
    case ${COMP_WORDS[COMP_CWORD]} in
    -*)
        _muster_offer -W "--help
            --json
            --assert
            --confirm
            --confirm-rounds
            --confirm-unsafe"
        ;;
    *) _muster_offer -f ;;
    esac
}

# compare and sweep; these options are of one of them, the rest are of both.
_muster_measure() {
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -i | -E | -T | --upload-file | --input | --cacert | --cert | --key)
        _muster_offer -f
        return
        ;;
    --input-format)
        _muster_offer -W "auto lines jsonl csv tsv"
        return
        ;;
    --cookie-scope)
        _muster_offer -W "run line"
        return
        ;;
    esac
    _muster_offer -W "$1 --help
        --json
        --silent
        --unsafe
        --input
        --input-format
        --url-column
        --body-pipes
        --strict
        --connect-timeout
        --max-time
        --read-timeout
        --speed-limit
        --speed-time
        --expect100-timeout
        --request
        --header
        --data
        --data-ascii
        --data-binary
        --data-raw
        --data-urlencode
        --get
        --url-query
        --form
        --form-string
        --form-escape
        --upload-file
        --user
        --head
        --range
        --referer
        --basic
        --digest
        --anyauth
        --oauth2-bearer
        --netrc
        --netrc-optional
        --netrc-file
        --location-trusted
        --secret-header
        --user-agent
        --http1.0
        --http1.1
        --http2
        --http2-prior-knowledge
        --h2-conns
        --compressed
        --no-compressed
        --cookie
        --junk-session-cookies
        --cookie-scope
        --insecure
        --cacert
        --cert-status
        --cert
        --key
        --resolve
        --dns-server
        --proxy
        --proxy-user
        --noproxy
        --proxytunnel
        --proxy-header
        --proxy-basic
        --proxy-digest
        --proxy-anyauth
        --socks4
        --socks4a
        --socks5
        --socks5-hostname
        --proxy-cacert
        --proxy-cert
        --proxy-key
        --proxy-insecure
        --ipv4
        --ipv6
        --interface
        --local-port
        --unix-socket
        --abstract-unix-socket
        --connect-to
        --deny-private
        --allow-host
        --allow-port
        --untrusted-input
        --fail
        --location
        --no-location
        --max-redirs
        --allow-https-to-http
        --max-filesize
        --body-memory"
}

_muster_compare() {
    _muster_measure "--concurrency --threads --requests --rounds --watch"
}

_muster_sweep() {
    _muster_measure "--max --steps --seconds"
}

_muster_watch() {
    local i

    # Behind --, or the first word that is no option, stands a command.
    for ((i = 2; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        --) i=$((i + 1)) ;;
        -o | --output | --record | --for | --confirm)
            i=$((i + 1))
            continue
            ;;
        -*) continue ;;
        esac
        if [ "$i" -eq "$COMP_CWORD" ]; then
            _muster_offer -c
        else
            _muster_offer -f
        fi
        return
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    -o | --output | --record)
        _muster_offer -f
        return
        ;;
    --confirm)
        _muster_offer -c
        return
        ;;
    esac
    case ${COMP_WORDS[COMP_CWORD]} in
    -*)
        _muster_offer -W "--help
            --output
            --json
            --record
            --force
            --silent
            --for
            --no-hooks
            --no-filter
            --replay
            --confirm
            --"
        ;;
    *) _muster_offer -c ;;
    esac
}

_muster_lab() {
    local i

    # Behind -- stands a command.
    for ((i = 2; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" = -- ] || continue
        if [ $((i + 1)) -eq "$COMP_CWORD" ]; then
            _muster_offer -c
        else
            _muster_offer -f
        fi
        return
    done
    case ${COMP_WORDS[COMP_CWORD - 1]} in
    --scenario)
        _muster_offer -f
        return
        ;;
    --tls)
        _muster_offer -W "good expired not-yet-valid wrong-name self-signed unknown-issuer missing-intermediate old-protocol"
        return
        ;;
    --tls-max)
        _muster_offer -W "1.2 1.3"
        return
        ;;
    --congestion-control)
        _muster_offer -W "$(cat /proc/sys/net/ipv4/tcp_available_congestion_control 2>/dev/null)"
        return
        ;;
    --service-dist)
        _muster_offer -W "fixed exp uniform"
        return
        ;;
    --h2-window-updates)
        _muster_offer -W "never"
        return
        ;;
    --refuse)
        _muster_offer -W "503 close"
        return
        ;;
    esac
    _muster_offer -W "--help
        --
        --scenario
        --serve
        --listener
        --listen
        --tls
        --tls-max
        --tls-no-resumption
        --tls-handshake-cost
        --backlog
        --accept-interval
        --max-connections
        --no-keep-alive
        --max-requests
        --idle-timeout
        --no-continue
        --no-nodelay
        --write-size
        --connection-rate
        --congestion-control
        --h2
        --h2-streams
        --h2-window
        --h2-connection-window
        --h2-window-updates
        --h2-frame-size
        --h2-header-list
        --h2-continuation
        --h2-goaway
        --h2-refuse
        --h2-settings-delay
        --h2-no-pong
        --delay
        --body-delay
        --cold-start
        --pauses
        --error-share
        --rate-limit
        --limit-answer
        --route
        --workers
        --service-time
        --service-dist
        --contention
        --coherency
        --queue
        --refuse
        --name
        --dns
        --link
        --seed"
}

_muster() {
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        _muster_offer -W "fetch watch explain compare sweep lab --help --version"
        return
    fi
    case ${COMP_WORDS[1]} in
    fetch) _muster_fetch ;;
    watch) _muster_watch ;;
    explain) _muster_explain ;;
    compare) _muster_compare ;;
    sweep) _muster_sweep ;;
    lab) _muster_lab ;;
    esac
}

complete -F _muster muster
