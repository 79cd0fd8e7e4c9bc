import { afterAll, beforeAll, expect, test } from "bun:test";
import { newDenials } from "../harness/denials.ts";
import type { Notes } from "../harness/notes.ts";
import { node, onNode, prepare, tearDown } from "../harness/on-the-node.ts";
import { PROGRAMS, putPrograms } from "../programs/on-the-node.ts";

/** Two nodes that are up, by their names: scripts/test names both. */
const NAMES = [process.env["SVIRT_NODE"], process.env["SVIRT_OTHER_NODE"]] as const;
/** What messages call them. */
export const HOSTS = ["svirt-a", "svirt-b"] as const;

/** One of two nodes. */
export interface PairedNode {
  /** What messages call it. */
  readonly host: string;
  /** Runs a script with the functions of lib.sh and `tool`, and gives what it noted. Throws when it fails. */
  run(script: string): Promise<Notes>;
  /** Takes its power away. */
  powerOff(): Promise<void>;
  /** Gives it power with the disks that it had, and waits until it is up. */
  powerOn(): Promise<void>;
  /** A port of this machine's that leads to one of the node's. */
  forward(port: number): Promise<number>;
}

/** As bun's `test` with the two nodes; it fails, too, when svirt or a guest was denied something on one of them. */
type PairTest = (title: string, body: (a: PairedNode, b: PairedNode) => Promise<void>) => void;

/** `test` for a file that needs two nodes, which are prepared before the first test and left as they were. */
export async function onTwoNodes(): Promise<PairTest> {
  const [first = "", second = ""] = NAMES;
  const areUp = first !== "" && second !== "" && (await isUp(first)) && (await isUp(second));
  const names = areUp ? [first, second] : [];
  const [a, b] = [pairedNode(first, HOSTS[0]), pairedNode(second, HOSTS[1])];
  beforeAll(async () => {
    await Promise.all(
      names.map(async (name, at) => {
        await prepare(name);
        await putPrograms(name);
        await setHostName(name, HOSTS[at] ?? "");
        await newDenials(name);
      }),
    );
  });
  afterAll(async () => {
    await Promise.all(
      names.map(async (name) => {
        await tearDown(name);
        await setHostName(name, "svirt-node");
      }),
    );
  });
  return (title, body) =>
    test.skipIf(!areUp)(
      title,
      async () => {
        await body(a, b);
        await Promise.all(names.map(expectNoDenials));
      },
      TIMEOUT_MS,
    );
}

/** A node boots once or twice meanwhile. */
const TIMEOUT_MS = 600_000;

function pairedNode(name: string, host: string): PairedNode {
  return {
    host,
    run: async (script) => await onNode(`${PROGRAMS}\n${script}`, name),
    forward: async (port) => Number(await node(["forward", String(port)], "", name)),
    async powerOff() {
      // The kernel's log goes with the power.
      await expectNoDenials(name);
      await node(["stop"], "", name);
    },
    async powerOn() {
      await node(["start", "--as-left"], "", name);
      await setHostName(name, host);
    },
  };
}

async function expectNoDenials(name: string): Promise<void> {
  expect([name, await newDenials(name)]).toEqual([name, []]);
}

/** The kernel's name of the node, which marks have beside the machine's id. */
async function setHostName(name: string, host: string): Promise<void> {
  await node(["ssh", `hostname ${host}`], "", name);
}

async function isUp(name: string): Promise<boolean> {
  return await node(["ssh", "true"], "", name).then(
    () => true,
    () => false,
  );
}
