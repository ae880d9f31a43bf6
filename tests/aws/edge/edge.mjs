// A CloudFront distribution on one machine: the function of infra/edge.yaml before the template's origins, plain HTTP.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import { pipeline } from 'node:stream';

import { eventOf, faultOf, headersOf, HEAD_MAX, requestOf, responseOf, URL_MAX, urlOf } from './event.mjs';
import { accessDenied, faultForS3, signedHeaders } from './s3.mjs';

const DEFAULTS = {
    showsCfIdToS3: false, seesModified: false, accessControl: undefined, authorization: undefined, minTtl: 0, now: Date.now,
};

/**
 * A distribution.
 *
 * `origins`, `behaviour` and `errorTtls` are what distributionOf() returned, `run` is what loadFunction() did. `minTtl` is
 * for how many seconds what is no error is kept, whatever the origin says: a cache policy's `MinTTL`.
 * `showsCfIdToS3` sends `X-Amz-Cf-Id` to S3 too, as CloudFront does. `seesModified` gives viewer-response the request
 * that viewer-request made instead of the viewer's own: the documentation leaves it open. `accessControl` holds the
 * keys that sign requests for S3, if there is an origin access control. `authorization` is that of every request that
 * has none.
 */
export class Edge {
    constructor(options) {
        Object.assign(this, DEFAULTS, options);
        this.remembered = new Map();
        const zero = () => ({ requests: 0, bytesUp: 0, bytesDown: 0 });
        const origins = Object.fromEntries(Object.keys(this.origins).map(id => [id, zero()]));
        this.counts = { origins, answeredByFunction: 0, functionFaults: [], guardViolations: [], cacheHits: 0 };
    }

    /** Answers one request of a viewer; a listener of node's http server. */
    handle(incoming, outgoing) {
        // A viewer that has gone already has no address, and nobody to answer.
        if (incoming.socket.remoteAddress === undefined) return incoming.destroy();
        const refusal = this.methodRefusal(incoming) ?? refusalOf(incoming);
        if (refusal) return answer(incoming, outgoing, refusal);
        this.logIn(incoming);
        const viewed = requestOf(incoming);
        const { result, originId, failure } = this.runFunction(viewed, eventOf(viewed, incoming.socket.remoteAddress));
        if (failure) return answer(incoming, outgoing, failure);
        if (!('statusCode' in result)) return this.serve({ incoming, outgoing, viewed, request: result, originId });
        this.counts.answeredByFunction += 1;
        return answer(incoming, outgoing, result);
    }

    methodRefusal({ method }) {
        if (this.behaviour.methods.includes(method)) return undefined;
        return { statusCode: 403, headers: {}, body: `the distribution does not allow ${method}\n` };
    }

    /** As if the viewer had sent it. */
    logIn({ headers, rawHeaders }) {
        if (!this.authorization || 'authorization' in headers) return;
        rawHeaders.push('Authorization', this.authorization);
    }

    /** Without a function, what comes in goes out. */
    runFunction(before, event) {
        if (!this.behaviour.eventTypes.includes(event.context.eventType)) {
            return { result: before, originId: this.behaviour.originId };
        }
        try {
            const { result, originId } = this.run(event);
            const fault = faultOf(event.context.eventType, before, result);
            return fault ? { failure: this.functionFailure(502, fault) } : { result, originId };
        } catch (error) {
            return { failure: this.functionFailure(503, `the function threw ${error}`) };
        }
    }

    functionFailure(statusCode, fault) {
        this.counts.functionFaults.push(fault);
        return { statusCode, headers: {}, body: `${fault}\n` };
    }

    serve(exchange) {
        const { incoming, outgoing, request, originId } = exchange;
        exchange.key = `${request.method} ${originId} ${urlOf(request, incoming)}`;
        const remembered = this.recall(exchange.key);
        if (remembered) return answer(incoming, outgoing, remembered);
        const fault = this.origins[originId].isS3 ? faultForS3(request) : undefined;
        if (!fault) return this.forward(exchange);
        this.counts.guardViolations.push(fault);
        return answer(incoming, outgoing, accessDenied(fault));
    }

    forward(exchange) {
        const { incoming, outgoing, originId } = exchange;
        const count = this.counts.origins[originId];
        const sent = http.request(this.originRequest(exchange));
        count.requests += 1;
        incoming.on('data', chunk => { count.bytesUp += chunk.length; });
        incoming.pipe(sent);
        incoming.on('close', () => { if (!incoming.complete) sent.destroy(); });
        sent.on('response', received => this.pass(exchange, received));
        sent.on('error', ({ message }) => {
            const failure = { statusCode: 502, headers: {}, body: `the origin ${originId}: ${message}\n` };
            if (!outgoing.headersSent && !outgoing.destroyed) answer(incoming, outgoing, failure);
        });
        // An origin may answer and go while the viewer still sends.
        sent.on('close', () => { incoming.unpipe(sent); incoming.resume(); });
    }

