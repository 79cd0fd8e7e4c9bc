import type { Domain } from "../../domain/domain.ts";
import { cannotTranslate } from "../refusal.ts";

/** Which board QEMU builds. */
export interface Machine {
  /** QEMU's word, with its version where the XML has one. */
  readonly word: string;
  readonly chipset: "i440fx" | "q35";
  /** What the first PCI bus is called. */
  readonly rootBus: "pci.0" | "pcie.0";
  /** QEMU's name of the power-management device, for -global. */
  readonly powerDevice: "PIIX4_PM" | "ICH9-LPC";
}

const I440FX = /^pc(?:-i440fx-\d+\.\d+)?$/;
const Q35 = /^(?:q35|pc-q35-\d+\.\d+)$/;

/** The board of `<os><type machine='…'>`; without one it is `pc`, as in libvirt. Throws "unsupported". */
export function decideMachine(domain: Domain): Machine {
  const word = domain.os.type.machine ?? "pc";
  if (I440FX.test(word)) return { word, chipset: "i440fx", rootBus: "pci.0", powerDevice: "PIIX4_PM" };
  if (Q35.test(word)) return { word, chipset: "q35", rootBus: "pcie.0", powerDevice: "ICH9-LPC" };
  const why = `the machine "${word}" is neither a pc (i440fx) nor a q35`;
  throw cannotTranslate("/domain/os/type/@machine", why, `Write machine='q35' or machine='pc'.`);
}
