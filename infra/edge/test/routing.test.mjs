// Which origin a request goes to, and which are refused at the edge.
import assert from 'node:assert/strict';
import test from 'node:test';

import { DIGEST, HASH, MIB, PRESIGNED, UPLOAD, put, recorded, request, run } from './support.mjs';

const LIMIT = 4 * MIB;
const CHUNKED = { 'transfer-encoding': 'chunked' };

function assertOrigin(expected, event, settings) {
    const { originId, status, message } = run(event, settings);
    assert.equal(originId, expected, `${status} ${message}`);
}

function assertRefused(status, code, event, settings) {
    const refused = run(event, settings);
    assert.deepEqual({ status: refused.status, code: refused.code }, { status, code });
    assert.equal(refused.response.headers['content-type'].value, 'application/json');
    return refused.message;
}

test('a direct PUT goes to S3', () => assertOrigin('s3', recorded('put-direct')));

test('a chunked PATCH goes to the API without a relay', () => assertOrigin('api', recorded('patch-chunked')));

test('a manifest PUT goes to the API', () => assertOrigin('api', recorded('put-manifest')));

test('a manifest GET goes to the API', () => assertOrigin('api', recorded('get-manifest')));

test('a request for the API is left as it is, but for the host and the address', () => {
    const event = recorded('get-manifest');
    const { headers, ...rest } = run(event).request;
    const { 'x-viewer-host': viewerHost, 'x-viewer-address': viewerAddress, ...kept } = headers;
    assert.deepEqual({ headers: kept, ...rest }, event.request);
    assert.equal(viewerHost.value, 'registry.example.com');
    assert.equal(viewerAddress.value, event.viewer.ip);
});

for (const method of ['GET', 'HEAD', 'DELETE', 'POST', 'OPTIONS']) {
    test(`${method} on the upload URL goes to the API, with and without a relay`, () => {
        const event = request(method, `${UPLOAD}?${PRESIGNED}`);
        assertOrigin('api', event);
        assertOrigin('api', event, { relay: true });
    });
}

test('logins and the management of accounts go to the API as they came', () => {
    for (const [method, url] of [
        ['GET', '/token?service=slipway&scope=repository%3Ateam%2Fapp%3Apull'], ['POST', '/token'],
        ['GET', '/api/v1/repositories/team%2Fapp/grants'], ['PATCH', '/api/v1/users/alice'],
        ['DELETE', '/api/v1/users/alice'],
    ]) {
        const event = request(method, url, { 'content-length': 2 * LIMIT, authorization: 'Basic x' });
        const { originId, url: sent, request: { headers } } = run(event, { relay: true });
        assert.deepEqual([originId, sent, headers.authorization.value], ['api', url, 'Basic x']);
    }
});

test('POST that starts an upload goes to the API', () => {
    assertOrigin('api', request('POST', '/v2/team/app/blobs/uploads/', { 'content-length': 0 }));
});

test('the empty PUT that ends a PATCH upload goes to the API with its query', () => {
    const query = `${PRESIGNED}&${DIGEST}`;
    assertOrigin('api', put(0, query));
    assert.equal(run(put(0, query)).url, `${UPLOAD}?${query}`);
});

test('a PUT without a length and without Transfer-Encoding goes to the API', () => {
    assertOrigin('api', request('PUT', `${UPLOAD}?${PRESIGNED}&${DIGEST}`));
});

test('a manifest PUT goes to the API, whatever its query', () => {
    const event = request('PUT', `/v2/team/app/manifests/1.0?${PRESIGNED}&${DIGEST}`, { 'content-length': 500 });
    assertOrigin('api', event);
    assert.equal(run(event).request.headers['x-slipway-location'], undefined);
});

for (const path of [
    '/v2/team/app/blobs/uploads/', `/v2/team/app/blobs/uploads/${'a'.repeat(65)}`, '/v2/team/app/blobs/uploads/a_b',
    '/v2/team/app/blobs/uploads/../data', '/v2/team/app/blobs/uploads/a/b', '/v2/blobs/uploads/abc', '/uploads/abc',
    '/v2/Team/blobs/uploads/abc', '/v2/team%2Fapp/blobs/uploads/abc', `${UPLOAD}/`, `/x${UPLOAD}`, '//', '/',
]) {
    test(`PUT to ${path.slice(0, 50)} is no direct upload`, () => {
        assertOrigin('api', request('PUT', `${path}?${PRESIGNED}&${DIGEST}`, { 'content-length': 10 }));
    });
}

