import { describe, expect, test } from "bun:test";
import { cellWidth } from "../../../src/cli/output/cell-width.ts";
import { formatFacts, formatTable } from "../../../src/cli/output/table.ts";

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

  test("keeps columns straight where letters take two columns, or none", () => {
    const rows = ["虚拟机", "かなカナ", "가상", "cafe\u0301", "ＶＭ", "🐧🐧", "plain", "Ünïcode", "한글"].map(
      (name) => [name, "on"],
    );
    const lines = formatTable(["Name", "State"], rows).split("\n");
    // Compares with bun's own measure.
    const columns = lines.slice(2, -2).map((line) => Bun.stringWidth(line.slice(0, line.lastIndexOf("on"))));
    expect(new Set(columns)).toEqual(new Set([Bun.stringWidth(" かなカナ   ")]));
    expect(lines[1]).toHaveLength(8 + 3 + 5 + 3);
  });

  test("measures letters as bun does, but for marks that have a column of their own", () => {
    const differing: string[] = [];
    for (let code = 0x300; code < 0x20_000; code += 1) {
      const letter = String.fromCodePoint(code);
      if (/[\p{C}\p{Zl}\p{Zp}\p{Mc}]/u.test(letter)) continue;
      if (cellWidth(letter) !== Bun.stringWidth(letter)) differing.push(code.toString(16));
    }
    // Regional indicators, which form flags in pairs, and circled numbers.
    expect(differing.length).toBeLessThan(50);
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
