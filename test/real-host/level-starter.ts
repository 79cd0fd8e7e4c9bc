import { parseDomain } from "../../src/domain/document.ts";
import { decideGuestLabel } from "../../src/labelling/guest-label.ts";
import { withLevel } from "../../src/labelling/guest-level.ts";
import type { LevelOffer } from "../../src/registry/level-allocator.ts";
import { chooseUid } from "../../src/state/guest-uid.ts";
import { registryOf } from "../../src/state/instance.ts";
import { withRegistryLock } from "../../src/state/locks.ts";
import { givenNode } from "./given-node.ts";

/**
 * Reserves levels and users of guests FIRST to LAST, as a start does: `level-starter.ts FOLDER RANGE FIRST
 * LAST`.
 */
const [folder = "", range = "", first = "0", last = "0"] = process.argv.slice(2);
const instance = givenNode(folder, range);

for (let at = Number(first); at <= Number(last); at += 1) {
  const uuid = `55555555-2222-4333-8444-${String(at).padStart(12, "0")}`;
  const xml = `<domain type='kvm'><name>vm${at}</name><uuid>${uuid}</uuid><memory>65536</memory><os><type>hvm</type></os><devices/></domain>`;
  const domain = parseDomain(new TextEncoder().encode(xml));
  const start = async (offer: LevelOffer): Promise<void> => {
    const label = decideGuestLabel(instance, domain, { offer });
    const uid = chooseUid(instance, uuid);
    registryOf(instance).reserve({ kind: "level", key: label.range ?? "none", sharing: "exclusive" }, uuid);
    registryOf(instance).reserve({ kind: "uid", key: String(uid), sharing: "exclusive" }, uuid);
    process.stdout.write(`${label.label} ${uid}\n`);
  };
  await withLevel(instance, domain, (offer) => withRegistryLock(instance, () => start(offer)));
}
