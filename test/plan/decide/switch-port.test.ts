import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { parseDomain } from "../../../src/domain/document.ts";
import { addPortCommand } from "../../../src/network/switch/port-commands.ts";
import { decideSwitchPort, type SwitchFacts } from "../../../src/plan/decide/switch-port.ts";
import { recordedFolder } from "../../qemu/recorded.ts";

const FACTS: SwitchFacts = {
  guestUuid: "c7a5fdbd-edaf-9455-926a-d65c16db1809",
  hasProgram: () => true,
  getMtu: () => 9000,
};
const ID = "09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f";
const CARD = {
  mac: { address: "52:54:00:00:00:0A" },
  source: { bridge: "ovsbr0" },
  virtualport: { type: "openvswitch", parameters: { interfaceid: ID } },
} as const;

describe("decideSwitchPort()", () => {
  test("gives the tap the MTU of the bridge, or the interface's own", () => {
    expect(decideSwitchPort(CARD, FACTS).mtu).toBe(9000);
    expect(decideSwitchPort({ ...CARD, mtu: { size: 1400 } }, FACTS).mtu).toBe(1400);
  });

  test("names the guest's own address, not that of the tap", () => {
    expect(decideSwitchPort(CARD, FACTS).port).toEqual({
      bridge: "ovsbr0",
      guestMac: "52:54:00:00:00:0a",
      guestUuid: FACTS.guestUuid,
      interfaceId: ID,
    });
  });

  // virNetDevOpenvswitchAddPort() of libvirt, for its recorded interface; transient and del-port are svirt's.
  test.skipIf(recordedFolder === undefined)(
    `makes libvirt's command of a recorded interface${recordedFolder === undefined ? " (skipped: needs SVIRT_TEST_DATA)" : ""}`,
    () => {
      const { devices, uuid } = parseDomain(readFileSync(`${recordedFolder}/net-openvswitch.xml`));
      const [found] = devices.interfaces;
      if (found === undefined) throw new Error("it has no interface");
      const { port } = decideSwitchPort(
        { ...found, source: { bridge: "ovsbr0" } },
        { ...FACTS, guestUuid: uuid },
      );
      if (port === undefined) throw new Error("it has no port");
      const own = `-- --if-exists del-port vnet0 `;
      const words = addPortCommand("vnet0", port).join(" ").replace(own, "");
      expect(words.replace(" other_config:transient=true", "")).toBe(
        "/usr/bin/ovs-vsctl --timeout=5 -- add-port ovsbr0 vnet0 trunk=42,48,456 " +
          '-- set Interface vnet0 external-ids:attached-mac="00:11:22:33:44:55" ' +
          `-- set Interface vnet0 external-ids:iface-id="${ID}" ` +
          `-- set Interface vnet0 external-ids:vm-id="${FACTS.guestUuid}" ` +
          '-- set Interface vnet0 external-ids:port-profile="bob" ' +
          "-- set Interface vnet0 external-ids:iface-status=active",
      );
    },
  );
});
