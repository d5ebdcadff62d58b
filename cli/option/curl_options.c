/* SPDX-License-Identifier: MIT */
#include "curl_options.h"

#include <stddef.h>
#include <string.h>

#define ANY "request" /* an option of all commands that make requests */

#define NO_HTTP3  "not supported; muster uses HTTP/2 and HTTP/1.1"
#define IN_LINE   "not needed: every result line has the response's header as `headers`"
#define TLS_MADE  "not supported yet; muster uses TLS 1.2 and 1.3"
#define A_FILE    "use --body DIR: each body becomes a file there"
#define AT_ONCE   "use -c N: N requests in flight at once"
#define REDIRECTS "not supported: POST becomes GET, as in browsers; 307 and 308 keep it"
#define NO_PASS   "not supported; files are in PEM, and a key has no password: openssl pkey makes one"
#define WHOLE     "not needed: a file of a body is there whole, or not at all"
#define ALL_CERTS "not supported; use --cacert FILE with all certificates in one file"
#define BY_DNS    "not supported; --dns-server ADDRESS chooses who is asked, --resolve an address"
#define NO_DOMAIN "not supported; -u USER:PASSWORD with --basic, --digest or --anyauth is"

const struct curl_option curl_options[] = {
        /* How many, and how fast */
        { 'Z', "parallel", "concurrency",
                "not needed: requests run concurrently; -c N says how many" },
        { 0, "parallel-max", "concurrency", AT_ONCE },
        { 0, "parallel-immediate", "concurrency",
                "not needed: requests do not wait for each other" },
        { 0, "jobs", "concurrency", AT_ONCE },
        { 0, "connections", "concurrency", AT_ONCE },
        { 0, "workers", "concurrency", AT_ONCE },
        { 0, "max-procs", "concurrency", AT_ONCE },
        { 0, "limit-rate", "rate",
                "bandwidth cannot be limited; --rate N limits request starts per second" },
        { 0, "wait", "rate", "use --rate N: N request starts per second" },
        { 0, "qps", "rate", "use --rate N: N request starts per second" },

        /* How long, and again */
        { 0, "timeout", "max-time", "use -m TIME: from slot to result" },
        { 0, "retry-connrefused", "retry", "not needed: --retry also retries failed connects" },
        { 0, "retry-all-errors", "retry",
                "not supported; --retry retries temporary failures, --retry-unsafe includes POST" },
        { 't', "tries", "retry", "use --retry N" },
        { 0, "fail-early", "in-order", "not supported: a failed request never stops the others" },
        { 0, "check-status", "fail", "use -f" },

        /* Request */
        { 0, "spider", ANY, "use -I" },
        { 0, "method", ANY, "use -X METHOD" },
        { 0, "post-data", ANY, "use -d DATA" },
        { 0, "body-data", ANY, "use -d DATA" },
        { 0, "body-json", ANY, "use --json DATA" },
        { 0, "multipart", ANY, "use -F NAME=CONTENT" },
        { 0, "post-file", ANY, "use --data-binary @FILE" },
        { 0, "body-file", ANY, "use --data-binary @FILE" },
        { 'C', "continue-at", ANY, "use -H 'Range: bytes=FIRST-'" },
        { 'z', "time-cond", ANY, "use -H 'If-Modified-Since: DATE'" },
        { 0, "etag-save", ANY, "not needed: the ETag is among the `headers` of the result line" },
        { 0, "etag-compare", ANY, "use -H 'If-None-Match: ETAG', or `headers` of the input line" },
        { 0, "tr-encoding", ANY, "not supported: content is compressed, not its transfer" },
        { 0, "path-as-is", ANY, "not supported: dots in a path are resolved, as browsers do it" },
        { 0, "request-target", ANY, "not supported: the URL says what is asked for" },
        { 0, "load-cookies", ANY, "use -b FILE" },
        { 0, "save-cookies", "cookie-jar", "use --cookie-jar FILE" },
        { 0, "keep-session-cookies", "cookie-jar",
                "not needed: session cookies are kept; -j leaves them out" },
        { 0, "session", "cookie-jar", "use -b FILE --cookie-jar FILE" },
        { ':', "next", "input", "use -i FILE with one JSON object per request" },
        { 0, "input-file", "input", "use -i FILE" },
        { 'q', "disable", "input", "not needed: muster reads no options file without -K" },
        { 'g', "globoff", ANY, "not needed: braces and brackets in a URL have no special meaning" },
        { 0, "recursive", ANY, "not supported: muster does not follow links; give all URLs" },
        { 0, "mirror", ANY, "not supported: muster does not follow links; give all URLs" },

        /* The server, and the path to it */
        { 0, "proxy-*", "proxy", "of curl's options for proxies this one is not supported" },
        { 0, "preproxy", "proxy", "not supported: requests go through one proxy" },
        { 0, "socks5-*", "proxy",
                "not supported: SOCKS 5 is used with user name and password, or without" },
        { 0, "no-proxy", "noproxy", "use --noproxy LIST, or --noproxy \"*\" for none at all" },
        { 0, "doh-url", "dns-server",
                "not supported yet; --dns-server ADDRESS chooses the name server" },
        { 0, "http0.9", ANY, "not supported: such an answer is an error that says so" },
        { 0, "http3", ANY, NO_HTTP3 },
        { 0, "http3-only", ANY, NO_HTTP3 },
        { 0, "alpn", ANY, "not supported; --http1.1 keeps a server from HTTP/2" },
        { 0, "no-alpn", ANY, "not supported; --http1.1 keeps a server from HTTP/2" },
        { 0, "ignore-content-length", ANY, "not supported: a body is as long as its header says" },
        { 0, "haproxy-protocol", ANY, "not supported" },
        { 0, "proxy1.0", "proxy", "not supported; use -x HOST:PORT" },
        { 0, "dns-interface", "dns-server", BY_DNS },
        { 0, "dns-ipv4-addr", "dns-server", BY_DNS },
        { 0, "dns-ipv6-addr", "dns-server", BY_DNS },
        { 0, "happy-eyeballs-timeout-ms", ANY,
                "not supported: addresses are tried 250 ms apart; -4 and -6 choose a kind" },
        { 0, "tcp-fastopen", ANY, "not supported: connections are kept and used again" },
        { 0, "keepalive-time", ANY, "not supported: idle connections are closed after 50 s" },
        { 0, "no-keepalive", ANY, "not supported; -H 'Connection: close' keeps none" },
        { 0, "tcp-nodelay", ANY, "not needed: TCP_NODELAY is always set" },
        { 0, "proto*", ANY, "not needed: muster fetches only http and https" },
        { 0, "post301", "location", REDIRECTS },
        { 0, "post302", "location", REDIRECTS },
        { 0, "post303", "location", REDIRECTS },
        { 0, "disallow-username-in-url", "untrusted-input",
                "use --untrusted-input, which forbids more" },
        { 0, "follow", "location", "not needed: redirects are followed by default" },
        { 0, "max-redirect", "max-redirs", "use --max-redirs N" },

        /* TLS and passwords */
        { 0, "no-check-certificate", "insecure", "use -k" },
        { 0, "verify", "insecure", "not needed: certificates are verified unless you give -k" },
        { 0, "capath", "cacert",
                "not supported yet; use --cacert FILE with all certificates in one file" },
        { 0, "ca-certificate", "cacert", "use --cacert FILE" },
        { 0, "certificate", "cert", "use --cert FILE" },
        { 0, "private-key", "key", "use --key FILE" },
        { 0, "alt-svc", ANY, "Alt-Svc is in the headers of a result, and is not followed" },
        { 0, "no-sessionid", "ssl-sessions", "not supported: TLS sessions are always resumed" },
        { 0, "tls-earlydata", "ssl-sessions", "not supported: nothing is sent as early data" },
        { '1', "tlsv1", ANY, TLS_MADE },
        { 0, "tlsv1.*", ANY, TLS_MADE },
        { 0, "tls-max", "cacert", TLS_MADE },
        { 0, "ciphers", ANY, TLS_MADE },
        { 0, "tls13-ciphers", ANY, TLS_MADE },
        { 0, "curves", ANY, TLS_MADE },
        { 0, "false-start", ANY, TLS_MADE },
        { 0, "crlfile", "cacert", ALL_CERTS },
        { 0, "pinnedpubkey", "cacert", ALL_CERTS },
        { 0, "pass", "key", NO_PASS },
        { 0, "cert-type", "cert", NO_PASS },
        { 0, "key-type", "key", NO_PASS },
        { 0, "ntlm", "user", NO_DOMAIN },
        { 0, "ntlm-wb", "user", NO_DOMAIN },
        { 0, "aws-sigv4", "user", NO_DOMAIN },
        { 0, "negotiate", "user", NO_DOMAIN },
        { 0, "password", "user", "use -u USER:PASSWORD" },
        { 0, "auth", "user", "use -u USER:PASSWORD" },

        /* Output */
        { 0, "directory-prefix", "output-dir", "use -O --output-dir DIR" },
        { 'P', "download", "body", A_FILE },
        { 0, "remove-on-error", "body", WHOLE },
        { 0, "no-clobber", "body",
                "not supported: files of bodies are replaced by a later run; use another --body DIR" },
        { 0, "clobber", "force", "use --force" },
        { 0, "create-file-mode", "body", "not supported: the umask says who may read files" },
        { 0, "xattr", "body", "not supported: the result line has the URL and the type" },
        { 0, "stderr", ANY, "use the shell: 2> FILE" },
        { 0, "styled-output", ANY, "not needed: result lines are plain" },
        { 0, "libcurl", ANY, "not supported" },
        { 0, "output-document", "output",
                "use -o FILE for the result lines, --body DIR for the bodies" },
        { 0, "include", "output", IN_LINE },
        { 'D', "dump-header", "output", IN_LINE },
        { 0, "headers", "output", IN_LINE },
        { 0, "server-response", "output", IN_LINE },
        { 0, "trace-*", "trace",
                "use --trace FILE; bodies are in the result lines or, with --body DIR, in files" },
        { 0, "quiet", "silent", "use -s" },
        { 'N', "no-buffer", "output", "not needed: lines are written as results come" },
        { 0, "no-progress-meter", "no-progress", "use --no-progress" },
        { '#', "progress-bar", "no-progress", "not needed: a terminal shows a progress line" },
        { 0, "raw", "no-compressed", "use --no-compressed" },
        { 'V', "version", ANY, "run muster --version" },
        { 'M', "manual", ANY, "run man muster" },
        { 0 },
};

/* "proxy-*" is what begins with "proxy-". */
static bool name_fits(const char *pattern, struct muster_str name)
{
        size_t len = strlen(pattern);

        if (pattern[len - 1] != '*')
                return str_is(name, pattern);
        return name.len >= len - 1 && memcmp(name.at, pattern, len - 1) == 0;
}

const struct curl_option *curl_option_of_name(struct muster_str name)
{
        for (const struct curl_option *option = curl_options; option->name; option++)
                if (name_fits(option->name, name))
                        return option;
        return NULL;
}

const struct curl_option *curl_option_of_letter(char letter)
{
        for (const struct curl_option *option = curl_options; option->name; option++)
                if (option->letter && option->letter == letter)
                        return option;
        return NULL;
}
