import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { destroyDomain } from "../../src/vm/destroy.ts";
import { readRecords } from "../../src/vm/record.ts";
import { startDomain } from "../../src/vm/start.ts";
import { Machine } from "../memory-host/machine.ts";
import { extension, qcow2Bytes } from "../storage/qcow2-bytes.ts";
import { errorOf, labelOf, nodeOn, reapAll } from "./scene.ts";

const testData = process.env["SVIRT_TEST_DATA"];
const needsData = testData === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";
const FOLDER = "/var/lib/images";
const REMEMBERED = "trusted.libvirt.security.selinux";

const attributes = v.record(v.string(), v.nullable(v.string()));
const files = v.record(v.string(), attributes);
const vector = v.object({
  name: v.string(),
  domain_xml: v.string(),
  files_before: files,
  running: v.optional(v.object({ process_label: v.string(), files })),
  files_after_destroy: v.optional(files),
});
type Vector = v.InferOutput<typeof vector>;

const vectors: readonly Vector[] =
  testData === undefined
    ? []
    : v.parse(
        v.object({ vectors: v.array(vector) }),
        JSON.parse(readFileSync(`${testData}/labels/vectors.json`, "utf8")),
      ).vectors;

/** Where svirt does otherwise by decision: what it refuses with, or undefined where it starts what libvirt refuses. */
const OTHERWISE: ReadonlyMap<string, string | undefined> = new Map([
  // libvirt ignores the attribute.
  ["disk-override-labelskip-input", "svirt labels every file that can have a label"],
  ["serial-unix-bind", "lies outside its own folder"],
  // selinux is the one model of svirt that takes a label: it need not be named.
  ["domain-static-no-model", undefined],
  ["domain-dynamic-baselabel-no-model", undefined],
]);
/** libvirt labels a serial port's file even where the XML says not to: we do not. */
const KEEPS_ITS_LABEL = "serial-file-override-no";

const same = vectors.filter(({ name }) => !OTHERWISE.has(name));

describe.skipIf(testData === undefined)(`labels that libvirt was seen to give${needsData}`, () => {
  test.each(same.filter(({ running }) => running !== undefined).map(({ name }) => name))(
    "%s: the same while the guest runs, and afterwards as they were",
    async (name) => {
      const { domain_xml: xml, files_after_destroy: after, files_before: before, running } = find(name);
      const machine = machineWith(before);
      await startDomain(nodeOn(machine), bytesOf(xml));
      const [guest] = readRecords(nodeOn(machine));
      expect(normal(machine.processes.qemuOf(guest?.uuid ?? "")?.context)).toBe(running?.process_label);
      const wanted = name === KEEPS_ITS_LABEL ? before : running?.files;
      expect(labelsOf(machine, wanted)).toEqual(recordedLabels(wanted));
      expectRemembered(machine, wanted);
      await destroyDomain(nodeOn(machine), guest?.uuid ?? "");
      await reapAll(machine);
      // libvirt never restores what guests share or only read: we do.
      expect(labelsOf(machine, after)).toEqual({ ...recordedLabels(after), ...recordedLabels(before) });
    },
  );

  test.each(same.filter(({ running }) => running === undefined).map(({ name }) => name))(
    "%s: refused as well, and nothing is labelled",
    async (name) => {
      const { domain_xml: xml, files_before: before } = find(name);
      const machine = machineWith(before);
      await errorOf(startDomain(nodeOn(machine), bytesOf(xml)));
      expect(labelsOf(machine, before)).toEqual(recordedLabels(before));
    },
  );

  test.each([...OTHERWISE].filter(([name]) => vectors.some((each) => each.name === name)))(
    "%s: otherwise, by decision: %s",
    async (name, refusal) => {
      const { domain_xml: xml, files_before: before } = find(name);
      const machine = machineWith(before);
      const started = startDomain(nodeOn(machine), bytesOf(xml));
      if (refusal === undefined) expect((await started).did).toBe(true);
      else expect((await errorOf(started)).message).toContain(refusal);
    },
  );
});

function labelsOf(
  machine: Machine,
  of: Vector["files_before"] | undefined,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.keys(of ?? {}).map((name) => [name, normal(labelOf(machine, `${FOLDER}/${name}`))]),
  );
}

/** Of the files that had or got a label. */
function recordedLabels(of: Vector["files_before"] | undefined): Record<string, string> {
  const labels = Object.entries(of ?? {}).map(
    ([name, { "security.selinux": label }]) => [name, label] as const,
  );
  return Object.fromEntries(
    labels.flatMap(([name, label]) => (typeof label === "string" ? [[name, label]] : [])),
  );
}

/** We remember more than libvirt, which forgets what it never restores. */
function expectRemembered(machine: Machine, wanted: Vector["files_before"] | undefined): void {
  for (const [name, { [REMEMBERED]: label }] of Object.entries(wanted ?? {})) {
    if (typeof label === "string")
      expect(machine.files.get(`${FOLDER}/${name}`).xattrs.get(REMEMBERED)).toBe(label);
  }
}

function find(name: string): Vector {
  const found = vectors.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no vector ${name}`);
  return found;
}

/** The machine that the vectors were recorded on, with the files of one. ../shared/data/README.md */
function machineWith(before: Vector["files_before"]): Machine {
  const machine = new Machine();
  machine.ownContext = "system_u:system_r:virtd_t:s0-s0:c0.c1023";
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  const rules = new TextEncoder().encode("/.*\tsystem_u:object_r:lookup_t:s0\n");
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", { bytes: rules });
  machine.files.putFolder("/etc/svirt");
  const settings = new TextEncoder().encode("security_require_confined = 0\n");
  machine.files.put("/etc/svirt/svirt.conf", "file", { bytes: settings });
  for (const [name, { "security.selinux": label }] of Object.entries(before)) {
    const made = machine.files.put(`${FOLDER}/${name}`, "file", { bytes: contentOf(name) });
    if (label === null || label === undefined) made.xattrs.delete("security.selinux");
    else made.xattrs.set("security.selinux", label);
  }
  machine.files.put(`${FOLDER}/l.raw`, "symlink", { target: "a.raw" });
  return machine;
}

function contentOf(name: string): Uint8Array {
  const below = new Map([
    ["top.qcow2", "mid.qcow2"],
    ["mid.qcow2", "base.qcow2"],
  ]).get(name);
  if (below !== undefined)
    return qcow2Bytes({ backingFile: below, extensions: [[extension.backingFormat, "qcow2"]] });
  return name.endsWith(".qcow2") ? qcow2Bytes({}) : new Uint8Array(4096);
}

function bytesOf(xml: string): Uint8Array {
  return new TextEncoder().encode(xml.replaceAll("@DIR@", FOLDER));
}

/** As the vectors write a range that was chosen. */
function normal(label: string | undefined): string | undefined {
  return label?.replace(/:s0:c(\d+),c(\d+)$/, (pair, a, b) => (a === "5" && b === "6" ? pair : ":s0:cA,cB"));
}
