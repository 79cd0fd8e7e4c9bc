import { describe, expect, test } from "bun:test";
import type { ProgramOutput } from "../../../src/host/processes.ts";
import { targetLock } from "../../../src/plan/paths.ts";
import { auditNode } from "../../../src/vm/audit/audit-node.ts";
import { createPool } from "../../../src/vm/pool/start-pool.ts";
import { defineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import { runOn } from "../../cli/in-memory.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { ISCSI_POOL, makeScsiMachine } from "../../scenes/devices.ts";
import { otherPoolXml } from "../../scenes/pools.ts";
import { errorOf, nodeOn } from "../../scenes/scene.ts";
import { SECRET_UUID, secretValue, secretXml } from "../../scenes/secrets.ts";

const SESSION = "/sys/class/iscsi_session/session1";
const RECORD = "/var/lib/iscsi/nodes/iqn.2013-06.com.example:a/192.0.2.1,3260,1/default";
// ISCSI_ERR_NO_OBJS_FOUND of iscsiadm(8)
const NO_RECORD = { fault: "failed", code: 21 } as const;
const DRAFT = "/var/lib/iscsi/.svirt-iqn.2013-06.com.example:a";

/** The authentication of a record that iscsiadm 2.1.11 makes, and lines around it. */
const NEW = `# BEGIN RECORD 2.1.11
node.name = iqn.2013-06.com.example:a
node.startup = manual
node.session.auth.authmethod = None
node.session.auth.chap_algs = MD5
node.conn[0].iscsi.OFMarker = No
# END RECORD
`;
const WITH_PASSWORD = NEW.replace("node.session.auth.authmethod = None\n", "").replace(
  "# END",
  `node.session.auth.authmethod = CHAP
node.session.auth.username = anna
node.session.auth.password = geheim wort
# END`,
);

const poolXml = (secret: string): Uint8Array =>
  otherPoolXml(
    "iscsi",
    ISCSI_POOL.replace("</source>", `<auth type='chap' username='anna'><secret ${secret}/></auth></source>`),
  );

/** Returns the text of a file; undefined without one. */
function textOf({ files }: Machine, path: string): string | undefined {
  const found = files.find(path);
  return found === undefined ? undefined : new TextDecoder().decode(found.inode.bytes);
}

/** Returns a node whose iscsiadm has this record, or makes the usual one, with the secret and its value. */
async function prepare({ attributes = "", record = "", value = "geheim wort" } = {}) {
  const machine = makeScsiMachine();
  const { target } = machine.files.find(SESSION, false)?.inode ?? { target: "" };
  machine.files.remove(SESSION);
  const put = (text: string): void => {
    machine.files.putFolder(RECORD.slice(0, RECORD.lastIndexOf("/")), 0o700);
    machine.files.put(RECORD, "file", { mode: 0o600, bytes: secretValue(text) });
  };
  if (record !== "") put(record);
  const run: string[] = [];
  machine.runProgram = (words) => {
    run.push(words.join(" "));
    if (words.includes("new")) put(NEW);
    if (words.includes("--login")) machine.files.put(SESSION, "symlink", { target });
    return { code: 0, errors: "" };
  };
  const node = nodeOn(machine);
  const readOutput = async (): Promise<ProgramOutput> => {
    const text = textOf(machine, RECORD);
    return text === undefined ? NO_RECORD : { text: text.replace(/(\.password = ).*/, "$1********") };
  };
  const instance = { ...node, host: { ...node.host, readOutput } };
  await defineSecret(instance, secretXml({ attributes }));
  if (value !== "") await setSecretValue(instance, SECRET_UUID, secretValue(value));
  return { machine, run, start: (xml: Uint8Array) => createPool(instance, xml, { isBuilt: false }) };
}

describe("a pool of an iSCSI target whose secret svirt has", () => {
  test.each([
    ["usage='iscsi-a'", ""],
    [`uuid='${SECRET_UUID}'`, ""],
    ["usage='iscsi-a'", NEW],
    ["usage='iscsi-a'", WITH_PASSWORD.replace("geheim wort", "old")],
  ])("logs in with its value by %p, which no program gets as an argument", async (secret, record) => {
    const { machine, run, start } = await prepare({ attributes: "private='yes'", record });
    await start(poolXml(secret));
    expect(textOf(machine, RECORD)).toBe(WITH_PASSWORD);
    expect(machine.files.get(RECORD).mode).toBe(0o600);
    expect(textOf(machine, DRAFT)).toBeUndefined();
    expect([run.at(-1), run.some((command) => command.includes("geheim"))]).toEqual([
      expect.stringContaining("--login"),
      false,
    ]);
  });

  test("has a draft that an interrupted start has left named by the audit, and removed by a recovery", async () => {
    const { machine } = await prepare({ record: WITH_PASSWORD });
    for (const path of [DRAFT, `${DRAFT}.new`])
      machine.files.put(path, "file", { bytes: secretValue("geheim") });
    const { host, paths } = nodeOn(machine);
    const unlock = await host.lock(targetLock(paths, "iqn.2013-06.com.example:a"), 0);
    await runOn(machine, "recover");
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
    unlock();
    expect((await auditNode(nodeOn(machine))).findings).toEqual(
      [DRAFT, `${DRAFT}.new`].map(
        (path) =>
          `${path}: is a part of a record with a password that a killed svirt has left; run svirt recover`,
      ),
    );
    expect((await runOn(machine, "recover")).code).toBe(0);
    expect([textOf(machine, DRAFT), textOf(machine, `${DRAFT}.new`)]).toEqual([undefined, undefined]);
  });

  test("removes the draft that an interrupted start has left", async () => {
    const { machine, start } = await prepare({ record: WITH_PASSWORD });
    for (const path of [DRAFT, `${DRAFT}.new`])
      machine.files.put(path, "file", { bytes: secretValue("geheim") });
    await start(poolXml("usage='iscsi-a'"));
    expect([textOf(machine, DRAFT), textOf(machine, `${DRAFT}.new`)]).toEqual([undefined, undefined]);
  });

  test.each([
    ["has no value", { value: "" }, "does not have a value"],
    ["has two lines", { value: "a\nnode.startup = automatic" }, "cannot have the user or the value"],
    ["has a blank at its end", { value: "geheim " }, "cannot have the user or the value"],
    ["is ephemeral", { attributes: "ephemeral='yes'" }, "open-iscsi keeps passwords on disk"],
  ])("is refused if it %s", async (_, facts, why) => {
    const { machine, run, start } = await prepare({ record: NEW, ...facts });
    const error = await errorOf(start(poolXml("usage='iscsi-a'")));
    expect([error.message, run, textOf(machine, RECORD)]).toEqual([expect.stringContaining(why), [], NEW]);
  });

  test("is refused if open-iscsi has a record in two places", async () => {
    const { machine, start } = await prepare({ record: NEW });
    const second = RECORD.replace("/var/lib", "/etc");
    machine.files.putFolder(second.slice(0, second.lastIndexOf("/")));
    machine.files.put(second, "file", { bytes: secretValue(NEW) });
    expect((await errorOf(start(poolXml("usage='iscsi-a'")))).message).toContain("has 2 records of it");
  });
});
