// zxing in a worker. Its .wasm comes from our own server: the library's default is a CDN.

import { prepareZXingModule, readBarcodes } from "./static/vendor/zxing-wasm/reader/index.js";

const HOME = new URL("./static/vendor/zxing-wasm/reader/", import.meta.url);

prepareZXingModule({ overrides: { locateFile: (name) => new URL(name, HOME).href }, fireImmediately: true }).catch(
  () => {}, // told again, to whoever asks, by the first read
);

const QR = { formats: ["QRCode"], maxNumberOfSymbols: 1, textMode: "Plain" };
const QUICK = { ...QR, tryHarder: false, tryRotate: false, tryInvert: false };

// Most frames hold no code or an easy one. The hard look (bad light, inverted, far away) costs several times
// as much and gets every fourth frame.
let frame = 0;

self.onmessage = async ({ data: { id, image, width, thorough } }) => {
  const picture = new ImageData(new Uint8ClampedArray(image), width);
  const options = thorough || ++frame % 4 === 0 ? QR : QUICK;
  try {
    const [found] = await readBarcodes(picture, options);
    self.postMessage({ id, text: found?.isValid ? found.text : null });
  } catch (error) {
    self.postMessage({ id, error: String(error) });
  }
};
