// SPDX-License-Identifier: MIT
/*
 * Callbacks that held the loop
 *
 * A timer that is late says so. It runs while requests are on their way, and keeps no process alive. To ask for the processor time takes up to 150 µs, with all
 * the threads that Node has. So it is asked for when the loop was held, and now and then before; what was used between then and the hold is taken to be as much
 * as before.
 *
 * Where the program was meanwhile is what profile.js tells, which costs 20 to 40 ms of the processor. So it begins with the first sign that the loop is held,
 * which may come in the middle of that, when another response is read; and for the one callback that would hold it without a sign, once the process has
 * used so much of the processor that this is little beside it. The turn that makes the first request gives no sign: fetch is loaded in it.
 */
'use strict';

const { now, safely } = require('./tools.js');

const PERIOD_MS = 20;
const CPU_EVERY_NS = 200e6;
const HELD_NS = 5e6;
const SIGN_NS = 30e6;
const BEGIN_CPU_NS = 1e9;

module.exports = function watchHolds(log, sites, calls) {
        const { setTimeout: later } = globalThis;
        let due = 0, cpu = 0, cpuAt = 0, rate = 0, turns = 0, profile;

        /* The processor time, in ns, of a hold of `late`, which is over. */
        function askCpu(at, late) {
                const { user, system } = process.cpuUsage();
                const used = (user + system) * 1e3 - cpu;
                const before = Math.max(0, at - cpuAt - late);
                const inHold = Math.max(0, Math.min(late, used - rate * before));
                if (before > PERIOD_MS * 1e6)
                        rate = Math.min(1, Math.max(0, (used - inHold) / before));
                cpu += used;
                cpuAt = at;
                return inHold;
        }

        function tick() {
                const at = now();
                const late = at - due;
                if (late > HELD_NS) {
                        calls.hold += late;
                        log.put('held', due, at, Math.round(askCpu(at, late)), 0, 0, '');
                        if (profile)
                                profile.held(due, at);
                } else if (at - cpuAt > CPU_EVERY_NS)
                        askCpu(at, 0);
                if ((late > SIGN_NS && turns) || cpu > BEGIN_CPU_NS)
                        look();
                turns++;
                if (profile)
                        profile.tick(at);
                log.tick(at);
                if (calls.open.length)
                        arm();
                else
                        due = 0;
        }
        function arm() {
                due = now() + PERIOD_MS * 1e6;
                later(tick, PERIOD_MS).unref();
        }
        function look() {
                if (profile === undefined) {
                        profile = null; // not again, if there is none
                        profile = safely(() => require('./profile.js')(log, sites)) || null;
                        if (profile)
                                log.atEnd.push(profile.end);
                }
        }
        calls.onBusy = () => {
                if (!due) {
                        arm();
                        if (due - cpuAt > CPU_EVERY_NS)
                                askCpu(due - PERIOD_MS * 1e6, 0);
                }
        };
        calls.onEvent = (at) => {
                if (due && turns && at - due > SIGN_NS)
                        look();
        };
};
