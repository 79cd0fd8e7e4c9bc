import { type Client, flood, pour } from "./pour.ts";

/** QEMU of a compromised guest. It listens at the path and misbehaves as its second argument says. */
const [, , path = "", behaviour = "early"] = process.argv;
const say = (message: object): string => `${JSON.stringify(message)}\n`;
const GREETING = say({ QMP: { version: {}, capabilities: [] } });
const EVENT = say({ event: "NIC_RX_FILTER_CHANGED", data: { name: "n".repeat(200) } });
const LATE_MS = 200;

/** Behaviour on a connection and on a command. */
const BEHAVIOURS: Readonly<
  Record<string, { open(client: Client): void; asked(client: Client, id: number): void }>
> = {
  answers: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void client.write(say({ return: "asked", id })),
  },
  // Answers before any command is sent.
  early: {
    open: (client) =>
      void client.write(GREETING + [1, 2, 3].map((id) => say({ return: "early", id })).join("")),
    asked: (client, id) => void client.write(say({ return: "asked", id })),
  },
  // An empty line is no message.
  "blank-lines": {
    open: (client) => void client.write(`\n\n${GREETING}\n`),
    asked: (client, id) => void client.write(`\n${say({ return: "asked", id })}`),
  },
  refuses: {
    open: (client) => void client.write(GREETING),
    asked: (client, id) => void client.write(say({ error: { class: "GenericError", desc: "not now" }, id })),
  },
  // The guest rejects the removal of one device and releases another, and the answer comes last.
  "rejects-removal": {
    open: (client) => void client.write(GREETING),
    asked: (client, id) =>
      void client.write(
        say({
          event: "DEVICE_UNPLUG_GUEST_ERROR",
          data: { device: "one", path: "/machine/peripheral/one" },
        }) +
          say({ event: "DEVICE_DELETED", data: { device: "two", path: "/machine/peripheral/two" } }) +
          say({ return: {}, id }),
      ),
  },
  mute: { open: () => undefined, asked: () => undefined },
  "mute-after-greeting": { open: (client) => void client.write(GREETING), asked: () => undefined },
  // Each answer is in time, but all of them together are not.
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
        // All but the mute QEMUs answer the greeting.
        if (execute === "qmp_capabilities" && !behaviour.startsWith("mute"))
          socket.write(say({ return: {}, id }));
        else asked(socket, id);
      }
    },
  },
});
process.stdout.write("listens\n");
