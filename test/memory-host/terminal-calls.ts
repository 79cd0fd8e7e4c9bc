import type { LineChannel } from "../../src/host/channels.ts";
import type { Host } from "../../src/host/host.ts";
import type { Machine } from "./machine.ts";

/** Time for one line, and longest time that a test waits for a line that does not come. */
const [LINE_MS, SILENCE_MS] = [1, 60_000];

/** Calls to a user at a terminal and to a guest's agent, as configured by the test. */
export function terminalCalls(
  machine: Machine,
): Pick<Host, "editFile" | "deferSignals" | "talk" | "connectLines" | "openCaller" | "openConsole"> {
  return {
    async editFile(path) {
      const file = machine.files.get(path);
      file.bytes = new TextEncoder().encode(await machine.edit(new TextDecoder().decode(file.bytes)));
    },
    async deferSignals(work) {
      machine.defersSignals = true;
      try {
        return await work();
      } finally {
        machine.defersSignals = false;
      }
    },
    async openCaller() {
      return machine.caller;
    },
    async openConsole(to, { onAsked }) {
      machine.files.getSame(to.id);
      return machine.openConsole(to.id.path, onAsked);
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
      if (!("port" in to)) machine.files.getSame(to.id);
      onOpen();
      await machine.duringTalk("port" in to ? `${to.address}:${to.port}` : to.id.path);
      return "left";
    },
  };
}
