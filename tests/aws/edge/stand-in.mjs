// A CloudFront stand-in as a process: node stand-in.mjs --api URL --s3 URL [--relay URL] …
//
// Prints `listening http://…` and `control http://…`. GET /__edge/counts on the control port says what has passed.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { Edge } from './edge.mjs';
import { loadFunction } from './runtime.mjs';
import { errorCachingTtls } from './template.mjs';

const INFRA = new URL('../../../infra/', import.meta.url);
const FLAGS = {
    listen: { type: 'string', default: '127.0.0.1:0' },
    control: { type: 'string', default: '127.0.0.1:0' },
    api: { type: 'string' },
    s3: { type: 'string' },
    relay: { type: 'string', default: '' },
    template: { type: 'string', default: fileURLToPath(new URL('edge.yaml', INFRA)) },
    function: { type: 'string', default: fileURLToPath(new URL('edge/function.js', INFRA)) },
    // JSON: values for the function's settings block, beside `relay`.
    settings: { type: 'string', default: '{}' },
    // JSON: statuses and seconds, instead of what the template says.
    'error-ttls': { type: 'string' },
    // What the origin `api` knows the distribution by.
    key: { type: 'string' },
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
    const { api, s3, relay } = flags;
    if (!api || !s3) throw new Error('--api and --s3 are needed');
    const origins = relay ? { api, s3, relay } : { api, s3 };
    const settings = { relay: relay !== '', ...JSON.parse(flags.settings) };
    return new Edge({
        origins,
        run: loadFunction(readFileSync(flags.function, 'utf8'), settings, Object.keys(origins)),
        errorTtls: json(flags['error-ttls']) ?? errorCachingTtls(readFileSync(flags.template, 'utf8')),
        accessControl: json(flags['access-control']),
        authorization: flags.authorization,
        originHeaders: flags.key ? { api: { 'x-slipway-edge': flags.key } } : {},
        showsCfIdToS3: flags['cf-id-to-s3'],
        seesModified: flags['response-sees'] === 'modified',
    });
}

function json(text) {
    return text === undefined ? undefined : JSON.parse(text);
}

function listen(server, address) {
    const [, host, port] = /^(.*):(\d+)$/.exec(address);
    return new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(Number(port), host, () => resolve(`http://${host}:${server.address().port}`));
    });
}

await main();
