import type { Domain } from "../../domain/domain.ts";
import type { Machine } from "../model/machine.ts";
import { cannotTranslate } from "../refusal.ts";

/** A rule for firmware: QEMU cannot implement a domain in breach of it. */
interface Rule {
  readonly place: string;
  readonly why: string;
  readonly remedy: string;
  isBroken(domain: Domain, machine: Machine): boolean;
}

const isUefi = ({ os }: Domain): boolean => os.firmware === "efi" || os.loader?.type === "pflash";
const featureOf = ({ os }: Domain, name: string): boolean | undefined =>
  os.firmwareRequirements?.features.find((found) => found.name === name)?.enabled;

/** virDomainDefOSValidate() and qemuValidateDomainDefBoot() of libvirt */
const RULES: readonly Rule[] = [
  {
    place: "nvram",
    why: "a BIOS has no variables",
    remedy: "Leave it out, or use UEFI.",
    isBroken: (domain) => domain.os.nvram !== undefined && !isUefi(domain),
  },
  {
    place: "nvram",
    why: "the loader is stateless",
    remedy: "Leave it out, or write stateless='no' in <loader>.",
    isBroken: ({ os }) => os.nvram !== undefined && os.loader?.stateless === true,
  },
  {
    place: "loader/@stateless",
    why: "a BIOS is always stateless",
    remedy: "Leave it out.",
    isBroken: (domain) => domain.os.loader?.stateless === false && !isUefi(domain),
  },
  {
    place: "loader",
    why: "it must name a file, since automatic selection is off",
    remedy: "Write the file's path, or <os firmware='efi'>.",
    isBroken: ({ os }) => os.firmware === undefined && os.loader?.path === undefined,
  },
  {
    place: "firmware/feature",
    why: "enrolled keys require Secure Boot",
    remedy: "Require both, or neither.",
    isBroken: (domain) =>
      featureOf(domain, "enrolled-keys") === true && featureOf(domain, "secure-boot") === false,
  },
  {
    place: "loader",
    why: "UEFI requires ACPI on a PC",
    remedy: "Write <features><acpi/></features>.",
    isBroken: (domain) => isUefi(domain) && domain.features?.acpi !== true,
  },
  {
    place: "loader/@secure",
    why: "it requires a q35 machine with SMM",
    remedy: "Write machine='q35' and <features><smm state='on'/></features>.",
    isBroken: ({ features, os }, { chipset }) => {
      if (os.loader?.secure !== true) return false;
      return chipset !== "q35" || (os.firmware === undefined && features?.smm?.state !== true);
    },
  },
];

/** Throws "unsupported" for firmware that contradicts itself or the board. */
export function refuseFirmware(domain: Domain, machine: Machine): void {
  const broken = RULES.find((rule) => rule.isBroken(domain, machine));
  if (broken !== undefined) throw cannotTranslate(`/domain/os/${broken.place}`, broken.why, broken.remedy);
}
