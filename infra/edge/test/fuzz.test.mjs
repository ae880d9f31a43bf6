// Random events: whatever a client sends, the function neither throws nor lets S3 see what it must not.
import assert from 'node:assert/strict';
import test from 'node:test';

import { eventOf, faultOf } from '../../../tests/aws/edge/event.mjs';
import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';
import { DIGEST, HASH, ID, PRESIGNED, SOURCE, UPLOAD } from './support.mjs';

const EVENTS = 10_000;
const VIEWER = '192.0.2.10';
const SEED = Number(process.env.SLIPWAY_SEED ?? 20261121);
const UPLOADS = ['presigned', 'presigned', 'capability', 'off'];
const SETTINGS = UPLOADS.flatMap(uploads => [true, false].map(relay => ({ uploads, relay })));

/** A small generator of random numbers from 0 to below 1 (mulberry32). */
function randomFrom(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let mixed = Math.imul(state ^ (state >>> 15), state | 1);
        mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
        return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
}

const random = randomFrom(SEED);
const oneOf = list => list[Math.floor(random() * list.length)];
const chance = probability => random() < probability;
// No "#" and no blank: they cannot stand in a URL.
const letter = () => String.fromCharCode(chance(0.9) ? 36 + random() * 90 : 161 + random() * 400);
const noise = () => Array.from({ length: Math.floor(random() * 12) }, letter).join('');
const word = words => (chance(0.15) ? noise() : oneOf(words));

const METHODS = ['PUT', 'PUT', 'PUT', 'PATCH', 'GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS'];
const URIS = [
    UPLOAD, UPLOAD, UPLOAD, '/v2/', `/v2/a/blobs/uploads/${'x'.repeat(64)}`, '/v2/a/manifests/b', `/uploads/${ID}`,
    '/v2//blobs/uploads/x', '/v2/a/blobs/uploads/', '/v2/a/../b/blobs/uploads/x', '/v2/%00/blobs/uploads/x',
];
const PARAMETERS = [
    ...PRESIGNED.split('&'), 'X-Amz-Signature=0', DIGEST, `digest=sha256:${HASH}`, 'digest', 'digest=%',
    'digest=sha512:0', 'exp=4102444800', 'exp=%', 'cap=x', 'cap', 'ns=a', '__proto__=1', 'constructor=1',
];
const FREQUENT = { 'content-length': 0.9, 'transfer-encoding': 0.1, authorization: 0.8 };
const HEADERS = {
    'content-length': ['0', '1', '4194304', '4194305', '5368709121', '-1', 'x', '1'.repeat(400)],
    'transfer-encoding': ['chunked', 'gzip'],
    'x-slipway-location': ['/v2/a/blobs/sha256:0', `/v2/evil/blobs/sha256:${HASH}`],
    authorization: ['Bearer x', 'Basic x'], 'content-type': ['a/b'], 'content-encoding': ['gzip'], via: ['1.1 a'],
    'x-viewer-host': ['evil'], 'x-viewer-address': ['evil'], 'x-amz-acl': ['public-read'], ['__proto__']: ['1'],
};

function field(values) {
    const list = Array.from({ length: chance(0.1) ? 2 : 1 }, () => ({ value: word(values) }));
    return list.length > 1 ? { value: list[0].value, multiValue: list } : list[0];
}

function randomRequest() {
    const querystring = parse(oneOf([PRESIGNED, PRESIGNED, 'exp=4102444800&cap=x', 'ns=a']));
    for (let i = random() * 4; i > 1; i--) Object.assign(querystring, parse(word(PARAMETERS)));
    if (chance(0.7)) Object.assign(querystring, parse(DIGEST));
    const headers = chance(0.98) ? { host: { value: 'registry.example.com' } } : {};
    for (const [name, values] of Object.entries(HEADERS)) {
        if (chance(FREQUENT[name] ?? 0.3)) headers[name] = field(values);
    }
    const uri = `/${word(URIS).replace(/^\//, '')}`;
    return { method: oneOf(METHODS), uri, querystring, headers, cookies: { a: { value: noise() } } };
}

function parse(query) {
    const pairs = query.split('&').map(pair => pair.split(/=(.*)/s));
    return Object.fromEntries(pairs.map(([name, value = '']) => [name, field([value])]));
}

function assertSafeForS3(request) {
    assert.equal(request.method, 'PUT');
    assert.match(request.uri, /^\/uploads\/[0-9A-Za-z-]{1,64}$/);
    assert.deepEqual(request.cookies, {});
    for (const name of Object.keys(request.headers)) {
        assert.match(name, /^(host|content-length|content-type|via|x-slipway-location)$/);
    }
    for (const name of Object.keys(request.querystring)) assert.match(name, /^x-(amz-[a-z0-9-]+|id)$/i);
    assert.match(request.headers['x-slipway-location'].value, /^\/v2\/[a-z0-9._/-]+\/blobs\/sha256:[0-9a-f]{64}$/);
    assert.ok(Number(request.headers['content-length'].value) <= 5368709120);
}

function assertRefusal({ statusCode, body }) {
    assert.ok([400, 403, 411, 413].includes(statusCode));
    assert.match(JSON.parse(body.data).errors[0].code, /^(UNSUPPORTED|DIGEST_INVALID|DENIED)$/);
}

function assertRouted(before, { result, originId }) {
    assert.equal(faultOf('viewer-request', before, result), undefined);
    if ('statusCode' in result) return assertRefusal(result);
    if (originId === 's3') return assertSafeForS3(result);
    assert.deepEqual(result.headers['x-viewer-address'], { value: VIEWER });
    assert.deepEqual(result.headers['x-viewer-host'], before.headers.host && { value: 'registry.example.com' });
    return assert.equal(result.headers['x-slipway-location'], undefined);
}

function assertFinished(event, { result }) {
    assert.equal(faultOf('viewer-response', event.response, result), undefined);
    if (result.statusCode === event.response.statusCode) return assert.deepEqual(result, event.response);
    assert.deepEqual([event.request.method, event.response.statusCode, result.statusCode], ['PUT', 200, 201]);
    return assert.match(result.headers.location.value, /^\/v2\/[a-z0-9._/-]+\/blobs\/sha256:[0-9a-f]{64}$/);
}

test(`${EVENTS} random events (SLIPWAY_SEED=${SEED})`, () => {
    const functions = SETTINGS.map(settings => loadFunction(SOURCE, settings));
    const seen = new Set();
    for (let i = 0; i < EVENTS; i++) {
        const run = oneOf(functions);
        const request = randomRequest();
        try {
            const routed = run(eventOf(request, VIEWER));
            assertRouted(request, routed);
            seen.add(routed.result.statusCode ?? routed.originId);
            const statusCode = oneOf([200, 200, 201, 202, 204, 307]);
            const response = { statusCode, statusDescription: 'x', headers: { via: { value: 'a' } }, cookies: {} };
            const modified = routed.result.uri ? routed.result : request;
            const event = eventOf(oneOf([request, modified]), VIEWER, response);
            const finished = run(event);
            assertFinished(event, finished);
            seen.add(`answered ${finished.result.statusCode}`);
        } catch (error) {
            throw new Error(`event ${i} of seed ${SEED}: ${JSON.stringify(request)}`, { cause: error });
        }
    }
    for (const outcome of ['api', 's3', 'relay', 400, 403, 411, 413, 'answered 201', 'answered 307']) {
        assert.ok(seen.has(outcome), `never seen: ${outcome}`);
    }
});
