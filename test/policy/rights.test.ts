// In turn: it takes seconds of a processor.
import { expect, test } from "bun:test";
import {
  binaryOf,
  findBuiltPolicy,
  needsSetools,
  type Policy,
  parseRule,
  readPolicy,
} from "./built-policy.ts";
import { rightsOf, waysInto } from "./rights.ts";
import { formatRightsTable } from "./rights-table.ts";

const folder = findBuiltPolicy();
const needsPolicy =
  folder === undefined
    ? " (skipped: the policy of this checkout is not built, run image/build)"
    : needsSetools;

test.skipIf(needsPolicy !== "")(
  `guests and svirt may do what rights.txt lists, and nothing else${needsPolicy}`,
  async () => {
    const table = await Bun.file(new URL("rights.txt", import.meta.url)).text();
    expect(formatRightsTable(readPolicy(binaryOf(folder ?? "")))).toBe(table);
  },
  60_000,
);

/** Returns the lines of rights.txt about guests: of all kinds, or of some. */
async function guestLines(): Promise<readonly { readonly of: string; readonly line: string }[]> {
  const text = await Bun.file(new URL("rights.txt", import.meta.url)).text();
  const sections = text.split("\n== ").slice(1);
  return sections
    .filter((section) => /^svirt_(?!manager|peer).* may\n/.test(section))
    .flatMap((section) => {
      const [of = "", ...lines] = section.trimEnd().split("\n");
      return lines.map((line) => ({ of, line }));
    });
}

/** Returns the domains and target of each line that the expression matches. */
async function whoMay(what: RegExp): Promise<readonly string[]> {
  const found = (await guestLines()).filter(({ line }) => what.test(line));
  return found.map(
    ({ of, line }) => `${of.includes("svirt_t ") ? "all" : of.replace(/ may$/, "")}: ${line.split(" ")[0]}`,
  );
}

const NET = "svirt_net_t svirt_net_usb_t svirt_tcg_net_t svirt_tcg_net_usb_t";
const USB = "svirt_net_usb_t svirt_tcg_net_usb_t svirt_tcg_usb_t svirt_usb_t";

test("the lines about guests are those of the domains that are labelled as guests", async () => {
  const text = await Bun.file(new URL("rights.txt", import.meta.url)).text();
  const guests = /^== who may become or take over (.*svirt_t.*)$/m.exec(text)?.[1]?.split(" ") ?? [];
  const found = (await guestLines()).flatMap(({ of }) => of.replace(/ may$/, "").split(" "));
  expect([...new Set(found)].toSorted()).toEqual(guests.toSorted());
});

test("no guest may start a program, or become another domain", async () => {
  expect(await whoMay(/ \{.* (?:execute_no_trans|transition|dyntransition|execstack|execheap) /)).toEqual([]);
  expect(await whoMay(/ capability2? /)).toEqual([]);
});

test("a guest lists its own folder, content, time zones and NUMA nodes; only a USB guest /dev and /sys", async () => {
  expect(await whoMay(/ dir \{.* read /)).toEqual([
    ...["locale_t", "self", "svirt_folder_t", "svirt_image_t", "svirt_topology_t", "virt_content_t"].map(
      (type) => `all: ${type}`,
    ),
    `${NET}: net_conf_t`,
    `${USB}: device_t`,
    `${USB}: sysfs_t`,
  ]);
});

test("a guest makes files in its own folders, and nowhere else", async () => {
  expect(await whoMay(/ dir \{.* ?add_name /)).toEqual([
    "all: self",
    "all: svirt_folder_t",
    "all: svirt_image_t",
  ]);
});

test("a guest changes mode and owner in its own folders alone, and of sockets that it makes", async () => {
  expect(await whoMay(/ (?:file|blk_file|chr_file|fifo_file|dir) \{.* setattr /)).toEqual([
    "all: self",
    ...["dir", "fifo_file", "file"].map(() => "all: svirt_folder_t"),
  ]);
});

test("a guest locks files of its own alone", async () => {
  expect(new Set(await whoMay(/ \{.* lock /))).toEqual(
    new Set(["all: self", "all: svirt_folder_t", "all: svirt_image_t"]),
  );
  expect(await whoMay(/^svirt_image_t (?:blk_file|chr_file|dir) \{.* lock /)).toEqual([]);
});

test("only a guest with user networking makes IP sockets, and none listens but on one that svirt has handed it", async () => {
  expect(await whoMay(/ (?:tcp|udp)_socket \{.* create /)).toEqual([`${NET}: self`, `${NET}: self`]);
  expect(await whoMay(/ (?:tcp|udp)_socket \{.* (?:listen|accept) /)).toEqual(["all: svirt_manager_t"]);
  expect(await whoMay(/ (?:tcp|udp)_socket \{.* name_bind /)).toEqual([]);
});

test("only a guest without KVM makes code at run time", async () => {
  expect(await whoMay(/ process \{ (?:.* )?execmem /)).toEqual([
    "svirt_tcg_net_t svirt_tcg_net_usb_t svirt_tcg_t svirt_tcg_usb_t: self",
  ]);
});

const SMALL: Policy = {
  rules: [
    "allow virt_domain qemu_exec_t:file { execute read };",
    "allow a_t a_t:process fork;",
    "allow b_t b_t:process { execmem fork };",
    "allow b_t deny_rule_attr_1:dir search;",
    "allow a_t disk_t:file write; [ some_boolean ]:False",
    "allow init_t virt_domain:process { sigkill transition };",
    "allow other_t disk_t:file write;",
  ].map(parseRule),
  extended: [],
  attributes: new Map([
    ["virt_domain", new Set(["a_t", "b_t"])],
    ["deny_rule_attr_1", new Set(["etc_t", "var_t"])],
  ]),
};

test("rightsOf() tells what all may do, and then what only some may", () => {
  expect(rightsOf(SMALL, ["a_t", "b_t"])).toEqual([
    { domains: ["a_t", "b_t"], lines: ["qemu_exec_t file { execute read }", "self process { fork }"] },
    { domains: ["a_t"], lines: ["disk_t file { write } if not some_boolean"] },
    { domains: ["b_t"], lines: ["etc_t dir { search }", "self process { execmem }", "var_t dir { search }"] },
  ]);
});

test("waysInto() tells who may become such a domain", () => {
  expect(waysInto(SMALL, ["b_t"])).toEqual(["transition { init_t }"]);
});

test("parseRule() refuses what sesearch does not print", () => {
  expect(() => parseRule("neverallow a b:c d;")).toThrow("Cannot read what sesearch printed");
});
