/* SPDX-License-Identifier: MIT */
#include "library_words.h"

#include <assert.h>
#include <base/str.h>
#include <base/words.h>
#include <explain/facts/program.h>
#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Of several versions of the interfaces, the words are such as both the newest and Debian's have. */
static const char *const words[LIBRARY_N_PHRASES][LIBRARY_N] = {
        [LIBRARY_NAME] = {
                [LIBRARY_UNKNOWN] = "",
                [LIBRARY_AIOHTTP] = "aiohttp",
                [LIBRARY_HTTPX] = "httpx",
                [LIBRARY_HTTPX_SYNC] = "httpx",
                [LIBRARY_REQUESTS] = "requests",
                [LIBRARY_URLLIB3] = "urllib3",
                [LIBRARY_HTTP_CLIENT] = "http.client",
                [LIBRARY_NODE] = "Node",
                [LIBRARY_CURL] = "curl",
                [LIBRARY_GO] = "Go",
        },
        [LIBRARY_TOGETHER] = {
                [LIBRARY_UNKNOWN] = "in several threads, or with a client that is not blocking",
                [LIBRARY_AIOHTTP] = "with await asyncio.gather(*(fetch(session, url) for url in urls))",
                [LIBRARY_HTTPX] = "with await asyncio.gather(*(client.get(url) for url in urls))",
                [LIBRARY_HTTPX_SYNC] = "with httpx.AsyncClient() and asyncio.gather(), or with ThreadPoolExecutor(16).map(client.get, urls)",
                [LIBRARY_REQUESTS] = "with concurrent.futures.ThreadPoolExecutor(16).map(session.get, urls)",
                [LIBRARY_URLLIB3] = "with concurrent.futures.ThreadPoolExecutor(16) and one urllib3.PoolManager(maxsize=16)",
                [LIBRARY_HTTP_CLIENT] = "with concurrent.futures.ThreadPoolExecutor(16), with a connection for each thread",
                [LIBRARY_NODE] = "with await Promise.all(urls.map(url => fetch(url)))",
                [LIBRARY_CURL] = "with curl --parallel, which takes all URLs at once",
                [LIBRARY_GO] = "in goroutines, with one http.Client for all (golang.org/x/sync/errgroup with SetLimit(64))",
        },
        [LIBRARY_SLIDING] = {
                [LIBRARY_UNKNOWN] = "with a limit of # at a time",
                [LIBRARY_AIOHTTP] = "with one asyncio.gather() for all and asyncio.Semaphore(#) around each request",
                [LIBRARY_HTTPX] = "with one asyncio.gather() for all and asyncio.Semaphore(#) around each request",
                [LIBRARY_HTTPX_SYNC] = "with one ThreadPoolExecutor(#) for all",
                [LIBRARY_REQUESTS] = "with one concurrent.futures.ThreadPoolExecutor(#) for all",
                [LIBRARY_URLLIB3] = "with one concurrent.futures.ThreadPoolExecutor(#) for all",
                [LIBRARY_HTTP_CLIENT] = "with one concurrent.futures.ThreadPoolExecutor(#) for all",
                [LIBRARY_NODE] = "with one Promise.all() over # workers that take from one list (p-limit does that: pLimit(#))",
                [LIBRARY_CURL] = "with curl --parallel --parallel-max # and all URLs in one --config FILE",
                [LIBRARY_GO] = "with # goroutines that take from one channel, or errgroup with SetLimit(#)",
        },
        [LIBRARY_ONE_CLIENT] = {
                [LIBRARY_UNKNOWN] = "Keep one client or connection for all requests",
                [LIBRARY_AIOHTTP] = "Make one aiohttp.ClientSession() outside of the function, so that all requests share it",
                [LIBRARY_HTTPX] = "Make one httpx.AsyncClient() outside of the function, so that all requests share it",
                [LIBRARY_HTTPX_SYNC] = "Make one httpx.Client() for all and call client.get(), which keeps connections where httpx.get() does not",
                [LIBRARY_REQUESTS] = "Make one requests.Session() for all and call session.get(), which keeps connections where requests.get() does not",
                [LIBRARY_URLLIB3] = "Make one urllib3.PoolManager() for all requests",
                [LIBRARY_HTTP_CLIENT] = "Keep one http.client connection for each host and thread, and send the next request on it (urllib.request cannot do that)",
                [LIBRARY_NODE] = "Make one Agent for all requests, outside of the function (undici: new Agent(); node:http: new http.Agent({ keepAlive: true }))",
                [LIBRARY_CURL] = "Give all URLs to one curl, which keeps its connections (several URLs, or --config FILE)",
                [LIBRARY_GO] = "Make one http.Client with one http.Transport for all requests",
        },
        [LIBRARY_POOL] = {
                [LIBRARY_UNKNOWN] = "the limit of its pool of connections",
                [LIBRARY_AIOHTTP] = "aiohttp.TCPConnector(limit=#)",
                [LIBRARY_HTTPX] = "httpx.Limits(max_connections=#, max_keepalive_connections=#)",
                [LIBRARY_HTTPX_SYNC] = "httpx.Limits(max_connections=#, max_keepalive_connections=#)",
                [LIBRARY_REQUESTS] = "requests.adapters.HTTPAdapter(pool_maxsize=#), mounted on the session, and # threads",
                [LIBRARY_URLLIB3] = "urllib3.PoolManager(maxsize=#) and # threads",
                [LIBRARY_HTTP_CLIENT] = "# threads, with a connection each",
                [LIBRARY_NODE] = "new Agent({ connections: # }) (node:http: maxSockets: #)",
                [LIBRARY_CURL] = "--parallel-max #",
                [LIBRARY_GO] = "http.Transport{MaxConnsPerHost: #, MaxIdleConnsPerHost: #} and # goroutines",
        },
        [LIBRARY_POOL_HOST] = {
                [LIBRARY_UNKNOWN] = "the limit of its connections to each host",
                [LIBRARY_AIOHTTP] = "aiohttp.TCPConnector(limit_per_host=#)",
                [LIBRARY_REQUESTS] = "requests.adapters.HTTPAdapter(pool_maxsize=#), mounted on the session",
                [LIBRARY_URLLIB3] = "urllib3.PoolManager(maxsize=#)",
                [LIBRARY_NODE] = "new Agent({ connections: # }) (node:http: maxSockets: #)",
                [LIBRARY_GO] = "http.Transport{MaxConnsPerHost: #, MaxIdleConnsPerHost: #}",
        },
        [LIBRARY_KEPT] = {
                [LIBRARY_UNKNOWN] = "the number of idle connections that its pool keeps",
                [LIBRARY_HTTPX] = "httpx.Limits(max_keepalive_connections=#)",
                [LIBRARY_HTTPX_SYNC] = "httpx.Limits(max_keepalive_connections=#)",
                [LIBRARY_REQUESTS] = "requests.adapters.HTTPAdapter(pool_maxsize=#), mounted on the session",
                [LIBRARY_URLLIB3] = "urllib3.PoolManager(maxsize=#)",
                [LIBRARY_NODE] = "new http.Agent({ keepAlive: true, maxFreeSockets: # })",
                [LIBRARY_GO] = "http.Transport{MaxIdleConnsPerHost: #}",
        },
        [LIBRARY_SEMAPHORE] = {
                [LIBRARY_UNKNOWN] = "# at a time",
                [LIBRARY_AIOHTTP] = "asyncio.Semaphore(#)",
                [LIBRARY_HTTPX] = "asyncio.Semaphore(#)",
                [LIBRARY_HTTPX_SYNC] = "ThreadPoolExecutor(#)",
                [LIBRARY_REQUESTS] = "ThreadPoolExecutor(#)",
                [LIBRARY_URLLIB3] = "ThreadPoolExecutor(#)",
                [LIBRARY_HTTP_CLIENT] = "ThreadPoolExecutor(#)",
                [LIBRARY_NODE] = "pLimit(#)",
                [LIBRARY_CURL] = "--parallel-max #",
                [LIBRARY_GO] = "SetLimit(#) of golang.org/x/sync/errgroup",
        },
        [LIBRARY_TIMEOUT] = {
                [LIBRARY_UNKNOWN] = "a time-out for the whole request",
                [LIBRARY_AIOHTTP] = "aiohttp.ClientTimeout(total=...)",
                [LIBRARY_HTTPX] = "httpx.Timeout(...)",
                [LIBRARY_HTTPX_SYNC] = "httpx.Timeout(...)",
                [LIBRARY_REQUESTS] = "timeout=...",
                [LIBRARY_URLLIB3] = "urllib3.Timeout(total=...)",
                [LIBRARY_HTTP_CLIENT] = "timeout=...",
                [LIBRARY_NODE] = "signal: AbortSignal.timeout(...)",
                [LIBRARY_CURL] = "--max-time",
                [LIBRARY_GO] = "http.Client{Timeout: ...}",
        },
        [LIBRARY_CONNECTING] = {
                [LIBRARY_UNKNOWN] = "its time-out for connecting",
                [LIBRARY_AIOHTTP] = "aiohttp.ClientTimeout(sock_connect=...)",
                [LIBRARY_HTTPX] = "httpx.Timeout(connect=...)",
                [LIBRARY_HTTPX_SYNC] = "httpx.Timeout(connect=...)",
                [LIBRARY_REQUESTS] = "timeout=(connect, read)",
                [LIBRARY_URLLIB3] = "urllib3.Timeout(connect=...)",
                [LIBRARY_NODE] = "new Agent({ connect: { timeout: ... } })",
                [LIBRARY_CURL] = "--connect-timeout",
                [LIBRARY_GO] = "net.Dialer{Timeout: ...} in http.Transport{DialContext: ...}",
        },
        [LIBRARY_READ_BODY] = {
                [LIBRARY_UNKNOWN] = "Read each response to its end before the next request",
                [LIBRARY_AIOHTTP] = "Read each response with await response.read() before its async with ends",
                [LIBRARY_HTTPX] = "Read each response with await response.aread() before it is closed, or use client.get(), which does",
                [LIBRARY_HTTPX_SYNC] = "Read each response with response.read() before it is closed, or use client.get(), which does",
                [LIBRARY_REQUESTS] = "Read each response with response.content, or leave out stream=True",
                [LIBRARY_URLLIB3] = "Read each response with response.drain_conn() or response.data, or leave out preload_content=False",
                [LIBRARY_HTTP_CLIENT] = "Read each response with response.read() before the next request",
                [LIBRARY_NODE] = "Read each response with await response.arrayBuffer(), or give it up with await body.dump()",
                [LIBRARY_CURL] = "Let curl read each response to its end",
                [LIBRARY_GO] = "Read each response to its end before resp.Body.Close(): io.Copy(io.Discard, resp.Body)",
        },
        [LIBRARY_ONE_CONTEXT] = {
                [LIBRARY_UNKNOWN] = "Load the certificates once, into one TLS context for all connections",
                [LIBRARY_AIOHTTP] = "Make one context = ssl.create_default_context() and pass it on (TCPConnector(ssl=context)), or one ClientSession() for all",
                [LIBRARY_HTTPX] = "Make one httpx.AsyncClient() for all, or one context = ssl.create_default_context() that all get (verify=context)",
                [LIBRARY_HTTPX_SYNC] = "Make one httpx.Client() for all, or one context = ssl.create_default_context() that all get (verify=context)",
                [LIBRARY_REQUESTS] = "Make one requests.Session() for all, which loads the certificates once for each connection pool",
                [LIBRARY_URLLIB3] = "Make one context = ssl.create_default_context() and pass it on (PoolManager(ssl_context=context))",
                [LIBRARY_HTTP_CLIENT] = "Make one context = ssl.create_default_context() and pass it on (HTTPSConnection(host, context=context))",
                [LIBRARY_NODE] = "Make one context with tls.createSecureContext() and pass it on, or one Agent for all",
                [LIBRARY_CURL] = "Give all URLs to one curl, which loads the certificates once",
        },
        [LIBRARY_KEEP_ALIVE] = {
                [LIBRARY_UNKNOWN] = "Leave the header Connection with close out of the requests, and let them speak HTTP/1.1",
                [LIBRARY_AIOHTTP] = "Leave out TCPConnector(force_close=True) and the header Connection with close",
                [LIBRARY_HTTPX] = "Leave out the header Connection with close, and allow idle connections (httpx.Limits(max_keepalive_connections=20))",
                [LIBRARY_HTTPX_SYNC] = "Leave out the header Connection with close, and allow idle connections (httpx.Limits(max_keepalive_connections=20))",
                [LIBRARY_REQUESTS] = "Leave out the header Connection with close; a Session() keeps connections then",
                [LIBRARY_URLLIB3] = "Leave out the header Connection with close; a PoolManager() keeps connections then",
                [LIBRARY_HTTP_CLIENT] = "Use http.client.HTTPConnection and keep it; urllib.request always asks to close",
                [LIBRARY_NODE] = "Let the agent keep connections (node:http: new http.Agent({ keepAlive: true })) and leave out the header Connection with close",
                [LIBRARY_CURL] = "Leave out --http1.0 and the header Connection with close",
                [LIBRARY_GO] = "Leave out DisableKeepAlives, and set MaxIdleConnsPerHost: # (it is 2 unless it is set)",
        },
        [LIBRARY_NO_PROXY] = {
                [LIBRARY_UNKNOWN] = "Take HTTP_PROXY and HTTPS_PROXY out of the environment, or name the host in NO_PROXY",
                [LIBRARY_AIOHTTP] = "Leave out trust_env=True and proxy=..., or name the host in NO_PROXY",
                [LIBRARY_HTTPX] = "Use httpx.AsyncClient(trust_env=False), or take HTTP_PROXY, HTTPS_PROXY and ALL_PROXY out of the environment",
                [LIBRARY_HTTPX_SYNC] = "Use httpx.Client(trust_env=False), or take HTTP_PROXY, HTTPS_PROXY and ALL_PROXY out of the environment",
                [LIBRARY_REQUESTS] = "Set session.trust_env = False, or take HTTP_PROXY and HTTPS_PROXY out of the environment",
                [LIBRARY_URLLIB3] = "Use urllib3.PoolManager() instead of ProxyManager()",
                [LIBRARY_NODE] = "Leave out ProxyAgent and EnvHttpProxyAgent, or name the host in NO_PROXY",
                [LIBRARY_CURL] = "Use --noproxy '*', or take http_proxy and https_proxy out of the environment",
                [LIBRARY_GO] = "Use http.Transport{Proxy: nil}, or take HTTP_PROXY and HTTPS_PROXY out of the environment",
        },
        [LIBRARY_NAMES] = {
                [LIBRARY_UNKNOWN] = "Look each name up once and keep the address, or let a caching name server on this machine do so",
                [LIBRARY_AIOHTTP] = "Let one TCPConnector() serve all requests, which keeps addresses (use_dns_cache=True, ttl_dns_cache=300)",
                [LIBRARY_HTTPX] = "Let one httpx.AsyncClient() serve all requests, which keeps connections and so looks up less; or use a caching name server on this machine",
                [LIBRARY_NODE] = "Let one Agent serve all requests, or give it a lookup that keeps addresses (cacheable-lookup; undici: interceptors.dns()); UV_THREADPOOL_SIZE=16 lets more be looked up at once",
                [LIBRARY_GO] = "Let one http.Transport serve all requests, which keeps connections and so looks up less; or use a caching name server on this machine",
        },
        [LIBRARY_NODELAY] = {
                [LIBRARY_UNKNOWN] = "Write head and body of a request in one call, or set TCP_NODELAY on the socket",
                [LIBRARY_HTTP_CLIENT] = "Write head and body of a request in one call (pass the body to request()), or set TCP_NODELAY on connection.sock",
                [LIBRARY_NODE] = "Write head and body of a request in one call, or use request.setNoDelay(true)",
                [LIBRARY_CURL] = "Leave out --no-tcp-nodelay",
        },
        [LIBRARY_PROCESSES] = {
                [LIBRARY_UNKNOWN] = "Move that work to other threads or processes",
                [LIBRARY_AIOHTTP] = "Move it to other processes with await loop.run_in_executor(ProcessPoolExecutor(), work, data)",
                [LIBRARY_HTTPX] = "Move it to other processes with await loop.run_in_executor(ProcessPoolExecutor(), work, data)",
                [LIBRARY_HTTPX_SYNC] = "Move it to other processes with concurrent.futures.ProcessPoolExecutor",
                [LIBRARY_REQUESTS] = "Move it to other processes with concurrent.futures.ProcessPoolExecutor",
                [LIBRARY_URLLIB3] = "Move it to other processes with concurrent.futures.ProcessPoolExecutor",
                [LIBRARY_HTTP_CLIENT] = "Move it to other processes with concurrent.futures.ProcessPoolExecutor",
                [LIBRARY_NODE] = "Move it to new Worker() of node:worker_threads",
        },
        [LIBRARY_FASTER] = {
                [LIBRARY_UNKNOWN] = "Divide the requests among several processes",
                [LIBRARY_AIOHTTP] = "Divide the requests among several processes, each with a loop of its own; uvloop makes each cheaper",
                [LIBRARY_HTTPX] = "Use aiohttp, which needs a fraction of the processor time of httpx; or divide the requests among several processes",
                [LIBRARY_HTTPX_SYNC] = "Use aiohttp, which needs a fraction of the processor time of httpx; or divide the requests among several processes",
                [LIBRARY_REQUESTS] = "Use aiohttp, which needs a fraction of the processor time of requests; or divide the requests among several processes",
                [LIBRARY_URLLIB3] = "Use aiohttp, which needs less processor time; or divide the requests among several processes",
                [LIBRARY_NODE] = "Use undici.request(), which needs a fraction of the processor time of fetch(); or divide the requests among several processes",
        },
        [LIBRARY_RATE] = {
                [LIBRARY_UNKNOWN] = "a limiter of # requests a second",
                [LIBRARY_AIOHTTP] = "aiolimiter.AsyncLimiter(#, 1)",
                [LIBRARY_HTTPX] = "aiolimiter.AsyncLimiter(#, 1)",
                [LIBRARY_CURL] = "--rate #/s",
                [LIBRARY_GO] = "rate.NewLimiter(#, 1) of golang.org/x/time/rate",
        },
};

