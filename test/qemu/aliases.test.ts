import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { SvirtError } from "../../src/errors.ts";
import { addAliases } from "../../src/qemu/aliases.ts";
import { completeGuest } from "../../src/qemu/complete-guest.ts";
import { attempt, listRecorded, readRecorded, readRecordedOptions, recordedFolder } from "./recorded.ts";

setDefaultTimeout(60_000);

const missing = recordedFolder === undefined ? " (skipped: SVIRT_TEST_DATA is not set)" : "";

/** Aliases of devices that QEMU has without an argument, or without an id. */
const WITHOUT_WORDS =
  /^(?:pci\.0|pcie\.0|ide|fdc0|usb|input\d+|tpm\d+|watchdog\d+|hostdev\d+|smartcard\d+|sd0-0-\d)$/;

/** Cases in which libvirt's command line omits a device, with the alias of the device. */
const UNTOLD = new Map([
  ["disk-startuppolicy-optional-drop", "scsi0-0-0"],
  ["disk-transient", "virtio-disk0"],
  ["hostdev-pci-display-ramfb", "video0"],
  ["net-virtio-teaming-network", "net0"],
  ["sound-device", "sound0"],
]);

/** Returns all ids, written as `"id":"net0"` or `id=net0`. */
function idsIn(options: readonly string[]): ReadonlySet<string> {
  return new Set(
    options
      .filter((option) => /^-(?:device|netdev|chardev|tpmdev) /.test(option))
      .flatMap((option) =>
        [...option.matchAll(/"id": ?"([^"]*)"|\bid=([^,\s]*)/g)].map(([, json, word]) => json ?? word ?? ""),
      ),
  );
}

describe.skipIf(recordedFolder === undefined)(
  `addAliases() against libvirt's recorded words${missing}`,
  () => {
    test("every name of a device that QEMU is told of is the one that libvirt gave it", () => {
      let devices = 0;
      for (const name of listRecorded("args")) {
        const domain = readRecorded(name);
        const guest = domain instanceof SvirtError ? domain : attempt(() => completeGuest(domain));
        if (guest instanceof SvirtError) continue;
        const given = idsIn(readRecordedOptions(name));
        const aliases = new Set(
          Object.values(addAliases(guest)).flatMap((family) =>
            [family].flat().flatMap((device) => (device as { alias?: string } | undefined)?.alias ?? []),
          ),
        );
        const strange = [...aliases].filter(
          (alias) =>
            !given.has(alias) &&
            !WITHOUT_WORDS.test(alias) &&
            !alias.startsWith("ua-") &&
            UNTOLD.get(name) !== alias,
        );
        expect([name, ...strange]).toEqual([name]);
        devices += aliases.size;
      }
      expect(devices).toBeGreaterThan(1500);
    });
  },
);
