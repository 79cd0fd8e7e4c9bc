import { describe, expect, test } from "bun:test";
import type { ProgramOutput } from "../../../src/host/processes.ts";
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

/** Starts the pool on a machine whose iscsiadm prints this, and returns the commands and the error. */
async function start(outputs: readonly ProgramOutput[]) {
  const machine = makeScsiMachine();
  const { target } = machine.files.find(SESSION, false)?.inode ?? { target: "" };
  machine.files.remove(SESSION);
  const run: string[] = [];
  machine.runProgram = (words) => {
    run.push(words.slice(7).join(" "));
    if (words.includes("--login")) machine.files.put(SESSION, "symlink", { target });
    return { code: 0, errors: "" };
  };
  const left = [...outputs];
  const node = nodeOn(machine);
  const host = { ...node.host, readOutput: () => left.shift() ?? ({ fault: "failed" } as const) };
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
    const { error, run } = await start([{ fault: "failed" }, { text: recordWith() }]);
    expect([error, run]).toEqual([
      undefined,
      ["--op new", "--op update --name node.startup --value manual", "--login"],
    ]);
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
