import { asSvirtError, type SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { withFreeGuest } from "../../state/locks.ts";
import { isRunning, readRecord, readRecords } from "../../state/record.ts";
import { changeNetworks } from "../network/change-networks.ts";
import { findLostNetworkRules, findLostTapRules, type LostRules } from "./find.ts";

/** Domains and networks whose rules of the packet filter were set again, such as `domain 'vm1'`, and errors. */
interface SetAgain {
  readonly names: readonly string[];
  readonly errors: readonly SvirtError[];
}

/**
 * Sets the rules of running guests and active networks again that `nft flush ruleset` or a restart of the host's firewall has removed.
 * A guest on which another svirt works is left alone. Never throws for a single guest or network.
 */
export async function setLostRules(instance: Instance): Promise<SetAgain> {
  const names = new Set<string>();
  const errors: SvirtError[] = [];
  const set = (lost: readonly LostRules[]): void => {
    for (const { name, of, script } of lost) {
      try {
        instance.host.setPacketRules(script);
        names.add(`${of} '${name}'`);
      } catch (error) {
        errors.push(asSvirtError(error));
      }
    }
  };
  try {
    const running = readRecords(instance, () => undefined).filter((guest) => isRunning(instance, guest));
    const concerned = new Set(findLostTapRules(instance, running).map(({ name }) => name));
    for (const { name, uuid } of running) {
      if (!concerned.has(name)) continue;
      await withFreeGuest(instance, uuid, async () => {
        const guest = readRecord(instance, uuid);
        if (guest !== undefined && isRunning(instance, guest)) set(findLostTapRules(instance, [guest]));
      });
    }
    if (findLostNetworkRules(instance).length > 0)
      await changeNetworks(instance, () => set(findLostNetworkRules(instance)));
  } catch (error) {
    errors.push(asSvirtError(error));
  }
  return { names: [...names], errors };
}
