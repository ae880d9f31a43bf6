// What the tests of the stand-in share: origins that can be told what to answer, and the stand-in as a process.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const STAND_IN = fileURLToPath(new URL('stand-in.mjs', import.meta.url));
const TEMPLATE = fileURLToPath(new URL('../../../infra/edge.yaml', import.meta.url));
/** What CloudFormation knows, and no test has reason to change. */
const VALUES = {
    'AWS::StackId': 'arn:aws:cloudformation:eu-west-1:1:stack/edge/0',
    ApiDomainName: 'api.example.com', BucketRegionalDomainName: 's3.example.com',
    EdgeKeySecretArn: 'edge-key', '{{resolve:secretsmanager:edge-key}}': 'the-key',
    CapabilityKeySecretArn: 'capability-key', '{{resolve:secretsmanager:capability-key}}': 'k',
};

/** Starts an origin; `answer` gets node's request and response. It remembers the requests. */
export async function startOrigin(t, answer = (incoming, outgoing) => drain(incoming, outgoing, 200)) {
    const origin = { requests: [] };
    const server = http.createServer((incoming, outgoing) => {
        origin.requests.push({ method: incoming.method, url: incoming.url, headers: incoming.headers });
        answer(incoming, outgoing);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => { server.closeAllConnections(); server.close(); });
    origin.url = `http://127.0.0.1:${server.address().port}`;
    return origin;
}

/** Reads a request to its end and answers it. */
export function drain(incoming, outgoing, statusCode, headers = {}, body = '') {
    incoming.resume();
    incoming.on('end', () => outgoing.writeHead(statusCode, headers).end(body));
}

/** Returns the resources of infra/edge.yaml with these parameters, as they are deployed. */
export function deployed(parameters = {}) {
    const pairs = Object.entries({ ...VALUES, ...parameters }).map(([name, value]) => `${name}=${value}`);
    return JSON.parse(execFileSync(process.env.DEPLOYED, [TEMPLATE, ...pairs], { encoding: 'utf8' }));
}

/** Starts the stand-in with a stack and returns its URL and a reader of its counts. */
export async function startEdge(t, stack, flags) {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-edge-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'stack.json'), JSON.stringify(stack));
    flags = { stack: join(folder, 'stack.json'), ...flags };
    const args = Object.entries(flags).map(([name, value]) => (value === true ? `--${name}` : `--${name}=${value}`));
    const child = spawn(process.execPath, [STAND_IN, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => child.kill());
    const addresses = {};
    for await (const line of createInterface({ input: child.stdout })) {
        const [name, url] = line.split(' ');
        addresses[name] = url;
        if (name === 'control') break;
    }
    const counts = async () => (await fetch(`${addresses.control}/__edge/counts`)).json();
    return { url: addresses.listening, counts, pid: child.pid };
}

/** Sends one request; `body` may be text, or a function that gets the request and ends it. */
export async function send(url, { method = 'GET', headers = {}, body } = {}) {
    const sent = http.request(url, { method, headers, agent: false });
    if (typeof body === 'function') body(sent);
    else sent.end(body);
    const [received] = await once(sent, 'response');
    const chunks = [];
    for await (const chunk of received) chunks.push(chunk);
    return { status: received.statusCode, headers: received.headers, text: Buffer.concat(chunks).toString() };
}