test('a name that itself has the words of an upload is a name', () => {
    const url = `/v2/a/blobs/uploads/b/blobs/uploads/x?${PRESIGNED}&${DIGEST}`;
    const event = request('PUT', url, { 'content-length': 9 });
    const location = `/v2/a/blobs/uploads/b/blobs/sha256:${HASH}`;
    assert.equal(run(event).request.headers['x-slipway-location'].value, location);
});

test('PATCH goes to the relay where there is one: chunked, small and large', () => {
    assertOrigin('relay', recorded('patch-chunked'), { relay: true });
    assertOrigin('relay', request('PATCH', UPLOAD, { 'content-length': 10 }), { relay: true });
    assertOrigin('relay', request('PATCH', UPLOAD, { 'content-length': 6 * 1024 * MIB }), { relay: true });
});

test('PATCH of a known length goes to the API up to the limit', () => {
    assertOrigin('api', request('PATCH', UPLOAD, { 'content-length': LIMIT - 1 }));
    assertOrigin('api', request('PATCH', UPLOAD, { 'content-length': LIMIT }));
    const message = assertRefused(413, 'UNSUPPORTED', request('PATCH', UPLOAD, { 'content-length': LIMIT + 1 }));
    assert.match(message, /above 4 MiB/);
    assert.match(message, /relay/);
});

test('PATCH of an unknown length goes to the API', () => {
    assertOrigin('api', request('PATCH', UPLOAD, CHUNKED));
    assertOrigin('api', request('PATCH', UPLOAD));
});

test('PATCH ignores the digest and the presigned query that a client left in its URL', () => {
    const query = `${PRESIGNED}&digest=nonsense`;
    const { originId, url } = run(request('PATCH', `${UPLOAD}?${query}`, { 'content-length': 100 }));
    assert.deepEqual({ originId, url }, { originId: 'api', url: `${UPLOAD}?${query}` });
});

test('a chunked PUT that was offered a direct upload is told to send a length', () => {
    const event = request('PUT', `${UPLOAD}?${PRESIGNED}&${DIGEST}`, CHUNKED);
    assert.match(assertRefused(411, 'UNSUPPORTED', event), /Content-Length/);
});

test('a length beside Transfer-Encoding is not believed', () => {
    assertRefused(411, 'UNSUPPORTED', put(100, undefined, CHUNKED));
    assertOrigin('api', request('PATCH', UPLOAD, { 'content-length': 2 * LIMIT, ...CHUNKED }));
});

test('a chunked PUT without a presigned query goes to the API', () => {
    assertOrigin('api', request('PUT', `${UPLOAD}?${DIGEST}`, CHUNKED));
});

test('one PUT carries 5 GiB and not a byte more', () => {
    assertOrigin('s3', put(5 * 1024 * MIB - 1));
    assertOrigin('s3', put(5 * 1024 * MIB));
    const message = assertRefused(413, 'UNSUPPORTED', put(5 * 1024 * MIB + 1));
    assert.match(message, /at most 5120 MiB/);
    assertRefused(413, 'UNSUPPORTED', put('9'.repeat(400)));
});

test('a PUT without a signature goes to the API up to the limit', () => {
    assertOrigin('api', put(LIMIT - 1, DIGEST));
    assertOrigin('api', put(LIMIT, DIGEST));
    assert.match(assertRefused(413, 'UNSUPPORTED', put(LIMIT + 1, DIGEST)), /relay/);
});

test('a small PUT with a signature goes to S3 like a large one', () => {
    assertOrigin('s3', put(1));
    assertOrigin('s3', put(LIMIT));
    assertOrigin('s3', put(LIMIT + 1));
});

test('without direct uploads a PUT goes to the API up to the limit', () => {
    assertOrigin('api', put(LIMIT), { uploads: 'off' });
    assertRefused(413, 'UNSUPPORTED', put(LIMIT + 1), { uploads: 'off' });
});

