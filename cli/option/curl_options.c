/* SPDX-License-Identifier: MIT */
#include "curl_options.h"

#include <stddef.h>
#include <string.h>

#define ANY "request" /* an option of all commands that make requests */

#define NO_PROXIES "there are no proxies yet"
#define NO_COOKIES "cookies are not kept yet; -H 'Cookie: NAME=VALUE' sends one"
#define NO_HTTP2   "only HTTP/1.1 is spoken so far"
#define IN_LINE    "not needed: the header is in every result line, as `headers`"
#define TLS_MADE   "not there yet; TLS 1.2 and 1.3 are spoken"
#define A_FILE     "write --body DIR: each body becomes a file there"
#define AT_ONCE    "write -c N: so many at once"
#define MORE_TOLD  "every result line has the header and the phases; --record FILE keeps more"
#define ONLY_BASIC "not there yet; -u USER:PASSWORD is Basic authentication"
#define NO_ADDRESS "not there yet; --resolve HOST:PORT:ADDRESS says which address to use"
#define NO_UNIX    "sockets that are files are not there yet"
#define NO_CONFIG  "options are not read from files; lists of requests are: -i FILE"
#define SILENCE    "write --read-timeout TIME: the longest silence of a server"

const struct curl_option curl_options[] = {
        /* How many, and how fast */
        { 'Z', "parallel", "concurrency",
                "not needed: requests are made at once; -c N says how many" },
        { 0, "parallel-max", "concurrency", AT_ONCE },
        { 0, "parallel-immediate", "concurrency",
                "not needed: requests do not wait for each other" },
        { 0, "jobs", "concurrency", AT_ONCE },
        { 0, "connections", "concurrency", AT_ONCE },
        { 0, "workers", "concurrency", AT_ONCE },
        { 0, "max-procs", "concurrency", AT_ONCE },
        { 0, "limit-rate", "rate",
                "bandwidth is not limited; --rate N limits how many start a second" },
        { 0, "wait", "rate", "write --rate N: so many start a second" },
        { 0, "qps", "rate", "write --rate N: so many start a second" },

        /* How long, and again */
        { 0, "timeout", "max-time", "write -m TIME: from its turn to its result" },
        { 'y', "speed-time", "read-timeout", SILENCE },
        { 'Y', "speed-limit", "read-timeout", SILENCE },
        { 0, "retry-delay", "retry",
                "not needed: waits grow from try to try, or are what Retry-After says" },
        { 0, "retry-max-time", "retry", "write --max-time TIME: it holds for all tries together" },
        { 0, "retry-connrefused", "retry",
                "not needed: --retry tries again what could not connect" },
        { 0, "retry-all-errors", "retry",
                "not there; --retry tries again what may pass, with --retry-unsafe POST as well" },
        { 't', "tries", "retry", "write --retry N" },
        { 0, "fail-early", "in-order", "not there: one failure never ends the others" },
        { 0, "check-status", "fail", "write -f" },

        /* What to ask */
        { 'I', "head", ANY, "write -X HEAD" },
        { 0, "spider", ANY, "write -X HEAD" },
        { 0, "method", ANY, "write -X METHOD" },
        { 'G', "get", ANY, "put the data into the URL: 'http://HOST/?NAME=VALUE'" },
        { 0, "url-query", ANY, "put it into the URL: 'http://HOST/?NAME=VALUE'" },
        { 'F', "form", ANY,
                "forms in parts are not there yet; make the body, and send it with --data-binary @FILE" },
        { 0, "form-string", ANY,
                "forms in parts are not there yet; make the body, and send it with --data-binary @FILE" },
        { 0, "data-raw", ANY, "write -d; only a leading @ is a file there" },
        { 0, "data-ascii", ANY, "write -d" },
        { 0, "data-urlencode", ANY, "encode it first; -d sends what it is given as it is" },
        { 0, "post-data", ANY, "write -d DATA" },
        { 0, "body-data", ANY, "write -d DATA" },
        { 0, "post-file", ANY, "write --data-binary @FILE" },
        { 0, "body-file", ANY, "write --data-binary @FILE" },
        { 'e', "referer", ANY, "write -H 'Referer: URL'" },
        { 'r', "range", ANY, "write -H 'Range: bytes=FIRST-LAST'" },
        { 'C', "continue-at", ANY, "write -H 'Range: bytes=FIRST-'" },
        { 'z', "time-cond", ANY, "write -H 'If-Modified-Since: DATE'" },
        { 0, "oauth2-bearer", ANY, "write -H 'Authorization: Bearer TOKEN'" },
        { 'b', "cookie", ANY, NO_COOKIES },
        { 0, "cookie-jar", ANY, NO_COOKIES },
        { 0, "load-cookies", ANY, NO_COOKIES },
        { 0, "save-cookies", ANY, NO_COOKIES },
        { 'j', "junk-session-cookies", ANY, NO_COOKIES },
        { 0, "url", ANY, "write the URL itself; many are a file's lines: -i FILE" },
        { ':', "next", "input", "requests that differ are lines of JSON: -i FILE" },
        { 0, "input-file", "input", "write -i FILE" },
        { 'K', "config", "input", NO_CONFIG },
        { 'q', "disable", "input", "not needed: no file of options is read" },
        { 'g', "globoff", ANY, "not needed: braces and brackets in a URL stand for themselves" },
        { 0, "recursive", ANY, "not there: links are not followed; give all URLs" },
        { 0, "mirror", ANY, "not there: links are not followed; give all URLs" },

        /* Who is asked, and the way there */
        { 'x', "proxy", ANY, NO_PROXIES },
        { 0, "proxy-*", ANY, NO_PROXIES },
        { 'U', "proxy-user", ANY, NO_PROXIES },
        { 'p', "proxytunnel", ANY, NO_PROXIES },
        { 0, "preproxy", ANY, NO_PROXIES },
        { 0, "socks*", ANY, NO_PROXIES },
        { 0, "noproxy", ANY, "not needed: no proxy is used" },
        { 0, "no-proxy", ANY, "not needed: no proxy is used" },
        { '4', "ipv4", "resolve", NO_ADDRESS },
        { '6', "ipv6", "resolve", NO_ADDRESS },
        { 0, "connect-to", "resolve", NO_ADDRESS },
        { 0, "interface", ANY, "not there: the system chooses the way" },
        { 0, "doh-url", "dns-server",
                "not there yet; --dns-server ADDRESS asks a server of your choice" },
        { 0, "unix-socket", ANY, NO_UNIX },
        { 0, "abstract-unix-socket", ANY, NO_UNIX },
        { 0, "http2", ANY, NO_HTTP2 },
        { 0, "http2-prior-knowledge", ANY, NO_HTTP2 },
        { 0, "http3", ANY, NO_HTTP2 },
        { 0, "http3-only", ANY, NO_HTTP2 },
        { 0, "tcp-nodelay", ANY, "not needed: it is always so" },
        { 0, "proto*", ANY, "not needed: only http and https are fetched" },
        { 0, "follow", "location", "not needed: redirects are followed" },
        { 0, "location-trusted", ANY, "not there: a password never goes to another host" },
        { 0, "max-redirect", "max-redirs", "write --max-redirs N" },

        /* TLS and passwords */
        { 0, "no-check-certificate", "insecure", "write -k" },
        { 0, "verify", "insecure", "not needed: certificates are verified unless -k is given" },
        { 0, "capath", "cacert", "not there yet; --cacert FILE has the certificates in one file" },
        { 0, "ca-certificate", "cacert", "write --cacert FILE" },
        { 0, "certificate", "cert", "write --cert FILE" },
        { 0, "private-key", "key", "write --key FILE" },
        { '1', "tlsv1", ANY, TLS_MADE },
        { 0, "tlsv1.*", ANY, TLS_MADE },
        { 0, "tls-max", "cacert", TLS_MADE },
        { 0, "ciphers", ANY, TLS_MADE },
        { 0, "tls13-ciphers", ANY, TLS_MADE },
        { 0, "basic", "user", "not needed: -u is Basic authentication" },
        { 0, "digest", "user", ONLY_BASIC },
        { 0, "ntlm", "user", ONLY_BASIC },
        { 0, "negotiate", "user", ONLY_BASIC },
        { 0, "anyauth", "user", ONLY_BASIC },
        { 'n', "netrc", "user", "not there yet; -u USER:PASSWORD" },
        { 0, "password", "user", "write -u USER:PASSWORD" },
        { 0, "auth", "user", "write -u USER:PASSWORD" },

        /* What is told, and where it goes */
        { 'O', "remote-name", "body", A_FILE },
        { 0, "remote-name-all", "body", A_FILE },
        { 'J', "remote-header-name", "body", A_FILE },
        { 0, "output-dir", "body", A_FILE },
        { 0, "directory-prefix", "body", A_FILE },
        { 'P', "download", "body", A_FILE },
        { 0, "create-dirs", "body", "not needed: --body makes the directories" },
        { 0, "output-document", "output",
                "write -o FILE for the result lines, --body DIR for the bodies" },
        { 'w', "write-out", "output",
                "result lines have it all: pick with jq '.status, .total_us, .phases_us'" },
        { 0, "include", "output", IN_LINE },
        { 'D', "dump-header", "output", IN_LINE },
        { 0, "headers", "output", IN_LINE },
        { 0, "server-response", "output", IN_LINE },
        { 'v', "verbose", "record", MORE_TOLD },
        { 0, "trace*", "record", MORE_TOLD },
        { 'S', "show-error", ANY, "not needed: -s leaves out no error" },
        { 0, "quiet", "silent", "write -s" },
        { 'N', "no-buffer", "output", "not needed: lines are passed on as they come" },
        { 0, "no-progress-meter", "no-progress", "write --no-progress" },
        { '#', "progress-bar", "no-progress",
                "not needed: there is a progress line on a terminal" },
        { 0, "raw", "no-compressed", "write --no-compressed" },
        { 'V', "version", ANY, "write muster --version" },
        { 'M', "manual", ANY, "write man muster" },
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
