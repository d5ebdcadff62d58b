// A server of Node's http2 for the tests: node h2.js CERTIFICATE_AND_KEY prints its port. What a path asks for is in `ways`.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http2 = require('http2');

const pem = fs.readFileSync(process.argv[2]);
const server = http2.createSecureServer({ key: pem, cert: pem, settings: { maxConcurrentStreams: 100 } });
const { constants } = http2;

// The n-th byte of every body is n modulo 251.
const pattern = (n) => Buffer.from(Array.from({ length: n }, (_, i) => i % 251));
const number = (url, name) => Number(url.searchParams.get(name) || 0);

const ways = {
    '/bytes': (stream, url) => {
        setTimeout(() => {
            if (stream.destroyed) return;
            stream.respond({ ':status': 200 });
            stream.end(pattern(number(url, 'n')));
        }, number(url, 'ms'));
    },
    // RST_STREAM with a code and nothing else.
    '/close': (stream, url) => stream.close(number(url, 'code')),
    // The head, n bytes that a length of twice as many promises, and then RST_STREAM.
    '/part': (stream, url) => {
        stream.respond({ ':status': 200, 'content-length': 2 * number(url, 'n') });
        stream.write(pattern(number(url, 'n')), () => stream.close(number(url, 'code')));
    },
    // A whole response, and RST_STREAM behind it.
    '/whole': (stream, url) => {
        stream.respond({ ':status': 200 });
        stream.end(pattern(number(url, 'n')), () => stream.close(number(url, 'code')));
    },
    // GOAWAY that takes this request and none after it; the response comes.
    '/goaway': (stream, url) => {
        stream.session.goaway(number(url, 'code'), stream.id, Buffer.from('enough'));
        setTimeout(() => {
            if (stream.destroyed) return;
            stream.respond({ ':status': 200 });
            stream.end('went');
        }, 20);
    },
    '/destroy': (stream) => stream.session.destroy(),
    // A graceful end of the session: what is open is answered.
    '/end': (stream) => {
        stream.respond({ ':status': 200 });
        stream.end('ended');
        stream.session.close();
    },
    '/hints': (stream) => {
        stream.additionalHeaders({ ':status': 103, link: '</style.css>; rel=preload' });
        stream.respond({ ':status': 200 });
        stream.end('hinted');
    },
    '/trailers': (stream, url) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
        stream.end(pattern(number(url, 'n')));
    },
    '/empty': (stream, url) => stream.respond({ ':status': number(url, 'status') }, { endStream: true }),
    // As many streams from now on.
    '/streams': (stream, url) => {
        stream.session.settings({ maxConcurrentStreams: number(url, 'n') }, () => {
            stream.respond({ ':status': 200 });
            stream.end('set');
        });
    },
    '/sum': (stream) => {
        const sum = crypto.createHash('sha256');
        let n = 0;
        stream.on('data', (piece) => { n += piece.length; sum.update(piece); });
        stream.on('end', () => {
            stream.respond({ ':status': 200 });
            stream.end(`${n} ${sum.digest('hex')}`);
        });
    },
};

server.on('stream', (stream, headers) => {
    const url = new URL(headers[':path'], 'https://localhost');
    stream.on('error', () => {});
    (ways[url.pathname] || ((it) => { it.respond({ ':status': 404 }); it.end(); }))(stream, url);
});
server.on('sessionError', () => {});
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
