import { expect, test } from "bun:test";
import type { Machine } from "../../../memory-host/machine.ts";
import { BRIDGE, LAN_UUID, networkXml } from "../../../scenes/networks.ts";
import { makeMachine } from "../../../scenes/scene.ts";
import { runOn } from "../../in-memory.ts";

// Texts of virsh 11.3.0 with libvirtd.

async function machineWith(content = BRIDGE): Promise<Machine> {
  const machine = makeMachine();
  machine.taps.addBridge("br0");
  machine.files.put("/lan.xml", "file", { bytes: networkXml(content, "lan", LAN_UUID) });
  await runOn(machine, "net-define", "/lan.xml");
  return machine;
}

async function said(machine: Machine, ...words: readonly string[]): Promise<string> {
  const { code, err, out } = await runOn(machine, ...words);
  return `${code} ${out}${err}`;
}

test("net-desc sets, shows and removes the description and the title", async () => {
  const machine = await machineWith();
  for (const [words, text] of [
    [[], "No description for network: lan"],
    [["two", "words"], "Network description updated successfully"],
    [[], "two words"],
    [["--title", "T"], "Network title updated successfully"],
    [["--title"], "T"],
    [["--title", ""], "Network title updated successfully"],
    [["--title"], "No title for network: lan"],
  ] as const)
    expect([words, await said(machine, "net-desc", "lan", ...words)]).toEqual([words, `0 ${text}\n`]);
  expect(await said(machine, "net-dumpxml", "lan")).toContain("<description>two words</description>");
  expect(await said(machine, "net-desc", "lan", "--title", "a\nb")).toStartWith(
    "2 error: metadata title can't contain newlines",
  );
});

test("net-desc and net-dumpxml put nothing on the terminal that it would obey", async () => {
  const machine = await machineWith(`<description>a\u009b31m\u202eb\u007f</description>${BRIDGE}`);
  expect(await said(machine, "net-desc", "lan")).toBe("0 a?31m?b?\n");
  const { out } = await runOn(machine, "net-dumpxml", "lan");
  expect(out).toContain("<description>a&#155;31m&#8238;b&#127;</description>");
  // The XML still says the same.
  machine.files.put("/again.xml", "file", { bytes: new TextEncoder().encode(out) });
  await runOn(machine, "net-define", "/again.xml");
  expect((await runOn(machine, "net-dumpxml", "lan")).out).toBe(out);
});

test("net-desc of an active network changes it, its definition, or both", async () => {
  const machine = await machineWith();
  expect(await said(machine, "net-desc", "lan", "x", "--live")).toContain("network is not running");
  await runOn(machine, "net-start", "lan");
  await runOn(machine, "net-desc", "lan", "active");
  await runOn(machine, "net-desc", "lan", "defined", "--config");
  expect(await said(machine, "net-desc", "lan")).toBe("0 active\n");
  expect(await said(machine, "net-desc", "lan", "--config")).toBe("0 defined\n");
  await runOn(machine, "net-desc", "lan", "both", "--live", "--config");
  expect(await said(machine, "net-desc", "lan", "--live")).toBe("0 both\n");
  expect(await said(machine, "net-desc", "lan", "--config")).toBe("0 both\n");
});

test("net-metadata sets, shows and removes the element of a namespace", async () => {
  const machine = await machineWith();
  const metadata = (...words: readonly string[]): Promise<string> =>
    said(machine, "net-metadata", "lan", "urn:app", ...words);
  expect(await metadata()).toBe("0 \n\n");
  expect(await metadata("--set", "<a/>")).toContain("namespace key is required when modifying metadata");
  expect(await metadata("--set", "<a n='1'/>", "--key", "app")).toBe("0 Metadata modified\n\n");
  expect(await metadata()).toBe("0 <a n='1'/>\n\n");
  expect(await said(machine, "net-dumpxml", "lan")).toContain(`<app:a xmlns:app="urn:app" n='1'/>`);
  expect(await metadata("--set", "<a", "--key", "app")).toStartWith("2 ");
  expect(await metadata()).toBe("0 <a n='1'/>\n\n");
  expect(await metadata("--remove")).toBe("0 Metadata removed\n\n");
  expect(await said(machine, "net-dumpxml", "lan")).not.toContain("metadata");
});
