import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { destroyPool, startPool } from "../../../src/vm/pool/start-pool.ts";
import { recoverAll } from "../../../src/vm/recover/recover.ts";
import { uploadVolume } from "../../../src/vm/volume/content/upload-volume.ts";
import { wipeVolume } from "../../../src/vm/volume/content/wipe-volume.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { ISCSI_POOL } from "../../scenes/devices.ts";
import { hanging, machineWithBoth } from "../../scenes/hanging-server.ts";
import { makeTargetMachine } from "../../scenes/iscsi.ts";
import { NET } from "../../scenes/mounted-pools.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn, putText } from "../../scenes/scene.ts";
import { beStruck, instantsOf, type Work } from "../../scenes/strikes.ts";
import { IMAGES, makePoolMachine } from "../../scenes/volumes.ts";

const SESSION = "/sys/class/iscsi_session/session1";
const [ON_DISK, IN_RUN] = ["/var/lib/svirt/unfinished", "/run/svirt/unfinished"];
const VOLUME = { key: "private1.raw", pool: "images" };
const PATH = `${IMAGES}/private1.raw`;
const WHOLE = { offset: 0, mostBytes: undefined, isSparse: false };

const start: Work = (node) => startPool(node, "other", { isBuilt: false });
const wipe: Work = (node) => wipeVolume(node, VOLUME, "zero");
const upload = (node: ReturnType<typeof nodeOn>, part = WHOLE) =>
  uploadVolume(node, VOLUME, { file: `${IMAGES}/private2.raw`, part });

const findingsOn = async (machine: Machine): Promise<readonly string[]> =>
  (await auditNode(nodeOn(machine))).findings;
const notesOn = (machine: Machine): readonly string[] =>
  [ON_DISK, IN_RUN].flatMap((folder) => nodeOn(machine).host.listFolder(folder));

/** A machine on which work was killed within its call of this name. */
async function killedIn(call: string, prepare: () => Promise<Machine>, work: Work): Promise<Machine> {
  const counting = nodeOn(await prepare());
  await work(counting);
  const at = counting.svirt.changes.indexOf(call) + 1;
  expect((await instantsOf(prepare, work)).length).toBeGreaterThan(at);
  const machine = await prepare();
  await beStruck(machine, work, { at, moment: "within", how: "crash" });
  return machine;
}

const killedStart = (): Promise<Machine> => killedIn("runProgram", makeTargetMachine, start);
const killedWipe = (): Promise<Machine> => killedIn("wipeFile", async () => makePoolMachine(), wipe);

const WIPED = `${PATH}: 'vol-wipe' was interrupted, and the volume is written in part; repeat it, or run svirt vol-delete ${PATH}`;
const STARTED =
  "other: 'pool-start' was interrupted, and the source of the storage pool is still up; repeat it, or run svirt pool-destroy other";

describe("an audit beside a command whose work has a note", () => {
  test("is silent during an upload, whose note is on the disk until its end", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    const { fillFile } = node.host;
    const seen: unknown[] = [];
    node.host.fillFile = async (...call) => {
      seen.push(nodeOn(machine).host.listFolder(ON_DISK).length, await findingsOn(machine));
      seen.push((await runOn(machine, "audit")).code);
      await fillFile(...call);
    };
    await upload(node);
    expect([seen, notesOn(machine)]).toEqual([[1, [], 0], []]);
  });

  test("is silent during a login, whose note ends with the boot", async () => {
    const machine = await makeTargetMachine();
    const { runProgram } = machine;
    const seen: unknown[] = [];
    machine.runProgram = async (...call) => {
      const end = await runProgram(...call);
      seen.push(nodeOn(machine).host.listFolder(IN_RUN).length, await findingsOn(machine));
      return end;
    };
    await start(nodeOn(machine));
    expect([seen, notesOn(machine)]).toEqual([[1, []], []]);
  });
});

