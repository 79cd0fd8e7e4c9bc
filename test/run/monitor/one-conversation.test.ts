import { describe, expect, test } from "bun:test";
import type { Host } from "../../../src/host/host.ts";
import type { Monitor } from "../../../src/host/monitor.ts";
import { withMonitorSocket } from "../../../src/run/monitor/converse.ts";
import { inOneConversation } from "../../../src/run/monitor/one-conversation.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";

/** Returns a host whose QEMUs log in `told`, in order, all calls that they receive. */
function hostThatTells(): { host: Host; told: string[] } {
  const told: string[] = [];
  const connect = (path: string): Monitor => {
    told.push(`${path} greets`);
    return {
      allow: (timeoutMs) => void told.push(`${path} has ${timeoutMs} ms`),
      execute: async (command) => void told.push(`${path} hears ${command}`),
      handOver: async () => undefined,
      passTap: async () => undefined,
      handPeer: async () => undefined,
      handListener: async () => undefined,
      openPipe: () => Promise.reject(new Error("no pipe")),
      waitUntilDeleted: async () => "deleted",
      close: () => void told.push(`${path} is left`),
    };
  };
  return { told, host: { ...nodeOn(makeMachine()).host, connectMonitor: async (path) => connect(path) } };
}

async function say(host: Host, monitor: string, command: string): Promise<void> {
  await withMonitorSocket(host, { monitor, timeoutMs: 1000 }, (qemu) => qemu.execute(command));
}

describe("inOneConversation()", () => {
  test("greets a QEMU once, however often it is talked to, and leaves it at the end", async () => {
    const { host, told } = hostThatTells();
    const given = await inOneConversation(host, async (one) => {
      await say(one, "a", "stop");
      await say(one, "a", "cont");
      return "done";
    });
    expect(given).toBe("done");
    expect(told).toEqual(["a greets", "a hears stop", "a has 1000 ms", "a hears cont", "a is left"]);
  });

  test("leaves it when the work fails", async () => {
    const { host, told } = hostThatTells();
    const work = inOneConversation(host, async (one) => {
      await say(one, "a", "stop");
      throw new Error("another step failed");
    });
    await expect(work).rejects.toThrow("another step failed");
    expect(told).toEqual(["a greets", "a hears stop", "a is left"]);
  });

  test("leaves one QEMU before it greets another, and none that it never talked to", async () => {
    const { host, told } = hostThatTells();
    await inOneConversation(host, async (one) => {
      await say(one, "a", "stop");
      await say(one, "b", "cont");
    });
    expect(told).toEqual(["a greets", "a hears stop", "a is left", "b greets", "b hears cont", "b is left"]);
    told.length = 0;
    await inOneConversation(host, async () => undefined);
    expect(told).toEqual([]);
  });
});
