// A CloudFront stand-in as a process: node stand-in.mjs --stack FILE …
//
// FILE is what tests/infra's program `deployed` makes of infra/edge.yaml. It prints `listening http://…` and
// `control http://…`. GET /__edge/counts on the control port says what has passed.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';

import { distributionOf } from './distribution.mjs';
import { Edge } from './edge.mjs';
import { loadFunction } from './runtime.mjs';

const FLAGS = {
    listen: { type: 'string', default: '127.0.0.1:0' },
    control: { type: 'string', default: '127.0.0.1:0' },
    // JSON: properties of resources by logical id.
    stack: { type: 'string' },
    // JSON: values for the function's settings block, in place of the stack's.
    settings: { type: 'string', default: '{}' },
    // For how many seconds the cache policy keeps what is no error; the template's keeps nothing.
    'min-ttl': { type: 'string', default: '0' },
    // JSON: accessKeyId, secretAccessKey and region of an origin access control.
    'access-control': { type: 'string' },
    // What `Authorization` is of a request that has none, for clients that know nothing of accounts.
    authorization: { type: 'string' },
    'cf-id-to-s3': { type: 'boolean', default: false },
    // What viewer-response sees as the request: `viewer` or `modified`.
    'response-sees': { type: 'string', default: 'viewer' },
};

async function main() {
    const { values } = parseArgs({ options: FLAGS });
    const edge = edgeOf(values);
    const settings = { maxHeaderSize: 65536, requestTimeout: 0, noDelay: true };
    const viewers = http.createServer(settings, (incoming, outgoing) => edge.handle(incoming, outgoing));
    const control = http.createServer((incoming, outgoing) => {
        const isKnown = incoming.url === '/__edge/counts';
        outgoing.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' });
        outgoing.end(isKnown ? JSON.stringify(edge.counts) : '{}');
    });
    console.log(`listening ${await listen(viewers, values.listen)}`);
    console.log(`control ${await listen(control, values.control)}`);
}

function edgeOf(flags) {
    if (!flags.stack) throw new Error('--stack is needed');
    const { origins, behaviour, errorTtls, code } = distributionOf(JSON.parse(readFileSync(flags.stack, 'utf8')));
    return new Edge({
        origins,
        behaviour,
        errorTtls,
        run: loadFunction(code, JSON.parse(flags.settings), Object.keys(origins), behaviour.originId),
        minTtl: Number(flags['min-ttl']),
        accessControl: flags['access-control'] && JSON.parse(flags['access-control']),
        authorization: flags.authorization,
        showsCfIdToS3: flags['cf-id-to-s3'],
        seesModified: flags['response-sees'] === 'modified',
    });
}

function listen(server, address) {
    const [, host, port] = /^(.*):(\d+)$/.exec(address);
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(Number(port), host, () => resolve(`http://${host}:${server.address().port}`));
    });
}

await main();
