import type { Input } from "../domain/input.ts";
import { DEFAULT_RANDOM_SOURCE } from "../domain/rng.ts";
import { inputBus } from "./default-devices.ts";
import { pciKeys, usbKeys } from "./device-bus.ts";
import type { Guest } from "./guest.ts";
import { fdsetPath, type Launch } from "./launch.ts";
import { cannotTranslate, devicePath } from "./refusal.ts";
import { jsonWords, type Words } from "./words.ts";

/** -device for pointers and keyboards; those on PS/2 are part of the board. */
export function formatInputs(guest: Guest): Words {
  return guest.devices.inputs.flatMap((input, index) => formatInput(guest, input, index));
}

function formatInput(guest: Guest, input: Input, index: number): Words {
  const { type, address } = input;
  const id = input.alias ?? `input${index}`;
  switch (inputBus(input)) {
    case "ps2": {
      if (type !== "tablet") return [];
      const path = `${devicePath("input", index)}/@bus`;
      throw cannotTranslate(path, "there is no PS/2 tablet", "Write bus='usb'.");
    }
    case "usb": {
      const driver = type === "keyboard" ? "usb-kbd" : `usb-${type}`;
      return address?.type === "usb" ? jsonWords("-device", { driver, id, ...usbKeys(guest, address) }) : [];
    }
    case "virtio": {
      const end = address?.type === "pci" ? pciKeys(guest, address) : {};
      return jsonWords("-device", { driver: `virtio-${type}-pci`, id, ...end });
    }
  }
}

/** -device for each watchdog, and the one action of them all; q35's own is switched on. */
export function formatWatchdogs(guest: Guest): Words {
  const { watchdogs } = guest.devices;
  const actions = new Set(watchdogs.map(({ action }) => action ?? "reset"));
  const [action, other] = actions;
  if (other !== undefined) {
    const why = "QEMU has one action for all watchdogs";
    throw cannotTranslate(`${devicePath("watchdog", 1)}/@action`, why, "Write the same action for each.");
  }
  let count = 0;
  const devices = watchdogs.flatMap(({ model, alias, address }) => {
    if (model === "itco") return ["-global", "ICH9-LPC.noreboot=off"];
    const id = alias ?? `watchdog${count}`;
    count += 1;
    return jsonWords("-device", { driver: model, id, ...(model === "ib700" ? {} : pciKeys(guest, address)) });
  });
  return action === undefined ? [] : [...devices, "-watchdog-action", action];
}

/** -device for the balloon, by which the host takes memory back. */
export function formatBalloon(guest: Guest): Words {
  const { memballoon } = guest.devices;
  if (memballoon === undefined || memballoon.model === "none") return [];
  return jsonWords("-device", {
    driver: "virtio-balloon-pci",
    id: memballoon.alias ?? "balloon0",
    "deflate-on-oom": memballoon.autodeflate,
    "free-page-reporting": memballoon.freePageReporting,
    ...pciKeys(guest, memballoon.address),
  });
}

/** -object and -device for each source of randomness. qemuBuildRNGCommandLine() of libvirt */
export function formatRngs(guest: Guest, launch: Launch | undefined): Words {
  return guest.devices.rngs.flatMap(({ alias, backend, rate, address }, index) => {
    const id = alias ?? `rng${index}`;
    const device = {
      driver: "virtio-rng-pci",
      rng: `obj${id}`,
      id,
      "max-bytes": rate?.bytes,
      period: rate === undefined ? undefined : (rate.periodMs ?? 1000),
      ...pciKeys(guest, address),
    };
    const source =
      backend.model === "builtin"
        ? { "qom-type": "rng-builtin", id: `obj${id}` }
        : { "qom-type": "rng-random", id: `obj${id}`, filename: randomSource(backend.path, launch) };
    return [...jsonWords("-object", source), ...jsonWords("-device", device)];
  });
}

/** -audiodev: the guest's sound goes nowhere, but VNC wants to be told so. */
export function formatAudio({ devices }: Guest): Words {
  return devices.audios.flatMap(({ id, type }) => jsonWords("-audiodev", { id: `audio${id}`, driver: type }));
}

function randomSource(path: string | undefined, launch: Launch | undefined): string {
  const source = path ?? DEFAULT_RANDOM_SOURCE;
  const handed = launch?.descriptors.find((found) => found.path === source && found.purpose === "random");
  return handed === undefined ? source : fdsetPath(handed);
}
