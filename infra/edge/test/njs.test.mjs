// The function in njs, the engine that CloudFront's runtime is believed to come from: Debian's package njs.
//
// Node takes syntax that njs does not. Both must say the same about the same events.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';
import { DIGEST, MIB, PRESIGNED, SOURCE, UPLOAD, put, recorded, request } from './support.mjs';

const CAPABILITY = { uploads: 'capability', capabilityKey: 'a-key-of-letters-and-digits' };
const CAPABLE = 'exp=4102444800&cap=uIiRF1nF6ULfPdi3UdCO9Eivajtg5tZxhDcO7OxFsRM';
const CASES = [
    ...['put-direct', 'put-direct-answered', 'get-blob-answered'].map(name => [{}, recorded(name)]),
    ...['patch-chunked', 'put-manifest', 'get-manifest'].map(name => [{}, recorded(name)]),
    [{ relay: true }, recorded('patch-chunked')],
    [{}, request('PATCH', UPLOAD, { 'content-length': 5 * MIB })],
    [{}, request('PUT', `${UPLOAD}?${PRESIGNED}&${DIGEST}`, { 'transfer-encoding': 'chunked' })],
    [{}, put(6 * 1024 * MIB)],
    [{}, put(5 * MIB, PRESIGNED)],
    [{}, put(5 * MIB, `${PRESIGNED}&${DIGEST}&digest=x`)],
    [{}, put(5, `${PRESIGNED}&digest&ns=%zz`)],
    [CAPABILITY, put(5, `${CAPABLE}&${DIGEST}`)],
    [CAPABILITY, put(5, `${CAPABLE}A&${DIGEST}`)],
    [{ uploads: 'off' }, put(5 * MIB)],
];
/** What njs gets instead of CloudFront's module; `cf` remembers the origin. */
const CLOUDFRONT = 'export default { selectRequestOriginById: function (id) { globalThis.originId = id; } };\n';

/** Its answers go to a file, as console.log of njs breaks long lines. */
function driver(cases, answersPath) {
    return `
        const cases = ${JSON.stringify(cases)};
        const defaults = JSON.stringify(settings);
        require('fs').writeFileSync(${JSON.stringify(answersPath)}, JSON.stringify(cases.map(one => {
            globalThis.originId = 'api';
            Object.assign(settings, JSON.parse(defaults), one[0]);
            return { result: handler(one[1]), originId: globalThis.originId };
        })));
    `;
}

function runInNjs(folder) {
    writeFileSync(join(folder, 'cloudfront'), CLOUDFRONT);
    writeFileSync(join(folder, 'main.js'), `${SOURCE}\n${driver(CASES, join(folder, 'answers'))}`);
    const { status, stdout, stderr } = spawnSync('njs', ['-p', folder, join(folder, 'main.js')], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    return JSON.parse(readFileSync(join(folder, 'answers'), 'utf8'));
}

const isRequired = (process.env.SLIPWAY_REQUIRE ?? '').split(',').includes('njs');
const isMissing = spawnSync('njs', ['-v']).error !== undefined;
const skip = isMissing && !isRequired && 'njs is not installed (Debian: apt-get install njs)';

test('njs and node agree', { skip }, t => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-njs-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const expected = CASES.map(([settings, event]) => loadFunction(SOURCE, settings)(event));
    assert.deepEqual(runInNjs(folder), expected);
    assert.deepEqual(new Set(expected.map(({ originId }) => originId)), new Set(['api', 's3', 'relay']));
});
