// The stand-in as a process, before origins of the test.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';

import { Edge } from './edge.mjs';
import { deployed, drain, send, startEdge, startOrigin } from './helpers.mjs';

const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const UPLOAD = '/v2/team/app/blobs/uploads/0192f3a4';
const PRESIGNED = 'X-Amz-Credential=A%2FB&X-Amz-SignedHeaders=host&X-Amz-Signature=0';
const DIRECT = `${UPLOAD}?${PRESIGNED}&digest=sha256:${HASH}`;
const S3_ANSWER = (incoming, outgoing) => drain(incoming, outgoing, 200, { etag: '"x"', 'x-amz-request-id': 'x' });

/**
 * Starts an API, a store and the stand-in before them.
 *
 * `parameters` are those of the template, `change` gets the stack before it is started, `flags` are the stand-in's.
 */
async function start(t, { parameters = {}, change = () => {}, answers = {}, ...flags } = {}) {
    const api = await startOrigin(t, answers.api);
    const s3 = await startOrigin(t, answers.s3 ?? S3_ANSWER);
    const hosts = { ApiDomainName: new URL(api.url).host, BucketRegionalDomainName: new URL(s3.url).host };
    const stack = deployed({ ...hosts, ...parameters });
    change(stack);
    const edge = await startEdge(t, stack, flags);
    return { api, s3, edge };
}

/** Returns a change of the function's text. */
function rewritten(from, to) {
    return ({ EdgeFunction }) => {
        assert.ok(EdgeFunction.FunctionCode.includes(from));
        EdgeFunction.FunctionCode = EdgeFunction.FunctionCode.replace(from, to);
    };
}

test('a request for the API arrives as CloudFront would send it', async t => {
    const { api, edge } = await start(t);
    const forged = { 'x-viewer-host': 'evil', 'x-viewer-address': '203.0.113.1', 'x-forwarded-for': '192.0.2.1' };
    const headers = { authorization: 'Bearer x', ...forged };
    const { status } = await send(`${edge.url}/v2/?n=%2F&last=a`, { headers });
    const [got] = api.requests;
    assert.deepEqual([status, got.url], [200, '/v2/?n=%2F&last=a']);
    assert.equal(got.headers.host, new URL(api.url).host);
    assert.equal(got.headers['x-viewer-host'], new URL(edge.url).host);
    assert.equal(got.headers['x-viewer-address'], '127.0.0.1');
    assert.equal(got.headers.authorization, 'Bearer x');
    assert.equal(got.headers['x-forwarded-for'], '192.0.2.1, 127.0.0.1');
    assert.match(got.headers.via, /CloudFront/);
    assert.ok(got.headers['x-amz-cf-id']);
});

test('the API knows the edge by a header that viewers cannot set, and S3 does not see it', async t => {
    const { api, s3, edge } = await start(t);
    const headers = { 'x-slipway-edge': 'guessed', 'content-length': 5 };
    await send(`${edge.url}/v2/`, { headers: { 'x-slipway-edge': 'guessed' } });
    await send(edge.url + DIRECT, { method: 'PUT', headers, body: 'layer' });
    assert.equal(api.requests[0].headers['x-slipway-edge'], 'the-key');
    assert.equal(s3.requests[0].headers['x-slipway-edge'], undefined);
});

for (const sees of ['viewer', 'modified']) {
    test(`a direct PUT reaches S3 and is answered 201; viewer-response sees the ${sees} request`, async t => {
        const { api, s3, edge } = await start(t, { 'response-sees': sees });
        const headers = { authorization: 'Bearer x', 'x-amz-acl': 'private', 'content-length': 5 };
        const answered = await send(edge.url + DIRECT, { method: 'PUT', headers, body: 'layer' });
        assert.equal(answered.status, 201);
        assert.equal(answered.headers['docker-content-digest'], `sha256:${HASH}`);
        assert.equal(answered.headers.location, `/v2/team/app/blobs/sha256:${HASH}`);
        assert.equal(answered.headers.etag, undefined);
        assert.equal(s3.requests[0].url, `/uploads/0192f3a4?${PRESIGNED}`);
        assert.equal(s3.requests[0].headers.host, new URL(s3.url).host);
        for (const name of ['authorization', 'x-amz-acl', 'x-amz-cf-id']) {
            assert.equal(s3.requests[0].headers[name], undefined);
        }
        assert.equal(api.requests.length, 0);
        assert.deepEqual((await edge.counts()).origins, {
            api: { requests: 0, bytesUp: 0, bytesDown: 0 }, s3: { requests: 1, bytesUp: 5, bytesDown: 0 },
        });
    });
}

