import { describe, expect, test } from "bun:test";
import { SvirtError } from "../../../src/errors.ts";
import { parseNetwork } from "../../../src/network/document.ts";
import type { Network } from "../../../src/network/forms/network.ts";
import type { VirtualPort } from "../../../src/network/forms/port-parameters.ts";
import { portSettings } from "../../../src/network/rules/interface-port.ts";

const ID = "0b2d64da-3d0e-431e-afdd-804415d6ebbb";
const OTHER = "11111111-3d0e-431e-afdd-804415d6ebbb";
const BRIDGE = "<forward mode='bridge'/><bridge name='br0'/>";

function networkWith(content: string): Network {
  return parseNetwork(new TextEncoder().encode(`<network><name>lan</name>${content}</network>`));
}

/** Merges an interface's port with those of a network and its first port group. */
function merged(own: VirtualPort | undefined, content: string): VirtualPort | undefined {
  const network = networkWith(content);
  const settings = own === undefined ? {} : { virtualport: own };
  return portSettings(settings, { network, group: network.portgroups[0], place: "/i" }).virtualport;
}

function refusal(own: VirtualPort, content: string): SvirtError {
  try {
    merged(own, content);
  } catch (thrown) {
    if (thrown instanceof SvirtError) return thrown;
  }
  throw new Error("nothing was refused");
}

// virNetDevVPortProfileMerge3() of libvirt: the interface, then the network, then the port group
describe("portSettings()", () => {
  test("completes the interface's port by the network's, and that by the group's", () => {
    const network = `<virtualport type='openvswitch'><parameters interfaceid='${ID}'/></virtualport>`;
    const group =
      "<portgroup name='a'><virtualport type='openvswitch'><parameters profileid='p'/></virtualport></portgroup>";
    expect(merged(undefined, BRIDGE + network + group)).toEqual({
      type: "openvswitch",
      parameters: { interfaceid: ID, profileid: "p" },
    });
  });

  test("ignores parameters of another type, also of the interface itself", () => {
    const own = { parameters: { managerid: 1, instanceid: OTHER, interfaceid: ID } };
    expect(merged(own, `${BRIDGE}<virtualport type='openvswitch'/>`)).toEqual({
      type: "openvswitch",
      parameters: { interfaceid: ID },
    });
  });

  test("gives nothing if there is no port", () => {
    expect(merged(undefined, BRIDGE)).toBeUndefined();
  });

  const network = (port: string): string => `<forward mode='private' dev='eth0'/>${port}`;
  const QBG = network("<virtualport type='802.1Qbg'><parameters managerid='1' typeid='2'/></virtualport>");
  test.each<[VirtualPort, string, string]>([
    [{ type: "802.1Qbh" }, QBG, "types (802.1Qbh and 802.1Qbg)"],
    [{ parameters: { managerid: 3 } }, QBG, "managerids (3 and 1)"],
    [{ parameters: { typeid: 3 } }, QBG, "typeids (3 and 2)"],
    [
      { parameters: { interfaceid: ID } },
      `${BRIDGE}<virtualport type='openvswitch'><parameters interfaceid='${OTHER}'/></virtualport>`,
      `interfaceids ('${ID}' and '${OTHER}')`,
    ],
  ])("refuses %j and another one of its network", (own, content, what) => {
    const { libvirt, message } = refusal(own, content);
    // VIR_FROM_NET of virnetdevvportprofile.c
    expect([libvirt.name, libvirt.domain, message]).toEqual([
      "VIR_ERR_XML_ERROR",
      11,
      `XML error: attempt to merge virtualports with mismatched ${what}`,
    ]);
  });

  // networkAllocatePort() of libvirt
  test.each<[VirtualPort, string, string]>([
    [
      { type: "openvswitch" },
      "",
      "<virtualport type='openvswitch'> not supported for network 'lan' which uses IP forwarding",
    ],
    [
      { type: "midonet" },
      BRIDGE,
      "<virtualport type='midonet'> not supported for network 'lan' which uses a bridge device",
    ],
    [{}, BRIDGE, "<virtualport type='none'> not supported for network 'lan' which uses a bridge device"],
    [
      { type: "openvswitch" },
      "<forward mode='private' dev='eth0'/>",
      "<virtualport type='openvswitch'> not supported for network 'lan' which uses a macvtap device",
    ],
  ])("refuses %j on a network without such ports", (own, content, message) => {
    const error = refusal(own, content);
    expect([error.libvirt.name, error.libvirt.domain, error.message]).toEqual([
      "VIR_ERR_CONFIG_UNSUPPORTED",
      19,
      `unsupported configuration: ${message}`,
    ]);
  });
});