describe("a note of a killed call", () => {
  test("names a volume until it is wiped as a whole, overwritten or deleted, and not by a part", async () => {
    const ends: readonly (readonly [readonly string[], (machine: Machine) => Promise<unknown>])[] = [
      [[], (machine) => wipe(nodeOn(machine))],
      [[], (machine) => upload(nodeOn(machine))],
      [[WIPED], (machine) => upload(nodeOn(machine), { ...WHOLE, offset: 8 })],
      [[], (machine) => runOn(machine, "vol-delete", PATH)],
    ];
    for (const [left, end] of ends) {
      const machine = await killedWipe();
      expect(await findingsOn(machine)).toEqual([WIPED]);
      expect((await runOn(machine, "audit")).code).toBe(1);
      await end(machine);
      expect([await findingsOn(machine), notesOn(machine).length]).toEqual([left, left.length]);
    }
  });

  test("outlives a boot for a volume, and not for a session", async () => {
    const [volume, session] = [await killedWipe(), await killedStart()];
    expect(await findingsOn(session)).toEqual([STARTED]);
    for (const machine of [volume, session]) machine.reboot();
    expect([await findingsOn(volume), await findingsOn(session)]).toEqual([[WIPED], []]);
  });

  test("says nothing of another file with the volume's name, or of a missing one, whose disk may come back", async () => {
    const machine = await killedWipe();
    machine.files.remove(PATH);
    await runOn(machine, "recover");
    expect([await findingsOn(machine), notesOn(machine).length]).toEqual([[], 1]);
    machine.files.put(PATH, "file", { bytes: new Uint8Array(1) });
    expect(await findingsOn(machine)).toEqual([]);
    await runOn(machine, "recover");
    expect(notesOn(machine)).toEqual([]);
  });

  test("is kept by a recovery, which changes nothing of a session or of a volume", async () => {
    for (const [machine, left] of [
      [await killedStart(), STARTED],
      [await killedWipe(), WIPED],
    ] as const) {
      const recovered = await runOn(machine, "recover");
      expect([recovered.code, await findingsOn(machine)]).toEqual([0, [left]]);
    }
  });

  test("is silent without a session, names one that a login makes later, and is removed after minutes", async () => {
    const machine = await killedStart();
    const session = machine.files.find(SESSION, false)?.inode;
    machine.files.remove(SESSION);
    for (const words of [["recover"], ["pool-destroy", "other"]]) {
      await runOn(machine, ...words);
      expect([await findingsOn(machine), notesOn(machine).length]).toEqual([[], 1]);
    }
    machine.files.put(SESSION, "symlink", { target: session?.target ?? "" });
    expect(await findingsOn(machine)).toEqual([STARTED]);
    machine.files.remove(SESSION);
    machine.pass(300_000);
    await runOn(machine, "recover");
    expect(notesOn(machine)).toEqual([]);
  });

  test("leads pool-destroy to the session of an inactive pool, also once it is undefined or defined anew", async () => {
    for (const between of [[], ["pool-undefine", "other"], ["pool-define", "/srv/new.xml"]]) {
      const machine = await killedStart();
      const changed = ISCSI_POOL.replace("example:a", "example:b");
      putText(machine, "/srv/new.xml", new TextDecoder().decode(otherPoolXml("iscsi", changed)));
      if (between.length > 0) expect((await runOn(machine, ...between)).code).toBe(0);
      expect(await findingsOn(machine)).toEqual([STARTED]);
      expect(await runOn(machine, "pool-destroy", "other")).toEqual({
        code: 0,
        out: "Pool other destroyed\n\n",
        err: "",
      });
      expect([machine.files.find(SESSION, false), notesOn(machine)]).toEqual([undefined, []]);
      expect((await runOn(machine, "pool-destroy", "other")).code).not.toBe(0);
    }
  });

  test("gives a restricted key no session to end", async () => {
    const machine = await killedStart();
    const { kind } = await errorOf(destroyPool({ ...nodeOn(machine), isForKey: true }, "other"));
    expect([kind, await findingsOn(machine)]).toEqual(["wrong-state", [STARTED]]);
  });

  test("is damaged, which is one finding with its file, and no error of a command", async () => {
    const machine = await makeTargetMachine();
    const path = `${ON_DISK}/dddddddd-0000-4000-8000-00000000000f.json`;
    putText(machine, path, '{"kind":"volume"}');
    expect(await findingsOn(machine)).toEqual([
      `Cannot read the note of unfinished work ${path}: it is damaged; remedy: Compare it with docs/state.md, check the pool or volume in it, and remove it: rm ${path}`,
    ]);
    await start(nodeOn(machine));
    expect((await runOn(machine, "recover")).code).toBe(0);
    expect(notesOn(machine)).toHaveLength(1);
  });

  test("of a volume whose server is silent is a finding, and no call waits for the server", async () => {
    const machine = await machineWithBoth();
    const path = `${NET}/a.img`;
    const note = { kind: "volume", format: 1, command: "vol-wipe", path, inode: "1" };
    putText(machine, `${ON_DISK}/dddddddd-0000-4000-8000-00000000000f.json`, JSON.stringify(note));
    const { node } = hanging(machine);
    node.host.hasAnswer = async () => false;
    const { findings } = await auditNode(node);
    expect(findings.filter((one) => one.startsWith(path))).toHaveLength(1);
    expect((await recoverAll(node)).errors).toEqual([]);
    expect(notesOn(machine)).toHaveLength(1);
  });
});