test('X-Amz-Cf-Id goes to S3 if it is asked for', async t => {
    const { s3, edge } = await start(t, { 'cf-id-to-s3': true });
    assert.equal((await send(edge.url + DIRECT, { method: 'PUT', body: 'x' })).status, 201);
    assert.ok(s3.requests[0].headers['x-amz-cf-id']);
});

test('settings reach the function: a bucket in the path, the relay by its parameter', async t => {
    const relay = await startOrigin(t);
    const { s3, edge } = await start(t, {
        parameters: { RelayDomainName: new URL(relay.url).host, RelayVpcOriginId: 'vo_1' },
        settings: '{"uploadsPath":"/bucket/uploads/"}',
    });
    await send(edge.url + DIRECT, { method: 'PUT', body: 'x' });
    await send(edge.url + UPLOAD, { method: 'PATCH', body: sent => sent.end('x') });
    assert.equal(s3.requests[0].url, `/bucket/uploads/0192f3a4?${PRESIGNED}`);
    assert.equal(relay.requests[0].url, UPLOAD);
});

test('a body is passed on while it comes, and so is an answer', async t => {
    const answerOnFirstChunk = (incoming, outgoing) => {
        incoming.once('data', chunk => outgoing.writeHead(202).write(chunk));
        incoming.on('end', () => outgoing.end('!'));
        incoming.resume();
    };
    const { edge } = await start(t, { answers: { api: answerOnFirstChunk } });
    const socket = net.connect(new URL(edge.url).port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write(`PATCH ${UPLOAD} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n`);
    const text = [];
    while (!text.join('').includes('first')) text.push(String((await once(socket, 'data'))[0]));
    socket.write('0\r\n\r\n');
    while (!text.join('').includes('!')) text.push(String((await once(socket, 'data'))[0]));
    assert.match(text.join(''), /^HTTP\/1\.1 202 /);
});

test('a viewer that has reset its connection already has no address, and nobody to answer', () => {
    const edge = new Edge({ origins: { api: {} }, behaviour: { methods: ['PATCH'] }, errorTtls: {}, run: () => ({}) });
    const incoming = new http.IncomingMessage(new net.Socket());
    Object.assign(incoming, { method: 'PATCH', url: UPLOAD });
    edge.handle(incoming, undefined);
    assert.ok(incoming.destroyed);
});

test('many bytes pass without being held', async t => {
    const bytes = 192 * 1024 * 1024;
    const { edge } = await start(t);
    const chunk = Buffer.alloc(1024 * 1024);
    const body = async sent => {
        for (let i = 0; i < bytes / chunk.length; i++) if (!sent.write(chunk)) await once(sent, 'drain');
        sent.end();
    };
    const { status } = await send(edge.url + DIRECT, { method: 'PUT', headers: { 'content-length': bytes }, body });
    assert.equal(status, 201);
    assert.equal((await edge.counts()).origins.s3.bytesUp, bytes);
    const peak = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${edge.pid}/status`, 'utf8'))[1];
    assert.ok(Number(peak) * 1024 < bytes, `${peak} kB at the peak`);
});

test('an answer is remembered for as long as the cache policy wants, whatever the origin says', async t => {
    const answer = (incoming, outgoing) => drain(incoming, outgoing, 200, { 'cache-control': 'no-store' }, 'new');
    for (const [flags, arrived] of [[{}, 2], [{ 'min-ttl': '60' }, 1]]) {
        const { api, edge } = await start(t, { ...flags, answers: { api: answer } });
        const path = `${edge.url}/v2/a/manifests/b`;
        assert.deepEqual([(await send(path)).text, (await send(path)).text], ['new', 'new']);
        assert.equal(api.requests.length, arrived);
    }
});

test('no error is remembered with the template as it is', async t => {
    const { api, edge } = await start(t, { answers: { api: (incoming, outgoing) => drain(incoming, outgoing, 404) } });
    for (const method of ['HEAD', 'GET', 'HEAD']) await send(`${edge.url}/v2/a/blobs/b`, { method });
    assert.equal(api.requests.length, 3);
    assert.equal((await edge.counts()).cacheHits, 0);
});

test('a 404 is remembered if the template does not say otherwise', async t => {
    const change = ({ Distribution: { DistributionConfig: config } }) => {
        config.CustomErrorResponses = config.CustomErrorResponses.filter(({ ErrorCode }) => ErrorCode !== 404);
    };
    const answer = (incoming, outgoing) => drain(incoming, outgoing, 404, { 'cache-control': 'no-store' }, 'gone');
    const { api, edge } = await start(t, { change, answers: { api: answer } });
    const twice = async (path, method) => {
        const before = api.requests.length;
        const answers = [await send(edge.url + path, { method }), await send(edge.url + path, { method })];
        assert.deepEqual(answers.map(({ status }) => status), [404, 404]);
        return { arrived: api.requests.length - before, texts: answers.map(({ text }) => text) };
    };
    assert.deepEqual(await twice('/v2/a/blobs/b', 'HEAD'), { arrived: 1, texts: ['', ''] });
    assert.deepEqual(await twice('/v2/a/blobs/b', 'GET'), { arrived: 1, texts: ['gone', 'gone'] });
    assert.deepEqual(await twice('/v2/a/blobs/c', 'GET'), { arrived: 1, texts: ['gone', 'gone'] });
    assert.deepEqual(await twice('/v2/a/blobs/b', 'DELETE'), { arrived: 2, texts: ['gone', 'gone'] });
    assert.equal((await edge.counts()).cacheHits, 3);
});

test('a URL or a head that is too long is refused, and the connection closes', async t => {
    const { api, edge } = await start(t);
    assert.equal((await send(`${edge.url}/${'a'.repeat(8191)}`)).status, 200);
    const long = await send(`${edge.url}/${'a'.repeat(8192)}`);
    const wide = await send(edge.url, { headers: { a: 'a'.repeat(20480) } });
    for (const { status, headers } of [long, wide]) {
        assert.deepEqual([status, headers.connection], [413, 'close']);
    }
    assert.equal(api.requests.length, 1);
});

test('GET with a body is refused', async t => {
    const { api, edge } = await start(t);
    assert.equal((await send(edge.url, { headers: { 'content-length': 1 }, body: 'x' })).status, 403);
    assert.equal(api.requests.length, 0);
});

test('what the function refuses reaches the client whole, though the body is still coming', async t => {
    const { edge } = await start(t);
    const headers = { 'content-length': 8 * 1024 * 1024 };
    const body = sent => { sent.write(Buffer.alloc(1024)); sent.on('error', () => {}); };
    const refused = await send(edge.url + UPLOAD, { method: 'PATCH', headers, body });
    assert.equal(refused.status, 413);
    assert.equal(JSON.parse(refused.text).errors[0].code, 'UNSUPPORTED');
    assert.equal((await edge.counts()).answeredByFunction, 1);
});

test('an origin that answers before the body has come is heard', async t => {
    const early = (incoming, outgoing) => outgoing.writeHead(413, { connection: 'close' }).end('too large');
    const { edge } = await start(t, { answers: { api: early } });
    const body = sent => { sent.write('x'); sent.on('error', () => {}); };
    const { status, text } = await send(edge.url + UPLOAD, { method: 'PATCH', body });
    assert.deepEqual({ status, text }, { status: 413, text: 'too large' });
});

test('errors of S3 pass unchanged: the function is not called', async t => {
    const type = { 'content-type': 'application/xml' };
    const answer = (incoming, outgoing) => drain(incoming, outgoing, 403, type, '<Error/>');
    const { edge } = await start(t, { answers: { s3: answer } });
    const { status, headers, text } = await send(edge.url + DIRECT, { method: 'PUT', body: 'x' });
    assert.deepEqual([status, headers['content-type'], text], [403, 'application/xml', '<Error/>']);
});

test('HEAD keeps the length, repeated headers and cookies stay apart', async t => {
    const headers = { 'content-length': '123', 'set-cookie': ['a=1; Path=/', 'b=2'], link: ['<a>', '<b>'] };
    const { api, edge } = await start(t, { answers: { api: (incoming, outgoing) => outgoing.writeHead(200, headers).end() } });
    const got = await send(`${edge.url}/v2/`, { method: 'HEAD', headers: { cookie: 'a=1; b=2' } });
    assert.equal(got.headers['content-length'], '123');
    assert.deepEqual(got.headers['set-cookie'], ['a=1; Path=/', 'b=2']);
    assert.equal(got.headers.link, '<a>, <b>');
    assert.equal(api.requests[0].headers.cookie, 'a=1; b=2');
});

test('the guard before S3 notices a function that lets too much through', async t => {
    const { s3, edge } = await start(t, { change: rewritten('(host|', '(host|authorization|') });
    const headers = { authorization: 'Bearer x' };
    const { status, text } = await send(edge.url + DIRECT, { method: 'PUT', headers, body: 'x' });
    assert.equal(status, 403);
    assert.match(text, /<Code>AccessDenied<\/Code>/);
    assert.equal(s3.requests.length, 0);
    assert.deepEqual((await edge.counts()).guardViolations, ['Authorization beside a presigned query']);
});

test('a function that breaks the rules is 502, one that throws is 503', async t => {
    const bad = "    if (request.uri === '/add') request.headers['x-real-ip'] = { value: 'x' };\n"
        + "    if (request.uri === '/throw') throw new Error('no');\n"
        + "    if (request.uri === '/relay') cf.selectRequestOriginById('relay');\n";
    const opening = 'function route(request, viewerIp) {\n';
    const { api, edge } = await start(t, { change: rewritten(opening, opening + bad) });
    const statuses = [];
    for (const uri of ['/add', '/throw', '/relay', '/']) statuses.push((await send(edge.url + uri)).status);
    assert.deepEqual(statuses, [502, 503, 503, 200]);
    assert.equal(api.requests.length, 1);
    assert.equal((await edge.counts()).functionFaults.length, 3);
});

test('an origin that is not there is 502', async t => {
    const { edge } = await start(t, { parameters: { ApiDomainName: '127.0.0.1:1' } });
    assert.equal((await send(edge.url)).status, 502);
});

test('with an access control S3 gets a signature instead of the query', async t => {
    const keys = { accessKeyId: 'A', secretAccessKey: 'S', region: 'eu-west-1' };
    const parameters = { Uploads: 'capability' };
    const { s3, edge } = await start(t, { parameters, 'access-control': JSON.stringify(keys) });
    const cap = createHmac('sha256', 'k').update('0192f3a4:4102444800').digest('base64url');
    const url = `${edge.url}${UPLOAD}?exp=4102444800&cap=${cap}&digest=sha256:${HASH}`;
    const { status } = await send(url, { method: 'PUT', headers: { authorization: 'Bearer x' }, body: 'x' });
    assert.equal(status, 201);
    assert.equal(s3.requests[0].url, '/uploads/0192f3a4');
    assert.match(s3.requests[0].headers.authorization, /^AWS4-HMAC-SHA256 Credential=A\/\d{8}\/eu-west-1\/s3\//);
    assert.equal(s3.requests[0].headers['x-amz-content-sha256'], 'UNSIGNED-PAYLOAD');
});

test('every method of the specification passes, and no other', async t => {
    const { api, edge } = await start(t);
    const allowed = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'];
    for (const method of allowed) assert.equal((await send(`${edge.url}/v2/`, { method })).status, 200);
    for (const method of ['TRACE', 'PROPFIND']) assert.equal((await send(`${edge.url}/v2/`, { method })).status, 403);
    assert.deepEqual(api.requests.map(({ method }) => method), allowed);
});

test('the template says which methods, which origin, with which path and headers, and when the function runs', async t => {
    const { api, s3, edge } = await start(t, {
        change({ Distribution: { DistributionConfig: { DefaultCacheBehavior: behaviour, Origins: [, bucket] } } }) {
            Object.assign(behaviour, { TargetOriginId: 's3', OriginRequestPolicyId: '216adef6-5c7f-47e4-b989-5492eafa07d3' });
            delete behaviour.AllowedMethods;
            behaviour.FunctionAssociations.pop();
            Object.assign(bucket, { OriginPath: '/there', OriginCustomHeaders: [{ HeaderName: 'x-own', HeaderValue: '1' }] });
        },
    });
    assert.equal((await send(edge.url + DIRECT, { method: 'PUT', body: 'x' })).status, 403);
    assert.equal((await send(`${edge.url}/v2/?a=b`)).status, 200);
    const [{ url, headers }] = s3.requests;
    assert.deepEqual([url, headers.host, headers['x-own']], ['/there/v2/?a=b', new URL(edge.url).host, '1']);
    assert.deepEqual([s3.requests.length, api.requests.length], [1, 0]);
});

test('without the function for responses S3 itself answers', async t => {
    const { edge } = await start(t, {
        change: ({ Distribution }) => Distribution.DistributionConfig.DefaultCacheBehavior.FunctionAssociations.pop(),
    });
    const { status, headers } = await send(edge.url + DIRECT, { method: 'PUT', body: 'x' });
    assert.deepEqual([status, headers.etag], [200, '"x"']);
});
