import { expect } from "bun:test";
import { join } from "node:path";
import { uuidOf } from "../harness/names.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear } from "./client.ts";
import { expectNothingLeft, POOL, REMOVE } from "./facts.ts";
import { looksAtLife, runWithLooks } from "./looks.ts";

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const PYTHON = new URL("life.py", import.meta.url).pathname;
const GO = new URL("go-libvirt/build", import.meta.url).pathname;

/**
 * virDomainEventType and its details: defined (added), resumed (unpaused), started (booted), defined
 * (updated, by the snapshot), suspended (paused), shutdown (by the host), stopped (saved), started
 * (restored), resumed (from a saved state), suspended (paused), resumed (unpaused), shutdown (by the host),
 * stopped (destroyed), undefined (removed). libvirt-domain.h; in the order of libvirtd 11.3.0
 */
const EVENTS = "0.0 4.0 2.0 0.1 3.0 6.2 5.4 2.2 4.2 3.0 4.0 6.2 5.1 1.0";

/** Runs a program for the whole life of the guest of that name, which it gives that UUID. */
async function live(name: string, program: readonly string[]): Promise<void> {
  await onNode(REMOVE);
  const words = [...program, uuidOf(name), POOL, join(client.folder, "guest")];
  expect(await runWithLooks(client, words, looksAtLife(name))).toEqual([EVENTS]);
  await expectNothingLeft([uuidOf(name)]);
}

onTheNode(
  "python3-libvirt: the life of a confined guest, whose events arrive, and which leaves nothing",
  () => live("life-python", ["/usr/bin/python3", PYTHON]),
  { timeoutMs: LIFE_MS },
);

onTheNode(
  "go-libvirt: the life of a confined guest, whose events arrive, and which leaves nothing",
  async () => {
    const built = Bun.spawnSync([GO], { stderr: "inherit" });
    expect(built.exitCode).toBe(0);
    await live("life-go", [join(built.stdout.toString().trim(), "life"), "node"]);
  },
  { timeoutMs: LIFE_MS },
);
