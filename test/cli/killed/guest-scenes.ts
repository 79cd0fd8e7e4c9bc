import { markAutostart } from "../../../src/vm/define/autostart.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { managedSaveDomain, saveDomain } from "../../../src/vm/save/save-domain.ts";
import { startDomain } from "../../../src/vm/start/start.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { diskXml, domainXml, makeMachine, nodeOn, putText, reapAll, UUID } from "../../scenes/scene.ts";
import { TOP, takeDisks } from "../../scenes/snapshots.ts";
import { endUnseen, type Work } from "../../scenes/strikes.ts";
import type { Scene } from "./strike-command.ts";

const FILE = "/srv/vm1.xml";
const SAVED = "/var/lib/images/vm1.save";
const DISK = diskXml("/var/lib/images/private1.raw", "vda");
const CARD = "<interface type='user'><mac address='52:54:00:00:00:01'/><model type='virtio'/></interface>";
const XML = domainXml({ disks: DISK, devices: CARD });
const SECOND = diskXml("/var/lib/images/private2.raw", "vdb");

const define: Work = (node) => defineDomain(node, XML);
const start: Work = (node) => startDomain(node, XML);
const mark: Work = async (node) => markAutostart(node, "vm1", { when: "always", wanted: true });

const withIothread = new TextEncoder().encode(
  new TextDecoder().decode(XML).replace("<os>", "<iothreads>1</iothreads><os>"),
);

