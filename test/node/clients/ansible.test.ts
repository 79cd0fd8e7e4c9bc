import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootDisk } from "../../guest/boot-sector.ts";
import { uuidOf } from "../harness/names.ts";
import { onANode } from "../harness/on-a-node.ts";
import { onNode } from "../harness/on-the-node.ts";
import { LIFE_MS, makeClient, portOfDropbear, succeedWithin } from "./client.ts";
import { expectConfined, expectNothingLeft, POOL, REMOVE } from "./facts.ts";
import { writeGuest, writeNetwork } from "./stores.ts";

const onTheNode = await onANode();
const client = makeClient(portOfDropbear);
const NAME = "life-ansible";

/** Runs a playbook of the folder ansible on this machine, whose modules connect to the node. */
async function play(book: string): Promise<void> {
  const image = join(client.folder, "image");
  writeFileSync(image, bootDisk("", { do: "power-off-by-button" }));
  const variables = {
    ansible_python_interpreter: "/usr/bin/python3",
    folder: POOL,
    guest: writeGuest(client, NAME),
    image,
    name: NAME,
    network: writeNetwork(client),
    uri: client.uri,
  };
  const path = new URL(`ansible/${book}.yml`, import.meta.url).pathname;
  const where = ["-i", "localhost,", "-c", "local"];
  await succeedWithin(LIFE_MS, client, ["ansible-playbook", ...where, "-e", JSON.stringify(variables), path]);
}

onTheNode(
  "Ansible's community.libvirt makes, runs and removes a confined guest with pool, volume and network",
  async () => {
    await onNode(REMOVE);
    await play("install");
    await expectConfined(NAME, [`${POOL}/guest.img`]);
    await play("remove");
    await expectNothingLeft([uuidOf(NAME)]);
  },
  { timeoutMs: LIFE_MS },
);
