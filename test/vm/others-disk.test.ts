import { beforeEach, describe, expect, test } from "bun:test";
import { defineDomain } from "../../src/vm/define.ts";
import { startDomain } from "../../src/vm/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import { extension, qcow2Bytes } from "../storage/qcow2-bytes.ts";
import { diskXml, domainXml, failedStart, labelOf, makeMachine, nodeOn } from "./scene.ts";

const OTHER = "99999999-2222-4333-8444-000000000009";
const [OWN, DISK] = ["/var/lib/images/top.qcow2", "/var/lib/images/private1.raw"];
/** qemu.git docs/interop/qcow2.rst: the data are in another file, by the third of the incompatible features. */
const WITH_DATA = { features: 4n, extensions: [[extension.dataFile, "private1.raw"]] } as const;

let machine: Machine;

/** What a guest that has taken its QEMU over writes into the header of its image. */
function write(wish: Parameters<typeof qcow2Bytes>[0]): void {
  machine.files.get(OWN).bytes = qcow2Bytes(wish);
}

async function define(disk: string): Promise<void> {
  await defineDomain(nodeOn(machine), domainXml({ name: "vm2", uuid: OTHER, disks: disk }));
}

beforeEach(() => {
  machine = makeMachine();
});

describe("an image whose header names a disk that another definition has for itself", () => {
  const headers = {
    "as backing file": { backingFile: "private1.raw", extensions: [[extension.backingFormat, "raw"]] },
    "by another name": { backingFile: "alias", extensions: [[extension.backingFormat, "raw"]] },
  } as const;

  test.each(Object.entries(headers))("%s does not get it to its guest", async (_, header) => {
    machine.files.put("/var/lib/images/alias", "symlink", { target: DISK });
    write(header);
    await define(diskXml(DISK, "vda"));
    const before = snapshot(machine);
    const error = await failedStart(machine, { disks: diskXml(OWN, "vda") });
    expect([error.kind, error.message]).toEqual(["label-taken", expect.stringContaining("a disk of 'vm2'")]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("gets it to its guest where the XML names it too", async () => {
    write(headers["as backing file"]);
    await define(diskXml(DISK, "vda"));
    const below = `<backingStore type='file'><format type='raw'/><source file='${DISK}'/><backingStore/></backingStore>`;
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(OWN, "vda", below) }));
    expect(labelOf(machine, DISK)).toBe("system_u:object_r:virt_content_t:s0");
  });

  test.each(["<readonly/>", "<shareable/>"])("is no matter where that one has it as %s", async (extra) => {
    write(headers["as backing file"]);
    await define(diskXml(DISK, "vda", extra));
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(OWN, "vda") }));
  });

  test("is no matter where it is the guest's own definition", async () => {
    write(headers["as backing file"]);
    await defineDomain(nodeOn(machine), domainXml({ disks: diskXml(DISK, "vda") }));
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(OWN, "vda") }));
  });
});

describe("an image whose header says that its data are elsewhere", () => {
  const store = `<dataStore type='file'><format type='raw'/><source file='${DISK}'/></dataStore>`;

  test("does not get that file to its guest for writing", async () => {
    write(WITH_DATA);
    const before = snapshot(machine);
    const error = await failedStart(machine, { disks: diskXml(OWN, "vda") });
    expect([error.kind, error.message]).toEqual([
      "denied",
      `Cannot use ${OWN} as a disk: its header says that its data are in ${DISK}, and the XML does not`,
    ]);
    expect(snapshot(machine)).toEqual(before);
  });

  test("gets it to its guest where the XML says so, and to one that only reads both", async () => {
    write(WITH_DATA);
    await startDomain(
      nodeOn(machine),
      domainXml({ disks: diskXml(OWN, "vda").replace("/><target", `>${store}</source><target`) }),
    );
    const other = makeMachine();
    other.files.get(OWN).bytes = qcow2Bytes(WITH_DATA);
    await startDomain(nodeOn(other), domainXml({ disks: diskXml(OWN, "vda", "<readonly/>") }));
    expect(labelOf(other, DISK)).toBe("system_u:object_r:virt_content_t:s0");
  });
});
