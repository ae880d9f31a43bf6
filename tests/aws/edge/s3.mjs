// What stands before the S3 origin: a guard that is as strict as S3, and the origin access control.
import { createHash, createHmac } from 'node:crypto';

/**
 * Returns what S3 would refuse in a request for it, or nothing; S3's stand-ins let some of it pass.
 *
 * `X-Amz-Cf-Id`, which CloudFront adds later, is not asked after: whether S3 takes it, a deployment has to show.
 */
export function faultForS3(request) {
    const signed = (request.querystring['X-Amz-SignedHeaders']?.value ?? '').split(/;|%3b/i);
    const unsigned = Object.keys(request.headers).find(name => /^x-amz-/.test(name) && !signed.includes(name));
    const isPresigned = 'X-Amz-Signature' in request.querystring;
    if (isPresigned && request.headers.authorization) return 'Authorization beside a presigned query';
    if (unsigned) return `the header ${unsigned} is not signed`;
    if (request.method === 'PUT' && !request.headers['content-length']) return 'no Content-Length';
    return 'digest' in request.querystring ? 'digest in a signed query' : undefined;
}

/** Returns S3's way of saying no. */
export function accessDenied(message) {
    const text = message.replace(/[<&]/g, sign => (sign === '<' ? '&lt;' : '&amp;'));
    return {
        statusCode: 403,
        headers: { 'content-type': { value: 'application/xml' } },
        body: '<?xml version="1.0" encoding="UTF-8"?>\n'
            + `<Error><Code>AccessDenied</Code><Message>${text}</Message></Error>`,
    };
}

/** Returns the headers that an origin access control with signing `always` adds: Signature Version 4. */
export function signedHeaders({ method, path, host, accessKeyId, secretAccessKey, sessionToken, region, time }) {
    const stamp = time.toISOString().replace(/[-:]|\.\d+/g, '');
    const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
    const headers = { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': stamp };
    if (sessionToken) headers['x-amz-security-token'] = sessionToken;
    const names = Object.keys(headers).join(';');
    const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`).join('');
    const canonical = [method, path, '', lines, names, headers['x-amz-content-sha256']].join('\n');
    const hash = createHash('sha256').update(canonical).digest('hex');
    const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
    const key = [...scope.split('/')].reduce(hmac, `AWS4${secretAccessKey}`);
    const signature = hmac(key, ['AWS4-HMAC-SHA256', stamp, scope, hash].join('\n')).toString('hex');
    const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, `
        + `SignedHeaders=${names}, Signature=${signature}`;
    return { ...headers, authorization };
}
