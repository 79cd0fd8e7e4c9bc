import { markNetwork } from "../../../src/vm/network/autostart-network.ts";
import { defineNetwork } from "../../../src/vm/network/define-network.ts";
import { createNetwork, startNetwork } from "../../../src/vm/network/start-network.ts";
import type { Machine } from "../../memory-host/machine.ts";
import { LAN_UUID, networkXml } from "../../scenes/networks.ts";
import { makeMachine, nodeOn, putText } from "../../scenes/scene.ts";
import type { Work } from "../../scenes/strikes.ts";
import type { Scene } from "./strike-command.ts";

const FORWARDING = "/proc/sys/net/ipv4/ip_forward";
const FILE = "/srv/lan.xml";
/** A network with every part that svirt makes: bridge, rules, limits, forwarding and server. */
const CONTENT =
  "<forward mode='nat'/><bridge name='virbr7' stp='on' delay='0'/><mac address='52:54:00:00:00:77'/>" +
  "<bandwidth><inbound average='1000'/><outbound average='100'/></bandwidth>" +
  "<ip address='192.168.150.1' prefix='24'><dhcp><range start='192.168.150.2' end='192.168.150.9'/></dhcp></ip>";
const OTHER_CONTENT = CONTENT.replace("150.9", "150.19");
const HOST = "<host mac='52:54:00:00:00:99' ip='192.168.150.5'/>";
const GROUP = "<portgroup name='web'/>";

const define: Work = (node) => defineNetwork(node, networkXml(CONTENT, "lan", LAN_UUID));
const start: Work = (node) => startNetwork(node, "lan");
const create: Work = (node) => createNetwork(node, networkXml(CONTENT, "lan", LAN_UUID));
const mark: Work = (node) => markNetwork(node, "lan", true);

/** Returns a machine that can have any network, on which this was done. */
function after(...works: readonly Work[]): () => Promise<Machine> {
  return async () => {
    const machine = makeMachine();
    machine.files.putFolder("/sys/class/net");
    putText(machine, "/usr/sbin/dnsmasq", "");
    putText(machine, FORWARDING, "0\n");
    putText(machine, FILE, new TextDecoder().decode(networkXml(OTHER_CONTENT, "lan", LAN_UUID)));
    for (const work of works) await work(nodeOn(machine));
    // A second start finds the host forwarding.
    return machine;
  };
}

/** Scenes of the commands that change networks. */
export const NETWORK_SCENES: Readonly<Record<string, readonly Scene[]>> = {
  "net-define": [
    { name: "new", prepare: after(), words: ["net-define", FILE] },
    { name: "replaced", prepare: after(define), words: ["net-define", FILE] },
  ],
  "net-undefine": [
    { prepare: after(define), words: ["net-undefine", "lan"] },
    { name: "marked", prepare: after(define, mark), words: ["net-undefine", "lan"] },
  ],
  "net-autostart": [
    { prepare: after(define), words: ["net-autostart", "lan"] },
    { name: "disabled", prepare: after(define, mark), words: ["net-autostart", "lan", "--disable"] },
  ],
  "net-start": [{ prepare: after(define), words: ["net-start", "lan"] }],
  "net-create": [{ prepare: after(), words: ["net-create", FILE] }],
  "net-create-default": [
    {
      prepare: after(async (node) => {
        await defineNetwork(node, networkXml(CONTENT, "default", LAN_UUID));
      }),
      words: ["net-create-default"],
    },
  ],
  "net-destroy": [
    { prepare: after(define, start), words: ["net-destroy", "lan"] },
    { name: "transient", prepare: after(create), words: ["net-destroy", "lan"] },
  ],
  "net-edit": [
    {
      prepare: async () => {
        const machine = await after(define)();
        machine.edit = (text) => text.replace("150.9", "150.19");
        return machine;
      },
      words: ["net-edit", "lan"],
    },
  ],
  "net-update": [
    {
      name: "of both documents",
      prepare: after(define, start),
      words: ["net-update", "lan", "add", "ip-dhcp-host", HOST, "--live", "--config"],
    },
    {
      name: "of the active network",
      prepare: after(define, start),
      words: ["net-update", "lan", "add", "ip-dhcp-host", HOST],
    },
    {
      name: "of the definition",
      prepare: after(define),
      words: ["net-update", "lan", "add", "portgroup", GROUP],
    },
  ],
  "net-desc": [{ prepare: after(define, start), words: ["net-desc", "lan", "A text", "--live", "--config"] }],
  "net-metadata": [
    {
      prepare: after(define, start),
      words: ["net-metadata", "lan", "http://a", "--key", "a", "--set", "<b/>", "--live", "--config"],
    },
  ],
};
