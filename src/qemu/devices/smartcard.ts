import type { Smartcard } from "../../domain/devices/smartcard.ts";
import type { Devices } from "../../domain/devices.ts";
import { CERTIFICATES } from "../../domain/resources/passthrough-paths.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { controllerId, usbKeys } from "../argument/bus-properties.ts";
import type { Launch } from "../launch.ts";
import { controllersOf, type Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";
import { formatFilelessBackend } from "./chardev/backend.ts";

/** -device for each smartcard reader, a controller on USB. */
export function formatReaders(guest: Guest): Arguments {
  return controllersOf(guest.devices, "ccid").flatMap((controller) =>
    jsonArguments("-device", {
      driver: "usb-ccid",
      id: controllerId(guest, controller),
      ...usbKeys(guest, controller.address ?? {}),
    }),
  );
}

/** -chardev and -device for the smartcard. qemuBuildSmartcardCommandLine() of libvirt */
export function formatSmartcards(guest: Guest, launch: Launch | undefined): Arguments {
  const { smartcards } = guest.devices;
  if (smartcards.length > 1) {
    const path = devicePath("smartcard", 1);
    throw cannotTranslate(path, "a guest can have only one smartcard", "Remove the others.");
  }
  return smartcards.flatMap((found, index) => {
    const { controller: reader = 0, slot = 0 } = found.address ?? {};
    if (reader !== 0 || slot !== 0) {
      const place = `${devicePath("smartcard", index)}/address`;
      throw cannotTranslate(
        place,
        "a guest can have only one reader, with one slot",
        "Leave the address out.",
      );
    }
    const id = found.alias ?? `smartcard${index}`;
    const controller = controllersOf(guest.devices, "ccid").find((device) => device.index === 0);
    const bus = `${controller === undefined ? "ccid0" : controllerId(guest, controller)}.0`;
    const backend =
      found.type === "none"
        ? []
        : formatFilelessBackend({ id, chardev: found, path: devicePath("smartcard", index) }, launch);
    return [...backend, ...jsonArguments("-device", { ...cardKeys(found, id), id, bus })];
  });
}

function cardKeys(found: Smartcard, id: string): object {
  if (found.type !== "none") return { driver: "ccid-card-passthru", chardev: `char${id}` };
  const driver = "ccid-card-emulated";
  if (found.mode === "host") return { driver, backend: "nss-emulated" };
  const names = found.certificates.map(({ name }, index) => [`cert${index + 1}`, name]);
  return {
    driver,
    backend: "certificates",
    ...Object.fromEntries(names),
    db: found.database ?? CERTIFICATES,
  };
}

/**
 * Assigns smartcards without a reader to the first reader. virDomainDefMaybeAddSmartcardController() of
 * libvirt
 */
export function fillSmartcards(smartcards: Devices["smartcards"]): Devices["smartcards"] {
  return smartcards.map((found) => ({ ...addProtocol(found), address: found.address ?? FIRST_READER }));
}

const FIRST_READER = { type: "ccid", controller: 0, slot: 0 } as const;

function addProtocol(found: Smartcard): Smartcard {
  return found.type === "tcp" ? { ...found, protocol: found.protocol ?? { type: "raw" } } : found;
}
