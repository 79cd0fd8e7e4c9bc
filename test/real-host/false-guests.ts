import { mkdirSync } from "node:fs";
import { guestPaths } from "../../src/plan/paths.ts";
import type { Instance } from "../../src/state/instance.ts";
import { writeRecord } from "../../src/state/record.ts";
import { givenNode } from "./given-node.ts";

const AGENT = "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>";

/**
 * A guest of a test: the behaviour of its QEMU (false-qemu.ts), and the arguments of its agent
 * (false-agent.ts).
 */
export interface FalseGuest {
  readonly qemu: string;
  readonly agent?: readonly string[];
}

/** Returns the svirt instance of false guests in a folder. */
export function falseNode(folder: string): Instance {
  return givenNode(folder, "s0-s0:c0.c1023");
}

/**
 * Starts guests vm1, vm2 and so on, recorded as running, in a folder. Returns the function that ends them.
 */
export async function startFalseGuests(
  folder: string,
  guests: readonly FalseGuest[],
): Promise<() => Promise<void>> {
  const instance = falseNode(folder);
  const started: Bun.Subprocess<"ignore", "pipe", "inherit">[] = [];
  const start = async (program: string, ...words: readonly string[]): Promise<number> => {
    const command = [process.execPath, `${import.meta.dir}/${program}`, ...words];
    const child = Bun.spawn(command, { stdout: "pipe", stderr: "inherit" });
    started.push(child);
    await child.stdout.getReader().read();
    return child.pid;
  };
  for (const [at, { agent, qemu }] of guests.entries()) {
    const uuid = crypto.randomUUID();
    const paths = guestPaths(instance.paths, uuid);
    mkdirSync(paths.workFolder, { recursive: true });
    const pid = await start("false-qemu.ts", paths.monitor, qemu);
    if (agent !== undefined) await start("false-agent.ts", `${paths.workFolder}/channel0.sock`, ...agent);
    writeFalseRecord(instance, { uuid, at, pid });
  }
  return async () => {
    for (const child of started) child.kill();
    await Promise.all(started.map(({ exited }) => exited));
  };
}

/** Records a guest as running: its QEMU is that process. */
export function writeFalseRecord(
  instance: Instance,
  { at, pid, uuid }: { readonly uuid: string; readonly at: number; readonly pid: number },
): void {
  const facts = instance.host.getProcess(pid);
  if (facts === undefined) throw new Error("the false QEMU has ended");
  const name = `vm${at + 1}`;
  writeRecord(instance, {
    format: 1,
    uuid,
    name,
    id: at + 1,
    uid: facts.uid,
    bootId: instance.host.getBootId(),
    state: "running",
    startedMs: 0,
    xml:
      `<domain type='kvm'><name>${name}</name><uuid>${uuid}</uuid><memory>65536</memory><os><type>hvm</type></os>` +
      `<devices>${AGENT}</devices></domain>`,
    label: { model: "none", type: "none", relabel: false },
    enforcing: false,
    steps: [],
    process: { pid, startTicks: facts.startTicks },
    onPoweroff: "destroy",
    onCrash: "destroy",
  });
}
