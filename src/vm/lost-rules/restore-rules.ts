import { asSvirtError, SvirtError } from "../../errors.ts";
import type { Instance } from "../../state/instance.ts";
import { withFreeGuest } from "../../state/locks.ts";
import { isRunning, readRecord, readRecords } from "../../state/record.ts";
import { changeNetworks } from "../network/change-networks.ts";
import { findLostNetworkRules, findLostTapRules, type LostRules } from "./find-lost-rules.ts";

// Rule: Packet rules that the firewall removed are found and set again.

/**
 * Domains and networks whose rules of the packet filter were set again, such as `domain 'vm1'`, and errors.
 */
interface SetAgain {
  readonly names: readonly string[];
  readonly errors: readonly SvirtError[];
}

/**
 * Sets rules of running guests and active networks again after their removal by `nft flush ruleset` or a
 * restart of the host's firewall. A guest in the hands of another svirt is left alone, with an error. Never
 * throws for a single guest or network.
 */
export async function setLostRules(instance: Instance): Promise<SetAgain> {
  const names = new Set<string>();
  const errors: SvirtError[] = [];
  const set = async (lost: readonly LostRules[]): Promise<void> => {
    for (const { name, of, script } of lost) {
      try {
        await instance.host.setPacketRules(script);
        names.add(`${of} '${name}'`);
      } catch (error) {
        errors.push(asSvirtError(error));
      }
    }
  };
  try {
    const running = readRecords(instance, () => undefined).filter((guest) => isRunning(instance, guest));
    const concerned = new Set((await findLostTapRules(instance, running)).map(({ name }) => name));
    for (const { name, uuid } of running) {
      if (!concerned.has(name)) continue;
      let isFree = false;
      await withFreeGuest(instance, uuid, async () => {
        isFree = true;
        const guest = readRecord(instance, uuid);
        if (guest !== undefined && isRunning(instance, guest))
          await set(await findLostTapRules(instance, [guest]));
      });
      if (!isFree) errors.push(stillLost(name));
    }
    if ((await findLostNetworkRules(instance)).length > 0)
      await changeNetworks(instance, async () => await set(await findLostNetworkRules(instance)));
  } catch (error) {
    errors.push(asSvirtError(error));
  }
  return { names: [...names], errors };
}

/** Other commands set no lost rules, so the guest would stay without them. */
function stillLost(name: string): SvirtError {
  return new SvirtError(`Cannot set the packet rules of domain '${name}' again: another svirt works on it`, {
    kind: "timeout",
    remedy: "Run svirt recover again when that has ended.",
  });
}
