// HTTP to CloudFront Functions' event objects and back. The shape is that of "CloudFront Functions event structure".

/** Headers that a function neither sees nor may add. */
const DISALLOWED = new RegExp('^(connection|expect|keep-alive|proxy-(authenticate|authorization|connection)|trailer'
    + '|upgrade|x-accel-(buffering|charset|limit-rate|redirect)|x-amz-cf-.*|x-cache|x-edge-.*|x-forwarded-proto'
    + '|x-real-ip|x-amzn-(auth|cf-billing|cf-id|cf-xff|errortype|fle-profile|header-count|header-order'
    + '|lambda-integration-tag|requestid))$');
const READ_ONLY = {
    'viewer-request': ['content-length', 'host', 'transfer-encoding', 'via'],
    'viewer-response': ['via', 'warning'],
};
/** The longest URL and the largest request without its body, in bytes. */
export const URL_MAX = 8192;
export const HEAD_MAX = 20480;

/** Returns the event for a request; `response` is there after the origin has answered. */
export function eventOf(request, viewerIp, response) {
    const context = {
        distributionDomainName: 'd111111abcdef8.cloudfront.net',
        distributionId: 'EDFDVBD6EXAMPLE',
        eventType: response ? 'viewer-response' : 'viewer-request',
        requestId: 'EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==',
    };
    const event = { version: '1.0', context, viewer: { ip: viewerIp }, request };
    return response ? { ...event, response } : event;
}

/** Returns the event's view of a request as node read it. */
export function requestOf({ method, url, rawHeaders }) {
    const [uri, query] = splitOnce(url, '?');
    const { cookie, ...headers } = headerFields(rawHeaders);
    const cookies = all(cookie).flatMap(line => line.split(/; */)).map(pair => splitOnce(pair, '='));
    return { method, uri, querystring: queryFields(query), headers, cookies: fields(cookies) };
}

/** Returns the event's view of an origin's response; the attributes of cookies are left as they are. */
export function responseOf({ statusCode, statusMessage, rawHeaders }) {
    const { 'set-cookie': setCookie, ...headers } = headerFields(rawHeaders);
    const cookies = all(setCookie).map(line => splitOnce(line, '='));
    return { statusCode, statusDescription: statusMessage, headers, cookies: fields(cookies) };
}

/** Returns path and query of a request. A query that the function left alone is forwarded as it came. */
export function urlOf(request, original) {
    const [, query] = splitOnce(original.url, '?');
    const isSame = JSON.stringify(request.querystring) === JSON.stringify(queryFields(query));
    const text = isSame ? query : pairs(request.querystring).map(([name, value]) => `${name}=${value}`).join('&');
    return text ? `${request.uri}?${text}` : request.uri;
}

/** Returns headers for node's http: one value or a list of them for each name. */
export function headersOf({ statusCode, headers, cookies = {} }) {
    const crumbs = pairs(cookies).map(([name, value]) => `${name}=${value}`);
    const single = values => (values.length > 1 ? values : values[0]);
    const written = Object.fromEntries(Object.keys(headers).map(name => [name, single(all(headers[name]))]));
    if (crumbs.length > 0 && statusCode) written['set-cookie'] = crumbs;
    if (crumbs.length > 0 && !statusCode) written.cookie = crumbs.join('; ');
    return written;
}

/** Returns what CloudFront would find wrong with a function's result, or nothing. */
export function faultOf(eventType, before, after) {
    const headers = after.headers ?? {};
    const disallowed = Object.keys(headers).find(name => DISALLOWED.test(name) || name !== name.toLowerCase());
    if (disallowed) return `the function added the header ${disallowed}`;
    if ('statusCode' in after && !Number.isInteger(after.statusCode)) return 'statusCode is not an integer';
    if (eventType === 'viewer-request' && 'statusCode' in after) return undefined;
    const changed = READ_ONLY[eventType].find(name => text(before.headers[name]) !== text(headers[name]));
    if (changed) return `the function changed the read-only header ${changed}`;
    return eventType === 'viewer-request' ? requestFault(before, after) : undefined;
}

function requestFault(before, after) {
    const url = urlOf(after, { url: '' });
    if (after.method !== before.method) return 'the function changed the method';
    if (!after.uri.startsWith('/')) return 'the URI does not begin with a slash';
    if (/[\s\x00-\x1f#]/.test(url)) return 'the URL has a space, a control character or a fragment';
    return url.length > URL_MAX ? 'the URL is too long' : undefined;
}

function headerFields(rawHeaders) {
    const found = [];
    for (let i = 0; i < rawHeaders.length; i += 2) found.push([rawHeaders[i].toLowerCase(), rawHeaders[i + 1]]);
    return fields(found.filter(([name]) => !DISALLOWED.test(name)));
}

function queryFields(query) {
    return fields(query.split('&').filter(Boolean).map(pair => splitOnce(pair, '=')));
}

/** Collapses pairs of one name into a field with a multiValue. */
function fields(found) {
    const byName = new Map();
    for (const [name, value] of found) byName.set(name, [...(byName.get(name) ?? []), { value }]);
    const field = values => (values.length > 1 ? { value: values[0].value, multiValue: values } : values[0]);
    return Object.fromEntries([...byName].map(([name, values]) => [name, field(values)]));
}

function pairs(found) {
    return Object.keys(found).flatMap(name => all(found[name]).map(value => [name, value]));
}

function all(field) {
    return field ? (field.multiValue ?? [field]).map(one => one.value) : [];
}

function text(field) {
    return JSON.stringify(all(field));
}

function splitOnce(string, separator) {
    const at = string.indexOf(separator);
    return at < 0 ? [string, ''] : [string.slice(0, at), string.slice(at + 1)];
}
