import type { Domain } from "../../domain/domain.ts";
import type { Loader } from "../../domain/machine/firmware.ts";
import type { Machine } from "../model/machine.ts";
import type { FirmwareDescriptor, FirmwareFeature } from "./built-in.ts";

/** Returns the first firmware that matches the XML. qemuFirmwareMatchDomain() of libvirt */
export function chooseFirmware(
  domain: Domain,
  machine: Machine,
  firmwares: readonly FirmwareDescriptor[],
): FirmwareDescriptor | undefined {
  return firmwares.find(
    (firmware) =>
      runsOn(firmware, machine) &&
      hasInterface(firmware, domain) &&
      hasFiles(firmware, domain) &&
      hasFeatures(firmware, domain) &&
      isLaidOut(firmware, domain),
  );
}

/** Reports whether the firmware supports the machine: `pc` and `q35` stand for the latest of their kind. */
export function runsOn(
  { machines }: FirmwareDescriptor,
  { chipset, word }: Pick<Machine, "chipset" | "word">,
): boolean {
  const name = word.startsWith("pc-") ? word : `pc-${chipset}-`;
  return machines.some((pattern) => matches(pattern, name));
}

/** Matches as g_pattern_match_simple() of GLib: `*` and `?`. */
function matches(pattern: string, name: string): boolean {
  const parts = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*");
  return new RegExp(`^${parts.replaceAll("?", ".")}$`).test(name);
}

function hasInterface({ interfaces }: FirmwareDescriptor, { os }: Domain): boolean {
  const isUefi = os.firmware === undefined ? os.loader?.type === "pflash" : os.firmware === "efi";
  return interfaces.includes(isUefi ? "uefi" : "bios");
}

function hasFiles({ path, template }: FirmwareDescriptor, { os }: Domain): boolean {
  const [code, variables] = [os.loader?.path, os.nvram?.template];
  return (code === undefined || code === path) && (variables === undefined || variables === template?.path);
}

function hasFeatures({ features: given }: FirmwareDescriptor, domain: Domain): boolean {
  const { features, launchSecurity, os, pm } = domain;
  const has = (name: FirmwareFeature): boolean => given.includes(name);
  const isAs = (wanted: boolean | undefined, name: FirmwareFeature): boolean =>
    wanted === undefined || wanted === has(name);
  const options = (name: string): boolean | undefined =>
    os.firmwareRequirements?.features.find((found) => found.name === name)?.enabled;
  return (
    isAs(options("secure-boot"), "secure-boot") &&
    isAs(options("enrolled-keys"), "enrolled-keys") &&
    // SMM keeps the guest from writing to the flash directly.
    isAs(os.loader?.secure, "requires-smm") &&
    !(has("requires-smm") && features?.smm?.state === false) &&
    (pm?.suspendToMem?.enabled !== true || has("acpi-s3")) &&
    (pm?.suspendToDisk?.enabled !== true || has("acpi-s4")) &&
    neededBy(launchSecurity).every(has)
  );
}

/** Bit 2 of SEV's policy requires encrypted registers too. */
const SEV_ES = 1 << 2;

function neededBy(security: Domain["launchSecurity"]): readonly FirmwareFeature[] {
  if (security === undefined) return [];
  if (security.type === "sev-snp") return ["amd-sev-snp"];
  return (Number(security.policy) & SEV_ES) === 0 ? ["amd-sev"] : ["amd-sev", "amd-sev-es"];
}

/** The default format is raw. */
function isLaidOut({ format, mode, template }: FirmwareDescriptor, { os }: Domain): boolean {
  const { nvram, loader = {} satisfies Loader } = os;
  if (mode === "rom")
    return loader.type !== "pflash" && loader.stateless !== false && loader.readonly !== false;
  if (loader.type === "rom" || format !== (loader.format ?? "raw")) return false;
  if (loader.readonly !== undefined && loader.readonly !== (mode !== "combined")) return false;
  if (nvram !== undefined && template === undefined) return false;
  return (mode === "stateless") === (loader.stateless === true);
}
