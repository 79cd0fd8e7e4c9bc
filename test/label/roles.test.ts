import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import type { Resource } from "../../src/domain/resources/resource.ts";
import type { RoleRow } from "../../src/label/role.ts";
import { LABEL_ROLES } from "../../src/label/roles.ts";
import { resolveResources } from "../../src/resolve/files/all.ts";
import { Machine } from "../memory-host/machine.ts";
import { errorOf, nodeOn } from "../scenes/scene.ts";

const SRC = new URL("../../src/", import.meta.url).pathname;
const LITERAL = /\brole: "(?:private|folder|shared|content|host)"/;

describe("the table of roles", () => {
  test("is the only file of src/ that gives a role", async () => {
    const files = [...new Glob("**/*.ts").scanSync(SRC)].filter((file) => file !== "label/roles.ts");
    const texts = await Promise.all(
      files.map(async (file) => [file, await Bun.file(SRC + file).text()] as const),
    );
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.filter(([, text]) => LITERAL.test(text)).map(([file]) => file)).toEqual([]);
  });

  test("has a reason for each row, and every role in use", () => {
    const rows = Object.values(LABEL_ROLES).flatMap((uses) => Object.values<RoleRow>(uses));
    expect(rows.filter(({ reason, xml }) => reason === "" || xml === "")).toEqual([]);
    expect([...new Set(rows.map(({ role }) => role))].sort()).toEqual([
      "content",
      "folder",
      "host",
      "private",
      "refused",
      "shared",
    ]);
  });

  test.each<Resource>([
    { kind: "host-file", path: "/srv/file", access: "read-write" },
    { kind: "host-device", path: "/dev/device" },
    { kind: "host-socket", path: "/srv/socket", mode: "connect" },
  ])("a resource of the refused kind $kind is given to no guest", async (resource) => {
    expect(Object.values<RoleRow>(LABEL_ROLES[resource.kind]).map(({ role }) => role)).toEqual(["refused"]);
    const node = nodeOn(new Machine());
    const gathering = Promise.resolve().then(() =>
      resolveResources(node, [resource], { makeMissing: false }),
    );
    expect(await errorOf(gathering)).toMatchObject({ kind: "unsupported" });
  });
});
