import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECRET_UUID, secretXml } from "../scenes/secrets.ts";
import { lackOf, makeFolder, onNewNode, TEST_MS } from "./client-node.ts";

const ASIDE = lackOf(["virsh"]);
const folder = makeFolder();
writeFileSync(join(folder, "secret.xml"), secretXml());
writeFileSync(join(folder, "ephemeral.xml"), secretXml({ attributes: "ephemeral='yes'" }));
writeFileSync(join(folder, "private.xml"), secretXml({ attributes: "private='yes'" }));

describe.skipIf(ASIDE !== "")(`stock virsh keeps secrets on svirt${ASIDE}`, () => {
  test(
    "defines one, sets its value, shows both, makes it private and removes it",
    () => {
      const [define, set, get, list, filtered, dump, reads, , hidden, files, undefine, empty] = onNewNode(
        folder,
        [
          "virsh secret-define secret.xml",
          `printf geheim >value; virsh secret-set-value ${SECRET_UUID} --plain --file value`,
          `virsh secret-get-value ${SECRET_UUID}`,
          "virsh secret-list",
          "virsh secret-list --ephemeral",
          `virsh secret-dumpxml ${SECRET_UUID}`,
          `virsh -r secret-get-value ${SECRET_UUID}`,
          "virsh secret-define private.xml",
          `virsh secret-get-value ${SECRET_UUID}`,
          "stat -c '%a %U %n' /etc/svirt/secrets/*",
          `virsh secret-undefine ${SECRET_UUID}`,
          "virsh secret-list; ls /etc/svirt/secrets",
        ],
      );
      expect([define?.out, set?.out, get?.out]).toEqual([
        `Secret ${SECRET_UUID} created`,
        "Secret value set",
        "Z2VoZWlt",
      ]);
      expect(list?.out).toContain(`${SECRET_UUID}   iscsi iscsi-a`);
      expect(filtered?.out).not.toContain(SECRET_UUID);
      expect(dump?.out).toBe(
        `<secret ephemeral='no' private='no'>\n  <uuid>${SECRET_UUID}</uuid>\n  <usage type='iscsi'>\n    <target>iscsi-a</target>\n  </usage>\n</secret>`,
      );
      expect([reads?.code, reads?.err]).toEqual([
        1,
        expect.stringContaining("read only access prevents virSecretGetValue"),
      ]);
      expect([hidden?.code, hidden?.err]).toEqual([
        1,
        expect.stringContaining("Invalid secret: secret is private"),
      ]);
      expect(files?.out.split("\n")).toEqual(
        [".base64", ".xml"].map((ending) => `600 root /etc/svirt/secrets/${SECRET_UUID}${ending}`),
      );
      expect([undefine?.out, empty?.out]).toEqual([
        `Secret ${SECRET_UUID} deleted`,
        " UUID   Usage\n---------------".trim(),
      ]);
    },
    TEST_MS,
  );

  test(
    "keeps the value of an ephemeral one in memory, and moves it to disk with its definition",
    () => {
      const said = onNewNode(folder, [
        "virsh secret-define ephemeral.xml",
        `printf Z2VoZWlt >value; virsh secret-set-value ${SECRET_UUID} --file value`,
        "cd /; ls etc/svirt/secrets/* run/svirt/secrets/* 2>/dev/null",
        "virsh secret-define secret.xml",
        "cd /; ls etc/svirt/secrets/* run/svirt/secrets/* 2>/dev/null",
        `virsh secret-get-value ${SECRET_UUID} --plain`,
      ]);
      const files = (folderOf: string): string =>
        [".base64", ".xml"].map((ending) => `${folderOf}/svirt/secrets/${SECRET_UUID}${ending}`).join("\n");
      expect([said[2]?.out, said[4]?.out, said[5]?.out]).toEqual([files("run"), files("etc"), "geheim"]);
    },
    TEST_MS,
  );
});
