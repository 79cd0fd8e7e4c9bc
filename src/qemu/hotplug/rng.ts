import type { Rng } from "../../domain/devices/rng.ts";
import type { Domain } from "../../domain/domain.ts";
import { canonical } from "../../domain/forms/canonical.ts";
import { DEFAULT_RANDOM_SOURCE } from "../../domain/forms/random-source.ts";
import { virtioConnection } from "../address/pci/connection.ts";
import { formatRngs } from "../devices/rng.ts";
import { acceptAll, type HotplugFamily, notFound } from "./family.ts";
import { isAtPci } from "./place.ts";

/** Hot-plug of sources of randomness, identified by all their fields. virDomainRNGFind() of libvirt */
export const RNG: HotplugFamily<"rng"> = {
  name: ({ backend }) => `rng ${backend.model}`,
  find: findRng,
  refusePlug: acceptAll,
  refuseUnplug: acceptAll,
  // A guest may have two equal sources.
  refuseDouble: acceptAll,
  place: ({ model }) => virtioConnection(model),
  findAdded: ({ rngs }, device) => rngs.at(-1) ?? device,
  alone: (device, alias) => ({ rngs: [{ ...device, alias: device.alias ?? alias }] }),
  words: (alone, _, { launch }) => formatRngs(alone, launch),
  commandsAfter: () => [],
  prefix: "rng",
  isPlugged: (guest, { address }, { facts }) => isAtPci(guest, address, facts),
  // Every guest may read the host's random devices, which keep their label.
  resources: () => [],
  usesNetwork: () => false,
};

function findRng({ devices }: Domain, meant: Rng): Rng {
  const found = devices.rngs.find(
    (one) =>
      traitsOf(one) === traitsOf(meant) &&
      (meant.address === undefined || canonical(one.address) === canonical(meant.address)),
  );
  if (found === undefined) throw notFound("matching RNG device not found");
  return found;
}

function traitsOf({ backend, model, rate }: Rng): string {
  const path = backend.model === "random" ? (backend.path ?? DEFAULT_RANDOM_SOURCE) : undefined;
  return canonical([model, rate?.bytes, rate?.periodMs, { ...backend, path }]);
}
