import { describe, expect, test } from "bun:test";
import { parseArguments } from "../../../src/cli/arguments/parse-arguments.ts";
import type { CommandSpec } from "../../../src/cli/command.ts";
import { SvirtError } from "../../../src/errors.ts";

const LIST: CommandSpec = {
  name: "list",
  summary: "",
  operands: [],
  options: [{ name: "all", summary: "" }],
};
const SHUTDOWN: CommandSpec = {
  name: "shutdown",
  summary: "",
  operands: [{ name: "domain", summary: "" }],
  options: [{ name: "timeout", summary: "", value: "SECONDS" }],
};
const MONITOR: CommandSpec = {
  name: "qemu-monitor-command",
  summary: "",
  operands: [
    { name: "domain", summary: "" },
    { name: "cmd", summary: "", isRepeated: true },
  ],
  options: [{ name: "pretty", summary: "" }],
};
const DUMP: CommandSpec = {
  name: "dump",
  summary: "",
  operands: [
    { name: "domain", summary: "" },
    { name: "file", summary: "", isOptional: true },
  ],
  options: [],
};

const LABEL: CommandSpec = {
  name: "label restore",
  summary: "",
  operands: [{ name: "path", summary: "", isRepeated: true }],
  options: [{ name: "dry-run", short: "n", summary: "" }],
};

const operandsOf = (spec: CommandSpec, words: readonly string[]): unknown =>
  Object.fromEntries(parseArguments(spec, words).operands);
const optionsOf = (spec: CommandSpec, words: readonly string[]): unknown =>
  Object.fromEntries(parseArguments(spec, words).options);

describe("parseArguments()", () => {
  test("takes an operand by its place or by its name, as virsh does", () => {
    for (const words of [["vm1"], ["--domain", "vm1"], ["--domain=vm1"]]) {
      expect(operandsOf(SHUTDOWN, words)).toEqual({ domain: "vm1" });
    }
  });

  test("takes a list of operands with options among them, in their long or short form", () => {
    for (const words of [
      ["-n", "/a", "/b"],
      ["/a", "--dry-run", "/b"],
      ["/a", "/b", "-n"],
    ]) {
      const { options, rest } = parseArguments(LABEL, words);
      expect([rest, [...options.keys()]]).toEqual([["/a", "/b"], ["dry-run"]]);
    }
    expect(parseArguments(LABEL, ["--", "-n", "--dry-run"]).rest).toEqual(["-n", "--dry-run"]);
    expect(() => parseArguments(LABEL, ["-n"])).toThrow("command 'label restore' requires <path> option");
  });

  test("takes a letter that stands for no option of the command for an operand", () => {
    expect(operandsOf(SHUTDOWN, ["-n"])).toEqual({ domain: "-n" });
  });

  test("takes options before, between and after operands", () => {
    for (const words of [
      ["vm1", "--timeout", "5"],
      ["--timeout", "5", "vm1"],
      ["--timeout=5", "vm1"],
    ]) {
      expect([operandsOf(SHUTDOWN, words), optionsOf(SHUTDOWN, words)]).toEqual([
        { domain: "vm1" },
        { timeout: "5" },
      ]);
    }
  });

  test("gives the next place to the next operand when the first was named", () => {
    expect(operandsOf(DUMP, ["--domain", "vm1", "out"])).toEqual({ domain: "vm1", file: "out" });
    expect(operandsOf(DUMP, ["vm1"])).toEqual({ domain: "vm1" });
  });

  test("takes what begins with dashes as a name after --", () => {
    expect(operandsOf(SHUTDOWN, ["--", "--timeout"])).toEqual({ domain: "--timeout" });
  });

  test("gives a lone dash to the operand: standard input", () => {
    expect(operandsOf(SHUTDOWN, ["-"])).toEqual({ domain: "-" });
  });

  test("takes options after a list, and after -- none", () => {
    const parsed = parseArguments(MONITOR, ["vm1", "info", "-a", "--pretty", "--", "--pretty", "--", "x"]);
    expect(parsed.rest).toEqual(["info", "-a", "--pretty", "--", "x"]);
    expect(Object.fromEntries(parsed.options)).toEqual({ pretty: "" });
  });

  test("does not ask for operands when help is wanted", () => {
    expect(optionsOf(SHUTDOWN, ["--help"])).toEqual({ help: "" });
  });

  // Messages of virsh 11.3.0.
  test.each([
    [SHUTDOWN, [], "command 'shutdown' requires <domain> option"],
    [LIST, ["--bad"], "command 'list' doesn't support option --bad"],
    [LIST, ["--constructor"], "command 'list' doesn't support option --constructor"],
    [SHUTDOWN, [""], "command 'shutdown' requires <domain> option"],
    [LIST, ["vm1"], "unexpected data 'vm1'"],
    [SHUTDOWN, ["vm1", "--timeout"], "--timeout <SECONDS>"],
    [LIST, ["--all=yes"], "option --all takes no value"],
    [MONITOR, ["vm1"], "command 'qemu-monitor-command' requires <cmd> option"],
  ] as const)("of $name with %j fails as virsh does: %s", (spec, words, message) => {
    const attempt = (): unknown => parseArguments(spec, words);
    expect(attempt).toThrow(SvirtError);
    expect(attempt).toThrow(message);
    expect(attempt).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});
