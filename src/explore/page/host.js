// Asks the engine, wherever it is: behind a server, or in a worker of this page.
import { host } from "./config.js";

export class Failure extends Error {}

const send = host === "worker" ? (await import("./worker-host.js")).send : post;

async function post(request) {
  const response = await fetch("api", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  if (!response.ok) throw new Failure(`the server answers ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Sends a request and returns its answer; throws a Failure if it cannot be answered. */
export async function ask(request) {
  const answer = await send(request);
  if (answer.answer === "failed") throw new Failure(answer.error);
  return answer;
}

/** Bytes as base64. */
export function encode(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Base64 as bytes. */
export function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

/** Base64 as 32 bit numbers. */
export function numbers(base64) {
  return new Float32Array(bytes(base64).buffer);
}
