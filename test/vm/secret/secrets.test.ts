import { describe, expect, test } from "bun:test";
import { findSecret } from "../../../src/resolve/secrets/find-secret.ts";
import { carryOut, planOnly } from "../../../src/vm/object-change/carry-out.ts";
import {
  defineSecret,
  secretDefinition,
  secretRemoval,
  undefineSecret,
} from "../../../src/vm/secret/define-secret.ts";
import { readValueFile } from "../../../src/vm/secret/read-value.ts";
import { selectSecrets } from "../../../src/vm/secret/secret-list.ts";
import { getSecretValue, secretValueChange, setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import { errorOf, makeMachine, nodeOn } from "../../scenes/scene.ts";
import { SECRET_UUID, secretFiles, secretValue, secretXml } from "../../scenes/secrets.ts";

const OTHER = "66806c7d-8e93-456f-829b-607d8c198367";
const [DISK, MEMORY] = ["/etc/svirt/secrets", "/run/svirt/secrets"];
const EPHEMERAL = "ephemeral='yes'";

/** Returns a machine with the secret and its value. */
async function machineWith(attributes = "") {
  const machine = makeMachine();
  await defineSecret(nodeOn(machine), secretXml({ attributes }));
  await setSecretValue(nodeOn(machine), SECRET_UUID, secretValue("geheim"));
  return machine;
}

describe("the files of a secret", () => {
  test("are on disk, and only root reads them", async () => {
    const machine = await machineWith();
    expect(secretFiles(machine)).toEqual([
      `${DISK}/${SECRET_UUID}.xml 600`,
      `${DISK}/${SECRET_UUID}.base64 600 Z2VoZWlt`,
    ]);
    expect(machine.files.get(DISK).mode).toBe(0o700);
  });

  test("are in memory if it is ephemeral, and gone after a reboot", async () => {
    const machine = await machineWith(EPHEMERAL);
    expect(secretFiles(machine)).toEqual([
      `${MEMORY}/${SECRET_UUID}.xml 600`,
      `${MEMORY}/${SECRET_UUID}.base64 600 Z2VoZWlt`,
    ]);
    machine.reboot();
    expect(selectSecrets(nodeOn(machine))).toEqual([]);
  });

  test.each([
    ["", EPHEMERAL, MEMORY],
    [EPHEMERAL, "", DISK],
  ])("move with the value if %p becomes %p", async (...[before, after, folder]) => {
    const machine = await machineWith(before);
    await defineSecret(nodeOn(machine), secretXml({ attributes: after }));
    expect(secretFiles(machine).toSorted()).toEqual([
      `${folder}/${SECRET_UUID}.base64 600 Z2VoZWlt`,
      `${folder}/${SECRET_UUID}.xml 600`,
    ]);
  });

  test("of an ephemeral secret are not written where /run is on a disk", async () => {
    const machine = makeMachine();
    machine.files.remove("/run");
    machine.files.putFolder("/run/svirt");
    const error = await errorOf(defineSecret(nodeOn(machine), secretXml({ attributes: EPHEMERAL })));
    expect([error.kind, secretFiles(machine)]).toEqual(["unsupported", []]);
  });

  test("are removed though svirt does not read the XML any more", async () => {
    const machine = await machineWith();
    machine.files.get(`${DISK}/${SECRET_UUID}.xml`).bytes = new TextEncoder().encode(
      "<secret><unknown/></secret>",
    );
    await undefineSecret(nodeOn(machine), SECRET_UUID);
    expect(secretFiles(machine)).toEqual([]);
  });

  test("are removed with it", async () => {
    const machine = await machineWith();
    await undefineSecret(nodeOn(machine), SECRET_UUID);
    expect(secretFiles(machine)).toEqual([]);
  });
});

describe("the steps", () => {
  test("of a move copy the value, and of no change have it", async () => {
    const node = nodeOn(await machineWith());
    const changes = [
      secretDefinition(secretXml({ attributes: EPHEMERAL })),
      secretRemoval(SECRET_UUID),
      secretValueChange(SECRET_UUID, secretValue("other")),
    ];
    const plans = await Promise.all(changes.map(async (change) => await planOnly(node, change)));
    expect(plans.map((plan) => [plan?.commit, ...(plan?.steps.map((step) => step.do) ?? [])])).toEqual([
      [2, "copy-secret", "replace-text", "replace-text", "remove-file"],
      [0, "replace-text", "remove-file"],
      [0, "set-secret"],
    ]);
    expect(JSON.stringify(plans)).not.toMatch(/geheim|Z2VoZWlt|other|b3RoZXI/);
  });

  test("of a new secret remove a value that an older svirt has left of another one", async () => {
    const machine = makeMachine();
    machine.files.putFolder(DISK);
    machine.files.put(`${DISK}/${SECRET_UUID}.base64`, "file", { bytes: secretValue("Z2VoZWlt") });
    await defineSecret(nodeOn(machine), secretXml());
    expect(secretFiles(machine)).toEqual([`${DISK}/${SECRET_UUID}.xml 600`]);
  });

  test("of a value whose secret is gone meanwhile make the value zero all the same", async () => {
    const value = secretValue("geheim");
    const error = await errorOf(carryOut(nodeOn(makeMachine()), secretValueChange(SECRET_UUID, value)));
    expect([error.kind, value.some((byte) => byte !== 0)]).toEqual(["not-found", false]);
  });
});

describe("a definition", () => {
  test.each([
    [
      "for an object that another secret is for",
      { uuid: OTHER },
      `internal error: a secret with UUID ${SECRET_UUID} already defined for use with iscsi-a`,
    ],
    [
      "of a known UUID for another object",
      { target: "iscsi-b" },
      `internal error: a secret with UUID ${SECRET_UUID} is already defined for use with iscsi-a`,
    ],
    [
      "that is no longer private",
      { attributes: "private='no'" },
      "internal error: cannot change private flag on existing secret",
    ],
  ])("%s is refused with libvirt's message", async (_, facts, message) => {
    const machine = await machineWith("private='yes'");
    const before = secretFiles(machine);
    const error = await errorOf(defineSecret(nodeOn(machine), secretXml(facts)));
    expect([error.message, error.libvirt.code, error.libvirt.domain]).toEqual([message, 1, 30]);
    expect(secretFiles(machine)).toEqual(before);
  });

  test("with a damaged file hides no other, and is reported by its own name", async () => {
    const machine = await machineWith();
    machine.files.put(`${DISK}/${OTHER}.xml`, "file", { bytes: secretValue("<secret") });
    expect(selectSecrets(nodeOn(machine)).map(({ uuid }) => uuid)).toEqual([SECRET_UUID]);
    expect(() => findSecret(nodeOn(machine), OTHER)).toThrow(/has no end/);
  });

  test.each(["", "no-uuid", "../svirt.conf", "55806c7d-8e93-456f-829b-607d8c19836", OTHER])(
    "is not found by %p",
    async (key) => {
      const node = nodeOn(await machineWith());
      expect(() => findSecret(node, key)).toThrow(`Secret not found: no secret with matching uuid '${key}'`);
    },
  );
});

describe("a value", () => {
  test("of a private secret is refused to clients as by libvirt", async () => {
    const node = nodeOn(await machineWith("private='yes'"));
    const error = await errorOf(Promise.resolve().then(() => getSecretValue(node, SECRET_UUID)));
    expect([error.message, error.libvirt.name, error.libvirt.domain]).toEqual([
      "Invalid secret: secret is private",
      "VIR_ERR_INVALID_SECRET",
      30,
    ]);
  });

  test("that was not set is reported as by libvirt", async () => {
    const machine = makeMachine();
    await defineSecret(nodeOn(machine), secretXml());
    expect(() => getSecretValue(nodeOn(machine), SECRET_UUID)).toThrow(
      `Secret not found: secret '${SECRET_UUID}' does not have a value`,
    );
  });

  test("has any bytes, and those of the caller are zero after it is set", async () => {
    const machine = await machineWith();
    const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
    const given = bytes.slice();
    await setSecretValue(nodeOn(machine), SECRET_UUID, given);
    expect(getSecretValue(nodeOn(machine), SECRET_UUID)).toEqual(bytes);
    expect(given.some((byte) => byte !== 0)).toBe(false);
  });

  test("is read by a restricted key from standard input only: another file may be any of root's", async () => {
    const machine = await machineWith();
    machine.files.putFolder("/etc/ssh");
    machine.files.put("/etc/ssh/key", "file", { bytes: secretValue("key") });
    const forKey = { ...nodeOn(machine), isForKey: true } as const;
    const plain = { file: "/etc/ssh/key", isPlain: true };
    expect(() => readValueFile(forKey, plain)).toThrow(
      "a restricted key passes a value on standard input only",
    );
    expect(readValueFile(nodeOn(machine), plain)).toEqual(secretValue("key"));
  });

  test("of more than 64 KiB is refused", async () => {
    const machine = await machineWith();
    const error = await errorOf(setSecretValue(nodeOn(machine), SECRET_UUID, new Uint8Array(65_537).fill(1)));
    expect([error.kind, getSecretValue(nodeOn(machine), SECRET_UUID)]).toEqual([
      "usage",
      secretValue("geheim"),
    ]);
  });

  test("that is damaged is refused, and no part of it is shown", async () => {
    const machine = await machineWith();
    machine.files.put(`${DISK}/${SECRET_UUID}.base64`, "file", { bytes: secretValue("Z2Vo*ZWlt") });
    const error = await errorOf(Promise.resolve().then(() => getSecretValue(nodeOn(machine), SECRET_UUID)));
    expect([error.kind, error.message.includes("Z2Vo"), error.cause]).toEqual(["usage", false, undefined]);
  });
});

test("each option of a list selects its half, both or none select all", async () => {
  const machine = makeMachine();
  const kinds = ["", EPHEMERAL, "private='yes'", `${EPHEMERAL} private='yes'`];
  for (const [at, attributes] of kinds.entries())
    await defineSecret(
      nodeOn(machine),
      secretXml({ attributes, target: `t${at}`, uuid: SECRET_UUID.replace(/^./, String(at)) }),
    );
  const listed = (filter: Parameters<typeof selectSecrets>[1]): string =>
    selectSecrets(nodeOn(machine), filter)
      .map(({ uuid }) => uuid[0])
      .join("");
  expect([
    listed({}),
    listed({ ephemeral: true }),
    listed({ noEphemeral: true }),
    listed({ private: true }),
    listed({ noPrivate: true, ephemeral: true }),
    listed({ private: true, noPrivate: true }),
  ]).toEqual(["0123", "13", "02", "23", "1", "0123"]);
});
