import { expect, test } from "bun:test";
import { parseDomainText } from "../../../src/domain/document.ts";
import { asSvirtError } from "../../../src/errors.ts";
import { findDevice } from "../../../src/qemu/hotplug/families.ts";
import type { Instance } from "../../../src/state/instance.ts";
import { defineDomain } from "../../../src/vm/define/define.ts";
import { findDomain, findRunning } from "../../../src/vm/guest/find-domain.ts";
import { showVolume } from "../../../src/vm/volume/show-volume.ts";
import { deviceOf } from "../../scenes/hotplug.ts";
import { diskXml, domainXml, makeMachine, nodeOn } from "../../scenes/scene.ts";

// Clients of libvirt branch on these numbers: virt-install expects 50 of an unknown volume and 42 of an
// unknown domain.

test.each<[string, (instance: Instance) => unknown, number, string]>([
  ["a domain", (instance) => findDomain(instance, "nosuch"), 42, "failed to get domain 'nosuch'"],
  ["a guest that is off", (instance) => findRunning(instance, "vm1"), 55, "domain is not running"],
  ["a volume", (instance) => showVolume(instance, "/var/lib/images/nosuch"), 50, "No such file or directory"],
  [
    "a device",
    (instance) =>
      findDevice(
        parseDomainText(findDomain(instance, "vm1").definition?.xml ?? ""),
        deviceOf(diskXml("/a.raw", "vdz")),
      ),
    99,
    "device not found: disk vdz not found",
  ],
])("a lookup of %s has libvirt's error number", async (...[, lookUp, code, says]) => {
  const node = nodeOn(makeMachine());
  await defineDomain(node, domainXml());
  const error = asSvirtError(thrownBy(() => lookUp(node)));
  expect([error.libvirt.code, error.message]).toEqual([code, expect.stringContaining(says)]);
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
