import type { Domain } from "../domain/domain.ts";
import type { Loader } from "../domain/firmware.ts";
import { FIRMWARES, type FirmwareDescriptor } from "./firmware-descriptors.ts";
import type { Machine } from "./machine.ts";

/** The first firmware that is as the XML wants it. qemuFirmwareMatchDomain() of libvirt */
export function chooseFirmware(domain: Domain, { chipset }: Machine): FirmwareDescriptor | undefined {
  return FIRMWARES.find(
    (firmware) =>
      firmware.chipsets.includes(chipset) &&
      hasInterface(firmware, domain) &&
      hasFiles(firmware, domain) &&
      hasFeatures(firmware, domain) &&
      isLaidOut(firmware, domain.os.loader),
  );
}

function hasInterface(firmware: FirmwareDescriptor, { os }: Domain): boolean {
  const isUefi = os.firmware === undefined ? os.loader?.type === "pflash" : os.firmware === "efi";
  return firmware.interface === (isUefi ? "uefi" : "bios");
}

function hasFiles({ path, template }: FirmwareDescriptor, { os }: Domain): boolean {
  const [code, variables] = [os.loader?.path, os.nvram?.template];
  return (code === undefined || code === path) && (variables === undefined || variables === template);
}

/** Secure Boot goes with SMM, which keeps the guest from writing to the flash by itself. */
function hasFeatures(firmware: FirmwareDescriptor, { features, os }: Domain): boolean {
  const wish = (name: string): boolean | undefined =>
    os.firmwareWishes?.features.find((found) => found.name === name)?.enabled;
  const isAs = (wished: boolean | undefined, given: boolean): boolean =>
    wished === undefined || wished === given;
  return (
    isAs(wish("secure-boot"), firmware.secureBoot) &&
    isAs(wish("enrolled-keys"), firmware.enrolledKeys) &&
    isAs(os.loader?.secure, firmware.secureBoot) &&
    !(firmware.secureBoot && features?.smm?.state === false)
  );
}

/** Without a format it is a raw one. */
function isLaidOut({ format, mode }: FirmwareDescriptor, loader: Loader = {}): boolean {
  if (mode === "rom")
    return loader.type !== "pflash" && loader.stateless !== false && loader.readonly !== false;
  if (loader.type === "rom" || loader.readonly === false) return false;
  return format === (loader.format ?? "raw") && (mode === "stateless") === (loader.stateless === true);
}
