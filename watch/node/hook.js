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

const { CallOf, DIAL, nameOf, now, replace, replaceIn, safely, subscribe } = require('./tools.js');

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
        const http = watchHttp(log, sites, calls);
        require('./undici.js')(log, sites, calls, http.meet);
        watchPromises(log, sites);
        require('./holds.js')(log, sites, calls);
        atExit(log.end);
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
 * Rows leave the heap at once: what waited in it would be moved by each collection. Those of requests are numbers and a path, as hook_log.h has them; all others
 * are text. They are written in batches, the text first, as requests refer to it; the file is open for a batch only.
 */
function makeLog(fs) {
        const { openSync, writeSync, closeSync } = fs;
        const path = `${folder}/hook.${process.pid}.${now()}`;
        const most = 500000;
        const atEnd = [];
        const batch = Buffer.allocUnsafeSlow(32 * 1024);
        const packed = Buffer.allocUnsafeSlow(128 * 1024);
        const numbers = new Float64Array(packed.buffer);
        const HEAD = 13; // numbers before a path
        const words = new Map();
        const WORDS_MOST = 2000;
        let used = 0, nPacked = 0, due = 0, n = 0, lost = 0;
        let method = '', nMethod = 0, origin = '', nOrigin = 0; // of the last

        function text(value) {
                if (typeof value === 'number')
                        return value;
                value = String(value);
                return /[%\t\n\r]/.test(value) ? value.replace(/[%\t\n\r]/g, (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')) : value;
        }
        function write(...parts) {
                try {
                        const fd = openSync(path, 'a', 0o600);
                        try {
                                for (const data of parts)
                                        for (let at = 0; at < data.length;)
                                                at += writeSync(fd, data, at, data.length - at);
                        } finally {
                                closeSync(fd);
                        }
                } catch {
                        // The folder is gone: nobody reads it any more.
                }
        }
        function flush(at = now()) {
                const rows = batch.subarray(0, used);
                const requests = packed.subarray(0, nPacked);
                due = at + 500e6;
                used = nPacked = 0;
                if (requests.length)
                        write(rows, Buffer.from(`requests\t${requests.length}\n`), requests);
                else if (rows.length)
                        write(rows);
        }
        function isTooMany() {
                return n++ >= most && ++lost > 0;
        }
        function putLine(line) {
                const bytes = 3 * line.length; // at most
                if (used + bytes > batch.length)
                        flush();
                if (bytes <= batch.length)
                        used += batch.utf8Write(line, used);
                else
                        write(Buffer.from(line));
        }
        function put(...row) {
                if (!isTooMany())
                        putLine(row.map(text).join('\t') + '\n');
        }
        /* The number of a text that many requests have. 0: it is empty; -1: there are too many. */
        function word(value) {
                if (value === '')
                        return 0;
                let number = words.get(value);
                if (!number) {
                        if (words.size >= WORDS_MOST)
                                return -1;
                        number = words.size + 1;
                        words.set(value, number);
                        putLine(`word\t${number}\t${text(value)}\n`);
                }
                return number;
        }
        function putRequest(call, at, flags, thread, error) {
                if (call.method !== method)
                        nMethod = word(method = call.method);
                if (call.origin !== origin)
                        nOrigin = word(origin = call.origin);
                const nError = error ? word(error) : 0;
                const room = 8 * HEAD + 3 * call.path.length + 8; // bytes, at most
                if (nMethod < 0 || nOrigin < 0 || nError < 0 || room > packed.length)
                        return void putAsText(call, at, flags, thread, error);
                if (isTooMany())
                        return;
                if (nPacked + room > packed.length)
                        flush(at);
                const i = nPacked / 8;
                const size = packed.utf8Write(call.path, nPacked + 8 * HEAD);
                numbers[i] = call.start;
                numbers[i + 1] = at;
                numbers[i + 2] = call.queued;
                numbers[i + 3] = call.connecting;
                numbers[i + 4] = call.status;
                numbers[i + 5] = flags;
                numbers[i + 6] = call.client;
                numbers[i + 7] = call.site;
                numbers[i + 8] = thread;
                numbers[i + 9] = nMethod;
                numbers[i + 10] = nOrigin;
                numbers[i + 11] = nError;
                numbers[i + 12] = size;
                nPacked += 8 * (HEAD + ((size + 7) >> 3));
        }
        function putAsText({ start, queued, connecting, status, client, site, method, origin, path }, at, flags, thread, error) {
                put('request', start, at, queued, connecting, status, flags, client, site, thread, method, origin + path, error);
        }
        return {
                atEnd,
                flush,
                put,
                putRequest,
                tick(at) {
                        if (at > due)
                                flush(at);
                },
                end() {
                        try {
                                atEnd.forEach((f) => f());
                                flush();
                                if (lost)
                                        write(Buffer.from(`lost\t${lost}\n`));
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
         * To look at the stack takes some 20 µs. Who made many requests in a row from one place is looked at now and then only, until the place is another: of
         * the row at most an eighth is then taken for more of the same.
         */
        function steady() {
                const STEADY = 24;
                const SKIP_LEAST = 11;
                const SKIP_MOST = 99;
                let last = 0, same = 0, left = 0;
                return () => {
                        if (left > 0) {
                                left--;
                                return last;
                        }
                        const site = here();
                        same = site === last ? same + 1 : 0;
                        last = site;
                        if (same >= STEADY) {
                                left = Math.min(SKIP_MOST, Math.max(SKIP_LEAST, same >> 3));
                                same += left;
                        }
                        return site;
                };
        }
        return { here, isTheirs, place, steady };
}

function makeCalls(fs, log, sites) {
        const open = [];
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
                /* It was asked for, and is not on its way yet. */
                ask(client, site) {
                        return new Call(now(), client, site, calls.hold);
                },
                begin(call, method, origin, path) {
                        call.isSent = true;
                        call.method = method;
                        call.origin = origin;
                        call.path = path;
                        call.place = open.push(call) - 1;
                        if (open.length === 1)
                                calls.onBusy();
                },
                head(call, status) {
                        call.status = status;
                        call.headAt = now();
                        calls.onEvent(call.headAt);
                },
                end(call, flags, error, isTimeout) {
                        if (!call || call.place < 0)
                                return;
                        const at = now();
                        const last = open.pop();
                        if (last !== call)
                                open[last.place = call.place] = last;
                        call.place = OVER;
                        if (isTimeout)
                                log.put('timeout', at, call.client, call.site, calls.hold - call.held);
                        calls.row(call, at, flags, error);
                        calls.onEvent(at);
                        log.tick(at);
                },
                row(call, at, flags, error) {
                        log.putRequest(call, at, !call.connecting && call.status ? flags | 1 : flags, thread, error);
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

const ASKED = -1;
const OVER = -2;
const NONE = [];

/* A request, from where it is asked for on. */
class Call {
        constructor(start, client, site, held) {
                this.start = start;
                this.held = held;
                this.queued = 0;
                this.connecting = 0;
                this.headAt = 0;
                this.status = 0;
                this.client = client;
                this.site = site;
                this.place = ASKED; // among those that are open
                this.waits = false;
                this.method = '';
                this.origin = '';
                this.path = '';
                this.isSent = false;
                this.handlers = NONE; // of undici: who gets the response
        }
}

/*
 * http.request and https.request: an agent's addRequest() is where one asks for a socket. Who does not get one that is there already listens for it. That the
 * head is there is told on a channel: a response to which nobody listens is thrown away by Node, and would not be with a listener of ours.
 *
 * To load http takes longer than all else that is done before the program begins. So it is the program that does: an agent is made then, which is met as
 * undici's are.
 */
function watchHttp(log, sites, calls) {
        const place = sites.steady();
        let http = null, isMet = false;
        let protocol = '', host = '', origin = '';
        let lastAgent = null, lastClient = 0;

        /* The object with a method of that name, from a prototype on. */
        function owner(prototype, name) {
                while (prototype && !Object.prototype.hasOwnProperty.call(prototype, name))
                        prototype = Object.getPrototypeOf(prototype);
                return prototype;
        }
        /* A prototype of emitters that was not seen before. */
        function meet(prototype) {
                const agents = isMet ? null : owner(prototype, 'addRequest');
                if (agents && typeof agents.createSocket === 'function') {
                        isMet = true;
                        watchAgents(agents);
                }
        }
        function begin() {
                http = require('http');
                log.put('library', 'http', process.versions.node);
        }
        function asked(agent, request, options) {
                if (!http)
                        begin();
                const call = calls.ask(0, place());
                call.client = clientOf(agent, call.site);
                const to = request.getHeader('host') || options.host;
                if (to !== host || request.protocol !== protocol) {
                        host = to;
                        protocol = request.protocol;
                        origin = `${protocol}//${host}`;
                }
                CallOf.put(request, call);
                calls.begin(call, request.method, origin, request.path);
                request.on('close', onClose);
        }
        function clientOf(agent, site) {
                if (agent !== lastAgent) {
                        const kept = agent.keepAlive || agent.options.keepAlive ? bound(agent.maxFreeSockets) : 0;
                        const name = agent === http.globalAgent ? 'http.globalAgent' : 'http.Agent';
                        lastClient = calls.client(agent, name, bound(agent.maxTotalSockets), bound(agent.maxSockets), kept, site);
                        lastAgent = agent;
                }
                return lastClient;
        }
        function bound(n) {
                return Number.isFinite(n) ? n : 0;
        }
        function onClose() {
                try {
                        closed(this, CallOf.get(this));
                } catch {
                        // The program is not to hear of it.
                }
        }
        /* It has asked, and got no socket that was there already. */
        function awaitSocket(agent, request) {
                const call = CallOf.get(request);
                if (!call)
                        return;
                for (const name in agent.requests) {
                        const list = agent.requests[name];
                        if (list[list.length - 1] === request)
                                call.waits = true;
                }
                request.prependOnceListener('socket', (socket) => safely(got, call, socket));
        }
        function closed(request, call) {
                const { res: response } = request;
                if (response && response.complete)
                        return calls.end(call, 0, '');
                const { errored } = request;
                const name = nameOf(errored || (response && response.errored) || (request.socket && request.socket.errored));
                if (response)
                        calls.end(call, 2, name);
                else
                        calls.end(call, 0, name || 'closed', /TIMEDOUT|TIMEOUT/.test(name));
        }
        function got(call, socket) {
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
                const call = CallOf.get(request);
                if (call)
                        calls.head(call, response.statusCode);
        });
        function watchAgents(agents) {
                const { addRequest } = agents;
                replace(agents, 'addRequest', function (request, options) {
                        try {
                                asked(this, request, typeof options === 'object' && options ? options : {});
                        } catch {
                                // The program is not to hear of it.
                        }
                        addRequest.apply(this, arguments);
                        if (!request.reusedSocket)
                                safely(awaitSocket, this, request);
                });
        }
        const loaded = process.moduleLoadList;
        if (!Array.isArray(loaded) || loaded.some((name) => name.endsWith(' _http_agent')))
                meet(require('http').Agent.prototype);
        return { meet };
}

/* How many are waited for together. After the first 10,000 they are counted without a site. */
function watchPromises(log, sites) {
        const place = sites.steady();
        let n = 0;
        for (const name of ['all', 'allSettled']) {
                const function_ = Promise[name];
                if (!function_)
                        continue;
                replace(Promise, name, function (list) {
                        const result = function_.call(this, list);
                        if (Array.isArray(list) && list.length > 1 && n < 10000) {
                                n++;
                                safely(gathered, result, list.length);
                        }
                        return result;
                });
        }
        function gathered(result, length) {
                const start = now();
                const site = place();
                const done = () => log.put('gather', start, now(), length, site);
                if (site)
                        Promise.prototype.then.call(result, done, done);
        }
}