/* --- which library --------------------------------------------------------------------------- */

static const struct {
        const char *name;
        enum library library;
} names[] = {
        { "aiohttp", LIBRARY_AIOHTTP },
        { "httpx", LIBRARY_HTTPX },
        { "requests", LIBRARY_REQUESTS },
        { "urllib3", LIBRARY_URLLIB3 },
        { "http.client", LIBRARY_HTTP_CLIENT },
        { "urllib", LIBRARY_HTTP_CLIENT },
        { "urllib.request", LIBRARY_HTTP_CLIENT },
        { "undici", LIBRARY_NODE },
        { "fetch", LIBRARY_NODE },
        { "http", LIBRARY_NODE },
        { "node:http", LIBRARY_NODE },
        { "node", LIBRARY_NODE },
        { "curl", LIBRARY_CURL },
};

static enum library named(struct muster_str name)
{
        for (size_t i = 0; i < LENGTH(names); i++)
                if (str_is_nocase(name, names[i].name))
                        return names[i].library;
        return LIBRARY_UNKNOWN;
}

/* The first of "aiohttp 3.9.1, uvloop 0.19.0" that is one. */
static enum library first_named(struct muster_str list)
{
        while (list.len) {
                size_t len = 0, skip;
                enum library library;

                while (len < list.len && list.at[len] != ' ' && list.at[len] != ',')
                        len++;
                library = named(str_first(list, len));
                if (library != LIBRARY_UNKNOWN)
                        return library;
                for (skip = len; skip < list.len && list.at[skip] != ','; skip++)
                        ;
                while (skip < list.len && (list.at[skip] == ',' || list.at[skip] == ' '))
                        skip++;
                list = str_after(list, skip);
        }
        return LIBRARY_UNKNOWN;
}

