// What the tests of the function share.
import { readFileSync } from 'node:fs';

import { requestOf, urlOf } from '../../../tests/aws/edge/event.mjs';
import { loadFunction } from '../../../tests/aws/edge/runtime.mjs';

export const SOURCE = readFileSync(new URL('../function.js', import.meta.url), 'utf8');
export const TEMPLATE = readFileSync(new URL('../../edge.yaml', import.meta.url), 'utf8');
export const MIB = 1024 * 1024;
export const ID = '0192f3a4-7c1e-7b52-9d6f-2a1b3c4d5e6f';
export const UPLOAD = `/v2/team/app/blobs/uploads/${ID}`;
export const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
export const DIGEST = `digest=sha256%3A${HASH}`;
/** What a signer emits, in its order; the values have every character that is percent-encoded. */
export const PRESIGNED = 'X-Amz-Algorithm=AWS4-HMAC-SHA256'
    + '&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20261121%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T070857Z'
    + '&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=AbC%2B%2F~x%3D%3D&x-id=PutObject'
    + '&X-Amz-Signature=6cbad7a6aba58e3a0227c321f85cb303a18a58fe26ebd3a2cfcd782d8c16ea19';

/** Returns one of the events in events/. */
export function recorded(name) {
    return JSON.parse(readFileSync(new URL(`events/${name}.json`, import.meta.url), 'utf8'));
}

/** Returns a viewer-request event for a request in HTTP's own words. */
export function request(method, url, headers = {}) {
    const rawHeaders = Object.entries({ host: 'registry.example.com', ...headers }).flat().map(String);
    return { ...recorded('get-manifest'), request: requestOf({ method, url, rawHeaders }) };
}

/** Returns a direct PUT of some bytes; `query` is what the client made of the upload URL's query. */
export function put(bytes, query = `${PRESIGNED}&${DIGEST}`, headers = {}) {
    return request('PUT', `${UPLOAD}?${query}`, { 'content-length': bytes, ...headers });
}

/** Runs the function and tells what became of the request. */
export function run(event, settings = {}) {
    const { result, originId } = loadFunction(SOURCE, settings)(event);
    if (!('statusCode' in result)) return { request: result, originId, url: urlOf(result, { url: '' }) };
    const { code, message } = JSON.parse(result.body.data).errors[0];
    return { originId: 'none', status: result.statusCode, code, message, response: result };
}
