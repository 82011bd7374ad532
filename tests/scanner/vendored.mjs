// Lets the scanner's modules find what the server serves beside them: `./static/…` is web/static. For node --import.

import { registerHooks } from "node:module";

const SCANNER = new URL("../../src/motma/scanner/", import.meta.url).href;
const STATIC = new URL("../../src/motma/web/static/", import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const isTheirs = context.parentURL?.startsWith(SCANNER) && specifier.startsWith("./static/");
    return next(isTheirs ? STATIC + specifier.slice("./static/".length) : specifier, context);
  },
});
