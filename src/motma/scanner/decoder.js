// Pictures in, the text of a QR out. The browser's own reader where it knows QR, else zxing in a worker, so that
// the page never freezes.

const CAMERA_MAX_PIXELS = 1024; // on the longer side: enough for a code that fills a third of the frame
const PICTURE_MAX_PIXELS = 2400;

/** A decoder: `name`, `read(source, region, { thorough })` -> text or null. Throws when it does not work at all. */
export async function makeDecoder() {
  return (await nativeDecoder()) ?? workerDecoder();
}

async function nativeDecoder() {
  try {
    const formats = await globalThis.BarcodeDetector?.getSupportedFormats();
    if (!formats?.includes("qr_code")) return null;
    const detector = new globalThis.BarcodeDetector({ formats: ["qr_code"] });
    return { name: "native", read: async (source) => (await detector.detect(source))[0]?.rawValue ?? null };
  } catch {
    return null; // some phones have the name and not the thing
  }
}

function workerDecoder() {
  const worker = new Worker(new URL("decoder-worker.js", import.meta.url), { type: "module" });
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const waiting = new Map();
  let number = 0;
  let broken = null;

  worker.onmessage = ({ data: { id, text, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error) reject(new Error(error));
    else resolve(text);
  };
  worker.onerror = (event) => {
    broken = new Error(event.message || "the decoder did not load");
    for (const { reject } of waiting.values()) reject(broken);
    waiting.clear();
  };

  async function read(source, region, { thorough = false } = {}) {
    if (broken) throw broken;
    const scale = Math.min(1, (thorough ? PICTURE_MAX_PIXELS : CAMERA_MAX_PIXELS) / Math.max(region.width, region.height));
    canvas.width = Math.round(region.width * scale);
    canvas.height = Math.round(region.height * scale);
    pen.drawImage(source, region.x, region.y, region.width, region.height, 0, 0, canvas.width, canvas.height);
    const image = pen.getImageData(0, 0, canvas.width, canvas.height);
    const id = ++number;
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, image: image.data.buffer, width: image.width, thorough }, [image.data.buffer]);
    });
  }

  return { name: "zxing", read };
}

/** What of a `width` x `height` picture is seen in a `boxWidth` x `boxHeight` box that it covers. */
export function seenRegion(width, height, boxWidth, boxHeight) {
  if (!boxWidth || !boxHeight) return { x: 0, y: 0, width, height };
  const scale = Math.max(boxWidth / width, boxHeight / height);
  const seen = { width: Math.min(width, boxWidth / scale), height: Math.min(height, boxHeight / scale) };
  return { x: (width - seen.width) / 2, y: (height - seen.height) / 2, ...seen };
}
