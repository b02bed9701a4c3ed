// The engine in a worker: the page stays responsive while it computes.
import init, { Host } from "./burn_pooling_web.js";

const FILES = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

async function load(name) {
  const response = await fetch(`data/${name}.gz`);
  if (!response.ok) throw new Error(`data/${name}.gz: ${response.status}`);
  const packed = new Uint8Array(await response.arrayBuffer());
  // Some hosts send files that end in .gz with an encoding, and the browser has unpacked them.
  if (packed[0] !== 0x1f || packed[1] !== 0x8b) return packed;
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const ready = (async () => {
  const [files] = await Promise.all([Promise.all(FILES.map(load)), init()]);
  return new Host(...files);
})();

self.onmessage = async ({ data: { id, request } }) => {
  try {
    const host = await ready;
    self.postMessage({ id, answer: host.answer(request) });
  } catch (error) {
    self.postMessage({ id, answer: JSON.stringify({ answer: "failed", error: `${error.message ?? error}; reload the page` }) });
  }
};
