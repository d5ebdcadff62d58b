// SPDX-License-Identifier: MIT
/*
 * The hook of `muster watch` in Node: what only the interpreter knows
 *
 * NODE_OPTIONS has the interpreter require it before the program. It writes the log of src/watch/hook_log.h: requests of fetch and undici (undici.js),
 * and of http.request, whose agent is asked for a socket in one function and gives it in another; and callbacks that hold the loop (holds.js).
 *
 * Nothing here may break the program: each function that the program's own calls go through catches what fails in it.
 */
'use strict';

const { DIAL, nameOf, now, replace, replaceIn, safely, subscribe } = require('./tools.js');

const folder = process.env.MUSTER_WATCH;
if (folder && process.env.MUSTER_WATCH_HOOKS !== '0') {
        try {
                begin();
        } catch {
                // The page says that there was no hook.
        }
}

function begin() {
        const fs = require('fs');
        const log = makeLog(fs);
        const sites = makeSites(log);
        const calls = makeCalls(fs, log, sites);
        log.put('muster-hook', 1, 'node', process.versions.node, process.pid);
        log.put('loop', 'libuv');
        require('./undici.js')(log, sites, calls);
        watchHttp(log, sites, calls);
        watchPromises(log, sites);
        require('./holds.js')(log, sites, calls);
        atExit(log.end);
        log.flush();
}

/* After the program's own listeners, and as none of them: a program may count those. */
function atExit(end) {
        const { emit } = process;
        replaceIn(process, 'emit', emit, function (event, ...rest) {
                const result = emit.call(this, event, ...rest);
                if (event === 'exit')
                        end();
                return result;
        });
}

/*
 * Rows are made text at once, outside of the heap: what waited in it would be moved by each collection. They are written in batches; the file is open for a
 * batch only.
 */
