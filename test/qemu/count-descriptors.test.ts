import { expect, test } from "bun:test";
import { parseDomain } from "../../src/domain/document.ts";
import { countDescriptors } from "../../src/qemu/count-descriptors.ts";
import { domainXml } from "../scenes/scene.ts";

const count = (devices: string, vcpus = 1): number =>
  countDescriptors(parseDomain(domainXml({ devices, lifecycle: `<vcpu>${vcpus}</vcpu>` })));

test("a guest has some thousand descriptors, more with vCPUs and queues, and an end that no XML moves", () => {
  expect(count("")).toBe(4096 + 64);
  expect(count("", 8)).toBe(4096 + 8 * 64);
  const net = "<interface type='bridge'><source bridge='br0'/><driver name='vhost' queues='8'/></interface>";
  const scsi = "<controller type='scsi' index='0' model='virtio-scsi'><driver queues='4'/></controller>";
  expect(count(net + scsi)).toBe(4096 + 64 + 8 * (8 + 4));
  expect(count(scsi.replace("4", "65535"))).toBe(32_768);
});
