import { type Client, flood, pour } from "./pour.ts";

/** QEMUs that somebody has taken over, one for each word that it is called with: it listens at the path and misbehaves. */
const [, , path = "", behaviour = "early"] = process.argv;
const say = (message: object): string => `${JSON.stringify(message)}\n`;
const GREETING = say({ QMP: { version: {}, capabilities: [] } });
const EVENT = say({ event: "NIC_RX_FILTER_CHANGED", data: { name: "n".repeat(200) } });
const LATE_MS = 200;

/** What it does when somebody connects, and when it is asked. */
const BEHAVIOURS: Readonly<
  Record<string, { open(client: Client): void; asked(client: Client, id: number): void }>
> = {
  answers: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void client.write(say({ return: "asked", id })),
  },
  // Answers to what it was not asked yet.
  early: {
    open: (client) =>
      void client.write(GREETING + [1, 2, 3].map((id) => say({ return: "early", id })).join("")),
    asked: (client, id) => void client.write(say({ return: "asked", id })),
  },
  // Nothing between two line breaks is no message.
  "blank-lines": {
    open: (client) => void client.write(`\n\n${GREETING}\n`),
    asked: (client, id) => void client.write(`\n${say({ return: "asked", id })}`),
  },
  refuses: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void client.write(say({ error: { class: "GenericError", desc: "not now" }, id })),
  },
  mute: { open: () => undefined, asked: () => undefined },
  "mute-after-greeting": { open: (client) => void client.write(GREETING), asked: () => undefined },
  // Each answer in time, all of them together not.
  late: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void setTimeout(() => client.write(say({ return: "asked", id })), LATE_MS),
  },
  "wrong-id": {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void client.write(say({ return: "asked", id: id + 1 })),
  },
  drips: {
    open: (client) => void client.write(GREETING),
    asked: (client) => void setInterval(() => client.write(" "), 10),
  },
  floods: { open: (client) => void client.write(GREETING), asked: (client) => flood(client, EVENT) },
  endless: {
    open: (client) => void client.write(GREETING),
    asked: (client) => flood(client, "x".repeat(1000)),
  },
  nested: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => pour(client, `{"id":${id},"return":${"[".repeat(1_000_000)}\n`),
  },
};

const { asked, open } = BEHAVIOURS[behaviour] ?? { open: () => undefined, asked: () => undefined };
Bun.listen({
  unix: path,
  socket: {
    open,
    data(socket, bytes) {
      for (const line of bytes.toString().trim().split("\n")) {
        const { execute, id }: { readonly execute: string; readonly id: number } = JSON.parse(line);
        // All but the mute ones and those that speak early let themselves be greeted.
        if (execute === "qmp_capabilities" && !behaviour.startsWith("mute"))
          socket.write(say({ return: {}, id }));
        else asked(socket, id);
      }
    },
  },
});
process.stdout.write("listens\n");
