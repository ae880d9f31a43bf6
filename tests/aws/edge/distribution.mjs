// What the stand-in takes from infra/edge.yaml: everything that the template says of a distribution, and nothing else.

/** The managed policies that the stand-in knows, by the ids that AWS gave them. */
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
const REQUEST_POLICIES = {
    '216adef6-5c7f-47e4-b989-5492eafa07d3': { name: 'AllViewer', keepsHost: true },
    'b689b0a8-53d0-40ab-baf2-68738e2966ac': { name: 'AllViewerExceptHostHeader', keepsHost: false },
};

/** Methods of a behaviour that names none. */
const METHODS_BY_DEFAULT = ['GET', 'HEAD'];

/** Statuses of a GET or HEAD that CloudFront remembers by itself, and for how long. */
const REMEMBERED_BY_DEFAULT = [404, 414, 500, 501, 502, 503, 504];
const DEFAULT_TTL_SECONDS = 10;

/** What the stand-in knows of each part; the second list makes no difference to one that speaks plain HTTP. */
const PARTS = {
    'a distribution': [
        ['Origins', 'DefaultCacheBehavior', 'CustomErrorResponses'],
        ['Aliases', 'Comment', 'Enabled', 'HttpVersion', 'IPV6Enabled', 'PriceClass', 'ViewerCertificate'],
    ],
    'a behaviour': [
        ['TargetOriginId', 'AllowedMethods', 'CachePolicyId', 'OriginRequestPolicyId', 'FunctionAssociations'],
        ['ViewerProtocolPolicy'],
    ],
    'an origin': [
        ['Id', 'DomainName', 'OriginPath', 'OriginCustomHeaders', 'OriginAccessControlId', 'S3OriginConfig'],
        ['CustomOriginConfig', 'VpcOriginConfig'],
    ],
    'an error response': [['ErrorCode', 'ErrorCachingMinTTL'], []],
};

/** Returns the distribution of a stack that is deployed: properties by logical id. */
export function distributionOf({ Distribution, EdgeFunction }) {
    const config = known('a distribution', Distribution.DistributionConfig);
    return {
        origins: Object.fromEntries(config.Origins.map(origin => [origin.Id, originOf(origin)])),
        behaviour: behaviourOf(config.DefaultCacheBehavior),
        errorTtls: errorTtlsOf(config.CustomErrorResponses ?? []),
        code: EdgeFunction.FunctionCode,
    };
}

function originOf(origin) {
    const { DomainName, OriginPath = '', OriginCustomHeaders = [] } = known('an origin', origin);
    return {
        url: `http://${DomainName}${OriginPath}`,
        headers: Object.fromEntries(OriginCustomHeaders.map(({ HeaderName, HeaderValue }) => [HeaderName, HeaderValue])),
        isS3: 'S3OriginConfig' in origin,
        isSigned: 'OriginAccessControlId' in origin,
    };
}

function behaviourOf(behaviour) {
    const { TargetOriginId, AllowedMethods, CachePolicyId, OriginRequestPolicyId } = known('a behaviour', behaviour);
    if (CachePolicyId !== CACHING_DISABLED) throw new Error(`the cache policy ${CachePolicyId} is not known here`);
    const policy = REQUEST_POLICIES[OriginRequestPolicyId];
    if (!policy) throw new Error(`the origin request policy ${OriginRequestPolicyId} is not known here`);
    const associations = behaviour.FunctionAssociations ?? [];
    const other = associations.find(({ FunctionARN }) => FunctionARN !== 'EdgeFunction.FunctionARN');
    if (other) throw new Error(`the function ${other.FunctionARN} is not known here`);
    return {
        originId: TargetOriginId,
        methods: AllowedMethods ?? METHODS_BY_DEFAULT,
        keepsHost: policy.keepsHost,
        eventTypes: associations.map(({ EventType }) => EventType),
    };
}

/** Returns how long the distribution remembers an error, in seconds by status. */
export function errorTtlsOf(responses) {
    const ttls = Object.fromEntries(REMEMBERED_BY_DEFAULT.map(status => [status, DEFAULT_TTL_SECONDS]));
    for (const response of responses) {
        const { ErrorCode, ErrorCachingMinTTL = DEFAULT_TTL_SECONDS } = known('an error response', response);
        ttls[ErrorCode] = ErrorCachingMinTTL;
    }
    return ttls;
}

/** What the stand-in knows nothing of would otherwise be tested nowhere. */
function known(part, properties) {
    const unknown = Object.keys(properties).find(name => !PARTS[part].flat().includes(name));
    if (unknown) throw new Error(`${unknown} of ${part} is not known here`);
    return properties;
}
