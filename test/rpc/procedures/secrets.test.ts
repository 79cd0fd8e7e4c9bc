import { describe, expect, test } from "bun:test";
import { defineSecret } from "../../../src/vm/secret/define-secret.ts";
import { setSecretValue } from "../../../src/vm/secret/secret-value.ts";
import { makeMachine, nodeOn } from "../../scenes/scene.ts";
import { SECRET_UUID, secretValue, secretXml } from "../../scenes/secrets.ts";
import { asked, call, errorIn, text, word } from "../remote-client.ts";

/** A secret of an iSCSI target: UUID, VIR_SECRET_USAGE_TYPE_ISCSI and the target. remote_nonnull_secret */
const SECRET = SECRET_UUID.replaceAll("-", "") + word(3) + text("iscsi-a");
const HEX = Buffer.from("geheim").toString("hex");

/** Returns a node with the secret and its value. */
async function nodeWith(attributes = "") {
  const node = nodeOn(makeMachine());
  await defineSecret(node, secretXml({ attributes }));
  await setSecretValue(node, SECRET_UUID, secretValue("geheim"));
  return node;
}

describe("secrets", () => {
  test("are counted, listed and found", async () => {
    const node = await nodeWith();
    const payloads: string[] = [];
    for (const packet of [
      call(139),
      call(140, word(5)),
      call(140, word(0)),
      call(287, word(1) + word(0)),
      call(287, word(0) + word(0)),
      call(287, word(1) + word(1)),
      call(141, SECRET_UUID.replaceAll("-", "")),
      call(147, word(3) + text("iscsi-a")),
    ])
      payloads.push((await asked(node, packet, 1)).payload);
    expect(payloads).toEqual([
      word(1),
      word(1) + text(SECRET_UUID),
      word(0),
      word(1) + SECRET + word(1),
      word(0) + word(1),
      word(0) + word(0),
      SECRET,
      SECRET,
    ]);
  });

  test("are defined, get a value and are removed", async () => {
    const node = nodeOn(makeMachine());
    const xml = new TextDecoder().decode(secretXml());
    expect((await asked(node, call(142, text(xml) + word(1)))).payload).toBe(SECRET);
    const value = word(6) + HEX.padEnd(16, "0");
    expect((await asked(node, call(144, SECRET + value + word(0)))).status).toBe(0);
    expect((await asked(node, call(145, SECRET + word(0)))).payload).toBe(value);
    expect((await asked(node, call(146, SECRET))).status).toBe(0);
    expect(errorIn(await asked(node, call(143, SECRET + word(0))))).toEqual({
      code: 66,
      domain: 30,
      message: `Secret not found: no secret with matching uuid '${SECRET_UUID}'`,
    });
  });

  test.each(["", "private='yes'"])(
    "with %p give no value to a connection for reading",
    async (attributes) => {
      const reply = await asked(await nodeWith(attributes), call(145, SECRET + word(0)), 1);
      expect(errorIn(reply)).toEqual({
        code: 29,
        domain: 30,
        message: "operation forbidden: read only access prevents virSecretGetValue",
      });
      expect(reply.payload).not.toContain(HEX);
    },
  );

  test("that are private give none to any client", async () => {
    const reply = await asked(await nodeWith("private='yes'"), call(145, SECRET + word(0)));
    expect(errorIn(reply)).toEqual({ code: 65, domain: 30, message: "Invalid secret: secret is private" });
  });

  test("of another use are not found", async () => {
    const node = await nodeWith();
    for (const usage of [word(2) + text("iscsi-a"), word(0) + text(""), word(-1) + text("iscsi-a")])
      expect(errorIn(await asked(node, call(147, usage)))?.code).toBe(66);
  });

  test("with other flags and longer values are refused", async () => {
    const node = await nodeWith();
    expect(errorIn(await asked(node, call(145, SECRET + word(2))))).toEqual({
      code: 8,
      domain: 30,
      message: "unsupported flags (0x2) in function secretGetValue",
    });
    // REMOTE_SECRET_VALUE_MAX is 65536.
    const long = word(65_540) + "61".repeat(65_540);
    expect((await asked(node, call(144, SECRET + long + word(0)))).status).toBe(1);
  });
});
