import { bandwidthSide, virtualport, vlan } from "../../domain/devices/network/options.ts";
import { checked, element, refused, rewritten, type ValueOf } from "../../xml/element.ts";
import { child } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";
import { dropOtherParameters, hasParameter, PORT_PARAMETERS } from "./port-parameters.ts";

type Vlan = ValueOf<typeof vlan>;

/** `<vlan>` with `trunk` as libvirt writes it: of several tags always, of a single tag if it is `yes`. */
export const networkVlan = rewritten(vlan, ({ tags, trunk }): Vlan => {
  const isTrunk = trunk === true || tags.length > 1;
  return isTrunk ? { trunk: true, tags } : { tags };
});

/**
 * `<virtualport>` with the parameters of its type, as libvirt writes it. virNetDevVPortProfileCheckNoExtras()
 * of libvirt; it checks none of midonet
 */
export const networkVirtualport = rewritten(
  checked(virtualport, ({ parameters, type }, node) => {
    if (type === "midonet") return;
    const extra = PORT_PARAMETERS.find(
      (name) => parameters?.[name] !== undefined && !hasParameter(type, name),
    );
    if (extra === undefined) return;
    throw notUnderstood(
      { node, place: `parameters/@${extra}` },
      `a port of type ${type} does not have it`,
      `Leave ${extra} out of <parameters>.`,
    );
  }),
  dropOtherParameters,
);

const NO_FLOOR = refused("@floor", "the floor is a guest's share of the network's bandwidth");

/** `<bandwidth>` of a network or a port group. */
export const networkBandwidth = element("bandwidth", () => ({
  inbound: child(bandwidthSide("inbound", [NO_FLOOR])),
  outbound: child(bandwidthSide("outbound", [NO_FLOOR])),
}));
