import { describe, expect, test } from "bun:test";
import type { ProgramEnd, ProgramOutput } from "../../../src/host/processes.ts";
import { createPool } from "../../../src/vm/pool/start-pool.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";

const SESSION = "/sys/class/iscsi_session/session1";
const AUTH = "<auth type='chap' username='anna'><secret usage='iscsi-a'/></auth>";
const XML = otherPoolXml("iscsi", ISCSI_POOL.replace("</source>", `${AUTH}</source>`));

/** A record as idbm_print() of open-iscsi prints it. */
function recordWith({ method = "CHAP", password = "********", user = "anna" } = {}): string {
  return `# BEGIN RECORD 2.1.11
node.name = iqn.2013-06.com.example:a
node.session.auth.authmethod = ${method}
node.session.auth.username = ${user}
node.session.auth.password = ${password}
node.session.auth.username_in = <empty>
# END RECORD
`;
}

// ISCSI_ERR_NO_OBJS_FOUND of iscsiadm(8)
const NO_RECORD = { fault: "failed", code: 21 } as const;

/** Errors of iscsiadm 2.1.11 for a password that the target refuses. */
const REFUSED = `iscsiadm: Could not login to [iface: default, target: iqn.2013-06.com.example:a, portal: 192.0.2.1,3260].
iscsiadm: initiator reported error (24 - iSCSI login failed due to authorization failure)
iscsiadm: Could not log into all portals
`;

/** Starts the pool on a machine whose iscsiadm prints this, and returns the commands and the error. */
async function start(outputs: readonly ProgramOutput[], end: ProgramEnd = { code: 0, errors: "" }) {
  const machine = makeScsiMachine();
  const { target } = machine.files.find(SESSION, false)?.inode ?? { target: "" };
  machine.files.remove(SESSION);
  const run: string[] = [];
  machine.runProgram = (words) => {
    run.push(words.slice(7).join(" "));
    if (words.includes("--login")) machine.files.put(SESSION, "symlink", { target });
    return end;
  };
  const left = [...outputs];
  const node = nodeOn(machine);
  const host = { ...node.host, readOutput: async () => left.shift() ?? ({ fault: "failed" } as const) };
  const work = createPool({ ...node, host }, XML, { isBuilt: false });
  const error = await work.then(
    () => undefined,
    () => errorOf(work),
  );
  return { run, error };
}

describe("a pool of an iSCSI target with a password", () => {
  test("logs in with the password that open-iscsi has of its user, and gives it to no program", async () => {
    expect(await start([{ text: recordWith() }])).toEqual({ run: ["--login"], error: undefined });
  });

  test("takes the password of iscsid.conf for a target without a record", async () => {
    const { error, run } = await start([NO_RECORD, { text: recordWith() }]);
    expect([error, run]).toEqual([
      undefined,
      ["--op new", "--op update --name node.startup --value manual", "--login"],
    ]);
  });

  // ISCSI_ERR_IDBM of iscsiadm(8), such as for a lock that another iscsiadm holds
  test.each([
    ["fails otherwise", { fault: "failed", code: 6 }, "iscsiadm failed with 6"],
    ["cannot be run", { fault: "failed" }, "iscsiadm prints no record"],
    ["does not end", { fault: "timeout" }, "iscsiadm prints no record"],
  ] as const)("keeps a record that iscsiadm does not print, since it %s", async (_, output, why) => {
    const { error, run } = await start([output]);
    expect([error?.kind, error?.message]).toEqual(["failed", expect.stringContaining(why)]);
    expect([error?.remedy, run.join("")]).toEqual([
      expect.stringContaining("iscsiadm --mode node --portal 192.0.2.1:3260,1 --targetname"),
      "",
    ]);
  });

  test("says that iscsiadm is missing", async () => {
    const { error } = await start([{ fault: "failed" }], { fault: "missing" });
    expect([error?.kind, error?.remedy]).toEqual(["unsupported", "Install open-iscsi."]);
  });

  test("says that the target refuses the password", async () => {
    const { error } = await start([{ text: recordWith() }], { code: 24, errors: REFUSED });
    expect([error?.kind, error?.message]).toEqual([
      "failed",
      "Cannot log in to the iSCSI target iqn.2013-06.com.example:a: iSCSI login failed due to authorization failure",
    ]);
    expect(error?.remedy).toContain("iscsi/nodes/iqn.2013-06.com.example:a");
  });

  test.each([
    ["without CHAP", { method: "None" }],
    ["of another user", { user: "annabel" }],
    ["without a password", { password: "<empty>" }],
  ])("is refused with a record %s", async (_, record) => {
    const { error, run } = await start([{ text: recordWith(record) }]);
    expect([error?.kind, error?.message, run]).toEqual([
      "unsupported",
      expect.stringContaining("open-iscsi has no password of the user anna for it"),
      [],
    ]);
    expect(error?.remedy).toContain("node.session.auth.authmethod = CHAP");
  });
});