static struct muster_str last_part(struct muster_str path)
{
        size_t from = path.len;

        while (from > 0 && path.at[from - 1] != '/')
                from--;
        return str_after(path, from);
}

static enum library of_process(const struct program_process *process)
{
        enum library library = first_named(process->libraries);

        if (library != LIBRARY_UNKNOWN)
                return library;
        if (str_starts(process->language, "Node"))
                return LIBRARY_NODE;
        if (str_starts(process->language, "Go"))
                return LIBRARY_GO;
        return named(last_part(process->exe));
}

/* The same library has two faces: one that waits, and one for a loop. */
static enum library by_loop(enum library library, const struct program_process *process)
{
        if (library == LIBRARY_HTTPX && process && !process->loop.len)
                return LIBRARY_HTTPX_SYNC;
        return library;
}

enum library library_of(const struct facts *facts)
{
        const struct program_facts *program = facts->program;
        const struct programs *programs = &facts->record->programs;
        const struct program_client *client;
        const struct program_process *process;
        enum library library = LIBRARY_UNKNOWN;

        if (!program)
                return LIBRARY_UNKNOWN;
        client = programs_client(programs, program->library_client);
        process = programs_process(programs, program->process);
        if (!process)
                process = &programs->processes[0];
        if (client)
                library = named(client->library);
        if (library == LIBRARY_UNKNOWN)
                library = of_process(process);
        return by_loop(library, process);
}