/** Returns a machine with files for commands, on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    putText(machine, FILE, new TextDecoder().decode(XML));
    putText(machine, "/srv/disk.xml", SECOND);
    putText(machine, "/srv/card.xml", CARD.replace("<model", "<link state='down'/><model"));
    putText(machine, "/srv/snapshot.xml", "<domainsnapshot><name>s1</name></domainsnapshot>");
    for (const work of works) {
      await work(nodeOn(machine));
      await reapAll(machine);
    }
    return machine;
  };
}

const runs = after(define, start);
async function withOlder(): Promise<Machine> {
  const machine = await after(start)();
  putText(machine, SAVED, "an older file");
  return machine;
}

async function withBalloon(): Promise<Machine> {
  const machine = await runs();
  machine.qemu = { answers: new Map([["balloon", {}]]) };
  return machine;
}

const withVcpus = after((node) =>
  defineDomain(
    node,
    new TextEncoder().encode(new TextDecoder().decode(XML).replace("<os>", "<vcpu current='1'>2</vcpu><os>")),
  ),
);
const isOff = after(define);

/** Scenes of the commands that change guests and their definitions. */
export const GUEST_SCENES: Readonly<Record<string, readonly Scene[]>> = {
  define: [{ prepare: after(), words: ["define", FILE] }],
  undefine: [
    { prepare: isOff, words: ["undefine", "vm1"] },
    { name: "marked", prepare: after(define, mark), words: ["undefine", "vm1"] },
  ],
  autostart: [{ prepare: isOff, words: ["autostart", "vm1"] }],
  domrename: [
    { prepare: isOff, words: ["domrename", "vm1", "vm2"], next: ["domrename", UUID, "vm2"] },
    {
      name: "marked",
      prepare: after(define, mark),
      words: ["domrename", "vm1", "vm2"],
      next: ["domrename", UUID, "vm2"],
    },
  ],
  start: [{ prepare: isOff, words: ["start", "vm1"] }],
  create: [{ prepare: after(), words: ["create", FILE] }],
  destroy: [{ prepare: runs, words: ["destroy", "vm1"] }],
  "attach-disk": [
    { prepare: runs, words: ["attach-disk", "vm1", "/var/lib/images/private2.raw", "vdb", "--live"] },
  ],
  "attach-device": [{ prepare: runs, words: ["attach-device", "vm1", "/srv/disk.xml", "--live"] }],
  "detach-disk": [
    {
      prepare: after(define, (node) => startDomain(node, domainXml({ disks: DISK + SECOND }))),
      words: ["detach-disk", "vm1", "vdb", "--live"],
    },
  ],
  "detach-device": [
    {
      prepare: after(define, (node) => startDomain(node, domainXml({ disks: DISK + SECOND }))),
      words: ["detach-device", "vm1", "/srv/disk.xml", "--live"],
    },
  ],
  save: [
    { prepare: after(start), words: ["save", "vm1", SAVED] },
    { name: "over a file", prepare: withOlder, words: ["save", "vm1", SAVED] },
  ],
  managedsave: [{ prepare: runs, words: ["managedsave", "vm1"] }],
  "managedsave-remove": [
    {
      prepare: after(define, start, (node) => managedSaveDomain(node, "vm1", { resumes: undefined })),
      words: ["managedsave-remove", "vm1"],
    },
  ],
  restore: [
    {
      prepare: after(start, (node) => saveDomain(node, "vm1", { resumes: undefined, path: SAVED })),
      words: ["restore", SAVED],
      // The command names a file and not the domain.
      next: ["dominfo", "vm1"],
    },
  ],
  dump: [
    {
      prepare: runs,
      words: ["dump", "vm1", "/var/lib/images/vm1.core", "--memory-only"],
    },
    {
      name: "before the guest's end",
      prepare: runs,
      words: ["dump", "vm1", "/var/lib/images/vm1.core", "--crash"],
    },
  ],
  desc: [
    { prepare: isOff, words: ["desc", "vm1", "A text"] },
    { name: "of both", prepare: runs, words: ["desc", "vm1", "A text", "--live", "--config"] },
  ],
  metadata: [{ prepare: isOff, words: ["metadata", "vm1", "http://a", "--key", "a", "--set", "<b/>"] }],
  setmem: [
    { name: "of the definition", prepare: isOff, words: ["setmem", "vm1", "32MiB", "--config"] },
    { name: "of both", prepare: withBalloon, words: ["setmem", "vm1", "32MiB", "--live", "--config"] },
  ],
  setmaxmem: [{ prepare: isOff, words: ["setmaxmem", "vm1", "128MiB", "--config"] }],
  setvcpus: [{ prepare: withVcpus, words: ["setvcpus", "vm1", "2", "--config"] }],
  setvcpu: [{ prepare: withVcpus, words: ["setvcpu", "vm1", "1", "--enable", "--config"] }],
  "snapshot-create-as": [
    {
      prepare: after((node) => defineDomain(node, domainXml({ disks: diskXml(TOP, "vda") }))),
      words: ["snapshot-create-as", "vm1", "s1", "--disk-only"],
    },
  ],
  "snapshot-delete": [
    {
      prepare: after(
        (node) => defineDomain(node, domainXml({ disks: diskXml(TOP, "vda") })),
        (node) => takeDisks(node, "s1"),
      ),
      words: ["snapshot-delete", "vm1", "s1", "--metadata"],
    },
  ],
  resume: [
    {
      prepare: after(define, (node) => startDomain(node, XML, { isPaused: true })),
      words: ["resume", "vm1"],
    },
  ],
  edit: [
    {
      prepare: async () => {
        const machine = await isOff();
        machine.edit = (text) => text.replace("65536</memory>", "32768</memory>");
        return machine;
      },
      words: ["edit", "vm1"],
    },
  ],
  "attach-interface": [
    {
      prepare: runs,
      words: ["attach-interface", "vm1", "user", "--mac", "52:54:00:00:00:05", "--model", "virtio", "--live"],
      // Once more would attach a second card.
      next: ["dominfo", "vm1"],
    },
  ],
  "detach-interface": [
    { prepare: runs, words: ["detach-interface", "vm1", "user", "--mac", "52:54:00:00:00:01", "--live"] },
  ],
  "domif-setlink": [{ prepare: runs, words: ["domif-setlink", "vm1", "52:54:00:00:00:01", "down"] }],
  "update-device": [{ prepare: runs, words: ["update-device", "vm1", "/srv/card.xml", "--live"] }],
  iothreadadd: [{ prepare: runs, words: ["iothreadadd", "vm1", "1", "--live"] }],
  iothreaddel: [
    {
      prepare: after((node) => defineDomain(node, withIothread)),
      words: ["iothreaddel", "vm1", "1", "--config"],
    },
  ],
  "set-lifecycle-action": [
    { prepare: isOff, words: ["set-lifecycle-action", "vm1", "poweroff", "restart", "--config"] },
    {
      name: "of both",
      prepare: runs,
      words: ["set-lifecycle-action", "vm1", "crash", "restart", "--live", "--config"],
    },
  ],
  schedinfo: [{ prepare: isOff, words: ["schedinfo", "vm1", "cpu_shares=512", "--config"] }],
  memtune: [{ prepare: isOff, words: ["memtune", "vm1", "--hard-limit", "524288", "--config"] }],
  blkiotune: [{ prepare: isOff, words: ["blkiotune", "vm1", "--weight", "500", "--config"] }],
  blkdeviotune: [
    {
      name: "live",
      prepare: runs,
      words: ["blkdeviotune", "vm1", "vda", "--total-iops-sec", "100", "--live"],
    },
    {
      name: "live and config",
      prepare: runs,
      words: ["blkdeviotune", "vm1", "vda", "--total-iops-sec", "100", "--live", "--config"],
    },
  ],
  domiftune: [
    { prepare: isOff, words: ["domiftune", "vm1", "52:54:00:00:00:01", "--inbound", "100", "--config"] },
  ],
  vcpupin: [{ prepare: isOff, words: ["vcpupin", "vm1", "0", "0", "--config"] }],
  emulatorpin: [{ prepare: isOff, words: ["emulatorpin", "vm1", "0", "--config"] }],
  numatune: [
    { prepare: isOff, words: ["numatune", "vm1", "--mode", "strict", "--nodeset", "0", "--config"] },
  ],
  "snapshot-create": [
    {
      prepare: after((node) => defineDomain(node, domainXml({ disks: diskXml(TOP, "vda") }))),
      words: ["snapshot-create", "vm1", "/srv/snapshot.xml", "--disk-only"],
    },
  ],
  "snapshot-revert": [
    {
      prepare: after(
        (node) => defineDomain(node, domainXml({ disks: diskXml(TOP, "vda") })),
        (node) => takeDisks(node, "s1"),
        (node) => takeDisks(node, "s2"),
      ),
      words: ["snapshot-revert", "vm1", "s1"],
      next: ["dominfo", "vm1"],
    },
  ],
  "snapshot-current": [
    {
      prepare: after(
        (node) => defineDomain(node, domainXml({ disks: diskXml(TOP, "vda") })),
        (node) => takeDisks(node, "s1"),
        (node) => takeDisks(node, "s2"),
      ),
      words: ["snapshot-current", "vm1", "s1"],
    },
  ],
  suspend: [{ prepare: runs, words: ["suspend", "vm1"] }],
  reap: [
    {
      prepare: async () => {
        const machine = await runs();
        endUnseen(machine);
        return machine;
      },
      words: ["reap", UUID],
    },
  ],
};
