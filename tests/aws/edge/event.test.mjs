// The pieces of the stand-in that need no network.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import { eventOf, faultOf, headersOf, requestOf, responseOf, urlOf } from './event.mjs';
import { loadFunction } from './runtime.mjs';
import { faultForS3, signedHeaders } from './s3.mjs';

function recorded(name) {
    return JSON.parse(readFileSync(new URL(`../../../infra/edge/test/events/${name}.json`, import.meta.url), 'utf8'));
}

function raw({ request }) {
    const lines = ([name, values]) => [values].flat().flatMap(value => [name.toUpperCase(), value]);
    const rawHeaders = Object.entries(headersOf(request)).flatMap(lines);
    return { method: request.method, url: urlOf(request, { url: '' }), rawHeaders };
}

for (const name of ['put-direct', 'patch-chunked', 'put-manifest', 'get-manifest']) {
    test(`HTTP becomes the documented event and HTTP again: ${name}`, () => {
        assert.deepEqual(requestOf(raw(recorded(name))), recorded(name).request);
    });
}

test('an event has the documented parts', () => {
    const documented = recorded('put-direct-answered');
    const made = eventOf(documented.request, documented.viewer.ip, documented.response);
    assert.deepEqual(Object.keys(made), Object.keys(documented));
    assert.deepEqual(Object.keys(made.context), Object.keys(documented.context));
    assert.equal(made.context.eventType, 'viewer-response');
});

test('repeated headers and parameters are one field with a multiValue', () => {
    const rawHeaders = ['X-A', '1', 'x-a', '2'];
    const { headers, querystring } = requestOf({ method: 'GET', url: '/?a=1&b&a=2=3', rawHeaders });
    assert.deepEqual(headers['x-a'], { value: '1', multiValue: [{ value: '1' }, { value: '2' }] });
    assert.deepEqual(querystring.a, { value: '1', multiValue: [{ value: '1' }, { value: '2=3' }] });
    assert.deepEqual(querystring.b, { value: '' });
});

test('a query that the function left alone is forwarded as it came', () => {
    const original = { method: 'GET', url: '/?a=1&b&a=2&&c=%2f', rawHeaders: [] };
    const request = requestOf(original);
    assert.equal(urlOf(request, original), original.url);
    delete request.querystring.b;
    assert.equal(urlOf(request, original), '/?a=1&a=2&c=%2f');
});

test('hop-by-hop and other disallowed headers are hidden from the function', () => {
    const hidden = ['Connection', 'close', 'Expect', '100-continue', 'X-Amz-Cf-Id', 'x', 'X-Real-IP', '1'];
    const rawHeaders = [...hidden, 'X-Ok', '1'];
    assert.deepEqual(Object.keys(requestOf({ method: 'GET', url: '/', rawHeaders }).headers), ['x-ok']);
    rawHeaders.push('Set-Cookie', 'a=b; Path=/');
    const response = responseOf({ statusCode: 200, statusMessage: 'OK', rawHeaders });
    assert.deepEqual(Object.keys(response.headers), ['x-ok']);
    assert.deepEqual(response.cookies, { a: { value: 'b; Path=/' } });
    assert.deepEqual(headersOf(response)['set-cookie'], ['a=b; Path=/']);
});

for (const [fault, change] of [
    ['read-only header content-length', request => { request.headers['content-length'] = { value: '1' }; }],
    ['read-only header host', request => { delete request.headers.host; }],
    ['read-only header transfer-encoding', request => { request.headers['transfer-encoding'] = { value: 'chunked' }; }],
    ['header x-amz-cf-id', request => { request.headers['x-amz-cf-id'] = { value: 'x' }; }],
    ['header X-Upper', request => { request.headers['X-Upper'] = { value: 'x' }; }],
    ['the method', request => { request.method = 'GET'; }],
    ['slash', request => { request.uri = 'uploads/x'; }],
    ['space', request => { request.querystring.a = { value: 'b c' }; }],
    ['too long', request => { request.uri = `/${'a'.repeat(8192)}`; }],
]) {
    test(`a function may not do this to a request: ${fault}`, () => {
        const { request } = recorded('put-direct');
        const changed = structuredClone(request);
        assert.equal(faultOf('viewer-request', request, changed), undefined);
        change(changed);
        assert.match(faultOf('viewer-request', request, changed), new RegExp(fault));
    });
}

test('a function may not change Via in a response', () => {
    const { response } = recorded('put-direct-answered');
    const { via, ...headers } = response.headers;
    assert.match(faultOf('viewer-response', response, { ...response, headers }), /read-only header via/);
    assert.match(faultOf('viewer-response', response, { ...response, statusCode: '201' }), /integer/);
    assert.equal(faultOf('viewer-response', response, { ...response, statusCode: 201, headers: { via } }), undefined);
});

test('S3 refuses what was not signed', () => {
    const { request } = recorded('put-direct');
    const { digest, ...querystring } = request.querystring;
    const sized = { host: request.headers.host, 'content-length': request.headers['content-length'] };
    const fault = (headers, query = querystring) => faultForS3({ method: 'PUT', querystring: query, headers });
    assert.equal(fault(sized), undefined);
    assert.match(fault({ ...sized, authorization: { value: 'Bearer x' } }), /Authorization/);
    assert.match(fault({ ...sized, 'x-amz-acl': { value: 'private' } }), /x-amz-acl is not signed/);
    assert.match(fault({ host: sized.host }), /Content-Length/);
    assert.match(fault(sized, { ...querystring, digest }), /digest/);
    const signed = { ...querystring, 'X-Amz-SignedHeaders': { value: 'host%3Bx-amz-acl' } };
    assert.equal(fault({ ...sized, 'x-amz-acl': { value: 'private' } }, signed), undefined);
});

test('the origin access control signs as AWS does', () => {
    // Signed by botocore 1.43 for the same request, keys and time.
    const headers = signedHeaders({
        method: 'PUT', path: '/bucket/uploads/abc', host: '127.0.0.1:9000', region: 'eu-west-1',
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        time: new Date('2026-11-21T07:08:57Z'),
    });
    assert.equal(headers['x-amz-date'], '20261121T070857Z');
    assert.match(headers.authorization, /Signature=70d07430e1878ca3a9d036cc4bb258df8838f20235c0d25cba853295368d7564$/);
});

test('the runtime has neither eval nor modules nor origins of its own', () => {
    const source = body => `import cf from 'cloudfront';\nconst settings = {};\nfunction handler(event) { ${body} }\n`;
    const run = body => loadFunction(source(body), {}, ['api'])({});
    assert.throws(() => run("return eval('1')"), /Code generation from strings disallowed/);
    assert.throws(() => run("return new Function('return 1')()"), /Code generation from strings disallowed/);
    assert.throws(() => run("return require('fs')"), /no module fs/);
    assert.throws(() => run("cf.selectRequestOriginById('s3')"), /no origin s3/);
    assert.throws(() => run('return fetch'), /fetch is not defined/);
    assert.throws(() => run('return process'), /process is not defined/);
});
