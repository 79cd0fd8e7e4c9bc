import type { Domain } from "../../domain/domain.ts";
import { NO_FEATURES } from "../../domain/machine/features.ts";
import type { Loader, Nvram } from "../../domain/machine/firmware.ts";
import { NVRAM_FOLDER } from "../../domain/machine/nvram-folder.ts";
import { namesFirmware } from "../../domain/names-firmware.ts";
import type { SvirtError } from "../../errors.ts";
import type { Machine } from "../model/machine.ts";
import { cannotTranslate } from "../refusal.ts";
import { FIRMWARES, type FirmwareDescriptor, type FirmwareFeature, LEGACY_TEMPLATES } from "./built-in.ts";
import { chooseFirmware } from "./choose.ts";
import { refuseFirmware } from "./rules.ts";

/** Facts for the choice of firmware. */
export interface FirmwareChoice {
  readonly firmwares: readonly FirmwareDescriptor[];
  /** Folder for the variables of guests that name no file. */
  readonly nvramFolder: string;
}

/** Firmware for a translation, which reads no host. */
const UNSEEN: FirmwareChoice = { firmwares: FIRMWARES, nvramFolder: NVRAM_FOLDER };

/**
 * Chooses the firmware if the XML leaves it open, and adds its files and features to the domain. Without a
 * host, an earlier choice stands if no known firmware matches. Throws "unsupported". qemuFirmwareFillDomain()
 * of libvirt
 */
export function fillFirmware(domain: Domain, machine: Machine, host?: FirmwareChoice): Domain {
  const { os } = domain;
  if (!namesFirmware(os)) {
    if (os.firmwareRequirements === undefined) return domain;
    const why = "features require automatic selection of firmware";
    throw cannotTranslate("/domain/os/firmware", why, "Write <os firmware='efi'>.");
  }
  refuseFirmware(domain, machine);
  const written = os.firmware === undefined ? addType(domain) : domain;
  const { firmwares, nvramFolder } = host ?? UNSEEN;
  const chosen = chooseFirmware(written, machine, firmwares);
  if (chosen !== undefined) return addChosen(written, chosen, nvramFolder);
  if (host === undefined && isChosen(written)) return domain;
  if (os.firmware !== undefined || os.firmwareRequirements !== undefined) {
    throw unfound(os.firmware ?? "efi", host);
  }
  return keepWritten(written, nvramFolder);
}

function unfound(kind: string, host: FirmwareChoice | undefined): SvirtError {
  const [place, otherwise] = ["/domain/os/@firmware", "name the files in <loader> and <nvram>."];
  if (host === undefined)
    return cannotTranslate(
      place,
      `no ${kind} firmware of this host has the required features`,
      `Require fewer features, or ${otherwise}`,
    );
  return cannotTranslate(
    place,
    `Unable to find '${kind}' firmware that is compatible with the current configuration`,
    `Install one with a descriptor in /usr/share/qemu/firmware (Debian's package ovmf), require fewer features, or ${otherwise}`,
  );
}

/** Reports whether the domain has all settings of a choice. */
function isChosen({ os }: Domain): boolean {
  const { firmware, firmwareRequirements, loader, nvram } = os;
  if (firmware === undefined || firmwareRequirements === undefined) return false;
  if (loader?.path === undefined || loader.format === undefined || loader.type === undefined) return false;
  if (loader.type === "rom" || loader.readonly === false || loader.stateless === true) return true;
  return nvram !== undefined && (nvram.type !== "path" || nvram.path !== undefined);
}

/** A loader without a type is a ROM. */
function addType(domain: Domain): Domain {
  const { loader } = domain.os;
  return { ...domain, os: { ...domain.os, loader: { ...loader, type: loader?.type ?? "rom" } } };
}

function addChosen(domain: Domain, chosen: FirmwareDescriptor, nvramFolder: string): Domain {
  const { features, os } = domain;
  const isLocal = os.nvram?.type !== "network";
  const inFlash = { readonly: chosen.mode !== "combined", type: "pflash" } as const;
  const has = (feature: FirmwareFeature): boolean => chosen.features.includes(feature);
  const stateless = chosen.mode === "stateless" ? { stateless: true } : {};
  const loader: Loader = {
    ...os.loader,
    ...(chosen.mode === "rom" ? { type: "rom" } : { ...inFlash, ...stateless }),
    ...(has("requires-smm") ? { secure: true } : {}),
    format: chosen.format,
    path: chosen.path,
  };
  const keys = { enabled: has("enrolled-keys"), name: "enrolled-keys" } as const;
  const secureBoot = { enabled: has("secure-boot"), name: "secure-boot" } as const;
  const settings = [...(isLocal ? [keys] : []), secureBoot];
  const smm = { ...features?.smm, state: true };
  const secured = { ...NO_FEATURES, ...features, smm };
  return {
    ...domain,
    os: {
      ...os,
      firmware: os.firmware ?? (chosen.interfaces[0] === "uefi" ? "efi" : "bios"),
      firmwareRequirements: { features: settings },
      loader,
      ...nvramOf(domain, { loader, known: isLocal ? chosen.template : undefined, nvramFolder }),
    },
    ...(has("requires-smm") ? { features: secured } : {}),
  };
}

/**
 * Keeps the firmware of the XML, which no descriptor describes. The template of its variables may be known.
 */
function keepWritten(domain: Domain, nvramFolder: string): Domain {
  const { os } = domain;
  const loader: Loader = { ...os.loader, format: os.loader?.format ?? "raw" };
  const legacy = loader.format === "raw" ? LEGACY_TEMPLATES.get(loader.path ?? "") : undefined;
  const known =
    legacy === undefined ? undefined : { path: os.nvram?.template ?? legacy, format: "raw" as const };
  return { ...domain, os: { ...os, loader, ...nvramOf(domain, { loader, known, nvramFolder }) } };
}

interface Flash {
  readonly loader: Loader;
  /** Template of its variables. */
  readonly known: FirmwareDescriptor["template"];
  readonly nvramFolder: string;
}

/** Adds the file of the variables, if the loader is flash that the guest cannot write to. */
function nvramOf({ name, os }: Domain, { known, loader, nvramFolder }: Flash): { readonly nvram?: Nvram } {
  if (loader.type !== "pflash" || loader.readonly !== true || loader.stateless === true) {
    return os.nvram === undefined ? {} : { nvram: os.nvram };
  }
  const written: Nvram = os.nvram ?? { type: "path" };
  const format = known?.format ?? written.format ?? "raw";
  const from = known === undefined ? {} : { template: known.path, templateFormat: known.format };
  if (written.type !== "path") return { nvram: { ...written, ...from, format } };
  const suffix = format === "qcow2" ? "qcow2" : "fd";
  return {
    nvram: { ...written, ...from, format, path: written.path ?? `${nvramFolder}/${name}_VARS.${suffix}` },
  };
}
