import type { RngBackend } from "../../domain/devices/rng.ts";
import { DEFAULT_RANDOM_SOURCE } from "../../domain/forms/random-source.ts";
import { type Arguments, jsonArguments } from "../argument/argument.ts";
import { pciKeys } from "../argument/bus-properties.ts";
import { virtioDriver, virtioKeys } from "../argument/virtio-properties.ts";
import { deviceNumber } from "../device-number.ts";
import { fdsetPath, type Launch } from "../launch.ts";
import type { Guest } from "../model/guest.ts";
import { devicePath } from "../refusal.ts";
import { type ChardevBackend, formatBackend } from "./chardev/backend.ts";

/** -object and -device for each random number source. qemuBuildRNGCommandLine() of libvirt */
export function formatRngs(guest: Guest, launch: Launch | undefined): Arguments {
  return guest.devices.rngs.flatMap(({ address, alias, backend, driver, model, rate }, index) => {
    const id = alias ?? `rng${deviceNumber(guest.devices.rngs, index)}`;
    const device = {
      driver: virtioDriver("virtio-rng", model),
      ...virtioKeys(driver),
      rng: `obj${id}`,
      id,
      "max-bytes": rate?.bytes,
      period: rate === undefined ? undefined : (rate.periodMs ?? 1000),
      ...pciKeys(guest, address),
    };
    const source = formatSource(backend, { id, path: devicePath("rng", index), launch });
    return [...source, ...jsonArguments("-device", device)];
  });
}

interface SourceFacts {
  readonly id: string;
  readonly path: string;
  readonly launch: Launch | undefined;
}

function formatSource(backend: RngBackend, { id, path, launch }: SourceFacts): Arguments {
  const object = { id: `obj${id}` };
  switch (backend.model) {
    case "builtin":
      return jsonArguments("-object", { "qom-type": "rng-builtin", ...object });
    case "random":
      return jsonArguments("-object", {
        "qom-type": "rng-random",
        ...object,
        filename: randomSource(backend.path, launch),
      });
    case "egd":
      return [
        ...formatBackend({ id, path, chardev: egdChardev(backend) }, launch, 0),
        ...jsonArguments("-object", { "qom-type": "rng-egd", ...object, chardev: `char${id}` }),
      ];
  }
}

/** Backend as a character device. The XML form guarantees the fields of each type. */
function egdChardev({ source, type }: Extract<RngBackend, { readonly model: "egd" }>): ChardevBackend {
  const { host = "", mode = "connect", path = "", seclabels, service = "" } = source;
  const again = source.reconnect === undefined ? {} : { reconnect: source.reconnect };
  switch (type) {
    case "pipe":
      return { type, source: { path, seclabels } };
    case "unix":
      return { type, source: { mode, path, seclabels, ...again } };
    case "tcp":
      return { type, source: { mode, host, service, ...again } };
  }
}

function randomSource(path: string | undefined, launch: Launch | undefined): string {
  const source = path ?? DEFAULT_RANDOM_SOURCE;
  const passed = launch?.descriptors.find((found) => found.path === source && found.purpose === "random");
  return passed === undefined ? source : fdsetPath(passed);
}
