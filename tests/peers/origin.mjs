// Origins in Node, each on a port of its own that it prints: HTTP, and ws that sends each message back.
// origin.mjs DIRECTORY-OF-WS
import http from "node:http";
import { createRequire } from "node:module";

const { WebSocketServer } = createRequire(`${process.argv[2]}/`)("ws");
const server = http.createServer((request, answer) => {
  switch (request.url) {
    case "/echo":
      request.pipe(answer);
      break;
    case "/hints":
      answer.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => answer.end("hinted"));
      break;
    case "/none":
      answer.writeHead(204).end();
      break;
    case "/trailers":
      answer.writeHead(200, { trailer: "sum" });
      answer.write("first, ");
      answer.addTrailers({ sum: "7" });
      answer.end("second");
      break;
    case "/last":
      answer.writeHead(200, { connection: "close" }).end("last");
      break;
    default:
      answer.writeHead(404, { "content-type": "text/plain" }).end("no such thing");
  }
});
new WebSocketServer({ server, perMessageDeflate: true }).on("connection", (socket) => {
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.address().port}`));