function makeLog(fs) {
        const { openSync, writeSync, closeSync } = fs;
        const path = `${folder}/hook.${process.pid}.${now()}`;
        const most = 500000;
        const atEnd = [];
        const batch = Buffer.allocUnsafeSlow(128 * 1024);
        let used = 0, due = 0, n = 0, lost = 0;

        function text(value) {
                if (typeof value === 'number')
                        return value;
                value = String(value);
                return /[%\t\n\r]/.test(value) ? value.replace(/[%\t\n\r]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')) : value;
        }
        function write(data, size) {
                try {
                        const fd = openSync(path, 'a', 0o600);
                        try {
                                for (let at = 0; at < size;)
                                        at += writeSync(fd, data, at, size - at);
                        } finally {
                                closeSync(fd);
                        }
                } catch {
                        // The folder is gone: nobody reads it any more.
                }
        }
        function flush() {
                const size = used;
                due = now() + 500e6;
                used = 0;
                if (size)
                        write(batch, size);
        }
        function putLine(line) {
                if (n++ >= most)
                        return void lost++;
                const bytes = 3 * line.length; // at most
                if (used + bytes > batch.length)
                        flush();
                if (bytes <= batch.length)
                        used += batch.utf8Write(line, used);
                else
                        write(Buffer.from(line), Buffer.byteLength(line));
        }
        return {
                atEnd,
                flush,
                put(...row) {
                        putLine(row.map(text).join('\t') + '\n');
                },
                /* The fields of most rows: numbers, and these three. */
                putRequest(start, at, queued, connecting, status, flags, client, site, thread, method, url, error) {
                        putLine(
                                `request\t${start}\t${at}\t${queued}\t${connecting}\t${status}\t${flags}\t${client}\t${site}\t${thread}\t` +
                                        `${text(method)}\t${text(url)}\t${text(error)}\n`,
                        );
                },
                tick(at) {
                        if (at > due)
                                flush();
                },
                end() {
                        try {
                                atEnd.forEach((f) => f());
                                flush();
                                if (lost) {
                                        const line = Buffer.from(`lost\t${lost}\n`);
                                        write(line, line.length);
                                }
                        } catch {
                                // The process ends anyway.
                        }
                },
        };
}

/* The innermost frame that is neither Node's nor of a package. */
function makeSites(log) {
        const numbers = new Map();
        const keep = (_, stack) => stack;
        const MOST = 40;
        let depth = 8; // that of the deepest that was found: each frame costs

        function isTheirs(file) {
                return file && !file.startsWith(__dirname) && !file.startsWith('node:') && !file.includes('/node_modules/') && !file.includes('/usr/share/nodejs/');
        }
        function place(file, line, name) {
                if (file.startsWith('file://'))
                        file = decodeURIComponent(file.slice(7));
                const key = file + '\n' + line + '\n' + name;
                let site = numbers.get(key);
                if (!site) {
                        site = numbers.size + 1;
                        numbers.set(key, site);
                        log.put('site', site, file, line, name);
                }
                return site;
        }
        function frames(limit) {
                const { prepareStackTrace, stackTraceLimit } = Error;
                try {
                        Error.prepareStackTrace = keep;
                        Error.stackTraceLimit = limit;
                        const holder = {};
                        Error.captureStackTrace(holder, here);
                        return holder.stack;
                } finally {
                        Error.stackTraceLimit = stackTraceLimit;
                        Error.prepareStackTrace = prepareStackTrace;
                }
        }
        function here() {
                for (let limit = depth; ; limit = MOST) {
                        const stack = frames(limit);
                        for (let i = 0; i < stack.length; i++) {
                                const frame = stack[i];
                                const file = frame.getFileName() || frame.getScriptNameOrSourceURL?.();
                                if (!isTheirs(file))
                                        continue;
                                depth = Math.max(depth, i + 1);
                                return place(file, frame.getLineNumber(), frame.getFunctionName() || '');
                        }
                        if (limit === MOST || stack.length < limit)
                                return 0;
                }
        }
        /*
         * To look at the stack takes some 20 µs. Who made many requests in a row from one place is looked at each twelfth time only, until the place is another.
         */
        function steady() {
                const STEADY = 24;
                const EACH = 12;
                let last = 0, same = 0, skipped = 0;
                return () => {
                        if (same >= STEADY && ++skipped < EACH)
                                return last;
                        skipped = 0;
                        const site = here();
                        same = site === last ? same + 1 : 0;
                        last = site;
                        return site;
                };
        }
        return { here, isTheirs, place, steady };
}

function makeCalls(fs, log, sites) {
        const open = new Set();
        const clients = new WeakMap();
        let nClients = 0;
        let thread = process.pid;
        try {
                thread = Number(fs.readlinkSync('/proc/thread-self').split('/')[2]) || thread;
        } catch {
                // No /proc: a thread's requests are then said to be the first thread's.
        }
        const calls = {
                open,
                hold: 0, // how long the loop was held so far
                client(owner, library, limit, perHost, kept, site) {
                        let id = clients.get(owner);
                        if (!id) {
                                id = ++nClients;
                                clients.set(owner, id);
                                log.put('client', now(), id, library, site, limit, perHost, kept);
                        }
                        return id;
                },
                begin(client, site, method, url) {
                        const call = { start: now(), queued: 0, connecting: 0, waits: false, status: 0, headAt: 0, client, site, method, url, held: calls.hold, over: false };
                        open.add(call);
                        if (open.size === 1)
                                calls.onBusy();
                        return call;
                },
                head(call, status) {
                        call.status = status;
                        call.headAt = now();
                        calls.onEvent(call.headAt);
                },
                end(call, flags, error, isTimeout) {
                        if (!call || call.over)
                                return;
                        const at = now();
                        call.over = true;
                        open.delete(call);
                        if (isTimeout)
                                log.put('timeout', at, call.client, call.site, calls.hold - call.held);
                        calls.row(call, at, flags, error);
                        calls.onEvent(at);
                        log.tick(at);
                },
                row(call, at, flags, error) {
                        if (!call.connecting && call.status)
                                flags |= 1;
                        log.putRequest(call.start, at, call.queued, call.connecting, call.status, flags, call.client, call.site, thread, call.method, call.url, error);
                },
                onBusy() {},
                onEvent() {},
        };
        log.atEnd.push(() => {
                for (const call of open)
                        calls.row(call, call.headAt || now(), call.headAt ? 2 | 4 : 0, '');
        });
        return calls;
}

const CALL = Symbol('muster.call');

/*
 * http.request and https.request: an agent's addRequest() is where one asks for a socket, onSocket() where it has got it. That the head is there is told on a
 * channel: a response to which nobody listens is thrown away by Node, and would not be with a listener of ours.
 */
function watchHttp(log, sites, calls) {
        const http = require('http');
        const { addRequest } = http.Agent.prototype;
        const { onSocket } = http.ClientRequest.prototype;
        const place = sites.steady();
        let told = false;

        function asked(agent, request, options) {
                if (!told) {
                        told = true;
                        log.put('library', 'http', process.versions.node);
                }
                const site = place();
                const kept = agent.keepAlive || agent.options.keepAlive ? bound(agent.maxFreeSockets) : 0;
                const client = calls.client(agent, agent === http.globalAgent ? 'http.globalAgent' : 'http.Agent', bound(agent.maxTotalSockets), bound(agent.maxSockets), kept, site);
                const host = request.getHeader('host') || options.host;
                const call = calls.begin(client, site, request.method, `${request.protocol}//${host}${request.path}`);
                request[CALL] = call;
                request.on('close', onClose);
        }
        function bound(n) {
                return Number.isFinite(n) ? n : 0;
        }
        function onClose() {
                safely(closed, this, this[CALL]);
        }
        function queued(agent, request) {
                for (const name in agent.requests) {
                        const list = agent.requests[name];
                        if (list[list.length - 1] === request)
                                request[CALL].waits = true;
                }
        }
        function closed(request, call) {
                const { res: response, errored } = request;
                const name = nameOf(errored || (response && response.errored) || (request.socket && request.socket.errored));
                if (response)
                        calls.end(call, response.complete ? 0 : 2, response.complete ? '' : name);
                else
                        calls.end(call, 0, name || 'closed', /TIMEDOUT|TIMEOUT/.test(name));
        }
        function got(request, socket) {
                const call = request[CALL];
                if (call.waits)
                        call.queued = now() - call.start;
                if (socket && socket.connecting && !socket[DIAL]) {
                        const began = now();
                        socket[DIAL] = { began };
                        const done = () => (call.connecting = now() - began);
                        socket.once(socket.encrypted ? 'secureConnect' : 'connect', done);
                }
        }
        subscribe('http.client.response.finish', ({ request, response }) => {
                if (request[CALL])
                        calls.head(request[CALL], response.statusCode);
        });
        replace(http.Agent.prototype, 'addRequest', function (request, options, ...rest) {
                safely(asked, this, request, typeof options === 'object' && options ? options : {});
                addRequest.call(this, request, options, ...rest);
                safely(queued, this, request);
        });
        replace(http.ClientRequest.prototype, 'onSocket', function (socket, error) {
                if (this[CALL] && !error)
                        safely(got, this, socket);
                return onSocket.call(this, socket, error);
        });
}

/* How many are waited for together. After the first 10,000 they are counted without a site. */
function watchPromises(log, sites) {
        let n = 0;
        for (const name of ['all', 'allSettled', 'any', 'race']) {
                const function_ = Promise[name];
                if (!function_ || name === 'any' || name === 'race')
                        continue;
                replace(Promise, name, function (list) {
                        const result = function_.call(this, list);
                        if (Array.isArray(list) && list.length > 1 && n < 10000) {
                                n++;
                                safely(gathered, result, list.length, sites.here());
                        }
                        return result;
                });
        }
        function gathered(result, length, site) {
                const start = now();
                const done = () => log.put('gather', start, now(), length, site);
                if (site)
                        Promise.prototype.then.call(result, done, done);
        }
}
