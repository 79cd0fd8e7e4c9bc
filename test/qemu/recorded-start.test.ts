import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Domain } from "../../src/domain/domain.ts";
import { listResources } from "../../src/domain/resources/resources.ts";
import { refuseUnimplemented } from "../../src/domain/unimplemented/refuse.ts";
import { SvirtError } from "../../src/errors.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import type { FoundChains } from "../../src/qemu/devices/disk/chain.ts";
import { formatArgv } from "../../src/qemu/domain-argv.ts";
import { sampleOf } from "../sample.ts";
import { declaredChain } from "./declared-chain.ts";
import { hasDevice, qemuProgram, startQemu } from "./real-qemu.ts";
import { attempt, listRecorded, readRecorded, recordedFolder } from "./recorded.ts";

// Runs other programs, on a machine that may be busy.
setDefaultTimeout(60_000);

const missing = [
  ...(qemuProgram === null ? ["qemu-system-x86_64 or qemu-img is missing"] : []),
  ...(recordedFolder === undefined ? ["SVIRT_TEST_DATA is not set"] : []),
];
const why = missing.length === 0 ? "" : ` (skipped: ${missing.join(", ")})`;

/** Cases recorded without a start, which start on no machine. */
const NEVER_STARTED = new Set([
  "qemu-ns-alt", // gives QEMU words that it does not know
  "qemu-ns-commandline", // the same
  "qemu-ns-commandline-ns1", // the same
  "qemu-ns-domain-commandline", // the same
  "qemu-ns-domain-ns0", // the same
  "memory-hotplug", // more memory than an emulated processor has addresses for
  "q35-multifunction", // a port in function 1 of a slot whose function 0 is single
  "disk-blockio", // unit 2 on an IDE bus, which has two
  "disk-ide-split", // the same
  "intel-iommu-eim", // 288 processors, of which an emulated one without x2apic has 255
  "disk-snapshot", // disks on a second IDE controller, which a PC has not
  "pci-expander-bus", // its NUMA cells stand in its <cpu>, which is left out here
  "virtio-options-net-iommu", // a transitional device, which cannot have an IOMMU
  "console-virtio-unix", // connects to /tmp/connect.socket
  "serial-unix-chardev", // connects to /tmp/serial.sock
  "graphics-vnc", // listens on 2001:1:2:3:4:5:1234:1234
  "graphics-vnc-no-listen-attr", // the same
  "channel-unix-guestfwd", // connects to /tmp/guestfwd-connect.socket
  "parallel-unix-chardev", // connects to /tmp/parport1.socket
  "intel-iommu-eim", // 288 processors, more than are emulated without KVM
  "video-virtio-blob-on", // needs /dev/udmabuf
  "channel-unix-source-path", // its socket is made by svirt: test/node/resources.test.ts
  "virtio-options-rng-iommu", // iommu='on' on plain PCI, where the device is a transitional one
]);

/**
 * Returns a device that this QEMU lacks, or a resource that this machine lacks: a tap, huge pages, a server,
 * a file.
 */
function lackOf(domain: Domain, words: readonly string[]): string | undefined {
  const drivers = words.flatMap(
    (word) => /^\{"driver":"(qxl[^"]*|virtio-\w+-gl(?:-pci)?)"/.exec(word)?.[1] ?? [],
  );
  const all = words.join(" ");
  return (
    drivers.find((driver) => !hasDevice(driver)) ??
    (/"type":"tap"/.test(all) ? "a tap, which svirt makes: test/node/network.test.ts" : undefined) ??
    /\/dev\/hugepages/.exec(all)?.[0] ??
    /"driver":"(?:nbd|rbd|iscsi|https?|ftps?|gluster|nfs)"/.exec(all)?.[0] ??
    listOwnFiles(domain).find((file) => !fs.existsSync(file))
  );
}

/** Lists the files of a document that the test does not replace. */
function listOwnFiles(domain: Domain): string[] {
  return listResources(completeGuest(domain).domain).flatMap((resource) =>
    "path" in resource && !GIVEN_ANOTHER.has(resource.kind) ? [resource.path] : [],
  );
}

const GIVEN_ANOTHER = new Set<string>(["disk", "chardev-file", "vnc-socket"]);

describe.skipIf(missing.length > 0)(`real QEMU takes the words for libvirt's documents${why}`, () => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "svirt-recorded-"));
  afterAll(() => fs.rmSync(root, { recursive: true }));
  for (const name of sampleOf(listRecorded("args").filter((found) => !NEVER_STARTED.has(found)))) {
    const domain = readRecorded(name);
    const words = domain instanceof SvirtError ? domain : attempt(() => startable(domain));
    if (domain instanceof SvirtError || words instanceof SvirtError) continue;
    const lack = lackOf(domain, words);
    test.skipIf(lack !== undefined)(
      lack === undefined ? name : `${name} (skipped: needs ${lack})`,
      async () => {
        const folder = path.join(root, String(fs.readdirSync(root).length));
        fs.mkdirSync(folder);
        const local = withLocalFiles(domain, folder);
        const qemu = await startQemu(local.domain, folder, local.chains);
        expect(await qemu.execute("query-status")).toMatchObject({ status: "prelaunch" });
        await qemu.execute("quit");
        expect(await qemu.exited).toBe(0);
      },
    );
  }
});

/** Returns QEMU's arguments. Throws if a start would refuse the guest. */
function startable(domain: Domain): readonly string[] {
  refuseUnimplemented(domain);
  return formatArgv(domain);
}

/** Returns the guest emulated and small, with new files in place of those that the document names. */
function withLocalFiles(
  domain: Domain,
  folder: string,
): { readonly domain: Domain; readonly chains: FoundChains } {
  let count = 0;
  const newFile = (format: string): string => {
    count += 1;
    const file = path.join(folder, `image${count}`);
    const made = Bun.spawnSync(["qemu-img", "create", "-q", "-f", format, file, "2M"]);
    if (!made.success) throw new Error(made.stderr.toString());
    return file;
  };
  const disks = domain.devices.disks;
  const chains = disks.map((disk) => {
    const elements = declaredChain(disk);
    const files = elements.map((element) => ({
      ...element,
      path: newFile(element.format),
      storage: "file" as const,
    }));
    return [disk.target.dev, files] as const;
  });
  const serials = domain.devices.serials.map((serial) =>
    serial.type === "file"
      ? { ...serial, source: { ...serial.source, path: path.join(folder, "serial") } }
      : serial,
  );
  const small = { type: "qemu", memory: { kiB: 65_536 }, currentMemoryKiB: 65_536 } as const;
  const { cpu: _cpu, ...rest } = domain;
  return {
    domain: { ...rest, ...small, devices: { ...domain.devices, serials } },
    chains: new Map(chains),
  };
}
