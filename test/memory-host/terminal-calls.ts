import type { LineChannel } from "../../src/host/channels.ts";
import type { Host } from "../../src/host.ts";
import type { Machine } from "./machine.ts";

/** What somebody at a terminal does, as the test wants it. */
export function terminalCalls(machine: Machine): Pick<Host, "editFile" | "talk" | "connectLines"> {
  return {
    async editFile(path) {
      const file = machine.files.get(path);
      file.bytes = new TextEncoder().encode(await machine.edit(new TextDecoder().decode(file.bytes)));
    },
    async connectLines(to): Promise<LineChannel> {
      machine.files.getSame(to.id);
      return machine.agent.connect();
    },
    async talk(to, { onOpen }) {
      machine.files.getSame(to.id);
      onOpen();
      await machine.duringTalk(to.id.path);
      return "left";
    },
  };
}
