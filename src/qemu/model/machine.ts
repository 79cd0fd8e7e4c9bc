import type { Domain } from "../../domain/domain.ts";
import { cannotTranslate } from "../refusal.ts";

/** The emulated board. */
export interface Machine {
  /** QEMU's name of the machine, with the version given in the XML. */
  readonly word: string;
  readonly chipset: "i440fx" | "q35";
  /** QEMU's name of the first PCI bus. */
  readonly rootBus: "pci.0" | "pcie.0";
  /** QEMU's name of the power-management device, for -global. */
  readonly powerDevice: "PIIX4_PM" | "ICH9-LPC";
}

const I440FX = /^pc(?:-i440fx-\d+\.\d+)?$/;
const Q35 = /^(?:q35|pc-q35-\d+\.\d+)$/;

/**
 * Returns the board of `<os><type machine='…'>`; the default is `pc`, as in libvirt. Throws "unsupported".
 */
export function decideMachine(domain: Domain): Machine {
  const word = domain.os.type.machine ?? "pc";
  if (I440FX.test(word)) return { word, chipset: "i440fx", rootBus: "pci.0", powerDevice: "PIIX4_PM" };
  if (Q35.test(word)) return { word, chipset: "q35", rootBus: "pcie.0", powerDevice: "ICH9-LPC" };
  const why = `the machine "${word}" must be a pc (i440fx) or a q35`;
  throw cannotTranslate("/domain/os/type/@machine", why, `Write machine='q35' or machine='pc'.`);
}
