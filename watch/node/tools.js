// SPDX-License-Identifier: MIT
/*
 * What all parts of the hook in Node use: the clock, and functions put in the place of the program's
 */
'use strict';

const channels = require('diagnostics_channel');

const { hrtime } = process;

class Given {
        constructor(object) {
                return object;
        }
}

/*
 * The call that belongs to an object of the program or a library, as a WeakMap would have it, and as hidden; but collections pay nothing for it. It is a
 * private field, which a class can give to any object.
 */
class CallOf extends Given {
        #call;
        constructor(object, call) {
                super(object);
                this.#call = call;
        }
        static put(object, call) {
                return new CallOf(object, call);
        }
        static get(object) {
                try {
                        return object.#call;
                } catch {
                        return undefined; // it has none
                }
        }
}

/* Not a pattern, `[s, ns]`: that goes by an iterator. */
function now() {
        const time = hrtime();
        return time[0] * 1e9 + time[1];
}

/* An error as a row has it: ECONNREFUSED, UND_ERR_SOCKET, or its class. */
function nameOf(error) {
        return error ? (typeof error.code === 'string' ? error.code : error.name) : '';
}

/* Three arguments at most: to gather them would cost each call an array. */
function safely(f, a, b, c) {
        try {
                return f(a, b, c);
        } catch {
                return undefined;
        }
}

/* What Node, or a library, tells on a channel. */
function subscribe(name, f) {
        const told = (message) => {
                try {
                        f(message);
                } catch {
                        // The program is not to hear of it.
                }
        };
        if (channels.subscribe)
                channels.subscribe(name, told);
        else
                channels.channel(name).subscribe(told);
}

/* With the name and length, and as hidden in loops, as what was there. */
function replace(object, name, by) {
        replaceIn(object, name, object[name], by, Object.getOwnPropertyDescriptor(object, name));
}

function replaceIn(object, name, old, by, as = { configurable: true, writable: true, enumerable: false }) {
        Object.defineProperty(by, 'name', { value: old.name, configurable: true });
        Object.defineProperty(by, 'length', { value: old.length, configurable: true });
        Object.defineProperty(object, name, { ...as, value: by });
}

module.exports = { CallOf, DIAL: Symbol('muster.dial'), nameOf, now, replace, replaceIn, safely, subscribe };
