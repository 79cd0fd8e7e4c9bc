import { expect, test } from "bun:test";
import { formatNetwork, parseNetwork } from "../../../src/network/document.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { createNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import { snapshot } from "../../memory-host/machine.ts";
import { LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { errorOf, makeMachine, nodeOn, OTHER, putText } from "../../scenes/scene.ts";

const IP = "<ip address='10.0.0.1' prefix='24'/>";
const inIp = (content: string): string => IP.replace("/>", `>${content}</ip>`);
const NAME = "x".repeat(255);
const SERVICE = `service='${"x".repeat(482)}' protocol='tcp' domain='${NAME}' target='${NAME}'`;

async function expectRefusal(content: string, place: string): Promise<void> {
  const machine = makeMachine();
  putText(machine, "/usr/sbin/dnsmasq", "");
  const before = snapshot(machine);
  const created = await errorOf(createNetwork(nodeOn(machine), networkXml(content)));
  expect([created.kind, created.place, snapshot(machine)]).toEqual(["unsupported", place, before]);
  await defineNetwork(nodeOn(machine), networkXml(content));
  const defined = snapshot(machine);
  const started = await errorOf(startNetwork(nodeOn(machine), "lan"));
  expect([started.kind, started.place, snapshot(machine)]).toEqual(["unsupported", place, defined]);
}

// dnsmasq 2.91 reads lines by fgets() of MAXDNAME (1,025) bytes, and takes the rest of a longer line for
// another option. It accepts the first text as `dhcp-script=/tmp/x`.
test.each([
  ["txt", `<dns><txt name='a' value='${"x".repeat(1011)}dhcp-script=/tmp/x'/></dns>${IP}`, "dns/txt"],
  ["srv", `<dns><srv ${SERVICE} port='65535' priority='65535' weight='65535'/></dns>${IP}`, "dns/srv"],
  ["tftp", inIp(`<tftp root='/${"x".repeat(1014)}'/>`), "ip/tftp"],
  [
    "bootp",
    inIp(`<dhcp><range start='10.0.0.2' end='10.0.0.9'/><bootp file='${NAME.repeat(4)}'/></dhcp>`),
    "ip/dhcp/bootp",
  ],
  [
    "host",
    inIp(`<dhcp><host mac='52:54:00:00:00:07' ip='10.0.0.7' name='a${"\u{10000}".repeat(254)}'/></dhcp>`),
    "ip/dhcp/host",
  ],
])("a text of <%s> that dnsmasq would read as two lines is refused", async (_name, content, place) => {
  await expectRefusal(content, `/network/${place}`);
});

// dnsmasq splits `interface=` at commas, and `*` at its end means any text: it would serve other devices of
// the host. The kernel replaces `%d` by a number, and the end of the network would not find the bridge.
test.each([
  ["isolated", "", "virbr0,eth0"],
  ["isolated", "", "*"],
  ["open", "<forward mode='open'/>", "virbr*"],
  ["isolated", "", "a%d%d"],
  ["isolated", "", 'a"'],
])("a network that is %s (%s) makes no bridge named %s", async (_mode, forward, name) => {
  await expectRefusal(`${forward}<bridge name='${name}'/>${IP}`, "/network/bridge/@name");
});

// A definition that an administrator has copied to another file: its rules, its server and its bridge would
// be those of `lan`.
test.each([
  ["bridge", "<bridge name='virbr7'/><mac address='52:54:00:00:00:aa'/>", OTHER],
  ["uuid", "<bridge name='virbr8'/><mac address='52:54:00:00:00:bb'/>", LAN_UUID],
])(
  "a copied definition with the %s of an active network does not start, and changes nothing of it",
  async (_name, own, uuid) => {
    const machine = makeMachine();
    putText(machine, "/usr/sbin/dnsmasq", "");
    putText(machine, "/proc/sys/net/ipv4/ip_forward", "1\n");
    const link = "<bridge name='virbr7'/><mac address='52:54:00:00:00:aa'/>";
    await defineNetwork(nodeOn(machine), networkXml(`<forward/>${link}${IP}`, "lan", LAN_UUID));
    await startNetwork(nodeOn(machine), "lan");
    const copy = networkXml(`<forward/>${own}<ip address='10.7.0.1' prefix='24'/>`, "copy", uuid);
    putText(machine, "/etc/svirt/networks/copy.xml", formatNetwork(parseNetwork(copy)));
    const before = snapshot(machine);
    const [daemons, rules] = [[...machine.daemons], [...machine.packetRules.tables]];
    expect((await errorOf(startNetwork(nodeOn(machine), "copy"))).kind).toBe("in-use");
    expect([snapshot(machine), [...machine.daemons], [...machine.packetRules.tables]]).toEqual([
      before,
      daemons,
      rules,
    ]);
  },
);

test("the remedy for a damaged record of an active network ends it, and leaves a bridge of an administrator", async () => {
  const path = "/run/svirt/networks/lan.xml";
  const link = "<bridge name='virbr7'/><mac address='52:54:00:00:00:aa'/>";
  const machine = makeMachine();
  await defineNetwork(nodeOn(machine), networkXml(`${link}${IP}`, "lan", LAN_UUID));
  await startNetwork(nodeOn(machine), "lan");
  putText(machine, path, "");
  expect((await errorOf(startNetwork(nodeOn(machine), "lan"))).remedy).toBe(
    `End it: rm ${path}, and start it again`,
  );
  machine.files.remove(path);
  expect(await startNetwork(nodeOn(machine), "lan")).toMatchObject({ did: true });

  const others = makeMachine();
  others.taps.addBridge("virbr7");
  await defineNetwork(nodeOn(others), networkXml(`${link}${IP}`));
  const before = snapshot(others).filter((line) => line.includes("/sys/class/net"));
  await errorOf(startNetwork(nodeOn(others), "lan"));
  expect(snapshot(others).filter((line) => line.includes("/sys/class/net"))).toEqual(before);
  expect(before).not.toEqual([]);
});
