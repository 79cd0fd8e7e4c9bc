import type { Panic } from "../../domain/devices/panic.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

/** -device for each panic device; Hyper-V's is part of the CPU. qemuBuildPanicCommandLine() of libvirt */
export function formatPanics(guest: Guest): Arguments {
  return guest.devices.panics.flatMap((panic, index) => {
    const twin = guest.devices.panics.findIndex(({ model }) => model === panic.model);
    if (twin === index) return formatPanic(guest, panic);
    const path = devicePath("panic", index);
    throw cannotTranslate(path, `a guest can have only one panic device ${panic.model}`, "Remove it.");
  });
}

function formatPanic(guest: Guest, panic: Panic): Arguments {
  switch (panic.model) {
    case "hyperv":
      return [];
    case "isa":
      return jsonArguments("-device", { driver: "pvpanic", ioport: panic.address?.iobase });
    case "pvpanic":
      return jsonArguments("-device", { driver: "pvpanic-pci", ...pciKeys(guest, panic.address) });
  }
}
