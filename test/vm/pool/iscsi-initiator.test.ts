import { describe, expect, test } from "bun:test";
import { definePool } from "../../../src/vm/pool/define-pool.ts";
import { getPoolFacts } from "../../../src/vm/pool/pool-facts.ts";
import { createPool, destroyPool } from "../../../src/vm/pool/start-pool.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn, putText } from "../../scenes/scene.ts";

const SESSION = "/sys/class/iscsi_session/session2";
const FOLDER = "/sys/devices/platform/host2/session2/iscsi_session/session2";
const NOT_BUILT = { isBuilt: false };
const withInitiator = (iqn: string): string =>
  ISCSI_POOL.replace("</source>", `<initiator><iqn name='${iqn}'/></initiator></source>`);
const ANNA = "iqn.2013-06.com.example:anna";
const XML = otherPoolXml("iscsi", withInitiator(ANNA));

/** The interfaces that open-iscsi has of itself, as iscsiadm prints them. iface_print_flat() of open-iscsi */
const DEFAULTS = "default tcp,<empty>,<empty>,<empty>,<empty>\niser iser,<empty>,<empty>,<empty>,<empty>\n";

/** A machine with the session of another initiator, and an iscsiadm that keeps interfaces. */
function machineWith(listed = DEFAULTS) {
  const machine = makeScsiMachine();
  putText(machine, "/sys/class/iscsi_session/session1/initiatorname", "iqn.2013-06.com.example:host\n");
  putText(machine, `${FOLDER}/targetname`, "iqn.2013-06.com.example:a\n");
  putText(machine, `${FOLDER}/initiatorname`, `${ANNA}\n`);
  const run: string[] = [];
  let ifaces = listed;
  machine.runProgram = (words) => {
    run.push(words.slice(1).join(" "));
    if (words.includes("--login")) machine.files.put(SESSION, "symlink", { target: FOLDER });
    if (words.includes("--logout")) machine.files.remove(SESSION);
    if (words.includes("iface.initiatorname"))
      ifaces += `${words[4]} tcp,<empty>,<empty>,<empty>,${words.at(-1)}\n`;
    return { code: 0, errors: "" };
  };
  const open = () => {
    const node = nodeOn(machine);
    return { ...node, host: { ...node.host, readOutput: async () => ({ text: ifaces }) } };
  };
  return { machine, open, run };
}

const IFACE = /^libvirt-iface-[0-9a-f]{16}$/;

describe("a pool of an iSCSI target with the name of an initiator", () => {
  test("makes an interface, logs in and out by it, and has the disks of that session", async () => {
    const { open, run } = machineWith();
    await createPool(open(), XML, NOT_BUILT);
    const iface = run[0]?.split(" ")[3] ?? "";
    expect(iface).toMatch(IFACE);
    const node = `--mode node --portal 192.0.2.1:3260,1 --targetname iqn.2013-06.com.example:a --interface ${iface}`;
    // virStorageBackendCreateIfaceIQN() and virISCSIConnection() of libvirt
    expect(run).toEqual([
      `--mode iface --interface ${iface} --op new`,
      `--mode iface --interface ${iface} --op update --name iface.initiatorname --value ${ANNA}`,
      `${node} --login`,
    ]);
    // The disks of the SCSI host 2, not that of the session of the other initiator.
    expect((await getPoolFacts(open(), "other")).space?.capacityBytes).toBe(3 * 1024 * 1024);
    await destroyPool(open(), "other");
    expect(run.slice(3)).toEqual([`${node} --logout`]);
  });

  test("uses an interface that has the name", async () => {
    const { open, run } = machineWith(`${DEFAULTS}eth-anna tcp,<empty>,<empty>,eth0,${ANNA}\n`);
    await createPool(open(), XML, NOT_BUILT);
    expect(run).toEqual([expect.stringContaining("--interface eth-anna --login")]);
  });

  test("passes on no interface whose name may be an option", async () => {
    const { open, run } = machineWith(`--op=delete tcp,<empty>,<empty>,eth0,${ANNA}\n`);
    await createPool(open(), XML, NOT_BUILT);
    expect(run.join("\n")).not.toContain("delete");
  });

  test("has the same interface after a start that was killed before the name was set", async () => {
    const { machine, open, run } = machineWith();
    const work = machine.runProgram;
    machine.runProgram = (words) => {
      if (words.includes("iface.initiatorname")) throw new Error("killed");
      return work(words);
    };
    await expect(createPool(open(), XML, NOT_BUILT)).rejects.toThrow("killed");
    machine.runProgram = (words) => {
      const end = work(words);
      return words.at(-1) === "new" && words.includes("iface") ? { code: 6, errors: "exists\n" } : end;
    };
    await createPool(open(), XML, NOT_BUILT);
    expect(
      new Set(run.filter((one) => one.includes("--mode iface")).map((one) => one.split(" ")[3])).size,
    ).toBe(1);
  });

  test("shares its target with another initiator, and not with a pool without one", async () => {
    const { open } = machineWith();
    await definePool(open(), XML);
    await definePool(open(), otherPoolXml("iscsi", withInitiator("iqn.2013-06.com.example:bert"), "second"));
    for (const content of [ISCSI_POOL, withInitiator(ANNA)]) {
      const error = await errorOf(definePool(open(), otherPoolXml("iscsi", content, "third")));
      expect(error.message).toContain("Storage source conflict with pool: 'other'");
    }
  });
});
