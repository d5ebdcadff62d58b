// SPDX-License-Identifier: MIT
/*
 * What all parts of the hook in Node use: the clock, and functions put in the place of the program's
 */
'use strict';

const channels = require('diagnostics_channel');

module.exports = { DIAL: Symbol('muster.dial'), nameOf, now, replace, replaceIn, safely, subscribe };

function now() {
        const [s, ns] = process.hrtime();
        return s * 1e9 + ns;
}

/* An error as a row has it: ECONNREFUSED, UND_ERR_SOCKET, or its class. */
function nameOf(error) {
        return error ? (typeof error.code === 'string' ? error.code : error.name) : '';
}

function safely(f, ...args) {
        try {
                return f(...args);
        } catch {
                return undefined;
        }
}

/* What Node, or a library, tells on a channel. */
function subscribe(name, f) {
        const told = (message) => safely(f, message);
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
