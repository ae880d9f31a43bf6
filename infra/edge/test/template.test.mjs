// edge.yaml: the function in it, and what the function relies on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { embed } from '../embed.mjs';
import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';
import { distributionOf, errorTtlsOf } from '../../../tests/aws/edge/distribution.mjs';
import { deployed } from '../../../tests/aws/edge/helpers.mjs';
import { DIGEST, MIB, SOURCE, TEMPLATE, UPLOAD, put, recorded, request } from './support.mjs';

const RELAY = { RelayDomainName: 'relay.example.com', RelayVpcOriginId: 'vo_1' };
const CAPABILITY = { Uploads: 'capability' };

/** Returns the function as CloudFormation would deploy it. */
function deployedFunction(parameters) {
    return deployed(parameters).EdgeFunction.FunctionCode;
}

/** Returns the distribution in the same way. */
function configOf(parameters) {
    return deployed(parameters).Distribution.DistributionConfig;
}

test('the template holds the function: node infra/edge/embed.mjs writes it', () => {
    const path = fileURLToPath(new URL('../embed.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [path, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
});

test('a function that has changed is noticed, and embedding is repeatable', () => {
    const changed = embed(TEMPLATE, SOURCE.replace('function route(', 'function routed('));
    assert.notEqual(changed, TEMPLATE);
    assert.equal(embed(changed, SOURCE), TEMPLATE);
});

test('a function that !Sub would change is not embedded', () => {
    assert.throws(() => embed(TEMPLATE, `${SOURCE}\n// \${Uploads}`), /!Sub/);
});

test('what is deployed differs from the file in the settings alone', () => {
    const withoutSettings = text => text.replace(/const settings = \{[^}]*\};/, '');
    assert.equal(withoutSettings(deployedFunction()), withoutSettings(SOURCE));
    assert.equal(deployedFunction(), SOURCE, 'the defaults of the template are those of the file');
});

test('parameters of the stack reach the function', () => {
    const run = parameters => loadFunction(deployedFunction(parameters));
    assert.equal(run(RELAY)(recorded('patch-chunked')).originId, 'relay');
    assert.equal(run({ Uploads: 'off' })(recorded('put-direct')).result.statusCode, 413);
    const patch = request('PATCH', UPLOAD, { 'content-length': 2 * MIB });
    assert.equal(run({ InlineBytesMax: '1048576' })(patch).result.statusCode, 413);
    const query = 'exp=4102444800&cap=T4tnbWFKMB8n3tR2Nw9lmRj4Ldcw5ToSEgAUeLbnhzA';
    const capable = run(CAPABILITY)(put(9, `${query}&${DIGEST}`));
    assert.equal(capable.result.statusCode, 403, 'the key is part of the check');
});

test('the function is below 10 KB, with its comments and a key of 64 characters', () => {
    const key = { '{{resolve:secretsmanager:capability-key}}': 'k'.repeat(64) };
    const bytes = Buffer.byteLength(deployedFunction({ ...CAPABILITY, ...key }));
    assert.ok(bytes < 10_240, `${bytes} bytes`);
});

test('the function uses nothing that runtime 2.0 does not document', () => {
    const withoutStrings = SOURCE.replace(/^\s*\/\/.*$/gm, '').replace(/'(?:[^'\\\n]|\\.)*'/g, "''");
    const code = withoutStrings.replace(/\/\^.*\$\/i?/g, '/x/');
    const absent = [
        /\basync\b/, /\bawait\b/, /\beval\b/, /\bFunction\b/, /\bfetch\b/, /XMLHttpRequest/, /\bsetTimeout\b/,
        /\bclass\b/, /\bfor\s*\([^;]*\bof\b/, /\?\./, /\?\?/, /\.\.\./, /(const|let)\s*[[{]/, /`/, /\bprocess\b/,
        /\bexport\b/,
    ];
    for (const pattern of absent) assert.doesNotMatch(code, pattern);
    assert.deepEqual(SOURCE.match(/\brequire\([^)]*\)/g), ["require('crypto')"]);
    assert.deepEqual(SOURCE.match(/^import .*$/gm), ["import cf from 'cloudfront';"]);
    assert.ok(SOURCE.startsWith('import cf'), 'the documentation wants it on the first line');
});

test('no error is remembered', () => {
    const codes = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
    assert.deepEqual(distributionOf(deployed()).errorTtls, Object.fromEntries(codes.map(code => [code, 0])));
});

test('without those lines errors would be remembered', () => {
    assert.equal(errorTtlsOf([])[404], 10);
    assert.equal(errorTtlsOf([{ ErrorCode: 404, ErrorCachingMinTTL: 7 }])[404], 7);
    assert.equal(errorTtlsOf([{ ErrorCode: 404 }])[404], 10);
});

test('one behaviour serves all methods, caches nothing and forwards everything but the host', () => {
    const { behaviour } = distributionOf(deployed());
    const methods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'];
    const eventTypes = ['viewer-request', 'viewer-response'];
    assert.deepEqual(behaviour, { originId: 'api', methods, keepsHost: false, eventTypes });
    assert.equal(configOf().DefaultCacheBehavior.ViewerProtocolPolicy, 'https-only');
});

test('the function has the runtime that it is written for', () => {
    assert.equal(deployed().EdgeFunction.FunctionConfig.Runtime, 'cloudfront-js-2.0');
});

test('the origins are those that the function selects', () => {
    const selected = SOURCE.match(/(?<=selectRequestOriginById\(')\w+/g);
    const { origins } = distributionOf(deployed(RELAY));
    assert.deepEqual([...selected, 'api'].sort(), Object.keys(origins).sort());
    assert.deepEqual(Object.keys(distributionOf(deployed()).origins), ['api', 's3'], 'without a relay');
    const urls = Object.values(origins).map(({ url }) => url);
    assert.deepEqual(urls, ['http://api.example.com', 'http://s3.example.com', 'http://relay.example.com']);
});

test('viewers never reach an origin in the clear, but for the relay inside AWS', () => {
    const [api, , relay] = configOf(RELAY).Origins;
    assert.equal(api.CustomOriginConfig.OriginProtocolPolicy, 'https-only');
    assert.equal(relay.VpcOriginConfig.VpcOriginId, 'vo_1');
});

test('only the API is shown the key of the edge', () => {
    const headers = Object.values(distributionOf(deployed(RELAY)).origins).map(origin => origin.headers);
    assert.deepEqual(headers, [{ 'x-slipway-edge': 'the-key' }, {}, {}]);
});

test('only capability mode has an origin access control, and it always signs', () => {
    const isSigned = parameters => distributionOf(deployed(parameters)).origins.s3.isSigned;
    assert.deepEqual([isSigned(), isSigned(CAPABILITY)], [false, true]);
    assert.equal(deployed().BucketAccess, undefined);
    assert.equal(deployed(CAPABILITY).BucketAccess.OriginAccessControlConfig.SigningBehavior, 'always');
});

test('a template that says more than the stand-in knows is refused', () => {
    const refused = (change, why) => {
        const stack = deployed();
        change(stack.Distribution.DistributionConfig);
        assert.throws(() => distributionOf(stack), why);
    };
    refused(config => { config.CacheBehaviors = []; }, /CacheBehaviors of a distribution/);
    refused(config => { config.Origins[0].OriginShield = {}; }, /OriginShield of an origin/);
    refused(config => { config.DefaultCacheBehavior.Compress = true; }, /Compress of a behaviour/);
    refused(config => { config.DefaultCacheBehavior.CachePolicyId = 'other'; }, /cache policy other/);
    refused(config => { delete config.DefaultCacheBehavior.OriginRequestPolicyId; }, /origin request policy undefined/);
    refused(config => { config.DefaultCacheBehavior.FunctionAssociations[0].FunctionARN = 'other'; }, /function other/);
});
