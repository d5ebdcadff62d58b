// Node's http.createServer(), with the answers of answers.py as far as delay_ms, pause_ms, body, status, close and cold go; "hangs": each n-th
// request is never answered.
'use strict';
const http = require('http');

const settings = JSON.parse(process.argv[2]);
const NOTHING = {};
const counts = new Map();

function send(answer, response)
{
        const body = Buffer.alloc(answer.body ?? 200, '0123456789abcde\n');
        const head = { 'Content-Type': 'text/plain', 'Content-Length': body.length };

        if (answer.close)
                head.Connection = 'close';
        response.writeHead(answer.status ?? 200, head);
        if (!answer.pause_ms)
                return response.end(body);
        response.flushHeaders();
        setTimeout(() => response.end(body), answer.pause_ms);
}

const server = http.createServer((request, response) => {
        const path = request.url.split('?')[0];
        const answer = settings.answers[path] ?? settings.answers[''] ?? NOTHING;
        const [nCold, coldMs] = answer.cold ?? [0, 0];
        const n = (counts.get(answer) ?? 0) + 1;
        const delay = (answer.delay_ms ?? 0) + (n <= nCold ? coldMs : 0);

        counts.set(answer, n);
        if (answer.block_ms) // work in the loop's thread
                for (const end = performance.now() + answer.block_ms; performance.now() < end;);
        request.resume();
        if (answer.hangs && n % answer.hangs === 0)
                return;
        if (delay)
                setTimeout(send, delay, answer, response);
        else
                send(answer, response);
});

server.keepAliveTimeout = settings.keep_ms ?? 5000;
if (settings.requests)
        server.maxRequestsPerSocket = settings.requests;
server.listen(settings.port, '127.0.0.1', 1024);
