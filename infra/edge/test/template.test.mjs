// edge.yaml: the function in it, and what the function relies on.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { embed, embedded, SUBSTITUTED_SETTINGS } from '../embed.mjs';
import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';
import { customErrorResponses, errorCachingTtls } from '../../../tests/aws/edge/template.mjs';
import { DIGEST, MIB, SOURCE, TEMPLATE, UPLOAD, put, recorded, request } from './support.mjs';

const PARAMETERS = { Uploads: 'presigned', Relay: 'false', InlineBytesMax: '4194304', CapabilityKey: '' };

/** Returns the function as CloudFormation would deploy it. */
function deployed(parameters = {}) {
    return embedded(TEMPLATE).replace(/\$\{(\w+)\}/g, (_, name) => ({ ...PARAMETERS, ...parameters })[name]);
}

/** Returns the template without the function: the rest of it is looked through as text. */
const REST = TEMPLATE.replace(/^ {6}FunctionCode: !Sub\n {8}- \|\n(?: {10}.*\n|\n)*/m, '');

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
    assert.equal(withoutSettings(deployed()), withoutSettings(SOURCE));
    assert.equal(deployed(), SOURCE, 'the defaults of the template are those of the file');
});

test('the variables of !Sub are known ones', () => {
    const names = Object.values(SUBSTITUTED_SETTINGS).join().match(/(?<=\$\{)\w+/g);
    assert.deepEqual(names.sort(), Object.keys(PARAMETERS).sort());
    for (const name of ['Uploads', 'InlineBytesMax']) assert.match(REST, new RegExp(`^  ${name}:$`, 'm'));
    for (const name of ['Relay', 'CapabilityKey']) assert.match(REST, new RegExp(`^ {8}[- ] ${name}: !If`, 'm'));
});

test('parameters of the stack reach the function', () => {
    const run = parameters => loadFunction(deployed(parameters));
    assert.equal(run({ Relay: 'true' })(recorded('patch-chunked')).originId, 'relay');
    assert.equal(run({ Uploads: 'off' })(recorded('put-direct')).result.statusCode, 413);
    const patch = request('PATCH', UPLOAD, { 'content-length': 2 * MIB });
    assert.equal(run({ InlineBytesMax: '1048576' })(patch).result.statusCode, 413);
    const query = 'exp=4102444800&cap=T4tnbWFKMB8n3tR2Nw9lmRj4Ldcw5ToSEgAUeLbnhzA';
    const capable = run({ Uploads: 'capability', CapabilityKey: 'k' })(put(9, `${query}&${DIGEST}`));
    assert.equal(capable.result.statusCode, 403, 'the key is part of the check');
});

test('the function is below 10 KB, with its comments and a key of 64 characters', () => {
    const bytes = Buffer.byteLength(deployed({ CapabilityKey: 'k'.repeat(64), Uploads: 'capability' }));
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
    assert.deepEqual(customErrorResponses(TEMPLATE), Object.fromEntries(codes.map(code => [code, 0])));
});

test('without those lines errors would be remembered', () => {
    assert.equal(errorCachingTtls('CustomErrorResponses:\n')[404], 10);
    assert.equal(errorCachingTtls(TEMPLATE.replace(/(ErrorCode: 404\n.*TTL:) 0/, '$1 7'))[404], 7);
    assert.equal(errorCachingTtls(TEMPLATE.replace(/- ErrorCode: 503\n.*\n/, ''))[503], 10);
});

test('one behaviour serves all methods, caches nothing and forwards everything but the host', () => {
    assert.doesNotMatch(REST, /^\s*CacheBehaviors:/m);
    assert.match(REST, /AllowedMethods: \[GET, HEAD, OPTIONS, PUT, PATCH, POST, DELETE\]/);
    assert.match(REST, /CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad/);
    assert.match(REST, /OriginRequestPolicyId: b689b0a8-53d0-40ab-baf2-68738e2966ac/);
    assert.match(REST, /ViewerProtocolPolicy: https-only/);
    assert.match(REST, /TargetOriginId: api/);
});

test('the function runs for requests and for responses', () => {
    const events = REST.match(/EventType: .*\n.*FunctionARN: !GetAtt EdgeFunction\.FunctionARN/g);
    assert.deepEqual(events.map(text => /EventType: (\S+)/.exec(text)[1]), ['viewer-request', 'viewer-response']);
    assert.match(REST, /Runtime: cloudfront-js-2\.0/);
});

test('the origins are those that the function selects', () => {
    const selected = SOURCE.match(/(?<=selectRequestOriginById\(')\w+/g);
    assert.deepEqual([...selected, 'api'].sort(), REST.match(/(?<=- Id: )(api|s3|relay)$/gm).sort());
});

test('only capability mode has an origin access control, and it always signs', () => {
    assert.match(REST, /OriginAccessControlId: !If \[HasCapability, !GetAtt BucketAccess\.Id, !Ref AWS::NoValue\]/);
    assert.match(REST, /HasCapability: !Equals \[!Ref Uploads, capability\]/);
    assert.match(REST, /Condition: HasCapability\n(?:.*\n){1,9}.*SigningBehavior: always/);
});
