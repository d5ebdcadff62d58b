// SPDX-License-Identifier: MIT
/*
 * Callbacks that held the loop
 *
 * A timer that is late says so. It runs while requests are on their way, and keeps no process alive. The kernel tells how long the thread ran, and for how long
 * it was ready and had no processor, which is not the program's doing. What was used between the last look and the hold is taken to be as much as before.
 *
 * Where the program was meanwhile is what profile.js tells, which costs 20 to 40 ms of the processor. So it begins with the first sign that the loop is held,
 * which may come in the middle of that, when another response is read; and for the one callback that would hold it without a sign, once the thread has
 * used so much of the processor that this is a hundredth of it. The turn that makes the first request gives no sign: fetch is loaded in it.
 */
'use strict';

const { openSync, readSync, closeSync } = require('fs');
const { now, safely } = require('./tools.js');

const PERIOD_MS = 20;
const LOOK_EVERY_NS = 100e6;
const HELD_NS = 5e6;
const SIGN_NS = 30e6;
const BEGIN_CPU_NS = 3e9;

module.exports = function watchHolds(log, sites, calls) {
        const { setTimeout: later } = globalThis;
        const thread = makeThread();
        let due = 0, turns = 0, doubted = 0, timer, profile;

        function tick() {
                const at = now();
                const late = at - due;
                if (late > HELD_NS) {
                        thread.read();
                        if (turns && late - thread.delayIn(at, late) > SIGN_NS)
                                beginProfile();
                        calls.hold += late;
                        log.put('held', due, at, thread.isKnown ? Math.round(thread.cpuIn(at, late)) : -1, 0, 0, '');
                        if (profile)
                                profile.held(due, at);
                        thread.note(at);
                } else if (at - thread.at > LOOK_EVERY_NS)
                        thread.learn(at);
                if (thread.cpu > BEGIN_CPU_NS)
                        beginProfile();
                turns++;
                if (profile)
                        profile.tick(at);
                log.tick(at);
                if (calls.open.length)
                        arm(at);
                else
                        due = 0;
        }
        function arm(at) {
                due = at + PERIOD_MS * 1e6;
                if (timer)
                        timer.refresh();
                else
                        timer = later(tick, PERIOD_MS).unref();
        }
        function beginProfile() {
                if (profile === undefined) {
                        profile = null; // not again, if there is none
                        profile = safely(() => require('./profile.js')(log, sites)) || null;
                        if (profile)
                                log.atEnd.push(profile.end);
                }
        }
        calls.onBusy = () => {
                if (due)
                        return;
                const at = now();
                arm(at);
                if (at - thread.at > LOOK_EVERY_NS)
                        thread.learn(at);
        };
        calls.onEvent = (at) => {
                if (profile !== undefined || !due || !turns || at - due <= SIGN_NS || at < doubted)
                        return;
                doubted = at + SIGN_NS;
                thread.read();
                if (at - due - thread.delayIn(at, at - due) > SIGN_NS)
                        beginProfile();
        };
};

/* How long the thread ran, and for how long it had to wait for a processor, in ns since it began. */
function makeThread() {
        const bytes = Buffer.allocUnsafeSlow(96);
        let noted = { cpu: 0, delay: 0 }, cpuRate = 0, delayRate = 0;

        /* Of what there was since the note, how much was in a hold of `late`, which is over. */
        const part = (all, rate, before, late) => Math.max(0, Math.min(late, all - rate * Math.max(0, before)));
        return {
                at: 0, // of the note
                cpu: 0,
                delay: 0,
                isKnown: false,
                read() {
                        try {
                                const fd = openSync('/proc/thread-self/schedstat', 'r');
                                try {
                                        const [cpu, delay] = bytes.latin1Slice(0, readSync(fd, bytes, 0, 96)).split(' ');
                                        this.cpu = Number(cpu);
                                        this.delay = Number(delay);
                                        this.isKnown = true;
                                } finally {
                                        closeSync(fd);
                                }
                        } catch {
                                this.isKnown = false; // this kernel does not count it, or there is no descriptor left
                        }
                },
                cpuIn(at, late) {
                        return part(this.cpu - noted.cpu, cpuRate, at - this.at - late, late);
                },
                delayIn(at, late) {
                        return part(this.delay - noted.delay, delayRate, at - this.at - late, late);
                },
                note(at) {
                        this.at = at;
                        noted = { cpu: this.cpu, delay: this.delay };
                },
                /* As nothing held the loop since the note. */
                learn(at) {
                        this.read();
                        const gone = at - this.at;
                        cpuRate = Math.min(1, (this.cpu - noted.cpu) / gone);
                        delayRate = Math.min(1, (this.delay - noted.delay) / gone);
                        this.note(at);
                },
        };
}
