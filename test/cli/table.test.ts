import { describe, expect, test } from "bun:test";
import { formatFacts, formatTable } from "../../src/cli/table.ts";

describe("formatTable()", () => {
  // Copied from virsh 11.3.0.
  test("lays a list out as virsh does", () => {
    const rows = [
      ["1", "vm-one", "running"],
      ["-", "vm-two", "shut off"],
    ];
    expect(formatTable(["Id", "Name", "State"], rows)).toBe(
      [
        " Id   Name     State",
        "-------------------------",
        " 1    vm-one   running",
        " -    vm-two   shut off",
        "",
        "",
      ].join("\n"),
    );
  });

  test("without rows prints the header and the dashes", () => {
    // Sum of width + 3: 2 + 3, 4 + 3, 5 + 3.
    expect(formatTable(["Id", "Name", "State"], [])).toBe(` Id   Name   State\n${"-".repeat(20)}\n\n`);
  });

  test("counts a letter that takes two units of UTF-16 once", () => {
    const [, dashes = ""] = formatTable(["A"], [["𝐱𝐱𝐱"]]).split("\n");
    expect(dashes).toHaveLength(6);
  });
});

describe("formatFacts()", () => {
  test("lays dominfo out as virsh does", () => {
    expect(
      formatFacts([
        ["Id", "1"],
        ["Name", "vm-one"],
        ["UUID", "6ca317fc-5004-49bf-8cd8-26628e15f990"],
        ["CPU time", undefined],
        ["Max memory", "65536 KiB"],
        ["Managed save", "no"],
        ["Security model", "selinux"],
        ["Security label", "system_u:system_r:svirt_tcg_t:s0:c586,c724 (enforcing)"],
      ]),
    ).toBe(
      [
        "Id:             1",
        "Name:           vm-one",
        "UUID:           6ca317fc-5004-49bf-8cd8-26628e15f990",
        "Max memory:     65536 KiB",
        "Managed save:   no",
        "Security model: selinux",
        "Security label: system_u:system_r:svirt_tcg_t:s0:c586,c724 (enforcing)",
        "",
        "",
      ].join("\n"),
    );
  });
});
