import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { uuidOf } from "../harness/names.ts";
import { onNode } from "../harness/on-the-node.ts";
import { SeenEvents } from "../harness/seen-events.ts";
import { type Client, LIFE_MS, start, virsh } from "./client.ts";
import {
  expectBack,
  expectConfined,
  expectNothingLeft,
  type Labels,
  labelsOf,
  POOL,
  REMOVE,
} from "./facts.ts";
import { makeNetwork, makePool, removeStores, writeGuest } from "./stores.ts";

const NAME = "life-virsh";
const DISK = `${POOL}/guest.img`;
const EXTRA = `${POOL}/extra.img`;
const OVERLAY = `${POOL}/overlay.qcow2`;
const SAVED = "/srv/lifecycle/saved";

const WATCH = ["event", "--domain", NAME, "--event", "lifecycle", "--loop"];
/**
 * What a client is told of it, after the definition; the updates are by the new size, the snapshot and the
 * commit.
 */
const EVENTS = [
  ...["Resumed Unpaused", "Started Booted"],
  ...["Defined Updated", "Defined Updated", "Defined Updated"],
  ...["Suspended Paused", "Resumed Unpaused"],
  ...["Suspended Paused", "Shutdown Finished after host request", "Stopped Saved"],
  ...["Started Restored", "Resumed Snapshot"],
  ...["Suspended Paused", "Shutdown Finished after host request", "Stopped Saved"],
  ...["Started Restored", "Resumed Snapshot"],
  ...["Shutdown Finished after host request", "Stopped Destroyed"],
  ...["Resumed Unpaused", "Started Booted"],
  ...["Shutdown Finished after host request", "Stopped Destroyed"],
  "Undefined Removed",
];

/** Runs each part of a guest's life by stock virsh, and looks at the node's kernel meanwhile. */
export async function liveByVirsh(client: Client): Promise<void> {
  await onNode(REMOVE);
  await makePool(client, { "guest.img": "guest", "extra.img": "guest" });
  await makeNetwork(client);
  const labels = await labelsOf([DISK, EXTRA]);
  const watch = await watchEvents(client);
  expect(await virsh(client, `start ${NAME}`, `domstate ${NAME}`)).toContain("running");
  await expectConfined(NAME, [DISK]);
  await useConsole(client);
  await takeScreen(client);
  await plug(client, labels);
  await changeSizes(client);
  await watch.waitFor(3);
  await takeSnapshot(client, watch);
  await save(client, labels, watch);
  await clone(client, labels);
  await virsh(client, `destroy ${NAME}`);
  await expectBack(labels);
  await virsh(client, `undefine ${NAME} --remove-all-storage`);
  expect(await watch.end()).toEqual(EVENTS);
  expect(await virsh(client, "vol-list life-pool")).not.toContain("guest.img");
  await removeStores(client, ["extra.img"]);
  await expectNothingLeft([uuidOf(NAME)]);
}

/** A client that is registered for the events of the defined domain. */
interface Watch {
  /**
   * Waits for that many of EVENTS: of two changes in quick succession a client may be told of the last alone.
   */
  readonly waitFor: (count: number) => Promise<void>;
  /** Returns the events, once the domain is undefined. */
  readonly end: () => Promise<string[]>;
}

/** Defines the domain and registers for its events. */
async function watchEvents(client: Client): Promise<Watch> {
  const file = writeGuest(client, NAME);
  await virsh(client, `define ${file}`);
  const child = start(client, ["stdbuf", "-oL", "virsh", ...WATCH], LIFE_MS);
  const seen = new SeenEvents(child.stdout);
  // The first event shows that the client is registered.
  for (let tries = 0; tries < 30 && seen.of(NAME).length === 0; tries += 1) {
    await virsh(client, `define ${file}`);
    await seen.has(NAME, 1, 2000);
  }
  // Events of these definitions may still arrive.
  const life = (): string[] => {
    const all = seen.of(NAME);
    const start = all.findIndex((event) => !event.startsWith("Defined "));
    return start === -1 ? [] : all.slice(start);
  };
  return {
    waitFor: async (count) => {
      await seen.until(() => life().length >= count);
      expect(life()).toEqual(EVENTS.slice(0, count));
    },
    end: async () => {
      await seen.until(() => life().length >= EVENTS.length);
      child.kill();
      await child.exited;
      return life();
    },
  };
}

