// What the stand-in takes from infra/edge.yaml.

/** Statuses of a GET or HEAD that CloudFront remembers by itself, and for how long. */
const REMEMBERED_BY_DEFAULT = [404, 414, 500, 501, 502, 503, 504];
const DEFAULT_TTL_SECONDS = 10;

/** Returns how long the distribution remembers an error, in seconds by status. */
export function errorCachingTtls(template) {
    const ttls = Object.fromEntries(REMEMBERED_BY_DEFAULT.map(status => [status, DEFAULT_TTL_SECONDS]));
    return { ...ttls, ...customErrorResponses(template) };
}

/** Returns the `ErrorCachingMinTTL` of every status in `CustomErrorResponses`. */
export function customErrorResponses(template) {
    const block = /^( *)CustomErrorResponses:\n((?:\1 .*\n|\s*\n)*)/m.exec(template);
    const items = block ? block[2].split(/^ *- /m).slice(1) : [];
    const number = (item, name) => Number(new RegExp(`\\b${name}: *(\\d+)`).exec(item)?.[1] ?? DEFAULT_TTL_SECONDS);
    return Object.fromEntries(items.map(item => [number(item, 'ErrorCode'), number(item, 'ErrorCachingMinTTL')]));
}
