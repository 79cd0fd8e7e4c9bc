import type { Input } from "../../domain/devices/input/input.ts";
import { jsonWords, type Words } from "../argument/argument.ts";
import { pciKeys, usbKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import { handedName, type Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

/** -device for pointers and keyboards, -object for those of the host. PS/2 devices are part of the board. */
export function formatInputs(guest: Guest, launch: Launch | undefined): Words {
  return guest.devices.inputs.flatMap((input, index) => formatInput(guest, input, { index, launch }));
}

function formatInput(
  guest: Guest,
  input: Input,
  { index, launch }: { readonly index: number; readonly launch: Launch | undefined },
): Words {
  const id = input.alias ?? `input${index}`;
  switch (input.type) {
    case "evdev":
      return formatEvdev(input, id, nodeName(input.source.dev, launch));
    case "passthrough":
      return formatPassed(guest, input, { id, evdev: nodeName(input.source.evdev, launch) });
    case "mouse":
    case "keyboard":
    case "tablet":
      return formatEmulated(guest, input, { id, path: devicePath("input", index) });
  }
}

type InputOf<T extends Input["type"]> = Extract<Input, { readonly type: T }>;

function nodeName(path: string, launch: Launch | undefined): string {
  return handedName(launch, { path, purpose: "input", access: "read-write" });
}

// qemuBuildInputEvdevProps() of libvirt
function formatEvdev({ source }: InputOf<"evdev">, id: string, evdev: string): Words {
  return jsonWords("-object", {
    "qom-type": "input-linux",
    id,
    evdev,
    repeat: source.repeat,
    grab_all: source.grab === "all" ? true : undefined,
    "grab-toggle": source.grabToggle,
  });
}

function formatPassed(
  guest: Guest,
  input: InputOf<"passthrough">,
  { evdev, id }: { readonly id: string; readonly evdev: string },
): Words {
  return jsonWords("-device", {
    driver: virtioDriver("virtio-input-host", input.model),
    ...virtioKeys(input.driver),
    id,
    evdev,
    ...pciKeys(guest, input.address),
  });
}

function formatEmulated(
  guest: Guest,
  { type, bus, driver: options, address, model }: InputOf<"mouse" | "keyboard" | "tablet">,
  { id, path }: { readonly id: string; readonly path: string },
): Words {
  if (bus !== "virtio" && options !== undefined) {
    throw cannotTranslate(`${path}/driver`, "only a virtio device has one", "Leave it out.");
  }
  if (bus !== "virtio" && model !== undefined) {
    throw cannotTranslate(`${path}/@model`, "only a virtio device has one", "Leave it out.");
  }
  switch (bus) {
    case "usb": {
      const driver = type === "keyboard" ? "usb-kbd" : `usb-${type}`;
      return address?.type === "usb" ? jsonWords("-device", { driver, id, ...usbKeys(guest, address) }) : [];
    }
    case "virtio": {
      const end = address?.type === "pci" ? pciKeys(guest, address) : {};
      return jsonWords("-device", { driver: `virtio-${type}-pci`, ...virtioKeys(options), id, ...end });
    }
    case "ps2":
    case undefined:
      break;
  }
  if (type !== "tablet") return [];
  throw cannotTranslate(`${path}/@bus`, "there is no PS/2 tablet", "Write bus='usb'.");
}
