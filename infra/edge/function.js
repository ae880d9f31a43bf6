import cf from 'cloudfront';

// Chooses the origin of every request and finishes direct uploads; README.md has the table of cases.

// The template sets these lines from its parameters (embed.mjs).
const settings = {
    uploads: 'presigned',
    relay: false,
    inlineBytesMax: 4194304,
    directBytesMax: 5368709120,
    uploadsPath: '/uploads/',
    capabilityKey: '',
};

const UPLOAD_URI = /^\/v2\/([a-z0-9._\/-]+)\/blobs\/uploads\/([0-9A-Za-z-]{1,64})$/;
const BLOB_URI = /^\/v2\/[a-z0-9._\/-]+\/blobs\/(sha256:[0-9a-f]{64})$/;
const SHA256 = /^sha256(?::|%3[Aa])([0-9a-f]{64})$/;
const SIGNED_PARAMETER = /^x-(amz-[a-z0-9-]+|id)$/i;
const S3_HEADER = /^(host|content-length|content-type|via)$/;
const READ_ONLY_HEADER = /^(via|warning)$/;

function handler(event) {
    const isResponse = event.context.eventType === 'viewer-response';
    return isResponse ? finish(event.request, event.response) : route(event.request, event.viewer.ip);
}

function route(request, viewerIp) {
    // Never a client's word: the API counts failed logins against the address and builds its token realm from the host,
    // and finish() answers with the location.
    delete request.headers['x-slipway-location'];
    delete request.headers['x-viewer-host'];
    request.headers['x-viewer-address'] = { value: viewerIp };
    if (request.headers.host) request.headers['x-viewer-host'] = { value: request.headers.host.value };
    const upload = UPLOAD_URI.exec(request.uri);
    if (upload && request.method === 'PATCH') return routePatch(request);
    if (upload && request.method === 'PUT') return routePut(request, upload[1], upload[2]);
    return request;
}

function routePatch(request) {
    // Without the relay, a body of unknown length goes on to the API: most are small.
    if (!settings.relay) return bodyBytes(request.headers) > settings.inlineBytesMax ? refuseLarge() : request;
    cf.selectRequestOriginById('relay');
    return request;
}

function routePut(request, name, id) {
    const query = request.querystring;
    const bytes = bodyBytes(request.headers);
    const isChunked = 'transfer-encoding' in request.headers;
    if (!isChunked && !(bytes > 0)) return request;
    if (!isOffered(query)) return bytes > settings.inlineBytesMax ? refuseLarge() : request;
    if (isChunked) return refuse(411, 'UNSUPPORTED', 'a layer sent in one PUT needs a Content-Length');
    if (bytes > settings.directBytesMax) {
        return refuse(413, 'UNSUPPORTED', 'this registry takes at most ' + mebibytes(settings.directBytesMax)
            + ' in one PUT; a larger layer needs its relay and a client that sends PATCH, such as skopeo or crane');
    }
    if (!query.digest) return refuse(400, 'DIGEST_INVALID', 'the query has no digest');
    const digest = sha256(query.digest);
    if (!digest && bytes <= settings.inlineBytesMax) return request;
    if (!digest) {
        return refuse(400, 'DIGEST_INVALID', 'a layer above ' + mebibytes(settings.inlineBytesMax)
            + ' needs one digest in the query: "sha256:" and 64 lower-case hexadecimal digits');
    }
    if (settings.uploads === 'capability' && !isCapable(query, id)) {
        return refuse(403, 'DENIED', 'this upload URL is wrong or has expired; start the push again');
    }
    return toS3(request, id, '/v2/' + name + '/blobs/' + digest);
}

function toS3(request, id, location) {
    // Presigned, the query is the credential. With a capability the origin access control signs, and needs none of it.
    const isPresigned = settings.uploads === 'presigned';
    request.uri = settings.uploadsPath + id;
    request.querystring = isPresigned ? pick(request.querystring, SIGNED_PARAMETER) : {};
    request.headers = pick(request.headers, S3_HEADER);
    request.headers['x-slipway-location'] = { value: location };
    request.cookies = {};
    cf.selectRequestOriginById('s3');
    return request;
}

function finish(request, response) {
    // Only S3 answers a PUT with 200; the API says 201.
    const blob = request.method === 'PUT' && response.statusCode === 200 && BLOB_URI.exec(locationOf(request));
    if (!blob) return response;
    response.statusCode = 201;
    response.statusDescription = 'Created';
    response.headers = pick(response.headers, READ_ONLY_HEADER);
    response.headers['content-length'] = { value: '0' };
    response.headers['docker-content-digest'] = { value: blob[1] };
    response.headers['docker-distribution-api-version'] = { value: 'registry/2.0' };
    response.headers.location = { value: blob[0] };
    response.cookies = {};
    return response;
}

// It is not documented whether viewer-response sees the viewer's request or what toS3() made of it.
function locationOf(request) {
    const upload = UPLOAD_URI.exec(request.uri);
    const digest = upload && sha256(request.querystring.digest);
    return digest ? '/v2/' + upload[1] + '/blobs/' + digest : values(request.headers['x-slipway-location'])[0];
}

function isOffered(query) {
    if (settings.uploads === 'presigned') return 'X-Amz-Signature' in query;
    return settings.uploads === 'capability' && 'cap' in query;
}

function isCapable(query, id) {
    const expires = values(query.exp)[0];
    if (!(Number(expires) * 1000 > Date.now())) return false;
    const hmac = require('crypto').createHmac('sha256', settings.capabilityKey).update(id + ':' + expires);
    return isEqual(values(query.cap)[0], hmac.digest('base64url'));
}

// Takes as long wherever the first difference is.
function isEqual(given, wanted) {
    let difference = given.length ^ wanted.length;
    for (let i = 0; i < wanted.length; i++) difference |= given.charCodeAt(i) ^ wanted.charCodeAt(i);
    return difference === 0;
}

// Returns NaN when the length is not known: no comparison with it is true.
function bodyBytes(headers) {
    const length = values(headers['content-length'])[0];
    return /^[0-9]+$/.test(length) && !('transfer-encoding' in headers) ? Number(length) : NaN;
}

// Clients write the colon as it is or percent-encoded, and some say the digest twice.
function sha256(field) {
    const hashes = values(field).map(digest => (SHA256.exec(digest) || [])[1]);
    return hashes[0] && hashes.every(hash => hash === hashes[0]) ? 'sha256:' + hashes[0] : undefined;
}

function values(field) {
    return field ? (field.multiValue || [field]).map(one => one.value) : [];
}

function pick(fields, names) {
    const picked = {};
    Object.keys(fields).filter(name => names.test(name)).forEach(name => { picked[name] = fields[name]; });
    return picked;
}

function mebibytes(bytes) {
    return Math.round(bytes / 104857.6) / 10 + ' MiB';
}

function refuseLarge() {
    return refuse(413, 'UNSUPPORTED', 'this registry takes layers above ' + mebibytes(settings.inlineBytesMax)
        + ' by one PUT to the upload URL that it gave (Docker 29 or newer with the containerd image store, buildx, oras);'
        + ' this client needs the relay, which the operator may deploy');
}

function refuse(statusCode, code, message) {
    const body = { encoding: 'text', data: JSON.stringify({ errors: [{ code: code, message: message }] }) };
    return { statusCode: statusCode, headers: { 'content-type': { value: 'application/json' } }, body: body };
}
