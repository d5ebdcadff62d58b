// SPDX-License-Identifier: MIT
/*
 * fetch, which is undici, and undici from the registry: both publish on the same channels of node:diagnostics_channel
 *
 *      Agent ─▶ Pool ─▶ queue ─▶ Client ─▶ undici:request:create ─▶ undici:client:sendHeaders ─▶ ...
 *      dispatch()                dispatch()
 *
 * A request that waits for one of its pool's connections is on no channel until it has it. So it is noted when it is passed to its dispatcher, whose
 * dispatch() is replaced for that. One that was not sent in there is found again by its handler, and so is one that may be redirected or tried again; of all
 * others nothing is kept. Which options a dispatcher has, and where it was made, is known from itself.
 */
'use strict';

const { CallOf, DIAL, nameOf, now, replace, safely, subscribe: on } = require('./tools.js');

/* What takes less is no wait for a connection of the limit; the way to a new one is longer. */
const LEAST_WAIT_NS = 200e3;
const LEAST_WAIT_NEW_NS = 5e6;
/* What is answered with less is not asked for again by the same handler. */
const LEAST_STATUS_AGAIN = 300;

/* `others` is told the prototypes of emitters that are no dispatchers, each once. */
module.exports = function watchUndici(log, sites, calls, others) {
        const sockets = new WeakSet();
        const dials = new Map(); // host: when connections to it were begun
        const dispatchers = watchDispatchers(sites, calls, others);
        let told = false;

        on('undici:request:create', ({ request }) => {
                if (!told) {
                        told = true;
                        log.put('library', 'undici', process.versions.undici || '');
                }
                const call = dispatchers.asked();
                const { origin } = request;
                CallOf.put(request, call);
                calls.begin(call, request.method, typeof origin === 'string' ? origin : String(origin), request.path);
        });
        on('undici:client:beforeConnect', ({ connectParams: to }) => {
                const host = to.protocol + to.host;
                if (!dials.has(host))
                        dials.set(host, []);
                dials.get(host).push(now());
        });
        on('undici:client:connected', ({ connectParams: to, socket }) => {
                const began = (dials.get(to.protocol + to.host) || []).shift();
                if (socket && began)
                        socket[DIAL] = { began, ended: now() };
        });
        on('undici:client:connectError', ({ connectParams: to }) => {
                (dials.get(to.protocol + to.host) || []).shift();
        });
        on('undici:client:sendHeaders', ({ request, socket }) => {
                const call = CallOf.get(request);
                if (!call)
                        return;
                const at = now();
                if (!sockets.has(socket)) {
                        sockets.add(socket);
                        const dial = socket[DIAL];
                        if (dial)
                                call.connecting = Math.max(1, Math.min(dial.ended, at) - Math.max(dial.began, call.start));
                }
                const waited = at - call.start - call.connecting;
                call.queued = waited > (call.connecting ? LEAST_WAIT_NEW_NS : LEAST_WAIT_NS) ? waited : 0;
        });
        on('undici:request:headers', ({ request, response }) => {
                const call = CallOf.get(request);
                if (!call)
                        return;
                calls.head(call, response.statusCode);
                if (response.statusCode >= LEAST_STATUS_AGAIN)
                        dispatchers.keep(call);
        });
        on('undici:request:trailers', ({ request }) => calls.end(CallOf.get(request), 0, ''));
        on('undici:request:error', ({ request, error }) => {
                const call = CallOf.get(request);
                const name = (error && error.name) || 'Error';
                if (call)
                        dispatchers.keep(call);
                if (call && call.status && name === 'AbortError')
                        calls.end(call, 2, '');
                else
                        calls.end(call, 0, nameOf(error), /Timeout|TIMEOUT|TIMEDOUT/.test(`${name} ${error && error.code}`));
        });
};

/* Agents, pools and clients: what was asked of them last, while it is under way to a connection. */
function watchDispatchers(sites, calls, others) {
        const EventEmitter = require('events');
        const { init } = EventEmitter;
        const place = sites.steady();
        const kinds = new WeakMap(); // prototype: is it a dispatcher's?
        const replaced = new WeakSet(); // prototypes with a dispatch() of ours
        const made = new WeakMap(); // dispatcher: where it was made, and its number
        const handlers = new WeakMap(); // what becomes of a response: its call, where that may be asked for again
        let current = null, seen = null;

        /* A dispatcher is met where it is made, since it is an EventEmitter. */
        replace(EventEmitter, 'init', function (options) {
                init.call(this, options);
                const prototype = Object.getPrototypeOf(this);
                if (prototype === seen)
                        return;
                if (kinds.get(prototype) === false)
                        seen = prototype;
                else
                        safely(meet, this, prototype);
        });
        function meet(emitter, prototype) {
                if (!kinds.has(prototype)) {
                        const base = baseOf(prototype);
                        kinds.set(prototype, !!base);
                        if (!base)
                                return others(prototype);
                        if (!replaced.has(base))
                                replaceDispatch(base);
                }
                if (!current)
                        made.set(emitter, { site: sites.here(), number: 0 });
        }
        function baseOf(prototype) {
                if (!('dispatch' in prototype))
                        return null;
                for (let at = prototype; at && at !== EventEmitter.prototype; at = Object.getPrototypeOf(at)) {
                        const has = Object.getOwnPropertyDescriptors(at);
                        if (['dispatch', 'close', 'destroy'].every((name) => typeof has[name]?.value === 'function') && has.closed?.get && has.destroyed?.get)
                                return at;
                }
                return null;
        }
        function replaceDispatch(base) {
                const { dispatch } = base;
                replaced.add(base);
                replace(base, 'dispatch', function (options, handler) {
                        if (current) {
                                if (current.handlers[0] !== handler)
                                        current.handlers.push(handler);
                                return dispatch.call(this, options, handler);
                        }
                        const call = safely(ask, this, handler) || null;
                        current = call;
                        try {
                                return dispatch.call(this, options, handler);
                        } finally {
                                current = null;
                                if (call && !call.isSent)
                                        safely(keep, call);
                        }
                });
        }
        /* In another's dispatch() it is the same request; and so it is when it comes from the queue, with the same handler. */
        function ask(dispatcher, handler) {
                let call = handlers.get(handler);
                if (!call) {
                        const site = place();
                        call = calls.ask(clientOf(dispatcher, site), site);
                } else if (call.isSent)
                        call = calls.ask(call.client, call.site);
                call.handlers = [handler];
                return call;
        }
        function keep(call) {
                for (const handler of call.handlers)
                        handlers.set(handler, call);
        }
        function clientOf(dispatcher, site) {
                const at = made.get(dispatcher) || { site, number: 0 };
                if (!at.number) {
                        const n = connectionsOf(dispatcher);
                        at.number = calls.client(dispatcher, 'undici', 0, n, n, at.site || site);
                        made.set(dispatcher, at);
                }
                return at.number;
        }
        function connectionsOf(dispatcher) {
                const under = (description) => dispatcher[Object.getOwnPropertySymbols(dispatcher).find((s) => s.description === description)];
                return under('connections') || under('options')?.connections || 0;
        }
        return {
                keep,
                /* The call that is sent now. Where dispatch() could not be replaced, by a version that is made in another way, little is known. */
                asked() {
                        if (!current)
                                return calls.ask(0, place());
                        return current.isSent ? calls.ask(current.client, current.site) : current;
                },
        };
}
