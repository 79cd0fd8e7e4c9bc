import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseDomain } from "../../src/domain/document.ts";
import { listPeerSockets } from "../../src/domain/resources/peer-sockets.ts";
import { decideFileLabel } from "../../src/label/file-label.ts";
import { decideDynamicLabel } from "../../src/label/selinux-model.ts";
import { readPolicyFacts } from "../../src/report/policy-facts.ts";
import { resolveFiles, resolveResources } from "../../src/resolve/files/all.ts";
import type { ResolvedFile } from "../../src/resolve/resolved-file.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { Machine } from "../memory-host/machine.ts";
import { errorOf, nodeOn } from "../scenes/scene.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const needsData = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
/** Range that libvirt's own test chooses. */
const RANGE = "s0:c41,c264";

describe.skipIf(testData === undefined)(`libvirt's own cases of labels${needsData}`, () => {
  test.each(["disks", "kernel"])("%s: each file gets the label of the case", (name) => {
    const wanted = moved(wantedLabels(name));
    const machine = machineWith([...wanted.keys()]);
    const domain = parseDomain(withMoved(xmlOf(name), wanted));
    const { files } = resolveFiles(nodeOn(machine), domain, { makeMissing: false });
    expect(labelsOf(machine, files)).toEqual(wanted);
  });

  // The case expects no labels and a started guest. svirt starts no guest whose disk is open to other guests.
  test("nfs: a disk that can have no label is refused, weakness 11", async () => {
    const machine = new Machine();
    machine.files.put("/nfs", "folder", { mode: 0o755, fileSystem: { device: "0:60", keepsLabels: false } });
    machine.files.put("/nfs/plain.raw", "file", { bytes: new Uint8Array(4096) });
    const error = await errorOf(startDomain(nodeOn(machine), withoutScreen(xmlOf("nfs"))));
    expect(wantedLabels("nfs").get("/nfs/plain.raw")).toBe("EOPNOTSUPP");
    expect(error.kind).toBe("denied");
    expect(error.message).toStartWith("Cannot label /nfs/plain.raw: its file system stores no labels");
  });

  // The case also has a pipe of a single FIFO, with which svirt starts no guest.
  test("chardev: each socket that a guest is connected to gets the label of the case", () => {
    const machine = new Machine();
    const wanted = moved([...wantedLabels("chardev")].filter(([path]) => /label.sock/.test(path)));
    machine.files.putFolder(PLACE).xattrs.clear();
    for (const path of wanted.keys()) machine.files.put(path, "socket");
    const peers = listPeerSockets(parseDomain(withMoved(xmlOf("chardev"), wanted)).devices);
    const { files } = resolveResources(nodeOn(machine), peers, { makeMissing: false });
    expect(files).toHaveLength(3);
    expect(labelsOf(machine, files)).toEqual(wanted);
  });
});

/**
 * Folder for the files of the cases. In the cases they are in the root folder, where svirt lets no guest
 * write.
 */
const PLACE = "/srv";

function moved(wanted: Iterable<readonly [string, string]>): Map<string, string> {
  return new Map([...wanted].map(([path, label]) => [`${PLACE}${path}`, label]));
}

function withMoved(xml: Uint8Array, paths: ReadonlyMap<string, string>): Uint8Array {
  let text = new TextDecoder().decode(xml);
  for (const path of paths.keys()) {
    const before = path.slice(PLACE.length);
    for (const [start, end] of [
      ["'", "'"],
      [">", "<"],
    ])
      text = text.replaceAll(`${start}${before}${end}`, `${start}${path}${end}`);
  }
  return new TextEncoder().encode(text);
}

function labelsOf(machine: Machine, files: readonly ResolvedFile[]): ReadonlyMap<string, string> {
  const facts = readPolicyFacts(nodeOn(machine).host);
  const request = {
    model: "selinux",
    type: "dynamic",
    relabel: true,
    label: undefined,
    baseLabel: undefined,
  } as const;
  const kind = { virtType: "kvm", hasUserNetwork: false } as const;
  const decision = decideDynamicLabel(request, facts, { kind, range: RANGE });
  return new Map(
    files.map(({ named, override, role }) => [named, decideFileLabel(decision, role, override).to ?? ""]),
  );
}

function wantedLabels(name: string): ReadonlyMap<string, string> {
  const lines = new TextDecoder()
    .decode(read(`${name}.txt`))
    .trimEnd()
    .split("\n");
  return new Map(lines.map((line) => [line.split(";")[0] ?? "", line.split(";")[1] ?? ""]));
}

function xmlOf(name: string): Uint8Array {
  return read(`${name}.xml`);
}

/** Removes the screen on TCP, which svirt refuses and which has no label. */
function withoutScreen(xml: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(xml);
  return new TextEncoder().encode(text.replace(/<graphics.*<\/graphics>/s, ""));
}

function read(file: string): Uint8Array {
  return readFileSync(`${testData}/libvirt/securityselinuxlabeldata/${file}`);
}

function machineWith(paths: readonly string[]): Machine {
  const machine = new Machine();
  for (const path of paths) machine.files.put(path, "file", { bytes: new Uint8Array(4096) });
  return machine;
}
