// Node's fetch, its http with an agent, and ws: client.mjs ADDRESS DIRECTORY-OF-WS
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import http from "node:http";
import { createRequire } from "node:module";

const [address, modules] = process.argv.slice(2);
const base = `http://${address}`;
const WebSocket = createRequire(`${modules}/`)("ws");
const large = randomBytes(3_000_000);
const bytes = async (answer) => Buffer.from(await answer.arrayBuffer());
const post = (body, path = "/echo") => fetch(base + path, { method: "POST", body, duplex: "half" });

assert.equal(await (await fetch(`${base}/hello?50%`)).text(), "hello");
assert.equal((await fetch(`${base}/none`)).status, 404);
assert.equal((await post("unread", "/hello")).status, 405);
assert.ok((await bytes(await post(large))).equals(large));
const pieces = new ReadableStream({
  start(controller) {
    for (let at = 0; at < large.length; at += 50_000) controller.enqueue(large.subarray(at, at + 50_000));
    controller.close();
  },
});
assert.ok((await bytes(await post(pieces))).equals(large));
const many = await Promise.all([...Array(50).keys()].map(async (i) => (await post(`${i}`)).text()));
assert.deepEqual(many, [...Array(50).keys()].map(String));

// One connection: chunks that the handler does not read, and Expect.
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const sockets = new Set();
const ask = (method, path, headers, body) =>
  new Promise((done, failed) => {
    const request = http.request(base + path, { method, headers, agent }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done({ status: answer.statusCode, body: Buffer.concat(parts) }));
      answer.on("error", failed);
    });
    request.on("socket", (socket) => sockets.add(socket));
    request.on("error", failed);
    if (headers.expect) {
      request.flushHeaders();
      request.on("continue", () => request.end(body));
    } else {
      request.end(body);
    }
  });
assert.equal((await ask("GET", "/hello", {})).body.toString(), "hello");
assert.equal((await ask("POST", "/hello", { "transfer-encoding": "chunked" }, "unread")).status, 405);
assert.equal((await ask("GET", "/hello", {})).body.toString(), "hello");
assert.ok((await ask("POST", "/echo", { expect: "100-continue", "content-length": large.length }, large)).body.equals(large));
assert.equal(sockets.size, 1);
agent.destroy();

for (const perMessageDeflate of [false, true]) {
  const socket = new WebSocket(`ws://${address}/ws`, { perMessageDeflate });
  await new Promise((done, failed) => socket.on("open", done).on("error", failed));
  for (const message of ["", "hello", "\u4e2d".repeat(30_000), large]) {
    socket.send(message);
    const [data, isBinary] = await new Promise((done) => socket.once("message", (...got) => done(got)));
    assert.equal(isBinary, typeof message !== "string");
    assert.ok(data.equals(Buffer.from(message)));
  }
  const closed = new Promise((done) => socket.on("close", done));
  socket.close(1000);
  assert.equal(await closed, 1000);
}
