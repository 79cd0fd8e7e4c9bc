import { SvirtError } from "../../errors.ts";
import { type BootMark, type Definition, markStep, setAutostart } from "../../state/definitions.ts";
import { type Instance, isSession } from "../../state/instance.ts";
import { findDomain } from "../guest/find-domain.ts";
import type { Change } from "../object-change/change.ts";

/** Request for a domain: to start at each boot or at the next boot, or not to. */
interface Mark {
  readonly wanted: boolean;
  readonly when: BootMark;
}

/**
 * Marks a defined domain to start at boot, or removes the mark. Returns its name. Throws "not-found",
 * "unsupported" in a session, "wrong-state" for a domain without a definition.
 */
export function markAutostart(instance: Instance, key: string, mark: Mark): { readonly name: string } {
  const { name } = markable(instance, key);
  setAutostart(instance, name, mark);
  return { name };
}

/** Returns the change of markAutostart(). */
export function domainMark(key: string, mark: Mark): Change<{ readonly name: string }> {
  return {
    kind: "domain",
    plan(instance) {
      const { name, uuid } = markable(instance, key);
      const step = markStep(instance, name, mark);
      const steps = step.wasMarked === step.isMarked ? [] : [step];
      const object = { kind: "domain", key: uuid } as const;
      return { change: { object, what: `autostart ${name}`, steps, commit: 0 }, result: { name } };
    },
  };
}

function markable(instance: Instance, key: string): Definition {
  refuseInSession(instance);
  const { definition, name } = findDomain(instance, key);
  if (definition === undefined) {
    throw new SvirtError(
      `Requested operation is not valid: cannot set autostart for transient domain '${name}'`,
      {
        kind: "wrong-state",
        remedy: `Define it first: svirt dumpxml ${name} --inactive | svirt define -`,
      },
    );
  }
  return definition;
}

/**
 * Refuses autostart in a session: libvirt starts these domains with the user's daemon, and svirt has no
 * daemon.
 */
function refuseInSession(instance: Instance): void {
  if (!isSession(instance)) return;
  throw new SvirtError(
    "Cannot mark the domain as autostarted: an ordinary user's domains are not started at boot",
    {
      kind: "unsupported",
      remedy: "Start it at your login, such as in ~/.profile: svirt start DOMAIN",
    },
  );
}
