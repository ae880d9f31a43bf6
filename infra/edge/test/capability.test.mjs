// Plan B: the upload URL carries a capability, and an origin access control signs for S3.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';

import { DIGEST, HASH, ID, MIB, PRESIGNED, UPLOAD, put, request, run } from './support.mjs';

const SETTINGS = { uploads: 'capability', capabilityKey: 'a-key-of-letters-and-digits' };
const IN_AN_HOUR = Math.floor(Date.now() / 1000) + 3600;

function capability(expires = IN_AN_HOUR, { id = ID, key = SETTINGS.capabilityKey } = {}) {
    const cap = createHmac('sha256', key).update(`${id}:${expires}`).digest('base64url');
    return `exp=${expires}&cap=${cap}`;
}

function assertDenied(query) {
    const { status, code } = run(put(9, `${query}&${DIGEST}`), SETTINGS);
    assert.deepEqual({ status, code }, { status: 403, code: 'DENIED' });
}

test('a capability opens S3, and the whole query is gone', () => {
    const { originId, url, request: sent } = run(put(9, `${capability()}&ns=x&${PRESIGNED}&${DIGEST}`), SETTINGS);
    assert.deepEqual({ originId, url }, { originId: 's3', url: `/uploads/${ID}` });
    assert.equal(sent.headers.authorization, undefined);
    assert.equal(sent.headers['x-slipway-location'].value, `/v2/team/app/blobs/sha256:${HASH}`);
});

test('the capability is what the design says: base64url without padding of HMAC-SHA256 of id:exp', () => {
    // Made by openssl: printf %s ID:4102444800 | openssl dgst -sha256 -hmac KEY -binary | basenc --base64url
    const query = 'exp=4102444800&cap=uIiRF1nF6ULfPdi3UdCO9Eivajtg5tZxhDcO7OxFsRM';
    assert.equal(run(put(9, `${query}&${DIGEST}`), SETTINGS).originId, 's3');
});

test('an expired capability is refused', () => {
    assertDenied(capability(Math.floor(Date.now() / 1000) - 1));
    assertDenied(capability(0));
});

test('a capability of another upload or another key is refused', () => {
    assertDenied(capability(IN_AN_HOUR, { id: 'another' }));
    assertDenied(capability(IN_AN_HOUR, { key: 'another' }));
});

test('a capability with another expiry is refused', () => {
    assertDenied(capability().replace(/exp=\d+/, `exp=${IN_AN_HOUR + 1}`));
});

test('a cut, longer, empty, repeated or absent capability is refused', () => {
    const good = capability();
    const [exp, cap] = good.split('&');
    const caps = [cap.slice(0, -1), `${cap}A`, 'cap=', 'cap', 'cap=%zz', `cap=x&${cap}`];
    const exps = ['', 'exp=', 'exp=x', 'exp=1e99', 'exp=-1', `exp=${'9'.repeat(400)}`];
    for (const query of caps.map(bad => `${exp}&${bad}`)) assertDenied(query);
    for (const query of exps.map(bad => `${bad}&${cap}`)) assertDenied(query);
});

test('a presigned query opens nothing in capability mode', () => {
    assert.equal(run(put(9, `${PRESIGNED}&${DIGEST}`), SETTINGS).originId, 'api');
    assert.equal(run(put(5 * MIB, `${PRESIGNED}&${DIGEST}`), SETTINGS).status, 413);
});

test('a capability opens nothing in presigned mode, nor without direct uploads', () => {
    assert.equal(run(put(9, `${capability()}&${DIGEST}`)).originId, 'api');
    assert.equal(run(put(5 * MIB, `${capability()}&${DIGEST}`)).status, 413);
    assert.equal(run(put(9, `${capability()}&${DIGEST}`), { ...SETTINGS, uploads: 'off' }).originId, 'api');
});

test('length and digest are checked as in presigned mode', () => {
    const url = `${UPLOAD}?${capability()}&${DIGEST}`;
    assert.equal(run(request('PUT', url, { 'transfer-encoding': 'chunked' }), SETTINGS).status, 411);
    assert.equal(run(put(5 * 1024 * MIB + 1, `${capability()}&${DIGEST}`), SETTINGS).status, 413);
    assert.equal(run(put(9, capability()), SETTINGS).code, 'DIGEST_INVALID');
    assert.equal(run(put(0, `${capability()}&${DIGEST}`), SETTINGS).originId, 'api');
});
