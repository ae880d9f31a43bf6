// What becomes of answers.
import assert from 'node:assert/strict';
import test from 'node:test';

import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';
import { DIGEST, HASH, SOURCE, UPLOAD, put, recorded, request, run } from './support.mjs';

const OK = recorded('put-direct-answered').response;
const BLOB = `/v2/team/app/blobs/sha256:${HASH}`;

function finish(seenRequest, response = OK) {
    const event = { ...recorded('put-direct-answered'), request: seenRequest, response: structuredClone(response) };
    return loadFunction(SOURCE)(event).result;
}

function assertCreated(response) {
    assert.deepEqual(response, {
        statusCode: 201,
        statusDescription: 'Created',
        headers: {
            via: OK.headers.via,
            'content-length': { value: '0' },
            'docker-content-digest': { value: `sha256:${HASH}` },
            'docker-distribution-api-version': { value: 'registry/2.0' },
            location: { value: BLOB },
        },
        cookies: {},
    });
}

test('S3\'s 200 becomes 201 with location and digest, and S3\'s own headers go', () => {
    assertCreated(finish(recorded('put-direct').request));
});

test('it does so too if viewer-response sees the request that viewer-request made', () => {
    assertCreated(finish(run(recorded('put-direct')).request));
});

test('it does so for every spelling of the digest', () => {
    for (const query of [DIGEST, `digest=sha256:${HASH}`, `ns=x&digest=sha256%3a${HASH}`, `${DIGEST}&${DIGEST}`]) {
        assertCreated(finish(put(9, query).request));
    }
});

test('a location that the viewer sent does not reach the answer', () => {
    const spoofed = put(9, DIGEST, { 'x-slipway-location': `/v2/evil/blobs/sha256:${'0'.repeat(64)}` });
    assertCreated(finish(spoofed.request));
});

test('a location header that is no blob\'s leaves the answer as it is', () => {
    const evil = `https://evil.example.com${BLOB}`;
    for (const location of [evil, '/v2/x/blobs/sha256:0', `${BLOB}/x`, `${BLOB}\r\nset-cookie: a=b`, '']) {
        const seen = request('PUT', '/uploads/x', { 'x-slipway-location': location }).request;
        assert.deepEqual(finish(seen), OK);
    }
});

test('cookies of the origin are dropped', () => {
    const cookies = { a: { value: 'b', attributes: 'Path=/' } };
    assertCreated(finish(recorded('put-direct').request, { ...OK, cookies }));
});

for (const status of [201, 202, 204, 206, 307]) {
    test(`a PUT that was answered ${status} stays ${status}: it came from the API`, () => {
        const response = { ...OK, statusCode: status };
        assert.deepEqual(finish(recorded('put-direct').request, response), response);
    });
}

test('200 to a manifest PUT, a GET or a HEAD is left as it is', () => {
    const others = [recorded('put-manifest'), recorded('get-manifest'), request('HEAD', BLOB)];
    for (const { request: seen } of [...others, request('GET', `${UPLOAD}?${DIGEST}`)]) {
        assert.deepEqual(finish(seen), OK);
    }
});

test('a redirect to a download is left as it is', () => {
    const event = recorded('get-blob-answered');
    assert.deepEqual(loadFunction(SOURCE)(event).result, event.response);
});
