import { expect } from "bun:test";
import { noteOf } from "./harness/notes.ts";
import { onANode } from "./harness/on-a-node.ts";
import { onNode } from "./harness/on-the-node.ts";
import { SeenEvents } from "./harness/seen-events.ts";
import { makeClientFolder, nodeUri, sshFor, VIRSH_MS, virsh } from "./harness/stock-virsh.ts";

// Stock virsh of this host waits for events of a node, while svirt, a guest itself and another client change
// it. A key for reading suffices.

const onTheNode = await onANode();
const folder = makeClientFolder();
const ssh = sshFor(folder, "ssh", "");
const readingSsh = sshFor(folder, "ssh-reading", "--read-only");

onTheNode(
  "virsh event on another machine prints what svirt, a guest itself and another client do",
  async () => {
    const limit = ["timeout", "-k", "1", String((8 * VIRSH_MS) / 1000)];
    const words = ["virsh", "-c", nodeUri(readingSsh), "event", "--event", "lifecycle", "--loop"];
    // Each line of its output arrives at once.
    const client = Bun.spawn([...limit, "stdbuf", "-oL", ...words], { stdin: "ignore", stdout: "pipe" });
    const seen = new SeenEvents(client.stdout);
    const step = async (script: string, count: number): Promise<void> => {
      const notes = await onNode(script);
      for (const name of notes.keys()) expect(noteOf(notes, name)).toMatchObject({ code: 0, err: "" });
      expect(await seen.has("life-events", count)).toBe(true);
    };
    // The first event shows that the client is registered.
    await onNode("copy button a.img");
    for (let tries = 0; seen.of("life-first").length === 0 && tries < 30; tries += 1) {
      await onNode("guest life-first");
      await seen.has("life-first", 1, 2000);
    }
    await step('copy button a.img; guest life-events "$(disk $here/a.img)"', 1);
    await step("note start svirt start life-events", 3);
    await step("note suspend svirt suspend life-events", 4);
    await step("note resume svirt resume life-events", 5);
    const press = "wait_pressed $(pid_of life-events) svirt shutdown life-events";
    await step(`note off ${press}; wait_gone life-events`, 7);
    expect((await virsh(ssh, "start", "life-events")).code).toBe(0);
    expect(await seen.has("life-events", 9)).toBe(true);
    await step("note destroy svirt destroy life-events", 11);
    await step("note undefine svirt undefine life-events; svirt undefine life-first", 12);
    expect(seen.of("life-events")).toEqual([
      ...["Defined Added", "Resumed Unpaused", "Started Booted", "Suspended Paused", "Resumed Unpaused"],
      ...["Shutdown Finished after guest request", "Stopped Shutdown"],
      ...["Resumed Unpaused", "Started Booted", "Shutdown Finished after host request", "Stopped Destroyed"],
      "Undefined Removed",
    ]);
    client.kill();
    await client.exited;
  },
  { timeoutMs: 10 * VIRSH_MS },
);
