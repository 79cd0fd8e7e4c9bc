import { describe, expect, test } from "bun:test";
import { runCommandLine } from "../../src/cli/run-command.ts";
import { auditNode } from "../../src/vm/audit/audit-node.ts";
import { defineDomain } from "../../src/vm/define/define.ts";
import { destroyDomain } from "../../src/vm/end/destroy.ts";
import { startDomain } from "../../src/vm/start/start.ts";
import { type Machine, snapshot } from "../memory-host/machine.ts";
import {
  diskXml,
  domainXml,
  errorOf,
  labelOf,
  makeMachine,
  nodeOn,
  reapAll,
  staticLabel,
  UUID,
} from "../scenes/scene.ts";

const DISK = "/var/lib/images/private1.raw";
const DISKS = diskXml(DISK, "vda");
const DEFAULT = "system_u:object_r:virt_image_t:s0";
const GONE = "system_u:object_r:svirt_image_t:s0:c7,c9";

const RULES = `/var/lib/images(/.*)?\t${DEFAULT}\n`;

/** Sets the default labels of the machine's policy, and the label of the disk. */
function labelDisk(machine: Machine, label: string, rules = RULES): Machine {
  machine.files.putFolder("/etc/selinux/svirt/contexts/files");
  const bytes = new TextEncoder().encode(rules);
  machine.files.put("/etc/selinux/svirt/contexts/files/file_contexts", "file", { bytes });
  machine.files.get(DISK).xattrs.set("security.selinux", label);
  return machine;
}

async function startAndStop(machine: Machine, seclabel = ""): Promise<string | undefined> {
  await startDomain(nodeOn(machine), domainXml({ disks: DISKS, seclabel }));
  await destroyDomain(nodeOn(machine), UUID);
  await reapAll(machine);
  return labelOf(machine, DISK);
}

describe("a disk with the label of a guest that is gone", () => {
  test("is given the label that it has by policy when its next guest ends", async () => {
    expect(await startAndStop(labelDisk(makeMachine(), GONE))).toBe(DEFAULT);
  });

  test("is given it even where the file remembers that label as its original", async () => {
    const machine = labelDisk(makeMachine(), GONE);
    machine.files.get(DISK).xattrs.set("trusted.libvirt.security.selinux", GONE);
    expect(await startAndStop(machine)).toBe(DEFAULT);
  });

  test.each([
    ["policy has no label for it", "/var/lib/images(/.*)?\t<<none>>\n"],
    ["no rule is about it", "/srv(/.*)?\tsystem_u:object_r:var_t:s0\n"],
  ])("keeps it where %s", async (_, rules) => {
    expect(await startAndStop(labelDisk(makeMachine(), GONE, rules))).toBe(GONE);
  });

  test("keeps it where the policy has no file_contexts", async () => {
    const machine = makeMachine();
    machine.files.get(DISK).xattrs.set("security.selinux", GONE);
    expect(await startAndStop(machine)).toBe(GONE);
  });

  test("keeps it where it is the static label of its own guest", async () => {
    expect(await startAndStop(labelDisk(makeMachine(), GONE), staticLabel("s0:c7,c9"))).toBe(GONE);
  });

  test("is refused while a process that is not svirt's runs in its level", async () => {
    const machine = labelDisk(makeMachine(), GONE);
    machine.processes.add({ command: "qemu-system-x86_64", context: "system_u:system_r:svirt_t:s0:c7,c9" });
    const before = snapshot(machine);
    const error = await errorOf(startDomain(nodeOn(machine), domainXml({ disks: DISKS })));
    expect(error.kind).toBe("in-use");
    expect(error.message).toContain("a process runs at its level s0:c7,c9");
    expect(snapshot(machine)).toEqual(before);
  });

  test("may be a copy that was made with the label of a guest that runs", async () => {
    const machine = makeMachine();
    await startDomain(nodeOn(machine), domainXml({ disks: diskXml("/var/lib/images/private2.raw", "vda") }));
    const copied = labelDisk(machine, labelOf(machine, "/var/lib/images/private2.raw") ?? "");
    const other = "11111111-2222-4333-8444-000000000002";
    await startDomain(nodeOn(copied), domainXml({ name: "vm2", uuid: other, disks: DISKS }));
    await destroyDomain(nodeOn(copied), other);
    await reapAll(copied);
    expect(labelOf(copied, DISK)).toBe(DEFAULT);
  });

  test("is told by audit and by recover with what to do, until that is done", async () => {
    const machine = labelDisk(makeMachine(), GONE);
    await defineDomain(nodeOn(machine), domainXml({ disks: DISKS }));
    const finding = `${DISK} has the label of a guest that does not use it; run svirt label restore ${DISK}`;
    expect((await auditNode(nodeOn(machine))).findings).toEqual([finding]);
    expect(await run(machine, "recover")).toEqual({ code: 0, out: "", err: `warning: ${finding}\n` });
    expect((await run(machine, "label", "restore", DISK)).code).toBe(0);
    expect((await auditNode(nodeOn(machine))).findings).toEqual([]);
  });
});

test("a disk without any label is given the default one afterwards, as libvirt gives it", async () => {
  // ../shared/data/labels/vectors.json, "default-no-label-on-file"
  const machine = labelDisk(makeMachine(), "");
  machine.files.get(DISK).xattrs.delete("security.selinux");
  expect(await startAndStop(machine)).toBe(DEFAULT);
});

async function run(machine: Machine, ...words: readonly string[]) {
  let [out, err] = ["", ""];
  const print = (text: string): void => {
    out += text;
  };
  const warn = (text: string): void => {
    err += text;
  };
  const code = await runCommandLine({
    words,
    instance: nodeOn(machine),
    output: {
      print,
      printBytes: (bytes) => print(new TextDecoder().decode(bytes)) === undefined,
      printSoon: async () => true,
      warn,
    },
    version: "1.2.3",
  });
  return { code, out, err };
}