    originRequest({ incoming, request, originId }) {
        const { url, isS3, isSigned, headers: customHeaders } = this.origins[originId];
        const origin = new URL(url);
        const path = origin.pathname.replace(/\/$/, '') + urlOf(request, incoming);
        const { method } = request;
        const headers = { 'user-agent': 'Amazon CloudFront', ...headersOf(request) };
        if (!this.behaviour.keepsHost) headers.host = origin.host;
        appendTo(headers, 'via', '1.1 0123456789abcdef.cloudfront.net (CloudFront)');
        appendTo(headers, 'x-forwarded-for', incoming.socket.remoteAddress);
        if (!isS3 || this.showsCfIdToS3) headers['x-amz-cf-id'] = randomBytes(42).toString('base64url');
        Object.assign(headers, customHeaders);
        if (isSigned) {
            const signed = { method, path, host: headers.host, time: new Date(this.now()), ...this.accessControl };
            Object.assign(headers, signedHeaders(signed));
        }
        return { hostname: origin.hostname, port: origin.port, method, path, headers, agent: false };
    }

    /** Passes an origin's response on. CloudFront does not run the function for errors. */
    pass(exchange, received) {
        const { incoming, outgoing, viewed, request, originId } = exchange;
        const count = this.counts.origins[originId];
        const before = responseOf(received);
        received.on('data', chunk => { count.bytesDown += chunk.length; });
        this.remember(exchange, before, received);
        if (received.statusCode >= 400) return stream(received, outgoing, before);
        const seen = this.seesModified ? request : viewed;
        const { result, failure } = this.runFunction(before, eventOf(seen, incoming.socket.remoteAddress, before));
        if (!failure) return stream(received, outgoing, result);
        received.resume();
        return answer(incoming, outgoing, failure);
    }

    remember({ incoming, key }, { statusCode, headers }, received) {
        const ttlSeconds = statusCode < 400 ? this.minTtl : (this.errorTtls[statusCode] ?? 0);
        if (!['GET', 'HEAD'].includes(incoming.method) || ttlSeconds === 0) return;
        const chunks = [];
        received.on('data', chunk => chunks.push(chunk));
        received.on('end', () => {
            const expires = this.now() + ttlSeconds * 1000;
            this.remembered.set(key, { statusCode, headers, body: Buffer.concat(chunks), expires });
        });
    }

    recall(key) {
        const found = this.remembered.get(key);
        if (!found || found.expires <= this.now()) return undefined;
        this.counts.cacheHits += 1;
        return found;
    }
}

function refusalOf({ method, url, rawHeaders, headers }) {
    const line = Buffer.byteLength(`${method} ${url} HTTP/1.1\r\n`);
    const head = rawHeaders.reduce((bytes, text) => bytes + Buffer.byteLength(text) + 2, line);
    const hasBody = Number(headers['content-length'] ?? 0) > 0 || 'transfer-encoding' in headers;
    const refusal = (statusCode, body, closes) => ({ statusCode, headers: {}, body, closes });
    if (Buffer.byteLength(url) > URL_MAX) return refusal(413, 'the URL is too long\n', true);
    if (head > HEAD_MAX) return refusal(413, 'the headers are too long\n', true);
    return method === 'GET' && hasBody ? refusal(403, 'a GET has no body\n', false) : undefined;
}

/** Answers without an origin. What the viewer still sends is read and dropped, unless the connection closes. */
function answer(incoming, outgoing, { statusCode, headers, body = '', closes = false }) {
    const bytes = Buffer.from(body.data ?? body);
    const { 'transfer-encoding': _, ...written } = headersOf({ statusCode, headers });
    if (incoming.method !== 'HEAD') written['content-length'] = bytes.length;
    if (closes) written.connection = 'close';
    outgoing.writeHead(statusCode, written);
    outgoing.end(bytes);
    if (closes) outgoing.on('finish', () => incoming.socket.destroySoon());
    else incoming.resume();
}

function stream(received, outgoing, response) {
    const { 'transfer-encoding': _, ...headers } = headersOf(response);
    outgoing.writeHead(response.statusCode, response.statusDescription, headers);
    pipeline(received, outgoing, () => {});
}

function appendTo(headers, name, value) {
    headers[name] = [headers[name] ?? [], value].flat().join(', ');
}
