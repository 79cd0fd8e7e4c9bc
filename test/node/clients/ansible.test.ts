import { uuidOf } from "../harness/names.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { type Client, LIFE_MS, makeClient, portOfDropbear, succeed } from "./client.ts";
import { expectConfined, expectNothingLeft, POOL, REMOVE } from "./facts.ts";
import { writeGuest, writeNetwork } from "./stores.ts";

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const NAME = "life-ansible";

/** Runs a playbook of the folder ansible on this machine, whose modules connect to the node. */
async function play(from: Client, book: string): Promise<void> {
  const variables = {
    ansible_python_interpreter: "/usr/bin/python3",
    folder: POOL,
    guest: writeGuest(from, NAME),
    name: NAME,
    network: writeNetwork(from),
    uri: from.uri,
  };
  const path = new URL(`ansible/${book}.yml`, import.meta.url).pathname;
  const where = ["-i", "localhost,", "-c", "local"];
  await succeed(from, "ansible-playbook", ...where, "-e", JSON.stringify(variables), path);
}

onTheNode(
  "Ansible's community.libvirt makes, runs and removes a confined guest with pool, volume and network",
  async () => {
    await onNode(REMOVE);
    await play(client, "install");
    await expectConfined(NAME, [`${POOL}/guest.img`]);
    await play(client, "remove");
    await expectNothingLeft([uuidOf(NAME)]);
  },
  { timeoutMs: LIFE_MS },
);
