// The engine in a worker of this page: requests and answers as messages.

const worker = new Worker("worker.js", { type: "module" });
const waiting = new Map();
let next = 0;

worker.onmessage = ({ data: { id, answer } }) => {
  waiting.get(id)?.resolve(JSON.parse(answer));
  waiting.delete(id);
};
worker.onerror = (event) => {
  for (const { reject } of waiting.values()) reject(new Error(event.message ?? "the worker failed"));
  waiting.clear();
};

export function send(request) {
  const id = next++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, request: JSON.stringify(request) });
  });
}