test('a direct PUT without a digest is refused, whatever its length', () => {
    assertRefused(400, 'DIGEST_INVALID', put(1, PRESIGNED));
    assertRefused(400, 'DIGEST_INVALID', put(LIMIT + 1, PRESIGNED));
});

for (const [what, digest] of [
    ['sha512', `digest=sha512:${'a'.repeat(128)}`], ['a short sha256', 'digest=sha256:abc'], ['no hash', 'digest='],
    ['no value', 'digest'], ['upper case', `digest=sha256:${HASH.toUpperCase()}`],
    ['a broken encoding', `digest=sha256%3${HASH}`], ['%', 'digest=%'], ['%zz', 'digest=%zz'],
    ['a doubly encoded colon', `digest=sha256%253A${HASH}`], ['a longer hash', `${DIGEST}0`],
    ['two digests', `${DIGEST}&digest=sha256:${'0'.repeat(64)}`], ['a line break', `${DIGEST}%0d%0a`],
]) {
    test(`a digest that is ${what} is left to the API up to the limit and refused above`, () => {
        assertOrigin('api', put(LIMIT, `${PRESIGNED}&${digest}`));
        assert.match(assertRefused(400, 'DIGEST_INVALID', put(LIMIT + 1, `${PRESIGNED}&${digest}`)), /sha256/);
    });
}

test('a length that is no number counts as unknown', () => {
    for (const length of ['', ' ', '-1', '1e9', '0x10', '5,5', 'NaN']) {
        assertOrigin('api', put(length));
        assertOrigin('api', request('PATCH', UPLOAD, { 'content-length': length }));
    }
});

test('the limits are settings', () => {
    assertOrigin('api', request('PATCH', UPLOAD, { 'content-length': 4_400_000 }), { inlineBytesMax: 4_400_000 });
    const message = assertRefused(413, 'UNSUPPORTED', request('PATCH', UPLOAD, { 'content-length': 4_400_001 }),
        { inlineBytesMax: 4_400_000 });
    assert.match(message, /above 4\.2 MiB/);
});

test('the host that the viewer asked for goes to the API and the relay, and nobody else can say it', () => {
    for (const [method, settings] of [['GET', {}], ['PATCH', {}], ['PATCH', { relay: true }], ['POST', {}]]) {
        const event = request(method, UPLOAD, { 'x-viewer-host': 'evil.example.com' });
        event.request.headers['x-viewer-host'].multiValue = [{ value: 'evil.example.com' }, { value: 'b' }];
        assert.deepEqual(run(event, settings).request.headers['x-viewer-host'], { value: 'registry.example.com' });
    }
});

test('the address of the viewer goes to the API and the relay, and nobody else can say it', () => {
    for (const [method, settings] of [['GET', {}], ['PATCH', {}], ['PATCH', { relay: true }], ['POST', {}]]) {
        const event = request(method, UPLOAD, { 'x-viewer-address': '203.0.113.1' });
        event.request.headers['x-viewer-address'].multiValue = [{ value: '203.0.113.1' }, { value: 'b' }];
        event.viewer.ip = '2001:db8::1';
        assert.deepEqual(run(event, settings).request.headers['x-viewer-address'], { value: '2001:db8::1' });
    }
});

test('S3 does not learn who the viewer is', () => {
    const { headers } = run(put(1, undefined, { 'x-viewer-address': '203.0.113.1' })).request;
    assert.deepEqual([headers['x-viewer-address'], headers['x-viewer-host']], [undefined, undefined]);
});

test('without a Host there is no viewer host', () => {
    const event = request('GET', '/v2/', { 'x-viewer-host': 'evil.example.com' });
    delete event.request.headers.host;
    assert.equal(run(event).request.headers['x-viewer-host'], undefined);
});

test('a location that the viewer sends goes nowhere', () => {
    const spoofed = { 'x-slipway-location': `/v2/evil/blobs/sha256:${HASH}` };
    for (const event of [request('GET', '/v2/', spoofed), put(0, DIGEST, spoofed)]) {
        assert.equal(run(event).request.headers['x-slipway-location'], undefined);
    }
});
