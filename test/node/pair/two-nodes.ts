import { afterAll, beforeAll, expect, test } from "bun:test";
import { newDenials } from "../harness/denials.ts";
import type { Notes } from "../harness/notes.ts";
import { node, onNode, prepare, tearDown } from "../harness/on-the-node.ts";
import { PROGRAMS, putPrograms } from "../programs/on-the-node.ts";

/** Names of two running nodes, set by scripts/test. */
const NAMES = [process.env["SVIRT_NODE"], process.env["SVIRT_OTHER_NODE"]] as const;
/** Host names of the nodes, as in messages. */
export const HOSTS = ["svirt-a", "svirt-b"] as const;

/** One of two nodes. */
export interface PairedNode {
  /** Host name of the node, as in messages. */
  readonly host: string;
  /** Runs a script with the functions of lib.sh and `tool`, and returns its notes. Throws if it fails. */
  run(script: string): Promise<Notes>;
  /** Cuts its power. */
  powerOff(): Promise<void>;
  /** Restores its power, with its former disks, and waits until it is up. */
  powerOn(): Promise<void>;
  /** Returns a port of this machine that leads to a port of the node. */
  forward(port: number): Promise<number>;
}

/**
 * As bun's `test` with the two nodes. It also fails if svirt or a guest was denied something on one of them.
 */
type PairTest = (title: string, body: (a: PairedNode, b: PairedNode) => Promise<void>) => void;

/**
 * Returns `test` for a file that needs two nodes. They are prepared before the first test and restored after
 * the last.
 */
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

/** Limit of a test, in which a node boots once or twice. */
const TIMEOUT_MS = 600_000;

function pairedNode(name: string, host: string): PairedNode {
  return {
    host,
    run: async (script) => await onNode(`${PROGRAMS}\n${script}`, name),
    forward: async (port) => Number(await node(["forward", String(port)], "", name)),
    async powerOff() {
      // The kernel's log is lost with the power.
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

/** Sets the node's host name in the kernel, which marks have beside the machine's ID. */
async function setHostName(name: string, host: string): Promise<void> {
  await node(["ssh", `hostname ${host}`], "", name);
}

async function isUp(name: string): Promise<boolean> {
  return await node(["ssh", "true"], "", name).then(
    () => true,
    () => false,
  );
}
