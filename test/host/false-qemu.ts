/** A QEMU's monitor that somebody has taken over: it has answers ready to what it was not asked yet. */
const [, , path = ""] = process.argv;
const say = (message: object): string => `${JSON.stringify(message)}\n`;

Bun.listen({
  unix: path,
  socket: {
    open(socket) {
      const early = [1, 2, 3].map((id) => say({ return: "early", id }));
      socket.write([say({ QMP: { version: {}, capabilities: [] } }), ...early].join(""));
    },
    data(socket, bytes) {
      for (const line of bytes.toString().trim().split("\n")) {
        const { id }: { readonly id: number } = JSON.parse(line);
        socket.write(say({ return: "asked", id }));
      }
    },
  },
});
process.stdout.write("listens\n");
