import { describe, expect, test } from "bun:test";
import { readRecords } from "../../../src/state/record.ts";
import { destroyDomain } from "../../../src/vm/end/destroy.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import { runOn } from "../../cli/in-memory.ts";
import { extension, qcow2Bytes } from "../../images/qcow2-bytes.ts";
import { Machine } from "../../memory-host/machine.ts";
import { errorOf, nodeOn, reapAll } from "../../scenes/scene.ts";
import { readExceptions } from "../../vectors/exceptions.ts";
import {
  differences,
  readVectors,
  type Seen,
  seclabelIn,
  seenOfFiles,
  type Vector,
  withoutRange,
} from "../../vectors/vectors.ts";

const FOLDER = "/var/lib/images";
const vectors = readVectors(words);
const exceptions = readExceptions(words);
const needsData = vectors.length === 0 ? " (skipped: SVIRT_TEST_DATA is not set)" : "";

describe.skipIf(vectors.length === 0)(`labels that libvirt was seen to give${needsData}`, () => {
  test.each(vectors.map((vector) => [vector.name, vector] as const))(
    "%s: the same, or as the table of exceptions says",
    async (name, vector) => {
      const seen = await seenOf(vector);
      expect(differences(vector.recorded, seen)).toEqual(exceptions.get(name)?.differs ?? {});
    },
  );

  test("every exception is one of a vector", () => {
    const names = vectors.map(({ name }) => name);
    expect([...exceptions.keys()].filter((name) => !names.includes(name))).toEqual([]);
  });
});

/**
 * Replaces the recorded type of the images: no policy has it, and svirt lets no guest write files of unknown
 * types.
 */
function words(text: string): string {
  return text.replaceAll("@DIR@", FOLDER).replace(/\borig_t\b/g, "virt_image_t");
}

async function seenOf(vector: Vector): Promise<Seen> {
  const machine = machineWith(vector.files);
  const seen = new Map<string, string>();
  const started = startDomain(nodeOn(machine), new TextEncoder().encode(vector.xml));
  if (await hasStarted(started)) {
    const [guest] = readRecords(nodeOn(machine));
    const uuid = guest?.uuid ?? "";
    seen.set("process", machine.processes.qemuOf(uuid)?.context ?? "");
    seen.set("seclabel", seclabelIn((await runOn(machine, "dumpxml", uuid)).out));
    for (const [name, text] of filesOf("running", machine, vector)) seen.set(name, text);
    await destroyDomain(nodeOn(machine), uuid);
    await reapAll(machine);
  } else {
    seen.set("error", (await errorOf(started)).message);
  }
  for (const [name, text] of filesOf("after", machine, vector)) seen.set(name, text);
  return withoutRange(seen);
}

async function hasStarted(started: Promise<unknown>): Promise<boolean> {
  return await started.then(
    () => true,
    () => false,
  );
}

function filesOf(when: "running" | "after", machine: Machine, { files }: Vector): [string, string][] {
  const names = [...files.keys()];
  const attributes = names.map((name) => [
    name,
    Object.fromEntries(machine.files.get(`${FOLDER}/${name}`).xattrs),
  ]);
  return seenOfFiles(when, Object.fromEntries(attributes));
}

/** Returns the machine on which the vectors were recorded, with the files of one. ../shared/data/README.md */
function machineWith(files: Vector["files"]): Machine {
  const machine = new Machine();
  machine.ownContext = "system_u:system_r:virtd_t:s0-s0:c0.c1023";
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  const rules = new TextEncoder().encode("/.*\tsystem_u:object_r:lookup_t:s0\n");
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", { bytes: rules });
  machine.files.putFolder("/etc/svirt");
  const settings = new TextEncoder().encode("security_require_confined = 0\n");
  machine.files.put("/etc/svirt/svirt.conf", "file", { bytes: settings });
  for (const [name, label] of files) {
    const made = machine.files.put(`${FOLDER}/${name}`, "file", { bytes: contentOf(name) });
    if (label === undefined) made.xattrs.delete("security.selinux");
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
