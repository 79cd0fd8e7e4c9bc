import { describe, expect, test } from "bun:test";
import type { ProgramEnd } from "../../../../src/host/processes.ts";
import { registryOf } from "../../../../src/state/instance.ts";
import { poolStore } from "../../../../src/state/pools/pools.ts";
import { definePool } from "../../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../../src/vm/pool/pool-facts.ts";
import { createPool, destroyPool, startPool } from "../../../../src/vm/pool/start-pool.ts";
import { type Machine, snapshot } from "../../../memory-host/machine.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../../scenes/devices.ts";
import { otherPoolXml } from "../../../scenes/pools.ts";
import { errorOf, nodeOn, OTHER, putText } from "../../../scenes/scene.ts";

const NOT_BUILT = { isBuilt: false };
const SESSION = "/sys/class/iscsi_session/session1";
const SESSION_FOLDER = "/sys/devices/platform/host3/session1/iscsi_session/session1";
// virISCSINodeNew(), virISCSINodeUpdate(), virISCSIConnectionLogin() of libvirt
const NODE =
  "/usr/sbin/iscsiadm --mode node --portal 192.0.2.1:3260,1 --targetname iqn.2013-06.com.example:a";
const [NEW, MANUAL] = [`${NODE} --op new`, `${NODE} --op update --name node.startup --value manual`];
const [LOGIN, LOGOUT] = [`${NODE} --login`, `${NODE} --logout`];

// ISCSI_ERR_NO_OBJS_FOUND of iscsiadm(8)
const NO_RECORD = { code: 21, errors: "iscsiadm: No records found\n" };

/** A machine without a session, whose iscsiadm makes and ends it; `ends` replaces the end of a command. */
async function machineWith(ends: Readonly<Record<string, ProgramEnd>> = {}, hasRecord = false) {
  const machine = makeScsiMachine();
  machine.files.remove("/sys/dev/block/8:32/holders/dm-0");
  const { target } = machine.files.find(SESSION, false)?.inode ?? { target: "" };
  machine.files.remove(SESSION);
  const run: string[] = [];
  machine.runProgram = (words) => {
    const command = words.join(" ");
    run.push(command);
    const isKnown = command !== LOGIN || run.includes(NEW) || hasRecord;
    const end = ends[command] ?? (isKnown ? { code: 0, errors: "" } : NO_RECORD);
    if ("code" in end && end.code === 0 && command === LOGIN)
      machine.files.put(SESSION, "symlink", { target });
    if ("code" in end && end.code === 0 && command === LOGOUT) machine.files.remove(SESSION);
    return end;
  };
  await definePool(nodeOn(machine), otherPoolXml("iscsi", ISCSI_POOL));
  return { machine, run };
}

const stateOn = async (machine: Machine): Promise<string> =>
  (await getPoolFacts(nodeOn(machine), "other")).state;

