// SPDX-License-Identifier: MIT
// What h1_ours.c does, by Node's client: in the same form, without its last two columns.
'use strict';
const http = require('http');
const { Duplex } = require('stream');

function hex(text) {
    return Buffer.from(text, 'latin1').toString('hex');
}

// One response on a connection of its own.
function read(method, bytes, done) {
    let head = null, body = [], isOver = false;
    const end = how => {
        if (isOver) return;
        isOver = true;
        const raw = head ? head.rawHeaders : [];
        let fields = '';
        for (let i = 0; i < raw.length; i += 2) fields += hex(raw[i]) + ':' + hex(raw[i + 1]) + ',';
        done([how, head ? head.statusCode : 0, fields, Buffer.concat(body).toString('hex')].join('\t'));
    };
    const connection = new Duplex({
        read() {},
        write(chunk, encoding, next) {
            next();
            if (!connection.isAnswered) {
                connection.isAnswered = true;
                setImmediate(() => { connection.push(bytes); connection.push(null); });
            }
        },
    });
    const request = http.request({ method, host: 'h.test', createConnection: () => connection });
    request.on('response', response => {
        head = response;
        response.on('data', piece => body.push(piece));
        response.on('end', () => end('ok'));
        response.on('error', () => end('closed'));
        response.on('aborted', () => end('closed'));
    });
    request.on('upgrade', () => end('error'));
    request.on('error', error => end(error.code && error.code.startsWith('HPE_') && error.code !== 'HPE_INVALID_EOF_STATE' ? 'error' : 'closed'));
    request.end();
}

const input = require('fs').readFileSync(0);
let at = 0;

function next() {
    const line = input.indexOf(10, at);
    if (line < 0) return;
    const [method, length] = input.toString('latin1', at, line).split(' ');
    const bytes = input.subarray(line + 1, line + 1 + Number(length));
    at = line + 1 + Number(length);
    read(method, bytes, text => { process.stdout.write(text + '\n'); setImmediate(next); });
}
next();