/* --- words ----------------------------------------------------------------------------------- */

static void append(struct library_text *text, size_t *len, const char *from, size_t n)
{
        for (size_t i = 0; i < n && *len + 1 < LIBRARY_TEXT; i++)
                text->text[(*len)++] = from[i];
        text->text[*len] = '\0';
}

struct library_text library_words(enum library library, enum library_phrase phrase, uint64_t number)
{
        struct library_text text = { "" };
        const char *from;
        char digits[24];
        size_t len = 0;

        assert(library < LIBRARY_N && phrase < LIBRARY_N_PHRASES);
        from = words[phrase][library] ? words[phrase][library] : words[phrase][LIBRARY_UNKNOWN];
        snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
        for (; *from; from++)
                if (*from == '#')
                        append(&text, &len, digits, strlen(digits));
                else
                        append(&text, &len, from, 1);
        return text;
}

uint64_t library_default_limit(enum library library)
{
        switch (library) {
        case LIBRARY_AIOHTTP: /* TCPConnector(limit=100) */
        case LIBRARY_HTTPX:   /* Limits(max_connections=100) */
                return 100;
        case LIBRARY_HTTPX_SYNC: /* threads, as the words say */
        case LIBRARY_REQUESTS:
        case LIBRARY_URLLIB3:
        case LIBRARY_HTTP_CLIENT:
                return 16;
        case LIBRARY_CURL: /* --parallel-max */
                return 50;
        case LIBRARY_UNKNOWN:
        case LIBRARY_NODE:
        case LIBRARY_GO:
        case LIBRARY_N:
                break;
        }
        return 0;
}

