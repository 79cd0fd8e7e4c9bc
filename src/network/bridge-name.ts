import { SvirtError } from "../errors.ts";

/** libvirt's names of bridges, virbr0 to virbr256. networkFindUnusedBridgeName() of libvirt */
const [TEMPLATE, LAST] = ["virbr%d", 256];

/** Whether a bridge has a fixed name; a name with `%d` is a template of names. */
export function isBridgeName(name: string | undefined): name is string {
  return name !== undefined && !name.includes("%d");
}

/**
 * Returns the first name of the template that is unused on the host and by other networks. Throws "in-use" if
 * all names are used.
 */
export function pickBridgeName(template: string | undefined, isUsed: (name: string) => boolean): string {
  const pattern = template?.includes("%d") === true ? template : TEMPLATE;
  for (let number = 0; number <= LAST; number += 1) {
    const name = pattern.replace("%d", String(number));
    if (!isUsed(name)) return name;
  }
  throw new SvirtError(
    `Cannot name the bridge of a network: ${pattern} is used with every number up to ${LAST}`,
    {
      kind: "in-use",
      remedy: "Write <bridge name='…'/> with another name.",
    },
  );
}
