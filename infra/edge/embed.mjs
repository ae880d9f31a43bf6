// Puts function.js into ../edge.yaml. `node embed.mjs` writes, `node embed.mjs --check` only compares.
//
// The function's settings come from the stack: every line of its settings block becomes one with a !Sub variable.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FUNCTION_PATH = fileURLToPath(new URL('function.js', import.meta.url));
const TEMPLATE_PATH = fileURLToPath(new URL('../edge.yaml', import.meta.url));

/** What CloudFormation puts for each setting; `Relay` and `CapabilityKey` are made in the template. */
export const SUBSTITUTED_SETTINGS = {
    uploads: "'${Uploads}'",
    relay: '${Relay}',
    inlineBytesMax: '${InlineBytesMax}',
    directBytesMax: '5368709120',
    uploadsPath: "'/uploads/'",
    capabilityKey: "'${CapabilityKey}'",
};

/** The settings block with its first and its last line. */
const SETTINGS = /^const settings = \{\n[^}]*\};$/m;
/** The text of `FunctionCode` up to its variables, without the indentation of its first line. */
const FUNCTION_CODE = /(?<=^ {6}FunctionCode: !Sub\n {8}- \|\n)(?:(?: {10}.*)?\n)*(?= {8}- )/m;

/** Returns the function with other settings: JavaScript source by name. */
export function withSettings(source, settings) {
    if (!SETTINGS.test(source)) throw new Error('function.js has no settings block');
    const lines = Object.entries(settings).map(([name, value]) => `    ${name}: ${value},\n`);
    return source.replace(SETTINGS, () => `const settings = {\n${lines.join('')}};`);
}

/** Returns the template with the function in it. */
export function embed(template, source) {
    if (source.includes('${')) throw new Error('function.js: !Sub would replace ${…}; use + instead');
    if (!FUNCTION_CODE.test(template)) throw new Error('edge.yaml has no FunctionCode block');
    const code = withSettings(source, SUBSTITUTED_SETTINGS);
    return template.replace(FUNCTION_CODE, () => code.replace(/^(?=.)/gm, ' '.repeat(10)));
}

function main() {
    const template = readFileSync(TEMPLATE_PATH, 'utf8');
    const wanted = embed(template, readFileSync(FUNCTION_PATH, 'utf8'));
    if (!process.argv.includes('--check')) {
        writeFileSync(TEMPLATE_PATH, wanted);
    } else if (template !== wanted) {
        console.error('infra/edge.yaml does not hold infra/edge/function.js: run node infra/edge/embed.mjs');
        process.exitCode = 1;
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
