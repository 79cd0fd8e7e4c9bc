import type { Domain } from "../domain/domain.ts";
import { NO_FEATURES } from "../domain/features.ts";
import { type Loader, NVRAM_FOLDER, type Nvram } from "../domain/firmware.ts";
import { chooseFirmware } from "./choose-firmware.ts";
import { type FirmwareDescriptor, LEGACY_TEMPLATES } from "./firmware-descriptors.ts";
import { refuseFirmware } from "./firmware-rules.ts";
import type { Machine } from "./machine.ts";
import { cannotTranslate } from "./refusal.ts";

/**
 * Chooses the firmware where the XML leaves that open, and says what the chosen one is. Throws "unsupported".
 * qemuFirmwareFillDomain() of libvirt
 */
export function fillFirmware(domain: Domain, machine: Machine): Domain {
  const { os } = domain;
  if (os.firmware === undefined && os.loader === undefined && os.nvram === undefined) {
    if (os.firmwareWishes === undefined) return domain;
    const why = "there is no firmware that could have features";
    throw cannotTranslate("/domain/os/firmware", why, "Write <os firmware='efi'>.");
  }
  refuseFirmware(domain, machine);
  const written = os.firmware === undefined ? withType(domain) : domain;
  const chosen = chooseFirmware(written, machine);
  if (chosen !== undefined) return withChosen(written, chosen);
  if (os.firmware !== undefined || os.firmwareWishes !== undefined) {
    const why = `no ${os.firmware ?? "efi"} firmware that svirt knows is as wanted`;
    throw cannotTranslate(
      "/domain/os/@firmware",
      why,
      "Ask for less, or name the files in <loader> and <nvram>.",
    );
  }
  return withWritten(written);
}

/** A loader that does not say what it is, is a ROM. */
function withType(domain: Domain): Domain {
  const { loader } = domain.os;
  return { ...domain, os: { ...domain.os, loader: { ...loader, type: loader?.type ?? "rom" } } };
}

function withChosen(domain: Domain, chosen: FirmwareDescriptor): Domain {
  const { features, os } = domain;
  const isLocal = os.nvram?.type !== "network";
  const inFlash = { readonly: true, type: "pflash" } as const;
  const loader: Loader = {
    ...os.loader,
    ...(chosen.mode === "rom" ? { type: "rom" } : inFlash),
    ...(chosen.secureBoot ? { secure: true } : {}),
    format: chosen.format,
    path: chosen.path,
  };
  const keys = { enabled: chosen.enrolledKeys, name: "enrolled-keys" } as const;
  const wishes = [...(isLocal ? [keys] : []), { enabled: chosen.secureBoot, name: "secure-boot" } as const];
  const smm = { ...features?.smm, state: true };
  const secured = { ...NO_FEATURES, ...features, smm };
  return {
    ...domain,
    os: {
      ...os,
      firmware: chosen.interface === "uefi" ? "efi" : "bios",
      firmwareWishes: { features: wishes },
      loader,
      ...nvramOf(domain, loader, isLocal ? chosen : undefined),
    },
    ...(chosen.secureBoot ? { features: secured } : {}),
  };
}

/** What the XML names is not known, but from where its variables came may be. */
function withWritten(domain: Domain): Domain {
  const { os } = domain;
  const loader: Loader = { ...os.loader, format: os.loader?.format ?? "raw" };
  const legacy = loader.format === "raw" ? LEGACY_TEMPLATES.get(loader.path ?? "") : undefined;
  const known =
    legacy === undefined ? undefined : { template: os.nvram?.template ?? legacy, format: "raw" as const };
  return { ...domain, os: { ...os, loader, ...nvramOf(domain, loader, known) } };
}

/** Variables are kept beside a loader in flash that the guest cannot write to. */
function nvramOf(
  { name, os }: Domain,
  loader: Loader,
  known: Pick<FirmwareDescriptor, "template" | "format"> | undefined,
): { readonly nvram?: Nvram } {
  if (loader.type !== "pflash" || loader.readonly !== true || loader.stateless === true) {
    return os.nvram === undefined ? {} : { nvram: os.nvram };
  }
  const written: Nvram = os.nvram ?? { type: "path" };
  const format = known?.format ?? written.format ?? "raw";
  const from =
    known?.template === undefined ? {} : { template: known.template, templateFormat: known.format };
  if (written.type !== "path") return { nvram: { ...written, ...from, format } };
  const suffix = format === "qcow2" ? "qcow2" : "fd";
  return {
    nvram: { ...written, ...from, format, path: written.path ?? `${NVRAM_FOLDER}/${name}_VARS.${suffix}` },
  };
}
