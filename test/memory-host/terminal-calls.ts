import type { LineChannel } from "../../src/host/channels.ts";
import type { Host } from "../../src/host/host.ts";
import type { Machine } from "./machine.ts";

/** How long a line takes, and how long a test waits at the most for one that does not come. */
const [LINE_MS, SILENCE_MS] = [1, 60_000];

/** What somebody at a terminal does, as the test wants it. */
export function terminalCalls(machine: Machine): Pick<Host, "editFile" | "talk" | "connectLines"> {
  return {
    async editFile(path) {
      const file = machine.files.get(path);
      file.bytes = new TextEncoder().encode(await machine.edit(new TextDecoder().decode(file.bytes)));
    },
    async connectLines(to): Promise<LineChannel> {
      machine.files.getSame(to.id);
      const channel = machine.agent.connect();
      return {
        ...channel,
        async readLine(timeoutMs, mostBytes) {
          const line = await channel.readLine(timeoutMs, mostBytes);
          machine.pass(line === undefined ? Math.min(timeoutMs, SILENCE_MS) : LINE_MS);
          return line;
        },
      };
    },
    async talk(to, { onOpen }) {
      machine.files.getSame(to.id);
      onOpen();
      await machine.duringTalk(to.id.path);
      return "left";
    },
  };
}