describe("the note of a call that fails", () => {
  test("is removed with a refusal, and stays with an error of the disk", async () => {
    const machine = makePoolMachine();
    const failing = (kind: "host-call" | "in-use") => {
      const node = nodeOn(machine);
      node.host.wipeFile = async () => {
        throw new SvirtError("Cannot write", { kind, remedy: "Look." });
      };
      return errorOf(wipe(node));
    };
    await failing("in-use");
    expect(notesOn(machine)).toEqual([]);
    await failing("host-call");
    expect(await findingsOn(machine)).toEqual([WIPED]);
  });

  test("stays if its session cannot be ended", async () => {
    const machine = await makeTargetMachine();
    const { runProgram } = machine;
    machine.runProgram = (words) =>
      words.includes("--logout") ? { code: 9, errors: "iscsiadm: busy\n" } : runProgram(words);
    const node = nodeOn(machine);
    const { writeText } = node.host;
    node.host.writeText = (path, ...rest) => {
      if (path.startsWith("/run/svirt/storage/"))
        throw new SvirtError("Cannot write", { kind: "host-call", remedy: "Look." });
      writeText(path, ...rest);
    };
    await errorOf(start(node));
    expect(await findingsOn(machine)).toEqual([STARTED]);
  });

  test("is in /run if the disk is full, and the work goes on", async () => {
    const machine = makePoolMachine();
    const node = nodeOn(machine);
    const { writeText } = node.host;
    const seen: number[] = [];
    node.host.writeText = (path, ...rest) => {
      if (path.startsWith(ON_DISK))
        throw new SvirtError("ENOSPC", { kind: "host-call", remedy: "Make room." });
      writeText(path, ...rest);
    };
    const { wipeFile } = node.host;
    node.host.wipeFile = async (...call) => {
      seen.push(node.host.listFolder(IN_RUN).length);
      await wipeFile(...call);
    };
    await wipe(node);
    expect([seen, notesOn(machine)]).toEqual([[1], []]);
  });
});

test("a pool that another call defines with the name of a left session keeps the note of the session", async () => {
  const machine = await killedStart();
  await definePool(nodeOn(machine), otherPoolXml("mpath", "<target><path>/dev/mapper</path></target>"));
  await start(nodeOn(machine));
  expect(await findingsOn(machine)).toEqual([STARTED]);
});