/** Has the guest answer at its console: each character with the next one. */
async function useConsole(client: Client): Promise<void> {
  const child = start(client, ["script", "-qec", `virsh console ${NAME}`, "/dev/null"]);
  const decoder = new TextDecoder();
  let text = "";
  // The guest may not read yet.
  const typing = setInterval(() => {
    // Before, virsh may say that there is no polkit, in a word with a z.
    const [, shown] = text.split("Escape character is");
    if (shown !== undefined) child.stdin.write(shown.includes("z") ? "\x1d" : "y");
    void child.stdin.flush();
  }, 1000);
  for await (const chunk of child.stdout) text += decoder.decode(chunk, { stream: true });
  clearInterval(typing);
  expect(text).toMatch(/Escape character is[^z]*z/);
}

async function takeScreen(client: Client): Promise<void> {
  const picture = join(client.folder, "screen");
  expect(await virsh(client, `screenshot ${NAME} ${picture}`, `vncdisplay ${NAME}`)).toMatch(
    /^127\.0\.0\.1:\d+$/m,
  );
  expect(readFileSync(picture).subarray(1, 4).toString()).toBe("PNG");
}

/** Plugs a disk in, and out. A USB disk goes without the guest's help. */
async function plug(client: Client, labels: Labels): Promise<void> {
  const attach = `attach-disk ${NAME} ${EXTRA} sda --targetbus usb --subdriver raw --live`;
  expect(await virsh(client, attach, `domblklist ${NAME}`)).toMatch(/^ *sda +\S*extra\.img$/m);
  await expectConfined(NAME, [DISK, EXTRA]);
  await virsh(client, `detach-disk ${NAME} sda --live`);
  await expectBack(new Map([[EXTRA, labels.get(EXTRA) ?? ""]]));
}

async function changeSizes(client: Client): Promise<void> {
  const said = await virsh(
    client,
    ...[`blockresize ${NAME} vda 2M`, `domblkinfo ${NAME} vda`, "vol-resize extra.img 3M life-pool"],
    ...["vol-info extra.img life-pool --bytes", `setmaxmem ${NAME} 48M --config`],
  );
  expect(said).toMatch(/^Capacity: +2097152$/m);
  expect(said).toMatch(/^Capacity: +3145728 bytes$/m);
}

async function takeSnapshot(client: Client, watch: Watch): Promise<void> {
  const create = `snapshot-create-as ${NAME} before --disk-only --diskspec vda,file=${OVERLAY}`;
  const said = await virsh(client, create, `snapshot-list ${NAME} --name`, `domblklist ${NAME}`);
  expect(said).toMatch(/^before$/m);
  expect(said).toMatch(/^ *vda +\S*overlay\.qcow2$/m);
  await expectConfined(NAME, [OVERLAY]);
  await watch.waitFor(4);
  await virsh(client, `blockcommit ${NAME} vda --active --pivot --wait`);
  await expectConfined(NAME, [DISK]);
  const forget = [`snapshot-delete ${NAME} before --metadata`, "pool-refresh life-pool"];
  await virsh(client, ...forget, "vol-delete overlay.qcow2 life-pool");
}

async function save(client: Client, labels: Labels, watch: Watch): Promise<void> {
  await virsh(client, `suspend ${NAME}`);
  await watch.waitFor(6);
  await virsh(client, `resume ${NAME}`);
  await watch.waitFor(7);
  const stop = [`managedsave ${NAME}`, `domstate --reason ${NAME}`];
  expect(await virsh(client, ...stop)).toContain("shut off (saved)");
  await expectBack(labels);
  await virsh(client, `start ${NAME}`);
  await watch.waitFor(12);
  await virsh(client, `save ${NAME} ${SAVED}`);
  await expectBack(labels);
  await virsh(client, `restore ${SAVED}`);
  await expectConfined(NAME, [DISK]);
  await onNode(`rm ${SAVED}`);
}

/** Copies the disk of the guest that is off, and gives it the copy as a second one. */
async function clone(client: Client, labels: Labels): Promise<void> {
  const copy = `${POOL}/clone.img`;
  await virsh(client, `destroy ${NAME}`, "vol-clone guest.img clone.img life-pool");
  await expectBack(labels);
  const copied = await labelsOf([copy]);
  const attach = `attach-disk ${NAME} ${copy} sda --targetbus usb --subdriver raw`;
  await virsh(client, `start ${NAME}`, attach);
  await expectConfined(NAME, [DISK, copy]);
  await virsh(client, `detach-disk ${NAME} sda`);
  await expectBack(copied);
  await virsh(client, "vol-delete clone.img life-pool");
}
