// Runs the edge's function as CloudFront does: one script, one handler, the built-in modules and nothing else.
import crypto from 'node:crypto';
import vm from 'node:vm';

const IMPORT = /^import cf from 'cloudfront';/;

/**
 * Loads the function.
 *
 * `settings` replaces values of its settings block. `originIds` are the origins of the distribution; to select another
 * is an error, as it is on CloudFront. `targetOriginId` is the one that serves what selects none.
 */
export function loadFunction(source, settings = {}, originIds = ['api', 's3', 'relay'], targetOriginId = 'api') {
    if (!IMPORT.test(source)) throw new Error("the function does not begin with: import cf from 'cloudfront';");
    const selected = {};
    const context = vm.createContext(globals(selected, originIds), { codeGeneration: { strings: false, wasm: false } });
    vm.runInContext(source.replace(IMPORT, "'use strict';"), context, { filename: 'function.js' });
    Object.assign(vm.runInContext('settings', context), settings);
    const handler = vm.runInContext('handler', context);
    return event => {
        selected.originId = targetOriginId;
        const result = handler(plain(event));
        return { result: plain(result), originId: selected.originId };
    };
}

function globals(selected, originIds) {
    const selectRequestOriginById = originId => {
        if (!originIds.includes(originId)) throw new Error(`the distribution has no origin ${originId}`);
        selected.originId = originId;
    };
    const require = name => {
        if (name !== 'crypto') throw new Error(`the runtime has no module ${name}`);
        return { createHmac: crypto.createHmac };
    };
    return { cf: { selectRequestOriginById }, require };
}

/** Events and results are JSON: whatever is not does not get through. */
function plain(value) {
    return JSON.parse(JSON.stringify(value));
}
