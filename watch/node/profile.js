// SPDX-License-Identifier: MIT
/*
 * Where the program was when it held the loop: samples of V8's own profiler
 *
 * Of each sample V8 tells the functions that were active, and the line in the innermost alone. If that is the program's, its line is the place. If it is
 * not, as with pbkdf2Sync(), the place is where the program's function calls it: that is looked for in its source.
 *
 * A profile can be read when it is stopped. It is, and begun anew, when holds are to be placed, but not more than once in a few seconds.
 */
'use strict';

const fs = require('fs');
const inspector = require('inspector');
const { fileURLToPath } = require('url');
const { now } = require('./tools.js');

const INTERVAL_US = 20000;
const READ_EVERY_NS = 5e9;
const DROP_EVERY_NS = 60e9;
const SOURCE_MOST = 5e6; // bytes
const FUNCTION_MOST = 500; // lines in which a call is looked for

module.exports = function makeProfile(log, sites) {
        const session = new inspector.Session();
        const sources = new Map();
        let holds = [], began = 0;

        session.connect();
        session.post('Profiler.enable');
        session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
        begin();

        function begin() {
                began = now();
                session.post('Profiler.start');
        }
        function stop() {
                const held = holds;
                holds = [];
                session.post('Profiler.stop', (error, result) => {
                        if (!error && held.length)
                                tell(result.profile, held);
                });
        }
        return {
                held(start, end) {
                        holds.push([start, end]);
                },
                tick(at) {
                        if (at - began < (holds.length ? READ_EVERY_NS : DROP_EVERY_NS))
                                return;
                        stop();
                        begin();
                },
                end: stop,
        };

        /* Rows for holds, by the samples that were taken in them. Both are in order of time. */
        function tell(profile, held) {
                const placeOf = places(profile.nodes);
                let at = profile.startTime * 1e3, i = 0;

                for (const [start, end] of held) {
                        const counts = new Map();
                        let n = 0;
                        for (; i < profile.samples.length; i++) {
                                const next = at + profile.timeDeltas[i] * 1e3;
                                if (next > end)
                                        break;
                                at = next;
                                const place = at >= start && placeOf(profile.samples[i]);
                                if (!place)
                                        continue;
                                n++;
                                counts.set(place, (counts.get(place) || 0) + 1);
                        }
                        const [most] = [...counts].sort((a, b) => b[1] - a[1]);
                        if (most)
                                log.put('held-at', start, most[0].site, Math.round((100 * most[1]) / n), most[0].name);
                }
        }

        /* A node of the profile is a function with those that called it; null: the loop waits, or V8 does something of its own. */
        function places(nodes) {
                const byId = new Map(nodes.map((node) => [node.id, node]));
                const parents = new Map();
                const known = new Map();
                const same = new Map();

                for (const node of nodes)
                        for (const child of node.children || [])
                                parents.set(child, node);
                function find(id) {
                        let callee = null;
                        for (let node = byId.get(id); node; callee = node, node = parents.get(node.id)) {
                                const file = fileOf(node.callFrame.url);
                                if (file && sites.isTheirs(file))
                                        return placeIn(file, node, callee);
                        }
                        const { functionName: name, url } = byId.get(id).callFrame;
                        return url ? { site: 0, name: nameOfLibrary(url, name) } : null;
                }
                return (id) => {
                        if (!known.has(id)) {
                                const place = find(id);
                                const key = place && `${place.site}\n${place.name}`;
                                if (place && !same.has(key))
                                        same.set(key, place);
                                known.set(id, place && same.get(key));
                        }
                        return known.get(id);
                };
        }
        function placeIn(file, node, callee) {
                const { functionName: name, lineNumber: first } = node.callFrame;
                if (!callee) {
                        const [line] = [...(node.positionTicks || [])].sort((a, b) => b.ticks - a.ticks);
                        const number = line ? line.line : Math.max(1, first + 1);
                        return { site: sites.place(file, number, name), name: onlyCall(linesOf(file)[number - 1]) || name };
                }
                const { functionName: called, url } = callee.callFrame;
                const call = findCall(linesOf(file), first, called) || { line: Math.max(1, first + 1), text: called };
                return { site: sites.place(file, call.line, name), name: isOfHttp(url) ? nameOfLibrary(url, called) : call.text };
        }
        function linesOf(file) {
                if (!sources.has(file)) {
                        let lines = [];
                        try {
                                if (fs.statSync(file).size < SOURCE_MOST)
                                        lines = fs.readFileSync(file, 'utf8').split('\n');
                        } catch {
                                // It has no file, or none any more.
                        }
                        sources.set(file, lines);
                }
                return sources.get(file);
        }
};

function fileOf(url) {
        try {
                return url.startsWith('file://') ? fileURLToPath(url) : url.startsWith('/') ? url : '';
        } catch {
                return '';
        }
}

/* What Node and undici do for requests is no code of the program, whichever line of it made them. */
function isOfHttp(url) {
        return /^node:(_?http|_?tls|net|https|internal\/(http|deps\/undici|streams|webstreams))|\/node_modules\/undici\//.test(url);
}

function nameOfLibrary(url, name) {
        const [, library] = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url) || [];
        return `${library || 'node:internal'}.${name}`;
}

/* Where a function, from its first line on, calls another. */
function findCall(lines, first, name) {
        const last = name.split('.').pop();
        if (!/^[\w$]+$/.test(last))
                return null;
        const call = new RegExp(`(?:^|[^\\w$.])((?:[\\w$]+\\??\\.)*${last.replace(/\$/g, '\\$')})\\s*\\(`);
        for (let i = Math.max(0, first); i < Math.min(lines.length, first + FUNCTION_MOST); i++) {
                const found = call.exec(lines[i]);
                if (found && !/\bfunction\b/.test(lines[i].slice(0, found.index + 1)))
                        return { line: i + 1, text: found[1] };
        }
        return null;
}

/* The call in a line, if it has one. */
function onlyCall(line) {
        const calls = [...(line || '').matchAll(/([A-Za-z_$][\w$]*(?:\.[\w$]+)*)\s*\(/g)].map(([, name]) => name).filter((name) => !KEYWORDS.has(name));
        return calls.length === 1 ? calls[0] : '';
}

const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'return', 'function', 'catch', 'await', 'typeof', 'async', 'with', 'super']);
