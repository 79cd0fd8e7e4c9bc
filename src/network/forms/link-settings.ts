import { bandwidthSide, virtualport, vlan } from "../../domain/devices/network/options.ts";
import { checked, element, refused, rewritten, type ValueOf } from "../../xml/element.ts";
import { child } from "../../xml/field.ts";
import { notUnderstood } from "../../xml/refusal.ts";

type Vlan = ValueOf<typeof vlan>;
type Virtualport = ValueOf<typeof virtualport>;

/** `<vlan>` with `trunk` as libvirt writes it: of several tags always, of one if it is `yes`. */
export const networkVlan = rewritten(vlan, ({ tags, trunk }): Vlan => {
  const isTrunk = trunk === true || tags.length > 1;
  return isTrunk ? { trunk: true, tags } : { tags };
});

/** Parameters of each type of `<virtualport>`. virNetDevVPortProfileCheckNoExtras() of libvirt */
const PARAMETERS: Readonly<Record<NonNullable<Virtualport["type"]>, readonly string[]>> = {
  "802.1Qbg": ["managerid", "typeid", "typeidversion", "instanceid"],
  "802.1Qbh": ["profileid"],
  openvswitch: ["interfaceid", "profileid"],
  midonet: ["interfaceid"],
};

/** `<virtualport>` whose parameters are of its type. */
export const networkVirtualport = checked(virtualport, ({ parameters, type }, node) => {
  if (type === undefined) return;
  const extra = Object.keys(parameters ?? {}).find((name) => !PARAMETERS[type].includes(name));
  if (extra === undefined) return;
  throw notUnderstood(
    { node, place: `parameters/@${extra}` },
    `a port of type ${type} does not have it`,
    `Leave ${extra} out of <parameters>.`,
  );
});

const NO_FLOOR = refused("@floor", "the floor is a guest's share of the network's bandwidth");

/** `<bandwidth>` of a network or a port group. */
export const networkBandwidth = element("bandwidth", () => ({
  inbound: child(bandwidthSide("inbound", [NO_FLOOR])),
  outbound: child(bandwidthSide("outbound", [NO_FLOOR])),
}));
