// What S3 gets to see of a direct upload.
import assert from 'node:assert/strict';
import test from 'node:test';

import { DIGEST, HASH, ID, PRESIGNED, UPLOAD, put, recorded, request, run } from './support.mjs';

/** Sorts and encodes a query again, as Go's clients do. */
function encodedByGo(query) {
    const pairs = query.split('&').map(pair => pair.split('=').map(decodeURIComponent));
    const encode = text => encodeURIComponent(text).replace(/[!'()*]/g, sign => `%${sign.charCodeAt(0).toString(16)}`);
    return pairs.sort(([a], [b]) => (a < b ? -1 : 1)).map(pair => pair.map(encode).join('=')).join('&');
}

function assertSigned(event, expected = PRESIGNED) {
    const { originId, url, message } = run(event);
    assert.equal(originId, 's3', message);
    assert.equal(url, `/uploads/${ID}?${expected}`);
}

test('the query reaches S3 byte for byte as it was signed, and the digest does not', () => assertSigned(put(9)));

test('the digest may stand anywhere in the query', () => {
    const [first, ...others] = PRESIGNED.split('&');
    assertSigned(put(9, `${DIGEST}&${PRESIGNED}`));
    assertSigned(put(9, [first, DIGEST, ...others].join('&')));
});

test('the colon of the digest may be encoded or not', () => {
    for (const colon of [':', '%3A', '%3a']) assertSigned(put(9, `${PRESIGNED}&digest=sha256${colon}${HASH}`));
});

test('a digest that is said twice counts once', () => {
    assertSigned(put(9, `${DIGEST}&${PRESIGNED}&digest=sha256:${HASH}`));
});

test('a query that a client sorted and encoded again keeps its bytes', () => {
    const query = encodedByGo(`${PRESIGNED}&${DIGEST}`);
    assert.notEqual(query, `${PRESIGNED}&${DIGEST}`);
    assertSigned(put(9, query), encodedByGo(PRESIGNED));
});

test('what containerd adds and what nobody signed is dropped', () => {
    const junk = 'ns=registry.example.com%3A443&acl&uploadId=1&partNumber=2&versionId=3&_=&x-amz=1&x-idx=1&%64igest=1';
    assertSigned(put(9, `${junk}&${PRESIGNED}&${DIGEST}`));
});

test('every parameter of the Rust and the Python signer is kept', () => {
    const kept = Object.keys(run(put(9)).request.querystring);
    const names = ['Algorithm', 'Credential', 'Date', 'Expires', 'Security-Token', 'Signature', 'SignedHeaders'];
    assert.deepEqual(kept.sort(), [...names.map(name => `X-Amz-${name}`), 'x-id'].sort());
    const { querystring } = recorded('put-direct').request;
    delete querystring.digest;
    assert.deepEqual(run(recorded('put-direct')).request.querystring, querystring);
});

test('checksum parameters that a signer may hoist into the query are kept', () => {
    const query = `${PRESIGNED}&x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32`;
    assertSigned(put(9, `${query}&${DIGEST}`), query);
});

test('a parameter given twice reaches S3 twice: S3 refuses it', () => {
    const { url } = run(put(9, `${PRESIGNED}&X-Amz-Expires=9&${DIGEST}`));
    assert.deepEqual(url.match(/X-Amz-Expires=\d+/g), ['X-Amz-Expires=3600', 'X-Amz-Expires=9']);
});

for (const bytes of [1200, 5700]) {
    test(`a session token of ${bytes} bytes passes whole, below CloudFront's limits`, () => {
        const token = 'Ab9%2B%2F'.repeat(bytes / 9) + '%3D%3D';
        const query = PRESIGNED.replace(/Token=[^&]*/, `Token=${token}`);
        assertSigned(put(9, `${query}&${DIGEST}`), query);
        assert.ok(`${UPLOAD}?${query}&${DIGEST}`.length < 8192);
    });
}

test('S3 gets five headers and no other', () => {
    const headers = {
        authorization: 'Bearer token', 'content-type': 'application/octet-stream', 'content-encoding': 'gzip',
        'content-md5': 'x', 'cache-control': 'no-cache', 'if-none-match': '*', 'x-amz-acl': 'public-read',
        'x-amz-tagging': 'a=b', 'x-amz-content-sha256': 'x', 'x-amz-security-token': 'x', range: 'bytes=0-1',
        'x-forwarded-host': 'x', 'x-viewer-host': 'x', cookie: 'a=b', via: '1.1 proxy', 'user-agent': 'x', expires: '0',
    };
    const { request: sent } = run(put(9, undefined, headers));
    const names = ['content-length', 'content-type', 'host', 'via', 'x-slipway-location'];
    assert.deepEqual(Object.keys(sent.headers).sort(), names);
    assert.deepEqual(sent.cookies, {});
    assert.equal(sent.headers['content-type'].value, 'application/octet-stream');
});

test('the location for the answer is the function\'s own, whatever the viewer sent', () => {
    const { headers } = run(put(9, undefined, { 'x-slipway-location': '/v2/evil/blobs/sha256:0' })).request;
    assert.deepEqual(headers['x-slipway-location'], { value: `/v2/team/app/blobs/sha256:${HASH}` });
});

test('method and read-only headers are left alone', () => {
    const { request: before } = put(9, undefined, { via: '1.1 a' });
    const { request: after } = run(put(9, undefined, { via: '1.1 a' }));
    assert.equal(after.method, 'PUT');
    for (const name of ['content-length', 'host', 'via']) assert.deepEqual(after.headers[name], before.headers[name]);
});

test('a store with the bucket in the path gets it in the path', () => {
    assert.equal(run(put(9), { uploadsPath: '/bucket/uploads/' }).request.uri, `/bucket/uploads/${ID}`);
});

test('the key comes from the upload id alone: another repository\'s name does not change it', () => {
    const url = `/v2/victim/blobs/uploads/${ID}?${PRESIGNED}&${DIGEST}`;
    assert.equal(run(request('PUT', url, { 'content-length': 9 })).request.uri, `/uploads/${ID}`);
});
