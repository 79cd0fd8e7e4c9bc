import { beforeEach, describe, expect, test } from "bun:test";
import { defineDomain } from "../../src/vm/define/define.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { extension, qcow2Bytes } from "../images/qcow2-bytes.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import {
  diskXml,
  domainXml,
  failedStart,
  labelOf,
  makeMachine,
  nodeOn,
  ORIGINAL,
  OTHER,
} from "../scenes/scene.ts";

const [OWN, DISK] = ["/var/lib/images/top.qcow2", "/var/lib/images/private1.raw"];
/** qemu.git docs/interop/qcow2.rst: the third incompatible feature keeps the data in another file. */
const dataIn = (name: string): Parameters<typeof qcow2Bytes>[0] => ({
  features: 4n,
  extensions: [[extension.dataFile, name]],
});
const FAR = "/var/lib/far/data.raw";

let machine: Machine;

function putFar(on: Machine): void {
  on.files.putFolder("/var/lib/far").xattrs.set("security.selinux", ORIGINAL);
  on.files.put(FAR, "file", { bytes: new Uint8Array(4096) });
}

/** Writes the header of the guest's image, as a guest that has compromised its QEMU can. */
function write(options: Parameters<typeof qcow2Bytes>[0]): void {
  machine.files.get(OWN).bytes = qcow2Bytes(options);
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
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining("a disk of 'vm2'")]);
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

describe("an image whose header says that its data are in another file", () => {
  const store = `<dataStore type='file'><format type='raw'/><source file='${FAR}'/></dataStore>`;
  const withStore = diskXml(OWN, "vda").replace("/><target", `>${store}</source><target`);

  beforeEach(() => {
    putFar(machine);
  });

  test("beside it gets that file to its guest for writing, as qemu-img makes them", async () => {
    write(dataIn("private1.raw"));
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml(OWN, "vda") }));
    expect(labelOf(machine, DISK)).toBe(labelOf(machine, OWN));
  });

  test("beside it does not, where another definition has it for itself", async () => {
    write(dataIn("private1.raw"));
    await define(diskXml(DISK, "vda"));
    const before = snapshot(machine);
    const error = await failedStart(machine, { disks: diskXml(OWN, "vda") });
    expect([error.kind, error.message]).toEqual(["in-use", expect.stringContaining("a disk of 'vm2'")]);
    expect(snapshot(machine)).toEqual(before);
  });

  test.each([FAR, "../far/data.raw", "../far/../images/private1.raw"])(
    "in another folder does not get %s to its guest for writing",
    async (name) => {
      write(dataIn(name));
      const before = snapshot(machine);
      const error = await failedStart(machine, { disks: diskXml(OWN, "vda") });
      expect([error.kind, error.message]).toEqual([
        "denied",
        expect.stringContaining(
          `Cannot use ${OWN} as a disk: its header names a data file in another folder`,
        ),
      ]);
      expect(snapshot(machine)).toEqual(before);
    },
  );

  test("in another folder does where the XML says so, and to one that only reads both", async () => {
    write(dataIn(FAR));
    await startDomain(nodeOn(machine), domainXml({ disks: withStore }));
    expect(labelOf(machine, FAR)).toBe(labelOf(machine, OWN));
    const other = makeMachine();
    putFar(other);
    other.files.get(OWN).bytes = qcow2Bytes(dataIn(FAR));
    await startDomain(nodeOn(other), domainXml({ disks: diskXml(OWN, "vda", "<readonly/>") }));
    expect(labelOf(other, FAR)).toBe("system_u:object_r:virt_content_t:s0");
  });
});