describe("a pool of an iSCSI target", () => {
  test("logs in at its start and out at its end, with libvirt's commands", async () => {
    const { machine, run } = await machineWith();
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    expect([run, await stateOn(machine)]).toEqual([[LOGIN, NEW, MANUAL, LOGIN], "running"]);
    await destroyPool(nodeOn(machine), "other");
    expect([run.slice(4), await stateOn(machine), machine.files.find(SESSION, false)]).toEqual([
      [LOGOUT],
      "inactive",
      undefined,
    ]);
  });

  test("keeps a record that is there, and needs no session to end", async () => {
    const { machine, run } = await machineWith({}, true);
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    await destroyPool(nodeOn(machine), "other");
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    machine.files.remove(SESSION);
    expect(await stateOn(machine)).toBe("inaccessible");
    await destroyPool(nodeOn(machine), "other");
    expect(run).toEqual([LOGIN, LOGOUT, LOGIN]);
  });

  test("is no way for a restricted key to log in to a target", async () => {
    const { machine, run } = await machineWith();
    const forKey = { ...nodeOn(machine), isForKey: true as const };
    expect([(await errorOf(startPool(forKey, "other", NOT_BUILT))).kind, run]).toEqual(["denied", []]);
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    await destroyPool(nodeOn(machine), "other");
  });

  test("is not defined by a restricted key, whose pool the next boot would start without the key", async () => {
    const machine = makeScsiMachine();
    const forKey = { ...nodeOn(machine), isForKey: true as const };
    const before = snapshot(machine);
    const { kind, message } = await errorOf(definePool(forKey, otherPoolXml("iscsi", ISCSI_POOL)));
    expect([kind, message]).toEqual(["denied", expect.stringContaining("which logs in to a target")]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("logs out again if the start fails", async () => {
    const { machine, run } = await machineWith();
    const error = await errorOf(
      createPool(nodeOn(machine), otherPoolXml("iscsi", ISCSI_POOL, "second"), NOT_BUILT),
    );
    expect([error.message, run.at(-1), machine.files.find(SESSION, false)]).toEqual([
      "operation failed: Storage source conflict with pool: 'other'",
      LOGOUT,
      undefined,
    ]);
  });

  test.each([
    ["a missing iscsiadm", { fault: "missing" }, "unsupported", "/usr/sbin/iscsiadm is missing"],
    ["a program that is not permitted", { fault: "denied" }, "unsupported", "is not permitted"],
    ["a target that does not answer", { fault: "timeout" }, "timeout", "did not end within 30 s"],
    ["a login that fails", { code: 24, errors: "iscsiadm: a\niscsiadm: b\n" }, "failed", ": iscsiadm: b"],
  ] as const)("stays inactive with %s", async (_, end, ...[kind, message]) => {
    const { machine } = await machineWith({ [LOGIN]: end });
    const error = await errorOf(startPool(nodeOn(machine), "other", NOT_BUILT));
    expect([error.kind as string, error.message]).toEqual([kind, expect.stringContaining(message)]);
    expect(await stateOn(machine)).toBe("inactive");
  });

  test("stays active if a logout fails, or while a guest or the host uses a disk", async () => {
    const { machine, run } = await machineWith({ [LOGOUT]: { code: 9, errors: "iscsiadm: busy\n" } });
    const node = nodeOn(machine);
    // A disk that is no volume of the pool counts, too.
    await definePool(
      node,
      otherPoolXml("iscsi", ISCSI_POOL.replace("<path>/dev<", "<path>/dev/disk/by-path<")),
    );
    await startPool(node, "other", NOT_BUILT);
    expect((await errorOf(destroyPool(node, "other"))).message).toEndWith(": iscsiadm: busy");
    expect([await stateOn(machine), run.at(-1)]).toEqual(["running", LOGOUT]);
    machine.files.putFolder("/sys/dev/block/8:32/holders/dm-0");
    expect((await errorOf(destroyPool(node, "other"))).message).toContain("the host uses unit:0:0:0");
    machine.files.remove("/sys/dev/block/8:32/holders/dm-0");
    registryOf(node).reserve({ kind: "file", key: "device-8:32", sharing: "exclusive" }, OTHER);
    const error = await errorOf(destroyPool(node, "other"));
    expect([error.kind, await stateOn(machine), run.length]).toEqual(["in-use", "running", 5]);
  });

  // ISCSI_ERR_SESS_EXISTS and ISCSI_ERR_NO_OBJS_FOUND of iscsiadm(8)
  test("takes a session that another program has made meanwhile, and keeps it if the start fails", async () => {
    const { machine, run } = await machineWith({
      [LOGIN]: { code: 15, errors: "iscsiadm: 1 session present\n" },
    });
    const node = nodeOn(machine);
    const text = otherPoolXml("iscsi", ISCSI_POOL, "second");
    expect((await errorOf(createPool(node, text, NOT_BUILT))).message).toContain("source conflict");
    expect(run).toEqual([LOGIN]);
    machine.runProgram = (words) => {
      run.push(words.join(" "));
      machine.files.put(SESSION, "symlink", { target: SESSION_FOLDER });
      return { code: 15, errors: "iscsiadm: 1 session present\n" };
    };
    expect((await errorOf(createPool(node, text, NOT_BUILT))).message).toContain("source conflict");
    expect(run).toEqual([LOGIN, LOGIN]);
    machine.files.remove(SESSION);
    await startPool(node, "other", NOT_BUILT);
    expect([run.slice(2), await stateOn(machine)]).toEqual([[LOGIN], "running"]);
  });

  test("ends with a session by another portal, which stays", async () => {
    const { machine, run } = await machineWith({ [LOGOUT]: NO_RECORD });
    machine.files.put(SESSION, "symlink", { target: SESSION_FOLDER });
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    await destroyPool(nodeOn(machine), "other");
    expect([run, await stateOn(machine)]).toEqual([[LOGOUT], "inactive"]);
  });

  test("stays active while a disk of another session with the target is in use", async () => {
    const { machine, run } = await machineWith();
    const node = nodeOn(machine);
    await startPool(node, "other", NOT_BUILT);
    const folder = SESSION_FOLDER.replace("host3", "host2").replaceAll("session1", "session2");
    putText(machine, `${folder}/targetname`, "iqn.2013-06.com.example:a\n");
    machine.files.put(SESSION.replace("session1", "session2"), "symlink", { target: folder });
    registryOf(node).reserve({ kind: "file", key: "device-8:16", sharing: "exclusive" }, OTHER);
    const error = await errorOf(destroyPool(node, "other"));
    expect([error.kind, error.message, run.includes(LOGOUT)]).toEqual([
      "in-use",
      expect.stringContaining("uses unit:0:1:0"),
      false,
    ]);
  });

  test("keeps a session that is used already if its start fails", async () => {
    const { machine, run } = await machineWith();
    const node = nodeOn(machine);
    registryOf(node).reserve({ kind: "file", key: "device-8:32", sharing: "exclusive" }, OTHER);
    const text = otherPoolXml("iscsi", ISCSI_POOL, "second");
    expect((await errorOf(createPool(node, text, NOT_BUILT))).message).toContain("source conflict");
    expect(run.at(-1)).toBe(LOGIN);
  });

  test("is not started while another command logs out of its target", async () => {
    const { machine, run } = await machineWith();
    const node = nodeOn(machine);
    await startPool(node, "other", NOT_BUILT);
    const ending = machine.runProgram;
    let starting: Promise<unknown> | undefined;
    machine.runProgram = (words) => {
      if (words.includes("--logout")) starting = startPool(nodeOn(machine), "other", NOT_BUILT);
      return ending(words);
    };
    await destroyPool(node, "other");
    await starting;
    expect([run.slice(-2), await stateOn(machine)]).toEqual([[LOGOUT, LOGIN], "running"]);
  });

  test("keeps its session when a restricted key ends it", async () => {
    const { machine, run } = await machineWith();
    await startPool(nodeOn(machine), "other", NOT_BUILT);
    await destroyPool({ ...nodeOn(machine), isForKey: true }, "other");
    expect([run.includes(LOGOUT), await stateOn(machine)]).toEqual([false, "inactive"]);
  });

  test("does not replace a pool of its name that was started while its logout failed", async () => {
    const { machine } = await machineWith();
    const node = nodeOn(machine);
    await startPool(node, "other", NOT_BUILT);
    const newer = `<pool type='mpath'>\n  <name>other</name>\n  <uuid>${OTHER}</uuid>\n</pool>\n`;
    machine.runProgram = () => {
      poolStore.writeActive(node, "other", newer);
      return { code: 9, errors: "iscsiadm: busy\n" };
    };
    expect((await errorOf(destroyPool(node, "other"))).message).toEndWith("iscsiadm: busy");
    expect(poolStore.read(node, "other")?.active).toBe(newer);
  });
});