/* --- calls that block ------------------------------------------------------------------------ */

static const struct {
        const char *part; /* of the call's name */
        const char *python, *node;
} calls[] = {
        { "subprocess", "await asyncio.create_subprocess_exec()", NULL },
        { "os.system", "await asyncio.create_subprocess_shell()", NULL },
        { "execSync", NULL, "execFile() of node:child_process" },
        { "execFileSync", NULL, "execFile() of node:child_process" },
        { "spawnSync", NULL, "spawn() of node:child_process" },
        { "Atomics.wait", NULL, "await of a timer: setTimeout() of node:timers/promises" },
        { "sleep", "await asyncio.sleep()", "await setTimeout() of node:timers/promises" },
        { "requests.",
                "an asynchronous client (aiohttp, httpx.AsyncClient), or await asyncio.to_thread()",
                NULL },
        { "urllib",
                "an asynchronous client (aiohttp, httpx.AsyncClient), or await asyncio.to_thread()",
                NULL },
        { "http.client",
                "an asynchronous client (aiohttp, httpx.AsyncClient), or await asyncio.to_thread()",
                NULL },
        { "httpx.", "httpx.AsyncClient(), or await asyncio.to_thread()", NULL },
        { "getaddrinfo", "await loop.getaddrinfo()", "lookup() of node:dns/promises" },
        { "gethostby", "await loop.getaddrinfo()", NULL },
        { "recv", "an asynchronous client, or await asyncio.to_thread()", NULL },
        { "socket", "an asynchronous client, or await asyncio.to_thread()", NULL },
        { "connect", "an asynchronous client, or await asyncio.to_thread()", NULL },
        { "acquire", "asyncio.Lock() and asyncio.Semaphore(), which do not block the loop", NULL },
        { "queue.", "asyncio.Queue()", NULL },
        { "FileSync", NULL, "the functions of node:fs/promises" },
        { "Sync", NULL, "the function of the same name without Sync" },
};

static bool has_part(struct muster_str name, const char *part)
{
        size_t len = strlen(part);

        for (size_t i = 0; i + len <= name.len; i++)
                if (memcmp(name.at + i, part, len) == 0)
                        return true;
        return false;
}

const char *library_instead_of(enum library library, struct muster_str call)
{
        for (size_t i = 0; i < LENGTH(calls); i++) {
                const char *instead = library == LIBRARY_NODE ? calls[i].node : calls[i].python;

                if (instead && has_part(call, calls[i].part))
                        return instead;
        }
        return NULL;
}
