import type { Input } from "../../domain/devices/input/input.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys, usbKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import { type Launch, passedName } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { cannotTranslate, devicePath } from "../refusal.ts";

/** -device for pointers and keyboards, -object for the host's devices. PS/2 devices are part of the board. */
export function formatInputs(guest: Guest, launch: Launch | undefined): Arguments {
  return guest.devices.inputs.flatMap((input, index) => formatInput(guest, input, { index, launch }));
}

function formatInput(
  guest: Guest,
  input: Input,
  { index, launch }: { readonly index: number; readonly launch: Launch | undefined },
): Arguments {
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
  return passedName(launch, { path, purpose: "input", access: "read-write" });
}

// qemuBuildInputEvdevProps() of libvirt
function formatEvdev({ source }: InputOf<"evdev">, id: string, evdev: string): Arguments {
  return jsonArguments("-object", {
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
): Arguments {
  return jsonArguments("-device", {
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
): Arguments {
  if (bus !== "virtio" && options !== undefined) {
    throw cannotTranslate(`${path}/driver`, "only a virtio device has one", "Leave it out.");
  }
  if (bus !== "virtio" && model !== undefined) {
    throw cannotTranslate(`${path}/@model`, "only a virtio device has one", "Leave it out.");
  }
  switch (bus) {
    case "usb": {
      const driver = type === "keyboard" ? "usb-kbd" : `usb-${type}`;
      return address?.type === "usb"
        ? jsonArguments("-device", { driver, id, ...usbKeys(guest, address) })
        : [];
    }
    case "virtio": {
      const end = address?.type === "pci" ? pciKeys(guest, address) : {};
      return jsonArguments("-device", { driver: `virtio-${type}-pci`, ...virtioKeys(options), id, ...end });
    }
    case "ps2":
    case undefined:
      break;
  }
  if (type !== "tablet") return [];
  throw cannotTranslate(`${path}/@bus`, "PS/2 has no tablet", "Write bus='usb'.");
}
