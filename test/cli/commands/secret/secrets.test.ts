import { describe, expect, test } from "bun:test";
import { makeMachine } from "../../../scenes/scene.ts";
import { SECRET_UUID, secretValue, secretXml } from "../../../scenes/secrets.ts";
import { runOn } from "../../in-memory.ts";

const FILE = "/root/secret.xml";
const VALUE = "/root/value";

/** Returns a machine with a secret, made by the commands. */
async function prepared(attributes = "", value = "Z2VoZWlt\n") {
  const machine = makeMachine();
  machine.files.putFolder("/root");
  machine.files.put(FILE, "file", { bytes: secretXml({ attributes }) });
  machine.files.put(VALUE, "file", { bytes: secretValue(value) });
  const define = await runOn(machine, "secret-define", FILE);
  const set = await runOn(machine, "secret-set-value", SECRET_UUID, "--file", VALUE);
  return { machine, define, set };
}

describe("the commands for secrets print as virsh", () => {
  test("defines a secret, sets its value, shows both and removes it", async () => {
    const { define, machine, set } = await prepared();
    expect([define.out, set.out]).toEqual([`Secret ${SECRET_UUID} created\n\n`, "Secret value set\n\n"]);
    const said = [
      await runOn(machine, "secret-list"),
      await runOn(machine, "secret-get-value", SECRET_UUID),
      await runOn(machine, "secret-get-value", SECRET_UUID, "--plain"),
      await runOn(machine, "secret-dumpxml", SECRET_UUID),
      await runOn(machine, "secret-undefine", SECRET_UUID),
      await runOn(machine, "secret-list"),
    ];
    expect(said.map(({ code, err }) => [code, err])).toEqual(said.map(() => [0, ""]));
    expect(said.map(({ out }) => out)).toEqual([
      // vshTablePrint() of virsh
      ` UUID                                   Usage\n${"-".repeat(55)}\n ${SECRET_UUID}   iscsi iscsi-a\n\n`,
      "Z2VoZWlt\n",
      "geheim",
      `<secret ephemeral='no' private='no'>\n  <uuid>${SECRET_UUID}</uuid>\n  <usage type='iscsi'>\n    <target>iscsi-a</target>\n  </usage>\n</secret>\n\n`,
      `Secret ${SECRET_UUID} deleted\n\n`,
      " UUID   Usage\n---------------\n\n",
    ]);
  });

  test("a plain value has the bytes of the file, also its newline", async () => {
    const { machine } = await prepared();
    await runOn(machine, "secret-set-value", SECRET_UUID, "--plain", "--file", VALUE);
    expect((await runOn(machine, "secret-get-value", SECRET_UUID, "--plain")).out).toBe("Z2VoZWlt\n");
  });

  test("with --json, a list has no values", async () => {
    const { machine } = await prepared("private='yes'");
    const { out } = await runOn(machine, "secret-list", "--json");
    expect(JSON.parse(out)).toEqual([
      { uuid: SECRET_UUID, usage: { type: "iscsi", id: "iscsi-a" }, ephemeral: false, private: true },
    ]);
    expect(out).not.toContain("Z2Vo");
  });
});

describe("a value is refused", () => {
  test.each([
    [["--base64", "Z2VoZWlt"], 2, "Passing secret value as command-line argument is insecure!"],
    [[], 2, "Input secret value is missing"],
    [["--file", FILE], 2, "it is not in Base64"],
  ])("with %p", async (words, code, message) => {
    const { machine } = await prepared();
    const said = await runOn(machine, "secret-set-value", SECRET_UUID, ...words);
    expect([said.code, said.err]).toEqual([code, expect.stringContaining(message)]);
    expect(said.err).not.toContain("Z2VoZWlt");
    expect((await runOn(machine, "secret-get-value", SECRET_UUID)).out).toBe("Z2VoZWlt\n");
  });

  test("with more than virsh's 1024 bytes", async () => {
    const { set } = await prepared("", "a".repeat(1025));
    expect([set.code, set.err]).toEqual([2, expect.stringContaining("it has more than 1024 bytes")]);
  });

  test("to all commands if it is private", async () => {
    const { machine } = await prepared("private='yes'");
    expect((await runOn(machine, "secret-get-value", SECRET_UUID)).err).toContain("secret is private");
  });
});
