// An echo with npm's ws: `node ws-echo.js [--no-context-takeover]`. Prints where it listens.
const { WebSocketServer } = require("ws");

const alone = process.argv.includes("--no-context-takeover");
const perMessageDeflate = {
  serverNoContextTakeover: alone,
  clientNoContextTakeover: alone,
  threshold: 0,
};
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: 1024, perMessageDeflate });
server.on("listening", () => console.log(`127.0.0.1:${server.address().port}`));
server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
});
